import Foundation
import Imaging
import Torch

/// A ViT CLIP as transformers saves it: `config.json`, `model.safetensors`, `preprocessor_config.json`, `vocab.json` + `merges.txt`.
///
/// Absent keys of `config.json` mean transformers' own defaults (`CLIPTextConfig`, `CLIPVisionConfig`), since it leaves defaults out.
enum HuggingFaceFolder {
    static let weights = "model.safetensors"

    static func configuration(_ file: JSONFile) throws(CLIPError) -> CLIPConfiguration {
        let vision = try file.section("vision_config")
        let text = try file.section("text_config")
        let act = try vision.string("hidden_act", default: "quick_gelu")
        let textAct = try text.string("hidden_act", default: "quick_gelu")
        guard act == textAct else { throw file.wrong("hidden_act", "\(act) and \(textAct)", "one activation in both towers") }
        guard let activation = Activation(rawValue: act) else {
            throw file.wrong("hidden_act", act, "quick_gelu, gelu or gelu_pytorch_tanh")
        }
        let eps = try vision.number("layer_norm_eps", default: 1e-5)
        let textEps = try text.number("layer_norm_eps", default: 1e-5)
        guard eps == textEps else { throw file.wrong("layer_norm_eps", "\(eps) and \(textEps)", "one value in both towers") }
        return CLIPConfiguration(
            vision: .transformer(
                .init(
                    width: try vision.integer("hidden_size", default: 768),
                    layers: try vision.integer("num_hidden_layers", default: 12),
                    heads: try vision.integer("num_attention_heads", default: 12),
                    hidden: try vision.integer("intermediate_size", default: 3072),
                    patch: try vision.integer("patch_size", default: 32),
                    resolution: try vision.integer("image_size", default: 224))),
            text: .init(
                width: try text.integer("hidden_size", default: 512), layers: try text.integer("num_hidden_layers", default: 12),
                heads: try text.integer("num_attention_heads", default: 8),
                hidden: try text.integer("intermediate_size", default: 2048),
                contextLength: try text.integer("max_position_embeddings", default: 77),
                vocabularySize: try text.integer("vocab_size", default: 49408)),
            embeddingSize: try file.integer("projection_dim", default: 512), activation: activation, layerNormEps: eps)
    }

    /// Both forms of `size` and `crop_size`: a number, or `{"shortest_edge"}` / `{"height","width"}`.
    static func preprocessing(_ file: JSONFile) throws(CLIPError) -> Preprocessing {
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
        let crops = try file.bool("do_center_crop", default: true)
        let fitting: Preprocessing.Fitting = form == "shortest_edge" && crops ? .shortestSideCrop : .squash
        if form == "shortest_edge" && !crops {
            throw file.wrong("do_center_crop", false, "true, or a size with height and width")
        }
        if crops, let (crop, _) = try side("crop_size", ["height", "shortest_edge"]), crop != size {
            throw file.wrong("crop_size", crop, "\(size), the size that pictures are resized to")
        }
        let filter: ResamplingFilter
        switch try file.number("resample", default: 3) {
        case 0: filter = .nearest
        case 1: filter = .lanczos
        case 2: filter = .bilinear
        case 3: filter = .bicubic
        default: throw file.wrong("resample", file.object["resample"], "0, 1, 2 or 3")
        }
        return Preprocessing(
            side: size, fitting: fitting, cropRule: .transformers, filter: filter,
            mean: try file.floats("image_mean", count: 3, default: Preprocessing.openAIMean),
            deviation: try file.floats("image_std", count: 3, default: Preprocessing.openAIDeviation))
    }

    // MARK: Keys

    private static let blockKeys = [
        ("layer_norm1", "ln_1"), ("layer_norm2", "ln_2"), ("mlp.fc1", "mlp.c_fc"), ("mlp.fc2", "mlp.c_proj"),
        ("self_attn.out_proj", "attn.out_proj"),
    ]

    /// Keys outside the blocks. "pre_layrnorm" is how transformers spells it.
    private static let plainKeys = [
        ("vision_model.embeddings.class_embedding", "visual.class_embedding"),
        ("vision_model.embeddings.patch_embedding.weight", "visual.conv1.weight"),
        ("vision_model.embeddings.position_embedding.weight", "visual.positional_embedding"),
        ("vision_model.pre_layrnorm.weight", "visual.ln_pre.weight"), ("vision_model.pre_layrnorm.bias", "visual.ln_pre.bias"),
        ("vision_model.post_layernorm.weight", "visual.ln_post.weight"),
        ("vision_model.post_layernorm.bias", "visual.ln_post.bias"),
        ("text_model.embeddings.token_embedding.weight", "token_embedding.weight"),
        ("text_model.embeddings.position_embedding.weight", "positional_embedding"),
        ("text_model.final_layer_norm.weight", "ln_final.weight"), ("text_model.final_layer_norm.bias", "ln_final.bias"),
        ("logit_scale", "logit_scale"),
    ]

    /// Stored `[out, in]` there and `[in, out]` here.
    private static let transposedKeys = [
        ("visual_projection.weight", "visual.proj"), ("text_projection.weight", "text_projection"),
    ]

    private static let towers = [
        ("vision_model.encoder.layers", "visual.transformer.resblocks"),
        ("text_model.encoder.layers", "transformer.resblocks"),
    ]

    /// Position ids are an index list, not a weight.
    private static func isIgnored(_ key: String) -> Bool { key.hasSuffix("position_ids") }

    /// Keys that have no canonical name keep their own, so that strict loading reports them.
    static func canonical(_ tensors: [String: Tensor]) throws -> [String: Tensor] {
        var rest = tensors.filter { !isIgnored($0.key) }
        var result: [String: Tensor] = [:]
        for (theirs, ours) in plainKeys { result[ours] = rest.removeValue(forKey: theirs) }
        for (theirs, ours) in transposedKeys {
            if let tensor = rest.removeValue(forKey: theirs) { result[ours] = try tensor.transposed(0, 1).contiguous() }
        }
        for (theirs, ours) in towers {
            for key in Array(rest.keys) where key.hasPrefix(theirs + ".") {
                let parts = key.dropFirst(theirs.count + 1).split(separator: ".", maxSplits: 1)
                guard parts.count == 2 else { continue }
                for (name, canonicalName) in blockKeys where parts[1].hasPrefix(name + ".") {
                    result["\(ours).\(parts[0]).\(canonicalName)\(parts[1].dropFirst(name.count))"] = rest.removeValue(
                        forKey: key)
                }
                guard parts[1].hasPrefix("self_attn.q_proj.") else { continue }
                let kind = parts[1].dropFirst("self_attn.q_proj.".count)
                let names = ["q", "k", "v"].map { "\(theirs).\(parts[0]).self_attn.\($0)_proj.\(kind)" }
                let found = names.compactMap { rest[$0] }
                guard found.count == 3 else { continue }
                for name in names { rest.removeValue(forKey: name) }
                result["\(ours).\(parts[0]).attn.in_proj_\(kind)"] = try .concatenated(found)
            }
        }
        return result.merging(rest) { ours, _ in ours }
    }

    /// The way back, for writing.
    static func theirs(_ tensors: [(name: String, tensor: Tensor)]) throws -> [(name: String, tensor: Tensor)] {
        var result: [(String, Tensor)] = []
        for (name, tensor) in tensors {
            if let (theirs, _) = plainKeys.first(where: { $0.1 == name }) {
                result.append((theirs, tensor))
            } else if let (theirs, _) = transposedKeys.first(where: { $0.1 == name }) {
                result.append((theirs, try tensor.transposed(0, 1).contiguous()))
            } else if let (theirs, ours) = towers.first(where: { name.hasPrefix($0.1 + ".") }) {
                let parts = name.dropFirst(ours.count + 1).split(separator: ".", maxSplits: 1)
                if let (block, canonicalName) = blockKeys.first(where: { parts[1].hasPrefix($0.1 + ".") }) {
                    result.append(("\(theirs).\(parts[0]).\(block)\(parts[1].dropFirst(canonicalName.count))", tensor))
                } else {
                    let kind = parts[1].dropFirst("attn.in_proj_".count)
                    let third = tensor.size(0) / 3
                    for (index, letter) in ["q", "k", "v"].enumerated() {
                        let part = try tensor.narrowed(0, start: index * third, length: third).contiguous()
                        result.append(("\(theirs).\(parts[0]).self_attn.\(letter)_proj.\(kind)", part))
                    }
                }
            } else {
                result.append((name, tensor))
            }
        }
        return result
    }

    // MARK: Writing

    static func config(_ configuration: CLIPConfiguration, _ vision: CLIPConfiguration.VisionTransformer) -> [String: Any] {
        let text = configuration.text
        return [
            "architectures": ["CLIPModel"], "model_type": "clip", "projection_dim": configuration.embeddingSize,
            "logit_scale_init_value": 2.6592, "torch_dtype": "float32",
            "vision_config": [
                "model_type": "clip_vision_model", "hidden_size": vision.width, "num_hidden_layers": vision.layers,
                "num_attention_heads": vision.heads, "intermediate_size": vision.hidden, "patch_size": vision.patch,
                "image_size": vision.resolution, "hidden_act": configuration.activation.rawValue,
                "layer_norm_eps": configuration.layerNormEps, "projection_dim": configuration.embeddingSize,
            ] as [String: Any],
            // eos_token_id 2 is transformers' sign for pooling at the greatest id, whatever the vocabulary.
            "text_config": [
                "model_type": "clip_text_model", "hidden_size": text.width, "num_hidden_layers": text.layers,
                "num_attention_heads": text.heads, "intermediate_size": text.hidden, "vocab_size": text.vocabularySize,
                "max_position_embeddings": text.contextLength, "hidden_act": configuration.activation.rawValue,
                "layer_norm_eps": configuration.layerNormEps, "projection_dim": configuration.embeddingSize,
                "bos_token_id": text.vocabularySize - 2, "eos_token_id": 2, "pad_token_id": 0,
            ] as [String: Any],
        ]
    }

    static func preprocessorConfig(_ preprocessing: Preprocessing) -> [String: Any] {
        let squash = preprocessing.fitting == .squash
        let square = ["height": preprocessing.side, "width": preprocessing.side]
        let filter =
            switch preprocessing.filter {
            case .nearest: 0
            case .lanczos: 1
            case .bilinear: 2
            case .bicubic: 3
            }
        return [
            "image_processor_type": "CLIPImageProcessor", "do_resize": true, "do_convert_rgb": true, "do_rescale": true,
            "do_normalize": true, "do_center_crop": !squash, "size": squash ? square : ["shortest_edge": preprocessing.side],
            "crop_size": square, "resample": filter, "image_mean": preprocessing.mean.map(decimal),
            "image_std": preprocessing.deviation.map(decimal),
        ]
    }

    /// The shortest decimal that gives the same `Float` again, not the `Double` nearest to it.
    static func decimal(_ value: Float) -> NSDecimalNumber { NSDecimalNumber(string: "\(value)") }
}
