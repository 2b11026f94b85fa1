import CInt8
import Foundation
import Testing

@Suite("int8 convolutions and attention")
struct ConvolutionTests {
    @Test("a convolution is what its whole numbers give, at every border", arguments: CILevel.available)
    func convolution(level: CILevel) {
        for (kernel, stride, top, behind, inputs, outputs) in [
            (1, 1, 0, 0, 5, 17), (3, 1, 1, 1, 3, 16), (3, 2, 1, 1, 8, 33), (3, 2, 0, 1, 6, 5), (5, 1, 2, 2, 4, 20),
            (7, 2, 3, 3, 3, 8),
        ] {
            let (height, width) = (9, 12)
            var normals = Normals(seed: kernel * 100 + outputs)
            let values = normals.next(height * width * inputs).map { $0 + 0.3 }
            let weights = Rounded(
                normals.next(outputs * kernel * kernel * inputs), outputs: outputs, taps: kernel * kernel, inputs: inputs)
            let picture = RoundedValues(values)
            let (outHeight, outWidth) = (
                (height + top + behind - kernel) / stride + 1, (width + top + behind - kernel) / stride + 1
            )
            let (bias, addend) = (normals.next(outputs), normals.next(outHeight * outWidth * outputs))
            var expected: [Double] = []
            for y in 0..<outHeight {
                for x in 0..<outWidth {
                    for output in 0..<outputs {
                        var sum = 0
                        for tap in 0..<kernel * kernel {
                            let (py, px) = (y * stride + tap / kernel - top, x * stride + tap % kernel - top)
                            guard (0..<height).contains(py), (0..<width).contains(px) else { continue }
                            for input in 0..<inputs {
                                sum +=
                                    (picture.bytes[(py * width + px) * inputs + input] - picture.zero)
                                    * Int(weights.integers[(output * kernel * kernel + tap) * inputs + input])
                            }
                        }
                        let value = Double(sum) * Double(picture.scale) * Double(weights.scales[output]) + Double(bias[output])
                        expected.append(max(0, value + Double(addend[expected.count])))
                    }
                }
            }
            var bytes = [UInt8](repeating: 0, count: height * width * ci_row_bytes(inputs))
            ci_round(level, values, height * width, inputs, inputs, picture.scale, Int32(picture.zero), &bytes)
            var out = [Float](repeating: .nan, count: expected.count)
            let (places, panels) = (outHeight * outWidth, (outputs + 15) / 16)
            weights.packed { packed in
                bytes.withUnsafeBufferPointer { bytes in
                    bias.withUnsafeBufferPointer { bias in
                        addend.withUnsafeBufferPointer { addend in
                            for (first, end) in [(0, places / 3), (places / 3, places)] {
                                ci_convolution(
                                    level, packed,
                                    CIPicture(
                                        bytes: bytes.baseAddress, height: height, width: width, scale: picture.scale,
                                        zero: Int32(picture.zero)),
                                    CIWindow(
                                        kernel_height: kernel, kernel_width: kernel, stride: stride, top: top, left: top,
                                        out_width: outWidth),
                                    CISlice(first_row: first, end_row: end, first_panel: 0, end_panel: panels),
                                    CIFinish(
                                        bias: bias.baseAddress, addend: addend.baseAddress, addend_stride: outputs,
                                        activation: CI_ACTIVATION_RELU),
                                    &out)
                            }
                        }
                    }
                }
            }
            for (found, wanted) in zip(out, expected) {
                #expect(abs(Double(found) - wanted) <= 2e-5 * max(1, wanted), "kernel \(kernel), stride \(stride), zeros \(top)")
            }
        }
    }

    @Test("attention is the softmax of the scaled products, causal or not", arguments: CILevel.available)
    func attention(level: CILevel) {
        for (queries, keys, width, causal) in [
            (1, 1, 1, false), (1, 13, 64, true), (7, 7, 8, true), (5, 9, 20, true), (29, 29, 24, false), (50, 50, 64, true),
            (197, 197, 64, false),
        ] {
            var normals = Normals(seed: keys)
            let stride = 3 * width
            let values = normals.next(keys * stride)
            var out = [Float](repeating: .nan, count: queries * width)
            values.withUnsafeBufferPointer { all in
                let start = all.baseAddress!
                ci_attention(
                    level, CIRows(values: start, count: queries, stride: stride),
                    CIRows(values: start + width, count: keys, stride: stride),
                    CIRows(values: start + 2 * width, count: keys, stride: stride), width, causal, &out, width)
            }
            var worst = 0.0
            for query in 0..<queries {
                let seen = causal ? keys - (queries - 1 - query) : keys
                let scores = (0..<seen).map { key in
                    (0..<width).reduce(0.0) {
                        $0 + Double(values[query * stride + $1]) * Double(values[key * stride + width + $1])
                    }
                        / Double(width).squareRoot()
                }
                let greatest = scores.max()!
                let weights = scores.map { exp($0 - greatest) }
                let total = weights.reduce(0, +)
                for place in 0..<width {
                    let wanted = (0..<seen).reduce(0.0) {
                        $0 + weights[$1] / total * Double(values[$1 * stride + 2 * width + place])
                    }
                    worst = max(worst, abs(wanted - Double(out[query * width + place])))
                }
            }
            #expect(worst < 3e-6, "\(queries) × \(keys) × \(width)")
        }
    }

    @Test("parts run once each in every phase, as many as there are, and no phase begins before the one before it has ended")
    func parallel() {
        struct Counts {
            /// [phase][part]: each part writes to places of its own.
            let runs: UnsafeMutablePointer<Int>
            let parts: Int
            /// What part 0 saw of the others' earlier phases.
            var wasWhole = true
        }
        let runs = UnsafeMutablePointer<Int>.allocate(capacity: 27)
        defer { runs.deallocate() }
        for count in [0, 1, 2, 9, 3, 9] {
            for _ in 0..<20 {
                runs.initialize(repeating: 0, count: 27)
                var counts = Counts(runs: runs, parts: count)
                ci_parallel(
                    count, 3,
                    { context, phase, part in
                        let counts = context!.assumingMemoryBound(to: Counts.self)
                        let (runs, parts) = (counts.pointee.runs, counts.pointee.parts)
                        if part == 0, phase > 0, (0..<parts).contains(where: { runs[9 * (phase - 1) + $0] != 1 }) {
                            counts.pointee.wasWhole = false
                        }
                        runs[9 * phase + part] += 1
                    }, &counts)
                #expect((0..<27).allSatisfy { runs[$0] == ($0 % 9 < count ? 1 : 0) })
                #expect(counts.wasWhole)
            }
        }
    }
}
