internal import Foundation

/// How a text is cleaned before it is cut into words. The two families of CLIP's tools do it differently; a model sees what it was
/// trained on only if the same clean-up is done, which the kind of its folder tells.
///
/// | | `openCLIP` | `huggingFace` |
/// |---|---|---|
/// | broken characters, curly quotes, ligatures, full-width forms | mended, as `ftfy` does | left |
/// | HTML references | unescaped twice | left |
/// | control characters, byte order marks | removed | left |
/// | normal form | NFC | NFC |
/// | blanks | collapsed, trimmed | collapsed |
/// | lower case | by string: a final sigma is ς | by character: every sigma is σ |
/// | special tokens in the text | `<start_of_text>`, `<end_of_text>` | `<|startoftext|>`, `<|endoftext|>` |
///
/// What `openCLIP` does not do of `ftfy`: see ``MojibakeRepair``.
///
/// Texts for SigLIP lose their ASCII punctuation too (see ``canonicalized(_:)``), and again the two differ:
///
/// | | `openCLIP` | `huggingFace` |
/// |---|---|---|
/// | broken characters, HTML references, controls | as above | left |
/// | normal form, further characters | by the model's rules, a grapheme at a time | by the model's rules, the longest first |
/// | underscores | become blanks | removed |
/// | special tokens in the text | lose their brackets | `</s>`, `<unk>` |
/// | a character without a piece | the unknown token | its bytes, where the model has byte pieces |
public enum TextCleanup: Sendable, Hashable, CaseIterable {
    /// `open_clip` and OpenAI's own code: `ftfy.fix_text`, `html.unescape` twice, blanks, lower case.
    case openCLIP
    /// `transformers.CLIPTokenizer`: NFC, blanks, lower case.
    case huggingFace

    typealias Scalars = [Unicode.Scalar]

    func clean(_ text: Scalars) -> Scalars {
        switch self {
        case .openCLIP:
            let mended = text.allSatisfy(Self.isPlain) ? text : Self.unescaped(Self.mended(text))
            return Self.lowered(Self.collapsed(mended), finalSigma: true)
        case .huggingFace:
            return Self.lowered(Self.collapsed(Self.composed(text)), finalSigma: false)
        }
    }

    // MARK: Without punctuation

    /// The clean-up for SigLIP's models: `canonicalize_text` of the two libraries, lower case and no ASCII punctuation.
    func canonicalized(_ text: Scalars) -> Scalars {
        switch self {
        case .openCLIP:
            let mended = text.allSatisfy(Self.isPlain) ? text : Self.unescaped(Self.mended(text))
            let spelt = mended.map { $0 == "_" ? " " : $0 }.filter { !Self.isPunctuation($0) }
            return Self.collapsed(Self.lowered(spelt, finalSigma: true))
        case .huggingFace:
            let spelt = Self.lowered(text, finalSigma: true).filter { !Self.isPunctuation($0) }
            return Scalars(spelt.split(whereSeparator: Self.isPythonBlank).joined(separator: CollectionOfOne(" ")))
        }
    }

    /// Python's `string.punctuation`.
    private static func isPunctuation(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x21...0x2F, 0x3A...0x40, 0x5B...0x60, 0x7B...0x7E: true
        default: false
        }
    }

    /// Python's `str.isspace` counts four separators of ASCII in that Unicode does not.
    static func isPythonBlank(_ scalar: Unicode.Scalar) -> Bool {
        scalar.properties.isWhitespace || (0x1C...0x1F).contains(scalar.value)
    }

    // MARK: Lines

    /// Whether nothing in a text of such characters could be mended.
    private static func isPlain(_ scalar: Unicode.Scalar) -> Bool { (0x20..<0x7F).contains(scalar.value) && scalar != "&" }

    private static func unescaped(_ text: Scalars) -> Scalars {
        HTMLEntities.html5.unescape(HTMLEntities.html5.unescape(text))
    }

    /// Each line by itself. A `<` means that the text is HTML on purpose, from its line on: no references are replaced then.
    private static func mended(_ text: Scalars) -> Scalars {
        var out: Scalars = []
        var unescapes = true
        var start = 0
        while start < text.count {
            let end = text[start...].firstIndex(of: "\n").map { $0 + 1 } ?? text.count
            var line = Scalars(text[start..<end])
            if line.contains("<") { unescapes = false }
            while true {
                let mended = mendedOnce(line, unescapes: unescapes)
                if mended == line { break }
                line = mended
            }
            out += line
            start = end
        }
        return out
    }

    private static func mendedOnce(_ line: Scalars, unescapes: Bool) -> Scalars {
        var text = unescapes ? HTMLEntities.html5.unescapeClosed(line) : line
        text = MojibakeRepair.repair(text)
        text = text.flatMap(replaced)
        text = straightenedBreaks(text)
        text = withoutTerminalCodes(text)
        text.removeAll(where: isRemoved)
        return composed(text)
    }

    // MARK: Characters

    /// Leftover C1 controls as Windows-1252, Latin ligatures, full-width and half-width forms, curly quotes.
    private static func replaced(_ scalar: Unicode.Scalar) -> Scalars {
        switch scalar.value {
        case ..<0x80: return [scalar]
        case 0x80...0x9F: return straight(Windows1252.scalar(UInt8(scalar.value)))
        case 0x0132, 0x0133, 0x0149, 0x01C4...0x01CC, 0x01F1...0x01F3, 0xFB00...0xFB06:
            return ligatures[scalar.value] ?? [scalar]
        case 0x3000, 0xFF01...0xFFEF:
            var view = String.UnicodeScalarView()
            view.append(scalar)
            return Scalars(String(view).precomposedStringWithCompatibilityMapping.unicodeScalars).flatMap(straight)
        default: return straight(scalar)
        }
    }

    private static func straight(_ scalar: Unicode.Scalar) -> Scalars {
        switch scalar.value {
        case 0x02BC, 0x2018...0x201B: ["'"]
        case 0x201C...0x201F: ["\""]
        default: [scalar]
        }
    }

    private static let ligatures: [UInt32: Scalars] = [
        0x0132: "IJ", 0x0133: "ij", 0x0149: "'n", 0x01C4: "D\u{17D}", 0x01C5: "D\u{17E}", 0x01C6: "d\u{17E}", 0x01C7: "LJ",
        0x01C8: "Lj", 0x01C9: "lj", 0x01CA: "NJ", 0x01CB: "Nj", 0x01CC: "nj", 0x01F1: "DZ", 0x01F2: "Dz", 0x01F3: "dz",
        0xFB00: "ff", 0xFB01: "fi", 0xFB02: "fl", 0xFB03: "ffi", 0xFB04: "ffl", 0xFB05: "\u{17F}t", 0xFB06: "st",
    ].mapValues { Scalars($0.unicodeScalars) }

    /// Every kind of line break as a line feed.
    private static func straightenedBreaks(_ text: Scalars) -> Scalars {
        var out: Scalars = []
        out.reserveCapacity(text.count)
        for (place, scalar) in text.enumerated() {
            switch scalar {
            case "\n" where place > 0 && text[place - 1] == "\r": continue
            case "\r", "\u{2028}", "\u{2029}", "\u{85}": out.append("\n")
            default: out.append(scalar)
            }
        }
        return out
    }

    /// Without the escape sequences that colour a terminal: escape, `[`, digits and semicolons, one letter.
    private static func withoutTerminalCodes(_ text: Scalars) -> Scalars {
        guard text.contains("\u{1B}") else { return text }
        var out: Scalars = []
        var place = 0
        while place < text.count {
            if text[place] == "\u{1B}", place + 1 < text.count, text[place + 1] == "[" {
                var end = place + 2
                while end < text.count, text[end].properties.generalCategory == .decimalNumber || text[end] == ";" { end += 1 }
                if end < text.count, text[end].isASCII, text[end].properties.isAlphabetic {
                    place = end + 1
                    continue
                }
            }
            out.append(text[place])
            place += 1
        }
        return out
    }

    /// Controls that show nothing: of ASCII, Arabic shaping, annotations, the object mark, the byte order mark.
    private static func isRemoved(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x00...0x08, 0x0B, 0x0E...0x1F, 0x7F, 0x206A...0x206F, 0xFEFF, 0xFFF9...0xFFFC: true
        default: false
        }
    }

    // MARK: Normal form, blanks, case

    private static func composed(_ text: Scalars) -> Scalars {
        guard text.contains(where: { $0.value >= 0x300 }) else { return text }  // below are no marks, and all is composed
        var view = String.UnicodeScalarView()
        view.append(contentsOf: text)
        return Scalars(String(view).precomposedStringWithCanonicalMapping.unicodeScalars)
    }

    private static func collapsed(_ text: Scalars) -> Scalars {
        Scalars(text.split(whereSeparator: \.properties.isWhitespace).joined(separator: CollectionOfOne(" ")))
    }

    private static func lowered(_ text: Scalars, finalSigma: Bool) -> Scalars {
        var out: Scalars = []
        out.reserveCapacity(text.count)
        for (place, scalar) in text.enumerated() {
            if scalar.isASCII {
                out.append(("A"..."Z").contains(scalar) ? Unicode.Scalar(UInt8(scalar.value) + 0x20) : scalar)
            } else if scalar == "\u{3A3}" {
                out.append(finalSigma && endsWord(text, place) ? "\u{3C2}" : "\u{3C3}")
            } else {
                out += scalar.properties.lowercaseMapping.unicodeScalars
            }
        }
        return out
    }

    /// Unicode's Final_Sigma condition: a cased letter before it and none after it, not counting what case ignores.
    private static func endsWord(_ text: Scalars, _ place: Int) -> Bool {
        let before = text[..<place].last { !$0.properties.isCaseIgnorable }
        guard before?.properties.isCased == true else { return false }
        let after = text[(place + 1)...].first { !$0.properties.isCaseIgnorable }
        return after?.properties.isCased != true
    }
}
