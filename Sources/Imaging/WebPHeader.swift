/// The chunks of a WebP: canvas or frame size, the alpha flag, profile, EXIF and XMP. RFC 9649.
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

        let found = chunks(reader)
        let pixels = size.width * size.height
        // A lossless frame is decoded to four bytes a pixel first, and so is a plane of alpha; what is composed on white, or stands in a larger canvas,
        // is so once more.
        let isPlain = !hasAlpha && !found.isAnimated && !found.isLossless
        return ImageHeader(
            format: .webp, width: size.width, height: size.height, orientation: found.sources.orientation, hasAlpha: hasAlpha,
            colourHint: ICCProfile.hint(found.profile.prefix(OrientationSources.maxBytes)),
            cost: ImageHeader.Cost(
                scans: 1, samples: 3 * pixels, workingBytes: isPlain ? 0 : hasAlpha || found.isAnimated ? 8 * pixels : 4 * pixels)
        )
    }

    private struct Found {
        var sources = OrientationSources()
        var profile = UnsafeRawBufferPointer(start: nil, count: 0)
        var isLossless = false
        var isAnimated = false
    }

    /// The first EXIF, XMP and ICC chunk.
    private static func chunks(_ reader: ByteReader) -> Found {
        var found = Found()
        var position = 12
        while let length = reader.number32(position + 4), let data = reader.slice(position + 8, length) {
            if reader.starts(with: "EXIF", at: position), found.sources.exif.isEmpty { found.sources.add(exif: data) }
            if reader.starts(with: "XMP ", at: position), found.sources.xmp.isEmpty { found.sources.set(xmp: data) }
            if reader.starts(with: "ICCP", at: position), found.profile.isEmpty { found.profile = data }
            if reader.starts(with: "VP8L", at: position) { found.isLossless = true }
            if reader.starts(with: "ANMF", at: position) { found.isAnimated = true }
            position += 8 + length + length % 2
        }
        return found
    }
}
