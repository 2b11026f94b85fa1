import Foundation

/// `x·Wᵀ + b`, optionally with an activation or a residual fused in.
public final class Linear {
    /// `[out, in]`; in the packed layout once it is prepared for inference.
    public private(set) var weight: Tensor
    public private(set) var bias: Tensor?
    private var isPacked = false

    /// Keys `weight` `[out, in]` and, with `bias`, `bias` `[out]`.
    public init(_ scope: ParameterScope, in input: Int, out output: Int, bias hasBias: Bool = true, initial: Initial? = nil)
        throws
    {
        let bound = 1 / Double(input).squareRoot()
        weight = try scope.parameter("weight", [output, input], initial ?? .uniform(bound: bound))
        bias = hasBias ? try scope.parameter("bias", [output], initial == nil ? .uniform(bound: bound) : .zeros) : nil
    }

    /// Two names of existing tensors, such as `in_proj_weight` and `in_proj_bias`.
    public init(weight: Tensor, bias: Tensor?) {
        self.weight = weight
        self.bias = bias
    }

    /// Packs the weights (times `outputScale` / `inputScale`) for inference on the CPU and lets go of the others; from then on gradients are
    /// not recorded.
    public func prepareForInference(inputScale: Double = 1, outputScale: Double = 1) throws {
        guard !isPacked else { return }
        try withoutGradients {
            let scaled = inputScale == 1 && outputScale == 1 ? weight : try weight * (outputScale / inputScale)
            weight = try scaled.packedForLinear()
            // Not the file's own memory: it may be let go of.
            bias = try bias.map { try $0 * outputScale }
        }
        isPacked = true
    }

    public func callAsFunction(_ x: Tensor, activation: FusedActivation = .none, adding addend: Tensor? = nil) throws -> Tensor {
        if isPacked { return try x.packedLinear(weight, bias, activation: activation, adding: addend) }
        let product = try x.linear(weight, bias)
        let sum = try addend.map { try product + $0 } ?? product
        return try sum.applying(activation)
    }
}

extension Tensor {
    public func applying(_ activation: FusedActivation) throws(TorchError) -> Tensor {
        switch activation {
        case .none: self
        case .relu: try relu()
        case .gelu: try gelu()
        case .geluTanh: try gelu(tanhApproximation: true)
        case .swish: try self * sigmoid()
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

/// A convolution without bias and the batch normalisation behind it (Ioffe & Szegedy 2015, arXiv:1502.03167), as ResNets pair them.
public final class ConvolutionNorm {
    private var kernel: Tensor
    private let weight: Tensor, bias: Tensor, mean: Tensor, variance: Tensor
    private let stride: Int, padding: Int
    /// What the norm adds once its statistics are folded into the kernel.
    private var foldedBias: Tensor?
    private var packed: [[Int]: Tensor] = [:]

    static let eps = 1e-5
    private static let severalPictures = 8

    /// Keys: the kernel `[out, in, size, size]` under `convolution`.weight, and weight, bias, running_mean, running_var under `norm`.
    public init(
        convolution: ParameterScope, norm: ParameterScope, in input: Int, out output: Int, size: Int, stride: Int = 1,
        padding: Int = 0, gain: Initial = .ones
    ) throws {
        // He et al. 2015 (arXiv:1502.01852, eq. 14), fan in.
        let deviation = (2 / Double(input * size * size)).squareRoot()
        kernel = try convolution.parameter("weight", [output, input, size, size], .normal(deviation: deviation))
        weight = try norm.parameter("weight", [output], gain)
        bias = try norm.parameter("bias", [output], .zeros)
        mean = try norm.buffer("running_mean", [output], .zeros)
        variance = try norm.buffer("running_var", [output], .ones)
        self.stride = stride
        self.padding = padding
    }

    /// Folds the running statistics into the kernel; from then on gradients are not recorded.
    public func prepareForInference() throws {
        guard foldedBias == nil else { return }
        try withoutGradients {
            let scale = try weight / (variance + Self.eps).sqrt()
            kernel = try kernel * scale.reshaped([-1, 1, 1, 1])
            foldedBias = try bias - mean * scale
        }
    }

    /// - Parameter activation: `.none` or `.relu`, after the addend.
    public func callAsFunction(
        _ x: Tensor, _ mode: Mode, activation: FusedActivation = .none, adding addend: Tensor? = nil
    ) throws -> Tensor {
        if let foldedBias {
            // oneDNN chooses a layout by the input's shape, and what suits several pictures suits more of them: a copy of the weights for
            // each number of pictures would fill the memory.
            var shape = x.shape
            if shape[0] > 1 { shape[0] = Self.severalPictures }
            let weights: Tensor
            if let known = packed[shape] {
                weights = known
            } else {
                if packed.count >= 4 { packed.removeAll() }
                weights = try withoutGradients {
                    try kernel.packedForConv2d(stride: stride, padding: padding, inputShape: shape)
                }
                packed[shape] = weights
            }
            return try x.packedConv2d(
                weights, foldedBias, stride: stride, padding: padding, activation: activation, adding: addend)
        }
        let y = try x.conv2d(kernel, stride: stride, padding: padding).batchNorm(
            weight: weight, bias: bias, mean: mean, variance: variance, training: mode == .train, eps: Self.eps)
        return try (addend.map { try y + $0 } ?? y).applying(activation)
    }
}
