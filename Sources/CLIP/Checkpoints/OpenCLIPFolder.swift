import Foundation
import Imaging
import Torch

/// A CLIP as open_clip saves it: `open_clip_config.json` {model_cfg, preprocess_cfg} and `open_clip_model.safetensors` with OpenAI's names.
enum OpenCLIPFolder {
    static let config = "open_clip_config.json"
    static let weights = "open_clip_model.safetensors"

    static func configuration(_ file: JSONFile) throws(CLIPError) -> CLIPConfiguration {
        guard file.has("model_cfg") else { throw .missingKey(path: file.path, key: "model_cfg") }
        let model = try file.section("model_cfg")
        guard model.has("vision_cfg") else { throw .missingKey(path: file.path, key: "model_cfg.vision_cfg") }
        guard model.has("text_cfg") else { throw .missingKey(path: file.path, key: "model_cfg.text_cfg") }
        let vision = try model.section("vision_cfg")
        let text = try model.section("text_cfg")
        for key in ["timm_model_name", "hf_model_name"] where vision.has(key) || text.has(key) {
            throw file.wrong("model_cfg \(key)", vision.object[key] ?? text.object[key], "one of CLIP's own towers")
        }
        let resolution = try vision.integer("image_size", default: 224)
        let tower: CLIPConfiguration.Vision
        if let layers = vision.object["layers"] as? [NSNumber] {
            guard layers.count == 4 else { throw vision.wrong("layers", layers, "four numbers or one") }
            let width = try vision.integer("width", default: 64)
            // open_clip's own rule for the heads of a ResNet: 32 · width / head_width.
            let heads = width * 32 / (try vision.integer("head_width", default: 64))
            tower = .resNet(.init(width: width, layers: layers.map(\.intValue), heads: heads, resolution: resolution))
        } else {
            let width = try vision.integer("width", default: 768)
            let hidden = Int(Double(width) * (try vision.number("mlp_ratio", default: 4)))
            tower = .transformer(
                .init(
                    width: width, layers: try vision.integer("layers", default: 12),
                    heads: width / (try vision.integer("head_width", default: 64)), hidden: hidden,
                    patch: try vision.integer("patch_size", default: 16), resolution: resolution))
        }
        return CLIPConfiguration(
            vision: tower,
            text: .init(
                width: try text.integer("width", default: 512), layers: try text.integer("layers", default: 12),
                heads: try text.integer("heads", default: 8), contextLength: try text.integer("context_length", default: 77),
                vocabularySize: try text.integer("vocab_size", default: 49408)),
            embeddingSize: try model.integer("embed_dim"),
            activation: try model.bool("quick_gelu", default: false) ? .quickGELU : .gelu)
    }

    /// Absent keys mean open_clip's own defaults.
    static func preprocessing(_ file: JSONFile, resolution: Int) throws(CLIPError) -> Preprocessing {
        let section = try file.section("preprocess_cfg")
        let fitting: Preprocessing.Fitting
        switch try section.string("resize_mode", default: "shortest") {
        case "shortest": fitting = .shortestSideCrop
        case "squash": fitting = .squash
        case let other: throw section.wrong("preprocess_cfg resize_mode", other, "shortest or squash")
        }
        let filter: ResamplingFilter
        switch try section.string("interpolation", default: "bicubic") {
        case "bicubic": filter = .bicubic
        case "bilinear": filter = .bilinear
        case let other: throw section.wrong("preprocess_cfg interpolation", other, "bicubic or bilinear")
        }
        return Preprocessing(
            side: resolution, fitting: fitting, filter: filter,
            mean: try section.floats("mean", count: 3, default: Preprocessing.openAIMean),
            deviation: try section.floats("std", count: 3, default: Preprocessing.openAIDeviation))
    }

    private static let ignored: Set<String> = ["attn_mask", "input_resolution", "context_length", "vocab_size"]

    static func canonical(_ tensors: [String: Tensor]) -> [String: Tensor] {
        tensors.filter { !ignored.contains($0.key) && !$0.key.hasSuffix("num_batches_tracked") }
    }

    // MARK: Writing

    static func config(_ configuration: CLIPConfiguration, _ preprocessing: Preprocessing) -> [String: Any] {
        let text = configuration.text
        var vision: [String: Any]
        switch configuration.vision {
        case .resNet(let tower):
            vision = [
                "layers": tower.layers, "width": tower.width, "head_width": tower.width * 32 / tower.heads,
                "image_size": tower.resolution, "patch_size": NSNull(),
            ]
        case .transformer(let tower):
            vision = [
                "layers": tower.layers, "width": tower.width, "head_width": tower.width / tower.heads, "patch_size": tower.patch,
                "image_size": tower.resolution, "mlp_ratio": Double(tower.hidden) / Double(tower.width),
            ]
        }
        return [
            "model_cfg": [
                "embed_dim": configuration.embeddingSize, "quick_gelu": configuration.activation == .quickGELU,
                "vision_cfg": vision,
                "text_cfg": [
                    "context_length": text.contextLength, "vocab_size": text.vocabularySize, "width": text.width,
                    "heads": text.heads, "layers": text.layers,
                ],
            ] as [String: Any],
            "preprocess_cfg": [
                "mean": preprocessing.mean.map(HuggingFaceFolder.decimal),
                "std": preprocessing.deviation.map(HuggingFaceFolder.decimal),
                "interpolation": preprocessing.filter == .bilinear ? "bilinear" : "bicubic",
                "resize_mode": preprocessing.fitting == .squash ? "squash" : "shortest", "mode": "RGB",
                "size": [preprocessing.side, preprocessing.side],
            ] as [String: Any],
        ]
    }
}
