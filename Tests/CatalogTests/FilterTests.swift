import BitCollections
import Foundation
import Testing

@testable import Catalog

@Suite("Filters")
struct FilterTests {
    let folder: TestFolder
    let store: CatalogStore

    init() throws {
        folder = try TestFolder()
        for number in 1...5 { try folder.picture("\(number).jpg") }
        try folder.write(
            "manifest.jsonl",
            """
            {"image":"1.jpg","product_id":"A","category":"Men/Tops/Hoodies","price":52,"color":"Black","view":"main","climate":"Cool|Indoor","pose":"front","in_stock":true}
            {"image":"2.jpg","product_id":"A","category":"Men/Tops/Hoodies","price":52,"color":"Gray","view":"back","climate":"Cool|Indoor","pose":"back","in_stock":true}
            {"image":"3.jpg","product_id":"B","category":"Men/Topsy","price":19.99,"color":"ÄRMEL","climate":"Warm","weight":"250","in_stock":false}
            {"image":"4.jpg","product_id":"C","color":"black","split":"query","pose":"front"}
            {"image":"5.jpg","product_id":"D","color":"Black"}
            """)
        store = try CatalogStore(path: folder.catalogPath, mode: .create)
        _ = try store.importCatalog(from: folder.url, inspect: TestPicture.inspect)
        try folder.remove("5.jpg")
        _ = try store.importCatalog(from: folder.url, inspect: TestPicture.inspect)
    }

    static let table: [([String], Set<ImageID>)] = [
        ([], [1, 2, 3, 4]),
        (["color=Black"], [1, 4]),
        (["color:black"], [1, 4]),
        (["color=ärmel"], [3]),
        (["color=Black|Gray"], [1, 2, 4]),
        (["color=Black", "color=Gray"], [1, 2, 4]),
        (["color=Black", "view=main"], [1]),
        (["color=Black", "view=back"], []),
        (["climate=cool"], [1, 2]),
        (["climate=Cool|Indoor"], [1, 2]),
        (["climate=Indoor", "pose=front"], [1]),
        (["pose=front"], [1, 4]),
        (["category=Men/Tops"], [1, 2]),
        (["category=men"], [1, 2, 3]),
        (["category=Men/Tops/Hoodies"], [1, 2]),
        (["price=10..50"], [3]),
        (["price:52"], [1, 2]),
        (["price=19.99..19.99"], [3]),
        (["price=..52"], [1, 2, 3]),
        (["price=20.."], [1, 2]),
        (["weight=200..300"], [3]),
        (["weight=..100"], []),
        (["in_stock=yes"], [1, 2]),
        (["in_stock=false"], [3]),
        (["split=query"], [4]),
        (["product_id=A|C"], [1, 2, 4]),
        (["color=purple"], []),
    ]

    @Test("each kind of filter admits what was worked out by hand, in the columns and in the rows that these are compared with")
    func table() throws {
        let columns = try CatalogColumns(reading: store)
        for (expressions, expected) in Self.table {
            let found = try columns.images(matching: CatalogFilter(expressions))
            #expect(Set(found.map { ImageID($0) }) == expected, "\(expressions)")
            #expect(try store.imageIDs(matching: CatalogFilter(expressions)) == expected, "\(expressions)")
        }
    }

    @Test("a filter that cannot be read is refused in one sentence")
    func malformed() {
        for text in [
            "color", "=x", "color=", "color=a||b", "price=ten", "price=50..10", "price=a..b", "price=..", "in_stock=perhaps",
        ] {
            let error = #expect(throws: CatalogError.self) { try CatalogFilter([text]) }
            if case .badFilter(text, _) = error {} else { Issue.record("\(text): \(String(describing: error))") }
        }
    }

    @Test("an unknown key is refused, naming those that exist")
    func unknownKey() throws {
        let known = [
            "product_id", "title", "category", "brand", "price", "currency", "url", "in_stock", "description", "view", "color",
            "caption",
            "split", "climate", "pose", "weight",
        ]
        #expect(try store.filterKeys() == known)
        let columns = try CatalogColumns(reading: store)
        #expect(throws: CatalogError.unknownKey(key: "colour", known: known)) {
            try columns.images(matching: CatalogFilter(["colour=Black"]))
        }
        #expect(throws: CatalogError.unknownKey(key: "x' OR 1", known: known)) {
            try columns.images(matching: CatalogFilter(clauses: [.init(key: "x' OR 1", anyOf: [.equals("a")])]))
        }
    }

    @Test("the values of a key are counted by product")
    func facets() throws {
        let expected: [String: [FacetValue]] = [
            "climate": [
                .init(value: "Cool", products: 1), .init(value: "Indoor", products: 1), .init(value: "Warm", products: 1),
            ],
            "pose": [.init(value: "front", products: 2), .init(value: "back", products: 1)],
            "in_stock": [.init(value: "false", products: 1), .init(value: "true", products: 1)],
        ]
        let page = try CatalogColumns(reading: store).page(
            matching: CatalogFilter(), offset: 0, limit: 1, facets: Array(expected.keys))
        #expect(page.facets == expected)
        for (key, values) in expected { #expect(try store.distinctValues(of: key) == values) }
    }
}
