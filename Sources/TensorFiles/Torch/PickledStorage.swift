/// A storage that a pickle refers to by a persistent id, found in the archive.
final class PickledStorage {
    /// Such as `torch.FloatStorage`.
    let className: String
    /// nil for an untyped storage.
    let type: ElementType?
    /// Such as `data/0`.
    let record: String
    /// Its bytes in the file.
    let range: Range<Int>
    /// In elements; in bytes where it is untyped.
    let count: Int

    init(className: String, key: String, count: Int, archive: TorchArchive, bytes: UnsafeRawBufferPointer) throws(TensorFileError)
    {
        let record = "data/\(key)"
        func broken(_ problem: String) -> TensorFileError {
            .invalidTensor(path: archive.path, storage: String(record.prefix(60)), problem: problem)
        }
        guard let range = try archive.record(record, in: bytes) else { throw broken("the archive has no such entry") }
        self.className = className
        self.type = ElementType(torchStorage: className)
        self.record = record
        self.range = range
        self.count = count
        let (size, overflow) = count.multipliedReportingOverflow(by: type?.byteCount ?? 1)
        guard count >= 0, !overflow, size <= range.count else {
            throw broken("\(className) of \(count) elements does not fit its \(range.count) bytes")
        }
    }
}

extension ElementType {
    /// The class in the module `torch` that names this type in a persistent id; tensors on CUDA are saved under the same names.
    var torchStorage: String {
        switch self {
        case .float64: "DoubleStorage"
        case .float32: "FloatStorage"
        case .float16: "HalfStorage"
        case .bfloat16: "BFloat16Storage"
        case .int64: "LongStorage"
        case .int32: "IntStorage"
        case .int16: "ShortStorage"
        case .int8: "CharStorage"
        case .uint8: "ByteStorage"
        case .bool: "BoolStorage"
        }
    }

    private static let byTorchStorage = Dictionary(uniqueKeysWithValues: allCases.map { ("torch.\($0.torchStorage)", $0) })

    /// - Parameter name: the module and the class, such as `torch.FloatStorage`.
    init?(torchStorage name: String) {
        guard let type = Self.byTorchStorage[name] else { return nil }
        self = type
    }
}
