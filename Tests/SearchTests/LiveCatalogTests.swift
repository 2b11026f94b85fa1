import Catalog
import Foundation
import Imaging
import Retrieval
import Synchronization
import Testing

@testable import Search

@Suite("Live catalogue", .timeLimit(.minutes(5)))
struct LiveCatalogTests {
    private typealias Garment = Boutique.Garment

    private static let query = SearchQuery.Subject.vector([1, 0, 0, 0])

    private static func found(_ engine: SearchEngine, limit: Int = 200, filter: [String] = []) async throws -> [String] {
        try await engine.search(SearchQuery(query, limit: limit, filter: CatalogFilter(filter))).results.map(\.product.id)
    }

    @Test("what another connection imports, embeds and prunes is found, or not, after a refresh")
    func otherWriter() async throws {
        let boutique = try Boutique([Garment(product: "A", vector: vector(0.9)), Garment(product: "B", vector: vector(0.8))])
        // A reader of its own, as a server has it.
        let live = try LiveCatalog(CatalogStore(path: boutique.store.path, mode: .readOnly))
        let engine = try SearchEngine(live, encoder: FakeEncoder(model: boutique.model))
        #expect(try await Self.found(engine) == ["A", "B"])

        try boutique.importRows([
            Garment(product: "A", vector: []), Garment(product: "B", vector: []), Garment(product: "C", vector: [], color: "red"),
        ])
        let new = try #require(try boutique.store.images().last)
        try boutique.store.writeVectors(
            [NewVector(image: new.id, contentHash: nil, components: vector(0.85))], of: boutique.model)
        try await live.refresh()
        #expect(try await Self.found(engine) == ["A", "C", "B"])
        #expect(try await Self.found(engine, filter: ["color=red"]) == ["C"])
        #expect(engine.count == 3)

        // A vector of another model changes nothing; a new vector of this one does.
        let other = ModelRecord(fingerprint: "other", name: "other", dimension: 2)
        try boutique.store.writeVectors([NewVector(image: new.id, contentHash: nil, components: [1, 0])], of: other)
        try boutique.store.writeVectors(
            [NewVector(image: new.id, contentHash: nil, components: vector(0.95))], of: boutique.model)
        try await live.refresh()
        #expect(try await Self.found(engine) == ["C", "A", "B"])

        try boutique.importRows([Garment(product: "B", vector: [])], prune: true)
        try await live.refresh()
        #expect(try await Self.found(engine) == ["B"])
        #expect(engine.count == 1)
    }

    @Test("after a prune that nobody told of, a search still gives as many results as exist")
    func untoldPrune() async throws {
        // The nearest 30 go; without more ado the page of 50 would have 20.
        let garments = (0..<100).map { Garment(product: "P\($0)", vector: vector(0.99 - Double($0) / 1000)) }
        let boutique = try Boutique(garments)
        let engine = try boutique.engine()
        #expect(try await Self.found(engine, limit: 50) == (0..<50).map { "P\($0)" })
        try boutique.importRows(Array(garments[30...]), at: 30..<100, prune: true)
        let results = try await engine.search(SearchQuery(Self.query, limit: 50)).results
        #expect(results.map(\.product.id) == (30..<80).map { "P\($0)" })
        #expect(results.map(\.rank) == Array(1...50))
    }

    @Test("following finds what is written beside it, and ends with its task")
    func following() async throws {
        let boutique = try Boutique([Garment(product: "A", vector: vector(0.9))])
        let live = try LiveCatalog(boutique.store)
        let engine = try SearchEngine(live, encoder: FakeEncoder(model: boutique.model))
        let following = Task { await live.follow(every: .milliseconds(5)) { _ in } }
        try boutique.importRows([Garment(product: "A", vector: []), Garment(product: "B", vector: [])])
        try boutique.write([vector(0.9), vector(0.5)])
        while try await Self.found(engine) != ["A", "B"] { await Task.yield() }
        following.cancel()
        await following.value
    }

    @Test("a picture that was missing and comes back is found again with the vector that it had")
    func backAgain() async throws {
        let boutique = try Boutique([Garment(product: "A", vector: vector(0.9)), Garment(product: "B", vector: vector(0.8))])
        let live = try LiveCatalog(boutique.store)
        let engine = try SearchEngine(live, encoder: FakeEncoder(model: boutique.model))
        let path = try #require(try boutique.store.image(boutique.ids[0])).path
        let bytes = try Data(contentsOf: URL(fileURLWithPath: path))
        try FileManager.default.removeItem(atPath: path)
        try boutique.importAgain()
        try await live.refresh()
        #expect(try await Self.found(engine) == ["B"])
        try bytes.write(to: URL(fileURLWithPath: path))
        try boutique.importAgain()
        try await live.refresh()
        #expect(try await Self.found(engine) == ["A", "B"])
    }

    @Test("ids that differ in their Unicode form alone are two products, in searches and pages")
    func unicode() async throws {
        // One letter, and a letter with dots behind it: equal strings in Swift, two rows in the file.
        let ids = ["Kleid-Gr\u{FC}n", "Kleid-Gru\u{308}n"]
        let boutique = try Boutique([Garment(product: "other", vector: vector(0.5))])
        for (place, id) in ids.enumerated() {
            try boutique.insert(product: id, vector: vector(0.9 - Double(place) / 10))
        }
        let engine = try boutique.engine()
        let found = try await Self.found(engine)
        #expect(found.map { Array($0.utf8) } == (ids + ["other"]).map { Array($0.utf8) })
        let page = try await engine.catalog.productPage(matching: CatalogFilter(), offset: 0, limit: 10, facets: ["color"])
        #expect(page.total == 3 && page.entries.count == 3)
        #expect(Set(page.entries.map { Array($0.product.id.utf8) }) == Set((ids + ["other"]).map { Array($0.utf8) }))
        // Neither is among the results of the other's own search, but the other is.
        for (own, other) in [(ids[0], ids[1]), (ids[1], ids[0])] {
            let similar = try await engine.search(SearchQuery(.product(own))).results.map { Array($0.product.id.utf8) }
            #expect(similar.contains(Array(other.utf8)) && !similar.contains(Array(own.utf8)))
        }
    }

    @Test(
        "searches beside imports, new vectors and prunes equal a sort over the rows once they are refreshed", arguments: 1...3)
    func againstRows(seed: UInt64) async throws {
        var numbers = SeededNumbers(seed)
        var garments = (0..<40).map { _ in
            Garment(
                product: "P\(Int.random(in: 0..<15, using: &numbers))",
                vector: vector(Double(Int.random(in: -20...20, using: &numbers)) / 20))
        }
        let boutique = try Boutique(garments)
        let live = try LiveCatalog(CatalogStore(path: boutique.store.path, mode: .readOnly))
        let engine = try SearchEngine(live, encoder: FakeEncoder(model: boutique.model))
        let stop = Mutex(false)
        // Searches that run all the time: whatever they see, no result comes twice and none without a row.
        let readers = (0..<3).map { _ in
            Task {
                var count = 0
                while !stop.withLock({ $0 }) {
                    let results = try await engine.search(SearchQuery(Self.query, limit: 30)).results
                    #expect(Set(results.map(\.product.id)).count == results.count)
                    #expect(zip(results, results.dropFirst()).allSatisfy { $0.score >= $1.score })
                    count += 1
                }
                return count
            }
        }
        for _ in 0..<12 {
            switch Int.random(in: 0..<3, using: &numbers) {
            case 0:
                garments += (0..<5).map { _ in
                    Garment(
                        product: "P\(Int.random(in: 0..<15, using: &numbers))",
                        vector: vector(Double(Int.random(in: -20...20, using: &numbers)) / 20))
                }
            case 1:
                for place in garments.indices where place % 4 == 0 {
                    garments[place].vector = vector(Double(Int.random(in: -20...20, using: &numbers)) / 20)
                }
            default: garments.removeLast(min(4, garments.count - 5))
            }
            try boutique.importRows(garments, prune: true)
            try boutique.write(garments.map(\.vector))
            try await live.refresh()
            let ids = boutique.ids
            let sorted = garments.indices.sorted { (-garments[$0].vector[0], ids[$0]) < (-garments[$1].vector[0], ids[$1]) }
            var seen: Set<String> = []
            let expected = sorted.filter { seen.insert(garments[$0].product).inserted }.map { ids[$0] }
            let results = try await engine.search(SearchQuery(Self.query, limit: 200)).results
            #expect(results.map(\.image.id) == expected)
        }
        stop.withLock { $0 = true }
        for reader in readers { #expect(try await reader.value > 0) }
    }
}
