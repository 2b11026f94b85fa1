import Catalog
import Foundation
import Imaging
import Retrieval
import Testing

@testable import Search

@Suite("Words, terms and orders of a search")
struct ComposedSearchTests {
    private typealias Garment = Boutique.Garment
    private typealias Term = SearchQuery.Term

    private static let near = SearchQuery.Subject.vector([1, 0, 0, 0])

    private func ids(_ boutique: Boutique, _ query: SearchQuery) async throws -> [String] {
        try await boutique.engine().search(query).results.map(\.product.id)
    }

    // MARK: Words

    @Test("a text finds what has all its words first, whatever the vectors say, and what is near without them behind")
    func words() async throws {
        // The fake model takes a text of 8 letters for a direction of cosine 1/8 with the first axis.
        let text = SearchQuery.Subject.text("red coat")
        let toward = vector(1.0 / 8)
        let boutique = try Boutique([
            Garment(product: "near", vector: toward, title: "Blue dress"),
            Garment(product: "both", vector: [0, 0, 1, 0], title: "Red coat"),
            Garment(product: "one", vector: [0, 0, 0, 1], title: "Green coat"),
            Garment(product: "none", vector: [0, -1, 0, 0], title: "Hat"),
        ])
        let response = try await boutique.engine().search(SearchQuery(text))
        #expect(response.results.map(\.product.id) == ["both", "one", "near", "none"])
        #expect(response.results.map { $0.words?.matched } == [["red", "coat"], ["coat"], nil, nil])
        #expect(response.results.map { $0.words?.rank } == [1, 2, nil, nil])
        #expect(response.results.map(\.vectorRank) == [2, 3, 1, 4])
        #expect(response.fusion == .standard)
        #expect(response.unknownWords == [])
        #expect(response.closeMatchScore == nil)
        // Scores stay cosines.
        #expect(abs((response.results.first { $0.product.id == "near" }?.score ?? 0) - 1) < 1e-6)
        #expect(abs(response.results[0].score) < 1e-6)
    }

    @Test("among products with equally good words the nearer comes first")
    func ties() async throws {
        let boutique = try Boutique(
            (0..<9).map { Garment(product: "P\($0)", vector: vector(Double(($0 * 4) % 9) / 10), title: "Red coat") })
        let text = vector(1.0 / 8)
        let byScore = (0..<9).sorted { one, other in
            func score(_ number: Int) -> Float { zip(text, vector(Double((number * 4) % 9) / 10)).reduce(0) { $0 + $1.0 * $1.1 } }
            return score(one) > score(other)
        }
        #expect(try await ids(boutique, SearchQuery(.text("red coat"))) == byScore.map { "P\($0)" })
    }

    @Test("of a product's pictures the one in the colour that was asked for is shown")
    func color() async throws {
        let boutique = try Boutique([
            Garment(product: "A", vector: vector(1.0 / 8), color: "blue", title: "Coat"),
            Garment(product: "A", vector: [0, 0, 1, 0], color: "Dark red", title: "Coat"),
        ])
        let result = try #require(try await boutique.engine().search(SearchQuery(.text("red coat"))).results.first)
        #expect(result.image.color == "Dark red")
        #expect(result.product.colors == ["blue", "Dark red"])
    }

    @Test("a filter holds for what words find, and words that nothing has are named")
    func filtered() async throws {
        let boutique = try Boutique([
            Garment(product: "A", vector: vector(0.9), color: "red", title: "Coat"),
            Garment(product: "B", vector: vector(0.9), color: "blue", title: "Coat"),
            Garment(product: "C", vector: vector(0.9), color: "blue", title: "Hat"),
        ])
        var query = SearchQuery(.text("unicorn coat"), filter: try CatalogFilter(["color=red"]))
        let response = try await boutique.engine().search(query)
        #expect(response.results.map(\.product.id) == ["A"])
        #expect(response.unknownWords == ["unicorn"])
        query.minimumScore = 0.95
        #expect(try await ids(boutique, query).isEmpty)
    }

    @Test("grouped by image, every picture of a product shares its place by words")
    func byImage() async throws {
        let boutique = try Boutique([
            Garment(product: "A", vector: vector(0.2), title: "Red coat"),
            Garment(product: "A", vector: vector(0.1), title: "Red coat"),
            Garment(product: "B", vector: vector(1.0 / 8), title: "Hat"),
        ])
        let response = try await boutique.engine().search(SearchQuery(.text("red coat"), grouping: .image))
        #expect(response.results.map(\.product.id) == ["A", "A", "B"])
        #expect(response.results.map { $0.words?.rank } == [1, 1, nil])
    }

    @Test("words that are not wanted put their products last, and the vector moves away")
    func unwantedWords() async throws {
        let boutique = try Boutique([
            Garment(product: "A", vector: vector(0.99), title: "Floral coat"),
            Garment(product: "B", vector: vector(0.5), title: "Plain coat"),
        ])
        let query = SearchQuery([Term(Self.near), Term(.text("floral"), weight: -0.5)])
        #expect(try await ids(boutique, query) == ["B", "A"])
    }

    // MARK: Terms

    @Test("a text that says without finds what lacks the thing, and puts last what has it")
    func without() async throws {
        let boutique = try Boutique([
            Garment(product: "hooded", vector: vector(1.0 / 4), title: "Coat with a hood"),
            Garment(product: "plain", vector: [0, 0, 1, 0], title: "Coat"),
            Garment(product: "sleeveless", vector: [0, 0, 0, 1], title: "Sleeveless dress"),
            Garment(product: "long", vector: vector(1.0 / 5), title: "Dress with long sleeves"),
        ])
        #expect(try await ids(boutique, SearchQuery(.text("coat without a hood"))).first == "plain")
        #expect(try await ids(boutique, SearchQuery(.text("coat without a hood"))).last == "hooded")
        #expect(try await ids(boutique, SearchQuery(.text("dress without sleeves"))).prefix(2) == ["sleeveless", "long"])
        // The model alone is asked as it stands.
        var query = SearchQuery(.text("coat without a hood"))
        query.basis = .vectors
        #expect(try await boutique.engine().search(query).results.allSatisfy { $0.words == nil })
    }

    @Test("terms are added up by their weights, and what is not wanted is taken away")
    func sum() async throws {
        let half = Float(0.5).squareRoot()
        let boutique = try Boutique([
            Garment(product: "x", vector: [1, 0, 0, 0]), Garment(product: "y", vector: [0, 1, 0, 0]),
            Garment(product: "xy", vector: [half, half, 0, 0]), Garment(product: "z", vector: [0, 0, 1, 0]),
        ])
        let (x, y) = (SearchQuery.Subject.vector([1, 0, 0, 0]), SearchQuery.Subject.vector([0, 1, 0, 0]))
        #expect(try await ids(boutique, SearchQuery([Term(x), Term(y)], limit: 1)) == ["xy"])
        #expect(try await ids(boutique, SearchQuery([Term(x, weight: 5), Term(y)], limit: 2)) == ["x", "xy"])
        let away = try await boutique.engine().search(SearchQuery([Term(x), Term(y, weight: -1)]))
        #expect(away.results.map(\.product.id) == ["x", "xy", "z", "y"])
        #expect(abs(away.results[0].score - Double(half)) < 1e-6)
        #expect(away.closeMatchScore == nil)
        await #expect(throws: SearchError.termsCancel) {
            try await boutique.engine().search(SearchQuery([Term(x), Term(x, weight: -1)]))
        }
    }

    @Test("products and pictures of the catalogue that are part of a query are not among its results, wanted or not")
    func own() async throws {
        let boutique = try Boutique((0..<5).map { Garment(product: "P\($0)", vector: vector(0.9 - Double($0) / 10)) })
        #expect(try await ids(boutique, SearchQuery([Term(.product("P0")), Term(.product("P1"))])) == ["P2", "P3", "P4"])
        let query = SearchQuery([
            Term(Self.near), Term(.product("P0"), weight: -0.2), Term(.catalogImage(boutique.ids[1]), weight: -0.2),
        ])
        #expect(try await ids(boutique, query) == ["P2", "P3", "P4"])
        let white = try RGBImage(width: 1, height: 1, pixels: [255, 255, 255])
        #expect(try await ids(boutique, SearchQuery(.catalogPart(boutique.ids[0], white))) == ["P1", "P2", "P3", "P4"])
    }

    @Test("what can't be asked is refused before the model works")
    func refused() async throws {
        let boutique = try Boutique([Garment(product: "A", vector: vector(0.5))])
        let engine = try boutique.engine()
        var many = SearchQuery(Self.near)
        many.terms = Array(repeating: Term(Self.near), count: 17)
        var diverse = SearchQuery(Self.near)
        diverse.diversity = 1.5
        var boosted = SearchQuery(Self.near)
        boosted.boosts = [.init(.init(key: "color", anyOf: [.equals("red")]), weight: 3)]
        var liking = SearchQuery(Self.near)
        liking.liked = ["nobody"]
        for (query, error) in [
            (SearchQuery([Term(Self.near, weight: 0)]), SearchError.nothingWanted), (SearchQuery([Term]()), .nothingWanted),
            (SearchQuery([Term(Self.near), Term(Self.near, weight: 0)]), .weight(0)),
            (SearchQuery([Term(Self.near, weight: 11)]), .weight(11)),
            (SearchQuery([Term(Self.near, weight: -1)]), .nothingWanted),
            (many, .tooManyTerms(17)), (diverse, .diversity(1.5)), (boosted, .boost(3)), (liking, .unknownProduct("nobody")),
        ] {
            await #expect(throws: error) { try await engine.search(query) }
        }
    }

    // MARK: Liking

    @Test("liked products draw the answer to them, disliked ones push it away and are gone")
    func feedback() async throws {
        let boutique = try Boutique([
            Garment(product: "left", vector: [0.8, 0.6, 0, 0]), Garment(product: "left2", vector: [0.75, 0.661437, 0, 0]),
            Garment(product: "right", vector: [0.8, 0, 0.6, 0]), Garment(product: "right2", vector: [0.76, 0, 0.649923, 0]),
        ])
        var query = SearchQuery(Self.near)
        #expect(try await ids(boutique, query) == ["left", "right", "right2", "left2"])
        query.liked = ["left2"]
        #expect(try await ids(boutique, query) == ["left", "left2", "right", "right2"])
        query.liked = []
        query.disliked = ["right2"]
        #expect(try await ids(boutique, query) == ["left", "left2", "right"])
        // Without anything else, what is liked is what is looked for.
        var alone = SearchQuery([Term]())
        alone.liked = ["right"]
        #expect(try await ids(boutique, alone).prefix(2) == ["right", "right2"])
    }

    // MARK: Orders

    @Test("sorting orders what is relevant, and lets nothing else in")
    func sorting() async throws {
        var garments = (0..<6).map {
            Garment(
                product: "coat\($0)", vector: vector(0.5), price: [30, 10, 50, 20, 60, 40][$0], title: "Red coat",
                isInStock: $0 > 1)
        }
        garments += (0..<30).map { Garment(product: "hat\($0)", vector: vector(0.9), price: 1, title: "Hat") }
        let boutique = try Boutique(garments)
        var query = SearchQuery(.text("red coat"), limit: 4)
        for (sorting, expected) in [
            (SearchQuery.Sorting.price, [1, 3, 0, 5]), (.priceDescending, [4, 2, 5, 0]), (.newest, [5, 4, 3, 2]),
            (.stock, [2, 3, 4, 5]),
        ] {
            query.sorting = sorting
            #expect(try await ids(boutique, query) == expected.map { "coat\($0)" }, "\(sorting)")
        }
        // By picture: as many as were asked for are relevant where no line is known, close matches where one is.
        var picture = SearchQuery(Self.near, limit: 2)
        picture.sorting = .priceDescending
        #expect(try await ids(boutique, picture).allSatisfy { $0.hasPrefix("hat") })
    }

    @Test("a boost brings its products forward by as much as it says")
    func boost() async throws {
        let boutique = try Boutique([
            Garment(product: "A", vector: vector(0.9), color: "black"), Garment(product: "B", vector: vector(0.86), color: "red"),
            Garment(product: "C", vector: vector(0.5), color: "red"),
        ])
        var query = SearchQuery(Self.near)
        query.boosts = [.init(.init(key: "color", anyOf: [.equals("red")]))]
        #expect(try await ids(boutique, query) == ["B", "A", "C"])
        query.boosts[0].weight = 0.5
        #expect(try await ids(boutique, query) == ["B", "C", "A"])
    }

    @Test("diversity takes no two of a kind while another kind is near, and none of it leaves the order alone")
    func diversity() async throws {
        let boutique = try Boutique([
            Garment(product: "a1", vector: [0.9, 0.43589, 0, 0]), Garment(product: "a2", vector: [0.899, 0.43795, 0, 0]),
            Garment(product: "a3", vector: [0.898, 0.44, 0, 0]), Garment(product: "b", vector: [0.85, 0, 0.52678, 0]),
            Garment(product: "far", vector: [0, 0, 0, 1]),
        ])
        var query = SearchQuery(Self.near, limit: 3)
        #expect(try await ids(boutique, query) == ["a1", "a2", "a3"])
        query.diversity = 0.5
        #expect(try await ids(boutique, query).prefix(2) == ["a1", "b"])
    }

    // MARK: Ranks

    @Test("reciprocal rank fusion is 1 for the first of both, and falls with either rank")
    func fusion() {
        let fusion = RankFusion(words: 1, vectors: 0.5)
        #expect(abs(fusion.relevance(wordRank: 1, vectorRank: 1) - 1) < 1e-12)
        // (1/61 + .5/70) * 61/1.5
        #expect(abs(fusion.relevance(wordRank: 1, vectorRank: 10) - (1.0 / 61 + 0.5 / 70) * 61 / 1.5) < 1e-12)
        #expect(fusion.relevance(wordRank: nil, vectorRank: nil) == 0)
        #expect(abs(fusion.relevance(wordRank: nil, vectorRank: 1) - 1.0 / 3) < 1e-12)
    }

    @Test("an answer is read as it is written")
    func codable() async throws {
        let boutique = try Boutique([Garment(product: "A", vector: vector(0.5), title: "Red coat")])
        let response = try await boutique.engine().search(SearchQuery(.text("red coat")))
        let data = try JSONEncoder().encode(response)
        #expect(try JSONDecoder().decode(SearchResponse.self, from: data) == response)
        let fusion = try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])["fusion"] as? [String: Any]
        #expect(fusion?["method"] as? String == "reciprocal_rank_fusion")
        #expect((fusion?["weights"] as? [String: Double])?["words"] == 1)
    }
}
