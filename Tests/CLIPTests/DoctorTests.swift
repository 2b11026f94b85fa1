import CLIP
import Foundation
import TensorFiles
import Testing

/// A copy of a golden checkpoint that something is done to.
final class Patient {
    let folder: String
    /// Where a user would point to.
    var path: String

    /// - Parameter golden: one of the formats.
    convenience init(_ golden: String) throws { try self.init(fixture: "formats/\(golden)") }

    /// - Parameter model: one of the folders that we write ourselves too.
    convenience init(model: String) throws { try self.init(fixture: "models/\(model)") }

    private init(fixture: String) throws {
        let source = URL(fileURLWithPath: #filePath).deletingLastPathComponent().path + "/Fixtures/\(fixture)"
        folder = NSTemporaryDirectory() + "patient-\(UUID().uuidString)"
        try FileManager.default.copyItem(atPath: source, toPath: folder)
        path = folder
    }

    deinit { try? FileManager.default.removeItem(atPath: folder) }

    func edit(_ file: String, _ change: (inout [String: Any]) -> Void) throws {
        let url = URL(fileURLWithPath: "\(folder)/\(file)")
        var object = try #require(try JSONSerialization.jsonObject(with: Data(contentsOf: url)) as? [String: Any])
        change(&object)
        try JSONSerialization.data(withJSONObject: object).write(to: url)
    }

    func edit(_ file: String, section: String, _ change: (inout [String: Any]) -> Void) throws {
        try edit(file) { object in
            var inner = object[section] as? [String: Any] ?? [:]
            change(&inner)
            object[section] = inner
        }
    }

    func remove(_ file: String) throws { try FileManager.default.removeItem(atPath: "\(folder)/\(file)") }

    func write(_ text: String, to file: String) throws {
        try Data(text.utf8).write(to: URL(fileURLWithPath: "\(folder)/\(file)"))
    }

    /// Rewrites the weights as float32 with some of them changed, left out or added.
    func weights(
        _ file: String = "model.safetensors", into target: String? = nil,
        _ change: (inout [String: (floats: [Float], shape: [Int])]) -> Void
    ) throws {
        let source = try SafetensorsFile(path: "\(folder)/\(file)")
        var tensors: [String: (floats: [Float], shape: [Int])] = [:]
        for (name, tensor) in source.tensors where tensor.type.isFloatingPoint {
            tensors[name] = (try source.floats(name), tensor.shape)
        }
        change(&tensors)
        try SafetensorsWriter.write(
            tensors.sorted { $0.key < $1.key }.map {
                TensorToWrite(name: $0.key, floats: $0.value.floats, shape: $0.value.shape)
            },
            to: "\(folder)/\(target ?? file)")
    }
}

/// Something that goes wrong with models, and what an examination calls it.
struct PlantedFault: CustomTestStringConvertible, Sendable {
    let name: String
    let severity: Finding.Severity
    let subject: String
    /// A part of what is found: the file, the key or the value that is to blame.
    let naming: String
    var golden = "hf-safetensors-f16"
    let plant: @Sendable (Patient) throws -> Void

    var testDescription: String { name }

    private static let config = "config.json", preprocessor = "preprocessor_config.json", openCLIP = "open_clip_config.json"

    static let all: [PlantedFault] = [
        .init(name: "a file cut off", severity: .fault, subject: "file", naming: "model.safetensors") {
            let handle = try #require(FileHandle(forWritingAtPath: "\($0.folder)/model.safetensors"))
            try handle.truncate(atOffset: 20_000)
            try handle.close()
        },
        .init(name: "git's pointer instead of the weights", severity: .fault, subject: "file", naming: "git lfs pull") {
            try $0.write("version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n", to: "model.safetensors")
        },
        .init(name: "a web page instead of the weights", severity: .fault, subject: "file", naming: "web page") {
            try $0.write("<!doctype html><title>Sign in</title>", to: "model.safetensors")
        },
        .init(name: "a shard left behind", severity: .fault, subject: "file", naming: "00002-of-00003", golden: "hf-shards-bf16")
        {
            try $0.remove("model-00002-of-00003.safetensors")
        },
        .init(name: "no weights at all", severity: .fault, subject: "file", naming: "model.safetensors") {
            try $0.remove("model.safetensors")
        },
        .init(name: "a tensor missing", severity: .fault, subject: "missing keys", naming: "logit_scale") {
            try $0.weights { $0["logit_scale"] = nil }
        },
        .init(name: "a tensor too many", severity: .fault, subject: "unexpected keys", naming: "adapter.weight") {
            try $0.weights { $0["adapter.weight"] = ([1, 2], [2]) }
        },
        .init(name: "a tensor of another shape", severity: .fault, subject: "shapes", naming: "ln_final.bias") {
            try $0.weights { $0["text_model.final_layer_norm.bias"] = ([1, 2, 3], [3]) }
        },
        .init(name: "more layers than weights", severity: .fault, subject: "missing keys", naming: "resblocks") {
            try $0.edit(config, section: "vision_config") { $0["num_hidden_layers"] = 9 }
        },
        .init(name: "fewer layers than weights", severity: .fault, subject: "unexpected keys", naming: "transformer.resblocks.1")
        {
            try $0.edit(config, section: "text_config") { $0["num_hidden_layers"] = 1 }
        },
        .init(name: "another patch than the weights'", severity: .fault, subject: "shapes", naming: "visual.conv1.weight") {
            try $0.edit(config, section: "vision_config") { $0["patch_size"] = 16 }
        },
        .init(name: "a weight that is no number", severity: .fault, subject: "numbers", naming: "ln_final.weight") {
            try $0.weights { $0["text_model.final_layer_norm.weight"]?.floats[3] = .nan }
        },
        .init(name: "an infinite weight", severity: .fault, subject: "numbers", naming: "visual.ln_post.bias") {
            try $0.weights { $0["vision_model.post_layernorm.bias"]?.floats[0] = .infinity }
        },
        .init(name: "an activation nobody knows", severity: .fault, subject: "activation", naming: "relu6") {
            try $0.edit(config, section: "vision_config") { $0["hidden_act"] = "relu6" }
        },
        .init(
            name: "weights alone, which say nothing of their activation", severity: .fault, subject: "activation",
            naming: "--activation"
        ) {
            try $0.weights(into: "alone.safetensors") { _ in }
            $0.path = "\($0.folder)/alone.safetensors"
        },
        .init(name: "OpenAI's weights with the other activation", severity: .doubt, subject: "activation", naming: "gelu") {
            try $0.edit(config) { $0["_name_or_path"] = "openai/clip-vit-base-patch32" }
            for section in ["vision_config", "text_config"] {
                try $0.edit(config, section: section) { $0["hidden_act"] = "gelu" }
            }
        },
        .init(name: "a different activation in each tower", severity: .doubt, subject: "activation", naming: "texts") {
            try $0.edit(config, section: "text_config") { $0["hidden_act"] = "gelu_pytorch_tanh" }
        },
        .init(name: "SigLIP's eps in a CLIP", severity: .doubt, subject: "eps", naming: "1e-06") {
            for section in ["vision_config", "text_config"] {
                try $0.edit(config, section: section) { $0["layer_norm_eps"] = 1e-6 }
            }
        },
        .init(name: "an eps of its own in each tower", severity: .fault, subject: "configuration", naming: "layer_norm_eps") {
            try $0.edit(config, section: "text_config") { $0["layer_norm_eps"] = 1e-3 }
        },
        .init(name: "a vocabulary of another size", severity: .fault, subject: "vocabulary", naming: "tokens") {
            try $0.edit("vocab.json") { $0["surplus</w>"] = $0.count }
        },
        .init(name: "merges of another vocabulary", severity: .fault, subject: "vocabulary", naming: "merges.txt line 2") {
            try $0.write("#version: 0.2\nzzz qqq\n", to: "merges.txt")
        },
        .init(name: "no vocabulary", severity: .doubt, subject: "tokenizer", naming: "none") {
            try $0.remove("vocab.json")
            try $0.remove("merges.txt")
        },
        .init(
            name: "a vocabulary of a kind that is not read", severity: .doubt, subject: "tokenizer", naming: "BPE without",
            golden: "siglip2-hf-bf16"
        ) {
            try $0.write(
                "{\"model\": {\"type\": \"BPE\", \"byte_fallback\": true, \"vocab\": {}, \"merges\": []}}", to: "tokenizer.json")
        },
        .init(
            name: "position embeddings of another resolution", severity: .doubt, subject: "resolution", naming: "6×6",
            golden: "open-clip-safetensors-f16"
        ) {
            try $0.edit(openCLIP, section: "model_cfg") { model in
                var vision = model["vision_cfg"] as? [String: Any] ?? [:]
                vision["image_size"] = 48
                model["vision_cfg"] = vision
            }
        },
        .init(name: "pictures of another size than the model's", severity: .fault, subject: "preprocessing", naming: "64") {
            try $0.edit(preprocessor) {
                $0["size"] = ["shortest_edge": 64]
                $0["crop_size"] = ["height": 64, "width": 64]
            }
        },
        .init(name: "no word on how pictures are prepared", severity: .fault, subject: "preprocessing", naming: preprocessor) {
            try $0.remove(preprocessor)
        },
        .init(name: "a way of resizing nobody knows", severity: .fault, subject: "preprocessing", naming: "resample") {
            try $0.edit(preprocessor) { $0["resample"] = 9 }
        },
        .init(name: "pictures left on the scale 0…255", severity: .fault, subject: "preprocessing", naming: "do_rescale") {
            try $0.edit(preprocessor) { $0["do_rescale"] = false }
        },
        .init(name: "rounded statistics", severity: .doubt, subject: "statistics", naming: "0.48") {
            try $0.edit(preprocessor) { $0["image_mean"] = [0.48, 0.46, 0.41] }
        },
        .init(name: "pictures that are not normalised", severity: .doubt, subject: "statistics", naming: "0.0") {
            try $0.edit(preprocessor) { $0["do_normalize"] = false }
        },
        .init(name: "pictures squashed that were cut in training", severity: .doubt, subject: "resize", naming: "squash") {
            try $0.edit(preprocessor) {
                $0["size"] = $0["crop_size"] ?? ["height": 32, "width": 32]
                $0["do_center_crop"] = false
            }
        },
        .init(name: "another filter than in training", severity: .doubt, subject: "filter", naming: "bilinear") {
            try $0.edit(preprocessor) { $0["resample"] = 2 }
        },
        .init(name: "the factor saved instead of its logarithm", severity: .doubt, subject: "logit scale", naming: "100") {
            try $0.weights { $0["logit_scale"]?.floats = [100] }
        },
        .init(name: "a dead projection", severity: .fault, subject: "image embeddings", naming: "length 0") {
            try $0.weights { tensors in
                let count = tensors["visual_projection.weight"]?.floats.count ?? 0
                tensors["visual_projection.weight"]?.floats = [Float](repeating: 0, count: count)
            }
        },
        .init(name: "a collapsed image tower", severity: .fault, subject: "image embeddings", naming: "all alike") {
            try $0.weights { tensors in
                // The last norm says the same of every picture.
                let count = tensors["vision_model.post_layernorm.weight"]?.floats.count ?? 0
                tensors["vision_model.post_layernorm.weight"]?.floats = [Float](repeating: 0, count: count)
            }
        },
        .init(name: "a collapsed text tower", severity: .fault, subject: "text embeddings", naming: "all alike") {
            try $0.weights { tensors in
                let count = tensors["text_model.final_layer_norm.weight"]?.floats.count ?? 0
                tensors["text_model.final_layer_norm.weight"]?.floats = [Float](repeating: 0, count: count)
            }
        },
        .init(name: "texts without their pictures' tower", severity: .fault, subject: "towers", naming: "text tower alone") {
            try $0.weights { $0 = $0.filter { !$0.key.hasPrefix("vision_model.") && $0.key != "visual_projection.weight" } }
        },
        .init(name: "pictures without their texts' tower", severity: .fault, subject: "towers", naming: "image tower alone") {
            try $0.weights { $0 = $0.filter { !$0.key.hasPrefix("text_model.") && $0.key != "text_projection.weight" } }
        },
        .init(name: "another network", severity: .fault, subject: "keys", naming: "encoder.weight") {
            try $0.weights { $0 = ["encoder.weight": ([1, 2], [2])] }
        },
        .init(name: "a configuration that is no JSON", severity: .fault, subject: "configuration", naming: config) {
            try $0.write("{\"vision_config\": ", to: config)
        },
        .init(name: "a model of another kind", severity: .fault, subject: "configuration", naming: "blip") {
            try $0.edit(config) { $0["model_type"] = "blip" }
        },
        .init(
            name: "a key of the configuration missing", severity: .fault, subject: "configuration", naming: "embed_dim",
            golden: "open-clip-safetensors-f16"
        ) {
            try $0.edit(openCLIP, section: "model_cfg") { $0["embed_dim"] = nil }
        },
        .init(
            name: "a causal mask in a SigLIP", severity: .fault, subject: "configuration", naming: "no_causal_mask",
            golden: "siglip-open-clip-f16"
        ) {
            try $0.edit(openCLIP, section: "model_cfg") { model in
                var text = model["text_cfg"] as? [String: Any] ?? [:]
                text["no_causal_mask"] = false
                model["text_cfg"] = text
            }
        },
        .init(
            name: "CLIP's statistics in a SigLIP", severity: .doubt, subject: "statistics", naming: "0.48",
            golden: "siglip-hf-f16"
        ) {
            try $0.edit(preprocessor) {
                $0["image_mean"] = [0.48145466, 0.4578275, 0.40821073]
                $0["image_std"] = [0.26862954, 0.26130258, 0.27577711]
            }
        },
        .init(
            name: "a pickle that wants to run something", severity: .fault, subject: "pickle", naming: "posix.system",
            golden: "hf-bin-f32"
        ) { patient in
            // What Python would write for an object whose __reduce__ names a system call: found in the archive's pickle and renamed there,
            // both names being equally long, so that the archive's lengths stay right.
            let url = URL(fileURLWithPath: "\(patient.folder)/pytorch_model.bin")
            var bytes = try Data(contentsOf: url)
            let honest = Data("ctorch._utils\n_rebuild_tensor_v2\n".utf8)
            let place = try #require(bytes.range(of: honest))
            let hostile = "cposix\nsystem\n"
            // The rest becomes a comment of harmless stack work: N pushes None, 0 pops it.
            let rest =
                String(repeating: "N0", count: (honest.count - hostile.utf8.count) / 2)
                + ((honest.count - hostile.utf8.count) % 2 == 1 ? "N" : "")
            bytes.replaceSubrange(place, with: Data((hostile + rest).utf8))
            try bytes.write(to: url)
        },
    ]
}

@Suite("Doctor", .serialized)
struct DoctorTests {
    @Test("every golden checkpoint is well; files without a vocabulary beside them take no texts", arguments: GoldenModel.all)
    func golden(_ model: GoldenModel) throws {
        let path = try model.checkpoint().path
        let findings = CheckpointDoctor.examine(path: path)
        let bad = findings.filter { $0.severity != .good && !($0.subject == "tokenizer" && $0.found == "none") }
        #expect(bad.isEmpty, "\(bad)")
        for subject in ["format", "activation", "eps", "resize", "statistics", "keys", "logit scale", "image embeddings"] {
            #expect(findings.contains { $0.subject == subject && $0.severity == .good }, "\(subject) was not looked at")
        }
    }

    @Test("what is wrong is named, with its meaning and a way on", arguments: PlantedFault.all)
    func planted(_ fault: PlantedFault) throws {
        let patient = try Patient(fault.golden)
        try fault.plant(patient)
        let findings = CheckpointDoctor.examine(path: patient.path)
        let matching = findings.filter { $0.severity == fault.severity && $0.subject == fault.subject }
        #expect(matching.contains { $0.found.contains(fault.naming) }, "\(findings.filter { $0.severity != .good })")
        for finding in findings where finding.severity != .good {
            #expect(!finding.meaning.isEmpty && !finding.remedy.isEmpty, "\(finding)")
        }
    }

    @Test(
        "position embeddings that have to be interpolated, and a vocabulary that is not read, are told once, as what they are",
        arguments: PlantedFault.all.filter { ["resolution", "tokenizer"].contains($0.subject) })
    func alone(_ fault: PlantedFault) throws {
        let patient = try Patient(fault.golden)
        try fault.plant(patient)
        let findings = CheckpointDoctor.examine(path: patient.path).filter { $0.severity != .good }
        #expect(findings.map(\.subject) == [fault.subject], "\(findings)")
    }

    @Test(
        "a model without a vocabulary is told the files that its own family reads",
        arguments: [
            ("openai-vit", "merges.txt"), ("siglip-hf-f16", "spiece.model beside the weights"),
            ("siglip-open-clip-f16", "tokenizer.json"),
        ])
    func vocabulary(of golden: String, files: String) throws {
        let model = try #require(GoldenModel.formats.first { $0.testDescription == golden })
        let finding = CheckpointDoctor.examine(path: try model.checkpoint().path).first { $0.subject == "tokenizer" }
        #expect(finding?.found == "none" && finding?.remedy.contains(files) == true, "\(String(describing: finding))")
    }
}
