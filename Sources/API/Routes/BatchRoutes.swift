import Catalog
import Foundation
import HTTPTypes
import Hummingbird
import NIOCore

/// `POST /products/batch`: many changes in one call, one a line, with one outcome a line.
struct BatchRoutes {
    let editor: CatalogEditor
    let service: SearchService
    let limits: ServerLimits
    private let places: Places

    static let mediaType = "application/x-ndjson"
    private static let mediaTypes: Set<String> = [
        mediaType, "application/ndjson", "application/jsonl", "application/x-jsonl", "application/jsonlines",
        "application/x-jsonlines",
    ]

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
        let type = request.headers[.contentType] ?? ""
        guard Self.mediaTypes.contains(type.prefix { $0 != ";" }.trimmingCharacters(in: .whitespaces).lowercased()) else {
            throw APIError(
                .unsupportedMediaType, "wrong_content_type",
                "The body has the type \(APIError.quoted(type)); send \(Self.mediaType), one JSON object a line.")
        }
        let run = BatchRun(editor: editor, limits: limits)
        try await places.take {
            do {
                try await BodyLines(limits: limits, lineLimit: limits.batchLineBytes).read(request.body) { number, line in
                    try await run.take(number, line)
                }
                try await run.flush()
            } catch is BatchRun.TooManyLines {
                // Said in the last outcome.
            }
        }
        guard await run.lines > 0 else {
            throw APIError(.badRequest, "empty_body", "The body is empty; send one JSON object a line.")
        }
        return Response(
            status: .ok, headers: [.contentType: Self.mediaType], body: ResponseBody(byteBuffer: await run.answer()))
    }
}
