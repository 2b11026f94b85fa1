import Torch

/// The ResNet image tower as CLIP changed it: a stem of three convolutions, average pooling before every strided step (anti-aliasing),
/// and attention pooling at the end.
final class ModifiedResNet {
    private let stem: [ConvolutionNorm]
    private let stages: [[Bottleneck]]
    private let pooling: AttentionPooling

    init(_ scope: ParameterScope, _ configuration: CLIPConfiguration.ResNet, embeddingSize: Int) throws {
        let width = configuration.width
        stem = [
            try ConvolutionNorm(
                convolution: scope["conv1"], norm: scope["bn1"], in: 3, out: width / 2, size: 3, stride: 2, padding: .fixed(1)),
            try ConvolutionNorm(
                convolution: scope["conv2"], norm: scope["bn2"], in: width / 2, out: width / 2, size: 3, padding: .fixed(1)),
            try ConvolutionNorm(
                convolution: scope["conv3"], norm: scope["bn3"], in: width / 2, out: width, size: 3, padding: .fixed(1)),
        ]
        stages = try Bottleneck.stages(scope, in: width, width: width, layers: configuration.layers, reduction: .pooled)
        pooling = try AttentionPooling(
            scope["attnpool"], side: configuration.resolution / 32, width: 8 * width * Bottleneck.expansion,
            heads: configuration.heads, embeddingSize: embeddingSize)
    }

    func prepareForInference(_ form: WeightForm, _ progress: () -> Void) throws {
        for convolution in stem { try convolution.prepareForInference(form) }
        for block in stages.joined() {
            try block.prepareForInference(form)
            progress()
        }
        try pooling.prepareForInference(form)
    }

    /// `pixels` `[batch, 3, resolution, resolution]` to `[batch, embedding]`, not normalised.
    func callAsFunction(_ pixels: Tensor, _ mode: Mode) throws -> Tensor {
        var x = try pixels.contiguous(channelsLast: true)
        for convolution in stem { x = try convolution(x, mode, activation: .relu) }
        x = try x.averagePooled(2)
        for block in stages.joined() { x = try block(x, mode) }
        return try pooling(x)
    }
}

/// One attention layer in which the mean of all places asks, and its answer is the embedding.
private final class AttentionPooling {
    private let positions: Tensor
    private let query: Linear
    private let key: Linear
    private let value: Linear
    private let output: Linear
    private let heads: Int

    init(_ scope: ParameterScope, side: Int, width: Int, heads: Int, embeddingSize: Int) throws {
        let initial = Initial.normal(deviation: 1 / Double(width).squareRoot())
        positions = try scope.parameter("positional_embedding", [side * side + 1, width], initial)
        key = try Linear(scope["k_proj"], in: width, out: width, initial: initial)
        query = try Linear(scope["q_proj"], in: width, out: width, initial: initial)
        value = try Linear(scope["v_proj"], in: width, out: width, initial: initial)
        output = try Linear(scope["c_proj"], in: width, out: embeddingSize, initial: initial)
        self.heads = heads
    }

    func prepareForInference(_ form: WeightForm) throws {
        for layer in [query, key, value, output] { try layer.prepareForInference(form) }
    }

    /// `x` `[batch, width, height, width of the map]`
    func callAsFunction(_ x: Tensor) throws -> Tensor {
        let (batch, width) = (x.size(0), x.size(1))
        let places = try x.reshaped([batch, width, -1]).transposed(1, 2)
        let tokens = try Tensor.concatenated([places.mean([1], keep: true), places], dimension: 1) + positions
        func split(_ t: Tensor) throws -> Tensor {
            try t.reshaped([batch, -1, heads, width / heads]).transposed(1, 2)
        }
        let mixed = try split(query(tokens.narrowed(1, start: 0, length: 1))).attention(
            key: split(key(tokens)), value: split(value(tokens)))
        return try output(mixed.transposed(1, 2).reshaped([batch, width]))
    }
}
