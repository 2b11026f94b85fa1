#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// A file that appears under its name whole or not at all: it grows under a temporary name beside the target, and `commit`
/// renames it. Without `commit` the temporary file goes with this object.
///
/// The one way in which files of models, runs and vectors are replaced.
package final class ReplacingFile {
    private let path: String
    private let temporary: String
    private var descriptor: Int32

    package init(path: String) throws(TensorFileError) {
        let (folder, name) = Self.split(path)
        self.path = path
        // Random, and created exclusively: two writers of one target never share a temporary file. The name is cut so that a
        // long target name still leaves room under the usual limit of 255 bytes.
        let random = String(UInt64.random(in: .min ... .max), radix: 36)
        self.temporary = "\(folder)/.\(String(decoding: name.utf8.prefix(200), as: UTF8.self)).\(random).partial"
        self.descriptor = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
        guard descriptor >= 0 else {
            throw .cannotWrite(path: path, step: "creating a temporary file beside it", reason: systemMessage())
        }
    }

    /// Puts a file of these bytes at `path`, whole and on the disk.
    package static func put(_ bytes: some Collection<UInt8>, at path: String) throws(TensorFileError) {
        let file = try ReplacingFile(path: path)
        try file.append([UInt8](bytes))
        try file.commit()
    }

    deinit {
        guard descriptor >= 0 else { return }
        close(descriptor)
        unlink(temporary)
    }

    package func append(_ bytes: [UInt8]) throws(TensorFileError) {
        // Array.withUnsafeBytes forgets the error's type; a Result keeps it.
        try bytes.withUnsafeBytes { bytes in
            Result { () throws(TensorFileError) in try append(bytes) }
        }.get()
    }

    package func append(_ bytes: UnsafeRawBufferPointer) throws(TensorFileError) {
        guard let base = bytes.baseAddress else { return }
        var done = 0
        while done < bytes.count {
            let count = write(descriptor, base + done, bytes.count - done)
            if count < 0 && errno == EINTR { continue }
            guard count > 0 else { throw .cannotWrite(path: path, step: "writing", reason: systemMessage()) }
            done += count
        }
    }

    package func commit() throws(TensorFileError) {
        guard fsync(descriptor) == 0 else { throw .cannotWrite(path: path, step: "fsync", reason: systemMessage()) }
        guard rename(temporary, path) == 0 else { throw .cannotWrite(path: path, step: "rename", reason: systemMessage()) }
        close(descriptor)
        descriptor = -1
        try Self.syncFolder(of: path)
    }

    /// Brings the name `path` to the disk: it stands in its folder, which has a disk block of its own.
    package static func syncFolder(of path: String) throws(TensorFileError) {
        let folder = open(split(path).folder, O_RDONLY | O_CLOEXEC)
        guard folder >= 0 else { throw .cannotWrite(path: path, step: "opening its folder", reason: systemMessage()) }
        defer { close(folder) }
        // Some file systems have no fsync of a folder and say EINVAL: there is nothing more to ask of them.
        guard fsync(folder) == 0 || errno == EINVAL else {
            throw .cannotWrite(path: path, step: "fsync of its folder", reason: systemMessage())
        }
    }

    private static func split(_ path: String) -> (folder: String, name: String) {
        guard let slash = path.lastIndex(of: "/") else { return (".", path) }
        return (slash == path.startIndex ? "/" : String(path[..<slash]), String(path[path.index(after: slash)...]))
    }
}
