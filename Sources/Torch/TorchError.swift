internal import CTorch

/// What libtorch or the shim refused, classified in C++ where the exception's type is known.
public enum TorchError: Error, Equatable {
    case argument(String)
    case index(String)
    case type(String)
    case value(String)
    case memory(String)
    case unsupported(String)
    /// Any other check of libtorch; shapes that do not fit together arrive here.
    case check(String)
    case internalFailure(String)
    case deviceUnavailable(Device, reason: String)
    /// A model was built from weights that do not match it. Every fault is listed.
    case weights(WeightFaults)
}

extension TorchError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .argument(let text): "The tensor call is wrong: \(text)."
        case .index(let text): "An index is out of range: \(text)."
        case .type(let text): "An element type does not fit: \(text)."
        case .value(let text): "A value is out of range: \(text)."
        case .memory(let text): "There is not enough memory for a tensor: \(text)."
        case .unsupported(let text): "libtorch can't do this here: \(text)."
        case .check(let text): "libtorch refused: \(text)."
        case .internalFailure(let text): "libtorch failed: \(text)."
        case .deviceUnavailable(let device, let reason):
            "The device \(device.rawValue) is not available here: \(reason); use cpu."
        case .weights(let faults): faults.description
        }
    }
}

/// Runs one call of the shim and turns its status into an error. The message is per thread, so it is read in the same synchronous call.
func checked(_ call: () -> CTStatus) throws(TorchError) {
    let status = call()
    if status == CT_OK { return }
    let text = String(cString: ct_last_error())
    switch status {
    case CT_ERR_ARGUMENT: throw .argument(text)
    case CT_ERR_INDEX: throw .index(text)
    case CT_ERR_TYPE: throw .type(text)
    case CT_ERR_VALUE: throw .value(text)
    case CT_ERR_MEMORY: throw .memory(text)
    case CT_ERR_UNSUPPORTED: throw .unsupported(text)
    case CT_ERR_CHECK: throw .check(text)
    default: throw .internalFailure(text)
    }
}
