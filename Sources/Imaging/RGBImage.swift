/// An upright picture: 8-bit red, green, blue, row after row from the top left, without padding.
public struct RGBImage: Sendable, Equatable {
    /// Pixels per row, at least 1.
    public let width: Int
    /// Rows, at least 1.
    public let height: Int
    /// `[height, width, 3]`, row-major.
    public let pixels: [UInt8]

    /// - Throws: `ImageError.invalidSize` unless both sides are at least 1 and `pixels` holds width · height · 3 samples.
    public init(width: Int, height: Int, pixels: [UInt8]) throws(ImageError) {
        let (area, tooLarge) = width.multipliedReportingOverflow(by: height)
        guard width > 0, height > 0, !tooLarge, area <= Int.max / 3, pixels.count == area * 3 else {
            throw .invalidSize(width: width, height: height, samples: pixels.count)
        }
        self.init(width: width, height: height, samples: pixels)
    }

    /// For pixels whose count is right by construction.
    init(width: Int, height: Int, samples: [UInt8]) {
        self.width = width
        self.height = height
        self.pixels = samples
    }

    /// A picture whose every sample `fill` writes.
    init(width: Int, height: Int, filledBy fill: (UnsafeMutablePointer<UInt8>) -> Void) {
        let count = width * height * 3
        self.init(
            width: width, height: height,
            samples: [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
                guard let start = buffer.baseAddress else { return }
                fill(start)
                initialized = count
            })
    }

    /// The first byte of the pixels. There is one: no picture is empty.
    func withPixels<Result>(_ body: (UnsafePointer<UInt8>) -> Result) -> Result {
        pixels.withUnsafeBufferPointer { buffer in
            guard let start = buffer.baseAddress else { preconditionFailure("a picture has at least one pixel") }
            return body(start)
        }
    }
}
