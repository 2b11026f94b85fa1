import Testing
import Torch

@Suite("Convolutions", .serialized)
struct ConvolutionTests {
    /// A convolution by its definition, with zeros outside of the picture. `x` `[n, c, side, side]`, `kernel` `[out, c / groups, size, size]`;
    /// as many results as `places`, of which the first begins `before` places outside.
    private static func slow(
        _ x: Tensor, _ kernel: Tensor, stride: Int, before: Int, places: Int, groups: Int
    ) throws -> [Float] {
        let (values, weights) = (try x.floats(), try kernel.floats())
        let (count, channels, side) = (x.size(0), x.size(1), x.size(2))
        let (outputs, inputs, size) = (kernel.size(0), kernel.size(1), kernel.size(2))
        var result: [Float] = []
        for picture in 0..<count {
            for output in 0..<outputs {
                let first = output / (outputs / groups) * inputs
                for y in 0..<places {
                    for x in 0..<places {
                        var sum: Float = 0
                        for input in 0..<inputs {
                            for row in 0..<size {
                                for column in 0..<size {
                                    let (py, px) = (y * stride - before + row, x * stride - before + column)
                                    guard (0..<side).contains(py), (0..<side).contains(px) else { continue }
                                    sum +=
                                        values[((picture * channels + first + input) * side + py) * side + px]
                                        * weights[((output * inputs + input) * size + row) * size + column]
                                }
                            }
                        }
                        result.append(sum)
                    }
                }
            }
        }
        return result
    }

    private static func store(_ kernel: Tensor, gain: [Float], variance: [Float]) throws -> ParameterStore {
        let channels = gain.count
        return try ParameterStore(
            weights: [
                "conv.weight": kernel, "bn.weight": Tensor(gain, shape: [channels]),
                "bn.bias": Tensor(gain.map { $0 - 1 }, shape: [channels]),
                "bn.running_mean": Tensor(gain.map { 0.1 * $0 }, shape: [channels]),
                "bn.running_var": Tensor(variance, shape: [channels]),
            ], source: "a test")
    }

    struct Case: Sendable, CustomTestStringConvertible {
        let side: Int, size: Int, stride: Int, groups: Int
        let padding: ConvolutionNorm.Padding
        /// Worked out by hand: zeros before the picture, and places of the result.
        let before: Int, places: Int

        var testDescription: String { "\(size)×\(size) on \(side), stride \(stride), \(groups) groups, \(padding)" }
    }

    @Test(
        "with its norm equals the definition, plain and packed, with TensorFlow's padding of even and odd sides and with groups",
        arguments: [
            Case(side: 8, size: 3, stride: 2, groups: 1, padding: .same, before: 0, places: 4),
            Case(side: 8, size: 5, stride: 2, groups: 4, padding: .same, before: 1, places: 4),
            Case(side: 9, size: 3, stride: 2, groups: 4, padding: .same, before: 1, places: 5),
            Case(side: 9, size: 5, stride: 2, groups: 2, padding: .same, before: 2, places: 5),
            Case(side: 7, size: 5, stride: 1, groups: 4, padding: .same, before: 2, places: 7),
            Case(side: 8, size: 3, stride: 2, groups: 4, padding: .fixed(1), before: 1, places: 4),
            Case(side: 8, size: 5, stride: 2, groups: 4, padding: .fixed(2), before: 2, places: 4),
        ])
    func definition(_ row: Case) throws {
        try TorchRuntime.seed(3)
        let kernel = try Tensor.randomNormal([4, 4 / row.groups, row.size, row.size])
        let (gain, variance): ([Float], [Float]) = ([2, 3, 4, 5], [0.002, 0.5, 1, 0.01])
        let eps = 1e-3
        for count in [1, 3] {
            let x = try Tensor.randomNormal([count, 4, row.side, row.side]).contiguous(channelsLast: true)
            let sums = try Self.slow(
                x.contiguous(), kernel, stride: row.stride, before: row.before, places: row.places, groups: row.groups)
            let area = row.places * row.places
            let normed = sums.enumerated().map { index, sum -> Float in
                let channel = index / area % 4
                let scale = gain[channel] / (variance[channel] + Float(eps)).squareRoot()
                return (sum - 0.1 * gain[channel]) * scale + gain[channel] - 1
            }
            let expected = normed.map { min(max($0, 0), 6) }
            #expect(expected.contains(6) && expected.contains(0), "neither end of ReLU6 is reached")
            let root = try Self.store(kernel, gain: gain, variance: variance).root
            let layer = try ConvolutionNorm(
                convolution: root["conv"], norm: root["bn"], in: 4, out: 4, size: row.size, stride: row.stride,
                padding: row.padding, groups: row.groups, eps: eps)
            // The first channel's norm multiplies a sum, and its rounding, by 36.
            func close(_ found: [Float], _ wanted: [Float]) -> Bool {
                found.count == wanted.count && zip(found, wanted).allSatisfy { abs($0 - $1) <= 4e-4 * max(1, abs($1)) }
            }
            try withoutGradients {
                let plain = try layer(x, .evaluate, activation: .relu6)
                let addend = try Tensor.randomNormal(plain.shape).contiguous(channelsLast: true)
                let sum = try zip(normed, addend.contiguous().floats()).map { $0 + $1 }
                #expect(close(try plain.contiguous().floats(), expected))
                #expect(close(try layer(x, .evaluate, adding: addend).contiguous().floats(), sum))
                try layer.prepareForInference(.float32)
                #expect(close(try layer(x, .evaluate, activation: .relu6).contiguous().floats(), expected))
                #expect(close(try layer(x, .evaluate, adding: addend).contiguous().floats(), sum))
            }
        }
    }

    @Test("with frozen statistics every gradient is that of a convolution with the norm behind it", arguments: [1, 4])
    func frozenGradients(groups: Int) throws {
        try TorchRuntime.seed(5)
        let kernel = try Tensor.randomNormal([4, 4 / groups, 3, 3])
        let input = try Tensor.randomNormal([3, 4, 7, 7]).contiguous(channelsLast: true)
        let direction = try Tensor.randomNormal([3, 4, 4, 4])
        /// Of the layer's tensors and of the input.
        func gradients(_ pass: (ParameterStore, Tensor) throws -> Tensor) throws -> [[Float]] {
            let store = try Self.store(kernel.clone(), gain: [2, 0.5, -1, 3], variance: [0.02, 0.5, 1, 4])
            let x = try input.clone()
            let y = try pass(store, x)
            try (y.sigmoid() * direction).sum().backward()
            let tensors = store.parameters.sorted { $0.name < $1.name }.map(\.tensor) + [x]
            return try tensors.map { try #require(try $0.gradient()).contiguous().floats() }
        }
        let folded = try gradients { store, x in
            let layer = try ConvolutionNorm(
                convolution: store.root["conv"], norm: store.root["bn"], in: 4, out: 4, size: 3, stride: 2, padding: .fixed(1),
                groups: groups)
            for (_, tensor) in store.parameters { try tensor.setRequiresGradient(true) }
            try x.setRequiresGradient(true)
            return try layer(x, .evaluate)
        }
        let apart = try gradients { store, x in
            _ = try ConvolutionNorm(
                convolution: store.root["conv"], norm: store.root["bn"], in: 4, out: 4, size: 3, stride: 2, padding: .fixed(1),
                groups: groups)
            let known = Dictionary(uniqueKeysWithValues: (store.parameters + store.buffers).map { ($0.name, $0.tensor) })
            for (_, tensor) in store.parameters { try tensor.setRequiresGradient(true) }
            try x.setRequiresGradient(true)
            func tensor(_ name: String) throws -> Tensor { try #require(known[name]) }
            return try x.conv2d(tensor("conv.weight"), stride: 2, padding: 1, groups: groups).batchNorm(
                weight: tensor("bn.weight"), bias: tensor("bn.bias"), mean: tensor("bn.running_mean"),
                variance: tensor("bn.running_var"), training: false, eps: 1e-5)
        }
        #expect(folded.count == 4)
        for (one, other) in zip(folded, apart) {
            let greatest = other.reduce(0) { max($0, abs($1)) }
            #expect(greatest > 0 && one.count == other.count)
            #expect(zip(one, other).allSatisfy { abs($0 - $1) <= 1e-5 * greatest })
        }
    }

    @Test("pictures that are no squares are padded by the same rule, packed or not")
    func oblong() throws {
        try TorchRuntime.seed(4)
        let kernel = try Tensor.randomNormal([4, 1, 3, 3])
        let root = try Self.store(kernel, gain: [1, 1, 1, 1], variance: [1, 1, 1, 1]).root
        let layer = try ConvolutionNorm(
            convolution: root["conv"], norm: root["bn"], in: 4, out: 4, size: 3, stride: 2, padding: .same, groups: 4)
        let x = try Tensor.randomNormal([1, 4, 8, 9]).contiguous(channelsLast: true)
        try withoutGradients {
            let plain = try layer(x, .evaluate)
            #expect(plain.shape == [1, 4, 4, 5])
            // Half of the zeros of the odd side stand before it, none of those of the even side.
            let byHand = try x.padded(width: (1, 1), height: (0, 1)).conv2d(kernel, stride: 2, groups: 4)
            let expected = try (byHand - 0.1) * (1 / (1 + 1e-5).squareRoot())
            #expect(TensorTests.close(try plain.floats(), try expected.floats(), 1e-5))
            try layer.prepareForInference(.float32)
            #expect(TensorTests.close(try layer(x, .evaluate).floats(), try expected.floats(), 1e-5))
        }
    }

    @Test("max pooling leaves out what lies outside, also where all values are negative")
    func pooling() throws {
        let x = try Tensor((0..<16).map { Float($0) - 20 }, shape: [1, 1, 4, 4])
        #expect(try x.maxPooled(3, stride: 2, padding: 1).floats() == [-15, -13, -7, -5])
    }

    @Test("zeros go where they are asked for")
    func zeros() throws {
        let x = try Tensor([1, 2, 3, 4] as [Float], shape: [1, 1, 2, 2])
        #expect(try x.padded(width: (1, 0), height: (0, 2)).floats() == [0, 1, 2, 0, 3, 4, 0, 0, 0, 0, 0, 0])
    }

    @Test("an addend and ReLU6 can't be fused, and say so")
    func unfused() throws {
        let kernel = try Tensor.ones([1, 1, 1, 1])
        let x = try Tensor.ones([1, 1, 2, 2])
        let packed = try kernel.packedForConv2d(stride: 1, padding: 0, inputShape: x.shape)
        #expect(throws: TorchError.self) {
            try withoutGradients { try x.packedConv2d(packed, nil, activation: .relu6, adding: x) }
        }
    }
}
