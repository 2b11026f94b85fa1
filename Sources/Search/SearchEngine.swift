import BitCollections
public import Catalog
import Retrieval

/// Answers queries over a catalogue with one model: filter, encode, search, look up.
public struct SearchEngine: Sendable {
    public let encoder: any EmbeddingModel
    /// What is searched; it follows the file.
    public let catalog: LiveCatalog
    private let index: any VectorIndex
    private let closeMatchLine: CloseMatchLine

    /// Loads the encoder's vectors.
    /// - Parameter mayBeEmpty: whether a model that the catalogue knows may be without vectors: they come while the engine answers.
    /// - Throws: `CatalogError`, `SearchError.noVectors`; `.storedDimension` if the stored vectors are not of the encoder's dimension.
    public init(_ catalog: LiveCatalog, encoder: any EmbeddingModel, mayBeEmpty: Bool = false) throws {
        self.catalog = catalog
        self.encoder = encoder
        let model = encoder.model
        guard let stored = try catalog.store.models().first(where: { $0.fingerprint == model.fingerprint }) else {
            throw SearchError.noVectors(model: model.name, catalog: catalog.store.path)
        }
        guard stored.dimension == model.dimension else {
            throw SearchError.storedDimension(model: model.name, found: stored.dimension, expected: model.dimension)
        }
        index = try catalog.index(of: model)
        guard index.count > 0 || mayBeEmpty else { throw SearchError.noVectors(model: model.name, catalog: catalog.store.path) }
        closeMatchLine = CloseMatchLine(catalog, index)
    }

    /// An engine over a catalogue of its own.
    public init(catalog: CatalogStore, encoder: any EmbeddingModel) throws {
        try self.init(LiveCatalog(catalog), encoder: encoder)
    }

    /// Measures now what the first search would wait for.
    public func warmUp() async { _ = await closeMatchLine.score() }

    /// How many images can be found.
    public var count: Int { index.count }

    /// The best `limit` images, or of each product its best one: as many as there are, whatever the filter leaves.
    /// - Throws: `SearchError`, `CatalogError.unknownKey` for a filter, whatever the encoder throws.
    public func search(_ query: SearchQuery) async throws -> SearchResponse {
        guard SearchQuery.limits.contains(query.limit) else { throw SearchError.limit(query.limit) }
        if let score = query.minimumScore, !(-1...1).contains(score) { throw SearchError.minimumScore(score) }
        if case .text(let text) = query.subject {
            guard encoder.takesText else { throw SearchError.takesNoText(model: encoder.model.name) }
            guard text.contains(where: { !$0.isWhitespace }) else { throw SearchError.emptyText }
        }
        let clock = ContinuousClock()
        let begin = clock.now
        var encoding = Duration.zero
        var encoded: (vector: [Float], cut: TextCut?)?
        var outdated = 0
        while true {
            // A wrong filter is said before the model has worked.
            let gallery = try await catalog.threads.run { try await self.gallery(of: query) }
            if encoded == nil {
                let start = clock.now
                encoded = try await encode(query.subject)
                encoding = clock.now - start
            }
            let (hits, results): ([Hit], [SearchResult]) = try await catalog.threads.run { [encoded] in
                let vector = try gallery.ownVector ?? checked(encoded?.vector)
                let hits = try await self.hits(vector, query, gallery)
                return (hits, try self.results(hits))
            }
            // Pictures that were removed since the catalogue was last looked at have no row any more: with it brought up to date, others take
            // their places. Under a writer that removes without end, the gaps are closed and that is the answer.
            if results.count < hits.count, outdated < 3 {
                outdated += 1
                try await catalog.refresh()
                continue
            }
            let total = clock.now - begin
            func milliseconds(_ duration: Duration) -> Double { (duration / .microseconds(1)).rounded() / 1000 }
            return SearchResponse(
                model: encoder.model.name, results: results,
                closeMatchScore: await closeMatchScore(of: query.subject),
                truncatedText: encoded?.cut != nil,
                textTokens: encoded?.cut?.tokens, textTokensRead: encoded?.cut?.read,
                timing: [
                    "encode": milliseconds(encoding), "search": milliseconds(total - encoding), "total": milliseconds(total),
                ])
        }
    }

    /// What a query is searched in.
    private struct Gallery: Sendable {
        let columns: CatalogColumns
        /// The images that may be found.
        var admitted: BitSet
        /// The query's vector where it is something of the catalogue.
        var ownVector: [Float]?
    }

    /// Applies the filter, and leaves out what a query by something of the catalogue must not find: itself.
    private func gallery(of query: SearchQuery) async throws -> Gallery {
        let columns = catalog.columns
        var gallery = Gallery(columns: columns, admitted: try columns.images(matching: query.filter))
        switch query.subject {
        case .image, .text: break
        case .vector(let vector): gallery.ownVector = try checked(vector)
        case .catalogImage(let id):
            guard let image = try catalog.store.image(id) else { throw SearchError.unknownImage(id) }
            guard let vector = try await index.vector(of: id) else {
                throw SearchError.notEmbedded(what: "The picture \(id)", model: encoder.model.name)
            }
            gallery.ownVector = vector
            gallery.admitted.remove(Int(id))
            if query.grouping == .product {
                for image in try catalog.store.images(ofProduct: image.productID) { gallery.admitted.remove(Int(image.id)) }
            }
        case .product(let id):
            guard try catalog.store.product(id) != nil else { throw SearchError.unknownProduct(id) }
            let images = try catalog.store.images(ofProduct: id).map(\.id)
            gallery.ownVector = try await direction(ofProduct: id, images)
            for image in images { gallery.admitted.remove(Int(image)) }
        }
        return gallery
    }

    /// The mean of a product's vectors, at unit length.
    private func direction(ofProduct id: String, _ images: [ImageID]) async throws -> [Float] {
        var mean = [Float](repeating: 0, count: index.dimension)
        for image in images {
            guard let vector = try await index.vector(of: image) else { continue }
            for place in mean.indices { mean[place] += vector[place] }
        }
        guard mean.withUnsafeMutableBufferPointer({ UnitVectors.normalize($0) }) else {
            throw SearchError.notEmbedded(what: "The product \(id)", model: encoder.model.name)
        }
        return mean
    }

    private func closeMatchScore(of subject: SearchQuery.Subject) async -> Double? {
        switch subject {
        // What texts and pictures have in common is another measure.
        case .text: nil
        case .image, .vector, .product, .catalogImage: await closeMatchLine.score()
        }
    }

    /// The vector of a picture or text, and what was cut off the text; nil for what has its vector already.
    private func encode(_ subject: SearchQuery.Subject) async throws -> (vector: [Float], cut: TextCut?)? {
        switch subject {
        case .image(let image): return (try single(try await encoder.encode(images: [image])), nil)
        case .text(let text):
            let texts = try await encoder.encodeTexts([text])
            return (try single(texts.vectors), texts.cut.first ?? nil)
        case .vector, .catalogImage, .product: return nil
        }
    }

    private func single(_ vectors: [[Float]]) throws -> [Float] { try checked(vectors.count == 1 ? vectors[0] : nil) }

    /// Checked here, since the index would take twice as many numbers for two queries.
    private func checked(_ vector: [Float]?) throws -> [Float] {
        guard let vector, vector.count == index.dimension else {
            throw SearchError.dimension(found: vector?.count ?? 0, expected: index.dimension)
        }
        return vector
    }

    private func hits(_ vector: [Float], _ query: SearchQuery, _ gallery: Gallery) async throws -> [Hit] {
        if gallery.admitted.isEmpty { return [] }
        var request = VectorRequest(
            vectors: vector, k: query.limit, admission: .ids(gallery.admitted),
            minimumScore: query.minimumScore.map { Float($0) })
        if query.grouping == .product { request.group = { gallery.columns.productIndex(of: $0) } }
        return try await index.search(request)[0]
    }

    private func results(_ hits: [Hit]) throws -> [SearchResult] {
        let images = try catalog.store.images(hits.map(\.id))
        let products = try catalog.store.products(images.values.map(\.productID))
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
