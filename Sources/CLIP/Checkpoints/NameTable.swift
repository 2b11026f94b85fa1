import Torch

/// How one library calls the tensors of a model, beside the canonical names: OpenAI's, with ours for what only SigLIP has. One table serves
/// both directions.
struct NameTable {
    /// What becomes of a tensor between their file and ours.
    enum Change: Sendable {
        case same
        /// Stored `[out, in]` there and `[in, out]` here.
        case transposed
        /// A leading dimension of 1 there.
        case squeezed
    }

    /// Whole names.
    var names: [(theirs: String, ours: String, change: Change)] = []
    /// Tensors that lie apart there, and here as one along the first dimension, in which each has so many parts.
    var joined: [(theirs: [(name: String, parts: Int)], ours: String)] = []
    /// Stacks of blocks: what stands before a block's number.
    var towers: [(theirs: String, ours: String)] = []
    /// Beginnings of names within a block.
    var blocks: [(theirs: String, ours: String)] = []
    /// The same within a block for what lies apart there.
    var joinedInBlocks: [(theirs: [String], ours: String)] = []

    // MARK: Tables

    /// OpenAI's and open_clip's names are the canonical ones; those of timm's convolutional towers, `visual.trunk.` and `visual.head.`, too.
    static let openAI = NameTable()

    /// transformers' `CLIPModel`. "pre_layrnorm" is how it is spelt there.
    static let huggingFace = NameTable(
        names: huggingFaceText + huggingFaceVision + [
            ("logit_scale", "logit_scale", .same),
            ("vision_model.embeddings.class_embedding", "visual.class_embedding", .same),
            ("vision_model.pre_layrnorm.weight", "visual.ln_pre.weight", .same),
            ("vision_model.pre_layrnorm.bias", "visual.ln_pre.bias", .same),
            ("visual_projection.weight", "visual.proj", .transposed),
            ("text_projection.weight", "text_projection", .transposed),
        ],
        towers: huggingFaceTowers, blocks: huggingFaceBlocks, joinedInBlocks: huggingFaceJoined)

    /// transformers' `SiglipModel`, which SigLIP 2 of fixed resolution is too.
    static let huggingFaceSigLIP = NameTable(
        names: huggingFaceText + huggingFaceVision + [
            ("logit_scale", "logit_scale", .squeezed), ("logit_bias", "logit_bias", .squeezed),
            ("vision_model.embeddings.patch_embedding.bias", "visual.conv1.bias", .same),
            ("vision_model.head.probe", "visual.attnpool.probe", .same),
            ("vision_model.head.attention.in_proj_weight", "visual.attnpool.attn.in_proj_weight", .same),
            ("vision_model.head.attention.in_proj_bias", "visual.attnpool.attn.in_proj_bias", .same),
            ("vision_model.head.attention.out_proj.weight", "visual.attnpool.attn.out_proj.weight", .same),
            ("vision_model.head.attention.out_proj.bias", "visual.attnpool.attn.out_proj.bias", .same),
            ("vision_model.head.layernorm.weight", "visual.attnpool.ln.weight", .same),
            ("vision_model.head.layernorm.bias", "visual.attnpool.ln.bias", .same),
            ("vision_model.head.mlp.fc1.weight", "visual.attnpool.mlp.c_fc.weight", .same),
            ("vision_model.head.mlp.fc1.bias", "visual.attnpool.mlp.c_fc.bias", .same),
            ("vision_model.head.mlp.fc2.weight", "visual.attnpool.mlp.c_proj.weight", .same),
            ("vision_model.head.mlp.fc2.bias", "visual.attnpool.mlp.c_proj.bias", .same),
            ("text_model.head.weight", "text_projection", .transposed),
            ("text_model.head.bias", "text_projection.bias", .same),
        ],
        towers: huggingFaceTowers, blocks: huggingFaceBlocks, joinedInBlocks: huggingFaceJoined)

    /// open_clip's SigLIP: a tower of timm under `visual.trunk`, and open_clip's own text tower.
    static let timmSigLIP = NameTable(
        names: [
            ("visual.trunk.patch_embed.proj.weight", "visual.conv1.weight", .same),
            ("visual.trunk.patch_embed.proj.bias", "visual.conv1.bias", .same),
            ("visual.trunk.pos_embed", "visual.positional_embedding", .squeezed),
            ("visual.trunk.norm.weight", "visual.ln_post.weight", .same),
            ("visual.trunk.norm.bias", "visual.ln_post.bias", .same),
            ("visual.trunk.attn_pool.latent", "visual.attnpool.probe", .same),
            ("visual.trunk.attn_pool.proj.weight", "visual.attnpool.attn.out_proj.weight", .same),
            ("visual.trunk.attn_pool.proj.bias", "visual.attnpool.attn.out_proj.bias", .same),
            ("visual.trunk.attn_pool.norm.weight", "visual.attnpool.ln.weight", .same),
            ("visual.trunk.attn_pool.norm.bias", "visual.attnpool.ln.bias", .same),
            ("visual.trunk.attn_pool.mlp.fc1.weight", "visual.attnpool.mlp.c_fc.weight", .same),
            ("visual.trunk.attn_pool.mlp.fc1.bias", "visual.attnpool.mlp.c_fc.bias", .same),
            ("visual.trunk.attn_pool.mlp.fc2.weight", "visual.attnpool.mlp.c_proj.weight", .same),
            ("visual.trunk.attn_pool.mlp.fc2.bias", "visual.attnpool.mlp.c_proj.bias", .same),
            ("text_projection.weight", "text_projection", .transposed),
        ],
        joined: ["weight", "bias"].map { kind in
            (
                [("visual.trunk.attn_pool.q.\(kind)", 1), ("visual.trunk.attn_pool.kv.\(kind)", 2)],
                "visual.attnpool.attn.in_proj_\(kind)"
            )
        },
        towers: [("visual.trunk.blocks", "visual.transformer.resblocks")],
        blocks: [
            ("norm1.", "ln_1."), ("norm2.", "ln_2."), ("mlp.fc1.", "mlp.c_fc."), ("mlp.fc2.", "mlp.c_proj."),
            ("attn.qkv.", "attn.in_proj_"), ("attn.proj.", "attn.out_proj."),
        ])

    private static let huggingFaceVision: [(String, String, Change)] = [
        ("vision_model.embeddings.patch_embedding.weight", "visual.conv1.weight", .same),
        ("vision_model.embeddings.position_embedding.weight", "visual.positional_embedding", .same),
        ("vision_model.post_layernorm.weight", "visual.ln_post.weight", .same),
        ("vision_model.post_layernorm.bias", "visual.ln_post.bias", .same),
    ]
    private static let huggingFaceText: [(String, String, Change)] = [
        ("text_model.embeddings.token_embedding.weight", "token_embedding.weight", .same),
        ("text_model.embeddings.position_embedding.weight", "positional_embedding", .same),
        ("text_model.final_layer_norm.weight", "ln_final.weight", .same),
        ("text_model.final_layer_norm.bias", "ln_final.bias", .same),
    ]
    private static let huggingFaceTowers = [
        ("vision_model.encoder.layers", "visual.transformer.resblocks"),
        ("text_model.encoder.layers", "transformer.resblocks"),
    ]
    private static let huggingFaceBlocks = [
        ("layer_norm1.", "ln_1."), ("layer_norm2.", "ln_2."), ("mlp.fc1.", "mlp.c_fc."), ("mlp.fc2.", "mlp.c_proj."),
        ("self_attn.out_proj.", "attn.out_proj."),
    ]
    private static let huggingFaceJoined = [
        (["self_attn.q_proj.", "self_attn.k_proj.", "self_attn.v_proj."], "attn.in_proj_")
    ]

    // MARK: Which table

    /// What the table of a file is.
    /// - Throws: `CLIPError` where the names are none of CLIP's, or only one tower's.
    static func recognised(by names: some Collection<String>, path: String) throws(CLIPError) -> NameTable {
        func has(_ prefix: String) -> Bool { names.contains { $0.hasPrefix(prefix) } }
        let table: NameTable
        let hasVision: Bool
        let hasText: Bool
        if has("visual.trunk.conv_stem.") || has("visual.trunk.conv1.") {
            // A convolutional tower of timm's keeps timm's names here too.
            (table, hasVision, hasText) = (.openAI, true, has("token_embedding."))
        } else if has("visual.trunk.") {
            (table, hasVision, hasText) = (.timmSigLIP, true, has("token_embedding."))
        } else if has("vision_model.") || has("text_model.") {
            table = has("vision_model.head.") ? .huggingFaceSigLIP : .huggingFace
            (hasVision, hasText) = (has("vision_model."), has("text_model."))
        } else if has("visual.") || has("transformer.resblocks.") {
            (table, hasVision, hasText) = (.openAI, has("visual."), has("token_embedding."))
        } else {
            throw .notCLIP(path: path, names: names.sorted().prefix(3).joined(separator: ", "), count: names.count)
        }
        guard hasVision else { throw .oneTower(path: path, has: "text", lacks: "image") }
        guard hasText else { throw .oneTower(path: path, has: "image", lacks: "text") }
        return table
    }

    /// What every name of a file begins with before CLIP's own names begin, as wrappers put it there: `module.` of distributed training,
    /// `_orig_mod.` of `torch.compile`, `model.` of Lightning, or several of them. Empty where the names are CLIP's as they stand, or none's.
    static func wrapping(of names: [String]) -> String {
        guard var rest = names.first?[...] else { return "" }
        var prefix = ""
        while !names.contains(where: { isOwn($0.dropFirst(prefix.count)) }) {
            guard let dot = rest.firstIndex(of: ".") else { return "" }
            prefix += rest[...dot]
            rest = rest[rest.index(after: dot)...]
            guard names.allSatisfy({ $0.hasPrefix(prefix) }) else { return "" }
        }
        return prefix
    }

    /// Whether a name is one by which a tower of CLIP's is known.
    private static func isOwn(_ name: Substring) -> Bool {
        ["visual.", "vision_model.", "text_model.", "transformer.resblocks.", "text.transformer.resblocks."].contains {
            name.hasPrefix($0)
        }
    }

    /// The name without what averaging wrappers and open_clip's models with a text tower of their own put before a part of the names, `module.`
    /// and `text.`; nil for what is no weight.
    static func plain(_ name: some StringProtocol) -> String? {
        var name = Substring(name)
        if name.hasPrefix("module.") { name = name.dropFirst("module.".count) }
        if name.hasPrefix("text.") { name = name.dropFirst("text.".count) }
        let isIgnored =
            ["attn_mask", "input_resolution", "context_length", "vocab_size"].contains(name)
            || name.hasSuffix("position_ids") || name.hasSuffix("num_batches_tracked")
        return isIgnored ? nil : String(name)
    }

    // MARK: There and back

    /// One canonical tensor and the stored ones that it is made of, along the first dimension where they are several.
    struct Part: Sendable {
        let ours: String
        let theirs: [String]
        let change: Change
    }

    /// What becomes of names. Those that the table does not know keep themselves, so that strict loading reports them.
    func parts(of stored: some Collection<String>) -> [Part] {
        var rest = Set(stored)
        var parts: [Part] = []
        for (theirs, ours, change) in names where rest.remove(theirs) != nil {
            parts.append(Part(ours: ours, theirs: [theirs], change: change))
        }
        func join(_ theirs: [String], to ours: String) {
            guard theirs.allSatisfy(rest.contains) else { return }
            rest.subtract(theirs)
            parts.append(Part(ours: ours, theirs: theirs, change: .same))
        }
        for (theirs, ours) in joined { join(theirs.map(\.name), to: ours) }
        for (tower, ourTower) in towers {
            for name in Array(rest) where name.hasPrefix(tower + ".") {
                let words = name.dropFirst(tower.count + 1).split(separator: ".", maxSplits: 1)
                guard words.count == 2, Int(words[0]) != nil else { continue }
                let (block, ourBlock) = ("\(tower).\(words[0])", "\(ourTower).\(words[0])")
                if let (theirs, ours) = blocks.first(where: { words[1].hasPrefix($0.theirs) }) {
                    rest.remove(name)
                    let ours = "\(ourBlock).\(ours)\(words[1].dropFirst(theirs.count))"
                    parts.append(Part(ours: ours, theirs: [name], change: .same))
                } else if let (theirs, ours) = joinedInBlocks.first(where: { words[1].hasPrefix($0.theirs[0]) }) {
                    let kind = words[1].dropFirst(theirs[0].count)
                    join(theirs.map { "\(block).\($0)\(kind)" }, to: "\(ourBlock).\(ours)\(kind)")
                }
            }
        }
        let taken = Set(parts.map(\.ours))
        return parts + rest.subtracting(taken).map { Part(ours: $0, theirs: [$0], change: .same) }
    }

    /// The way back, for writing.
    func theirs(_ tensors: [(name: String, tensor: Tensor)]) throws -> [(name: String, tensor: Tensor)] {
        var result: [(String, Tensor)] = []
        func split(_ tensor: Tensor, _ parts: [(name: String, parts: Int)]) throws {
            let unit = tensor.size(0) / parts.reduce(0) { $0 + $1.parts }
            var start = 0
            for (name, count) in parts {
                result.append((name, try tensor.narrowed(0, start: start, length: count * unit).contiguous()))
                start += count * unit
            }
        }
        for (name, tensor) in tensors {
            if let (theirs, _, change) = names.first(where: { $0.ours == name }) {
                switch change {
                case .same: result.append((theirs, tensor))
                case .transposed: result.append((theirs, try tensor.transposed(0, 1).contiguous()))
                case .squeezed: result.append((theirs, try tensor.reshaped([1] + tensor.shape)))
                }
            } else if let (theirs, _) = joined.first(where: { $0.ours == name }) {
                try split(tensor, theirs)
            } else if let (tower, ourTower) = towers.first(where: { name.hasPrefix($0.ours + ".") }) {
                let parts = name.dropFirst(ourTower.count + 1).split(separator: ".", maxSplits: 1)
                if let (theirs, ours) = blocks.first(where: { parts[1].hasPrefix($0.ours) }) {
                    result.append(("\(tower).\(parts[0]).\(theirs)\(parts[1].dropFirst(ours.count))", tensor))
                } else if let (theirs, ours) = joinedInBlocks.first(where: { parts[1].hasPrefix($0.ours) }) {
                    let kind = parts[1].dropFirst(ours.count)
                    try split(tensor, theirs.map { ("\(tower).\(parts[0]).\($0)\(kind)", 1) })
                } else {
                    result.append((name, tensor))
                }
            } else {
                result.append((name, tensor))
            }
        }
        return result
    }
}
