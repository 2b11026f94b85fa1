import Catalog
public import CLIP
import Imaging
import Retrieval

/// How long single queries take.
public enum QueryLatency {
    /// One query after the other, as a user would ask: at most 50 of them, spread over all.
    /// - Parameters:
    ///   - vectors: of the plan's rows, `[rows, embeddingSize]`.
    /// - Returns: of `decode`, `encode`, `search` and `total` the percentiles `p50`, `p95` and `p99` in milliseconds.
    /// - Throws: `ImageError`, `TorchError`, `RetrievalError`.
    public static func measure(
        _ plan: EvaluationPlan, by embedder: Embedder, vectors: [Float]
    ) throws -> [String: [String: Double]] {
        let size = embedder.embeddingSize
        let ranked = plan.gallery.flatMap { vectors[($0 * size)..<(($0 + 1) * size)] }
        let index = try ExactIndex(ids: plan.gallery.map(Int64.init), vectors: ranked, dimension: size)
        var times: [String: [Double]] = [:]
        let clock = ContinuousClock()
        for place in stride(from: 0, to: plan.queries.count, by: max(1, plan.queries.count / 50)) {
            let begin = clock.now
            let image = try ImageDecoder.decode(contentsOfFile: plan.rows[plan.queries[place]].path, limits: .ownFiles)
            let decoded = clock.now
            let vector = try embedder.embed(images: [image])
            let encoded = clock.now
            _ = try index.search(VectorRequest(vectors: vector, k: min(10, plan.gallery.count)))
            let end = clock.now
            for (name, span) in [
                ("decode", decoded - begin), ("encode", encoded - decoded), ("search", end - encoded), ("total", end - begin),
            ] { times[name, default: []].append(span / .milliseconds(1)) }
        }
        return times.mapValues(percentiles)
    }

    /// The smallest value that at least the share of all values do not exceed.
    static func percentiles(_ values: [Double]) -> [String: Double] {
        let sorted = values.sorted()
        func percentile(_ share: Double) -> Double {
            sorted[min(sorted.count - 1, Int((share * Double(sorted.count)).rounded(.up)) - 1)]
        }
        return ["p50": percentile(0.5), "p95": percentile(0.95), "p99": percentile(0.99)]
    }
}
