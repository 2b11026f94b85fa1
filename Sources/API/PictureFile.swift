import Catalog
import Dispatch
import Foundation
import HTTPTypes
import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// A picture's file, as a server reads it: somebody may replace it by anything at any time.
enum PictureFile {
    static let gone = APIError(.notFound, "picture_gone", "The picture's file is not there any more, or has changed.")

    /// Above every limit of an import.
    private static let byteLimit = 256 << 20

    /// What tells one state of a file from another without reading it.
    struct Stamp: Hashable {
        let device: UInt64
        let file: UInt64
        let size: Int64
        let changed: Int64
        let changedNanoseconds: Int64
    }

    /// - Throws: `gone` for what is not a file of a picture's size: only regular files are read, so a pipe stops nobody.
    static func read<Value>(_ path: String, _ body: (Stamp, FileHandle) throws -> Value) throws -> Value {
        // Without O_NONBLOCK the opening of a pipe waits for somebody who writes into it.
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else {
            // Too few descriptors are this process's own trouble.
            if errno == EMFILE || errno == ENFILE { throw APIError.overloaded }
            throw gone
        }
        let handle = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG,
            (0...Int64(byteLimit)).contains(Int64(status.st_size))
        else { throw gone }
        #if canImport(Darwin)
            let time = status.st_ctimespec
        #else
            let time = status.st_ctim
        #endif
        let stamp = Stamp(
            device: UInt64(truncatingIfNeeded: status.st_dev), file: UInt64(truncatingIfNeeded: status.st_ino),
            size: Int64(status.st_size),
            changed: Int64(time.tv_sec), changedNanoseconds: Int64(time.tv_nsec))
        return try body(stamp, handle)
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
    private let known = Mutex<[PictureFile.Stamp: ContentHash]>([:])

    /// - Throws: `PictureFile.gone`.
    func hash(ofFile path: String) throws -> ContentHash {
        try PictureFile.read(path) { stamp, handle in
            if let hash = known.withLock({ $0[stamp] }) { return hash }
            let hash = ContentHash(of: try PictureFile.contents(handle))
            known.withLock { known in
                // So many pictures are rarely asked for; reading them again is cheaper than keeping an order.
                if known.count >= Self.limit { known = [:] }
                known[stamp] = hash
            }
            return hash
        }
    }
}
