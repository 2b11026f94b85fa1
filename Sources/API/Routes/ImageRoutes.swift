import Catalog
import Foundation
import HTTPTypes
import Hummingbird
import Imaging
import NIOCore
import NIOPosix
import Synchronization

/// `GET /images/{id}?w=` and the samples: pictures at a few fixed widths, since a free width is a load attack.
struct ImageRoutes {
    let service: SearchService
    let base: BasePath
    private let cache = PictureCache(byteLimit: 48 << 20)

    /// Apart from the pool that uploads are decoded on: a page full of pictures does not stand before a search.
    private static let pool: NIOThreadPool = {
        let pool = NIOThreadPool(numberOfThreads: max(1, System.coreCount - 1))
        pool.start()
        return pool
    }()

    static let widths = [160, 320, 640, 1280]

    static func path(_ id: ImageID) -> String { "/api/v1/images/\(id)" }

    init(service: SearchService, base: BasePath) {
        self.service = service
        self.base = base
    }

    func add(to group: RouterGroup<APIContext>) {
        group.get("images/:id", use: image)
        group.get("samples", use: samples)
        group.get("samples/:number", use: sample)
    }

    @Sendable func image(_ request: Request, _ context: APIContext) async throws -> Response {
        let id = context.parameter("id")
        let width = try width(request)
        guard let number = ImageID(id), let image = try service.catalog.image(number), image.state == .ok,
            let hash = image.contentHash
        else { throw APIError.unknownImage(id) }
        return try await picture(path: image.path, hash: hash.hex, width: width, request)
    }

    private struct Sample: Encodable {
        let title: String
        let path: String
    }

    private struct Samples: Encodable {
        let samples: [Sample]
    }

    @Sendable func samples(_ request: Request, _ context: APIContext) async throws -> Response {
        let samples = try service.samples().enumerated().map { place, sample in
            Sample(title: sample.title, path: base.url("/api/v1/samples/\(place)"))
        }
        return JSONAnswer.response(Samples(samples: samples))
    }

    @Sendable func sample(_ request: Request, _ context: APIContext) async throws -> Response {
        let number = context.parameter("number")
        let samples = try service.samples()
        guard let place = Int(number), samples.indices.contains(place) else {
            throw APIError(.notFound, "unknown_sample", "There is no sample \(APIError.quoted(number)).")
        }
        // Samples have no hash in the catalogue: path, size and time of change tell one from another.
        let path = samples[place].path
        let facts = try? FileManager.default.attributesOfItem(atPath: path)
        let changed = (facts?[.modificationDate] as? Date)?.timeIntervalSince1970 ?? 0
        let print = "\(path)\0\(facts?[.size] as? Int ?? 0)\0\(changed)"
        return try await picture(path: path, hash: ContentHash(of: Data(print.utf8)).hex, width: try width(request), request)
    }

    private func width(_ request: Request) throws(APIError) -> Int {
        let fields = RequestFields(query: request)
        try fields.require(only: ["w"])
        guard let text = try fields.one("w") else { return Self.widths[Self.widths.count - 1] }
        guard let width = Int(text), Self.widths.contains(width) else {
            throw .wrongParameter(
                "w is \(APIError.quoted(text)), expected one of \(Self.widths.map(String.init).joined(separator: ", ")).")
        }
        return width
    }

    /// A JPEG of at most that width, never enlarged.
    private func picture(path: String, hash: String, width: Int, _ request: Request) async throws -> Response {
        // Asked for anew each time, and mostly answered with 304: another catalogue has other pictures under the same numbers.
        let tag = "\"\(hash.prefix(24))-\(width)\""
        let headers: HTTPFields = [.eTag: tag, .cacheControl: "no-cache"]
        if request.headers[.ifNoneMatch]?.split(separator: ",").contains(where: { $0.contains(tag) || $0 == "*" }) == true {
            return Response(status: .notModified, headers: headers)
        }
        let bytes = try await cache.bytes(of: PictureCache.Key(hash: hash, width: width)) {
            try await Self.pool.runIfActive {
                let whole: RGBImage
                do throws(ImageError) {
                    whole = try ImageDecoder.decode(contentsOfFile: path, limits: .ownFiles, minimumSide: width)
                } catch {
                    if error.category == .failed || error.category == .stopped { throw error }
                    // The file was good when it was imported.
                    throw APIError(.notFound, "picture_gone", "The picture's file is not there any more, or has changed.")
                }
                let height = max(1, (whole.height * width + whole.width / 2) / whole.width)
                let scaled =
                    whole.width > width ? whole.resized(width: width, height: height, filter: .lanczos) : whole
                return ByteBuffer(bytes: try ImageEncoder.jpeg(scaled, quality: 85))
            }
        }
        var answer = Response(status: .ok, headers: headers, body: ResponseBody(byteBuffer: bytes))
        answer.headers[.contentType] = "image/jpeg"
        return answer
    }
}

/// Scaled pictures in memory, up to a number of bytes; the ones that were not asked for the longest go first.
final class PictureCache: Sendable {
    struct Key: Hashable {
        let hash: String
        let width: Int
    }

    private struct State {
        var entries: [Key: (bytes: ByteBuffer, used: UInt64)] = [:]
        /// Pictures that are being scaled: a page of clients that come at once waits for one scaling.
        var running: [Key: Task<ByteBuffer, any Error>] = [:]
        var size = 0
        var clock: UInt64 = 0
    }

    private let byteLimit: Int
    private let state = Mutex(State())

    init(byteLimit: Int) { self.byteLimit = byteLimit }

    /// What is kept, what somebody else is waiting for already, or what `make` makes. A client that goes away does not end the work: others may
    /// wait for it, and it is kept.
    func bytes(of key: Key, make: @escaping @Sendable () async throws -> ByteBuffer) async throws -> ByteBuffer {
        let task = state.withLock { state -> Task<ByteBuffer, any Error> in
            state.clock += 1
            if let bytes = state.entries[key]?.bytes {
                state.entries[key]?.used = state.clock
                return Task { bytes }
            }
            if let task = state.running[key] { return task }
            let task = Task {
                defer { self.state.withLock { $0.running[key] = nil } }
                let bytes = try await make()
                self.keep(bytes, at: key)
                return bytes
            }
            state.running[key] = task
            return task
        }
        return try await task.value
    }

    private func keep(_ bytes: ByteBuffer, at key: Key) {
        guard bytes.readableBytes <= byteLimit / 4 else { return }
        state.withLock { state in
            state.entries[key] = (bytes, state.clock)
            state.size += bytes.readableBytes
            if state.size <= byteLimit { return }
            // A quarter goes at a time, so that the sorting is rare.
            for (old, entry) in state.entries.sorted(by: { $0.value.used < $1.value.used }) {
                if state.size <= byteLimit / 4 * 3 { break }
                state.entries.removeValue(forKey: old)
                state.size -= entry.bytes.readableBytes
            }
        }
    }
}
