import HTTPTypes
public import Search
import Synchronization

/// Opens models while a server runs.
public protocol ModelOpening: Sendable {
    /// Whether there is something of that name.
    func knows(_ source: String) -> Bool

    /// Opens a model and gives a vector to each picture of the catalogue that has none of it.
    /// - Parameters:
    ///   - source: what the server calls a model that it can open.
    ///   - name: what it will answer to.
    ///   - progress: pictures done, and all.
    /// - Returns: the model, ready to answer.
    func open(_ source: String, as name: String, progress: @escaping @Sendable (Int, Int) -> Void) async throws -> ServedModel

    /// Gives vectors to pictures that came in the meantime.
    func complete(_ model: ServedModel) async throws

    /// Tells whoever runs the server why a model did not come: clients learn nothing of where it lies.
    func note(_ error: any Error, of source: String)
}

/// Brings models in and takes them out while the server answers: the vectors are made behind, and when all are there the new model answers from one
/// search to the next, in the place of the one that had its name.
final class ModelIntake: Sendable {
    /// A model on its way.
    struct Coming: Sendable, Encodable {
        let id: String
        /// Pictures that have their vectors.
        var done = 0
        var total: Int?
        /// Why it does not come.
        var error: String?
    }

    private let service: SearchService
    private let opening: (any ModelOpening)?
    /// The one that is on its way, or that did not come.
    private let state = Mutex<Coming?>(nil)

    init(service: SearchService, opening: (any ModelOpening)?) {
        self.service = service
        self.opening = opening
    }

    var coming: Coming? { state.withLock { $0 } }

    /// Begins to bring a model in; how far it is stands in `coming`.
    /// - Throws: `APIError` where another one is on its way, or this server opens none.
    func bring(_ source: String, as id: String) throws(APIError) {
        guard let opening else {
            throw APIError(.notFound, "unknown_model", "This server brings in no models.")
        }
        guard opening.knows(source) else {
            throw APIError(
                .notFound, "unknown_model", "There is no model \(APIError.quoted(source)) that this server can bring in.")
        }
        let other = state.withLock { state -> Coming? in
            if let coming = state, coming.error == nil { return coming }
            state = Coming(id: id)
            return nil
        }
        if let other {
            throw APIError(
                .conflict, "model_coming", "The model \(APIError.quoted(other.id)) is on its way; wait until it answers.",
                retryAfter: 5)
        }
        Task { [self] in
            do {
                let model = try await opening.open(source, as: id) { [self] done, total in
                    state.withLock { state in
                        state?.done = done
                        state?.total = total
                    }
                }
                service.put(model)
                // From here on changes of the catalogue make its vectors, too; what came before that has none yet.
                try await opening.complete(model)
                state.withLock { $0 = nil }
            } catch {
                opening.note(error, of: source)
                state.withLock { $0?.error = "It could not be brought in; the server's log says why." }
            }
        }
    }
}
