import Torch

/// The text tower: token and position embeddings, blocks, `ln_final`, a projection of one place's state. CLIP's blocks are causal and the place
/// is the end token's; SigLIP's see the whole text and the place is the last.
final class TextTransformer {
    private let tokens: Tensor
    private let positions: Tensor
    private let blocks: [TransformerBlock]
    private let normAfter: LayerNorm
    private let projection: Tensor
    private let projectionBias: Tensor?

    /// Its keys stand at the root of the checkpoint.
    init(_ scope: ParameterScope, _ configuration: CLIPConfiguration.Text, of model: CLIPConfiguration) throws {
        let width = configuration.width
        tokens = try scope["token_embedding"].parameter(
            "weight", [configuration.vocabularySize, width], .normal(deviation: 0.02))
        positions = try scope.parameter(
            "positional_embedding", [configuration.contextLength, width], .normal(deviation: 0.01))
        blocks = try (0..<configuration.layers).map { index in
            try TransformerBlock(
                scope["transformer"]["resblocks"][index], width: width, hidden: configuration.hidden, heads: configuration.heads,
                depth: configuration.layers, causal: model.family == .clip, activation: model.textActivation,
                eps: model.layerNormEps)
        }
        normAfter = try LayerNorm(scope["ln_final"], width: width, eps: model.layerNormEps)
        projection = try scope.parameter(
            "text_projection", [width, model.embeddingSize], .normal(deviation: 1 / Double(width).squareRoot()))
        projectionBias =
            try model.family == .sigLIP ? scope["text_projection"].parameter("bias", [model.embeddingSize], .zeros) : nil
    }

    func prepareForInference(_ progress: () -> Void) throws {
        for block in blocks {
            try block.prepareForInference()
            progress()
        }
    }

    /// `ids` int64 `[batch, context]` to `[batch, embedding]`, not normalised.
    ///
    /// CLIP's end token has the greatest id, so the arg-max of the ids finds it; what stands behind it is invisible under the causal mask.
    func callAsFunction(_ ids: Tensor) throws -> Tensor {
        let length = ids.size(1)
        var x = try tokens.embedding(ids) + positions.narrowed(0, start: 0, length: length)
        for block in blocks { x = try block(x) }
        let batch = ids.size(0)
        if let projectionBias {
            return try normAfter(x).selected(1, length - 1).matmul(projection) + projectionBias
        }
        let ends = try ids.argMax(1).reshaped([batch, 1, 1]).expanded([batch, 1, x.size(2)])
        return try normAfter(x.gathered(1, ends).squeezed(1)).matmul(projection)
    }
}
