/// The formats that are read. MPO files count as JPEG: their first picture is one.
public enum ImageFormat: String, Sendable, CaseIterable {
    case jpeg, png, webp

    var displayName: String {
        switch self {
        case .jpeg: "JPEG"
        case .png: "PNG"
        case .webp: "WebP"
        }
    }

    /// Recognises a format by its first bytes; the name of the file plays no part.
    /// - Throws: `.empty`, `.unsupportedFormat`, `.text`, `.unknownFormat`, or `.truncated` for what ends within a signature we read.
    init(of bytes: UnsafeRawBufferPointer) throws(ImageError) {
        let reader = ByteReader(bytes: bytes)
        guard !bytes.isEmpty else { throw .empty }
        if reader.starts(withBytes: [0xFF, 0xD8, 0xFF]) {
            self = .jpeg
        } else if reader.starts(withBytes: PNGHeader.signature) {
            self = .png
        } else if reader.starts(with: "RIFF"), reader.starts(with: "WEBP", at: 8) {
            self = .webp
        } else if let format = ImageFormat.cutSignature(reader) {
            throw .truncated(format)
        } else if let name = ImageFormat.foreignName(reader) {
            throw .unsupportedFormat(name)
        } else if ImageFormat.isText(bytes) {
            throw .text
        } else {
            throw .unknownFormat(firstBytes: Array(bytes.prefix(8)))
        }
    }

    /// A file that ends in the middle of a signature of ours.
    private static func cutSignature(_ reader: ByteReader) -> ImageFormat? {
        let bytes = reader.bytes
        if bytes.count < 3, [0xFF, 0xD8, 0xFF].starts(with: bytes) { return .jpeg }
        if bytes.count < 8, PNGHeader.signature.starts(with: bytes) { return .png }
        if bytes.count < 12, reader.starts(with: "RIFF") { return .webp }
        return nil
    }

    private static func foreignName(_ reader: ByteReader) -> String? {
        if reader.starts(with: "GIF87a") || reader.starts(with: "GIF89a") { return "GIF" }
        // "BM" alone could begin a text: a BMP's header is never shorter than this and has two reserved words of zero.
        if reader.starts(with: "BM"), reader.starts(withBytes: [0, 0, 0, 0], at: 6) { return "BMP" }
        for magic: [UInt8] in [[0x49, 0x49, 42, 0], [0x4D, 0x4D, 0, 42], [0x49, 0x49, 43, 0], [0x4D, 0x4D, 0, 43]]
        where reader.starts(withBytes: magic) { return "TIFF" }
        if reader.starts(with: "8BPS") { return "PSD" }
        if reader.starts(withBytes: [0, 0, 1, 0]) { return "ICO" }
        if reader.starts(withBytes: [0, 0, 2, 0]) { return "CUR" }
        if reader.starts(with: "ftyp", at: 4) { return isobmffName(reader) }
        if reader.starts(withBytes: [0xFF, 0x0A]) || reader.starts(with: "JXL ", at: 4) { return "JPEG XL" }
        if reader.starts(with: "jP  ", at: 4) || reader.starts(withBytes: [0xFF, 0x4F, 0xFF, 0x51]) { return "JPEG 2000" }
        if reader.starts(with: "%PDF-") { return "PDF" }
        if isSVG(reader.bytes) { return "SVG" }
        return nil
    }

    /// AVIF and HEIC share a container and are told apart by its brands: the major one, then the compatible ones.
    private static func isobmffName(_ reader: ByteReader) -> String? {
        let size = min(reader.number32(0) ?? 0, reader.count, 256)
        for offset in [8] + Array(stride(from: 16, to: max(size - 3, 16), by: 4)) {
            if reader.starts(with: "avif", at: offset) || reader.starts(with: "avis", at: offset) { return "AVIF" }
            if ["heic", "heix", "heim", "heis", "hevc", "hevx"].contains(where: {
                reader.slice(offset, 4)?.elementsEqual($0.utf8) ?? false
            }) {
                return "HEIC"
            }
        }
        return reader.starts(with: "mif1", at: 8) || reader.starts(with: "msf1", at: 8) ? "HEIF" : "MP4 or QuickTime"
    }

    /// An `<svg` element among the first kilobyte of text.
    private static func isSVG(_ bytes: UnsafeRawBufferPointer) -> Bool {
        guard isText(bytes) else { return false }
        let start = String(decoding: bytes.prefix(1024), as: UTF8.self)
        return start.firstRange(of: "<svg") != nil
    }

    /// Whether the first half kilobyte is UTF-8 without control characters other than blanks.
    private static func isText(_ bytes: UnsafeRawBufferPointer) -> Bool {
        let start = bytes.prefix(512)
        guard !start.contains(where: { $0 == 0x7F || ($0 < 0x20 && !(9...13).contains($0)) }) else { return false }
        // A character cut by the end of the window decodes to one replacement character, which is not held against the text.
        let text = String(decoding: start, as: UTF8.self)
        let wrong = text.unicodeScalars.lazy.filter { $0 == "\u{FFFD}" }.count
        return wrong == 0 || (wrong == 1 && bytes.count > 512 && text.unicodeScalars.last == "\u{FFFD}")
    }
}
