/// The zip archive of a PyTorch file: which entries belong to it, before anything is said about what they hold.
///
///     NAME/data.pkl      the pickle: every value, and for each tensor the key of its storage
///     NAME/data/<key>    the elements of one storage, raw
///     NAME/byteorder     "little" or "big"; absent in older files, which are little-endian
///     NAME/code/…        in TorchScript archives alone: source text, which nothing here reads
///
/// NAME is whatever the file was called when it was saved.
struct TorchArchive {
    let path: String
    let isTorchScript: Bool
    private let directory: ZipDirectory
    private let prefix: String

    private static let pickleName = "data.pkl"
    /// The pickle that every file of the format before 1.6 begins with: a number of ten bytes.
    private static let oldMagic: [UInt8] = [0x80, 2, 0x8A, 10, 0x6C, 0xFC, 0x9C, 0x46, 0xF9, 0x20, 0x6A, 0xA8, 0x50, 0x19]

    /// - Parameter bytes: the whole file.
    init(path: String, bytes: UnsafeRawBufferPointer) throws(TensorFileError) {
        guard !bytes.isEmpty else { throw .notTorch(path: path, found: "is empty") }
        guard !bytes.starts(with: Self.oldMagic) else { throw .oldTorch(path: path) }
        guard bytes.little(UInt32.self, at: 0) == ZipFormat.localEntry else {
            let isPickle = bytes[0] == 0x80
            throw .notTorch(path: path, found: isPickle ? "is a pickle without an archive" : "does not begin as a zip archive")
        }
        self.path = path
        directory = try ZipDirectory(path: path, bytes: bytes)
        let prefixes = directory.entries.keys.filter { $0.hasSuffix("/" + Self.pickleName) }
            .map { String($0.dropLast(Self.pickleName.count)) }
            .filter { $0.dropLast().utf8.allSatisfy { $0 != UInt8(ascii: "/") } }
        guard prefixes.count == 1 else {
            throw .notTorch(
                path: path,
                found: prefixes.isEmpty
                    ? "is a zip archive without a `data.pkl` in its folder" : "is a zip archive of \(prefixes.count) checkpoints")
        }
        let prefix = prefixes[0]
        self.prefix = prefix
        isTorchScript = directory.entries.keys.contains { $0.hasPrefix(prefix + "code/") || $0 == prefix + "constants.pkl" }
        if let order = try record("byteorder", in: bytes), !bytes[order].elementsEqual("little".utf8) {
            guard bytes[order].elementsEqual("big".utf8) else {
                throw .invalidArchive(path: path, part: "its byteorder", problem: "is neither little nor big")
            }
            throw .bigEndian(path: path)
        }
    }

    func pickle(in bytes: UnsafeRawBufferPointer) throws(TensorFileError) -> Range<Int> {
        guard let range = try record(Self.pickleName, in: bytes) else {
            throw .notTorch(path: path, found: "is a zip archive without a `data.pkl` in its folder")
        }
        return range
    }

    /// The bytes of `NAME/<name>` in the file; nil where there is no such entry.
    func record(_ name: String, in bytes: UnsafeRawBufferPointer) throws(TensorFileError) -> Range<Int>? {
        try directory.contents(of: prefix + name, in: bytes)
    }
}
