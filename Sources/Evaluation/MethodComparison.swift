import Catalog
public import Retrieval

/// Two methods on the same queries: how much they differ, and whether by more than chance.
public struct MethodComparison: Sendable {
    /// What is compared, under the names of the JSON.
    public enum Figure: String, Sendable, CaseIterable {
        case recallAt1 = "recall_at_1"
        case recallAt5 = "recall_at_5"
        case recallAt10 = "recall_at_10"
        case meanAveragePrecision = "map"

        /// As tables head it.
        public var title: String {
            switch self {
            case .recallAt1: "R@1"
            case .recallAt5: "R@5"
            case .recallAt10: "R@10"
            case .meanAveragePrecision: "mAP"
            }
        }

        func value(_ ranking: Ranking) -> Double {
            switch self {
            case .recallAt1: ranking.recall(at: 1)
            case .recallAt5: ranking.recall(at: 5)
            case .recallAt10: ranking.recall(at: 10)
            case .meanAveragePrecision: ranking.averagePrecision
            }
        }
    }

    /// How many queries find something relevant among the first K.
    public struct Found: Codable, Sendable, Equatable {
        public var both: Int
        public var onlyFirst: Int
        public var onlySecond: Int
        public var neither: Int

        enum CodingKeys: String, CodingKey {
            case both, neither
            case onlyFirst = "only_a"
            case onlySecond = "only_b"
        }
    }

    public let differences: [(figure: Figure, difference: PairedDifference)]
    /// By K.
    public let found: [Int: Found]
    /// Queries that one method answers with its first result and the other does not, as places in the plan's queries: those whose first
    /// relevant candidate stands furthest behind with the other.
    public let onlyFirst: [Int]
    public let onlySecond: [Int]
    /// Queries that are compared: those with something relevant.
    public let queries: Int
    public let products: Int

    /// - Parameters:
    ///   - first, second: of one plan and level.
    ///   - examples: how many queries of each kind are kept.
    /// - Precondition: both have the same queries.
    public init(
        _ first: MethodMeasurement, _ second: MethodMeasurement, resamples: Int = 1000, seed: UInt64 = 0, examples: Int = 10
    ) {
        precondition(first.plan.queries == second.plan.queries && first.ranked.count == second.ranked.count, "the same queries")
        let measured = first.ranked.indices.filter { first.ranked[$0].ranking.relevantCount > 0 }
        let bootstrap = ProductBootstrap(
            products: measured.map { first.plan.rows[first.plan.queries[$0]].productID }, resamples: resamples, seed: seed)
        func values(_ measurement: MethodMeasurement) -> [[Double]] {
            Figure.allCases.map { figure in measured.map { figure.value(measurement.ranked[$0].ranking) } }
        }
        differences = Array(zip(Figure.allCases, bootstrap.differences(of: values(first), and: values(second)))).map {
            (figure: $0.0, difference: $0.1)
        }
        func place(_ measurement: MethodMeasurement, _ query: Int) -> Int {
            measurement.ranked[query].ranking.relevantPlaces.first ?? .max
        }
        var found: [Int: Found] = [:]
        for k in [1, 5, 10] {
            var counts = Found(both: 0, onlyFirst: 0, onlySecond: 0, neither: 0)
            for query in measured {
                switch (place(first, query) <= k, place(second, query) <= k) {
                case (true, true): counts.both += 1
                case (true, false): counts.onlyFirst += 1
                case (false, true): counts.onlySecond += 1
                case (false, false): counts.neither += 1
                }
            }
            found[k] = counts
        }
        self.found = found
        func examplesFound(by one: MethodMeasurement, not other: MethodMeasurement) -> [Int] {
            let missed = measured.filter { place(one, $0) == 1 && place(other, $0) > 1 }
            return Array(
                missed.sorted { a, b in
                    let (left, right) = (place(other, a), place(other, b))
                    return left != right ? left > right : a < b
                }.prefix(examples))
        }
        onlyFirst = examplesFound(by: first, not: second)
        onlySecond = examplesFound(by: second, not: first)
        queries = measured.count
        products = bootstrap.products
    }
}
