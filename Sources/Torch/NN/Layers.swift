import Foundation

/// `x·Wᵀ + b`, optionally with an activation or a residual fused in.
public final class Linear {
    private enum Form {
        /// `[out, in]`
        case plain(Tensor)
        /// In oneDNN's layout.
        case packed(Tensor)
        case int8(Int8Weights)
        case compared(Tensor, Int8Weights, RoundingErrors)
    }

    private var form: Form
    private var bias: Tensor?
    /// That of its weight in the whole model.
    private let name: String

    /// Keys `weight` `[out, in]` and, with `bias`, `bias` `[out]`.
    public init(_ scope: ParameterScope, in input: Int, out output: Int, bias hasBias: Bool = true, initial: Initial? = nil)
        throws
    {
        let bound = 1 / Double(input).squareRoot()
        name = scope["weight"].path
        form = .plain(try scope.parameter("weight", [output, input], initial ?? .uniform(bound: bound)))
        bias = hasBias ? try scope.parameter("bias", [output], initial == nil ? .uniform(bound: bound) : .zeros) : nil
    }

    /// Two existing tensors, such as `in_proj_weight` and `in_proj_bias`; `name` is the weight's.
    public init(weight: Tensor, bias: Tensor?, name: String) {
        self.name = name
        form = .plain(weight)
        self.bias = bias
    }

    /// Packs the weights (times `outputScale` / `inputScale`) for inference on the CPU and lets go of the others; from then on gradients are
    /// not recorded.
    public func prepareForInference(_ wanted: WeightForm, inputScale: Double = 1, outputScale: Double = 1) throws {
        guard case .plain(let weight) = form else { return }
        try withoutGradients {
            let scaled = inputScale == 1 && outputScale == 1 ? weight : try weight * (outputScale / inputScale)
            form =
                switch try wanted.int8(for: name, scaled) {
                case nil: .packed(try scaled.packedForLinear())
                case (let weights, nil)?: .int8(weights)
                case (let weights, let errors?)?: .compared(try scaled.packedForLinear(), weights, errors)
                }
            // Not the file's own memory: it may be let go of.
            bias = try bias.map { try $0 * outputScale }
        }
    }

    /// Its weights and its bias where it computes in bytes.
    var int8: (weights: Int8Weights, bias: Tensor?)? {
        guard case .int8(let weights) = form else { return nil }
        return (weights, bias)
    }

    /// - Parameters: inputScale, outputScale, what the input is too large by, and what the product is to be larger by: factors on the weights,
    ///   which cost less than on a batch of vectors. Weights that are prepared for inference have theirs already. norm, what `x` goes through
    ///   before.
    public func callAsFunction(
        _ x: Tensor, after norm: LayerNorm? = nil, inputScale: Double = 1, outputScale: Double = 1,
        activation: FusedActivation = .none,
        adding addend: Tensor? = nil
    ) throws -> Tensor {
        func normed() throws -> Tensor { try norm.map { try $0(x) } ?? x }
        let weight: Tensor
        switch form {
        case .plain(let plain): weight = plain
        case .packed(let packed): return try normed().packedLinear(packed, bias, activation: activation, adding: addend)
        case .int8(let weights): return try weights.linear(x, after: norm, bias, activation: activation, adding: addend)
        case .compared(let packed, let weights, let errors):
            // Of the product itself: an addend would hide what it is small beside.
            try errors.note(name, exact: normed().packedLinear(packed, nil), rounded: weights.linear(x, after: norm, nil))
            return try normed().packedLinear(packed, bias, activation: activation, adding: addend)
        }
        let factor = outputScale / inputScale
        let product = try normed().linear(
            factor == 1 ? weight : weight * factor, outputScale == 1 ? bias : bias.map { try $0 * outputScale })
        let sum = try addend.map { try product + $0 } ?? product
        return try sum.applying(activation)
    }
}

extension Tensor {
    public func applying(_ activation: FusedActivation) throws(TorchError) -> Tensor {
        switch activation {
        case .none: self
        case .relu: try relu()
        case .relu6: try clamped(0...6)
        case .gelu: try gelu()
        case .geluTanh: try gelu(tanhApproximation: true)
        case .swish: try swish()
        }
    }
}

/// Layer normalisation, Ba et al. 2016 (arXiv:1607.06450), over the last dimension.
public final class LayerNorm {
    public let weight: Tensor
    public let bias: Tensor
    public let eps: Double

    /// Keys `weight` and `bias`, `[width]`.
    public init(_ scope: ParameterScope, width: Int, eps: Double) throws {
        weight = try scope.parameter("weight", [width], .ones)
        bias = try scope.parameter("bias", [width], .zeros)
        self.eps = eps
    }

    public func callAsFunction(_ x: Tensor) throws -> Tensor {
        try x.layerNorm(weight: weight, bias: bias, eps: eps)
    }
}

/// Whether a pass belongs to training or evaluation: an argument, never a state of the model.
public enum Mode: Sendable {
    case train, evaluate
}
