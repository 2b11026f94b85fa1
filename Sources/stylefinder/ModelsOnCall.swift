import API
import CLIP
import Catalog
import Imaging
import Inference
import Search

/// Brings shipped and fetched models, and those of a folder, into a running server.
struct ModelsOnCall: ModelOpening {
    let store: CatalogStore
    let loaded: LoadedModels
    let pool: ModelPool
    /// Models and runs that may be brought in by their names beside the shipped and fetched ones.
    let folder: String?
    let limits: DecodingLimits

    /// Pictures in one pass: searches come in between.
    private static let picturesAtOnce = 8

    func knows(_ source: String) -> Bool { (try? ModelLocation(named: source, in: folder)) != nil }

    func open(_ source: String, as name: String, progress: @escaping @Sendable (Int, Int) -> Void) async throws -> ServedModel {
        let location = try ModelLocation(named: source, in: folder)
        let fingerprint = try await Serving.onOwnThread { [store] in try store.fingerprint(of: Checkpoint(path: location.path)) }
        loaded.expect(fingerprint)
        do {
            let model = try await Serving.onOwnThread { [loaded, pool] in
                guard let live = loaded.all.first?.engine.catalog else { throw CancellationError() }
                return try Serving.load(location, live, pool: pool, name: name, mayBeEmpty: true)
            }
            try await embed(with: model, progress: progress)
            loaded.add([model])
            Console.note("\(name) answers from now on, by \(source).")
            return model
        } catch {
            loaded.expectNoMore(fingerprint)
            throw error
        }
    }

    func note(_ error: any Error, of source: String) { Console.warn("the model \(source) can't be brought in: \(error)") }

    func complete(_ model: ServedModel) async throws { try await embed(with: model) { _, _ in } }

    private func embed(with model: ServedModel, progress: @escaping @Sendable (Int, Int) -> Void) async throws {
        let report = try await CatalogEmbedding(store, batchSize: Self.picturesAtOnce, limits: limits).run(
            with: model.engine.encoder, progress: progress)
        Console.warn(all: report.problems)
        // What was written is in the index before somebody searches with it.
        try await model.engine.catalog.refresh()
    }
}
