import Foundation

/// Which images a search may answer with: conditions on keys, all of which have to hold.
///
/// A key is a column of products (`product_id`, `title`, `category`, `brand`, `price`, `currency`, `url`, `in_stock`, `description`)
/// or images (`view`, `color`, `caption`, `split`), or an attribute; an image's own attribute stands before its product's.
/// Values are compared without regard to case. A stored value with `|` in it is several values, each of which matches. A category
/// `Men/Tops/Hoodies` is also found by `Men/Tops` and `Men`.
public struct CatalogFilter: Sendable, Hashable {
    public enum Condition: Sendable, Hashable {
        case equals(String)
        /// Numbers between the bounds, both included; `nil` is no bound.
        case range(from: Double?, to: Double?)
    }

    /// One key; one of the conditions has to hold.
    public struct Clause: Sendable, Hashable {
        public var key: String
        public var anyOf: [Condition]

        public init(key: String, anyOf: [Condition]) {
            self.key = key
            self.anyOf = anyOf
        }
    }

    public var clauses: [Clause]

    public var isEmpty: Bool { clauses.isEmpty }

    /// No person chooses among more values, and each costs a look-up.
    static let conditionLimit = 200

    public init(clauses: [Clause] = []) {
        self.clauses = clauses
    }

    /// A filter that was not made of text is held to the same limit where it is used.
    func checkCost() throws(CatalogError) {
        guard clauses.reduce(0, { $0 + $1.anyOf.count }) <= Self.conditionLimit else {
            throw .badFilter(
                text: clauses.map(\.key).joined(separator: ", "), reason: "has more than \(Self.conditionLimit) values")
        }
    }

    /// Reads filters as users write them: `color=Black`, `color:Black`, `price=10..50`, `price=..50`, `price=10..`. The same key
    /// again, or values with `|` between them, widen the choice.
    /// - Throws: `CatalogError.badFilter`. Whether a key exists shows only in a catalogue.
    public init(_ expressions: [String]) throws(CatalogError) {
        clauses = []
        var total = 0
        for text in expressions {
            guard let mark = text.firstIndex(where: { $0 == "=" || $0 == ":" }) else {
                throw .badFilter(text: text, reason: "has neither '=' nor ':' behind its key")
            }
            let key = text[..<mark].trimmingCharacters(in: .whitespaces)
            guard !key.isEmpty else { throw .badFilter(text: text, reason: "names no key") }
            var conditions: [Condition] = []
            for part in text[text.index(after: mark)...].split(separator: "|", omittingEmptySubsequences: false) {
                let value = part.trimmingCharacters(in: .whitespaces)
                guard !value.isEmpty else { throw .badFilter(text: text, reason: "has an empty value") }
                conditions.append(try Self.condition(key, value, text))
                total += 1
                guard total <= Self.conditionLimit else {
                    throw .badFilter(text: key, reason: "has more than \(Self.conditionLimit) values")
                }
            }
            if let index = clauses.firstIndex(where: { $0.key == key }) {
                clauses[index].anyOf += conditions
            } else {
                clauses.append(Clause(key: key, anyOf: conditions))
            }
        }
    }

    private static func condition(_ key: String, _ value: String, _ text: String) throws(CatalogError) -> Condition {
        if let dots = value.range(of: "..") {
            let lower = bound(value[..<dots.lowerBound])
            let upper = bound(value[dots.upperBound...])
            if let lower, let upper, lower != nil || upper != nil {
                if let low = lower, let high = upper, low > high {
                    throw .badFilter(text: text, reason: "has its bounds the wrong way round")
                }
                return .range(from: lower, to: upper)
            }
            if key == "price" { throw .badFilter(text: text, reason: "has bounds that are not numbers") }
        }
        if key == "price" {
            guard let price = number(value) else {
                throw .badFilter(text: text, reason: "has a price that is not a number")
            }
            return .range(from: price, to: price)
        }
        if key == "in_stock" {
            guard case .success(let truth) = Column.canonical(key, value) else {
                throw .badFilter(text: text, reason: "has a value that is neither true nor false")
            }
            return .equals(truth)
        }
        return .equals(value)
    }

    /// A bound as written: `.some(nil)` where nothing is written, `nil` where it is no number.
    private static func bound(_ text: Substring) -> Double?? {
        if text.isEmpty { return .some(nil) }
        guard let value = number(String(text)) else { return nil }
        return value
    }

    /// A finite number in decimal notation, or `nil`: Swift also reads `0x1F`, `nan` and `infinity`, which nobody means.
    static func number(_ text: String) -> Double? {
        guard let first = text.utf8.first, first < UInt8(ascii: ":"),
            text.utf8.allSatisfy({ byte in
                switch byte {
                case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "-"), UInt8(ascii: "+"),
                    UInt8(ascii: "e"), UInt8(ascii: "E"):
                    true
                default: false
                }
            }), let value = Double(text), value.isFinite
        else { return nil }
        return value
    }

    /// The values in a stored one, which has `|` between them, without the blanks around each.
    static func parts(of stored: String) -> [String] {
        // Nearly all are a single value, and there are many.
        if let first = stored.utf8.first, let last = stored.utf8.last, (0x21...0x7E).contains(first),
            (0x21...0x7E).contains(last),
            !stored.utf8.contains(UInt8(ascii: "|"))
        {
            return [stored]
        }
        return stored.split(separator: "|").map { $0.trimmingCharacters(in: .whitespaces) }
    }
}

extension CatalogFilter.Clause {
    /// Whether a stored value satisfies the clause.
    func admits(_ stored: String) -> Bool {
        let values = CatalogFilter.parts(of: stored)
        return anyOf.contains { condition in
            switch condition {
            case .equals(let wanted):
                let wanted = wanted.lowercased()
                if stored.lowercased() == wanted { return true }
                return values.contains { value in
                    let value = value.lowercased()
                    return value == wanted || key == "category" && value.hasPrefix(wanted + "/")
                }
            case .range(let lower, let upper):
                return values.contains { value in
                    guard let number = CatalogFilter.number(value) else { return false }
                    return number >= lower ?? -.infinity && number <= upper ?? .infinity
                }
            }
        }
    }
}
