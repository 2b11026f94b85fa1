/// A rectangle of a picture, in fractions of its sides.
public struct PictureRegion: Sendable, Hashable {
    /// The left upper corner, 0…1.
    public let x: Double
    public let y: Double
    /// Above 0; with the corner at most 1.
    public let width: Double
    public let height: Double

    public static let whole = PictureRegion(unchecked: (0, 0, 1, 1))

    /// - Returns: nil for a rectangle that is empty or reaches out of the picture by more than rounding does.
    public init?(x: Double, y: Double, width: Double, height: Double) {
        let slack = 1e-3
        guard x >= 0, y >= 0, width > 0, height > 0, x < 1, y < 1, x + width <= 1 + slack, y + height <= 1 + slack else {
            return nil
        }
        self.init(unchecked: (x, y, min(width, 1 - x), min(height, 1 - y)))
    }

    /// - Parameter text: `x,y,width,height`.
    public init?(_ text: String) {
        let numbers = text.split(separator: ",", omittingEmptySubsequences: false).map { part in
            Double(part.filter { $0 != " " })
        }
        guard numbers.count == 4, let x = numbers[0], let y = numbers[1], let width = numbers[2], let height = numbers[3] else {
            return nil
        }
        self.init(x: x, y: y, width: width, height: height)
    }

    private init(unchecked values: (Double, Double, Double, Double)) { (x, y, width, height) = values }
}

extension RGBImage {
    /// The pixels that a region touches, at least one.
    public func cropped(to region: PictureRegion) -> RGBImage {
        func span(_ start: Double, _ length: Double, _ side: Int) -> (first: Int, count: Int) {
            let first = min(Int(start * Double(side)), side - 1)
            // What lies within a thousandth of a pixel of a border ends there.
            let end = min(Int(((start + length) * Double(side) - 1e-3).rounded(.up)), side)
            return (first, max(1, end - first))
        }
        let (columns, rows) = (span(region.x, region.width, width), span(region.y, region.height, height))
        return cropped(x: columns.first, y: rows.first, width: columns.count, height: rows.count)
    }
}
