internal import CTorch

/// Adam with decoupled weight decay, Loshchilov & Hutter 2019 (arXiv:1711.05101, algorithm 2), by libtorch's fused kernel.
public final class AdamW {
    /// One parameter with its own decay λ and a factor on the learning rate α.
    public struct Slot {
        public let name: String
        public let parameter: Tensor
        public let decay: Double
        public let rateFactor: Double

        public init(name: String, parameter: Tensor, decay: Double, rateFactor: Double = 1) {
            self.name = name
            self.parameter = parameter
            self.decay = decay
            self.rateFactor = rateFactor
        }
    }

    private struct Group: Hashable {
        let decay: Double
        let rateFactor: Double
    }

    private let beta1: Double, beta2: Double, eps: Double
    private var slots: [Slot]
    private var averages: [Tensor] = []
    private var squares: [Tensor] = []
    private var steps: [Tensor] = []

    /// - Parameters: beta1 (β₁), beta2 (β₂) in 0..<1, eps (ε) > 0.
    public init(_ slots: [Slot], beta1: Double = 0.9, beta2: Double = 0.999, eps: Double = 1e-8) throws {
        self.beta1 = beta1
        self.beta2 = beta2
        self.eps = eps
        self.slots = slots
        for slot in slots {
            averages.append(try .zeros(like: slot.parameter))
            squares.append(try .zeros(like: slot.parameter))
            steps.append(try .zeros([]).to(slot.parameter.device))
        }
    }

    /// One step with learning rate `rate` (α·η). Parameters without a gradient stay, and their step count too.
    public func step(rate: Double) throws {
        var members: [Group: [Int]] = [:]
        var order: [Group] = []
        var gradients: [Int: Tensor] = [:]
        for (index, slot) in slots.enumerated() {
            guard let gradient = try slot.parameter.gradient() else { continue }
            gradients[index] = gradient
            let group = Group(decay: slot.decay, rateFactor: slot.rateFactor)
            if members[group] == nil { order.append(group) }
            members[group, default: []].append(index)
        }
        for group in order {
            let indices = members[group] ?? []
            func handles(_ tensor: (Int) -> Tensor?) -> [OpaquePointer?] { indices.map { tensor($0)?.handle } }
            let parameters = handles { slots[$0].parameter }
            let slopes = handles { gradients[$0] }
            let first = handles { averages[$0] }
            let second = handles { squares[$0] }
            let counts = handles { steps[$0] }
            try checked {
                ct_adamw(
                    parameters, slopes, first, second, counts, indices.count, rate * group.rateFactor, beta1, beta2, group.decay,
                    eps)
            }
        }
        withExtendedLifetime(gradients) {}
    }

    /// Forgets all gradients.
    public func clearGradients() throws {
        for slot in slots { try slot.parameter.clearGradient() }
    }

    private func gradients() throws -> [Tensor] {
        try slots.compactMap { try $0.parameter.gradient() }
    }

    /// The Euclidean length of all gradients together.
    public func gradientNorm() throws -> Double {
        try Self.length(of: gradients())
    }

    private static func length(of gradients: [Tensor]) throws -> Double {
        let handles = gradients.map { Optional($0.handle) }
        var length = 0.0
        try checked { ct_total_norm(handles, handles.count, &length) }
        withExtendedLifetime(gradients) {}
        return length
    }

    /// Scales all gradients so that together they are no longer than `limit`, as `torch.nn.utils.clip_grad_norm_` does.
    /// - Returns: the length before.
    @discardableResult
    public func clipGradients(to limit: Double) throws -> Double {
        let gradients = try gradients()
        let norm = try Self.length(of: gradients)
        let factor = limit / (norm + 1e-6)
        if factor < 1 {
            let handles = gradients.map { Optional($0.handle) }
            try checked { ct_scale_all(handles, handles.count, factor) }
            withExtendedLifetime(gradients) {}
        }
        return norm
    }

    /// The state by name (`step.`, `exp_avg.`, `exp_avg_sq.` and the parameter's name), to be saved.
    public var state: [(name: String, tensor: Tensor)] {
        slots.indices.flatMap { index in
            let name = slots[index].name
            return [
                ("step.\(name)", steps[index]), ("exp_avg.\(name)", averages[index]), ("exp_avg_sq.\(name)", squares[index]),
            ]
        }
    }
}
