import CLIP
import Foundation
import Torch
import Training

/// Whether a device computes what the CPU computes.
struct DeviceCheck {
    let device: Device

    private struct Small {
        let name: String
        let vision: CLIPConfiguration.Vision
    }

    private let smallModels = [
        Small(name: "small ViT", vision: .transformer(.init(width: 96, layers: 3, heads: 3, patch: 8, resolution: 64))),
        Small(name: "small ResNet", vision: .resNet(.init(width: 16, layers: [1, 1, 1, 1], heads: 8, resolution: 64))),
    ]

    /// - Returns: whether everything lies within its bound.
    func run(_ answer: (String) throws -> Void) throws -> Bool {
        var isGood = true
        func compare(_ what: String, _ found: Double, bound: Double) throws {
            let fits = found <= bound
            isGood = isGood && fits
            try answer("\(fits ? "good" : "BAD ") \(what): \(found), bound \(bound)")
        }
        for (name, full) in [("ViT-B/16", FullSize.vit), ("RN50", .rn50)] {
            let cpu = try vectors(full.configuration, side: 224, count: 8, on: .cpu)
            let exact = try vectors(full.configuration, side: 224, count: 8, on: device)
            let rough = try vectors(full.configuration, side: 224, count: 8, on: device, precision: .bfloat16)
            try compare("\(name), greatest difference of a vector's number, float32", Self.difference(cpu, exact), bound: 1e-4)
            try compare("\(name), 1 - least cosine, bfloat16", 1 - Self.leastCosine(cpu, rough, count: 8), bound: 0.01)
        }
        for small in smallModels {
            let cpu = try losses(small, on: .cpu, precision: .float32)
            let exact = try losses(small, on: device, precision: .float32)
            let rough = try losses(small, on: device, precision: .bfloat16)
            try compare(
                "\(small.name), greatest difference of a loss in 20 steps, float32", Self.difference(cpu, exact), bound: 1e-3)
            try compare(
                "\(small.name), greatest difference of a loss in 20 steps, bfloat16", Self.difference(cpu, rough), bound: 0.1)
        }
        return isGood
    }

    private static func difference<Number: BinaryFloatingPoint>(_ first: [Number], _ second: [Number]) -> Double {
        guard first.count == second.count else { return .infinity }
        // Not a number is never within a bound.
        return zip(first, second).map { Double(abs($0 - $1)) }.reduce(0) { $1.isNaN ? .infinity : max($0, $1) }
    }

    private static func leastCosine(_ first: [Float], _ second: [Float], count: Int) -> Double {
        let size = first.count / count
        return (0..<count).map { row in
            (row * size..<(row + 1) * size).reduce(0) { $0 + Double(first[$1]) * Double(second[$1]) }
        }.min() ?? 0
    }

    private func squares(side: Int, count: Int, seed: UInt64) -> SquarePictures {
        var generator = SeededGenerator(seed: seed, 2)
        let bytes = (0..<count * 3 * side * side).map { _ in UInt8.random(in: 0...255, using: &generator) }
        return SquarePictures(bytes: bytes, Preprocessing(side: side))
    }

    private func model(_ configuration: CLIPConfiguration, on device: Device) throws -> CLIPModel {
        try TorchRuntime.seed(3)
        return try CLIPModel(configuration, store: ParameterStore(device: device))
    }

    private func vectors(
        _ configuration: CLIPConfiguration, side: Int, count: Int, on device: Device, precision: Precision = .float32
    ) throws -> [Float] {
        let embedder = Embedder(
            model: try model(configuration, on: device), preprocessing: Preprocessing(side: side), tokenizer: nil,
            precision: precision)
        return try embedder.embed(squares: squares(side: side, count: count, seed: 1))
    }

    /// Of 20 steps with every term, on other pictures each.
    private func losses(_ small: Small, on device: Device, precision: Precision) throws -> [Double] {
        let configuration = CLIPConfiguration(
            vision: small.vision,
            text: .init(width: 64, layers: 2, heads: 1, contextLength: 8, vocabularySize: 100), embeddingSize: 32,
            activation: .quickGELU)
        let recipe = try BenchmarkRecipe.make(
            losses: "{\"image_text\": 0.5, \"items\": 1, \"teacher\": 1, \"teacher_relations\": 2}",
            precision: precision.rawValue,
            steps: 20)
        let step = try TrainingStep(model: model(configuration, on: device), recipe: recipe, teacherSize: 8, device: device)
        return try (0..<20).map { number in
            var generator = SeededGenerator(seed: 5, number)
            let items = (0..<16).map { $0 / 2 }
            let teacher = items.flatMap { _ in
                let vector = (0..<8).map { _ in Float.random(in: -1...1, using: &generator) }
                let length = vector.reduce(0) { $0 + $1 * $1 }.squareRoot()
                return vector.map { $0 / length }
            }
            let tokens = (0..<8 * 8).map { $0 % 8 == 7 ? Int64(99) : Int64.random(in: 1..<98, using: &generator) }
            let batch = TrainingBatch(
                squares: squares(side: 64, count: 16, seed: UInt64(number)), items: items,
                captioned: (0..<8).map { (view: 2 * $0, caption: $0) }, tokens: tokens, taught: Array(items.indices),
                teacher: teacher)
            return try step.run(batch, step: number).loss
        }
    }
}
