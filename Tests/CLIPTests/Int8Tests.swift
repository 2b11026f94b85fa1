@testable import CLIP
import Foundation
import Imaging
import TensorFiles
import Testing
import Torch

@Suite("int8 towers", .serialized)
struct Int8Tests {
    /// Tests/CLIPTests/Int8Tests.swift: three levels below the package.
    private static let package = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()
    /// The least cosine on the pictures of the goldens, of which some are of hardly more than one colour: there an error is the same in all
    /// places, and an EfficientNet's fifty thin layers add theirs up.
    static let shipped = [("small-efficientnet", 0.75), ("small-resnet", 0.999), ("small-vit", 0.999)]

    private static func open(_ name: String) throws -> Checkpoint {
        try Checkpoint(path: package.appending(path: "Models/\(name)").path)
    }

    private static func pictures() throws -> [RGBImage] { try #require(GoldenModel.reduced.first).pictures() }

    private static func cosines(_ a: [Float], _ b: [Float], size: Int) -> [Double] {
        stride(from: 0, to: a.count, by: size).map { start in
            (start..<start + size).reduce(0) { $0 + Double(a[$1]) * Double(b[$1]) }
        }
    }

    @Test("vectors in int8 are near those in float32, of pictures and texts", arguments: shipped)
    func agreement(_ name: String, least: Double) throws {
        let checkpoint = try Self.open(name)
        let pictures = try Self.pictures()
        let (exact, rough) = (try Embedder(checkpoint: checkpoint), try Embedder(checkpoint: checkpoint, precision: .int8))
        let size = exact.embeddingSize
        let (a, b) = (try exact.embed(images: pictures), try rough.embed(images: pictures))
        #expect(a != b && Self.cosines(a, b, size: size).allSatisfy { $0 > least }, "\(Self.cosines(a, b, size: size))")
        // A picture alone is what it is among others.
        let alone = try rough.embed(images: [pictures[1]])
        #expect(Self.cosines(alone, Array(b[size..<2 * size]), size: size)[0] > 0.99999)
        let texts = ["a red dress", "blue denim jacket"]
        let (c, d) = (try exact.embed(texts: texts).vectors, try rough.embed(texts: texts).vectors)
        #expect(c != d && Self.cosines(c, d, size: size).allSatisfy { $0 > 0.999 })
    }

    @Test("every kind of tower has an int8 form", arguments: GoldenModel.reduced)
    func towers(_ model: GoldenModel) throws {
        let checkpoint = try model.checkpoint()
        let pictures = try model.pictures()
        let (exact, rough) = (
            try Embedder(checkpoint: checkpoint).embed(images: pictures),
            try Embedder(checkpoint: checkpoint, precision: .int8).embed(images: pictures)
        )
        // Their weights are drawn so that every small difference shows: of a trained model far less is seen.
        let cosines = Self.cosines(exact, rough, size: checkpoint.configuration.embeddingSize)
        #expect(cosines.reduce(0, +) / Double(cosines.count) > 0.85, "\(cosines)")
    }

    @Test(
        "a rounded folder computes what its model computes in int8, and keeps the layers float that it is told",
        arguments: shipped)
    func folder(_ name: String, least: Double) throws {
        let checkpoint = try Self.open(name)
        let pictures = try Self.pictures()
        let errors = try checkpoint.roundingErrors(pictures)
        #expect(errors.count > 20 && errors.values.allSatisfy { $0 > 0 && $0 < 0.1 })
        let worst = try #require(errors.filter { $0.key.hasPrefix("visual.") }.max { $0.value < $1.value }).key
        let place = FileManager.default.temporaryDirectory.appending(path: "rounded-\(UUID().uuidString)").path
        defer { try? FileManager.default.removeItem(atPath: place) }
        func written(except: Set<String>) throws -> Checkpoint {
            try? FileManager.default.removeItem(atPath: place)
            try Checkpoint.write(
                checkpoint.model(), preprocessing: checkpoint.preprocessing, to: place, stored: .rounded(except: except),
                vocabulary: checkpoint.folder)
            return try Checkpoint(path: place, cache: nil)
        }
        let size = checkpoint.configuration.embeddingSize
        let rounded = try written(except: [])
        #expect(rounded.isRounded && !checkpoint.isRounded)
        #expect(try rounded.fingerprint != checkpoint.fingerprint)
        let direct = try Embedder(checkpoint: checkpoint, precision: .int8).embed(images: pictures)
        // By itself, and with the trial's choice.
        let (loaded, trial) = try Embedder.load(rounded, precision: .automatic, trials: nil)
        #expect(trial == nil)
        let found = try loaded.embed(images: pictures)
        // Half precision of the few weights that are no product's is all that differs.
        #expect(Self.cosines(found, direct, size: size).allSatisfy { $0 > min(0.9999, least + 0.1) })
        let report = try checkpoint.report(on: rounded, pictures)
        #expect(report.pictures.leastCosine > least && report.pictures.count == pictures.count && report.texts != nil)

        let kept = try written(except: [worst])
        #expect(try Embedder(checkpoint: kept, precision: .int8).embed(images: pictures) != found)
        let whole = try written(except: Set(errors.keys))
        #expect(try checkpoint.report(on: whole, pictures).pictures.leastCosine > 0.9999)
    }

    @Test("a trial chooses int8 where it is quicker by enough and agrees, and float32 otherwise")
    func choice() {
        func choice(_ float32: Double, _ int8: Double?, _ cosine: Double?) -> Precision {
            PrecisionTrial(float32: float32, int8: int8, cosine: cosine).choice
        }
        #expect(choice(300, 150, 0.995) == .int8)
        #expect(choice(300, 260, 0.995) == .float32)
        #expect(choice(300, 150, 0.9) == .float32)
        #expect(choice(10, nil, nil) == .float32)
        #expect(PrecisionChoice("auto") == .automatic && PrecisionChoice("bf16") == .fixed(.bfloat16))
        #expect(PrecisionChoice("int4") == nil && PrecisionChoice("INT8") == nil)
    }

    @Test("a trial is kept, taken again, and made anew where its file is broken; without a place for it each start has its own")
    func trials() throws {
        let place = FileManager.default.temporaryDirectory.appending(path: "trials-\(UUID().uuidString)").path
        defer { [place, "\(place)-slow"].forEach { try? FileManager.default.removeItem(atPath: $0) } }
        let checkpoint = try Self.open("small-vit")
        // How quick the machine is while other tests run decides nothing here: any model is quick enough, then none is.
        let trials = PrecisionTrials(folder: place, quick: .infinity)
        let first = try #require(try Embedder.load(checkpoint, precision: .automatic, trials: trials).trial)
        #expect(first.int8 == nil && first.choice == .float32 && first.float32 > 0)
        let slow = PrecisionTrials(folder: "\(place)-slow", quick: 0)
        let tried = try #require(try Embedder.load(checkpoint, precision: .automatic, trials: slow).trial)
        #expect(try #require(tried.int8) > 0 && #require(tried.cosine) > 0.97)
        let again = try Embedder.load(checkpoint, precision: .automatic, trials: trials)
        #expect(again.trial == first)
        let file = try #require(FileManager.default.contentsOfDirectory(atPath: place).first)
        try Data("{".utf8).write(to: URL(filePath: "\(place)/\(file)"))
        #expect(try Embedder.load(checkpoint, precision: .automatic, trials: trials).trial != nil)
        // A kept choice is followed.
        let chosen = PrecisionTrial(float32: 300, int8: 100, cosine: 0.99)
        try JSONEncoder().encode(chosen).write(to: URL(filePath: "\(place)/\(file)"))
        let (embedder, trial) = try Embedder.load(checkpoint, precision: .automatic, trials: trials)
        #expect(trial == chosen)
        let pictures = try Self.pictures()
        #expect(
            try embedder.embed(images: pictures) == Embedder(checkpoint: checkpoint, precision: .int8).embed(images: pictures))
        // A folder that can't be made costs the trial alone.
        #expect(try Embedder.load(checkpoint, precision: .automatic, trials: PrecisionTrials(folder: "/proc/none")).trial != nil)
        #expect(try Embedder.load(checkpoint, precision: .float32, trials: trials).trial == nil)
    }
}
