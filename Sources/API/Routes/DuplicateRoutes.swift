import Catalog
import Hummingbird
import Search

/// `GET /duplicates`: pictures and products that are nearly the same, for whoever keeps the catalogue.
struct DuplicateRoutes {
    let service: SearchService
    let limits: ServerLimits
    let base: BasePath
    /// It goes through the whole catalogue: one at a time, and its pictures on a thread of their own.
    private let places = Places(1)
    private let reader = WorkPool(threads: 1, waiting: 1, name: "duplicates")

    init(service: SearchService, limits: ServerLimits, base: BasePath) {
        self.service = service
        self.limits = limits
        self.base = base
    }

    func add(to group: RouterGroup<APIContext>) {
        group.get("duplicates", use: list)
    }

    private struct Listing: Encodable {
        struct Group: Encodable {
            let score: Double
            let items: [Item]
        }

        struct Item: Encodable {
            let productId: String
            let title: String?
            let image: ImageSummary
        }

        struct Pair: Encodable {
            let productIds: [String]
            let shared: Int
            let of: Int
        }

        let model: String
        let compared: Int
        let unreadable: Int
        let duplicates: [Group]
        let products: [Pair]
    }

    @Sendable func list(_ request: Request, _ context: APIContext) async throws -> Response {
        let fields = try RequestFields(query: request, .init(["model"]))
        let model = try service.model(fields.one("model"))
        let report = try await places.take {
            try await model.engine.duplicates.run { image in
                try await reader.run { [limits] ticket in
                    try PictureDecoding.decode(PictureFile.bytes(ofFile: image.path), limits: limits.pictures, ticket)
                }
            }
        }
        let known = try service.catalog.products(Set(report.groups.flatMap { $0.images.map(\.productID) }))
        return JSONAnswer.response(
            Listing(
                model: model.card.id, compared: report.compared, unreadable: report.unreadable,
                duplicates: report.groups.map { group in
                    .init(
                        score: group.score,
                        items: group.images.map {
                            .init(productId: $0.productID, title: known[$0.productID]?.title, image: ImageSummary($0, base))
                        })
                },
                products: report.products.map { .init(productIds: [$0.first, $0.second], shared: $0.shared, of: $0.of) }))
    }
}
