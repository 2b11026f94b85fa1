import Foundation
import HTTPTypes
import Hummingbird
import Logging
import NIOCore
import NIOHTTP1

/// What a request carries along: who asks, and over which connection.
struct APIContext: RequestContext {
    var coreContext: CoreRequestContextStorage
    var client: String
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
/// answers have, a limit on how much one client may ask, what is counted, and one line in the log.
struct Front<Inner: HTTPResponder>: HTTPResponder where Inner.Context == APIContext {
    let inner: Inner
    let connections: Connections
    let settings: ServerSettings
    /// Pages of these origins may call the API; others can't read its answers.
    private let origins: Set<String>
    private let rate: RateLimit?
    private let metrics: ServerMetrics
    let onFailure: @Sendable (any Error) -> Void

    init(
        inner: Inner, connections: Connections, settings: ServerSettings, onFailure: @escaping @Sendable (any Error) -> Void
    ) {
        self.inner = inner
        self.connections = connections
        self.settings = settings
        self.onFailure = onFailure
        origins = Set(settings.allowedOrigins)
        rate = settings.rate.map { RateLimit(rate: $0) }
        metrics = ServerMetrics(settings.metrics, connections: { connections.count })
    }

    func respond(to request: Request, context: APIContext) async throws -> Response {
        let begin = ContinuousClock.now
        let id = RequestID.of(request.headers)
        var context = context
        context.client = ClientAddress.of(request.headers, peer: context.client, trusted: settings.trustedProxies)
        context.logger[metadataKey: "request_id"] = "\(id)"
        let (answered, code) = try await ServerMetrics.$current.withValue(metrics) { try await answer(to: request, context) }
        var response = answered
        // The answer to HEAD has no body: the client would take it for the next answer's beginning.
        if request.method == .head { response = response.createHeadResponse() }
        for (name, value) in SafetyHeaders.fields { response.headers[name] = value }
        allowOrigin(of: request, &response)
        if let name = RequestID.header { response.headers[name] = id }
        let duration = ContinuousClock.now - begin
        let route = context.endpointPath
        metrics.note(request.method, route: route, response.status, code: code, duration)
        settings.accessLog.note(
            AccessEntry(
                time: Date(), requestId: id, client: Self.bounded(context.client, 60),
                method: Self.bounded(request.method.rawValue, 20),
                path: loggedPath(request), route: route, status: response.status.code, bytes: response.body.contentLength,
                ms: ((duration / .microseconds(1)) / 100).rounded() / 10, error: code), context.logger)
        return response
    }

    /// - Returns: the answer, and the code of the error that it is.
    private func answer(to request: Request, _ context: APIContext) async throws -> (Response, code: String?) {
        if request.method == .options, request.headers[.accessControlRequestMethod] != nil {
            return (Response(status: .noContent), nil)
        }
        do {
            try checkRate(of: request, context)
            let presence = connections.presence(context.connection) ?? ClientPresence()
            let isLong =
                request.method == .post && request.uri.path.hasSuffix("/batch")
                || request.uri.path.hasSuffix("/api/v1/duplicates")
            let deadline = isLong ? settings.limits.batch : settings.limits.request
            let response = try await presence.run(deadline: deadline) { [inner] in
                try await inner.respond(to: request, context: context)
            }
            return (response, nil)
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
            return (answer.response(), answer.code)
        }
    }

    /// Pictures and the page's files come by the dozen and cost little; who watches the server asks often; who may change the catalogue fills it.
    private func checkRate(of request: Request, _ context: APIContext) throws(APIError) {
        guard let rate, request.uri.path.contains("/api/") else { return }
        if request.method == .get, request.uri.path.contains("/api/v1/images/") { return }
        if settings.adminToken.map({ AdminGate(token: $0).admits(request) }) == true { return }
        guard let seconds = rate.take(context.client) else { return }
        throw APIError(
            .tooManyRequests, "too_many_requests",
            "More than \(MetricsRegistry.number(rate.rate)) requests a second came from this address; try again in a moment.",
            retryAfter: seconds)
    }

    private func allowOrigin(of request: Request, _ answer: inout Response) {
        let asks = request.method == .options && request.headers[.accessControlRequestMethod] != nil
        if !origins.isEmpty || asks {
            answer.headers[.vary] = [answer.headers[.vary], "Origin"].compactMap { $0 }.joined(separator: ", ")
        }
        guard let origin = request.headers[.origin], origins.contains(origin) else { return }
        answer.headers[.accessControlAllowOrigin] = origin
        guard asks else {
            // What a page of another origin may read beside the few headers that it may read anyway.
            answer.headers[.accessControlExposeHeaders] = "ETag, Location, Retry-After, X-Request-Id"
            return
        }
        answer.headers[.accessControlAllowMethods] = "GET, POST, PUT, DELETE"
        answer.headers[.accessControlAllowHeaders] = "Content-Type, Authorization"
        answer.headers[.accessControlMaxAge] = "600"
    }

    private func logged(_ request: Request) -> String { "\(Self.bounded(request.method.rawValue, 20)) \(loggedPath(request))" }

    private func loggedPath(_ request: Request) -> String {
        let path = request.uri.path
        return settings.adminToken?.isIn(path) == true ? "(an address with the admin token)" : Self.bounded(path, 200)
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
