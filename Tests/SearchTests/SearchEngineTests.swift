import Catalog
import Foundation
import Imaging
import Retrieval
import Search
import Testing

@Suite("Search engine")
struct SearchEngineTests {
    private typealias Garment = Boutique.Garment

    private static let query = SearchQuery.Subject.vector([1, 0, 0, 0])

    @Test("a product comes once, with its most similar picture, also when its pictures fill the first places")
    func oncePerProduct() async throws {
        // 60 pictures of one product, all nearer than any other product.
        var garments = (0..<60).map { Garment(product: "A", vector: vector(0.99 - Double($0) / 1000)) }
        garments += [Garment(product: "B", vector: vector(0.3)), Garment(product: "B", vector: vector(0.5))]
        garments += [Garment(product: "C", vector: vector(0.4))]
        let boutique = try Boutique(garments)
        let response = try await boutique.engine().search(SearchQuery(Self.query, limit: 3))
        #expect(response.results.map(\.product.id) == ["A", "B", "C"])
        #expect(response.results.map(\.image.id) == [0, 61, 62].map { boutique.ids[$0] })
        #expect(response.results.map(\.rank) == [1, 2, 3])
        for (result, cosine) in zip(response.results, [0.99, 0.5, 0.4]) { #expect(abs(result.score - cosine) < 1e-6) }
    }

    @Test("grouped by image, a product may come several times")
    func byImage() async throws {
        let garments = [0.9, 0.8, 0.7, 0.6].enumerated().map { Garment(product: "P\($0 / 2)", vector: vector($1)) }
        let boutique = try Boutique(garments)
        let response = try await boutique.engine().search(SearchQuery(Self.query, limit: 3, grouping: .image))
        #expect(response.results.map(\.product.id) == ["P0", "P0", "P1"])
        #expect(response.results.map(\.image.id) == Array(boutique.ids.prefix(3)))
    }

    @Test("a filter that takes away the best hits still leaves as many results as exist", arguments: [1, 5, 7, 8, 200])
    func filtered(limit: Int) async throws {
        var garments = (0..<120).map { Garment(product: "near\($0)", vector: vector(0.999 - Double($0) / 10000), color: "black") }
        garments += (0..<14).map { Garment(product: "far\($0 / 2)", vector: vector(0.2 - Double($0) / 100), color: "Red") }
        let boutique = try Boutique(garments)
        let response = try await boutique.engine().search(
            SearchQuery(Self.query, limit: limit, filter: CatalogFilter(["color=red"])))
        #expect(response.results.map(\.product.id) == (0..<min(limit, 7)).map { "far\($0)" })
        #expect(response.results.allSatisfy { $0.image.color == "Red" })
    }

    @Test("a filter that admits nothing gives no results")
    func nothingAdmitted() async throws {
        let boutique = try Boutique([Garment(product: "A", vector: vector(0.5))])
        let response = try await boutique.engine().search(SearchQuery(Self.query, filter: CatalogFilter(["price=50.."])))
        #expect(response.results.isEmpty)
    }

    @Test("two keys of a filter both have to hold, a key given twice widens")
    func filterLogic() async throws {
        let boutique = try Boutique([
            Garment(product: "A", vector: vector(0.9), color: "red", price: 5),
            Garment(product: "B", vector: vector(0.8), color: "red", price: 20),
            Garment(product: "C", vector: vector(0.7), color: "blue", price: 25),
            Garment(product: "D", vector: vector(0.6), color: "green", price: 25),
        ])
        let engine = try boutique.engine()
        let filter = try CatalogFilter(["color=red", "color=blue", "price=10..30"])
        #expect(try await engine.search(SearchQuery(Self.query, filter: filter)).results.map(\.product.id) == ["B", "C"])
    }

    @Test("the least score cuts the list, inclusive, also inside a product")
    func minimumScore() async throws {
        let boutique = try Boutique([
            Garment(product: "A", vector: vector(0.75)), Garment(product: "A", vector: vector(0.5)),
            Garment(product: "B", vector: vector(0.5)), Garment(product: "C", vector: vector(0.25)),
        ])
        let engine = try boutique.engine()
        func found(_ score: Double, _ grouping: SearchQuery.Grouping) async throws -> [String] {
            try await engine.search(SearchQuery(Self.query, minimumScore: score, grouping: grouping)).results.map(\.product.id)
        }
        #expect(try await found(0.5, .product) == ["A", "B"])
        #expect(try await found(0.5, .image) == ["A", "A", "B"])
        #expect(try await found(0.6, .image) == ["A"])
        #expect(try await found(-1, .product) == ["A", "B", "C"])
        #expect(try await found(1, .product) == [])
    }

    @Test("random catalogues, filters and limits give what sorting everything gives", arguments: 1...12)
    func againstSorting(seed: UInt64) async throws {
        var numbers = SeededNumbers(seed)
        let colors = ["red", "green", "blue"]
        // Few distinct similarities, so that ties are frequent.
        let garments = (0..<150).map { _ in
            Garment(
                product: "P\(Int.random(in: 0..<40, using: &numbers))",
                vector: vector(Double(Int.random(in: -20...20, using: &numbers)) / 20),
                color: colors.randomElement(using: &numbers) ?? "", price: 10)
        }
        let boutique = try Boutique(garments)
        let engine = try boutique.engine()
        for grouping in SearchQuery.Grouping.allCases {
            let limit = Int.random(in: 1...50, using: &numbers)
            let color = Bool.random(using: &numbers) ? colors.randomElement(using: &numbers) : nil
            let least = Bool.random(using: &numbers) ? Double(Int.random(in: -10...9, using: &numbers)) / 10 + 0.01 : nil
            let sorted = garments.indices.filter { color == nil || garments[$0].color == color }
                .filter { Double(garments[$0].vector[0]) >= least ?? -1 }
                .sorted { (-garments[$0].vector[0], boutique.ids[$0]) < (-garments[$1].vector[0], boutique.ids[$1]) }
            var seen: Set<String> = []
            let expected = sorted.filter { grouping == .image || seen.insert(garments[$0].product).inserted }.prefix(limit)
            let filter = try CatalogFilter(color.map { ["color=\($0)"] } ?? [])
            let found = try await engine.search(
                SearchQuery(Self.query, limit: limit, filter: filter, minimumScore: least, grouping: grouping))
            #expect(found.results.map(\.image.id) == expected.map { boutique.ids[$0] })
        }
    }

    @Test("pictures and texts go through the encoder")
    func subjects() async throws {
        let boutique = try Boutique([Garment(product: "A", vector: vector(1)), Garment(product: "B", vector: vector(0.2))])
        let engine = try boutique.engine()
        let white = try RGBImage(width: 1, height: 1, pixels: [255, 255, 255])
        let dark = try RGBImage(width: 1, height: 1, pixels: [51, 0, 0])
        #expect(try await engine.search(SearchQuery(.image(white))).results.first?.product.id == "A")
        #expect(try await engine.search(SearchQuery(.image(dark))).results.first?.product.id == "B")
        #expect(try await engine.search(SearchQuery(.text("x"))).results.first?.product.id == "A")
        #expect(try await engine.search(SearchQuery(.text("dress"))).results.first?.product.id == "B")
    }
}

extension SearchEngineTests {
    @Test("a text that the model did not read whole is told")
    func cutText() async throws {
        let engine = try Boutique([Garment(product: "A", vector: vector(1))]).engine()
        let short = try await engine.search(SearchQuery(.text("dress")))
        let long = try await engine.search(SearchQuery(.text(String(repeating: "red dress ", count: 200))))
        #expect(!short.truncatedText && short.textTokens == nil && short.textTokensRead == nil)
        #expect(long.truncatedText && long.textTokens == 2000 && long.textTokensRead == 20)
        #expect(long.results.map(\.product.id) == ["A"])
    }

    @Test("a product's and a picture's own search leaves out what it must, also where a filter would admit it")
    func ownResults() async throws {
        let garments = [("A", 0.9), ("A", 0.85), ("B", 0.8), ("C", 0.1)].map { Garment(product: $0, vector: vector($1)) }
        let boutique = try Boutique(garments)
        let engine = try boutique.engine()
        func found(_ subject: SearchQuery.Subject, _ grouping: SearchQuery.Grouping) async throws -> [ImageID] {
            try await engine.search(SearchQuery(subject, filter: CatalogFilter(["color=black"]), grouping: grouping))
                .results.map(\.image.id)
        }
        let ids = boutique.ids
        #expect(try await found(.product("A"), .product) == [ids[2], ids[3]])
        #expect(try await found(.catalogImage(ids[0]), .product) == [ids[2], ids[3]])
        #expect(try await found(.catalogImage(ids[0]), .image) == [ids[1], ids[2], ids[3]])
        await #expect(throws: SearchError.unknownProduct("Z")) { try await found(.product("Z"), .product) }
        await #expect(throws: SearchError.unknownImage(999)) { try await found(.catalogImage(999), .image) }
    }
}

@Suite("What a search refuses")
struct SearchRefusalTests {
    private typealias Garment = Boutique.Garment

    private static let query = SearchQuery.Subject.vector([1, 0, 0, 0])

    private func boutique() throws -> Boutique { try Boutique([Garment(product: "A", vector: vector(0.5))]) }

    @Test("a limit outside 1...200", arguments: [0, -1, 201, Int.max, Int.min])
    func limit(limit: Int) async throws {
        let engine = try boutique().engine()
        await #expect(throws: SearchError.limit(limit)) { try await engine.search(SearchQuery(Self.query, limit: limit)) }
    }

    @Test("a least score that is no cosine", arguments: [1.01, -1.5, .infinity])
    func score(score: Double) async throws {
        let engine = try boutique().engine()
        await #expect(throws: SearchError.minimumScore(score)) {
            try await engine.search(SearchQuery(Self.query, minimumScore: score))
        }
    }

    @Test("an empty text", arguments: ["", " ", "\n\t "])
    func emptyText(text: String) async throws {
        let engine = try boutique().engine()
        await #expect(throws: SearchError.emptyText) { try await engine.search(SearchQuery(.text(text))) }
    }

    @Test("a filter key that nothing has, naming those there are")
    func unknownKey() async throws {
        let engine = try boutique().engine()
        let error = await #expect(throws: CatalogError.self) {
            try await engine.search(SearchQuery(Self.query, filter: CatalogFilter(["colour=red"])))
        }
        guard case .unknownKey("colour", let known) = error else { return #expect(Bool(false), "\(String(describing: error))") }
        #expect(known.contains("color"))
    }

    @Test("a catalogue without vectors of the model, or with none at all")
    func noVectors() throws {
        let none = try Boutique([Garment(product: "A", vector: vector(0.5))], embedded: false)
        #expect(throws: SearchError.noVectors(model: "fake", catalog: none.store.path)) { try none.engine() }
        // Known to the catalogue, but no picture could be embedded.
        try none.store.writeVectors([], of: none.model)
        #expect(throws: SearchError.noVectors(model: "fake", catalog: none.store.path)) { try none.engine() }
        let other = ModelRecord(fingerprint: "other", name: "other", dimension: 4)
        let some = try boutique()
        #expect(throws: SearchError.noVectors(model: "other", catalog: some.store.path)) {
            try some.engine(FakeEncoder(model: other))
        }
    }

    @Test("stored vectors of another dimension than the model's")
    func storedDimension() throws {
        let boutique = try boutique()
        let encoder = FakeEncoder(model: ModelRecord(fingerprint: "fake", name: "fake", dimension: 8))
        #expect(throws: SearchError.storedDimension(model: "fake", found: 4, expected: 8)) { try boutique.engine(encoder) }
    }

    @Test("a query vector of another dimension, a multiple of the right one too", arguments: [2, 3, 8])
    func dimension(width: Int) async throws {
        let boutique = try boutique()
        let given = try boutique.engine()
        await #expect(throws: SearchError.dimension(found: width, expected: 4)) {
            try await given.search(SearchQuery(.vector(vector(0.5, dimension: width))))
        }
        let made = try boutique.engine(FakeEncoder(model: boutique.model, width: width))
        await #expect(throws: SearchError.dimension(found: width, expected: 4)) {
            try await made.search(SearchQuery(.text("dress")))
        }
    }

    @Test("every refusal is one sentence")
    func sentences() {
        let errors: [SearchError] = [
            .limit(0), .minimumScore(2), .noVectors(model: "m", catalog: "c.db"), .dimension(found: 1, expected: 2), .emptyText,
            .storedDimension(model: "m", found: 1, expected: 2),
        ]
        for error in errors {
            #expect(error.description.hasSuffix("."))
            #expect(!error.description.contains("\n"))
        }
    }
}

@Suite("The document a search answers")
struct SearchDocumentTests {
    @Test("it has the contract's keys and no others")
    func keys() async throws {
        let boutique = try Boutique([.init(product: "A", vector: vector(0.5), view: "back")])
        let response = try await boutique.engine().search(SearchQuery(.text("dress")))
        let object = try #require(try JSONSerialization.jsonObject(with: JSONEncoder().encode(response)) as? [String: Any])
        #expect(Set(object.keys) == ["model", "results", "timing_ms", "truncated_text", "fusion", "unknown_words"])
        #expect(object["model"] as? String == "fake")
        let timing = try #require(object["timing_ms"] as? [String: Double])
        #expect(Set(timing.keys) == ["encode", "search", "total"])
        #expect(timing.values.allSatisfy { $0 >= 0 })
        let result = try #require((object["results"] as? [[String: Any]])?.first)
        #expect(Set(result.keys) == ["rank", "score", "product", "image", "vector_rank"])
        #expect(result["rank"] as? Int == 1)
        let score = try #require(result["score"] as? Double)
        #expect((-1...1).contains(score))
        let product = try #require(result["product"] as? [String: Any])
        #expect(Set(product.keys) == ["id", "title", "price", "in_stock", "colors"])
        #expect(
            product["id"] as? String == "A" && product["title"] as? String == "Garment A" && product["price"] as? Double == 10)
        let image = try #require(result["image"] as? [String: Any])
        #expect(Set(image.keys) == ["id", "path", "view", "color"])
        #expect((image["path"] as? String)?.hasPrefix("/") == true && image["view"] as? String == "back")
    }

    @Test("it reads back as it was written")
    func roundTrip() async throws {
        let boutique = try Boutique([.init(product: "A", vector: vector(0.5)), .init(product: "B", vector: vector(0.4))])
        let response = try await boutique.engine().search(SearchQuery(.vector([1, 0, 0, 0])))
        #expect(try JSONDecoder().decode(SearchResponse.self, from: JSONEncoder().encode(response)) == response)
    }
}
