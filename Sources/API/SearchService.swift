public import Catalog
import Foundation
import Imaging
public import Search
import Synchronization

/// A model that answers: what it is, and the engine over its vectors.
public struct ServedModel: Sendable {
    public let card: ModelCard
    public let engine: SearchEngine

    public init(card: ModelCard, engine: SearchEngine) {
        self.card = card
        self.engine = engine
    }
}

/// A picture to try the search with, offered on the first screen.
public struct SamplePicture: Sendable {
    public let title: String
    /// The picture's file; only files named here are ever given out.
    public let path: String

    public init(title: String, path: String) {
        self.title = title
        self.path = path
    }
}

/// What the routes answer from: a catalogue, and the models and samples once they are there.
public final class SearchService: Sendable {
    private struct Content {
        var models: [ServedModel]
        var samples: [SamplePicture]
    }

    public let catalog: CatalogStore
    private let content = Mutex<Content?>(nil)

    public init(catalog: CatalogStore) {
        self.catalog = catalog
    }

    /// From now on searches are answered; the first model is the one that answers where a query names none.
    public func begin(with models: [ServedModel], samples: [SamplePicture] = []) {
        content.withLock { $0 = Content(models: models, samples: samples) }
    }

    var isReady: Bool { content.withLock { $0 != nil } }

    /// - Throws: `APIError.loading` until the models are there.
    func served() throws(APIError) -> [ServedModel] {
        guard let content = content.withLock({ $0 }) else { throw .loading }
        return content.models
    }

    /// - Throws: `APIError.loading` until the samples are there.
    func samples() throws(APIError) -> [SamplePicture] {
        guard let content = content.withLock({ $0 }) else { throw .loading }
        return content.samples
    }

    /// - Parameter id: nil for the model that answers by default.
    func model(_ id: String?) throws(APIError) -> ServedModel {
        let models = try served()
        let found = id.map { id in models.first { $0.card.id == id } } ?? models.first
        guard let found else { throw .unknownModel(id ?? "", known: models.map(\.card.id)) }
        return found
    }
}
