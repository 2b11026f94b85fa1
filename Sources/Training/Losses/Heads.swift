import Foundation
import Torch

/// The tensors that the losses of a run own, by name: trained along with the model or remembered from step to step, saved beside the
/// optimizer's state, and left behind with the run.
final class Heads {
    struct Head {
        let name: String
        let tensor: Tensor
        /// The factor on the learning rate; nil for what is remembered, and not trained.
        let rate: Double?
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

    fileprivate func add(_ name: String, _ tensor: Tensor, rate: Double?) throws {
        let tensor = try tensor.to(device)
        if rate != nil { try tensor.setRequiresGradient(true) }
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
        try heads.add(full(part), Tensor(values, shape: shape), rate: rate)
    }

    func addOnes(_ part: String, shape: [Int]) throws {
        try heads.add(full(part), .ones(shape), rate: rate)
    }

    func addZeros(_ part: String, shape: [Int]) throws { try heads.add(full(part), .zeros(shape), rate: rate) }

    /// A tensor that is saved with the run and changed by the loss itself.
    func addRemembered(_ part: String, _ tensor: Tensor) throws {
        try heads.add(full(part), withoutGradients { try tensor.clone() }, rate: nil)
    }

    func tensor(_ part: String) throws -> Tensor {
        guard let tensor = heads[full(part)] else { throw TorchError.argument("no loss has made the tensor \(full(part))") }
        return tensor
    }

    /// The first `size` columns of a matrix, or the first `size` numbers of a list: what belongs to the beginnings of vectors.
    func tensor(_ part: String, prefix size: Int) throws -> Tensor {
        let tensor = try tensor(part)
        let dimension = tensor.shape.count - 1
        return tensor.size(dimension) == size ? tensor : try tensor.narrowed(dimension, start: 0, length: size)
    }
}
