import Torch

/// The residual attention block that both towers are made of: attention and a two-layer perceptron, each behind a layer norm.
final class TransformerBlock {
    private let normBeforeAttention: LayerNorm
    private let inProjection: Linear
    private let outProjection: Linear
    private let normBeforePerceptron: LayerNorm
    private let perceptron: Perceptron
    private let heads: Int
    private let causal: Bool

    /// - Parameter depth: blocks in the tower; the weights of a new model shrink with it, as OpenAI's do.
    init(
        _ scope: ParameterScope, width: Int, hidden: Int, heads: Int, depth: Int, causal: Bool, activation: Activation,
        eps: Double
    ) throws {
        let attention = Double(width).squareRoot()
        let residual = 1 / (attention * Double(2 * depth).squareRoot())
        normBeforeAttention = try LayerNorm(scope["ln_1"], width: width, eps: eps)
        inProjection = Linear(
            weight: try scope["attn"].parameter("in_proj_weight", [3 * width, width], .normal(deviation: 1 / attention)),
            bias: try scope["attn"].parameter("in_proj_bias", [3 * width], .zeros))
        outProjection = try Linear(scope["attn"]["out_proj"], in: width, out: width, initial: .normal(deviation: residual))
        normBeforePerceptron = try LayerNorm(scope["ln_2"], width: width, eps: eps)
        perceptron = try Perceptron(
            scope["mlp"], width: width, hidden: hidden, activation: activation, residual: .normal(deviation: residual))
        self.heads = heads
        self.causal = causal
    }

    func prepareForInference() throws {
        try inProjection.prepareForInference()
        try outProjection.prepareForInference()
        try perceptron.prepareForInference()
    }

    /// `x` `[batch, tokens, width]`
    func callAsFunction(_ x: Tensor) throws -> Tensor {
        let attended = try outProjection(attention(normBeforeAttention(x)), adding: x)
        return try perceptron(normBeforePerceptron(attended), adding: attended)
    }

    private func attention(_ x: Tensor) throws -> Tensor {
        let (batch, tokens, width) = (x.size(0), x.size(1), x.size(2))
        let parts = try inProjection(x).reshaped([batch, tokens, 3, heads, width / heads]).permuted([2, 0, 3, 1, 4])
        let mixed = try parts.selected(0, 0).attention(key: parts.selected(0, 1), value: parts.selected(0, 2), causal: causal)
        return try mixed.transposed(1, 2).reshaped([batch, tokens, width])
    }
}

/// Two layers with an activation between them, keys `c_fc` and `c_proj`.
final class Perceptron {
    private let expand: Linear
    private let contract: Linear
    private let activation: Activation
    /// x·σ(1.702x) = swish(1.702x)/1.702: both factors go into the weights, and one pass over the batch is left, which oneDNN fuses.
    private static let slope = 1.702

    init(_ scope: ParameterScope, width: Int, hidden: Int, activation: Activation, residual: Initial) throws {
        expand = try Linear(
            scope["c_fc"], in: width, out: hidden, initial: .normal(deviation: 1 / Double(2 * width).squareRoot()))
        contract = try Linear(scope["c_proj"], in: hidden, out: width, initial: residual)
        self.activation = activation
    }

    func prepareForInference() throws {
        switch activation {
        case .quickGELU:
            try expand.prepareForInference(outputScale: Self.slope)
            try contract.prepareForInference(inputScale: Self.slope)
        case .gelu, .geluTanh:
            try expand.prepareForInference()
            try contract.prepareForInference()
        }
    }

    /// What it makes of `x` `[…, width]`, on top of `residual`.
    func callAsFunction(_ x: Tensor, adding residual: Tensor) throws -> Tensor {
        switch activation {
        case .quickGELU:
            let activated = try expand(x, outputScale: Self.slope, activation: .swish)
            return try contract(activated, inputScale: Self.slope, adding: residual)
        case .gelu: return try contract(expand(x, activation: .gelu), adding: residual)
        case .geluTanh: return try contract(expand(x, activation: .geluTanh), adding: residual)
        }
    }
}
