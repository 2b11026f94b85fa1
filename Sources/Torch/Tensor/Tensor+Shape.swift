internal import CTorch

// Operations that rearrange elements. Negative dimensions count from the end.
extension Tensor {
    /// One size may be -1: what is left.
    public func reshaped(_ shape: [Int]) throws(TorchError) -> Tensor {
        let sizes = shape.map(Int64.init)
        return try Tensor.make { ct_reshape(handle, sizes, sizes.count, $0) }
    }

    public func permuted(_ order: [Int]) throws(TorchError) -> Tensor {
        let order = order.map(Int64.init)
        return try Tensor.make { ct_permute(handle, order, order.count, $0) }
    }

    public func transposed(_ first: Int = -2, _ second: Int = -1) throws(TorchError) -> Tensor {
        try Tensor.make { ct_transpose(handle, Int64(first), Int64(second), $0) }
    }

    public func expanded(_ shape: [Int]) throws(TorchError) -> Tensor {
        let sizes = shape.map(Int64.init)
        return try Tensor.make { ct_expand(handle, sizes, sizes.count, $0) }
    }

    public func unsqueezed(_ dimension: Int) throws(TorchError) -> Tensor {
        try Tensor.make { ct_unsqueeze(handle, Int64(dimension), $0) }
    }

    public func squeezed(_ dimension: Int) throws(TorchError) -> Tensor {
        try Tensor.make { ct_squeeze(handle, Int64(dimension), $0) }
    }

    /// `length` slices of `dimension`, from `start`.
    public func narrowed(_ dimension: Int, start: Int, length: Int) throws(TorchError) -> Tensor {
        try Tensor.make { ct_narrow(handle, Int64(dimension), Int64(start), Int64(length), $0) }
    }

    /// One slice; the dimension goes away.
    public func selected(_ dimension: Int, _ index: Int) throws(TorchError) -> Tensor {
        try Tensor.make { ct_select(handle, Int64(dimension), Int64(index), $0) }
    }

    /// The slices that `index` (int64, `[m]`) names.
    public func rows(_ index: Tensor, dimension: Int = 0) throws(TorchError) -> Tensor {
        try Tensor.make { ct_index_select(handle, Int64(dimension), index.handle, $0) }
    }

    /// Elements picked along `dimension` by an int64 tensor of the same rank.
    public func gathered(_ dimension: Int, _ index: Tensor) throws(TorchError) -> Tensor {
        try Tensor.make { ct_gather(handle, Int64(dimension), index.handle, $0) }
    }

    public static func concatenated(_ tensors: [Tensor], dimension: Int = 0) throws(TorchError) -> Tensor {
        let handles = tensors.map { Optional($0.handle) }
        let result = try make { ct_concatenate(handles, handles.count, Int64(dimension), $0) }
        withExtendedLifetime(tensors) {}
        return result
    }

    public static func stacked(_ tensors: [Tensor], dimension: Int = 0) throws(TorchError) -> Tensor {
        let handles = tensors.map { Optional($0.handle) }
        let result = try make { ct_stack(handles, handles.count, Int64(dimension), $0) }
        withExtendedLifetime(tensors) {}
        return result
    }

    /// The upper triangle from `diagonal`; elsewhere 0.
    public func upperTriangle(diagonal: Int = 0) throws(TorchError) -> Tensor {
        try Tensor.make { ct_triangle(handle, true, Int64(diagonal), $0) }
    }
}
