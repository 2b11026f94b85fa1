import Catalog
import Foundation
import HTTPTypes
import Hummingbird
import Imaging
import Logging
import NIOCore
import Testing

@testable import API

@Suite("The other routes")
struct RouteTests {
    @Test("a model's card shows what its checkpoint recorded and how many pictures it finds")
    func models() async throws {
        let shop = try Shop()
        try await shop.server().test(.router) { client in
            let list = try await client.get("/api/v1/models").json()
            #expect(list["default"] as? String == "colours")
            let card = try await client.get("/api/v1/models/colours").json()
            #expect((list["models"] as? [[String: Any]])?.count == 1)
            #expect(card["embedding_size"] as? Int == 4)
            #expect(card["takes_text"] as? Bool == true)
            #expect(card["images"] as? Int == 12)
            let training = try #require(card["training"] as? [String: Any])
            #expect(training["learning_rate"] as? Double == 0.001)
            #expect((training["validation"] as? [String: Double])?["map_product_id"] == 0.5)
            #expect(training["command"] == nil, "what is not known is not there")
        }
    }

    @Test("products come in pages, with the picture that the filter admits and facets that count without their own key")
    func products() async throws {
        let shop = try Shop()
        try await shop.server().test(.router) { client in
            let first = try await client.get("/api/v1/products?limit=4").json()
            #expect(first["total"] as? Int == 6)
            let products = try #require(first["products"] as? [[String: Any]])
            #expect(products.map { $0["id"] as? String } == ["P0", "P1", "P2", "P3"])
            #expect((products[0]["image"] as? [String: Any])?["view"] as? String == "main")
            let second = try await client.get("/api/v1/products?limit=4&offset=4").json()
            #expect((second["products"] as? [[String: Any]])?.map { $0["id"] as? String } == ["P4", "P5"])

            let red = try await client.get("/api/v1/products?filter=color:red&filter=category:Women%2FDresses").json()
            #expect(red["total"] as? Int == 1)
            let facets = try #require(red["facets"] as? [String: [[String: Any]]])
            #expect(facets["color"]?.count == 4, "every colour of the dresses, since another one would widen")
            #expect(facets["category"]?.map { $0["value"] as? String } == ["Women/Dresses"])
            #expect(facets["brand"]?.first?["count"] as? Int == 1)

            let one = try await client.get("/api/v1/products/P0").json()
            #expect((one["images"] as? [[String: Any]])?.count == 2)
            #expect((one["attributes"] as? [String: String])?["material"] == "wool")
        }
    }

    @Test("a picture comes at the width asked for, never enlarged, and with a tag that spares sending it again")
    func images() async throws {
        let shop = try Shop()
        let wide = RGBImage.gradient(width: 900, height: 600)
        try Data(ImageEncoder.jpeg(wide, quality: 90)).write(to: shop.folder.appending(path: "wide.jpg"))
        try Data(#"{"image": "wide.jpg", "product_id": "W"}"#.utf8).write(to: shop.folder.appending(path: "wide.jsonl"))
        _ = try shop.catalog.importCatalog(
            from: shop.folder.appending(path: "wide.jsonl"), inspect: { _, _ in .init(width: 900, height: 600) })
        let id = try #require(try shop.catalog.images(ofProduct: "W").first).id
        try await shop.server().test(.router) { client in
            let answer = try await client.get("/api/v1/images/\(id)?w=320")
            #expect(answer.headers[.contentType] == "image/jpeg")
            let picture = try ImageDecoder.decode(Array(answer.body.readableBytesView))
            #expect(picture.width == 320 && picture.height == 213)
            let tag = try #require(answer.headers[.eTag])
            let again = try await client.get("/api/v1/images/\(id)?w=320", headers: [.ifNoneMatch: tag])
            #expect(again.status == .notModified && again.body.readableBytes == 0)
            #expect(try await client.get("/api/v1/images/\(id)?w=640", headers: [.ifNoneMatch: tag]).status == .ok)
            let whole = try await client.get("/api/v1/images/\(id)")
            #expect(try ImageDecoder.decode(Array(whole.body.readableBytesView)).width == 900)
        }
    }

    /// Small pictures of the formats that browsers do not show, or whose libraries are loaded.
    private static let formats = URL(filePath: #filePath).deletingLastPathComponent().appending(
        path: "../ImagingTests/Fixtures/formats"
    )
    .standardizedFileURL

    @Test(
        "HEIC, AVIF, TIFF and GIF are uploads and pictures of the catalogue, and come out as JPEG",
        .enabled(
            if: ImageFormat.allCases.allSatisfy { $0.lack == nil }, "needs libheif and libtiff"))
    func furtherFormats() async throws {
        let shop = try Shop()
        let files = ["grid.heic", "orientation-6.avif", "orientation-8.tif", "interlaced.gif"]
        let rows = files.map { "{\"image\": \"\(Self.formats.path)/\($0)\", \"product_id\": \"\($0)\"}\n" }
        try Data(rows.joined().utf8).write(to: shop.folder.appending(path: "formats.jsonl"))
        _ = try shop.catalog.importCatalog(
            from: shop.folder.appending(path: "formats.jsonl"),
            inspect: { bytes, _ in
                let image = try ImageDecoder.decode(bytes)
                return PictureSize(width: image.width, height: image.height)
            })
        try await shop.server().test(.router) { client in
            for file in files {
                let expected = try ImageDecoder.decode(contentsOfFile: Self.formats.appending(path: file).path)
                let id = try #require(try shop.catalog.images(ofProduct: file).first).id
                let answer = try await client.get("/api/v1/images/\(id)")
                #expect(answer.status == .ok && answer.headers[.contentType] == "image/jpeg", "\(file)")
                // Smaller than the widest that is asked for, so it is not scaled.
                #expect(Array(answer.body.readableBytesView) == (try ImageEncoder.jpeg(expected, quality: 85)), "\(file)")
                let bytes = [UInt8](try Data(contentsOf: Self.formats.appending(path: file)))
                #expect(try await client.search(Form(image: bytes)).status == .ok, "\(file)")
            }
        }
        let heic = [UInt8](try Data(contentsOf: Self.formats.appending(path: files[0])))
        let id = try #require(try shop.catalog.images(ofProduct: files[0]).first).id
        try await shop.server({ $0.limits.pictures.formats = [.jpeg, .png] }).test(.router) { client in
            let refusal = try await client.search(Form(image: heic))
            #expect(refusal.status == .unsupportedMediaType)
            #expect(try refusal.error().message == "HEIC pictures are switched off here; convert them to JPEG, PNG or WebP.")
            #expect(try await client.get("/api/v1/images/\(id)").status == .notFound)
        }
    }

    @Test("a client learns that a format is not read here, not what the server's machine lacks")
    func missingLibrary() {
        let error = APIError(ImageError.libraryMissing(.heic, .heif, .library))
        #expect(error.status == .unsupportedMediaType && error.code == "not_an_image")
        #expect(error.message == "HEIC pictures are not read; convert them to JPEG, PNG or WebP.")
    }

    @Test("a picture whose file has gone is 404 in words")
    func goneImage() async throws {
        let shop = try Shop()
        let image = try #require(try shop.catalog.images(ofProduct: "P3").first)
        try FileManager.default.removeItem(atPath: image.path)
        try await shop.server().test(.router) { client in
            let answer = try await client.get("/api/v1/images/\(image.id)?w=160")
            #expect(answer.status == .notFound)
            #expect(try answer.error().code == "picture_gone")
        }
    }

    @Test("samples are listed, and given out by their place alone")
    func samples() async throws {
        let shop = try Shop()
        try await shop.server().test(.router) { client in
            let list = try await client.get("/api/v1/samples").json()["samples"] as? [[String: String]]
            #expect(list == [["title": "Try red", "path": "/api/v1/samples/0"]])
            let picture = try await client.get("/api/v1/samples/0?w=160")
            #expect(try ImageDecoder.decode(Array(picture.body.readableBytesView)).width == 24)
        }
    }

    @Test("pages of the origins on the list may call, others may not")
    func origins() async throws {
        let shop = try Shop()
        let name = try #require(HTTPField.Name("Access-Control-Request-Method"))
        try await shop.server { $0.allowedOrigins = ["https://shop.example"] }.test(.router) { client in
            let friend = try await client.get("/api/v1/models", headers: [.origin: "https://shop.example"])
            #expect(friend.headers[.accessControlAllowOrigin] == "https://shop.example")
            #expect(friend.headers[.accessControlExposeHeaders]?.contains("Retry-After") == true)
            #expect(friend.headers[.vary] == "Origin")
            let stranger = try await client.get("/api/v1/models", headers: [.origin: "https://other.example"])
            #expect(stranger.headers[.accessControlAllowOrigin] == nil)
            let ask = try await client.execute(
                uri: "/api/v1/search", method: .options, headers: [.origin: "https://shop.example", name: "POST"])
            #expect(ask.status == .noContent)
            #expect(ask.headers[.accessControlAllowMethods] == "GET, POST, PUT, DELETE")
            let wrong = try await client.get("/api/v1/nothing", headers: [.origin: "https://shop.example"])
            #expect(wrong.headers[.accessControlAllowOrigin] == "https://shop.example", "errors can be read too")
        }
    }

    @Test("under a base path everything answers with and without it, and says it in its addresses")
    func basePath() async throws {
        let shop = try Shop()
        let web = shop.folder.appending(path: "web")
        try FileManager.default.createDirectory(at: web, withIntermediateDirectories: true)
        try Data(#"<html><base href="/"><script src="app.0123abcd.js"></script></html>"#.utf8).write(
            to: web.appending(path: "index.html"))
        try Data("let a = 1".utf8).write(to: web.appending(path: "app.0123abcd.js"))
        try Data([0x1f, 0x8b, 1, 2]).write(to: web.appending(path: "app.0123abcd.js.gz"))
        let page = try StaticPage(folder: web)
        let image = try Shop.png([190, 30, 30])
        try await shop.server({ $0.basePath = "finder/" }, page: page).test(.router) { client in
            for place in ["/finder", "/finder/", "/finder?text=red", "/"] {
                let answer = try await client.get(place)
                #expect(answer.text.contains(#"<base href="/finder/">"#), "\(place)")
                #expect(answer.headers[.cacheControl] == "no-cache")
            }
            #expect(try await client.get("/finder/readyz").status == .ok)
            #expect(try await client.get("/finderette/readyz").status == .notFound)
            let script = try await client.get("/finder/app.0123abcd.js")
            #expect(script.text == "let a = 1")
            #expect(script.headers[.cacheControl]?.contains("immutable") == true)
            let small = try await client.get("/finder/app.0123abcd.js", headers: [.acceptEncoding: "gzip, br"])
            #expect(small.headers[.contentEncoding] == "gzip" && small.body.readableBytes == 4)
            for refused in ["gzip;q=0", "br, gzip; q=0.0", "identity", "xgzip"] {
                let plain = try await client.get("/finder/app.0123abcd.js", headers: [.acceptEncoding: refused])
                #expect(plain.headers[.contentEncoding] == nil, "\(refused)")
            }
            let results = try await client.search(Form(image: image)).json()["results"] as? [[String: Any]]
            let path = try #require((results?.first?["image"] as? [String: Any])?["path"] as? String)
            #expect(path.hasPrefix("/finder/api/v1/images/"))
            #expect(try await client.get(path).status == .ok)
            let servers = try await client.get("/openapi.json").json()["servers"] as? [[String: String]]
            #expect(servers == [["url": "/finder"]])
        }
    }

    @Test("the description of the API names every route that there is, and no other, and each answers")
    func openAPI() async throws {
        let shop = try Shop()
        let server = SearchServer(
            shop.service, settings: ServerSettings(), logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        let routes = Set(
            server.router().routes.filter { $0.method != .head }.map { route in
                let path = route.path.description.split(separator: "/").map { part in
                    part.hasPrefix(":") ? "{\(part.dropFirst())}" : String(part)
                }
                return "\(route.method) /\(path.joined(separator: "/"))"
            })
        try await shop.liveServer().test(.router) { client in
            let paths = try #require(try await client.get("/openapi.json").json()["paths"] as? [String: [String: Any]])
            #expect(Set(paths.flatMap { path, methods in methods.keys.map { "\($0.uppercased()) \(path)" } }) == routes)
            for (path, methods) in paths where methods["get"] != nil {
                let id = path.contains("images") ? "1" : path.contains("models") ? "colours" : "P0"
                let address = path.replacing("{id}", with: id).replacing("{number}", with: "0").replacing(
                    "{arch}", with: "Mean%2F1"
                )
                .replacing("{variant}", with: "plain")
                let answer = try await client.execute(uri: address, method: .get, headers: TestClient.admin)
                #expect(answer.status == .ok, "\(address)")
            }
        }
    }
}

extension RGBImage {
    static func gradient(width: Int, height: Int) -> RGBImage {
        var pixels: [UInt8] = []
        for y in 0..<height { for x in 0..<width { pixels += [UInt8(x % 256), UInt8(y % 256), 90] } }
        // The count is right by construction.
        return (try? RGBImage(width: width, height: height, pixels: pixels)) ?? flat
    }

    private static var flat: RGBImage {
        guard let image = try? RGBImage(width: 1, height: 1, pixels: [0, 0, 0]) else {
            preconditionFailure("one pixel is a picture")
        }
        return image
    }
}
