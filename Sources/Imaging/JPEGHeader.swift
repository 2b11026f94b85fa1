/// The markers of a JPEG up to its first scan, and the number of its scans: ITU-T T.81 annex B.
enum JPEGHeader {
    private struct Frame {
        let width: Int
        let height: Int
        /// SOF2 and SOF10.
        let isProgressive: Bool
        /// Samples of each component by its id, whole blocks.
        let samples: [Int: Int]
        var allSamples: Int { samples.values.reduce(0, +) }
    }

    static func read(_ bytes: UnsafeRawBufferPointer) throws(ImageError) -> ImageHeader {
        let reader = ByteReader(bytes: bytes)
        var frame: Frame?
        var sources = OrientationSources()
        var profile: [UInt8] = []
        var position = 2
        while true {
            // Stray bytes between segments are skipped, as libjpeg and Pillow do; any number of 0xFF may stand before a marker.
            guard let start = reader.marker(from: position), let marker = reader.byte(start + 1) else { throw .truncated(.jpeg) }
            position = start + 2
            if marker == 0xD9 { throw .broken(.jpeg, reason: "it ends before its first scan") }
            // SOI, RSTn and TEM have no length.
            if marker == 0x01 || (0xD0...0xD8).contains(marker) { continue }
            if marker == 0xDA { break }
            guard let length = reader.number16(position) else { throw .truncated(.jpeg) }
            guard length >= 2 else { throw .broken(.jpeg, reason: "a segment has the length \(length)") }
            guard let segment = reader.slice(position + 2, length - 2) else { throw .truncated(.jpeg) }
            if let kind = unreadKind(marker) { throw .unsupportedKind(.jpeg, reason: kind) }
            switch marker {
            case 0xC0...0xCF where ![0xC4, 0xC8, 0xCC].contains(marker): frame = try readFrame(segment, marker)
            case 0xE1: sources.add(app1: segment)
            case 0xE2:
                let content = ByteReader(bytes: segment)
                // The number of the part and of all parts follow; parts stand in their order.
                if content.starts(with: "ICC_PROFILE\0"), segment.count > 14 {
                    profile += segment.dropFirst(14).prefix(OrientationSources.maxBytes - profile.count)
                }
            default: break
            }
            position += length
        }
        guard let frame else { throw .broken(.jpeg, reason: "no frame header stands before its first scan") }
        let hint = frame.samples.count == 4 ? ColourHint.cmyk : frame.samples.count == 3 ? ICCProfile.hint(profile) : nil
        return ImageHeader(
            format: .jpeg, width: frame.width, height: frame.height, orientation: sources.orientation, hasAlpha: false,
            colourHint: hint,
            cost: cost(frame, reader, firstScan: position))
    }

    /// The frames that are not read, by their markers.
    private static func unreadKind(_ marker: Int) -> String? {
        switch marker {
        case 0xC3, 0xCB: "a lossless one"
        case 0xC5...0xC7, 0xCD...0xCF, 0xDE: "a hierarchical one"
        case 0xF7: "JPEG-LS"
        default: nil
        }
    }

    private static func readFrame(_ segment: UnsafeRawBufferPointer, _ marker: Int) throws(ImageError) -> Frame {
        let reader = ByteReader(bytes: segment)
        guard let bits = reader.byte(0), let height = reader.number16(1), let width = reader.number16(3),
            let components = reader.byte(5)
        else { throw .broken(.jpeg, reason: "its frame header is too short") }
        guard bits == 8 else { throw .unsupportedKind(.jpeg, reason: "\(bits) bits per sample") }
        guard [1, 3, 4].contains(components) else { throw .unsupportedKind(.jpeg, reason: "\(components) components") }
        guard width > 0, height > 0 else { throw .broken(.jpeg, reason: "its size is \(width) x \(height)") }
        let factors = (0..<components).map { place in
            let both = reader.byte(7 + 3 * place) ?? 0x11
            return (id: reader.byte(6 + 3 * place) ?? place, h: max(both >> 4, 1), v: max(both & 15, 1))
        }
        let across = factors.reduce(1) { max($0, $1.h) }
        let down = factors.reduce(1) { max($0, $1.v) }
        // Whole blocks of a component as its share of the picture.
        func blocks(_ side: Int, _ factor: Int, of largest: Int) -> Int { (side * factor + 8 * largest - 1) / (8 * largest) }
        let samples = factors.map { ($0.id, 64 * blocks(width, $0.h, of: across) * blocks(height, $0.v, of: down)) }
        return Frame(
            width: width, height: height, isProgressive: marker == 0xC2 || marker == 0xCA,
            samples: Dictionary(samples, uniquingKeysWith: +))
    }

    /// Counts the scans of a picture that has several. Those of a damaged file may be others than the library finds, which counts again.
    private static func cost(_ frame: Frame, _ reader: ByteReader, firstScan: Int) -> ImageHeader.Cost {
        var cost = ImageHeader.Cost(scans: 0, samples: 0, workingBytes: 0)
        var position = firstScan
        var isMany = frame.isProgressive
        repeat {
            guard let length = reader.number16(position), let count = reader.byte(position + 2) else { break }
            cost.scans += 1
            let scanned = (0..<count).map { frame.samples[reader.byte(position + 3 + 2 * $0) ?? -1] ?? 0 }.reduce(0, +)
            // A scan of none of the components is wrong; it counts as one of all.
            cost.samples += scanned > 0 ? scanned : frame.allSamples
            isMany = isMany || count < frame.samples.count
            position += length
        } while isMany && nextScan(reader, &position)
        // Two bytes a coefficient, all of them kept until the last scan is read.
        if isMany { cost.workingBytes = 2 * frame.allSamples }
        return cost
    }

    /// Moves on behind the marker of the next scan; whether there is one.
    private static func nextScan(_ reader: ByteReader, _ position: inout Int) -> Bool {
        while let start = reader.marker(from: position), let marker = reader.byte(start + 1) {
            position = start + 2
            if marker == 0xDA { return true }
            if marker == 0xD9 { return false }
            if marker == 0x01 || (0xD0...0xD8).contains(marker) { continue }
            guard let length = reader.number16(position) else { return false }
            position += max(length, 2)
        }
        return false
    }
}
