/// The sizes that a coded picture gives of itself: HEVC's sequence parameter sets (ITU-T H.265, 7.3.2.2) and AV1's sequence headers (5.5). A decoder
/// takes memory by these, whatever the container says.
struct CodedHeader: Equatable {
    let width: Int
    let height: Int
    /// What of it is given out; HEVC codes whole blocks.
    let shownWidth: Int
    let shownHeight: Int
    /// Bits of a sample.
    let bits: Int
    /// What a frame under this header may have at most: AV1's frames may give a size of their own.
    let possiblePixels: Int

    // MARK: HEVC

    /// - Parameters:
    ///   - configuration: the box `hvcC`.
    ///   - data: units behind their lengths.
    /// - Returns: those of the configuration and of the data; ones that cannot be read are left out, as no decoder goes on with them.
    static func hevc(configuration: UnsafeRawBufferPointer, _ data: [UnsafeRawBufferPointer]) -> [CodedHeader] {
        let box = ByteReader(bytes: configuration)
        guard let lengths = box.byte(21), let arrays = box.byte(22) else { return [] }
        var found: [CodedHeader] = []
        var position = 23
        for _ in 0..<arrays {
            guard let count = box.number16(position + 1) else { return found }
            position += 3
            for _ in 0..<count {
                guard let size = box.number16(position), let unit = box.slice(position + 2, size) else { return found }
                if let header = sequenceParameters(unit) { found.append(header) }
                position += 2 + size
            }
        }
        let lengthSize = lengths & 3 + 1
        for part in data {
            let reader = ByteReader(bytes: part)
            var position = 0
            while position + lengthSize <= reader.count {
                let size = (0..<lengthSize).reduce(0) { $0 << 8 | (reader.byte(position + $1) ?? 0) }
                position += lengthSize
                guard let unit = reader.slice(position, min(size, reader.count - position)) else { break }
                if let header = sequenceParameters(unit) { found.append(header) }
                position += size
            }
        }
        return found
    }

    private static func sequenceParameters(_ unit: UnsafeRawBufferPointer) -> CodedHeader? {
        // The kind, and the layer: those above the first are another codec's.
        guard unit.count > 2, unit[0] >> 1 & 0x3F == 33, unit[0] & 1 == 0, unit[1] >> 3 == 0 else { return nil }
        var content: [UInt8] = []
        var zeros = 0
        // The size stands in the first bytes; a 3 behind two zeros only keeps them from looking like a mark.
        for byte in unit.dropFirst(2).prefix(512) {
            if zeros >= 2, byte == 3 {
                zeros = 0
                continue
            }
            zeros = byte == 0 ? zeros + 1 : 0
            content.append(byte)
        }
        var bits = Bits(content)
        bits.skip(4)
        let layers = bits.take(3)
        bits.skip(1 + 96)
        let present = (0..<layers).map { _ in (profile: bits.take(1), level: bits.take(1)) }
        if layers > 0 { bits.skip(2 * (8 - layers)) }
        for layer in present { bits.skip(88 * layer.profile + 8 * layer.level) }
        _ = bits.exponential()
        let chroma = bits.exponential()
        if chroma == 3 { bits.skip(1) }
        let width = bits.exponential()
        let height = bits.exponential()
        // Left, right, top and bottom, in samples of chroma.
        let window = bits.take(1) == 1 ? (0..<4).map { _ in bits.exponential() } : [0, 0, 0, 0]
        let depth = 8 + max(bits.exponential(), bits.exponential())
        guard !bits.isOver, chroma <= 3, width > 0, height > 0, width < 1 << 28, height < 1 << 28 else { return nil }
        return CodedHeader(
            width: width, height: height, shownWidth: width - (chroma == 1 || chroma == 2 ? 2 : 1) * (window[0] + window[1]),
            shownHeight: height - (chroma == 1 ? 2 : 1) * (window[2] + window[3]), bits: depth, possiblePixels: width * height)
    }

    // MARK: AV1

    /// - Parameters:
    ///   - configuration: the box `av1C`.
    ///   - data: units one behind the other.
    static func av1(configuration: UnsafeRawBufferPointer, _ data: [UnsafeRawBufferPointer]) -> [CodedHeader] {
        let inBox = units(ByteReader(bytes: UnsafeRawBufferPointer(rebasing: configuration.dropFirst(4))))
        // Mostly in one piece.
        if let only = data.first, data.count == 1 { return inBox + units(ByteReader(bytes: only)) }
        return inBox + data.flatMap { Array($0) }.withUnsafeBytes { units(ByteReader(bytes: $0)) }
    }

    private static func units(_ reader: ByteReader) -> [CodedHeader] {
        var found: [CodedHeader] = []
        var position = 0
        while let head = reader.byte(position) {
            position += head & 4 != 0 ? 2 : 1
            var size = reader.count - position
            if head & 2 != 0 {
                // Seven bits a byte, the lowest first.
                var value = 0
                for place in 0..<8 {
                    guard let byte = reader.byte(position) else { return found }
                    value |= (byte & 0x7F) << (7 * place)
                    position += 1
                    if byte & 0x80 == 0 { break }
                }
                size = value
            }
            guard let content = reader.slice(position, size) else { return found }
            if head >> 3 & 15 == 1, let header = sequence(Array(content.prefix(256))) { found.append(header) }
            position += size
        }
        return found
    }

    private static func sequence(_ content: [UInt8]) -> CodedHeader? {
        var bits = Bits(content)
        let profile = bits.take(3)
        bits.skip(1)
        let isReduced = bits.take(1) == 1
        if isReduced {
            bits.skip(5)
        } else {
            var delayBits = 0
            if bits.take(1) == 1 {
                bits.skip(64)
                if bits.take(1) == 1 { _ = bits.exponential() }
                if bits.take(1) == 1 {
                    delayBits = bits.take(5) + 1
                    bits.skip(32 + 5 + 5)
                }
            }
            let hasDisplayDelay = bits.take(1) == 1
            let points = bits.take(5) + 1
            for _ in 0..<points {
                bits.skip(12)
                if bits.take(5) > 7 { bits.skip(1) }
                if delayBits > 0, bits.take(1) == 1 { bits.skip(2 * delayBits + 1) }
                if hasDisplayDelay, bits.take(1) == 1 { bits.skip(4) }
            }
        }
        let widthBits = bits.take(4) + 1
        let heightBits = bits.take(4) + 1
        let width = bits.take(widthBits) + 1
        let height = bits.take(heightBits) + 1
        if !isReduced, bits.take(1) == 1 { bits.skip(4 + 3) }
        bits.skip(3)
        if !isReduced {
            bits.skip(4)
            let hasOrder = bits.take(1) == 1
            if hasOrder { bits.skip(2) }
            // Tools for screen contents, and motion vectors of whole pixels: chosen in every frame, or here for all.
            let hasScreenTools = bits.take(1) == 1 || bits.take(1) == 1
            if hasScreenTools, bits.take(1) == 0 { bits.skip(1) }
            if hasOrder { bits.skip(3) }
        }
        bits.skip(3)
        let isDeep = bits.take(1) == 1
        let depth = !isDeep ? 8 : profile == 2 && bits.take(1) == 1 ? 12 : 10
        guard !bits.isOver else { return nil }
        return CodedHeader(
            width: width, height: height, shownWidth: width, shownHeight: height, bits: depth,
            possiblePixels: isReduced ? width * height : 1 << (widthBits + heightBits))
    }

    /// Bits from the highest on; behind the end come zeros.
    private struct Bits {
        private let bytes: [UInt8]
        private var position = 0

        init(_ bytes: [UInt8]) { self.bytes = bytes }

        var isOver: Bool { position > 8 * bytes.count }

        mutating func take(_ count: Int) -> Int {
            var value = 0
            for _ in 0..<count {
                let byte = position >> 3 < bytes.count ? bytes[position >> 3] : 0
                value = value << 1 | Int(byte >> (7 - position & 7) & 1)
                position += 1
            }
            return value
        }

        mutating func skip(_ count: Int) { position += count }

        /// Exponential-Golomb code without a sign.
        mutating func exponential() -> Int {
            var zeros = 0
            while take(1) == 0 {
                zeros += 1
                guard zeros <= 32, !isOver else { return 0 }
            }
            return 1 << zeros - 1 + take(zeros)
        }
    }
}
