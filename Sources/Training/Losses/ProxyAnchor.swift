public import Torch

/// Proxy-Anchor loss, Kim et al. 2020 (arXiv:2003.13911, eq. 4): one learned proxy per label of the data is an anchor for the whole batch,
/// and hard rows weigh more.
///
/// L = 1/|P⁺| Σ_{p∈P⁺} log(1 + Σ_{x∈X_p⁺} exp(−α(s(x,p) − δ))) + 1/|P| Σ_{p∈P} log(1 + Σ_{x∈X_p⁻} exp(α(s(x,p) + δ)))
public struct ProxyAnchor: LossTerm {
    /// The columns that make a label.
    public var by: [String]
    public var on: LossSide
    /// δ.
    public var margin: Double
    /// Above 0 (α).
    public var scale: Double

    /// - Parameters: vectors `[n, d]` and proxies `[classes, d]`, of any length; labels `[n]`.
    /// - Returns: a scalar.
    public static func loss(_ vectors: Tensor, labels: [Int], proxies: Tensor, margin: Double, scale: Double) throws -> Tensor {
        let cosines = try vectors.normalized().linear(proxies.normalized())
        let isOwn = try cosines.isLabel(labels)
        // The 1 within the logarithm is a row of zeros; what is masked adds exp(−10⁹) = 0.
        let one = try Tensor.zeros([1, proxies.size(0)]).to(vectors.device)
        let near = try ((cosines - margin) * -scale).filled(where: isOwn.not(), with: -1e9)
        let far = try ((cosines + margin) * scale).filled(where: isOwn, with: -1e9)
        let positive = try Tensor.concatenated([one, near]).logSumExp([0]).sum() / Double(Set(labels).count)
        return try positive + Tensor.concatenated([one, far]).logSumExp([0]).mean()
    }
}

extension ProxyAnchor {
    init(_ form: RecipeForm, _ value: Self?) throws(TrainingError) {
        self.init(
            by: try form.labelColumns(value?.by), on: try form.side(value?.on),
            margin: try form.number("margin", value?.margin, in: 0...1, default: 0.1),
            scale: try form.number("scale", value?.scale, in: 0.1...1000, default: 32))
    }

    var needsTexts: Bool { on == .imageText }
    var labelColumns: [String]? { by }
    var ownsTensors: Bool { true }

    func addTensors(to heads: HeadScope, _ setting: LossSetting) throws { try heads.addClassifier("proxies", setting) }

    func value(_ batch: LossBatch, _ heads: HeadScope) throws -> Tensor? {
        let vectors = try batch.vectors(on)
        return try Self.loss(
            vectors, labels: batch.labels(by: by, on), proxies: heads.tensor("proxies", prefix: vectors.size(1)), margin: margin,
            scale: scale)
    }
}
