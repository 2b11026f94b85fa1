/// A safetensors file, mapped read-only: opening reads the header alone, elements are paged in where they are touched.
///
/// Bytes of the file:
///
///     0      8      little-endian UInt64 n, the length of the header
///     8      n      JSON object, first byte `{`, padded behind with blanks:
///                     "<name>": {"dtype": "F32", "shape": [2, 3], "data_offsets": [begin, end]}
///                     "__metadata__": {"<key>": "<text>"}     (optional)
///     8 + n  rest   elements, little-endian, last index fastest; offsets count from here
///
/// The tensors cover the data without gap or overlap. They need not be aligned. A file that someone cuts short while it is mapped
/// ends the process with SIGBUS, as with every mapping; `SafetensorsWriter` therefore replaces files and never rewrites them.
public final class SafetensorsFile: TensorSource {
    /// The reference implementation's limit; it bounds the memory that a broken length can claim.
    public static let headerLimit = 100_000_000

    public let path: String
    /// The texts under `__metadata__`; empty where the file has none.
    public let metadata: [String: String]
    public let tensors: [String: TensorDescription]
    /// Names in the order of the elements in the file; empty tensors in the header's order.
    public let names: [String]

    private let mapping: FileMapping
    private let ranges: [String: Range<Int>]

    /// Opens a file and checks its whole header.
    /// - Throws: `TensorFileError` where the file can't be read or is not exactly what the format says.
    public init(path: String) throws(TensorFileError) {
        let mapping = try FileMapping(path: path)
        let header = try mapping.withBytes { (bytes) throws(TensorFileError) in
            try SafetensorsHeader(path: path, bytes: bytes)
        }
        self.path = path
        self.mapping = mapping
        self.metadata = header.metadata
        self.names = header.entries.map(\.tensor.name)
        // The parser refused repeated names.
        self.tensors = Dictionary(uniqueKeysWithValues: header.entries.map { ($0.tensor.name, $0.tensor) })
        self.ranges = Dictionary(uniqueKeysWithValues: header.entries.map { ($0.tensor.name, $0.range) })
    }

    /// Every tensor of the file: true for its names.
    public func liesInPlace(_ name: String) -> Bool { ranges[name] != nil }

    public func releasePages() { mapping.releasePages() }

    /// Lends a tensor's bytes without a copy. They may be unaligned: read them with `loadUnaligned`.
    /// - Throws: `TensorFileError.noSuchTensor`, or what `body` throws.
    public func withBytes<R>(of name: String, _ body: (UnsafeRawBufferPointer) throws -> R) throws -> R {
        guard let range = ranges[name] else {
            throw TensorFileError.noSuchTensor(path: path, tensor: name, count: names.count)
        }
        return try mapping.withBytes { (bytes) throws in try body(UnsafeRawBufferPointer(rebasing: bytes[range])) }
    }

    /// A tensor's elements as `Float`, row by row; F64 is rounded to nearest, the narrower formats are exact.
    /// - Throws: `.noSuchTensor`, or `.notFloatingPoint` for integers and booleans.
    public func floats(_ name: String) throws(TensorFileError) -> [Float] {
        guard let tensor = tensors[name], let range = ranges[name] else {
            throw .noSuchTensor(path: path, tensor: name, count: names.count)
        }
        guard tensor.type.isFloatingPoint else { throw .notFloatingPoint(path: path, tensor: name, found: tensor.type) }
        return mapping.withBytes { bytes in
            ElementConversion.floats(UnsafeRawBufferPointer(rebasing: bytes[range]), tensor.type)
        }
    }
}
