import Foundation
import GRDB
import Testing

@testable import Catalog

@Suite("The log of changes")
struct ChangesTests {
    let folder: TestFolder
    let store: CatalogStore
    let model = ModelRecord(fingerprint: "f1", name: "small", dimension: 2)

    init() throws {
        folder = try TestFolder()
        try folder.boutique(products: 3, views: 2)
        store = try CatalogStore(path: folder.catalogPath, mode: .create)
        _ = try store.importCatalog(from: folder.url, inspect: TestPicture.inspect)
    }

    /// What a write is told as.
    private func changes(_ sql: String) throws -> ChangeSet {
        let position = try store.changePosition()
        try store.write { try $0.execute(sql: sql) }
        #expect(try store.changePosition() > position)
        return try #require(try store.changes(after: position))
    }

    @Test("an import tells of every product and image that it brought, and a second one without news of nothing")
    func imported() throws {
        let all = try #require(try store.changes(after: 0))
        #expect(all.images == [1, 2, 3, 4, 5, 6])
        #expect(all.removedImages == [])
        #expect(all.products == ["P0", "P1", "P2"])
        #expect(all.vectors == [:])
        let position = try store.changePosition()
        #expect(all.position == position)
        _ = try store.importCatalog(from: folder.url, inspect: TestPicture.inspect)
        #expect(try store.changePosition() == position)
        #expect(try store.changes(after: position)?.isEmpty == true)
    }

    @Test("no writer can forget it: whatever touches a row in SQL is told")
    func everyTable() throws {
        #expect(try changes("UPDATE products SET price = 5 WHERE id = 'P1'").products == ["P1"])
        #expect(try changes("DELETE FROM product_attributes WHERE product_id = 'P2'").products == ["P2"])
        #expect(try changes("INSERT INTO product_attributes VALUES ('P0', 'fit', 'slim')").products == ["P0"])
        #expect(try changes("UPDATE images SET color = 'red' WHERE id IN (2, 4)").images == [2, 4])
        #expect(try changes("INSERT INTO image_attributes VALUES (3, 'pose', 'front')").images == [3])
        #expect(try changes("UPDATE image_attributes SET image_id = 5").images == [3, 5])
        #expect(try changes("DELETE FROM images WHERE id = 6").removedImages == [6])
        let product = try changes("DELETE FROM products WHERE id = 'P0'")
        #expect(product.products == ["P0"])
        #expect(product.removedImages == [1, 2], "what goes with its product is told as well")
    }

    @Test("vectors are told by model: those that were written, replaced, and gone with their image or its content")
    func vectors() throws {
        func write(_ images: [ImageID], _ model: ModelRecord) throws -> ChangeSet {
            let position = try store.changePosition()
            try store.writeVectors(images.map { NewVector(image: $0, contentHash: nil, components: [1, 0]) }, of: model)
            return try #require(try store.changes(after: position))
        }
        #expect(try write([1, 2, 3], model).vectors == ["f1": [1, 2, 3]])
        #expect(try write([2], model).vectors == ["f1": [2]])
        #expect(try write([2], ModelRecord(fingerprint: "f2", name: "other", dimension: 2)).vectors == ["f2": [2]])
        let gone = try changes("DELETE FROM images WHERE id = 2")
        #expect(gone.vectors == ["f1": [2], "f2": [2]])
        #expect(gone.removedImages == [2])
        let position = try store.changePosition()
        try folder.picture("images/0-0.jpg", "another picture")
        _ = try store.importCatalog(from: folder.url, inspect: TestPicture.inspect)
        let changed = try #require(try store.changes(after: position))
        // The picture that was deleted comes back with the vectors that were kept of it, under another id.
        #expect(changed.vectors == ["f1": [1, 7], "f2": [7]])
        #expect(changed.images.isSuperset(of: [1, 7]))
    }

    @Test("a model that gets another name or goes away can't be followed")
    func models() throws {
        try store.writeVectors([NewVector(image: 1, contentHash: nil, components: [1, 0])], of: model)
        let position = try store.changePosition()
        try store.write { try $0.execute(sql: "UPDATE models SET fingerprint = 'f9'") }
        #expect(try store.changes(after: position) == nil)
        try store.write { try $0.execute(sql: "DELETE FROM models") }
        #expect(try store.changes(after: position) == nil)
    }

    @Test("what a transaction did that was undone is not told")
    func rolledBack() throws {
        struct Stop: Error {}
        let position = try store.changePosition()
        #expect(throws: CatalogError.self) {
            try store.write { db in
                try db.execute(sql: "UPDATE products SET price = 5")
                throw Stop()
            }
        }
        #expect(try store.changePosition() == position)
    }

    @Test("another connection sees the position move with the commit, and reads what happened")
    func otherProcess() throws {
        let reader = try CatalogStore(path: folder.catalogPath, mode: .readOnly)
        let position = try reader.changePosition()
        try store.write { db in
            try db.execute(sql: "UPDATE products SET price = 5 WHERE id = 'P1'")
            #expect(try reader.changePosition() == position)
        }
        #expect(try reader.changePosition() == position + 1)
        #expect(try reader.changes(after: position)?.products == ["P1"])
    }

    @Test("the log keeps a bounded number of entries, and says where it does not reach back")
    func bound() throws {
        let position = try store.changePosition()
        try store.write { db in
            // As if so many writes had happened.
            try db.execute(
                sql: "UPDATE sqlite_sequence SET seq = seq + ? WHERE name = 'changes'", arguments: [Schema.changesKept - 1])
            try db.execute(sql: "UPDATE images SET color = 'red'")
        }
        let (count, last) = try store.read { db in
            (
                try Int.fetchOne(db, sql: "SELECT count(*) FROM changes"),
                try Int64.fetchOne(db, sql: "SELECT max(sequence) FROM changes")
            )
        }
        #expect(count == 6)
        #expect(last == position + Int64(Schema.changesKept) + 5)
        #expect(try store.changes(after: position) == nil)
        #expect(try store.changes(after: position + Int64(Schema.changesKept) + 2)?.images.count == 3)
        #expect(try store.changes(after: position + Int64(Schema.changesKept) * 2) == nil, "a position of another file")
        #expect(try store.changes(after: -1) == nil)
    }

    @Test("a catalogue of an older version is served as it is, and followed once it was opened for writing")
    func older() throws {
        let old = folder.file("old.db")
        let queue = try DatabaseQueue(path: old)
        try Schema.migrator.migrate(queue, upTo: "1 products, images, vectors")
        try queue.write { db in
            try db.execute(
                sql: """
                    INSERT INTO products (id, price) VALUES ('A', 5);
                    INSERT INTO images (product_id, path, source, sha256, width, height, state)
                    VALUES ('A', '/a.jpg', '/', '\(String(repeating: "a", count: 64))', 1, 1, 'ok');
                    """)
        }
        try queue.close()
        let reader = try CatalogStore(path: old, mode: .readOnly)
        #expect(try reader.changePosition() == 0)
        #expect(try reader.changes(after: 0)?.isEmpty == true)
        let columns = try CatalogColumns(reading: reader)
        #expect(try Array(columns.images(matching: CatalogFilter(["price=5"]))) == [1])
        #expect(try columns.updated(from: reader).position == 0)

        let writer = try CatalogStore(path: old, mode: .readWrite)
        #expect(try writer.product("A")?.price == 5)
        try writer.write { try $0.execute(sql: "UPDATE products SET price = 7") }
        let followed = try columns.updated(from: reader)
        #expect(followed.position == 1)
        #expect(try Array(followed.images(matching: CatalogFilter(["price=7"]))) == [1])
    }
}
