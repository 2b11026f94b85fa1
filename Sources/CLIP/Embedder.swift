public import Imaging
public import Tokenizers
public import Torch

/// The only way that anything becomes a vector: pictures or texts in, unit vectors out.
///
/// Synchronous and not `Sendable`: one embedder belongs to one thread (see `EncoderSession` for use from tasks).
public final class Embedder {
    public let preprocessing: Preprocessing
    public let tokenizer: Tokenizer?
    /// What it was loaded from; nil for a model that is being trained.
    public let checkpoint: Checkpoint?
    /// How many numbers its weights are.
    public let parameterCount: Int
    private let model: CLIPModel
    private let device: Device

    public var configuration: CLIPConfiguration { model.configuration }
    /// Dimension of every vector.
    public var embeddingSize: Int { model.configuration.embeddingSize }

    /// Loads a checkpoint, once, for inference.
    /// - Throws: `CLIPError`, `TensorFileError`, `TorchError`, `TokenizerError`.
    public init(checkpoint: Checkpoint, device: Device = .cpu) throws {
        try device.require()
        self.checkpoint = checkpoint
        preprocessing = checkpoint.preprocessing
        tokenizer = checkpoint.tokenizer
        model = try checkpoint.model()
        // Counted here: preparing packs the weights anew.
        parameterCount = model.parameterCount
        self.device = device
        if device == .cpu { try model.prepareForInference(progress: checkpoint.releasePages) }
    }

    /// A model that is being trained, as it stands.
    public init(model: CLIPModel, preprocessing: Preprocessing, tokenizer: Tokenizer?, device: Device = .cpu) {
        checkpoint = nil
        self.model = model
        parameterCount = model.parameterCount
        self.preprocessing = preprocessing
        self.tokenizer = tokenizer
        self.device = device
    }

    /// - Returns: one unit vector of `embeddingSize` per picture, one after the other.
    public func embed(images: [RGBImage]) throws -> [Float] {
        try embed(pixels: preprocessing.pixels(of: images), count: images.count)
    }

    /// - Parameter pixels: what `Preprocessing.pixels` makes, `[count, 3, side, side]`.
    public func embed(pixels: [Float], count: Int) throws -> [Float] {
        if count == 0 { return [] }
        let side = preprocessing.side
        return try withoutGradients {
            let input = try Tensor(pixels, shape: [count, 3, side, side]).to(device)
            return try model.encodeImages(input).normalized().floats()
        }
    }

    /// - Returns: one unit vector per text, one after the other, and for each text how many tokens it has, start and end included, and how many of
    ///   them the model has read: fewer where it was longer than the model reads.
    /// - Throws: `CLIPError.noTokenizer` if the folder holds no vocabulary.
    public func embed(texts: [String]) throws -> (vectors: [Float], lengths: [(whole: Int, read: Int)]) {
        guard let tokenizer else { throw CLIPError.noTokenizer(path: checkpoint?.path ?? "training") }
        if texts.isEmpty { return ([], []) }
        let tokens = texts.map(tokenizer.encode)
        let vectors = try embed(tokens: tokens.flatMap { $0.ids.map(Int64.init) }, count: texts.count)
        return (vectors, tokens.map { ($0.wholeCount, $0.count) })
    }

    /// - Parameter tokens: token ids `[count, context]`, zeros behind the end token.
    public func embed(tokens: [Int64], count: Int) throws -> [Float] {
        if count == 0 { return [] }
        return try withoutGradients {
            let input = try Tensor(tokens, shape: [count, tokens.count / count]).to(device)
            return try model.encodeTexts(input).normalized().floats()
        }
    }
}
