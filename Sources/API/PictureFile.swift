import Catalog
import Foundation
import HTTPTypes
import Synchronization

/// A picture's file, as a server reads it: somebody may replace it by anything at any time.
enum PictureFile {
    static let gone = APIError(.notFound, "picture_gone", "The picture's file is not there any more, or has changed.")

    /// Above every limit of an import.
    private static let byteLimit = 256 << 20

    /// - Throws: `gone` for what is not a file of a picture's size: only regular files are read, so a pipe stops nobody.
    static func read<Value>(_ path: String, _ body: (FileStatus, FileHandle) throws -> Value) throws -> Value {
        let file: FileHandle
        let status: FileStatus
        do { (file, status) = try FileStatus.open(path) } catch {
            // Too few descriptors are this process's own trouble.
            throw error.isOutOfDescriptors ? APIError.overloaded : gone
        }
        guard status.size <= byteLimit else { throw gone }
        return try body(status, file)
    }

    static func bytes(ofFile path: String) throws -> Data {
        try read(path) { _, handle in try contents(handle) }
    }

    fileprivate static func contents(_ handle: FileHandle) throws -> Data {
        do { return try handle.read(upToCount: byteLimit) ?? Data() } catch { throw gone }
    }
}

/// What the bytes of picture files are, read anew only when a file has changed.
final class ContentTags: Sendable {
    private static let limit = 100_000
    private let known = Mutex<[FileStatus: ContentHash]>([:])

    /// - Throws: `PictureFile.gone`.
    func hash(ofFile path: String) throws -> ContentHash {
        try PictureFile.read(path) { status, handle in
            if let hash = known.withLock({ $0[status] }) { return hash }
            let hash = ContentHash(of: try PictureFile.contents(handle))
            known.withLock { known in
                // So many pictures are rarely asked for; reading them again is cheaper than keeping an order.
                if known.count >= Self.limit { known = [:] }
                known[status] = hash
            }
            return hash
        }
    }
}
