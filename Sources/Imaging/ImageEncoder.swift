import CImaging

/// RGB pictures to files in memory.
public enum ImageEncoder {
    /// A baseline JPEG, chroma at half the resolution (4:2:0).
    /// - Parameter quality: 1...100, on the scale of libjpeg.
    /// - Throws: `invalidQuality`; `encodingFailed` if a side is above 65,500, or memory is short.
    public static func jpeg(_ image: RGBImage, quality: Int) throws(ImageError) -> [UInt8] {
        guard (1...100).contains(quality) else { throw .invalidQuality(quality) }
        return try encode(image, as: .jpeg) { pixels, width, height, out, count, message in
            ci_jpeg_encode(pixels, width, height, Int32(quality), out, count, message)
        }
    }

    /// An 8-bit truecolour PNG, which decodes to the same bytes.
    /// - Throws: `encodingFailed` if memory is short.
    public static func png(_ image: RGBImage) throws(ImageError) -> [UInt8] {
        try encode(image, as: .png) { pixels, width, height, out, count, message in
            ci_png_encode(pixels, width, height, out, count, message)
        }
    }

    private typealias Encoder = (
        UnsafePointer<UInt8>, UInt32, UInt32, UnsafeMutablePointer<UnsafeMutablePointer<UInt8>?>, UnsafeMutablePointer<Int>,
        UnsafeMutablePointer<CChar>?
    ) -> CIStatus

    private static func encode(_ image: RGBImage, as format: ImageFormat, _ encoder: Encoder) throws(ImageError) -> [UInt8] {
        guard let width = UInt32(exactly: image.width), let height = UInt32(exactly: image.height) else {
            throw .encodingFailed(format, reason: "a side is too long")
        }
        var encoded: UnsafeMutablePointer<UInt8>?
        var count = 0
        let outcome = image.withPixels { pixels in
            withMessage { encoder(pixels, width, height, &encoded, &count, $0) }
        }
        guard outcome.status == CI_OK, let encoded else { throw .encodingFailed(format, reason: outcome.message) }
        defer { ci_free(encoded) }
        return Array(UnsafeBufferPointer(start: encoded, count: count))
    }
}
