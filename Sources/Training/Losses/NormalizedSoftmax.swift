public import Torch

/// Cross-entropy over all labels of the data, of cosines to one learned vector per label, Zhai & Wu 2019 (arXiv:1811.12649, eq. 4).
public struct NormalizedSoftmax: ClassifierTerm {
    /// The columns that make a label.
    public var by: [String]
    public var on: LossSide
    /// Above 0 (σ).
    public var temperature: Double
    /// Whether a batch norm stands between the embedding and the classifier (see `Neck`).
    public var neck: Bool
    /// Whether the vectors are brought to unit length before the neck.
    public var normalized = false

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
            neck: try form.flag("neck", value?.neck, default: false),
            normalized: try form.flag("normalized", value?.normalized, default: false))
    }

    func loss(_ features: Tensor, labels: [Int], weight: Tensor) throws -> Tensor {
        try Self.loss(features, labels: labels, weight: weight, temperature: temperature)
    }
}
