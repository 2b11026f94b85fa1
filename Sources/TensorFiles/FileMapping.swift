#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// A whole file mapped read-only; unmapped with the last reference.
final class FileMapping: Sendable {
    let path: String
    let count: Int
    // A raw pointer is not Sendable. Invariant: it is set once here, the pages behind it are never writable, and they stay mapped
    // until deinit, which no reader can overlap because every reader holds a reference.
    private nonisolated(unsafe) let base: UnsafeRawPointer?

    init(path: String) throws(TensorFileError) {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw .cannotOpen(path: path, reason: systemMessage()) }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw .cannotOpen(path: path, reason: systemMessage()) }
        guard status.st_mode & S_IFMT == S_IFREG else { throw .notARegularFile(path: path) }
        self.path = path
        self.count = Int(status.st_size)
        guard count > 0 else {  // mmap refuses a length of 0
            self.base = nil
            return
        }
        guard let mapped = mmap(nil, count, PROT_READ, MAP_PRIVATE, descriptor, 0), mapped != MAP_FAILED else {
            throw .cannotOpen(path: path, reason: systemMessage())
        }
        self.base = UnsafeRawPointer(mapped)
    }

    deinit {
        if let base { munmap(UnsafeMutableRawPointer(mutating: base), count) }
    }

    /// Lets go of the pages read so far; they come back from the file where they are touched again.
    func releasePages() {
        // Without effect on what a reader sees: the pages are the file's and were never written to.
        if let base { _ = madvise(UnsafeMutableRawPointer(mutating: base), count, MADV_DONTNEED) }
    }

    /// The bytes are valid only inside `body`.
    func withBytes<R, E: Error>(_ body: (UnsafeRawBufferPointer) throws(E) -> R) throws(E) -> R {
        defer { withExtendedLifetime(self) {} }
        return try body(UnsafeRawBufferPointer(start: base, count: count))
    }
}

/// The calling thread's `errno` in words.
func systemMessage() -> String {
    String(cString: strerror(errno))
}
