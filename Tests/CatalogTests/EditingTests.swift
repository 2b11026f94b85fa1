import Foundation
import GRDB
import Testing

@testable import Catalog

#if canImport(Glibc)
    import Glibc
#endif

@Suite("Editing a catalogue")
struct EditingTests {
    let folder: TestFolder
    let store: CatalogStore
    let model = ModelRecord(fingerprint: "f1", name: "small", dimension: 2)

    init() throws {
        folder = try TestFolder()
        try folder.boutique(products: 2, views: 2)
        store = try CatalogStore(path: folder.file("shop.db"), mode: .create)
        _ = try store.importCatalog(from: folder.url, inspect: TestPicture.inspect)
    }

    private func bytes(_ text: String) -> Data { Data("picture 4x3 \(text)".utf8) }

    /// The media folder's files, below it.
    private static func media(_ catalog: String) -> [String] {
        let files = FileManager.default.subpaths(atPath: catalog + ".media") ?? []
        return files.filter { $0.contains("/") }.sorted()
    }

    private var media: [String] { Self.media(store.path) }

    @Test("a picture that came as bytes is called by its first bytes, and by nothing where they say nothing")
    func endings() {
        let table: [(String, String)] = [
            ("\u{89}PNG", "bin"), ("RIFF....WEBPVP8 ", "webp"), ("RIFF....AVI LIST", "bin"), ("GIF89a..", "gif"),
            ("II*\0....", "tif"),
            ("MM\0*....", "tif"), ("MM\0+....", "tif"), ("....ftypavif....", "avif"), ("....ftypheic....", "heic"),
            ("....ftypmif1....", "heic"), ("", "bin"), ("GIF", "bin"),
        ]
        for (text, ending) in table { #expect(MediaFolder.ending(of: Data(text.utf8)) == ending, "\(text)") }
        #expect(MediaFolder.ending(of: Data([0x89, 0x50])) == "png" && MediaFolder.ending(of: Data([0xFF, 0xD8])) == "jpg")
    }

    @Test("a product that is put is there with all it has, and put again is as it was put last")
    func put() throws {
        var product = Product(
            id: "N1", title: "Coat", category: "Women/Coats", price: 120, url: "https://example.com/1", inStock: true,
            attributes: ["fit": "slim", "material": "Wool|Silk"])
        #expect(try store.put(product: product) == true)
        #expect(try store.product("N1") == product)
        product.price = nil
        product.attributes = ["fit": "wide"]
        #expect(try store.put(product: product) == false)
        #expect(try store.product("N1") == product)
        // One spelling for one id, whichever way it is typed.
        #expect(try store.put(product: Product(id: "Gru\u{308}n")) == true)
        #expect(try store.put(product: Product(id: "Gr\u{FC}n", title: "x")) == false)
    }

    @Test("what a product or picture can't have is refused by name, and nothing is written")
    func refusedFields() throws {
        let position = try store.changePosition()
        for (product, key) in [
            (Product(id: " "), "id"), (Product(id: "N", price: -1), "price"), (Product(id: "N", price: .nan), "price"),
            (Product(id: "N", url: "javascript:alert(1)"), "url"), (Product(id: "N", attributes: ["color": "red"]), "color"),
            (Product(id: "N", attributes: ["": "red"]), ""), (Product(id: "N", attributes: ["fit": ""]), "fit"),
        ] {
            let error = #expect(throws: CatalogError.self) { try store.put(product: product) }
            if case .badField(key, _) = error {} else { Issue.record("\(String(describing: error))") }
        }
        for fields in [ImageFields(split: "all"), ImageFields(attributes: ["price": "5"])] {
            let error = #expect(throws: CatalogError.self) {
                try store.addImage(bytes: bytes("a"), to: "P0", fields: fields, inspect: TestPicture.inspect)
            }
            if case .badField = error {} else { Issue.record("\(String(describing: error))") }
        }
        #expect(throws: CatalogError.notAPicture(reason: "it is not a picture")) {
            try store.addImage(bytes: Data("no".utf8), to: "P0", inspect: TestPicture.inspect)
        }
        #expect(throws: CatalogError.unknownProduct(id: "none")) {
            try store.addImage(bytes: bytes("a"), to: "none", inspect: TestPicture.inspect)
        }
        #expect(throws: CatalogError.self) {
            try store.addImage(bytes: bytes("a"), to: "P0", vectors: [(model, [1, 1])], inspect: TestPicture.inspect)
        }
        #expect(try store.changePosition() == position)
        #expect(media == [])
    }

    @Test(
        "a picture is added with its fields and vectors in one transaction, and its file lies beside the catalogue by its content"
    )
    func add() throws {
        let position = try store.changePosition()
        let fields = ImageFields(view: "main", color: "red", caption: "A coat", split: "query", attributes: ["pose": "front"])
        let id = try store.addImage(
            bytes: bytes("a"), to: "P0", fields: fields, vectors: [(model, [0, 1])], inspect: TestPicture.inspect)
        let image = try #require(try store.image(id))
        #expect(image.productID == "P0" && image.size == PictureSize(width: 4, height: 3) && image.state == .ok)
        #expect(image.view == "main" && image.color == "red" && image.caption == "A coat" && image.split == "query")
        #expect(image.attributes == ["pose": "front"])
        #expect(image.contentHash == ContentHash(of: bytes("a")))
        #expect(try Data(contentsOf: image.file) == bytes("a"))
        let hex = ContentHash(of: bytes("a")).hex
        #expect(media == ["\(hex.prefix(2))/\(hex).bin"])
        #expect(image.path.hasSuffix("/shop.db.media/\(hex.prefix(2))/\(hex).bin"))
        #expect(try store.places().last?.path == image.path)
        #expect(try store.vector(of: id, model: "f1") == [0, 1])
        let changes = try #require(try store.changes(after: position))
        #expect(changes.images == [id] && changes.vectors == ["f1": [id]])
    }

    @Test("the same bytes twice are one file; for the same product they are one image")
    func twice() throws {
        let first = try store.addImage(
            bytes: bytes("a"), to: "P0", fields: ImageFields(color: "red"), vectors: [(model, [0, 1])],
            inspect: TestPicture.inspect)
        let again = try store.addImage(
            bytes: bytes("a"), to: "P0", fields: ImageFields(color: "blue"), inspect: TestPicture.inspect)
        let other = try store.addImage(bytes: bytes("a"), to: "P1", inspect: TestPicture.inspect)
        #expect(first == again && other != first)
        #expect(try store.image(first)?.color == "blue")
        #expect(try store.vector(of: first, model: "f1") == [0, 1], "the same bytes keep their vector")
        #expect(media.count == 1)
        // The file goes with the last picture that it is of.
        #expect(try store.deleteImage(first) == true)
        #expect(media.count == 1)
        #expect(try store.deleteImage(other) == true)
        #expect(media == [])
        #expect(try store.deleteImage(other) == false)
    }

    @Test("a replaced picture keeps its id, and loses the vectors and the file of its former bytes")
    func replace() throws {
        let id = try store.addImage(
            bytes: bytes("a"), to: "P0", fields: ImageFields(color: "red"), vectors: [(model, [0, 1])],
            inspect: TestPicture.inspect)
        try store.replaceImage(id, bytes: bytes("b"), inspect: TestPicture.inspect)
        let image = try #require(try store.image(id))
        #expect(image.contentHash == ContentHash(of: bytes("b")) && image.color == "red")
        #expect(try Data(contentsOf: image.file) == bytes("b"))
        #expect(try store.vector(of: id, model: "f1") == nil)
        #expect(media.count == 1)
        try store.replaceImage(
            id, bytes: bytes("c"), fields: ImageFields(view: "back"), vectors: [(model, [1, 0])], inspect: TestPicture.inspect)
        #expect(try store.vector(of: id, model: "f1") == [1, 0])
        #expect(try store.image(id)?.view == "back" && store.image(id)?.color == nil)
        let twin = try store.addImage(bytes: bytes("d"), to: "P0", inspect: TestPicture.inspect)
        #expect(throws: CatalogError.sameImage(id: twin)) {
            try store.replaceImage(id, bytes: bytes("d"), inspect: TestPicture.inspect)
        }
        let error = #expect(throws: CatalogError.self) {
            try store.replaceImage(1, bytes: bytes("e"), inspect: TestPicture.inspect)
        }
        if case .importedImage(1, _) = error {} else { Issue.record("\(String(describing: error))") }
        #expect(throws: CatalogError.unknownImage(id: 99)) {
            try store.replaceImage(99, bytes: bytes("e"), inspect: TestPicture.inspect)
        }
        #expect(media.count == 2)
    }

    @Test("a picture that comes back has the vectors of its bytes again")
    func comingBack() throws {
        let id = try store.addImage(bytes: bytes("a"), to: "P0", vectors: [(model, [0, 1])], inspect: TestPicture.inspect)
        try store.deleteImage(id)
        let again = try store.addImage(bytes: bytes("a"), to: "P1", inspect: TestPicture.inspect)
        #expect(again != id)
        #expect(try store.vector(of: again, model: "f1") == [0, 1])
        try store.replaceImage(again, bytes: bytes("b"), inspect: TestPicture.inspect)
        #expect(try store.vector(of: again, model: "f1") == nil)
        try store.replaceImage(again, bytes: bytes("a"), vectors: [(model, [1, 0])], inspect: TestPicture.inspect)
        #expect(try store.vector(of: again, model: "f1") == [1, 0], "what is given goes before what is kept")
    }

    @Test("a deleted product takes its pictures, vectors and media files along, and leaves an import's files alone")
    func deleteProduct() throws {
        let id = try store.addImage(bytes: bytes("a"), to: "P0", vectors: [(model, [0, 1])], inspect: TestPicture.inspect)
        #expect(try store.deleteProduct("P0") == true)
        #expect(try store.product("P0") == nil && store.image(id) == nil)
        #expect(try store.counts().vectors == ["f1": 0])
        #expect(media == [])
        #expect(FileManager.default.fileExists(atPath: folder.file("images/0-0.jpg")))
        #expect(try store.deleteProduct("P0") == false)
    }

    @Test("no import prunes, renames or takes over a picture that came as bytes")
    func importsBeside() throws {
        let id = try store.addImage(bytes: bytes("a"), to: "P0", inspect: TestPicture.inspect)
        let before = try store.image(id)
        // The same picture comes in as a file of another name: an import looks for the old place of a file by its content.
        try folder.picture("images/1-0.jpg", "a")
        try folder.picture("more/copy.jpg", "a")
        try folder.write("more/manifest.jsonl", #"{"image": "copy.jpg", "product_id": "M"}"#)
        _ = try store.importCatalog(from: URL(fileURLWithPath: folder.file("more")), inspect: TestPicture.inspect)
        try folder.write("manifest.jsonl", #"{"image": "images/1-0.jpg", "product_id": "P1"}"#)
        let report = try store.importCatalog(from: folder.url, options: ImportOptions(prune: true), inspect: TestPicture.inspect)
        #expect(report.imagesPruned == 3)
        #expect(try store.image(id) == before)
        #expect(try store.images(ofProduct: "P0").map(\.id) == [id])
        #expect(media.count == 1)
    }

    @Test("catalogue and media folder may move together")
    func moved() throws {
        let id = try store.addImage(bytes: bytes("a"), to: "P0", inspect: TestPicture.inspect)
        try store.close()
        try folder.move("shop.db", to: "elsewhere/renamed.db")
        try folder.move("shop.db.media", to: "elsewhere/renamed.db.media")
        let moved = try CatalogStore(path: folder.file("elsewhere/renamed.db"), mode: .readOnly)
        let file = try #require(try moved.image(id)?.file)
        #expect(try Data(contentsOf: file) == bytes("a"))
        #expect(throws: CatalogError.readOnly(path: moved.path)) {
            try moved.addImage(bytes: bytes("b"), to: "P0", inspect: TestPicture.inspect)
        }
    }

    @Test("a path in a row that is no name of the media folder leads nowhere in it")
    func hostilePath() throws {
        let id = try store.addImage(bytes: bytes("a"), to: "P0", inspect: TestPicture.inspect)
        for path in ["api:P0/../../etc/passwd", "api:P0/" + String(repeating: ".", count: 64) + ".jpg", "api:", "api:/"] {
            try store.write { try $0.execute(sql: "UPDATE images SET path = ? WHERE id = ?", arguments: [path, id]) }
            #expect(try store.image(id)?.path == path)
        }
    }

    @Test("a sweep takes what nothing mentions and what was left half written, once it is old, and nothing else")
    func sweep() throws {
        let id = try store.addImage(bytes: bytes("a"), to: "P0", inspect: TestPicture.inspect)
        let kept = media
        let (orphan, part) = try store.write { db in
            let media = try #require(try MediaFolder(db))
            let name = "\(ContentHash(of: bytes("b")).hex).jpg"
            try media.place(media.stage(bytes("b"), as: name), as: name)
            return (media.file(name), try media.stage(bytes("c"), as: "\(ContentHash(of: bytes("c")).hex).jpg"))
        }
        try folder.write("shop.db.media/\(kept[0].prefix(2))/notes.txt", "mine")
        #expect(FileManager.default.fileExists(atPath: orphan) && FileManager.default.fileExists(atPath: part))
        #expect(try store.sweepMedia() == 0, "another process may be about to mention it")
        #expect(try store.sweepMedia(olderThan: 0) == 2)
        #expect(media.count == 2)
        #expect(try Data(contentsOf: #require(try store.image(id)).file) == bytes("a"))
        #expect(try store.sweepMedia(olderThan: 0) == 0)
    }

    @Test("an import that prunes sweeps the media folder, and one that does not leaves it")
    func prunedSweep() throws {
        let id = try store.addImage(bytes: bytes("a"), to: "P0", inspect: TestPicture.inspect)
        try store.write { db in
            let media = try #require(try MediaFolder(db))
            let name = "\(ContentHash(of: bytes("b")).hex).jpg"
            try media.place(media.stage(bytes("b"), as: name), as: name)
        }
        try folder.picture("more/x.jpg")
        let source = folder.url.appending(path: "more")
        func run(_ options: ImportOptions) throws -> Int {
            try store.importCatalog(from: source, options: options, inspect: TestPicture.inspect).strayFilesRemoved
        }
        var options = ImportOptions(prune: true)
        #expect(try run(options) == 0 && media.count == 2, "the file is too young")
        options.strayAge = 0
        options.prune = false
        #expect(try run(options) == 0 && media.count == 2)
        options.prune = true
        #expect(try run(options) == 1 && media.count == 1)
        #expect(try Data(contentsOf: #require(try store.image(id)).file) == bytes("a"))
    }

    @Test("a disk that is full undoes everything in one sentence")
    func fullDisk() throws {
        try store.database.writeWithoutTransaction { db in
            let pages = try Int.fetchOne(db, sql: "PRAGMA page_count") ?? 0
            try db.execute(sql: "PRAGMA max_page_count = \(pages)")
        }
        let counts = try store.counts()
        let wide = ModelRecord(fingerprint: "f", name: "wide", dimension: 65_536)
        let vector = [1] + [Float](repeating: 0, count: 65_535)
        #expect(throws: CatalogError.diskFull(path: store.path)) {
            try store.addImage(bytes: bytes("a"), to: "P0", vectors: [(wide, vector)], inspect: TestPicture.inspect)
        }
        #expect(try store.counts() == counts)
        #expect(media == [], "the staged file is gone as well")
    }

    #if canImport(Glibc)
        @Test("a process that is killed between the media file and the commit leaves nothing half there")
        func killed() async throws {
            // The child finds the catalogue by its environment, and the test what the child left.
            setenv("STYLEFINDER_KILLED_CATALOG", store.path, 1)
            let before = try store.counts()
            await #expect(processExitsWith: .signal(SIGKILL)) {
                /// Ends the process once all statements of the transaction are done.
                final class Killer: TransactionObserver {
                    func observes(eventsOfKind eventKind: DatabaseEventKind) -> Bool { true }
                    func databaseDidChange(with event: DatabaseEvent) {}
                    func databaseWillCommit() throws { kill(getpid(), SIGKILL) }
                    func databaseDidCommit(_ db: Database) {}
                    func databaseDidRollback(_ db: Database) {}
                }
                let path = try #require(ProcessInfo.processInfo.environment["STYLEFINDER_KILLED_CATALOG"])
                let store = try CatalogStore(path: path, mode: .readWrite)
                store.database.add(transactionObserver: Killer(), extent: .databaseLifetime)
                try store.addImage(
                    bytes: Data("picture 4x3 killed".utf8), to: "P0",
                    vectors: [(ModelRecord(fingerprint: "f1", name: "small", dimension: 2), [0, 1])], inspect: TestPicture.inspect
                )
            }
            #expect(media.count == 1, "the file was there when the process ended")
            #expect(try store.counts() == before)
            #expect(try store.read { db in try String.fetchOne(db, sql: "PRAGMA integrity_check") } == "ok")
            // The same call again does it all, over what was left.
            let id = try store.addImage(
                bytes: bytes("killed"), to: "P0", vectors: [(model, [0, 1])], inspect: TestPicture.inspect)
            #expect(try Data(contentsOf: #require(try store.image(id)).file) == bytes("killed"))
            #expect(media.count == 1)
            try store.deleteImage(id)
            #expect(media == [])
        }
    #endif

    @Test("pictures added and deleted from several threads at once end as the calls say")
    func concurrent() async throws {
        let (path, model) = (store.path, model)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for worker in 0..<4 {
                group.addTask {
                    // A connection of its own, as another process would have.
                    let store = try CatalogStore(path: path, mode: .readWrite, busyTimeout: 60)
                    for round in 0..<10 {
                        // All workers share the contents, so files come and go under each other's hands.
                        let content = Data("picture 4x3 \(round % 3)".utf8)
                        try store.put(product: Product(id: "W\(worker)"))
                        let id = try store.addImage(
                            bytes: content, to: "W\(worker)", vectors: [(model, [0, 1])], inspect: TestPicture.inspect)
                        if round % 2 == 0 { try store.deleteImage(id) }
                    }
                }
            }
            try await group.waitForAll()
        }
        let images = try store.images().filter { $0.productID.hasPrefix("W") }
        // The content 0 comes last in round 9 and the content 1 in round 7, and both stay; the content 2 goes in round 8.
        #expect(images.count == 4 * 2)
        for image in images { #expect(try ContentHash(of: Data(contentsOf: image.file)) == image.contentHash) }
        #expect(Set(media.map { String($0.suffix(68).prefix(64)) }) == Set(images.compactMap(\.contentHash?.hex)))
    }
}
