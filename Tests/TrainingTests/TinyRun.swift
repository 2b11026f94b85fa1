import CLIP
import Catalog
import Foundation
import Imaging
import Retrieval
import TensorFiles
import Testing
import Tokenizers
import Torch

@testable import Training

/// Pictures, a teacher and a recipe small enough to train on within a test.
final class TinyRun {
    enum Tower: String, CaseIterable, Sendable { case vit, resnet }

    let folder: TestFolder
    var recipe: Recipe
    let sources: TrainingSources
    var run: RunFolder { RunFolder(path: "\(folder.path)/run") }

    init(_ tower: Tower, validates: Bool = true, isNew: Bool = false) throws {
        folder = try TestFolder()
        var rows: [[String: String]] = []
        for photo in 0..<16 {
            // Items 0–3 with two photos each, then singles; the last four are for validation.
            let item = photo < 8 ? photo / 2 : photo < 12 ? photo - 4 : 100 + (photo - 12) / 2
            let name = "photo-\(photo).png"
            try folder.write("", to: "data/\(name)")
            let bytes = try ImageEncoder.png(Self.photo(photo, item: item))
            try Data(bytes).write(to: URL(filePath: "\(folder.path)/data/\(name)"))
            rows.append([
                "image": name, "product_id": "\(item)", "label": ["dress", "shirt", "shoe"][item % 3],
                "split": photo < 12 || !validates ? "train" : "val",
            ])
        }
        let lines = try rows.map { String(decoding: try JSONEncoder().encode($0), as: UTF8.self) }.joined(separator: "\n")
        let manifest = try folder.write(lines, to: "data/manifest.jsonl")
        var generator = SeededGenerator(seed: 1, 1)
        let vectors = rows.flatMap { _ in
            let vector = (0..<6).map { _ in Float.random(in: -1...1, using: &generator) }
            let length = vector.map { $0 * $0 }.reduce(0, +).squareRoot()
            return vector.map { $0 / length }
        }
        sources = TrainingSources(
            datasets: [try Dataset(contentsOf: URL(filePath: manifest))],
            teachers: [try EmbeddingFile(names: rows.compactMap { $0["image"] }, vectors: vectors, dimension: 6)],
            teacherPaths: ["teacher.safetensors"], command: "stylefinder train tiny.json")
        // New weights come from the process's one generator, which tests beside this one use too: two runs that are compared start from a
        // folder.
        let vocabulary = "\(Fixtures.package)/Tests/TokenizersTests/Fixtures/tokenizer"
        let shape =
            tower == .vit ? "\"width\": 16, \"layers\": 1, \"heads\": 2, \"patch\": 8" : "\"width\": 8, \"layers\": [1, 1, 1, 1]"
        let text = """
            {"name": "tiny", "seed": 9,
             "model": {"tower": "\(tower.rawValue)", \(shape), "resolution": 32, "embedding": 12, "text_width": 64, "text_layers": 1,
                       "context_length": 12, "fitting": "squash", "vocabulary": "\(vocabulary)"},
             "captions": ["a photo of a {label}"], "batch": {"items": 2, "views": 2, "singles": 2}, "epochs": 3, "steps_per_epoch": 3,
             "optimizer": {"rate": 0.002, "warmup_steps": 3, "clip_norm": 5},
             "losses": {"image_text": 0.5, "items": 1, "teacher": 1, "teacher_relations": 2},
             "augmentation": {"area": [0.5, 1], "flip": 0.5, "brightness": 0.2, "hue": 0.1}, "keep": 2}
            """
        recipe = try Recipe(path: folder.write(text, to: "tiny.json"))
        let start = try TrainingStart(recipe)
        let place = "\(folder.path)/start"
        try Checkpoint.write(start.model, preprocessing: start.preprocessing, to: place, vocabulary: vocabulary)
        if !isNew { recipe.start = .model(place) }
    }

    private static func photo(_ number: Int, item: Int) throws -> RGBImage {
        var pixels: [UInt8] = []
        for y in 0..<28 {
            for x in 0..<36 {
                let color = [item * 61 + x * 3, item * 23 + y * 5 + number, item * 91 + x * y]
                pixels += color.map { UInt8($0 % 256) }
            }
        }
        return try RGBImage(width: 36, height: 28, pixels: pixels)
    }

    /// - Parameter stop: the step after which the run is stopped.
    @discardableResult
    func train(
        to folder: RunFolder? = nil, resume: Bool = false, stop: Int? = nil, _ report: (TrainingEvent) -> Void = { _ in }
    ) throws -> Bool {
        var taken = 0
        return try Trainer.run(
            recipe, sources: sources, to: folder ?? run, resume: resume, shouldStop: { taken == stop },
            report: { event in
                if case .step(let step, _, _) = event { taken = step }
                report(event)
            })
    }

    /// Lines of metrics.jsonl without the seconds and the share of them that was waited, which differ from run to run.
    static func metrics(_ folder: RunFolder) throws -> [[String: Double]] {
        try String(contentsOfFile: "\(folder.path)/metrics.jsonl", encoding: .utf8).split(separator: "\n").map { line in
            let object = try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
            return object.compactMapValues { ($0 as? NSNumber)?.doubleValue }.filter { $0.key != "seconds" && $0.key != "waited" }
        }
    }

    static func weights(_ path: String) throws -> [String: [Float]] {
        let weights = try Checkpoint(path: path).weights()
        return try weights.mapValues { try $0.floats() }
    }
}
