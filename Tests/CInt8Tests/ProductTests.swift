import CInt8
import Foundation
import Testing

@Suite("int8 products")
struct ProductTests {
    static let activations = [
        CI_ACTIVATION_NONE, CI_ACTIVATION_RELU, CI_ACTIVATION_RELU6, CI_ACTIVATION_SWISH, CI_ACTIVATION_GELU,
        CI_ACTIVATION_GELU_TANH,
    ]

    @Test("the best level is one that the processor has; those that were not run are listed")
    func levels() {
        #expect(CILevel.available.contains(ci_best_level()))
        let missing = CILevel.all.filter { !ci_has_level($0) }.map { String(cString: ci_level_name($0)) }
        if !missing.isEmpty { print("int8 kernels that this processor can't run: \(missing.joined(separator: ", "))") }
    }

    @Test("weights are rounded by a scale of their own row, whose greatest becomes 63, and rounding them again changes nothing")
    func weights() {
        var normals = Normals(seed: 1)
        var weights = normals.next(5 * 33)
        for place in 0..<33 { weights[2 * 33 + place] = 0 }
        let rounded = Rounded(weights, outputs: 5, inputs: 33)
        for row in 0..<5 {
            let own = row * 33..<(row + 1) * 33
            #expect(rounded.integers[own].map { abs(Int($0)) }.max() == (row == 2 ? 0 : 63))
            for place in own {
                // A few go the other way, to balance their row.
                #expect(abs(Float(rounded.integers[place]) * rounded.scales[row] - weights[place]) <= rounded.scales[row])
            }
        }
        for row in 0..<5 where row != 2 {
            let sum = (row * 33..<(row + 1) * 33).reduce(0) {
                $0 + Double(rounded.integers[$1]) - Double(weights[$1]) / Double(rounded.scales[row])
            }
            #expect(abs(sum) < 0.501)
        }
        let back = rounded.integers.enumerated().map { Float($0.element) * rounded.scales[$0.offset / 33] }
        let again = Rounded(back, outputs: 5, inputs: 33)
        #expect(again.integers == rounded.integers)
        // A factor on a row, as a batch norm is one, changes its scale alone; a negative one its signs.
        let turned = Rounded(back.map { $0 * -1.702 }, outputs: 5, inputs: 33)
        #expect(turned.integers == rounded.integers.map { -$0 })
    }

    @Test("a range covers zero and its ends, and one of zeros alone has no scale")
    func ranges() {
        for (least, most) in [(-1.5, 3.0), (0.5, 2), (-4, -1), (0, 0), (-1e-32, 1e-32), (3e38, 3e38)] as [(Float, Float)] {
            var (scale, zero): (Float, Int32) = (-1, -1)
            ci_range(least, most, &scale, &zero)
            #expect((0...255).contains(zero))
            if max(abs(least), abs(most)) < 1e-30 {
                #expect(scale == 0)
            } else {
                #expect(abs(Float(255 - zero) * scale - max(most, 0)) <= scale * 0.51)
                #expect(abs(Float(-zero) * scale - min(least, 0)) <= scale * 0.51)
            }
        }
    }

    @Test("extents and rounded rows are those of the numbers one by one", arguments: CILevel.available)
    func rounding(level: CILevel) {
        for count in [1, 2, 3, 4, 5, 15, 16, 17, 31, 64, 100, 768] {
            var normals = Normals(seed: count)
            let values = normals.next(3 * count)
            var (least, most): (Float, Float) = (0, 0)
            ci_extent(level, values, values.count, &least, &most)
            #expect(least == values.min()! && most == values.max()!)
            let expected = RoundedValues(values)
            let width = ci_row_bytes(count)
            var bytes = [UInt8](repeating: 7, count: 3 * width)
            ci_round(level, values, 3, count, count, expected.scale, Int32(expected.zero), &bytes)
            for row in 0..<3 {
                let own = Array(bytes[row * width..<(row + 1) * width])
                #expect(own.prefix(count).map(Int.init) == Array(expected.bytes[row * count..<(row + 1) * count]))
                #expect(own.dropFirst(count).allSatisfy { $0 == 0 })
            }
        }
    }

    @Test("a linear layer is what its whole numbers give, whatever its sizes, slices and finish", arguments: CILevel.available)
    func linear(level: CILevel) {
        for (rows, inputs, outputs) in [
            (1, 1, 1), (1, 5, 17), (2, 16, 16), (7, 33, 47), (13, 64, 96), (97, 20, 33), (5, 3072, 18),
        ] {
            var normals = Normals(seed: rows * 1000 + inputs)
            let stride = inputs + 3
            let values = normals.next(rows * stride)
            let weights = Rounded(normals.next(outputs * inputs), outputs: outputs, inputs: inputs)
            let (bias, addend) = (normals.next(outputs), normals.next(rows * outputs))
            for (place, activation) in Self.activations.enumerated() {
                let (hasBias, hasAddend) = (place % 2 == 0, place % 3 != 0)
                var expected = [Double](repeating: 0, count: rows * outputs)
                for row in 0..<rows {
                    let own = RoundedValues(values[row * stride..<row * stride + inputs])
                    for output in 0..<outputs {
                        let sum = (0..<inputs).reduce(0) {
                            $0 + (own.bytes[$1] - own.zero) * Int(weights.integers[output * inputs + $1])
                        }
                        var value = Double(sum) * Double(own.scale) * Double(weights.scales[output])
                        if hasBias { value += Double(bias[output]) }
                        if hasAddend { value += Double(addend[row * outputs + output]) }
                        expected[row * outputs + output] = activated(value, activation)
                    }
                }
                var out = [Float](repeating: .nan, count: rows * outputs)
                weights.packed { packed in
                    bias.withUnsafeBufferPointer { bias in
                        addend.withUnsafeBufferPointer { addend in
                            let finish = CIFinish(
                                bias: hasBias ? bias.baseAddress : nil, addend: hasAddend ? addend.baseAddress : nil,
                                addend_stride: outputs, activation: activation)
                            // In four slices, which meet within a tile and within a pair of panels.
                            let panels = (outputs + Int(CI_PANEL) - 1) / Int(CI_PANEL)
                            for (first, end) in [(0, rows / 2), (rows / 2, rows)] {
                                for (from, to) in [(0, panels / 2), (panels / 2, panels)] {
                                    ci_linear(
                                        level, packed, values, stride, nil,
                                        CISlice(first_row: first, end_row: end, first_panel: from, end_panel: to), finish, &out,
                                        outputs)
                                }
                            }
                        }
                    }
                }
                for (found, wanted) in zip(out, expected) {
                    #expect(
                        abs(Double(found) - wanted) <= 2e-6 * max(1, abs(wanted)) + 1e-5 * abs(wanted),
                        "\(rows)×\(inputs)×\(outputs)")
                }
            }
        }
    }

    @Test("sums of the greatest numbers that there are do not overflow", arguments: CILevel.available)
    func extremes(level: CILevel) {
        let inputs = 4096
        let weights = Rounded(
            [Float](repeating: 1, count: inputs) + [Float](repeating: -1, count: inputs), outputs: 2, inputs: inputs)
        let values = [Float](repeating: 2, count: inputs)
        var out: [Float] = [0, 0]
        weights.packed {
            ci_linear(
                level, $0, values, inputs, nil, CISlice(first_row: 0, end_row: 1, first_panel: 0, end_panel: 1),
                CIFinish(bias: nil, addend: nil, addend_stride: 0, activation: CI_ACTIVATION_NONE), &out, 2)
        }
        #expect(abs(out[0] - 8192) < 0.01 && abs(out[1] + 8192) < 0.01)
    }

    @Test("a row of zeros, and weights of zeros, give the bias", arguments: CILevel.available)
    func zeros(level: CILevel) {
        let weights = Rounded([1, 2, 3, 0, 0, 0], outputs: 2, inputs: 3)
        let bias: [Float] = [5, 6]
        var out = [Float](repeating: .nan, count: 4)
        weights.packed { packed in
            bias.withUnsafeBufferPointer { bias in
                ci_linear(
                    level, packed, [0, 0, 0, 1, 1, 1], 3, nil, CISlice(first_row: 0, end_row: 2, first_panel: 0, end_panel: 1),
                    CIFinish(bias: bias.baseAddress, addend: nil, addend_stride: 0, activation: CI_ACTIVATION_NONE), &out, 2)
            }
        }
        #expect(out[0] == 5 && out[1] == 6 && abs(out[2] - 11) < 0.05 && out[3] == 6)
    }

    @Test("behind a layer norm a row is rounded as the normalised numbers are", arguments: CILevel.available)
    func norm(level: CILevel) {
        for (inputs, shift) in [(5, 0), (16, 0), (40, 0), (768, 100)] as [(Int, Float)] {
            var normals = Normals(seed: inputs)
            let values = normals.next(3 * inputs).map { $0 + shift }
            let (gain, bias) = (normals.next(inputs), normals.next(inputs))
            let weights = Rounded(normals.next(20 * inputs), outputs: 20, inputs: inputs)
            var normed: [Float] = []
            for row in 0..<3 {
                let own = values[row * inputs..<(row + 1) * inputs].map(Double.init)
                let mean = own.reduce(0, +) / Double(inputs)
                let variance = own.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(inputs)
                normed += own.enumerated().map {
                    Float(
                        ($0.element - mean) / (variance + 1e-5).squareRoot() * Double(gain[$0.offset]) + Double(bias[$0.offset]))
                }
            }
            let slice = CISlice(first_row: 0, end_row: 3, first_panel: 0, end_panel: 2)
            let finish = CIFinish(bias: nil, addend: nil, addend_stride: 0, activation: CI_ACTIVATION_NONE)
            var (out, expected) = ([Float](repeating: 0, count: 60), [Float](repeating: 0, count: 60))
            weights.packed { packed in
                ci_linear(level, packed, normed, inputs, nil, slice, finish, &expected, 20)
                gain.withUnsafeBufferPointer { gain in
                    bias.withUnsafeBufferPointer { bias in
                        var norm = CINorm(weight: gain.baseAddress, bias: bias.baseAddress, eps: 1e-5)
                        ci_linear(level, packed, values, inputs, &norm, slice, finish, &out, 20)
                    }
                }
            }
            // A number that lies between two bytes may go to the other one.
            let size = (expected.reduce(0) { $0 + $1 * $1 } / 60).squareRoot()
            for (found, wanted) in zip(out, expected) { #expect(abs(found - wanted) < 0.01 * size, "\(inputs)") }
        }
    }
}
