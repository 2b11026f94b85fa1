import Catalog
import HTTPTypes
import Hummingbird
import Imaging
import NIOPosix
import Search
import Synchronization

/// `POST /search`: a picture, a text, or something of the catalogue in; garments out.
struct SearchRoutes {
    let service: SearchService
    let limits: ServerLimits
    let base: BasePath
    private let uploads: UploadGate

    init(service: SearchService, limits: ServerLimits, base: BasePath) {
        self.service = service
        self.limits = limits
        self.base = base
        uploads = UploadGate(limit: limits.uploadsAtOnce, byteLimit: limits.uploadBytesAtOnce)
    }

    func add(to group: RouterGroup<APIContext>) {
        group.post("search", use: search)
        group.get("products/:id/similar", use: similar)
    }

    static let options = ["model", "top_k", "filter", "group_by", "min_score"]

    @Sendable func search(_ request: Request, _ context: APIContext) async throws -> Response {
        // Loading is said before an upload is read.
        _ = try service.served()
        // A body of unknown length may become as long as any.
        let bytes = min(request.headers[.contentLength].flatMap { Int($0) } ?? limits.uploadBytes, limits.uploadBytes)
        return try await uploads.admit(bytes: max(0, bytes)) {
            var fields = try await RequestFields(body: request, files: ["image"], limit: limits.uploadBytes)
            try fields.require(only: ["image", "text", "product_id", "image_id"] + Self.options)
            let model = try service.model(fields.one("model"))
            let begin = ContinuousClock.now
            let subject = try await subject(of: fields, model)
            fields.dropFiles()
            let decoded = (ContinuousClock.now - begin) / .milliseconds(1)
            return try await answer(subject, fields, model, decoded: decoded)
        }
    }

    @Sendable func similar(_ request: Request, _ context: APIContext) async throws -> Response {
        let fields = RequestFields(query: request)
        try fields.require(only: Self.options)
        return try await answer(.product(context.parameter("id")), fields, service.model(fields.one("model")), decoded: nil)
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
        // Decoding takes up to half a second for a large picture: on threads made for that, as many at a time as there are cores.
        let image = try await NIOThreadPool.singleton.runIfActive {
            encoder.reduce(try ImageDecoder.decode(bytes, limits: limits.pictures))
        }
        return .image(image)
    }

    private func answer(
        _ subject: SearchQuery.Subject, _ fields: RequestFields, _ model: ServedModel, decoded: Double?
    ) async throws -> Response {
        var query = SearchQuery(
            subject, limit: try fields.integer("top_k", in: SearchQuery.limits, default: 10),
            filter: try CatalogFilter(fields.all("filter")), minimumScore: try fields.number("min_score", in: -1...1))
        if let grouping = try fields.one("group_by") {
            guard let grouping = SearchQuery.Grouping(rawValue: grouping) else {
                throw APIError.wrongParameter("group_by is \(APIError.quoted(grouping)), expected product or image.")
            }
            query.grouping = grouping
        }
        var response = try await model.engine.search(query)
        if let decoded {
            func rounded(_ milliseconds: Double) -> Double { (milliseconds * 1000).rounded() / 1000 }
            response.timing["decode"] = rounded(decoded)
            response.timing["total"] = rounded(response.timing["total", default: 0] + decoded)
        }
        for place in response.results.indices {
            // The address of the picture stands where the command has a path: a client has no use for the server's files.
            response.results[place].image.path = base.url(ImageRoutes.path(response.results[place].image.id))
        }
        return JSONAnswer.response(response)
    }
}

/// Lets so many uploads in at a time, and so many bytes of them.
final class UploadGate: Sendable {
    private let limit: Int
    private let byteLimit: Int
    private let inside = Mutex((count: 0, bytes: 0))

    init(limit: Int, byteLimit: Int) {
        self.limit = limit
        self.byteLimit = byteLimit
    }

    /// - Throws: `APIError.overloaded` where no more is let in, and what the body throws. The first upload is let in whatever its size.
    func admit<Value>(bytes: Int, _ body: () async throws -> Value) async throws -> Value {
        let isIn = inside.withLock { inside in
            guard inside.count < limit, inside.count == 0 || inside.bytes + bytes <= byteLimit else { return false }
            inside.count += 1
            inside.bytes += bytes
            return true
        }
        guard isIn else { throw APIError.overloaded }
        defer {
            inside.withLock { inside in
                inside.count -= 1
                inside.bytes -= bytes
            }
        }
        return try await body()
    }
}
