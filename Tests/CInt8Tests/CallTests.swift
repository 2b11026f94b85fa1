import CInt8
import Testing

/// Several layers in one call, in sizes that no model has: under the address sanitizer (`make sanitize`) they show what reads or writes beyond its
/// memory. That a call gives what its layers give one after the other is tested with tensors.
@Suite("int8 layers in one call")
struct CallTests {
    private final class Weights {
        let handle: OpaquePointer

        init(_ normals: inout Normals, outputs: Int, taps: Int = 1, inputs: Int) {
            let spread = 1 / Float(taps * inputs).squareRoot()
            let rounded = Rounded(
                normals.next(outputs * taps * inputs).map { $0 * spread }, outputs: outputs, taps: taps, inputs: inputs)
            handle = ci_weights_pack(rounded.integers, rounded.scales, outputs, taps, inputs)!
        }

        deinit { ci_weights_free(handle) }
    }

    /// The greatest difference over the greatest number.
    private func distance(_ found: [Float], _ expected: [Float]) -> Float {
        zip(found, expected).map { abs($0 - $1) }.max()! / expected.map(abs).max()!
    }

    @Test("a block is the same on every level, whatever its sizes", arguments: CILevel.available)
    func block(level: CILevel) {
        for (width, heads) in [(12, 3), (48, 3), (70, 7)] {
            for (batch, tokens, parts) in [(1, 1, 1), (1, 5, 3), (3, 33, 2), (2, 197, 2)] {
                for (activation, causal) in [
                    (CI_ACTIVATION_SWISH, false), (CI_ACTIVATION_GELU, true), (CI_ACTIVATION_NONE, true),
                ] {
                    var normals = Normals(seed: width + tokens)
                    let hidden = 2 * width + 3
                    let (whole, out) = (
                        Weights(&normals, outputs: 3 * width, inputs: width), Weights(&normals, outputs: width, inputs: width)
                    )
                    let (expand, contract) = (
                        Weights(&normals, outputs: hidden, inputs: width), Weights(&normals, outputs: width, inputs: hidden)
                    )
                    let (gain, x) = (normals.next(width), normals.next(batch * tokens * width))
                    func result(_ level: CILevel, _ parts: Int) -> [Float] {
                        gain.withUnsafeBufferPointer { gain in
                            let norm = CINorm(weight: gain.baseAddress, bias: gain.baseAddress, eps: 1e-5)
                            var block = CIBlock()
                            (block.norm_before_attention, block.norm_before_perceptron) = (norm, norm)
                            (block.in_projection, block.out_projection) = (whole.handle, out.handle)
                            (block.expand, block.contract) = (expand.handle, contract.handle)
                            (block.heads, block.causal, block.activation) = (heads, causal, activation)
                            var between = [Float](repeating: .nan, count: ci_block_numbers(&block, batch, tokens, parts))
                            var found = [Float](repeating: .nan, count: x.count)
                            ci_block(level, &block, x, batch, tokens, &between, &found, parts)
                            return found
                        }
                    }
                    let found = result(level, parts)
                    #expect(found == result(level, 1), "\(width), \(batch) × \(tokens): the parts")
                    // A number on the edge may be rounded to the other side.
                    #expect(distance(found, result(CI_LEVEL_PLAIN, 1)) < 0.02, "\(width), \(batch) × \(tokens)")
                }
            }
        }
    }

    @Test("a bottleneck is the same on every level, whatever its sizes", arguments: CILevel.available)
    func bottleneck(level: CILevel) {
        for (inputs, planes) in [(5, 3), (40, 33), (64, 64)] {
            for (batch, height, width) in [(1, 2, 3), (1, 7, 8), (4, 14, 3), (1, 40, 30)] {
                for (stride, pooling, hasShortcut) in [(1, 1, false), (1, 1, true), (2, 1, true), (1, 2, true)] {
                    for parts in 1...3 {
                        var normals = Normals(seed: inputs + height)
                        let outputs = hasShortcut ? 2 * planes + 1 : inputs
                        let reduce = Weights(&normals, outputs: planes, inputs: inputs)
                        let spatial = Weights(&normals, outputs: planes, taps: 9, inputs: planes)
                        let restore = Weights(&normals, outputs: outputs, inputs: planes)
                        let shortcut = hasShortcut ? Weights(&normals, outputs: outputs, inputs: inputs) : nil
                        let x = normals.next(batch * height * width * inputs)
                        func side(_ whole: Int) -> Int { ((whole - 1) / stride + 1) / pooling }
                        func result(_ level: CILevel, _ parts: Int) -> [Float] {
                            var block = CIBottleneck()
                            (block.reduce, block.spatial, block.restore) = (reduce.handle, spatial.handle, restore.handle)
                            block.shortcut = shortcut?.handle
                            (block.stride, block.pooling) = (stride, pooling)
                            var found = [Float](repeating: .nan, count: batch * side(height) * side(width) * outputs)
                            let between = UnsafeMutableRawPointer.allocate(
                                byteCount: ci_bottleneck_bytes(&block, batch, height, width, parts), alignment: 64)
                            defer { between.deallocate() }
                            ci_bottleneck(level, &block, x, batch, height, width, between, &found, parts)
                            return found
                        }
                        let found = result(level, parts)
                        #expect(found == result(level, 1), "\(inputs), \(batch) × \(height) × \(width): the parts")
                        #expect(distance(found, result(CI_LEVEL_PLAIN, 1)) < 0.02, "\(inputs), \(batch) × \(height) × \(width)")
                    }
                }
            }
        }
    }
}
