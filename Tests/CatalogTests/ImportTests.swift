import Foundation
import Testing

@testable import Catalog

@Suite("Import")
struct ImportTests {
    let folder: TestFolder
    let store: CatalogStore
    let model = ModelRecord(fingerprint: "f", name: "m", dimension: 2)

    init() throws {
        folder = try TestFolder()
        store = try CatalogStore(path: folder.catalogPath, mode: .create)
    }

    @discardableResult
    private func run(_ options: ImportOptions = ImportOptions()) throws -> ImportReport {
        try store.importCatalog(from: folder.url, options: options, inspect: TestPicture.inspect)
    }

    /// Gives every usable image a vector.
    private func embed() throws {
        let images = try store.images(withoutVectorOf: "f")
        try store.writeVectors(
            images.map { NewVector(image: $0.id, contentHash: $0.contentHash, components: [1, 0]) }, of: model)
    }

    @Test("the second import of the same source finds nothing new and inspects nothing")
    func idempotent() throws {
        try folder.boutique(products: 5, views: 3)
        let first = try run(ImportOptions(batchSize: 4))
        #expect(first.productsAdded == 5 && first.imagesAdded == 15 && first.problems == [])
        let content = try store.content()
        let ids = try store.images().map(\.id)
        let inspected = Counter()
        let second = try store.importCatalog(
            from: folder.url,
            inspect: { bytes, file in
                inspected.increment()
                return try TestPicture.inspect(bytes, file)
            })
        #expect(second.productsUnchanged == 5 && second.imagesUnchanged == 15)
        #expect(
            second.productsAdded + second.productsUpdated + second.imagesAdded + second.imagesChanged + second.imagesRenamed == 0)
        #expect(inspected.value == 0)
        #expect(try store.content() == content)
        #expect(try store.images().map(\.id) == ids)
    }

    @Test("a renamed picture keeps its id and its vector")
    func renamed() throws {
        try folder.boutique(products: 2, views: 2)
        try run()
        try embed()
        let before = try #require(try store.images(ofProduct: "P1").first)
        try folder.move("images/1-0.jpg", to: "images/new name.jpg")
        let manifest = try String(contentsOfFile: folder.file("manifest.jsonl"), encoding: .utf8)
        try folder.write("manifest.jsonl", manifest.replacingOccurrences(of: "1-0.jpg", with: "new name.jpg"))
        let report = try run()
        #expect(report.imagesRenamed == 1 && report.imagesUnchanged == 3 && report.imagesAdded == 0 && report.imagesRemoved == [])
        let after = try #require(try store.image(before.id))
        #expect(after.path.hasSuffix("/new name.jpg") && after.contentHash == before.contentHash)
        #expect(try store.vectors(of: "f").count == 4)
    }

    @Test("a renamed file of a plain folder keeps its id and vector under its new product")
    func renamedInFolder() throws {
        try folder.picture("coats/a.jpg")
        try folder.picture("coats/b.jpg")
        try run()
        try embed()
        let ids = try store.images().map(\.id)
        try folder.move("coats/a.jpg", to: "jackets/c.jpg")
        #expect(try run().imagesRenamed == 1)
        #expect(try store.images().map(\.id) == ids)
        #expect(try store.products().map(\.id) == ["coats/b.jpg", "jackets/c.jpg"])
        #expect(try store.product("jackets/c.jpg")?.category == "jackets")
        #expect(try store.vectors(of: "f").count == 2)
    }

    @Test("a moved folder is the same catalogue")
    func movedFolder() throws {
        try folder.boutique(products: 3, views: 2)
        for name in ["images", "manifest.jsonl"] { try folder.move(name, to: "old/" + name) }
        _ = try store.importCatalog(from: folder.url.appendingPathComponent("old"), inspect: TestPicture.inspect)
        try embed()
        let ids = try store.images().map(\.id)
        try folder.move("old", to: "new")
        let report = try store.importCatalog(from: folder.url.appendingPathComponent("new"), inspect: TestPicture.inspect)
        #expect(report.imagesRenamed == 6 && report.imagesAdded == 0)
        #expect(try store.images().map(\.id) == ids)
        #expect(try store.vectors(of: "f").count == 6)
    }

    @Test("other bytes under the same path keep the id and drop the vector")
    func changed() throws {
        try folder.boutique(products: 2, views: 2)
        try run()
        try embed()
        try folder.picture("images/0-1.jpg", "other")
        #expect(try run().imagesChanged == 1)
        #expect(try store.images(withoutVectorOf: "f").map(\.id) == [2])
    }

    @Test("a copy of a picture that is still there is a picture of its own")
    func copied() throws {
        try folder.picture("a.jpg", "same")
        try run()
        try folder.picture("b.jpg", "same")
        let report = try run()
        #expect(report.imagesAdded == 1 && report.imagesUnchanged == 1 && report.imagesRenamed == 0)
    }

    @Test("a picture that vanishes and comes back keeps its vector and is not offered meanwhile")
    func vanished() throws {
        try folder.boutique(products: 1, views: 2)
        try run()
        try embed()
        try folder.move("images/0-0.jpg", to: "elsewhere")
        let report = try run()
        #expect(report.imagesMissing == 1 && report.problems.map(\.line) == [1])
        #expect(try store.vectors(of: "f").imageIDs == [2])
        #expect(try store.imageIDs(matching: CatalogFilter()) == [2])
        try folder.move("elsewhere", to: "images/0-0.jpg")
        #expect(try run().imagesUnchanged == 2)
        #expect(try store.vectors(of: "f").imageIDs == [1, 2])
    }

    @Test("what cannot be read is reported with its line, counted, and does not keep the rest out")
    func problems() throws {
        try folder.picture("good.jpg")
        try folder.write("text.jpg", "this is a text")
        try folder.write("empty.jpg", "")
        try folder.write("folder.jpg/x", "")
        try folder.write(
            "manifest.csv",
            """
            image,product_id,price
            good.jpg,P,1
            text.jpg,P,1
            gone.jpg,P,1
            good.jpg,Q,1
            empty.jpg,P,2
            folder.jpg,P,1
            text.jpg,R
            """)
        let report = try run()
        #expect(report.imagesAdded == 1 && report.imagesBroken == 3 && report.imagesMissing == 1 && report.productsAdded == 1)
        let words: [Int: String] = [
            3: "text.jpg cannot be read (it is not a picture)", 4: "gone.jpg cannot be opened (No such file",
            5: "already listed in line 2",
            6: "the price of product 'P' is '2' here and '1' in line 2", 7: "it is not a regular file",
            8: "already listed in line 3",
        ]
        for (line, word) in words {
            #expect(report.problems.contains { $0.line == line && $0.message.contains(word) }, "\(line): \(report.problems)")
        }
        #expect(report.problems.contains { $0.line == 6 && $0.message.contains("empty.jpg") })
        #expect(try store.counts() == CatalogCounts(products: 1, images: 5, missing: 1, broken: 3, vectors: [:]))
        try folder.picture("text.jpg")
        #expect(try run().imagesBroken == 2)
        #expect(try store.counts().usable == 2)
    }

    @Test("a product without enough readable pictures does not get in, and one that is in stays")
    func minImages() throws {
        try folder.boutique(products: 3, views: 2)
        try folder.write("images/1-0.jpg", "broken")
        let report = try run(ImportOptions(minImages: 2))
        #expect(report.productsAdded == 2 && report.productsSkipped == 1 && report.imagesAdded == 4)
        #expect(report.problems.contains { $0.message.contains("'P1' has 1 readable images, and 2 are asked for") })
        try folder.write("images/2-0.jpg", "broken")
        #expect(try run(ImportOptions(minImages: 2)).productsSkipped == 1)
        #expect(try store.products().map(\.id) == ["P0", "P2"])
    }

    @Test("nothing readable is told apart from success")
    func nothingGood() throws {
        try folder.write("a.jpg", "text")
        let report = try run()
        #expect(!report.hasGoodImages && report.productsSkipped == 1 && report.imagesBroken == 1)
        #expect(try store.counts().products == 0)
    }

    @Test("changed metadata are taken over without touching images and vectors")
    func metadata() throws {
        try folder.boutique(products: 2, views: 2)
        try run()
        try embed()
        let manifest = try String(contentsOfFile: folder.file("manifest.jsonl"), encoding: .utf8)
        try folder.write("manifest.jsonl", manifest.replacingOccurrences(of: "Wool", with: "Silk"))
        let report = try run()
        #expect(report.productsUpdated == 2 && report.imagesUnchanged == 4)
        #expect(try store.product("P0")?.attributes == ["material": "Silk"])
        #expect(try store.vectors(of: "f").count == 4)
    }

    @Test("an attribute belongs to the product if all its rows agree, else to the rows that have it")
    func attributes() throws {
        for name in ["a", "b", "c"] { try folder.picture(name) }
        try folder.write(
            "manifest.jsonl",
            """
            {"image":"a","product_id":"P","fit":"slim","pose":"front","lamp":"on"}
            {"image":"b","product_id":"P","fit":"slim","pose":"back","lamp":"on"}
            {"image":"c","product_id":"P","fit":"slim","pose":"front"}
            """)
        try run()
        #expect(try store.product("P")?.attributes == ["fit": "slim"])
        #expect(
            try store.images().map(\.attributes) == [
                ["pose": "front", "lamp": "on"], ["pose": "back", "lamp": "on"], ["pose": "front"],
            ])
    }

    @Test("pictures that left the source are reported, and deleted only when asked and safe")
    func removed() throws {
        try folder.boutique(products: 3, views: 1)
        try run()
        let lines = try String(contentsOfFile: folder.file("manifest.jsonl"), encoding: .utf8).split(separator: "\n")
        try folder.write("manifest.jsonl", lines[0] + "\n" + lines[1])
        let report = try run()
        #expect(report.imagesRemoved.map { $0.hasSuffix("2-0.jpg") } == [true] && report.imagesPruned == 0)
        #expect(try store.counts().images == 3)
        try folder.write("manifest.jsonl", lines[0] + "\n" + lines[1] + "\nbroken")
        #expect(try run(ImportOptions(prune: true)).imagesPruned == 0)
        try folder.write("manifest.jsonl", lines[0] + "\n" + lines[1])
        #expect(try run(ImportOptions(prune: true)).imagesPruned == 1)
        #expect(try store.products().map(\.id) == ["P0", "P1"])
    }

    @Test("size and time of change of a known file spare reading it, unless all is to be read again")
    func fastPath() throws {
        try folder.picture("a.jpg")
        let path = folder.file("a.jpg")
        let status = try FileStatus(ofPath: path)
        let wrong = ContentHash(of: Data("something else".utf8))
        let known = FileObserver.Known(
            hash: wrong, size: status.size, changed: status.changed, picture: PictureSize(width: 1, height: 1))
        let table: [(FileObserver.Known, Bool, Bool)] = [
            (known, false, true), (known, true, false),
            (
                FileObserver.Known(hash: wrong, size: status.size + 1, changed: status.changed, picture: known.picture), false,
                false
            ),
            (
                FileObserver.Known(hash: wrong, size: status.size, changed: status.changed - 1, picture: known.picture), false,
                false
            ),
            (FileObserver.Known(hash: wrong, size: status.size, changed: nil, picture: known.picture), false, false),
        ]
        for (known, rehash, trusted) in table {
            let observer = FileObserver(
                known: [ExactText(path): known], options: ImportOptions(rehash: rehash), inspect: TestPicture.inspect)
            guard case .good(let hash, _, let changed, _) = observer.observe(path) else {
                Issue.record("the picture was refused")
                continue
            }
            #expect((hash == wrong) == trusted)
            // The file is too fresh for its time to be remembered.
            #expect(trusted || changed == nil)
        }
    }

    @Test("one picture under many names stays many images, and comes in quickly")
    func placeholder() throws {
        for number in 0..<2_000 { try folder.picture("\(number).jpg", "no picture yet") }
        #expect(try run().imagesAdded == 2_000)
        #expect(try run().imagesUnchanged == 2_000)
    }

    @Test("20,000 rows come in and are recognised again in a time that grows with their number only")
    func bulk() throws {
        try folder.boutique(products: 5_000, views: 4)
        let clock = ContinuousClock()
        var added = 0
        var unchanged = 0
        let first = try clock.measure { added = try run().imagesAdded }
        let second = try clock.measure { unchanged = try run().imagesUnchanged }
        #expect(added == 20_000 && unchanged == 20_000)
        print("20,000 rows: first import \(first), second \(second)")
        // Ten times what two slow cores need; a lookup without its index takes far longer.
        #expect(first < .seconds(60) && second < .seconds(60))
    }
}
