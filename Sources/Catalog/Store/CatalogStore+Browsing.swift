import GRDB

/// One page of the products that a filter admits, and what it can be narrowed by.
public struct ProductPage: Sendable {
    /// A product and the picture that stands for it.
    public struct Entry: Sendable {
        public var product: Product
        public var cover: CatalogImage

        public init(product: Product, cover: CatalogImage) {
            self.product = product
            self.cover = cover
        }
    }

    /// How many products the filter admits.
    public var total: Int
    public var entries: [Entry]
    /// The values of each key that was asked for, the most frequent first, counted under the filter without its own clause for that key, since
    /// another value of the same key widens the choice.
    public var facets: [String: [FacetValue]]

    public init(total: Int, entries: [Entry], facets: [String: [FacetValue]]) {
        self.total = total
        self.entries = entries
        self.facets = facets
    }
}

extension CatalogStore {
    /// Products with a usable image that a filter admits, in the order of their ids.
    ///
    /// The cover is, among the images that the filter admits, the first front view (`main` or `front`), else the first one: who filters by
    /// a colour sees the garment in it.
    /// - Parameters:
    ///   - offset: products before the page, at least 0.
    ///   - limit: products of the page, at least 1.
    ///   - facets: the keys to count the values of, and how many values of each.
    /// - Throws: `CatalogError.unknownKey`.
    public func productPage(
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

    /// The ids of the usable images, in ascending order.
    public func usableImageIDs() throws(CatalogError) -> [ImageID] {
        try read { db in try ImageID.fetchAll(db, sql: "SELECT id FROM images WHERE state = 'ok' ORDER BY id") }
    }
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
