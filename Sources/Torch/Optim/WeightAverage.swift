/// A running average of weights while they are trained (Polyak & Juditsky 1992), exponential with a warm-up:
/// a ← d·a + (1 − d)·w with d = min(decay, (1 + t)/(10 + t)), so that the first steps' weights are soon forgotten.
public final class WeightAverage {
    private let decay: Double
    private let tensors: [(name: String, weight: Tensor, average: Tensor)]

    /// - Parameters: weights, to be averaged from what they are now; decay, in 0..<1.
    public init(_ weights: [(name: String, tensor: Tensor)], decay: Double) throws {
        self.decay = decay
        tensors = try withoutGradients {
            try weights.map { (name: $0.name, weight: $0.tensor, average: try $0.tensor.clone()) }
        }
    }

    /// Takes the weights in as they stand after step t, counted from 0.
    public func update(step t: Int) throws {
        let keep = min(decay, Double(1 + t) / Double(10 + t))
        for (_, weight, average) in tensors { try average.scaleAddInPlace(factor: keep, weight, scale: 1 - keep) }
    }

    /// Puts the averages in the weights' place while `body` runs, and the weights back, bit by bit, also after an error.
    public func applied<Result>(_ body: () throws -> Result) throws -> Result {
        try exchange()
        let result: Result
        do { result = try body() } catch {
            try exchange()
            throw error
        }
        try exchange()
        return result
    }

    private func exchange() throws {
        try withoutGradients {
            for (_, weight, average) in tensors {
                let kept = try weight.clone()
                try weight.copyInPlace(from: average)
                try average.copyInPlace(from: kept)
            }
        }
    }

    /// The averages by name (`average.` and the weight's name), to be saved.
    public var state: [(name: String, tensor: Tensor)] { tensors.map { (name: "average.\($0.name)", tensor: $0.average) } }
}
