import Torch

/// The trunk of an EfficientNet-Lite (Tan & Le 2019, arXiv:1905.11946, table 1) as timm names it: a stem, seven stages of inverted
/// residuals, and a 1×1 convolution to the features.
final class EfficientNet {
    private let stem: ConvolutionNorm
    private let blocks: [InvertedResidual]
    private let head: ConvolutionNorm

    init(_ scope: ParameterScope, _ sizes: CLIPConfiguration.EfficientNetLite, followsTensorFlow: Bool) throws {
        let convention = Convention(followsTensorFlow: followsTensorFlow)
        stem = try ConvolutionNorm(
            convolution: scope["conv_stem"], norm: scope["bn1"], in: 3, out: sizes.stem, size: 3, stride: 2,
            padding: convention.padding(3), eps: convention.eps)
        var channels = sizes.stem
        var blocks: [InvertedResidual] = []
        for (stage, (members, stride)) in zip(sizes.stages, CLIPConfiguration.EfficientNetLite.strides).enumerated() {
            for (index, block) in members.enumerated() {
                blocks.append(
                    try InvertedResidual(
                        scope["blocks"][stage][index], block, in: channels, stride: index == 0 ? stride : 1, convention))
                channels = block.output
            }
        }
        self.blocks = blocks
        head = try ConvolutionNorm(
            convolution: scope["conv_head"], norm: scope["bn2"], in: channels, out: sizes.features, size: 1, eps: convention.eps)
    }

    func prepareForInference(_ form: WeightForm, _ progress: () -> Void) throws {
        try stem.prepareForInference(form)
        for block in blocks {
            try block.prepareForInference(form)
            progress()
        }
        try head.prepareForInference(form)
    }

    /// `pixels` `[batch, 3, side, side]` to `[batch, features, places, places]`, a place for every 32 pixels.
    func callAsFunction(_ pixels: Tensor, _ mode: Mode) throws -> Tensor {
        var x = try stem(pixels.contiguous(channelsLast: true), mode, activation: .relu6)
        for block in blocks { x = try block(x, mode) }
        return try head(x, mode, activation: .relu6)
    }
}

/// What EfficientNets of TensorFlow and of PyTorch differ in.
private struct Convention {
    let followsTensorFlow: Bool

    var eps: Double { followsTensorFlow ? 1e-3 : 1e-5 }

    func padding(_ kernel: Int) -> ConvolutionNorm.Padding { followsTensorFlow ? .same : .fixed(kernel / 2) }
}

/// The inverted residual of MobileNetV2 (Sandler et al. 2018, arXiv:1801.04381, figure 4): 1×1 to many channels, a depthwise convolution,
/// 1×1 to few without an activation; the input is added where it has the result's shape.
private final class InvertedResidual {
    /// Absent where nothing is expanded: timm then calls the last one `conv_pw`, and numbers the norms from the depthwise one on.
    private let expand: ConvolutionNorm?
    private let depthwise: ConvolutionNorm
    private let project: ConvolutionNorm
    private let isResidual: Bool

    init(
        _ scope: ParameterScope, _ block: CLIPConfiguration.EfficientNetLite.Block, in input: Int, stride: Int,
        _ convention: Convention
    ) throws {
        let eps = convention.eps
        let hidden = block.hidden ?? input
        expand = try block.hidden.map { hidden in
            try ConvolutionNorm(
                convolution: scope["conv_pw"], norm: scope["bn1"], in: input, out: hidden, size: 1, eps: eps)
        }
        depthwise = try ConvolutionNorm(
            convolution: scope["conv_dw"], norm: scope[expand == nil ? "bn1" : "bn2"], in: hidden, out: hidden,
            size: block.kernel, stride: stride, padding: convention.padding(block.kernel), groups: hidden, eps: eps)
        project = try ConvolutionNorm(
            convolution: scope[expand == nil ? "conv_pw" : "conv_pwl"], norm: scope[expand == nil ? "bn2" : "bn3"], in: hidden,
            out: block.output, size: 1, eps: eps)
        isResidual = stride == 1 && input == block.output
    }

    func prepareForInference(_ form: WeightForm) throws {
        for convolution in [expand, depthwise, project] { try convolution?.prepareForInference(form) }
    }

    func callAsFunction(_ x: Tensor, _ mode: Mode) throws -> Tensor {
        let wide = try expand.map { try $0(x, mode, activation: .relu6) } ?? x
        return try project(depthwise(wide, mode, activation: .relu6), mode, adding: isResidual ? x : nil)
    }
}
