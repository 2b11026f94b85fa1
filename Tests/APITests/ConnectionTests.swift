import Foundation
import HTTPTypes
import NIOCore
import Testing

@testable import API

@Suite("Connections")
struct ConnectionTests {
    private static let upload =
        "POST /api/v1/search HTTP/1.1\r\nHost: localhost\r\nContent-Type: multipart/form-data; boundary=\(Form.boundary)\r\n"

    /// One request as it is written, and what is said about it.
    struct Oddity: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let text: String
        let status: Int
        let code: String?
        var allow: String?
    }

    static let oddities: [Oddity] = [
        Oddity(testDescription: "no Host", text: "GET /healthz HTTP/1.1\r\n\r\n", status: 400, code: "wrong_host"),
        Oddity(
            testDescription: "two Hosts", text: "GET /healthz HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", status: 400,
            code: "wrong_host"),
        Oddity(testDescription: "HTTP/1.0 without a Host", text: "GET /healthz HTTP/1.0\r\n\r\n", status: 200, code: nil),
        Oddity(
            testDescription: "a method that nobody knows", text: "FOO /healthz HTTP/1.1\r\nHost: a\r\n\r\n", status: 501,
            code: "unknown_method"),
        Oddity(
            testDescription: "a method of another protocol", text: "PROPFIND /healthz HTTP/1.1\r\nHost: a\r\n\r\n", status: 405,
            code: "wrong_method", allow: "GET, HEAD, OPTIONS"),
        Oddity(
            testDescription: "a young method with a body",
            text: "QUERY /api/v1/search HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}",
            status: 405, code: "wrong_method", allow: "OPTIONS, POST"),
        Oddity(
            testDescription: "a young method where there is nothing", text: "QUERY /nothing HTTP/1.1\r\nHost: a\r\n\r\n",
            status: 404, code: "not_found"),
        Oddity(
            testDescription: "PUT where there is GET",
            text: "PUT /api/v1/products HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n",
            status: 405, code: "wrong_method", allow: "GET, HEAD, OPTIONS"),
        Oddity(
            testDescription: "GET where there is POST", text: "GET /api/v1/search HTTP/1.1\r\nHost: a\r\n\r\n", status: 405,
            code: "wrong_method", allow: "OPTIONS, POST"),
        Oddity(
            testDescription: "OPTIONS", text: "OPTIONS /api/v1/products/P0 HTTP/1.1\r\nHost: a\r\n\r\n", status: 204, code: nil,
            allow: "DELETE, GET, HEAD, OPTIONS, PUT"),
        Oddity(
            testDescription: "OPTIONS of the server", text: "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", status: 204, code: nil,
            allow: "DELETE, GET, HEAD, OPTIONS, POST, PUT"),
        Oddity(
            testDescription: "OPTIONS of nothing", text: "OPTIONS /nothing HTTP/1.1\r\nHost: a\r\n\r\n", status: 404,
            code: "not_found"),
        Oddity(
            testDescription: "another version", text: "GET /healthz HTTP/1.2\r\nHost: a\r\n\r\n", status: 505,
            code: "unknown_version"),
        Oddity(
            testDescription: "a header of a megabyte",
            text: "GET /healthz HTTP/1.1\r\nHost: a\r\nX: \(String(repeating: "a", count: 1 << 20))\r\n\r\n", status: 431,
            code: "header_too_large"),
        Oddity(
            testDescription: "a blank in a field's name", text: "GET /healthz HTTP/1.1\r\nHost: a\r\nX y: 1\r\n\r\n", status: 400,
            code: "malformed_request"),
        Oddity(
            testDescription: "another transfer coding",
            text:
                "POST /api/v1/search HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nTransfer-Encoding: gzip, chunked\r\n\r\n"
                + "e\r\n{\"text\":\"red\"}\r\n0\r\n\r\n",
            status: 501, code: "unknown_coding"),
        Oddity(
            testDescription: "a compressed body",
            text: "POST /api/v1/search HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Encoding: gzip\r\n"
                + "Content-Length: 14\r\n\r\n{\"text\":\"red\"}", status: 415, code: "wrong_content_type"),
        Oddity(
            testDescription: "another expectation", text: "GET /healthz HTTP/1.1\r\nHost: a\r\nExpect: tea\r\n\r\n", status: 417,
            code: "unknown_expectation"),
    ]

    @Test("what is no plain request is answered as RFC 9110 and 9112 say, in the API's form", arguments: oddities)
    func odd(_ oddity: Oddity) async throws {
        let shop = try Shop()
        try await shop.server().test(.live) { client in
            try await client.connect { connection in
                try? await connection.send(oddity.text)
                let received = try await connection.receive()
                let answer = try #require(received)
                #expect(answer.status.code == oddity.status, "\(answer.text)")
                #expect(answer.headers[.allow] == oddity.allow)
                #expect(answer.headers[.xContentTypeOptions] == "nosniff")
                if let code = oddity.code { #expect(try answer.error().code == code) }
            }
            #expect(try await client.get("/healthz").status == .ok)
        }
    }

    @Test("a client that waits for 100 Continue is told to go on, and not before an upload that is too large")
    func expectation() async throws {
        let shop = try Shop()
        let form = Form(image: try Shop.png([190, 30, 30])).body
        try await shop.server().test(.live) { client in
            try await client.connect { connection in
                try await connection.send(Self.upload + "Expect: 100-continue\r\nContent-Length: \(form.readableBytes)\r\n\r\n")
                let first = try await connection.receive()
                #expect(first?.status == .continue)
                try await connection.send(form)
                let answer = try await connection.receive()
                #expect(try answer?.products().first == "P0")
                // The connection goes on.
                try await connection.send("GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
                let next = try await connection.receive()
                #expect(next?.status == .ok)
            }
            try await client.connect { connection in
                try await connection.send(Self.upload + "Expect: 100-continue\r\nContent-Length: 999999999\r\n\r\n")
                let answer = try await connection.receive()
                #expect(answer?.status == .contentTooLarge)
            }
        }
    }

    @Test("uploads that stand still keep nobody from searching, and end with 408 and their connection")
    func stalledUploads() async throws {
        let shop = try Shop()
        let image = try Shop.png([190, 30, 30])
        let server = shop.server {
            $0.limits.searches = 2
            $0.limits.decodesWaiting = 2
            $0.limits.bodyStall = .seconds(2)
        }
        try await server.test(.live) { client in
            try await withThrowingTaskGroup(of: Void.self) { group in
                let (stalled, sent) = AsyncStream.makeStream(of: Void.self)
                for _ in 0..<24 {
                    group.addTask {
                        try await client.connect { connection in
                            try await connection.send(Self.upload + "Content-Length: 3000000\r\n\r\n--")
                            sent.yield()
                            let answer = try await connection.receive()
                            #expect(answer?.status == .requestTimeout)
                            try await connection.waitForClose()
                        }
                    }
                }
                var count = 0
                for await _ in stalled {
                    count += 1
                    if count == 24 { break }
                }
                for _ in 0..<3 { #expect(try await client.search(Form(image: image)).products().first == "P0") }
                try await group.waitForAll()
            }
        }
    }

    @Test("a connection that asks for nothing is closed, and so is one whose client never reads")
    func idle() async throws {
        let shop = try Shop()
        let server = shop.server {
            $0.limits.idle = .seconds(1)
            $0.limits.writeStall = .seconds(1)
        }
        try await server.test(.live) { client in
            try await client.connect { try await $0.waitForClose() }
            try await client.connect { connection in
                // On a busy machine the server may have closed it before this is sent.
                try? await connection.send("GET /healthz HTTP/1.1\r\nHost: a")
                try await connection.waitForClose()
            }
            try await client.connect { connection in
                // Far more than the buffers between the two hold.
                let ask = String(repeating: "GET /openapi.json HTTP/1.1\r\nHost: a\r\n\r\n", count: 2000)
                try? await connection.send(ask)
                try await connection.waitForReset()
            }
            // Others are served all the while.
            #expect(await client.patientStatus("/healthz") == .ok)
        }
    }

    @Test("where all connections are taken by clients that ask for nothing, one that asks is answered")
    func crowded() async throws {
        let shop = try Shop()
        try await shop.server { $0.limits.connections = 8 }.test(.live) { client in
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<20 { group.addTask { try await client.connect { try await $0.waitForClose() } } }
                for _ in 0..<3 { #expect(await client.patientStatus("/healthz") == .ok) }
                group.cancelAll()
            }
        }
    }

    @Test("requests that come in one go are answered in their order")
    func pipelined() async throws {
        let shop = try Shop()
        try await shop.server().test(.live) { client in
            try await client.connect { connection in
                try await connection.send(
                    "GET /healthz HTTP/1.1\r\nHost: a\r\n\r\nGET /nothing HTTP/1.1\r\nHost: a\r\n\r\nGET /readyz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
                )
                var statuses: [Int] = []
                while let answer = try await connection.receive() { statuses.append(answer.status.code) }
                #expect(statuses == [200, 404, 200])
            }
        }
    }
}
