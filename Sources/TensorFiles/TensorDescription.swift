/// The element types that this package reads and writes; the raw value is the word of a safetensors header.
public enum ElementType: String, Sendable, CaseIterable {
    case float64 = "F64"
    case float32 = "F32"
    case float16 = "F16"
    case bfloat16 = "BF16"
    case int64 = "I64"
    case int32 = "I32"
    case int16 = "I16"
    case int8 = "I8"
    case uint8 = "U8"
    case bool = "BOOL"

    /// Bytes of one element.
    public var byteCount: Int {
        switch self {
        case .float64, .int64: 8
        case .float32, .int32: 4
        case .float16, .bfloat16, .int16: 2
        case .int8, .uint8, .bool: 1
        }
    }

    /// Whether `TensorSource.floats(_:)` can read it.
    public var isFloatingPoint: Bool {
        switch self {
        case .float64, .float32, .float16, .bfloat16: true
        case .int64, .int32, .int16, .int8, .uint8, .bool: false
        }
    }
}

/// What a file says about one tensor. The elements lie row by row (the last index runs fastest), little-endian.
public struct TensorDescription: Sendable, Equatable {
    public let name: String
    public let type: ElementType
    /// Extents; `[]` is a scalar. None is negative, and their product times the element size fits an `Int`.
    public let shape: [Int]
    /// The product of the extents: 1 for a scalar, 0 where one extent is 0.
    public let elementCount: Int

    public var byteCount: Int { elementCount * type.byteCount }

    /// - Returns: nil where an extent is negative or the tensor would not fit an address space.
    init?(name: String, type: ElementType, shape: [Int]) {
        var bytes = type.byteCount
        for extent in shape {
            guard extent >= 0 else { return nil }
            // An extent of 0 must not hide an overflow of the others: [2^62, 2^62, 0] is a broken header, not an empty tensor.
            let (product, overflow) = bytes.multipliedReportingOverflow(by: max(extent, 1))
            guard !overflow else { return nil }
            bytes = product
        }
        self.name = name
        self.type = type
        self.shape = shape
        self.elementCount = shape.contains(0) ? 0 : bytes / type.byteCount
    }
}
