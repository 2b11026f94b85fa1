/// Of which formats a picture may be, how large, and how much work. All is judged from the file's size, its header and its list of scans, before memory for a single pixel
/// is taken.
public struct DecodingLimits: Sendable, Equatable {
    /// Width · height. `standard`: 100 million.
    public var maxPixels: Int
    /// Bytes of the file. `standard`: 256 MiB.
    public var maxBytes: Int
    /// The longer side. `standard`: 65,500, the longest that libjpeg takes.
    public var maxSide: Int
    /// Samples that a decoder may pass over. The samples of a JPEG count once for each scan that they are in, so a progressive 4:2:0 photo costs about 8
    /// a pixel, at 4:4:4 14, in four inks 24. `standard`: 2.5 thousand million, some seconds of one core.
    public var maxWork: Int
    /// What is read. `standard`: every format; those whose library is missing on this machine are refused with the way to get it.
    public var formats: Set<ImageFormat>

    public init(
        maxPixels: Int = 100_000_000, maxBytes: Int = 256 << 20, maxSide: Int = 65_500, maxWork: Int = 2_500_000_000,
        formats: Set<ImageFormat> = Set(ImageFormat.allCases)
    ) {
        self.maxPixels = maxPixels
        self.maxBytes = maxBytes
        self.maxSide = maxSide
        self.maxWork = maxWork
        self.formats = formats
    }

    /// For pictures that anybody may send.
    public static let standard = DecodingLimits()

    /// For files that whoever runs the program chose: a thousand million pixels. What `import` has let in by its own limit is read by everything
    /// after it under this one.
    public static let ownFiles = DecodingLimits(maxPixels: 1_000_000_000, maxWork: 25_000_000_000)

    func check(_ format: ImageFormat) throws(ImageError) {
        guard formats.contains(format) else { throw .formatOff(format) }
    }

    func check(byteCount: Int) throws(ImageError) {
        guard byteCount <= maxBytes else { throw .tooManyBytes(got: byteCount, limit: maxBytes) }
    }

    func check(_ header: ImageHeader) throws(ImageError) {
        let (area, overflow) = header.width.multipliedReportingOverflow(by: header.height)
        // What a decode needs is computed in bytes, so a caller without a limit still has the one of the numbers.
        guard !overflow, area <= min(maxPixels, Int.max / 64) else {
            throw .tooManyPixels(width: header.width, height: header.height, limit: maxPixels)
        }
        guard max(header.width, header.height) <= maxSide else {
            throw .sideTooLong(width: header.width, height: header.height, limit: maxSide)
        }
        guard header.cost.scans <= ImageHeader.maxScans else {
            throw .tooMuchWork(
                header.format,
                reason: "it has \(header.cost.scans) scans, where a photo has about ten and \(ImageHeader.maxScans) are read")
        }
        guard header.cost.samples <= maxWork else {
            throw .tooMuchWork(
                header.format, reason: "its \(header.cost.passes) hold \(header.cost.samples) samples, where \(maxWork) are read")
        }
    }
}
