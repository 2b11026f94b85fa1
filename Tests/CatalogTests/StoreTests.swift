import Foundation
import GRDB
import Testing

@testable import Catalog

#if canImport(Glibc)
    import Glibc

    /// Makes this thread another user in the eyes of the file system; Swift's overlay leaves the call out.
    @_silgen_name("setfsuid") @discardableResult
    private func setfsuid(_ user: UInt32) -> Int32
#endif

@Suite("Catalogue files")
struct StoreTests {
    /// A catalogue of two products with two pictures each; image ids 1 to 4.
    private func filled(_ folder: TestFolder) throws -> CatalogStore {
        try folder.boutique(products: 2, views: 2)
        let store = try CatalogStore(path: folder.catalogPath, mode: .create)
        _ = try store.importCatalog(from: folder.url, inspect: TestPicture.inspect)
        return store
    }

    @Test("acknowledged writes survive a power cut: the log is synchronised at every commit")
    func durable() throws {
        let folder = try TestFolder()
        let store = try CatalogStore(path: folder.catalogPath, mode: .create)
        let settings = try store.database.writeWithoutTransaction { db in
            (
                try String.fetchOne(db, sql: "PRAGMA journal_mode"), try Int.fetchOne(db, sql: "PRAGMA synchronous"),
                try Bool.fetchOne(db, sql: "PRAGMA foreign_keys")
            )
        }
        #expect(settings.0 == "wal")
        #expect(settings.1 == 2)  // FULL
        #expect(settings.2 == true)
    }

    @Test("a closed catalogue is one file, which opens again in every mode")
    func oneFile() throws {
        let folder = try TestFolder()
        let content = try {
            let store = try filled(folder)
            defer { try? store.close() }
            return try store.content()
        }()
        #expect(!FileManager.default.fileExists(atPath: folder.catalogPath + "-wal"))
        for mode in [CatalogStore.Mode.readOnly, .readWrite, .create] {
            let store = try CatalogStore(path: folder.catalogPath, mode: mode)
            #expect(try store.content() == content)
            try store.close()
        }
    }

    @Test("a file whose making was killed before its tables were there is made to the end")
    func halfMade() throws {
        let folder = try TestFolder()
        let queue = try DatabaseQueue(path: folder.catalogPath)
        try queue.write { try $0.execute(sql: "CREATE TABLE grdb_migrations (identifier TEXT NOT NULL PRIMARY KEY)") }
        try queue.close()
        #expect(throws: CatalogError.self) { try CatalogStore(path: folder.catalogPath, mode: .readOnly) }
        #expect(try CatalogStore(path: folder.catalogPath, mode: .create).counts().products == 0)
    }

    @Test("a catalogue whose making was killed within a transaction is rolled back and made to the end")
    func hotJournal() throws {
        let folder = try TestFolder()
        let queue = try DatabaseQueue(path: folder.file("making.db"))
        try queue.inDatabase { db in
            // So small a cache spills: pages reach the file, and before them the journal that takes them back.
            try db.execute(sql: "PRAGMA cache_size = 1; BEGIN IMMEDIATE; CREATE TABLE t (a)")
            for _ in 0..<200 { try db.execute(sql: "INSERT INTO t VALUES (randomblob(4000))") }
            // What a killed process leaves.
            for ending in ["", "-journal"] {
                try FileManager.default.copyItem(
                    atPath: folder.file("making.db\(ending)"), toPath: "\(folder.catalogPath)\(ending)")
            }
            try db.execute(sql: "ROLLBACK")
        }
        try queue.close()
        #expect(
            (try Data(contentsOf: URL(fileURLWithPath: folder.catalogPath))).count > 100_000, "the transaction must have spilt")
        #expect(throws: CatalogError.self) { try CatalogStore(path: folder.catalogPath, mode: .readOnly) }
        #expect(try CatalogStore(path: folder.catalogPath, mode: .create).counts().products == 0)
    }

    @Test("a path that holds no catalogue is refused in one sentence and left as it was")
    func refused() throws {
        let folder = try TestFolder()
        try folder.write("text.db", String(repeating: "this is no database\n", count: 100))
        try folder.write("empty.db", "")
        let foreign = folder.file("foreign.db")
        let queue = try DatabaseQueue(path: foreign)
        try queue.write { try $0.execute(sql: "CREATE TABLE t (a)") }
        try queue.close()
        let before = try Data(contentsOf: URL(fileURLWithPath: foreign))
        for mode in [CatalogStore.Mode.readOnly, .readWrite, .create] {
            for name in ["text.db", "foreign.db"] {
                let error = #expect(throws: CatalogError.self) { try CatalogStore(path: folder.file(name), mode: mode) }
                if case .notACatalog = error {} else { Issue.record("\(name): \(String(describing: error))") }
            }
            let error = #expect(throws: CatalogError.self) { try CatalogStore(path: folder.path, mode: mode) }
            #expect(error == .notACatalog(path: folder.path, reason: "it is a folder"))
        }
        #expect(try Data(contentsOf: URL(fileURLWithPath: foreign)) == before)
        #expect(throws: CatalogError.noCatalog(path: folder.file("none.db"))) {
            try CatalogStore(path: folder.file("none.db"), mode: .readWrite)
        }
        #expect(throws: CatalogError.noCatalog(path: folder.file("none.db"))) {
            try CatalogStore(path: folder.file("none.db"), mode: .readOnly)
        }
        #expect(throws: CatalogError.notACatalog(path: folder.file("empty.db"), reason: "it is an empty file")) {
            try CatalogStore(path: folder.file("empty.db"), mode: .readWrite)
        }
        #expect(throws: CatalogError.self) { try CatalogStore(path: folder.file("no/such/folder/x.db"), mode: .create) }
        _ = try CatalogStore(path: folder.file("empty.db"), mode: .create)
    }

    @Test("a catalogue of a newer version is refused, naming what it knows")
    func newer() throws {
        let folder = try TestFolder()
        let store = try filled(folder)
        try store.write { try $0.execute(sql: "INSERT INTO grdb_migrations VALUES ('2 sounds')") }
        try store.close()
        for mode in [CatalogStore.Mode.readOnly, .readWrite, .create] {
            #expect(throws: CatalogError.newerSchema(path: folder.catalogPath, unknown: ["2 sounds"])) {
                try CatalogStore(path: folder.catalogPath, mode: mode)
            }
        }
    }

    @Test("a damaged file is named as such")
    func damaged() throws {
        let folder = try TestFolder()
        let store = try filled(folder)
        try store.close()
        let url = URL(fileURLWithPath: folder.catalogPath)
        var bytes = try Data(contentsOf: url)
        // Everything but the header page, so that the file opens and its tables do not read.
        bytes.replaceSubrange(4096..<bytes.count, with: Data(repeating: 0xA5, count: bytes.count - 4096))
        try bytes.write(to: url)
        let error = #expect(throws: CatalogError.self) {
            try CatalogStore(path: folder.catalogPath, mode: .readOnly).products()
        }
        if case .corrupt = error {} else { Issue.record("\(String(describing: error))") }
    }

    @Test("a reader sees the last finished transaction while another is being written")
    func concurrentReader() throws {
        let folder = try TestFolder()
        let store = try filled(folder)
        let reader = try CatalogStore(path: folder.catalogPath, mode: .readOnly)
        let before = try reader.content()
        try store.write { db in
            try db.execute(sql: "DELETE FROM images WHERE id = 1")
            #expect(try reader.content() == before)
        }
        #expect(try reader.images().map(\.id) == [2, 3, 4])
    }

    @Test("a catalogue that another process keeps locked is reported after the time allowed")
    func locked() throws {
        let folder = try TestFolder()
        let store = try filled(folder)
        let other = try CatalogStore(path: folder.catalogPath, mode: .readWrite, busyTimeout: 0.05)
        try store.write { _ in
            _ = #expect(throws: CatalogError.locked(path: folder.catalogPath, seconds: 0.05)) {
                try other.writeVectors([], of: ModelRecord(fingerprint: "f", name: "m", dimension: 2))
            }
        }
    }

    @Test("a store opened for reading refuses to write")
    func readOnlyMode() throws {
        let folder = try TestFolder()
        let writer = try filled(folder)
        let store = try CatalogStore(path: folder.catalogPath, mode: .readOnly)
        #expect(throws: CatalogError.readOnly(path: folder.catalogPath)) {
            try store.importCatalog(from: folder.url, inspect: TestPicture.inspect)
        }
        try writer.close()
    }

    #if canImport(Glibc)
        @Test(
            "a catalogue in a folder that cannot be written is read, until somebody writes to it; writing is refused in one sentence"
        )
        func readOnlyFolder() throws {
            let folder = try TestFolder()
            let store = try filled(folder)
            let content = try store.content()
            try store.close()
            let inside = folder.file("x ?#%41.db")
            try FileManager.default.moveItem(atPath: folder.catalogPath, toPath: inside)
            chmod(folder.path, 0o555)
            chmod(inside, 0o444)
            // Permissions do not bind the superuser; as another user for files, this thread is bound by them.
            let isRoot = geteuid() == 0
            if isRoot { setfsuid(65_534) }
            defer {
                if isRoot { setfsuid(0) }
                chmod(folder.path, 0o755)
            }
            let reader = try CatalogStore(path: inside, mode: .readOnly)
            #expect(try reader.content() == content)
            for (path, mode) in [(inside, CatalogStore.Mode.readWrite), (folder.file("new.db"), .create)] {
                let error = #expect(throws: CatalogError.self) { try CatalogStore(path: path, mode: mode) }
                switch error {
                case .readOnly, .cannotOpen: break
                default: Issue.record("\(mode): \(String(describing: error))")
                }
            }
            if isRoot { setfsuid(0) }
            chmod(folder.path, 0o755)
            try folder.write("x ?#%41.db-wal", "somebody's log")
            let error = #expect(throws: CatalogError.self) { try reader.content() }
            if case .cannotOpen = error {} else { Issue.record("\(String(describing: error))") }
        }
    #endif

    @Test("what SQLite would take for an address is refused by name, and a file of that name is opened by its path")
    func addresses() throws {
        let folder = try TestFolder()
        for text in ["file:\(folder.path)/x.db", "FILE:x.db", ":memory:", ""] {
            for mode in [CatalogStore.Mode.readOnly, .readWrite, .create] {
                #expect(throws: CatalogError.notAPath(text)) { try CatalogStore(path: text, mode: mode) }
            }
        }
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == [])
        _ = try CatalogStore(path: folder.file("file:x.db"), mode: .create)
        #expect(FileManager.default.fileExists(atPath: folder.file("file:x.db")))
    }

    @Test("a catalogue that many make at once is made once, and the others wait for it")
    func madeAtOnce() async throws {
        let folder = try TestFolder()
        let path = folder.catalogPath
        for _ in 0..<5 {
            try await withThrowingTaskGroup(of: Int.self) { tasks in
                for _ in 0..<8 {
                    tasks.addTask { try CatalogStore(path: path, mode: .create).counts().products }
                }
                for try await count in tasks { #expect(count == 0) }
            }
            for ending in ["", "-wal", "-shm"] { try? FileManager.default.removeItem(atPath: path + ending) }
        }
    }

    /// Makes a catalogue as the first version did: two products with two pictures each, under the ids given.
    private func firstVersion(_ folder: TestFolder, _ ids: [String]) throws {
        let queue = try DatabaseQueue(path: folder.catalogPath)
        try Schema.migrator.migrate(queue, upTo: "1 products, images, vectors")
        try queue.write { db in
            for id in ids {
                try db.execute(sql: "INSERT INTO products (id) VALUES (?)", arguments: [id])
                for view in 0..<2 {
                    let path = "/\(id)-\(view).jpg"
                    try db.execute(
                        sql: """
                            INSERT INTO images (product_id, path, source, sha256, width, height, state)
                            VALUES (?, ?, '/m.csv', ?, 4, 3, 'ok')
                            """, arguments: [id, path, ContentHash(of: Data(path.utf8)).hex])
                }
            }
            try db.execute(sql: "INSERT INTO product_attributes VALUES (?, 'fit', 'slim')", arguments: [ids[0]])
        }
        try queue.close()
    }

    @Test("an older catalogue that many open at once is brought up to date once, and the others wait for it")
    func migratedAtOnce() async throws {
        let folder = try TestFolder()
        let path = folder.catalogPath
        try firstVersion(folder, ["P0", "P1"])
        try await withThrowingTaskGroup(of: Int.self) { tasks in
            for _ in 0..<8 {
                tasks.addTask { try CatalogStore(path: path, mode: .readWrite, busyTimeout: 60).counts().products }
            }
            for try await count in tasks { #expect(count == 2) }
        }
    }

    @Test("ids of an older catalogue that differ in Unicode normalisation alone become one product, with the pictures of both")
    func twoSpellings() throws {
        let folder = try TestFolder()
        let (one, other) = ("Kleid-Gru\u{308}n", "Kleid-Gr\u{FC}n")
        try firstVersion(folder, [one, other])
        // Who may only read it sees it as it is.
        let reader = try CatalogStore(path: folder.catalogPath, mode: .readOnly)
        #expect(try reader.products().count == 2)
        #expect(try CatalogColumns(reading: reader).page(matching: CatalogFilter(), offset: 0, limit: 9).total == 2)
        try reader.close()
        let store = try CatalogStore(path: folder.catalogPath, mode: .readWrite)
        let ids = try store.products().map { Array($0.id.utf8) }
        #expect(ids.contains(Array(other.utf8)) && !ids.contains(Array(one.utf8)))
        for id in [one, other] {
            #expect(try store.product(id)?.attributes == ["fit": "slim"])
            #expect(try store.images(ofProduct: id).count == 4)
        }
        #expect(try store.write { try Int.fetchOne($0, sql: "SELECT count(*) FROM pragma_foreign_key_check") } == 0)
    }

    @Test("whatever keys and paths an older catalogue holds, reading it ends nothing")
    func oddContent() throws {
        let folder = try TestFolder()
        let store = try filled(folder)
        let (one, other) = ("gru\u{308}n", "gr\u{FC}n")
        try store.write { db in
            for key in [one, other] {
                try db.execute(sql: "INSERT INTO product_attributes VALUES ('P0', ?, ?)", arguments: [key, key])
                try db.execute(sql: "INSERT INTO image_attributes VALUES (1, ?, ?)", arguments: [key, key])
                try db.execute(sql: "INSERT INTO products (id) VALUES (?)", arguments: [key])
                try db.execute(
                    sql: """
                        INSERT INTO images (product_id, path, source, sha256, width, height, state)
                        VALUES (?, ?, ?, ?, 4, 3, 'ok')
                        """, arguments: [key, "/\(key)", "/\(key).csv", ContentHash(of: Data(key.utf8)).hex])
            }
        }
        #expect(try store.products(["P0", one, other]).count == 2)
        #expect(try store.products().count == 4 && store.images().count == 6 && store.images([1, 5, 6]).count == 3)
        #expect(try store.places().map { Array($0.path.utf8) }.suffix(2) == [Array("/\(one)".utf8), Array("/\(other)".utf8)])
        #expect(try store.product("P0")?.attributes[one] != nil)
        #expect(try store.images(ofProduct: one).count == 1 && store.images(ofProduct: other).count == 1)
        #expect(try store.imageIDs(matching: CatalogFilter(["product_id=\(one)"])).isSuperset(of: [5]))
        #expect(try store.productPage(matching: CatalogFilter(), offset: 0, limit: 9, facets: ["product_id", one]).total == 4)
    }

    @Test("products and images come page by page, by id and by product")
    func reading() throws {
        let folder = try TestFolder()
        let store = try filled(folder)
        #expect(try store.products().map(\.id) == ["P0", "P1"])
        #expect(try store.products(after: "P0", limit: 1).map(\.id) == ["P1"])
        #expect(try store.products(["P1", "none"]).keys.sorted() == ["P1"])
        let product = try #require(try store.product("P1"))
        #expect(product == Product(id: "P1", title: "Garment 1", price: 1, attributes: ["material": "Wool"]))
        #expect(try store.images(after: 1, limit: 2).map(\.id) == [2, 3])
        #expect(try store.images(ofProduct: "P1").map(\.id) == [3, 4])
        #expect(try store.images([4, 9])[4]?.view == "v1")
        #expect(try store.image(1)?.size == PictureSize(width: 4, height: 3))
        #expect(try store.image(99) == nil)
        #expect(try store.counts() == CatalogCounts(products: 2, images: 4, missing: 0, broken: 0, vectors: [:]))
    }
}
