extension CLIPConfiguration {
    /// What the shapes of a checkpoint's weights say about its architecture. The number of heads is in no shape: it follows from the widths that
    /// the field uses, 64 a head, and 16 heads in the two largest SigLIPs.
    /// - Parameters:
    ///   - shapes: of the weights under canonical names.
    ///   - path: the file, for messages.
    /// - Throws: `CLIPError.missingTensor`, `.contradiction` for shapes that no CLIP has, or `.unknownTower` for a
    ///   convolutional tower of timm's.
    init(shapes: [String: [Int]], path: String, activation: Activation, textActivation: Activation? = nil) throws(CLIPError) {
        func shape(_ name: String, _ dimensions: Int) throws(CLIPError) -> [Int] {
            guard let shape = shapes[name] else { throw .missingTensor(path: path, tensor: name) }
            guard shape.count == dimensions, !shape.contains(0) else {
                throw .contradiction(path: path, what: "\(name) has the shape \(shape), expected \(dimensions) extents above 0")
            }
            return shape
        }
        /// How many numbers follow `prefix` in the names, from 0.
        func count(_ prefix: String) -> Int {
            let numbers = shapes.keys.lazy.filter { $0.hasPrefix(prefix) }.compactMap { name in
                Int(name.dropFirst(prefix.count).prefix { $0.isNumber })
            }
            return (numbers.max() ?? -1) + 1
        }
        func side(_ places: Int, _ name: String) throws(CLIPError) -> Int {
            let side = Int(Double(places).squareRoot().rounded())
            guard side > 0, side * side == places else {
                throw .contradiction(path: path, what: "\(name) has \(places) places, which make no square")
            }
            return side
        }
        if shapes.keys.contains(where: { $0.hasPrefix("visual.trunk.conv") }) { throw .unknownTower(path: path) }
        let isSigLIP = shapes["visual.attnpool.probe"] != nil
        let vision: Vision
        let embeddingSize: Int
        if shapes["visual.layer1.0.conv1.weight"] != nil {
            let width = try shape("visual.layer1.0.conv1.weight", 4)[0]
            let positions = "visual.attnpool.positional_embedding"
            let grid = try side(shape(positions, 2)[0] - 1, positions)
            vision = .resNet(
                .init(
                    width: width, layers: (1...4).map { count("visual.layer\($0).") }, heads: max(width * 32 / 64, 1),
                    resolution: 32 * grid))
            embeddingSize = try shape("visual.attnpool.c_proj.weight", 2)[0]
        } else {
            let patches = try shape("visual.conv1.weight", 4)
            let positions = "visual.positional_embedding"
            let grid = try side(shape(positions, 2)[0] - (isSigLIP ? 0 : 1), positions)
            let width = patches[0]
            let heads = isSigLIP && [1152, 1536].contains(width) ? 16 : max(width / 64, 1)
            vision = .transformer(
                .init(
                    width: width, layers: count("visual.transformer.resblocks."), heads: heads,
                    hidden: try shape("visual.transformer.resblocks.0.mlp.c_fc.weight", 2)[0], patch: patches[3],
                    resolution: grid * patches[3]))
            embeddingSize = try isSigLIP ? width : shape("visual.proj", 2)[1]
        }
        let vocabulary = try shape("token_embedding.weight", 2)
        let textHeads = isSigLIP && [1152, 1536].contains(vocabulary[1]) ? 16 : max(vocabulary[1] / 64, 1)
        self.init(
            family: isSigLIP ? .sigLIP : .clip, vision: vision,
            text: .init(
                width: vocabulary[1], layers: count("transformer.resblocks."), heads: textHeads,
                hidden: try shape("transformer.resblocks.0.mlp.c_fc.weight", 2)[0],
                contextLength: try shape("positional_embedding", 2)[0], vocabularySize: vocabulary[0]),
            embeddingSize: embeddingSize, activation: activation, textActivation: textActivation,
            layerNormEps: isSigLIP ? 1e-6 : 1e-5)
    }
}
