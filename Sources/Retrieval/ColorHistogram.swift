/// A colour histogram as a vector: the baseline that any model must beat. It knows nothing of shape.
///
/// Hue in 12 sectors of 30° beginning at red, saturation S and value V of HSV in thirds: 108 bins, index (hue · 3 + saturation) · 3 + value.
/// Near-white pixels (V > 0.9 and S < 0.1) are dropped: they are the background of a studio photo. The vector is the root of the
/// counts, scaled to unit length, so that the dot product of two is the Bhattacharyya coefficient of the histograms.
public enum ColorHistogram {
    public static let dimension = 12 * 3 * 3

    /// The histogram of a picture; one of near-white pixels only has equal entries.
    /// - Parameter rgb: width · height pixels of 3 bytes, row by row.
    /// - Returns: `[dimension]`, of unit length.
    /// - Throws: `.pixelCount`.
    public static func vector(rgb: [UInt8], width: Int, height: Int) throws(RetrievalError) -> [Float] {
        let (pixels, overflow) = width.multipliedReportingOverflow(by: height)
        guard width > 0, height > 0, !overflow, rgb.count % 3 == 0, rgb.count / 3 == pixels else {
            throw .pixelCount(found: rgb.count, width: width, height: height)
        }
        var counts = [Int](repeating: 0, count: dimension)
        rgb.withUnsafeBufferPointer { bytes in
            for start in stride(from: 0, to: bytes.count, by: 3) {
                if let bin = bin(Int(bytes[start]), Int(bytes[start + 1]), Int(bytes[start + 2])) { counts[bin] += 1 }
            }
        }
        let total = counts.reduce(0, +)
        guard total > 0 else { return [Float](repeating: (1 / Float(dimension)).squareRoot(), count: dimension) }
        return counts.map { Float((Double($0) / Double(total)).squareRoot()) }
    }

    /// In whole numbers, so that a colour on the border of two bins falls into the same one on every machine.
    /// - Returns: nil for a near-white pixel.
    @inline(__always)
    static func bin(_ red: Int, _ green: Int, _ blue: Int) -> Int? {
        let high = max(red, green, blue)
        let spread = high - min(red, green, blue)
        if 10 * high > 9 * 255 && 10 * spread < high { return nil }
        let hue: Int
        if spread == 0 {
            hue = 0
        } else if high == red {
            hue = (flooredDivision(2 * (green - blue), spread) + 12) % 12
        } else if high == green {
            hue = flooredDivision(2 * (blue - red), spread) + 4
        } else {
            hue = flooredDivision(2 * (red - green), spread) + 8
        }
        let saturation = high == 0 ? 0 : min(3 * spread / high, 2)
        let value = min(3 * high / 255, 2)
        return (hue * 3 + saturation) * 3 + value
    }

    @inline(__always)
    private static func flooredDivision(_ dividend: Int, _ divisor: Int) -> Int {
        dividend >= 0 ? dividend / divisor : -((divisor - 1 - dividend) / divisor)
    }
}
