import Foundation
import TensorFiles
import Testing
import Torch

@Suite("Tensor")
struct TensorTests {
    static func close(_ found: [Float], _ expected: [Float], _ tolerance: Float = 1e-5) -> Bool {
        found.count == expected.count && zip(found, expected).allSatisfy { abs($0 - $1) <= tolerance }
    }

    @Test("arrays go in and come out in every element type")
    func roundTrip() throws {
        let values: [Float] = [0, 1, 2, 3, 4, 5]
        let tensor = try Tensor(values, shape: [2, 3])
        #expect(tensor.shape == [2, 3])
        for type in ElementType.allCases where type != .bool {
            #expect(try tensor.to(type).floats() == values, "\(type)")
        }
        #expect(try Tensor([true, false], shape: [2]).integers() == [1, 0])
    }

    @Test("a count that is not the shape's throws a sentence")
    func wrongCount() {
        #expect(throws: TorchError.value("the shape needs 16 bytes, found 12")) {
            try Tensor([1, 2, 3] as [Float], shape: [2, 2])
        }
    }

    @Test("shapes that do not fit throw; nothing aborts")
    func mismatch() throws {
        let a = try Tensor.zeros([2, 3])
        #expect(throws: TorchError.self) { try a.matmul(a) }
        #expect(throws: TorchError.self) { try a + Tensor.zeros([4]) }
        #expect(throws: TorchError.self) { try a.reshaped([5]) }
        #expect(throws: TorchError.self) { try a.selected(0, 2) }
    }

    @Test("QuickGELU, GELU, softmax and layer norm equal hand-computed values")
    func functions() throws {
        let x = try Tensor([-1, 0, 2] as [Float], shape: [1, 3])
        func sigmoid(_ v: Double) -> Double { 1 / (1 + Foundation.exp(-v)) }
        let quick = [-1.0, 0, 2].map { Float($0 * sigmoid(1.702 * $0)) }
        let exact = [-1.0, 0, 2].map { Float($0 * 0.5 * (1 + erf($0 / 2.0.squareRoot()))) }
        #expect(Self.close(try x.quickGELU().floats(), quick))
        #expect(Self.close(try x.gelu().floats(), exact))
        let powers = [-1.0, 0, 2].map { Foundation.exp($0) }
        #expect(Self.close(try x.softmax().floats(), powers.map { Float($0 / powers.reduce(0, +)) }))
        let mean = 1.0 / 3, variance = (1 + 0 + 4) / 3.0 - mean * mean
        let normed = [-1.0, 0, 2].map { Float(($0 - mean) / (variance + 1e-5).squareRoot()) }
        #expect(Self.close(try x.layerNorm(weight: .ones([3]), bias: .zeros([3]), eps: 1e-5).floats(), normed))
    }

    @Test("packed linear layers and convolutions equal the plain ones, fused or not")
    func packed() throws {
        try TorchRuntime.seed(1)
        let x = try Tensor.randomNormal([2, 5, 24])
        let weight = try Tensor.randomNormal([32, 24]), bias = try Tensor.randomNormal([32])
        let plain = try x.linear(weight, bias)
        let pack = try weight.packedForLinear()
        #expect(Self.close(try x.packedLinear(pack, bias).floats(), try plain.floats(), 1e-4))
        #expect(Self.close(try x.packedLinear(pack, bias, activation: .gelu).floats(), try plain.gelu().floats(), 1e-4))
        #expect(
            Self.close(try x.packedLinear(pack, bias, activation: .swish).floats(), try (plain * plain.sigmoid()).floats(), 1e-4))
        #expect(Self.close(try x.packedLinear(pack, bias, adding: plain).floats(), try (plain + plain).floats(), 1e-4))

        let picture = try Tensor.randomNormal([2, 8, 10, 10]).contiguous(channelsLast: true)
        let kernel = try Tensor.randomNormal([16, 8, 3, 3])
        let convolved = try picture.conv2d(kernel, stride: 2, padding: 1)
        let packed = try kernel.packedForConv2d(stride: 2, padding: 1, inputShape: picture.shape)
        let offset = try Tensor.randomNormal([16])
        let sum = try convolved + offset.reshaped([1, 16, 1, 1])
        #expect(
            Self.close(
                try picture.packedConv2d(packed, offset, stride: 2, padding: 1, activation: .relu).floats(),
                try sum.relu().floats(),
                1e-4))
        #expect(
            Self.close(
                try picture.packedConv2d(
                    packed, offset, stride: 2, padding: 1, activation: .relu, adding: sum.contiguous(channelsLast: true)
                )
                .floats(), try (sum + sum).relu().floats(), 1e-4))
    }

    @Test("gradients of x² and of a matrix product are right, add up, and can be cleared")
    func gradients() throws {
        let x = try Tensor([1, -2, 3] as [Float], shape: [3])
        try x.setRequiresGradient(true)
        try (x * x).sum().backward()
        #expect(try x.gradient()?.floats() == [2, -4, 6])
        try (x * x).sum().backward()
        #expect(try x.gradient()?.floats() == [4, -8, 12])
        try x.clearGradient()
        #expect(try x.gradient() == nil)
        #expect(throws: TorchError.self) { try x.backward() }
    }

    @Test("no gradient is recorded inside the scope, and the mode comes back after an error")
    func scope() throws {
        let x = try Tensor.ones([2])
        try x.setRequiresGradient(true)
        #expect(try withoutGradients { try (x * 2).requiresGradient } == false)
        #expect(throws: TorchError.self) { try withoutGradients { _ = try x.reshaped([7]) } }
        #expect(try (x * 2).requiresGradient)
    }

    @Test("a seed makes the same numbers again")
    func seeds() throws {
        try TorchRuntime.seed(7)
        let first = try Tensor.randomNormal([5]).floats()
        try TorchRuntime.seed(7)
        #expect(try Tensor.randomNormal([5]).floats() == first)
    }

    @Test("a mapped tensor outlives the file object and equals what was written")
    func mapped() throws {
        let path = NSTemporaryDirectory() + "mapped-\(UUID().uuidString).safetensors"
        defer { try? FileManager.default.removeItem(atPath: path) }
        try SafetensorsWriter.write([1, 2, 3, 4], shape: [2, 2], named: "x", to: path)
        let tensor = try Tensor.mapped("x", of: SafetensorsFile(path: path))
        #expect(try tensor.floats() == [1, 2, 3, 4])
        #expect(throws: TorchError.self) { try Tensor.mapped("y", of: SafetensorsFile(path: path)) }
    }

    @Test("loading reports missing, unexpected and mis-shaped weights together")
    func strictLoading() throws {
        let store = ParameterStore(
            weights: ["a.weight": try .zeros([2, 3]), "b.bias": try .zeros([1])], source: "test.safetensors")
        _ = try Linear(store.root["a"], in: 4, out: 2)
        #expect {
            try store.finish()
        } throws: { error in
            guard case TorchError.weights(let faults)? = error as? TorchError else { return false }
            return faults.missing == ["a.bias"] && faults.unexpected == ["b.bias"] && faults.misshaped.count == 1
                && faults.description.contains("expected [2, 4]")
        }
    }

    /// m, v and the parameter by the formulas of the paper, in double precision.
    @Test("AdamW follows its formulas over ten steps, with decay and a rate factor")
    func adamW() throws {
        let parameter = try Tensor([0.5, -1.5] as [Float], shape: [2])
        try parameter.setRequiresGradient(true)
        let optimizer = try AdamW([.init(name: "p", parameter: parameter, decay: 0.1, rateFactor: 0.5)])
        var expected = [0.5, -1.5], m = [0.0, 0.0], v = [0.0, 0.0]
        for step in 1...10 {
            try optimizer.clearGradients()
            try (parameter * parameter * parameter).sum().backward()
            try optimizer.step(rate: 0.02)
            let rate = 0.01
            for i in 0..<2 {
                let g = 3 * expected[i] * expected[i]
                expected[i] *= 1 - rate * 0.1
                m[i] = 0.9 * m[i] + 0.1 * g
                v[i] = 0.999 * v[i] + 0.001 * g * g
                let mHat = m[i] / (1 - Foundation.pow(0.9, Double(step))), vHat = v[i] / (1 - Foundation.pow(0.999, Double(step)))
                expected[i] -= rate * mHat / (vHat.squareRoot() + 1e-8)
            }
        }
        #expect(Self.close(try parameter.floats(), expected.map { Float($0) }, 1e-5))
    }

    /// A GPU's convolution kernels lie so: the kernel runs over memory, whatever the order of the elements.
    @Test("AdamW steps a parameter with the channels innermost as it steps the same one in rows")
    func adamWMemoryOrder() throws {
        let values: [Float] = (0..<24).map { Float($0) / 7 - 1 }
        let parameters: [Tensor] = try [false, true].map { (channelsLast: Bool) throws -> Tensor in
            let parameter: Tensor = try Tensor(values, shape: [2, 3, 2, 2]).contiguous(channelsLast: channelsLast)
            try parameter.setRequiresGradient(true)
            return parameter
        }
        let optimizers = try parameters.map { try AdamW([.init(name: "p", parameter: $0, decay: 0.1)]) }
        for _ in 0..<3 {
            for (parameter, optimizer) in zip(parameters, optimizers) {
                try optimizer.clearGradients()
                try (parameter * parameter * parameter).sum().backward()
                try optimizer.step(rate: 0.02)
            }
        }
        #expect(try parameters[0].floats() == parameters[1].floats())
        #expect(try parameters[0].floats() != values)
        let states: [[[Float]]] = try optimizers.map { optimizer in try optimizer.state.map { try $0.tensor.floats() } }
        #expect(states[0] == states[1])
        #expect(states[0][0] == [3], "steps taken")
    }

    @Test("the length of no gradient is 0, and clipping nothing changes nothing")
    func noGradients() throws {
        let parameter = try Tensor([3] as [Float], shape: [1])
        try parameter.setRequiresGradient(true)
        let optimizer = try AdamW([.init(name: "a", parameter: parameter, decay: 0)])
        #expect(try optimizer.gradientNorm() == 0)
        #expect(try optimizer.clipGradients(to: 1) == 0)
        try optimizer.step(rate: 1)
        #expect(try parameter.floats() == [3])
    }

    @Test("a device that is not there is refused with the reason, and one that is is not", arguments: Device.allCases)
    func devices(_ device: Device) throws {
        if device.isAvailable {
            try device.require()
            try device.synchronize()
            #expect(try Tensor([1, 2] as [Float], shape: [2]).to(device).floats() == [1, 2])
        } else {
            let error = #expect(throws: TorchError.self) { try device.require() }
            let text = try #require(error).description
            #expect(text.hasPrefix("The device \(device.rawValue) is not available here: ") && text.hasSuffix("; use cpu."))
            #expect(text.count > "The device  is not available here: ; use cpu.".count + device.rawValue.count)
        }
    }

    @Test("clipping scales all gradients to the limit and returns the length before")
    func clipping() throws {
        let a = try Tensor([3] as [Float], shape: [1]), b = try Tensor([4] as [Float], shape: [1])
        try a.setRequiresGradient(true)
        try b.setRequiresGradient(true)
        let optimizer = try AdamW([.init(name: "a", parameter: a, decay: 0), .init(name: "b", parameter: b, decay: 0)])
        try ((a * a + b * b) * 0.5).sum().backward()
        #expect(abs(try optimizer.clipGradients(to: 1) - 5) < 1e-6)
        #expect(Self.close(try a.gradient()?.floats() ?? [], [0.6], 1e-5))
        #expect(abs(try optimizer.gradientNorm() - 1) < 1e-5)
    }
}
