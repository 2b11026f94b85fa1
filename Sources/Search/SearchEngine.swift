import BitCollections
public import Catalog
import Imaging
import Retrieval

/// Answers queries over a catalogue with one model: filter, encode, search, look up.
public struct SearchEngine: Sendable {
    public let encoder: any EmbeddingModel
    /// What is searched; it follows the file.
    public let catalog: LiveCatalog
    let index: any VectorIndex
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
        index = try catalog.searched(of: model)
        guard index.count > 0 || mayBeEmpty else { throw SearchError.noVectors(model: model.name, catalog: catalog.store.path) }
        closeMatchLine = CloseMatchLine(catalog, index, isWaitedFor: catalog.isHere(model))
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
        try query.check(takesText: encoder.takesText, model: encoder.model.name)
        let clock = ContinuousClock()
        let begin = clock.now
        var encoding = Duration.zero
        var encoded: EncodedTerms?
        var outdated = 0
        while true {
            // A wrong filter is said before the model has worked.
            let gallery = try await catalog.threads.run { try await self.gallery(of: query) }
            if encoded == nil {
                let start = clock.now
                encoded = try await encode(query, gallery)
                encoding = clock.now - start
            }
            guard let terms = encoded else { continue }
            let line = await closeMatchScore(of: query)
            let (found, answer) = try await catalog.threads.run {
                let direction = try self.direction(of: query, terms, gallery)
                let ranking = try await self.ranking(query, direction, gallery, line)
                return (ranking.candidates.count, try self.answer(ranking, query, terms, gallery))
            }
            // Pictures that were removed since the catalogue was last looked at have no row any more: with it brought up to date, others take
            // their places. Under a writer that removes without end, the gaps are closed and that is the answer.
            if answer.results.count < found, outdated < 3 {
                outdated += 1
                try await catalog.refresh()
                continue
            }
            let total = clock.now - begin
            func milliseconds(_ duration: Duration) -> Double { (duration / .microseconds(1)).rounded() / 1000 }
            var response = answer
            response.closeMatchScore = line
            response.timing = [
                "encode": milliseconds(encoding), "search": milliseconds(total - encoding), "total": milliseconds(total),
            ]
            return response
        }
    }

    /// What a query is searched in.
    struct Gallery: Sendable {
        let columns: CatalogColumns
        /// The images that may be found: those of the query's filter but for those that are left out.
        private(set) var admitted: BitSet
        private(set) var leftOut: [ImageID] = []
        /// The vectors of the terms that have one already, by their place in the query.
        var vectors: [Int: [Float]] = [:]
        var liked: [[Float]] = []
        var disliked: [[Float]] = []
        /// What the model is asked of the texts, by their place in the query, where it is not all of the text.
        var texts: [Int: String] = [:]
        /// What the texts say in words; nil for a query without.
        var words: WordCandidates?

        init(_ columns: CatalogColumns, admitted: BitSet) {
            self.columns = columns
            self.admitted = admitted
        }

        mutating func leaveOut(_ image: ImageID) {
            if admitted.remove(Int(image)) != nil { leftOut.append(image) }
        }
    }

    /// Applies the filter, and leaves out what a query by something of the catalogue must not find: itself.
    private func gallery(of query: SearchQuery) async throws -> Gallery {
        let columns = catalog.columns
        var gallery = Gallery(columns, admitted: try columns.images(matching: query.filter))
        for (place, term) in query.terms.enumerated() {
            switch term.subject {
            case .image, .text: break
            case .vector(let vector): gallery.vectors[place] = try checked(vector)
            case .catalogImage(let id):
                try leaveOut(pictureAndItsProduct: id, query, &gallery)
                guard let vector = try await index.vector(of: id) else {
                    throw SearchError.notEmbedded(what: "The picture \(id)", model: encoder.model.name)
                }
                gallery.vectors[place] = vector
            case .catalogPart(let id, _): try leaveOut(pictureAndItsProduct: id, query, &gallery)
            case .product(let id):
                let images = try images(ofProduct: id)
                gallery.vectors[place] = try await direction(ofProduct: id, images)
                for image in images { gallery.leaveOut(image) }
            }
        }
        for id in query.liked { gallery.liked.append(try await direction(ofProduct: id, images(ofProduct: id))) }
        for id in query.disliked {
            let images = try images(ofProduct: id)
            gallery.disliked.append(try await direction(ofProduct: id, images))
            for image in images { gallery.leaveOut(image) }
        }
        try readTexts(of: query, into: &gallery)
        return gallery
    }

    /// What the texts say in words, and what of them the model is asked.
    private func readTexts(of query: SearchQuery, into gallery: inout Gallery) throws {
        var unwanted = query.texts(wanted: false)
        guard query.basis != .vectors, !query.texts(wanted: true).isEmpty || !unwanted.isEmpty else { return }
        let language = try catalog.store.language()
        for (place, term) in query.terms.enumerated() {
            guard case .text(let text) = term.subject, term.weight > 0 else { continue }
            let negation = Negation(text, language: language)
            var wanted = [negation.wanted]
            for word in negation.unwanted {
                if let lacking = try catalog.store.word(forLacking: word, in: language) {
                    wanted.append(lacking)
                } else {
                    unwanted.append(word)
                }
            }
            gallery.texts[place] = wanted.joined(separator: " ")
        }
        let wanted = gallery.texts.sorted { $0.key < $1.key }.map(\.value).joined(separator: " ")
        gallery.words = try WordCandidates(
            wanted: WordQuery(wanted, language: language), unwanted: unwanted.map { WordQuery($0, language: language) },
            in: gallery.columns, of: catalog.store, admitted: gallery.admitted)
    }

    private func leaveOut(pictureAndItsProduct id: ImageID, _ query: SearchQuery, _ gallery: inout Gallery) throws {
        guard let image = try catalog.store.image(id) else { throw SearchError.unknownImage(id) }
        gallery.leaveOut(id)
        guard query.grouping == .product else { return }
        for image in try catalog.store.images(ofProduct: image.productID) { gallery.leaveOut(image.id) }
    }

    private func images(ofProduct id: String) throws -> [ImageID] {
        guard try catalog.store.product(id) != nil else { throw SearchError.unknownProduct(id) }
        return try catalog.store.images(ofProduct: id).map(\.id)
    }

    /// The mean of a product's vectors, at unit length.
    private func direction(ofProduct id: String, _ images: [ImageID]) async throws -> [Float] {
        var mean = [Float](repeating: 0, count: index.dimension)
        let vectors = try await index.vectors(of: images)
        for image in images {
            guard let vector = vectors[image] else { continue }
            for place in mean.indices { mean[place] += vector[place] }
        }
        guard mean.withUnsafeMutableBufferPointer({ UnitVectors.normalize($0) }) else {
            throw SearchError.notEmbedded(what: "The product \(id)", model: encoder.model.name)
        }
        return mean
    }

    private func closeMatchScore(of query: SearchQuery) async -> Double? {
        // What texts and pictures have in common is another measure, and so is what is left of a picture when another is taken off.
        let isPlain = query.terms.allSatisfy { term in
            if case .text = term.subject { false } else { term.weight > 0 }
        }
        return isPlain && query.liked.isEmpty && query.disliked.isEmpty ? await closeMatchLine.score() : nil
    }

    /// The terms that the model had to look at, by their place in the query, and what was cut off the first text that was too long.
    private struct EncodedTerms: Sendable {
        var vectors: [Int: [Float]] = [:]
        var cut: TextCut?
    }

    private func encode(_ query: SearchQuery, _ gallery: Gallery) async throws -> EncodedTerms {
        var pictures: [(place: Int, image: RGBImage)] = []
        var texts: [(place: Int, text: String)] = []
        for (place, term) in query.terms.enumerated() {
            switch term.subject {
            case .image(let image), .catalogPart(_, let image): pictures.append((place, image))
            case .text(let text): texts.append((place, gallery.texts[place] ?? text))
            case .vector, .catalogImage, .product: break
            }
        }
        var encoded = EncodedTerms()
        func take(_ vectors: [[Float]], _ places: [Int]) throws {
            guard vectors.count == places.count else { throw SearchError.dimension(found: 0, expected: index.dimension) }
            for (place, vector) in zip(places, vectors) { encoded.vectors[place] = try checked(vector) }
        }
        if !pictures.isEmpty { try take(try await encoder.encode(images: pictures.map(\.image)), pictures.map(\.place)) }
        if !texts.isEmpty {
            let found = try await encoder.encodeTexts(texts.map(\.text))
            try take(found.vectors, texts.map(\.place))
            encoded.cut = found.cut.lazy.compactMap { $0 }.first
        }
        return encoded
    }

    /// Checked here, since the index would take twice as many numbers for two queries.
    private func checked(_ vector: [Float]) throws -> [Float] {
        guard vector.count == index.dimension else {
            throw SearchError.dimension(found: vector.count, expected: index.dimension)
        }
        return vector
    }

    /// How much all liked products, and all disliked ones, count beside a term of weight 1 (Rocchio 1971: β and γ).
    private static let feedback = (liked: 0.75, disliked: 0.25)

    /// The sum of the terms' vectors times their weights, and of what was liked and not, at unit length.
    private func direction(of query: SearchQuery, _ encoded: EncodedTerms, _ gallery: Gallery) throws -> [Float] {
        var parts: [(vector: [Float], weight: Double)] = []
        for (place, term) in query.terms.enumerated() {
            if let vector = gallery.vectors[place] ?? encoded.vectors[place] { parts.append((vector, term.weight)) }
        }
        if parts.count == 1, parts[0].weight > 0, gallery.liked.isEmpty, gallery.disliked.isEmpty { return parts[0].vector }
        for (vectors, weight) in [(gallery.liked, Self.feedback.liked), (gallery.disliked, -Self.feedback.disliked)] {
            for vector in vectors { parts.append((vector, weight / Double(vectors.count))) }
        }
        var sum = [Float](repeating: 0, count: index.dimension)
        for (vector, weight) in parts {
            for place in sum.indices { sum[place] += Float(weight) * vector[place] }
        }
        let length = sum.reduce(0) { $0 + $1 * $1 }.squareRoot()
        // What rounding leaves of two equal vectors is no direction.
        guard length > 1e-3, sum.withUnsafeMutableBufferPointer({ UnitVectors.normalize($0) }) else {
            throw SearchError.termsCancel
        }
        return sum
    }

    /// The rows of the best candidates; without those whose row is gone.
    private func answer(_ ranking: Ranking, _ query: SearchQuery, _ encoded: EncodedTerms, _ gallery: Gallery) throws
        -> SearchResponse
    {
        let images = try catalog.store.images(ranking.candidates.map(\.hit.id))
        let products = try catalog.store.products(images.values.map(\.productID))
        let found = ranking.candidates.compactMap { candidate in images[candidate.hit.id].map { (candidate, $0) } }
        let words = try gallery.words.map { try catalog.store.words(of: $0.query, in: found.map(\.1.productID)) }
        let results = found.enumerated().map { place, pair in
            let (candidate, image) = pair
            let product = products[image.productID]
            return SearchResult(
                rank: place + 1, score: candidate.score,
                product: .init(
                    id: image.productID, title: product?.title, category: product?.category, brand: product?.brand,
                    price: product?.price, currency: product?.currency, inStock: product?.inStock, url: product?.url,
                    colors: gallery.columns.colors(ofProduct: candidate.product)),
                image: .init(id: image.id, path: image.path, view: image.view, color: image.color),
                words: candidate.wordRank.map { .init(rank: $0, matched: words?[image.productID] ?? []) },
                vectorRank: gallery.words == nil ? nil : candidate.vectorRank)
        }
        return SearchResponse(
            model: encoder.model.name, results: results, closeMatchScore: nil,
            truncatedText: encoded.cut != nil, textTokens: encoded.cut?.tokens, textTokensRead: encoded.cut?.read,
            fusion: gallery.words == nil ? nil : RankFusion(query.basis),
            unknownWords: try gallery.words.map { try catalog.store.unknownWords(of: $0.query) }, timing: [:])
    }
}
