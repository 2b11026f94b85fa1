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

    /// The different colours of a product's usable images, in the order of these.
    public func colors(ofProduct number: Int32) -> [String] {
        guard let column = columns[ExactText("color")], number > 0 else { return [] }
        var codes: [UInt32] = []
        for image in imagesOfProduct.images(of: UInt32(number)) {
            let code = column.codes[image]
            if code != 0, !codes.contains(code) { codes.append(code) }
        }
        return codes.map { column.texts[Int($0)] }
    }

    /// Values of categories, brands, colours and attributes that have a beginning for each word of a query, in no order.
    public func values(with query: WordQuery) -> [(key: String, value: String)] {
        let keys = ["category", "brand", "color"] + attributes.filter { !Self.fixed.contains($0) }
        return keys.flatMap { key -> [(key: String, value: String)] in
            // What nearly every product has another of is no choice, and there may be a million.
            guard let column = columns[ExactText(key)], column.texts.count <= Self.choiceLimit else { return [] }
            return column.values(where: query.begins(in:)).map { (key, $0.value) }
        }
    }

    private static let choiceLimit = 2000

    /// Attributes that people can choose by: few different values, which many images have; the commonest first, at most `limit`.
    public func choices(limit: Int) -> [String] {
        attributes.compactMap { key -> (key: String, count: Int)? in
            guard let column = columns[ExactText(key)], Self.valuesOfChoice.contains(column.texts.count - 1),
                column.count * Self.shareOfChoice >= usable.count
            else { return nil }
            return (key, column.count)
        }
        .sorted { ($1.count, $0.key) < ($0.count, $1.key) }.prefix(limit).map(\.key)
    }

    private static let valuesOfChoice = 2...40
    /// One image of so many has a value.
    private static let shareOfChoice = 10

    /// Whether a usable image has a value under a key, as a filter compares them.
    public func holds(_ value: String, under key: String) -> Bool {
        guard let column = columns[ExactText(key)] else { return false }
        return !column.images(admittedBy: CatalogFilter.Clause(key: key, anyOf: [.equals(value)])).isEmpty
    }

    /// The usable images whose own colour a word of a query names.
    public func images(inColorOf query: WordQuery) -> BitSet {
        columns[ExactText("color")]?.images { color in query.words.contains { $0.fits(color) } } ?? BitSet()
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

    func images(admittedBy clause: CatalogFilter.Clause) throws(CatalogError) -> BitSet {
        guard let column = try column(clause.key) else { return BitSet() }
        if column.count == 0, !usable.isEmpty, Column.known.contains(clause.key) { throw .emptyKey(key: clause.key) }
        return column.images(admittedBy: clause)
    }

    /// - Returns: `nil` for an attribute that only unusable images have.
    func column(_ key: String) throws(CatalogError) -> ValueColumn? {
        if key == "product_id" { return productIDs }
        if let column = columns[ExactText(key)] { return column }
        guard attributes.contains(where: { $0.utf8.elementsEqual(key.utf8) }) else {
            throw .unknownKey(key: key, known: Self.fixed + attributes)
        }
        return nil
    }
}
