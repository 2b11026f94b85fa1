/// How large a picture may be. All three are judged from the file's size and its header, before memory for a single pixel is taken.
public struct DecodingLimits: Sendable, Equatable {
    /// Width · height. `standard`: 89,478,485, the bound above which Pillow warns of a decompression bomb (a quarter of a GiB of RGB).
    public var maxPixels: Int
    /// Bytes of the file. `standard`: 256 MiB.
    public var maxBytes: Int
    /// The longer side. `standard`: 65,500, the longest that libjpeg takes.
    public var maxSide: Int

    public init(maxPixels: Int = 89_478_485, maxBytes: Int = 256 << 20, maxSide: Int = 65_500) {
        self.maxPixels = maxPixels
        self.maxBytes = maxBytes
        self.maxSide = maxSide
    }

    public static let standard = DecodingLimits()

    func check(byteCount: Int) throws(ImageError) {
        guard byteCount <= maxBytes else { throw .tooManyBytes(got: byteCount, limit: maxBytes) }
    }

    func check(width: Int, height: Int) throws(ImageError) {
        let (area, overflow) = width.multipliedReportingOverflow(by: height)
        guard !overflow, area <= maxPixels else { throw .tooManyPixels(width: width, height: height, limit: maxPixels) }
        guard max(width, height) <= maxSide else { throw .sideTooLong(width: width, height: height, limit: maxSide) }
    }
}
