import CImaging

/// The chunks of a PNG: its header, and those that may hold an orientation, wherever they stand.
enum PNGHeader {
    static let signature: [UInt8] = [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]

    /// What compressed metadata may inflate to. EXIF and XMP are of a few kilobytes; more is not worth the memory.
    private static let maxText = 1 << 20

    static func read(_ bytes: UnsafeRawBufferPointer) throws(ImageError) -> ImageHeader {
        let reader = ByteReader(bytes: bytes)
        guard let width = reader.number32(16), let height = reader.number32(20), let colour = reader.byte(25) else {
            throw .truncated(.png)
        }
        guard reader.number32(8) == 13, reader.starts(with: "IHDR", at: 12) else {
            throw .broken(.png, reason: "it does not begin with its header")
        }
        guard width > 0, height > 0 else { throw .broken(.png, reason: "its size is \(width) x \(height)") }

        var hasAlpha = colour & 4 != 0
        var sources = OrientationSources()
        var rawProfile: [UInt8] = []
        var hasEXIF = false
        var position = 8
        // A chunk that is cut off ends the walk only: whether the picture is whole is for its decoder to say.
        while let length = reader.number32(position), let data = reader.slice(position + 8, length),
            !reader.starts(with: "IEND", at: position + 4)
        {
            if reader.starts(with: "tRNS", at: position + 4) {
                hasAlpha = true
            } else if reader.starts(with: "eXIf", at: position + 4) {
                sources.exif = Array(data)
                hasEXIF = true
            } else if let text = text(data, kind: reader, at: position + 4, keyword: "Raw profile type exif") {
                rawProfile = text
            } else if let text = text(data, kind: reader, at: position + 4, keyword: "XML:com.adobe.xmp") {
                sources.xmp = text
            }
            if reader.starts(with: "iCCP", at: position + 4) || reader.starts(with: "zTXt", at: position + 4) {
                try checkCompression(of: data)
            }
            position += 12 + length
        }
        if !hasEXIF, !rawProfile.isEmpty { sources.exif = profile(rawProfile) }
        return ImageHeader(format: .png, width: width, height: height, orientation: sources.orientation, hasAlpha: hasAlpha)
    }

    /// A profile or a text begins with its name and the number of its compression method, of which there is one. Neither is needed, but a file
    /// that names another method is not a PNG, and Pillow refuses it.
    private static func checkCompression(of data: UnsafeRawBufferPointer) throws(ImageError) {
        guard let end = data.firstIndex(of: 0), let method = ByteReader(bytes: data).byte(end + 1), method != 0 else { return }
        throw .broken(.png, reason: "it names the unknown compression method \(method)")
    }

    /// The text under `keyword` if this is a chunk of text under that keyword: tEXt, zTXt or iTXt.
    private static func text(
        _ data: UnsafeRawBufferPointer, kind reader: ByteReader, at offset: Int, keyword: StaticString
    ) -> [UInt8]? {
        let content = ByteReader(bytes: data)
        let size = keyword.utf8CodeUnitCount
        guard content.starts(with: keyword), content.byte(size) == 0 else { return nil }
        let rest = data.dropFirst(size + 1)
        if reader.starts(with: "tEXt", at: offset) { return Array(rest) }
        if reader.starts(with: "zTXt", at: offset) { return rest.first == 0 ? inflated(rest.dropFirst()) : nil }
        guard reader.starts(with: "iTXt", at: offset), rest.count >= 2 else { return nil }
        // Flag, method, language, translated keyword, text.
        let parts = rest.dropFirst(2).split(separator: 0, maxSplits: 2, omittingEmptySubsequences: false)
        guard parts.count == 3 else { return nil }
        return rest[rest.startIndex] == 0 ? Array(parts[2]) : inflated(parts[2])
    }

    private static func inflated(_ stream: Slice<UnsafeRawBufferPointer>) -> [UInt8]? {
        let stream = UnsafeRawBufferPointer(rebasing: stream)
        guard let source = stream.bindMemory(to: UInt8.self).baseAddress else { return nil }
        var whole = false
        let text = [UInt8](unsafeUninitializedCapacity: maxText) { buffer, count in
            whole = withMessage { ci_inflate(source, stream.count, buffer.baseAddress, maxText, &count, $0) }.status == CI_OK
        }
        return whole ? text : nil
    }

    /// ImageMagick's way to keep a profile in text: an empty line, its name, its length, then lines of hexadecimal digits.
    private static func profile(_ text: [UInt8]) -> [UInt8] {
        let lines = text.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        let digits = lines.dropFirst(3).joined().compactMap { Character(UnicodeScalar($0)).hexDigitValue }
        guard digits.count.isMultiple(of: 2) else { return [] }
        return stride(from: 0, to: digits.count, by: 2).map { UInt8(digits[$0] << 4 | digits[$0 + 1]) }
    }
}
