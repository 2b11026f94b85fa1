import HTTPTypes
import Hummingbird
import NIOCore

/// What stands at the root: health, the description of the API, and the page.
struct RootRoutes {
    let service: SearchService
    let base: BasePath
    let page: StaticPage?

    func add(to router: Router<APIContext>) {
        router.get("healthz") { _, _ in JSONAnswer.response(["status": "ok"]) }
        router.get("readyz", use: readiness)
        router.get("openapi.json", use: openAPI)
        guard let page else { return }
        let base = base
        router.get("/") { request, _ in page.response(to: "index.html", request, base: base) }
        for name in page.names {
            router.get(RouterPath(name)) { request, _ in page.response(to: name, request, base: base) }
        }
    }

    @Sendable func readiness(_ request: Request, _ context: APIContext) async throws -> Response {
        if service.isReady { return JSONAnswer.response(["status": "ready"]) }
        var answer = JSONAnswer.response(["status": "loading"], status: .serviceUnavailable)
        answer.headers[.retryAfter] = "2"
        return answer
    }

    @Sendable func openAPI(_ request: Request, _ context: APIContext) async throws -> Response {
        let text = OpenAPIDocument.json(server: base.path.isEmpty ? "/" : base.path)
        return Response(
            status: .ok, headers: [.contentType: "application/json; charset=utf-8"],
            body: ResponseBody(byteBuffer: ByteBuffer(string: text)))
    }
}
