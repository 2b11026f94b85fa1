import CImaging

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// The filters of Pillow's `resize`, under the names of its `Resampling`.
public enum ResamplingFilter: String, Sendable, CaseIterable {
    /// The nearest pixel, no filter.
    case nearest
    /// A triangle of support 1.
    case bilinear
    /// Keys' cubic convolution with a = −0.5, support 2.
    case bicubic
    /// A sinc under a sinc window, support 3.
    case lanczos

    /// Half of the filter's width in pixels of the larger of the two pictures.
    var support: Double {
        switch self {
        case .nearest: 0.5
        case .bilinear: 1
        case .bicubic: 2
        case .lanczos: 3
        }
    }

    /// The filter's value at a distance of `x`. The order of the operations is part of it: it decides the last bit of a weight.
    func weight(_ x: Double) -> Double {
        switch self {
        case .nearest:
            return x > -0.5 && x <= 0.5 ? 1 : 0
        case .bilinear:
            let x = abs(x)
            return x < 1 ? 1 - x : 0
        case .bicubic:
            let a = -0.5
            let x = abs(x)
            if x < 1 { return ((a + 2) * x - (a + 3)) * x * x + 1 }
            if x < 2 { return (((x - 5) * x + 8) * x - 4) * a }
            return 0
        case .lanczos:
            return x >= -3 && x < 3 ? sinc(x) * sinc(x / 3) : 0
        }
    }

    private func sinc(_ x: Double) -> Double {
        if x == 0 { return 1 }
        let angle = x * Double.pi
        return sin(angle) / angle
    }
}

/// The weights of one axis, for some of the outputs of a resampling, in the fixed point of Pillow's 8-bit resampler: 22 bits after the point,
/// rounded half away from zero. The filter is stretched by the shrink factor, which is what makes it antialias.
struct ResamplingWeights {
    /// The inputs that any of the outputs needs; `first` counts from its lower bound.
    let inputs: Range<Int>
    /// How many outputs there are.
    let count: Int
    private let taps: Int
    private let first: [Int32]
    private let used: [Int32]
    private let low: [Int16]
    private let high: [Int16]

    /// - Parameters:
    ///   - side: pixels of the input along the axis.
    ///   - begin, end: the part of the input that is spread over the outputs. Single precision, as Pillow keeps its box.
    ///   - outputs: pixels of the whole output along the axis.
    ///   - window: which of them are wanted; not empty, within 0..<outputs.
    init(side: Int, begin: Float, end: Float, outputs: Int, window: Range<Int>, filter: ResamplingFilter) {
        let scale = Double(end - begin) / Double(outputs)
        let stretch = max(scale, 1)
        let support = filter.support * stretch
        let inverse = 1 / stretch
        // A multiple of four: the vector kernels take four at a time.
        let taps = (Int(support.rounded(.up)) * 2 + 1 + 3) / 4 * 4
        var first = [Int32](repeating: 0, count: window.count)
        var used = first
        var low = [Int16](repeating: 0, count: window.count * taps)
        var high = low
        var values = [Double](repeating: 0, count: taps)
        var inputs = side..<side
        for (index, output) in window.enumerated() {
            let center = Double(begin) + (Double(output) + 0.5) * scale
            let from = max(Int(center - support + 0.5), 0)
            let to = max(min(Int(center + support + 0.5), side), from)
            let size = to - from
            var sum = 0.0
            for tap in 0..<size {
                values[tap] = filter.weight((Double(tap + from) - center + 0.5) * inverse)
                sum += values[tap]
            }
            for tap in 0..<size {
                let value = sum == 0 ? values[tap] : values[tap] / sum
                let fixed = Int32(value * Double(1 << 22) + (value < 0 ? -0.5 : 0.5))
                low[index * taps + tap] = Int16(fixed & 0x7FFF)
                high[index * taps + tap] = Int16(fixed >> 15)
            }
            first[index] = Int32(from)
            used[index] = Int32(size)
            inputs = min(inputs.lowerBound, from)..<max(inputs.isEmpty ? to : inputs.upperBound, to)
        }
        for index in first.indices { first[index] -= Int32(inputs.lowerBound) }
        (self.inputs, self.count, self.taps, self.first, self.used, self.low, self.high) = (
            inputs, window.count, taps, first, used, low, high
        )
    }

    /// Lends the weights to the shim.
    func withWeights(_ body: (UnsafePointer<CIWeights>) -> Void) {
        first.withUnsafeBufferPointer { first in
            used.withUnsafeBufferPointer { used in
                low.withUnsafeBufferPointer { low in
                    high.withUnsafeBufferPointer { high in
                        withUnsafePointer(
                            to: CIWeights(
                                first: first.baseAddress, used: used.baseAddress, low: low.baseAddress, high: high.baseAddress,
                                count: count, taps: taps), body)
                    }
                }
            }
        }
    }
}
