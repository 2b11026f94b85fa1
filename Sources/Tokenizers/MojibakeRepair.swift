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
/// A sequence of characters whose bytes are one well-formed UTF-8 character is repaired where that is no coincidence: it has
/// three or four bytes, or it begins with Â or Ã (which Western text gets), or it is œ. Where every character beyond ASCII in a line
/// belongs to a sequence, one of these, or two sequences of any kind side by side, are proof for the whole line. (Apart, two can
/// be chance: CAFÉ® ROSÉ®.) `ftfy`, which the reference uses, judges by a much longer list of unlikely neighbours and knows more code pages (Windows-1250, -1251, -1253, -1254,
/// ISO 8859-2, Mac Roman, CP437); repairs a no-break space that became a blank; and marks bytes lost on the way. Those are not done
/// here: such text is left as it is.
enum MojibakeRepair {
    private struct Repair {
        let place: Int
        let length: Int
        let scalar: Unicode.Scalar
        let isPlain: Bool  // needs no other proof
    }

    /// `line` with what is certainly garbled put right.
    static func repair(_ line: [Unicode.Scalar]) -> [Unicode.Scalar] {
        guard line.contains(where: { (0xC2...0xF4).contains($0.value) }) else { return line }
        var repairs: [Repair] = []
        var isWhole = true
        var place = 0
        while place < line.count {
            if line[place].value < 0x80 {
                place += 1
            } else if let (scalar, length) = sequence(line[place...]) {
                let isPlain = length > 2 || line[place].value == 0xC2 || line[place].value == 0xC3 || scalar == "œ"
                repairs.append(Repair(place: place, length: length, scalar: scalar, isPlain: isPlain))
                place += length
            } else {
                isWhole = false
                place += 1
            }
        }
        let isAdjoined = zip(repairs, repairs.dropFirst()).contains { $0.place + $0.length == $1.place }
        let isProven = isWhole && (isAdjoined || repairs.contains(where: \.isPlain))
        var out: [Unicode.Scalar] = []
        out.reserveCapacity(line.count)
        place = 0
        for repair in repairs where isProven || repair.isPlain {
            out += line[place..<repair.place]
            out.append(repair.scalar)
            place = repair.place + repair.length
        }
        return out + line[place...]
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
