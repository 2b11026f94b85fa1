import Torch

/// The trunk of a plain ResNet with bottlenecks (He et al. 2015, arXiv:1512.03385) as timm names it: one 7×7 convolution and a max pooling,
/// then the four stages, whose 3×3 convolutions are strided.
final class TimmResNet {
    private let stem: ConvolutionNorm
    private let stages: [[Bottleneck]]

    init(_ scope: ParameterScope, stem channels: Int, width: Int, layers: [Int]) throws {
        stem = try ConvolutionNorm(
            convolution: scope["conv1"], norm: scope["bn1"], in: 3, out: channels, size: 7, stride: 2, padding: .fixed(3))
        stages = try Bottleneck.stages(scope, in: channels, width: width, layers: layers, reduction: .strided)
    }

    func prepareForInference(_ form: WeightForm, _ progress: () -> Void) throws {
        try stem.prepareForInference(form)
        for block in stages.joined() {
            try block.prepareForInference(form)
            progress()
        }
    }

    /// `pixels` `[batch, 3, side, side]` to `[batch, 32 · width, places, places]`, a place for every 32 pixels.
    func callAsFunction(_ pixels: Tensor, _ mode: Mode) throws -> Tensor {
        var x = try stem(pixels.contiguous(channelsLast: true), mode, activation: .relu).maxPooled(3, stride: 2, padding: 1)
        for block in stages.joined() { x = try block(x, mode) }
        return x
    }
}
