import Foundation
import GRDB
import Testing

@testable import Catalog

@Suite("Stored vectors")
struct VectorTests {
    let folder: TestFolder
    let store: CatalogStore
    let model = ModelRecord(fingerprint: "f1", name: "small", dimension: 3)

    init() throws {
        folder = try TestFolder()
        try folder.boutique(products: 3, views: 2)
        store = try CatalogStore(path: folder.catalogPath, mode: .create)
        _ = try store.importCatalog(from: folder.url, inspect: TestPicture.inspect)
    }

    /// A unit vector whose components have no short decimal form.
    private func vector(_ seed: Int) -> [Float] {
        let raw: [Float] = [Float(seed) + 0.1, -1 / 3, .leastNonzeroMagnitude]
        let length = raw.map { $0 * $0 }.reduce(0, +).squareRoot()
        return raw.map { $0 / length }
    }

    private func new(_ image: ImageID, _ components: [Float]? = nil) throws -> NewVector {
        NewVector(image: image, contentHash: try store.image(image)?.contentHash, components: components ?? vector(Int(image)))
    }

    @Test("vectors come back bit for bit, in one piece, in the order of ids, with their products")
    func roundTrip() throws {
        #expect(try store.writeVectors([new(5), new(2), new(6)], of: model) == [])
        try store.close()
        let reopened = try CatalogStore(path: folder.catalogPath, mode: .readOnly)
        let table = try reopened.vectors(of: "f1")
        #expect(table.model == model)
        #expect(table.imageIDs == [2, 5, 6])
        #expect(table.values.map(\.bitPattern) == (vector(2) + vector(5) + vector(6)).map(\.bitPattern))
        #expect(table.products == [0, 1, 1])
        #expect(table.productIDs == ["P0", "P2"])
        #expect(try reopened.vector(of: 5, model: "f1")?.map(\.bitPattern) == vector(5).map(\.bitPattern))
        #expect(try reopened.vector(of: 1, model: "f1") == nil)
        #expect(try reopened.models() == [model])
        #expect(try reopened.counts().vectors == ["f1": 3])
    }

    @Test("vectors are handed out one by one, of usable images alone, from any id, and by id")
    func oneByOne() throws {
        try store.writeVectors([new(5), new(2), new(6), new(1)], of: model)
        try store.write { try $0.execute(sql: "UPDATE images SET state = 'missing' WHERE id = 2") }
        func walk(after: ImageID = 0) throws -> [ImageID: [Float]] {
            var found: [ImageID: [Float]] = [:]
            var last = after
            try store.forEachVector(of: "f1", after: after) { id, components in
                #expect(id > last)
                last = id
                found[id] = Array(components)
            }
            return found
        }
        #expect(try walk() == [1: vector(1), 5: vector(5), 6: vector(6)])
        #expect(try walk(after: 5) == [6: vector(6)])
        #expect(try store.vectors(of: "f1", images: [6, 2, 3, 77]) == [6: vector(6)])
        #expect(throws: CatalogError.self) { try store.vectors(of: "none", images: [1]) }
        struct Stop: Error {}
        var seen = 0
        #expect(throws: Stop.self) {
            try store.forEachVector(of: "f1") { _, _ in
                seen += 1
                throw Stop()
            }
        }
        #expect(seen == 1)
    }

    @Test("writing a vector again replaces it")
    func replace() throws {
        try store.writeVectors([new(1)], of: model)
        try store.writeVectors([new(1, [0, 1, 0])], of: model)
        #expect(try store.vectors(of: "f1").values == [0, 1, 0])
    }

    @Test("every picture has its place: its path, and the folder where its source's relative paths begin, even when that is gone")
    func places() throws {
        let real = folder.url.resolvingSymlinksInPath().path
        #expect(try store.places().map(\.path) == store.images().map(\.path))
        #expect(try store.places().allSatisfy { $0.folder == real })
        // A list beside the pictures, and a plain folder of pictures whose name ends like a manifest's.
        try folder.picture("lists/far/x.jpg")
        try folder.write("lists/more.csv", "image,product_id\nfar/x.jpg,X\n")
        try folder.picture("odd.json/y.jpg")
        for name in ["lists/more.csv", "odd.json"] {
            _ = try store.importCatalog(from: URL(fileURLWithPath: folder.file(name)), inspect: TestPicture.inspect)
        }
        func folders() throws -> [String] { try store.places().suffix(2).map(\.folder) }
        #expect(try folders() == [real + "/lists", real + "/odd.json"])
        try folder.remove("lists/more.csv")
        #expect(try folders() == [real + "/lists", real + "/odd.json"])
    }

    @Test("the work list holds what has no vector of this model, from any point, in shards that share nothing")
    func workList() throws {
        try store.writeVectors([new(2), new(3)], of: model)
        #expect(try store.images(withoutVectorOf: "f1").map(\.id) == [1, 4, 5, 6])
        #expect(try store.images(withoutVectorOf: "f1", after: 4, limit: 1).map(\.id) == [5])
        #expect(try store.images(withoutVectorOf: "other").count == 6)
        #expect(try store.countOfImages(withoutVectorOf: "f1") == 4)
        let shards = try (0..<3).map { try store.images(withoutVectorOf: "f1", shard: Shard(index: $0, count: 3)).map(\.id) }
        #expect(shards.flatMap { $0 }.sorted() == [1, 4, 5, 6])
        #expect(Set(shards.flatMap { $0 }).count == 4)
        #expect(throws: CatalogError.badShard(index: 3, count: 3)) { try Shard(index: 3, count: 3) }
        #expect(throws: CatalogError.badShard(index: 0, count: 0)) { try Shard(index: 0, count: 0) }
    }

    @Test("vectors of another model are kept apart")
    func fingerprints() throws {
        let other = ModelRecord(fingerprint: "f2", name: "small", dimension: 2)
        try store.writeVectors([new(1)], of: model)
        try store.writeVectors([new(1, [1, 0]), new(2, [0, 1])], of: other)
        #expect(try store.vectors(of: "f1").imageIDs == [1])
        #expect(try store.vectors(of: "f2").values == [1, 0, 0, 1])
        #expect(throws: CatalogError.unknownModel(fingerprint: "f3", known: ["small (f1)", "small (f2)"])) {
            try store.vectors(of: "f3")
        }
    }

    @Test("a vector that is no unit vector of the model's dimension is refused, and nothing of its batch is stored")
    func refused() throws {
        let table: [([Float], (CatalogError) -> Bool)] = [
            ([1, 0], { $0 == .wrongDimension(image: 2, got: 2, expected: 3) }),
            ([], { $0 == .wrongDimension(image: 2, got: 0, expected: 3) }),
            ([1, 1, 0], { $0 == .notUnitLength(image: 2, length: 2.0.squareRoot()) }),
            ([0, 0, 0], { $0 == .notUnitLength(image: 2, length: 0) }),
            ([.nan, 0, 1], { if case .notUnitLength = $0 { true } else { false } }),
            ([.infinity, 0, 0], { if case .notUnitLength = $0 { true } else { false } }),
            ([1.0011, 0, 0], { if case .notUnitLength = $0 { true } else { false } }),
        ]
        for (components, matches) in table {
            let error = #expect(throws: CatalogError.self) { try store.writeVectors([new(1), new(2, components)], of: model) }
            if let error { #expect(matches(error), "\(error)") }
            #expect(try store.counts().vectors.isEmpty)
        }
        try store.writeVectors([new(2, [1.0009, 0, 0])], of: model)
        #expect(throws: CatalogError.dimensionConflict(fingerprint: "f1", got: 2, expected: 3)) {
            try store.writeVectors([new(1, [1, 0])], of: ModelRecord(fingerprint: "f1", name: "small", dimension: 2))
        }
        #expect(throws: CatalogError.invalidDimension(fingerprint: "f1", got: 0)) {
            try store.writeVectors([], of: ModelRecord(fingerprint: "f1", name: "small", dimension: 0))
        }
        #expect(throws: CatalogError.unknownImage(id: 77)) {
            try store.writeVectors([new(1), NewVector(image: 77, contentHash: nil, components: [1, 0, 0])], of: model)
        }
        #expect(try store.vectors(of: "f1").imageIDs == [2])
    }

    @Test("a vector made from bytes that the catalogue no longer knows is not stored, and its image is named")
    func stale() throws {
        let old = try [new(1), new(2)]
        try folder.picture("images/0-0.jpg", "another picture")
        _ = try store.importCatalog(from: folder.url, inspect: TestPicture.inspect)
        #expect(try store.writeVectors(old, of: model) == [1])
        #expect(try store.vectors(of: "f1").imageIDs == [2])
    }

    @Test("a blob of the wrong size in the file is named as damage")
    func damagedBlob() throws {
        try store.writeVectors([new(1)], of: model)
        try store.write { try $0.execute(sql: "UPDATE vectors SET components = x'0000'") }
        for read in [{ _ = try store.vectors(of: "f1") }, { try store.forEachVector(of: "f1") { _, _ in } }] {
            let error = #expect(throws: CatalogError.self) { try read() }
            if case .corrupt = error {} else { Issue.record("\(String(describing: error))") }
        }
    }
}
