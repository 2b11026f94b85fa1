/// A convolution without bias and the batch normalisation behind it (Ioffe & Szegedy 2015, arXiv:1502.03167), as ResNets and EfficientNets
/// pair them.
public final class ConvolutionNorm {
    /// How many zeros stand around the pictures.
    public enum Padding: Sendable, Equatable {
        /// As many on each side.
        case fixed(Int)
        /// TensorFlow's rule: as few as give ceil(side / stride) places, the odd one behind the picture. A strided convolution of an even
        /// side has one more behind than before.
        case same

        /// Zeros before and behind a side of so many places.
        func zeros(side: Int, kernel: Int, stride: Int) -> (before: Int, behind: Int) {
            switch self {
            case .fixed(let count): return (count, count)
            case .same:
                let places = (side + stride - 1) / stride
                let zeros = max((places - 1) * stride + kernel - side, 0)
                return (zeros / 2, zeros - zeros / 2)
            }
        }
    }

    private var kernel: Tensor
    private let weight: Tensor, bias: Tensor, mean: Tensor, variance: Tensor
    private let size: Int, stride: Int, padding: Padding, groups: Int
    private let eps: Double
    /// What the norm adds once its statistics are folded into the kernel.
    private var foldedBias: Tensor?
    private var packed: [[Int]: Tensor] = [:]

    private static let severalPictures = 8

    /// Keys: the kernel `[out, in / groups, size, size]` under `convolution`.weight, and weight, bias, running_mean, running_var under `norm`.
    public init(
        convolution: ParameterScope, norm: ParameterScope, in input: Int, out output: Int, size: Int, stride: Int = 1,
        padding: Padding = .fixed(0), groups: Int = 1, eps: Double = 1e-5, gain: Initial = .ones
    ) throws {
        let inputs = input / groups
        // He et al. 2015 (arXiv:1502.01852, eq. 14), fan in.
        let deviation = (2 / Double(inputs * size * size)).squareRoot()
        kernel = try convolution.parameter("weight", [output, inputs, size, size], .normal(deviation: deviation))
        weight = try norm.parameter("weight", [output], gain)
        bias = try norm.parameter("bias", [output], .zeros)
        mean = try norm.buffer("running_mean", [output], .zeros)
        variance = try norm.buffer("running_var", [output], .ones)
        self.size = size
        self.stride = stride
        self.padding = padding
        self.groups = groups
        self.eps = eps
    }

    /// Folds the running statistics into the kernel; from then on gradients are not recorded.
    public func prepareForInference() throws {
        guard foldedBias == nil else { return }
        try withoutGradients {
            let scale = try weight / (variance + eps).sqrt()
            kernel = try kernel * scale.reshaped([-1, 1, 1, 1])
            foldedBias = try bias - mean * scale
        }
    }

    /// - Parameter activation: with an addend `.none` or `.relu`, after it.
    public func callAsFunction(
        _ x: Tensor, _ mode: Mode, activation: FusedActivation = .none, adding addend: Tensor? = nil
    ) throws -> Tensor {
        let (input, zeros) = try padded(x)
        if let foldedBias {
            return try input.packedConv2d(
                packedKernel(for: input.shape, zeros: zeros), foldedBias, stride: stride, padding: zeros, groups: groups,
                activation: activation, adding: addend)
        }
        let y = try input.conv2d(kernel, stride: stride, padding: zeros, groups: groups).batchNorm(
            weight: weight, bias: bias, mean: mean, variance: variance, training: mode == .train, eps: eps)
        return try (addend.map { try y + $0 } ?? y).applying(activation)
    }

    /// What the convolution is given, and how many zeros it puts on each side itself. It knows no sides that differ.
    private func padded(_ x: Tensor) throws -> (Tensor, zeros: Int) {
        let shape = x.shape
        let height = padding.zeros(side: shape[2], kernel: size, stride: stride)
        let width = padding.zeros(side: shape[3], kernel: size, stride: stride)
        if height == width, height.before == height.behind { return (x, height.before) }
        return (try x.padded(width: (width.before, width.behind), height: (height.before, height.behind)), 0)
    }

    private func packedKernel(for inputShape: [Int], zeros: Int) throws -> Tensor {
        // oneDNN chooses a layout by the input's shape, and what suits several pictures suits more of them: a copy of the weights for
        // each number of pictures would fill the memory.
        var shape = inputShape
        if shape[0] > 1 { shape[0] = Self.severalPictures }
        if let known = packed[shape] { return known }
        if packed.count >= 4 { packed.removeAll() }
        let weights = try withoutGradients {
            try kernel.packedForConv2d(stride: stride, padding: zeros, groups: groups, inputShape: shape)
        }
        packed[shape] = weights
        return weights
    }
}
