import Catalog
import Foundation
import GRDB
import Imaging
import Search
import Synchronization

/// A folder that goes away with the object.
final class Folder: Sendable {
    let url: URL

    init() throws {
        url = FileManager.default.temporaryDirectory.appending(path: "search-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(at: url) }
}

/// A catalogue of text files that pass for pictures, with vectors that a test chooses.
final class Boutique {
    struct Garment {
        var product: String
        var vector: [Float]
        var color = "black"
        var price = 10.0
        var view: String?
        /// "Garment" and the product where left out.
        var title: String?
        var isInStock = true
    }

    private let owner: Folder
    let store: CatalogStore
    let model: ModelRecord
    /// The image of each garment, in the order given.
    private(set) var ids: [ImageID] = []

    init(_ garments: [Garment], dimension: Int = 4, embedded: Bool = true) throws {
        owner = try Folder()
        store = try CatalogStore(path: owner.url.path + "/boutique.db", mode: .create)
        model = ModelRecord(fingerprint: "fake", name: "fake", dimension: dimension)
        try importRows(garments)
        guard embedded else { return }
        try write(garments.map(\.vector))
    }

    private var folder: URL { owner.url }

    private func path(_ place: Int) -> String { folder.resolvingSymlinksInPath().path + "/\(place).png" }

    /// Imports garments, each with the picture of its place in the list, or of the place given.
    func importRows(_ garments: [Garment], at places: Range<Int>? = nil, prune: Bool = false) throws {
        var manifest = ""
        let places = places ?? garments.indices
        for (place, garment) in zip(places, garments) {
            try Data("picture \(place)".utf8).write(to: URL(fileURLWithPath: path(place)))
            let view = garment.view.map { ", \"view\": \"\($0)\"" } ?? ""
            manifest += """
                {"image": "\(place).png", "product_id": "\(garment.product)", "title": "\(garment.title ?? "Garment \(garment.product)")", \
                "color": "\(garment.color)", "price": \(garment.price), "in_stock": \(garment.isInStock)\(view)}\n
                """
        }
        try Data(manifest.utf8).write(to: folder.appending(path: "manifest.jsonl"))
        try importAgain(prune: prune)
        let byPath = Dictionary(uniqueKeysWithValues: try store.images().map { ($0.path, $0.id) })
        ids = places.compactMap { byPath[path($0)] }
        precondition(ids.count == garments.count)
    }

    /// Imports the manifest once more, whatever became of its files.
    func importAgain(prune: Bool = false) throws {
        _ = try store.importCatalog(
            from: folder, options: ImportOptions(prune: prune), inspect: { _, _ in PictureSize(width: 2, height: 2) })
    }

    /// Writes a vector for each of `ids`.
    func write(_ vectors: [[Float]]) throws {
        try store.writeVectors(
            zip(ids, vectors).map { NewVector(image: $0, contentHash: nil, components: $1) }, of: model)
    }

    /// Writes a product with one picture as an older version might have: past everything that looks at ids.
    func insert(product: String, vector: [Float]) throws {
        let queue = try DatabaseQueue(path: store.path)
        let image = try queue.write { db in
            try db.execute(sql: "INSERT INTO products (id) VALUES (?)", arguments: [product])
            try db.execute(
                sql: """
                    INSERT INTO images (product_id, path, source, sha256, width, height, state)
                    VALUES (?, ?, '/old', ?, 2, 2, 'ok')
                    """, arguments: [product, "/old/\(UUID().uuidString)", String(repeating: "0", count: 64)])
            return db.lastInsertedRowID
        }
        try queue.close()
        try store.writeVectors([NewVector(image: image, contentHash: nil, components: vector)], of: model)
    }

    func engine(_ encoder: FakeEncoder? = nil) throws -> SearchEngine {
        try SearchEngine(catalog: store, encoder: encoder ?? FakeEncoder(model: model, folder: owner))
    }
}

/// A unit vector whose cosine similarity with `[1, 0, 0, 0]` is `cosine`.
func vector(_ cosine: Double, dimension: Int = 4) -> [Float] {
    var vector = [Float](repeating: 0, count: dimension)
    vector[0] = Float(cosine)
    vector[1] = Float((1 - cosine * cosine).squareRoot())
    return vector
}

/// Looks at the first pixel of a picture and at the length of a text.
struct FakeEncoder: EmbeddingModel {
    var model: ModelRecord
    /// How many numbers it gives, whatever its model says.
    var width: Int?
    /// Keeps the files there as long as an engine has this encoder.
    var folder: Folder?

    func encode(images: [RGBImage]) -> [[Float]] {
        images.map { vector(Double($0.pixels[0]) / 255, dimension: width ?? model.dimension) }
    }

    func encode(texts: [String]) -> [[Float]] {
        texts.map { vector(1 / Double($0.count), dimension: width ?? model.dimension) }
    }

    /// It says of texts of more than 20 letters that it has cut them.
    func encodeTexts(_ texts: [String]) -> EncodedTexts {
        EncodedTexts(vectors: encode(texts: texts), cut: texts.map { $0.count > 20 ? TextCut(tokens: $0.count, read: 20) : nil })
    }
}

/// Something that one task tells another.
final class Flag: Sendable {
    private let state = Mutex(false)

    var isSet: Bool { state.withLock { $0 } }
    func set() { state.withLock { $0 = true } }
}

/// Marsaglia's xorshift64: the same numbers on every machine.
struct SeededNumbers: RandomNumberGenerator {
    private var state: UInt64

    init(_ seed: UInt64) { state = seed &* 0x9E37_79B9_7F4A_7C15 | 1 }

    mutating func next() -> UInt64 {
        state ^= state << 13
        state ^= state >> 7
        state ^= state << 17
        return state
    }
}
