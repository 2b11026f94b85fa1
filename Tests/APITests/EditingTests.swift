import Catalog
import Foundation
import HTTPTypes
import Imaging
import Logging
import NIOCore
import Search
import Synchronization
import Testing

@testable import API

extension Shop {
    static let token = "correct-horse-battery-staple"

    /// A server that takes changes from whoever sends `token`.
    func liveServer(_ change: (inout ServerSettings) -> Void = { _ in }) throws -> SearchServer {
        let token = try AdminToken(Self.token)
        return server {
            $0.adminToken = token
            change(&$0)
        }
    }
}

extension TestClient {
    static let admin: HTTPFields = [.authorization: "Bearer \(Shop.token)"]

    func put(_ uri: String, json: String, headers: HTTPFields = admin) async throws -> TestResponse {
        var headers = headers
        headers[.contentType] = "application/json"
        return try await execute(uri: uri, method: .put, headers: headers, body: ByteBuffer(string: json))
    }

    func send(_ method: HTTPRequest.Method, _ uri: String, _ form: Form, headers: HTTPFields = admin) async throws -> TestResponse
    {
        var headers = headers
        headers[.contentType] = "multipart/form-data; boundary=\(Form.boundary)"
        return try await execute(uri: uri, method: method, headers: headers, body: form.body)
    }

    func delete(_ uri: String, headers: HTTPFields = admin) async throws -> TestResponse {
        try await execute(uri: uri, method: .delete, headers: headers)
    }
}

@Suite("Changes over HTTP")
struct EditingTests {
    /// A colour that no garment of the shop has.
    private static let pink: [UInt8] = [250, 60, 180]

    private func top(_ client: TestClient, _ color: [UInt8]) async throws -> String? {
        try await client.search(Form(image: Shop.png(color))).products().first
    }

    @Test("a product is new with 201 and replaced with 200, and what is asked for it is what was sent")
    func putProduct() async throws {
        let shop = try Shop()
        try await shop.liveServer().test(.router) { client in
            let new = try await client.put(
                "/api/v1/products/N1",
                json: """
                    {"title": "Coat", "category": "Women/Coats", "price": 120, "currency": "EUR", "url": "https://shop.example/n1",
                    "in_stock": true, "description": "warm", "brand": null, "attributes": {"fit": "slim", "size": [38, 40], "new": true}}
                    """)
            #expect(new.status == .created && new.headers[.location] == "/api/v1/products/N1", "\(new.text)")
            let got = try await client.get("/api/v1/products/N1")
            #expect(got.text == new.text)
            #expect(try got.json()["attributes"] as? [String: String] == ["fit": "slim", "size": "38|40", "new": "true"])
            #expect(try got.json()["brand"] == nil && got.json()["price"] as? Double == 120)
            let again = try await client.put("/api/v1/products/N1", json: #"{"id": "N1", "title": "Cape"}"#)
            #expect(again.status == .ok && again.text == #"{"attributes":{},"id":"N1","images":[],"title":"Cape"}"#)
            // One that was imported keeps its pictures.
            let imported = try await client.put("/api/v1/products/P0", json: #"{"title": "Other"}"#)
            #expect(try imported.status == .ok && (imported.json()["images"] as? [Any])?.count == 2)
            let list = try await client.get("/api/v1/products?filter=category:Women%2FCoats")
            #expect(try list.json()["total"] as? Int == 0, "without a picture nothing is listed")
        }
    }

    @Test("an id may hold what addresses escape, in either spelling of its letters, and the word of a route")
    func ids() async throws {
        let shop = try Shop()
        try await shop.liveServer().test(.router) { client in
            for id in ["A/1", "50%", "ä ö", "?x=1&y", "batch", "..", "similar"] {
                let escaped = try #require(id.addingPercentEncoding(withAllowedCharacters: .alphanumerics))
                let new = try await client.put("/api/v1/products/\(escaped)", json: "{}")
                #expect(try new.status == .created && new.json()["id"] as? String == id, "\(id): \(new.text)")
                let location = try #require(new.headers[.location])
                #expect(try await client.get(location).json()["id"] as? String == id)
                #expect(try await client.delete(location).status == .noContent)
                #expect(try await client.get("/api/v1/products/\(escaped)").status == .notFound)
            }
            #expect(try await client.put("/api/v1/products/Gr%C3%BCn", json: #"{"title": "composed"}"#).status == .created)
            let other = try await client.put("/api/v1/products/Gru%CC%88n", json: #"{"title": "decomposed"}"#)
            #expect(other.status == .ok)
            #expect(try await client.get("/api/v1/products/Gr%C3%BCn").json()["title"] as? String == "decomposed")
            #expect(try await client.delete("/api/v1/products/Gru%CC%88n").status == .noContent)
            #expect(try shop.catalog.product("Gr\u{FC}n") == nil)
            for wrong in ["%20", "%FF", "a%00b", String(repeating: "x", count: 513)] {
                let answer = try await client.put("/api/v1/products/\(wrong)", json: "{}")
                #expect(try answer.status == .badRequest && answer.error().message.contains("id"), "\(wrong)")
            }
        }
    }

    @Test("a picture is found when the call that added it returns, with the vectors of every model that answers")
    func addImage() async throws {
        let shop = try Shop()
        // A second model, whose vectors are its own.
        let other = ColorEncoder(model: ModelRecord(fingerprint: "second", name: "second", dimension: 4))
        try shop.catalog.writeVectors(
            shop.catalog.images().map { image in
                NewVector(
                    image: image.id, contentHash: nil,
                    components: ColorEncoder.vector(try ImageDecoder.decode(contentsOfFile: image.path)))
            }, of: other.model)
        let live = try LiveCatalog(shop.catalog)
        shop.service.begin(
            with: try [ColorEncoder(), other].map {
                ServedModel(card: Shop.card($0.model), engine: try SearchEngine(live, encoder: $0))
            })
        let image = try Shop.png(Self.pink)
        try await shop.liveServer().test(.router) { client in
            _ = try await client.put("/api/v1/products/N1", json: #"{"title": "Pink coat"}"#)
            let added = try await client.send(
                .post, "/api/v1/products/N1/images",
                Form(
                    image: image,
                    [
                        ("view", "main"), ("color", "pink"), ("caption", "a coat"), ("attribute", "pose:front"),
                        ("attribute", "pose:left"),
                    ]))
            #expect(added.status == .created, "\(added.text)")
            let number = try #require(try added.json()["id"] as? Int)
            #expect(added.headers[.location] == "/api/v1/images/\(number)")
            #expect(try added.json()["caption"] as? String == "a coat")
            for model in ["colours", "second"] {
                let found = try await client.search(Form(image: image, [("model", model), ("top_k", "1")]))
                #expect(try found.products() == ["N1"], "\(model)")
            }
            let stored = try #require(try shop.catalog.image(Int64(number)))
            #expect(stored.attributes == ["pose": "front|left"] && stored.size == PictureSize(width: 24, height: 24))
            #expect(try Data(contentsOf: stored.file) == Data(image))
            let narrowed = try await client.search(Form(image: image, [("filter", "pose:left")]))
            #expect(try narrowed.products() == ["N1"])
            #expect(try await client.get("/api/v1/images/\(number)?w=160").status == .ok)
            // The same bytes are the same picture.
            let again = try await client.send(.post, "/api/v1/products/N1/images", Form(image: image, [("view", "back")]))
            #expect(try again.status == .ok && again.json()["id"] as? Int == number && again.json()["view"] as? String == "back")
        }
    }

    @Test("other bytes in the place of a picture are found in its place; those of an import are their owner's")
    func replaceImage() async throws {
        let shop = try Shop()
        try await shop.liveServer().test(.router) { client in
            _ = try await client.put("/api/v1/products/N1", json: "{}")
            let added = try await client.send(
                .post, "/api/v1/products/N1/images", Form(image: try Shop.png(Self.pink), [("view", "main")]))
            let number = try #require(try added.json()["id"] as? Int)
            let yellow: [UInt8] = [250, 250, 10]
            let replaced = try await client.send(.put, "/api/v1/images/\(number)", Form(image: try Shop.png(yellow)))
            #expect(replaced.status == .ok, "\(replaced.text)")
            #expect(try replaced.json()["view"] as? String == "main", "what nobody spoke of stays")
            #expect(try await top(client, yellow) == "N1")
            #expect(try await top(client, Self.pink) != "N1")
            let told = try await client.send(
                .put, "/api/v1/images/\(number)", Form(image: try Shop.png(yellow), [("color", "yellow")]))
            #expect(try told.json()["view"] == nil && told.json()["color"] as? String == "yellow")

            let twin = try await client.send(.post, "/api/v1/products/N1/images", Form(image: try Shop.png(Self.pink)))
            let second = try #require(try twin.json()["id"] as? Int)
            let same = try await client.send(.put, "/api/v1/images/\(second)", Form(image: try Shop.png(yellow)))
            #expect(try same.status == .conflict && same.error().code == "same_image")
            let imported = try #require(try shop.catalog.images(ofProduct: "P0").first)
            let refused = try await client.send(.put, "/api/v1/images/\(imported.id)", Form(image: try Shop.png(yellow)))
            #expect(try refused.status == .conflict && refused.error().code == "imported_image")
            #expect(!refused.text.contains(shop.folder.path))
            let missing = try await client.send(.put, "/api/v1/images/4711", Form(image: try Shop.png(yellow)))
            #expect(try missing.status == .notFound && missing.error().code == "unknown_image")
        }
    }

    @Test("what is deleted is found no more when the call returns, and is not there a second time")
    func delete() async throws {
        let shop = try Shop()
        let red = Shop.colors[0].rgb
        try await shop.liveServer().test(.router) { client in
            #expect(try await top(client, red) == "P0")
            let first = try #require(try shop.catalog.images(ofProduct: "P0").first)
            #expect(try await client.delete("/api/v1/images/\(first.id)").status == .noContent)
            #expect(try await client.get("/api/v1/images/\(first.id)").status == .notFound)
            #expect(try await top(client, red) == "P0", "it has another one")
            #expect(FileManager.default.fileExists(atPath: first.path), "an imported file is its owner's")
            let gone = try await client.delete("/api/v1/products/P0")
            #expect(gone.status == .noContent && gone.body.readableBytes == 0)
            #expect(try await top(client, red) != "P0")
            #expect(try await client.get("/api/v1/products").json()["total"] as? Int == 5)
            for uri in ["/api/v1/products/P0", "/api/v1/images/\(first.id)", "/api/v1/images/x"] {
                #expect(try await client.delete(uri).status == .notFound, "\(uri)")
            }
            // Until nothing is left: an empty shop answers too.
            for place in 1...5 { #expect(try await client.delete("/api/v1/products/P\(place)").status == .noContent) }
            #expect(try await client.search(Form(image: Shop.png(red))).products() == [])
        }
    }

    /// What is wrong with a change, and what is said about it.
    struct Refused: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let json: String
        let says: String
    }

    static let documents: [Refused] = [
        Refused(testDescription: "a misspelt column", json: #"{"titel": "x"}"#, says: "'title' is probably meant"),
        Refused(testDescription: "an unknown column", json: #"{"weight": 3}"#, says: "no 'weight'"),
        Refused(testDescription: "pictures", json: #"{"images": []}"#, says: "no 'images'"),
        Refused(testDescription: "a price in words", json: #"{"price": "12 EUR"}"#, says: "'price' is no number"),
        Refused(testDescription: "a negative price", json: #"{"price": -1}"#, says: "'price'"),
        Refused(testDescription: "a price that is none", json: #"{"price": NaN}"#, says: "NaN"),
        Refused(testDescription: "a truth in words", json: #"{"in_stock": "yes"}"#, says: "neither true nor false"),
        Refused(testDescription: "a number for a title", json: #"{"title": 7}"#, says: "'title' is no text"),
        Refused(testDescription: "an address that runs", json: #"{"url": "javascript:alert(1)"}"#, says: "http"),
        Refused(testDescription: "an attribute that is a column", json: #"{"attributes": {"color": "red"}}"#, says: "column"),
        Refused(testDescription: "an attribute within one", json: #"{"attributes": {"fit": {"a": 1}}}"#, says: "'fit'"),
        Refused(testDescription: "attributes in a list", json: #"{"attributes": ["a"]}"#, says: "no object"),
        Refused(testDescription: "a key twice", json: #"{"title": "a", "title": "b"}"#, says: "twice"),
        Refused(testDescription: "another id", json: #"{"id": "N2"}"#, says: "another id"),
        Refused(testDescription: "a list", json: "[]", says: "no JSON object"),
        Refused(testDescription: "half an object", json: #"{"title": "#, says: "no JSON"),
    ]

    @Test("a product that can't be is refused with 400 and one sentence, and nothing is written", arguments: documents)
    func refusedProduct(_ refused: Refused) async throws {
        let shop = try Shop()
        let position = try shop.catalog.changePosition()
        try await shop.liveServer().test(.router) { client in
            let answer = try await client.put("/api/v1/products/N1", json: refused.json)
            #expect(answer.status == .badRequest, "\(answer.text)")
            let message = try answer.error().message
            #expect(message.contains(refused.says) && message.hasSuffix("."), "\(message)")
        }
        #expect(try shop.catalog.changePosition() == position)
    }

    @Test("a picture that can't be is refused with its status, and nothing is written, no file either")
    func refusedImages() async throws {
        let shop = try Shop()
        let good = try Shop.png(Self.pink)
        let position = try shop.catalog.changePosition()
        try await shop.liveServer { $0.limits.uploadBytes = 1 << 20 }.test(.router) { client in
            for (form, product, status, code) in [
                (Form(image: Array("words".utf8)), "P0", 415, "not_an_image"),
                (Form(image: Array(good.dropLast(20))), "P0", 422, "broken_image"),
                (Form(image: BadRequest.bomb), "P0", 413, "image_too_large"),
                (Form(image: [UInt8](repeating: 1, count: 2 << 20)), "P0", 413, "too_many_bytes"),
                (Form([("view", "main")]), "P0", 400, "wrong_parameter"),
                (Form(image: good, [("colour", "red")]), "P0", 400, "wrong_parameter"),
                (Form(image: good, [("attribute", "fit")]), "P0", 400, "wrong_parameter"),
                (Form(image: good, [("attribute", "price:3")]), "P0", 400, "wrong_parameter"),
                (Form(image: good), "nobody", 404, "unknown_product"),
            ] {
                let answer = try await client.send(.post, "/api/v1/products/\(product)/images", form)
                #expect(answer.status.code == status, "\(answer.text)")
                #expect(try answer.error().code == code)
            }
            let text = try await client.put("/api/v1/products/N1", json: "{}", headers: [.authorization: "Bearer \(Shop.token)"])
            #expect(text.status == .created)
            let plain = try await client.execute(
                uri: "/api/v1/products/N2", method: .put, headers: TestClient.admin, body: ByteBuffer(string: "{}"))
            #expect(try plain.error().code == "wrong_content_type")
            _ = try await client.delete("/api/v1/products/N1")
        }
        let changes = try #require(try shop.catalog.changes(after: position))
        #expect(changes.images.isEmpty && changes.vectors.isEmpty && changes.products == ["N1"])
        let media = FileManager.default.subpaths(atPath: shop.catalog.path + ".media") ?? []
        #expect(!media.contains { $0.contains(".") })
    }

    @Test("several writers of one product leave one whole product, and searches beside them all answer")
    func crowd() async throws {
        let shop = try Shop()
        try await shop.liveServer { $0.limits.edits = 256 }.test(.router) { client in
            try await withThrowingTaskGroup(of: Void.self) { tasks in
                for writer in 0..<6 {
                    tasks.addTask {
                        for round in 0..<8 {
                            let title = "\(writer)-\(round)"
                            let put = try await client.put(
                                "/api/v1/products/N1", json: #"{"title": "\#(title)", "attributes": {"by": "\#(title)"}}"#)
                            #expect([200, 201].contains(put.status.code), "\(put.text)")
                            let image = try await client.send(
                                .post, "/api/v1/products/N1/images", Form(image: try Shop.png(Self.pink)))
                            // Another writer may have deleted it in between.
                            #expect([200, 201, 404].contains(image.status.code), "\(image.text)")
                            if writer == 0, round % 3 == 2 {
                                let gone = try await client.delete("/api/v1/products/N1")
                                #expect([204, 404].contains(gone.status.code))
                            }
                        }
                    }
                }
                for _ in 0..<3 {
                    tasks.addTask {
                        for _ in 0..<30 {
                            let found = try await client.search(Form(image: try Shop.png(Self.pink)))
                            #expect(found.status == .ok, "\(found.text)")
                            #expect(try found.products().count >= 6)
                        }
                    }
                }
                try await tasks.waitForAll()
            }
            let last = try await client.put("/api/v1/products/N1", json: #"{"title": "last"}"#)
            #expect([200, 201].contains(last.status.code))
            _ = try await client.send(.post, "/api/v1/products/N1/images", Form(image: try Shop.png(Self.pink)))
            let product = try await client.get("/api/v1/products/N1").json()
            #expect(product["title"] as? String == "last" && (product["images"] as? [Any])?.count == 1)
            #expect(try await top(client, Self.pink) == "N1")
        }
    }

    @Test("products are listed by their words and the beginnings of their ids, and on request those without a picture, too")
    func listing() async throws {
        let shop = try Shop()
        try await shop.liveServer().test(.router) { client in
            func listed(_ query: String) async throws -> (total: Int, products: [[String: Any]]) {
                let answer = try await client.get("/api/v1/products?\(query)")
                #expect(answer.status == .ok, "\(query)")
                let page = try answer.json()
                return (try #require(page["total"] as? Int), try #require(page["products"] as? [[String: Any]]))
            }
            func ids(_ query: String) async throws -> [String?] { try await listed(query).products.map { $0["id"] as? String } }
            #expect(try await client.put("/api/v1/products/NOPIC", json: #"{"title": "Quokka sweater"}"#).status == .created)
            #expect(try await listed("").total == 6)
            let any = try await listed("pictures=any")
            #expect(any.total == 7 && any.products[0]["id"] as? String == "NOPIC" && any.products[0]["image"] == nil)
            #expect(any.products[1]["id"] as? String == "P0" && any.products[1]["image"] != nil)
            #expect(try await ids("pictures=any&offset=5&limit=1") == ["P4"])
            #expect(try await ids("q=quok").isEmpty)
            for query in ["q=quok", "q=sweater%20quokka", "q=nop"] {
                #expect(try await ids("\(query)&pictures=any") == ["NOPIC"])
            }
            #expect(try await ids("q=red%20th") == ["P0"])
            #expect(try await Set(ids("q=dresses")) == ["P0", "P1", "P2", "P3"])
            #expect(try await ids("q=dresses&filter=color:blue") == ["P2"])
            #expect(try await listed("q=dresses&limit=2&offset=2").products.count == 2)
            #expect(try await ids("q=p5") == ["P5"])
            for nothing in ["q=xyz", "q=red%20xyz", "q=red%20shirt", "q=%22%20*"] {
                #expect(try await ids(nothing).isEmpty, "\(nothing)")
            }
            // Its last picture gone, a product is still there to be edited.
            for image in try await client.get("/api/v1/products/P5").json()["images"] as? [[String: Any]] ?? [] {
                let id = try #require(image["id"] as? Int)
                #expect(try await client.delete("/api/v1/images/\(id)").status == .noContent)
            }
            #expect(try await ids("q=orange").isEmpty)
            #expect(try await ids("q=orange&pictures=any") == ["P5"])
            for wrong in ["pictures=all", "pictures=any&filter=color:red", "pictures=any&pictures=any", "q=a&q=b"] {
                #expect(try await client.get("/api/v1/products?\(wrong)").status == .badRequest, "\(wrong)")
            }
        }
    }

    @Test("while the server loads, changes are told to come back")
    func loading() async throws {
        let shop = try Shop(ready: false)
        try await shop.liveServer().test(.router) { client in
            let answer = try await client.put("/api/v1/products/N1", json: "{}")
            #expect(try answer.status == .serviceUnavailable && answer.error().code == "loading")
            #expect(answer.headers[.retryAfter] != nil)
        }
    }

    @Test("what keeps the catalogue from being written has a status of its own, and no path in its sentence")
    func troubles() {
        let path = "/srv/secret/shop.db"
        for (error, status, code) in [
            (CatalogError.diskFull(path: path), 507, "disk_full"), (.readOnly(path: path), 500, "not_writable"),
            (.inputOutput(path: path, reason: "x"), 500, "internal"), (.locked(path: path, seconds: 5), 503, "busy"),
        ] {
            let answer = APIError(error)
            #expect(answer.status.code == status && answer.code == code && !answer.message.contains("secret"))
        }
    }
}
