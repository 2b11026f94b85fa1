import Foundation
import Torch

/// The tensors that the losses of a run own, by name: trained along with the model, saved beside the optimizer's state, and left behind with
/// the run.
final class Heads {
    struct Head {
        let name: String
        let tensor: Tensor
        /// The factor on the learning rate.
        let rate: Double
    }

    private(set) var all: [Head] = []
    private let device: Device
    /// The heads' own, so that they begin alike whatever else has drawn from torch's generator.
    private var generator: SeededGenerator

    init(seed: UInt64, device: Device) {
        self.device = device
        generator = SeededGenerator(seed: seed, 5)
    }

    subscript(name: String) -> Tensor? { all.first { $0.name == name }?.tensor }

    fileprivate func add(_ name: String, _ values: [Float], shape: [Int], rate: Double) throws {
        let tensor = try Tensor(values, shape: shape).to(device)
        try tensor.setRequiresGradient(true)
        all.append(Head(name: name, tensor: tensor, rate: rate))
    }

    /// Normal numbers around 0 (Box & Muller 1958).
    fileprivate func normal(_ count: Int, deviation: Double) -> [Float] {
        (0..<count).map { _ in
            let radius = (-2 * log(1 - Double.random(in: 0..<1, using: &generator))).squareRoot()
            return Float(deviation * radius * cos(2 * .pi * Double.random(in: 0..<1, using: &generator)))
        }
    }
}

/// The tensors of one loss.
struct HeadScope {
    let heads: Heads
    /// The loss's, which the names of its tensors begin with.
    let name: String
    let rate: Double

    private func full(_ part: String) -> String { "\(name)_\(part)" }

    /// A tensor of normal numbers around 0.
    func addNormal(_ part: String, shape: [Int], deviation: Double) throws {
        let values = heads.normal(shape.reduce(1, *), deviation: deviation)
        try heads.add(full(part), values, shape: shape, rate: rate)
    }

    func addOnes(_ part: String, shape: [Int]) throws {
        try heads.add(full(part), [Float](repeating: 1, count: shape.reduce(1, *)), shape: shape, rate: rate)
    }

    func tensor(_ part: String) throws -> Tensor {
        guard let tensor = heads[full(part)] else { throw TorchError.argument("no loss has made the tensor \(full(part))") }
        return tensor
    }
}
