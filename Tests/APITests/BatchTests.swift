import Catalog
import Foundation
import HTTPTypes
import Hummingbird
import NIOCore
import Synchronization
import Testing

@testable import API

extension TestClient {
    /// Sends lines and takes one outcome a line, each held against the API's description.
    func batch(_ lines: [String], type: String = "application/x-ndjson") async throws -> [[String: Any]] {
        let answer = try await execute(
            uri: "/api/v1/products/batch", method: .post,
            headers: [.authorization: "Bearer \(Shop.token)", .contentType: type],
            body: ByteBuffer(string: lines.joined(separator: "\n")))
        try #require(answer.status == .ok, "\(answer.text)")
        return try outcomes(answer.body)
    }

    func outcomes(_ body: ByteBuffer) throws -> [[String: Any]] {
        let contract = try Contract.shared.get()
        return try String(buffer: body).split(separator: "\n").map { line in
            let outcome = try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
            #expect(contract.problem(outcome, ["$ref": "#/components/schemas/BatchOutcome"], at: "") == nil, "\(line)")
            return outcome
        }
    }
}

@Suite("Many changes in one call")
struct BatchTests {
    private func put(_ id: String, _ columns: String = "", images: [[UInt8]] = []) -> String {
        let pictures = images.map { #"{"base64": "\#(Data($0).base64EncodedString())", "view": "main"}"# }.joined(separator: ", ")
        return #"{"put": {"id": "\#(id)"\#(columns.isEmpty ? "" : ", " + columns), "images": [\#(pictures)]}}"#
    }

    @Test("each line is done and has its outcome, in their order, and what is wrong with one keeps none from being done")
    func lines() async throws {
        let shop = try Shop()
        let pink = try Shop.png([250, 60, 180])
        let image = try #require(try shop.catalog.images(ofProduct: "P1").first)
        try await shop.liveServer().test(.router) { client in
            let outcomes = try await client.batch([
                put("N1", #""title": "Coat""#, images: [pink]), "", #"{"put": "#, put("P0", #""title": "Other""#),
                #"{"delete": "P2"}"#,
                #"{"delete": "nobody"}"#, #"{"delete_image": \#(image.id)}"#, #"{"delete_image": 4711}"#,
                put("N2", #""colour": "red""#), put("N3", images: [Array("words".utf8)]), #"{"put": {"title": "x"}}"#,
                #"{"put": {"id": "N4", "images": [{"path": "/etc/passwd"}]}}"#,
                #"{"put": {"id": "N4", "images": [{"base64": "?"}]}}"#,
                #"{"delete": "P3", "put": {}}"#, "[]", put("N1", #""title": "Cape""#), put("N5", #""price": -1"#), "\r",
                #"{"delete": "N1"}"#,
                put("N1", #""title": "Last""#, images: [pink, pink]),
            ])
            #expect(
                outcomes.map { $0["line"] as? Int } == [1, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 19, 20])
            #expect(
                outcomes.map { $0["status"] as? String } == [
                    "created", "error", "replaced", "deleted", "error", "deleted", "error", "error", "error", "error", "error",
                    "error",
                    "error", "error", "replaced", "error", "deleted", "created",
                ])
            #expect(
                outcomes.map { ($0["error"] as? [String: String])?["code"] } == [
                    nil, "wrong_parameter", nil, nil, "unknown_product", nil, "unknown_image", "wrong_parameter", "not_an_image",
                    "wrong_parameter", "wrong_parameter", "wrong_parameter", "wrong_parameter", "wrong_parameter", nil,
                    "wrong_parameter", nil, nil,
                ])
            #expect(outcomes[0]["id"] as? String == "N1" && outcomes[5]["image_id"] as? Int == Int(image.id))
            let said = outcomes.compactMap { ($0["error"] as? [String: String])?["message"] }
            #expect(said.contains { $0.contains("path") })
            #expect(said.allSatisfy { $0.hasSuffix(".") && !$0.contains("\n") && !$0.contains(shop.folder.path) }, "\(said)")
            #expect(try await client.search(Form(image: pink)).products().first == "N1")
            let last = try await client.get("/api/v1/products/N1").json()
            #expect(last["title"] as? String == "Last" && (last["images"] as? [Any])?.count == 1)
            for id in ["N2", "N3", "N4", "N5", "P2"] {
                #expect(try await client.get("/api/v1/products/\(id)").status == .notFound)
            }
            #expect(try shop.catalog.image(image.id) == nil)
        }
    }

    @Test("a body without a line, of another kind or with a parameter is refused as a whole")
    func refused() async throws {
        let shop = try Shop()
        try await shop.liveServer().test(.router) { client in
            for (uri, type, body, status) in [
                ("", "application/x-ndjson", "\n \n", 400), ("", "application/json", "{}", 415), ("", "text/plain", "{}", 415),
                ("?dry=1", "application/x-ndjson", "{}", 400),
            ] {
                let answer = try await client.execute(
                    uri: "/api/v1/products/batch" + uri, method: .post,
                    headers: [.authorization: "Bearer \(Shop.token)", .contentType: type], body: ByteBuffer(string: body))
                #expect(answer.status.code == status, "\(answer.text)")
            }
            #expect(try await client.get("/api/v1/products/batch").error().code == "unknown_product")
        }
    }

    @Test("a line above the limit is dropped as it comes, and the lines around it are done; too many lines end the call in words")
    func bounds() async throws {
        let shop = try Shop()
        let server = try shop.liveServer {
            $0.limits.uploadBytes = 3000
            $0.limits.jsonBytes = 1000
            $0.limits.batchLines = 4
        }
        try await server.test(.router) { client in
            let outcomes = try await client.batch([
                put("N1"), #"{"put": {"id": "N2", "title": "\#(String(repeating: "x", count: 6000))"}}"#, put("N3"), put("N4"),
                put("N5"),
                put("N6"),
            ])
            #expect(outcomes.map { $0["status"] as? String } == ["created", "error", "created", "created", "error"])
            #expect((outcomes[1]["error"] as? [String: String])?["code"] == "too_many_bytes")
            #expect((outcomes[4]["error"] as? [String: String])?["code"] == "too_many_lines")
            #expect(try shop.catalog.product("N4") != nil && shop.catalog.product("N5") == nil)
        }
    }

    @Test("ten thousand lines are written while they come, and no more of them are held than are written at once")
    func stream() async throws {
        let shop = try Shop()
        let pink = try Shop.png([250, 60, 180])
        let count = 10_000
        let sent = Mutex(0)
        let most = Mutex(0)
        let (store, put) = (shop.catalog, put)
        // Each piece is asked for when the one before it has been taken: what was sent and is not written is what the server holds.
        let lines = AsyncStream<ByteBuffer> {
            let place = sent.withLock { sent in
                defer { sent += 50 }
                return sent
            }
            guard place < count else { return nil }
            if place % 500 == 0 {
                let written = (try? store.counts().products) ?? 0
                most.withLock { $0 = max($0, place - (written - 6)) }
            }
            // Cut in the middle of a line, as networks do.
            let text = (place..<(place + 50)).map { put("N\($0)", #""title": "T\#($0)""#, $0 % 1000 == 0 ? [pink] : []) }.joined(
                separator: "\n")
            return ByteBuffer(string: text + "\n")
        }
        let responder = try shop.liveServer().responder(Connections(limit: 8) {})
        let request = Request(
            head: HTTPRequest(
                method: .post, scheme: "http", authority: "localhost", path: "/api/v1/products/batch",
                headerFields: [.authorization: "Bearer \(Shop.token)", .contentType: "application/jsonl"]),
            body: RequestBody(asyncSequence: lines))
        let answer = try await responder.answer(to: request)
        let client = TestClient(port: nil) { _, _ in answer }
        let outcomes = try client.outcomes(answer.body)
        #expect(outcomes.count == count && outcomes.allSatisfy { $0["status"] as? String == "created" })
        #expect(outcomes.enumerated().allSatisfy { $0.element["line"] as? Int == $0.offset + 1 })
        #expect(try shop.catalog.counts().products == count + 6)
        #expect(try shop.catalog.counts().images == 12 + 10)
        #expect(most.withLock { $0 } <= 600)
    }

    @Test("a body that stands still ends with 408, and what came before is written")
    func stall() async throws {
        let shop = try Shop()
        let server = try shop.liveServer { $0.limits.bodyStall = .milliseconds(400) }
        try await server.test(.live) { client in
            try await client.connect { connection in
                let line = put("N1") + "\n"
                try await connection.send(
                    "POST /api/v1/products/batch HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer \(Shop.token)\r\n"
                        + "Content-Type: application/x-ndjson\r\nContent-Length: 100000\r\n\r\n"
                        + String(repeating: line, count: 256))
                let received = try await connection.receive()
                #expect(received?.status == .requestTimeout)
            }
            #expect(try await client.get("/api/v1/products/N1").status == .ok)
        }
    }

    @Test("lines are cut wherever pieces end, with either end of line, a mark before the first and none after the last")
    func splitter() {
        let text = "\u{FEFF}{\"a\": 1}\r\n\n  \n{\"b\": 2}\n" + String(repeating: "x", count: 30) + "\n{\"c\": 3}"
        var whole: [String]?
        for size in 1...text.utf8.count {
            var splitter = LineSplitter(limit: 20)
            var lines: [(number: Int, line: BodyLine)] = []
            let bytes = Array(text.utf8)
            for start in stride(from: 0, to: bytes.count, by: size) {
                lines += splitter.take(ByteBuffer(bytes: bytes[start..<min(start + size, bytes.count)]))
            }
            if let last = splitter.finish() { lines.append(last) }
            let found = lines.map { line in
                if case .text(let bytes) = line.line { return "\(line.number) \(String(decoding: bytes, as: UTF8.self))" }
                return "\(line.number) too long"
            }
            #expect(found == ["1 {\"a\": 1}\r", "4 {\"b\": 2}", "5 too long", "6 {\"c\": 3}"])
            #expect(whole == nil || whole == found)
            whole = found
        }
    }
}
