/// Named tensors that a run is restored from, all or none.
public enum SavedState {
    /// Overwrites `state` with the tensors of the same names, bit by bit.
    /// - Throws: `TorchError.weights` with every name that is missing or of another shape, before anything has changed.
    public static func restore(_ state: [(name: String, tensor: Tensor)], from saved: [String: Tensor], source: String) throws {
        var faults = WeightFaults(source: source)
        for (name, tensor) in state {
            guard let value = saved[name] else {
                faults.missing.append(name)
                continue
            }
            if value.shape != tensor.shape {
                faults.misshaped.append("\(name) (found \(value.shape), expected \(tensor.shape))")
            }
        }
        if !faults.isEmpty { throw TorchError.weights(faults) }
        for (name, tensor) in state { if let value = saved[name] { try tensor.copyInPlace(from: value) } }
    }
}
