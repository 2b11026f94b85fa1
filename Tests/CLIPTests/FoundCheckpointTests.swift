import CLIP
import Foundation
import TensorFiles
import Testing
import Torch

/// Checkpoints as people have them: saved by programs of their own, wrapped, or one folder further up.
@Suite("Checkpoints as they are found", .serialized)
struct FoundCheckpointTests {
    /// A golden model's weights under OpenAI's names.
    private static func weights(_ change: (String) -> String = { $0 }) throws -> [TensorToWrite] {
        let model = try #require(GoldenModel.formats.first { $0.testDescription == "hf-safetensors-f16" })
        return try model.checkpoint().weights().sorted { $0.key < $1.key }.map { name, tensor in
            TensorToWrite(name: change(name), floats: try tensor.floats(), shape: tensor.shape)
        }
    }

    private func withFolder(_ body: (String) throws -> Void) throws {
        let folder = NSTemporaryDirectory() + "found-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try body(folder)
    }

    @Test(
        "a file that says nothing about its activation is asked about, under whatever key its weights stand",
        arguments: ["model_state_dict", "CLIP", "state_dict", "model", "module"])
    func unsaidActivation(_ key: String) throws {
        try withFolder { folder in
            let path = "\(folder)/mine.pt"
            try TorchCheckpointWriter.write(Self.weights(), key: key, values: ["epoch": 3, "loss": 0.25], to: path)
            #expect(throws: CLIPError.unknownActivation(path: path)) { try Checkpoint(path: path) }
            for activation in [Activation.gelu, .quickGELU] {
                #expect(try Checkpoint(path: path, activation: activation).configuration.activation == activation)
            }
        }
    }

    @Test("the original StyleFinder's third stage is known by what stands beside its weights, OpenFashionCLIP by its file's name")
    func knownActivations() throws {
        try withFolder { folder in
            let stage3 = "\(folder)/stage3.pth"
            try TorchCheckpointWriter.write(
                Self.weights(), key: "model_state_dict", values: ["model_name": "ViT-B/16", "train_args": .dictionary([:])],
                to: stage3)
            #expect(try Checkpoint(path: stage3).format == .styleFinderStage3)
            #expect(try Checkpoint(path: stage3).configuration.activation == .quickGELU)
            let fashion = "\(folder)/openfashionclip.pt"
            try TorchCheckpointWriter.write(Self.weights(), key: "CLIP", to: fashion)
            #expect(try Checkpoint(path: fashion).format == .openFashionCLIP)
            #expect(try Checkpoint(path: fashion).configuration.activation == .gelu)
        }
    }

    @Test(
        "what wrappers put before every name is left out and told",
        arguments: ["_orig_mod.", "module._orig_mod.", "_orig_mod.module.", "model.", "module.module.", "clip.model."])
    func wrapped(_ prefix: String) throws {
        try withFolder { folder in
            let (plain, wrapped) = ("\(folder)/plain.safetensors", "\(folder)/wrapped.safetensors")
            try SafetensorsWriter.write(Self.weights(), to: plain)
            try SafetensorsWriter.write(Self.weights { prefix + $0 }, to: wrapped)
            let (expected, found) = try (
                Checkpoint(path: plain, activation: .quickGELU), Checkpoint(path: wrapped, activation: .quickGELU)
            )
            _ = try found.model()
            #expect(try found.fingerprint == expected.fingerprint)
            #expect(found.remarks.contains { $0.contains("begin with \(prefix),") } && expected.remarks.isEmpty)
        }
    }

    @Test("one tower alone is not taken for a wrapped model, and distributed training's `module.` is nothing to tell")
    func notWrapped() throws {
        try withFolder { folder in
            let path = "\(folder)/x.safetensors"
            try SafetensorsWriter.write(Self.weights().filter { $0.name.hasPrefix("visual.") }, to: path)
            #expect(throws: CLIPError.oneTower(path: path, has: "image", lacks: "text")) {
                try Checkpoint(path: path, activation: .gelu)
            }
            try SafetensorsWriter.write(Self.weights { "module." + $0 }, to: path)
            #expect(try Checkpoint(path: path, activation: .gelu).remarks.isEmpty)
        }
    }

    @Test("the bias of the sigmoid loss, on which no vector depends, is left out of a CLIP and told")
    func idleBias() throws {
        try withFolder { folder in
            let (plain, biased) = ("\(folder)/plain.safetensors", "\(folder)/biased.safetensors")
            try SafetensorsWriter.write(Self.weights(), to: plain)
            let bias = TensorToWrite(name: "logit_bias", floats: [-10], shape: [])
            try SafetensorsWriter.write(Self.weights() + [bias], to: biased)
            let found = try Checkpoint(path: biased, activation: .quickGELU)
            _ = try found.model()
            #expect(try found.fingerprint == Checkpoint(path: plain, activation: .quickGELU).fingerprint)
            #expect(found.remarks.contains { $0.contains("logit_bias") })
        }
        let patient = try Patient("hf-safetensors-f16")
        try patient.weights { $0["logit_bias"] = ([-10], []) }
        _ = try Checkpoint(path: patient.path).model()
    }

    @Test("transformers 5 keeps how pictures are prepared in processor_config.json")
    func processor() throws {
        let patient = try Patient("hf-safetensors-f16")
        let expected = try Checkpoint(path: patient.path).preprocessing
        let old = try #require(FileManager.default.contents(atPath: "\(patient.folder)/preprocessor_config.json"))
        try patient.remove("preprocessor_config.json")
        try patient.write(
            "{\"image_processor\": \(String(decoding: old, as: UTF8.self)), \"processor_class\": \"CLIPProcessor\"}",
            to: "processor_config.json")
        #expect(try Checkpoint(path: patient.path).preprocessing == expected)
        try patient.write("{\"processor_class\": \"CLIPProcessor\"}", to: "processor_config.json")
        let path = "\(patient.folder)/processor_config.json"
        #expect(throws: CLIPError.missingKey(path: path, key: "image_processor")) { try Checkpoint(path: patient.path) }
        #expect(CheckpointDoctor.examine(path: patient.path).map(\.subject) == ["preprocessing"])
        try patient.remove("processor_config.json")
        let error = #expect(throws: CLIPError.self) { try Checkpoint(path: patient.path) }
        #expect(error?.description.contains("preprocessor_config.json can't be read") == true)
    }

    @Test("a folder around a model names the one that would do")
    func folderAround() throws {
        let patient = try Patient("hf-safetensors-f16")
        func place(_ model: String) throws {
            let target = "\(patient.folder)/\(model)"
            try FileManager.default.createDirectory(atPath: target, withIntermediateDirectories: true)
            for name in ["config.json", "model.safetensors"] {
                try FileManager.default.copyItem(atPath: "\(patient.folder)/\(name)", toPath: "\(target)/\(name)")
            }
        }
        func expectHint(_ folder: String, _ model: String) {
            let path = "\(patient.folder)/\(folder)"
            #expect(throws: CLIPError.modelLies(inside: path, at: "\(patient.folder)/\(model)")) { try Checkpoint(path: path) }
        }
        for commit in ["aaaa", "bbbb", "cccc"] { try place("models--x--y/snapshots/\(commit)") }
        try FileManager.default.createDirectory(
            atPath: "\(patient.folder)/models--x--y/refs", withIntermediateDirectories: true)
        try patient.write("bbbb\n", to: "models--x--y/refs/main")
        expectHint("models--x--y", "models--x--y/snapshots/bbbb")
        try place("clip-ViT-B-32/0_CLIPModel")
        expectHint("clip-ViT-B-32", "clip-ViT-B-32/0_CLIPModel")
        for step in [900, 1000] { try place("trained/checkpoint-\(step)") }
        expectHint("trained", "trained/checkpoint-1000")
        try FileManager.default.createDirectory(
            atPath: "\(patient.folder)/logs/checkpoints", withIntermediateDirectories: true)
        for epoch in [9, 10] { try patient.write("", to: "logs/checkpoints/epoch_\(epoch).pt") }
        expectHint("logs", "logs/checkpoints/epoch_10.pt")
        let empty = "\(patient.folder)/empty"
        try FileManager.default.createDirectory(atPath: empty, withIntermediateDirectories: true)
        #expect(throws: CLIPError.unknownFolder(path: empty)) { try Checkpoint(path: empty) }
        try patient.write("{\"base_model_name_or_path\": \"openai/clip-vit-base-patch32\"}", to: "empty/adapter_config.json")
        let error = #expect(throws: CLIPError.adapter(path: empty, base: "openai/clip-vit-base-patch32")) {
            try Checkpoint(path: empty)
        }
        #expect(error?.description.contains("merge it into its base first") == true)
        #expect(CheckpointDoctor.examine(path: empty).map(\.subject) == ["adapter"])
    }

    @Test("models of two architectures are not mixed, and the sentence names both")
    func unmixable() throws {
        let models = try ["hf-safetensors-f16", "open-clip-resnet-f16"].map { name in
            try #require(GoldenModel.formats.first { $0.testDescription == name }).checkpoint()
        }
        let error = #expect(throws: CLIPError.self) { try Checkpoint.merged(models[0], models[1], alpha: 0.5) }
        let text = error?.description ?? ""
        #expect(text.hasPrefix("The weights of \(models[0].path) and \(models[1].path) can't be mixed: one is ViT-"), "\(text)")
    }
}
