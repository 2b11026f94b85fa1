#if Milvus
    import BitCollections
    import Catalog
    import Foundation
    import Retrieval
    import Search
    import Synchronization

    /// SplitMix64: the same numbers in every run.
    struct SeededGenerator: RandomNumberGenerator {
        var state: UInt64

        mutating func next() -> UInt64 {
            state &+= 0x9E37_79B9_7F4A_7C15
            var z = state
            z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
            z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
            return z ^ (z >> 31)
        }

        /// A direction, evenly spread over the sphere.
        mutating func direction(_ dimension: Int) -> [Float] {
            let vector = (0..<dimension).map { _ in (0..<4).reduce(Float(0)) { sum, _ in sum + .random(in: -1...1, using: &self) }
            }
            let length = vector.reduce(0) { $0 + $1 * $1 }.squareRoot()
            return vector.map { $0 / length }
        }
    }

    /// A catalogue of text files that pass for pictures, three of each product, with values that an expression may stumble over, and a random vector
    /// for each picture.
    final class Shop: Sendable {
        static let colors = [
            "Black", "dark \"blue\"", "back\\slash", "Grün", "gru\u{308}n", "red|Blue", "100 %", "a=b", "tab\there", "it's",
            "(1 or 1==1)", "😀",
        ]
        static let categories = ["Men/Tops/Hoodies", "Men/Tops", "Women|Men/Topsy", "Women/Tops"]
        static let sizes = ["36|38|40", "38", "40|42", "S", "1e1"]

        let store: CatalogStore
        let model: ModelRecord
        private let folder: String
        private let random: Mutex<SeededGenerator>

        init(products: Int, dimension: Int = 16, seed: UInt64 = 1, model: String = "0123456789abcdef0123") throws {
            folder = FileManager.default.temporaryDirectory.resolvingSymlinksInPath().path + "/shop-\(UUID().uuidString)"
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
            store = try CatalogStore(path: folder + "/shop.db", mode: .create)
            self.model = ModelRecord(fingerprint: model, name: "fake", dimension: dimension)
            random = Mutex(SeededGenerator(state: seed))
            try take(0..<products)
        }

        deinit { try? FileManager.default.removeItem(atPath: folder) }

        private struct Row: Encodable {
            let image, product_id, title, category, color, size: String
            let price: Double
            let in_stock: Bool
            let description: String
            let shelf: String?

            enum CodingKeys: String, CodingKey {
                case image, product_id, title, category, color, size, price, in_stock, description
                case shelf = "shelf no. 1"
            }
        }

        /// Imports products by their numbers, new or with other values, and gives what has no vector yet one.
        /// - Parameter prune: takes all others away.
        func take(_ products: some Sequence<Int>, prune: Bool = false) throws {
            var manifest = Data()
            for product in products {
                let category = pick(Self.categories)
                let price = Double(pick(Array(0..<200))) / 4
                for view in 0..<3 {
                    let name = "\(product)-\(view).png"
                    if !FileManager.default.fileExists(atPath: "\(folder)/\(name)") {
                        try Data("picture \(name)".utf8).write(to: URL(fileURLWithPath: "\(folder)/\(name)"))
                    }
                    let row = Row(
                        image: name, product_id: product % 7 == 0 ? "P \"\(product)\"" : "P\(product)",
                        title: "Garment \(product)",
                        category: category, color: pick(Self.colors),
                        size: pick(Self.sizes),
                        price: price, in_stock: product % 3 != 0,
                        description: String(repeating: "long ", count: 40) + "\(product % 5)",
                        shelf: product % 4 == 0 ? "\(product % 8)" : nil)
                    manifest += try JSONEncoder().encode(row) + Data("\n".utf8)
                }
            }
            try manifest.write(to: URL(fileURLWithPath: folder + "/manifest.jsonl"))
            _ = try store.importCatalog(
                from: URL(fileURLWithPath: folder), options: ImportOptions(prune: prune),
                inspect: { _, _ in PictureSize(width: 2, height: 2) })
            try embed()
        }

        private func pick<Value: Sendable>(_ values: [Value]) -> Value {
            values[random.withLock { Int.random(in: values.indices, using: &$0) }]
        }

        func embed() throws {
            let vectors = try store.images(withoutVectorOf: model.fingerprint).map {
                NewVector(image: $0.id, contentHash: nil, components: random.withLock { $0.direction(model.dimension) })
            }
            try store.writeVectors(vectors, of: model)
        }

        func rows() throws -> CatalogRows {
            guard let rows = try CatalogRows(store, of: model) else { throw CocoaError(.fileReadCorruptFile) }
            return rows
        }

        /// Our own answer: every admitted vector compared.
        func exact(_ query: [Float], k: Int, where filter: CatalogFilter, isGrouped: Bool) throws -> [Hit] {
            let columns = try CatalogColumns(reading: store)
            let table = try store.vectors(of: model.fingerprint)
            var builder = try ExactIndexBuilder(capacity: table.count, dimension: model.dimension, form: .floats)
            for (place, id) in table.imageIDs.enumerated() {
                try table.values[place * model.dimension..<(place + 1) * model.dimension].withUnsafeBufferPointer {
                    try builder.append(id, copying: $0)
                }
            }
            let index = try LiveIndex(dimension: model.dimension, segments: [builder.finish()])
            var request = VectorRequest(vectors: query, k: k, admission: .ids(try columns.images(matching: filter)))
            if isGrouped { request.group = { columns.productIndex(of: $0) } }
            return try index.search(request)[0]
        }
    }
#endif
