internal import CTorch
public import TensorFiles

/// An n-dimensional array of libtorch, owned by reference count.
///
/// Not `Sendable`: what crosses an isolation boundary is `[Float]`. Operations return new tensors and throw `TorchError`; those that
/// change a tensor in place say so in their name.
public final class Tensor {
    let handle: OpaquePointer

    init(adopting handle: OpaquePointer) {
        self.handle = handle
    }

    deinit {
        ct_tensor_free(handle)
    }

    /// Runs a shim call that makes one new tensor.
    static func make(_ call: (UnsafeMutablePointer<OpaquePointer?>) -> CTStatus) throws(TorchError) -> Tensor {
        var result: OpaquePointer?
        try checked { call(&result) }
        guard let result else { throw .internalFailure("a call succeeded without a result") }
        return Tensor(adopting: result)
    }

    /// Sizes, outermost first; empty for a scalar.
    public var shape: [Int] {
        var rank: Int64 = 0
        guard ct_rank(handle, &rank) == CT_OK, rank > 0 else { return [] }
        var sizes = [Int64](repeating: 0, count: Int(rank))
        guard ct_shape(handle, &sizes, sizes.count) == CT_OK else { return [] }
        return sizes.map(Int.init)
    }

    public var elementCount: Int { shape.reduce(1, *) }

    /// The size of one dimension; negative counts from the end.
    public func size(_ dimension: Int) -> Int {
        let shape = shape
        return shape[dimension < 0 ? shape.count + dimension : dimension]
    }

    public var type: ElementType {
        get throws(TorchError) {
            var code = CT_FLOAT32
            try checked { ct_type(handle, &code) }
            return ElementType(code: code)
        }
    }

    public var device: Device {
        var code = CT_CPU
        guard ct_device(handle, &code) == CT_OK else { return .cpu }
        return code == CT_CUDA ? .cuda : code == CT_MPS ? .mps : .cpu
    }
}

extension ElementType {
    var code: CTType {
        switch self {
        case .float32: CT_FLOAT32
        case .float64: CT_FLOAT64
        case .float16: CT_FLOAT16
        case .bfloat16: CT_BFLOAT16
        case .int64: CT_INT64
        case .int32: CT_INT32
        case .int16: CT_INT16
        case .int8: CT_INT8
        case .uint8: CT_UINT8
        case .bool: CT_BOOL
        }
    }

    init(code: CTType) {
        switch code {
        case CT_FLOAT64: self = .float64
        case CT_FLOAT16: self = .float16
        case CT_BFLOAT16: self = .bfloat16
        case CT_INT64: self = .int64
        case CT_INT32: self = .int32
        case CT_INT16: self = .int16
        case CT_INT8: self = .int8
        case CT_UINT8: self = .uint8
        case CT_BOOL: self = .bool
        default: self = .float32
        }
    }
}
