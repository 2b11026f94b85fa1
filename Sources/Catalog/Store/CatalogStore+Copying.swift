import GRDB

/// A catalogue whose rows are copies of another one's, under the same numbers: what they are and where their pictures lie is told by whoever has the
/// other one. Each call is one transaction.
extension CatalogStore {
    /// Makes images and their products equal to those of the other catalogue, new or in place of what has their ids.
    /// - Parameters:
    ///   - images: usable ones, with content hash and size; the product of each is among the products.
    ///   - source: what the pictures' places begin with, the same for all copies of one catalogue.
    /// - Throws: what any write throws.
    public func take(copies images: [CatalogImage], of products: [Product], source: String) throws(CatalogError) {
        try write { db in
            for product in products where try Product.fetch(db, "WHERE id = ?", [product.id]).first != product {
                try product.save(db)
            }
            var bereft: Set<ExactText> = []
            for image in images {
                let before = try String.fetchOne(
                    db, sql: "SELECT product_id FROM images WHERE id = ?", arguments: [image.id])
                if let before, ExactText(before) != ExactText(image.productID) { bereft.insert(ExactText(before)) }
                try db.cachedStatement(
                    sql: """
                        INSERT INTO images (id, product_id, path, source, sha256, width, height, view, color, caption, split, state)
                        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'ok')
                        ON CONFLICT (id) DO UPDATE SET product_id = excluded.product_id, path = excluded.path, source = excluded.source,
                            sha256 = excluded.sha256, width = excluded.width, height = excluded.height, view = excluded.view,
                            color = excluded.color, caption = excluded.caption, split = excluded.split, state = excluded.state
                        """
                ).execute(arguments: [
                    image.id, image.productID, image.path, source, image.contentHash?.hex, image.size?.width, image.size?.height,
                    image.view, image.color, image.caption, image.split,
                ])
                try db.cachedStatement(sql: "DELETE FROM image_attributes WHERE image_id = ?").execute(arguments: [image.id])
                let insert = try db.cachedStatement(sql: "INSERT INTO image_attributes (image_id, key, value) VALUES (?, ?, ?)")
                for (key, value) in image.attributes { try insert.execute(arguments: [image.id, key, value]) }
            }
            try Self.dropEmpty(bereft, db)
        }
    }

    /// Takes out copies that the other catalogue has no longer, and products that are left without any.
    /// - Throws: what any write throws.
    public func remove(copies ids: some Sequence<ImageID>) throws(CatalogError) {
        try write { db in
            var bereft: Set<ExactText> = []
            for id in ids {
                guard
                    let product = try String.fetchOne(
                        db, sql: "SELECT product_id FROM images WHERE id = ?", arguments: [id])
                else { continue }
                bereft.insert(ExactText(product))
                try db.cachedStatement(sql: "DELETE FROM images WHERE id = ?").execute(arguments: [id])
            }
            try Self.dropEmpty(bereft, db)
        }
    }

    private static func dropEmpty(_ products: Set<ExactText>, _ db: Database) throws {
        for id in products {
            try db.execute(
                sql: "DELETE FROM products WHERE id = ? AND NOT EXISTS (SELECT 1 FROM images WHERE product_id = products.id)",
                arguments: [id.text])
        }
    }
}
