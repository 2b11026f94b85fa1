import Catalog
import Imaging
import Retrieval
import Testing

@testable import Search

@Suite("Near-duplicates")
struct DuplicateSearchTests {
    private typealias Garment = Boutique.Garment

    /// A picture of one colour with a stripe.
    private static func picture(_ gray: UInt8, stripe: UInt8) throws -> RGBImage {
        try RGBImage(
            width: 30, height: 30,
            pixels: (0..<30).flatMap { _ in (0..<30).flatMap { [UInt8](repeating: $0 < 8 ? stripe : gray, count: 3) } })
    }

    private func report(
        _ boutique: Boutique, _ grays: [UInt8?], score: Float = DuplicateSearch.standardScore, shouldStop: () -> Bool = { false }
    ) async throws -> DuplicateReport {
        let engine = try boutique.engine()
        let pictures = Dictionary(uniqueKeysWithValues: zip(boutique.ids, grays))
        return try await DuplicateSearch(engine.catalog, engine.index, score: score).run(
            read: { image in
                guard let gray = pictures[image.id] ?? nil else { throw ImageError.empty }
                return try Self.picture(gray, stripe: 10)
            }, shouldStop: shouldStop)
    }

    @Test("a pair needs near vectors and nearly the same pixels; groups join over pairs")
    func groups() async throws {
        let boutique = try Boutique([
            Garment(product: "A", vector: vector(1)), Garment(product: "A", vector: vector(0.5)),
            Garment(product: "B", vector: vector(0.99)), Garment(product: "C", vector: vector(0.98)),
            // As near to the model as those, and another colour.
            Garment(product: "D", vector: vector(0.995)),
            // The same pixels, and far away to the model.
            Garment(product: "E", vector: vector(-1)),
        ])
        let report = try await report(boutique, [200, 100, 203, 206, 90, 200])
        #expect(report.compared == 6 && report.unreadable == 0 && !report.stopped)
        #expect(report.groups.map { $0.images.map(\.productID) } == [["A", "B", "C"]])
        let least = zip(vector(1), vector(0.98)).reduce(0) { $0 + $1.0 * $1.1 }
        #expect(abs(report.groups[0].score - Double(least)) < 1e-6)
        #expect(
            report.products == [
                .init(first: "A", second: "B", shared: 1, of: 1), .init(first: "A", second: "C", shared: 1, of: 1),
                .init(first: "B", second: "C", shared: 1, of: 1),
            ])
    }

    @Test("products are near-duplicates where they share at least half of the pictures of the one with fewer")
    func products() async throws {
        let boutique = try Boutique([
            Garment(product: "A", vector: vector(0.9)), Garment(product: "A", vector: vector(0.2)),
            Garment(product: "A", vector: vector(-0.5)), Garment(product: "B", vector: vector(0.9)),
            Garment(product: "B", vector: vector(-0.9)), Garment(product: "B", vector: vector(0)),
            Garment(product: "C", vector: vector(0.2)),
        ])
        let report = try await report(boutique, [10, 80, 120, 10, 160, 200, 80])
        #expect(report.groups.count == 2)
        // One of three pictures is shared with B: too few.
        #expect(report.products == [.init(first: "A", second: "C", shared: 1, of: 1)])
    }

    @Test("more copies than are looked at of each still make one group, and what can't be opened joins none")
    func many() async throws {
        let boutique = try Boutique((0..<40).map { Garment(product: "P\($0)", vector: vector(1)) })
        let report = try await report(boutique, (0..<40).map { $0 == 7 ? nil : 50 })
        #expect(report.groups.map(\.images.count) == [39])
        #expect(report.unreadable == 1)
        #expect(!report.groups[0].images.contains { $0.productID == "P7" })
    }

    @Test("a stop keeps what was found, and an empty catalogue has none")
    func stopped() async throws {
        let boutique = try Boutique([Garment(product: "A", vector: vector(1)), Garment(product: "B", vector: vector(1))])
        let stopped = try await report(boutique, [50, 50], shouldStop: { true })
        #expect(stopped.stopped && stopped.groups.isEmpty && stopped.compared == 0)
        #expect(try await report(boutique, [50, 50], score: 1.1).groups.isEmpty)
    }
}
