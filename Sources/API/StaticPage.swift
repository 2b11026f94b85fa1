public import Foundation
import HTTPTypes
import Hummingbird
import NIOCore

/// The built page, read once: a few small files, and what of them is compressed already (`name.gz` beside `name`).
///
/// Only files that lay in the folder then are ever given out, so no address leads out of it.
public struct StaticPage: Sendable {
    private struct File: Sendable {
        var plain: ByteBuffer
        var compressed: ByteBuffer?
    }

    private var files: [String: File] = [:]
    /// An origin, such as `https://pictures.shop.example`, from which the page may show pictures beside those of the server.
    public var pictureOrigin: String?

    var names: [String] { files.keys.sorted() }

    /// - Throws: what Foundation throws where the folder can't be read; `CocoaError` without an `index.html`.
    public init(folder: URL) throws {
        let entries = try FileManager.default.contentsOfDirectory(
            at: folder.resolvingSymlinksInPath(), includingPropertiesForKeys: [.isRegularFileKey])
        for file in entries where try file.resourceValues(forKeys: [.isRegularFileKey]).isRegularFile == true {
            let bytes = ByteBuffer(bytes: try Data(contentsOf: file))
            let name = file.lastPathComponent
            if name.hasSuffix(".gz") {
                files[String(name.dropLast(3)), default: File(plain: ByteBuffer())].compressed = bytes
            } else {
                files[name, default: File(plain: bytes)].plain = bytes
            }
        }
        guard files["index.html"] != nil else {
            throw CocoaError(.fileReadNoSuchFile, userInfo: [NSFilePathErrorKey: folder.appending(path: "index.html").path])
        }
    }

    func response(to name: String, _ request: Request, base: BasePath) -> Response {
        guard let file = files[name] else { return Response(status: .notFound) }
        var headers: HTTPFields = [.contentType: Self.mediaType(name), .xContentTypeOptions: "nosniff"]
        if name == "index.html" {
            // The page's addresses are relative to its base, which is known here alone. Asked for anew each time: it names the other files.
            let html = String(buffer: file.plain).replacing("<base href=\"/\">", with: "<base href=\"\(base.path)/\">")
            headers[.cacheControl] = "no-cache"
            headers[.contentSecurityPolicy] =
                "default-src 'self'; img-src 'self' blob: data:\(pictureOrigin.map { " " + $0 } ?? ""); style-src 'self' 'unsafe-inline'; frame-ancestors 'self'; base-uri 'self'"
            return Response(status: .ok, headers: headers, body: ResponseBody(byteBuffer: ByteBuffer(string: html)))
        }
        // A file whose name holds a hash of its content never changes.
        headers[.cacheControl] = name.split(separator: ".").count > 2 ? "public, max-age=31536000, immutable" : "no-cache"
        headers[.vary] = "Accept-Encoding"
        if let compressed = file.compressed, Self.takesGzip(request) {
            headers[.contentEncoding] = "gzip"
            return Response(status: .ok, headers: headers, body: ResponseBody(byteBuffer: compressed))
        }
        return Response(status: .ok, headers: headers, body: ResponseBody(byteBuffer: file.plain))
    }

    /// Whether a client takes gzip: `gzip;q=0` says that it does not.
    private static func takesGzip(_ request: Request) -> Bool {
        request.headers[values: .acceptEncoding].flatMap { $0.split(separator: ",") }.contains { coding in
            let parts = coding.split(separator: ";").map { $0.trimmingCharacters(in: .whitespaces).lowercased() }
            guard parts.first == "gzip" else { return false }
            let weight = parts.dropFirst().first { $0.hasPrefix("q=") }.flatMap { Double($0.dropFirst(2)) }
            return weight.map { $0 > 0 } ?? true
        }
    }

    private static func mediaType(_ name: String) -> String {
        switch name.split(separator: ".").last {
        case "html": "text/html; charset=utf-8"
        case "js": "text/javascript; charset=utf-8"
        case "css": "text/css; charset=utf-8"
        case "svg": "image/svg+xml"
        case "png": "image/png"
        case "json", "map": "application/json"
        case "webmanifest": "application/manifest+json"
        case "txt": "text/plain; charset=utf-8"
        default: "application/octet-stream"
        }
    }
}
