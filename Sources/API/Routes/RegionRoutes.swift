import Catalog
import HTTPTypes
import Hummingbird
import Imaging
import Search

/// `POST /regions`: parts of a picture that may each be a garment, to be tapped and searched with.
struct RegionRoutes {
    let searching: Searching
    private let bodies: BodyReader

    private static let names = RequestFields.Names(["image", "model"], files: ["image"])

    private struct Answer: Encodable {
        struct Region: Encodable {
            /// As `crop` of a search takes it.
            let crop: String
            let salience: Double
            /// Cosine similarity of the product that is nearest to this part.
            let score: Double?
            let category: String?
        }

        let model: String
        let regions: [Region]
    }

    init(_ searching: Searching) {
        self.searching = searching
        bodies = BodyReader(limits: searching.limits)
    }

    func add(to group: RouterGroup<APIContext>) {
        group.post("regions", use: regions)
    }

    @Sendable func regions(_ request: Request, _ context: APIContext) async throws -> Response {
        _ = try searching.service.served()
        var fields = try await RequestFields(body: request, Self.names, reader: bodies, limits: searching.limits)
        let model = try searching.service.model(fields.one("model"))
        guard fields.files.count == 1 else {
            throw APIError.wrongParameter("Parts are found in one image, found \(fields.files.count).")
        }
        let found = try await searching.parts(of: fields.files[0].bytes, for: model)
        fields.dropFiles()
        var regions: [Answer.Region] = []
        for (proposal, picture) in found {
            let query = SearchQuery([.init(.image(picture))], limit: 1)
            // The catalogue says what it is: what is near to nothing in it is seldom a garment.
            let nearest = try await searching.answer(query, model).results.first
            let region = proposal.region
            regions.append(
                .init(
                    crop: [region.x, region.y, region.width, region.height].map { String(($0 * 1e4).rounded() / 1e4) }
                        .joined(separator: ","), salience: (proposal.salience * 1000).rounded() / 1000, score: nearest?.score,
                    category: nearest?.product.category))
        }
        return JSONAnswer.response(
            Answer(model: model.card.id, regions: regions.sorted { ($0.score ?? -1) > ($1.score ?? -1) }))
    }
}
