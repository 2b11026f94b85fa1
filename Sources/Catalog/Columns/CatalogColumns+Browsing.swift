import BitCollections

/// A value of a key and how many products show it.
public struct FacetValue: Sendable, Hashable {
    public var value: String
    public var products: Int
}

/// One page of the products that a filter admits, and what it can be narrowed by.
public struct ProductPage: Sendable {
    /// A product and the picture that stands for it.
    public struct Entry: Sendable {
        public var product: Product
        /// nil for a product without a usable picture.
        public var cover: CatalogImage?

        public init(product: Product, cover: CatalogImage?) {
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

extension CatalogColumns {
    /// Products with a usable image that a filter admits, in the order of their ids, with their covers and what they can be narrowed by.
    ///
    /// The cover is, among the images that the filter admits, the first front view (`main` or `front`), else the first one: who filters by
    /// a colour sees the garment in it. A value of a facet is counted by products under the filter without its own clause for that key, since
    /// another value of the same key widens the choice; the most frequent value comes first.
    /// - Parameters:
    ///   - offset: products before the page, at least 0.
    ///   - limit: products of the page, at least 1.
    ///   - ids: products in the order that they are wanted in, of which those that the filter admits are paged; nil is all by their ids.
    ///   - facets: the keys to count the values of, and how many values of each.
    /// - Throws: `CatalogError.unknownKey`, `emptyKey` as `images(matching:)` does.
    public func page(
        matching filter: CatalogFilter, among ids: [String]? = nil, offset: Int, limit: Int, facets: [String] = [],
        valuesPerFacet: Int = 100
    ) throws(CatalogError) -> (total: Int, products: [(id: String, cover: ImageID)], facets: [String: [FacetValue]]) {
        try filter.checkCost()
        var clauses: [(key: String, images: BitSet)] = []
        for clause in filter.clauses { clauses.append((clause.key, try images(admittedBy: clause))) }
        // What a facet counts under a filter without its own clause, it counts among the same products.
        let (ordered, all) = among(ids)
        let admitted = clauses.reduce(into: all) { $0.formIntersection($1.images) }

        let images = Scope(admitted, self)
        let fronts = fronts
        var products: [(id: String, cover: ImageID)] = []
        var skipped = 0
        for number in ordered where images.holds(UInt32(number)) {
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
            // Most keys have no clause, and share the work that was done for the page.
            let scope =
                others.count == clauses.count
                ? images : Scope(others.reduce(into: all) { $0.formIntersection($1.images) }, self)
            counted[key] = Array(scope.values(of: column).prefix(valuesPerFacet))
        }
        return (images.products, products, counted)
    }

    /// The numbers of products in an order, and their usable images; of all products by their ids where there is none.
    private func among(_ ids: [String]?) -> (order: [Int32], images: BitSet) {
        guard let ids else { return (order, usable) }
        let numbers = ids.compactMap { productIDs.code(of: $0) }
        var images = BitSet()
        for number in numbers { for image in imagesOfProduct.images(of: number) { images.insert(image) } }
        return (numbers.map { Int32($0) }, images.intersection(usable))
    }

    /// The picture that stands for a product where nothing is filtered; nil where it has none that is usable.
    public func cover(ofProduct id: String) -> ImageID? {
        guard let number = productIDs.code(of: id) else { return nil }
        let image = cover(of: number, usable, fronts)
        return image > 0 ? image : nil
    }

    /// The codes of front views.
    private var fronts: [UInt32] { ["main", "front"].compactMap { columns[ExactText("view")]?.code(of: $0) } }

    private func cover(of product: UInt32, _ admitted: BitSet, _ fronts: [UInt32]) -> ImageID {
        var first = 0
        for image in imagesOfProduct.images(of: product) where admitted.contains(image) {
            if let code = columns[ExactText("view")]?.codes[image], fronts.contains(code) { return ImageID(image) }
            if first == 0 { first = image }
        }
        return ImageID(first)
    }

    /// Images product by product, for counting what products show.
    private struct Scope {
        /// All images of a product come one after the other.
        private var images: [UInt32] = []
        private var productOfImage: [UInt32] = []
        private var isIn: [Bool]
        /// How many products there are.
        private(set) var products = 0

        init(_ admitted: BitSet, _ columns: CatalogColumns) {
            isIn = [Bool](repeating: false, count: columns.productIDs.texts.count)
            let ids = admitted.map { UInt32($0) }
            let products = columns.productIDs.codes.codes(of: ids)
            images.reserveCapacity(ids.count)
            productOfImage.reserveCapacity(ids.count)
            for place in ids.indices where !isIn[Int(products[place])] {
                let product = products[place]
                isIn[Int(product)] = true
                self.products += 1
                // The rest of its images mostly come next; where one comes from elsewhere, it is looked for.
                var next = place + 1
                for image in columns.imagesOfProduct.images(of: product) where UInt32(image) > ids[place] {
                    if next < ids.count, ids[next] == UInt32(image) {
                        next += 1
                    } else if !admitted.contains(image) {
                        continue
                    }
                    images.append(UInt32(image))
                    productOfImage.append(product)
                }
                images.append(ids[place])
                productOfImage.append(product)
            }
        }

        func holds(_ product: UInt32) -> Bool { isIn[Int(product)] }

        /// The values of a column and how many products show each, the most frequent first.
        func values(of column: ValueColumn) -> [FacetValue] {
            var counts = [Int](repeating: 0, count: column.texts.count)
            // The product that was counted last for a value: one counts once, however many of its pictures show the value.
            var last = [UInt32](repeating: 0, count: column.texts.count)
            func count(_ code: Int, _ product: UInt32) {
                if last[code] == product { return }
                last[code] = product
                counts[code] += 1
            }
            let codes = column.codes.codes(of: images)
            if column.isShownOtherwise.isEmpty {
                for place in codes.indices where codes[place] != 0 { count(Int(codes[place]), productOfImage[place]) }
            } else {
                for place in codes.indices where codes[place] != 0 {
                    if column.isShownOtherwise.contains(Int(codes[place])) {
                        for part in column.shown[codes[place]] ?? [] { count(Int(part), productOfImage[place]) }
                    } else {
                        count(Int(codes[place]), productOfImage[place])
                    }
                }
            }
            var values: [FacetValue] = []
            for (code, count) in counts.enumerated() where count > 0 {
                values.append(FacetValue(value: column.texts[code], products: count))
            }
            return values.sorted { ($1.products, $0.value) < ($0.products, $1.value) }
        }
    }
}
