import Foundation
import Imaging
import Torch

/// A CLIP or SigLIP as open_clip saves it: `open_clip_config.json` {model_cfg, preprocess_cfg} and the weights, a CLIP's with OpenAI's names
/// and those of a convolutional image tower with timm's.
enum OpenCLIPFolder {
    static let config = "open_clip_config.json"
    /// In open_clip's own order of preference.
    static let weights = [
        "open_clip_model.safetensors", "open_clip_pytorch_model.safetensors", "open_clip_pytorch_model.bin",
    ]

    /// - Parameter shapes: of the weights under canonical names: timm's towers are named in the configuration, and their sizes are not there.
    static func configuration(_ file: JSONFile, shapes: () throws -> [String: [Int]]) throws -> CLIPConfiguration {
        guard file.has("model_cfg") else { throw CLIPError.missingKey(path: file.path, key: "model_cfg") }
        let model = try file.section("model_cfg")
        guard model.has("vision_cfg") else { throw CLIPError.missingKey(path: file.path, key: "model_cfg.vision_cfg") }
        guard model.has("text_cfg") else { throw CLIPError.missingKey(path: file.path, key: "model_cfg.text_cfg") }
        let vision = try model.section("vision_cfg")
        let text = try model.section("text_cfg")
        if text.has("hf_model_name") {
            throw file.wrong("model_cfg hf_model_name", text.object["hf_model_name"], "one of CLIP's or SigLIP's own text towers")
        }
        if vision.has("timm_model_name"), try vision.string("timm_model_name").contains("siglip") {
            return try sigLIP(file, vision: vision, text: text, shapes: shapes())
        }
        let embeddingSize = try model.integer("embed_dim")
        let resolution = try vision.integer("image_size", default: 224)
        let tower: CLIPConfiguration.Vision
        if vision.has("timm_model_name") {
            tower = .timm(try .init(vision, shapes: shapes(), embeddingSize: embeddingSize))
        } else if let layers = vision.object["layers"] as? [NSNumber] {
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
            embeddingSize: embeddingSize,
            activation: try model.bool("quick_gelu", default: false) ? .quickGELU : .gelu)
    }

    /// A transformer of timm's is one of SigLIP's, or none that is read here.
    private static func sigLIP(_ file: JSONFile, vision: JSONFile, text: JSONFile, shapes: [String: [Int]]) throws
        -> CLIPConfiguration
    {
        let name = try vision.string("timm_model_name")
        guard !name.contains("_gap_") else {
            throw file.wrong(
                "model_cfg timm_model_name", name, "a SigLIP with an attention head, such as vit_base_patch16_siglip_224")
        }
        let asked: [(String, String, String)] = [("timm_pool", "map", "map"), ("timm_proj", "none", "none")]
        for (key, value, fallback) in asked where try vision.string(key, default: fallback) != value {
            throw file.wrong("model_cfg \(key)", vision.object[key], value)
        }
        guard try text.bool("no_causal_mask", default: false) else {
            throw file.wrong("model_cfg no_causal_mask", text.object["no_causal_mask"], "true, as SigLIP's texts are read")
        }
        let pool = try text.string("pool_type", default: "argmax")
        guard pool == "last" else { throw file.wrong("model_cfg pool_type", pool, "last") }
        let eps = try text.section("norm_kwargs").number("eps", default: 1e-5)
        // timm's norms have 1e-6.
        guard eps == 1e-6 else { throw file.wrong("model_cfg norm_kwargs eps", eps, "1e-6, the image tower's") }
        let approximation = try text.section("act_kwargs").string("approximate", default: "none")
        guard ["none", "tanh"].contains(approximation) else {
            throw file.wrong("model_cfg act_kwargs approximate", approximation, "none or tanh")
        }
        var configuration = try CLIPConfiguration(
            shapes: shapes, path: file.path, activation: timmActivation(name),
            textActivation: approximation == "tanh" ? .geluTanh : .gelu)
        guard case .transformer(var tower) = configuration.vision, configuration.family == .sigLIP else {
            throw CLIPError.contradiction(path: file.path, what: "it names \(name), and the weights have no attention head")
        }
        tower.resolution = try vision.integer("image_size", default: tower.resolution)
        configuration.vision = .transformer(tower)
        configuration.text.heads = try text.integer("heads", default: configuration.text.heads)
        for (key, found) in [
            ("context_length", configuration.text.contextLength), ("vocab_size", configuration.text.vocabularySize),
            ("width", configuration.text.width), ("layers", configuration.text.layers),
        ] where try text.integer(key, default: found) != found {
            throw file.wrong("model_cfg text_cfg \(key)", text.object[key], "\(found), the weights'")
        }
        return configuration
    }

    /// Which GELU timm builds a SigLIP with is in its code alone, by the name of the model.
    private static func timmActivation(_ name: String) -> Activation {
        let approximated = [
            "base_patch32_siglip_256", "large_patch16_siglip_512", "so400m_patch16_siglip", "giantopt_patch16_siglip",
        ]
        return approximated.contains { name.contains($0) } ? .geluTanh : .gelu
    }

    /// Absent keys mean open_clip's own defaults.
    static func preprocessing(_ file: JSONFile, resolution: Int) throws(CLIPError) -> Preprocessing {
        guard file.has("preprocess_cfg") else { throw .missingKey(path: file.path, key: "preprocess_cfg") }
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
        case .timm(let tower): vision = tower.config
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
