import Catalog
import Foundation
import Search
import Testing

@Suite("The line below which nothing is a close match")
struct CloseMatchTests {
    private typealias Garment = Boutique.Garment

    /// Two pictures of each product, near each other, products anywhere.
    private static func garments(_ products: Range<Int>, seed: UInt64) -> [Garment] {
        var numbers = SeededNumbers(seed)
        return products.flatMap { product -> [Garment] in
            let center = (0..<8).map { _ in Float.random(in: -1...1, using: &numbers) }
            return (0..<2).map { _ in
                let moved = center.map { $0 + Float.random(in: -0.05...0.05, using: &numbers) }
                let length = moved.reduce(0) { $0 + $1 * $1 }.squareRoot()
                return Garment(product: "P\(product)", vector: moved.map { $0 / length })
            }
        }
    }

    /// Every picture's best score with a picture of another product, ascending: by comparing all with all.
    private static func nearestOthers(_ garments: [Garment]) -> [Double] {
        garments.map { garment in
            garments.filter { $0.product != garment.product }
                .map { other in Double(zip(garment.vector, other.vector).reduce(Float(0)) { $0 + $1.0 * $1.1 }) }
                .max() ?? -1
        }.sorted()
    }

    private static let query = SearchQuery.Subject.vector([1, 0, 0, 0, 0, 0, 0, 0])

    @Test("a twentieth of the pictures have no other product that near; a picture's own product does not count")
    func quantile() async throws {
        let garments = Self.garments(0..<60, seed: 5)
        let expected = Self.nearestOthers(garments)[garments.count / 20]
        let engine = try Boutique(garments, dimension: 8).engine()
        for subject in [Self.query, .product("P7"), .catalogImage(1)] {
            let line = try #require(try await engine.search(SearchQuery(subject)).closeMatchScore)
            #expect(abs(line - expected) < 1e-5)
        }
        // Its own product alone would be far nearer.
        #expect(expected < 0.95)
    }

    @Test("texts have none, and neither has a catalogue of few products, however many pictures it has")
    func absent() async throws {
        let engine = try Boutique(Self.garments(0..<60, seed: 5), dimension: 8).engine()
        #expect(try await engine.search(SearchQuery(.text("dress"))).closeMatchScore == nil)
        let few = (0..<6).flatMap { Self.garments(0..<19, seed: 7 + UInt64($0)) }
        let small = try Boutique(few, dimension: 8).engine()
        #expect(try await small.search(SearchQuery(Self.query)).closeMatchScore == nil)
    }

    @Test("it follows a catalogue that grows, behind the searches")
    func follows() async throws {
        let first = Self.garments(0..<30, seed: 11)
        let boutique = try Boutique(first, dimension: 8)
        let engine = try boutique.engine()
        let before = try #require(try await engine.search(SearchQuery(Self.query)).closeMatchScore)
        // Twins of other names: everything has another product beside it now.
        let twins = first.map { Garment(product: "twin of \($0.product)", vector: $0.vector) }
        try boutique.importRows(twins, at: first.count..<2 * first.count)
        try boutique.write(twins.map(\.vector))
        try await engine.catalog.refresh()
        let clock = ContinuousClock()
        let end = clock.now + .seconds(30)
        var after = before
        while after < 0.999, clock.now < end {
            after = try await engine.search(SearchQuery(Self.query)).closeMatchScore ?? 0
            await Task.yield()
        }
        #expect(before < 0.95 && after > 0.999)
    }
}
