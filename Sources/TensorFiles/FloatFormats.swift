/// Conversions between `Float` and the two 16-bit formats, on bit patterns: `Float16` does not exist on Intel Macs.
enum FloatFormats {
    /// IEEE 754 binary16 to binary32, exact for every pattern; NaN payloads are kept.
    @inline(__always)
    static func float(half: UInt16) -> Float {
        let sign = UInt32(half & 0x8000) << 16
        let magnitude = UInt32(half & 0x7FFF) << 13
        // Shifted into place the exponent is too small by 127 - 15; a multiplication by 2^112 mends it, subnormals included.
        let bits = (Float(bitPattern: magnitude) * 0x1p112).bitPattern
        let special: UInt32 = half & 0x7C00 == 0x7C00 ? 0x7F80_0000 | magnitude : bits
        return Float(bitPattern: sign | special)
    }

    /// Nearest binary16, ties to even; beyond 65,519.99… infinity, as torch and numpy do; every NaN becomes a quiet one.
    @inline(__always)
    static func half(_ value: Float) -> UInt16 {
        let bits = value.bitPattern
        let sign = UInt16(truncatingIfNeeded: bits >> 16) & 0x8000
        let magnitude = bits & 0x7FFF_FFFF
        if magnitude >= 0x7F80_0000 { return sign | (magnitude > 0x7F80_0000 ? 0x7E00 : 0x7C00) }
        if magnitude >= 0x477F_F000 { return sign | 0x7C00 }
        if magnitude < 0x3880_0000 {
            // Below 2^-14: adding 0.5 puts one unit of the last place at 2^-24, the subnormals' spacing, and rounds to even.
            let rounded = (Float(bitPattern: magnitude) + 0.5).bitPattern - Float(0.5).bitPattern
            return sign | UInt16(truncatingIfNeeded: rounded)
        }
        let odd = magnitude >> 13 & 1
        return sign | UInt16(truncatingIfNeeded: (magnitude - 0x3800_0000 + 0xFFF + odd) >> 13)
    }

    /// bfloat16 is the upper half of a binary32.
    @inline(__always)
    static func float(brain: UInt16) -> Float {
        Float(bitPattern: UInt32(brain) << 16)
    }

    /// Nearest bfloat16, ties to even; every NaN becomes a quiet one.
    @inline(__always)
    static func brain(_ value: Float) -> UInt16 {
        let bits = value.bitPattern
        if value.isNaN { return UInt16(truncatingIfNeeded: bits >> 16) | 0x0040 }
        return UInt16(truncatingIfNeeded: (bits + 0x7FFF + (bits >> 16 & 1)) >> 16)
    }
}
