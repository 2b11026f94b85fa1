import Foundation
import GRDB

@testable import Catalog

/// The same questions that `CatalogColumns` answers, put to the rows by SQL: a slow second way to the same answers, for comparing.
extension CatalogStore {
    /// The keys a filter may use: the columns of products and images, then every attribute in the catalogue, sorted.
    func filterKeys() throws(CatalogError) -> [String] {
        try read { db in try Self.keys(db) }
    }

    /// The usable images that a filter admits; all usable images for an empty filter.
    /// - Throws: `CatalogError.unknownKey` for a key that is neither a column nor an attribute of anything in the catalogue.
    func imageIDs(matching filter: CatalogFilter) throws(CatalogError) -> Set<ImageID> {
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
    func distinctValues(of key: String) throws(CatalogError) -> [FacetValue] {
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
        if Catalog.Column.product.contains(key) {
            return ("SELECT images.id, CAST(products.\(key) AS TEXT) AS value \(joined) AND products.\(key) IS NOT NULL", [])
        }
        if Catalog.Column.image.contains(key) {
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
        return ["product_id"] + Catalog.Column.product + Catalog.Column.image + attributes
    }

    /// Products with a usable image that a filter admits, as `CatalogColumns.page` has them.
    func productPage(
        matching filter: CatalogFilter, offset: Int, limit: Int, facets: [String] = [], valuesPerFacet: Int = 100
    ) throws(CatalogError) -> ProductPage {
        let (total, ids, covers, counted) = try read { db in
            let clauses = try filter.clauses.map { (key: $0.key, images: try Self.images(admittedBy: $0, db)) }
            let admitted = Admitted(clauses.map(\.images))
            let total =
                try Int.fetchOne(
                    db, sql: "SELECT count(DISTINCT product_id) FROM images WHERE \(admitted.condition)",
                    arguments: admitted.arguments) ?? 0
            let rows = try Row.fetchAll(
                db,
                sql: """
                    SELECT product_id, min(iif(view IN ('main', 'front'), 0, 1) * \(Self.beyondAnyID) + images.id) % \(Self.beyondAnyID)
                    FROM images WHERE \(admitted.condition) GROUP BY product_id ORDER BY product_id LIMIT ? OFFSET ?
                    """, arguments: admitted.arguments + [limit, offset])
            var counted: [String: [FacetValue]] = [:]
            for key in facets {
                let others = clauses.filter { $0.key != key }
                let scope = others.count == clauses.count ? admitted : Admitted(others.map(\.images))
                counted[key] = Array(try Self.distinctValues(of: key, scope, db).prefix(valuesPerFacet))
            }
            return (total, rows.map { $0[0] as String }, rows.map { $0[1] as ImageID }, counted)
        }
        let products = try products(ids)
        let images = try images(covers)
        let entries = zip(ids, covers).compactMap { id, cover in
            products[id].flatMap { product in images[cover].map { ProductPage.Entry(product: product, cover: $0) } }
        }
        return ProductPage(total: total, entries: entries, facets: counted)
    }

    /// Above every image id there will be, and small enough that twice it is a 64-bit number.
    private static var beyondAnyID: Int64 { 1 << 52 }

}

/// The usable images that several sets of ids have in common, as a condition on the table `images`.
struct Admitted {
    let condition: String
    let arguments: StatementArguments

    init(_ sets: [Set<ImageID>]) {
        guard let first = sets.first else {
            (condition, arguments) = ("images.state = 'ok'", [])
            return
        }
        let common = sets.dropFirst().reduce(first) { $0.intersection($1) }
        (condition, arguments) = ("images.id IN (SELECT value FROM json_each(?))", [JSONText.array(common)])
    }
}
