import Foundation

/// What somebody typed, taken apart into words that products may have.
public struct WordQuery: Sendable, Hashable {
    /// One word, and what of a product's text counts as the same.
    public struct Word: Sendable, Hashable {
        /// As it was typed.
        public let text: String
        /// What SQLite's FTS5 is asked for, all of it between quotes: nothing that is typed is taken for its syntax.
        let pattern: String
        /// Without case, accents and endings: how a value of a column is compared with it.
        let stem: String
    }

    /// The words that say something, each once; at most `limit`. All of them, where none does.
    public let words: [Word]

    /// More words than that say nothing more, and each costs a look-up.
    static let limit = 12

    /// - Parameter text: anything; it is cut at blanks, at commas and the like.
    public init(_ text: String, language: Language = .english) {
        let typed = text.split { $0.isWhitespace || ",;:!?()[]{}\"“”„«»/|".contains($0) }
            .flatMap { Self.withoutElision($0, language) }
            // A hyphen within a word and a point within a number are part of them, at their ends they are not.
            .map { $0.trimmingCharacters(in: CharacterSet.alphanumerics.inverted) }
            .filter { !$0.isEmpty }
        let telling = typed.filter { !language.isFiller($0.lowercased()) }
        var seen: Set<String> = []
        words = (telling.isEmpty ? typed : telling).filter { seen.insert(Self.folded($0)).inserted }
            .prefix(Self.limit).map { Word($0, language: language) }
    }

    /// What somebody is typing: beginnings of words. Words that say nothing are left out before one that may.
    public init(beginning text: String, language: Language = .english) {
        var typed = text.split { !$0.isLetter && !$0.isNumber }.map(String.init)
        let last = typed.popLast()
        typed.removeAll { language.isFiller($0.lowercased()) }
        words = (typed.suffix(Self.limit - 1) + [last].compactMap(\.self)).map(Word.init(beginning:))
    }

    /// One of the words alone.
    public func word(_ place: Int) -> WordQuery { WordQuery(words: [words[place]]) }

    private init(words: [Word]) { self.words = words }

    /// What stands before an apostrophe in French and Italian is an article; in English what stands behind it is an ending.
    private static func withoutElision(_ word: Substring, _ language: Language) -> [Substring] {
        let parts = word.split { "'’".contains($0) }
        guard parts.count == 2, let first = parts.first, let last = parts.last else { return [word] }
        if ["fr", "it"].contains(language.code) { return [last] }
        return last.count <= 2 ? [first] : [word]
    }

    static func folded(_ text: String) -> String {
        let folded = text.folding(options: [.caseInsensitive, .diacriticInsensitive], locale: nil)
        guard !folded.utf8.allSatisfy({ $0 < 0x80 }) else { return folded }
        return specialLetters.reduce(folded) { $0.replacing($1.letter, with: $1.plain) }
    }

    /// Letters that are no letter with an accent to Unicode, and what people type for them who do not have them.
    static let specialLetters: [(letter: String, plain: String)] = [
        ("ß", "ss"), ("æ", "ae"), ("œ", "oe"), ("ø", "o"), ("ł", "l"), ("đ", "d"), ("ð", "d"), ("þ", "th"), ("ı", "i"),
    ]

    /// Whether every word begins one of a text's.
    public func begins(in text: String) -> Bool { wordsBeginning(in: text).count == words.count }

    /// The places of the words that begin one of a text's.
    public func wordsBeginning(in text: String) -> [Int] {
        let parts = Self.parts(of: text)
        return words.indices.filter { place in parts.contains { $0.hasPrefix(words[place].stem) } }
    }

    /// Whether every word stands in a text as it was typed, unfinished or not.
    public func isWhole(in text: String) -> Bool {
        let parts = Self.parts(of: text)
        return words.allSatisfy { word in parts.contains { $0 == word.stem } }
    }

    /// The words of a stored text, as they are compared with a word's stem.
    static func parts(of text: String) -> [Substring] { folded(text).split { !$0.isLetter && !$0.isNumber } }
}

extension WordQuery.Word {
    /// A stem of fewer letters begins words of other meanings: `red` begins `reduced`.
    private static let shortestStem = 4

    init(_ text: String, language: Language) {
        func quoted(_ text: String) -> String { "\"\(text.filter { $0 != "\"" })\"" }
        self.text = text
        let word = WordQuery.folded(text)
        // Snowball knows letters with their accents, and nothing of hyphens.
        let inflected = text.lowercased()
        let stem = WordQuery.folded(language.stem(inflected))
        // Of a stem that is no beginning of the word what both begin with is taken.
        var root = String(zip(word, stem).prefix { $0 == $1 }.map(\.0))
        // Porter's `berri` is the beginning of `berries`, and not of `berry`.
        if language == .english, root == stem, root.hasSuffix("i") { root.removeLast() }
        self.stem = root.count >= Self.shortestStem ? root : word
        guard !word.contains(where: { $0.isNumber || $0 == "-" }) else {
            // Article numbers and `t-shirt`: as they are, or written as one word.
            let joined = word.filter { $0.isLetter || $0.isNumber }
            pattern = joined == word ? quoted(word) : "(\(quoted(word)) OR \(quoted(joined)))"
            return
        }
        var forms = [quoted(word)]
        if root.count >= Self.shortestStem {
            forms.append("\(quoted(root)) *")
        } else {
            // `hats` of `hat`, and the other way round.
            forms += ([root, word + "s"]).filter { $0 != word && $0.count >= 2 }.map(quoted)
        }
        pattern = "(\(forms.joined(separator: " OR ")))"
    }

    /// The beginning of a word.
    fileprivate init(beginning text: String) {
        self.text = text
        stem = WordQuery.folded(text)
        pattern = "\"\(stem)\" *"
    }

    /// Whether a stored value, a colour for instance, has the word.
    func fits(_ value: String) -> Bool {
        WordQuery.parts(of: value).contains { part in
            stem.count >= Self.shortestStem ? part.hasPrefix(stem) : part == stem || part == stem + "s"
        }
    }
}
