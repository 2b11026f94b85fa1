import Catalog
import HTTPTypes
import Hummingbird
import Logging
import NIOCore

/// What stands at the root: health, the description of the API, and the page.
struct RootRoutes {
    let service: SearchService
    let base: BasePath
    let page: StaticPage?
    /// A probe of a catalogue on a disk that hangs holds this thread, and none that answers.
    private let prober = WorkPool(threads: 1, waiting: 8, name: "probe")

    init(service: SearchService, base: BasePath, page: StaticPage?) {
        self.service = service
        self.base = base
        self.page = page
    }

    func add(to router: Router<APIContext>) {
        router.get("healthz") { _, _ in JSONAnswer.response(["status": "ok"]) }
        router.get("readyz", use: readiness)
        router.get("openapi.json", use: openAPI)
        router.get("metrics", use: metrics)
        guard let page else { return }
        let base = base
        router.get("/") { request, _ in page.response(to: "index.html", request, base: base) }
        for name in page.names {
            router.get(RouterPath(name)) { request, _ in page.response(to: name, request, base: base) }
        }
    }

    @Sendable func readiness(_ request: Request, _ context: APIContext) async throws -> Response {
        guard service.isReady else { return notReady("loading") }
        do { try await prober.run { [service] _ in try service.probe() } } catch let error as CatalogError {
            if case .locked = error { return notReady("busy") }
            service.note(error)
            context.logger.error("The catalogue can't be read: \(Front<RouterResponder<APIContext>>.bounded(error.description))")
        }
        guard service.reachesIndex else { return notReady("unreachable") }
        return service.metDamage ? notReady("damaged") : JSONAnswer.response(["status": "ready"])
    }

    private func notReady(_ status: String) -> Response {
        var answer = JSONAnswer.response(["status": status], status: .serviceUnavailable)
        answer.headers[.retryAfter] = "2"
        return answer
    }

    @Sendable func metrics(_ request: Request, _ context: APIContext) async throws -> Response {
        Response(
            status: .ok, headers: [.contentType: "text/plain; version=0.0.4; charset=utf-8"],
            body: ResponseBody(byteBuffer: ByteBuffer(string: ServerMetrics.current?.text(service) ?? "")))
    }

    @Sendable func openAPI(_ request: Request, _ context: APIContext) async throws -> Response {
        Response(
            status: .ok, headers: [.contentType: "application/json; charset=utf-8"],
            body: ResponseBody(byteBuffer: try OpenAPIDocument.json(server: base.path.isEmpty ? "/" : base.path)))
    }
}
