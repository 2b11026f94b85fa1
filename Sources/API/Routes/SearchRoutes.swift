import Catalog
import HTTPTypes
import Hummingbird
import Search

/// `POST /search`: a picture, a text, or something of the catalogue in; garments out.
struct SearchRoutes {
    let searching: Searching
    private let bodies: BodyReader
    private let batches: Places

    init(_ searching: Searching) {
        self.searching = searching
        bodies = BodyReader(limits: searching.limits)
        batches = Places(searching.limits.batches)
    }

    func add(to group: RouterGroup<APIContext>) {
        group.post("search", use: search)
        group.post("search/batch", use: batch)
        group.get("products/:id/similar", use: similar)
        group.get("suggest", use: suggest)
    }

    @Sendable func search(_ request: Request, _ context: APIContext) async throws -> Response {
        // Loading is said before an upload is read.
        _ = try searching.service.served()
        return JSONAnswer.response(
            try await searching.answer(
                RequestFields(body: request, SearchRequest.names, reader: bodies, limits: searching.limits)))
    }

    @Sendable func batch(_ request: Request, _ context: APIContext) async throws -> Response {
        _ = try RequestFields(query: request, .init([]))
        _ = try searching.service.served()
        let run = SearchBatchRun(searching)
        try await batches.take {
            try await JSONLines(limits: searching.limits, lineLimit: searching.limits.jsonBytes).read(request) { number, line in
                try await run.take(number, line)
            }
            try await run.flush()
        }
        return JSONLines.response(await run.answer())
    }

    @Sendable func similar(_ request: Request, _ context: APIContext) async throws -> Response {
        let fields = try RequestFields(query: request, .init(SearchRequest.options))
        let model = try searching.service.model(fields.one("model"))
        var query = try SearchRequest.query(fields)
        query.terms = [.init(.product(context.parameter("id")))]
        return JSONAnswer.response(try await searching.answer(query, model))
    }

    @Sendable func suggest(_ request: Request, _ context: APIContext) async throws -> Response {
        let fields = try RequestFields(query: request, .init(["q", "limit"]))
        let limit = try fields.integer("limit", in: 1...20, default: 8)
        let found = try await searching.service.browsed().suggestions(for: fields.one("q") ?? "", limit: limit)
        return JSONAnswer.response(SuggestionListing(found))
    }
}
