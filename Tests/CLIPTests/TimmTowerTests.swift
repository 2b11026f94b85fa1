import CLIP
import Foundation
import Imaging
import TensorFiles
import Testing
import Torch

/// Convolutional towers of timm beyond what the goldens compare: sizes, training, and what is refused.
@Suite("Towers of timm", .serialized)
struct TimmTowerTests {
    static let goldens = GoldenModel.reduced.filter { FileManager.default.fileExists(atPath: "\($0.path)/gradients.safetensors") }

    private func configuration(_ trunk: CLIPConfiguration.Trunk, name: String, resolution: Int = 64) -> CLIPConfiguration {
        .init(
            vision: .timm(.init(name: name, trunk: trunk, projection: .linear(bias: false), resolution: resolution)),
            text: .init(width: 64, layers: 1, heads: 1, contextLength: 8, vocabularySize: 20), embeddingSize: 16,
            activation: .quickGELU)
    }

    @Test("there are goldens of both conventions of EfficientNet-Lite and of a ResNet")
    func present() {
        #expect(Self.goldens.count == 3)
    }

    @Test(
        "full-size trunks have as many parameters as timm's",
        arguments: [
            (0, 3_371_008), (1, 4_135_680), (2, 4_811_072), (3, 6_916_096), (4, 11_725_568), (nil, 23_508_032),
        ] as [(Int?, Int)])
    func sizes(variant: Int?, count: Int) throws {
        let trunk = try variant.map { CLIPConfiguration.Trunk.efficientNetLite(try #require(.lite($0))) }
        let built = try CLIPModel(
            configuration(
                trunk ?? .resNet(stem: 64, width: 64, layers: [3, 4, 6, 3]),
                name: variant.map { "tf_efficientnet_lite\($0)" } ?? "resnet50"),
            store: ParameterStore())
        let numbers = built.store.parameters.filter { $0.name.hasPrefix("visual.trunk.") }
        #expect(numbers.reduce(0) { $0 + $1.tensor.elementCount } == count)
    }

    @Test("gradients equal torch's with batch norms frozen and in training, and so do the statistics", arguments: goldens)
    func gradients(_ golden: GoldenModel) throws {
        let file = try SafetensorsFile(path: "\(golden.path)/gradients.safetensors")
        for (mode, prefix) in [(Mode.evaluate, "frozen."), (.train, "train.")] {
            let model = try golden.checkpoint().model(forTraining: true)
            for (_, tensor) in model.store.parameters { try tensor.setRequiresGradient(true) }
            let embeddings = try model.encodeImages(.mapped("pixels", of: file), mode)
            let loss = try (embeddings * .mapped("direction", of: file)).sum()
            try loss.backward()
            let expected = Double(try file.floats("\(prefix)loss")[0])
            #expect(abs(try loss.item() - expected) <= 1e-4 * max(1, abs(expected)))

            let parameters = Dictionary(uniqueKeysWithValues: model.store.parameters.map { ($0.name, $0.tensor) })
            let buffers = Dictionary(uniqueKeysWithValues: model.store.buffers.map { ($0.name, $0.tensor) })
            var compared = 0
            for name in file.tensors.keys.sorted() where name.hasPrefix("\(prefix)visual.") {
                let key = String(name.dropFirst(prefix.count))
                let wanted = try file.floats(name)
                let found =
                    try parameters[key].map { try #require(try $0.gradient()).contiguous().floats() } ?? buffers[key]?.floats()
                let values = try #require(found, "\(key)")
                // Sums of many terms in another order: relative to the greatest of the tensor. A bias before another batch norm in
                // training has no effect, and of its gradient, terms of thousands that cancel, rounding alone is left; those of
                // parameters that have one are above 1.
                let floor: Float = parameters[key] == nil ? 1e-6 : 1
                let scale = wanted.reduce(floor) { max($0, abs($1)) }
                let worst = zip(values, wanted).reduce(0) { max($0, abs($1.0 - $1.1)) }
                #expect(values.count == wanted.count && worst <= 1e-3 * scale, "\(name): \(worst) of \(scale)")
                compared += 1
            }
            #expect(compared > 30)
        }
    }

    @Test("a frozen pass leaves the running statistics as they are")
    func frozen() throws {
        let model = try #require(Self.goldens.first).checkpoint().model(forTraining: true)
        let before = try model.store.buffers.map { try $0.tensor.floats() }
        _ = try model.encodeImages(.randomNormal([2, 3, 64, 64]), .evaluate)
        #expect(try model.store.buffers.map { try $0.tensor.floats() } == before)
    }

    @Test("any resolution will do, and the user is told of another than the model's own")
    func resolution() throws {
        let golden = try #require(Self.goldens.first)
        let checkpoint = try Checkpoint(path: golden.path, resolution: 51, cache: nil)
        #expect(checkpoint.remarks.contains { $0.hasSuffix("and is given pictures of 51 px.") })
        #expect(try Embedder(checkpoint: checkpoint).embed(images: golden.pictures()).allSatisfy(\.isFinite))
        #expect(throws: CLIPError.self) { try Checkpoint(path: golden.path, resolution: 0, cache: nil) }
    }

    @Test(
        "each projection is written and read again",
        arguments: [
            .none, .linear(bias: false), .linear(bias: true), .mlp(bias: false), .mlp(bias: true), .classifier,
        ] as [CLIPConfiguration.Projection])
    func projections(_ projection: CLIPConfiguration.Projection) throws {
        let sizes = try #require(CLIPConfiguration.EfficientNetLite.lite(0))
        for trunk in [CLIPConfiguration.Trunk.efficientNetLite(sizes), .resNet(stem: 64, width: 8, layers: [1, 1, 1, 1])] {
            let isResNet = if case .resNet = trunk { true } else { false }
            var wanted = configuration(trunk, name: isResNet ? "resnet14" : "efficientnet_lite0")
            guard case .timm(var tower) = wanted.vision else { return }
            tower.projection = projection
            wanted.vision = .timm(tower)
            if projection == .none { wanted.embeddingSize = tower.features }
            let place = NSTemporaryDirectory() + "projection-\(UUID().uuidString)"
            defer { try? FileManager.default.removeItem(atPath: place) }
            try TorchRuntime.seed(1)
            let model = try CLIPModel(wanted, store: ParameterStore())
            try Checkpoint.write(model, preprocessing: Preprocessing(side: 64), to: place)
            let written = try Checkpoint(path: place, cache: nil)
            #expect(written.configuration == wanted)
            #expect(written.format == .openCLIP)
            let pixels = try Tensor.randomNormal([1, 3, 64, 64])
            let before = try withoutGradients { try model.encodeImages(pixels).normalized().floats() }
            let after = try Embedder(checkpoint: written).embed(pixels: pixels.floats(), count: 1)
            #expect(Deviation(after, before, dimension: wanted.embeddingSize).passes)
        }
    }

    @Test(
        "what is not read is refused by its key, and what contradicts the weights is said",
        arguments: [
            ("timm_model_name", "resnet50d" as any Sendable, "timm_model_name is resnet50d"),
            ("timm_model_name", "convnext_base", "timm_model_name is convnext_base"),
            ("timm_model_name", "resnet50", "visual.trunk.layer1.0.conv3.weight"),
            ("timm_model_name", "tf_efficientnet_lite0", "have the sizes of another trunk"),
            ("timm_pool", "max", "timm_pool is max, expected avg"),
            ("timm_pool", "abs_attn", "timm_pool is abs_attn, expected avg"),
            ("timm_proj", "none", "embed_dim is 32"),
            ("timm_proj", "conv", "timm_proj is conv"),
        ] as [(String, any Sendable, String)])
    func refusals(key: String, value: any Sendable, part: String) throws {
        let patient = try Patient(model: "timm-tf-lite-f16")
        try patient.edit("open_clip_config.json", section: "model_cfg") { model in
            var vision = model["vision_cfg"] as? [String: Any] ?? [:]
            vision[key] = value
            model["vision_cfg"] = vision
        }
        let error = #expect(throws: CLIPError.self) { try Checkpoint(path: patient.path, cache: nil) }
        #expect(error?.description.contains(part) == true, "\(String(describing: error))")
    }

    @Test("an empty pooling is the trunk's own mean, a tag behind the name is nothing, and an empty projection its classifier")
    func spellings() throws {
        func read(_ change: @escaping (inout [String: Any]) -> Void) throws -> CLIPConfiguration {
            let patient = try Patient(model: "timm-tf-lite-f16")
            try patient.edit("open_clip_config.json", section: "model_cfg") { model in
                var vision = model["vision_cfg"] as? [String: Any] ?? [:]
                change(&vision)
                model["vision_cfg"] = vision
            }
            return try Checkpoint(path: patient.path, cache: nil).configuration
        }
        let plain = try read { _ in }
        #expect(try read { $0["timm_pool"] = "" } == plain)
        #expect(try read { $0["timm_pool"] = NSNull() } == plain)
        #expect(try read { $0["timm_model_name"] = "tf_efficientnet_lite_small.in1k" } == plain)
        #expect(
            try read {
                $0["timm_pool"] = nil; $0["timm_proj"] = nil; $0["timm_proj_bias"] = nil
            } == plain)
        guard case .timm(let tower) = try read({ $0["timm_proj"] = NSNull() }).vision else {
            Issue.record("no tower of timm's")
            return
        }
        #expect(tower.projection == .classifier)
    }

    @Test("a file of weights alone is refused, since it says neither the tower nor how pictures are prepared")
    func file() throws {
        let golden = try #require(Self.goldens.first)
        let path = "\(golden.path)/open_clip_model.safetensors"
        let error = #expect(throws: CLIPError.self) { try Checkpoint(path: path, activation: .quickGELU, cache: nil) }
        #expect(error == .unknownTower(path: path))
    }

    @Test("another convention, resolution or projection changes the fingerprint; being written again does not")
    func fingerprint() throws {
        let golden = try #require(Self.goldens.first { $0.testDescription == "timm-tf-lite-f16" })
        let own = try Checkpoint(path: golden.path, cache: nil).fingerprint
        let patient = try Patient(model: "timm-tf-lite-f16")
        #expect(try Checkpoint(path: patient.path, cache: nil).fingerprint == own)
        #expect(try Checkpoint(path: patient.path, resolution: 64, cache: nil).fingerprint != own)
        try patient.edit("open_clip_config.json", section: "model_cfg") { model in
            var vision = model["vision_cfg"] as? [String: Any] ?? [:]
            vision["timm_model_name"] = "efficientnet_lite_small"
            model["vision_cfg"] = vision
        }
        #expect(try Checkpoint(path: patient.path, cache: nil).fingerprint != own)
    }

    @Test("the doctor knows their statistics: TensorFlow's halves, ImageNet's, and doubts another's")
    func doctor() throws {
        for golden in Self.goldens {
            let findings = CheckpointDoctor.examine(path: golden.path).filter { $0.severity != .good }
            // A model of a few random weights may answer everything alike; its settings must be right.
            #expect(!findings.contains { ["statistics", "resize", "filter", "eps", "activation", "keys"].contains($0.subject) })
        }
        let patient = try Patient(model: "timm-tf-lite-f16")
        try patient.edit("open_clip_config.json", section: "preprocess_cfg") { $0["mean"] = [0.48145466, 0.4578275, 0.40821073] }
        let doubt = CheckpointDoctor.examine(path: patient.path).first { $0.subject == "statistics" }
        #expect(doubt?.severity == .doubt)
        #expect(doubt?.remedy.hasPrefix("TensorFlow's mean is") == true)
    }
}
