/// The chunks of a WebP: canvas or frame size, the alpha flag, EXIF and XMP. RFC 9649.
enum WebPHeader {
    static func read(_ bytes: UnsafeRawBufferPointer) throws(ImageError) -> ImageHeader {
        let reader = ByteReader(bytes: bytes, littleEndian: true)
        guard let kind = reader.slice(12, 4), reader.count >= 20 else { throw .truncated(.webp) }
        let size: (width: Int, height: Int)
        let hasAlpha: Bool
        switch String(decoding: kind, as: UTF8.self) {
        case "VP8 ":
            guard let width = reader.number16(26), let height = reader.number16(28) else { throw .truncated(.webp) }
            guard reader.starts(withBytes: [0x9D, 0x01, 0x2A], at: 23) else {
                throw .broken(.webp, reason: "its frame has no start code")
            }
            // The two upper bits ask for scaling on display, which nobody does.
            size = (width & 0x3FFF, height & 0x3FFF)
            hasAlpha = false
        case "VP8L":
            guard let bits = reader.number32(21) else { throw .truncated(.webp) }
            guard reader.byte(20) == 0x2F else { throw .broken(.webp, reason: "its lossless frame has no signature") }
            size = (bits & 0x3FFF + 1, bits >> 14 & 0x3FFF + 1)
            hasAlpha = bits >> 28 & 1 == 1
        case "VP8X":
            guard let flags = reader.byte(20), let width = reader.number24(24), let height = reader.number24(27) else {
                throw .truncated(.webp)
            }
            size = (width + 1, height + 1)
            hasAlpha = flags & 0x10 != 0
        default:
            throw .broken(.webp, reason: "it begins with no picture chunk")
        }
        guard size.width > 0, size.height > 0 else { throw .broken(.webp, reason: "its size is \(size.width) x \(size.height)") }
        return ImageHeader(
            format: .webp, width: size.width, height: size.height, orientation: sources(reader).orientation, hasAlpha: hasAlpha)
    }

    /// The first EXIF and the first XMP chunk.
    private static func sources(_ reader: ByteReader) -> OrientationSources {
        var sources = OrientationSources()
        var position = 12
        while let length = reader.number32(position + 4), let data = reader.slice(position + 8, length) {
            if reader.starts(with: "EXIF", at: position), sources.exif.isEmpty { sources.exif = Array(data) }
            if reader.starts(with: "XMP ", at: position), sources.xmp.isEmpty { sources.xmp = Array(data) }
            position += 8 + length + length % 2
        }
        return sources
    }
}
