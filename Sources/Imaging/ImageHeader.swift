/// What a file says about its picture before any of it is decoded.
public struct ImageHeader: Sendable, Equatable {
    public let format: ImageFormat
    /// As stored, before `orientation` is applied.
    public let width: Int
    /// As stored, before `orientation` is applied.
    public let height: Int
    /// EXIF's tag 274: 1 upright, 2 mirrored, 3 turned by 180°, 4 flipped, 5 transposed, 6 and 8 turned by 90°, 7 transversed.
    public let orientation: Int
    public let hasAlpha: Bool

    /// The width of the decoded picture.
    public var uprightWidth: Int { orientation >= 5 ? height : width }
    /// The height of the decoded picture.
    public var uprightHeight: Int { orientation >= 5 ? width : height }

    init(format: ImageFormat, width: Int, height: Int, orientation: Int, hasAlpha: Bool) {
        self.format = format
        self.width = width
        self.height = height
        self.orientation = orientation
        self.hasAlpha = hasAlpha
    }

    init(of bytes: UnsafeRawBufferPointer) throws(ImageError) {
        switch try ImageFormat(of: bytes) {
        case .jpeg: self = try JPEGHeader.read(bytes)
        case .png: self = try PNGHeader.read(bytes)
        case .webp: self = try WebPHeader.read(bytes)
        }
    }
}

/// Where a file may say how its picture is to be turned. EXIF wins over XMP; of several, the file's format says which is kept.
struct OrientationSources {
    var exif: [UInt8] = []
    var xmp: [UInt8] = []

    /// 1...8; whatever is broken or out of range counts as upright.
    var orientation: Int {
        let value = EXIF.orientation(exif) ?? EXIF.orientation(xmp: xmp) ?? 1
        return (1...8).contains(value) ? value : 1
    }
}
