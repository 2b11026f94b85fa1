/// A tensor on its way into a file: what it is, and a closure that hands out its elements when their turn comes.
public struct TensorToWrite {
    public let name: String
    public let type: ElementType
    public let shape: [Int]
    let provide: ((UnsafeRawBufferPointer) throws -> Void) throws -> Void

    /// - Parameter withBytes: calls its argument with the elements, little-endian, last index fastest: at once or in several
    ///   parts one after the other. It is called once, while the file is being written; the parts must add up to the shape.
    public init(
        name: String, type: ElementType, shape: [Int],
        withBytes provide: @escaping ((UnsafeRawBufferPointer) throws -> Void) throws -> Void
    ) {
        self.name = name
        self.type = type
        self.shape = shape
        self.provide = provide
    }

    public init(name: String, type: ElementType, shape: [Int], bytes: [UInt8]) {
        self.init(name: name, type: type, shape: shape) { body in try bytes.withUnsafeBytes(body) }
    }
}

extension TensorToWrite {
    /// The precision in which `Float`s are written.
    public enum Precision: Sendable {
        case float32
        /// Nearest, ties to even; magnitudes from 65,520 become infinite.
        case float16
    }

    /// - Parameter shape: its product must be `floats.count`; the writer checks it.
    public init(name: String, floats: [Float], shape: [Int], as precision: Precision = .float32) {
        switch precision {
        case .float32:
            self.init(name: name, type: .float32, shape: shape) { body in
                // In parts, so that a byte order that isn't the file's would cost a part's memory, and not the tensor's.
                for start in stride(from: 0, to: floats.count, by: Self.part) {
                    let words = floats[start..<min(start + Self.part, floats.count)].map { $0.bitPattern.littleEndian }
                    try words.withUnsafeBytes(body)
                }
            }
        case .float16:
            self.init(name: name, type: .float16, shape: shape) { body in
                for start in stride(from: 0, to: floats.count, by: Self.part) {
                    let words = floats[start..<min(start + Self.part, floats.count)].map { FloatFormats.half($0).littleEndian }
                    try words.withUnsafeBytes(body)
                }
            }
        }
    }

    private static let part = 1 << 16
}

extension TensorToWrite {
    /// Hands the elements on, part after part, and checks that they are as many as `description` says.
    func stream(
        _ description: TensorDescription, path: String, to take: (UnsafeRawBufferPointer) throws(TensorFileError) -> Void
    ) throws(TensorFileError) {
        var written = 0
        do {
            try provide { part in
                guard part.count <= description.byteCount - written else {
                    throw TensorFileError.byteCount(
                        path: path, tensor: name, found: written + part.count, expected: description.byteCount)
                }
                try take(part)
                written += part.count
            }
        } catch let error as TensorFileError {
            throw error
        } catch {
            throw .elementsUnavailable(path: path, tensor: name, reason: String(describing: error))
        }
        guard written == description.byteCount else {
            throw .byteCount(path: path, tensor: name, found: written, expected: description.byteCount)
        }
    }

    /// - Throws: `.invalidEntry` for a shape that no tensor has.
    func described(path: String) throws(TensorFileError) -> TensorDescription {
        guard let description = TensorDescription(name: name, type: type, shape: shape) else {
            throw .invalidEntry(
                path: path, key: "\(name).shape", found: "\(shape)", expected: "extents from 0 whose product fits 63 bits")
        }
        return description
    }
}
