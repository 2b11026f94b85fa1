import Catalog
import Foundation
import HTTPTypes
import Imaging
import Search
import Testing

@testable import API

@Suite("Words, terms and suggestions over HTTP")
struct ComposedRouteTests {
    @Test("an answer to a text tells what has which of its words, and which word nothing has")
    func words() async throws {
        let shop = try Shop()
        try await shop.server().test(.router) { client in
            let document = try await client.search(json: #"{"text": "a green unicorn"}"#).json()
            let results = try #require(document["results"] as? [[String: Any]])
            let words = try #require(results[0]["words"] as? [String: Any])
            #expect(words["matched"] as? [String] == ["green"] && words["rank"] as? Int == 1)
            #expect(results[0]["vector_rank"] as? Int == 1)
            #expect(document["unknown_words"] as? [String] == ["unicorn"])
            let fusion = try #require(document["fusion"] as? [String: Any])
            #expect(fusion["method"] as? String == "reciprocal_rank_fusion")
            #expect((results[0]["product"] as? [String: Any])?["colors"] as? [String] == ["green"])
            // The model alone, and the words alone.
            let model = try await client.search(json: #"{"text": "green shirts", "by": "vectors"}"#).json()
            #expect(model["fusion"] == nil && model["unknown_words"] == nil)
            #expect(try await client.search(json: #"{"text": "orange", "by": "words"}"#).products() == ["P5"])
        }
    }

    @Test("a picture and a text together, and what is not wanted, in a form and in JSON")
    func terms() async throws {
        let shop = try Shop()
        let red = try Shop.png([190, 30, 30])
        let image = try #require(try shop.catalog.images(ofProduct: "P0").first).id
        try await shop.server().test(.router) { client in
            // Red, but blue: what has the word stands first.
            #expect(try await client.search(Form(image: red, [("text", "in blue")])).products().first == "P2")
            #expect(try await client.search(Form(image: red, [("not_text", "red")])).products().last == "P0")
            let without = try await client.search(Form(image: red, [("not_product_id", "P0"), ("weights", "1,0.2")])).products()
            #expect(!without.contains("P0") && without.count == 5)
            let json = #"{"terms": [{"image_id": \#(image)}, {"product_id": "P1", "weight": -0.3}]}"#
            let found = try await client.search(json: json).products()
            #expect(Set(found) == ["P2", "P3", "P4", "P5"])
            let cut = #"{"terms": [{"image_id": \#(image), "crop": [0, 0, 0.5, 0.5]}]}"#
            let uncut = try await client.search(json: #"{"image_id": \#(image)}"#).products()
            #expect(try await client.search(json: cut).products() == uncut)
            #expect(
                try await client.search(json: #"{"text": ["red", "thing"], "liked": "P5", "disliked": ["P0"]}"#).products().first
                    != "P0")
            #expect(try await client.search(json: #"{"liked": ["P5"]}"#).products().first == "P5")
        }
    }

    @Test("a crop says which part of a picture counts, and the answer says what colour that is")
    func crop() async throws {
        let shop = try Shop()
        // The left half is red, the right half blue.
        var pixels: [UInt8] = []
        for _ in 0..<24 { for x in 0..<24 { pixels += x < 12 ? [200, 20, 20] : [20, 30, 190] } }
        let both = try ImageEncoder.png(RGBImage(width: 24, height: 24, pixels: pixels))
        try await shop.server().test(.router) { client in
            for (crop, product, color) in [("0,0,0.5,1", "P0", "red"), ("0.5,0,0.5,1", "P2", "blue")] {
                let answer = try await client.search(Form(image: both, [("crop", crop)]))
                #expect(try answer.products().first == product)
                let colors = try #require(try answer.json()["query_colors"] as? [[String: Any]])
                #expect(colors.map { $0["name"] as? String } == [color])
                #expect(colors[0]["filter"] as? String == "color:\(color)")
                #expect((colors[0]["hex"] as? String)?.count == 7)
            }
            // Of what is not wanted no colour is told.
            var unwanted = Form([("text", "thing")])
            unwanted.add("not_image", both, file: "n.png")
            let answer = try await client.search(unwanted)
            #expect(try answer.status == .ok && (answer.json()["query_colors"] as? [Any])?.isEmpty != false)
            let whole = try await client.search(Form(image: both, [("crop", "")]))
            let plain = try await client.search(Form(image: both))
            #expect(try whole.products() == plain.products())
        }
    }

    @Test("parts of a picture are proposed, each with what resembles it, and each can be searched with")
    func regions() async throws {
        let shop = try Shop()
        // Red and green patches on white.
        var pixels: [UInt8] = []
        for y in 0..<60 {
            for x in 0..<90 {
                pixels +=
                    (10..<50).contains(y) && (8..<38).contains(x)
                    ? [200, 20, 20] : (15..<45).contains(y) && (52..<84).contains(x) ? [20, 180, 30] : [250, 250, 250]
            }
        }
        let image = try ImageEncoder.png(RGBImage(width: 90, height: 60, pixels: pixels))
        try await shop.server().test(.router) { client in
            func regions(_ form: Form) async throws -> TestResponse {
                try await client.execute(
                    uri: "/api/v1/regions", method: .post,
                    headers: [.contentType: "multipart/form-data; boundary=\(Form.boundary)"], body: form.body)
            }
            let answer = try await regions(Form(image: image))
            #expect(answer.status == .ok, "\(answer.text)")
            let found = try #require(try answer.json()["regions"] as? [[String: Any]])
            #expect(found.count == 2)
            var products: Set<String> = []
            for region in found {
                let crop = try #require(region["crop"] as? String)
                let product = try await client.search(Form(image: image, [("crop", crop)])).products().first
                products.insert(product ?? "")
                #expect(region["category"] as? String == "Women/Dresses" && region["score"] as? Double ?? 0 > 0)
            }
            #expect(products == ["P0", "P1"])
            let plain = try await regions(Form(image: try Shop.png([10, 200, 10])))
            #expect((try plain.json()["regions"] as? [Any])?.isEmpty == true)
            #expect(try await regions(Form([("model", "colours")])).status == .badRequest)
            #expect(try await regions(Form(image: Array("words".utf8))).status == .unsupportedMediaType)
        }
    }

    @Test("why a picture is a result is told for a picture that is sent and for one of the catalogue")
    func explained() async throws {
        let shop = try Shop()
        let red = try #require(try shop.catalog.images(ofProduct: "P0").first).id
        try await shop.server().test(.router) { client in
            func explained(_ form: Form) async throws -> TestResponse {
                try await client.execute(
                    uri: "/api/v1/explain", method: .post,
                    headers: [.contentType: "multipart/form-data; boundary=\(Form.boundary)"], body: form.body)
            }
            // The right half is of another colour: covering the red one takes the likeness away.
            var pixels: [UInt8] = []
            for _ in 0..<24 { for x in 0..<24 { pixels += x < 12 ? [200, 20, 20] : [20, 180, 30] } }
            let both = try ImageEncoder.png(RGBImage(width: 24, height: 24, pixels: pixels))
            let answer = try await explained(Form(image: both, [("result_image_id", "\(red)"), ("cells", "4")]))
            #expect(answer.status == .ok, "\(answer.text)")
            let document = try answer.json()
            let map = try #require(document["query"] as? [String: Any])
            let values = try #require(map["values"] as? [Double])
            #expect(map["rows"] as? Int == 4 && map["columns"] as? Int == 4 && values.count == 16)
            #expect(values[4] > 0 && values[7] < 0)
            // Of one colour nothing is lost.
            let plain = try #require((document["result"] as? [String: Any])?["values"] as? [Double])
            #expect(plain.allSatisfy { abs($0) < 0.01 })
            let cut = try await explained(
                Form(image: both, [("result_image_id", "\(red)"), ("crop", "0,0,0.5,1"), ("cells", "4")]))
            #expect(try cut.json()["score"] as? Double ?? 0 > 0.999)
            let same = try await explained(Form([("image_id", "\(red)"), ("result_image_id", "\(red)")]))
            #expect(try same.json()["score"] as? Double ?? 0 > 0.9999)
            for (fields, status) in [
                ([("image_id", "\(red)")], HTTPResponse.Status.badRequest), ([("result_image_id", "\(red)")], .badRequest),
                ([("image_id", "4711"), ("result_image_id", "\(red)")], .notFound),
                ([("image_id", "\(red)"), ("result_image_id", "x")], .notFound),
                ([("image_id", "\(red)"), ("result_image_id", "\(red)"), ("cells", "99")], .badRequest),
                ([("image_id", "\(red)"), ("result_image_id", "\(red)"), ("crop", "2,2,2,2")], .badRequest),
            ] {
                #expect(try await explained(Form(fields)).status == status)
            }
        }
    }

    @Test("sorting, boosts and diversity reach the search")
    func orders() async throws {
        let shop = try Shop()
        try await shop.server().test(.router) { client in
            #expect(
                try await client.search(json: #"{"text": "thing", "sort": "-price", "top_k": 2}"#).products() == ["P5", "P4"])
            #expect(try await client.search(json: #"{"text": "thing", "sort": "newest", "top_k": 1}"#).products() == ["P5"])
            let red = try Shop.png([190, 30, 30])
            #expect(try await client.search(Form(image: red, [("boost", "color:orange^0.5")])).products().first == "P5")
            #expect(try await client.search(Form(image: red, [("diversity", "1")])).products().count == 6)
        }
    }

    @Test(
        "what is wrong with a composed query is said with 400",
        arguments: [
            (#"{"text": "red", "weights": [1, 2]}"#, "weights has 2 numbers for 1 terms"),
            (#"{"text": "red", "weights": [-1]}"#, "expected numbers above 0"),
            (#"{"not_text": "red"}"#, "says only what is not wanted"),
            (#"{"text": "red", "crop": "0,0,1,1"}"#, "crop is given 1 times for 0 pictures"),
            (#"{"image_id": 1, "crop": "0,0,2,1"}"#, "expected x,y,width,height"),
            (#"{"terms": [{"txt": "red"}]}"#, "A term has 'txt'"),
            (#"{"terms": [{"text": "red", "image_id": 1}]}"#, "A term has one of"),
            (#"{"terms": [{"text": "red", "weight": 0}]}"#, "weight of a term"),
            (#"{"terms": [{"text": "red", "crop": [0, 0, 1, 1]}]}"#, "A crop belongs to an image_id"),
            (#"{"terms": [{"text": true}]}"#, "neither a text nor a number"),
            (#"{"terms": "red"}"#, "no list of JSON objects"), (#"{"terms": []}"#, "at least one of"),
            (#"{"text": "red", "sort": "prize"}"#, "expected relevance, price, -price, newest or stock"),
            (#"{"text": "red", "diversity": 2}"#, "from 0.0 to 1.0"),
            (#"{"text": "red", "boost": "color"}"#, "has neither '=' nor ':'"),
            (#"{"text": "red", "boost": "color:red^9"}"#, "key:value^weight"),
            (#"{"text": "red", "by": "magic"}"#, "expected both"),
        ])
    func refused(json: String, words: String) async throws {
        let shop = try Shop()
        try await shop.server().test(.router) { client in
            let answer = try await client.search(json: json)
            #expect(answer.status == .badRequest)
            let message = (try answer.json()["error"] as? [String: Any])?["message"] as? String ?? ""
            #expect(message.contains(words), "\(message)")
        }
    }

    @Test("suggestions are values of the catalogue and titles that begin like what was typed")
    func suggestions() async throws {
        let shop = try Shop()
        try await shop.server().test(.router) { client in
            func suggested(_ typed: String) async throws -> [[String: Any]] {
                let answer = try await client.get("/api/v1/suggest?q=\(typed)")
                #expect(answer.status == .ok)
                return try #require(try answer.json()["suggestions"] as? [[String: Any]])
            }
            let dress = try await suggested("dre")
            #expect(dress.map { $0["text"] as? String } == ["Dresses"])
            #expect(dress[0]["kind"] as? String == "category" && dress[0]["count"] as? Int == 4)
            #expect(dress[0]["filter"] as? String == "category:Women/Dresses")
            let orange = try await suggested("ORA")
            #expect(orange.map { $0["kind"] as? String } == ["color", "product"])
            #expect(orange[1]["product_id"] as? String == "P5" && orange[1]["text"] as? String == "A orange thing")
            #expect(try await suggested("woo")[0]["kind"] as? String == "material")
            #expect(try await suggested("thing%20gr").first?["product_id"] as? String == "P1")
            // Values of several keys have words together; what says nothing is passed over, and the order of the words is theirs.
            for typed in ["red%20dr", "a%20red%20dr", "red%20dresses%20"] {
                let red = try await suggested(typed)
                #expect(red.map { $0["kind"] as? String } == ["several", "product"], "\(typed)")
                #expect(red[0]["text"] as? String == "red · Dresses" && red[0]["count"] as? Int == 1)
                #expect(red[0]["filters"] as? [String] == ["color:red", "category:Women/Dresses"] && red[0]["filter"] == nil)
            }
            let wool = try await suggested("dresses%20woo")
            #expect(wool[0]["text"] as? String == "Dresses · wool" && wool[0]["count"] as? Int == 4)
            #expect(try await suggested("green%20dr").last?["product_id"] as? String == "P1")
            let one = try await suggested("p1")
            #expect(one.map { $0["product_id"] as? String } == ["P1"] && one[0]["text"] as? String == "A green thing")
            // No more values than the words need, and many words are no more work than few.
            #expect(try await suggested("red%20dresses%20wool%20plain")[0]["kind"] as? String == "product")
            #expect(
                try await suggested("red%20dresses%20wool")[0]["filters"] as? [String] == [
                    "color:red", "category:Women/Dresses", "material:wool",
                ])
            let many = Array(repeating: "d", count: 12).joined(separator: "%20")
            #expect(try await suggested(many).count <= 8)
            // No product is both.
            #expect(try await suggested("red%20shirts").isEmpty)
            for nothing in ["", "%20", "%22", "xyz", "*", "red%20xyz", "xyz%20red"] {
                #expect(try await suggested(nothing).isEmpty)
            }
            #expect(try await client.get("/api/v1/suggest?q=a&limit=0").status == .badRequest)
        }
    }
}
