/// The boxes of a HEIF file that describe its items: `meta` with `pitm`, `iinf`, `iloc`, `iprp`, `iref` and `idat` (ISO/IEC 14496-12, 23008-12).
struct HEIFContainer {
    struct Item {
        let kind: String
        /// Where its data lie, in the file or in `idat`.
        var extents: [(start: Int, count: Int)] = []
        var isInline = false
        /// Whether its data lie where nothing looks for them: in another item or another file.
        var isElsewhere = false
        /// Places in `properties`, in the order in which they are applied.
        var properties: [Int] = []
    }

    struct Size: Equatable {
        let width: Int
        let height: Int
    }

    struct Reference: Hashable {
        let from: Int
        let kind: String
    }

    /// Pieces of items in one file: real ones have one for each item.
    private static let maxExtents = 1 << 17

    let format: ImageFormat
    private(set) var primary: Int?
    private(set) var items: [Int: Item] = [:]
    private(set) var references: [Reference: [Int]] = [:]
    /// Whether there is a film beside, or in place of, the still pictures.
    private(set) var isSequence = false
    private let reader: ByteReader
    private var properties: [(kind: String, content: UnsafeRawBufferPointer)] = []
    private var inline = UnsafeRawBufferPointer(start: nil, count: 0)

    /// - Throws: `.truncated` where a box or an item's data end behind the file, `.broken` for boxes that do not fit together.
    init(_ bytes: UnsafeRawBufferPointer, _ format: ImageFormat) throws(ImageError) {
        self.format = format
        reader = ByteReader(bytes: bytes)
        var meta: UnsafeRawBufferPointer?
        do throws(ImageError) {
            try Self.walk(bytes, format, isWhole: true) { kind, content in
                if kind == "meta", meta == nil { meta = content }
                if kind == "moov" { isSequence = true }
            }
        } catch {
            // Some phones write behind the boxes what is none; a box that is known and goes on beyond the file is cut off.
            guard meta != nil, error != .truncated(format) else { throw error }
        }
        guard let meta else {
            if isSequence { return }
            throw .truncated(format)
        }
        guard meta.count >= 4 else { throw malformed }
        for box in try boxes(UnsafeRawBufferPointer(rebasing: meta.dropFirst(4))) {
            let content = ByteReader(bytes: box.content)
            switch box.kind {
            case "pitm": primary = content.byte(0) == 0 ? content.number16(4) : content.number32(4)
            case "iinf": try readItems(box.content)
            case "iref": try readReferences(box.content)
            case "idat": inline = box.content
            case "iprp": try readProperties(box.content)
            default: break
            }
        }
        // Places and properties belong to items, which may be named behind them.
        for box in try boxes(UnsafeRawBufferPointer(rebasing: meta.dropFirst(4))) {
            if box.kind == "iloc" { try readPlaces(ByteReader(bytes: box.content)) }
            if box.kind == "iprp" {
                for part in try boxes(box.content) where part.kind == "ipma" {
                    try readAssociations(ByteReader(bytes: part.content))
                }
            }
        }
    }

    private var malformed: ImageError { .broken(format, reason: "its boxes do not fit together") }

    private func boxes(_ bytes: UnsafeRawBufferPointer) throws(ImageError) -> [(kind: String, content: UnsafeRawBufferPointer)] {
        var found: [(kind: String, content: UnsafeRawBufferPointer)] = []
        try Self.walk(bytes, format) { found.append(($0, $1)) }
        return found
    }

    /// What may stand beside `meta` on the highest level.
    private static let known: Set<String> = [
        "ftyp", "meta", "mdat", "moov", "moof", "free", "skip", "uuid", "idat", "mfra", "sidx",
    ]

    /// Visits the boxes that lie one behind the other.
    /// - Throws: `.truncated` where one of a known kind, or that lies in another, goes on beyond the data; `.broken` for what is no box.
    private static func walk(
        _ bytes: UnsafeRawBufferPointer, _ format: ImageFormat, isWhole: Bool = false,
        _ visit: (String, UnsafeRawBufferPointer) -> Void
    ) throws(ImageError) {
        let malformed = ImageError.broken(format, reason: "its boxes do not fit together")
        let reader = ByteReader(bytes: bytes)
        var position = 0
        while position < bytes.count {
            guard var size = reader.number32(position),
                let kind = reader.slice(position + 4, 4).map({ String(decoding: $0, as: UTF8.self) })
            else { throw .truncated(format) }
            let cut = isWhole && !known.contains(kind) ? malformed : .truncated(format)
            var header = 8
            if size == 1 {
                guard let large = reader.number64(position + 8) else { throw cut }
                (size, header) = (large, 16)
            } else if size == 0 {
                size = bytes.count - position
            }
            guard size >= header else { throw malformed }
            guard let content = reader.slice(position + header, size - header) else { throw cut }
            visit(kind, content)
            position += size
        }
    }

    private mutating func readItems(_ content: UnsafeRawBufferPointer) throws(ImageError) {
        let isShort = ByteReader(bytes: content).byte(0) == 0
        guard content.count >= (isShort ? 6 : 8) else { throw malformed }
        for box in try boxes(UnsafeRawBufferPointer(rebasing: content.dropFirst(isShort ? 6 : 8))) where box.kind == "infe" {
            let entry = ByteReader(bytes: box.content)
            // Versions before have no kind, and nothing that is a picture.
            guard let version = entry.byte(0), version >= 2 else { continue }
            guard let id = version == 2 ? entry.number16(4) : entry.number32(4), let kind = entry.slice(version == 2 ? 8 : 10, 4)
            else {
                throw malformed
            }
            items[id] = Item(kind: String(decoding: kind, as: UTF8.self))
        }
    }

    private mutating func readReferences(_ content: UnsafeRawBufferPointer) throws(ImageError) {
        let isShort = ByteReader(bytes: content).byte(0) == 0
        guard content.count >= 4 else { throw malformed }
        for box in try boxes(UnsafeRawBufferPointer(rebasing: content.dropFirst(4))) {
            let entry = ByteReader(bytes: box.content)
            let size = isShort ? 2 : 4
            guard let from = isShort ? entry.number16(0) : entry.number32(0), let count = entry.number16(size) else {
                throw malformed
            }
            let list = (0..<count).compactMap { isShort ? entry.number16(size + 2 + 2 * $0) : entry.number32(size + 2 + 4 * $0) }
            guard list.count == count else { throw malformed }
            references[Reference(from: from, kind: box.kind), default: []] += list
        }
    }

    private mutating func readProperties(_ content: UnsafeRawBufferPointer) throws(ImageError) {
        for box in try boxes(content) where box.kind == "ipco" { properties += try boxes(box.content) }
    }

    private mutating func readAssociations(_ content: ByteReader) throws(ImageError) {
        guard let version = content.byte(0), let flags = content.byte(3), let count = content.number32(4) else { throw malformed }
        var position = 8
        for _ in 0..<count {
            guard let id = version == 0 ? content.number16(position) : content.number32(position),
                let own = content.byte(position + (version == 0 ? 2 : 4))
            else { throw malformed }
            position += version == 0 ? 3 : 5
            for _ in 0..<own {
                // The highest bit says that a reader has to know the property; 0 is none.
                guard
                    let place = flags & 1 == 1
                        ? content.number16(position).map({ $0 & 0x7FFF }) : content.byte(position).map({ $0 & 0x7F })
                else { throw malformed }
                position += flags & 1 == 1 ? 2 : 1
                if place > 0, place <= properties.count { items[id]?.properties.append(place - 1) }
            }
        }
    }

    private mutating func readPlaces(_ content: ByteReader) throws(ImageError) {
        guard let version = content.byte(0), let sizes = content.number16(4) else { throw malformed }
        let (offsetSize, countSize, baseSize) = (sizes >> 12, sizes >> 8 & 15, sizes >> 4 & 15)
        let indexSize = version > 0 ? sizes & 15 : 0
        func number(_ size: Int, _ position: inout Int) throws(ImageError) -> Int {
            let start = position
            position += size
            let value: Int? =
                switch size {
                case 0: 0
                case 4: content.number32(start)
                case 8: content.number64(start)
                default: nil
                }
            guard let value else { throw malformed }
            return value
        }
        var position = 6
        guard let count = version < 2 ? content.number16(position) : content.number32(position) else { throw malformed }
        position += version < 2 ? 2 : 4
        var pieces = 0
        for _ in 0..<count {
            guard let id = version < 2 ? content.number16(position) : content.number32(position) else { throw malformed }
            position += version < 2 ? 2 : 4
            var method = 0
            if version > 0 {
                guard let value = content.number16(position) else { throw malformed }
                method = value & 15
                position += 2
            }
            guard let source = content.number16(position) else { throw malformed }
            position += 2
            let base = try number(baseSize, &position)
            guard let extents = content.number16(position) else { throw malformed }
            position += 2
            // An entry of no bytes is one all the same.
            pieces += extents
            guard pieces <= Self.maxExtents else { throw malformed }
            for _ in 0..<extents {
                _ = try number(indexSize, &position)
                let (offset, overflow) = try number(offsetSize, &position).addingReportingOverflow(base)
                let length = try number(countSize, &position)
                guard source == 0, method < 2 else {
                    items[id]?.isElsewhere = true
                    continue
                }
                let whole = method == 1 ? inline.count : reader.count
                guard !overflow, offset <= whole, length <= whole - offset else { throw .truncated(format) }
                // A length of 0 is the rest.
                items[id]?.extents.append((offset, countSize == 0 || length == 0 ? whole - offset : length))
                items[id]?.isInline = method == 1
            }
        }
    }

    // MARK: What items are

    func property(_ kind: String, of item: Item) -> UnsafeRawBufferPointer? {
        item.properties.lazy.map { properties[$0] }.first { $0.kind == kind }?.content
    }

    /// The size that the container gives, before it is turned or cropped.
    func size(of item: Item) -> Size? {
        guard let box = property("ispe", of: item).map({ ByteReader(bytes: $0) }), let width = box.number32(4),
            let height = box.number32(8)
        else { return nil }
        return Size(width: width, height: height)
    }

    /// Whether an item is the alpha of another.
    func isAlpha(_ id: Int, of picture: Int) -> Bool {
        guard references[Reference(from: id, kind: "auxl")]?.contains(picture) == true, let item = items[id],
            let box = property("auxC", of: item).map({ ByteReader(bytes: $0) })
        else { return false }
        return box.starts(with: "urn:mpeg:mpegB:cicp:systems:auxiliary:alpha\0", at: 4)
            || box.starts(with: "urn:mpeg:hevc:2015:auxid:1\0", at: 4) || box.starts(with: "urn:mpeg:avc:2015:auxid:1\0", at: 4)
    }

    /// An item's data, its extents one behind the other.
    func data(of item: Item) throws(ImageError) -> [UnsafeRawBufferPointer] {
        guard !item.isElsewhere else { throw .unsupportedKind(format, reason: "its data lie in another item or file") }
        guard !item.extents.isEmpty else { throw .broken(format, reason: "its picture has no data") }
        let whole = item.isInline ? ByteReader(bytes: inline) : reader
        return item.extents.compactMap { whole.slice($0.start, $0.count) }
    }

    /// Rows, columns and the size of what they make: the data of an item of the kind `grid`.
    func grid(_ item: Item) throws(ImageError) -> (rows: Int, columns: Int, width: Int, height: Int) {
        let bytes = try data(of: item).flatMap { Array($0.prefix(12)) }
        let found = bytes.withUnsafeBytes { bytes -> (rows: Int, columns: Int, width: Int, height: Int)? in
            let content = ByteReader(bytes: bytes)
            guard content.byte(0) == 0, let flags = content.byte(1), let rows = content.byte(2), let columns = content.byte(3),
                let width = flags & 1 == 1 ? content.number32(4) : content.number16(4),
                let height = flags & 1 == 1 ? content.number32(8) : content.number16(6)
            else { return nil }
            return (rows + 1, columns + 1, width, height)
        }
        guard let found else { throw malformed }
        return found
    }

    /// The size after cropping and turning, in the order of the item's properties, with the roundings of libheif.
    func transformed(_ item: Item, width: Int, height: Int) throws(ImageError) -> (width: Int, height: Int) {
        var (width, height) = (width, height)
        for place in item.properties {
            let content = ByteReader(bytes: properties[place].content)
            switch properties[place].kind {
            case "irot": if (content.byte(0) ?? 0) & 1 == 1 { swap(&width, &height) }
            case "clap":
                width = try cropped(width, content, at: 0, half: 0)
                height = try cropped(height, content, at: 8, half: 0.5)
            default: break
            }
        }
        return (width, height)
    }

    /// One side of a clean aperture: its size and the distance of its centre from the picture's, as fractions.
    /// - Parameter half: what is added before the first place is cut to a whole number.
    private func cropped(_ side: Int, _ content: ByteReader, at place: Int, half: Double) throws(ImageError) -> Int {
        let numbers = [0, 4, 16, 20].map { content.number32(place + $0).map { Double(Int32(truncatingIfNeeded: $0)) } }
        guard let size = numbers[0], let sizeParts = numbers[1], let offset = numbers[2], let offsetParts = numbers[3],
            sizeParts > 0,
            offsetParts > 0, size > 0
        else { throw .broken(format, reason: "it is cropped to nothing") }
        let kept = size / sizeParts
        let first = (Double(side - 1) / 2 + offset / offsetParts - (kept - 1) / 2 + half).rounded(.towardZero)
        let last = (kept - 1 + first + 0.5).rounded(.towardZero)
        let left = min(last, Double(side - 1)) - max(first, 0) + 1
        guard left >= 1 else { throw .broken(format, reason: "it is cropped to nothing") }
        return Int(left)
    }

    /// An ICC profile, or the hint that code points of ISO/IEC 23091-2 give: colours or brightness far beyond sRGB's.
    func colour(of item: Item) -> (profile: UnsafeRawBufferPointer?, hint: ColourHint?) {
        var found: (profile: UnsafeRawBufferPointer?, hint: ColourHint?)
        for place in item.properties where properties[place].kind == "colr" {
            let content = ByteReader(bytes: properties[place].content)
            if content.starts(with: "prof") || content.starts(with: "rICC") {
                found.profile = UnsafeRawBufferPointer(rebasing: content.bytes.dropFirst(4))
            } else if content.starts(with: "nclx"), let primaries = content.number16(4), let transfer = content.number16(6),
                primaries == 9 || transfer == 16 || transfer == 18
            {
                found.hint = .profile
            }
        }
        return found
    }
}
