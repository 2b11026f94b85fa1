import CImaging

/// What a file says about its picture before any of it is decoded.
public struct ImageHeader: Sendable, Equatable {
    public let format: ImageFormat
    /// As stored, before `orientation` is applied.
    public let width: Int
    /// As stored, before `orientation` is applied.
    public let height: Int
    /// What is done to the decoded picture, as EXIF's tag 274: 1 upright, 2 mirrored, 3 turned by 180°, 4 flipped, 5 transposed, 6 and 8 turned by 90°, 7 transversed.
    /// Always 1 for HEIC and AVIF: their decoder does what the container says, and their sizes here are those after it.
    public let orientation: Int
    public let hasAlpha: Bool
    /// Why its colours may be read visibly wrong; none where they are not.
    public let colourHint: ColourHint?
    let cost: Cost

    /// The width of the decoded picture.
    public var uprightWidth: Int { orientation >= 5 ? height : width }
    /// The height of the decoded picture.
    public var uprightHeight: Int { orientation >= 5 ? width : height }

    /// What decoding costs.
    struct Cost: Sendable, Equatable {
        /// How often a decoder passes over the picture, or a part of its components.
        var scans: Int
        /// What it passes over in all of them.
        var samples: Int
        /// What holds the samples.
        var passes = "scans"
        /// Memory beside the decoded picture: coefficients, a canvas with alpha.
        var workingBytes: Int
        /// The pixels of the largest frame that a decoder is to be let make, where it is told.
        var largestArea = 0
    }

    static let maxScans = Int(CI_MAX_SCANS)

    /// The bytes that decoding takes at most at a time, beside those of the file.
    /// - Parameter divisor: what the sides are divided by while they are decoded.
    func memoryToDecode(dividedBy divisor: Int) -> Int {
        let pixels = 3 * (width / divisor + 1) * (height / divisor + 1)
        // Turning takes a second picture; by then the rest is freed.
        return pixels + (orientation > 1 ? max(pixels, cost.workingBytes) : cost.workingBytes)
    }

    init(of bytes: UnsafeRawBufferPointer) throws(ImageError) { try self.init(of: bytes, as: ImageFormat(of: bytes)) }

    init(of bytes: UnsafeRawBufferPointer, as format: ImageFormat) throws(ImageError) {
        switch format {
        case .jpeg: self = try JPEGHeader.read(bytes)
        case .png: self = try PNGHeader.read(bytes)
        case .webp: self = try WebPHeader.read(bytes)
        case .gif: self = try GIFHeader(bytes).header
        case .tiff: self = try TIFFHeader(bytes).header
        case .heic, .avif: self = try HEIFHeader.read(bytes)
        }
    }

    init(
        format: ImageFormat, width: Int, height: Int, orientation: Int, hasAlpha: Bool, colourHint: ColourHint?, cost: Cost
    ) {
        self.format = format
        self.width = width
        self.height = height
        self.orientation = orientation
        self.hasAlpha = hasAlpha
        self.colourHint = colourHint
        self.cost = cost
    }
}

/// Where a file may say how its picture is to be turned. EXIF wins over XMP; of several, the file's format says which is kept.
struct OrientationSources {
    /// What is read of each: they are of a few kilobytes, and whoever wrote a gigabyte meant no orientation.
    static let maxBytes = 1 << 20

    private(set) var exif: [UInt8] = []
    private(set) var xmp: [UInt8] = []

    /// 1...8; whatever is broken or out of range counts as upright.
    var orientation: Int {
        let value = EXIF.orientation(exif) ?? EXIF.orientation(xmp: xmp) ?? 1
        return (1...8).contains(value) ? value : 1
    }

    /// The next part of EXIF.
    mutating func add(exif part: some Collection<UInt8>) {
        exif += part.prefix(Self.maxBytes - exif.count)
    }

    mutating func set(exif whole: some Collection<UInt8>) { exif = Array(whole.prefix(Self.maxBytes)) }

    mutating func set(xmp whole: some Collection<UInt8>) { xmp = Array(whole.prefix(Self.maxBytes)) }

    /// A JPEG's APP1: EXIF, possibly over several segments, or XMP.
    mutating func add(app1 segment: UnsafeRawBufferPointer) {
        let reader = ByteReader(bytes: segment)
        if reader.starts(with: "Exif\0\0") {
            add(exif: segment.dropFirst(6))
        } else if reader.starts(with: "http://ns.adobe.com/xap/1.0/\0") {
            set(xmp: segment.dropFirst(29))
        }
    }
}
