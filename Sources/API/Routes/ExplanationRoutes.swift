import Catalog
import HTTPTypes
import Hummingbird
import Imaging
import Search

/// `POST /explain`: which parts of a query picture and of a result make them alike.
struct ExplanationRoutes {
    let searching: Searching
    private let bodies: BodyReader
    /// Each takes some dozens of passes of the model.
    private let places = Places(2)

    private static let names = RequestFields.Names(
        ["image", "image_id", "crop", "result_image_id", "model", "cells"], files: ["image"], blank: ["crop"])

    private struct Answer: Encodable {
        struct Map: Encodable {
            let rows: Int
            let columns: Int
            let values: [Double]

            init(_ map: Explanation.Map) {
                (rows, columns) = (map.rows, map.columns)
                values = map.values.map { ($0 * 1e5).rounded() / 1e5 }
            }
        }

        let model: String
        let score: Double
        let query: Map
        let result: Map
    }

    init(_ searching: Searching) {
        self.searching = searching
        bodies = BodyReader(limits: searching.limits)
    }

    func add(to group: RouterGroup<APIContext>) {
        group.post("explain", use: explain)
    }

    @Sendable func explain(_ request: Request, _ context: APIContext) async throws -> Response {
        _ = try searching.service.served()
        var fields = try await RequestFields(body: request, Self.names, reader: bodies, limits: searching.limits)
        let model = try searching.service.model(fields.one("model"))
        let cells = try fields.integer("cells", in: SearchEngine.explanationSides, default: 6)
        guard let text = try fields.one("result_image_id") else {
            throw APIError.wrongParameter("result_image_id is missing: the id of a result's picture.")
        }
        guard let shown = ImageID(text) else { throw APIError.unknownImage(text) }
        let region = try fields.one("crop").flatMap { $0.isEmpty ? nil : $0 }.map { try SearchRequest.region($0) }
        let asked = try fields.one("image_id")
        guard fields.files.count + (asked == nil ? 0 : 1) == 1 else {
            throw APIError.wrongParameter("A score is explained for one picture: send image or image_id.")
        }
        let explanation = try await places.take {
            let query: RGBImage
            if let asked {
                guard let id = ImageID(asked) else { throw APIError.unknownImage(asked) }
                query = try await searching.picture(id, region)
            } else {
                query = try await searching.picture(fields.files[0].bytes, region)
            }
            fields.dropFiles()
            return try await model.engine.explanation(of: searching.picture(shown, nil), for: query, cells: cells)
        }
        return JSONAnswer.response(
            Answer(
                model: model.card.id, score: explanation.score, query: .init(explanation.query), result: .init(explanation.result)
            ))
    }
}
