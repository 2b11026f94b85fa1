import Foundation
import GRDB
import Testing

@testable import Catalog

@Suite("Many edits in one transaction")
struct BatchEditingTests {
    let folder: TestFolder
    let store: CatalogStore
    let model = ModelRecord(fingerprint: "f1", name: "small", dimension: 2)

    init() throws {
        folder = try TestFolder()
        try folder.boutique(products: 2, views: 2)
        store = try CatalogStore(path: folder.file("shop.db"), mode: .create)
        _ = try store.importCatalog(from: folder.url, inspect: TestPicture.inspect)
    }

    private func image(_ text: String, _ vectors: [CatalogStore.ImageVector] = []) -> NewImage {
        NewImage(
            bytes: Data("picture 4x3 \(text)".utf8), size: PictureSize(width: 4, height: 3), fields: ImageFields(view: text),
            vectors: vectors)
    }

    private var media: [String] {
        (FileManager.default.subpaths(atPath: store.path + ".media") ?? []).filter { $0.contains("/") }.sorted()
    }

    @Test("edits are done in their order, each has its outcome, and a refused one leaves nothing of itself")
    func order() throws {
        let first = try #require(try store.images(ofProduct: "P0").first)
        let outcomes = try store.apply([
            .put(Product(id: "N1", title: "a"), images: [image("a", [(model, [0, 1])]), image("b")]),
            .put(Product(id: "N2", price: -1), images: [image("c")]),
            .put(Product(id: "P1", title: "other"), images: []),
            .deleteImage(first.id), .deleteImage(4711), .deleteProduct("nobody"),
            .put(Product(id: "N3"), images: [image("d", [(model, [3, 4])])]),
            .deleteProduct("P1"),
            .put(Product(id: "N1", title: "b"), images: [image("a")]),
        ])
        #expect(
            outcomes.map { try? $0.get() } == [
                .created, nil, .replaced, .deleted, nil, nil, nil, .deleted, .replaced,
            ])
        let errors: [CatalogError] = outcomes.compactMap { if case .failure(let error) = $0 { error } else { nil } }
        #expect(errors.count == 4)
        #expect(errors[1] == .unknownImage(id: 4711) && errors[2] == .unknownProduct(id: "nobody"))
        #expect(try store.product("N1")?.title == "b")
        #expect(try store.images(ofProduct: "N1").map(\.view) == ["a", "b"])
        #expect(try store.product("N2") == nil && store.product("N3") == nil && store.product("P1") == nil)
        #expect(try store.image(first.id) == nil)
        let added = try #require(try store.images(ofProduct: "N1").first)
        #expect(try store.vector(of: added.id, model: "f1") == [0, 1], "the same bytes keep their vector")
        #expect(media.count == 2 && !media.contains { $0.hasSuffix(".part") })
    }

    @Test("what keeps the catalogue from being written undoes all of them, and leaves no file that a sweep does not take")
    func undone() throws {
        // A row that no picture can have: the transaction ends in the middle, as on a full disk.
        try store.write { db in
            try db.execute(
                sql: "CREATE TRIGGER full BEFORE INSERT ON products WHEN NEW.id = 'N9' BEGIN SELECT RAISE(ABORT, 'no room'); END")
        }
        let position = try store.changePosition()
        #expect(throws: CatalogError.self) {
            try store.apply([
                .put(Product(id: "N1"), images: [image("a")]), .deleteProduct("P0"),
                .put(Product(id: "N9"), images: [image("b")]),
            ])
        }
        #expect(try store.changePosition() == position)
        #expect(try store.product("N1") == nil && store.product("P0") != nil)
        #expect(!media.contains { $0.hasSuffix(".part") })
        try store.sweepMedia(olderThan: 0)
        #expect(media == [])
    }

    @Test("a model has its place before its first vector, once")
    func register() throws {
        try store.register(model)
        try store.register(model)
        #expect(try store.models() == [model])
        #expect(try store.vectors(of: "f1").count == 0)
        #expect(throws: CatalogError.dimensionConflict(fingerprint: "f1", got: 3, expected: 2)) {
            try store.register(ModelRecord(fingerprint: "f1", name: "small", dimension: 3))
        }
        #expect(throws: CatalogError.self) { try store.register(ModelRecord(fingerprint: "f2", name: "none", dimension: 0)) }
    }

    @Test("a line brings a product with its pictures, or deletes one of either")
    func lines() throws {
        func line(_ json: String) throws(DocumentProblem) -> EditLine.Change { try EditLine(json: Array(json.utf8)[...]).change }
        let put = try line(
            #"""
            {"put": {"id": "Gru\u0308n", "title": "A", "price": 9.5, "attributes": {"size": [1, "2"]},
             "images": [{"base64": "aGVsbG8=", "view": "main", "color": "red", "caption": "c", "split": "gallery", "attributes": {"p": 1}}]}}
            """#)
        guard case .put(let product, let pictures) = put else {
            Issue.record("\(put)")
            return
        }
        #expect(product.price == 9.5 && product.attributes == ["size": "1|2"] && product.id.oneSpelling == "Gr\u{FC}n")
        #expect(pictures.map(\.bytes) == [Data("hello".utf8)])
        #expect(
            pictures[0].fields
                == ImageFields(view: "main", color: "red", caption: "c", split: "gallery", attributes: ["p": "1"]))
        if case .deleteProduct("a") = try line(#"{"delete": "a"}"#) {} else { Issue.record("no deletion") }
        if case .deleteImage(7) = try line(#" {"delete_image": 7} "#) {} else { Issue.record("no deletion") }
        for (wrong, says) in [
            ("{}", "0 keys"), ("[]", "no JSON object"), ("", "no JSON"), (#"{"remove": "a"}"#, "no 'remove'"),
            (#"{"delete": 7}"#, "no text"), (#"{"delete_image": "7"}"#, "no whole number"), (#"{"put": []}"#, "no object"),
            (#"{"put": {}}"#, "no 'id'"), (#"{"put": {"id": 7}}"#, "no 'id'"),
            (#"{"put": {"id": "a", "images": {}}}"#, "no list"),
            (#"{"put": {"id": "a", "images": ["x"]}}"#, "no object"), (#"{"put": {"id": "a", "images": [{}]}}"#, "no 'base64'"),
            (#"{"put": {"id": "a", "images": [{"base64": "a"}]}}"#, "not base64"),
            (#"{"put": {"id": "a", "images": [{"base64": "data:image/png;base64,aGVsbG8="}]}}"#, "not base64"),
            (#"{"put": {"id": "a", "images": [{"path": "/x"}]}}"#, "opens no path"),
            (#"{"put": {"id": "a", "images": [{"base64": "aGVsbG8=", "caption": 7}]}}"#, "'caption' is no text"),
            (#"{"put": {"id": "a", "images": [{"base64": "aGVsbG8=", "colour": "x"}]}}"#, "no 'colour'"),
            (#"{"put": {"id": "a", "preis": 3}}"#, "'price' is probably meant"), (#"{"delete": "a", "put": {}}"#, "2 keys"),
            (
                #"{"put": {"id": "a", "images": [\#(Array(repeating: #"{"base64": "aGVsbG8="}"#, count: 65).joined(separator: ","))]}}"#,
                "65"
            ),
        ] {
            let problem = #expect(throws: DocumentProblem.self, "\(wrong)") { try line(wrong) }
            #expect(problem?.description.contains(says) == true, "\(String(describing: problem))")
        }
    }
}
