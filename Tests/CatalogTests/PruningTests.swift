import Foundation
import GRDB
import Testing

@testable import Catalog

@Suite("Pictures that come, go, move and return")
struct PruningTests {
    let folder: TestFolder
    let store: CatalogStore
    let model = ModelRecord(fingerprint: "f", name: "m", dimension: 2)

    init() throws {
        folder = try TestFolder()
        store = try CatalogStore(path: folder.catalogPath, mode: .create)
    }

    @discardableResult
    private func run(_ name: String? = nil, _ options: ImportOptions = ImportOptions()) throws -> ImportReport {
        let url = name.map { folder.url.appendingPathComponent($0) } ?? folder.url
        return try store.importCatalog(from: url, options: options, inspect: TestPicture.inspect)
    }

    /// Gives every usable image a vector that tells its id.
    private func embed() throws {
        let images = try store.images(withoutVectorOf: "f")
        try store.writeVectors(
            images.map { image in
                let angle = Float(image.id)
                return NewVector(
                    image: image.id, contentHash: image.contentHash, components: [Foundation.cos(angle), Foundation.sin(angle)])
            }, of: model)
    }

    private func vectors() throws -> [String: [Float]] {
        var found: [String: [Float]] = [:]
        for image in try store.images() { found[image.path] = try store.vector(of: image.id, model: "f") }
        return found
    }

    // MARK: Pruning

    @Test("a folder that became empty as a whole is pruned at a second word only, and what returns finds its vectors again")
    func unmounted() throws {
        for number in 0..<6 { try folder.picture("p/nas/\(number).jpg") }
        for number in 6..<8 { try folder.picture("p/local/\(number).jpg") }
        try run("p")
        try embed()
        let before = try vectors()
        try folder.move("p/nas", to: "unmounted")
        try FileManager.default.createDirectory(atPath: folder.file("p/nas"), withIntermediateDirectories: true)

        let guarded = try run("p", ImportOptions(prune: true))
        #expect(guarded.imagesPruned == 0 && guarded.imagesRemoved.count == 6)
        #expect(guarded.foldersEmptied.map { $0.hasSuffix("/p/nas") } == [true])
        #expect(guarded.problems.count == 1 && guarded.problems[0].message.contains("--prune-emptied"))
        #expect(try store.counts() == CatalogCounts(products: 8, images: 8, missing: 0, broken: 0, vectors: ["f": 8]))

        #expect(try run("p", ImportOptions(prune: true, pruneEmptied: true)).imagesPruned == 6)
        #expect(try store.counts() == CatalogCounts(products: 2, images: 2, missing: 0, broken: 0, vectors: ["f": 2]))

        try folder.remove("p/nas")
        try folder.move("unmounted", to: "p/nas")
        let returned = try run("p")
        #expect(returned.imagesAdded == 6 && returned.vectorsRestored == 6)
        #expect(try vectors() == before)
        #expect(try store.countOfImages(withoutVectorOf: "f") == 0)
    }

    @Test("a picture that goes from a folder that has others is pruned at the first word")
    func single() throws {
        for name in ["coats/a.jpg", "coats/b.jpg", "c.jpg"] { try folder.picture("p/\(name)") }
        try run("p")
        try folder.remove("p/coats/a.jpg")
        try folder.remove("p/c.jpg")
        let report = try run("p", ImportOptions(prune: true))
        #expect(report.imagesPruned == 2 && report.foldersEmptied == [] && report.problems == [])
        #expect(try store.products().map(\.id) == ["coats/b.jpg"])
    }

    @Test("a source prunes what it has emptied itself, and nothing of others")
    func otherSources() throws {
        try folder.picture("p/a.jpg")
        try folder.picture("p/b.jpg")
        try folder.picture("q/c.jpg")
        try run("p")
        try run("q")
        try store.write { try $0.execute(sql: "INSERT INTO products (id) VALUES ('by hand')") }
        try folder.remove("p/a.jpg")
        try folder.remove("q/c.jpg")
        #expect(try run("p", ImportOptions(prune: true)).imagesPruned == 1)
        #expect(try store.products().map(\.id) == ["b.jpg", "by hand", "c.jpg"])
    }

    @Test("vectors of changed pictures and of deleted products are kept by content for 90 days, and no longer")
    func kept() throws {
        for name in ["a", "b", "c"] { try folder.picture("p/\(name).jpg") }
        try run("p")
        try embed()
        let before = try vectors()
        try folder.picture("p/a.jpg", "other")
        try run("p")
        #expect(try vectors()[folder.realPath + "/p/a.jpg"] == nil)
        try folder.picture("p/a.jpg")
        #expect(try run("p").vectorsRestored == 1)
        #expect(try vectors() == before)

        try store.write { try $0.execute(sql: "DELETE FROM products WHERE id = 'b.jpg'") }
        #expect(try run("p").vectorsRestored == 1)
        #expect(try vectors() == before)

        try store.write { db in
            try db.execute(sql: "DELETE FROM products WHERE id = 'c.jpg'")
            try db.execute(sql: "UPDATE kept_vectors SET kept = kept - 91 * 86400")
        }
        try folder.move("p/c.jpg", to: "c.jpg")
        try run("p")
        try folder.move("c.jpg", to: "p/c.jpg")
        let report = try run("p")
        #expect(report.imagesAdded == 1 && report.vectorsRestored == 0)
    }

    // MARK: Names

    @Test("files of one name in two folders are two garments, the folder's name tells them apart, and each stays what it is")
    func sameNames() throws {
        for side in ["A", "B"] { for number in 0..<3 { try folder.picture("phone\(side)/IMG_\(number).jpg") } }
        try run("phoneA")
        let report = try run("phoneB")
        #expect(report.productsAdded == 3 && report.imagesAdded == 3)
        #expect(report.remarks.map(\.message).filter { $0.contains("IMG_0.jpg is the product phoneB/IMG_0.jpg") }.count == 1)
        let ids = ["IMG_0.jpg", "IMG_1.jpg", "IMG_2.jpg", "phoneB/IMG_0.jpg", "phoneB/IMG_1.jpg", "phoneB/IMG_2.jpg"]
        #expect(try store.products().map(\.id) == ids)
        for name in ["phoneB", "phoneA", "phoneB"] {
            let again = try run(name)
            #expect(again.imagesUnchanged == 3 && again.productsUnchanged == 3 && again.remarks == [])
        }
        #expect(try store.products().map(\.id) == ids)
        // Another folder of the same name takes one name more.
        try folder.picture("old/phoneB/IMG_0.jpg")
        try run("old/phoneB")
        #expect(try store.products().map(\.id).last == "phoneB/IMG_2.jpg")
        #expect(try store.product("old/phoneB/IMG_0.jpg") != nil)
        // The first of the two goes: the other keeps its name.
        try store.write { try $0.execute(sql: "DELETE FROM products WHERE id = 'IMG_0.jpg'") }
        try run("phoneB")
        #expect(try store.product("phoneB/IMG_0.jpg") != nil && store.product("IMG_0.jpg") == nil)
    }

    @Test("a plain folder that moved keeps ids and vectors, beside another with the same names")
    func movedFolder() throws {
        for side in ["A", "B"] { for number in 0..<3 { try folder.picture("phone\(side)/IMG_\(number).jpg") } }
        try run("phoneA")
        try run("phoneB")
        try embed()
        try folder.move("phoneA", to: "moved")
        let report = try run("moved")
        #expect(report.imagesRenamed == 3 && report.productsAdded == 0 && report.productsUnchanged == 3)
        #expect(try store.products().count == 6 && store.vectors(of: "f").count == 6)
    }

    @Test("two garments that an older import merged by their names are told apart again")
    func healed() throws {
        for side in ["A", "B"] { try folder.picture("phone\(side)/IMG.jpg") }
        try run("phoneA")
        try run("phoneB")
        try store.write { try $0.execute(sql: "UPDATE images SET product_id = 'IMG.jpg'") }
        try run("phoneA")
        try run("phoneB")
        #expect(
            try store.images(ofProduct: "IMG.jpg").map(\.id) == [1] && store.images(ofProduct: "phoneB/IMG.jpg").map(\.id) == [2])
    }

    // MARK: Unicode

    @Test("a file renamed from decomposed to composed letters is the same picture, and a file that is gone can be pruned")
    func normalisation() throws {
        let (decomposed, composed) = ("Ro\u{308}ckchen.jpg", "R\u{F6}ckchen.jpg")
        for name in [decomposed, "Gro\u{308}\u{DF}e.jpg", "plain.jpg"] { try folder.picture("p/\(name)") }
        try run("p")
        try embed()
        let ids = try store.images().map(\.id)
        try #require(rename(folder.file("p/\(decomposed)"), folder.file("p/\(composed)")) == 0)
        let report = try run("p")
        #expect(report.imagesRenamed == 1 && report.imagesUnchanged == 2 && report.imagesAdded == 0 && report.imagesRemoved == [])
        #expect(try store.images().map(\.id) == ids && store.vectors(of: "f").count == 3)
        // The product's id was in the one spelling before.
        #expect(report.productsUnchanged == 3)
        #expect(try store.product(decomposed)?.id.utf8.elementsEqual(composed.utf8) == true)
        #expect(try store.images().contains { $0.path.utf8.elementsEqual((folder.realPath + "/p/" + composed).utf8) })

        // The same rename with other bytes: the former file is gone.
        try folder.remove("p/\(composed)")
        try folder.picture("p/\(decomposed)", "other")
        let other = try run("p", ImportOptions(prune: true))
        #expect(other.imagesAdded == 1 && other.imagesPruned == 1)
        #expect(try store.counts().images == 3)
    }

    @Test(
        "ids that differ in normalisation alone are one product, which is said; two such files of a folder keep their own paths")
    func ids() throws {
        let (decomposed, composed) = ("Gru\u{308}n", "Gr\u{FC}n")
        for name in ["a", "b"] { try folder.picture(name) }
        try folder.write("m.csv", "image,product_id\na,\(decomposed)\nb,\(composed)\n")
        let report = try run("m.csv")
        #expect(report.productsAdded == 1 && report.imagesAdded == 2)
        #expect(report.remarks.map(\.message).filter { $0.contains("both are one product") }.count == 1)
        #expect(try store.products().map { Array($0.id.utf8) } == [Array(composed.utf8)])

        for name in [decomposed, composed] { try folder.picture("p/\(name).jpg", ExactText(name).text) }
        let both = try run("p")
        #expect(both.imagesAdded == 2 && both.productsAdded == 1)
        #expect(try run("p").imagesUnchanged == 2)
        #expect(both.remarks.contains { $0.message.contains("both are one product") })
    }

    @Test("a manifest in composed letters finds files whose names are decomposed, and knows them again")
    func manifest() throws {
        try folder.picture("p/Ro\u{308}ckchen.jpg")
        try folder.write("m.csv", "image,product_id\np/R\u{F6}ckchen.jpg,A\n")
        #expect(try run("m.csv").imagesAdded == 1)
        #expect(try run("m.csv").imagesUnchanged == 1)
    }

    @Test("a source of which nothing can be read is known before a catalogue is made")
    func nothingGood() throws {
        try folder.write("p/a.jpg", "text")
        var dataset = try Dataset(contentsOf: folder.url.appendingPathComponent("p"))
        #expect(!CatalogStore.canImport(dataset, inspect: TestPicture.inspect))
        try folder.picture("p/b.jpg")
        dataset = try Dataset(contentsOf: folder.url.appendingPathComponent("p"))
        #expect(CatalogStore.canImport(dataset, inspect: TestPicture.inspect))
        #expect(!CatalogStore.canImport(dataset, options: ImportOptions(splits: ["train"]), inspect: TestPicture.inspect))
    }
}
