import CLIP
import Foundation
import Torch
import Training

/// The two models of the paper.
enum FullSize: String {
    case vit, rn50

    var configuration: CLIPConfiguration {
        let text = CLIPConfiguration.Text(width: 512, layers: 12, heads: 8, contextLength: 77, vocabularySize: 49_408)
        switch self {
        case .vit:
            return CLIPConfiguration(
                vision: .transformer(.init(width: 768, layers: 12, heads: 12, patch: 16, resolution: 224)), text: text,
                embeddingSize: 512, activation: .quickGELU)
        case .rn50:
            return CLIPConfiguration(
                vision: .resNet(.init(width: 64, layers: [3, 4, 6, 3], heads: 32, resolution: 224)), text: text,
                embeddingSize: 1024, activation: .quickGELU)
        }
    }
}

/// Recipes for models that are already there.
enum BenchmarkRecipe {
    /// - Parameter losses: as in a recipe file.
    static func make(losses: String, precision: String, steps: Int) throws -> Recipe {
        let text = """
            {"name": "benchmark", "model": {"start": "none"}, "batch": {"items": 2}, "epochs": 1, "steps_per_epoch": \(steps),
             "precision": "\(precision)", "losses": \(losses),
             "optimizer": {"rate": 0.00002, "weight_decay": 0.1, "clip_norm": 5, "warmup_steps": 10}}
            """
        let file = FileManager.default.temporaryDirectory.appending(path: "benchmark-\(UUID().uuidString).json")
        try Data(text.utf8).write(to: file)
        defer { try? FileManager.default.removeItem(at: file) }
        return try Recipe(path: file.path)
    }
}

/// One thing to be timed: embedding pictures, or a training step of both towers with the image–text loss.
final class Subject {
    struct Setting: Equatable {
        let what: String
        let model: FullSize
        let count: Int
        /// float32, tf32 or bfloat16.
        let precision: String
    }

    let setting: Setting
    private let work: () throws -> Void

    init(_ setting: Setting, device: Device) throws {
        self.setting = setting
        let configuration = setting.model.configuration
        let preprocessing = Preprocessing(side: 224)
        try TorchRuntime.seed(1)
        if device == .cuda { try TorchRuntime.allowTF32(setting.precision == "tf32") }
        guard let precision = Precision(rawValue: setting.precision == "tf32" ? "float32" : setting.precision) else {
            throw TorchError.argument("no precision is called \(setting.precision)")
        }
        let model = try CLIPModel(configuration, store: ParameterStore(device: device))
        var generator = SeededGenerator(seed: 1)
        let bytes = (0..<setting.count * 3 * 224 * 224).map { _ in UInt8.random(in: 0...255, using: &generator) }
        let squares = SquarePictures(bytes: bytes, preprocessing)
        switch setting.what {
        case "embed":
            let embedder = Embedder(model: model, preprocessing: preprocessing, tokenizer: nil, precision: precision)
            work = { _ = try embedder.embed(squares: squares) }
        case "train":
            let recipe = try BenchmarkRecipe.make(losses: "{\"image_text\": 1}", precision: precision.rawValue, steps: 1_000_000)
            let step = try TrainingStep(model: model, recipe: recipe, teacherSize: 0, device: device)
            let context = configuration.text.contextLength
            let tokens = (0..<setting.count * context).map { place in
                place % context == context - 1 ? Int64(49_407) : Int64.random(in: 1..<49_000, using: &generator)
            }
            let batch = TrainingBatch(
                squares: squares, items: Array(0..<setting.count), captioned: (0..<setting.count).map { (view: $0, caption: $0) },
                tokens: tokens, taught: [], teacher: [])
            var number = 0
            work = {
                _ = try step.run(batch, step: number)
                number += 1
                try device.synchronize()
            }
        default: throw TorchError.argument("nothing here is called \(setting.what)")
        }
    }

    func milliseconds() throws -> Double {
        let begin = ContinuousClock.now
        try work()
        return (ContinuousClock.now - begin) / .milliseconds(1)
    }
}
