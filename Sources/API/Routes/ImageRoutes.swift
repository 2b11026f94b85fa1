import Catalog
import Foundation
import HTTPTypes
import Hummingbird
import Imaging
import NIOCore
import Synchronization

/// `GET /images/{id}?w=` and the samples: pictures of every format that is read, as JPEG at a few fixed widths, since a free width is a load attack.
struct ImageRoutes {
    let service: SearchService
    let base: BasePath
    private let limits: ServerLimits
    private let cache = PictureCache(byteLimit: 48 << 20)
    private let tags = ContentTags()
    /// Apart from the threads that decode uploads: a page full of pictures does not stand before a search.
    private let pool: WorkPool

    static let widths = [160, 320, 640, 1280]

    static func path(_ id: ImageID) -> String { "/api/v1/images/\(id)" }

    init(service: SearchService, limits: ServerLimits, base: BasePath) {
        self.service = service
        self.limits = limits
        self.base = base
        pool = WorkPool(threads: max(1, System.coreCount - 1), waiting: limits.picturesWaiting, name: "pictures")
    }

    func add(to group: RouterGroup<APIContext>) {
        group.get("images/:id", use: image)
        group.get("samples", use: samples)
        group.get("samples/:number", use: sample)
    }

    @Sendable func image(_ request: Request, _ context: APIContext) async throws -> Response {
        let id = context.parameter("id")
        let width = try width(request)
        guard let number = ImageID(id), let image = try service.catalog.image(number), image.state == .ok else {
            throw APIError.unknownImage(id)
        }
        if let address = image.address {
            return Response(status: .found, headers: [.location: address, .cacheControl: "no-cache"])
        }
        return try await picture(path: image.path, width: width, request)
    }

    @Sendable func samples(_ request: Request, _ context: APIContext) async throws -> Response {
        let (pictures, about) = try service.samples()
        let samples = pictures.enumerated().map { place, sample in
            SampleListing.Sample(title: sample.title, path: base.url("/api/v1/samples/\(place)"))
        }
        return JSONAnswer.response(SampleListing(samples: samples, about: about))
    }

    @Sendable func sample(_ request: Request, _ context: APIContext) async throws -> Response {
        let number = context.parameter("number")
        let samples = try service.samples().pictures
        guard let place = Int(number), samples.indices.contains(place) else {
            throw APIError(.notFound, "unknown_sample", "There is no sample \(APIError.quoted(number)).")
        }
        return try await picture(path: samples[place].path, width: try width(request), request)
    }

    private func width(_ request: Request) throws(APIError) -> Int {
        let fields = try RequestFields(query: request, .init(["w"]))
        guard let text = try fields.one("w") else { return Self.widths[Self.widths.count - 1] }
        guard let width = Int(text), Self.widths.contains(width) else {
            throw .wrongParameter(
                "w is \(APIError.quoted(text)), expected one of \(Self.widths.map(String.init).joined(separator: ", ")).")
        }
        return width
    }

    /// A JPEG of at most that width, never enlarged.
    private func picture(path: String, width: Int, _ request: Request) async throws -> Response {
        let hash = try await pool.run { [tags] _ in try tags.hash(ofFile: path) }
        // Asked for anew each time, and mostly answered with 304: another catalogue has other pictures under the same numbers.
        let tag = "\"\(hash.hex.prefix(24))-\(width)\""
        let headers: HTTPFields = [.eTag: tag, .cacheControl: "no-cache"]
        let known = request.headers[values: .ifNoneMatch].flatMap { $0.split(separator: ",") }
        if known.contains(where: { $0.contains(tag) || $0.trimmingCharacters(in: .whitespaces) == "*" }) {
            return Response(status: .notModified, headers: headers)
        }
        let bytes = try await cache.bytes(of: PictureCache.Key(hash: hash.hex, width: width)) { [pool, limits] in
            // Others may wait for this picture too, so it has a deadline of its own and not that of the request that began it.
            try await ClientPresence().run(deadline: limits.request) {
                try await pool.run { ticket in
                    try Self.scaled(path: path, hash: hash, width: width, limits.pictures.formats, ticket)
                }
            }
        }
        var answer = Response(status: .ok, headers: headers, body: ResponseBody(byteBuffer: bytes))
        answer.headers[.contentType] = "image/jpeg"
        return answer
    }

    private static func scaled(
        path: String, hash: ContentHash, width: Int, _ formats: Set<ImageFormat>, _ ticket: WorkTicket
    ) throws -> ByteBuffer {
        let file = try PictureFile.bytes(ofFile: path)
        // Nothing is kept under the name of other bytes: the file may have been replaced since it was looked at.
        guard ContentHash(of: file) == hash else { throw PictureFile.gone }
        // As large as import let it in, but of no format that this server was told to leave alone.
        var limits = DecodingLimits.ownFiles
        limits.formats = formats
        let whole: RGBImage
        do { whole = try PictureDecoding.decode(file, limits: limits, ticket, minimumSide: width) } catch let error
            as ImageError
        {
            if error.category == .failed || error.category == .stopped { throw error }
            // The file was good when it was imported.
            throw PictureFile.gone
        }
        let height = max(1, (whole.height * width + whole.width / 2) / whole.width)
        let scaled = whole.width > width ? whole.resized(width: width, height: height, filter: .lanczos) : whole
        return ByteBuffer(bytes: try ImageEncoder.jpeg(scaled, quality: 85))
    }
}
