import CLIP
import Foundation
import Imaging
import TensorFiles
import Testing
import Tokenizers
import Torch

@Suite("Checkpoint", .serialized)
struct CheckpointTests {
    private static func golden(_ name: String) throws -> GoldenModel {
        try #require((GoldenModel.formats + GoldenModel.reduced).first { $0.testDescription == name })
    }

    private func temporary(_ name: String) -> String { NSTemporaryDirectory() + "\(UUID().uuidString)-\(name)" }

    private func vectors(_ checkpoint: Checkpoint, of model: GoldenModel) throws -> [Float] {
        try Embedder(checkpoint: checkpoint).embed(images: model.pictures())
    }

    @Test("any format becomes a folder of our own that gives the same vectors", arguments: GoldenModel.formats)
    func folder(_ model: GoldenModel) throws {
        let checkpoint = try model.checkpoint()
        let place = temporary("folder")
        defer { try? FileManager.default.removeItem(atPath: place) }
        try Checkpoint.write(
            checkpoint.model(), preprocessing: checkpoint.preprocessing, to: place,
            vocabulary: checkpoint.tokenizer == nil ? nil : checkpoint.folder)
        let written = try Checkpoint(path: place)
        #expect([.huggingFace, .openCLIP].contains(written.format))
        #expect(written.configuration == checkpoint.configuration)
        #expect(written.tokenizer?.vocabularySize == checkpoint.tokenizer?.vocabularySize)
        #expect(try vectors(written, of: model) == vectors(checkpoint, of: model))
        let ids = try Tensor.mapped("tokens", of: model.golden()).to(.int64)
        let texts = try [checkpoint, written].map {
            try Embedder(checkpoint: $0).embed(tokens: ids.integers(), count: ids.shape[0])
        }
        #expect(texts[0] == texts[1])
    }

    @Test(
        "weights alone, under either library's names and in either container, are the same model again",
        arguments: ["hf-safetensors-f16", "openai-vit", "openai-resnet", "siglip-hf-f16", "siglip-open-clip-f16"],
        ["weights.safetensors", "weights.pt"])
    func file(_ name: String, file: String) throws {
        let model = try Self.golden(name)
        let checkpoint = try model.checkpoint()
        let isSigLIP = checkpoint.configuration.family == .sigLIP
        for names in Checkpoint.Names.allCases {
            let place = temporary(file)
            defer { try? FileManager.default.removeItem(atPath: place) }
            if names == .huggingFace, case .resNet = checkpoint.configuration.vision {
                #expect(throws: CLIPError.self) { try Checkpoint.write(checkpoint.model(), to: place, names: names) }
                continue
            }
            if names == .openAI, isSigLIP {
                #expect(throws: CLIPError.self) { try Checkpoint.write(checkpoint.model(), to: place, names: names) }
                continue
            }
            try Checkpoint.write(checkpoint.model(), to: place, names: names)
            // A .pt of tensors has no word for the activation; SigLIP's names say which family they are of.
            let needsActivation = file.hasSuffix(".pt") && !isSigLIP
            if needsActivation {
                let error = #expect(throws: CLIPError.self) { try Checkpoint(path: place) }
                guard case .unknownActivation? = error else {
                    Issue.record("\(String(describing: error))")
                    continue
                }
            }
            let written = try Checkpoint(path: place, activation: needsActivation ? checkpoint.configuration.activation : nil)
            #expect(written.format == .weights)
            let (mine, theirs) = try (checkpoint.weights(), written.weights())
            #expect(mine.keys.sorted() == theirs.keys.sorted())
            for (name, tensor) in mine { #expect(try tensor.floats() == theirs[name]?.floats(), "\(name)") }
        }
    }

    @Test("a variant of any format's model is small beside its baseline, and the model again", arguments: GoldenModel.formats)
    func variant(_ model: GoldenModel) throws {
        let baseline = try model.checkpoint()
        let folder = temporary("models")
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let other = try baseline.model(forTraining: true)
        try withoutGradients {
            for (index, (name, tensor)) in other.store.parameters.enumerated()
            where !name.hasPrefix("transformer.") && index % 3 > 0 {
                let shape = tensor.shape
                let noise = (0..<shape.reduce(1, *)).map { 0.01 * sin(Float($0 * 7 + index)) }
                try tensor.copyInPlace(from: tensor + Tensor(noise, shape: shape))
            }
        }
        func write(_ name: String, coarseness: Float, baseline: Checkpoint) throws -> String {
            let place = "\(folder)/\(name)"
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
            try Checkpoint.write(
                other, preprocessing: baseline.preprocessing, to: place,
                stored: .differences(from: baseline, coarseness: coarseness),
                vocabulary: baseline.tokenizer == nil ? nil : baseline.folder)
            return place
        }
        // Of several files, or interpolated while it is loaded: there is nothing that differences could be added to.
        if model.testDescription.contains("shard") || !baseline.remarks.isEmpty {
            #expect(throws: (any Error).self) { try write("without one file", coarseness: 1, baseline: baseline) }
            return
        }
        let whole = "\(folder)/whole"
        try Checkpoint.write(
            other, preprocessing: baseline.preprocessing, to: whole, vocabulary: baseline.tokenizer == nil ? nil : baseline.folder
        )
        let expected = try vectors(Checkpoint(path: whole), of: model)
        let size = baseline.configuration.embeddingSize
        /// 1 − cosine, the mean over the pictures: of unit vectors half the squared distance.
        func distance(_ found: [Float]) -> Float {
            zip(found, expected).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) } / 2 / Float(found.count / size)
        }
        let learned = try distance(vectors(baseline, of: model))
        for (coarseness, share) in [(0.01, 0.001), (0.25, 0.1)] as [(Float, Float)] {
            let place = try write("variant \(coarseness)", coarseness: coarseness, baseline: baseline)
            let variant = try Checkpoint(path: place, cache: nil)
            #expect(variant.configuration == baseline.configuration && variant.preprocessing.side == baseline.preprocessing.side)
            #expect(try variant.fingerprint != baseline.fingerprint)
            #expect(try variant.parameterCount() == variant.model().parameterCount)
            let lost = try distance(vectors(variant, of: model))
            #expect(lost < share * learned, "\(coarseness): \(lost) of \(learned)")
            // A variant is nobody's baseline.
            #expect(throws: CLIPError.self) { try write("of a variant", coarseness: 1, baseline: variant) }
        }
    }

    @Test("a variant without its baseline, or beside another one, is refused with the baseline's place")
    func variantWithoutBaseline() throws {
        let patient = try Patient("hf-safetensors-f16")
        let baseline = try Checkpoint(path: patient.path)
        let folder = URL(fileURLWithPath: patient.path).deletingLastPathComponent().path
        let place = "\(folder)/\(UUID().uuidString)-variant"
        defer { try? FileManager.default.removeItem(atPath: place) }
        let other = try baseline.model(forTraining: true)
        try withoutGradients {
            let (_, tensor) = try #require(other.store.parameters.first { $0.name == "visual.proj" })
            try tensor.copyInPlace(from: tensor * 1.01)
        }
        try Checkpoint.write(
            other, preprocessing: baseline.preprocessing, to: place, stored: .differences(from: baseline, coarseness: 1))
        let variant = try Checkpoint(path: place, cache: nil)
        _ = try variant.model()
        let names = try SafetensorsFile(path: "\(place)/variant.safetensors")
        #expect(Set(names.names) == ["visual_projection.weight:codes", "visual_projection.weight:steps"])
        #expect(names.metadata["baseline"]?.hasPrefix("../") == true)
        #expect(CheckpointDoctor.examine(path: place).allSatisfy { $0.severity != .fault })
        try patient.weights { tensors in tensors["logit_scale"] = ([3], []) }
        let error = #expect(throws: CLIPError.self) { try Checkpoint(path: place, cache: nil) }
        #expect(error?.description.contains("changed since") == true, "\(String(describing: error))")
        try FileManager.default.removeItem(atPath: "\(patient.path)/model.safetensors")
        let gone = #expect(throws: CLIPError.self) { try Checkpoint(path: place, cache: nil) }
        #expect(gone?.description.contains("is not there") == true, "\(String(describing: gone))")
    }

    @Test("a variant that is its own baseline, or another variant's, ends with a sentence")
    func variantOfItself() throws {
        let patient = try Patient("hf-safetensors-f16")
        let file = "\(patient.path)/model.safetensors"
        for baseline in ["model.safetensors", "other.safetensors"] {
            for name in ["model.safetensors", "other.safetensors"] {
                try SafetensorsWriter.write(
                    [TensorToWrite(name: "logit_scale", floats: [3], shape: [])],
                    metadata: ["baseline": name == "model.safetensors" ? baseline : "model.safetensors", "baseline_sha256": "0"],
                    to: "\(patient.path)/\(name)")
            }
            let error = #expect(throws: CLIPError.self) { try Checkpoint(path: file, activation: .quickGELU, cache: nil) }
            #expect(error?.description.contains("variant itself") == true, "\(String(describing: error))")
        }
    }

    @Test("an activation that contradicts the checkpoint's own word is refused")
    func contradiction() throws {
        let model = try Self.golden("openai-vit")
        let error = #expect(throws: CLIPError.self) {
            try Checkpoint(path: model.checkpoint().path, activation: .gelu)
        }
        #expect(error?.description.contains("quick_gelu") == true)
    }

    @Test("mixing: alpha 0 and 1 are the two models, and between them every weight is between theirs")
    func merging() throws {
        let model = try Self.golden("hf-safetensors-f16")
        let checkpoint = try model.checkpoint()
        let patient = try Patient("hf-safetensors-f16")
        try patient.weights { tensors in
            for (name, tensor) in tensors { tensors[name] = (tensor.floats.map { $0 * 0.5 + 0.01 }, tensor.shape) }
        }
        let other = try Checkpoint(path: patient.path)
        func weights(_ alpha: Double) throws -> [String: [Float]] {
            let mixed = try Checkpoint.merged(checkpoint, other, alpha: alpha)
            return try Dictionary(uniqueKeysWithValues: mixed.store.parameters.map { ($0.name, try $0.tensor.floats()) })
        }
        let (first, last, middle) = try (weights(0), weights(1), weights(0.25))
        let (mine, theirs) = try (checkpoint.weights(), other.weights())
        for (name, values) in middle {
            #expect(try first[name] == mine[name]?.floats() && last[name] == theirs[name]?.floats())
            for (index, value) in values.enumerated() {
                let expected = 0.75 * (first[name]?[index] ?? 0) + 0.25 * (last[name]?[index] ?? 0)
                #expect(abs(value - expected) <= 1e-6 * max(1, abs(expected)))
            }
        }
        #expect(throws: CLIPError.self) {
            try Checkpoint.merged(checkpoint, Self.golden("siglip-hf-f16").checkpoint(), alpha: 0.5)
        }
    }

    @Test("another resolution is told, interpolated, and must be a multiple of the patch")
    func resolution() throws {
        let path = try Self.golden("hf-safetensors-f16").checkpoint().path
        let resized = try Checkpoint(path: path, resolution: 48)
        #expect(resized.remarks.count == 1 && resized.remarks[0].contains("48") && resized.preprocessing.side == 48)
        #expect(try resized.fingerprint != Checkpoint(path: path).fingerprint)
        _ = try resized.model()
        let error = #expect(throws: CLIPError.self) { try Checkpoint(path: path, resolution: 50) }
        #expect(error?.description.contains("multiple") == true)
    }

    @Test("what a checkpoint tells about itself is kept")
    func facts() throws {
        let checkpoint = try Self.golden("stylefinder-stage3-vit").checkpoint()
        let facts = Dictionary(checkpoint.facts, uniquingKeysWith: { first, _ in first })
        #expect(facts["model_name"] == "ViT-B/16" && facts["epoch"] == "7" && facts["train_args.batch_size"] == "64")
        #expect(checkpoint.format == .styleFinderStage3 && checkpoint.configuration.activation == .quickGELU)
        let training = try Self.golden("open-clip-training-vector").checkpoint()
        #expect(training.format == .openCLIPTraining && training.configuration.activation == .quickGELU)
        let exact = try Self.golden("open-clip-training-scalar").checkpoint()
        #expect(exact.configuration.activation == .gelu)
    }

    @Test("a safetensors file is one whatever the length of its header begins with")
    func headerLength() throws {
        let patient = try Patient("hf-safetensors-f16")
        let path = "\(patient.folder)/model.safetensors"
        let whole = [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
        let length = whole[..<8].reversed().reduce(0) { $0 << 8 | Int($1) }
        // 0x80 begins a pickle, PK an archive; blanks behind the JSON make the header as long as one likes.
        for low in [0x80, Int(UInt8(ascii: "P")) | Int(UInt8(ascii: "K")) << 8] {
            let unit = low > 0xFF ? 1 << 16 : 1 << 8
            let longer = length + (low - length % unit + unit) % unit
            var bytes: [UInt8] = withUnsafeBytes(of: UInt64(longer).littleEndian, Array.init)
            bytes += whole[8..<(8 + length)]
            bytes += [UInt8](repeating: 0x20, count: longer - length)
            bytes += whole[(8 + length)...]
            try Data(bytes).write(to: URL(fileURLWithPath: path))
            _ = try Checkpoint(path: patient.path).model()
        }
    }

    @Test("a training checkpoint far from its params.txt asks for the activation")
    func strayTraining() throws {
        let model = try Self.golden("open-clip-training-vector")
        let place = temporary("epoch_1.pt")
        defer { try? FileManager.default.removeItem(atPath: place) }
        try FileManager.default.copyItem(atPath: model.checkpoint().path, toPath: place)
        let error = #expect(throws: CLIPError.self) { try Checkpoint(path: place) }
        #expect(error == .unknownActivation(path: place))
        #expect(try Checkpoint(path: place, activation: .quickGELU).configuration == model.checkpoint().configuration)
    }
}
