import Foundation
public import Torch

/// Additive angular margin loss over all labels of the data, Deng et al. 2019 (arXiv:1801.07698, eq. 3): cross-entropy of the logits
/// s·cos θ, where the angle to the row's own label is taken to be larger by m.
public struct ArcFace: ClassifierTerm {
    /// The columns that make a label.
    public var by: [String]
    public var on: LossSide
    /// In radians (m).
    public var margin: Double
    /// Above 0 (s).
    public var scale: Double
    /// Whether a batch norm stands between the embedding and the classifier (see `Neck`).
    public var neck: Bool
    /// Whether the vectors are brought to unit length before the neck.
    public var normalized = false

    /// Where θ + m would pass π, and the cosine rise again, cos θ − m·sin m stands for cos(θ + m), as in the authors' code.
    /// - Parameters: features `[n, d]` and weight `[classes, d]`, of any length; labels `[n]`; margin in 0…π/2; scale above 0.
    /// - Returns: a scalar, the mean over the rows. With margin 0 it is `NormalizedSoftmax` at the temperature 1/s.
    public static func loss(_ features: Tensor, labels: [Int], weight: Tensor, margin: Double, scale: Double) throws -> Tensor {
        let cosines = try features.normalized().linear(weight.normalized())
        // 1 − 10⁻⁷ and not 1: the sine's slope is infinite where the angle is 0.
        let own = try cosines.gathered(1, cosines.column(labels)).clamped(-0.999_999_9...0.999_999_9)
        let sine = try (-(own * own) + 1).sqrt()
        let turned = try own * cos(margin) - sine * sin(margin)
        let far = try own - margin * sin(margin)
        let hardened = try far.chosen(where: own.less(than: -cos(margin)), else: turned)
        return try CrossEntropy.loss(
            logits: hardened.expanded(cosines.shape).chosen(where: cosines.isLabel(labels), else: cosines) * scale, labels: labels
        )
    }
}

extension ArcFace {
    init(_ form: RecipeForm, _ value: Self?) throws(TrainingError) {
        self.init(
            by: try form.labelColumns(value?.by), on: try form.side(value?.on),
            margin: try form.number("margin", value?.margin, in: 0...1.57, default: 0.5),
            scale: try form.number("scale", value?.scale, in: 0.1...1000, default: 64),
            neck: try form.flag("neck", value?.neck, default: false),
            normalized: try form.flag("normalized", value?.normalized, default: false))
    }

    func loss(_ features: Tensor, labels: [Int], weight: Tensor) throws -> Tensor {
        try Self.loss(features, labels: labels, weight: weight, margin: margin, scale: scale)
    }
}
