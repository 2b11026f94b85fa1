/// Files written byte by byte, for kinds that no encoder writes.
enum HandMade {
    static func big(_ value: Int, _ count: Int) -> [UInt8] {
        (0..<count).reversed().map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
    }

    // MARK: JPEG

    static func segment(_ marker: UInt8, _ payload: [UInt8]) -> [UInt8] { [0xFF, marker] + big(payload.count + 2, 2) + payload }

    static func frame(_ marker: UInt8, width: Int, height: Int, bits: UInt8 = 8, components: UInt8 = 1) -> [UInt8] {
        let list = (1...components).flatMap { [$0, 0x11, 0] as [UInt8] }
        return segment(marker, [bits] + big(height, 2) + big(width, 2) + [components] + list)
    }

    /// A gray progressive JPEG that is all 0 in each of its scans: one of the constant part, then refinements whose ends of blocks cover the
    /// picture, so that a scan is of few bytes and still passes over every block.
    static func progressive(width: Int, height: Int, scans: Int) -> [UInt8] {
        var bytes: [UInt8] = [0xFF, 0xD8] + segment(0xDB, [0] + [UInt8](repeating: 1, count: 64))
        bytes += frame(0xC2, width: width, height: height)
        // One code of one bit each: a difference of 0, and an end of 2^14 blocks and more.
        bytes += segment(0xC4, [0, 1] + [UInt8](repeating: 0, count: 15) + [0])
        bytes += segment(0xC4, [0x10, 1] + [UInt8](repeating: 0, count: 15) + [0xE0])
        let blocks = ((width + 7) / 8) * ((height + 7) / 8)
        var bits: [Bool] = []
        for _ in stride(from: 0, to: blocks, by: 32_767) { bits += [false] + [Bool](repeating: true, count: 14) }
        bits += [Bool](repeating: true, count: (8 - bits.count % 8) % 8)
        let run = stride(from: 0, to: bits.count, by: 8).flatMap { start -> [UInt8] in
            let byte = (0..<8).reduce(UInt8(0)) { $0 << 1 | (bits[start + $1] ? 1 : 0) }
            return byte == 0xFF ? [0xFF, 0] : [byte]
        }
        bytes += segment(0xDA, [1, 1, 0, 0, 0, 1]) + [UInt8](repeating: 0, count: (blocks + 7) / 8)
        var precision: UInt8 = 13
        for scan in 1..<max(scans, 1) {
            if scan == 1 {
                bytes += segment(0xDA, [1, 1, 0, 1, 63, precision]) + run
            } else {
                bytes += segment(0xDA, [1, 1, 0, 1, 63, precision << 4 | (precision - 1)]) + run
                precision = precision > 1 ? precision - 1 : 13
            }
        }
        return bytes + [0xFF, 0xD9]
    }

    /// A gray JPEG in arithmetic code of so many bytes.
    static func arithmetic(width: Int, height: Int, dataBytes: Int) -> [UInt8] {
        let start: [UInt8] = [0xFF, 0xD8] + segment(0xDB, [0] + [UInt8](repeating: 1, count: 64))
        let data = (0..<dataBytes).map { UInt8(truncatingIfNeeded: $0 * 37 % 251) }
        return start + frame(0xC9, width: width, height: height) + segment(0xDA, [1, 1, 0, 0, 63, 0]) + data + [0xFF, 0xD9]
    }

    // MARK: PNG

    static let pngSignature: [UInt8] = [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]

    static func chunk(_ kind: String, _ data: [UInt8]) -> [UInt8] {
        let body = Array(kind.utf8) + data
        return big(data.count, 4) + body + big(Int(crc32(body)), 4)
    }

    static func pngHeader(width: Int, height: Int, colour: UInt8 = 2) -> [UInt8] {
        pngSignature + chunk("IHDR", big(width, 4) + big(height, 4) + [8, colour, 0, 0, 0])
    }

    /// A truecolour PNG of 8 × 8 whose samples count up, with chunks before and after its data, and more data behind its last row.
    static func png(before: [[UInt8]] = [], after: [[UInt8]] = [], zerosBehindRows: Int = 0) -> [UInt8] {
        let rows = (0..<8).flatMap { y -> [UInt8] in [0] + (0..<24).map { UInt8(24 * y + $0) } }
        let data = chunk("IDAT", deflated(rows, zerosBehind: zerosBehindRows))
        return pngHeader(width: 8, height: 8) + before.joined() + data + after.joined() + chunk("IEND", [])
    }

    /// A zlib stream of `bytes` as they are, then of zeros as the longest repetitions that there are: a thousandth of their number.
    static func deflated(_ bytes: [UInt8], zerosBehind zeros: Int = 0) -> [UInt8] {
        var stream: [UInt8] = [0x78, 0x01]
        let parts = stride(from: 0, to: max(bytes.count, 1), by: 65_535).map { bytes[$0..<min($0 + 65_535, bytes.count)] }
        for (place, part) in parts.enumerated() {
            let isLast = place == parts.count - 1 && zeros == 0
            stream.append(isLast ? 1 : 0)
            let length = UInt16(part.count)
            stream += [UInt8(length & 255), UInt8(length >> 8), UInt8(~length & 255), UInt8(~length >> 8)]
            stream += part
        }
        if zeros > 0 {
            // A block of fixed codes: the literal 0, pairs of length 258 and distance 1, the end. Codes begin with their highest bit.
            var held = 0
            var count = 0
            func put(_ bits: [Int]) {
                for bit in bits {
                    held |= bit << count
                    count += 1
                    if count == 8 {
                        stream.append(UInt8(held))
                        (held, count) = (0, 0)
                    }
                }
            }
            put([1, 1, 0])
            put([0, 0, 1, 1, 0, 0, 0, 0])
            for _ in 0..<(zeros - 1) / 258 { put([1, 1, 0, 0, 0, 1, 0, 1] + [0, 0, 0, 0, 0]) }
            for _ in 0..<(zeros - 1) % 258 { put([0, 0, 1, 1, 0, 0, 0, 0]) }
            put([0, 0, 0, 0, 0, 0, 0])
            if count > 0 { stream.append(UInt8(held)) }
        }
        var (a, b) = (1, 0)
        for byte in bytes {
            a = (a + Int(byte)) % 65_521
            b = (b + a) % 65_521
        }
        b = (b + zeros % 65_521 * a) % 65_521
        return stream + big(b << 16 | a, 4)
    }

    private static let crcTable: [UInt32] = (0..<256).map { start in
        (0..<8).reduce(UInt32(start)) { value, _ in value & 1 == 1 ? 0xEDB8_8320 ^ value >> 1 : value >> 1 }
    }

    private static func crc32(_ bytes: [UInt8]) -> UInt32 {
        ~bytes.reduce(~0) { crcTable[Int(UInt8(truncatingIfNeeded: $0) ^ $1)] ^ $0 >> 8 }
    }

    // MARK: WebP

    /// A WebP's container around chunks, without a frame.
    static func webp(width: Int, height: Int, flags: UInt8 = 0, chunks: [(String, [UInt8])] = []) -> [UInt8] {
        func little(_ value: Int, _ count: Int) -> [UInt8] { big(value, count).reversed() }
        var body = Array("WEBPVP8X".utf8) + little(10, 4) + [flags, 0, 0, 0] + little(width - 1, 3) + little(height - 1, 3)
        for (kind, data) in chunks {
            body += Array(kind.utf8) + little(data.count, 4) + data + (data.count.isMultiple(of: 2) ? [] : [0])
        }
        return Array("RIFF".utf8) + little(body.count, 4) + body
    }

    // MARK: EXIF and ICC

    /// A TIFF structure whose one entry is the orientation.
    static func exif(orientation: UInt8) -> [UInt8] {
        Array("II".utf8) + [42, 0, 8, 0, 0, 0, 1, 0] + [0x12, 1, 3, 0, 1, 0, 0, 0, orientation, 0, 0, 0] + [0, 0, 0, 0]
    }

    /// ImageMagick's text around a profile.
    static func rawProfile(_ exif: [UInt8]) -> [UInt8] {
        Array("\nexif\n    \(exif.count)\n".utf8) + exif.flatMap { Array((($0 < 16 ? "0" : "") + String($0, radix: 16)).utf8) }
            + [0x0A]
    }

    /// An ICC profile that consists of its name and of its red, green and blue, where given.
    static func profile(_ name: String, space: String = "RGB ", colours: [[Double]] = []) -> [UInt8] {
        var tags: [(String, [UInt8])] = [
            ("desc", Array("desc".utf8) + big(0, 4) + big(name.utf8.count + 1, 4) + Array(name.utf8) + [0])
        ]
        for (tag, colour) in zip(["rXYZ", "gXYZ", "bXYZ"], colours) {
            tags.append((tag, Array("XYZ ".utf8) + big(0, 4) + colour.flatMap { big(Int(($0 * 65_536).rounded()), 4) }))
        }
        var table = big(tags.count, 4)
        var content: [UInt8] = []
        for (tag, data) in tags {
            table += Array(tag.utf8) + big(132 + 12 * tags.count + content.count, 4) + big(data.count, 4)
            content += data
        }
        let header = [UInt8](repeating: 0, count: 16) + Array(space.utf8) + [UInt8](repeating: 0, count: 16) + Array("acsp".utf8)
        return header + [UInt8](repeating: 0, count: 128 - header.count) + table + content
    }
}
