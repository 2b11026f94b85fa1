import Catalog
import Foundation
import GRDB

/// A catalogue of any size without a picture: rows and vectors as an import and `embed` would have left them.
struct GeneratedCatalog {
    let path: String
    let images: Int
    let dimension: Int

    static let imagesPerProduct = 4
    static let colors = ["black", "white", "red", "blue", "green", "grey", "navy", "beige", "pink", "brown"]
    static let categories = ["Dresses", "Shirts", "Trousers", "Coats", "Skirts"].flatMap { kind in
        ["Women/\(kind)", "Men/\(kind)"]
    }
    static let brands = (0..<200).map { "Brand \($0)" }

    var model: ModelRecord { ModelRecord(fingerprint: "generated-\(dimension)", name: "generated", dimension: dimension) }

    /// Opens the catalogue, made anew if it is not there.
    func open() throws -> CatalogStore {
        if !FileManager.default.fileExists(atPath: path) {
            try CatalogStore(path: path, mode: .create).close()
            try writeRows()
        }
        let store = try CatalogStore(path: path, mode: .readWrite)
        if try store.counts().vectors[model.fingerprint] != images { try writeVectors(store) }
        return store
    }

    private func writeRows() throws {
        var numbers = SystemRandomNumberGenerator()
        let queue = try DatabaseQueue(path: path)
        try queue.write { db in
            for product in 0..<(images + Self.imagesPerProduct - 1) / Self.imagesPerProduct {
                let id = "P\(product)"
                try db.execute(
                    sql:
                        "INSERT INTO products (id, title, category, brand, price, currency, in_stock) VALUES (?, ?, ?, ?, ?, 'EUR', ?)",
                    arguments: [
                        id, "Garment \(product)", Self.categories.randomElement(using: &numbers),
                        Self.brands.randomElement(using: &numbers), Double(Int.random(in: 500...20_000, using: &numbers)) / 100,
                        Int.random(in: 0..<10, using: &numbers) > 0,
                    ])
                let color = Self.colors.randomElement(using: &numbers)
                for image in product * Self.imagesPerProduct..<min((product + 1) * Self.imagesPerProduct, images) {
                    try db.execute(
                        sql: """
                            INSERT INTO images (product_id, path, source, sha256, width, height, view, color, state)
                            VALUES (?, ?, '/generated', ?, 1, 1, ?, ?, 'ok')
                            """,
                        arguments: [
                            id, "/generated/\(image).png", String(repeating: "0", count: 64),
                            image % Self.imagesPerProduct == 0 ? "front" : "side", color,
                        ])
                }
            }
        }
        try queue.close()
    }

    /// Clusters, as a model makes of garments: 2,000 directions, and noise about as long as them.
    private func writeVectors(_ store: CatalogStore) throws {
        var noise = Noise()
        let centers = (0..<2_000).map { _ in (0..<dimension).map { _ in noise.next() } }
        let ids = try store.usableImageIDs()
        for first in stride(from: 0, to: ids.count, by: 4_000) {
            let vectors = ids[first..<min(first + 4_000, ids.count)].map { id -> NewVector in
                var vector = centers[Int(id) / Self.imagesPerProduct * 7 % centers.count].map { $0 + noise.next() }
                let length = vector.reduce(0) { $0 + $1 * $1 }.squareRoot()
                for place in vector.indices { vector[place] /= length }
                return NewVector(image: id, contentHash: nil, components: vector)
            }
            try store.writeVectors(vectors, of: model)
        }
    }
}

/// Numbers in -1…1, the same in every run.
struct Noise {
    private var state: UInt64 = 0x9E37_79B9_7F4A_7C15

    mutating func next() -> Float {
        state ^= state << 13
        state ^= state >> 7
        state ^= state << 17
        return Float(Int32(truncatingIfNeeded: state >> 20)) / Float(Int32.max)
    }
}
