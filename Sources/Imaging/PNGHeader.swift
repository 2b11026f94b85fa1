import CImaging

/// The chunks of a PNG: its header, and those that may hold an orientation or a profile, wherever they stand.
enum PNGHeader {
    static let signature: [UInt8] = [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]

    /// The last chunk of each kind, found before any of them is inflated: a file of a megabyte can hold a thousand that give a megabyte each.
    private struct Metadata {
        var exif: UnsafeRawBufferPointer?
        var rawProfile: Text?
        var xmp: Text?
        var profile: Text?
        var hasTransparency = false
    }

    /// A text or a profile behind its name.
    private struct Text {
        let data: UnsafeRawBufferPointer
        let isDeflated: Bool
    }

    static func read(_ bytes: UnsafeRawBufferPointer) throws(ImageError) -> ImageHeader {
        let reader = ByteReader(bytes: bytes)
        guard let width = reader.number32(16), let height = reader.number32(20), let colour = reader.byte(25) else {
            throw .truncated(.png)
        }
        guard reader.number32(8) == 13, reader.starts(with: "IHDR", at: 12) else {
            throw .broken(.png, reason: "it does not begin with its header")
        }
        guard width > 0, height > 0 else { throw .broken(.png, reason: "its size is \(width) x \(height)") }

        let metadata = try walk(reader, colour: colour)
        // All texts together may inflate to this; the orientation comes first.
        var budget = OrientationSources.maxBytes
        var sources = OrientationSources()
        if let exif = metadata.exif {
            sources.set(exif: exif)
        } else if let text = metadata.rawProfile {
            sources.set(exif: rawProfile(content(of: text, &budget)))
        }
        if let text = metadata.xmp { sources.set(xmp: content(of: text, &budget)) }
        let hint = metadata.profile.flatMap { ICCProfile.hint(content(of: $0, &budget)) }
        let hasAlpha = colour & 4 != 0 || metadata.hasTransparency
        let (pixels, _) = width.multipliedReportingOverflow(by: height)
        let isInterlaced = reader.byte(28) == 1
        return ImageHeader(
            format: .png, width: width, height: height, orientation: sources.orientation, hasAlpha: hasAlpha, colourHint: hint,
            cost: ImageHeader.Cost(scans: 1, samples: 0, workingBytes: isInterlaced && hasAlpha ? 4 &* pixels : 0))
    }

    private static func walk(_ reader: ByteReader, colour: Int) throws(ImageError) -> Metadata {
        var found = Metadata()
        var position = 8
        // A chunk that is cut off ends the walk only: whether the picture is whole is for its decoder to say.
        while let length = reader.number32(position), let data = reader.slice(position + 8, length),
            let kind = reader.slice(position + 4, 4).map({ String(decoding: $0, as: UTF8.self) }), kind != "IEND"
        {
            let content = ByteReader(bytes: data)
            switch kind {
            case "tRNS": found.hasTransparency = true
            // A truecolour picture's palette is a suggestion; libpng drops a transparent colour that stands before it.
            case "PLTE" where colour == 2: found.hasTransparency = false
            case "eXIf": found.exif = data
            case "iCCP":
                try checkCompression(of: content)
                if let end = content.firstIndex(of: 0), let stream = content.slice(end + 2, data.count - end - 2) {
                    found.profile = Text(data: stream, isDeflated: true)
                }
            case "tEXt", "zTXt", "iTXt":
                if kind == "zTXt" { try checkCompression(of: content) }
                if let text = text(content, kind, keyword: "Raw profile type exif") {
                    found.rawProfile = text
                } else if let text = text(content, kind, keyword: "XML:com.adobe.xmp") {
                    found.xmp = text
                }
            default: break
            }
            position += 12 + length
        }
        return found
    }

    /// A profile or a text begins with its name and the number of its compression method, of which there is one. Neither is needed, but a file
    /// that names another method is not a PNG, and Pillow refuses it.
    private static func checkCompression(of data: ByteReader) throws(ImageError) {
        guard let end = data.firstIndex(of: 0), let method = data.byte(end + 1), method != 0 else { return }
        throw .broken(.png, reason: "it names the unknown compression method \(method)")
    }

    /// The text under `keyword` if this chunk of text has that keyword.
    private static func text(_ content: ByteReader, _ kind: String, keyword: StaticString) -> Text? {
        let size = keyword.utf8CodeUnitCount
        guard content.starts(with: keyword), content.byte(size) == 0 else { return nil }
        func rest(from start: Int, isDeflated: Bool) -> Text? {
            content.slice(start, content.count - start).map { Text(data: $0, isDeflated: isDeflated) }
        }
        switch kind {
        case "tEXt": return rest(from: size + 1, isDeflated: false)
        case "zTXt": return rest(from: size + 2, isDeflated: true)
        default:
            // Flag, method, language, translated keyword, text.
            guard let flag = content.byte(size + 1), let language = content.firstIndex(of: 0, from: size + 3),
                let translated = content.firstIndex(of: 0, from: language + 1)
            else { return nil }
            return rest(from: translated + 1, isDeflated: flag != 0)
        }
    }

    /// A text as far as it is within the budget, which it uses up; empty where it does not inflate, or to more.
    private static func content(of text: Text, _ budget: inout Int) -> [UInt8] {
        guard text.isDeflated else {
            let content = Array(text.data.prefix(budget))
            budget -= content.count
            return content
        }
        guard budget > 0, let source = text.data.bindMemory(to: UInt8.self).baseAddress else { return [] }
        let room = budget
        var whole = false
        let content = [UInt8](unsafeUninitializedCapacity: room) { buffer, count in
            whole = withMessage { ci_inflate(source, text.data.count, buffer.baseAddress, room, &count, $0) }.status == CI_OK
        }
        // A stream that gives more has cost the whole budget too.
        budget -= whole ? content.count : room
        return whole ? content : []
    }

    /// ImageMagick's way to keep a profile in text: an empty line, its name, its length, then lines of hexadecimal digits.
    private static func rawProfile(_ text: [UInt8]) -> [UInt8] {
        var profile: [UInt8] = []
        var lines = 0
        var high: UInt8?
        for byte in text {
            if byte == UInt8(ascii: "\n") { lines += 1 }
            guard lines >= 3, let digit = hexadecimal(byte) else { continue }
            if let first = high {
                profile.append(first << 4 | digit)
                high = nil
            } else {
                high = digit
            }
        }
        // Half a byte at the end means that something is missing.
        return high == nil ? profile : []
    }

    private static func hexadecimal(_ byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
        default: nil
        }
    }
}
