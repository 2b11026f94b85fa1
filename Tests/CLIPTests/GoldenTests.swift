import CLIP
import Foundation
import Imaging
import TensorFiles
import Testing
import Torch

/// Checkpoints that the reference libraries wrote, and what they answered (`tools/golden/clip.py`, `tools/golden/formats.py`).
struct GoldenModel: CustomTestStringConvertible, Sendable {
    let path: String

    var testDescription: String { (path as NSString).lastPathComponent }

    /// The committed ones: folders that we write ourselves too, and every format that is read.
    static let reduced = folders(in: fixtures + "/models")
    static let formats = folders(in: fixtures + "/formats")

    /// Those of full size, made by `make golden`; `make test-golden` names their folder.
    static let full =
        ProcessInfo.processInfo.environment["STYLEFINDER_GOLDEN"].map {
            folders(in: $0 + "/models") + folders(in: $0 + "/formats")
        }
        ?? []

    static let all = reduced + formats + full

    private static let fixtures = URL(fileURLWithPath: #filePath).deletingLastPathComponent().path + "/Fixtures"

    /// Where a user would point to, and the resolution that is asked for where it is not the model's own.
    func checkpoint() throws -> Checkpoint {
        let record = try record()
        return try Checkpoint(path: record.modelFile.map { "\(path)/\($0)" } ?? path, resolution: record.resolution)
    }

    private static func folders(in path: String) -> [GoldenModel] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
        return names.sorted().map { GoldenModel(path: "\(path)/\($0)") }
            .filter { FileManager.default.fileExists(atPath: "\($0.path)/golden.safetensors") }
    }

    func golden() throws -> SafetensorsFile { try SafetensorsFile(path: "\(path)/golden.safetensors") }

    func pictures() throws -> [RGBImage] {
        let names = try JSONDecoder().decode([String].self, from: Data((golden().metadata["pictures"] ?? "[]").utf8))
        return try names.map { try ImageDecoder.decode(contentsOfFile: "\(path)/../pictures/\($0)") }
    }

    struct Cost: Decodable {
        let tower: String
        let mistake: String
        let tolerances: Double
    }

    struct Record: Decodable {
        let mistakes: [Cost]
        let format: String?
        let modelFile: String?
        let resolution: Int?
    }

    func record() throws -> Record {
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        return try decoder.decode(Record.self, from: Data(contentsOf: URL(fileURLWithPath: "\(path)/golden.json")))
    }
}

/// How far rows of unit vectors are from the reference's.
struct Deviation {
    var cosine = 1.0
    var maximum = 0.0

    init(_ found: [Float], _ expected: [Float], dimension: Int) {
        precondition(found.count == expected.count && !found.isEmpty)
        for row in stride(from: 0, to: found.count, by: dimension) {
            var dot = 0.0, left = 0.0, right = 0.0
            for index in row..<(row + dimension) {
                let (a, b) = (Double(found[index]), Double(expected[index]))
                dot += a * b
                left += a * a
                right += b * b
                maximum = max(maximum, abs(a - b))
            }
            cosine = min(cosine, dot / (left * right).squareRoot())
        }
    }

    /// The bar that the project sets itself: cosine at least 0.99999 and no element off by more than 1e-4.
    var passes: Bool { cosine >= 0.99999 && maximum <= 1e-4 }
}

@Suite("CLIP against its references", .serialized)
struct GoldenTests {
    @Test("reduced models exist, so that these tests can't pass by testing nothing")
    func present() throws {
        #expect(GoldenModel.reduced.count >= 3)
        let formats = Set(try GoldenModel.formats.map { try $0.checkpoint().format })
        // Plain weights are not a format that anybody saves a model in; they have a test of their own.
        #expect(formats == Set(Checkpoint.Format.allCases).subtracting([.weights]))
    }

    @Test("image and text embeddings equal the reference's", arguments: GoldenModel.all)
    func embeddings(_ model: GoldenModel) throws {
        let golden = try model.golden()
        let folder = try model.checkpoint()
        let dimension = folder.configuration.embeddingSize
        let pixels = try golden.floats("pixels")
        let count = golden.tensors["pixels"]!.shape[0]
        let side = folder.configuration.resolution
        let ids = try Tensor.mapped("tokens", of: golden).to(.int64)

        // Two ways through the same weights: the plain operations that training uses, and the packed ones of inference.
        let plain = try folder.model()
        let (plainImages, plainTexts) = try withoutGradients {
            (
                try plain.encodeImages(Tensor(pixels, shape: [count, 3, side, side])).normalized().floats(),
                try plain.encodeTexts(ids).normalized().floats()
            )
        }
        let embedder = try Embedder(checkpoint: folder)
        let packed = try embedder.embed(pixels: pixels, count: count)
        let pictures = try embedder.embed(images: model.pictures())
        let packedTexts = try embedder.embed(tokens: ids.integers(), count: ids.shape[0])

        let rows: [(String, [Float], String)] = [
            ("image", plainImages, "pixel_embeddings"), ("image, packed", packed, "pixel_embeddings"),
            ("picture, packed", pictures, "picture_embeddings"), ("text", plainTexts, "text_embeddings"),
            ("text, packed", packedTexts, "text_embeddings"),
        ]
        for (tower, found, name) in rows {
            let deviation = Deviation(found, try golden.floats(name), dimension: dimension)
            print(
                "golden | \(folder.configuration.architectureName) | \(folder.format.rawValue) | \(model.testDescription) | \(tower) | cosine "
                    + String(format: "%.8f | max error %.2e", deviation.cosine, deviation.maximum))
            #expect(deviation.passes, "\(tower): \(deviation)")
        }
        let scale = try golden.floats("logit_scale")[0]
        #expect(abs(Float(try plain.logitScale.item()) - scale) < 1e-6)
    }

    @Test(
        "logits of every picture and text, and the five best texts of each picture, equal the reference's",
        arguments: GoldenModel.all)
    func zeroShot(_ model: GoldenModel) throws {
        let golden = try model.golden()
        let checkpoint = try model.checkpoint()
        let expected = try golden.floats("logits")
        let count = golden.tensors["logits"]!.shape[1]
        let built = try checkpoint.model()
        let ids = try Tensor.mapped("tokens", of: golden).to(.int64)
        let logits = try withoutGradients {
            let images = try Tensor(
                checkpoint.preprocessing.pixels(of: model.pictures()),
                shape: [expected.count / count, 3, checkpoint.preprocessing.side, checkpoint.preprocessing.side])
            let cosines = try built.encodeImages(images).normalized().matmul(
                built.encodeTexts(ids).normalized().transposed(0, 1))
            let scaled = try cosines * exp(built.logitScale.item())
            return try (built.logitBias.map { try scaled + $0.item() } ?? scaled).floats()
        }
        let scale = Float(exp(try built.logitScale.item()))
        for row in stride(from: 0, to: expected.count, by: count) {
            let (found, wanted) = (Array(logits[row..<(row + count)]), Array(expected[row..<(row + count)]))
            for (a, b) in zip(found, wanted) { #expect(abs(a - b) <= 1e-4 * scale) }
            func best(_ values: [Float]) -> [Int] { Array(values.indices.sorted { values[$0] > values[$1] }.prefix(5)) }
            // Two texts whose logits are one within rounding have no order.
            for (a, b) in zip(best(found), best(wanted)) { #expect(a == b || abs(wanted[a] - wanted[b]) <= 2e-4 * scale) }
        }
    }

    @Test("prepared pictures equal Pillow's in every byte", arguments: GoldenModel.all)
    func preparation(_ model: GoldenModel) throws {
        let golden = try model.golden()
        let folder = try model.checkpoint()
        let expected = try golden.withBytes(of: "prepared") { Array($0) }
        #expect(try model.pictures().flatMap { folder.preprocessing.fit($0).pixels } == expected)
    }

    @Test(
        "every planted mistake costs at least 100 tolerances, else the golden proves nothing", arguments: GoldenModel.all)
    func costs(_ model: GoldenModel) throws {
        let costs = try model.record().mistakes
        #expect(costs.count >= 15)
        for cost in costs {
            print(
                "golden | \(model.testDescription) | \(cost.tower) | planted: \(cost.mistake) | \(Int(cost.tolerances)) tolerances"
            )
            #expect(cost.tolerances >= 100, "\(cost.tower): \(cost.mistake)")
        }
    }

    @Test("a model that is written and read again gives the same vectors, in both folder kinds", arguments: GoldenModel.reduced)
    func writing(_ model: GoldenModel) throws {
        let place = NSTemporaryDirectory() + "written-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: place) }
        let folder = try model.checkpoint()
        try Checkpoint.write(folder.model(), preprocessing: folder.preprocessing, to: place, vocabulary: model.path)
        let written = try Checkpoint(path: place)
        #expect(written.configuration == folder.configuration)
        #expect(written.preprocessing == folder.preprocessing)
        let pictures = try model.pictures()
        #expect(try Embedder(checkpoint: written).embed(images: pictures) == Embedder(checkpoint: folder).embed(images: pictures))
    }
}
