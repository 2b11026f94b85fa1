import Foundation
import HTTPTypes
import Imaging
import NIOCore
import Testing

@testable import API

/// What a client sends, and what it is told.
struct BadRequest: Sendable, CustomTestStringConvertible {
    var testDescription: String
    var method: HTTPRequest.Method = .post
    var uri = "/api/v1/search"
    var type: String? = "multipart/form-data; boundary=\(Form.boundary)"
    var body: [UInt8] = []
    var status: HTTPResponse.Status
    var code: String
    /// Words of the sentence.
    var says: String

    static func form(
        _ description: String, image: [UInt8]? = nil, fields: [(String, String)] = [], _ status: HTTPResponse.Status,
        _ code: String,
        _ says: String
    ) -> BadRequest {
        BadRequest(
            testDescription: description, body: Array(Form(image: image, fields).body.readableBytesView), status: status,
            code: code,
            says: says)
    }

    static func json(_ description: String, _ text: String, _ status: HTTPResponse.Status, _ code: String, _ says: String)
        -> BadRequest
    {
        BadRequest(
            testDescription: description, type: "application/json", body: Array(text.utf8), status: status, code: code, says: says
        )
    }

    static func get(_ uri: String, _ status: HTTPResponse.Status, _ code: String, _ says: String) -> BadRequest {
        BadRequest(testDescription: "GET \(uri)", method: .get, uri: uri, type: nil, status: status, code: code, says: says)
    }

    /// A PNG header that promises 20,000 × 14,000 pixels.
    static let bomb: [UInt8] = {
        var bytes: [UInt8] = [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A, 0, 0, 0, 13]
        var header: [UInt8] = Array("IHDR".utf8) + [0, 0, 0x4E, 0x20, 0, 0, 0x36, 0xB0, 8, 2, 0, 0, 0]
        var crc: UInt32 = 0xFFFF_FFFF
        for byte in header {
            crc ^= UInt32(byte)
            for _ in 0..<8 { crc = crc & 1 == 1 ? 0xEDB8_8320 ^ (crc >> 1) : crc >> 1 }
        }
        crc ^= 0xFFFF_FFFF
        header += withUnsafeBytes(of: crc.bigEndian) { Array($0) }
        bytes += header
        return bytes + [0, 0, 0, 0] + Array("IDAT".utf8) + [0x35, 0xAF, 0x06, 0x1E] + [0, 0, 0, 0] + Array("IEND".utf8) + [
            0xAE, 0x42, 0x60, 0x82,
        ]
    }()

    static let table: [BadRequest] = {
        let picture = (try? Shop.png([9, 9, 9])) ?? []
        let jpeg =
            (try? ImageEncoder.jpeg(
                RGBImage(width: 64, height: 64, pixels: [UInt8](repeating: 120, count: 64 * 64 * 3)), quality: 90)) ?? []
        return [
            .form(
                "a text file named .jpg", image: Array("not a picture, just words in a file".utf8), .unsupportedMediaType,
                "not_an_image", "text"),
            .form(
                "bytes that are nothing", image: [1, 2, 3, 4, 5, 6, 7, 8, 9], .unsupportedMediaType, "not_an_image",
                "no picture we know"),
            .form(
                "a BMP", image: Array("BM".utf8) + [UInt8](repeating: 0, count: 40), .unsupportedMediaType, "not_an_image",
                "BMP"),
            .form(
                "a truncated JPEG", image: Array(jpeg.dropLast(jpeg.count / 2)), .unprocessableContent, "broken_image", "cut off"),
            .form("an empty file with a name", image: [], .unprocessableContent, "broken_image", "empty"),
            .form("a bomb", image: bomb, .contentTooLarge, "image_too_large", "20000 x 14000"),
            BadRequest(testDescription: "an empty body", status: .badRequest, code: "empty_body", says: "empty"),
            BadRequest(
                testDescription: "a wrong content type", type: "text/plain", body: Array("x".utf8), status: .unsupportedMediaType,
                code: "wrong_content_type", says: "text/plain"),
            BadRequest(
                testDescription: "a form without a boundary", type: "multipart/form-data", body: Array("x".utf8),
                status: .badRequest,
                code: "malformed_form", says: "no boundary"),
            BadRequest(
                testDescription: "no content type", type: nil, body: Array("x".utf8), status: .unsupportedMediaType,
                code: "wrong_content_type", says: "multipart/form-data"),
            BadRequest(
                testDescription: "a form without its end", body: Array(Form(image: picture).body.readableBytesView.dropLast(30)),
                status: .badRequest, code: "malformed_form", says: "ends before"),
            BadRequest(
                testDescription: "a body that is no form", body: Array("hello".utf8), status: .badRequest, code: "malformed_form",
                says: "boundary"),
            BadRequest(
                testDescription: "a body over the limit", body: [UInt8](repeating: 65, count: 3 << 20), status: .contentTooLarge,
                code: "too_many_bytes", says: "2 MB"),
            .form("top_k 0", image: picture, fields: [("top_k", "0")], .badRequest, "wrong_parameter", "1 to 200"),
            .form("top_k 10^9", image: picture, fields: [("top_k", "1000000000")], .badRequest, "wrong_parameter", "1 to 200"),
            .form("top_k ten", image: picture, fields: [("top_k", "ten")], .badRequest, "wrong_parameter", "'ten'"),
            .form(
                "top_k twice", image: picture, fields: [("top_k", "1"), ("top_k", "2")], .badRequest, "wrong_parameter", "2 times"
            ),
            .form("an unknown model", image: picture, fields: [("model", "giant")], .notFound, "unknown_model", "colours"),
            .form(
                "an unknown filter", image: picture, fields: [("filter", "shoe_size:44")], .badRequest, "wrong_filter",
                "shoe_size"),
            .form(
                "a filter without a value", image: picture, fields: [("filter", "color")], .badRequest, "wrong_filter", "color"),
            .form("a least score of 2", image: picture, fields: [("min_score", "2")], .badRequest, "wrong_parameter", "-1"),
            .form(
                "a least score that is no number", image: picture, fields: [("min_score", "nan")], .badRequest, "wrong_parameter",
                "number"),
            .form(
                "another grouping", image: picture, fields: [("group_by", "shelf")], .badRequest, "wrong_parameter",
                "product or image"),
            .form(
                "a picture under another name", fields: [("file", "\u{1}\u{FF}")], .badRequest, "wrong_parameter",
                "no parameter 'file'; there are image, text"),
            BadRequest(
                testDescription: "a picture's bytes under another name",
                body: Array(Form(file: "image[]", picture).body.readableBytesView), status: .badRequest, code: "wrong_parameter",
                says: "no parameter 'image[]'"),
            BadRequest(
                testDescription: "a file where a text belongs", body: Array(Form(file: "text", picture).body.readableBytesView),
                status: .badRequest, code: "wrong_parameter", says: "no file"),
            .form("a misspelt parameter", image: picture, fields: [("topk", "3")], .badRequest, "wrong_parameter", "'topk'"),
            .form("neither picture nor text", fields: [("top_k", "3")], .badRequest, "wrong_parameter", "none is given"),
            .form(
                "more crops than pictures", image: picture, fields: [("crop", "0,0,1,1"), ("crop", "0,0,1,1")], .badRequest,
                "wrong_parameter", "crop is given 2 times"),
            .form(
                "a text as long as a book", fields: [("text", String(repeating: "x", count: 2001))], .badRequest,
                "wrong_parameter",
                "2000"),
            .form(
                "a filter of thousands of values",
                fields: [("text", "x"), ("filter", "color:" + String(repeating: "a|", count: 300) + "a")],
                .badRequest, "wrong_filter", "200"),
            .form("an empty text", fields: [("text", "  ")], .badRequest, "wrong_parameter", "no word"),
            .form("a text of punctuation", fields: [("text", "?!…")], .badRequest, "wrong_parameter", "no word"),
            .json("half a JSON object", #"{"text": "#, .badRequest, "malformed_json", "JSON object"),
            .json("a JSON list", "[1]", .badRequest, "malformed_json", "JSON object"),
            .json("JSON within JSON", #"{"text": {"a": 1}}"#, .badRequest, "wrong_parameter", "text is neither"),
            .json("an empty JSON object", "{}", .badRequest, "wrong_parameter", "none is given"),
            .json("a truth for a number", #"{"text": "red", "top_k": true}"#, .badRequest, "wrong_parameter", "top_k is neither"),
            .json(
                "a truth in a list", #"{"text": "red", "filter": ["color:red", true]}"#, .badRequest, "wrong_parameter", "filter"),
            .json("an empty filter", #"{"text": "red", "filter": [""]}"#, .badRequest, "wrong_filter", "''"),
            .json("a hexadecimal number", #"{"text": "red", "min_score": "0x1p-1"}"#, .badRequest, "wrong_parameter", "0x1p-1"),
            .json(
                "a picture in JSON", #"{"image": "data:image/jpeg;base64,AAAA"}"#, .badRequest, "wrong_parameter",
                "multipart/form-data"),
            .json(
                "a large picture in JSON", #"{"image": "\#(String(repeating: "A", count: 32_000))"}"#, .badRequest,
                "wrong_parameter",
                "multipart/form-data"),
            .json(
                "a JSON of more than 64 kB", #"{"text": "\#(String(repeating: "A", count: 66_000))"}"#, .contentTooLarge,
                "too_many_bytes",
                "64 kB"),
            .json("an unknown product", #"{"product_id": "nobody"}"#, .notFound, "unknown_product", "nobody"),
            .json("an unknown picture", #"{"image_id": 4711}"#, .notFound, "unknown_image", "4711"),
            .get("/api/v1/images/..%2F..%2Fetc%2Fpasswd", .notFound, "unknown_image", "no picture"),
            .get("/api/v1/images/../../etc/passwd", .notFound, "not_found", "nothing at this address"),
            .get("/api/v1/images/99999999999999999999", .notFound, "unknown_image", "no picture"),
            .get("/api/v1/images/1?w=161", .badRequest, "wrong_parameter", "160, 320, 640, 1280"),
            .get("/api/v1/samples/7", .notFound, "unknown_sample", "no sample"),
            .get("/api/v1/products/nobody", .notFound, "unknown_product", "nobody"),
            .get("/api/v1/products/nobody/similar", .notFound, "unknown_product", "nobody"),
            .get("/api/v1/products?limit=0", .badRequest, "wrong_parameter", "1 to 200"),
            .get("/api/v1/products?offset=-1", .badRequest, "wrong_parameter", "offset"),
            .get("/api/v1/products?filter=shoe_size:44", .badRequest, "wrong_filter", "shoe_size"),
            .get("/api/v1/products?page=2", .badRequest, "wrong_parameter", "'page'"),
            .get("/api/v1/models/giant", .notFound, "unknown_model", "giant"),
            .get("/api/v1/products/P0?w=1", .badRequest, "wrong_parameter", "'w'"),
            .get("/api/v1/products?filter=%FF", .badRequest, "wrong_parameter", "percent-encoded"),
            .get("/api/v1/search?text=red", .methodNotAllowed, "wrong_method", "OPTIONS, POST"),
            .get("/api/v2/search", .notFound, "not_found", "openapi.json"),
        ]
    }()
}

@Suite("What the server refuses")
struct RefusalTests {
    @Test(
        "one status and one sentence, without a path of the server, and the server goes on", .serialized,
        arguments: BadRequest.table)
    func refusal(_ bad: BadRequest) async throws {
        let shop = try Shop()
        let good = try Shop.png([190, 30, 30])
        try await shop.server { $0.limits.uploadBytes = 2 << 20 }.test(.router) { client in
            var headers: HTTPFields = [:]
            headers[.contentType] = bad.type
            let answer = try await client.execute(
                uri: bad.uri, method: bad.method, headers: headers, body: bad.body.isEmpty ? nil : ByteBuffer(bytes: bad.body))
            #expect(answer.status == bad.status, "\(answer.text)")
            let (code, message) = try answer.error()
            #expect(code == bad.code)
            #expect(message.contains(bad.says), "\(message)")
            #expect(message.hasSuffix(".") && !message.contains("\n"), "\(message)")
            #expect(!message.contains(shop.folder.path))
            #expect(try await client.search(Form(image: good)).products().first == "P0")
        }
    }

    @Test("a client that hangs up in the middle of its upload takes nobody along")
    func hangUp() async throws {
        let shop = try Shop()
        let good = try Shop.png([190, 30, 30])
        // Fewer places than clients that hang up: a place that is not given back would be missed.
        try await shop.server {
            $0.limits.connections = 12
            $0.limits.searches = 4
            $0.limits.decodesWaiting = 4
        }.test(.live) { client in
            for _ in 0..<20 {
                try await client.connect { connection in
                    // On a busy machine the server may have closed it before: a hang-up all the same.
                    try? await connection.send(
                        "POST /api/v1/search HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000\r\n"
                            + "Content-Type: multipart/form-data; boundary=\(Form.boundary)\r\n\r\n--\(Form.boundary)\r\n")
                    try? await connection.hangUp()
                }
            }
            // The server learns of a hang-up a moment later.
            var answer = try await client.search(Form(image: good))
            for _ in 0..<100 where answer.status == .serviceUnavailable {
                try await Task.sleep(for: .milliseconds(20))
                answer = try await client.search(Form(image: good))
            }
            #expect(try answer.products().first == "P0")
        }
    }

    @Test("HEAD is answered without a body, also where there is nothing, and the connection goes on")
    func head() async throws {
        let shop = try Shop()
        try await shop.server().test(.live) { client in
            for (uri, status) in [("/healthz", HTTPResponse.Status.ok), ("/api/v1/products", .ok), ("/nothing", .notFound)] {
                let answer = try await client.execute(uri: uri, method: .head)
                #expect(answer.status == status && answer.body.readableBytes == 0, "\(uri)")
                #expect(try await client.get("/healthz").text == #"{"status":"ok"}"#)
            }
        }
    }

    @Test("an upload whose length says too much is refused before it is sent")
    func announced() async throws {
        let shop = try Shop()
        try await shop.server().test(.live) { client in
            try await client.connect { connection in
                try await connection.send(
                    "POST /api/v1/search HTTP/1.1\r\nHost: localhost\r\nContent-Length: 999999999999\r\n"
                        + "Content-Type: multipart/form-data; boundary=x\r\n\r\n--x")
                let received = try await connection.receive()
                let answer = try #require(received)
                #expect(answer.status == .contentTooLarge)
                #expect(try answer.error().message.contains("20 MB"))
            }
        }
    }
}
