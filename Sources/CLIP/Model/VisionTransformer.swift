import Torch

/// The ViT image tower. CLIP's: patches, a class token, `ln_pre`, blocks, `ln_post` on the class token, a projection. SigLIP's: patches,
/// blocks, `ln_post`, and a probe that pools by attention.
final class VisionTransformer {
    private enum Head {
        case classToken(Tensor, normBefore: LayerNorm, projection: Tensor)
        case probe(ProbePooling)
    }

    private let patches: Tensor
    private let patchBias: Tensor?
    private let positions: Tensor
    private let blocks: [TransformerBlock]
    private let normAfter: LayerNorm
    private let head: Head
    private let patch: Int

    init(_ scope: ParameterScope, _ configuration: CLIPConfiguration.VisionTransformer, of model: CLIPConfiguration) throws {
        let width = configuration.width
        let grid = configuration.resolution / configuration.patch
        let deviation = 1 / Double(width).squareRoot()
        patch = configuration.patch
        let inputs = Double(3 * patch * patch)
        let convolution = scope["conv1"]
        patches = try convolution.parameter("weight", [width, 3, patch, patch], .normal(deviation: 1 / inputs.squareRoot()))
        let places: Int
        switch model.family {
        case .clip:
            patchBias = nil
            places = grid * grid + 1
            head = .classToken(
                try scope.parameter("class_embedding", [width], .normal(deviation: deviation)),
                normBefore: try LayerNorm(scope["ln_pre"], width: width, eps: model.layerNormEps),
                projection: try scope.parameter("proj", [width, model.embeddingSize], .normal(deviation: deviation)))
        case .sigLIP:
            patchBias = try convolution.parameter("bias", [width], .zeros)
            places = grid * grid
            head = .probe(try ProbePooling(scope["attnpool"], configuration, of: model))
        }
        positions = try scope.parameter("positional_embedding", [places, width], .normal(deviation: deviation))
        blocks = try (0..<configuration.layers).map { index in
            try TransformerBlock(
                scope["transformer"]["resblocks"][index], width: width, hidden: configuration.hidden, heads: configuration.heads,
                depth: configuration.layers, causal: false, activation: model.activation, eps: model.layerNormEps)
        }
        normAfter = try LayerNorm(scope["ln_post"], width: width, eps: model.layerNormEps)
    }

    func prepareForInference(_ form: WeightForm, _ progress: () -> Void) throws {
        switch head {
        case .classToken: try blocks.prepareForInference(form, forOnePlace: true, progress)
        case .probe(let pooling):
            try blocks.prepareForInference(form, forOnePlace: false, progress)
            try pooling.prepareForInference(form)
        }
    }

    /// `pixels` `[batch, 3, resolution, resolution]` to `[batch, embedding]`, not normalised.
    func callAsFunction(_ pixels: Tensor) throws -> Tensor {
        let batch = pixels.size(0)
        let map = try pixels.conv2d(patches, patchBias, stride: patch)
        let width = map.size(1)
        let tokens = try map.reshaped([batch, width, -1]).transposed(1, 2)
        switch head {
        case .classToken(let token, let normBefore, let projection):
            let first = try token.reshaped([1, 1, width]).expanded([batch, 1, width])
            let x = try normBefore(Tensor.concatenated([first, tokens], dimension: 1) + positions)
            return try normAfter(blocks(x, at: .index(0))).matmul(projection)
        case .probe(let pooling):
            return try pooling(normAfter(blocks.reduce(tokens + positions) { try $1($0) }))
        }
    }
}

/// SigLIP's head: one learned probe asks all places, and a perceptron works on the answer. Multi-head attention pooling, Zhai et al. 2022
/// (arXiv:2106.04560, section 2.2).
private final class ProbePooling {
    private let probe: Tensor
    private let inProjection: InProjection
    private let output: Linear
    private let norm: LayerNorm
    private let perceptron: Perceptron
    private let heads: Int

    init(_ scope: ParameterScope, _ tower: CLIPConfiguration.VisionTransformer, of model: CLIPConfiguration) throws {
        let width = tower.width
        let initial = Initial.normal(deviation: 1 / Double(width).squareRoot())
        probe = try scope.parameter("probe", [1, 1, width], initial)
        inProjection = try InProjection(scope["attn"], width: width)
        output = try Linear(scope["attn"]["out_proj"], in: width, out: width, initial: initial)
        norm = try LayerNorm(scope["ln"], width: width, eps: model.layerNormEps)
        perceptron = try Perceptron(
            scope["mlp"], width: width, hidden: tower.hidden, activation: model.activation, residual: initial)
        heads = tower.heads
    }

    func prepareForInference(_ form: WeightForm) throws {
        try inProjection.prepareForInference(form, apart: true)
        try output.prepareForInference(form)
        try perceptron.prepareForInference(form)
    }

    /// The probe asks with the first third of the projection, the places answer with the rest.
    ///
    /// `x` `[batch, places, width]` to `[batch, width]`.
    func callAsFunction(_ x: Tensor) throws -> Tensor {
        let (batch, places, width) = (x.size(0), x.size(1), x.size(2))
        let (query, keyValue) = try inProjection.parts()
        let asked = try query(probe.reshaped([1, width])).reshaped([1, heads, 1, width / heads]).expanded([
            batch, heads, 1, width / heads,
        ])
        let parts = try keyValue(x).reshaped([batch, places, 2, heads, width / heads]).permuted([2, 0, 3, 1, 4])
        let mixed = try asked.attention(key: parts.selected(0, 0), value: parts.selected(0, 1))
        let answer = try output(mixed.transposed(1, 2).reshaped([batch, width]))
        return try perceptron(answer, after: norm, adding: answer)
    }
}
