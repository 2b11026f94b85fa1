import Foundation
import NIOCore

/// The API in OpenAPI 3.1: the file openapi.json beside this one, which is part of the program. Tests hold every answer against it.
enum OpenAPIDocument {
    /// - Parameter server: the address below which the paths stand, such as `/` or `/finder`.
    static func json(server: String) throws -> ByteBuffer {
        // Every letter of a base path may stand in JSON as it is, see `BasePath.isValid`.
        let text = String(decoding: PackageResources.openapi_json, as: UTF8.self)
        return ByteBuffer(string: text.replacing(#""servers": [{"url": "/"}]"#, with: #""servers": [{"url": "\#(server)"}]"#))
    }
}
