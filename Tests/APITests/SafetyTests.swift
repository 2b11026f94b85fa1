import Catalog
import Foundation
import HTTPTypes
import Hummingbird
import Imaging
import Search
import Testing

@testable import API

@Suite("What must not get out, or in")
struct SafetyTests {
    @Test(
        "an address of a product is passed on when it leads to a page, and left out when it would run something",
        arguments: [
            ("https://shop.example/1", true), ("HTTP://shop.example", true), ("/dress?id=a:b", true), ("dresses/1", true),
            ("//shop.example/1", true), ("?q=a:b", true), ("#a:b", true), ("javascript:alert(1)", false),
            ("JaVaScRiPt:alert(1)", false),
            (" \u{1}java\nscript:alert(1)", false), ("data:text/html,x", false), ("vbscript:x", false),
            ("file:///etc/passwd", false),
            (":", false),
        ])
    func addresses(_ text: String, _ isSafe: Bool) {
        #expect(WebAddress.safe(text) == (isSafe ? text : nil))
        let product = Product(id: "a", url: text)
        #expect(ProductSummary(product, image: nil).url == (isSafe ? text : nil))
        #expect(ProductDetail(product, images: []).url == (isSafe ? text : nil))
    }

    @Test(
        "an allowed origin is one that a browser can send",
        arguments: [
            ("https://shop.example", true), ("http://localhost:8081", true), ("https://[::1]:444", true),
            ("http://127.0.0.1:443", true),
            ("https://xn--mnchen-3ya.example", true), ("shop.example", false), ("https://shop.example/", false),
            ("https://shop.example/page", false), ("https://Shop.example", false), ("HTTPS://shop.example", false),
            ("https://shop.example:443", false), ("http://shop.example:80", false), ("http://shop.example:080", false),
            ("https://shop.example:0", false), ("https://user@shop.example", false), ("https://*", false), ("*", false),
            ("null", false),
            ("https://", false), ("ftp://shop.example", false), ("https://münchen.example", false),
            ("https://*.shop.example", false),
        ])
    func origins(_ text: String, _ isOrigin: Bool) {
        #expect((AllowedOrigin.problem(with: text) == nil) == isOrigin)
    }

    @Test("a line of the log stays one, and short, whatever a client sends")
    func lines() {
        typealias Bounded = Front<RouterResponder<APIContext>>
        #expect(Bounded.bounded("/a\r\n/b\u{7F}") == "/a  /b ")
        let long = Bounded.bounded(String(repeating: "ä", count: 70_000), 200)
        #expect(long.count == 201 && long.hasSuffix("…"))
        #expect(Bounded.bounded("e" + String(repeating: "\u{301}", count: 70_000), 200).utf8.count < 500)
    }

    @Test("no command line and no folder of whoever trained a model reaches an answer")
    func models() async throws {
        let shop = try Shop()
        var card = Shop.card(ColorEncoder().model)
        card.training?.command = "train --data /home/someone/secret"
        shop.service.begin(
            with: [ServedModel(card: card, engine: try SearchEngine(catalog: shop.catalog, encoder: ColorEncoder()))])
        try await shop.server().test(.router) { client in
            for uri in ["/api/v1/models", "/api/v1/models/colours"] {
                let answer = try await client.get(uri)
                #expect(answer.status == .ok)
                #expect(!answer.text.contains("secret") && !answer.text.contains("command"))
                #expect(answer.text.contains("learning_rate"))
            }
        }
    }

    @Test("a server over a damaged catalogue is not ready, and says so in words of its own")
    func damage() async throws {
        let shop = try Shop()
        try await shop.server().test(.router) { client in
            #expect(try await client.get("/readyz").status == .ok)
            shop.service.note(CatalogError.badFilter(text: "x", reason: "it is no filter"))
            let still = try await client.get("/readyz")
            #expect(still.status == .ok, "what a client asked wrongly is no damage")
            shop.service.note(CatalogError.corrupt(path: shop.catalog.path, reason: "database disk image is malformed"))
            let answer = try await client.get("/readyz")
            #expect(answer.status == .serviceUnavailable)
            #expect(answer.text == #"{"status":"damaged"}"#)
            #expect(try await client.get("/healthz").status == .ok)
        }
    }

    @Test("another picture under the same name has another tag, and what is no file stops nobody")
    func replaced() async throws {
        let shop = try Shop()
        let image = try #require(try shop.catalog.images(ofProduct: "P0").first)
        let other = try #require(try shop.catalog.images(ofProduct: "P1").first)
        try await shop.server().test(.router) { client in
            let first = try await client.get("/api/v1/images/\(image.id)?w=160")
            let tag = try #require(first.headers[.eTag])
            try Data(Shop.png([1, 2, 250])).write(to: image.file)
            let second = try await client.get("/api/v1/images/\(image.id)?w=160", headers: [.ifNoneMatch: tag])
            #expect(second.status == .ok && second.headers[.eTag] != tag)
            #expect(try ImageDecoder.decode(Array(second.body.readableBytesView)).pixels[2] > 200)

            try FileManager.default.removeItem(at: image.file)
            #expect(mkfifo(image.path, 0o600) == 0)
            // More than there are threads: if one of them waited for somebody to write into the pipe, the last would never be answered.
            for _ in 0..<8 {
                let pipe = try await client.get("/api/v1/images/\(image.id)?w=160")
                #expect(pipe.status == .notFound)
            }
            try FileManager.default.removeItem(at: image.file)
            try FileManager.default.createDirectory(at: image.file, withIntermediateDirectories: false)
            #expect(try await client.get("/api/v1/images/\(image.id)?w=160").error().code == "picture_gone")
            #expect(try await client.get("/api/v1/images/\(other.id)?w=160").status == .ok)
        }
    }

    /// Reads one word.
    struct ShortReader: EmbeddingModel {
        var model = ColorEncoder().model
        func encode(images: [RGBImage]) async throws -> [[Float]] { try await ColorEncoder().encode(images: images) }
        func encode(texts: [String]) async throws -> [[Float]] { try await ColorEncoder().encode(texts: texts) }
        func encodeTexts(_ texts: [String]) async throws -> EncodedTexts {
            EncodedTexts(
                vectors: try await encode(texts: texts), cut: texts.map { $0.contains(" ") ? TextCut(tokens: 4, read: 3) : nil })
        }
    }

    @Test("a text that was cut is told, and nothing is said of one that was not")
    func cutText() async throws {
        let shop = try Shop(encoder: ShortReader())
        try await shop.server().test(.router) { client in
            let cut = try await client.search(json: #"{"text": "red dress"}"#)
            #expect(try cut.json()["truncated_text"] as? Bool == true)
            #expect(try cut.json()["text_tokens"] as? Int == 4 && cut.json()["text_tokens_read"] as? Int == 3)
            let whole = try await client.search(json: #"{"text": "red"}"#)
            #expect(try Set(whole.json().keys) == ["model", "results", "timing_ms", "fusion", "unknown_words"])
        }
    }
}
