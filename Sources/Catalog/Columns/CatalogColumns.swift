public import BitCollections

/// What can be filtered by, in memory: a snapshot of a catalogue's columns and attributes for its usable images.
///
/// A filter is answered with a set of image ids, without SQL: each key is a dictionary-encoded column, and the sets of its common values are
/// ready. A snapshot never changes, so any number of threads may ask it; ``updated(from:)`` makes the next one. Copies share what is equal.
public struct CatalogColumns: Sendable {
    /// The position of the catalogue's changes that the snapshot reflects.
    public internal(set) var position: Int64 = 0
    /// The images with state `ok`.
    public internal(set) var usable = BitSet()

    /// The product ids. The code of one is the product's number.
    var productIDs = ValueColumn(key: "product_id")
    /// Every other column of products and images, and every attribute that a usable image has.
    var columns: [ExactText: ValueColumn] = [:]
    /// Attributes that anything in the catalogue has, in the order of their bytes.
    var attributes: [String] = []
    var imagesOfProduct = ProductImages()
    /// The numbers of products, in the order of their ids' bytes; also of some that have no usable image any more.
    var order: [Int32] = []

    /// The columns that are no attributes.
    static let fixed = ["product_id"] + Column.product + Column.image

    init() {}

    // MARK: Products

    /// The product of a usable image, as a number in `0..<productNumberBound`; `nil` for every other image.
    public func productIndex(of image: ImageID) -> Int32? {
        guard image > 0, image <= Self.greatestID else { return nil }
        let code = productIDs.codes[Int(image)]
        return code == 0 ? nil : Int32(code)
    }

    /// Greater than every product number. Numbers are dense, but for products that went away.
    public var productNumberBound: Int32 { Int32(productIDs.texts.count) }

    /// The id of a product that has the number.
    /// - Parameter number: one that `productIndex` or `productNumber` gave.
    public func productID(_ number: Int32) -> String { productIDs.texts[Int(number)] }

    /// The number of a product that has, or had, a usable image.
    public func productNumber(_ id: String) -> Int32? { productIDs.code(of: id).map { Int32($0) } }

    /// The usable images of a product, in ascending order.
    public func images(ofProduct number: Int32) -> [ImageID] {
        number > 0 ? imagesOfProduct.images(of: UInt32(number)).map { ImageID($0) } : []
    }

    // MARK: Filters

    /// The usable images that a filter admits; all usable images for an empty filter.
    /// - Throws: `CatalogError.unknownKey` for a key that is neither a column nor an attribute of anything in the catalogue;
    ///   `emptyKey` for a column that no usable image has a value in; `badFilter` for more than 200 conditions.
    public func images(matching filter: CatalogFilter) throws(CatalogError) -> BitSet {
        try filter.checkCost()
        var admitted = usable
        for clause in filter.clauses { admitted.formIntersection(try images(admittedBy: clause)) }
        return admitted
    }

    private func images(admittedBy clause: CatalogFilter.Clause) throws(CatalogError) -> BitSet {
        guard let column = try column(clause.key) else { return BitSet() }
        if column.count == 0, !usable.isEmpty, Column.known.contains(clause.key) { throw .emptyKey(key: clause.key) }
        return column.images(admittedBy: clause)
    }

    /// - Returns: `nil` for an attribute that only unusable images have.
    private func column(_ key: String) throws(CatalogError) -> ValueColumn? {
        if key == "product_id" { return productIDs }
        if let column = columns[ExactText(key)] { return column }
        guard attributes.contains(where: { $0.utf8.elementsEqual(key.utf8) }) else {
            throw .unknownKey(key: key, known: Self.fixed + attributes)
        }
        return nil
    }

    // MARK: Browsing

    /// Products with a usable image that a filter admits, in the order of their ids, with their covers and what they can be narrowed by.
    ///
    /// The cover is, among the images that the filter admits, the first front view (`main` or `front`), else the first one: who filters by
    /// a colour sees the garment in it. A value of a facet is counted by products under the filter without its own clause for that key, since
    /// another value of the same key widens the choice; the most frequent value comes first.
    /// - Parameters:
    ///   - offset: products before the page, at least 0.
    ///   - limit: products of the page, at least 1.
    ///   - facets: the keys to count the values of, and how many values of each.
    /// - Throws: `CatalogError.unknownKey`, `emptyKey` as `images(matching:)` does.
    public func page(
        matching filter: CatalogFilter, offset: Int, limit: Int, facets: [String] = [], valuesPerFacet: Int = 100
    ) throws(CatalogError) -> (total: Int, products: [(id: String, cover: ImageID)], facets: [String: [FacetValue]]) {
        try filter.checkCost()
        var clauses: [(key: String, images: BitSet)] = []
        for clause in filter.clauses { clauses.append((clause.key, try images(admittedBy: clause))) }
        let admitted = clauses.reduce(into: usable) { $0.formIntersection($1.images) }

        var isAdmitted = [Bool](repeating: false, count: productIDs.texts.count)
        var total = 0
        for image in admitted {
            let product = Int(productIDs.codes[image])
            if !isAdmitted[product] {
                isAdmitted[product] = true
                total += 1
            }
        }
        let fronts = ["main", "front"].compactMap { columns[ExactText("view")]?.code(of: $0) }
        var products: [(id: String, cover: ImageID)] = []
        var skipped = 0
        for number in order where isAdmitted[Int(number)] {
            if products.count == limit { break }
            if skipped < offset {
                skipped += 1
            } else {
                products.append((productIDs.texts[Int(number)], cover(of: UInt32(number), admitted, fronts)))
            }
        }

        var counted: [String: [FacetValue]] = [:]
        for key in facets {
            guard let column = try column(key) else {
                counted[key] = []
                continue
            }
            let others = clauses.filter { $0.key != key }
            let scope =
                others.count == clauses.count ? admitted : others.reduce(into: usable) { $0.formIntersection($1.images) }
            counted[key] = Array(values(of: column, among: scope).prefix(valuesPerFacet))
        }
        return (total, products, counted)
    }

    private func cover(of product: UInt32, _ admitted: BitSet, _ fronts: [UInt32]) -> ImageID {
        var first = 0
        for image in imagesOfProduct.images(of: product) where admitted.contains(image) {
            if let code = columns[ExactText("view")]?.codes[image], fronts.contains(code) { return ImageID(image) }
            if first == 0 { first = image }
        }
        return ImageID(first)
    }

    /// The values of a column and how many products show each, the most frequent first.
    private func values(of column: ValueColumn, among images: BitSet) -> [FacetValue] {
        var products = [Int](repeating: 0, count: column.texts.count)
        // The product that was counted last for a value: a product counts once, however many of its pictures show the value.
        var last = [UInt32](repeating: 0, count: column.texts.count)
        func count(_ code: UInt32, _ product: UInt32) {
            if last[Int(code)] == product { return }
            last[Int(code)] = product
            products[Int(code)] += 1
        }
        let hasParts = !column.isShownOtherwise.isEmpty
        var isDone = [Bool](repeating: false, count: productIDs.texts.count)
        for first in images {
            let product = productIDs.codes[first]
            // All of a product's pictures are looked at together, at its first.
            if isDone[Int(product)] { continue }
            isDone[Int(product)] = true
            for image in imagesOfProduct.images(of: product) where images.contains(image) {
                let code = column.codes[image]
                if code == 0 { continue }
                if hasParts, column.isShownOtherwise.contains(Int(code)) {
                    for part in column.shown[code] ?? [] { count(part, product) }
                } else {
                    count(code, product)
                }
            }
        }
        var values: [FacetValue] = []
        for (code, count) in products.enumerated() where count > 0 {
            values.append(FacetValue(value: column.texts[code], products: count))
        }
        return values.sorted { ($1.products, $0.value) < ($0.products, $1.value) }
    }
}
