import Catalog
import Foundation
import HTTPTypes
import Logging
import NIOCore
import Synchronization
import Testing

@testable import API

@Suite("Who may change the catalogue")
struct AdminTests {
    /// Every call that takes the token.
    static let calls: [(HTTPRequest.Method, String)] = [
        (.put, "/api/v1/products/P0"), (.delete, "/api/v1/products/P0"), (.post, "/api/v1/products/P0/images"),
        (.put, "/api/v1/images/1"), (.delete, "/api/v1/images/1"),
        (.post, "/api/v1/products/batch"), (.get, "/api/v1/duplicates"), (.put, "/api/v1/models/P0"),
        (.delete, "/api/v1/models/P0"),
    ]

    @Test("the list of these tests has every call that the description gives a lock")
    func complete() throws {
        let bytes = try OpenAPIDocument.json(server: "/")
        let document = try #require(try JSONSerialization.jsonObject(with: Data(bytes.readableBytesView)) as? [String: Any])
        let paths = try #require(document["paths"] as? [String: [String: [String: Any]]])
        let locked = paths.flatMap { path, methods in
            methods.filter { $0.value["security"] != nil }.map { "\($0.key.uppercased()) \(path)" }
        }
        let known = Self.calls.map { method, uri in
            "\(method.rawValue) \(uri.replacing("/P0", with: "/{id}").replacing("/1", with: "/{id}"))"
        }
        #expect(Set(locked) == Set(known))
    }

    @Test("without a token nobody may, and is told how to have one")
    func none() async throws {
        let shop = try Shop()
        let position = try shop.catalog.changePosition()
        try await shop.server().test(.router) { client in
            for (method, uri) in Self.calls {
                let answer = try await client.execute(
                    uri: uri, method: method, headers: TestClient.admin, body: method == .delete ? nil : ByteBuffer(string: "{}"))
                #expect(try answer.status == .unauthorized && answer.error().code == "no_admin", "\(method) \(uri)")
                #expect(try answer.error().message.contains("--admin-token-file"))
                #expect(answer.headers[.wwwAuthenticate] == "Bearer")
            }
        }
        #expect(try shop.catalog.changePosition() == position)
    }

    @Test("another token, another scheme or none is 401, and nothing is read or written")
    func wrong() async throws {
        let shop = try Shop()
        let position = try shop.catalog.changePosition()
        try await shop.liveServer().test(.router) { client in
            for (method, uri) in Self.calls {
                for field in [
                    nil, "", "Bearer", "Bearer ", "Bearer \(Shop.token)x", "Bearer \(Shop.token.dropLast())",
                    "Basic \(Shop.token)",
                    Shop.token, "Bearer \(Shop.token.uppercased())",
                ] {
                    var headers: HTTPFields = [:]
                    headers[.authorization] = field
                    // A body far above every limit: it is not looked at.
                    let answer = try await client.execute(uri: uri, method: method, headers: headers)
                    #expect(answer.status == .unauthorized, "\(method) \(uri) \(field ?? "-")")
                    #expect(answer.headers[.wwwAuthenticate]?.hasPrefix("Bearer") == true)
                }
                var twice = TestClient.admin
                twice.append(HTTPField(name: .authorization, value: "Bearer other"))
                #expect(try await client.execute(uri: uri, method: method, headers: twice).status == .unauthorized)
            }
            #expect(
                try await client.put("/api/v1/products/P0", json: "{}", headers: [.authorization: "bEARER \(Shop.token)"]).status
                    == .ok)
        }
        #expect(try shop.catalog.changes(after: position)?.products == ["P0"])
    }

    @Test("a token in an address is refused, and stands in no answer and no line of the log")
    func address() async throws {
        let shop = try Shop()
        let lines = Mutex<[String]>([])
        var settings = ServerSettings(port: 0)
        settings.adminToken = try AdminToken(Shop.token)
        let logger = Logger(label: "test") { _ in LineHandler(lines: { line in lines.withLock { $0.append(line) } }) }
        let escaped = "%63" + Shop.token.dropFirst()
        try await SearchServer(shop.service, settings: settings, logger: logger).test(.router, logger: logger) { client in
            for uri in [
                "/api/v1/products/P0?token=\(Shop.token)", "/api/v1/products/P0?access_token=other",
                "/api/v1/products/\(Shop.token)",
                "/api/v1/products/\(escaped)", "/api/v1/products?filter=\(Shop.token)", "/api/v1/models?Token=x",
                "/\(Shop.token)",
            ] {
                let answer = try await client.get(uri)
                #expect(try answer.status == .badRequest && answer.error().code == "token_in_address", "\(uri): \(answer.text)")
                #expect(!answer.text.contains(Shop.token) && !answer.text.contains(escaped))
            }
            _ = try await client.get("/api/v1/products?limit=1", headers: TestClient.admin)
        }
        let all = lines.withLock { $0 }
        #expect(all.count >= 8)
        #expect(!all.contains { $0.contains(Shop.token) || $0.contains(escaped) || $0.contains("access_token") })
    }

    @Test("a token is a line of at least sixteen letters, digits and signs that headers take")
    func tokens() throws {
        for good in ["0123456789abcdef", " \(Shop.token)\n", "a-b.c_d~e+f/g=0123"] {
            #expect(try AdminToken(good).matches(good.trimmingCharacters(in: .whitespacesAndNewlines)))
        }
        for bad in [
            "", " \n", "0123456789abcde", "0123456789 abcdef", "0123456789\nabcdef", "0123456789äbcdef",
            String(repeating: "a", count: 513),
        ] {
            let error = #expect(throws: AdminToken.Unfit.self) { try AdminToken(bad) }
            #expect(bad.count < 4 || error?.description.contains(bad.trimmingCharacters(in: .whitespaces)) == false)
        }
        let token = try AdminToken(Shop.token)
        #expect(!token.matches("") && !token.matches(Shop.token + "\u{0}") && !token.matches(String(Shop.token.dropLast())))
    }
}

/// Hands lines of a log on, with their metadata.
struct LineHandler: LogHandler {
    let lines: @Sendable (String) -> Void
    var metadata: Logger.Metadata = [:]
    var logLevel = Logger.Level.trace

    init(lines: @escaping @Sendable (String) -> Void) { self.lines = lines }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        lines("\(event.level) \(event.message) \((event.metadata ?? [:]).merging(metadata) { $1 })")
    }
}
