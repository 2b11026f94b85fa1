import HTTPTypes
import Hummingbird

/// Lets only those pass who send the admin token in `Authorization: Bearer`; before anything of their body is read.
struct AdminGate: RouterMiddleware {
    typealias Context = APIContext

    let token: AdminToken?

    func handle(
        _ request: Request, context: APIContext, next: (Request, APIContext) async throws -> Response
    ) async throws -> Response {
        try check(request)
        return try await next(request, context)
    }

    /// Whether a request has the token.
    func admits(_ request: Request) -> Bool { (try? check(request)) != nil }

    private func check(_ request: Request) throws(APIError) {
        guard let token else {
            throw .unauthorized(
                "no_admin",
                "This call takes the admin token, and this server has none: start it with --admin-token-file, or with the token in STYLEFINDER_ADMIN_TOKEN."
            )
        }
        let fields = request.headers[values: .authorization]
        guard let field = fields.first else {
            throw .unauthorized(
                "no_token", "This call takes the admin token, in the header Authorization: Bearer TOKEN.")
        }
        let parts = field.split(separator: " ", maxSplits: 1, omittingEmptySubsequences: true)
        guard fields.count == 1, parts.count == 2, parts[0].lowercased() == "bearer", token.matches(String(parts[1])) else {
            throw .unauthorized("wrong_token", "The admin token is another one.", challenge: "Bearer error=\"invalid_token\"")
        }
    }
}

extension APIError {
    fileprivate static func unauthorized(_ code: String, _ message: String, challenge: String = "Bearer") -> APIError {
        var error = APIError(.unauthorized, code, message)
        error.challenge = challenge
        return error
    }
}
