/// Replaces HTML character references, in the two manners of CLIP's text clean-up.
///
/// Works on Unicode scalars: Swift's `Character` would join a reference's last letter with a combining mark behind it.
struct HTMLEntities: Sendable {
    typealias Scalars = [Unicode.Scalar]

    static let html5 = HTMLEntities(table: htmlEntityTable)

    /// With the semicolon's names and without it: name -> replacement.
    private let closed: [String: Scalars]
    private let open: [String: Scalars]

    private init(table: String) {
        var closed: [String: Scalars] = [:]
        var open: [String: Scalars] = [:]
        for word in table.split(whereSeparator: \.isWhitespace) {
            guard let sign = word.firstIndex(where: { $0 == "=" || $0 == "~" }) else { continue }
            let name = String(word[..<sign])
            let text = word[word.index(after: sign)...].split(separator: "+").compactMap { digits in
                UInt32(digits, radix: 16).flatMap(Unicode.Scalar.init)
            }
            closed[name] = text
            if word[sign] == "~" { open[name] = text }
        }
        self.closed = closed
        self.open = open
    }

    // MARK: As browsers read them

    /// Every reference, with or without its semicolon, as HTML 5 prescribes (and Python's `html.unescape` does).
    func unescape(_ text: Scalars) -> Scalars {
        guard text.contains("&") else { return text }
        var out: Scalars = []
        out.reserveCapacity(text.count)
        var place = 0
        while place < text.count {
            if text[place] == "&", let (replacement, length) = numeric(text, place + 1) ?? named(text, place + 1) {
                out += replacement
                place += 1 + length
            } else {
                out.append(text[place])
                place += 1
            }
        }
        return out
    }

    /// `#123;` or `#x1F;` at `start`: what it stands for, and how many scalars it takes.
    private func numeric(_ text: Scalars, _ start: Int) -> (Scalars, Int)? {
        guard start < text.count, text[start] == "#" else { return nil }
        var place = start + 1
        let hexadecimal = place < text.count && (text[place] == "x" || text[place] == "X")
        if hexadecimal { place += 1 }
        let radix: UInt32 = hexadecimal ? 16 : 10
        let digits = place
        var value: UInt32 = 0
        while place < text.count, let digit = Self.digit(text[place], radix: radix) {
            value = min(value * radix + digit, 0x110000)  // anything beyond Unicode is the same mistake
            place += 1
        }
        guard place > digits else { return nil }
        if place < text.count, text[place] == ";" { place += 1 }
        return (Self.character(value), place - start)
    }

    private static func digit(_ scalar: Unicode.Scalar, radix: UInt32) -> UInt32? {
        switch scalar {
        case "0"..."9": scalar.value - 0x30
        case "a"..."f" where radix == 16: scalar.value - 0x61 + 10
        case "A"..."F" where radix == 16: scalar.value - 0x41 + 10
        default: nil
        }
    }

    private static func character(_ value: UInt32) -> Scalars {
        switch value {
        case 0: ["\u{FFFD}"]
        case 0x0D: ["\r"]
        case 0x80...0x9F: [Windows1252.scalar(UInt8(value))]
        case 0x01...0x08, 0x0B, 0x0E...0x1F, 0x7F, 0xFDD0...0xFDEF: []
        case _ where value & 0xFFFE == 0xFFFE && value <= 0x10FFFF: []
        default: [Unicode.Scalar(value) ?? "\u{FFFD}"]
        }
    }

    /// A name at `start`: the longest one that the table has.
    private func named(_ text: Scalars, _ start: Int) -> (Scalars, Int)? {
        var name = String.UnicodeScalarView()
        var place = start
        while place < text.count, place - start < 32, !"\t\n\u{0C} <&#;".unicodeScalars.contains(text[place]) {
            name.append(text[place])
            place += 1
        }
        guard place > start else { return nil }
        if place < text.count, text[place] == ";", let replacement = closed[String(name)] {
            return (replacement, place + 1 - start)
        }
        var length = place - start
        while length > 1 {
            if let replacement = open[String(name)] { return (replacement, length) }
            name.removeLast()
            length -= 1
        }
        return nil
    }

    // MARK: As ftfy reads them

    /// Only references that end in a semicolon, but also names in all capitals (`&EACUTE;` is É).
    func unescapeClosed(_ text: Scalars) -> Scalars {
        guard text.contains("&") else { return text }
        var out: Scalars = []
        out.reserveCapacity(text.count)
        var place = 0
        while place < text.count {
            if text[place] == "&", let (replacement, length) = closedReference(text, place + 1) {
                out += replacement
                place += 1 + length
            } else {
                out.append(text[place])
                place += 1
            }
        }
        return out
    }

    private func closedReference(_ text: Scalars, _ start: Int) -> (Scalars, Int)? {
        let numbered = start < text.count && text[start] == "#"
        var place = numbered ? start + 1 : start
        let first = place
        while place < text.count, place - first < 24, text[place].isASCII,
            text[place].properties.isAlphabetic
                || ("0"..."9").contains(text[place])
        {
            place += 1
        }
        guard place > first, place < text.count, text[place] == ";" else { return nil }
        let length = place + 1 - start
        if numbered {
            guard let (replacement, used) = numeric(text, start), used == length else { return nil }
            return (replacement, length)
        }
        var view = String.UnicodeScalarView()
        view.append(contentsOf: text[first..<place])
        let name = String(view)
        if let replacement = closed[name] { return (replacement, length) }
        let small = name.lowercased()
        guard small != name, name == small.uppercased(), let replacement = closed[small] else { return nil }
        guard unescape(["&"] + Scalars(name.unicodeScalars) + [";"]).first == "&" else { return nil }
        var letters = String.UnicodeScalarView()
        letters.append(contentsOf: replacement)
        return (Scalars(String(letters).uppercased().unicodeScalars), length)
    }
}
