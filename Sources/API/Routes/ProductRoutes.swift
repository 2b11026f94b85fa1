import Catalog
import Hummingbird
import Search

/// `GET /products`: browsing the catalogue, by pages, filters, words and facets.
struct ProductRoutes {
    let service: SearchService
    let base: BasePath

    /// The keys that a page of products can be narrowed by, whatever the catalogue, and how many of its own attributes.
    private static let facets = ["category", "color", "brand"]
    private static let attributes = 6

    func add(to group: RouterGroup<APIContext>) {
        group.get("products", use: list)
        group.get("products/:id", use: product)
    }

    @Sendable func list(_ request: Request, _ context: APIContext) async throws -> Response {
        let fields = try RequestFields(query: request, .init(["filter", "q", "pictures", "limit", "offset"]))
        let filter = try CatalogFilter(fields.all("filter"))
        let words = try fields.one("q").flatMap { $0.isEmpty ? nil : $0 }
        let (offset, limit) = (
            try fields.integer("offset", in: 0...Int(Int32.max), default: 0),
            try fields.integer("limit", in: 1...200, default: 24)
        )
        let catalog = try service.browsed()
        let page: ProductPage
        switch try fields.one("pictures") ?? "usable" {
        case "usable":
            page = try await catalog.productPage(
                matching: filter, words: words, offset: offset, limit: limit, facets: Self.facets, choices: Self.attributes)
        case "any":
            guard filter.clauses.isEmpty else {
                throw APIError.wrongParameter("pictures=any can't be narrowed by filter: filters are answered from pictures.")
            }
            page = try await catalog.everyProduct(words: words, offset: offset, limit: limit)
        case let other:
            throw APIError.wrongParameter("pictures is \(APIError.quoted(other)), expected usable or any.")
        }
        return JSONAnswer.response(
            ProductListing(
                total: page.total,
                products: page.entries.map { ProductSummary($0.product, image: $0.cover.map { ImageSummary($0, base) }) },
                facets: page.facets.mapValues { $0.map { .init(value: $0.value, count: $0.products) } }))
    }

    @Sendable func product(_ request: Request, _ context: APIContext) async throws -> Response {
        _ = try RequestFields(query: request, .init([]))
        let id = context.parameter("id")
        guard let product = try service.catalog.product(id) else { throw APIError.unknownProduct(id) }
        let images = try service.catalog.images(ofProduct: id).filter { $0.state == .ok }
        return JSONAnswer.response(ProductDetail(product, images: images.map { ImageSummary($0, base) }))
    }
}
