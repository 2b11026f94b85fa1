import HTTPTypes
import Hummingbird
import Logging
import NIOCore
import NIOHTTP1

/// What a request carries along: who asks.
struct APIContext: RequestContext {
    var coreContext: CoreRequestContextStorage
    let client: String

    init(source: ApplicationRequestContextSource) {
        self.init(source: source, client: source.channel.remoteAddress?.ipAddress ?? "-")
    }

    /// - Parameter client: the address of who asks.
    init(source: some RequestContextSource, client: String) {
        coreContext = .init(source: source)
        self.client = client
    }
}

/// One line per request: who, what, status, bytes, milliseconds. Neither query strings nor bodies: they are the client's own.
struct AccessLog: RouterMiddleware {
    func handle(_ request: Request, context: APIContext, next: (Request, APIContext) async throws -> Response) async throws
        -> Response
    {
        let begin = ContinuousClock.now
        let response = try await next(request, context)
        let milliseconds = (ContinuousClock.now - begin) / .milliseconds(1)
        let bytes = response.body.contentLength.map(String.init) ?? "-"
        let line = "\(context.client) \(request.method) \(request.uri.path) \(response.status.code) \(bytes) B"
        context.logger.info("\(line) \((milliseconds * 10).rounded() / 10) ms")
        return response
    }
}

/// Errors become answers, here and nowhere else.
struct ErrorAnswers: RouterMiddleware {
    func handle(_ request: Request, context: APIContext, next: (Request, APIContext) async throws -> Response) async throws
        -> Response
    {
        do {
            return try await next(request, context)
        } catch let error as HTTPParserError {
            throw error
        } catch {
            let answer = APIError(error)
            if answer.status.kind == .serverError {
                context.logger.error("\(request.method) \(request.uri.path): \(error)")
            }
            // The answer to HEAD has no body: the client would take it for the next answer's beginning.
            return request.method == .head ? answer.response().createHeadResponse() : answer.response()
        }
    }
}

/// Pages of the origins on the list may call the API; others can't read its answers.
struct AllowedOrigins: RouterMiddleware {
    let origins: Set<String>

    func handle(_ request: Request, context: APIContext, next: (Request, APIContext) async throws -> Response) async throws
        -> Response
    {
        let origin = request.headers[.origin].flatMap { origins.contains($0) ? $0 : nil }
        if request.method == .options, request.headers[.accessControlRequestMethod] != nil {
            var answer = Response(status: .noContent, headers: [.vary: "Origin"])
            if let origin {
                answer.headers[.accessControlAllowOrigin] = origin
                answer.headers[.accessControlAllowMethods] = "GET, POST"
                answer.headers[.accessControlAllowHeaders] = "Content-Type, Authorization"
                answer.headers[.accessControlMaxAge] = "600"
            }
            return answer
        }
        var answer = try await next(request, context)
        if !origins.isEmpty {
            answer.headers[.vary] = [answer.headers[.vary], "Origin"].compactMap { $0 }.joined(separator: ", ")
        }
        if let origin { answer.headers[.accessControlAllowOrigin] = origin }
        return answer
    }
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
