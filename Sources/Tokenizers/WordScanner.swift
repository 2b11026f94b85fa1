/// Cuts cleaned text into the words that byte pairs are merged within: CLIP's pattern, written out as a scanner.
///
/// At each place the first that fits: a special token; an apostrophe with s, t, re, ve, m, ll or d; a run of letters; one digit;
/// a run of anything else that is not a blank. Blanks separate and vanish.
struct WordScanner {
    enum Word: Equatable {
        case start
        case end
        /// The word's UTF-8.
        case bytes([UInt8])
    }

    private enum Kind {
        case letter, number, blank, other
    }

    let text: [Unicode.Scalar]
    /// How the special tokens are spelt, where text can contain them.
    let start: [Unicode.Scalar]?
    let end: [Unicode.Scalar]?
    /// Whether ſ, which ignores case with s, makes an ending too.
    let longS: Bool

    func words() -> [Word] {
        var words: [Word] = []
        var place = 0
        while place < text.count {
            let scalar = text[place]
            if scalar == "<", let (word, length) = special(at: place) {
                words.append(word)
                place += length
                continue
            }
            if scalar == "'", let length = ending(at: place) {
                words.append(.bytes(utf8(place..<place + length)))
                place += length
                continue
            }
            let kind = Self.kind(scalar)
            var next = place + 1
            switch kind {
            case .blank:
                place = next
                continue
            case .number: break
            case .letter, .other:
                while next < text.count, Self.kind(text[next]) == kind { next += 1 }
            }
            words.append(.bytes(utf8(place..<next)))
            place = next
        }
        return words
    }

    private func special(at place: Int) -> (Word, Int)? {
        if let start, text[place...].starts(with: start) { return (.start, start.count) }
        if let end, text[place...].starts(with: end) { return (.end, end.count) }
        return nil
    }

    private func ending(at place: Int) -> Int? {
        guard place + 1 < text.count else { return nil }
        switch text[place + 1] {
        case "s", "t", "m", "d": return 2
        case "\u{17F}": return longS ? 2 : nil
        case "r", "v": return place + 2 < text.count && text[place + 2] == "e" ? 3 : nil
        case "l": return place + 2 < text.count && text[place + 2] == "l" ? 3 : nil
        default: return nil
        }
    }

    private func utf8(_ range: Range<Int>) -> [UInt8] {
        text[range].flatMap { Array(UTF8.encode($0) ?? UTF8.encodedReplacementCharacter) }
    }

    private static func kind(_ scalar: Unicode.Scalar) -> Kind {
        if scalar.isASCII {
            switch scalar {
            case "a"..."z", "A"..."Z": return .letter
            case "0"..."9": return .number
            case " ", "\t"..."\r": return .blank
            default: return .other
            }
        }
        switch scalar.properties.generalCategory {
        case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter: return .letter
        case .decimalNumber, .letterNumber, .otherNumber: return .number
        default: return scalar.properties.isWhitespace ? .blank : .other
        }
    }
}
