/// Windows-1252, its five undefined bytes being the control characters of the same number, as browsers have it.
enum Windows1252 {
    private static let upper: [UInt32] = [
        0x20AC, 0x81, 0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021, 0x02C6, 0x2030, 0x0160, 0x2039, 0x0152, 0x8D, 0x017D, 0x8F,
        0x90, 0x2018, 0x2019, 0x201C, 0x201D, 0x2022, 0x2013, 0x2014, 0x02DC, 0x2122, 0x0161, 0x203A, 0x0153, 0x9D, 0x017E,
        0x0178,
    ]

    private static let bytes: [UInt32: UInt8] = Dictionary(
        uniqueKeysWithValues: upper.enumerated().map { ($0.element, UInt8(0x80 + $0.offset)) }
    )

    static func scalar(_ byte: UInt8) -> Unicode.Scalar {
        guard (0x80...0x9F).contains(byte) else { return Unicode.Scalar(byte) }
        return Unicode.Scalar(upper[Int(byte) - 0x80]) ?? Unicode.Scalar(byte)
    }

    /// The byte that a scalar is written as. A C1 control character counts as its own number even where that byte means
    /// something else: text that was read as Latin-1 holds those.
    static func byte(_ scalar: Unicode.Scalar) -> UInt8? {
        if scalar.value < 0x100 { return UInt8(scalar.value) }
        return bytes[scalar.value]
    }
}

/// Undoes the commonest garbling of text: UTF-8 that was read as Latin-1 or Windows-1252 ("cafÃ©" for "café").
///
/// A run of non-ASCII characters is repaired where its bytes are well-formed UTF-8 and that is no coincidence: a sequence of
/// three or four bytes, one that begins with Â or Ã (the two that Western text gets), or at least two sequences in one run that
/// decodes as a whole. `ftfy`, which the reference uses, judges by a much longer list of unlikely neighbours and knows more code
/// pages (Windows-1250, -1251, -1253, -1254, ISO 8859-2, Mac Roman, CP437); repairs a no-break space that became a blank; and
/// marks bytes lost on the way. Those are not done here: such text is left as it is.
enum MojibakeRepair {
    static func repair(_ text: [Unicode.Scalar]) -> [Unicode.Scalar] {
        guard text.contains(where: { (0xC2...0xF4).contains($0.value) }) else { return text }
        var out: [Unicode.Scalar] = []
        out.reserveCapacity(text.count)
        var place = 0
        while place < text.count {
            guard text[place].value >= 0x80 else {
                out.append(text[place])
                place += 1
                continue
            }
            var end = place
            while end < text.count, text[end].value >= 0x80 { end += 1 }
            out += repairRun(text[place..<end])
            place = end
        }
        return out
    }

    private static func repairRun(_ run: ArraySlice<Unicode.Scalar>) -> [Unicode.Scalar] {
        var out: [Unicode.Scalar] = []
        var pairs = 0
        var whole = true
        var repairs: [(at: Int, length: Int, scalar: Unicode.Scalar)] = []
        var place = run.startIndex
        while place < run.endIndex {
            if let (scalar, length) = sequence(run[place...]) {
                repairs.append((place, length, scalar))
                pairs += length == 2 ? 1 : 0
                place += length
            } else {
                whole = false
                place += 1
            }
        }
        place = run.startIndex
        for repair in repairs {
            let first = run[repair.at].value
            guard repair.length > 2 || first == 0xC2 || first == 0xC3 || (whole && pairs > 1) else { continue }
            out += run[place..<repair.at]
            out.append(repair.scalar)
            place = repair.at + repair.length
        }
        return out + run[place...]
    }

    /// The scalar whose UTF-8 bytes the run begins with, each byte standing there as a character of its own.
    private static func sequence(_ run: ArraySlice<Unicode.Scalar>) -> (Unicode.Scalar, Int)? {
        guard let first = run.first.flatMap(Windows1252.byte) else { return nil }
        let length: Int
        switch first {
        case 0xC2...0xDF: length = 2
        case 0xE0...0xEF: length = 3
        case 0xF0...0xF4: length = 4
        default: return nil
        }
        guard run.count >= length else { return nil }
        let bytes = run.prefix(length).compactMap(Windows1252.byte)
        guard bytes.count == length, let text = String(validating: bytes, as: UTF8.self) else { return nil }
        let scalars = Array(text.unicodeScalars)
        return scalars.count == 1 ? (scalars[0], length) : nil
    }
}
