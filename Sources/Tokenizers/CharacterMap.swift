internal import Hashing

/// The rules by which a SentencePiece model rewrites characters before it looks for pieces (NFKC and the like), compiled by its trainer.
///
/// The bytes: the size of the trie (four bytes, little-endian); the trie, a double array as darts-clone writes it; the replacements, each
/// ending with a zero. A value of the trie is the offset of its replacement.
struct CharacterMap: Sendable {
    /// Why bytes are no map, in words that fit after "its character map".
    struct Failure: Error {
        let reason: String
    }

    private let units: [UInt32]
    private let replacements: ArraySlice<UInt8>

    /// Walks every path that a text could walk, so that no text ever leads outside of the map, in a circle or to broken characters.
    init(_ bytes: [UInt8]) throws(Failure) {
        guard bytes.count > 4 else { throw Failure(reason: "ends in the middle") }
        let size = Self.word(bytes[..<4])
        guard size > 0, size % 1024 == 0, Int(size) < bytes.count - 4 else {
            throw Failure(reason: "says that its trie has \(size) bytes, of \(bytes.count)")
        }
        let end = 4 + Int(size)
        units = stride(from: 4, to: end, by: 4).map { Self.word(bytes[$0..<$0 + 4]) }
        replacements = bytes[end...]
        guard replacements.last == 0 else { throw Failure(reason: "has a replacement without an end") }
        guard replacements.split(separator: 0).allSatisfy({ String(validating: $0, as: UTF8.self) != nil }) else {
            throw Failure(reason: "has a replacement that is no UTF-8")
        }
        var visit = Visit(depths: [UInt16](repeating: 0, count: units.count))
        guard let base = child(of: 0, unit: units[0]) else { throw Failure(reason: "points outside of itself") }
        _ = try walk(base, depth: 0, &visit)
    }

    /// No rule of any writing is longer, in bytes; SentencePiece looks at so many rules on one path and no more.
    private static let longestRule = 64
    private static let mostPrefixes = 32

    private struct Visit {
        /// By base, one more than how many rules can lie on a path below it; `.max` while it is being walked.
        var depths: [UInt16]
    }

    /// - Returns: how many rules can lie on one path from here.
    private func walk(_ base: Int, depth: Int, _ visit: inout Visit) throws(Failure) -> UInt16 {
        switch visit.depths[base] {
        case 0: break
        case .max: throw Failure(reason: "runs in a circle")
        case let known: return known - 1
        }
        guard depth < Self.longestRule else { throw Failure(reason: "has a rule of more than \(Self.longestRule) bytes") }
        visit.depths[base] = .max
        var most: UInt16 = 0
        for label in 0..<256 {
            let unit = units[base ^ label]
            guard Self.label(unit) == UInt32(label) else { continue }
            guard let next = child(of: base ^ label, unit: unit) else { throw Failure(reason: "points outside of itself") }
            var rules: UInt16 = 0
            if Self.hasValue(unit) {
                rules = 1
                try check(value: units[next])
            }
            rules += try walk(next, depth: depth + 1, &visit)
            most = max(most, rules)
        }
        guard most <= Self.mostPrefixes else { throw Failure(reason: "has more than \(Self.mostPrefixes) rules on one path") }
        visit.depths[base] = most + 1
        return most
    }

    private func check(value unit: UInt32) throws(Failure) {
        let value = Int(unit & 0x7FFF_FFFF)
        guard value < replacements.count else { throw Failure(reason: "points outside of itself") }
        // In the middle of a character it would be no UTF-8; in the middle of a replacement it may stand: those that end alike share.
        guard replacements[replacements.startIndex + value] & 0xC0 != 0x80 else {
            throw Failure(reason: "has a replacement that is no UTF-8")
        }
    }

    func feed(_ hash: SHA256) {
        units.withUnsafeBytes { hash.update($0) }
        hash.update(replacements)
    }

    // MARK: Units of the double array

    /// Where a unit's children lie, if all 256 places are inside.
    private func child(of place: Int, unit: UInt32) -> Int? {
        let base = place ^ Int((unit >> 10) << ((unit & (1 << 9)) >> 6))
        return base | 0xFF < units.count ? base : nil
    }

    private static func label(_ unit: UInt32) -> UInt32 { unit & 0x8000_00FF }

    private static func hasValue(_ unit: UInt32) -> Bool { unit >> 8 & 1 == 1 }

    private static func word(_ bytes: ArraySlice<UInt8>) -> UInt32 { bytes.reversed().reduce(0) { $0 << 8 | UInt32($1) } }

    // MARK: Rewriting

    /// A text rewritten as Hugging Face's `tokenizers` does: a grapheme of up to five bytes by the shortest rule that it begins with, of which
    /// the rest of the grapheme then is lost; others scalar by scalar. (SentencePiece itself takes the longest rule at each place.)
    func rewritten(_ text: [Unicode.Scalar]) -> [UInt8] {
        var view = String.UnicodeScalarView()
        view.append(contentsOf: text)
        var out: [UInt8] = []
        for grapheme in String(view) {
            let whole = Array(grapheme.utf8)
            if whole.count < 6, let replacement = replacement(whole) {
                out += replacement
                continue
            }
            for scalar in grapheme.unicodeScalars {
                let bytes = Array(UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter)
                out += replacement(bytes) ?? bytes[...]
            }
        }
        return out
    }

    private func replacement(_ key: [UInt8]) -> ArraySlice<UInt8>? {
        var found: ArraySlice<UInt8>?
        walkRules(key[...]) { replacement, _ in
            found = replacement
            return false
        }
        return found
    }

    /// The longest rule that a text begins with, as SentencePiece takes it: what it writes, and how many bytes it stands for.
    func longestRule(_ text: ArraySlice<UInt8>) -> (replacement: ArraySlice<UInt8>, length: Int)? {
        var longest: (ArraySlice<UInt8>, Int)?
        walkRules(text) { replacement, length in
            longest = (replacement, length)
            return true
        }
        return longest
    }

    /// The rules that a text begins with, shortest first, until `body` says that it is enough.
    private func walkRules(_ text: ArraySlice<UInt8>, _ body: (ArraySlice<UInt8>, _ length: Int) -> Bool) {
        guard var base = child(of: 0, unit: units[0]) else { return }
        for (depth, byte) in text.enumerated() {
            let place = base ^ Int(byte)
            let unit = units[place]
            guard byte != 0, Self.label(unit) == UInt32(byte), let next = child(of: place, unit: unit) else { return }
            if Self.hasValue(unit) {
                let start = replacements.startIndex + Int(units[next] & 0x7FFF_FFFF)
                if !body(replacements[start...].prefix { $0 != 0 }, depth + 1) { return }
            }
            base = next
        }
    }
}
