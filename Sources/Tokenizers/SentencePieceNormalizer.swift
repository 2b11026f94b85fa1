/// How SentencePiece makes a text ready for its pieces: characters rewritten by the longest rule at each place, blanks joined, `▁` for each
/// blank and one in front (`Normalizer::Normalize` of its library, whose rules a model carries).
struct SentencePieceNormalizer: Sendable {
    /// Nil where characters stay as they are.
    var characters: CharacterMap?
    var addsDummyPrefix = true
    var removesExtraBlanks = true
    var escapesBlanks = true
    /// `▁` then stands behind a text, not in front of it.
    var marksWordEnds = false
    /// Pieces that a user defined: they are not rewritten. Longest first.
    var userDefined: [[UInt8]] = []

    /// Its rules but for the characters', in words.
    var rules: String { "\(addsDummyPrefix) \(removesExtraBlanks) \(escapesBlanks) \(marksWordEnds) \(userDefined)" }

    private static let mark = Array("\u{2581}".utf8)
    private static let space = UInt8(ascii: " ")

    /// - Parameter text: UTF-8.
    func normalized(_ text: [UInt8]) -> [UInt8] {
        var rest = text[...]
        if removesExtraBlanks {
            while let (replacement, length) = prefix(rest), replacement.elementsEqual(CollectionOfOne(Self.space)) {
                rest = rest.dropFirst(length)
            }
        }
        if rest.isEmpty { return [] }
        let blank = escapesBlanks ? Self.mark : [Self.space]
        var out: [UInt8] = []
        out.reserveCapacity(text.count + 8)
        if addsDummyPrefix, !marksWordEnds { out += blank }
        var isBehindBlank = removesExtraBlanks
        while let (replacement, length) = prefix(rest) {
            let kept = isBehindBlank ? replacement.drop { $0 == Self.space } : replacement
            for byte in kept {
                if byte == Self.space { out += blank } else { out.append(byte) }
            }
            if let last = kept.last { isBehindBlank = last == Self.space }
            if !removesExtraBlanks { isBehindBlank = false }
            rest = rest.dropFirst(length)
        }
        if removesExtraBlanks {
            while out.count >= blank.count, out.suffix(blank.count).elementsEqual(blank) { out.removeLast(blank.count) }
        }
        if addsDummyPrefix, marksWordEnds { out += blank }
        return out
    }

    /// What stands for the beginning of a text, and how many of its bytes that takes; nil at its end.
    private func prefix(_ text: ArraySlice<UInt8>) -> (replacement: ArraySlice<UInt8>, length: Int)? {
        guard let first = text.first else { return nil }
        if let symbol = userDefined.first(where: { text.starts(with: $0) }) { return (symbol[...], symbol.count) }
        if let rule = characters?.longestRule(text) { return rule }
        let length = min(first < 0x80 ? 1 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4, text.count)
        return (text.prefix(length), length)
    }
}
