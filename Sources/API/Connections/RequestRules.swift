import HTTPTypes
import Hummingbird

/// The addresses there are and what each can be asked, as the router has them.
struct RouteTable: Sendable {
    private var routes: [(parts: [Substring], methods: Set<String>)] = []

    init(_ router: Router<APIContext>) {
        var methods: [String: Set<String>] = [:]
        for route in router.routes { methods[route.path.description, default: []].insert(route.method.rawValue) }
        routes = methods.map { path, methods in
            (path.split(separator: "/"), methods.contains("GET") ? methods.union(["HEAD"]) : methods)
        }
    }

    /// What an address can be asked; nil where there is nothing. `*` is the server as a whole.
    func methods(at path: String) -> Set<String>? {
        if path == "*" { return routes.reduce(into: []) { $0.formUnion($1.methods) } }
        let parts = path.split(separator: "/")
        let found = routes.filter { route in
            route.parts.count == parts.count
                && zip(route.parts, parts).allSatisfy { pattern, part in
                    pattern.hasPrefix(":") || pattern.hasPrefix("{") || pattern == part
                }
        }
        return found.isEmpty ? nil : found.reduce(into: []) { $0.formUnion($1.methods) }
    }
}

/// Names under which tokens are commonly written into addresses.
private let tokenNames: Set<String> = [
    "token", "access_token", "admin_token", "api_key", "apikey", "authorization", "bearer", "password",
]

/// What RFC 9110 and 9112 ask of every request: one host, codings that are understood, an address that is there, and a method that it can be asked by.
/// A method that no address knows, such as QUERY or PROPFIND, is refused as any other one is: with the methods that would be right. Words that are no
/// method of HTTP at all never come here: the parser reads nothing behind them (`APIError.init(protocolError:)`).
struct RequestRules<Inner: HTTPResponder>: HTTPResponder where Inner.Context == APIContext {
    let routes: RouteTable
    let adminToken: AdminToken?
    let inner: Inner

    /// A product may be called as a route's last word is: the router looks at words before it looks at names, and finds no other method there. With
    /// a letter escaped it is a name.
    private static func withoutRouteWord(_ request: Request, _ path: String) -> Request {
        guard request.method != .post, path == "/api/v1/products/batch" else { return request }
        var head = request.head
        head.path = "/api/v1/products/%62atch" + (head.path ?? "").dropFirst(path.count)
        return Request(head: head, body: request.body)
    }

    func respond(to request: Request, context: APIContext) async throws -> Response {
        let head = request.head
        guard let host = head.authority, !host.isEmpty, !request.headers.contains(where: { $0.name.canonicalName == "host" })
        else {
            throw APIError(.badRequest, "wrong_host", "A request names one Host.")
        }
        guard request.headers[values: .transferEncoding].allSatisfy({ $0.lowercased() == "chunked" }) else {
            throw APIError(.notImplemented, "unknown_coding", "Of transfer codings only chunked is read.")
        }
        guard request.headers[values: .contentEncoding].allSatisfy({ $0.lowercased() == "identity" }) else {
            throw APIError(.unsupportedMediaType, "wrong_content_type", "The body is compressed; send it as it is.")
        }
        guard request.headers[values: .expect].allSatisfy({ $0.lowercased() == "100-continue" }) else {
            throw APIError(.expectationFailed, "unknown_expectation", "Of expectations only 100-continue is met.")
        }
        let address = head.path ?? ""
        let names = request.uri.query?.split(separator: "&").map { $0.prefix { $0 != "=" }.lowercased() } ?? []
        // Addresses are kept by proxies, histories and logs of others: what stands in one is no secret any more.
        guard adminToken?.isIn(address) != true, !names.contains(where: tokenNames.contains) else {
            throw APIError(
                .badRequest, "token_in_address",
                "The address holds a token, where others may keep it; send it in the header Authorization: Bearer TOKEN, and use a new one."
            )
        }
        let path = String(address.prefix { $0 != "?" })
        guard let methods = routes.methods(at: path) else {
            throw APIError(.notFound, "not_found", "There is nothing at this address; /openapi.json lists what there is.")
        }
        if methods.contains(head.method.rawValue) {
            return try await inner.respond(to: Self.withoutRouteWord(request, path), context: context)
        }
        let allowed = methods.union(["OPTIONS"]).sorted().joined(separator: ", ")
        if head.method == .options { return Response(status: .noContent, headers: [.allow: allowed]) }
        var error = APIError(
            .methodNotAllowed, "wrong_method", "\(path) can't be asked by \(head.method.rawValue), but by \(allowed).")
        error.allow = allowed
        throw error
    }
}
