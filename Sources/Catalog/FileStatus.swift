public import Foundation

#if canImport(Darwin)
    import Darwin
#elseif canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// What the file system says about a path, symbolic links followed.
public struct FileStatus: Sendable, Hashable {
    public var size: Int64
    /// Time of the last change of content *or* of anything the file system keeps about the file, in ns since 1970.
    /// Unlike the modification time it cannot be set back by a tool that copies or unpacks.
    var changed: Int64
    var device: UInt64
    var inode: UInt64
    var isDirectory: Bool
    var isRegular: Bool

    /// Why a file cannot be had, in the operating system's words.
    public struct Failure: Error, Hashable {
        public var code: Int32
        public var reason: String
        var isAbsent: Bool { code == ENOENT || code == ENOTDIR }

        init(code: Int32) {
            self.code = code
            reason = String(cString: strerror(code))
        }

        /// Whether this process has too many files open, which is no matter of the file's.
        public var isOutOfDescriptors: Bool { code == EMFILE || code == ENFILE }

        init(reason: String) {
            code = 0
            self.reason = reason
        }
    }

    init(ofPath path: String) throws(Failure) {
        var status = stat()
        guard stat(path, &status) == 0 else { throw Failure(code: errno) }
        self.init(status)
    }

    private init(_ status: stat) {
        size = Int64(status.st_size)
        #if canImport(Darwin)
            let time = status.st_ctimespec
        #else
            let time = status.st_ctim
        #endif
        changed = Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
        device = UInt64(truncatingIfNeeded: status.st_dev)
        inode = UInt64(truncatingIfNeeded: status.st_ino)
        isDirectory = status.st_mode & S_IFMT == S_IFDIR
        isRegular = status.st_mode & S_IFMT == S_IFREG
    }

    /// Opens a regular file, and says what it is as it stands open; nobody can replace it then.
    public static func open(_ path: String) throws(Failure) -> (file: FileHandle, status: FileStatus) {
        // Without O_NONBLOCK opening a named pipe would wait for its writer for ever.
        let descriptor = openFile(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { throw Failure(code: errno) }
        let file = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
        var raw = stat()
        guard fstat(descriptor, &raw) == 0 else { throw Failure(code: errno) }
        let status = FileStatus(raw)
        guard status.isRegular else { throw Failure(reason: status.isDirectory ? "it is a folder" : "it is not a regular file") }
        return (file, status)
    }

    /// The system's call; a type's own `open` hides it within the type.
    private static func openFile(_ path: String, _ flags: Int32) -> Int32 {
        #if canImport(Darwin)
            Darwin.open(path, flags)
        #elseif canImport(Glibc)
            Glibc.open(path, flags)
        #elseif canImport(Musl)
            Musl.open(path, flags)
        #endif
    }

    /// Reads a whole regular file of at most `limit` bytes. The status is taken from the open file, before the first byte:
    /// a change during or after reading leaves another status behind.
    static func read(_ path: String, limit: Int64) throws(Failure) -> (bytes: Data, status: FileStatus) {
        let (file, status) = try open(path)
        defer { try? file.close() }
        guard status.size <= limit else {
            throw Failure(reason: "it has \(status.size) bytes, and at most \(limit) are read")
        }
        var bytes = Data(count: Int(status.size))
        let filled = try fill(&bytes, from: file.fileDescriptor)
        return (filled == bytes.count ? bytes : bytes.prefix(filled), status)
    }

    /// Reads until the buffer is full or the file ends; returns how many bytes came.
    private static func fill(_ bytes: inout Data, from descriptor: Int32) throws(Failure) -> Int {
        var filled = 0
        while filled < bytes.count {
            let wanted = bytes.count - filled
            let got = bytes.withUnsafeMutableBytes { buffer in
                #if canImport(Darwin)
                    Darwin.read(descriptor, buffer.baseAddress?.advanced(by: filled), wanted)
                #elseif canImport(Glibc)
                    Glibc.read(descriptor, buffer.baseAddress?.advanced(by: filled), wanted)
                #elseif canImport(Musl)
                    Musl.read(descriptor, buffer.baseAddress?.advanced(by: filled), wanted)
                #endif
            }
            if got < 0 {
                if errno == EINTR { continue }
                throw Failure(code: errno)
            }
            if got == 0 { break }  // cut short while it was read
            filled += got
        }
        return filled
    }

    /// The first bytes of a regular file, at most `count`.
    static func start(of path: String, count: Int) throws(Failure) -> Data {
        let descriptor = openFile(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { throw Failure(code: errno) }
        defer { close(descriptor) }
        var bytes = Data(count: count)
        let filled = try fill(&bytes, from: descriptor)
        return bytes.prefix(filled)
    }

    /// What a folder holds.
    struct Listing {
        /// Sorted by their bytes so that every machine sees the same order.
        var names: [String] = []
        /// Names that are not UTF-8, repaired for being shown: no path leads to them.
        var unreadable: [String] = []
    }

    /// The names in a folder, without `.` and `..`.
    static func names(inFolder path: String) throws(Failure) -> Listing {
        guard let folder = opendir(path) else { throw Failure(code: errno) }
        defer { closedir(folder) }
        var listing = Listing()
        while let entry = readdir(folder) {
            withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                pointer.withMemoryRebound(to: CChar.self, capacity: MemoryLayout.size(ofValue: pointer.pointee)) {
                    if let name = String(validatingCString: $0) {
                        if name != ".", name != ".." { listing.names.append(name) }
                    } else {
                        listing.unreadable.append(String(cString: $0))
                    }
                }
            }
        }
        listing.names.sort { $0.utf8.lexicographicallyPrecedes($1.utf8) }
        return listing
    }

    /// The path with every symbolic link resolved; fails where nothing stands or links go round in a circle.
    static func realPath(_ path: String) throws(Failure) -> String {
        guard let resolved = realpath(path, nil) else { throw Failure(code: errno) }
        defer { free(resolved) }
        return String(cString: resolved)
    }
}
