import Foundation
import HTTPTypes
import Hummingbird
import Logging
import NIOCore
import NIOPosix
import Synchronization
import Testing

@testable import API

/// An answer as a client sees it.
struct TestResponse: Sendable {
    var status: HTTPResponse.Status
    var headers: HTTPFields
    var body: ByteBuffer

    var text: String { String(buffer: body) }

    /// The body as a JSON object.
    func json() throws -> [String: Any] {
        try #require(try JSONSerialization.jsonObject(with: Data(body.readableBytesView)) as? [String: Any], "\(text)")
    }

    /// The one sentence of an error.
    func error() throws -> (code: String, message: String) {
        let error = try #require(try json()["error"] as? [String: Any], "\(text)")
        return (try #require(error["code"] as? String), try #require(error["message"] as? String))
    }

    /// Products of a search's results, best first.
    func products() throws -> [String] {
        let results = try #require(try json()["results"] as? [[String: Any]], "\(text)")
        return results.compactMap { ($0["product"] as? [String: Any])?["id"] as? String }
    }
}

/// Asks a server, its responder alone or over a socket, and holds every answer against the API's description.
struct TestClient: Sendable {
    /// Where a live server listens; nil for the responder alone.
    let port: Int?
    let respond: @Sendable (HTTPRequest, ByteBuffer?) async throws -> TestResponse

    func execute(uri: String, method: HTTPRequest.Method, headers: HTTPFields = [:], body: ByteBuffer? = nil) async throws
        -> TestResponse
    {
        var headers = headers
        if let body { headers[.contentLength] = String(body.readableBytes) }
        let answer = try await respond(
            HTTPRequest(method: method, scheme: "http", authority: "localhost", path: uri, headerFields: headers), body)
        try Contract.shared.get().check(method, uri, answer)
        for (name, value) in SafetyHeaders.fields { #expect(answer.headers[name] == value, "\(uri)") }
        return answer
    }

    func search(_ form: Form) async throws -> TestResponse {
        try await execute(
            uri: "/api/v1/search", method: .post, headers: [.contentType: "multipart/form-data; boundary=\(Form.boundary)"],
            body: form.body)
    }

    func search(json: String) async throws -> TestResponse {
        try await execute(
            uri: "/api/v1/search", method: .post, headers: [.contentType: "application/json"], body: ByteBuffer(string: json))
    }

    func get(_ uri: String, headers: HTTPFields = [:]) async throws -> TestResponse {
        try await execute(uri: uri, method: .get, headers: headers)
    }

    /// A connection of one's own to a live server.
    func connect<Value: Sendable>(_ body: (inout Connection) async throws -> Value) async throws -> Value {
        try await Connection.open(port: #require(port), body)
    }

    /// The status a live server answers that closes silent connections within seconds; nil where none came.
    ///
    /// On a busy machine the server's patience may end before the request is sent: then it is asked once more, as clients of HTTP do. A connection
    /// that it closes sooner than after a second, its least patience, is not asked again.
    func patientStatus(_ path: String) async -> HTTPResponse.Status? {
        for _ in 0..<30 {
            let begin = ContinuousClock.now
            let status = try? await connect { connection in
                try await connection.send("GET \(path) HTTP/1.1\r\nHost: a\r\n\r\n")
                return try await connection.receive()?.status
            }
            if status != nil || ContinuousClock.now - begin < .seconds(1) { return status }
        }
        return nil
    }
}

extension SearchServer {
    enum TestKind { case router, live }

    /// - Parameter logger: what the requests log to, where the responder alone is asked.
    func test<Value: Sendable>(
        _ kind: TestKind, logger: Logger? = nil, _ body: @Sendable @escaping (TestClient) async throws -> Value
    ) async throws -> Value {
        switch kind {
        case .router:
            let responder = responder(Connections(limit: 8) {})
            return try await body(
                TestClient(port: nil) { head, content in
                    let request = Request(head: head, body: RequestBody(buffer: content ?? ByteBuffer()))
                    return try await responder.answer(to: request, logger: logger)
                })
        case .live:
            let (ports, portKnown) = AsyncStream.makeStream(of: Int.self)
            let (ends, end) = AsyncStream.makeStream(of: Void.self)
            return try await withThrowingTaskGroup(of: Value?.self) { tasks in
                tasks.addTask {
                    try await run(until: { for await _ in ends {} }) { portKnown.yield($0) }
                    return nil
                }
                tasks.addTask {
                    defer { end.finish() }
                    var iterator = ports.makeAsyncIterator()
                    let port = try #require(await iterator.next())
                    return try await body(
                        TestClient(port: port) { head, content in
                            try await Connection.open(port: port) { try await $0.exchange(head, content) }
                        })
                }
                var value: Value?
                while let found = try await tasks.next() { if let found { value = found } }
                return try #require(value)
            }
        }
    }

}

extension HTTPResponder where Context == APIContext {
    /// An answer with its whole body.
    func answer(to request: Request, logger: Logger? = nil) async throws -> TestResponse {
        let quiet = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        let context = APIContext(source: TestSource(logger: logger ?? quiet), client: "test")
        let response = try await respond(to: request, context: context)
        let writer = BodyCollector()
        try await response.body.write(writer)
        return TestResponse(status: response.status, headers: response.headers, body: writer.bytes.withLock { $0 })
    }
}

private struct TestSource: RequestContextSource {
    let logger: Logger
}

private final class BodyCollector: ResponseBodyWriter {
    let bytes = Mutex(ByteBuffer())

    func write(_ buffer: ByteBuffer) async throws {
        bytes.withLock { all in
            var buffer = buffer
            all.writeBuffer(&buffer)
        }
    }

    func finish(_ trailers: HTTPFields?) async throws {}
}

/// A plain socket that speaks as much HTTP/1.1 as a test needs, and as wrong as it likes.
struct Connection {
    private var inbound: NIOAsyncChannelInboundStream<ByteBuffer>.AsyncIterator
    private let outbound: NIOAsyncChannelOutboundWriter<ByteBuffer>
    private let channel: any Channel
    private var received = ByteBuffer()

    static func open<Value: Sendable>(port: Int, _ body: (inout Connection) async throws -> Value) async throws -> Value {
        let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton).connect(
            host: "127.0.0.1", port: port
        ) { channel in
            channel.eventLoop.makeCompletedFuture {
                try NIOAsyncChannel<ByteBuffer, ByteBuffer>(wrappingChannelSynchronously: channel)
            }
        }
        return try await channel.executeThenClose { inbound, outbound in
            var connection = Connection(
                inbound: inbound.makeAsyncIterator(), outbound: outbound, channel: channel.channel)
            return try await body(&connection)
        }
    }

    func send(_ text: String) async throws { try await outbound.write(ByteBuffer(string: text)) }

    func send(_ bytes: ByteBuffer) async throws { try await outbound.write(bytes) }

    /// Sends a request as it should be sent, and takes its answer.
    mutating func exchange(_ head: HTTPRequest, _ content: ByteBuffer? = nil) async throws -> TestResponse {
        var text = "\(head.method) \(head.path ?? "/") HTTP/1.1\r\nHost: \(head.authority ?? "localhost")\r\n"
        for field in head.headerFields { text += "\(field.name.rawName): \(field.value)\r\n" }
        var bytes = ByteBuffer(string: text + "\r\n")
        if var content { bytes.writeBuffer(&content) }
        // A server that refuses a body does not have to take it: what it has said is what counts.
        try? await send(bytes)
        let answer = try await receive(hasBody: head.method != .head)
        return try #require(answer, "the server closed without an answer")
    }

    /// The next answer; nil once the server has closed.
    mutating func receive(hasBody: Bool = true) async throws -> TestResponse? {
        let end = Array("\r\n\r\n".utf8)
        while received.readableBytesView.firstRange(of: end) == nil { guard try await more() else { return nil } }
        guard let range = received.readableBytesView.firstRange(of: end) else { return nil }
        let headLength = range.upperBound - received.readableBytesView.startIndex
        let head = received.readString(length: headLength) ?? ""
        var lines = head.split(separator: "\r\n")
        let status = try #require(lines.removeFirst().split(separator: " ").dropFirst().first.flatMap { Int($0) }, "\(head)")
        var headers = HTTPFields()
        for line in lines {
            let parts = line.split(separator: ":", maxSplits: 1)
            if let name = HTTPField.Name(String(parts[0])) {
                headers.append(HTTPField(name: name, value: String(parts[1]).trimmingCharacters(in: .whitespaces)))
            }
        }
        let length = hasBody && status >= 200 ? headers[.contentLength].flatMap { Int($0) } ?? 0 : 0
        while received.readableBytes < length {
            let isThere = try await more()
            try #require(isThere, "the server closed in the middle of an answer")
        }
        return TestResponse(
            status: .init(code: status), headers: headers, body: received.readSlice(length: length) ?? ByteBuffer())
    }

    /// Waits for the server to close; what it still says is dropped.
    mutating func waitForClose() async throws { while try await more() {} }

    /// Reads nothing until the server has given up.
    func waitForReset() async throws {
        // Without reading, a close shows when something is written.
        while (try? await outbound.write(ByteBuffer(string: " "))) != nil { try await Task.sleep(for: .milliseconds(50)) }
    }

    /// Goes away at once.
    func hangUp() async throws { try await channel.close() }

    private mutating func more() async throws -> Bool {
        // A reset is a close: which of the two a client sees depends on what is still under way.
        guard var bytes = try? await inbound.next() else { return false }
        received.writeBuffer(&bytes)
        return true
    }
}
