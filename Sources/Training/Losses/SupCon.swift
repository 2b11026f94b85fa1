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

    /// - Parameters:
    ///   - embeddings: `[n, d]`, L2-normalised (z).
    ///   - labels: `[n]`.
    ///   - temperature: above 0 (τ).
    /// - Returns: a scalar. Anchors without a positive are left out of the mean (not counted as zero); with no anchor left the result is 0
    ///   and carries no gradient.
    public static func loss(_ embeddings: Tensor, labels: [Int], temperature: Double) throws -> Tensor {
        let n = labels.count
        var weights = [Float](repeating: 0, count: n * n)
        var anchors = 0
        for i in 0..<n {
            let positives = labels.indices.filter { $0 != i && labels[$0] == labels[i] }
            if positives.isEmpty { continue }
            anchors += 1
            for p in positives { weights[i * n + p] = 1 / Float(positives.count) }
        }
        guard anchors > 0 else { return try Tensor(0).to(embeddings.device) }
        // An anchor is never its own denominator. A large negative number instead of −∞ keeps 0 · log p finite.
        let own = try Tensor.identity(n).to(embeddings.device) * -1e9
        let logProbability = try (embeddings.matmul(embeddings.transposed()) / temperature + own).logSoftmax(1)
        let weight = try Tensor(weights, shape: [n, n]).to(embeddings.device)
        return try -(weight * logProbability).sum() / Double(anchors)
    }
}

extension SupCon {
    init(_ form: RecipeForm, _ value: Self?) throws(TrainingError) {
        self.init(
            by: try form.labelColumns(value?.by), on: try form.side(value?.on),
            temperature: try form.number("temperature", value?.temperature, in: 0.001...10, default: 0.1))
    }

    var needsTexts: Bool { on == .imageText }
    var labelColumns: [String]? { by }

    func value(_ batch: LossBatch, _ heads: HeadScope) throws -> Tensor? {
        let labels = try batch.labels(by: by, on)
        guard Set(labels).count < labels.count else { return nil }
        return try Self.loss(batch.vectors(on), labels: labels, temperature: temperature)
    }
}
