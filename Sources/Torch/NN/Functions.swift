internal import CTorch

/// An activation that oneDNN can apply inside a matrix product or convolution.
public enum FusedActivation: String, Sendable {
    case none, relu, gelu
    /// min(max(x, 0), 6), Krizhevsky 2010.
    case relu6
    case geluTanh = "gelu_tanh"
    /// x·σ(x); QuickGELU becomes this when 1.702 is folded into the weights.
    case swish
}

// Network operations. Shapes: `[batch, channels, height, width]` for pictures, `[batch, tokens, width]` for sequences.
extension Tensor {
    public func matmul(_ other: Tensor) throws(TorchError) -> Tensor {
        try Tensor.make { ct_matmul(handle, other.handle, $0) }
    }

    /// `self · weightᵀ + bias`; `weight` `[out, in]`.
    public func linear(_ weight: Tensor, _ bias: Tensor? = nil) throws(TorchError) -> Tensor {
        try Tensor.make { ct_linear(handle, weight.handle, bias?.handle, $0) }
    }

    /// `weight` `[out, in / groups, h, w]`: each group of channels sees its own; as many groups as channels are a depthwise convolution.
    public func conv2d(
        _ weight: Tensor, _ bias: Tensor? = nil, stride: Int = 1, padding: Int = 0, groups: Int = 1
    ) throws(TorchError) -> Tensor {
        try Tensor.make {
            ct_conv2d(handle, weight.handle, bias?.handle, Int64(stride), Int64(padding), Int64(groups), $0)
        }
    }

    /// Zeros around each picture; `width` left and right, `height` above and below.
    public func padded(width: (Int, Int), height: (Int, Int)) throws(TorchError) -> Tensor {
        try Tensor.make {
            ct_pad2d(handle, Int64(width.0), Int64(width.1), Int64(height.0), Int64(height.1), $0)
        }
    }

    public func averagePooled(_ kernel: Int) throws(TorchError) -> Tensor {
        try Tensor.make { ct_avg_pool2d(handle, Int64(kernel), $0) }
    }

    /// The greatest of each window; what lies outside of the picture counts for nothing.
    public func maxPooled(_ kernel: Int, stride: Int, padding: Int) throws(TorchError) -> Tensor {
        try Tensor.make { ct_max_pool2d(handle, Int64(kernel), Int64(stride), Int64(padding), $0) }
    }

    /// Over the last dimension.
    public func layerNorm(weight: Tensor, bias: Tensor, eps: Double) throws(TorchError) -> Tensor {
        try Tensor.make { ct_layer_norm(handle, weight.handle, bias.handle, eps, $0) }
    }

    /// Over batch, height and width. With `training` the batch's own statistics are used and `mean` and `variance` are updated in place.
    public func batchNorm(
        weight: Tensor, bias: Tensor, mean: Tensor, variance: Tensor, training: Bool, momentum: Double = 0.1, eps: Double
    ) throws(TorchError) -> Tensor {
        try Tensor.make {
            ct_batch_norm(
                handle, weight.handle, bias.handle, mean.handle, variance.handle, training, momentum, eps, $0)
        }
    }

    /// Rows of this table `[vocabulary, width]` for int64 `indices` of any shape.
    public func embedding(_ indices: Tensor) throws(TorchError) -> Tensor {
        try Tensor.make { ct_embedding(handle, indices.handle, $0) }
    }

    /// Scaled dot-product attention, Vaswani et al. 2017 (arXiv:1706.03762, eq. 1); self is Q.
    /// - Parameters: all `[batch, heads, tokens, width of a head]`; with `causal` a token sees itself and those before it.
    public func attention(key: Tensor, value: Tensor, causal: Bool = false) throws(TorchError) -> Tensor {
        try Tensor.make { ct_attention(handle, key.handle, value.handle, nil, causal, $0) }
    }

    /// The same with a `mask`, of a shape that broadcasts to `[batch, heads, queries, keys]`: true where a query sees a key, or numbers that are added
    /// to the scores before the softmax.
    public func attention(key: Tensor, value: Tensor, mask: Tensor) throws(TorchError) -> Tensor {
        try Tensor.make { ct_attention(handle, key.handle, value.handle, mask.handle, false, $0) }
    }

    /// Attention of several heads at once, on the CPU and without gradients; self has the queries.
    /// - Parameters: all `[batch, tokens, heads · width of a head]`, as the result; with `causal` the last query sees all keys, and each before it
    ///   one fewer.
    public func attention(key: Tensor, value: Tensor, heads: Int, causal: Bool = false) throws(TorchError) -> Tensor {
        try Tensor.make { ct_attention_of_heads(handle, key.handle, value.handle, Int64(heads), causal, $0) }
    }

    /// Bicubic resize of `[n, c, h, w]` floats.
    public func resizedBicubic(height: Int, width: Int, antialias: Bool) throws(TorchError) -> Tensor {
        try Tensor.make { ct_resize_bicubic(handle, Int64(height), Int64(width), antialias, $0) }
    }

    // Inference on the CPU with weights in oneDNN's own layout.

    /// This matrix `[out, in]` in the layout `packedLinear` takes.
    public func packedForLinear() throws(TorchError) -> Tensor {
        try Tensor.make { ct_pack_linear(handle, $0) }
    }

    /// `activation(self · weightᵀ + bias)` or `self · weightᵀ + bias + addend`.
    public func packedLinear(
        _ packed: Tensor, _ bias: Tensor?, activation: FusedActivation = .none, adding addend: Tensor? = nil
    ) throws(TorchError) -> Tensor {
        try Tensor.make { ct_packed_linear(handle, packed.handle, bias?.handle, activation.rawValue, addend?.handle, $0) }
    }

    /// This kernel `[out, in / groups, h, w]` in the layout `packedConv2d` takes, for pictures of `inputShape`.
    public func packedForConv2d(stride: Int, padding: Int, groups: Int = 1, inputShape: [Int]) throws(TorchError) -> Tensor {
        let sizes = inputShape.map(Int64.init)
        guard sizes.count == 4 else { throw .argument("an input shape of four sizes is needed, found \(inputShape)") }
        return try Tensor.make { ct_pack_conv2d(handle, Int64(stride), Int64(padding), Int64(groups), sizes, $0) }
    }

    public func packedConv2d(
        _ packed: Tensor, _ bias: Tensor?, stride: Int = 1, padding: Int = 0, groups: Int = 1,
        activation: FusedActivation = .none, adding addend: Tensor? = nil
    ) throws(TorchError) -> Tensor {
        try Tensor.make {
            ct_packed_conv2d(
                handle, packed.handle, bias?.handle, Int64(stride), Int64(padding), Int64(groups), activation.rawValue,
                addend?.handle, $0)
        }
    }
}
