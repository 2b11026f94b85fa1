import CLIP
import Catalog
import Foundation
import Imaging
import Retrieval
import Training

/// How quickly a batch loader makes views of studio photos: garments of four photos each, 900 × 1200 pixels, drawn here.
struct ViewBenchmark {
    private let side: Int
    private let folder: URL
    private static let garments = 16, photos = 4, batchItems = 16

    init(side: Int) throws {
        self.side = side
        folder = FileManager.default.temporaryDirectory.appending(path: "views-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        var lines: [String] = []
        for number in 0..<Self.garments * Self.photos {
            let name = "photo-\(number).jpg"
            try Data(ImageEncoder.jpeg(Self.photo(number), quality: 90)).write(to: folder.appending(path: name))
            lines.append("{\"image\": \"\(name)\", \"product_id\": \"\(number / Self.photos)\"}")
        }
        try Data(lines.joined(separator: "\n").utf8).write(to: folder.appending(path: "manifest.jsonl"))
    }

    /// A textured ellipse on a light ground.
    private static func photo(_ number: Int) throws -> RGBImage {
        var pixels = [UInt8](repeating: 0, count: 900 * 1200 * 3)
        for y in 0..<1200 {
            for x in 0..<900 {
                let (dx, dy) = (Double(x - 450) / 300, Double(y - 600) / 450)
                let isGarment = dx * dx + dy * dy < 1
                for channel in 0..<3 {
                    let texture = (x * (3 + channel) + y * (2 + number % 5) + x * y / 50 + 60 * channel * number) % 200
                    pixels[3 * (900 * y + x) + channel] = UInt8(isGarment ? texture : 240 - channel)
                }
            }
        }
        return try RGBImage(width: 900, height: 1200, pixels: pixels)
    }

    func run(steps: Int, _ answer: (String) throws -> Void) throws {
        defer { try? FileManager.default.removeItem(at: folder) }
        let dataset = try Dataset(contentsOf: folder.appending(path: "manifest.jsonl"))
        let data = try TrainingData([dataset], templates: [], teachers: [], teacherPaths: [])
        let plain = "\"area\": [0.35, 1], \"aspect\": [0.75, 1.33], \"flip\": 0.5"
        let colors = ", \"color\": 0.8, \"brightness\": 0.3, \"contrast\": 0.3, \"saturation\": 0.4, \"hue\": 0.15, \"gray\": 0.1"
        let all = ", \"rotate\": 15, \"pad\": 0.5, \"background\": 0.5, \"blur\": 0.2, \"erase\": 0.3"
        let cores = ProcessInfo.processInfo.activeProcessorCount
        for (name, settings) in [("crop", plain), ("crop, colour", plain + colors), ("everything", plain + colors + all)] {
            let text = """
                {"name": "views", "model": {"start": "none"}, "batch": {"items": \(Self.batchItems), "views": 8}, "epochs": 1,
                 "steps_per_epoch": 1, "optimizer": {"rate": 0}, "losses": {"items": 1}, "augmentation": {\(settings)}}
                """
            let file = folder.appending(path: "recipe.json")
            try Data(text.utf8).write(to: file)
            let recipe = try Recipe(path: file.path)
            for workers in Set([1, cores]).sorted() {
                let loader = try BatchLoader(
                    data, recipe: recipe, preprocessing: Preprocessing(side: side), tokenizer: nil, workers: workers)
                // The photos are decoded once, as in a run whose photos fit into memory.
                for step in 0..<2 { _ = try loader.batch(step: step) }
                let begin = ContinuousClock.now
                for step in 2..<2 + steps { _ = try loader.batch(step: step) }
                let seconds = (ContinuousClock.now - begin) / .seconds(1)
                let rate = Double(steps * recipe.batch.viewCount) / seconds
                try answer(
                    "\(name), \(side) px, \(workers) threads: \(Int(rate)) views/s, \(Int(rate / Double(workers))) a core")
            }
        }
    }
}
