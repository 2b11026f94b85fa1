import GRDB

/// One page of the products that a filter admits.
public struct ProductPage: Sendable {
    /// A product and the picture that stands for it.
    public struct Entry: Sendable {
        public var product: Product
        public var cover: CatalogImage
    }

    /// How many products the filter admits.
    public var total: Int
    public var entries: [Entry]
}

extension CatalogStore {
    /// Products with a usable image that a filter admits, in the order of their ids.
    ///
    /// The cover is, among the images that the filter admits, the first front view (`main` or `front`), else the first one: who filters by
    /// a colour sees the garment in it.
    /// - Parameters: offset at least 0; limit at least 1.
    /// - Throws: `CatalogError.unknownKey`.
    public func productPage(matching filter: CatalogFilter, offset: Int, limit: Int) throws(CatalogError) -> ProductPage {
        let admitted = try admittedImages(filter)
        let page: (total: Int, ids: [String], covers: [ImageID]) = try read { db in
            let total =
                try Int.fetchOne(
                    db, sql: "SELECT count(DISTINCT product_id) FROM images WHERE \(admitted.condition)",
                    arguments: admitted.arguments) ?? 0
            let rows = try Row.fetchAll(
                db,
                sql: """
                    SELECT product_id, min(iif(view IN ('main', 'front'), 0, 1) * \(Self.beyondAnyID) + id) % \(Self.beyondAnyID) AS cover
                    FROM images WHERE \(admitted.condition) GROUP BY product_id ORDER BY product_id LIMIT ? OFFSET ?
                    """, arguments: admitted.arguments + [limit, offset])
            return (total, rows.map { $0["product_id"] }, rows.map { $0["cover"] })
        }
        let products = try products(page.ids)
        let images = try images(page.covers)
        let entries = zip(page.ids, page.covers).compactMap { id, cover in
            products[id].flatMap { product in images[cover].map { ProductPage.Entry(product: product, cover: $0) } }
        }
        return ProductPage(total: page.total, entries: entries)
    }

    /// Above every image id there will be, and small enough that twice it is a 64-bit number.
    private static var beyondAnyID: Int64 { 1 << 52 }

    /// What a page of products can be narrowed by: the values of each key, counted under the filter without its own clause for that key, since
    /// another value of the same key widens the choice.
    /// - Throws: `CatalogError.unknownKey`.
    public func facets(_ keys: [String], matching filter: CatalogFilter) throws(CatalogError) -> [String: [FacetValue]] {
        var facets: [String: [FacetValue]] = [:]
        for key in keys {
            let others = CatalogFilter(clauses: filter.clauses.filter { $0.key != key })
            facets[key] = try distinctValues(of: key, matching: others)
        }
        return facets
    }

    /// A condition on the table `images` that holds for the usable ones that a filter admits.
    func admittedImages(_ filter: CatalogFilter) throws(CatalogError) -> (condition: String, arguments: StatementArguments) {
        if filter.isEmpty { return ("images.state = 'ok'", []) }
        let ids = JSONText.array(try imageIDs(matching: filter))
        return ("images.id IN (SELECT value FROM json_each(?))", [ids])
    }
}
