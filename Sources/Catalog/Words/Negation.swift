/// A text for what is wanted, and the words of it for what is not: `dress without sleeves` is a dress that has no sleeves.
///
/// Models of pictures and texts take hardly any notice of a `without`: to them such a text is one about sleeves.
public struct Negation: Sendable, Hashable {
    /// What is left of the text; all of it where it says nothing but what is not wanted.
    public let wanted: String
    /// Single words.
    public let unwanted: [String]

    /// - Parameter text: as somebody typed it. A negating word takes the next word that says something with it, and what `and` or `or` joins to
    ///   that.
    public init(_ text: String, language: Language = .english) {
        let negating = language.negating
        let tokens = text.split { $0.isWhitespace }.map(String.init)
        guard tokens.contains(where: { negating.contains(Self.bare($0)) }) else {
            (wanted, unwanted) = (text, [])
            return
        }
        var kept: [String] = []
        var refused: [String] = []
        /// Whether the next word is refused, and whether one was just now.
        var (isOpen, isRunning) = (false, false)
        for token in tokens {
            let word = Self.bare(token)
            if negating.contains(word) {
                (isOpen, isRunning) = (true, false)
            } else if isOpen, language.isFiller(word) {
                continue
            } else if isOpen {
                refused.append(word)
                (isOpen, isRunning) = (false, true)
            } else if isRunning, language.joining.contains(word) {
                isOpen = true
            } else {
                isRunning = false
                kept.append(token)
            }
        }
        let rest = kept.joined(separator: " ")
        let saysSomething = rest.contains { $0.isLetter || $0.isNumber }
        (wanted, unwanted) = saysSomething && !refused.isEmpty ? (rest, refused) : (text, [])
    }

    private static func bare(_ token: String) -> String { token.lowercased().filter { $0.isLetter || $0.isNumber || $0 == "-" } }
}

extension Language {
    /// Words that say that what follows is not wanted.
    var negating: Set<String> { Self.negations[code]?.negating ?? [] }

    /// Words that join another one to what is not wanted.
    var joining: Set<String> { Self.negations[code]?.joining ?? [] }

    /// What says of a garment that it lacks something, at the end of the word for it: `sleeveless`, `ärmellos`.
    public var lackingEnding: String? {
        ["en": "less", "de": "los", "nl": "loos", "sv": "lös", "da": "løs", "no": "løs"][code]
    }

    private static let negations: [String: (negating: Set<String>, joining: Set<String>)] = [
        "da": (["uden", "ikke", "ingen"], ["og", "eller"]),
        "de": (["ohne", "kein", "keine", "keinen", "nicht"], ["und", "oder"]),
        "en": (["without", "no", "not"], ["and", "or"]), "es": (["sin", "no"], ["y", "o", "ni"]),
        "fr": (["sans", "pas"], ["et", "ou", "ni"]), "it": (["senza", "non"], ["e", "o", "né"]),
        "nl": (["zonder", "geen", "niet"], ["en", "of"]), "no": (["uten", "ikke", "ingen"], ["og", "eller"]),
        "pt": (["sem", "não"], ["e", "ou", "nem"]), "ru": (["без", "не"], ["и", "или"]),
        "sv": (["utan", "inte", "ingen"], ["och", "eller"]),
    ]
}
