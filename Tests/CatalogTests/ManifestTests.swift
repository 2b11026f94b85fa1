import Foundation
import Testing

@testable import Catalog

@Suite("Manifests as people write them")
struct ManifestTests {
    private func read(_ name: String, _ content: Data, _ folder: TestFolder? = nil) throws -> Dataset {
        let folder = try folder ?? TestFolder()
        return try Dataset(contentsOf: try folder.write(name, content))
    }

    private func read(_ name: String, _ text: String) throws -> Dataset { try read(name, Data(text.utf8)) }

    @Test("what spreadsheets in Europe, on a Mac and as Unicode text write is read")
    func spreadsheets() throws {
        let utf16 = Data("image\tproduct_id\ttitle\r\na.jpg\tP\tRöcke\r\n".utf16.flatMap { [UInt8($0 & 0xFF), UInt8($0 >> 8)] })
        let table: [(String, Data)] = [
            ("semicolons", Data("image;product_id;title\r\na.jpg;P;Röcke\r\n".utf8)),
            ("tabs", Data("image\tproduct_id\ttitle\na.jpg\tP\tRöcke\n".utf8)),
            ("sep=", Data("sep=|\r\nimage|product_id|title\r\na.jpg|P|Röcke\r\n".utf8)),
            ("CR", Data("image,product_id,title\ra.jpg,P,Röcke\r".utf8)),
            ("UTF-16 without mark", utf16),
            ("UTF-16", Data([0xFF, 0xFE]) + utf16),
            ("capitals and blanks", Data("Image,Product ID,TITLE\na.jpg,P,Röcke\n".utf8)),
            ("blanks behind commas", Data("image, product_id, title\na.jpg, P, Röcke \n".utf8)),
            ("Windows-1252", Data("image,product_id,title\na.jpg,P,R".utf8) + Data([0xF6]) + Data("cke\n".utf8)),
            ("cleared rows and cells", Data("image,product_id,title,price,\na.jpg,P,Röcke\n,,,,\n ,\n".utf8)),
        ]
        for (what, content) in table {
            let set = try read("m.csv", content)
            #expect(set.problems == [], "\(what)")
            #expect(set.rows.map(\.image) == ["a.jpg"] && set.rows.map(\.productID) == ["P"], "\(what)")
            #expect(set.rows.first?.fields == ["title": "Röcke"], "\(what)")
        }
        let text = try read("m.csv", Data("image,product_id\n".utf8) + Data([0xE4, 0x2C, 0x61, 0x0A, 0xE4, 0x2C, 0x62, 0x0A]))
        #expect(text.remarks.map(\.line) == [2])
        #expect(text.remarks[0].message.contains("this and 1 other lines are not UTF-8 and read as Windows-1252"))
    }

    @Test("a quoted field keeps its blanks, and one row's last fields may be missing")
    func fields() throws {
        let set = try read("m.csv", "image,product_id,title,color\na.jpg,\" A1\",Coat\nb.jpg,A1\n")
        #expect(set.rows.map(\.productID) == [" A1", "A1"])
        #expect(set.rows.map(\.fields) == [["title": "Coat"], [:]])
    }

    @Test("a head that looks like a column but is none is named, once, with what it may mean")
    func heads() throws {
        let set = try read(
            "m.csv", "image,product_id,Titel,preis,matreial,catgeory\na.jpg,P,Coat,4,Wool,Men\nb.jpg,Q,Coat,4,Wool,Men\n")
        #expect(set.rows.first?.fields == ["Titel": "Coat", "preis": "4", "matreial": "Wool", "catgeory": "Men"])
        let words = set.remarks.map(\.message).sorted()
        #expect(words.count == 3, "\(words)")
        for (head, column) in [("Titel", "title"), ("preis", "price"), ("catgeory", "category")] {
            #expect(words.contains("the column '\(head)' became an attribute; if it is the \(column), call it '\(column)'"))
        }
        let both = try read("m.csv", "image,product_id,title,Titel,id\na.jpg,P,Coat,Mantel,7\n")
        #expect(both.remarks == [] && both.rows.first?.fields == ["title": "Coat", "Titel": "Mantel", "id": "7"])
        #expect(try read("m.jsonl", #"{"Image":"a.jpg","Product-ID":"P","Title":"x"}"#).rows.first?.fields == ["title": "x"])
    }

    @Test(
        "prices are numbers however they are written, and nothing else is",
        arguments: [
            ("49.90", 49.9), ("49,90", 49.9), ("€49", 49), ("49 €", 49), ("EUR 49,5", 49.5), ("US$ 12.00", 12),
            ("1.299,00", 1299),
            ("1,299.00", 1299), ("1 299,00", 1299), ("1'299.50", 1299.5), ("1.299.000", 1_299_000), ("49,-", 49),
            ("Fr. 49.-", 49),
            ("1e2", 100), ("0", 0), ("0.299", 0.299), ("1\u{A0}299 zł", 1299), ("12345", 12345), ("1.5e-1", 0.15),
            ("0x1F", nil), ("-1", nil), ("nan", nil), ("inf", nil), ("ten", nil), ("1.2.3", nil), ("1,2,3", nil),
            ("1.29,900", nil),
            ("", nil), ("€", nil), ("49 90", nil), ("4-5", nil), (".5", nil), ("5.", nil), ("about 5", nil), ("1e999", nil),
            ("5;6", nil),
        ] as [(String, Double?)])
    func prices(text: String, expected: Double?) {
        #expect((try? PriceText.value(of: text, .point).get()) == expected)
    }

    @Test("three digits behind the only mark are what the file's other prices make of them, and that is said")
    func ambiguousPrices() throws {
        let table: [(String, [String?], Bool)] = [
            ("image,product_id,price\na,A,1.299\nb,B,19.99\n", ["1.299", "19.99"], true),
            ("image,product_id,price\na,A,1.299\nb,B,\"19,99\"\n", ["1299", "19.99"], true),
            ("image;product_id;price\na;A;1.299\nb;B;5\n", ["1299", "5"], true),
            ("image,product_id,price\na,A,\"1,299\"\nb,B,5\n", ["1299", "5"], true),
            ("image,product_id,price\na,A,\"1.299,00\"\nb,B,5\n", ["1299", "5"], false),
        ]
        for (text, prices, isSaid) in table {
            let set = try read("m.csv", text)
            #expect(set.rows.map { $0["price"] } == prices, "\(text)")
            #expect(
                set.remarks.contains { $0.message.contains("is taken as \(prices[0] ?? "")") } == isSaid, "\(text) \(set.remarks)"
            )
        }
        #expect(try read("m.jsonl", #"{"image":"a","product_id":"A","price":1.299}"#).rows.first?["price"] == "1.299")
    }

    @Test("JSON of Python, with commas, in an array or over several lines is read, and said to be so")
    func looseJSON() throws {
        let row = #"{"image":"a.jpg","product_id":"A"#
        let table: [(String, String)] = [
            (row + #"","price":NaN}"# + "\n" + row + #"1"}"#, "NaN is no JSON and was taken as missing; write null"),
            (row + "\"},\n" + row + "1\"}", "a comma stands behind the object"),
            ("[\n" + row + "\"},\n" + row + "1\"}]\n", "one array of objects"),
            (
                row.replacing(",", with: ",\n") + "\"}\n" + row.replacing(",", with: "\n,") + "1\"\n}",
                "objects over several lines"
            ),
        ]
        for (text, word) in table {
            let set = try read("m.jsonl", text)
            #expect(set.problems == [], "\(text)")
            #expect(set.rows.map(\.productID) == ["A", "A1"] && set.rows.allSatisfy { $0.fields.isEmpty }, "\(text)")
            #expect(set.remarks.count == 1 && set.remarks[0].message.contains(word), "\(set.remarks)")
        }
    }

    @Test("a product of catalog.json keeps its pictures where they are bare names, and loses nothing to keys that hold objects")
    func looseCatalog() throws {
        let set = try read(
            "catalog.json",
            #"[{"ID":"A","Title":"Coat","images":["a.jpg",{"file":"b.jpg","view":"back"}],"variants":[{"size":"S"},{"size":"M"}],"dims":{"w":1}}]"#
        )
        #expect(set.problems == [])
        #expect(set.rows.map(\.image) == ["a.jpg", "b.jpg"] && set.rows.map { $0["view"] } == [nil, "back"])
        #expect(set.rows.allSatisfy { $0["title"] == "Coat" && $0["variants"] == nil })
        #expect(set.remarks.map(\.message).filter { $0.contains("holds objects and was left out") }.count == 2)
    }

    @Test("JSON that is wrong is refused at the character that is wrong")
    func strictJSON() {
        let table: [(String, Int?)] = [
            ("{}", nil), (#"{"a":[1,-2.5e3,"\u00e4\ud83d\ude00",true,null,{}]}"#, nil), ("[1,]", 3), ("{\"a\":01}", 6),
            ("{\"a\":1.}", 7),
            ("{\"a\":tru}", 5), ("{\"a\":\"\t\"}", 6), ("{\"a\":\"\\ud83d\"}", 12), ("{\"a\" 1}", 5), ("{\"a\":1", 6), ("\"a", 0),
            ("", 0),
            ("{} {}", 3), (#"{"é":1,"é":2}"#, 8), ("1e999", 0), ("{\"a\":1x}", 6), (String(repeating: "[", count: 99), 64),
        ]
        for (text, place) in table {
            var parser = JSONParser(Array(text.utf8)[...])
            do throws(JSONParser.Failure) {
                _ = try parser.wholeValue()
                #expect(place == nil, "\(text) was taken")
            } catch {
                #expect(error.index == place, "\(text): \(error)")
            }
        }
    }

    @Test("numbers of JSON come out as Foundation reads them")
    func jsonNumbers() throws {
        for text in ["0", "-0", "12", "-7.25", "1e3", "2.5E-2", "9007199254740993", "123456789012345678901234567890"] {
            var parser = JSONParser(Array(text.utf8)[...])
            switch try parser.wholeValue() {
            case .integer(let value): #expect(value == (try JSONDecoder().decode(Int64.self, from: Data(text.utf8))))
            case .number(let value): #expect(value == (try JSONDecoder().decode(Double.self, from: Data(text.utf8))))
            default: Issue.record("\(text) is a number")
            }
        }
    }

    @Test("addresses of products are kept if a browser may follow them, and left out with the reason if not; the row stays")
    func urls() throws {
        let kept = ["http://a.example/x", "https://a.example/?q=ü#x", "HTTPS://a.example", "https://müller.example/a[1]|b"]
        let left = [
            "javascript:alert(1)", "JavaScript:alert(1)", "data:text/html,x", "ftp://a.example", "//a.example/x", "a.example/x",
            "/x", "https:///x", "https:x", "http:/x", "https://", "https://a.example/ x", "java\tscript:alert(1)",
            "file:///etc/passwd", "mailto:a@b.c",
        ]
        for url in kept { #expect(Product.reasonAgainst(url: url) == nil, "\(url)") }
        for url in left { #expect(Product.reasonAgainst(url: url) != nil, "\(url)") }
        let set = try read("m.jsonl", #"{"image":"a","product_id":"P","url":"javascript:alert(1)"}"#)
        #expect(set.rows.map(\.fields) == [[:]])
        #expect(
            set.problems.map(\.line) == [1]
                && set.problems[0].message.contains("'javascript:alert(1)' of product 'P' is left out"))
    }

    @Test("a path with \\ or in the other spelling of an umlaut is found where the file is there; file: addresses are paths")
    func paths() throws {
        let folder = try TestFolder()
        try folder.picture("p/0.jpg")
        try folder.picture("Ro\u{308}cke/Ro\u{308}ckchen.jpg")
        try folder.picture("odd,names/a;b|c.jpg")
        try folder.write(
            "m.jsonl",
            """
            {"image": "p\\\\0.jpg", "product_id": "A"}
            {"image": "R\u{F6}cke/R\u{F6}ckchen.jpg", "product_id": "B"}
            {"image": "file://\(folder.path)/p/0.jpg", "product_id": "C"}
            {"image": "odd,names/a;b|c.jpg", "product_id": "D"}
            {"image": "R\u{F6}cke/none.jpg", "product_id": "E"}
            """)
        let set = try Dataset(contentsOf: URL(fileURLWithPath: folder.file("m.jsonl")))
        #expect(set.problems == [])
        #expect(set.missingFiles().map(\.line) == [5])
        #expect(set.rows[1].path.utf8.elementsEqual((folder.realPath + "/Ro\u{308}cke/Ro\u{308}ckchen.jpg").utf8))
    }

    // MARK: Plain folders

    private static let isPicture: PictureTest = { $0.starts(with: Data("picture".utf8)) }

    @Test("files of a folder without a telling name are judged by their first bytes; what is no picture is counted by its ending")
    func firstBytes() throws {
        let folder = try TestFolder()
        for name in ["noext", "a.jpg_large", "b.jpg~", "c.hif", "n.jpg ", "d.jpg"] { try folder.picture(name) }
        for name in ["notes.txt", "read.TXT", "LICENSE", "Thumbs.db", ".hidden"] { try folder.write(name, "text") }
        let set = try Dataset(contentsOf: folder.url, isPicture: Self.isPicture)
        #expect(set.rows.map(\.productID) == ["a.jpg_large", "b.jpg~", "c.hif", "d.jpg", "n.jpg ", "noext"])
        #expect(set.problems == [] && set.leftOut == [".txt": 2, "no ending": 1])
        let other = try Dataset(contentsOf: folder.url)
        #expect(other.rows.map(\.productID) == ["d.jpg"] && other.leftOut.values.reduce(0, +) == 8)
    }

    @Test("thumbnails, bins and snapshots that storage devices keep beside the pictures are no garments")
    func devices() throws {
        let folder = try TestFolder()
        for name in [
            "@eaDir/a.jpg/SYNOPHOTO_THUMB_XL.jpg", "#recycle/old.jpg", "#snapshot/x.jpg", "$RECYCLE.BIN/S-1-5/$R1.jpg",
            "lost+found/x.jpg",
            "System Volume Information/x.jpg", "__MACOSX/._a.jpg", "Dress/@eaDir/b.jpg", "Dress/a.jpg",
        ] { try folder.picture(name) }
        #expect(try Dataset(contentsOf: folder.url).rows.map(\.productID) == ["Dress/a.jpg"])
    }

    #if os(Linux)
        @Test("a file or folder whose name is not UTF-8 is named with the remedy, and the rest comes in")
        func namesInLatin1() throws {
            let folder = try TestFolder()
            try folder.picture("plain.jpg")
            for name in ["Mu\\xf1oz.jpg", "No\\xebl"] {
                let bytes: [UInt8] =
                    Array(folder.file("").utf8)
                    + (name.hasPrefix("Mu") ? [0x4D, 0x75, 0xF1, 0x2E, 0x6A, 0x70, 0x67] : [0x4E, 0xEB])
                let made = (bytes + [0]).withUnsafeBufferPointer { buffer in
                    buffer.withMemoryRebound(to: CChar.self) { path in
                        path.baseAddress.map { name.hasPrefix("Mu") ? creat($0, 0o600) : mkdir($0, 0o700) } ?? -1
                    }
                }
                try #require(made >= 0)
            }
            let set = try Dataset(contentsOf: folder.url)
            #expect(set.rows.map(\.productID) == ["plain.jpg"])
            #expect(set.problems.map(\.message) == ["its name is not UTF-8; rename it", "its name is not UTF-8; rename it"])
        }
    #endif
}
