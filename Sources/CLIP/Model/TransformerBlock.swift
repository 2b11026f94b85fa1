import Torch

/// The residual attention block that both towers are made of: attention and a two-layer perceptron, each behind a layer norm.
final class TransformerBlock {
    private let normBeforeAttention: LayerNorm
    private let inProjection: InProjection
    private let outProjection: Linear
    private let normBeforePerceptron: LayerNorm
    private let perceptron: Perceptron
    private let heads: Int
    private let causal: Bool
    /// No gradients from here on, and on the CPU.
    private var isPrepared = false

    /// - Parameter depth: blocks in the tower; the weights of a new model shrink with it, as OpenAI's do.
    init(
        _ scope: ParameterScope, width: Int, hidden: Int, heads: Int, depth: Int, causal: Bool, activation: Activation,
        eps: Double
    ) throws {
        let attention = Double(width).squareRoot()
        let residual = 1 / (attention * Double(2 * depth).squareRoot())
        normBeforeAttention = try LayerNorm(scope["ln_1"], width: width, eps: eps)
        inProjection = try InProjection(scope["attn"], width: width)
        outProjection = try Linear(scope["attn"]["out_proj"], in: width, out: width, initial: .normal(deviation: residual))
        normBeforePerceptron = try LayerNorm(scope["ln_2"], width: width, eps: eps)
        perceptron = try Perceptron(
            scope["mlp"], width: width, hidden: hidden, activation: activation, residual: .normal(deviation: residual))
        self.heads = heads
        self.causal = causal
    }

    /// - Parameter forOnePlace: whether the block will be asked for one place alone.
    func prepareForInference(_ form: WeightForm, forOnePlace: Bool = false) throws {
        try inProjection.prepareForInference(form, apart: forOnePlace)
        try outProjection.prepareForInference(form)
        try perceptron.prepareForInference(form)
        isPrepared = true
    }

    /// `x` `[batch, tokens, width]`
    func callAsFunction(_ x: Tensor) throws -> Tensor {
        if isPrepared, let projection = inProjection.packedWhole,
            let result = try x.int8Block(
                norms: (normBeforeAttention, normBeforePerceptron), inProjection: projection, outProjection: outProjection,
                expand: perceptron.expand, contract: perceptron.contract, heads: heads, causal: causal,
                activation: perceptron.preparedActivation)
        {
            return result
        }
        let (batch, tokens, width) = (x.size(0), x.size(1), x.size(2))
        let whole = try inProjection(x, after: normBeforeAttention)
        let mixed: Tensor
        if isPrepared {
            let parts = try (0..<3).map { try whole.narrowed(2, start: $0 * width, length: width) }
            mixed = try parts[0].attention(key: parts[1], value: parts[2], heads: heads, causal: causal)
        } else {
            let parts = try whole.reshaped([batch, tokens, 3, heads, width / heads]).permuted([2, 0, 3, 1, 4])
            mixed = try parts.selected(0, 0).attention(key: parts.selected(0, 1), value: parts.selected(0, 2), causal: causal)
                .transposed(1, 2).reshaped([batch, tokens, width])
        }
        let attended = try outProjection(mixed, adding: x)
        return try perceptron(attended, after: normBeforePerceptron, adding: attended)
    }

    /// What `self(x)` has at one place of each sequence, without the work for the others: they are asked for their keys and values alone.
    /// - Returns: `[batch, width]`
    func callAsFunction(_ x: Tensor, at place: ReadPlace) throws -> Tensor {
        let (batch, tokens, width) = (x.size(0), x.size(1), x.size(2))
        let (query, keyValue) = try inProjection.parts()
        let asked = try query(place.state(of: x), after: normBeforeAttention).reshaped([batch, heads, 1, width / heads])
        let parts = try keyValue(x, after: normBeforeAttention).reshaped([batch, tokens, 2, heads, width / heads])
            .permuted([2, 0, 3, 1, 4])
        let (key, value) = (try parts.selected(0, 0), try parts.selected(0, 1))
        let mask = try causal ? place.causalMask(of: x) : nil
        let mixed =
            try mask.map { try asked.attention(key: key, value: value, mask: $0) } ?? asked.attention(key: key, value: value)
        let attended = try outProjection(mixed.reshaped([batch, width]), adding: place.state(of: x))
        return try perceptron(attended, after: normBeforePerceptron, adding: attended)
    }
}

/// The place of each sequence whose state is read behind a tower's blocks.
enum ReadPlace {
    /// The same in each.
    case index(Int)
    /// Int64 `[batch]`.
    case indices(Tensor)

    /// - Parameter x: `[batch, tokens, width]`
    /// - Returns: `[batch, width]`
    func state(of x: Tensor) throws -> Tensor {
        switch self {
        case .index(let place): return try x.selected(1, place)
        case .indices(let places):
            let (batch, width) = (x.size(0), x.size(2))
            return try x.gathered(1, places.reshaped([batch, 1, 1]).expanded([batch, 1, width])).squeezed(1)
        }
    }

    /// True for what the place sees under a causal mask: itself and what stands before it.
    /// - Parameter x: the sequences, `[batch, tokens, width]`
    /// - Returns: `[batch, 1, 1, tokens]`, or `[1, 1, 1, tokens]` where the place is the same in each; on the device of `x`.
    fileprivate func causalMask(of x: Tensor) throws -> Tensor {
        let tokens = x.size(1)
        func rows(_ places: Range<Int>) throws -> Tensor {
            let seen = places.flatMap { place in (0..<tokens).map { Float($0 <= place ? 1 : 0) } }
            return try Tensor(seen, shape: [places.count, tokens]).greater(than: 0).to(x.device)
        }
        let chosen =
            switch self {
            case .index(let place): try rows(place..<place + 1)
            case .indices(let places): try rows(0..<tokens).rows(places)
            }
        return try chosen.reshaped([chosen.size(0), 1, 1, tokens])
    }
}

extension [TransformerBlock] {
    /// The state of one place behind all blocks. Of the last block's other places nobody knows anything: it works for this one alone, which saves
    /// five sixths of it.
    /// - Returns: `[batch, width]`
    func callAsFunction(_ x: Tensor, at place: ReadPlace) throws -> Tensor {
        guard let last else { return try place.state(of: x) }
        return try last(dropLast().reduce(x) { try $1($0) }, at: place)
    }

    /// - Parameters:
    ///   - forOnePlace: whether they will be asked for one place alone.
    ///   - progress: called after each block.
    func prepareForInference(_ form: WeightForm, forOnePlace: Bool, _ progress: () -> Void) throws {
        for (place, block) in enumerated() {
            try block.prepareForInference(form, forOnePlace: forOnePlace && place == count - 1)
            progress()
        }
    }
}

/// The layer before attention, keys `in_proj_weight` and `in_proj_bias`: a third each makes queries, keys and values.
final class InProjection {
    private enum Layout {
        case plain(weight: Tensor, bias: Tensor)
        case packed(Linear)
        case packedApart(query: Linear, keyValue: Linear)
    }

    private var layout: Layout
    private let name: String

    init(_ scope: ParameterScope, width: Int) throws {
        name = scope["in_proj_weight"].path
        let initial = Initial.normal(deviation: 1 / Double(width).squareRoot())
        layout = .plain(
            weight: try scope.parameter("in_proj_weight", [3 * width, width], initial),
            bias: try scope.parameter("in_proj_bias", [3 * width], .zeros))
    }

    /// - Parameter apart: whether it will be asked for its parts; whole otherwise.
    func prepareForInference(_ form: WeightForm, apart: Bool) throws {
        guard case .plain(let weight, let bias) = layout else { return }
        if apart {
            let (query, keyValue) = try withoutGradients { try parts() }
            try query.prepareForInference(form)
            try keyValue.prepareForInference(form)
            layout = .packedApart(query: query, keyValue: keyValue)
        } else {
            let whole = Linear(weight: weight, bias: bias, name: name)
            try whole.prepareForInference(form)
            layout = .packed(whole)
        }
    }

    /// The whole layer, where it was prepared as that.
    var packedWhole: Linear? {
        guard case .packed(let whole) = layout else { return nil }
        return whole
    }

    /// `[…, width]` to `[…, 3 · width]`
    func callAsFunction(_ x: Tensor, after norm: LayerNorm) throws -> Tensor {
        switch layout {
        case .plain(let weight, let bias): try Linear(weight: weight, bias: bias, name: name)(x, after: norm)
        case .packed(let whole): try whole(x, after: norm)
        case .packedApart: throw TorchError.argument("the projection was packed in parts, and the whole is asked for")
        }
    }

    /// Views are taken anew in each pass of a training, since gradients flow through views made while they are recorded.
    func parts() throws -> (query: Linear, keyValue: Linear) {
        switch layout {
        case .plain(let weight, let bias):
            let width = bias.size(0) / 3
            func part(_ start: Int, _ length: Int) throws -> Linear {
                Linear(
                    weight: try weight.narrowed(0, start: start, length: length),
                    bias: try bias.narrowed(0, start: start, length: length), name: name)
            }
            return (try part(0, width), try part(width, 2 * width))
        case .packedApart(let query, let keyValue): return (query, keyValue)
        case .packed: throw TorchError.argument("the projection was packed whole, and its parts are asked for")
        }
    }
}

/// Two layers with an activation between them, keys `c_fc` and `c_proj`.
final class Perceptron {
    let expand: Linear
    let contract: Linear
    private let activation: Activation
    /// x·σ(1.702x) = swish(1.702x)/1.702: both factors go into the weights, and one pass over the batch is left, which oneDNN fuses.
    private static let slope = 1.702

    init(_ scope: ParameterScope, width: Int, hidden: Int, activation: Activation, residual: Initial) throws {
        expand = try Linear(
            scope["c_fc"], in: width, out: hidden, initial: .normal(deviation: 1 / Double(2 * width).squareRoot()))
        contract = try Linear(scope["c_proj"], in: hidden, out: width, initial: residual)
        self.activation = activation
    }

    func prepareForInference(_ form: WeightForm) throws {
        switch activation {
        case .quickGELU:
            try expand.prepareForInference(form, outputScale: Self.slope)
            try contract.prepareForInference(form, inputScale: Self.slope)
        case .gelu, .geluTanh:
            try expand.prepareForInference(form)
            try contract.prepareForInference(form)
        }
    }

    /// What stands between its layers once they are prepared, which have the slope in their weights.
    var preparedActivation: FusedActivation {
        switch activation {
        case .quickGELU: .swish
        case .gelu: .gelu
        case .geluTanh: .geluTanh
        }
    }

    /// What it makes of `x` `[…, width]` behind `norm`, on top of `residual`.
    func callAsFunction(_ x: Tensor, after norm: LayerNorm, adding residual: Tensor) throws -> Tensor {
        switch activation {
        case .quickGELU:
            let activated = try expand(x, after: norm, outputScale: Self.slope, activation: .swish)
            return try contract(activated, inputScale: Self.slope, adding: residual)
        case .gelu, .geluTanh: return try contract(expand(x, after: norm, activation: preparedActivation), adding: residual)
        }
    }
}
