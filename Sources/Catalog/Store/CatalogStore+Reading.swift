import GRDB

/// One of `count` equal parts of the images: those whose id leaves the remainder `index`.
public struct Shard: Sendable, Hashable {
    public let index: Int
    public let count: Int

    /// - Parameters: index in `0..<count`; count at least 1.
    /// - Throws: `CatalogError.badShard`.
    public init(index: Int, count: Int) throws(CatalogError) {
        guard count >= 1, (0..<max(count, 1)).contains(index) else { throw .badShard(index: index, count: count) }
        self.index = index
        self.count = count
    }
}

extension CatalogStore {
    /// The ids of the usable images, in ascending order.
    public func usableImageIDs() throws(CatalogError) -> [ImageID] {
        try read { db in try ImageID.fetchAll(db, sql: "SELECT id FROM images WHERE state = 'ok' ORDER BY id") }
    }

    /// Products in the order of their ids, after the given one, at most `limit`: one page of a walk over all of them.
    public func products(after id: String? = nil, limit: Int = .max) throws(CatalogError) -> [Product] {
        try read { db in
            try Product.fetch(db, "WHERE id > ? ORDER BY id LIMIT ?", [id ?? "", Int64(limit)])
        }
    }

    /// Products in the order of their ids, whether they have pictures or not, and how many there are.
    public func products(offset: Int, limit: Int) throws(CatalogError) -> (total: Int, products: [Product]) {
        try read { db in
            (
                try Int.fetchOne(db, sql: "SELECT count(*) FROM products") ?? 0,
                try Product.fetch(db, "ORDER BY id LIMIT ? OFFSET ?", [limit, offset])
            )
        }
    }

    /// The products with these ids, by id; unknown ids are left out.
    public func products(_ ids: some Sequence<String>) throws(CatalogError) -> [String: Product] {
        let list = JSONText.array(ids)
        let found = try read { db in try Product.fetch(db, "WHERE id IN (SELECT value FROM json_each(?))", [list]) }
        // Two ids of an older catalogue may differ in Unicode normalisation alone, which a dictionary takes for one.
        return Dictionary(found.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
    }

    /// The product with an id, in the one spelling that ids have; in the given spelling where an older catalogue has that.
    public func product(_ id: String) throws(CatalogError) -> Product? {
        try read { db in
            try Product.fetch(db, "WHERE id IN (?, ?) ORDER BY id = ? DESC", [id, id.oneSpelling, id]).first
        }
    }

    /// Images of every state in the order of their ids, after the given one, at most `limit`.
    public func images(after id: ImageID = 0, limit: Int = .max) throws(CatalogError) -> [CatalogImage] {
        try read { db in try CatalogImage.fetch(db, "WHERE id > ? ORDER BY id LIMIT ?", [id, Int64(limit)]) }
    }

    /// The images with these ids, by id; unknown ids are left out.
    public func images(_ ids: some Sequence<ImageID>) throws(CatalogError) -> [ImageID: CatalogImage] {
        let list = JSONText.array(ids)
        let found = try read { db in try CatalogImage.fetch(db, "WHERE id IN (SELECT value FROM json_each(?))", [list]) }
        return Dictionary(found.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
    }

    public func image(_ id: ImageID) throws(CatalogError) -> CatalogImage? {
        try read { db in try CatalogImage.fetch(db, "WHERE id = ?", [id]).first }
    }

    /// All images of a product, in the order of their ids.
    public func images(ofProduct id: String) throws(CatalogError) -> [CatalogImage] {
        try read { db in
            try CatalogImage.fetch(
                db,
                """
                WHERE product_id = (SELECT id FROM products WHERE id IN (?, ?) ORDER BY id = ? DESC LIMIT 1) ORDER BY id
                """, [id, id.oneSpelling, id])
        }
    }

    /// Where every image lies, of every state, in the order of their ids: for finding them by the paths that others have for them.
    public func places() throws(CatalogError) -> [ImagePlace] { try places(where: "true", []).map(\.place) }

    /// Where the images with these ids lie, by id; unknown ids are left out.
    public func places(_ ids: some Sequence<ImageID>) throws(CatalogError) -> [ImageID: ImagePlace] {
        let found = try places(where: "id IN (SELECT value FROM json_each(?))", [JSONText.array(ids)])
        return Dictionary(found.map { ($0.id, $0.place) }, uniquingKeysWith: { first, _ in first })
    }

    private func places(
        where condition: String, _ arguments: StatementArguments
    ) throws(CatalogError) -> [(id: ImageID, place: ImagePlace)] {
        let (rows, media) = try read { db in
            let rows = try Row.fetchAll(
                db, sql: "SELECT id, path, source FROM images WHERE \(condition) ORDER BY id", arguments: arguments
            ).map { row in (id: row["id"] as ImageID, path: row["path"] as String, source: row["source"] as String) }
            return (rows, try MediaFolder(db))
        }
        var folders: [ExactText: String] = [:]
        return rows.map { row in
            if let media, let name = MediaFolder.name(inStored: row.path) {
                return (row.id, ImagePlace(path: media.file(name), folder: media.path))
            }
            let folder = folders[ExactText(row.source)] ?? Dataset.folder(ofSource: row.source)
            folders[ExactText(row.source)] = folder
            return (row.id, ImagePlace(path: row.path, folder: folder))
        }
    }

    /// Usable images that have no vector of a model yet, in the order of their ids: the work list of embedding. Ask again
    /// with the last id that was handed out until nothing comes; starting over from 0 resumes after a stop.
    /// - Parameters:
    ///   - fingerprint: the model; one the catalogue does not know has no vector of any image.
    ///   - id: only images with a greater id.
    ///   - limit: at most so many.
    ///   - shard: only this part of the images.
    public func images(
        withoutVectorOf fingerprint: String, after id: ImageID = 0, limit: Int = .max, shard: Shard? = nil
    ) throws(CatalogError) -> [CatalogImage] {
        try read { db in
            try CatalogImage.fetch(
                db,
                """
                WHERE id > ? AND state = 'ok' AND id % ? = ? AND NOT EXISTS (
                    SELECT 1 FROM vectors JOIN models ON models.id = model_id WHERE image_id = images.id AND fingerprint = ?
                ) ORDER BY id LIMIT ?
                """, [id, Int64(shard?.count ?? 1), Int64(shard?.index ?? 0), fingerprint, Int64(limit)])
        }
    }

    /// How many images `images(withoutVectorOf:)` would hand out in all.
    public func countOfImages(withoutVectorOf fingerprint: String, shard: Shard? = nil) throws(CatalogError) -> Int {
        try read { db in
            try Int.fetchOne(
                db,
                sql: """
                    SELECT count(*) FROM images WHERE state = 'ok' AND id % ? = ? AND NOT EXISTS (
                        SELECT 1 FROM vectors JOIN models ON models.id = model_id WHERE image_id = images.id AND fingerprint = ?
                    )
                    """, arguments: [shard?.count ?? 1, shard?.index ?? 0, fingerprint]) ?? 0
        }
    }

    public func counts() throws(CatalogError) -> CatalogCounts {
        try read { db in
            func count(_ table: String) throws -> Int { try Int.fetchOne(db, sql: "SELECT count(*) FROM \(table)") ?? 0 }
            var vectors: [String: Int] = [:]
            for row in try Row.fetchAll(
                db,
                sql: """
                    SELECT fingerprint, (SELECT count(*) FROM vectors WHERE model_id = models.id) AS n FROM models
                    """)
            {
                vectors[row["fingerprint"]] = row["n"]
            }
            return CatalogCounts(
                products: try count("products"), images: try count("images"),
                missing: try count("images WHERE state = 'missing'"),
                broken: try count("images WHERE state = 'broken'"), vectors: vectors)
        }
    }

    /// The models that have written vectors, by name.
    public func models() throws(CatalogError) -> [ModelRecord] {
        try read { db in
            try Row.fetchAll(db, sql: "SELECT fingerprint, name, dimension FROM models ORDER BY name, fingerprint").map {
                ModelRecord(fingerprint: $0["fingerprint"], name: $0["name"], dimension: $0["dimension"])
            }
        }
    }
}

extension Product {
    /// Products, with their attributes, by the end of a SELECT statement.
    static func fetch(_ db: Database, _ condition: String, _ arguments: StatementArguments) throws -> [Product] {
        let rows = try Row.fetchAll(
            db,
            sql: """
                SELECT *, (SELECT json_group_object(key, value) FROM product_attributes WHERE product_id = products.id) AS attributes
                FROM products \(condition)
                """, arguments: arguments)
        return try rows.map { row in
            Product(
                id: row["id"], title: row["title"], category: row["category"], brand: row["brand"], price: row["price"],
                currency: row["currency"], url: row["url"], inStock: row["in_stock"], description: row["description"],
                attributes: try JSONText.object(row["attributes"]))
        }
    }

    /// Writes the product, new or in place of the one with its id.
    func save(_ db: Database) throws {
        try db.execute(
            sql: """
                INSERT INTO products (id, title, category, brand, price, currency, url, in_stock, description)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
                ON CONFLICT (id) DO UPDATE SET title = excluded.title, category = excluded.category, brand = excluded.brand,
                    price = excluded.price, currency = excluded.currency, url = excluded.url, in_stock = excluded.in_stock,
                    description = excluded.description
                """,
            arguments: [
                id, title, category, brand, price, currency, url, inStock, description,
            ])
        try db.execute(sql: "DELETE FROM product_attributes WHERE product_id = ?", arguments: [id])
        let insert = try db.cachedStatement(sql: "INSERT INTO product_attributes (product_id, key, value) VALUES (?, ?, ?)")
        for (key, value) in attributes { try insert.execute(arguments: [id, key, value]) }
    }
}

extension CatalogImage {
    /// Images, with their attributes, by the end of a SELECT statement.
    static func fetch(_ db: Database, _ condition: String, _ arguments: StatementArguments) throws -> [CatalogImage] {
        let rows = try Row.fetchAll(
            db,
            sql: """
                SELECT *, (SELECT json_group_object(key, value) FROM image_attributes WHERE image_id = images.id) AS attributes
                FROM images \(condition)
                """, arguments: arguments)
        let media = try rows.contains { $0["source"] == MediaFolder.source } ? MediaFolder(db) : nil
        return try rows.map { row in
            let width: Int? = row["width"]
            let height: Int? = row["height"]
            let state: State =
                switch row["state"] as String {
                case "missing": .missing(reason: row["reason"] ?? "")
                case "broken": .broken(reason: row["reason"] ?? "")
                default: .ok  // the table's CHECK admits no fourth state
                }
            let hash: String? = row["sha256"]
            let stored: String = row["path"]
            let path = MediaFolder.name(inStored: stored).flatMap { media?.file($0) } ?? stored
            return CatalogImage(
                id: row["id"], productID: row["product_id"], path: path, contentHash: hash.map(ContentHash.init(hex:)),
                size: width.flatMap { width in height.map { PictureSize(width: width, height: $0) } }, view: row["view"],
                color: row["color"], caption: row["caption"], split: row["split"],
                attributes: try JSONText.object(row["attributes"]), state: state)
        }
    }
}
