public import Catalog
public import CLIP
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
    /// What its weights take in memory, about.
    private let bytes: Int

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
        let parameters = try checkpoint.parameterCount()
        card = try ModelCard(checkpoint: checkpoint, id: name, parameters: parameters)
        bytes = parameters * MemoryLayout<Float>.size
        preprocessing = checkpoint.preprocessing
        (self.path, self.pool) = (path, pool)
    }

    public func reduce(_ image: RGBImage) -> RGBImage { preprocessing.fit(image) }

    public func encode(images: [RGBImage]) async throws -> [[Float]] { try await session().encode(images: images) }

    public func encode(texts: [String]) async throws -> [[Float]] { try await session().encode(texts: texts) }

    public func encodeTexts(_ texts: [String]) async throws -> EncodedTexts { try await session().encodeTexts(texts) }

    private func session() async throws -> EncoderSession { try await pool.session(of: path, name: model.name, bytes: bytes) }
}

/// The models on demand whose weights are in memory: those that were asked last.
public actor ModelPool {
    /// What may be in memory at a time. The model that was asked last always is, also where it takes more; one that still answers while others take its
    /// place goes with its last answer.
    public enum Room: Sendable, Equatable {
        case models(Int)
        /// Weights of so many bytes together.
        case bytes(Int)
    }

    public nonisolated let room: Room
    public nonisolated let precision: PrecisionChoice
    /// By path, the one that was asked last at the end.
    private var sessions: [(path: String, bytes: Int, session: Task<EncoderSession, any Error>)] = []

    /// - Parameter precision: what the products of its models are computed in.
    public init(room: Room, precision: PrecisionChoice = .float32) {
        self.room = room
        self.precision = precision
    }

    /// How many models are in memory, or on their way there.
    var count: Int { sessions.count }

    private var isOverfull: Bool {
        guard sessions.count > 1 else { return false }
        return switch room {
        case .models(let limit): sessions.count > limit
        case .bytes(let limit): sessions.reduce(0) { $0 + $1.bytes } > limit
        }
    }

    func session(of path: String, name: String, bytes: Int) async throws -> EncoderSession {
        let place = sessions.firstIndex { $0.path == path }
        let entry = place.map { sessions.remove(at: $0) } ?? (path: path, bytes: bytes, session: loading(path, name: name))
        sessions.append(entry)
        while isOverfull { sessions.removeFirst() }
        do { return try await entry.session.value } catch {
            // The files may be whole again at the next question.
            sessions.removeAll { $0.session == entry.session }
            throw error
        }
    }

    /// Reading weights blocks: on a thread that Swift's pool does not miss.
    private func loading(_ path: String, name: String) -> Task<EncoderSession, any Error> {
        Task { [precision] in
            try await withCheckedThrowingContinuation { continuation in
                DispatchQueue.global().async {
                    continuation.resume(with: Result { try EncoderSession(checkpoint: path, name: name, precision: precision) })
                }
            }
        }
    }
}
