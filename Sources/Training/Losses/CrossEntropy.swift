public import Torch

/// Cross-entropy of a linear classifier over all labels of the data, with label smoothing (Szegedy et al. 2016, arXiv:1512.00567,
/// section 7): the target is 1 − ε + ε/C at the row's label and ε/C elsewhere.
public struct CrossEntropy: ClassifierTerm {
    /// The columns that make a label.
    public var by: [String]
    public var on: LossSide
    /// ε, 0…1.
    public var smoothing: Double
    /// Whether a batch norm stands between the embedding and the classifier (see `Neck`).
    public var neck: Bool
    /// Whether the vectors are brought to unit length before the neck.
    public var normalized = false

    /// - Parameters: features `[n, d]`, of any length; labels `[n]`, below the number of classes; weight `[classes, d]`.
    /// - Returns: a scalar, the mean over the rows. At chance it is ln C.
    public static func loss(_ features: Tensor, labels: [Int], weight: Tensor, smoothing: Double) throws -> Tensor {
        try loss(logits: features.linear(weight), labels: labels, smoothing: smoothing)
    }

    /// - Parameter logits: `[n, classes]`.
    static func loss(logits: Tensor, labels: [Int], smoothing: Double = 0) throws -> Tensor {
        let logProbability = try logits.logSoftmax(1)
        let own = try -logProbability.gathered(1, logits.column(labels)).mean()
        return smoothing == 0 ? own : try own * (1 - smoothing) - logProbability.mean() * smoothing
    }
}

extension CrossEntropy {
    init(_ form: RecipeForm, _ value: Self?) throws(TrainingError) {
        self.init(
            by: try form.labelColumns(value?.by), on: try form.side(value?.on),
            smoothing: try form.number("label_smoothing", value?.smoothing, in: 0...0.99, default: 0.1),
            neck: try form.flag("neck", value?.neck, default: false),
            normalized: try form.flag("normalized", value?.normalized, default: false))
    }

    func loss(_ features: Tensor, labels: [Int], weight: Tensor) throws -> Tensor {
        try Self.loss(features, labels: labels, weight: weight, smoothing: smoothing)
    }
}
