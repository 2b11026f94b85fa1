import Catalog
import Foundation
import HTTPTypes
import Imaging
import Search
import Testing

@testable import API

@Suite("POST /search")
struct SearchRouteTests {
    @Test("a picture finds the garments of its colour, each product once, as the document of the contract")
    func picture() async throws {
        let shop = try Shop()
        let image = try Shop.png([190, 30, 30])
        try await shop.server().test(.router) { client in
            let answer = try await client.search(Form(image: image, [("top_k", "3")]))
            #expect(answer.status == .ok)
            #expect(answer.headers[.contentType] == "application/json; charset=utf-8")
            let document = try answer.json()
            #expect(document["model"] as? String == "colours")
            let results = try #require(document["results"] as? [[String: Any]])
            #expect(results.count == 3)
            #expect(results.map { $0["rank"] as? Int } == [1, 2, 3])
            let scores = results.compactMap { $0["score"] as? Double }
            #expect(scores == scores.sorted(by: >) && scores[0] > 0.98)
            let product = try #require(results[0]["product"] as? [String: Any])
            #expect(product["id"] as? String == "P0")
            #expect(product["title"] as? String == "A red thing")
            #expect(product["price"] as? Double == 10)
            #expect(product["in_stock"] as? Bool == true)
            let picture = try #require(results[0]["image"] as? [String: Any])
            let id = try #require(picture["id"] as? Int)
            #expect(picture["path"] as? String == "/api/v1/images/\(id)")
            let timing = try #require(document["timing_ms"] as? [String: Double])
            #expect(Set(timing.keys) == ["decode", "encode", "search", "total"])
            #expect(Set(try answer.products()).count == 3)
        }
    }

    @Test("a text, a product and a picture of the catalogue are queries too, and never find themselves")
    func otherSubjects() async throws {
        let shop = try Shop()
        let image = try #require(try shop.catalog.images(ofProduct: "P1").first).id
        try await shop.server().test(.router) { client in
            #expect(try await client.search(Form([("text", "a green thing")])).products().first == "P1")
            #expect(try await client.search(json: #"{"text": "blue", "top_k": 1}"#).products() == ["P2"])
            let similar = try await client.search(json: #"{"product_id": "P1", "top_k": 200}"#).products()
            #expect(similar.count == 5 && !similar.contains("P1"))
            let alike = try await client.search(json: #"{"image_id": \#(image), "top_k": 200}"#).products()
            #expect(alike.count == 5 && !alike.contains("P1"))
            let pictures = try await client.search(json: #"{"image_id": "\#(image)", "group_by": "image", "top_k": 200}"#)
            #expect(try pictures.products().count == 11)
            #expect(try pictures.products().first == "P1", "its other picture is no longer left out")
            #expect(try await client.get("/api/v1/products/P1/similar?top_k=2").products() == Array(similar.prefix(2)))
        }
    }

    @Test("filters narrow, the same key widens, and a least score leaves out what is farther")
    func options() async throws {
        let shop = try Shop()
        let image = try Shop.png([190, 30, 30])
        try await shop.server().test(.router) { client in
            let dark = try await client.search(Form(image: image, [("filter", "color:blue"), ("filter", "color:black")]))
            #expect(Set(try dark.products()) == ["P2", "P4"])
            let cheap = try await client.search(Form(image: image, [("filter", "price:11..12"), ("filter", "material:wool")]))
            #expect(Set(try cheap.products()) == ["P1", "P2"])
            let json = try await client.search(json: #"{"text": "red", "filter": ["category:Men", "color:orange"]}"#)
            #expect(try json.products() == ["P5"])
            #expect(try await client.search(Form(image: image, [("min_score", "0.95")])).products() == ["P0"])
            #expect(try await client.search(Form(image: image, [("filter", "color:violet")])).products() == [])
        }
    }

    @Test("until the models are there every search is told to come back, and then it is answered")
    func loading() async throws {
        let shop = try Shop(ready: false)
        let image = try Shop.png([190, 30, 30])
        try await shop.server().test(.router) { client in
            let early = try await client.search(Form(image: image))
            #expect(early.status == .serviceUnavailable)
            #expect(try early.error().code == "loading")
            #expect(early.headers[.retryAfter] == "2")
            #expect(try await client.get("/readyz").status == .serviceUnavailable)
            #expect(try await client.get("/api/v1/models").status == .serviceUnavailable)
            #expect(try await client.get("/healthz").status == .ok)
            #expect(try await client.get("/api/v1/products").error().code == "loading")
            // The catalogue is there before the models are: it can be browsed, and filtered, by then.
            shop.service.begin(browsing: try LiveCatalog(shop.catalog))
            let listing = try await client.get("/api/v1/products?filter=color:red").json()
            #expect(listing["total"] as? Int == 1)
            #expect(try await client.search(Form(image: image)).error().code == "loading")
            try shop.begin()
            #expect(try await client.search(Form(image: image)).status == .ok)
            #expect(try await client.get("/readyz").status == .ok)
        }
    }

    /// Says that its queue is full.
    struct FullEncoder: EmbeddingModel {
        struct Full: TransientError {
            let isTransient = true
            let description = "9 requests are waiting already; try again in a moment."
        }
        var model = ColorEncoder().model
        func encode(images: [RGBImage]) async throws -> [[Float]] { throw Full() }
        func encode(texts: [String]) async throws -> [[Float]] { throw CocoaError(.fileReadNoSuchFile) }
    }

    @Test("a full queue is 503 with a time to wait; a fault of the server's own is 500 and tells nothing of it")
    func faults() async throws {
        let shop = try Shop(encoder: FullEncoder())
        let image = try Shop.png([190, 30, 30])
        try await shop.server().test(.router) { client in
            let full = try await client.search(Form(image: image))
            #expect(full.status == .serviceUnavailable)
            #expect(full.headers[.retryAfter] == "1")
            #expect(try full.error().message.contains("9 requests are waiting"))
            let fault = try await client.search(json: #"{"text": "red"}"#)
            #expect(fault.status == .internalServerError)
            #expect(try fault.error() == ("internal", "Something went wrong on the server; its log says what."))
        }
    }

    @Test("a form of a browser sends every field: an empty file and empty texts are absent")
    func plainForm() async throws {
        let shop = try Shop()
        let image = try Shop.png([190, 30, 30])
        try await shop.server().test(.router) { client in
            var byText = Form([("text", "a green thing"), ("filter", ""), ("model", "")])
            byText.add("image", [], file: "")
            let found = try await client.search(byText)
            #expect(try found.products().first == "P1")
            #expect(try await client.search(Form(image: image, [("text", ""), ("top_k", "")])).products().first == "P0")
            var neither = Form([("text", "")])
            neither.add("image", [], file: "")
            #expect(try await client.search(neither).error().message.contains("none is given"))
        }
    }

    @Test("more searches than may be under way are told to come back, and none is lost")
    func places() async throws {
        let places = Places(1)
        try await places.take {
            await #expect(throws: APIError.self) { try await places.take {} }
        }
        try await places.take {}
    }
}
