public import Catalog
import Foundation
import HTTPTypes
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
        var about: String?
    }

    public let catalog: CatalogStore
    private let content = Mutex<Content?>(nil)
    private let live = Mutex<LiveCatalog?>(nil)
    /// The last time that the catalogue turned out to be damaged.
    private let damaged = Mutex<ContinuousClock.Instant?>(nil)

    /// Whether the index on another machine answered when it was last asked, where there is one.
    private let reaches = Mutex(true)

    public init(catalog: CatalogStore) {
        self.catalog = catalog
    }

    /// From now on the catalogue can be browsed, which needs no model.
    public func begin(browsing catalog: LiveCatalog) { live.withLock { $0 = catalog } }

    /// From now on searches are answered; the first model is the one that answers where a query names none. All models share one catalogue.
    /// - Parameter about: what the catalogue and its samples are, in a sentence for people.
    public func begin(with models: [ServedModel], samples: [SamplePicture] = [], about: String? = nil) {
        if let catalog = models.first?.engine.catalog { begin(browsing: catalog) }
        content.withLock { $0 = Content(models: models, samples: samples, about: about) }
    }

    /// From now on a model answers, in the place of the one of its name where there is one, else beside those that do.
    public func put(_ model: ServedModel) {
        content.withLock { content in
            if let place = content?.models.firstIndex(where: { $0.card.id == model.card.id }) {
                content?.models[place] = model
            } else {
                content?.models.append(model)
            }
        }
    }

    /// From now on a model does not answer any more; its vectors stay in the catalogue.
    func remove(model id: String) throws(APIError) {
        let model = try self.model(id)
        let isLast = content.withLock { content -> Bool in
            guard content?.models.count ?? 0 > 1 else { return true }
            content?.models.removeAll { $0.card.id == model.card.id }
            return false
        }
        if isLast {
            throw APIError(
                .conflict, "last_model", "\(APIError.quoted(id)) is the only model that answers; bring another one in first.")
        }
    }

    /// The models that answer now; none before they are there.
    public var models: [ServedModel] { content.withLock { $0?.models ?? [] } }

    /// Takes note of whether the index on another machine answers.
    public func note(indexAnswers: Bool) { reaches.withLock { $0 = indexAnswers } }

    var reachesIndex: Bool { reaches.withLock { $0 } }

    var isReady: Bool { content.withLock { $0 != nil } }

    /// Takes note of a request's failure, where it says something about the catalogue.
    func note(_ error: any Error) {
        guard let error = error as? CatalogError, error.isDamage else { return }
        damaged.withLock { $0 = .now }
    }

    /// Whether a request has met damage in the catalogue lately: a look at a few rows does not find every damage that a search meets.
    var metDamage: Bool { damaged.withLock { $0.map { $0.duration(to: .now) < .seconds(60) } ?? false } }

    /// Looks whether the catalogue can be read.
    /// - Throws: `CatalogError`.
    func probe() throws(CatalogError) {
        _ = try catalog.models()
        let products = try catalog.products(limit: 1)
        if let first = products.first { _ = try catalog.images(ofProduct: first.id) }
    }

    /// The catalogue in memory.
    /// - Throws: `APIError.loading` until it is there.
    func browsed() throws(APIError) -> LiveCatalog {
        guard let live = live.withLock({ $0 }) else { throw .loadingCatalog }
        return live
    }

    /// - Throws: `APIError.loading` until the models are there.
    func served() throws(APIError) -> [ServedModel] {
        guard let content = content.withLock({ $0 }) else { throw .loading }
        return content.models
    }

    /// - Throws: `APIError.loading` until the samples are there.
    func samples() throws(APIError) -> (pictures: [SamplePicture], about: String?) {
        guard let content = content.withLock({ $0 }) else { throw .loading }
        return (content.samples, content.about)
    }

    /// - Parameter id: nil for the model that answers by default.
    func model(_ id: String?) throws(APIError) -> ServedModel {
        let models = try served()
        let found = id.map { id in models.first { $0.card.id == id } } ?? models.first
        guard let found else { throw .unknownModel(id ?? "", known: models.map(\.card.id)) }
        return found
    }
}

extension CatalogError {
    /// Whether it says that the file is not what it was, and not that something was asked wrongly or is busy.
    fileprivate var isDamage: Bool {
        switch self {
        case .corrupt, .notACatalog, .noCatalog, .inputOutput, .cannotOpen, .database: true
        default: false
        }
    }
}
