import CInt8
import Foundation

extension CILevel {
    /// Those that this processor has. What it has not is named by the suite's first test.
    static let all = [CI_LEVEL_PLAIN, CI_LEVEL_AVX2, CI_LEVEL_AVX_VNNI, CI_LEVEL_AVX512_VNNI]
    static var available: [CILevel] { all.filter(ci_has_level) }
}

/// Normally distributed numbers that a seed decides (SplitMix64, Box and Muller).
struct Normals {
    private var state: UInt64

    init(seed: Int) { state = UInt64(truncatingIfNeeded: seed) &* 0x9E37_79B9_7F4A_7C15 &+ 1 }

    private mutating func uniform() -> Double {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return Double((z ^ (z >> 31)) >> 11) / Double(1 << 53)
    }

    mutating func next(_ count: Int) -> [Float] {
        (0..<count).map { _ in
            Float((-2 * log(1 - uniform())).squareRoot() * cos(2 * .pi * uniform()))
        }
    }
}

/// Weights rounded by the library, and what they stand for.
struct Rounded {
    let integers: [Int8]
    let scales: [Float]
    let outputs: Int, taps: Int, inputs: Int

    init(_ weights: [Float], outputs: Int, taps: Int = 1, inputs: Int) {
        var integers = [Int8](repeating: 0, count: weights.count)
        var scales = [Float](repeating: 0, count: outputs)
        ci_round_weights(weights, outputs, taps * inputs, &integers, &scales)
        (self.integers, self.scales) = (integers, scales)
        (self.outputs, self.taps, self.inputs) = (outputs, taps, inputs)
    }

    func packed<Result>(_ body: (OpaquePointer) throws -> Result) rethrows -> Result {
        let weights = ci_weights_pack(integers, scales, outputs, taps, inputs)!
        defer { ci_weights_free(weights) }
        return try body(weights)
    }
}

/// Activations rounded as the header says, one by one: to the nearest, ties to even.
struct RoundedValues {
    let bytes: [Int]
    let scale: Float
    let zero: Int

    init(_ values: some Collection<Float>) {
        let (least, most) = (min(values.min() ?? 0, 0), max(values.max() ?? 0, 0))
        let width = (most - least) / 255
        scale = width >= 1e-30 ? width : 0
        zero = scale > 0 ? Int((-least / scale).rounded(.toNearestOrEven)) : 0
        let (factor, offset) = (scale > 0 ? 1 / scale : 0, Float(zero))
        bytes = values.map { Int(min(max(($0 * factor).rounded(.toNearestOrEven) + offset, 0), 255)) }
    }
}

/// What `activation` makes of a number, in double precision.
func activated(_ x: Double, _ activation: CIActivation) -> Double {
    switch activation {
    case CI_ACTIVATION_RELU: max(x, 0)
    case CI_ACTIVATION_RELU6: min(max(x, 0), 6)
    case CI_ACTIVATION_SWISH: x / (1 + exp(-x))
    case CI_ACTIVATION_GELU: x * 0.5 * (1 + erf(x / 2.0.squareRoot()))
    case CI_ACTIVATION_GELU_TANH: 0.5 * x * (1 + tanh(0.7978845608028654 * (x + 0.044715 * x * x * x)))
    default: x
    }
}
