/// The first directory of a TIFF or BigTIFF: TIFF 6.0 and its Technical Notes. What is not read is refused here, before libtiff sees the file.
struct TIFFHeader {
    let header: ImageHeader
    /// Which sample of a pixel is alpha, from 0; none where each pixel is opaque.
    let alphaSample: Int?
    /// Whether the colours are multiplied by it.
    let isPremultiplied: Bool

    /// What a sample means; the raw values are the tag's.
    enum Colour: Int {
        case whiteIsZero = 0
        case blackIsZero, rgb, palette
        case inks = 5
        case yCbCr

        /// Samples a pixel without further ones, such as alpha.
        var samples: Int {
            switch self {
            case .whiteIsZero, .blackIsZero, .palette: 1
            case .rgb, .yCbCr: 3
            case .inks: 4
            }
        }
    }

    private enum Tag {
        static let width = 256
        static let height = 257
        static let bits = 258
        static let compression = 259
        static let colour = 262
        static let stripOffsets = 273
        static let orientation = 274
        static let samples = 277
        static let rowsPerStrip = 278
        static let stripCounts = 279
        static let planar = 284
        static let tileWidth = 322
        static let tileHeight = 323
        static let tileOffsets = 324
        static let tileCounts = 325
        static let inkSet = 332
        static let extraSamples = 338
        static let sampleFormat = 339
        static let profile = 34675
    }

    /// Those whose decoders are libtiff's own, zlib's and libjpeg's.
    private static let compressions = [1, 2, 3, 4, 5, 7, 8, 32773, 32946]
    private static let foreignCompressions = [
        6: "JPEG of the old style", 32771: "words of CCITT", 32809: "ThunderScan", 33003: "JPEG 2000", 33005: "JPEG 2000",
        34661: "JBIG",
        34676: "SGI LogLuv", 34677: "SGI LogLuv", 34712: "JPEG 2000", 34887: "LERC", 34892: "lossy DNG", 34925: "LZMA",
        50000: "Zstandard", 50001: "WebP", 50002: "JPEG XL", 52546: "JPEG XL",
    ]

    init(_ bytes: UnsafeRawBufferPointer) throws(ImageError) {
        let directory = try Directory(bytes)
        let width = try directory.side(Tag.width)
        let height = try directory.side(Tag.height)
        let compression = directory.number(Tag.compression) ?? 1
        guard Self.compressions.contains(compression) else {
            let name = Self.foreignCompressions[compression] ?? "the compression \(compression)"
            throw .unsupportedKind(.tiff, reason: name)
        }
        guard let meaning = directory.number(Tag.colour) else {
            throw .broken(.tiff, reason: "it does not say what its samples mean")
        }
        guard let colour = Colour(rawValue: meaning) else {
            let name = [
                4: "a mask", 8: "L*a*b*", 9: "L*a*b*", 10: "L*a*b*", 32803: "a sensor's data", 32844: "LogL", 32845: "LogLuv",
            ]
            throw .unsupportedKind(.tiff, reason: "its samples are \(name[meaning] ?? "of the kind \(meaning)")")
        }
        let samples = directory.number(Tag.samples) ?? 1
        guard samples >= colour.samples, samples <= 8 else {
            throw .unsupportedKind(.tiff, reason: "\(samples) samples a pixel")
        }
        let bits = try Self.bits(directory, colour, samples)
        if let format = directory.numbers(Tag.sampleFormat, upTo: samples).first(where: { $0 != 1 && $0 != 4 }) {
            throw .unsupportedKind(.tiff, reason: format == 3 ? "floating-point samples" : "samples that are not unsigned")
        }
        if colour == .inks, let inks = directory.number(Tag.inkSet), inks != 1 {
            throw .unsupportedKind(.tiff, reason: "other inks than cyan, magenta, yellow and black")
        }
        let planar = directory.number(Tag.planar) ?? 1
        guard planar == 1 || planar == 2 else {
            throw .broken(.tiff, reason: "its planes are arranged as \(planar), expected 1 or 2")
        }
        if colour == .yCbCr, compression != 7 || planar == 2 || samples != 3 || bits != 8 {
            throw .unsupportedKind(.tiff, reason: "YCbCr other than JPEG's")
        }
        (alphaSample, isPremultiplied) = Self.alpha(
            colour, samples, directory.numbers(Tag.extraSamples, upTo: samples - colour.samples))
        let orientation = directory.number(Tag.orientation) ?? 1

        // Either strips as wide as the picture, or tiles: what libtiff holds decoded at a time.
        let piece = try Self.piece(directory, width, height)
        let profile = directory.bytes(Tag.profile, upTo: OrientationSources.maxBytes)
        let pixels = width.multipliedReportingOverflow(by: height).partialValue
        let whole = planar == 2 ? pixels &* samples : 0
        header = ImageHeader(
            format: .tiff, width: width, height: height, orientation: (1...8).contains(orientation) ? orientation : 1,
            hasAlpha: alphaSample != nil, colourHint: colour == .inks ? .cmyk : profile.flatMap { ICCProfile.hint($0) },
            cost: ImageHeader.Cost(
                scans: 1, samples: piece.total &* samples, passes: "strips or tiles",
                // A piece as its file has it and decoded, both at most of these bytes where it is not made to burst.
                workingBytes: whole &+ 2 &* piece.area &* samples &* max(bits / 8, 1)))
    }

    /// The first further sample that is said to be alpha. Four samples of RGB without a word about the fourth, or with one of Corel's that means nothing,
    /// have it too, as Pillow takes them.
    private static func alpha(_ colour: Colour, _ samples: Int, _ extras: [Int]) -> (sample: Int?, isPremultiplied: Bool) {
        if let place = extras.firstIndex(where: { $0 == 1 || $0 == 2 }) { return (colour.samples + place, extras[place] == 1) }
        let isUnnamed = colour == .rgb && samples == 4 && (extras.isEmpty || extras[0] > 2)
        return (isUnnamed ? 3 : nil, false)
    }

    private static func bits(_ directory: Directory, _ colour: Colour, _ samples: Int) throws(ImageError) -> Int {
        let all = directory.numbers(Tag.bits, upTo: samples)
        let bits = all.first ?? 1
        guard all.allSatisfy({ $0 == bits }) else { throw .unsupportedKind(.tiff, reason: "samples of different sizes") }
        let allowed = samples > 1 ? [8, 16] : colour == .palette ? [1, 2, 4, 8] : [1, 2, 4, 8, 16]
        guard allowed.contains(bits) else { throw .unsupportedKind(.tiff, reason: "\(bits) bits per sample") }
        return bits
    }

    /// - Returns: the pixels of one strip or tile, and of all together, padding included.
    /// - Throws: `.truncated` where one lies outside of the file.
    private static func piece(_ directory: Directory, _ width: Int, _ height: Int) throws(ImageError) -> (area: Int, total: Int) {
        if directory.has(Tag.tileOffsets) || directory.has(Tag.tileWidth) {
            let w = try directory.side(Tag.tileWidth)
            let h = try directory.side(Tag.tileHeight)
            try directory.checkPieces(Tag.tileOffsets, Tag.tileCounts)
            let (area, tooLarge) = w.multipliedReportingOverflow(by: h)
            let (count, tooMany) = ((width - 1) / w + 1).multipliedReportingOverflow(by: (height - 1) / h + 1)
            let (total, overflow) = area.multipliedReportingOverflow(by: count)
            guard !tooLarge, !tooMany, !overflow, total < Int.max / 64 else {
                throw .broken(.tiff, reason: "its tiles are \(w) x \(h)")
            }
            return (area, total)
        }
        try directory.checkPieces(Tag.stripOffsets, Tag.stripCounts)
        let rows = min(directory.number(Tag.rowsPerStrip) ?? height, height)
        guard rows > 0 else { throw .broken(.tiff, reason: "its strips have no row") }
        let (total, overflow) = width.multipliedReportingOverflow(by: height)
        // More than any limit lets in.
        guard !overflow, total < Int.max / 64 else { return (0, Int.max / 64) }
        return (width * rows, total)
    }

    /// Entries of twelve or twenty bytes: a tag, a type, a count, and the values or where they stand.
    private struct Directory {
        private let reader: ByteReader
        private let isBig: Bool
        private var entries: [Int: (type: Int, count: Int, place: Int)] = [:]

        /// Bytes of the types that hold whole numbers or bytes: BYTE, ASCII, SHORT, LONG, UNDEFINED, IFD, LONG8, IFD8.
        private static let sizes = [1: 1, 2: 1, 3: 2, 4: 4, 7: 1, 13: 4, 16: 8, 18: 8]
        /// Of the others: fractions, numbers with a sign, floating-point numbers.
        private static let sizesOfOthers = [5: 8, 6: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 17: 8]

        init(_ bytes: UnsafeRawBufferPointer) throws(ImageError) {
            var reader = ByteReader(bytes: bytes)
            reader.littleEndian = reader.starts(with: "II")
            self.reader = reader
            isBig = reader.number16(2) == 43
            guard let start = isBig ? reader.number64(8) : reader.number32(4),
                let count = isBig ? reader.number64(start) : reader.number16(start)
            else { throw .truncated(.tiff) }
            guard count > 0, count < 1 << 16 else { throw .broken(.tiff, reason: "its directory has \(count) entries") }
            let size = isBig ? 20 : 12
            for index in 0..<count {
                let entry = start + (isBig ? 8 : 2) + size * index
                guard reader.slice(entry, size) != nil, let tag = reader.number16(entry), let type = reader.number16(entry + 2),
                    let count = isBig ? reader.number64(entry + 4) : reader.number32(entry + 4)
                else { throw .truncated(.tiff) }
                guard let size = Self.sizes[type] ?? Self.sizesOfOthers[type], count > 0 else { continue }
                let value = entry + (isBig ? 12 : 8)
                let isInside = count <= (isBig ? 8 : 4) / size
                // Values that nobody reads have to be there too: where they are not, the file is cut off.
                guard let place = isInside ? value : isBig ? reader.number64(value) : reader.number32(value),
                    place <= reader.count,
                    count <= (reader.count - place) / size
                else { throw .truncated(.tiff) }
                // Of one tag twice the first counts, as for libtiff.
                if entries[tag] == nil { entries[tag] = (type, count, place) }
            }
        }

        func has(_ tag: Int) -> Bool { entries[tag] != nil }

        func number(_ tag: Int, at index: Int = 0) -> Int? {
            guard let entry = entries[tag], index < entry.count, let size = Self.sizes[entry.type] else { return nil }
            let place = entry.place + index * size
            return switch size {
            case 1: reader.byte(place)
            case 2: reader.number16(place)
            case 4: reader.number32(place)
            default: reader.number64(place)
            }
        }

        func numbers(_ tag: Int, upTo limit: Int) -> [Int] {
            (0..<min(entries[tag]?.count ?? 0, max(limit, 0))).compactMap { number(tag, at: $0) }
        }

        func bytes(_ tag: Int, upTo limit: Int) -> UnsafeRawBufferPointer? {
            guard let entry = entries[tag], Self.sizes[entry.type] == 1 else { return nil }
            return reader.slice(entry.place, min(entry.count, limit))
        }

        func side(_ tag: Int) throws(ImageError) -> Int {
            guard let value = number(tag) else {
                throw has(tag) ? .truncated(.tiff) : .broken(.tiff, reason: "its directory does not give a size (tag \(tag))")
            }
            guard value > 0, value <= Int(Int32.max) else {
                throw .broken(.tiff, reason: "its directory gives a side of \(value) (tag \(tag))")
            }
            return value
        }

        /// Whether every strip or tile lies in the file. Counts may be left out of a picture that is not compressed; libtiff then works them out.
        func checkPieces(_ offsets: Int, _ counts: Int) throws(ImageError) {
            guard let pieces = entries[offsets]?.count else { throw .broken(.tiff, reason: "it has no data") }
            for index in 0..<pieces {
                guard let offset = number(offsets, at: index) else { throw .truncated(.tiff) }
                guard offset <= reader.count, (has(counts) ? number(counts, at: index) ?? 0 : 0) <= reader.count - offset else {
                    throw .truncated(.tiff)
                }
            }
        }
    }
}
