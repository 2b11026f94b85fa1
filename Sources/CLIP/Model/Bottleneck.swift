import Torch

/// Three convolutions 1×1, 3×3, 1×1 around a shortcut (He et al. 2015, arXiv:1512.03385, figure 5).
final class Bottleneck {
    static let expansion = 4

    /// How a block halves the sides of its input.
    enum Reduction {
        /// CLIP's way: an average pooling before the last convolution and before the shortcut's, against aliasing.
        case pooled
        /// The plain ResNet's: the 3×3 convolution and the shortcut's have the stride.
        case strided
    }

    private let reduce: ConvolutionNorm
    private let spatial: ConvolutionNorm
    private let restore: ConvolutionNorm
    private let shortcut: ConvolutionNorm?
    /// 1 where nothing is pooled.
    private let pooling: Int
    /// Of the 3×3 convolution and of the shortcut's.
    private let stride: Int

    init(_ scope: ParameterScope, in input: Int, planes: Int, stride: Int, reduction: Reduction) throws {
        let output = planes * Self.expansion
        let convolutionStride = reduction == .strided ? stride : 1
        pooling = reduction == .pooled ? stride : 1
        self.stride = convolutionStride
        reduce = try ConvolutionNorm(convolution: scope["conv1"], norm: scope["bn1"], in: input, out: planes, size: 1)
        spatial = try ConvolutionNorm(
            convolution: scope["conv2"], norm: scope["bn2"], in: planes, out: planes, size: 3, stride: convolutionStride,
            padding: .fixed(1))
        // A new block begins as its shortcut, as OpenAI's and timm's initialisations have it.
        restore = try ConvolutionNorm(
            convolution: scope["conv3"], norm: scope["bn3"], in: planes, out: output, size: 1, gain: .zeros)
        if stride > 1 || input != output {
            // Key "0" is the convolution and "1" the norm; CLIP's pooling before them has the name "-1" and no weights.
            shortcut = try ConvolutionNorm(
                convolution: scope["downsample"]["0"], norm: scope["downsample"]["1"], in: input, out: output, size: 1,
                stride: convolutionStride)
        } else {
            shortcut = nil
        }
    }

    /// The four stages `layer1` to `layer4`; each has twice the channels of the one before and, but for the first, half its sides.
    static func stages(_ scope: ParameterScope, in input: Int, width: Int, layers: [Int], reduction: Reduction) throws
        -> [[Bottleneck]]
    {
        var channels = input
        return try layers.enumerated().map { stage, depth in
            try (0..<depth).map { index in
                let planes = width << stage
                defer { channels = planes * expansion }
                return try Bottleneck(
                    scope["layer\(stage + 1)"][index], in: channels, planes: planes, stride: stage > 0 && index == 0 ? 2 : 1,
                    reduction: reduction)
            }
        }
    }

    func prepareForInference(_ form: WeightForm) throws {
        for convolution in [reduce, spatial, restore, shortcut] { try convolution?.prepareForInference(form) }
    }

    func callAsFunction(_ x: Tensor, _ mode: Mode) throws -> Tensor {
        if let result = try x.int8Bottleneck(
            reduce: reduce, spatial: spatial, restore: restore, shortcut: shortcut, stride: stride, pooling: pooling)
        {
            return result
        }
        var y = try spatial(reduce(x, mode, activation: .relu), mode, activation: .relu)
        var identity = x
        if pooling > 1 {
            y = try y.averagePooled(pooling)
            identity = try identity.averagePooled(pooling)
        }
        if let shortcut { identity = try shortcut(identity, mode) }
        return try restore(y, mode, activation: .relu, adding: identity)
    }
}
