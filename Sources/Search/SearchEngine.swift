public import Catalog
import Retrieval

/// Answers queries over a catalogue with one encoder: encode, search, filter, group, look up.
///
/// The index is a snapshot of the vectors at the time the engine was made.
public struct SearchEngine: Sendable {
    public let encoder: any EmbeddingModel
    private let catalog: CatalogStore
    private let index: ExactIndex
    /// The product of each image in the index, as a number.
    private let productOfImage: [ImageID: Int32]

    /// Loads the encoder's vectors.
    /// - Throws: `CatalogError`, `SearchError.noVectors`; `.storedDimension` if the stored vectors are not of the encoder's dimension.
    public init(catalog: CatalogStore, encoder: any EmbeddingModel) throws {
        self.catalog = catalog
        self.encoder = encoder
        guard try catalog.models().contains(where: { $0.fingerprint == encoder.model.fingerprint }) else {
            throw SearchError.noVectors(model: encoder.model.name, catalog: catalog.path)
        }
        let table = try catalog.vectors(of: encoder.model.fingerprint)
        guard table.count > 0 else { throw SearchError.noVectors(model: encoder.model.name, catalog: catalog.path) }
        guard table.model.dimension == encoder.model.dimension else {
            throw SearchError.storedDimension(
                model: encoder.model.name, found: table.model.dimension, expected: encoder.model.dimension)
        }
        index = try ExactIndex(ids: table.imageIDs, vectors: table.values, dimension: table.model.dimension)
        productOfImage = Dictionary(uniqueKeysWithValues: zip(table.imageIDs, table.products))
    }

    /// How many images can be found.
    public var count: Int { index.count }

    /// - Throws: `SearchError`, `CatalogError.unknownKey` for a filter, whatever the encoder throws.
    public func search(_ query: SearchQuery) async throws -> SearchResponse {
        guard SearchQuery.limits.contains(query.limit) else { throw SearchError.limit(query.limit) }
        if let score = query.minimumScore, !(-1...1).contains(score) { throw SearchError.minimumScore(score) }
        let clock = ContinuousClock()
        let begin = clock.now
        let vector = try await vector(of: query.subject)
        let encoded = clock.now
        let own = try ownHits(query)
        let allowed = query.filter.isEmpty ? nil : IDSet(try catalog.imageIDs(matching: query.filter))
        let hits = try hits(vector, query, allowed: allowed, own: own)
        let results = try results(hits)
        let end = clock.now
        func milliseconds(_ duration: Duration) -> Double { (duration / .microseconds(1)).rounded() / 1000 }
        return SearchResponse(
            model: encoder.model.name, results: results,
            timing: [
                "encode": milliseconds(encoded - begin), "search": milliseconds(end - encoded),
                "total": milliseconds(end - begin),
            ])
    }

    private func vector(of subject: SearchQuery.Subject) async throws -> [Float] {
        let vectors: [[Float]]
        switch subject {
        case .image(let image): vectors = try await encoder.encode(images: [image])
        case .text(let text):
            guard encoder.takesText else { throw SearchError.takesNoText(model: encoder.model.name) }
            guard text.contains(where: { !$0.isWhitespace }) else { throw SearchError.emptyText }
            vectors = try await encoder.encode(texts: [text])
        case .vector(let vector): vectors = [vector]
        case .catalogImage(let id):
            guard try catalog.image(id) != nil else { throw SearchError.unknownImage(id) }
            guard let vector = index.vector(of: id) else {
                throw SearchError.notEmbedded(what: "The picture \(id)", model: encoder.model.name)
            }
            vectors = [vector]
        case .product(let id): vectors = [try direction(ofProduct: id)]
        }
        // Checked here, since the index would take twice as many numbers for two queries.
        let found = vectors.count == 1 ? vectors[0].count : 0
        guard found == index.dimension else { throw SearchError.dimension(found: found, expected: index.dimension) }
        return vectors[0]
    }

    /// The mean of the product's vectors, at unit length.
    private func direction(ofProduct id: String) throws -> [Float] {
        guard try catalog.product(id) != nil else { throw SearchError.unknownProduct(id) }
        let vectors = try catalog.images(ofProduct: id).compactMap { index.vector(of: $0.id) }
        var mean = [Float](repeating: 0, count: index.dimension)
        for vector in vectors { for place in mean.indices { mean[place] += vector[place] } }
        guard mean.withUnsafeMutableBufferPointer({ UnitVectors.normalize($0) }) else {
            throw SearchError.notEmbedded(what: "The product \(id)", model: encoder.model.name)
        }
        return mean
    }

    /// What a query by something of the catalogue must not find: itself.
    private enum OwnHits {
        case none
        case image(ImageID)
        case images(Set<ImageID>)

        func contains(_ id: ImageID) -> Bool {
            switch self {
            case .none: false
            case .image(let own): id == own
            case .images(let own): own.contains(id)
            }
        }
    }

    private func ownHits(_ query: SearchQuery) throws -> OwnHits {
        switch (query.subject, query.grouping) {
        case (.catalogImage(let id), .image): return .image(id)
        case (.catalogImage(let id), .product):
            guard let product = try catalog.image(id)?.productID else { return .none }
            return .images(Set(try catalog.images(ofProduct: product).map(\.id)))
        case (.product(let id), _): return .images(Set(try catalog.images(ofProduct: id).map(\.id)))
        default: return .none
        }
    }

    /// The best `limit` images, or of each product its best one: more images are asked for until enough products have come or no image is
    /// left, so a search gives `limit` results whenever there are that many.
    private func hits(_ vector: [Float], _ query: SearchQuery, allowed: IDSet?, own: OwnHits) throws -> [Hit] {
        let admitted = allowed.map { min($0.ids.count, index.count) } ?? index.count
        if admitted == 0 { return [] }
        let least = query.minimumScore.map { Float($0) } ?? -.infinity
        var reach = query.grouping == .image ? query.limit + 1 : query.limit * 4
        while true {
            let found = try index.search(queries: vector, k: min(reach, admitted), allowed: allowed)[0]
            let good = found.prefix { $0.score >= least }
            var hits: [Hit] = []
            var seen: Set<Int32> = []
            for hit in good where hits.count < query.limit && !own.contains(hit.id) {
                if query.grouping == .product, let product = productOfImage[hit.id], !seen.insert(product).inserted { continue }
                hits.append(hit)
            }
            // A shorter list than asked for, or one that the least score has cut, can't grow.
            if hits.count == query.limit || found.count < reach || good.count < found.count { return hits }
            reach *= 4
        }
    }

    private func results(_ hits: [Hit]) throws -> [SearchResult] {
        let images = try catalog.images(hits.map(\.id))
        let products = try catalog.products(Set(images.values.map(\.productID)))
        // An image that was removed since the snapshot was made has no row any more and is left out.
        let found = hits.compactMap { hit in images[hit.id].map { (hit, $0) } }
        return found.enumerated().map { place, pair in
            let (hit, image) = pair
            let product = products[image.productID]
            return SearchResult(
                rank: place + 1, score: Double(hit.score),
                product: .init(
                    id: image.productID, title: product?.title, category: product?.category, brand: product?.brand,
                    price: product?.price, currency: product?.currency, inStock: product?.inStock, url: product?.url),
                image: .init(id: image.id, path: image.path, view: image.view, color: image.color))
        }
    }
}
