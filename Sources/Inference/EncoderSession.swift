public import Catalog
public import CLIP
public import Imaging
public import Search

/// One embedder on one thread. Its methods are synchronous inside, since an actor may be entered again at an `await`.
public actor EncoderSession: EmbeddingModel {
    public nonisolated let model: ModelRecord
    public nonisolated let takesText: Bool
    /// What its files say about it.
    public nonisolated let card: ModelCard
    /// What its precision was decided by, where it was left to a trial.
    public nonisolated let trial: PrecisionTrial?
    private nonisolated let preprocessing: Preprocessing
    private nonisolated let executor: ThreadExecutor
    private let embedder: Embedder

    public nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

    /// Loads a model folder or a checkpoint file.
    /// - Parameters:
    ///   - name: what the model is called in answers.
    ///   - catalog: where its vectors are: it may know the model by a fingerprint of an earlier version.
    ///   - precision: what its products are computed in.
    /// - Throws: as `Embedder.init`; `CatalogError`.
    public init(
        checkpoint path: String, name: String, catalog: CatalogStore? = nil, precision: PrecisionChoice = .float32
    ) throws {
        let checkpoint = try Checkpoint(path: path)
        checkpoint.startFingerprint()
        (embedder, trial) = try Embedder.load(checkpoint, precision: precision)
        model = try ModelRecord(
            fingerprint: catalog?.fingerprint(of: checkpoint) ?? checkpoint.fingerprint, name: name,
            dimension: checkpoint.configuration.embeddingSize)
        takesText = checkpoint.tokenizer != nil
        preprocessing = checkpoint.preprocessing
        card = try ModelCard(checkpoint: checkpoint, id: name, parameters: embedder.parameterCount)
        executor = ThreadExecutor(name: "encoder \(name)")
    }

    deinit { executor.close() }

    public nonisolated func reduce(_ image: RGBImage) -> RGBImage { preprocessing.fit(image) }

    public func encode(images: [RGBImage]) throws -> [[Float]] {
        rows(try embedder.embed(images: images))
    }

    public func encode(texts: [String]) throws -> [[Float]] {
        rows(try embedder.embed(texts: texts).vectors)
    }

    public func encodeTexts(_ texts: [String]) throws -> EncodedTexts {
        let (vectors, lengths) = try embedder.embed(texts: texts)
        return EncodedTexts(
            vectors: rows(vectors), cut: lengths.map { $0.read < $0.whole ? TextCut(tokens: $0.whole, read: $0.read) : nil })
    }

    private func rows(_ vectors: [Float]) -> [[Float]] {
        stride(from: 0, to: vectors.count, by: model.dimension).map { Array(vectors[$0..<($0 + model.dimension)]) }
    }
}
