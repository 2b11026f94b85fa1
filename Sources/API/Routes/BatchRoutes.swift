import Catalog
import Hummingbird

/// `POST /products/batch`: many changes in one call, one a line, with one outcome a line.
struct BatchRoutes {
    let editor: CatalogEditor
    let service: SearchService
    let limits: ServerLimits
    private let places: Places

    init(editor: CatalogEditor, service: SearchService, limits: ServerLimits) {
        self.editor = editor
        self.service = service
        self.limits = limits
        places = Places(limits.batches)
    }

    func add(to group: RouterGroup<APIContext>) {
        group.post("products/batch", use: batch)
    }

    @Sendable func batch(_ request: Request, _ context: APIContext) async throws -> Response {
        _ = try RequestFields(query: request, .init([]))
        _ = try service.served()
        let run = BatchRun(editor: editor, limits: limits)
        try await places.take {
            try await JSONLines(limits: limits, lineLimit: limits.batchLineBytes).read(request) { number, line in
                try await run.take(number, line)
            }
            try await run.flush()
        }
        return JSONLines.response(await run.answer())
    }
}
