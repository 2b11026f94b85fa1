internal import CTorch

/// What the products of a model that is prepared for inference are computed in.
public enum WeightForm {
    case float32
    /// Bytes, added up in whole numbers: each row of activations, or each picture of a convolution over several places, is rounded to 8 bits
    /// by its own range as it comes, each output's weights to 7 bits beforehand. What is no product of matrices stays float32, and so do the
    /// layers of these weights.
    case int8(except: Set<String> = [])
    /// float32, and beside it int8, to be compared.
    case compared(RoundingErrors)

    /// Whether a convolution with kernels `[out, in, side, side]` of one group has an int8 form. One of few channels has not: its few products
    /// are a small part of the work, and rounding those of a narrow stem moved every place of a plain background alike, and a small ResNet's
    /// vectors further than all other layers together.
    public static func rounds(convolution shape: [Int]) -> Bool { shape[1] >= 32 || (shape[1] > 1 && shape[2] == 1) }

    /// What a layer of this name is to have; nil for float32 alone.
    func int8(for name: String, _ weight: Tensor) throws(TorchError) -> (weights: Int8Weights, errors: RoundingErrors?)? {
        switch self {
        case .float32: nil
        case .int8(let exceptions): exceptions.contains(name) ? nil : (try Int8Weights(rounding: weight), nil)
        case .compared(let errors): (try Int8Weights(rounding: weight), errors)
        }
    }
}

/// How far each layer's int8 results are from its float32 ones, on the same input.
public final class RoundingErrors {
    private var sums: [String: (error: Double, size: Double)] = [:]

    public init() {}

    func note(_ name: String, exact: Tensor, rounded: Tensor) throws {
        func squares(_ x: Tensor) throws -> Double { Double(try (x * x).sum().item()) }
        var own = sums[name, default: (0, 0)]
        own.error += try squares(exact - rounded)
        own.size += try squares(exact)
        sums[name] = own
    }

    /// Of each weight, the length of its layer's error over that of its result: 0.01 is a hundredth.
    public var relative: [String: Double] { sums.mapValues { $0.size > 0 ? ($0.error / $0.size).squareRoot() : 0 } }
}

/// Weights of a linear layer or a convolution, rounded and packed for products of bytes.
public final class Int8Weights {
    fileprivate let handle: OpaquePointer

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
        _ x: Tensor, after norm: LayerNorm? = nil, _ bias: Tensor?, activation: FusedActivation = .none,
        adding addend: Tensor? = nil
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
    /// A residual attention block of this `[batch, tokens, width]` in one call, where all four of its layers are bytes; nil where they are not.
    /// The numbers are those of the layers one after the other.
    /// - Parameters: expand, contract, the perceptron's layers; activation, what is between them.
    public func int8Block(
        norms: (attention: LayerNorm, perceptron: LayerNorm), inProjection: Linear, outProjection: Linear, expand: Linear,
        contract: Linear,
        heads: Int, causal: Bool, activation: FusedActivation
    ) throws(TorchError) -> Tensor? {
        var layers: [CTInt8Layer] = []
        for layer in [inProjection, outProjection, expand, contract] {
            guard let (weights, bias) = layer.int8 else { return nil }
            layers.append(CTInt8Layer(weights: weights.handle, bias: bias?.handle))
        }
        let both = [norms.attention, norms.perceptron].map { CTNorm(weight: $0.weight.handle, bias: $0.bias.handle, eps: $0.eps) }
        return try withExtendedLifetime((norms.attention, norms.perceptron, inProjection, outProjection, expand, contract)) {
            () throws(TorchError) in
            try Tensor.make { ct_int8_block(handle, both, layers, Int64(heads), causal, activation.rawValue, $0) }
        }
    }

    /// Three convolutions 1×1, 3×3 with a zero around the picture, and 1×1 around a shortcut, a ReLU behind each (He et al. 2015,
    /// arXiv:1512.03385, figure 5), of this `[batch, in, height, width]` in one call; nil where they are not all in bytes and prepared.
    /// - Parameters:
    ///   - shortcut: what the last one's result is added to, instead of this.
    ///   - stride: that of the 3×3 convolution and of the shortcut.
    ///   - pooling: the side of the squares that are averaged before the last convolution and the shortcut's.
    public func int8Bottleneck(
        reduce: ConvolutionNorm, spatial: ConvolutionNorm, restore: ConvolutionNorm, shortcut: ConvolutionNorm?, stride: Int,
        pooling: Int
    ) throws(TorchError) -> Tensor? {
        var layers: [CTInt8Layer] = []
        for convolution in [reduce, spatial, restore, shortcut] {
            if let convolution {
                guard let (weights, bias) = convolution.int8Layer else { return nil }
                layers.append(CTInt8Layer(weights: weights.handle, bias: bias.handle))
            } else {
                layers.append(CTInt8Layer(weights: nil, bias: nil))
            }
        }
        return try withExtendedLifetime((reduce, spatial, restore, shortcut)) { () throws(TorchError) in
            try Tensor.make { ct_int8_bottleneck(handle, layers, Int64(stride), Int64(pooling), $0) }
        }
    }

    /// This weight `[out, …]` in whole numbers of -63…63 and a factor for each output, whose greatest magnitude becomes 63.
    public func roundedToInt8() throws(TorchError) -> (integers: Tensor, scales: Tensor) {
        var (integers, scales): (OpaquePointer?, OpaquePointer?) = (nil, nil)
        try checked { ct_int8_round(handle, &integers, &scales) }
        guard let integers, let scales else { throw .internalFailure("a call succeeded without a result") }
        return (Tensor(adopting: integers), Tensor(adopting: scales))
    }
}
