public import Catalog
import CLIP
import Dispatch
public import Imaging
public import Search

/// A model whose weights are loaded when somebody asks it something, and given up for others that are asked after it.
///
/// What answers need beside the weights, its card and its place in the catalogue, is read at once: so a program can offer many variants of a model
/// and keep a few in memory.
public final class OnDemandModel: EmbeddingModel {
    public let model: ModelRecord
    public let takesText: Bool
    /// What its files say about it.
    public let card: ModelCard
    private let path: String
    private let preprocessing: Preprocessing
    private let pool: ModelPool

    /// Reads a model folder without its weights.
    /// - Parameters:
    ///   - name: what the model is called in answers.
    ///   - catalog: where its vectors are: it may know the model by a fingerprint of an earlier version.
    ///   - pool: what keeps its weights while they are used.
    /// - Throws: as `Checkpoint.init`; `CatalogError`.
    public init(checkpoint path: String, name: String, catalog: CatalogStore? = nil, pool: ModelPool) throws {
        let checkpoint = try Checkpoint(path: path)
        model = try ModelRecord(
            fingerprint: catalog?.fingerprint(of: checkpoint) ?? checkpoint.fingerprint, name: name,
            dimension: checkpoint.configuration.embeddingSize)
        takesText = checkpoint.tokenizer != nil
        card = try ModelCard(checkpoint: checkpoint, id: name, parameters: checkpoint.parameterCount())
        preprocessing = checkpoint.preprocessing
        (self.path, self.pool) = (path, pool)
    }

    public func reduce(_ image: RGBImage) -> RGBImage { preprocessing.fit(image) }

    public func encode(images: [RGBImage]) async throws -> [[Float]] { try await session().encode(images: images) }

    public func encode(texts: [String]) async throws -> [[Float]] { try await session().encode(texts: texts) }

    public func encodeTexts(_ texts: [String]) async throws -> EncodedTexts { try await session().encodeTexts(texts) }

    private func session() async throws -> EncoderSession { try await pool.session(of: path, name: model.name) }
}

/// The models on demand whose weights are in memory: those that were asked last.
public actor ModelPool {
    private let capacity: Int
    /// By path, the one that was asked last at the end.
    private var sessions: [(path: String, session: Task<EncoderSession, any Error>)] = []

    /// - Parameter capacity: how many models may be in memory at a time, at least 1. One that still answers while others take its place goes with
    ///   its last answer.
    public init(capacity: Int) { self.capacity = max(1, capacity) }

    /// How many models are in memory, or on their way there.
    var count: Int { sessions.count }

    func session(of path: String, name: String) async throws -> EncoderSession {
        let place = sessions.firstIndex { $0.path == path }
        let entry = place.map { sessions.remove(at: $0) } ?? (path: path, session: Self.loading(path, name: name))
        sessions.append(entry)
        if sessions.count > capacity { sessions.removeFirst() }
        do { return try await entry.session.value } catch {
            // The files may be whole again at the next question.
            sessions.removeAll { $0.session == entry.session }
            throw error
        }
    }

    /// Reading weights blocks: on a thread that Swift's pool does not miss.
    private static func loading(_ path: String, name: String) -> Task<EncoderSession, any Error> {
        Task {
            try await withCheckedThrowingContinuation { continuation in
                DispatchQueue.global().async {
                    continuation.resume(with: Result { try EncoderSession(checkpoint: path, name: name) })
                }
            }
        }
    }
}
