import Foundation
import Testing

@testable import Catalog

@Suite("A model that the catalogue knows by a former fingerprint")
struct FormerFingerprintTests {
    let folder: TestFolder
    let store: CatalogStore

    init() throws {
        folder = try TestFolder()
        try folder.boutique(products: 3, views: 2)
        store = try CatalogStore(path: folder.catalogPath, mode: .create)
        _ = try store.importCatalog(from: folder.url, inspect: TestPicture.inspect)
    }

    private func write(_ images: [ImageID], _ fingerprint: String, _ components: [Float] = [1, 0, 0]) throws {
        try store.writeVectors(
            images.map { NewVector(image: $0, contentHash: nil, components: components) },
            of: ModelRecord(fingerprint: fingerprint, name: "small", dimension: components.count))
    }

    @Test("gets its present one, and its vectors stay")
    func renamed() throws {
        try write([1, 2, 5], "old")
        #expect(try store.adopt(fingerprint: "new", formerly: ["older", "old"]) == "new")
        #expect(try store.models().map(\.fingerprint) == ["new"])
        #expect(try store.vectors(of: "new").imageIDs == [1, 2, 5])
        #expect(try store.adopt(fingerprint: "new", formerly: ["older", "old"]) == "new")
    }

    @Test("keeps it where it is unknown, and other models are let alone")
    func unknown() throws {
        try write([1], "other")
        #expect(try store.adopt(fingerprint: "new", formerly: ["old"]) == "new")
        #expect(try store.adopt(fingerprint: "new", formerly: []) == "new")
        #expect(try store.models().map(\.fingerprint) == ["other"])
    }

    @Test("has the vectors of several joined, the present one's first")
    func joined() throws {
        try write([1, 2], "new", [1, 0, 0])
        try write([2, 3], "old", [0, 1, 0])
        try write([3, 4], "older", [0, 0, 1])
        #expect(try store.adopt(fingerprint: "new", formerly: ["old", "older"]) == "new")
        #expect(try store.models().map(\.fingerprint) == ["new"])
        let table = try store.vectors(of: "new")
        #expect(table.imageIDs == [1, 2, 3, 4])
        #expect(table.values == [1, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1])
    }

    @Test("is another model's where the vectors are of another dimension")
    func otherDimension() throws {
        try write([1], "new", [1, 0, 0])
        try write([1], "old", [0, 1])
        #expect(try store.adopt(fingerprint: "new", formerly: ["old"]) == "new")
        #expect(try store.vectors(of: "new").values == [1, 0, 0] && store.vectors(of: "old").values == [0, 1])
    }

    @Test("is found under the former one in a catalogue that can't be written")
    func readOnly() throws {
        try write([1, 2], "old")
        try store.close()
        let reader = try CatalogStore(path: folder.catalogPath, mode: .readOnly)
        #expect(try reader.adopt(fingerprint: "new", formerly: ["old"]) == "old")
        #expect(try reader.models().map(\.fingerprint) == ["old"])
    }
}
