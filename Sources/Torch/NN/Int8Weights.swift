internal import CTorch

/// What the products of a model that is prepared for inference are computed in.
public enum WeightForm: Sendable {
    case float32
    /// Bytes, added up in whole numbers: each row of activations, or each picture of a convolution over several places, is rounded to 8 bits
    /// by its own range as it comes, each output's weights to 7 bits beforehand. What is no product of matrices stays float32.
    case int8
}

/// Weights of a linear layer or a convolution, rounded and packed for products of bytes.
public final class Int8Weights {
    private let handle: OpaquePointer

    /// - Parameter weight: float32 `[out, in]` or `[out, in, side, side]`.
    public convenience init(rounding weight: Tensor) throws(TorchError) {
        let (integers, scales) = try weight.roundedToInt8()
        try self.init(integers: integers, scales: scales)
    }

    /// - Parameters: integers int8 as above, within ±63; scales float32 `[out]`.
    /// - Throws: `TorchError.value` where integers are greater.
    public init(integers: Tensor, scales: Tensor) throws(TorchError) {
        var result: OpaquePointer?
        try checked { ct_int8_pack(integers.handle, scales.handle, &result) }
        guard let result else { throw .internalFailure("a call succeeded without a result") }
        handle = result
    }

    deinit { ct_int8_free(handle) }

    /// Bytes that they take.
    public var byteCount: Int { Int(ct_int8_bytes(handle)) }

    /// `activation(norm(x) · weightᵀ + bias + addend)`; `x` `[…, in]`.
    public func linear(
        _ x: Tensor, after norm: LayerNorm? = nil, _ bias: Tensor?, activation: FusedActivation = .none, adding addend: Tensor? = nil
    ) throws(TorchError) -> Tensor {
        try Tensor.make {
            ct_int8_linear(
                x.handle, norm?.weight.handle, norm?.bias.handle, norm?.eps ?? 0, handle, bias?.handle, activation.rawValue,
                addend?.handle, $0)
        }
    }

    /// `x` `[batch, in, height, width]`; zeros above, below, left and right of it.
    public func conv2d(
        _ x: Tensor, _ bias: Tensor?, stride: Int, height: (before: Int, behind: Int), width: (before: Int, behind: Int),
        activation: FusedActivation = .none, adding addend: Tensor? = nil
    ) throws(TorchError) -> Tensor {
        let zeros = [height.before, height.behind, width.before, width.behind].map(Int64.init)
        return try Tensor.make {
            ct_int8_conv2d(x.handle, handle, bias?.handle, Int64(stride), zeros, activation.rawValue, addend?.handle, $0)
        }
    }
}

extension Tensor {
    /// This weight `[out, …]` in whole numbers of -63…63 and a factor for each output, whose greatest magnitude becomes 63.
    public func roundedToInt8() throws(TorchError) -> (integers: Tensor, scales: Tensor) {
        var (integers, scales): (OpaquePointer?, OpaquePointer?) = (nil, nil)
        try checked { ct_int8_round(handle, &integers, &scales) }
        guard let integers, let scales else { throw .internalFailure("a call succeeded without a result") }
        return (Tensor(adopting: integers), Tensor(adopting: scales))
    }
}
