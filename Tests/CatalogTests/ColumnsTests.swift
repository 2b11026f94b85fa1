import BitCollections
import Foundation
import GRDB
import Testing

@testable import Catalog

@Suite("Columns in memory")
struct ColumnsTests {
    /// `nil` for a filter that is refused by its key.
    private static func answer<Value>(_ body: () throws -> Value) throws -> Value? {
        do {
            return try body()
        } catch let error as CatalogError {
            switch error {
            case .unknownKey, .emptyKey: return nil
            default: throw error
            }
        }
    }

    /// Asserts that columns answer as SQL over the rows does.
    /// - Returns: how many filters admitted some images and not all.
    @discardableResult
    private func compare(_ columns: CatalogColumns, _ random: inout RandomCatalog, rounds: Int, _ note: String) throws -> Int {
        var telling = 0
        let store = random.store
        #expect(try Set(columns.usable.map { Int64($0) }) == Set(store.usableImageIDs()), "\(note)")
        for image in try store.images() {
            let number = columns.productIndex(of: image.id)
            #expect((number != nil) == (image.state == .ok), "\(note)")
            if let number { #expect(columns.productID(number) == image.productID, "\(note)") }
        }
        for _ in 0..<rounds {
            let filter = random.filter()
            guard let expected = try Self.answer({ try store.imageIDs(matching: filter) }) else {
                #expect(throws: CatalogError.self, "\(note)") { try columns.images(matching: filter) }
                continue
            }
            guard let found = try Self.answer({ try columns.images(matching: filter) }) else {
                #expect(expected.isEmpty, "\(note) \(filter)")
                continue
            }
            if !found.isEmpty, found != columns.usable { telling += 1 }
            #expect(Set(found.map { Int64($0) }) == expected, "\(note) \(filter)")

            let (offset, limit) = (Int.random(in: 0...5, using: &random.random), Int.random(in: 1...20, using: &random.random))
            let known = Set(columns.attributes)
            let facets = ["color", "category", "weight", "pose", "price", "view", "brand"].filter {
                !["weight", "pose"].contains($0) || known.contains($0)
            }
            let page = try columns.page(matching: filter, offset: offset, limit: limit, facets: facets, valuesPerFacet: 7)
            let rows = try store.productPage(matching: filter, offset: offset, limit: limit, facets: facets, valuesPerFacet: 7)
            #expect(page.total == rows.total, "\(note) \(filter)")
            #expect(page.products.map(\.id) == rows.entries.map(\.product.id), "\(note) \(filter)")
            #expect(page.products.map(\.cover) == rows.entries.map(\.cover?.id), "\(note) \(filter)")
            #expect(page.facets == rows.facets, "\(note) \(filter)")
        }
        return telling
    }

    @Test("filters, covers, pages and facets are those that SQL finds in the rows", arguments: [1, 2, 3, 4, 5, 6] as [UInt64])
    func equalsSQL(seed: UInt64) throws {
        let folder = try TestFolder()
        var random = RandomCatalog(
            store: try CatalogStore(path: folder.catalogPath, mode: .create), random: SeededGenerator(seed: seed))
        var telling = 0
        for size in [0, 5, 200, 200] {
            try random.write(size)
            telling += try compare(CatalogColumns(reading: random.store), &random, rounds: 60, "seed \(seed)")
        }
        #expect(telling > 40, "filters that admit all or nothing prove little")
    }

    @Test("columns that follow the changes are those that are read anew", arguments: [11, 12, 13, 14] as [UInt64])
    func following(seed: UInt64) throws {
        let folder = try TestFolder()
        var random = RandomCatalog(
            store: try CatalogStore(path: folder.catalogPath, mode: .create), random: SeededGenerator(seed: seed))
        var columns = try CatalogColumns(reading: random.store)
        for round in 0..<40 {
            try random.write(Int.random(in: 0...12, using: &random.random))
            let before = columns
            columns = try columns.updated(from: random.store)
            #expect(try columns.position == random.store.changePosition())
            try compare(columns, &random, rounds: 6, "seed \(seed), round \(round)")
            // A snapshot stays what it was.
            #expect(before.position <= columns.position)
        }
    }

    @Test("a snapshot does not change when its successor is made")
    func snapshots() throws {
        let folder = try TestFolder()
        try folder.boutique(products: 30, views: 2)
        let store = try CatalogStore(path: folder.catalogPath, mode: .create)
        _ = try store.importCatalog(from: folder.url, inspect: TestPicture.inspect)
        let before = try CatalogColumns(reading: store)
        try store.write {
            try $0.execute(sql: "DELETE FROM products WHERE id = 'P3'; UPDATE products SET price = 99 WHERE id = 'P4'")
        }
        let after = try before.updated(from: store)
        let cheap = try CatalogFilter(["price=..10"])
        #expect(try before.images(matching: cheap).count == 22)
        #expect(try after.images(matching: cheap).count == 18)
        #expect(before.usable.count == 60 && after.usable.count == 58)
        #expect(before.productIndex(of: 7) != nil && after.productIndex(of: 7) == nil)
    }

    @Test("columns are read anew where the log of changes does not reach back")
    func beyondTheLog() throws {
        let folder = try TestFolder()
        try folder.boutique(products: 3, views: 2)
        let store = try CatalogStore(path: folder.catalogPath, mode: .create)
        let empty = try CatalogColumns(reading: store)
        _ = try store.importCatalog(from: folder.url, inspect: TestPicture.inspect)
        try store.write { try $0.execute(sql: "DELETE FROM changes WHERE sequence < (SELECT max(sequence) FROM changes)") }
        #expect(try store.changes(after: empty.position) == nil)
        let columns = try empty.updated(from: store)
        #expect(columns.usable.count == 6)
        #expect(try columns.position == store.changePosition())
    }

    @Test(
        "codes are kept whatever their width, their number and the order in which they come", arguments: [21, 22, 23] as [UInt64])
    func widths(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        var expected: [Int: UInt32] = [:]
        var codes = ImageCodes()
        // From few images to many, and from numbers of one byte to those of four.
        for greatest in [1000, 40, 200, 300, 2000] {
            for bound in [3, 255, 300, 65_535, 70_000] as [UInt32] {
                for _ in 0..<60 {
                    let (id, code) = (Int.random(in: 1...greatest, using: &random), UInt32.random(in: 0...bound, using: &random))
                    codes.set(id, to: code)
                    expected[id] = code == 0 ? nil : code
                }
                #expect(codes.count == expected.count)
                let ids = Array(0...2100)
                #expect(ids.allSatisfy { codes[$0] == expected[$0] ?? 0 })
                #expect(codes.codes(of: ids.map { UInt32($0) }) == ids.map { expected[$0] ?? 0 })
                var marks = [UInt8](repeating: 0, count: 70_001)
                for code in 1...70_000 where code % 3 == 1 { marks[code] = 1 }
                #expect(Set(codes.images(marked: marks)) == Set(expected.filter { $0.value % 3 == 1 }.keys))
                let anew = ImageCodes(expected.map { (UInt32($0.key), $0.value) }, greatest: expected.keys.max() ?? 0)
                #expect(ids.allSatisfy { anew[$0] == expected[$0] ?? 0 })
            }
        }
    }

    @Test("each kind of filter admits what was worked out by hand")
    func table() throws {
        let filters = try FilterTests()
        let columns = try CatalogColumns(reading: filters.store)
        for (expressions, expected) in FilterTests.table {
            let found = try columns.images(matching: CatalogFilter(expressions))
            #expect(Set(found.map { Int64($0) }) == expected, "\(expressions)")
        }
    }

    @Test(
        "a column that nothing has a value in is named, with the three lines that would be right; an unknown key names those there are"
    )
    func emptyKey() throws {
        let folder = try TestFolder()
        try folder.picture("red.jpg")
        let store = try CatalogStore(path: folder.catalogPath, mode: .create)
        #expect(
            try CatalogColumns(reading: store).images(matching: CatalogFilter(["price=10..50"])).isEmpty, "nothing is missing yet"
        )
        _ = try store.importCatalog(from: folder.url, inspect: TestPicture.inspect)
        let columns = try CatalogColumns(reading: store)
        let error = #expect(throws: CatalogError.emptyKey(key: "price")) {
            try columns.images(matching: CatalogFilter(["price=10..50"]))
        }
        let text = "\(try #require(error))"
        #expect(text.hasPrefix("No product has a price, so a filter on it finds nothing;"))
        #expect(text.hasSuffix("\nimage,product_id,price\nred-dress.jpg,P1,49.90\nblue-coat.jpg,P2,120"))
        #expect(throws: CatalogError.unknownKey(key: "colour", known: try store.filterKeys())) {
            try columns.images(matching: CatalogFilter(["colour=red"]))
        }
        #expect(try columns.page(matching: CatalogFilter(), offset: 0, limit: 1, facets: ["brand"]).facets == ["brand": []])
    }

    @Test("ids that differ in how Unicode spells a letter stay two products, and a filter finds both")
    func spellings() throws {
        let folder = try TestFolder()
        let store = try CatalogStore(path: folder.catalogPath, mode: .create)
        try store.write { db in
            for (place, id) in ["Kleid-Gr\u{FC}n", "Kleid-Gru\u{308}n"].enumerated() {
                try db.execute(sql: "INSERT INTO products (id) VALUES (?)", arguments: [id])
                try db.execute(
                    sql: """
                        INSERT INTO images (product_id, path, source, sha256, width, height, color, state)
                        VALUES (?, ?, 's', ?, 1, 1, ?, 'ok')
                        """, arguments: [id, "\(place)", String(repeating: "a", count: 64), id])
            }
        }
        let columns = try CatalogColumns(reading: store)
        #expect(columns.productIndex(of: 1) != columns.productIndex(of: 2))
        let page = try columns.page(
            matching: CatalogFilter(["product_id=kleid-gr\u{FC}n"]), offset: 0, limit: 10, facets: ["color"])
        #expect(page.products.map(\.cover) == [2, 1], "in the order of their bytes")
        #expect(page.facets == ["color": [FacetValue(value: "Kleid-Gr\u{FC}n", products: 2)]])
    }

    @Test("a thousand attributes that three pictures have each take no array over all pictures each")
    func rareAttributes() throws {
        let folder = try TestFolder()
        try folder.boutique(products: 20, views: 10)
        let store = try CatalogStore(path: folder.catalogPath, mode: .create)
        _ = try store.importCatalog(from: folder.url, inspect: TestPicture.inspect)
        try store.write { db in
            for number in 0..<1000 {
                for image in [number % 100 + 1, number % 100 + 50, 200] {
                    try db.execute(
                        sql: "INSERT OR REPLACE INTO image_attributes VALUES (?, ?, ?)",
                        arguments: [image, "spec\(number)", "v\(number % 7)"])
                }
            }
        }
        var columns = try CatalogColumns(reading: store)
        func check() throws {
            for number in [0, 7, 512, 999] {
                let filter = try CatalogFilter(["spec\(number)=V\(number % 7)"])
                #expect(try Set(columns.images(matching: filter).map { Int64($0) }) == store.imageIDs(matching: filter))
            }
        }
        try check()
        try store.write {
            try $0.execute(sql: "DELETE FROM image_attributes WHERE image_id = 200; DELETE FROM images WHERE id = 51")
        }
        columns = try columns.updated(from: store)
        try check()
    }

    @Test("attributes to choose by have several values and belong to many images, the commonest first")
    func choices() throws {
        let folder = try TestFolder()
        try folder.boutique(products: 20, views: 10)
        let store = try CatalogStore(path: folder.catalogPath, mode: .create)
        _ = try store.importCatalog(from: folder.url, inspect: TestPicture.inspect)
        let before = try CatalogColumns(reading: store).choices(limit: 10)
        try store.write { db in
            for image in 1...200 {
                func set(_ key: String, _ value: String) throws {
                    try db.execute(
                        sql: "INSERT OR REPLACE INTO image_attributes VALUES (?, ?, ?)", arguments: [image, key, value])
                }
                try set("x_common", "v\(image % 3)")
                if image % 2 == 0 { try set("x_half", "v\(image % 3)") }
                if image <= 5 { try set("x_rare", "v\(image)") }
                try set("x_single", "same")
                try set("x_serial", "no \(image)")
            }
        }
        let columns = try CatalogColumns(reading: store)
        #expect(columns.choices(limit: 20).filter { $0.hasPrefix("x_") } == ["x_common", "x_half"])
        #expect(Set(columns.choices(limit: 20)) == Set(before + ["x_common", "x_half"]))
        #expect(columns.choices(limit: 1).count == 1)
    }

    @Test("an image id that no set can hold is named as damage instead of taking all memory")
    func hugeID() throws {
        let folder = try TestFolder()
        try folder.boutique(products: 1, views: 1)
        let store = try CatalogStore(path: folder.catalogPath, mode: .create)
        _ = try store.importCatalog(from: folder.url, inspect: TestPicture.inspect)
        let columns = try CatalogColumns(reading: store)
        try store.write { try $0.execute(sql: "UPDATE images SET id = 4611686018427387904") }
        for read in [{ try CatalogColumns(reading: store) }, { try columns.updated(from: store) }] {
            let error = #expect(throws: CatalogError.self) { try read() }
            if case .corrupt = error {} else { Issue.record("\(String(describing: error))") }
        }
    }
}
