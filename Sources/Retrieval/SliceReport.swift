/// The figures of parts of an evaluation, such as of one category after the other.
public struct SliceReport: Codable, Sendable, Equatable {
    /// What the parts are made by: a column, `view-pair`, `same-color` or `positives`.
    public var slice: String
    public var definition: String
    /// The part with the most queries first; parts of an order of their own, such as numbers, in that.
    public var values: [Part]

    public struct Part: Codable, Sendable, Equatable {
        public var value: String
        /// Queries that are measured; those with nothing relevant in this part are none.
        public var queries: Int
        /// Different products among them: what the bootstrap draws from.
        public var products: Int
        public var recallAt: [Int: Double]
        public var meanAveragePrecision: Double
        /// nil where there is one product only: there is nothing to draw from.
        public var intervals: Intervals?

        public struct Intervals: Codable, Sendable, Equatable {
            public var recallAt: [Int: EvaluationReport.Interval]
            public var meanAveragePrecision: EvaluationReport.Interval

            enum CodingKeys: String, CodingKey {
                case recallAt = "recall_at"
                case meanAveragePrecision = "map"
            }
        }

        enum CodingKeys: String, CodingKey {
            case value, queries, products
            case recallAt = "recall_at"
            case meanAveragePrecision = "map"
            case intervals = "ci95"
        }

        /// The K of a part's recall.
        public static let cutoffs = [1, 10]

        /// - Parameters: rankings, one per query, and the product of each query. Rankings with nothing relevant are left out.
        /// - Returns: nil where none is left.
        public init?(
            value: String, rankings: [Ranking], products: [String], resamples: Int = 1000, seed: UInt64 = 0
        ) {
            precondition(rankings.count == products.count, "one product for every query")
            let measured = rankings.indices.filter { rankings[$0].relevantCount > 0 }
            guard !measured.isEmpty else { return nil }
            let kept = measured.map { rankings[$0] }
            let values = Self.cutoffs.map { k in kept.map { $0.recall(at: k) } } + [kept.map(\.averagePrecision)]
            let bootstrap = ProductBootstrap(products: measured.map { products[$0] }, resamples: resamples, seed: seed)
            let means = values.map { $0.reduce(0, +) / Double(kept.count) }
            let intervals = bootstrap.intervals(ofMeans: values).map { EvaluationReport.Interval($0) }
            let last = Self.cutoffs.count
            self.value = value
            queries = kept.count
            self.products = bootstrap.products
            recallAt = Dictionary(uniqueKeysWithValues: zip(Self.cutoffs, means))
            meanAveragePrecision = means[last]
            self.intervals =
                bootstrap.products < 2
                ? nil
                : Intervals(
                    recallAt: Dictionary(uniqueKeysWithValues: zip(Self.cutoffs, intervals)),
                    meanAveragePrecision: intervals[last])
        }
    }

    public init(slice: String, definition: String, values: [Part]) {
        self.slice = slice
        self.definition = definition
        self.values = values
    }
}
