/// The figures of one evaluation; encoded, it is the JSON that `evaluate --json` prints. Shares lie in 0…1 and are means over the
/// queries that have something relevant in the gallery.
public struct EvaluationReport: Codable, Sendable, Equatable {
    /// All queries, also those without anything relevant.
    public var queries: Int
    public var gallery: Int
    /// Queries with nothing relevant in the gallery: left out of every mean.
    public var queriesWithoutRelevant: Int
    /// By K.
    public var recallAt: [Int: Double]
    public var precisionAt: [Int: Double]
    public var meanAveragePrecision: Double
    public var rPrecision: Double
    public var meanAveragePrecisionAtR: Double
    public var meanReciprocalRank: Double
    /// Median place of the first relevant picture, counted from 1; the mean of the middle two for an even number of queries.
    public var medianRank: Double
    public var intervals: Intervals
    /// Only where it was asked for.
    public var duplicates: Duplicates?
    /// What was timed, then `p50`, `p95`, `p99`, in milliseconds; measured by the caller.
    public var latencyMilliseconds: [String: [String: Double]]?

    /// 95 % bootstrap intervals by product.
    public struct Intervals: Codable, Sendable, Equatable {
        public var resamples: Int
        public var seed: UInt64
        public var recallAt: [Int: Interval]
        public var precisionAt: [Int: Interval]
        public var meanAveragePrecision: Interval
        public var rPrecision: Interval
        public var meanAveragePrecisionAtR: Interval
        public var meanReciprocalRank: Interval

        enum CodingKeys: String, CodingKey {
            case resamples, seed, rPrecision = "r_precision"
            case recallAt = "recall_at"
            case precisionAt = "precision_at"
            case meanAveragePrecision = "map"
            case meanAveragePrecisionAtR = "map_at_r"
            case meanReciprocalRank = "mrr"
        }
    }

    /// Encoded as `[low, high]`.
    public struct Interval: Codable, Sendable, Equatable {
        public var low: Double
        public var high: Double

        public init(_ range: ClosedRange<Double>) { (low, high) = (range.lowerBound, range.upperBound) }

        public init(from decoder: any Decoder) throws {
            var container = try decoder.unkeyedContainer()
            (low, high) = (try container.decode(Double.self), try container.decode(Double.self))
        }

        public func encode(to encoder: any Encoder) throws {
            var container = encoder.unkeyedContainer()
            try container.encode(low)
            try container.encode(high)
        }
    }

    /// Rows with bit for bit the same vector, as the same picture under two names gives.
    public struct Duplicates: Codable, Sendable, Equatable {
        public var groups: Int
        /// Groups that hold rows of more than one product.
        public var groupsAcrossProducts: Int
        /// Groups with a row that is a query and another that is in the gallery.
        public var groupsAcrossQueryAndGallery: Int
        /// Rows in all groups.
        public var rows: Int

        enum CodingKeys: String, CodingKey {
            case groups, rows
            case groupsAcrossProducts = "across_products"
            case groupsAcrossQueryAndGallery = "across_query_and_gallery"
        }
    }

    enum CodingKeys: String, CodingKey {
        case queries, gallery, duplicates
        case queriesWithoutRelevant = "queries_without_relevant"
        case recallAt = "recall_at"
        case precisionAt = "precision_at"
        case meanAveragePrecision = "map"
        case rPrecision = "r_precision"
        case meanAveragePrecisionAtR = "map_at_r"
        case meanReciprocalRank = "mrr"
        case medianRank = "median_rank"
        case intervals = "ci95"
        case latencyMilliseconds = "latency_ms"
    }

    /// The K of the field for products.
    public static let cutoffs = [1, 5, 10, 20, 30, 40, 50]

    /// Sums rankings up; a slice of an evaluation is the report over some of its rankings.
    /// - Parameters:
    ///   - rankings: one per query.
    ///   - products: the product of every query: what the bootstrap resamples.
    ///   - gallery: how many pictures were ranked, the query itself included where the sets overlap.
    ///   - cutoffs: the K of recall and precision, from 1.
    /// - Throws: `.count`; `.nothingToMeasure` where no query has anything relevant.
    public init(
        rankings: [Ranking], products: [String], gallery: Int, cutoffs: [Int] = Self.cutoffs, resamples: Int = 1000,
        seed: UInt64 = 0
    ) throws(RetrievalError) {
        guard products.count == rankings.count else {
            throw .count(what: "products", found: products.count, expected: rankings.count)
        }
        let measured = rankings.indices.filter { rankings[$0].relevantCount > 0 }
        guard !measured.isEmpty else { throw .nothingToMeasure(queries: rankings.count, gallery: gallery) }
        let kept = measured.map { rankings[$0] }

        var values = cutoffs.map { k in kept.map { $0.recall(at: k) } }
        values += cutoffs.map { k in kept.map { $0.precision(at: k) } }
        values += [
            kept.map(\.averagePrecision), kept.map(\.rPrecision), kept.map(\.averagePrecisionAtR), kept.map(\.reciprocalRank),
        ]
        let means = values.map { $0.reduce(0, +) / Double(kept.count) }
        let bootstrap = ProductBootstrap(products: measured.map { products[$0] }, resamples: resamples, seed: seed)
        let ranges = bootstrap.intervals(ofMeans: values).map { Interval($0) }

        /// The values of recall, or of precision, by K; a K that stands twice has one value.
        func byCutoff<Value>(_ values: [Value], from start: Int) -> [Int: Value] {
            Dictionary(zip(cutoffs, values[start...])) { first, _ in first }
        }
        let rest = 2 * cutoffs.count
        self.queries = rankings.count
        self.gallery = gallery
        self.queriesWithoutRelevant = rankings.count - kept.count
        self.recallAt = byCutoff(means, from: 0)
        self.precisionAt = byCutoff(means, from: cutoffs.count)
        self.meanAveragePrecision = means[rest]
        self.rPrecision = means[rest + 1]
        self.meanAveragePrecisionAtR = means[rest + 2]
        self.meanReciprocalRank = means[rest + 3]
        let firsts = kept.map { $0.relevantPlaces[0] }.sorted()
        self.medianRank = Double(firsts[(firsts.count - 1) / 2] + firsts[firsts.count / 2]) / 2
        self.intervals = Intervals(
            resamples: resamples, seed: seed, recallAt: byCutoff(ranges, from: 0),
            precisionAt: byCutoff(ranges, from: cutoffs.count), meanAveragePrecision: ranges[rest], rPrecision: ranges[rest + 1],
            meanAveragePrecisionAtR: ranges[rest + 2], meanReciprocalRank: ranges[rest + 3])
    }
}

extension Evaluator {
    /// Ranks, and sums up.
    /// - Parameters: queries and gallery, rows of `set`; the other parameters as in `EvaluationReport`.
    /// - Throws: as `rankings(of:queries:gallery:)`, and `.nothingToMeasure`.
    public func report(
        on set: LabelledVectors, queries: [Int], gallery: [Int], cutoffs: [Int] = EvaluationReport.cutoffs,
        resamples: Int = 1000, seed: UInt64 = 0, findDuplicates: Bool = false
    ) throws(RetrievalError) -> EvaluationReport {
        let rankings = try rankings(of: set, queries: queries, gallery: gallery)
        var report = try EvaluationReport(
            rankings: rankings, products: queries.map { set.products[$0] }, gallery: gallery.count, cutoffs: cutoffs,
            resamples: resamples, seed: seed)
        if findDuplicates { report.duplicates = Self.duplicates(in: set, queries: queries, gallery: gallery) }
        return report
    }

    /// Rows of queries and gallery with bit for bit the same vector.
    public static func duplicates(in set: LabelledVectors, queries: [Int], gallery: [Int]) -> EvaluationReport.Duplicates {
        let (queries, gallery) = (Set(queries), Set(gallery))
        let rowsOfVector = Dictionary(grouping: queries.union(gallery)) { row in
            set.vectors[row * set.dimension..<(row + 1) * set.dimension]
        }
        let groups = rowsOfVector.values.filter { $0.count > 1 }
        return EvaluationReport.Duplicates(
            groups: groups.count,
            groupsAcrossProducts: groups.count { rows in Set(rows.map { set.products[$0] }).count > 1 },
            groupsAcrossQueryAndGallery: groups.count { rows in
                rows.contains { query in queries.contains(query) && rows.contains { $0 != query && gallery.contains($0) } }
            },
            rows: groups.reduce(0) { $0 + $1.count })
    }
}
