import Foundation
import Imaging
import Torch

/// A ViT CLIP or SigLIP as transformers saves it: `config.json`, the weights, `preprocessor_config.json`, a vocabulary.
///
/// Absent keys of `config.json` mean transformers' own defaults (`CLIPTextConfig`, `SiglipVisionConfig` and so on), since it leaves
/// defaults out.
enum HuggingFaceFolder {
    static let config = "config.json"
    static let preprocessor = "preprocessor_config.json"
    /// Where transformers 5 keeps the same, as one section beside the tokenizer's.
    static let processor = "processor_config.json"
    /// In the order of preference.
    static let weights = [
        "model.safetensors", "model.safetensors.index.json", "pytorch_model.bin", "pytorch_model.bin.index.json",
    ]

    static func family(_ file: JSONFile) throws(CLIPError) -> CLIPConfiguration.Family {
        // Folders older than the key are CLIP's.
        switch try file.string("model_type", default: "clip") {
        case "clip": .clip
        case "siglip": .sigLIP
        case let other: throw file.wrong("model_type", other, "clip or siglip")
        }
    }

    static func configuration(_ file: JSONFile) throws(CLIPError) -> CLIPConfiguration {
        let family = try family(file)
        let isCLIP = family == .clip
        let vision = try file.section("vision_config")
        let text = try file.section("text_config")
        func activation(_ section: JSONFile) throws(CLIPError) -> Activation {
            let name = try section.string("hidden_act", default: isCLIP ? "quick_gelu" : "gelu_pytorch_tanh")
            guard let activation = Activation(rawValue: name) else {
                throw file.wrong("hidden_act", name, "quick_gelu, gelu or gelu_pytorch_tanh")
            }
            return activation
        }
        let eps = try vision.number("layer_norm_eps", default: isCLIP ? 1e-5 : 1e-6)
        let textEps = try text.number("layer_norm_eps", default: isCLIP ? 1e-5 : 1e-6)
        guard eps == textEps else { throw file.wrong("layer_norm_eps", "\(eps) and \(textEps)", "one value in both towers") }
        let width = try vision.integer("hidden_size", default: 768)
        let textWidth = try text.integer("hidden_size", default: isCLIP ? 512 : 768)
        return CLIPConfiguration(
            family: family,
            vision: .transformer(
                .init(
                    width: width, layers: try vision.integer("num_hidden_layers", default: 12),
                    heads: try vision.integer("num_attention_heads", default: 12),
                    hidden: try vision.integer("intermediate_size", default: 3072),
                    patch: try vision.integer("patch_size", default: isCLIP ? 32 : 16),
                    resolution: try vision.integer("image_size", default: 224))),
            text: .init(
                width: textWidth, layers: try text.integer("num_hidden_layers", default: 12),
                heads: try text.integer("num_attention_heads", default: isCLIP ? 8 : 12),
                hidden: try text.integer("intermediate_size", default: isCLIP ? 2048 : 3072),
                contextLength: try text.integer("max_position_embeddings", default: isCLIP ? 77 : 64),
                vocabularySize: try text.integer("vocab_size", default: isCLIP ? 49408 : 32000)),
            // SigLIP's pictures are not projected: their space is as wide as the tower.
            embeddingSize: isCLIP
                ? try file.integer("projection_dim", default: 512) : try text.integer("projection_size", default: textWidth),
            activation: try activation(vision), textActivation: try activation(text), layerNormEps: eps)
    }

    /// How the folder's model takes pictures: `preprocessor_config.json`, or `image_processor` of transformers 5's `processor_config.json`.
    static func preprocessorFile(folder: String) throws(CLIPError) -> JSONFile {
        let path = "\(folder)/\(processor)"
        if !FileManager.default.fileExists(atPath: "\(folder)/\(preprocessor)"), FileManager.default.fileExists(atPath: path) {
            let file = try JSONFile(path: path)
            guard file.has("image_processor") else { throw .missingKey(path: path, key: "image_processor") }
            return try file.section("image_processor")
        }
        return try JSONFile(path: "\(folder)/\(preprocessor)")
    }

    /// Both forms of `size` and `crop_size`: a number, or `{"shortest_edge"}` / `{"height","width"}`.
    static func preprocessing(_ file: JSONFile, family: CLIPConfiguration.Family) throws(CLIPError) -> Preprocessing {
        func side(_ key: String, _ names: [String]) throws(CLIPError) -> (Int, String)? {
            guard file.has(key) else { return nil }
            if file.object[key] is NSNumber { return (try file.integer(key), names[0]) }
            let section = try file.section(key)
            for name in names where section.has(name) { return (try section.integer(name), name) }
            throw file.wrong(key, file.object[key], names.joined(separator: " or "))
        }
        guard let (size, form) = try side("size", ["shortest_edge", "height"]) else {
            throw CLIPError.missingKey(path: file.path, key: "size")
        }
        let crops = try file.bool("do_center_crop", default: family == .clip)
        let fitting: Preprocessing.Fitting = form == "shortest_edge" && crops ? .shortestSideCrop : .squash
        if form == "shortest_edge" && !crops {
            throw file.wrong("do_center_crop", false, "true, or a size with height and width")
        }
        if crops, let (crop, _) = try side("crop_size", ["height", "shortest_edge"]), crop != size {
            throw file.wrong("crop_size", crop, "\(size), the size that pictures are resized to")
        }
        for key in ["do_resize", "do_rescale"] where try !file.bool(key, default: true) {
            throw file.wrong(key, false, "true: pictures of any size on the scale 0…255 come in")
        }
        let scale = try file.number("rescale_factor", default: 1 / 255.0)
        guard abs(scale * 255 - 1) < 1e-6 else { throw file.wrong("rescale_factor", scale, "1/255") }
        let normalizes = try file.bool("do_normalize", default: true)
        let filter: ResamplingFilter
        switch try file.number("resample", default: 3) {
        case 0: filter = .nearest
        case 1: filter = .lanczos
        case 2: filter = .bilinear
        case 3: filter = .bicubic
        default: throw file.wrong("resample", file.object["resample"], "0, 1, 2 or 3")
        }
        let (mean, deviation) =
            family == .clip
            ? (Preprocessing.openAIMean, Preprocessing.openAIDeviation) : (Preprocessing.halves, Preprocessing.halves)
        return Preprocessing(
            side: size, fitting: fitting, cropRule: .transformers, filter: filter,
            mean: normalizes ? try file.floats("image_mean", count: 3, default: mean) : [0, 0, 0],
            deviation: normalizes ? try file.floats("image_std", count: 3, default: deviation) : [1, 1, 1])
    }

    // MARK: Writing

    static func config(_ configuration: CLIPConfiguration, _ vision: CLIPConfiguration.VisionTransformer) -> [String: Any] {
        let text = configuration.text
        let isCLIP = configuration.family == .clip
        var visionConfig: [String: Any] = [
            "model_type": isCLIP ? "clip_vision_model" : "siglip_vision_model", "hidden_size": vision.width,
            "num_hidden_layers": vision.layers, "num_attention_heads": vision.heads, "intermediate_size": vision.hidden,
            "patch_size": vision.patch, "image_size": vision.resolution, "hidden_act": configuration.activation.rawValue,
            "layer_norm_eps": configuration.layerNormEps,
        ]
        var textConfig: [String: Any] = [
            "model_type": isCLIP ? "clip_text_model" : "siglip_text_model", "hidden_size": text.width,
            "num_hidden_layers": text.layers, "num_attention_heads": text.heads, "intermediate_size": text.hidden,
            "vocab_size": text.vocabularySize, "max_position_embeddings": text.contextLength,
            "hidden_act": configuration.textActivation.rawValue, "layer_norm_eps": configuration.layerNormEps,
        ]
        var config: [String: Any] = ["torch_dtype": "float32"]
        if isCLIP {
            visionConfig["projection_dim"] = configuration.embeddingSize
            // eos_token_id 2 is transformers' sign for pooling at the greatest id, whatever the vocabulary.
            let special = ["bos_token_id": text.vocabularySize - 2, "eos_token_id": 2, "pad_token_id": 0]
            textConfig.merge(special) { $1 }
            textConfig["projection_dim"] = configuration.embeddingSize
            config["architectures"] = ["CLIPModel"]
            config["model_type"] = "clip"
            config["projection_dim"] = configuration.embeddingSize
            config["logit_scale_init_value"] = 2.6592
        } else {
            textConfig["projection_size"] = configuration.embeddingSize
            config["architectures"] = ["SiglipModel"]
            config["model_type"] = "siglip"
        }
        config["vision_config"] = visionConfig
        config["text_config"] = textConfig
        return config
    }

    static func preprocessorConfig(_ preprocessing: Preprocessing, family: CLIPConfiguration.Family) -> [String: Any] {
        let squash = preprocessing.fitting == .squash
        let square = ["height": preprocessing.side, "width": preprocessing.side]
        let filter =
            switch preprocessing.filter {
            case .nearest: 0
            case .lanczos: 1
            case .bilinear: 2
            case .bicubic: 3
            }
        var config: [String: Any] = [
            "image_processor_type": family == .clip ? "CLIPImageProcessor" : "SiglipImageProcessor", "do_resize": true,
            "do_convert_rgb": true, "do_rescale": true, "do_normalize": true,
            "size": squash ? square : ["shortest_edge": preprocessing.side], "resample": filter,
            "image_mean": preprocessing.mean.map(decimal), "image_std": preprocessing.deviation.map(decimal),
        ]
        if family == .clip {
            config["do_center_crop"] = !squash
            config["crop_size"] = square
        }
        return config
    }

    /// The shortest decimal that gives the same `Float` again, not the `Double` nearest to it.
    static func decimal(_ value: Float) -> NSDecimalNumber { NSDecimalNumber(string: "\(value)") }
}
