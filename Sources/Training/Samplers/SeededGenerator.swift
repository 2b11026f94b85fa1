/// Random numbers that depend on a seed and a place alone (SplitMix64, Steele et al. 2014), so that any step can be drawn again.
public struct SeededGenerator: RandomNumberGenerator, Sendable {
    private var state: UInt64

    /// - Parameter place: what the numbers are for, such as step and view: other places, other numbers.
    public init(seed: UInt64, _ place: Int...) {
        state = seed
        for part in place { state = Self.mix(state &+ 0x9E37_79B9_7F4A_7C15) ^ UInt64(bitPattern: Int64(part)) }
    }

    public mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        return Self.mix(state)
    }

    private static func mix(_ value: UInt64) -> UInt64 {
        var z = value
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
