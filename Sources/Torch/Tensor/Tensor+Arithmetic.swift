internal import CTorch

// Element by element, with broadcasting.
extension Tensor {
    func unary(_ operation: CTUnary) throws(TorchError) -> Tensor {
        try Tensor.make { ct_unary(operation, handle, $0) }
    }

    func binary(_ operation: CTBinary, _ other: Tensor) throws(TorchError) -> Tensor {
        try Tensor.make { ct_binary(operation, handle, other.handle, $0) }
    }

    func binary(_ operation: CTBinary, _ other: Double) throws(TorchError) -> Tensor {
        try Tensor.make { ct_binary_scalar(operation, handle, other, $0) }
    }

    public static func + (left: Tensor, right: Tensor) throws(TorchError) -> Tensor { try left.binary(CT_ADD, right) }
    public static func - (left: Tensor, right: Tensor) throws(TorchError) -> Tensor { try left.binary(CT_SUB, right) }
    public static func * (left: Tensor, right: Tensor) throws(TorchError) -> Tensor { try left.binary(CT_MUL, right) }
    public static func / (left: Tensor, right: Tensor) throws(TorchError) -> Tensor { try left.binary(CT_DIV, right) }
    public static func + (left: Tensor, right: Double) throws(TorchError) -> Tensor { try left.binary(CT_ADD, right) }
    public static func - (left: Tensor, right: Double) throws(TorchError) -> Tensor { try left.binary(CT_SUB, right) }
    public static func * (left: Tensor, right: Double) throws(TorchError) -> Tensor { try left.binary(CT_MUL, right) }
    public static func / (left: Tensor, right: Double) throws(TorchError) -> Tensor { try left.binary(CT_DIV, right) }
    public static prefix func - (tensor: Tensor) throws(TorchError) -> Tensor { try tensor.unary(CT_NEG) }

    public func equal(to other: Tensor) throws(TorchError) -> Tensor { try binary(CT_EQ, other) }
    public func equal(to other: Double) throws(TorchError) -> Tensor { try binary(CT_EQ, other) }
    public func notEqual(to other: Tensor) throws(TorchError) -> Tensor { try binary(CT_NE, other) }
    public func less(than other: Double) throws(TorchError) -> Tensor { try binary(CT_LT, other) }
    public func greater(than other: Double) throws(TorchError) -> Tensor { try binary(CT_GT, other) }
    public func and(_ other: Tensor) throws(TorchError) -> Tensor { try binary(CT_AND, other) }
    public func not() throws(TorchError) -> Tensor { try unary(CT_NOT) }

    public func exp() throws(TorchError) -> Tensor { try unary(CT_EXP) }
    public func log() throws(TorchError) -> Tensor { try unary(CT_LOG) }
    public func sqrt() throws(TorchError) -> Tensor { try unary(CT_SQRT) }
    public func abs() throws(TorchError) -> Tensor { try unary(CT_ABS) }
    public func sigmoid() throws(TorchError) -> Tensor { try unary(CT_SIGMOID) }
    public func relu() throws(TorchError) -> Tensor { try unary(CT_RELU) }
    public func isFinite() throws(TorchError) -> Tensor { try unary(CT_ISFINITE) }
    public func power(_ exponent: Double) throws(TorchError) -> Tensor { try binary(CT_POW, exponent) }

    /// GELU, Hendrycks & Gimpel 2016 (arXiv:1606.08415): exact with the error function, or its tanh approximation.
    public func gelu(tanhApproximation: Bool = false) throws(TorchError) -> Tensor {
        try unary(tanhApproximation ? CT_GELU_TANH : CT_GELU)
    }

    /// x·σ(x), Elfwing et al. 2017 (arXiv:1702.03118).
    public func swish() throws(TorchError) -> Tensor { try unary(CT_SILU) }

    /// x·σ(1.702x), the activation of OpenAI's CLIP.
    public func quickGELU() throws(TorchError) -> Tensor { try (self * 1.702).swish() / 1.702 }

    public func clamped(_ range: ClosedRange<Double>) throws(TorchError) -> Tensor {
        try Tensor.make { ct_clamp(handle, range.lowerBound, range.upperBound, $0) }
    }

    /// `value` where `mask` (bool) is true.
    public func filled(where mask: Tensor, with value: Double) throws(TorchError) -> Tensor {
        try Tensor.make { ct_masked_fill(handle, mask.handle, value, $0) }
    }

    /// This where `condition` (bool) is true, `other` elsewhere.
    public func chosen(where condition: Tensor, else other: Tensor) throws(TorchError) -> Tensor {
        try Tensor.make { ct_where(condition.handle, handle, other.handle, $0) }
    }

    /// `self = self * factor + source * scale`, in place, outside autograd.
    public func scaleAddInPlace(factor: Double = 1, _ source: Tensor, scale: Double = 1) throws(TorchError) {
        try checked { ct_scale_add_into(handle, factor, source.handle, scale) }
    }
}
