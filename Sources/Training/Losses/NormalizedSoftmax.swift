public import Torch

/// Cross-entropy over all labels of the data, of cosines to one learned vector per label, Zhai & Wu 2019 (arXiv:1811.12649, eq. 4).
public struct NormalizedSoftmax: LossTerm {
    /// The columns that make a label.
    public var by: [String]
    public var on: LossSide
    /// Above 0 (σ).
    public var temperature: Double
    /// Whether a batch norm stands between the embedding and the classifier (see `Neck`).
    public var neck: Bool

    /// - Parameters: features `[n, d]` and weight `[classes, d]`, of any length; labels `[n]`; temperature above 0.
    /// - Returns: a scalar, the mean over the rows.
    public static func loss(_ features: Tensor, labels: [Int], weight: Tensor, temperature: Double) throws -> Tensor {
        let cosines = try features.normalized().linear(weight.normalized())
        return try CrossEntropy.loss(logits: cosines / temperature, labels: labels)
    }
}

extension NormalizedSoftmax {
    init(_ form: RecipeForm, _ value: Self?) throws(TrainingError) {
        self.init(
            by: try form.labelColumns(value?.by), on: try form.side(value?.on),
            temperature: try form.number("temperature", value?.temperature, in: 0.001...10, default: 0.05),
            neck: try form.flag("neck", value?.neck, default: false))
    }

    var needsTexts: Bool { on == .imageText }
    var labelColumns: [String]? { by }
    var ownsTensors: Bool { true }

    func addTensors(to heads: HeadScope, _ sizes: LossSizes) throws { try heads.addClassifier("head", sizes, neck: neck) }

    func value(_ batch: LossBatch, _ heads: HeadScope) throws -> Tensor? {
        try Self.loss(
            heads.necked(batch.towerVectors(on), neck: neck), labels: batch.labels(by: by, on), weight: heads.tensor("head"),
            temperature: temperature)
    }
}
