internal import CTorch

// Reductions over `dimensions`; none means all.
extension Tensor {
    func reduced(_ operation: CTReduction, _ dimensions: [Int], _ keep: Bool) throws(TorchError) -> Tensor {
        let dimensions = dimensions.map(Int64.init)
        return try Tensor.make { ct_reduce(operation, handle, dimensions, dimensions.count, keep, $0) }
    }

    public func sum(_ dimensions: [Int] = [], keep: Bool = false) throws(TorchError) -> Tensor {
        try reduced(CT_SUM, dimensions, keep)
    }

    public func mean(_ dimensions: [Int] = [], keep: Bool = false) throws(TorchError) -> Tensor {
        try reduced(CT_MEAN, dimensions, keep)
    }

    public func maximum(_ dimensions: [Int] = [], keep: Bool = false) throws(TorchError) -> Tensor {
        try reduced(CT_AMAX, dimensions, keep)
    }

    public func minimum(_ dimensions: [Int] = [], keep: Bool = false) throws(TorchError) -> Tensor {
        try reduced(CT_AMIN, dimensions, keep)
    }

    public func logSumExp(_ dimensions: [Int], keep: Bool = false) throws(TorchError) -> Tensor {
        try reduced(CT_LOGSUMEXP, dimensions, keep)
    }

    public func any(_ dimensions: [Int] = [], keep: Bool = false) throws(TorchError) -> Tensor {
        try reduced(CT_ANY, dimensions, keep)
    }

    /// The Euclidean length.
    public func norm(_ dimensions: [Int] = [], keep: Bool = false) throws(TorchError) -> Tensor {
        try reduced(CT_NORM2, dimensions, keep)
    }

    /// Divided by the Euclidean length along `dimension`, which is taken to be at least `eps`.
    public func normalized(_ dimension: Int = -1, eps: Double = 1e-12) throws(TorchError) -> Tensor {
        let length = try norm([dimension], keep: true)
        return try self / Tensor.make { ct_binary_scalar(CT_MAXIMUM, length.handle, eps, $0) }
    }

    /// The place of the greatest element, int64; of equal ones the first.
    public func argMax(_ dimension: Int = -1) throws(TorchError) -> Tensor {
        try Tensor.make { ct_argmax(handle, Int64(dimension), $0) }
    }

    /// The `k` greatest elements, falling, and their places.
    public func top(_ k: Int, dimension: Int = -1) throws(TorchError) -> (values: Tensor, indices: Tensor) {
        var values: OpaquePointer?
        var indices: OpaquePointer?
        try checked { ct_topk(handle, Int64(k), Int64(dimension), &values, &indices) }
        guard let values, let indices else { throw .internalFailure("a call succeeded without a result") }
        return (Tensor(adopting: values), Tensor(adopting: indices))
    }

    public func softmax(_ dimension: Int = -1) throws(TorchError) -> Tensor {
        try Tensor.make { ct_softmax(handle, Int64(dimension), $0) }
    }

    public func logSoftmax(_ dimension: Int = -1) throws(TorchError) -> Tensor {
        try Tensor.make { ct_log_softmax(handle, Int64(dimension), $0) }
    }
}
