import Torch

/// The ViT image tower: patches, a class token, `ln_pre`, blocks, `ln_post` on the class token, a projection.
final class VisionTransformer {
    private let patches: Tensor
    private let classToken: Tensor
    private let positions: Tensor
    private let normBefore: LayerNorm
    private let blocks: [TransformerBlock]
    private let normAfter: LayerNorm
    private let projection: Tensor
    private let patch: Int

    init(_ scope: ParameterScope, _ configuration: CLIPConfiguration.VisionTransformer, of model: CLIPConfiguration) throws {
        let width = configuration.width
        let grid = configuration.resolution / configuration.patch
        let deviation = 1 / Double(width).squareRoot()
        patch = configuration.patch
        let inputs = Double(3 * patch * patch)
        patches = try scope["conv1"].parameter("weight", [width, 3, patch, patch], .normal(deviation: 1 / inputs.squareRoot()))
        classToken = try scope.parameter("class_embedding", [width], .normal(deviation: deviation))
        positions = try scope.parameter("positional_embedding", [grid * grid + 1, width], .normal(deviation: deviation))
        normBefore = try LayerNorm(scope["ln_pre"], width: width, eps: model.layerNormEps)
        blocks = try (0..<configuration.layers).map { index in
            try TransformerBlock(
                scope["transformer"]["resblocks"][index], width: width, hidden: configuration.hidden, heads: configuration.heads,
                depth: configuration.layers, causal: false, activation: model.activation, eps: model.layerNormEps)
        }
        normAfter = try LayerNorm(scope["ln_post"], width: width, eps: model.layerNormEps)
        projection = try scope.parameter("proj", [width, model.embeddingSize], .normal(deviation: deviation))
    }

    func prepareForInference() throws {
        for block in blocks { try block.prepareForInference() }
    }

    /// `pixels` `[batch, 3, resolution, resolution]` to `[batch, embedding]`, not normalised.
    func callAsFunction(_ pixels: Tensor) throws -> Tensor {
        let batch = pixels.size(0)
        let map = try pixels.conv2d(patches, stride: patch)
        let width = map.size(1)
        let tokens = try map.reshaped([batch, width, -1]).transposed(1, 2)
        let first = try classToken.reshaped([1, 1, width]).expanded([batch, 1, width])
        var x = try normBefore(Tensor.concatenated([first, tokens], dimension: 1) + positions)
        for block in blocks { x = try block(x) }
        return try normAfter(x.selected(1, 0)).matmul(projection)
    }
}
