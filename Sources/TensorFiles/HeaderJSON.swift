/// A JSON value that keeps what a safetensors header must be judged by: the order and the repetition of keys, and numbers as
/// they were written. `JSONSerialization` keeps none of the three.
enum HeaderJSON {
    case object([(key: String, value: HeaderJSON)])
    case array([HeaderJSON])
    case string(String)
    case number(String)
    case literal(String)

    /// How a value is named in an error; long text is cut.
    var summary: String {
        switch self {
        case .object: "an object"
        case .array(let values): "an array of \(values.count)"
        case .string(let text): "\"\(text.prefix(60))\""
        case .number(let text): String(text.prefix(60))
        case .literal(let text): text
        }
    }

    /// A whole number from 0, written without sign, point or exponent; nil otherwise or where it exceeds `Int.max`.
    var count: Int? {
        guard case .number(let text) = self, text.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
        return Int(text)
    }
}

/// Strict RFC 8259: no comments, no trailing commas, no duplicate keys, UTF-8 only, one value.
struct HeaderJSONParser {
    struct Failure: Error {
        let offset: Int
        let problem: String
    }

    /// A header nests three deep; more is refused before recursion can cost a stack.
    private static let deepest = 8

    private let bytes: UnsafeRawBufferPointer
    private var position = 0

    static func parse(_ bytes: UnsafeRawBufferPointer) throws(Failure) -> HeaderJSON {
        var parser = HeaderJSONParser(bytes: bytes)
        let value = try parser.value(depth: 0)
        parser.skipBlanks()
        guard parser.position == bytes.count else { throw parser.failure("found text after the closing brace") }
        return value
    }

    private init(bytes: UnsafeRawBufferPointer) {
        self.bytes = bytes
    }

    private func failure(_ problem: String) -> Failure {
        Failure(offset: position, problem: problem)
    }

    private var next: UInt8? { position < bytes.count ? bytes[position] : nil }

    private mutating func skipBlanks() {
        while let byte = next, byte == 0x20 || byte == 0x09 || byte == 0x0A || byte == 0x0D { position += 1 }
    }

    private mutating func take(_ character: Unicode.Scalar) -> Bool {
        guard next == UInt8(ascii: character) else { return false }
        position += 1
        return true
    }

    private mutating func value(depth: Int) throws(Failure) -> HeaderJSON {
        guard depth < Self.deepest else { throw failure("values nest deeper than \(Self.deepest)") }
        skipBlanks()
        switch next {
        case UInt8(ascii: "{"): return try object(depth: depth)
        case UInt8(ascii: "["): return try array(depth: depth)
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "t"): return try literal("true")
        case UInt8(ascii: "f"): return try literal("false")
        case UInt8(ascii: "n"): return try literal("null")
        case UInt8(ascii: "-"), .some(0x30...0x39): return try number()
        case nil: throw failure("the JSON ends early, expected a value")
        default: throw failure("expected a JSON value")
        }
    }

    private mutating func object(depth: Int) throws(Failure) -> HeaderJSON {
        position += 1
        var members: [(key: String, value: HeaderJSON)] = []
        var seen: Set<String> = []
        skipBlanks()
        if take("}") { return .object([]) }
        while true {
            skipBlanks()
            guard next == UInt8(ascii: "\"") else { throw failure("expected a key in quotes") }
            let start = position
            let key = try string()
            // Names that differ only in Unicode normalisation count as the same: no reader in Swift could tell them apart.
            guard seen.insert(key).inserted else { throw Failure(offset: start, problem: "the key `\(key)` stands twice") }
            skipBlanks()
            guard take(":") else { throw failure("expected `:` after the key `\(key.prefix(60))`") }
            members.append((key, try value(depth: depth + 1)))
            skipBlanks()
            if take("}") { return .object(members) }
            guard take(",") else { throw failure("expected `,` or `}`") }
        }
    }

    private mutating func array(depth: Int) throws(Failure) -> HeaderJSON {
        position += 1
        var values: [HeaderJSON] = []
        skipBlanks()
        if take("]") { return .array([]) }
        while true {
            values.append(try value(depth: depth + 1))
            skipBlanks()
            if take("]") { return .array(values) }
            guard take(",") else { throw failure("expected `,` or `]`") }
        }
    }

    private mutating func literal(_ word: String) throws(Failure) -> HeaderJSON {
        for byte in word.utf8 {
            guard next == byte else { throw failure("expected `\(word)`") }
            position += 1
        }
        return .literal(word)
    }

    private mutating func number() throws(Failure) -> HeaderJSON {
        let start = position
        _ = take("-")
        if take("0") {
            if let byte = next, (0x30...0x39).contains(byte) { throw failure("a number has a leading zero") }
        } else {
            try digits()
        }
        if take(".") { try digits() }
        if take("e") || take("E") {
            _ = take("+") || take("-")
            try digits()
        }
        return .number(String(decoding: bytes[start..<position], as: UTF8.self))
    }

    private mutating func digits() throws(Failure) {
        guard let first = next, (0x30...0x39).contains(first) else { throw failure("expected a digit") }
        while let byte = next, (0x30...0x39).contains(byte) { position += 1 }
    }

    private mutating func string() throws(Failure) -> String {
        position += 1
        var text: [UInt8] = []
        while true {
            guard let byte = next else { throw failure("a string is not closed") }
            position += 1
            switch byte {
            case UInt8(ascii: "\""):
                guard let valid = String(validating: text, as: UTF8.self) else { throw failure("a string is not UTF-8") }
                return valid
            case UInt8(ascii: "\\"): text.append(contentsOf: String(try escaped()).utf8)
            case ..<0x20: throw failure("a string holds a bare control character")
            default: text.append(byte)
            }
        }
    }

    /// What follows a backslash; a surrogate pair is two escapes.
    private mutating func escaped() throws(Failure) -> Unicode.Scalar {
        guard let byte = next else { throw failure("a string is not closed") }
        position += 1
        switch byte {
        case UInt8(ascii: "\""): return "\""
        case UInt8(ascii: "\\"): return "\\"
        case UInt8(ascii: "/"): return "/"
        case UInt8(ascii: "b"): return "\u{8}"
        case UInt8(ascii: "f"): return "\u{C}"
        case UInt8(ascii: "n"): return "\n"
        case UInt8(ascii: "r"): return "\r"
        case UInt8(ascii: "t"): return "\t"
        case UInt8(ascii: "u"):
            let unit = try hexadecimal()
            if let scalar = Unicode.Scalar(unit) { return scalar }
            guard (0xD800..<0xDC00).contains(unit), take("\\"), take("u") else { throw failure("a surrogate stands alone") }
            let low = try hexadecimal()
            guard (0xDC00..<0xE000).contains(low),
                let scalar = Unicode.Scalar(0x10000 + (unit - 0xD800) << 10 + (low - 0xDC00))
            else { throw failure("a surrogate stands alone") }
            return scalar
        default: throw failure("unknown escape in a string")
        }
    }

    private mutating func hexadecimal() throws(Failure) -> UInt32 {
        var unit: UInt32 = 0
        for _ in 0..<4 {
            guard let byte = next, let digit = Character(Unicode.Scalar(byte)).hexDigitValue else {
                throw failure("expected four hexadecimal digits")
            }
            unit = unit << 4 | UInt32(digit)
            position += 1
        }
        return unit
    }
}
