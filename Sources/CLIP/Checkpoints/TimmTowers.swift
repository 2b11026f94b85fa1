import Foundation

/// Convolutional towers of timm in open_clip's configurations, and what the shapes of their weights say.
extension CLIPConfiguration.Timm {
    /// open_clip's keys, of which only the name is always there.
    private enum Key {
        static let name = "timm_model_name", pool = "timm_pool", projection = "timm_proj", bias = "timm_proj_bias"
    }

    /// - Parameters:
    ///   - vision: the section `vision_cfg`.
    ///   - shapes: of the weights under canonical names.
    ///   - embeddingSize: `embed_dim`.
    /// - Throws: `CLIPError.wrongValue` for a trunk or a head that is not read here, `.contradiction` for weights of another one.
    init(_ vision: JSONFile, shapes: [String: [Int]], embeddingSize: Int) throws(CLIPError) {
        func wrong(_ key: String, _ expected: String) -> CLIPError {
            vision.wrong("model_cfg \(key)", vision.object[key], expected)
        }
        let written = try vision.string(Key.name)
        // Behind a dot stands which weights timm would have loaded.
        let name = String(written.prefix { $0 != "." })
        guard let family = Family(name: name) else {
            throw wrong(
                Key.name,
                "\(Family.names), or a SigLIP with an attention head, such as vit_base_patch16_siglip_224")
        }
        let kind = vision.object[Key.projection] is NSNull ? "" : try vision.string(Key.projection, default: "linear")
        let hasBias = try vision.bool(Key.bias, default: false)
        switch kind {
        case "none": projection = .none
        case "linear": projection = .linear(bias: hasBias)
        case "mlp": projection = .mlp(bias: hasBias)
        case "": projection = .classifier
        default: throw wrong(Key.projection, "linear, mlp, none or nothing")
        }
        let pool = vision.object[Key.pool] is NSNull ? "" : try vision.string(Key.pool, default: "avg")
        // open_clip leaves the trunk its own pooling, the mean, for a projection of open_clip's and takes it away otherwise.
        guard pool == "avg" || pool.isEmpty && ["linear", "mlp"].contains(kind) else { throw wrong(Key.pool, "avg") }
        self.name = name
        resolution = try vision.integer("image_size", default: 224)
        trunk = try Self.trunk(name, family, shapes: shapes, path: vision.path)
        guard projection != .none || features == embeddingSize else {
            throw .contradiction(
                path: vision.path,
                what: "timm_proj is none, embed_dim is \(embeddingSize), and \(name) has \(features) features")
        }
    }

    /// What `vision_cfg` says of it.
    var config: [String: Any] {
        var config: [String: Any] = [
            Key.name: name, "timm_model_pretrained": false, Key.pool: "avg", "image_size": resolution,
        ]
        switch projection {
        case .none: config[Key.projection] = "none"
        case .linear(let hasBias): (config[Key.projection], config[Key.bias]) = ("linear", hasBias)
        case .mlp(let hasBias): (config[Key.projection], config[Key.bias]) = ("mlp", hasBias)
        case .classifier: config[Key.projection] = ""
        }
        return config
    }

    // MARK: Shapes

    private static func trunk(
        _ name: String, _ family: Family, shapes: [String: [Int]], path: String
    ) throws(CLIPError) -> CLIPConfiguration.Trunk {
        let prefix = "visual.trunk."
        func shape(_ tensor: String) throws(CLIPError) -> [Int] {
            let tensor = prefix + tensor
            guard let shape = shapes[tensor] else { throw .missingTensor(path: path, tensor: tensor) }
            guard shape.count == 4, !shape.contains(0) else {
                throw .contradiction(path: path, what: "\(tensor) has the shape \(shape), expected four extents above 0")
            }
            return shape
        }
        func count(_ stem: String) -> Int {
            let numbers = shapes.keys.lazy.filter { $0.hasPrefix(prefix + stem) }.compactMap { name in
                Int(name.dropFirst(prefix.count + stem.count).prefix { $0.isNumber })
            }
            return (numbers.max() ?? -1) + 1
        }
        switch family {
        case .efficientNetLite(let variant):
            var stages: [[CLIPConfiguration.EfficientNetLite.Block]] = []
            for stage in CLIPConfiguration.EfficientNetLite.strides.indices {
                var blocks: [CLIPConfiguration.EfficientNetLite.Block] = []
                for index in 0..<count("blocks.\(stage).") {
                    let block = "blocks.\(stage).\(index)"
                    let depthwise = try shape("\(block).conv_dw.weight")
                    let isExpanded = shapes["\(prefix)\(block).conv_pwl.weight"] != nil
                    blocks.append(
                        .init(
                            kernel: depthwise[3], hidden: isExpanded ? depthwise[0] : nil,
                            output: try shape("\(block).conv_pw\(isExpanded ? "l" : "").weight")[0]))
                }
                stages.append(blocks)
            }
            let sizes = CLIPConfiguration.EfficientNetLite(
                stem: try shape("conv_stem.weight")[0], stages: stages, features: try shape("conv_head.weight")[0])
            guard let variant else { return .efficientNetLite(sizes) }
            guard sizes == .lite(variant) else {
                throw .contradiction(path: path, what: "it names \(name), and the weights have the sizes of another trunk")
            }
            return .efficientNetLite(sizes)
        case .resNet(let depth):
            let layers = (1...4).map { count("layer\($0).") }
            // Three convolutions a block, the stem's, and the classifier that it had: that is how these networks are numbered.
            guard try shape("layer1.0.conv3.weight").count == 4, depth == 3 * layers.reduce(0, +) + 2 else {
                throw .contradiction(
                    path: path, what: "it names \(name), and the weights have \(layers) bottlenecks in the four stages")
            }
            return .resNet(
                stem: try shape("conv1.weight")[0], width: try shape("layer1.0.conv1.weight")[0], layers: layers)
        }
    }
}
