import BitCollections
import GRDB

extension CatalogColumns {
    /// Reads the columns of a whole catalogue, row by row, from one snapshot.
    /// - Throws: `CatalogError`.
    public init(reading store: CatalogStore) throws(CatalogError) {
        self = try store.read { db in try Self.reading(db, path: store.path) }
    }

    /// The columns as they are now, made out of these and the changes since: the work grows with what has changed. Everything is read anew
    /// where the log of changes does not reach back, or so much has changed that this is quicker.
    /// - Throws: `CatalogError`; these columns stay good.
    public func updated(from store: CatalogStore) throws(CatalogError) -> CatalogColumns {
        try store.read { db in
            guard let changes = try CatalogStore.changes(after: position, db) else {
                return try Self.reading(db, path: store.path)
            }
            if changes.position == position { return self }
            var touched = changes.images.union(changes.removedImages)
            let ofProducts = try ImageID.fetchCursor(
                db, sql: "SELECT id FROM images WHERE product_id IN (SELECT value FROM json_each(?))",
                arguments: [JSONText.array(changes.products)])
            while let id = try ofProducts.next() { touched.insert(id) }
            if touched.count > 1000 + usable.count / 8 { return try Self.reading(db, path: store.path) }

            var columns = self
            columns.position = changes.position
            if !touched.isEmpty || !changes.products.isEmpty {
                try columns.attributes = Self.attributes(db)
                try columns.update(touched, db, path: store.path)
            }
            // Values that no image has any more stay in a column; one day they are the most of it.
            if columns.columns.values.contains(where: { $0.idle > 10_000 && $0.idle > $0.texts.count / 2 }) {
                return try Self.reading(db, path: store.path)
            }
            return columns
        }
    }

    /// Sets are as large as the greatest id, not as the number of images. Ids are never given twice, so a catalogue has to be filled and emptied
    /// very often to come here.
    static let greatestID: Int64 = 1 << 28

    private static func check(_ id: ImageID, path: String) throws(CatalogError) {
        guard id > 0, id <= greatestID else {
            throw .corrupt(path: path, reason: "the image id \(id) lies outside 1...\(greatestID)")
        }
    }

    /// The product columns as text, as a filter compares them.
    private static let productValues: String = Column.product.map { name -> String in
        switch name {
        case "price": "CAST(products.price AS TEXT)"
        case "in_stock": "iif(products.in_stock IS NULL, NULL, iif(products.in_stock, 'true', 'false'))"
        default: "products.\(name)"
        }
    }.joined(separator: ", ")

    private static let imageValues: String = Column.image.map { name -> String in "images.\(name)" }.joined(separator: ", ")

    // MARK: All

    private typealias Pairs = [(id: UInt32, code: UInt32)]

    private static func reading(_ db: Database, path: String) throws -> CatalogColumns {
        var result = CatalogColumns()
        result.position = try CatalogStore.changePosition(db)
        let (count, greatest) = try size(db, path: path)

        // The products first: an image takes the codes of its product, whose values are looked at once. The row of a product's number.
        var ids = ValueColumn(key: "product_id")
        var productColumns = Column.product.map { ValueColumn(key: $0) }
        var codes = Column.product.map { _ in [UInt32](repeating: 0, count: 1) }
        let products = try Row.fetchCursor(db, sql: "SELECT id, \(productValues) FROM products")
        while let row = try products.next() {
            _ = ids.encode(row[0])
            for column in codes.indices {
                let value: String? = row[column + 1]
                codes[column].append(value.map { productColumns[column].encode($0) } ?? 0)
            }
        }

        var productOfImage: Pairs = []
        productOfImage.reserveCapacity(count)
        var imageColumns = Column.image.map { ValueColumn(key: $0) }
        var pairs = Column.image.map { _ in Pairs() }
        let images = try Row.fetchCursor(
            db, sql: "SELECT id, product_id, \(imageValues) FROM images WHERE state = 'ok' ORDER BY id")
        while let row = try images.next() {
            let id: ImageID = row[0]
            try check(id, path: path)
            productOfImage.append((UInt32(id), ids.encode(row[1])))
            for column in pairs.indices {
                if let value: String = row[column + 2] { pairs[column].append((UInt32(id), imageColumns[column].encode(value))) }
            }
        }
        for (column, name) in Column.image.enumerated() {
            imageColumns[column].fill(pairs[column], greatest: greatest)
            pairs[column] = []
            result.columns[ExactText(name)] = imageColumns[column]
        }
        for (column, name) in Column.product.enumerated() {
            let codes = codes[column]
            // A damaged file may have an image whose product has no row.
            let pairs: Pairs = productOfImage.compactMap { pair in
                guard Int(pair.code) < codes.count, codes[Int(pair.code)] != 0 else { return nil }
                return (pair.id, codes[Int(pair.code)])
            }
            productColumns[column].fill(pairs, greatest: greatest)
            result.columns[ExactText(name)] = productColumns[column]
        }
        result.usable = bits(productOfImage.lazy.map { Int($0.id) }, greatest: greatest)
        result.imagesOfProduct = ProductImages(productOfImage, greatest: greatest, products: ids.texts.count)
        result.order = (1..<Int32(max(1, ids.texts.count))).sorted { ids.texts.precedes(Int($0), Int($1)) }

        result.attributes = try attributes(db)
        for key in result.attributes where !fixed.contains(key) {
            result.columns[ExactText(key)] = try attribute(key, result, ids, greatest: greatest, db)
        }
        ids.fill(productOfImage, greatest: greatest)
        result.productIDs = ids
        return result
    }

    /// How many usable images there are, and the greatest id of any.
    private static func size(_ db: Database, path: String) throws -> (count: Int, greatest: Int) {
        let row = try Row.fetchOne(db, sql: "SELECT count(*), max(id) FROM images WHERE state = 'ok'")
        let greatest: ImageID = row?[1] ?? 0
        if greatest != 0 { try check(greatest, path: path) }
        return (row?[0] ?? 0, Int(greatest))
    }

    /// The column of an attribute: an image's own value, else that of its product.
    private static func attribute(
        _ key: String, _ known: CatalogColumns, _ ids: ValueColumn, greatest: Int, _ db: Database
    ) throws -> ValueColumn {
        var column = ValueColumn(key: key)
        var pairs: Pairs = []
        var own = BitSet()
        // Both tables have an index of key and value, so equal values come one after the other.
        let images = try Row.fetchCursor(
            db.cachedStatement(sql: "SELECT image_id, value FROM image_attributes WHERE key = ?"), arguments: [key])
        while let row = try images.next() {
            let id: ImageID = row[0]
            guard id > 0, id <= greatest, known.usable.contains(Int(id)) else { continue }
            own.insert(Int(id))
            pairs.append((UInt32(id), column.encode(row[1])))
        }
        let products = try Row.fetchCursor(
            db.cachedStatement(sql: "SELECT product_id, value FROM product_attributes WHERE key = ?"), arguments: [key])
        while let row = try products.next() {
            guard let product = ids.code(of: row[0]) else { continue }
            var code: UInt32 = 0
            for id in known.imagesOfProduct.images(of: product) where !own.contains(id) {
                if code == 0 { code = column.encode(row[1]) }
                pairs.append((UInt32(id), code))
            }
        }
        column.fill(pairs, greatest: greatest)
        return column
    }

    /// The attributes that anything has, sorted: from one to the next in the index instead of over all rows.
    private static func attributes(_ db: Database) throws -> [String] {
        func keys(_ table: String) -> String {
            """
            SELECT key FROM (WITH RECURSIVE next(key) AS (
                SELECT min(key) FROM \(table) UNION ALL
                SELECT (SELECT min(key) FROM \(table) WHERE key > next.key) FROM next WHERE next.key IS NOT NULL
            ) SELECT key FROM next WHERE key IS NOT NULL)
            """
        }
        return try String.fetchAll(db, sql: "\(keys("product_attributes")) UNION \(keys("image_attributes")) ORDER BY key")
    }

    private static func bits(_ ids: some Sequence<Int>, greatest: Int) -> BitSet {
        var words = [UInt](repeating: 0, count: greatest / UInt.bitWidth + 1)
        for id in ids { words[id / UInt.bitWidth] |= 1 << UInt(id % UInt.bitWidth) }
        return BitSet(words: words)
    }

    // MARK: A few

    private mutating func update(_ touched: Set<ImageID>, _ db: Database, path: String) throws {
        let list = JSONText.array(touched)
        let some = "IN (SELECT value FROM json_each(?))"
        let productKey = ExactText("product_id")
        let keys = Set((attributes + Column.product + Column.image).map(ExactText.init)).subtracting([productKey])
        columns = columns.filter { keys.contains($0.key) }

        var values: [ImageID: [ExactText: String]] = [:]
        // The product's attributes, over them the image's own, over them the columns, as in the catalogue's other readings.
        for statement in [
            "SELECT images.id, key, value FROM images JOIN product_attributes USING (product_id) WHERE images.id \(some)",
            "SELECT image_id, key, value FROM image_attributes WHERE image_id \(some)",
        ] {
            let rows = try Row.fetchCursor(db, sql: statement, arguments: [list])
            while let row = try rows.next() { values[row[0], default: [:]][ExactText(row[1])] = row[2] }
        }
        var usableNow: Set<ImageID> = []
        let rows = try Row.fetchCursor(
            db,
            sql: """
                SELECT images.id, product_id, \(Self.productValues), \(Self.imageValues)
                FROM images LEFT JOIN products ON products.id = product_id WHERE state = 'ok' AND images.id \(some)
                """, arguments: [list])
        while let row = try rows.next() {
            let id: ImageID = row[0]
            try Self.check(id, path: path)
            usableNow.insert(id)
            for (place, name) in Self.fixed.enumerated() { values[id, default: [:]][ExactText(name)] = row[place + 1] as String? }
        }

        for key in keys where columns[key] == nil {
            guard usableNow.contains(where: { values[$0]?[key] != nil }) else { continue }
            columns[key] = ValueColumn(key: key.text)
            columns[key]?.fill([], greatest: 0)
        }
        for id in touched where id > 0 && id <= Self.greatestID {
            let now = usableNow.contains(id) ? values[id] ?? [:] : [:]
            let image = Int(id)
            let before = productIDs.codes[image]
            for key in columns.keys { columns[key]?.set(image, to: now[key]) }
            let known = productIDs.texts.count
            let after = productIDs.set(image, to: now[productKey])
            if now.isEmpty { usable.remove(image) } else { usable.insert(image) }
            if after >= known { insertIntoOrder(Int32(known)..<Int32(productIDs.texts.count)) }
            guard after != before else { continue }
            if before != 0 { imagesOfProduct.remove(image, of: before) }
            if after != 0 { imagesOfProduct.insert(image, of: after) }
        }
    }

    /// New numbers, among them perhaps those of an id's parts, which no image has.
    private mutating func insertIntoOrder(_ numbers: Range<Int32>) {
        let texts = productIDs.texts
        for number in numbers {
            let place = order.partitioningIndex { texts.precedes(Int(number), Int($0)) }
            order.insert(number, at: place)
        }
    }
}
