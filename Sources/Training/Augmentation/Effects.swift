import Imaging

extension RGBImage {
    /// Softened by the binomial filter (1 2 1)/4 along both axes; at the edges the edge's own pixels go on.
    /// - Parameter passes: each adds 1/2 to the variance along an axis, in pixels².
    func softened(passes: Int) throws(ImageError) -> RGBImage {
        var current = pixels
        var scratch = current
        let (row, count) = (3 * width, pixels.count)
        for _ in 0..<passes {
            current.withUnsafeBufferPointer { source in
                scratch.withUnsafeMutableBufferPointer { target in
                    guard let source = source.baseAddress, let target = target.baseAddress else { return }
                    for y in 0..<height {
                        let (line, out) = (source + y * row, target + y * row)
                        for index in 0..<3 {
                            let (last, before) = (row - 3 + index, max(row - 6, 0) + index)
                            out[index] = Self.binomial(line[index], line[index], line[min(3, row - 3) + index])
                            out[last] = Self.binomial(line[before], line[last], line[last])
                        }
                        if row > 6 {
                            for index in 3..<row - 3 { out[index] = Self.binomial(line[index - 3], line[index], line[index + 3]) }
                        }
                    }
                }
            }
            scratch.withUnsafeBufferPointer { source in
                current.withUnsafeMutableBufferPointer { target in
                    guard let source = source.baseAddress, let target = target.baseAddress else { return }
                    for start in stride(from: 0, to: count, by: row) {
                        let (above, here, below) = (
                            source + max(start - row, 0), source + start, source + min(start + row, count - row)
                        )
                        for index in 0..<row { target[start + index] = Self.binomial(above[index], here[index], below[index]) }
                    }
                }
            }
        }
        return try RGBImage(width: width, height: height, pixels: current)
    }

    @inline(__always)
    private static func binomial(_ before: UInt8, _ here: UInt8, _ after: UInt8) -> UInt8 {
        UInt8(truncatingIfNeeded: (UInt16(before) &+ 2 &* UInt16(here) &+ UInt16(after) &+ 2) >> 2)
    }

    /// A box of 0.02 to 0.2 of the area, of aspect 1/3 to 3, filled with noise or with the picture's mean colour, evenly often.
    func erasingBox(using generator: inout SeededGenerator) throws(ImageError) -> RGBImage {
        let area = Double.random(in: 0.02...0.2, using: &generator) * Double(width * height)
        // Aspect and its inverse are equally likely.
        let stretch = Double.random(in: 1...3, using: &generator).squareRoot()
        let isWide = Bool.random(using: &generator)
        let (long, short) = (area.squareRoot() * stretch, area.squareRoot() / stretch)
        let columns = min(max(Int((isWide ? long : short).rounded()), 1), width)
        let rows = min(max(Int((isWide ? short : long).rounded()), 1), height)
        // Shares of the room, so that a teacher's view of another size has its box at the same place.
        let left = Int((Double.random(in: 0...1, using: &generator) * Double(width - columns)).rounded())
        let top = Int((Double.random(in: 0...1, using: &generator) * Double(height - rows)).rounded())
        let isNoise = Bool.random(using: &generator)
        var sums = SIMD3<Int>()
        if !isNoise {
            for index in stride(from: 0, to: pixels.count, by: 3) {
                sums &+= SIMD3(Int(pixels[index]), Int(pixels[index + 1]), Int(pixels[index + 2]))
            }
        }
        let mean = (0..<3).map { UInt8(sums[$0] / (width * height)) }
        var result = pixels
        var (bits, left8) = (UInt64(0), 0)
        for row in top..<top + rows {
            for index in 3 * (row * width + left)..<3 * (row * width + left + columns) {
                if isNoise {
                    if left8 == 0 { (bits, left8) = (generator.next(), 8) }
                    result[index] = UInt8(truncatingIfNeeded: bits)
                    (bits, left8) = (bits >> 8, left8 - 1)
                } else {
                    result[index] = mean[index % 3]
                }
            }
        }
        return try RGBImage(width: width, height: height, pixels: result)
    }
}
