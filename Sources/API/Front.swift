import HTTPTypes
import Hummingbird
import Logging
import NIOCore
import NIOHTTP1

/// What a request carries along: who asks, and over which connection.
struct APIContext: RequestContext {
    var coreContext: CoreRequestContextStorage
    let client: String
    let connection: ObjectIdentifier?

    init(source: ApplicationRequestContextSource) {
        self.init(
            source: source, client: source.channel.remoteAddress?.ipAddress ?? "-", connection: ObjectIdentifier(source.channel))
    }

    /// - Parameter client: the address of who asks.
    init(source: some RequestContextSource, client: String, connection: ObjectIdentifier? = nil) {
        coreContext = .init(source: source)
        self.client = client
        self.connection = connection
    }
}

/// What every request meets first and every answer passes last: a deadline, errors become answers (here and nowhere else), the headers that all
/// answers have, and one line in the log: who, what, status, bytes, milliseconds. Neither query strings nor bodies: they are the client's own.
struct Front<Inner: HTTPResponder>: HTTPResponder where Inner.Context == APIContext {
    let inner: Inner
    let connections: Connections
    let limits: ServerLimits
    /// Pages of these origins may call the API; others can't read its answers.
    let origins: Set<String>
    let adminToken: AdminToken?
    let onFailure: @Sendable (any Error) -> Void

    func respond(to request: Request, context: APIContext) async throws -> Response {
        let begin = ContinuousClock.now
        var response = try await answer(to: request, context)
        // The answer to HEAD has no body: the client would take it for the next answer's beginning.
        if request.method == .head { response = response.createHeadResponse() }
        for (name, value) in SafetyHeaders.fields { response.headers[name] = value }
        allowOrigin(of: request, &response)
        let milliseconds = (ContinuousClock.now - begin) / .milliseconds(1)
        let bytes = response.body.contentLength.map(String.init) ?? "-"
        let line = "\(context.client) \(logged(request)) \(response.status.code) \(bytes) B"
        context.logger.info("\(line) \((milliseconds * 10).rounded() / 10) ms")
        return response
    }

    private func answer(to request: Request, _ context: APIContext) async throws -> Response {
        if request.method == .options, request.headers[.accessControlRequestMethod] != nil {
            return Response(status: .noContent)
        }
        do {
            let presence = connections.presence(context.connection) ?? ClientPresence()
            let isBatch = request.method == .post && request.uri.path.hasSuffix("/batch")
            return try await presence.run(deadline: isBatch ? limits.batch : limits.request) { [inner] in
                try await inner.respond(to: request, context: context)
            }
        } catch let error as HTTPParserError {
            // The connection's own.
            throw error
        } catch {
            onFailure(error)
            let answer = APIError(error)
            switch answer.status.code {
            // Whoever runs the server wants to know when it turns people away, and nobody has to be woken for it.
            case 503: context.logger.notice("\(logged(request)): \(Self.bounded(String(describing: error)))")
            case 500...: context.logger.error("\(logged(request)): \(Self.bounded(String(describing: error)))")
            default: break
            }
            return answer.response()
        }
    }

    private func allowOrigin(of request: Request, _ answer: inout Response) {
        let asks = request.method == .options && request.headers[.accessControlRequestMethod] != nil
        if !origins.isEmpty || asks {
            answer.headers[.vary] = [answer.headers[.vary], "Origin"].compactMap { $0 }.joined(separator: ", ")
        }
        guard let origin = request.headers[.origin], origins.contains(origin) else { return }
        answer.headers[.accessControlAllowOrigin] = origin
        guard asks else { return }
        answer.headers[.accessControlAllowMethods] = "GET, POST, PUT, DELETE"
        answer.headers[.accessControlAllowHeaders] = "Content-Type, Authorization"
        answer.headers[.accessControlMaxAge] = "600"
    }

    private func logged(_ request: Request) -> String {
        let path = request.uri.path
        let shown = adminToken?.isIn(path) == true ? "(an address with the admin token)" : Self.bounded(path, 200)
        return "\(Self.bounded(request.method.rawValue, 20)) \(shown)"
    }

    /// A line of the log stays a line, whatever a client sends.
    static func bounded(_ text: String, _ limit: Int = 600) -> String {
        let line = String(
            String.UnicodeScalarView(text.unicodeScalars.prefix(limit + 1).map { $0.value < 0x20 || $0.value == 0x7F ? " " : $0 })
        )
        return line.unicodeScalars.count > limit ? String(line.unicodeScalars.prefix(limit)) + "…" : line
    }
}

/// Headers of every answer: no type is guessed, and no address of the shop is told to others.
enum SafetyHeaders {
    static let fields: [(name: HTTPField.Name, value: String)] = {
        var fields: [(HTTPField.Name, String)] = [(.xContentTypeOptions, "nosniff")]
        if let name = HTTPField.Name("Referrer-Policy") { fields.append((name, "same-origin")) }
        return fields
    }()
}

/// The address below which the server is seen, such as `/finder` behind a proxy; empty for the root. Requests are answered with it and
/// without it, since some proxies take it off and some don't.
public struct BasePath: Sendable, Equatable {
    public let path: String

    /// Whether it can stand in an address as it is, without anything that HTML or JSON would have to escape.
    public static func isValid(_ text: String) -> Bool {
        text.utf8.allSatisfy { byte in
            UInt8(ascii: "a")...UInt8(ascii: "z") ~= byte || UInt8(ascii: "A")...UInt8(ascii: "Z") ~= byte
                || UInt8(ascii: "0")...UInt8(ascii: "9") ~= byte || "/-._~".utf8.contains(byte)
        }
    }

    public init(_ text: String) {
        let parts = text.split(separator: "/")
        path = parts.map { "/" + $0 }.joined()
    }

    /// An absolute address of the server's own.
    func url(_ path: String) -> String { self.path + path }
}

/// Takes the base path off before anything else looks at the address.
struct BasePathResponder<Inner: HTTPResponder>: HTTPResponder where Inner.Context == APIContext {
    let base: BasePath
    let inner: Inner

    func respond(to request: Request, context: APIContext) async throws -> Response {
        guard !base.path.isEmpty, let path = request.head.path, path.hasPrefix(base.path) else {
            return try await inner.respond(to: request, context: context)
        }
        let rest = path.dropFirst(base.path.count)
        guard rest.isEmpty || rest.hasPrefix("/") || rest.hasPrefix("?") else {
            return try await inner.respond(to: request, context: context)
        }
        var head = request.head
        head.path = rest.hasPrefix("/") ? String(rest) : "/" + rest
        return try await inner.respond(to: Request(head: head, body: request.body), context: context)
    }
}
