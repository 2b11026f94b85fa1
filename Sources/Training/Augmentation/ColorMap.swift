import Foundation
import Imaging

/// An affine map of R, G, B on the scale 0…255.
struct ColorMap: Equatable {
    /// Row by row: three factors and an offset.
    let rows: [SIMD4<Float>]

    init(hue: Double, saturation: Double, contrast: Double, brightness: Double) {
        let luma = [0.299, 0.587, 0.114]
        // Rodrigues' rotation about the grey axis (1,1,1)/√3; then towards or away from the luma; then contrast around 127.5.
        let (c, s) = (cos(hue), sin(hue) / 3.0.squareRoot())
        let same = c + (1 - c) / 3, next = (1 - c) / 3 - s, last = (1 - c) / 3 + s
        let turn = [[same, next, last], [last, same, next], [next, last, same]]
        let scale = contrast * brightness
        rows = (0..<3).map { row in
            let mixed = (0..<3).map { column in
                (0..<3).reduce(0.0) { sum, k in
                    sum + (saturation * (row == k ? 1 : 0) + (1 - saturation) * luma[k]) * turn[k][column]
                }
            }
            let offset = 127.5 * (1 - contrast) * brightness
            return SIMD4(Float(mixed[0] * scale), Float(mixed[1] * scale), Float(mixed[2] * scale), Float(offset))
        }
    }
}

extension RGBImage {
    /// Every pixel under `map`, rounded to the nearest number, halves to the even one, and kept within 0…255.
    ///
    /// What each value of each channel adds to R, G and B is looked up: a pixel is three loads and two sums instead of nine products.
    func applying(_ map: ColorMap) throws(ImageError) -> RGBImage {
        let (red, green, blue) = (map.rows[0], map.rows[1], map.rows[2])
        let table = [SIMD4<Float>](unsafeUninitializedCapacity: 768) { table, count in
            for channel in 0..<3 {
                let column = SIMD4(red[channel], green[channel], blue[channel], 0)
                let offset = channel == 0 ? SIMD4(red.w, green.w, blue.w, 0) : .zero
                for value in 0..<256 { table.initializeElement(at: 256 * channel + value, to: column * Float(value) + offset) }
            }
            count = 768
        }
        let result = [UInt8](unsafeUninitializedCapacity: pixels.count) { buffer, count in
            pixels.withUnsafeBufferPointer { source in
                table.withUnsafeBufferPointer { table in
                    guard var from = source.baseAddress, var to = buffer.baseAddress, let table = table.baseAddress else {
                        return
                    }
                    let (zero, most) = (SIMD4<Float>.zero, SIMD4<Float>(repeating: 255))
                    // Above 2²³ a float has no fraction left: adding it rounds, and the low byte is the number.
                    let rounding = SIMD4<Float>(repeating: 12_582_912)
                    for _ in 0..<(source.count / 3) {
                        var sum = table[Int(from[0])] + table[256 &+ Int(from[1])] + table[512 &+ Int(from[2])]
                        sum.replace(with: zero, where: sum .< zero)
                        sum.replace(with: most, where: sum .> most)
                        let bits = unsafeBitCast(sum + rounding, to: SIMD4<UInt32>.self)
                        to[0] = UInt8(truncatingIfNeeded: bits.x)
                        to[1] = UInt8(truncatingIfNeeded: bits.y)
                        to[2] = UInt8(truncatingIfNeeded: bits.z)
                        from += 3
                        to += 3
                    }
                }
            }
            count = pixels.count
        }
        return try RGBImage(width: width, height: height, pixels: result)
    }
}
