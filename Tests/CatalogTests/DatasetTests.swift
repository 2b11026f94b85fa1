import Catalog
import Foundation
import Testing

@Suite("Data sets")
struct DatasetTests {
    @Test("the same rows come out of JSON Lines, CSV and catalog.json")
    func sameRows() throws {
        let folder = try TestFolder()
        try folder.write(
            "m.jsonl",
            """
            {"image": "a.jpg", "product_id": "P1", "title": "Coat, long", "price": 52.0, "in_stock": true, "view": "main", "material": "Wool"}

            {"image": "sub/../b.jpg", "product_id": "P1", "title": "Coat, long", "price": 52, "in_stock": true, "view": "back", "material": "Wool"}
            """)
        try folder.write(
            "m.csv",
            "\u{FEFF}image,product_id,title,price,in_stock,view,material\r\n"
                + "a.jpg,P1,\"Coat, long\",52.00,yes,main,Wool\r\nsub/../b.jpg,P1,\"Coat, long\",52,1,back,Wool\r\n")
        try folder.write(
            "m.json",
            """
            [{"id": "P1", "title": "Coat, long", "price": 52.0, "in_stock": true, "attributes": {"material": "Wool"},
              "images": [{"file": "a.jpg", "view": "main"}, {"file": "sub/../b.jpg", "view": "back"}]}]
            """)
        let real = URL(fileURLWithPath: folder.path).resolvingSymlinksInPath().path
        for (name, lines) in [("m.jsonl", [1, 3]), ("m.csv", [2, 3]), ("m.json", [1, 1])] {
            let set = try Dataset(contentsOf: folder.url.appendingPathComponent(name))
            #expect(set.problems == [], "\(name)")
            #expect(set.rows.map(\.line) == lines.map { $0 }, "\(name)")
            #expect(set.rows.map(\.path) == [real + "/a.jpg", real + "/b.jpg"], "\(name)")
            #expect(set.rows.map { $0["view"] } == ["main", "back"], "\(name)")
            for row in set.rows {
                #expect(row["product_id"] == "P1" && row["title"] == "Coat, long" && row["price"] == "52", "\(name)")
                #expect(row["in_stock"] == "true" && row["material"] == "Wool" && row["nothing"] == nil, "\(name)")
            }
            #expect(set.columns == ["image", "in_stock", "material", "price", "product_id", "title", "view"], "\(name)")
        }
    }

    @Test("a folder is read by manifest.jsonl, else manifest.csv, else catalog.json, else as pictures")
    func precedence() throws {
        let folder = try TestFolder()
        try folder.picture("coats/a.JPG")
        try folder.picture("b.png")
        try folder.write("notes.txt", "not a picture")
        try folder.picture(".hidden.jpg")
        var set = try Dataset(contentsOf: folder.url)
        #expect(set.format == .folder)
        #expect(set.rows.map(\.productID) == ["b.png", "coats/a.JPG"])
        #expect(set.rows.map { $0["category"] } == [nil, "coats"])
        #expect(set.rows.map { $0["title"] } == ["b", "a"])
        try folder.write("catalog.json", #"[{"id": 7, "images": [{"file": "b.png"}]}]"#)
        set = try Dataset(contentsOf: folder.url)
        #expect(set.format == .catalogJSON && set.rows.map(\.productID) == ["7"])
        try folder.write("manifest.csv", "product_id,image\nC,b.png\n")
        set = try Dataset(contentsOf: folder.url)
        #expect(set.format == .csv && set.rows.map(\.productID) == ["C"])
        try folder.write("manifest.jsonl", #"{"product_id": "J", "image": "/abs/b.png"}"#)
        set = try Dataset(contentsOf: folder.url)
        #expect(set.format == .jsonLines && set.rows.map(\.path) == ["/abs/b.png"])
    }

    @Test("values of JSON keep their meaning as text")
    func values() throws {
        let folder = try TestFolder()
        try folder.write(
            "manifest.jsonl",
            #"{"image":"a.jpg","product_id":12,"kids":false,"n":9007199254740993,"x":0.1,"sizes":["S","M",3],"none":null,"empty":"","attributes":{"fit":"slim"},"u":"\u00e4"}"#
        )
        let row = try #require(try Dataset(contentsOf: folder.url).rows.first)
        #expect(row.productID == "12")
        #expect(row.fields == ["kids": "false", "n": "9007199254740993", "x": "0.1", "sizes": "S|M|3", "fit": "slim", "u": "ä"])
    }

    @Test("several categories of a product stay findable beside its first")
    func categories() throws {
        let folder = try TestFolder()
        try folder.write(
            "catalog.json",
            #"[{"id":"a","categories":["Men/Tops","Eco"],"images":[{"file":"a"}]},{"id":"b","categories":["Women"],"images":[{"file":"b"}]}]"#
        )
        let rows = try Dataset(contentsOf: folder.url).rows
        #expect(rows.map { $0["category"] } == ["Men/Tops", "Women"])
        #expect(rows.map { $0["categories"] } == ["Men/Tops|Eco", nil])
    }

    struct Bad: Sendable, CustomTestStringConvertible {
        var name: String
        var content: String
        var line: Int
        var words: String
        var testDescription: String { words }
        init(_ name: String, _ content: String, _ line: Int, _ words: String) {
            self.name = name
            self.content = content
            self.line = line
            self.words = words
        }
    }

    static let good = #"{"image":"ok.jpg","product_id":"OK"}"#
    static let badRows: [Bad] = [
        Bad("m.jsonl", good + "\n{\"image\":\"a.jpg\"}\n" + good, 2, "no 'product_id'"),
        Bad("m.jsonl", good + "\n{\"product_id\":\"P\"}\n" + good, 2, "no 'image'"),
        Bad("m.jsonl", good + "\n{\"image\":\"\",\"product_id\":\"P\"}\n" + good, 2, "no 'image'"),
        Bad("m.jsonl", good + "\n\n{\"image\":\"a\",\n" + good, 3, "not valid JSON"),
        Bad("m.jsonl", "[1]\n" + good, 1, "not a JSON object"),
        Bad("m.jsonl", good + "\n{\"image\":\"a\",\"product_id\":\"P\",\"price\":\"ten\"}", 2, "price 'ten' is not a number"),
        Bad("m.jsonl", good + "\n{\"image\":\"a\",\"product_id\":\"P\",\"price\":-1}", 2, "price '-1'"),
        Bad("m.jsonl", good + "\n{\"image\":\"a\",\"product_id\":\"P\",\"price\":\"nan\"}", 2, "price 'nan'"),
        Bad("m.jsonl", good + "\n{\"image\":\"a\",\"product_id\":\"P\",\"in_stock\":\"maybe\"}", 2, "neither true nor false"),
        Bad(
            "m.jsonl", good + "\n{\"image\":\"a\",\"product_id\":\"P\",\"split\":\"trian\"}", 2,
            "none of train, val, query, gallery"),
        Bad("m.jsonl", good + "\n{\"image\":\"a\",\"product_id\":\"P\",\"title\":{\"w\":1}}", 2, "'title' is an object"),
        Bad("m.jsonl", good + "\n{\"image\":\"a\",\"product_id\":\"P\",\"color\":[[1]]}", 2, "list of lists"),
        Bad("m.jsonl", good + "\n{\"image\":\"a\",\"product_id\":\"P\",\"price\":true}", 2, "price 'true' is not a number"),
        Bad("m.jsonl", good + "\n{\"image\":\"a\",\"product_id\":None}", 2, "at character 27 None is no JSON; write null"),
        Bad("m.jsonl", good + "\n{\"image\":\"a\",}", 2, "a comma stands before the closing }"),
        Bad("m.jsonl", good + "\n{image:'a'}", 2, "at character 2 image stands where a key in double quotes should"),
        Bad("m.jsonl", good + "\n{\"image\":\"a\",\"image\":\"b\",\"product_id\":\"P\"}", 2, "'image' stands twice"),
        Bad("m.jsonl", good + "\n{\"image\":\"a\",\"product_id\":\"P\"} {", 2, "something follows the end of the object"),
        Bad("m.jsonl", good + "\n{\"image\":\"a\\x\",\"product_id\":\"P\"}", 2, "a backslash stands before x"),
        Bad("m.jsonl", good + "\n{\"image\":\"a\\u0000b\",\"product_id\":\"P\"}", 2, "zero byte"),
        Bad("m.csv", "image,product_id,price\nok.jpg,OK,1\na.jpg,P,0x1F\n", 3, "price '0x1F'"),
        Bad("m.csv", "image,product_id\nok.jpg,OK\na.jpg\n", 3, "no 'product_id'"),
        Bad("m.csv", "image,product_id\nok.jpg,OK\na.jpg,P,more\n", 3, "3 fields, the header has 2"),
        Bad(
            "m.csv", "image,product_id\nok.jpg,OK\nhttps://cdn.example/a.jpg,P\n", 3,
            "is an address (https), and addresses are not fetched"),
        Bad("m.csv", "image,product_id\nok.jpg,OK\n\"a.jpg, b.jpg\",P\n", 3, "lists 2 pictures; write one picture a row"),
        Bad("m.csv", "image,product_id\nok.jpg,OK\na.jpg|b.jpg|c.jpg,P\n", 3, "lists 3 pictures"),
        Bad("m.csv", "image,product_id\nok.jpg,OK\na.jpg|b.jpg//,P\n", 3, "lists 2 pictures"),
        Bad("m.csv", "image,product_id\nok.jpg,OK\nC:\\pics\\a.jpg,P\n", 3, "is a path of Windows"),
        Bad("m.csv", "image,product_id\nok.jpg,OK\n,P\n", 3, "no 'image'"),
        Bad("m.csv", "image,product_id\nok.jpg,OK\na.jpg,\n", 3, "no 'product_id'"),
        Bad("m.csv", "image,product_id,t\nok.jpg,OK,\"two\nlines\"\na.jpg,\"P\"x,\n", 4, "closing quote"),
        Bad(
            "m.json", "[\n{\"id\":\"OK\",\"images\":[{\"file\":\"ok.jpg\"}]},\n{\"id\":\"OK\",\"images\":[{\"file\":\"b\"}]}]", 3,
            "already given in line 2"),
        Bad("m.json", "[\n{\"id\":\"OK\",\"images\":[{\"file\":\"ok.jpg\"}]},\n{\"images\":[{\"file\":\"b\"}]}]", 3, "no 'id'"),
        Bad("m.json", "[{\"id\":\"OK\",\"images\":[{\"file\":\"ok.jpg\"}]},\n{\"id\":\"P\",\"images\":[]}]", 2, "no 'images'"),
        Bad(
            "m.json", "[{\"id\":\"OK\",\"images\":[{\"file\":\"ok.jpg\"}]},\n{\"id\":\"P\",\"images\":[{\"view\":\"b\"}]}]", 2,
            "no 'file'"),
        Bad("m.json", "[{\"id\":\"OK\",\"images\":[{\"file\":\"ok.jpg\"}]},\n{\"id\":\"P\" 1}]", 2, "not valid JSON"),
        Bad(
            "m.json",
            "[{\"id\":\"OK\",\"images\":[{\"file\":\"ok.jpg\"}]},\n{\"id\":\"P\",\"price\":\"x\",\"images\":[{\"file\":\"b\"}]}]",
            2, "price 'x'"),
    ]

    @Test("a bad row is reported with its line and the others are read", arguments: badRows)
    func badRow(_ bad: Bad) throws {
        let folder = try TestFolder()
        let url = try folder.write(bad.name, bad.content)
        let set = try Dataset(contentsOf: url)
        #expect(set.rows.count >= 1 && set.rows.allSatisfy { $0.productID == "OK" })
        #expect(set.problems.count == 1)
        let problem = try #require(set.problems.first)
        #expect(problem.line == bad.line)
        #expect(problem.source == url.resolvingSymlinksInPath().path)
        #expect(problem.message.contains(bad.words), "\(problem)")
        #expect(problem.description.hasSuffix(".") && !problem.description.dropLast().hasSuffix("."))
    }

    @Test("a line that is not UTF-8 is reported and the others are read")
    func encoding() throws {
        let folder = try TestFolder()
        let bytes = Data(Self.good.utf8) + [0x0A, 0x7B, 0xFF, 0x7D, 0x0A] + Data(Self.good.utf8)
        let set = try Dataset(contentsOf: try folder.write("m.jsonl", bytes))
        #expect(set.rows.count == 2)
        #expect(set.problems.map(\.line) == [2])
        #expect(set.problems[0].message.contains("UTF-8"))
    }

    @Test("a source without any usable row is refused in one sentence")
    func refused() throws {
        let folder = try TestFolder()
        let table: [(String, Data, (CatalogError) -> Bool)] = [
            (
                "a.csv", Data("picture,product_id\nx,y\n".utf8),
                { if case .missingColumn(_, 1, "image", _) = $0 { true } else { false } }
            ),
            (
                "b.csv", Data("Bild;product_id\nx;y\n".utf8), { $0.description.hasSuffix("call 'Bild' 'image'.") }
            ),
            ("c.csv", Data("image,product_id,a,a\n".utf8), { if case .malformed(_, 1, _) = $0 { true } else { false } }),
            ("d.csv", Data(), { if case .emptySource = $0 { true } else { false } }),
            ("e.csv", Data("image,product_id\n".utf8), { if case .emptySource = $0 { true } else { false } }),
            ("f.csv", Data([0xFF, 0xFE, 0x69, 0x00, 0x70]), { if case .notUTF8 = $0 { true } else { false } }),
            ("g.jsonl", Data("\n \n".utf8), { if case .emptySource = $0 { true } else { false } }),
            ("h.json", Data("{}".utf8), { $0.description.contains("line 1: the file is not an array") }),
            ("i.json", Data("[\n{\"id\":1,".utf8), { if case .malformed(_, 2, _) = $0 { true } else { false } }),
            ("j.json", Data("[]\n[]".utf8), { if case .malformed(_, 2, _) = $0 { true } else { false } }),
            ("k.txt", Data("x".utf8), { if case .unknownFormat = $0 { true } else { false } }),
        ]
        for (name, content, matches) in table {
            let url = try folder.write("in/" + name, content)
            let error = #expect(throws: CatalogError.self) { try Dataset(contentsOf: url) }
            if let error { #expect(matches(error), "\(name): \(error)") }
        }
        #expect(throws: CatalogError.sourceMissing(path: folder.file("none"))) {
            try Dataset(contentsOf: URL(fileURLWithPath: folder.file("none")))
        }
        let empty = try TestFolder()
        let error = #expect(throws: CatalogError.self) { try Dataset(contentsOf: empty.url) }
        #expect(error?.description.contains("holds no picture") == true)
    }

    @Test("links in a folder are followed once and circles end")
    func links() throws {
        let folder = try TestFolder()
        try folder.picture("coats/a.jpg")
        let manager = FileManager.default
        try manager.createSymbolicLink(atPath: folder.file("coats/up"), withDestinationPath: folder.path)
        try manager.createSymbolicLink(atPath: folder.file("round.jpg"), withDestinationPath: folder.file("round.jpg"))
        try manager.createSymbolicLink(atPath: folder.file("dangling.jpg"), withDestinationPath: folder.file("nowhere"))
        let set = try Dataset(contentsOf: folder.url)
        #expect(set.rows.map(\.productID) == ["coats/a.jpg"])
        #expect(set.problems.count == 2)
        #expect(throws: CatalogError.self) { try Dataset(contentsOf: URL(fileURLWithPath: folder.file("round.jpg"))) }
    }

    @Test("pictures that are not there are found on request, with their line")
    func missing() throws {
        let folder = try TestFolder()
        try folder.boutique(products: 2, views: 2)
        try folder.remove("images/1-0.jpg")
        let set = try Dataset(contentsOf: folder.url)
        #expect(set.rows.count == 4)
        #expect(set.missingFiles().map(\.line) == [3])
        #expect(set.rows(where: "view", is: "v1").map(\.productID) == ["P0", "P1"])
    }

    @Test("a row that stands twice is kept twice")
    func duplicates() throws {
        let folder = try TestFolder()
        let set = try Dataset(contentsOf: try folder.write("m.jsonl", Self.good + "\n" + Self.good))
        #expect(set.rows.map(\.line) == [1, 2])
    }
}
