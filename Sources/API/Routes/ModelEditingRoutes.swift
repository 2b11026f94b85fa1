import Foundation
import Hummingbird
import Search

/// `PUT` and `DELETE` of models: for whoever has the admin token.
struct ModelEditingRoutes {
    let service: SearchService
    let intake: ModelIntake
    let limits: ServerLimits
    private let bodies: BodyReader

    init(service: SearchService, intake: ModelIntake, limits: ServerLimits) {
        self.service = service
        self.intake = intake
        self.limits = limits
        bodies = BodyReader(limits: limits)
    }

    func add(to group: RouterGroup<APIContext>) {
        group.put("models/:id", use: put)
        group.delete("models/:id", use: delete)
    }

    private struct Accepted: Encodable {
        let id: String
        let source: String
    }

    @Sendable func put(_ request: Request, _ context: APIContext) async throws -> Response {
        _ = try service.served()
        let id = try Self.name(context.parameter("id"), "The model's id")
        let fields = try await RequestFields(body: request, .init(["source"]), reader: bodies, limits: limits)
        let source = try fields.one("source").map { try Self.name($0, "source") } ?? id
        try intake.bring(source, as: id)
        return JSONAnswer.response(Accepted(id: id, source: source), status: .accepted)
    }

    @Sendable func delete(_ request: Request, _ context: APIContext) async throws -> Response {
        _ = try RequestFields(query: request, .init([]))
        try service.remove(model: context.parameter("id"))
        return Response(status: .noContent)
    }

    /// A name and no path: what lies where on the server's machine is nobody's matter who asks over HTTP.
    private static func name(_ text: String, _ what: String) throws(APIError) -> String {
        let isName =
            (1...100).contains(text.utf8.count) && !text.hasPrefix(".")
            && text.unicodeScalars.allSatisfy { CharacterSet.alphanumerics.contains($0) || "-_.@/".unicodeScalars.contains($0) }
            && !text.split(separator: "/", omittingEmptySubsequences: false).contains { ["", ".", ".."].contains($0) }
        guard isName else {
            throw .wrongParameter(
                "\(what) is \(APIError.quoted(text)), expected a name of letters, digits and -_.@ such as small-vit.")
        }
        return text
    }
}
