import Foundation

/// Prices as people write them: `49.90`, `49,90`, `€49`, `1.299,00`, `1,299.00`, `1 299`, `49,-`.
enum PriceText {
    /// What separates a file's decimals.
    enum Style: Sendable, Hashable {
        case point, comma
    }

    /// A number, or why it is none. Three digits behind the only point or comma are decimals if that is the file's mark for decimals, and a
    /// group of thousands if not.
    static func value(of text: String, _ style: Style) -> Result<Double, Column.Reason> {
        let refused = Column.Reason("the price '\(text)' is not a number; write it like 19.99")
        guard let parts = parts(of: text) else { return .failure(refused) }
        let whole: [Substring]
        let decimals: Substring
        switch (parts.marks.first, parts.marks.last, Set(parts.marks).count) {
        case (nil, _, _):
            (whole, decimals) = (parts.groups, "")
        case (let mark?, _, 1) where parts.marks.count == 1 && !isThousands(mark, parts.groups, style):
            (whole, decimals) = (Array(parts.groups.dropLast()), parts.groups.last ?? "")
        case (let mark?, let last?, 2) where mark != last && parts.marks.dropLast().allSatisfy { $0 == mark } && isMark(last):
            (whole, decimals) = (Array(parts.groups.dropLast()), parts.groups.last ?? "")
        case (_, _, 1):
            (whole, decimals) = (parts.groups, "")
        default: return .failure(refused)
        }
        // Groups of thousands have three digits each, but the first.
        guard let first = whole.first, whole.count == 1 || (1...3).contains(first.count),
            whole.dropFirst().allSatisfy({ $0.count == 3 }), whole.count == 1 || first.first != "0"
        else { return .failure(refused) }
        guard let number = Double(whole.joined() + (decimals.isEmpty ? "" : "." + decimals) + parts.exponent), number.isFinite
        else {
            return .failure(refused)
        }
        return .success(number)
    }

    /// What a price says about its file: the mark before one, two or more than three decimals, or behind a group of thousands.
    static func evidence(in text: String) -> Style? {
        guard let parts = parts(of: text), let last = parts.marks.last, isMark(last), parts.exponent.isEmpty else { return nil }
        if Set(parts.marks).count == 2 { return last == "," ? .comma : .point }
        // 1.299.000: the other mark is left for decimals.
        if parts.marks.count > 1 { return last == "," ? .point : .comma }
        guard let decimals = parts.groups.last, decimals.count != 3 || parts.groups.first == "0" else { return nil }
        return last == "," ? .comma : .point
    }

    /// Whether the file's mark for decimals decides what a price means.
    static func isAmbiguous(_ text: String) -> Bool {
        guard let parts = parts(of: text), parts.marks.count == 1, let mark = parts.marks.first, isMark(mark) else {
            return false
        }
        return evidence(in: text) == nil && parts.exponent.isEmpty
    }

    private static func isMark(_ mark: Character) -> Bool { mark == "," || mark == "." }

    /// Whether the only mark stands before thousands.
    private static func isThousands(_ mark: Character, _ groups: [Substring], _ style: Style) -> Bool {
        if !isMark(mark) { return true }
        guard groups.last?.count == 3, groups.first != "0" else { return false }
        return mark == (style == .comma ? "." : ",")
    }

    /// Digits, and what stands between them, without a sign or name of a currency; `nil` for anything else.
    private static func parts(of text: String) -> (groups: [Substring], marks: [Character], exponent: String)? {
        var rest = Substring(text)
        let isNoNumber: (Character) -> Bool = { !("0"..."9").contains($0) }
        // EUR 49, €49, Fr. 49: at most a word of letters and signs, never a minus.
        let before = rest.prefix(while: isNoNumber)
        rest = rest.dropFirst(before.count)
        guard isCurrency(before) else { return nil }
        guard let end = rest.lastIndex(where: { !isNoNumber($0) }) else { return nil }
        var after = rest[rest.index(after: end)...]
        rest = rest[...end]
        // 49,- and 49.-
        for dash in [",-", ".-", ",–", ".–", ",--"] where after.hasPrefix(dash) { after = after.dropFirst(dash.count) }
        guard isCurrency(after) else { return nil }
        var exponent = ""
        if let mark = rest.firstIndex(where: { $0 == "e" || $0 == "E" }) {
            let power = rest[rest.index(after: mark)...]
            let digits = power.drop { $0 == "-" || $0 == "+" }
            guard power.count - digits.count <= 1, !digits.isEmpty, !digits.contains(where: isNoNumber) else { return nil }
            exponent = "e" + power
            rest = rest[..<mark]
        }
        var marks: [Character] = []
        for character in rest where isNoNumber(character) {
            guard ".,' ’\u{A0}\u{202F}\u{2009}".contains(character) else { return nil }
            marks.append(character)
        }
        let groups = rest.split(omittingEmptySubsequences: false, whereSeparator: isNoNumber)
        guard !groups.contains(where: \.isEmpty) else { return nil }
        return (groups, marks, exponent)
    }

    private static let names: Set<String> = [
        "kr", "zł", "zl", "lei", "fr", "sfr", "kč", "kc", "ft", "rs", "rm", "tl", "eur", "euro", "usd", "gbp", "chf",
    ]

    /// Nothing, a currency's sign (also behind letters: US$), a code such as SEK, or a name in use.
    private static func isCurrency(_ text: Substring) -> Bool {
        let name = text.trimmingCharacters(in: .whitespaces)
        if name.isEmpty { return true }
        let letters = name.hasSuffix(".") ? String(name.dropLast()) : name
        if names.contains(letters.lowercased()) || (letters.count == 3 && letters.allSatisfy { ("A"..."Z").contains($0) }) {
            return true
        }
        guard letters.count <= 3 else { return false }
        let signs = letters.unicodeScalars.filter { $0.properties.generalCategory == .currencySymbol }
        return signs.count == 1 && letters.unicodeScalars.allSatisfy { $0.properties.isAlphabetic || signs.contains($0) }
    }
}
