import Foundation

/// A JSON value as a manifest uses it.
enum JSONValue: Decodable, Sendable, Equatable {
    case text(String)
    case truth(Bool)
    case integer(Int64)
    case number(Double)
    case list([JSONValue])
    case object([String: JSONValue])
    case null

    init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        // Text first: nearly every value of a manifest is one, and a wrong guess costs a thrown error.
        if let value = try? container.decode(String.self) {
            self = .text(value)
        } else if container.decodeNil() {
            self = .null
        } else if let value = try? container.decode(Bool.self) {
            self = .truth(value)
        } else if let value = try? container.decode(Int64.self) {
            self = .integer(value)
        } else if let value = try? container.decode(Double.self) {
            self = .number(value)
        } else if let value = try? container.decode([JSONValue].self) {
            self = .list(value)
        } else {
            self = .object(try container.decode([String: JSONValue].self))
        }
    }

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
                switch value.field {
                case .success(let part): if let part { parts.append(part) }
                case .failure(let reason): return .failure(reason)
                }
            }
            return .success(parts.isEmpty ? nil : parts.joined(separator: "|"))
        }
    }
}

/// Splits JSON files into pieces that are decoded one by one, so that one bad piece does not spoil the others and each
/// knows its line.
enum JSONRecords {
    struct Piece {
        /// 1-based line of the first byte.
        let line: Int
        let bytes: ArraySlice<UInt8>
    }

    /// The lines of a JSON Lines file; blank lines and a byte-order mark are skipped.
    static func lines(_ bytes: [UInt8]) -> [Piece] {
        var pieces: [Piece] = []
        var line = 1
        var start = bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? 3 : 0
        while start < bytes.count {
            let end = bytes[start...].firstIndex(of: UInt8(ascii: "\n")) ?? bytes.count
            if !bytes[start..<end].allSatisfy(isBlank) { pieces.append(Piece(line: line, bytes: bytes[start..<end])) }
            line += 1
            start = end + 1
        }
        return pieces
    }

    /// The elements of a file that is one JSON array. Only strings and brackets are looked at: whether an element is valid
    /// JSON shows when it is decoded.
    static func elements(_ bytes: [UInt8], path: String) throws(CatalogError) -> [Piece] {
        var pieces: [Piece] = []
        var line = 1
        var depth = 0
        var inText = false
        var escaped = false
        var start: (index: Int, line: Int)?
        var closed = false
        for index in (bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? 3 : 0)..<bytes.count {
            let byte = bytes[index]
            if byte == UInt8(ascii: "\n") { line += 1 }
            if inText {
                if escaped {
                    escaped = false
                } else if byte == UInt8(ascii: "\\") {
                    escaped = true
                } else {
                    inText = byte != UInt8(ascii: "\"")
                }
                continue
            }
            if isBlank(byte) { continue }
            if closed { throw .malformed(path: path, line: line, reason: "something follows the closing bracket of the array") }
            if depth == 0 {
                guard byte == UInt8(ascii: "[") else {
                    throw .malformed(path: path, line: line, reason: "the file is not an array of products; begin it with [")
                }
                depth = 1
                continue
            }
            let ends = depth == 1 && (byte == UInt8(ascii: ",") || byte == UInt8(ascii: "]"))
            if ends {
                if let start { pieces.append(Piece(line: start.line, bytes: bytes[start.index..<index])) }
                start = nil
                closed = byte == UInt8(ascii: "]")
                continue
            }
            if start == nil { start = (index, line) }
            switch byte {
            case UInt8(ascii: "\""): inText = true
            case UInt8(ascii: "{"), UInt8(ascii: "["): depth += 1
            case UInt8(ascii: "}"), UInt8(ascii: "]"): depth -= 1
            default: break
            }
        }
        guard closed else {
            throw .malformed(
                path: path, line: start?.line ?? line, reason: "the array of products is never closed; the file is cut off")
        }
        return pieces
    }

    /// Decodes one piece, which has to be an object.
    static func object(_ piece: Piece, with decoder: JSONDecoder) -> Result<[String: JSONValue], Column.Reason> {
        guard String(validating: piece.bytes, as: UTF8.self) != nil else {
            return .failure(Column.Reason("the text is not UTF-8; save the file as UTF-8"))
        }
        guard let value = try? decoder.decode(JSONValue.self, from: Data(piece.bytes)) else {
            return .failure(Column.Reason("this is not valid JSON"))
        }
        guard case .object(let object) = value else {
            return .failure(Column.Reason("this is not a JSON object; write {\"image\": …, \"product_id\": …}"))
        }
        return .success(object)
    }

    private static func isBlank(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") || byte == UInt8(ascii: "\r") || byte == UInt8(ascii: "\n")
    }
}
