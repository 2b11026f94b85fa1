import Testing

@testable import TensorFiles

// Swift has no Float16 on Intel Macs; where it exists it is the second derivation.
#if !(os(macOS) && arch(x86_64))
    @Suite("16-bit formats")
    struct FloatFormatsTests {
        @Test("every binary16 pattern becomes the Float that it is, and comes back")
        func everyHalf() {
            for pattern in UInt16.min...UInt16.max {
                let expected = Float(Float16(bitPattern: pattern))
                let found = FloatFormats.float(half: pattern)
                if expected.isNaN {
                    #expect(found.isNaN && Float16(bitPattern: FloatFormats.half(found)).isNaN)
                } else {
                    guard found.bitPattern == expected.bitPattern, FloatFormats.half(found) == pattern else {
                        Issue.record("\(pattern): \(found), expected \(expected)")
                        return
                    }
                }
            }
        }

        @Test("Floats are rounded to the nearest binary16, ties to even, around every boundary")
        func rounding() {
            for pattern in UInt16(0)...0x7C00 {
                // The points half-way to the next value, and their neighbours.
                let here = Float(Float16(bitPattern: pattern))
                let next = pattern < 0x7BFF ? Float(Float16(bitPattern: pattern + 1)) : here + 32
                let middle = here / 2 + next / 2
                for value in [here.nextDown, here.nextUp, middle.nextDown, middle, middle.nextUp, -middle] where !value.isNaN {
                    guard FloatFormats.half(value) == Float16(value).bitPattern else {
                        Issue.record("\(value): \(FloatFormats.half(value)), expected \(Float16(value).bitPattern)")
                        return
                    }
                }
            }
        }

        @Test("bfloat16 is rounded to nearest, ties to even")
        func brain() {
            #expect(FloatFormats.brain(1) == 0x3F80)
            #expect(FloatFormats.brain(Float(bitPattern: 0x3F80_8000)) == 0x3F80)
            #expect(FloatFormats.brain(Float(bitPattern: 0x3F80_8001)) == 0x3F81)
            #expect(FloatFormats.brain(Float(bitPattern: 0x3F81_8000)) == 0x3F82)
            #expect(FloatFormats.brain(.greatestFiniteMagnitude) == 0x7F80)
            #expect(FloatFormats.float(brain: FloatFormats.brain(.nan)).isNaN)
        }
    }
#endif
