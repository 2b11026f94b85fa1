import Imaging

/// Pictures that no sensible model confuses, drawn by formula.
enum TestPictures {
    /// Plain colours, stripes, checks, ramps.
    static func all() throws -> [RGBImage] { try plain() + patterned() }

    static func plain() throws -> [RGBImage] {
        [
            try picture { _, _ in (230, 230, 230) }, try picture { _, _ in (200, 20, 30) }, try picture { _, _ in (10, 15, 90) },
        ]
    }

    static func patterned() throws -> [RGBImage] {
        [
            try picture { x, _ in x / 6 % 2 == 0 ? (250, 250, 250) : (20, 20, 60) },
            try picture { x, y in (x / 12 + y / 12) % 2 == 0 ? (240, 200, 40) : (30, 90, 40) },
            try picture { x, y in (x * 255 / side, y * 255 / side, 128) },
        ]
    }

    private static let side = 96

    private static func picture(_ color: (Int, Int) -> (Int, Int, Int)) throws -> RGBImage {
        var pixels: [UInt8] = []
        pixels.reserveCapacity(3 * side * side)
        for y in 0..<side {
            for x in 0..<side {
                let (r, g, b) = color(x, y)
                pixels += [UInt8(clamping: r), UInt8(clamping: g), UInt8(clamping: b)]
            }
        }
        return try RGBImage(width: side, height: side, pixels: pixels)
    }
}
