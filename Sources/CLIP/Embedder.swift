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
    private let precision: Precision

    public var configuration: CLIPConfiguration { model.configuration }
    /// Dimension of every vector.
    public var embeddingSize: Int { model.configuration.embeddingSize }

    /// Loads a checkpoint, once, for inference.
    /// - Parameter precision: `.bfloat16` is several times quicker on GPUs and moves the vectors a little: a cosine of about 0.9999 to those of
    ///   float32.
    /// - Throws: `CLIPError`, `TensorFileError`, `TorchError`, `TokenizerError`.
    public init(checkpoint: Checkpoint, device: Device = .cpu, precision: Precision = .float32) throws {
        try device.require()
        self.checkpoint = checkpoint
        preprocessing = checkpoint.preprocessing
        tokenizer = checkpoint.tokenizer
        model = try checkpoint.model(device: device)
        // Counted here: preparing packs the weights anew.
        parameterCount = model.parameterCount
        self.device = device
        self.precision = precision
        // Packed weights are for the CPU.
        switch precision {
        case .float32: if device == .cpu { try model.prepareForInference(progress: checkpoint.releasePages) }
        case .int8:
            guard device == .cpu else { throw CLIPError.int8NeedsCPU }
            try model.prepareForInference(.int8(except: checkpoint.floatWeights), progress: checkpoint.releasePages)
        case .bfloat16: break
        }
    }

    /// Loads a checkpoint whose layers note in `errors`, whenever they work, how far int8 would be from their results.
    init(checkpoint: Checkpoint, comparing errors: RoundingErrors) throws {
        self.checkpoint = checkpoint
        preprocessing = checkpoint.preprocessing
        tokenizer = checkpoint.tokenizer
        model = try checkpoint.model()
        parameterCount = model.parameterCount
        (device, precision) = (.cpu, .float32)
        try model.prepareForInference(.compared(errors), progress: checkpoint.releasePages)
    }

    /// A model that is being trained, as it stands, on the device where it is.
    public init(model: CLIPModel, preprocessing: Preprocessing, tokenizer: Tokenizer?, precision: Precision = .float32) {
        checkpoint = nil
        self.model = model
        parameterCount = model.parameterCount
        self.preprocessing = preprocessing
        self.tokenizer = tokenizer
        device = model.store.device
        self.precision = precision
    }

    /// - Returns: one unit vector of `embeddingSize` per picture, one after the other.
    public func embed(images: [RGBImage]) throws -> [Float] {
        try embed(squares: SquarePictures(images.map(preprocessing.fit), preprocessing))
    }

    /// - Parameters:
    ///   - squares: pictures as this model's preprocessing fits them.
    ///   - scaled: whether the vectors are brought to unit length, as everything that compares them wants them, or left as the tower gives them.
    public func embed(squares: SquarePictures, scaled: Bool = true) throws -> [Float] {
        if squares.count == 0 { return [] }
        return try withoutGradients { try vectors(of: squares.tensor(on: device), scaled: scaled) }
    }

    /// Pictures in one pass on the CPU. A ViT's products, and those of bytes, are as large as they need to be for a few; the activations of
    /// many leave the processor's caches, and the system makes them new memory in each layer.
    private var pass: Int {
        guard device == .cpu, checkpoint != nil else { return .max }
        if precision != .int8 {
            guard case .transformer = configuration.vision else { return .max }
        }
        return max(2, TorchRuntime.threads)
    }

    /// - Parameter pixels: what `Preprocessing.pixels` makes, `[count, 3, side, side]`.
    public func embed(pixels: [Float], count: Int) throws -> [Float] {
        if count == 0 { return [] }
        let side = preprocessing.side
        return try withoutGradients {
            try vectors(of: Tensor(pixels, shape: [count, 3, side, side]).to(device))
        }
    }

    private func vectors(of pixels: Tensor, scaled: Bool = true) throws -> [Float] {
        let count = pixels.size(0)
        return try stride(from: 0, to: count, by: min(pass, count)).flatMap { first in
            let some = try count <= pass ? pixels : pixels.narrowed(0, start: first, length: min(pass, count - first))
            let vectors = try withPrecision(precision, on: device) { try model.encodeImages(some) }
            return try (scaled ? vectors.normalized() : vectors).floats()
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
            return try withPrecision(precision, on: device) { try model.encodeTexts(input) }.normalized().floats()
        }
    }
}
