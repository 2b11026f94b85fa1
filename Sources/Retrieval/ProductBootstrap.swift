/// 95 % intervals by resampling products (Efron 1979, percentile intervals). The queries of one product succeed and fail together, so
/// resampling queries would claim too narrow an interval.
public struct ProductBootstrap: Sendable {
    private let productOfQuery: [Int]
    private let queriesOfProduct: [Int]
    public let resamples: Int
    public let seed: UInt64

    /// - Parameters:
    ///   - products: the product of every query, by any numbering.
    ///   - resamples: how many times products are drawn with replacement, from 1.
    ///   - seed: equal seeds draw equal products, for one metric as for the next, for one model as for another: differences of
    ///     two models' values are then paired.
    public init<Product: Hashable>(products: [Product], resamples: Int = 1000, seed: UInt64 = 0) {
        precondition(resamples > 0)
        var numbers: [Product: Int] = [:]
        self.productOfQuery = products.map { product in
            if let number = numbers[product] { return number }
            numbers[product] = numbers.count
            return numbers.count - 1
        }
        var queries = [Int](repeating: 0, count: numbers.count)
        for product in productOfQuery { queries[product] += 1 }
        self.queriesOfProduct = queries
        self.resamples = resamples
        self.seed = seed
    }

    /// How many different products there are.
    public var products: Int { queriesOfProduct.count }

    /// Intervals of the means of several values per query.
    /// - Parameter values: one array per metric, each with a value for every query.
    /// - Returns: one interval per metric: the 2.5th and 97.5th percentile of the resampled means, interpolated linearly.
    ///   Empty where there are no queries.
    public func intervals(ofMeans values: [[Double]]) -> [ClosedRange<Double>] {
        resampledMeans(values).map { Self.interval($0) }
    }

    /// The difference of two methods' means on the same queries, and whether it is beyond chance: both are measured on the same resampled
    /// products, so that what makes a query hard for both cancels out.
    /// - Parameters: first and second: one array per metric, each with a value for every query.
    /// - Returns: one difference per metric, empty where there are no queries.
    public func differences(of first: [[Double]], and second: [[Double]]) -> [PairedDifference] {
        precondition(first.count == second.count, "the same metrics of both")
        let differences = zip(first, second).map { zip($0, $1).map { $1 - $0 } }
        func mean(_ values: [Double]) -> Double { values.reduce(0, +) / Double(values.count) }
        return resampledMeans(differences).enumerated().map { metric, resampled in
            let observed = mean(differences[metric])
            return PairedDifference(
                first: mean(first[metric]), second: mean(second[metric]), difference: observed,
                interval: EvaluationReport.Interval(Self.interval(resampled)),
                shareOfOtherSign: Double(resampled.count { $0 * observed <= 0 }) / Double(resampled.count))
        }
    }

    /// By metric, the mean of every resample.
    private func resampledMeans(_ values: [[Double]]) -> [[Double]] {
        let (products, metrics) = (queriesOfProduct.count, values.count)
        guard products > 0 else { return [] }
        var sums = [Double](repeating: 0, count: products * metrics)
        for (metric, values) in values.enumerated() {
            precondition(values.count == productOfQuery.count, "one value for every query")
            for (query, value) in values.enumerated() { sums[productOfQuery[query] * metrics + metric] += value }
        }
        var generator = SplitMix64(state: seed)
        var means = [[Double]](repeating: [], count: metrics)
        var totals = [Double](repeating: 0, count: metrics)
        for _ in 0..<resamples {
            for metric in 0..<metrics { totals[metric] = 0 }
            var queries = 0
            for _ in 0..<products {
                let product = generator.index(below: products)
                queries += queriesOfProduct[product]
                for metric in 0..<metrics { totals[metric] += sums[product * metrics + metric] }
            }
            for metric in 0..<metrics { means[metric].append(totals[metric] / Double(queries)) }
        }
        return means
    }

    private static func interval(_ means: [Double]) -> ClosedRange<Double> {
        let sorted = means.sorted()
        return percentile(sorted, 0.025)...percentile(sorted, 0.975)
    }

    private static func percentile(_ sorted: [Double], _ fraction: Double) -> Double {
        let place = fraction * Double(sorted.count - 1)
        let low = Int(place)
        let high = min(low + 1, sorted.count - 1)
        return sorted[low] + (place - Double(low)) * (sorted[high] - sorted[low])
    }
}

/// What a paired bootstrap says of one metric of two methods.
public struct PairedDifference: Codable, Sendable, Equatable {
    /// The first method's mean.
    public var first: Double
    /// The second method's mean.
    public var second: Double
    /// second − first, the mean of the differences query by query.
    public var difference: Double
    /// 95 % bootstrap interval of the difference, by product.
    public var interval: EvaluationReport.Interval
    /// Share of the resamples in which the difference has the other sign than `difference`, or is zero: a one-sided p-value, up to the
    /// bootstrap's own error. 1 where `difference` is zero.
    public var shareOfOtherSign: Double

    /// Whether the interval leaves out zero: a difference that chance alone would show in fewer than one of twenty samples of products.
    public var isBeyondChance: Bool { interval.low > 0 || interval.high < 0 }
}

/// SplitMix64 (Steele, Lea and Flood 2014): small, and the same on every machine.
struct SplitMix64 {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
        return mixed ^ mixed >> 31
    }

    /// Uniform in 0..<bound, up to a bias of bound / 2^64.
    mutating func index(below bound: Int) -> Int {
        Int(next().multipliedFullWidth(by: UInt64(bound)).high)
    }
}
