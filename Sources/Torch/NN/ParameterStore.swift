import TensorFiles

/// The faults between the weights a model needs and those a file has, all of them.
public struct WeightFaults: Sendable, Equatable {
    public var source: String
    public var missing: [String] = []
    public var unexpected: [String] = []
    /// Name, found, expected.
    public var misshaped: [String] = []

    public init(source: String) {
        self.source = source
    }

    public var isEmpty: Bool { missing.isEmpty && unexpected.isEmpty && misshaped.isEmpty }
}

extension WeightFaults: CustomStringConvertible {
    public var description: String {
        func list(_ title: String, _ names: [String]) -> String? {
            if names.isEmpty { return nil }
            let rest = names.count > 5 ? " and \(names.count - 5) more" : ""
            return "\(title) \(names.prefix(5).joined(separator: ", "))\(rest)"
        }
        let parts = [list("missing:", missing), list("not expected:", unexpected), list("of another shape:", misshaped)]
        return "The weights in \(source) do not fit the model: \(parts.compactMap { $0 }.joined(separator: "; "))."
    }
}

/// How a parameter begins when it is not loaded.
public enum Initial: Sendable {
    case zeros, ones
    case constant(Double)
    case normal(deviation: Double)
    case uniform(bound: Double)
}

/// The named tensors of one model: filled from weights or drawn from the seeded generator, in the order the layers ask for them.
public final class ParameterStore {
    private var weights: [String: Tensor]?
    private let source: String
    /// Where every tensor lies.
    public let device: Device
    private var faults: WeightFaults
    private var seen: Set<String> = []

    /// Trainable tensors, in the order they were asked for.
    public private(set) var parameters: [(name: String, tensor: Tensor)] = []
    /// Running statistics: saved with the model, never trained.
    public private(set) var buffers: [(name: String, tensor: Tensor)] = []

    /// Draws every tensor anew; `TorchRuntime.seed` decides which, the same for every device.
    public init(device: Device = .cpu) {
        self.device = device
        weights = nil
        source = "a new model"
        faults = WeightFaults(source: source)
    }

    /// Takes every tensor from `weights`; nothing is ever made up because a name was absent: `finish` throws.
    /// - Parameter device: where the model's tensors are to lie; those that lie elsewhere are copied there.
    public init(weights: [String: Tensor], source: String, device: Device = .cpu) {
        self.device = device
        self.weights = weights
        self.source = source
        faults = WeightFaults(source: source)
    }

    public var root: ParameterScope { ParameterScope(store: self, path: "") }

    fileprivate func take(_ name: String, _ shape: [Int], _ initial: Initial) throws -> Tensor {
        let tensor = try found(name, shape, initial)
        guard device != .cpu else { return tensor }
        let moved = try tensor.to(device)
        // Kernels with the channels innermost, as a GPU's convolutions in bfloat16 want them: else each pass would turn them anew. oneDNN on
        // the CPU reorders them by itself.
        return try shape.count == 4 ? moved.contiguous(channelsLast: true) : moved
    }

    private func found(_ name: String, _ shape: [Int], _ initial: Initial) throws -> Tensor {
        seen.insert(name)
        guard let weights else { return try Self.draw(shape, initial) }
        guard let tensor = weights[name] else {
            faults.missing.append(name)
            return try .zeros(shape)  // never used: finish() throws
        }
        // Some checkpoints keep a scalar as [] and some as [1].
        let isScalar = shape.isEmpty && tensor.elementCount == 1
        guard tensor.shape == shape || isScalar else {
            faults.misshaped.append("\(name) (found \(tensor.shape), expected \(shape))")
            return try .zeros(shape)
        }
        let plain = try tensor.type == .float32 ? tensor : tensor.to(.float32)
        return try tensor.shape == shape ? plain : plain.reshaped(shape)
    }

    fileprivate func add(_ name: String, _ tensor: Tensor, trainable: Bool) {
        if trainable { parameters.append((name, tensor)) } else { buffers.append((name, tensor)) }
    }

    private static func draw(_ shape: [Int], _ initial: Initial) throws -> Tensor {
        switch initial {
        case .zeros: try .zeros(shape)
        case .ones: try .ones(shape)
        case .constant(let value): try .full(value, shape: shape)
        case .normal(let deviation): try .randomNormal(shape) * deviation
        case .uniform(let bound): try (.randomUniform(shape) * 2 - 1) * bound
        }
    }

    /// Lets go of every tensor, so that those live on that layers hold: a model that is prepared for inference has its weights in other forms.
    public func release() {
        weights = weights.map { _ in [:] }
        parameters = []
        buffers = []
    }

    /// To be called when every layer has been built.
    /// - Throws: `TorchError.weights` with all missing, unexpected and mis-shaped names.
    public func finish() throws(TorchError) {
        if let weights { faults.unexpected = weights.keys.filter { !seen.contains($0) }.sorted() }
        if !faults.isEmpty { throw .weights(faults) }
    }
}

/// A place in the tree of names, such as `visual.transformer.resblocks.3`. Layers ask it for their tensors by the last part of the key.
public struct ParameterScope {
    private let store: ParameterStore
    public let path: String

    fileprivate init(store: ParameterStore, path: String) {
        self.store = store
        self.path = path
    }

    public subscript(name: String) -> ParameterScope {
        ParameterScope(store: store, path: path.isEmpty ? name : "\(path).\(name)")
    }

    public subscript(index: Int) -> ParameterScope { self[String(index)] }

    /// A trainable tensor.
    public func parameter(_ name: String, _ shape: [Int], _ initial: Initial) throws -> Tensor {
        let key = self[name].path
        let tensor = try store.take(key, shape, initial)
        store.add(key, tensor, trainable: true)
        return tensor
    }

    /// A tensor that belongs to the model but is not trained.
    public func buffer(_ name: String, _ shape: [Int], _ initial: Initial) throws -> Tensor {
        let key = self[name].path
        let tensor = try store.take(key, shape, initial)
        store.add(key, tensor, trainable: false)
        return tensor
    }
}
