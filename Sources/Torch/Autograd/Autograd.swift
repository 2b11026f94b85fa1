internal import CTorch
internal import TensorFiles

/// Runs `body` without recording gradients on this thread, and puts the mode back, also after an error.
///
/// Synchronous on purpose: the mode belongs to the thread, and after an `await` a task may stand on another.
public func withoutGradients<Result>(_ body: () throws -> Result) throws -> Result {
    var previous = true
    try checked { ct_set_grad_enabled(false, &previous) }
    defer { _ = ct_set_grad_enabled(previous, nil) }
    return try body()
}

/// Runs `body` with products and convolutions in bfloat16 and everything else as the tensors are: mixed precision after Micikevicius et al.
/// 2018 (arXiv:1710.03740). Weights and gradients stay float32, and bfloat16's range needs no loss scaling.
///
/// Synchronous on purpose, as `withoutGradients`. Results may be bfloat16.
public func withBFloat16<Result>(on device: Device, _ body: () throws -> Result) throws -> Result {
    var previous = false
    try checked { ct_set_autocast(device.code, true, &previous) }
    defer { _ = ct_set_autocast(device.code, previous, nil) }
    return try body()
}

/// What products and convolutions are computed in; weights and vectors are always float32.
public enum Precision: String, Sendable, CaseIterable {
    case float32, bfloat16
    /// On the CPU, of a model that was prepared for it (`WeightForm.int8`).
    case int8
}

/// Runs `body`, whose result becomes float32, in a precision.
public func withPrecision(_ precision: Precision, on device: Device, _ body: () throws -> Tensor) throws -> Tensor {
    switch precision {
    case .float32, .int8: try body()
    case .bfloat16: try withBFloat16(on: device, body).to(.float32)
    }
}

extension Tensor {
    /// Whether operations on this tensor are recorded.
    public var requiresGradient: Bool {
        var required = false
        return ct_requires_grad(handle, &required) == CT_OK && required
    }

    /// Leaves of floating-point type only.
    public func setRequiresGradient(_ required: Bool) throws(TorchError) {
        try checked { ct_set_requires_grad(handle, required) }
    }

    /// The same elements, cut off from what made them.
    public func detached() throws(TorchError) -> Tensor {
        try Tensor.make { ct_detach(handle, $0) }
    }

    /// From a scalar to the leaves, where gradients add up.
    public func backward() throws(TorchError) {
        try checked { ct_backward(handle) }
    }

    /// What `backward` has brought here so far; shares its memory.
    public func gradient() throws(TorchError) -> Tensor? {
        var result: OpaquePointer?
        try checked { ct_grad(handle, &result) }
        return result.map(Tensor.init(adopting:))
    }

    public func clearGradient() throws(TorchError) {
        try checked { ct_clear_grad(handle) }
    }
}
