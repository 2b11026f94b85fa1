/// What a file holds, judged by its first bytes; its name plays no part.
public enum FileKind: Sendable, Equatable {
    /// A picture of a format that is read, as far as its first bytes tell.
    case picture(ImageFormat)
    /// A picture of a format that is not read, such as BMP.
    case otherPicture(String)
    /// A camera's raw data, by the ending that its maker gives it, such as NEF.
    case cameraRaw(String)
    /// Something known that is no picture, such as a film or a PDF document.
    case other(String)
    /// A format that is read behind so many other bytes: what a script has written in front of it.
    case behindBytes(Int, ImageFormat)
    /// A format that is read, whose bytes were changed as text.
    case changedAsText(ImageFormat)
    case text
    case unknown
    case empty

    /// So many bytes of a file's beginning are enough.
    public static let bytesToJudge = 4096

    /// - Parameter start: the first bytes of a file, `bytesToJudge` of them or all that it has.
    public init(firstBytes start: some Collection<UInt8>) {
        let start = Array(start.prefix(Self.bytesToJudge))
        self = start.withUnsafeBytes { FileKind(of: $0) }
    }

    init(of bytes: UnsafeRawBufferPointer) {
        let bytes = UnsafeRawBufferPointer(rebasing: bytes.prefix(Self.bytesToJudge))
        let reader = ByteReader(bytes: bytes)
        self =
            if bytes.isEmpty {
                .empty
            } else if let format = Self.format(reader, at: 0) {
                .picture(format)
            } else if let kind = Self.known(reader) {
                kind
            } else if let kind = Self.damaged(reader) {
                kind
            } else if Self.isText(bytes) {
                .text
            } else if Self.isTGA(reader) {
                // Last, since nothing in it is a mark of its own.
                .otherPicture("TGA")
            } else {
                .unknown
            }
    }

    /// The name for a count of files of one kind: "PNG", "camera raw", "text", …
    public var name: String {
        switch self {
        case .picture(let format), .behindBytes(_, let format), .changedAsText(let format): format.displayName
        case .otherPicture(let name), .other(let name): name
        case .cameraRaw: "camera raw"
        case .text: "text"
        case .unknown: "unknown"
        case .empty: "empty"
        }
    }

    private static func format(_ reader: ByteReader, at offset: Int) -> ImageFormat? {
        if reader.starts(withBytes: [0xFF, 0xD8, 0xFF], at: offset) { return .jpeg }
        if reader.starts(withBytes: PNGHeader.signature, at: offset) { return .png }
        if reader.starts(with: "RIFF", at: offset), reader.starts(with: "WEBP", at: offset + 8) { return .webp }
        return nil
    }

    private static func known(_ reader: ByteReader) -> FileKind? {
        if reader.starts(with: "GIF87a") || reader.starts(with: "GIF89a") { return .picture(.gif) }
        if isBMP(reader) { return .otherPicture("BMP") }
        if let kind = tiff(reader) { return kind }
        if reader.starts(with: "8BPS") { return .otherPicture("PSD") }
        if isWindowsIcon(reader, kind: 1) { return .otherPicture("ICO") }
        if isWindowsIcon(reader, kind: 2) { return .otherPicture("CUR") }
        if reader.starts(with: "ftyp", at: 4) { return isobmff(reader) }
        if reader.starts(withBytes: [0xFF, 0x0A]) || reader.starts(with: "JXL ", at: 4) { return .otherPicture("JPEG XL") }
        if reader.starts(with: "jP  ", at: 4) || reader.starts(withBytes: [0xFF, 0x4F, 0xFF, 0x51]) {
            return .otherPicture("JPEG 2000")
        }
        if reader.starts(with: "FUJIFILMCCD-RAW") { return .cameraRaw("RAF") }
        if reader.starts(withBytes: [0x49, 0x49, 0x55, 0]) { return .cameraRaw("RW2") }
        for mark in ["IIRO", "IIRS", "MMOR"] as [StaticString] where reader.starts(with: mark) { return .cameraRaw("ORF") }
        if reader.starts(with: "HEAPCCDR", at: 6) { return .cameraRaw("CRW") }
        if reader.starts(with: "FOVb") { return .cameraRaw("X3F") }
        if reader.starts(with: "%PDF-") { return .other("PDF document") }
        if reader.starts(withBytes: [0x1A, 0x45, 0xDF, 0xA3]) { return .other("film (Matroska or WebM)") }
        if reader.starts(with: "RIFF"), reader.starts(with: "AVI ", at: 8) { return .other("film (AVI)") }
        // Sound may carry a cover picture, and an archive any.
        if reader.starts(with: "ID3") || reader.starts(with: "fLaC") || reader.starts(with: "OggS") {
            return .other("sound file")
        }
        if reader.starts(withBytes: [0x50, 0x4B, 3, 4]) { return .other("ZIP archive") }
        if isSVG(reader.bytes) { return .otherPicture("SVG") }
        return nil
    }

    /// "BM" alone could begin a text, which has no bytes of zero; a BMP has two reserved words that mostly are, and then one of few header sizes.
    private static func isBMP(_ reader: ByteReader) -> Bool {
        guard reader.starts(with: "BM") else { return false }
        let little = ByteReader(bytes: reader.bytes, littleEndian: true)
        return reader.starts(withBytes: [0, 0, 0, 0], at: 6)
            || [12, 16, 40, 52, 56, 64, 108, 124].contains(little.number32(14) ?? 0)
    }

    /// A folder of icons or cursors: 0, the kind, a count, then entries whose fourth byte is 0. A TGA may begin alike, with a count of 0.
    private static func isWindowsIcon(_ reader: ByteReader, kind: UInt8) -> Bool {
        reader.starts(withBytes: [0, 0, kind, 0]) && reader.number16(4) != 0 && reader.number16(4) != nil
            && (reader.byte(9) ?? 0) == 0
    }

    /// No mark, but fields of few values each: a map of colours only where the kind has one, a size, a depth.
    private static func isTGA(_ reader: ByteReader) -> Bool {
        let little = ByteReader(bytes: reader.bytes, littleEndian: true)
        guard reader.count >= 18, let map = reader.byte(1), let kind = reader.byte(2), let depth = reader.byte(16) else {
            return false
        }
        let isMapped = kind == 1 || kind == 9
        guard isMapped || [2, 3, 10, 11].contains(kind), map == (isMapped ? 1 : 0) else { return false }
        guard isMapped ? [15, 16, 24, 32].contains(reader.byte(7) ?? 0) : reader.starts(withBytes: [0, 0, 0, 0, 0], at: 3) else {
            return false
        }
        guard let width = little.number16(12), let height = little.number16(14), width > 0, height > 0 else { return false }
        return [8, 15, 16, 24, 32].contains(depth) && (reader.byte(17) ?? 0xFF) & 0xC0 == 0
    }

    /// A TIFF, or one of the many raw formats that are made of it: what stands in its first directory tells.
    private static func tiff(_ reader: ByteReader) -> FileKind? {
        var reader = reader
        if reader.starts(withBytes: [0x49, 0x49, 42, 0]) || reader.starts(withBytes: [0x49, 0x49, 43, 0]) {
            reader.littleEndian = true
        } else if !reader.starts(withBytes: [0x4D, 0x4D, 0, 42]), !reader.starts(withBytes: [0x4D, 0x4D, 0, 43]) {
            return nil
        }
        if reader.starts(with: "CR", at: 8) { return .cameraRaw("CR2") }
        guard let directory = reader.number32(4), let entries = reader.number16(directory) else { return .picture(.tiff) }
        var isPreview = false
        var hasOthers = false
        var maker = 0
        for index in 0..<entries {
            let entry = directory + 2 + 12 * index
            guard let tag = reader.number16(entry) else { break }
            switch tag {
            case 254: isPreview = reader.number32(entry + 8) == 1
            case 271: maker = reader.number32(entry + 8) ?? 0
            case 330: hasOthers = true
            // DNGVersion.
            case 50706: return .cameraRaw("DNG")
            default: break
            }
        }
        // Raw files show a small preview first and have the sensor's data behind; what a program has saved shows the picture itself.
        guard isPreview, hasOthers else { return .picture(.tiff) }
        if reader.starts(with: "NIKON", at: maker) { return .cameraRaw("NEF") }
        if reader.starts(with: "SONY", at: maker) { return .cameraRaw("ARW") }
        if reader.starts(with: "PENTAX", at: maker) { return .cameraRaw("PEF") }
        return .picture(.tiff)
    }

    /// AVIF, HEIC, raw files and films share a container and are told apart by its brands: the major one, then the compatible ones.
    private static func isobmff(_ reader: ByteReader) -> FileKind {
        if reader.starts(with: "crx ", at: 8) { return .cameraRaw("CR3") }
        // The short form, which names its codec where others have a version, and which libheif does not read yet.
        if reader.starts(with: "mif3", at: 8) { return .otherPicture(reader.starts(with: "avif", at: 12) ? "AVIF" : "HEIF") }
        let size = min(reader.number32(0) ?? 0, reader.count, 256)
        for offset in [8] + Array(stride(from: 16, to: max(size - 3, 16), by: 4)) {
            if reader.starts(with: "avif", at: offset) || reader.starts(with: "avis", at: offset) { return .picture(.avif) }
            for brand in ["heic", "heix", "heim", "heis", "hevc", "hevx", "hevm", "hevs"] as [StaticString]
            where reader.starts(with: brand, at: offset) { return .picture(.heic) }
        }
        let isPicture = reader.starts(with: "mif1", at: 8) || reader.starts(with: "msf1", at: 8)
        // A container that names no codec is of the kind that its picture says (`HEIFHeader`).
        return isPicture ? .picture(.heic) : .other("film (MP4 or QuickTime)")
    }

    /// What was a picture before somebody's script or transfer.
    private static func damaged(_ reader: ByteReader) -> FileKind? {
        // Ends of lines changed in either way, the highest bit cut off, or the whole read as UTF-8.
        for mark: [UInt8] in [
            [0x89, 0x50, 0x4E, 0x47, 0x0A], [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x1A], [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0D],
            [0x09, 0x50, 0x4E, 0x47, 0x0D, 0x0A], [0xEF, 0xBF, 0xBD, 0x50, 0x4E, 0x47], [0xC2, 0x89, 0x50, 0x4E, 0x47],
        ] where reader.starts(withBytes: mark) { return .changedAsText(.png) }
        if reader.starts(withBytes: [0xEF, 0xBF, 0xBD, 0xEF, 0xBF, 0xBD, 0xEF, 0xBF, 0xBD])
            || reader.starts(withBytes: [0xC3, 0xBF, 0xC3, 0x98, 0xC3, 0xBF])
        {
            return .changedAsText(.jpeg)
        }
        // Blank lines, a byte order mark, a warning of the script that gave the picture out.
        for offset in 1..<512 {
            guard let byte = reader.byte(offset) else { break }
            guard byte == 0xFF || byte == 0x89 || byte == 0x52, let format = format(reader, at: offset) else { continue }
            // A picture deep in other binary data belongs to them.
            guard offset <= 4 || isText(UnsafeRawBufferPointer(rebasing: reader.bytes.prefix(offset))) else { return nil }
            return .behindBytes(offset, format)
        }
        return nil
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
