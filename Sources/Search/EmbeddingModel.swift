public import Catalog
public import Imaging

/// A text that is longer than the model reads, so that its end is missing in the vector.
public struct TextCut: Sendable, Equatable {
    /// Tokens that the whole text has, with those that mark its start and end.
    public var tokens: Int
    /// Tokens that the model has read, at most what its context holds.
    public var read: Int

    public init(tokens: Int, read: Int) {
        self.tokens = tokens
        self.read = read
    }
}

/// Texts as vectors, and what of them was read.
public struct EncodedTexts: Sendable, Equatable {
    /// One unit vector per text.
    public var vectors: [[Float]]
    /// For each text what was cut off it, nil for nothing: whoever sent it is to be told.
    public var cut: [TextCut?]

    public init(vectors: [[Float]], cut: [TextCut?]) {
        self.vectors = vectors
        self.cut = cut
    }
}

/// Turns pictures and texts into unit vectors of one space. The engine knows no model: it is given one of these.
public protocol EmbeddingModel: Sendable {
    /// What the catalogue knows the model by, and the dimension of its vectors.
    var model: ModelRecord { get }

    /// Whether it takes texts.
    var takesText: Bool { get }

    /// Reduces a picture to what `encode(images:)` will look at, on the caller's thread: what waits for its turn then waits small. Encoding the
    /// reduced picture gives the vector of the whole one.
    func reduce(_ image: RGBImage) -> RGBImage

    /// - Returns: one unit vector per picture.
    func encode(images: [RGBImage]) async throws -> [[Float]]

    /// - Returns: one unit vector per text.
    func encode(texts: [String]) async throws -> [[Float]]

    /// The same, and which texts were cut, and where.
    func encodeTexts(_ texts: [String]) async throws -> EncodedTexts
}

extension EmbeddingModel {
    public var takesText: Bool { true }

    public func reduce(_ image: RGBImage) -> RGBImage { image }

    /// For a model that reads texts of any length.
    public func encodeTexts(_ texts: [String]) async throws -> EncodedTexts {
        EncodedTexts(vectors: try await encode(texts: texts), cut: texts.map { _ in nil })
    }
}

/// An error that the same request may not meet again a moment later: a full queue, a model that is being closed.
public protocol TransientError: Error, CustomStringConvertible {
    var isTransient: Bool { get }
}
