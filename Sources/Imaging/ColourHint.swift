/// Why the colours that are read may differ visibly from the ones that were meant: profiles are not applied, as Pillow's `convert('RGB')` does not.
public enum ColourHint: String, Sendable, CaseIterable {
    /// Four inks. Their conversion to RGB is a plain formula; on paper they look darker and duller.
    case cmyk
    /// Red, green and blue of another kind than sRGB or Display P3, such as Adobe RGB.
    case profile
}

/// What an ICC profile says that matters for the hint: ICC.1:2022.
enum ICCProfile {
    /// Red, green and blue of sRGB and of Display P3 in the profile's own space (XYZ under D50). What shows sRGB in place of P3 differs little.
    private static let close: [[[Double]]] = [
        [[0.4361, 0.2225, 0.0139], [0.3851, 0.7169, 0.0971], [0.1431, 0.0606, 0.7141]],
        [[0.5151, 0.2412, -0.0011], [0.2920, 0.6922, 0.0419], [0.1571, 0.0666, 0.7841]],
    ]

    /// The hint for a picture whose samples are red, green and blue. None for a profile that is not one, since nothing would apply it either.
    static func hint(_ profile: some RandomAccessCollection<UInt8>) -> ColourHint? {
        Array(profile).withUnsafeBytes { bytes in hint(ByteReader(bytes: bytes)) }
    }

    private static func hint(_ reader: ByteReader) -> ColourHint? {
        guard reader.starts(with: "acsp", at: 36), reader.starts(with: "RGB ", at: 16) else { return nil }
        guard let count = reader.number32(128) else { return nil }
        var colours: [[Double]?] = [nil, nil, nil]
        for index in 0..<min(count, 100) {
            let entry = 132 + 12 * index
            guard let offset = reader.number32(entry + 4), let size = reader.number32(entry + 8) else { break }
            if reader.starts(with: "desc", at: entry), namesStandard(reader.slice(offset, size)) { return nil }
            for (place, tag) in (["rXYZ", "gXYZ", "bXYZ"] as [StaticString]).enumerated()
            where reader.starts(with: tag, at: entry) {
                colours[place] = xyz(reader, at: offset)
            }
        }
        // A profile of tables alone has no such colours; only its name could have told that it is an ordinary one.
        let found = colours.compactMap { $0 }
        guard found.count == 3 else { return .profile }
        let isClose = close.contains { standard in
            zip(standard.joined(), found.joined()).allSatisfy { abs($0 - $1) < 0.015 }
        }
        return isClose ? nil : .profile
    }

    /// Three numbers with 16 bits after the point.
    private static func xyz(_ reader: ByteReader, at offset: Int) -> [Double]? {
        guard reader.starts(with: "XYZ ", at: offset) else { return nil }
        let numbers = (0..<3).compactMap { reader.number32(offset + 8 + 4 * $0) }
        guard numbers.count == 3 else { return nil }
        return numbers.map { Double(Int32(truncatingIfNeeded: $0)) / 65536 }
    }

    /// Whether the profile's name, in one byte a character or two, says that it is sRGB or Display P3.
    private static func namesStandard(_ text: UnsafeRawBufferPointer?) -> Bool {
        guard let text else { return false }
        let letters = String(decoding: text.prefix(512).filter { $0 != 0 }, as: UTF8.self)
        return letters.contains("sRGB") || letters.contains("Display P3")
    }
}
