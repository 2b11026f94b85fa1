import Catalog
import Foundation
import Retrieval
import Synchronization
import Testing

@testable import Search

@Suite("Search files of a catalogue", .timeLimit(.minutes(5)))
struct IndexFilesTests {
    private typealias Garment = Boutique.Garment

    private final class Notes: Sendable {
        let texts = Mutex<[String]>([])
        func add(_ text: String) { texts.withLock { $0.append(text) } }
        var all: [String] { texts.withLock { $0 } }
    }

    private static func garments(_ count: Int) -> [Garment] {
        (0..<count).map { Garment(product: "P\($0)", vector: vector(0.9 - Double($0) / 1000)) }
    }

    private func start(_ boutique: Boutique, _ notes: Notes = Notes()) throws -> SearchEngine {
        let live = try LiveCatalog(CatalogStore(path: boutique.store.path, mode: .readOnly), form: .codes) { notes.add($0) }
        return try SearchEngine(live, encoder: FakeEncoder(model: boutique.model))
    }

    private func found(_ engine: SearchEngine, limit: Int = 200) async throws -> [String] {
        try await engine.search(SearchQuery(.vector([1, 0, 0, 0]), limit: limit)).results.map(\.product.id)
    }

    private func folder(_ boutique: Boutique) -> String { boutique.store.path + ".index/fake" }

    private func segments(_ boutique: Boutique) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: folder(boutique)).filter { $0.hasPrefix("segment-") }.sorted()
    }

    @Test("a start from files finds what a start from the catalogue finds, and what changed since")
    func starts() async throws {
        let boutique = try Boutique(Self.garments(60))
        let files = IndexFiles(boutique.store)
        #expect(throws: IndexFiles.Unfit.missing) { try files.load(boutique.model) }
        let first = try start(boutique)
        let expected = try await found(first)
        #expect(expected == (0..<60).map { "P\($0)" })
        #expect(try first.catalog.saveFiles(of: boutique.model))
        #expect(try files.load(boutique.model).index.count == 60)
        #expect(try files.state(of: "fake").count == 60)
        try files.verify("fake")

        let notes = Notes()
        #expect(try await found(start(boutique, notes)) == expected)
        // One is replaced, one goes, one comes, behind the files' back.
        let ids = boutique.ids
        try boutique.store.writeVectors(
            [NewVector(image: ids[5], contentHash: nil, components: vector(0.99))], of: boutique.model)
        try boutique.importRows(Self.garments(60) + [Garment(product: "new", vector: [])])
        let new = try #require(boutique.ids.last)
        try boutique.store.writeVectors(
            [NewVector(image: new, contentHash: nil, components: vector(0.95))], of: boutique.model)
        try boutique.importRows(Array(Self.garments(60)[1...]) + [Garment(product: "new", vector: [])], at: 1..<61, prune: true)
        let again = try start(boutique, notes)
        #expect(try await found(again) == ["P5", "new"] + (1..<60).filter { $0 != 5 }.map { "P\($0)" })
        #expect(try again.catalog.verifyFiles(of: boutique.model))
        #expect(notes.all == [], "the files were used")
    }

    @Test("files are written anew where much has changed since, and only then")
    func saving() async throws {
        let boutique = try Boutique(Self.garments(100))
        let engine = try start(boutique)
        #expect(try !engine.catalog.saveFiles(of: boutique.model, unlessSmallerThan: 101))
        #expect(try engine.catalog.saveFiles(of: boutique.model, unlessSmallerThan: 100))
        #expect(try !engine.catalog.saveFiles(of: boutique.model, unlessSmallerThan: 1))
        for number in 0..<30 {
            try boutique.store.writeVectors(
                [NewVector(image: boutique.ids[number], contentHash: nil, components: vector(0.1))], of: boutique.model)
        }
        try await engine.catalog.refresh()
        #expect(try engine.catalog.saveFiles(of: boutique.model, unlessSmallerThan: 1))
        #expect(try Set(segments(boutique)) == Set(IndexFiles(boutique.store).state(of: "fake").segments.map(\.name)))
        let notes = Notes()
        #expect(try await found(start(boutique, notes)) == found(engine))
        #expect(notes.all == [])
        #expect(try IndexFiles(boutique.store).state(of: "fake").count == 100)
    }

    @Test("files of another catalogue, or of one that went another way, are not used, and that is told")
    func foreign() async throws {
        let boutique = try Boutique(Self.garments(20))
        try start(boutique).catalog.saveFiles(of: boutique.model)
        // The same rows, ids and log in another catalogue.
        let other = try Boutique((0..<20).map { Garment(product: "P\($0)", vector: vector(Double($0) / 100)) })
        try FileManager.default.copyItem(atPath: boutique.store.path + ".index", toPath: other.store.path + ".index")
        let notes = Notes()
        #expect(try await found(start(other, notes)).first == "P19")
        #expect(notes.all.count == 1 && notes.all[0].contains("another catalogue"))

        // A copy that is put back, and then goes another way.
        let copy = boutique.store.path + ".copy"
        try boutique.store.close()
        try FileManager.default.copyItem(atPath: boutique.store.path, toPath: copy)
        func write(_ cosine: Double, to place: Int) throws {
            let store = try CatalogStore(path: boutique.store.path, mode: .readWrite)
            try store.writeVectors(
                [NewVector(image: boutique.ids[place], contentHash: nil, components: vector(cosine))], of: boutique.model)
            try store.close()
        }
        try write(0.99, to: 7)
        try start(boutique).catalog.saveFiles(of: boutique.model)
        try FileManager.default.removeItem(atPath: boutique.store.path)
        try FileManager.default.moveItem(atPath: copy, toPath: boutique.store.path)
        try write(0.98, to: 3)
        try write(0.5, to: 4)
        let went = Notes()
        #expect(try await found(start(boutique, went)).prefix(2) == ["P3", "P0"])
        #expect(went.all.count == 1)
    }

    @Test("damaged files are found out, told, and the catalogue is read instead")
    func damaged() async throws {
        let boutique = try Boutique(Self.garments(40))
        let expected = try await found(start(boutique))
        func damage(_ change: (inout Data) -> Void) throws {
            let engine = try start(boutique)
            try engine.catalog.saveFiles(of: boutique.model)
            let path = try folder(boutique) + "/" + #require(segments(boutique).first)
            var data = try Data(contentsOf: URL(fileURLWithPath: path))
            change(&data)
            try data.write(to: URL(fileURLWithPath: path), options: .atomic)
        }
        // What a look at the header shows is told at the start.
        try damage { $0.removeLast(10) }
        var notes = Notes()
        #expect(try await found(start(boutique, notes)) == expected)
        #expect(notes.all.count == 1)
        try damage { $0[20] ^= 0xFF }
        notes = Notes()
        #expect(try await found(start(boutique, notes)) == expected)
        #expect(notes.all.count == 1)
        // One blank less before the numbers: a file as the format allows it, and one that can't be read in place.
        try damage { data in
            let length = data.prefix(8).enumerated().reduce(0) { $0 + Int($1.element) << (8 * $1.offset) }
            data.insert(UInt8(ascii: " "), at: 8 + length)
            data[0] += 1
        }
        notes = Notes()
        #expect(try await found(start(boutique, notes)) == expected)
        #expect(notes.all.count == 1 && notes.all[0].contains("aligned"))
        // A flipped bit of a code takes reading all of it; what was found by it is put right.
        try damage { $0[$0.count - 64] ^= 0x40 }
        notes = Notes()
        let engine = try start(boutique, notes)
        #expect(notes.all == [])
        #expect(try !engine.catalog.verifyFiles(of: boutique.model))
        #expect(notes.all.count == 1 && notes.all[0].contains("damaged"))
        #expect(try await found(engine) == expected)
        #expect(throws: IndexFiles.Unfit.self) { try IndexFiles(boutique.store).verify("fake") }
        // Saved again, they are whole.
        #expect(try engine.catalog.saveFiles(of: boutique.model, unlessSmallerThan: 1))
        try IndexFiles(boutique.store).verify("fake")
        // A state that is none.
        try Data("{".utf8).write(to: URL(fileURLWithPath: folder(boutique) + "/state.json"))
        notes = Notes()
        #expect(try await found(start(boutique, notes)) == expected)
        #expect(notes.all.count == 1)
        try Data(#"{"version": 99}"#.utf8).write(to: URL(fileURLWithPath: folder(boutique) + "/state.json"))
        #expect(throws: IndexFiles.Unfit.otherVersion(99)) { try IndexFiles(boutique.store).load(boutique.model) }
    }

    @Test("a folder that can't be written leaves everything as it was, and says so")
    func unwritable() async throws {
        let boutique = try Boutique(Self.garments(10))
        try Data("a file".utf8).write(to: URL(fileURLWithPath: boutique.store.path + ".index"))
        let engine = try start(boutique)
        #expect(throws: (any Error).self) { try engine.catalog.saveFiles(of: boutique.model) }
        #expect(try await found(engine).count == 10)
    }
}
