/// A JSON value as a manifest uses it.
enum JSONValue: Sendable, Equatable {
    case text(String)
    case truth(Bool)
    case integer(Int64)
    case number(Double)
    case list([JSONValue])
    case object([String: JSONValue])
    case null

    /// The value as a manifest keeps it: lists of single values are joined with `|`; `nil` for null and for empty text;
    /// fails for an object, or a list that holds one.
    var field: Result<String?, Column.Reason> {
        switch self {
        case .text(let text): return .success(text.isEmpty ? nil : text)
        case .truth(let truth): return .success(truth ? "true" : "false")
        case .integer(let integer): return .success(String(integer))
        case .number(let number): return .success(Column.number(number))
        case .null: return .success(nil)
        case .object: return .failure(Column.Reason("is an object; write a text, a number, true, false or a list of these"))
        case .list(let values):
            var parts: [String] = []
            for value in values {
                if case .list = value { return .failure(Column.Reason("is a list of lists; write a list of texts")) }
                if case .object = value { return .failure(Column.Reason("is a list of objects; write a list of texts")) }
                switch value.field {
                case .success(let part): if let part { parts.append(part) }
                case .failure(let reason): return .failure(reason)
                }
            }
            return .success(parts.isEmpty ? nil : parts.joined(separator: "|"))
        }
    }
}

/// Strict RFC 8259: no comments, no trailing commas, no repeated keys, UTF-8 only. What is wrong is said with its place.
///
/// One liberty: `NaN`, `Infinity` and `-Infinity`, which Python writes for missing numbers, are read as null and listed in `notNumbers`.
struct JSONParser {
    struct Failure: Error {
        /// Of the byte that is wrong.
        let index: Int
        /// What was found and what would be right, to stand behind a colon.
        let problem: String
    }

    /// A manifest nests four deep; more is refused before recursion can cost a stack.
    private static let deepest = 64

    private let bytes: ArraySlice<UInt8>
    private(set) var position: Int
    /// Words that stand where a number should.
    private(set) var notNumbers: Set<String> = []

    init(_ bytes: ArraySlice<UInt8>) {
        self.bytes = bytes
        position = bytes.startIndex
    }

    /// The only value of the bytes.
    mutating func wholeValue() throws(Failure) -> JSONValue {
        let value = try nextValue()
        skipBlanks()
        guard isAtEnd else { throw failure("something follows the end of the value (\(found))") }
        return value
    }

    /// The value that begins here; what follows it stays unread.
    mutating func nextValue() throws(Failure) -> JSONValue { try value(depth: 0) }

    var isAtEnd: Bool { position == bytes.endIndex }

    mutating func skipBlanks() {
        while let byte = next, byte == 0x20 || byte == 0x09 || byte == 0x0A || byte == 0x0D { position += 1 }
    }

    mutating func take(_ character: Unicode.Scalar) -> Bool {
        guard next == UInt8(ascii: character) else { return false }
        position += 1
        return true
    }

    private var next: UInt8? { position < bytes.endIndex ? bytes[position] : nil }

    private func failure(_ problem: String) -> Failure { Failure(index: position, problem: problem) }

    /// What stands here, for a sentence.
    private var found: String {
        guard let byte = next else { return "the end" }
        let word = bytes[position...].prefix(20).prefix { Self.isWordByte($0) }
        if !word.isEmpty { return String(decoding: word, as: UTF8.self) }
        return byte >= 0x20 && byte < 0x7F ? "'\(Character(Unicode.Scalar(byte)))'" : "the byte \(byte)"
    }

    private static func isWordByte(_ byte: UInt8) -> Bool {
        (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte) || (0x30...0x39).contains(byte) || byte == UInt8(ascii: "_")
    }

    private mutating func value(depth: Int) throws(Failure) -> JSONValue {
        guard depth < Self.deepest else { throw failure("values nest deeper than \(Self.deepest)") }
        skipBlanks()
        switch next {
        case UInt8(ascii: "{"): return try object(depth: depth)
        case UInt8(ascii: "["): return try list(depth: depth)
        case UInt8(ascii: "\""): return .text(try text())
        case UInt8(ascii: "-") where !bytes[position...].dropFirst().starts(with: "Inf".utf8), .some(0x30...0x39):
            return try number()
        case nil: throw failure("it ends where a value should stand")
        default: return try word()
        }
    }

    private mutating func word() throws(Failure) -> JSONValue {
        let sign = next == UInt8(ascii: "-") ? 1 : 0
        let word = String(
            decoding: bytes[position...].prefix(sign) + bytes[position...].dropFirst(sign).prefix { Self.isWordByte($0) },
            as: UTF8.self)
        let value: JSONValue
        switch word {
        case "true": value = .truth(true)
        case "false": value = .truth(false)
        case "null": value = .null
        case "NaN", "Infinity", "-Infinity":
            value = .null
            notNumbers.insert(word)
        case "nan", "inf", "None", "undefined": throw failure("\(word) is no JSON; write null")
        case "True", "False": throw failure("\(word) is no JSON; write \(word.lowercased())")
        default:
            switch next {
            case UInt8(ascii: "'"): throw failure("a text stands in single quotes; JSON takes double quotes only")
            case UInt8(ascii: ","): throw failure("a comma stands where a value should")
            case UInt8(ascii: "}"), UInt8(ascii: "]"):
                throw failure("\(found) stands where a value should; take out the comma before it")
            default: throw failure("\(word.isEmpty ? found : word) stands where a value should; texts stand in double quotes")
            }
        }
        position += word.utf8.count
        return value
    }

    private mutating func object(depth: Int) throws(Failure) -> JSONValue {
        position += 1
        var members: [String: JSONValue] = [:]
        skipBlanks()
        if take("}") { return .object([:]) }
        while true {
            skipBlanks()
            guard next == UInt8(ascii: "\"") else {
                if next == UInt8(ascii: "}") { throw failure("a comma stands before the closing }; take it out") }
                throw failure(
                    isAtEnd
                        ? "it ends within an object; write one whole object a line"
                        : "\(found) stands where a key in double quotes should")
            }
            let start = position
            let key = try text().oneSpelling
            skipBlanks()
            guard take(":") else { throw failure("\(found) stands where the ':' behind the key '\(key)' should") }
            let value = try value(depth: depth + 1)
            // One of the two would be lost without a word. Two spellings of one key are the same key.
            guard members.updateValue(value, forKey: key) == nil else {
                throw Failure(index: start, problem: "the key '\(key)' stands twice in one object")
            }
            skipBlanks()
            if take("}") { return .object(members) }
            guard take(",") else {
                throw failure(
                    isAtEnd
                        ? "it ends within an object; write one whole object a line"
                        : "\(found) stands where a comma or the closing } should")
            }
        }
    }

    private mutating func list(depth: Int) throws(Failure) -> JSONValue {
        position += 1
        var values: [JSONValue] = []
        skipBlanks()
        if take("]") { return .list([]) }
        while true {
            values.append(try value(depth: depth + 1))
            skipBlanks()
            if take("]") { return .list(values) }
            guard take(",") else { throw failure("\(found) stands where a comma or the closing ] should") }
        }
    }

    private mutating func number() throws(Failure) -> JSONValue {
        let start = position
        var isWhole = true
        _ = take("-")
        if take("0") {
            if let byte = next, (0x30...0x39).contains(byte) { throw failure("a number begins with a needless 0") }
        } else {
            try digits()
        }
        if take(".") {
            isWhole = false
            try digits()
        }
        if take("e") || take("E") {
            isWhole = false
            _ = take("+") || take("-")
            try digits()
        }
        if let byte = next, Self.isWordByte(byte) { throw failure("\(found) follows a number") }
        let text = String(decoding: bytes[start..<position], as: UTF8.self)
        if isWhole, let integer = Int64(text) { return .integer(integer) }
        guard let number = Double(text), number.isFinite else {
            throw Failure(index: start, problem: "the number is too large")
        }
        return .number(number)
    }

    private mutating func digits() throws(Failure) {
        guard let first = next, (0x30...0x39).contains(first) else { throw failure("\(found) stands where a digit should") }
        while let byte = next, (0x30...0x39).contains(byte) { position += 1 }
    }

    private mutating func text() throws(Failure) -> String {
        let start = position
        position += 1
        var text: [UInt8] = []
        while let byte = next {
            switch byte {
            case UInt8(ascii: "\""):
                position += 1
                guard let valid = String(validating: text, as: UTF8.self) else {
                    throw Failure(index: start, problem: "a text is not UTF-8; save the file as UTF-8")
                }
                return valid
            case UInt8(ascii: "\\"):
                position += 1
                text.append(contentsOf: String(try escaped()).utf8)
            case ..<0x20:
                throw failure("a text holds a bare line break, tab or other control character; write it as \\n, \\t or \\u00XX")
            default:
                position += 1
                text.append(byte)
            }
        }
        throw Failure(index: start, problem: "the text that begins here is never closed")
    }

    private static let escapes: [UInt8: Unicode.Scalar] = [
        UInt8(ascii: "\""): "\"", UInt8(ascii: "\\"): "\\", UInt8(ascii: "/"): "/", UInt8(ascii: "b"): "\u{8}",
        UInt8(ascii: "f"): "\u{C}", UInt8(ascii: "n"): "\n", UInt8(ascii: "r"): "\r", UInt8(ascii: "t"): "\t",
    ]

    /// What follows a backslash; a surrogate pair is two escapes.
    private mutating func escaped() throws(Failure) -> Unicode.Scalar {
        guard let byte = next else { throw failure("it ends within a text") }
        if let scalar = Self.escapes[byte] {
            position += 1
            return scalar
        }
        guard byte == UInt8(ascii: "u") else {
            throw failure("a backslash stands before \(found); write \\\\ for a backslash of the text")
        }
        position += 1
        let unit = try hexadecimal()
        if let scalar = Unicode.Scalar(unit) { return scalar }
        guard (0xD800..<0xDC00).contains(unit), take("\\"), take("u") else { throw failure("half of a character stands alone") }
        let low = try hexadecimal()
        guard (0xDC00..<0xE000).contains(low), let scalar = Unicode.Scalar(0x10000 + (unit - 0xD800) << 10 + (low - 0xDC00))
        else { throw failure("half of a character stands alone") }
        return scalar
    }

    private mutating func hexadecimal() throws(Failure) -> UInt32 {
        var unit: UInt32 = 0
        for _ in 0..<4 {
            guard let byte = next, let digit = Character(Unicode.Scalar(byte)).hexDigitValue else {
                throw failure("\\u is not followed by four hexadecimal digits")
            }
            unit = unit << 4 | UInt32(digit)
            position += 1
        }
        return unit
    }
}
