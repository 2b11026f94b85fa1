import Foundation
public import Torch

/// Supervised contrastive loss, L_out of Khosla et al. 2020 (arXiv:2004.11362, eq. 2).
///
/// L = mean over anchors i with positives of −1/|P(i)| Σ_{p∈P(i)} log( exp(zᵢ·z_p/τ) / Σ_{a≠i} exp(zᵢ·z_a/τ) )
public struct SupCon: LossTerm {
    /// The columns that positives agree in.
    public var by: [String]
    public var on: LossSide
    /// Above 0 (τ).
    public var temperature: Double
    /// Vectors of earlier batches that are compared with too (see `VectorMemory`).
    public var memory = 0

    /// - Parameters:
    ///   - embeddings: `[n, d]`, L2-normalised (z).
    ///   - labels: `[n]`.
    ///   - temperature: above 0 (τ).
    ///   - others: `[m, d]`, L2-normalised, with their labels: positives and negatives of the anchors, and no anchors themselves.
    /// - Returns: a scalar. Anchors without a positive are left out of the mean (not counted as zero); with no anchor left the result is 0
    ///   and carries no gradient.
    public static func loss(
        _ embeddings: Tensor, labels: [Int], temperature: Double, others: (vectors: Tensor, labels: [Int])? = nil
    ) throws -> Tensor {
        let n = labels.count
        let all = labels + (others?.labels ?? [])
        let places = Dictionary(grouping: all.indices, by: { all[$0] })
        var weights = [Float](repeating: 0, count: n * all.count)
        var anchors = 0
        for i in 0..<n {
            let positives = (places[labels[i]] ?? []).filter { $0 != i }
            if positives.isEmpty { continue }
            anchors += 1
            for p in positives { weights[i * all.count + p] = 1 / Float(positives.count) }
        }
        guard anchors > 0 else { return try Tensor(0).to(embeddings.device) }
        // An anchor is never its own denominator. A large negative number instead of −∞ keeps 0 · log p finite.
        var own = try Tensor.identity(n).to(embeddings.device) * -1e9
        var candidates = embeddings
        if let others {
            own = try .concatenated([own, Tensor.zeros([n, others.labels.count]).to(embeddings.device)], dimension: 1)
            candidates = try .concatenated([embeddings, others.vectors])
        }
        let logProbability = try (embeddings.matmul(candidates.transposed()) / temperature + own).logSoftmax(1)
        let weight = try Tensor(weights, shape: [n, all.count]).to(embeddings.device)
        return try -(weight * logProbability).sum() / Double(anchors)
    }
}

extension SupCon {
    init(_ form: RecipeForm, _ value: Self?) throws(TrainingError) {
        self.init(
            by: try form.labelColumns(value?.by), on: try form.side(value?.on),
            temperature: try form.number("temperature", value?.temperature, in: 0.001...10, default: 0.1),
            memory: try form.integer("memory", value?.memory, in: 0...1_000_000, default: 0))
    }

    var needsTexts: Bool { on == .imageText }
    var labelColumns: [String]? { by }

    func addTensors(to heads: HeadScope, _ setting: LossSetting) throws {
        try VectorMemory.add(to: heads, size: memory, dimension: setting.embedding)
    }

    func value(_ batch: LossBatch, _ heads: HeadScope) throws -> Tensor? {
        let labels = try batch.labels(by: by, on)
        let vectors = try batch.vectors(on)
        let known = try memory > 0 ? VectorMemory(heads, dimension: vectors.size(1)) : nil
        // Without a positive for anybody there is nothing to learn.
        guard Set(labels).count < labels.count || known.map({ !Set($0.labels).isDisjoint(with: labels) }) ?? false else {
            return nil
        }
        return try Self.loss(
            vectors, labels: labels, temperature: temperature, others: known.map { (vectors: $0.vectors, labels: $0.labels) })
    }

    func remember(_ batch: LossBatch, _ heads: HeadScope) throws {
        if memory > 0 { try VectorMemory.put(batch.vectors(on), labels: batch.labels(by: by, on), in: heads) }
    }

    /// All candidates alike: each has the same share.
    func chance(_ batch: LossBatch, _ heads: HeadScope) throws -> Double? {
        memory > 0 ? nil : log(Double(try batch.labels(by: by, on).count - 1))
    }

    /// An anchor's positives share its probability: ln |P(i)|, the mean over the anchors.
    func floor(_ batch: LossBatch, _ heads: HeadScope) throws -> Double? {
        if memory > 0 { return nil }
        let counts = try batch.labels(by: by, on).reduce(into: [Int: Int]()) { $0[$1, default: 0] += 1 }.values.filter { $0 > 1 }
        let anchors = counts.reduce(0, +)
        return anchors == 0 ? nil : counts.reduce(0) { $0 + Double($1) * log(Double($1 - 1)) } / Double(anchors)
    }
}
