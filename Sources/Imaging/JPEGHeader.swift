/// The markers of a JPEG up to its first scan: ITU-T T.81 annex B.
enum JPEGHeader {
    static func read(_ bytes: UnsafeRawBufferPointer) throws(ImageError) -> ImageHeader {
        let reader = ByteReader(bytes: bytes)
        var frame: (width: Int, height: Int)?
        var sources = OrientationSources()
        var position = 2
        while true {
            // Stray bytes between segments are skipped, as libjpeg and Pillow do; any number of 0xFF may stand before a marker.
            guard let byte = reader.byte(position), let marker = reader.byte(position + 1) else { throw .truncated(.jpeg) }
            guard byte == 0xFF, marker != 0xFF, marker != 0 else {
                position += byte == 0xFF && marker == 0 ? 2 : 1
                continue
            }
            position += 2
            if marker == 0xD9 { throw .broken(.jpeg, reason: "it ends before its first scan") }
            // SOI, RSTn and TEM have no length.
            if marker == 0x01 || (0xD0...0xD8).contains(marker) { continue }
            if marker == 0xDA { break }
            guard let length = reader.number16(position) else { throw .truncated(.jpeg) }
            guard length >= 2 else { throw .broken(.jpeg, reason: "a segment has the length \(length)") }
            guard let segment = reader.slice(position + 2, length - 2) else { throw .truncated(.jpeg) }
            switch marker {
            case 0xC0...0xCF where ![0xC4, 0xC8, 0xCC].contains(marker): frame = try readFrame(segment)
            case 0xE1: collect(segment, into: &sources)
            default: break
            }
            position += length
        }
        guard let frame else { throw .broken(.jpeg, reason: "no frame header stands before its first scan") }
        return ImageHeader(
            format: .jpeg, width: frame.width, height: frame.height, orientation: sources.orientation, hasAlpha: false)
    }

    private static func readFrame(_ segment: UnsafeRawBufferPointer) throws(ImageError) -> (width: Int, height: Int) {
        let reader = ByteReader(bytes: segment)
        guard let bits = reader.byte(0), let height = reader.number16(1), let width = reader.number16(3),
            let components = reader.byte(5)
        else { throw .broken(.jpeg, reason: "its frame header is too short") }
        guard bits == 8 else { throw .unsupportedKind(.jpeg, reason: "\(bits) bits per sample") }
        guard [1, 3, 4].contains(components) else { throw .unsupportedKind(.jpeg, reason: "\(components) components") }
        guard width > 0, height > 0 else { throw .broken(.jpeg, reason: "its size is \(width) x \(height)") }
        return (width, height)
    }

    /// APP1 holds EXIF, possibly over several segments, or XMP.
    private static func collect(_ segment: UnsafeRawBufferPointer, into sources: inout OrientationSources) {
        let reader = ByteReader(bytes: segment)
        if reader.starts(with: "Exif\0\0") {
            sources.exif += segment.dropFirst(6)
        } else if reader.starts(with: "http://ns.adobe.com/xap/1.0/\0") {
            sources.xmp = Array(segment.dropFirst(29))
        }
    }
}
