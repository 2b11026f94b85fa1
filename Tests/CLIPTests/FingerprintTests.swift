import Foundation
import Synchronization
import TensorFiles
import Testing

@testable import CLIP

@Suite("Fingerprint")
struct FingerprintTests {
    private static let package = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().path

    private func fingerprint(_ path: String, activation: Activation? = nil) throws -> String {
        try Checkpoint(path: path, activation: activation, cache: nil).fingerprint
    }

    @Test("a vocabulary beside the weights, its removal and another form of the JSON files keep it")
    func bystanders() throws {
        let patient = try Patient("hf-safetensors-f16")
        let before = try fingerprint(patient.path)
        try patient.edit("config.json") { _ in }
        try patient.edit("preprocessor_config.json") { _ in }
        try patient.write("{\"name\": \"mine\"}", to: "stylefinder.json")
        #expect(try fingerprint(patient.path) == before)
        for name in ["vocab.json", "merges.txt"] { try patient.remove(name) }
        #expect(try fingerprint(patient.path) == before)
        #expect(try Checkpoint(path: patient.path, cache: nil).tokenizerFingerprint == nil)
    }

    @Test(
        "another container, another library's names and a folder of our own keep it at equal precision",
        arguments: [
            "hf-safetensors-f16", "hf-shards-bf16", "siglip-hf-f16", "open-clip-resnet-f16", "openai-vit", "openai-resnet",
        ])
    func conversions(_ golden: String) throws {
        let model = try #require(GoldenModel.formats.first { $0.testDescription == golden })
        let place = NSTemporaryDirectory() + "fingerprint-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: place) }
        let first = try Checkpoint(path: model.checkpoint().path, cache: nil)
        try Checkpoint.write(first.model(), preprocessing: first.preprocessing, to: "\(place)/whole")
        let folder = try Checkpoint(path: "\(place)/whole", cache: nil)
        let expected = try folder.fingerprint
        // Stored in half precision there, in single precision here.
        #expect(try first.fingerprint != expected)
        try Checkpoint.write(folder.model(), preprocessing: folder.preprocessing, to: "\(place)/again")
        #expect(try fingerprint("\(place)/again") == expected)

        let isSigLIP = folder.configuration.family == .sigLIP
        let isResNet = if case .resNet = folder.configuration.vision { true } else { false }
        var files: Set<String> = []
        for names in isSigLIP ? [.huggingFace] : isResNet ? [.openAI] : Checkpoint.Names.allCases {
            for ending in ["safetensors", "pt"] {
                let path = "\(place)/\(names.rawValue).\(ending)"
                try Checkpoint.write(folder.model(), to: path, names: names)
                files.insert(try fingerprint(path, activation: isSigLIP ? nil : folder.configuration.activation))
            }
        }
        #expect(files.count == 1)
        // A file alone says neither how many heads these small models have nor that a Hugging Face CLIP's pictures are cut by another rule.
        if folder.format == .openCLIP { #expect(files == [expected]) } else { #expect(!files.contains(expected)) }
    }

    @Test("one bit of one weight, another activation, another size or another mean change it")
    func changes() throws {
        let patient = try Patient("hf-safetensors-f16")
        var seen: Set<String> = [try fingerprint(patient.path)]
        try patient.weights { _ in }
        #expect(try seen.insert(fingerprint(patient.path)).inserted)
        try patient.weights { tensors in
            guard var bias = tensors["text_model.final_layer_norm.bias"] else { return }
            bias.floats[0] = bias.floats[0].nextUp
            tensors["text_model.final_layer_norm.bias"] = bias
        }
        #expect(try seen.insert(fingerprint(patient.path)).inserted)
        try patient.edit("config.json", section: "vision_config") { $0["hidden_act"] = "gelu" }
        #expect(try seen.insert(fingerprint(patient.path)).inserted)
        try patient.edit("preprocessor_config.json") { $0["image_mean"] = [0.5, 0.5, 0.5] }
        #expect(try seen.insert(fingerprint(patient.path)).inserted)
        #expect(try seen.insert(Checkpoint(path: patient.path, resolution: 48, cache: nil).fingerprint).inserted)
    }

    @Test("a shipped model's former fingerprint is the one that catalogues know it by")
    func former() throws {
        // As version 1 showed them.
        let known = ["small-vit": "021866c7a558348fc19ed3e6efceac6f5f5cc965076e2d06d727efc2aa9a7d93"]
        for (name, fingerprint) in known {
            let checkpoint = try Checkpoint(path: "\(Self.package)/Models/\(name)", cache: nil)
            #expect(try checkpoint.formerFingerprints.first == fingerprint)
            #expect(try checkpoint.fingerprint != fingerprint)
        }
        // The second is what the model was called before its vocabulary came.
        let patient = try Patient("hf-safetensors-f16")
        let with = try Checkpoint(path: patient.path, cache: nil).formerFingerprints
        for name in ["vocab.json", "merges.txt"] { try patient.remove(name) }
        #expect(try Checkpoint(path: patient.path, cache: nil).formerFingerprints == [with[1]])
        #expect(with.count == 2 && with[0] != with[1])
    }

    // MARK: The cache

    /// A cache that sees files an hour after they were written.
    private func cache(_ folder: String) -> FingerprintCache {
        FingerprintCache(folder: folder) { Date().addingTimeInterval(3600) }
    }

    @Test("what was taken once is taken from the cache until a file of weights changes")
    func cached() throws {
        let patient = try Patient("hf-safetensors-f16")
        let folder = "\(patient.folder)/cache"
        let found = try Checkpoint(path: patient.path, cache: cache(folder)).fingerprint
        let entries = try FileManager.default.contentsOfDirectory(atPath: folder)
        #expect(entries.count == 1)
        // Something else in the entry shows that it is what is read.
        let planted = String(repeating: "a", count: 64)
        let entry = "\(folder)/\(try #require(entries.first))"
        try Data("\(planted)\n".utf8).write(to: URL(fileURLWithPath: entry))
        #expect(try Checkpoint(path: patient.path, cache: cache(folder)).fingerprint == planted)
        // A broken entry is none.
        try Data("aaa\n".utf8).write(to: URL(fileURLWithPath: entry))
        #expect(try Checkpoint(path: patient.path, cache: cache(folder)).fingerprint == found)
        try patient.weights { _ in }
        let changed = try Checkpoint(path: patient.path, cache: cache(folder)).fingerprint
        #expect(changed != found && changed != planted)
    }

    @Test("a file that was written a moment ago is not remembered: it may change again within one tick of the clock")
    func unsettled() throws {
        let patient = try Patient("hf-safetensors-f16")
        let folder = "\(patient.folder)/cache"
        _ = try Checkpoint(path: patient.path, cache: FingerprintCache(folder: folder)).fingerprint
        #expect(!FileManager.default.fileExists(atPath: folder))
    }

    @Test("a cache that can't be written costs time alone, and many threads may use one")
    func shared() async throws {
        let patient = try Patient("hf-safetensors-f16")
        let expected = try fingerprint(patient.path)
        // A file stands where the folder would.
        try patient.write("", to: "occupied")
        #expect(try Checkpoint(path: patient.path, cache: cache("\(patient.folder)/occupied/cache")).fingerprint == expected)
        let (path, cache) = (patient.path, cache("\(patient.folder)/cache"))
        try await withThrowingTaskGroup(of: String.self) { group in
            for _ in 0..<8 { group.addTask { try Checkpoint(path: path, cache: cache).fingerprint } }
            for try await found in group { #expect(found == expected) }
        }
        #expect(try FileManager.default.contentsOfDirectory(atPath: "\(patient.folder)/cache").count == 1)
    }
}
