import TensorFiles
import Testing
import Torch

@Suite("int8 layers", .serialized)
struct Int8LayerTests {
    /// The length of the difference over that of what is expected.
    private static func distance(_ found: Tensor, _ expected: Tensor) throws -> Double {
        let difference = try found - expected
        return try ((difference * difference).sum().item() / (expected * expected).sum().item()).squareRoot()
    }

    @Test("a linear layer is near the float one, with every finish, for few rows and for many", arguments: [1, 3, 64])
    func linear(rows: Int) throws {
        try TorchRuntime.seed(UInt64(rows))
        let (x, weight, bias) = (
            try Tensor.randomNormal([2, rows, 96]), try Tensor.randomNormal([130, 96]), try Tensor.randomNormal([130])
        )
        let addend = try Tensor.randomNormal([2, rows, 130])
        let weights = try Int8Weights(rounding: weight)
        #expect(weights.byteCount >= 130 * 96)
        let product = try x.linear(weight, bias)
        for activation in [FusedActivation.none, .relu, .relu6, .gelu, .geluTanh, .swish] {
            let found = try weights.linear(x, bias, activation: activation)
            #expect(found.shape == [2, rows, 130])
            #expect(try Self.distance(found, product.applying(activation)) < 0.03, "\(activation)")
        }
        #expect(try Self.distance(weights.linear(x, bias, adding: addend), product + addend) < 0.03)
        let root = ParameterStore(weights: ["weight": try .randomNormal([96]), "bias": try .randomNormal([96])], source: "test")
            .root
        let norm = try LayerNorm(root, width: 96, eps: 1e-5)
        #expect(try Self.distance(weights.linear(x, after: norm, bias), norm(x).linear(weight, bias)) < 0.03)
    }

    @Test("a convolution is near the float one, one picture or several, lopsided zeros too")
    func convolution() throws {
        try TorchRuntime.seed(3)
        for (batch, kernel, stride, before, behind) in [
            (1, 3, 1, 1, 1), (5, 3, 2, 0, 1), (2, 1, 1, 0, 0), (3, 1, 2, 0, 0), (1, 5, 2, 2, 2),
        ] {
            let x = try Tensor.randomNormal([batch, 40, 13, 10])
            let (weight, bias) = (try Tensor.randomNormal([24, 40, kernel, kernel]), try Tensor.randomNormal([24]))
            let padded = try x.padded(width: (before, behind), height: (before, behind))
            let expected = try padded.conv2d(weight, bias, stride: stride)
            let weights = try Int8Weights(rounding: weight)
            let zeros = (before: before, behind: behind)
            let found = try weights.conv2d(x, bias, stride: stride, height: zeros, width: zeros, activation: .relu)
            #expect(found.shape == expected.shape)
            #expect(try Self.distance(found, expected.relu()) < 0.03, "\(kernel), \(stride)")
            let addend = try Tensor.randomNormal(expected.shape)
            #expect(
                try Self.distance(
                    weights.conv2d(x, bias, stride: stride, height: zeros, width: zeros, adding: addend), expected + addend)
                    < 0.03)
        }
    }

    @Test("a picture's numbers do not depend on what else is in the batch")
    func batches() throws {
        try TorchRuntime.seed(4)
        let x = try Tensor.randomNormal([4, 40, 9, 9])
        let weights = try Int8Weights(rounding: .randomNormal([24, 40, 3, 3]))
        let zeros = (before: 1, behind: 1)
        let together = try weights.conv2d(x, nil, stride: 1, height: zeros, width: zeros)
        let alone = try weights.conv2d(x.narrowed(0, start: 2, length: 1), nil, stride: 1, height: zeros, width: zeros)
        #expect(try together.narrowed(0, start: 2, length: 1).contiguous().floats() == alone.contiguous().floats())
    }

    @Test("attention of all heads is torch's own", arguments: [false, true])
    func attention(causal: Bool) throws {
        try TorchRuntime.seed(5)
        let whole = try Tensor.randomNormal([3, 11, 3 * 48])
        let parts = try (0..<3).map { try whole.narrowed(2, start: 48 * $0, length: 48) }
        func split(_ x: Tensor) throws -> Tensor { try x.reshaped([3, 11, 4, 12]).transposed(1, 2) }
        let expected = try split(parts[0]).attention(key: split(parts[1]), value: split(parts[2]), causal: causal)
            .transposed(1, 2).reshaped([3, 11, 48])
        let found = try parts[0].attention(key: parts[1], value: parts[2], heads: 4, causal: causal)
        #expect(zip(try found.floats(), try expected.floats()).allSatisfy { abs($0 - $1) < 2e-6 })
    }

    @Test(
        "a block in one call is its layers one after the other, causal or not, for one row and for many",
        arguments: [false, true])
    func block(causal: Bool) throws {
        for (batch, tokens, threads) in [(1, 1, 2), (2, 11, 1), (3, 50, 2), (5, 197, 2)] {
            try TorchRuntime.seed(UInt64(tokens))
            let (width, hidden, heads) = (48, 100, 3)
            func layer(_ name: String, _ outputs: Int, _ inputs: Int, bias: Bool = true) throws -> Linear {
                let layer = Linear(
                    weight: try .randomNormal([outputs, inputs]) * 0.1, bias: bias ? try .randomNormal([outputs]) : nil,
                    name: name)
                try layer.prepareForInference(.int8())
                return layer
            }
            func norm() throws -> LayerNorm {
                let weights = ["weight": try Tensor.randomNormal([width]), "bias": try Tensor.randomNormal([width])]
                return try LayerNorm(ParameterStore(weights: weights, source: "test").root, width: width, eps: 1e-5)
            }
            let (before, behind) = (try norm(), try norm())
            let (whole, out) = (try layer("in", 3 * width, width), try layer("out", width, width))
            let (expand, contract) = (try layer("expand", hidden, width), try layer("contract", width, hidden, bias: false))
            let x = try Tensor.randomNormal([batch, tokens, width])
            let usual = TorchRuntime.threads
            defer { try? TorchRuntime.setThreads(usual) }
            try TorchRuntime.setThreads(threads)
            let found = try #require(
                try x.int8Block(
                    norms: (before, behind), inProjection: whole, outProjection: out, expand: expand, contract: contract,
                    heads: heads,
                    causal: causal, activation: .gelu))
            let parts = try whole(x, after: before)
            let mixed = try parts.narrowed(2, start: 0, length: width).attention(
                key: parts.narrowed(2, start: width, length: width), value: parts.narrowed(2, start: 2 * width, length: width),
                heads: heads, causal: causal)
            let attended = try out(mixed, adding: x)
            let expected = try contract(expand(attended, after: behind, activation: .gelu), adding: attended)
            #expect(try found.floats() == expected.floats(), "\(batch) × \(tokens)")
            let plain = Linear(weight: try .zeros([width, width]), bias: nil, name: "float")
            try plain.prepareForInference(.float32)
            #expect(
                try x.int8Block(
                    norms: (before, behind), inProjection: whole, outProjection: plain, expand: expand, contract: contract,
                    heads: heads, causal: causal, activation: .gelu) == nil)
            #expect(throws: TorchError.self) {
                try x.int8Block(
                    norms: (before, behind), inProjection: whole, outProjection: out, expand: contract, contract: expand,
                    heads: heads, causal: causal, activation: .gelu)
            }
            #expect(throws: TorchError.self) {
                try x.int8Block(
                    norms: (before, behind), inProjection: whole, outProjection: out, expand: expand, contract: contract,
                    heads: 5,
                    causal: causal, activation: .gelu)
            }
        }
    }

    @Test("a bottleneck in one call is its convolutions one after the other, pooled, strided or neither", arguments: [1, 2])
    func bottleneck(threads: Int) throws {
        let usual = TorchRuntime.threads
        defer { try? TorchRuntime.setThreads(usual) }
        try TorchRuntime.setThreads(threads)
        for (batch, height, width, planes, outputs, stride, pooling, hasShortcut) in [
            (1, 14, 14, 40, 160, 1, 1, false), (3, 9, 6, 36, 160, 1, 1, true), (1, 14, 10, 40, 130, 1, 2, true),
            (5, 8, 8, 64, 256, 1, 2, true), (2, 15, 11, 40, 72, 2, 1, true), (1, 56, 56, 64, 160, 1, 1, false),
        ] {
            try TorchRuntime.seed(UInt64(height))
            let inputs = 160
            func layer(_ outputs: Int, _ inputs: Int, _ size: Int, stride: Int = 1) throws -> ConvolutionNorm {
                let scope = ParameterStore(
                    weights: [
                        "c.weight": try .randomNormal([outputs, inputs, size, size])
                            * (1 / Double(inputs * size * size).squareRoot()),
                        "n.weight": try .randomNormal([outputs]), "n.bias": try .randomNormal([outputs]),
                        "n.running_mean": try .zeros([outputs]), "n.running_var": try .full(1, shape: [outputs]),
                    ], source: "test"
                ).root
                let layer = try ConvolutionNorm(
                    convolution: scope["c"], norm: scope["n"], in: inputs, out: outputs, size: size, stride: stride,
                    padding: .fixed(size / 2))
                try layer.prepareForInference(.int8())
                return layer
            }
            let (reduce, spatial) = (try layer(planes, inputs, 1), try layer(planes, planes, 3, stride: stride))
            let restore = try layer(outputs, planes, 1)
            let shortcut = hasShortcut ? try layer(outputs, inputs, 1, stride: stride) : nil
            let x = try Tensor.randomNormal([batch, inputs, height, width])
            let found = try #require(
                try x.int8Bottleneck(
                    reduce: reduce, spatial: spatial, restore: restore, shortcut: shortcut, stride: stride, pooling: pooling))
            var y = try spatial(reduce(x, .evaluate, activation: .relu), .evaluate, activation: .relu)
            var identity = x
            if pooling > 1 { (y, identity) = (try y.averagePooled(pooling), try identity.averagePooled(pooling)) }
            if let shortcut { identity = try shortcut(identity, .evaluate) }
            let expected = try restore(y, .evaluate, activation: .relu, adding: identity)
            #expect(found.shape == expected.shape)
            // The mean of four is added up in another order, which may turn a rounding. A strided shortcut alone is rounded by the picture.
            #expect(
                try Self.distance(found, expected) < (stride > 1 ? 0.02 : pooling > 1 ? 1e-3 : 1e-7),
                "\(batch) × \(height) × \(width), \(stride), \(pooling)")
            let plain = try layer(8, inputs, 1)
            #expect(throws: TorchError.self) {
                try x.int8Bottleneck(
                    reduce: reduce, spatial: spatial, restore: restore, shortcut: shortcut, stride: 2, pooling: 2)
            }
            #expect(throws: TorchError.self) {
                try x.int8Bottleneck(
                    reduce: plain, spatial: spatial, restore: restore, shortcut: shortcut, stride: stride, pooling: pooling)
            }
        }
    }

    @Test("what does not fit is refused in words")
    func refusals() throws {
        let weights = try Int8Weights(rounding: .randomNormal([8, 6]))
        let kernel = try Int8Weights(rounding: .randomNormal([8, 6, 3, 3]))
        let zeros = (before: 0, behind: 0)
        #expect(throws: TorchError.self) { try weights.linear(.zeros([2, 5]), nil) }
        #expect(throws: TorchError.self) { try weights.linear(.zeros([2, 6]), .zeros([7])) }
        #expect(throws: TorchError.self) { try weights.linear(.zeros([2, 6]), nil, adding: .zeros([2, 7])) }
        #expect(throws: TorchError.self) {
            try weights.conv2d(.zeros([1, 6, 4, 4]), nil, stride: 1, height: zeros, width: zeros)
        }
        #expect(throws: TorchError.self) { try kernel.linear(.zeros([2, 6]), nil) }
        #expect(throws: TorchError.self) { try kernel.conv2d(.zeros([1, 6, 2, 4]), nil, stride: 1, height: zeros, width: zeros) }
        #expect(throws: TorchError.self) { try kernel.conv2d(.zeros([1, 5, 4, 4]), nil, stride: 1, height: zeros, width: zeros) }
        #expect(throws: TorchError.self) { try Int8Weights(rounding: .zeros([2, 3, 4])) }
        #expect(throws: TorchError.self) { try Int8Weights(rounding: .zeros([4, 0])) }
        #expect(throws: TorchError.self) { try Int8Weights(rounding: .zeros([0, 4])) }
        let (integers, scales) = try Tensor.randomNormal([4, 4]).roundedToInt8()
        #expect(throws: TorchError.self) { try Int8Weights(integers: integers, scales: .zeros([3])) }
        #expect(throws: TorchError.self) { try Int8Weights(integers: .full(64, shape: [4, 4]).to(.int8), scales: scales) }
        #expect(throws: TorchError.self) { try Int8Weights(integers: .zeros([4, 4]), scales: scales) }
        #expect(throws: TorchError.self) {
            try Tensor.zeros([1, 2, 8]).attention(key: .zeros([1, 2, 8]), value: .zeros([1, 3, 8]), heads: 2)
        }
        #expect(throws: TorchError.self) {
            try Tensor.zeros([1, 2, 8]).attention(key: .zeros([1, 2, 8]), value: .zeros([1, 2, 8]), heads: 3)
        }
    }
}
