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
    /// By the input's shape and the zeros around it.
    private var packed: [[Int]: Tensor] = [:]
    /// In the place of `kernel` and `packed`, where the products are of bytes.
    private var int8: Int8Weights?
    /// Where both are to be compared.
    private var errors: RoundingErrors?
    /// The kernel's in the whole model.
    private let name: String

    private static let severalPictures = 8

    /// Keys: the kernel `[out, in / groups, size, size]` under `convolution`.weight, and weight, bias, running_mean, running_var under `norm`.
    public init(
        convolution: ParameterScope, norm: ParameterScope, in input: Int, out output: Int, size: Int, stride: Int = 1,
        padding: Padding = .fixed(0), groups: Int = 1, eps: Double = 1e-5, gain: Initial = .ones
    ) throws {
        let inputs = input / groups
        // He et al. 2015 (arXiv:1502.01852, eq. 14), fan in.
        let deviation = (2 / Double(inputs * size * size)).squareRoot()
        name = convolution["weight"].path
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
    public func prepareForInference(_ form: WeightForm) throws {
        guard foldedBias == nil else { return }
        try withoutGradients {
            let scale = try weight / (variance + eps).sqrt()
            kernel = try kernel * scale.reshaped([-1, 1, 1, 1])
            foldedBias = try bias - mean * scale
            if groups == 1, WeightForm.rounds(convolution: kernel.shape), let (weights, errors) = try form.int8(for: name, kernel)
            {
                (int8, self.errors) = (weights, errors)
                if errors == nil { kernel = try .zeros([0]) }
            }
        }
    }

    /// Its weights and its bias where it computes in bytes.
    var int8Layer: (weights: Int8Weights, bias: Tensor)? {
        guard let int8, let foldedBias, errors == nil else { return nil }
        return (int8, foldedBias)
    }

    /// - Parameter activation: with an addend `.none` or `.relu`, after it.
    public func callAsFunction(
        _ x: Tensor, _ mode: Mode, activation: FusedActivation = .none, adding addend: Tensor? = nil
    ) throws -> Tensor {
        if let foldedBias {
            let (height, width) = zeros(around: x)
            if let int8 {
                guard let errors else {
                    return try int8.conv2d(
                        x, foldedBias, stride: stride, height: height, width: width, activation: activation, adding: addend)
                }
                let (input, zeros) = try padded(x)
                try errors.note(
                    name, exact: input.conv2d(kernel, stride: stride, padding: zeros),
                    rounded: int8.conv2d(x, nil, stride: stride, height: height, width: width))
            }
            // oneDNN's convolutions have as many zeros on each side, and padding beforehand is a pass over the whole input: a kernel that
            // begins with a row and a column of zeros asks for one zero more before the picture instead, and costs less.
            let isLopsided = height.before != height.behind
            if height == width {
                return try x.packedConv2d(
                    packedKernel(for: x.shape, zeros: height.behind, extended: isLopsided), foldedBias, stride: stride,
                    padding: height.behind, groups: groups, activation: activation, adding: addend)
            }
            let input = try x.padded(width: (width.before, width.behind), height: (height.before, height.behind))
            return try input.packedConv2d(
                packedKernel(for: input.shape, zeros: 0, extended: false), foldedBias, stride: stride, groups: groups,
                activation: activation, adding: addend)
        }
        let (input, zeros) = try padded(x)
        let y: Tensor
        switch mode {
        case .train:
            y = try input.conv2d(kernel, stride: stride, padding: zeros, groups: groups).batchNorm(
                weight: weight, bias: bias, mean: mean, variance: variance, training: true, eps: eps)
        case .evaluate:
            // The norm of fixed statistics is a factor on the kernel and a bias: gradients reach all of them through the product, and two
            // passes over the maps and a copy of them are saved.
            let scale = try weight / (variance + eps).sqrt()
            y = try input.conv2d(
                kernel * scale.reshaped([-1, 1, 1, 1]), bias - mean * scale, stride: stride, padding: zeros, groups: groups)
        }
        return try (addend.map { try y + $0 } ?? y).applying(activation)
    }

    private func zeros(around x: Tensor) -> (height: (before: Int, behind: Int), width: (before: Int, behind: Int)) {
        let shape = x.shape
        return (
            padding.zeros(side: shape[2], kernel: size, stride: stride),
            padding.zeros(side: shape[3], kernel: size, stride: stride)
        )
    }

    /// What a plain convolution is given, and how many zeros it puts on each side itself: it knows no sides that differ.
    private func padded(_ x: Tensor) throws -> (Tensor, zeros: Int) {
        let (height, width) = zeros(around: x)
        if height == width, height.before == height.behind { return (x, height.before) }
        return (try x.padded(width: (width.before, width.behind), height: (height.before, height.behind)), 0)
    }

    /// - Parameter extended: with a row and a column of zeros before the kernel's own.
    private func packedKernel(for inputShape: [Int], zeros: Int, extended: Bool) throws -> Tensor {
        // oneDNN chooses a layout by the input's shape, and what suits several pictures suits more of them: a copy of the weights for
        // each number of pictures would fill the memory.
        var shape = inputShape
        if shape[0] > 1 { shape[0] = Self.severalPictures }
        let key = shape + [zeros]
        if let known = packed[key] { return known }
        if packed.count >= 4 { packed.removeAll() }
        let weights = try withoutGradients {
            let whole = extended ? try kernel.padded(width: (1, 0), height: (1, 0)) : kernel
            return try whole.packedForConv2d(stride: stride, padding: zeros, groups: groups, inputShape: shape)
        }
        packed[key] = weights
        return weights
    }
}
