import Catalog
import Hummingbird
import NIOPosix

/// `GET /products`: browsing the catalogue, by pages, filters and facets.
struct ProductRoutes {
    let service: SearchService
    let base: BasePath

    /// The keys that a page of products can be narrowed by.
    static let facets = ["category", "color", "brand"]

    func add(to group: RouterGroup<APIContext>) {
        group.get("products", use: list)
        group.get("products/:id", use: product)
    }

    struct ImageSummary: Encodable {
        let id: ImageID
        let path: String
        let view: String?
        let color: String?
        let caption: String?

        init(_ image: CatalogImage, _ base: BasePath) {
            id = image.id
            path = base.url(ImageRoutes.path(image.id))
            view = image.view
            color = image.color
            caption = image.caption
        }
    }

    private struct Summary: Encodable {
        let id: String
        let title: String?
        let category: String?
        let brand: String?
        let price: Double?
        let currency: String?
        let inStock: Bool?
        let url: String?
        let image: ImageSummary
    }

    private struct Facet: Encodable {
        let value: String
        let count: Int
    }

    private struct Listing: Encodable {
        let total: Int
        let products: [Summary]
        let facets: [String: [Facet]]
    }

    private struct Detail: Encodable {
        let id: String
        let title: String?
        let category: String?
        let brand: String?
        let price: Double?
        let currency: String?
        let inStock: Bool?
        let url: String?
        let description: String?
        let attributes: [String: String]
        let images: [ImageSummary]
    }

    @Sendable func list(_ request: Request, _ context: APIContext) async throws -> Response {
        let fields = RequestFields(query: request)
        try fields.require(only: ["filter", "limit", "offset"])
        let filter = try CatalogFilter(fields.all("filter"))
        let (offset, limit) = (
            try fields.integer("offset", in: 0...Int(Int32.max), default: 0),
            try fields.integer("limit", in: 1...200, default: 24)
        )
        // A large catalogue takes a while to count: not on the threads that everything else runs on.
        let page = try await NIOThreadPool.singleton.runIfActive { [catalog = service.catalog] in
            try catalog.productPage(matching: filter, offset: offset, limit: limit, facets: Self.facets)
        }
        return JSONAnswer.response(
            Listing(
                total: page.total,
                products: page.entries.map { entry in
                    let product = entry.product
                    return Summary(
                        id: product.id, title: product.title, category: product.category, brand: product.brand,
                        price: product.price, currency: product.currency, inStock: product.inStock, url: product.url,
                        image: ImageSummary(entry.cover, base))
                },
                facets: page.facets.mapValues { $0.map { Facet(value: $0.value, count: $0.products) } }))
    }

    @Sendable func product(_ request: Request, _ context: APIContext) async throws -> Response {
        let id = context.parameter("id")
        guard let product = try service.catalog.product(id) else { throw APIError.unknownProduct(id) }
        let images = try service.catalog.images(ofProduct: id).filter { $0.state == .ok }
        return JSONAnswer.response(
            Detail(
                id: product.id, title: product.title, category: product.category, brand: product.brand, price: product.price,
                currency: product.currency, inStock: product.inStock, url: product.url, description: product.description,
                attributes: product.attributes, images: images.map { ImageSummary($0, base) }))
    }
}
