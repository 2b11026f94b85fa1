import BitCollections
import Catalog
import Foundation
import Testing

@Suite("Real photos")
struct RealDataTests {
    @Test("the studio catalogue comes in once, from its manifest", .enabled(if: RealPhotos.present, "needs ../shared/data"))
    func studio() throws {
        let folder = try TestFolder()
        let source = URL(fileURLWithPath: RealPhotos.folder + "/studio-catalog")
        let store = try CatalogStore(path: folder.catalogPath, mode: .create)
        let inspect: PictureInspector = { _, _ in PictureSize(width: 256, height: 256) }
        let first = try store.importCatalog(from: source, inspect: inspect)
        #expect(first.format == .jsonLines && first.problems == [])
        #expect(first.productsAdded == 97 && first.imagesAdded == 436)
        let second = try store.importCatalog(from: source, inspect: inspect)
        #expect(
            second.productsUnchanged == 97 && second.imagesUnchanged == 436 && second.imagesAdded == 0
                && second.productsAdded == 0)
        let counts = try store.counts()
        #expect(counts.products == 97 && counts.images == 436 && counts.usable == 436)
        #expect(try store.product("MH01")?.price == 52)
        let black = try CatalogColumns(reading: store).images(matching: CatalogFilter(["view=main", "color=Black"]))
        #expect(!black.isEmpty)
        // Its other form says the same.
        let third = try store.importCatalog(from: source.appendingPathComponent("catalog.json"), inspect: inspect)
        #expect(third.imagesUnchanged == 436 && third.productsAdded == 0 && third.problems == [])
    }

    @Test(
        "every photo folder is read without a problem, and its splits share no product",
        .enabled(if: RealPhotos.present, "needs ../shared/data"),
        arguments: [("studio-catalog", 436), ("home-photos", 466), ("home-photos-small", 3_095)])
    func manifests(name: String, rows: Int) throws {
        let set = try Dataset(contentsOf: URL(fileURLWithPath: RealPhotos.folder + "/" + name))
        #expect(set.problems == [] && set.rows.count == rows && set.missingFiles() == [])
        let trained = Set((set.rows(where: "split", is: "train") + set.rows(where: "split", is: "val")).map(\.productID))
        let measured = Set((set.rows(where: "split", is: "query") + set.rows(where: "split", is: "gallery")).map(\.productID))
        #expect(trained.isDisjoint(with: measured) && !trained.isEmpty && !measured.isEmpty)
    }
}
