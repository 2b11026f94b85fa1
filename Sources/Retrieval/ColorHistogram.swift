/// A colour histogram as a vector: the baseline that any model must beat. It knows nothing of shape.
///
/// Hue in 12 sectors beginning at red, saturation S and value V of HSV in thirds: 108 bins, index (hue · 3 + saturation) · 3 + value.
/// Near-white pixels (V > 230 and S < 20 of 255) are dropped: they are the background of a studio photo. The vector is the root of
/// the counts, scaled to unit length, so that the dot product of two is the Bhattacharyya coefficient of the histograms.
///
/// The baseline's figures are of pictures padded with white to a square and resized to 224 × 224, bicubic.
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
                if let bin = bin(bytes[start], bytes[start + 1], bytes[start + 2]) { counts[bin] += 1 }
            }
        }
        let total = counts.reduce(0, +)
        guard total > 0 else { return [Float](repeating: (1 / Float(dimension)).squareRoot(), count: dimension) }
        return counts.map { Float((Double($0) / Double(total)).squareRoot()) }
    }

    /// - Returns: nil for a near-white pixel.
    @inline(__always)
    private static func bin(_ red: UInt8, _ green: UInt8, _ blue: UInt8) -> Int? {
        let color = hsv(red, green, blue)
        if color.value > 230 && color.saturation < 20 { return nil }
        return (Int(color.hue) * 12 / 256 * 3 + Int(color.saturation) * 3 / 256) * 3 + Int(color.value) * 3 / 256
    }

    /// HSV as Pillow's `convert("HSV")` gives it, 0…255 each, where 255 of hue stand for 360°: the same operations in the same
    /// precision, since both are cut off, and not rounded, to whole numbers.
    @inline(__always)
    static func hsv(_ red: UInt8, _ green: UInt8, _ blue: UInt8) -> (hue: UInt8, saturation: UInt8, value: UInt8) {
        let (high, low) = (max(red, green, blue), min(red, green, blue))
        guard high > low else { return (0, 0, high) }
        let spread = Float(high - low)
        let saturation = Double(spread / Float(high)) * 255
        let (fromRed, fromGreen, fromBlue) =
            (Float(high - red) / spread, Float(high - green) / spread, Float(high - blue) / spread)
        let sixths: Float =
            if high == red {
                fromBlue - fromGreen
            } else if high == green {
                Float(2 + Double(fromRed) - Double(fromBlue))
            } else {
                Float(4 + Double(fromGreen) - Double(fromRed))
            }
        // Between -1/6 and 5/6 of a turn; one more turn makes it positive, and then a whole turn is dropped.
        let turns = Float((Double(sixths) / 6 + 1).truncatingRemainder(dividingBy: 1))
        return (UInt8(Double(turns) * 255), UInt8(saturation), high)
    }
}
