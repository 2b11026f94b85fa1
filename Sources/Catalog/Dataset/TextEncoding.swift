/// Brings the text files that spreadsheets write to UTF-8.
enum TextEncoding {
    /// The bytes of a file in UTF-16 as UTF-8; as they are where the file is not in UTF-16.
    /// - Returns: `nil` for UTF-16 that is broken; and the name of the encoding, where it was another one.
    static func utf8(_ bytes: [UInt8]) -> (bytes: [UInt8], encoding: String?)? {
        let isLittle: Bool
        var start = 2
        if bytes.starts(with: [0xFF, 0xFE]) {
            isLittle = true
        } else if bytes.starts(with: [0xFE, 0xFF]) {
            isLittle = false
        } else if let order = unmarkedOrder(bytes) {
            (isLittle, start) = (order, 0)
        } else {
            return (bytes, nil)
        }
        guard (bytes.count - start).isMultiple(of: 2) else { return nil }
        var units: [UInt16] = []
        units.reserveCapacity(bytes.count / 2)
        for index in stride(from: start, to: bytes.count, by: 2) {
            let (first, second) = (UInt16(bytes[index]), UInt16(bytes[index + 1]))
            units.append(isLittle ? second << 8 | first : first << 8 | second)
        }
        guard let text = String(validating: units, as: UTF16.self) else { return nil }
        return (Array(text.utf8), "UTF-16")
    }

    /// The order of bytes of UTF-16 without a mark, told by the zero bytes beside the letters of its first line; `nil` for anything else.
    private static func unmarkedOrder(_ bytes: [UInt8]) -> Bool? {
        let start = bytes.prefix(64)
        guard start.count >= 4 else { return nil }
        var zeros = [0, 0]
        for (index, byte) in start.enumerated() where byte == 0 { zeros[index % 2] += 1 }
        let enough = start.count / 4
        if zeros[1] > enough, zeros[0] == 0 { return true }
        if zeros[0] > enough, zeros[1] == 0 { return false }
        return nil
    }

    /// A text in Windows-1252, in which spreadsheets on Windows save; `nil` where a byte has no meaning in it.
    static func windows1252(_ bytes: some Sequence<UInt8>) -> String? {
        var text = String.UnicodeScalarView()
        for byte in bytes {
            let scalar: Unicode.Scalar
            if (0x80...0x9F).contains(byte) {
                guard let known = upper[Int(byte) - 0x80] else { return nil }
                scalar = known
            } else {
                scalar = Unicode.Scalar(byte)
            }
            text.append(scalar)
        }
        return String(text)
    }

    /// What 0x80 to 0x9F mean; the rest is Latin-1.
    private static let upper: [Unicode.Scalar?] = [
        "€", nil, "‚", "ƒ", "„", "…", "†", "‡", "ˆ", "‰", "Š", "‹", "Œ", nil, "Ž", nil,
        nil, "‘", "’", "“", "”", "•", "–", "—", "˜", "™", "š", "›", "œ", nil, "ž", "Ÿ",
    ]
}
