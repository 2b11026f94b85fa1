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
            guard let first = filter.clauses.first else {
                return try Set(ImageID.fetchAll(db, sql: "SELECT id FROM images WHERE state = 'ok'"))
            }
            return try filter.clauses.dropFirst().reduce(Self.images(admittedBy: first, db)) { admitted, clause in
                try admitted.intersection(Self.images(admittedBy: clause, db))
            }
        }
    }

    /// The usable images that one clause admits.
    static func images(admittedBy clause: CatalogFilter.Clause, _ db: Database) throws -> Set<ImageID> {
        let values = try values(of: clause.key, db)
        // Distinct values are few: they are judged here, where text is compared without regard to case in any script, and SQLite finds their
        // images.
        let distinct = try String.fetchAll(
            db, sql: "WITH held AS (\(values.sql)) SELECT DISTINCT value FROM held", arguments: values.arguments)
        let matching = JSONText.array(distinct.filter(clause.admits))
        return try Set(
            ImageID.fetchAll(
                db, sql: "WITH held AS (\(values.sql)) SELECT id FROM held WHERE value IN (SELECT value FROM json_each(?))",
                arguments: values.arguments + [matching]))
    }

    /// The values of a key among usable images, the most frequent first; a stored value with `|` in it counts as several.
    /// - Throws: `CatalogError.unknownKey`.
    public func distinctValues(of key: String) throws(CatalogError) -> [FacetValue] {
        try read { db in try Self.distinctValues(of: key, Admitted([]), db) }
    }

    static func distinctValues(of key: String, _ admitted: Admitted, _ db: Database) throws -> [FacetValue] {
        let values = try values(of: key, db)
        let held = """
            WITH held AS (\(values.sql)) SELECT value, product_id FROM held JOIN images ON images.id = held.id
            WHERE \(admitted.condition)
            """
        let arguments = values.arguments + admitted.arguments
        var facets: [FacetValue]
        let areSeveral =
            try Bool.fetchOne(db, sql: "SELECT EXISTS (\(held) AND instr(value, '|'))", arguments: arguments) ?? false
        if !areSeveral {
            facets = try Row.fetchAll(
                db, sql: "SELECT trim(value), count(DISTINCT product_id) FROM (\(held)) GROUP BY trim(value)",
                arguments: arguments
            ).map { FacetValue(value: $0[0], products: $0[1]) }
        } else {
            // A product may hold a value alone in one picture and beside others in another: products are told apart here.
            var products: [String: Set<String>] = [:]
            let rows = try Row.fetchCursor(db, sql: "SELECT DISTINCT value, product_id FROM (\(held))", arguments: arguments)
            while let row = try rows.next() {
                let stored: String = row[0]
                for part in stored.split(separator: "|") {
                    products[part.trimmingCharacters(in: .whitespaces), default: []].insert(row[1])
                }
            }
            facets = products.map { FacetValue(value: $0.key, products: $0.value.count) }
        }
        facets.removeAll { $0.value.isEmpty }
        return facets.sorted { ($1.products, $0.value) < ($0.products, $1.value) }
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
        let isKnown = try Bool.fetchOne(
            db,
            sql:
                "SELECT EXISTS (SELECT 1 FROM product_attributes WHERE key = ?) OR EXISTS (SELECT 1 FROM image_attributes WHERE key = ?)",
            arguments: [key, key])
        guard isKnown == true else { throw CatalogError.unknownKey(key: key, known: try keys(db)) }
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
