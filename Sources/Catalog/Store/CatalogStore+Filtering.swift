import Foundation
import GRDB

/// A value of a key and how many products show it.
public struct FacetValue: Sendable, Hashable {
    public var value: String
    public var products: Int
}

extension CatalogStore {
    /// The keys a filter may use: the columns of products and images, then every attribute in the catalogue, sorted.
    public func filterKeys() throws(CatalogError) -> [String] {
        try read { db in try Self.keys(db) }
    }

    /// The usable images that a filter admits; all usable images for an empty filter.
    /// - Throws: `CatalogError.unknownKey` for a key that is neither a column nor an attribute of anything in the catalogue.
    public func imageIDs(matching filter: CatalogFilter) throws(CatalogError) -> Set<ImageID> {
        try read { db in
            var admitted: Set<ImageID>?
            for clause in filter.clauses {
                let values = try Self.values(of: clause.key, db)
                // Distinct values are few: they are judged here, where text is compared without regard to case in any
                // script, and SQLite finds their images.
                let distinct = try String.fetchAll(
                    db, sql: "WITH held AS (\(values.sql)) SELECT DISTINCT value FROM held", arguments: values.arguments)
                let matching = JSONText.array(distinct.filter(clause.admits))
                let ids = try Set(
                    ImageID.fetchAll(
                        db,
                        sql: "WITH held AS (\(values.sql)) SELECT id FROM held WHERE value IN (SELECT value FROM json_each(?))",
                        arguments: values.arguments + [matching]))
                admitted = admitted?.intersection(ids) ?? ids
            }
            return try admitted ?? Set(ImageID.fetchAll(db, sql: "SELECT id FROM images WHERE state = 'ok'"))
        }
    }

    /// The values of a key among usable images that a filter admits, the most frequent first; a stored value with `|` in it counts as several.
    /// - Throws: `CatalogError.unknownKey`.
    public func distinctValues(of key: String, matching filter: CatalogFilter = CatalogFilter()) throws(CatalogError)
        -> [FacetValue]
    {
        let admitted = try admittedImages(filter)
        return try read { db in
            let values = try Self.values(of: key, db)
            var products: [String: Set<String>] = [:]
            let rows = try Row.fetchCursor(
                db,
                sql: """
                    WITH held AS (\(values.sql)) SELECT DISTINCT value, product_id FROM held JOIN images ON images.id = held.id
                    WHERE \(admitted.condition)
                    """, arguments: values.arguments + admitted.arguments)
            while let row = try rows.next() {
                let stored: String = row[0]
                let product: String = row[1]
                for part in stored.split(separator: "|") {
                    let value = part.trimmingCharacters(in: .whitespaces)
                    if !value.isEmpty { products[value, default: []].insert(product) }
                }
            }
            return products.map { FacetValue(value: $0.key, products: $0.value.count) }
                .sorted { ($1.products, $0.value) < ($0.products, $1.value) }
        }
    }

    /// A SELECT of the columns `id` and `value`: what each usable image has under a key, as text.
    private static func values(of key: String, _ db: Database) throws -> (sql: String, arguments: StatementArguments) {
        let joined = "FROM images JOIN products ON products.id = product_id WHERE state = 'ok'"
        // The names come from lists in the code, never from the caller.
        if key == "product_id" { return ("SELECT id, product_id AS value FROM images WHERE state = 'ok'", []) }
        if key == "in_stock" {
            return ("SELECT images.id, iif(in_stock, 'true', 'false') AS value \(joined) AND in_stock IS NOT NULL", [])
        }
        if Column.product.contains(key) {
            return ("SELECT images.id, CAST(products.\(key) AS TEXT) AS value \(joined) AND products.\(key) IS NOT NULL", [])
        }
        if Column.image.contains(key) {
            return ("SELECT id, \(key) AS value FROM images WHERE state = 'ok' AND \(key) IS NOT NULL", [])
        }
        let known = try keys(db)
        guard known.contains(key) else { throw CatalogError.unknownKey(key: key, known: known) }
        return (
            """
            SELECT images.id, value FROM image_attributes JOIN images ON images.id = image_id WHERE key = ? AND state = 'ok'
            UNION ALL
            SELECT images.id, value FROM product_attributes AS shared JOIN images ON images.product_id = shared.product_id
            WHERE key = ? AND state = 'ok'
                AND NOT EXISTS (SELECT 1 FROM image_attributes AS own WHERE own.image_id = images.id AND own.key = shared.key)
            """, [key, key]
        )
    }

    private static func keys(_ db: Database) throws -> [String] {
        let attributes = try String.fetchAll(
            db, sql: "SELECT DISTINCT key FROM product_attributes UNION SELECT DISTINCT key FROM image_attributes ORDER BY key")
        return ["product_id"] + Column.product + Column.image + attributes
    }
}
