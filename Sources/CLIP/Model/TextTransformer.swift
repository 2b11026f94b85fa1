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

    func prepareForInference(_ form: WeightForm, _ progress: () -> Void) throws {
        try blocks.prepareForInference(form, forOnePlace: true, progress)
    }

    /// `ids` int64 `[batch, context]` to `[batch, embedding]`, not normalised.
    ///
    /// CLIP's end token has the greatest id, so the arg-max of the ids finds it; what stands behind it is invisible under the causal mask.
    ///
    /// - Parameter replaced: embeddings `[batch, m, width]` in the place of those of some tokens, and the m places in each text.
    func callAsFunction(_ ids: Tensor, replaced: (embeddings: Tensor, places: [[Int]])? = nil) throws -> Tensor {
        let (read, place) = try Self.read(of: ids, isCausal: projectionBias == nil)
        var embedded = try tokens.embedding(read)
        if let replaced { embedded = try Self.replacing(embedded, with: replaced.embeddings, at: replaced.places) }
        let x = try embedded + positions.narrowed(0, start: 0, length: read.size(1))
        let projected = try normAfter(blocks(x, at: place)).matmul(projection)
        return try projectionBias.map { try projected + $0 } ?? projected
    }

    /// What of the ids has to be read, and the place whose state is the text's. Under a causal mask that is nothing behind the last end token of the
    /// batch, up to a multiple of eight: captions are short, and few different lengths are few kernels to prepare.
    private static func read(of ids: Tensor, isCausal: Bool) throws -> (ids: Tensor, place: ReadPlace) {
        let length = ids.size(1)
        guard isCausal else { return (ids, .index(length - 1)) }
        let ends = try ids.argMax(1)
        let longest = Int(try ends.maximum().item()) + 1
        return (try ids.narrowed(1, start: 0, length: min(length, (longest + 7) / 8 * 8)), .indices(ends))
    }

    /// Rows of both, chosen one by one, so that gradients reach the new ones.
    private static func replacing(_ embedded: Tensor, with new: Tensor, at places: [[Int]]) throws -> Tensor {
        let (batch, length, width) = (embedded.size(0), embedded.size(1), embedded.size(2))
        let count = new.size(1)
        guard new.shape == [batch, count, width], places.count == batch,
            places.allSatisfy({ $0.count == count && $0.allSatisfy((0..<length).contains) })
        else {
            throw TorchError.argument("embeddings \(new.shape) do not fit \(batch) texts of \(length) tokens of width \(width)")
        }
        var index = (0..<Int64(batch * length)).map { $0 }
        for (text, own) in places.enumerated() {
            for (number, place) in own.enumerated() {
                index[text * length + place] = Int64(batch * length + text * count + number)
            }
        }
        let all = try Tensor.concatenated([embedded.reshaped([batch * length, width]), new.reshaped([batch * count, width])])
        return try all.rows(Tensor(index, shape: [index.count]).to(all.device)).reshaped([batch, length, width])
    }
}
