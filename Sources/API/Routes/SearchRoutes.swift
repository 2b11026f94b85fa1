import Catalog
import HTTPTypes
import Hummingbird
import Imaging
import NIOCore
import Search

/// `POST /search`: a picture, a text, or something of the catalogue in; garments out.
struct SearchRoutes {
    let service: SearchService
    let limits: ServerLimits
    let base: BasePath
    private let bodies: BodyReader
    private let decoders: WorkPool
    private let searches: Places

    init(service: SearchService, limits: ServerLimits, base: BasePath) {
        self.service = service
        self.limits = limits
        self.base = base
        bodies = BodyReader(limits: limits)
        decoders = WorkPool(threads: System.coreCount, waiting: limits.decodesWaiting, name: "decode")
        searches = Places(limits.searches)
    }

    func add(to group: RouterGroup<APIContext>) {
        group.post("search", use: search)
        group.get("products/:id/similar", use: similar)
    }

    private static let options = ["model", "top_k", "filter", "group_by", "min_score"]
    private static let subjects = RequestFields.Names(["image", "text", "product_id", "image_id"] + options, files: ["image"])

    @Sendable func search(_ request: Request, _ context: APIContext) async throws -> Response {
        // Loading is said before an upload is read.
        _ = try service.served()
        var fields = try await RequestFields(body: request, Self.subjects, reader: bodies, limits: limits)
        let model = try service.model(fields.one("model"))
        // What is wrong with the rest is said before a picture is worked on.
        var query = try query(fields)
        let begin = ContinuousClock.now
        query.subject = try await subject(of: fields, model)
        let isPicture = !fields.files.isEmpty
        fields.dropFiles()
        let decoded = isPicture ? (ContinuousClock.now - begin) / .milliseconds(1) : nil
        return try await answer(query, model, decoded: decoded)
    }

    @Sendable func similar(_ request: Request, _ context: APIContext) async throws -> Response {
        let fields = try RequestFields(query: request, .init(Self.options))
        let model = try service.model(fields.one("model"))
        var query = try query(fields)
        query.subject = .product(context.parameter("id"))
        return try await answer(query, model, decoded: nil)
    }

    private func subject(of fields: RequestFields, _ model: ServedModel) async throws -> SearchQuery.Subject {
        var found: [SearchQuery.Subject] = []
        if let text = try fields.one("text") { found.append(.text(text)) }
        if let id = try fields.one("product_id") { found.append(.product(id)) }
        if let id = try fields.one("image_id") {
            guard let number = ImageID(id) else { throw APIError.unknownImage(id) }
            found.append(.catalogImage(number))
        }
        guard found.count + fields.files.count == 1 else {
            throw APIError.wrongParameter(
                "A search takes one of image, text, product_id and image_id, found \(found.count + fields.files.count).")
        }
        if let subject = found.first { return subject }
        let (bytes, limits, encoder) = (fields.files[0].bytes, limits, model.engine.encoder)
        return .image(
            try await decoders.run { ticket in
                encoder.reduce(try PictureDecoding.decode(bytes, limits: limits.pictures, ticket))
            })
    }

    /// Everything but what is searched for.
    private func query(_ fields: RequestFields) throws -> SearchQuery {
        var query = SearchQuery(
            .text(""), limit: try fields.integer("top_k", in: SearchQuery.limits, default: 10),
            filter: try CatalogFilter(fields.all("filter")), minimumScore: try fields.number("min_score", in: -1...1))
        if let grouping = try fields.one("group_by") {
            guard let grouping = SearchQuery.Grouping(rawValue: grouping) else {
                throw APIError.wrongParameter("group_by is \(APIError.quoted(grouping)), expected product or image.")
            }
            query.grouping = grouping
        }
        return query
    }

    private func answer(_ query: SearchQuery, _ model: ServedModel, decoded: Double?) async throws -> Response {
        let response = try await searches.take { try await model.engine.search(query) }
        ServerMetrics.current?.note(searchBy: model.card.id, response.timing, decoded: decoded)
        return JSONAnswer.response(SearchAnswer(response, decoded: decoded, base))
    }
}

/// Decoding for a request: it stops when nobody waits for the picture any more.
enum PictureDecoding {
    static func decode(
        _ bytes: some Collection<UInt8>, limits: DecodingLimits = .standard, _ ticket: WorkTicket, minimumSide: Int? = nil
    ) throws -> RGBImage {
        try ImageDecoder.decode(
            bytes, limits: limits, control: DecodingControl(isCancelled: { ticket.isCancelled }), minimumSide: minimumSide)
    }
}
