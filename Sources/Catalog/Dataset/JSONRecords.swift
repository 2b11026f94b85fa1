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
                    throw .malformed(
                        path: path, line: line,
                        reason:
                            "the file is not an array of products; begin it with [, or, if it has one object a line, call it .jsonl"
                    )
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

    /// What a piece holds.
    struct Parsed {
        let object: [String: JSONValue]
        /// `NaN` and the like, which were read as null.
        let notNumbers: Set<String>
        /// A comma stands behind the object.
        let hasComma: Bool
    }

    struct Failure: Error {
        let line: Int
        let reason: String
    }

    /// Parses one piece, which has to be an object; a comma behind it is taken, as in a list that somebody cut into lines.
    /// - Parameter expected: an object as it should be, for a sentence.
    static func object(
        _ piece: Piece, like expected: String = "{\"image\": …, \"product_id\": …}"
    ) -> Result<Parsed, Failure> {
        guard String(validating: piece.bytes, as: UTF8.self) != nil else {
            return .failure(Failure(line: piece.line, reason: "the text is not UTF-8; save the file as UTF-8"))
        }
        var parser = JSONParser(piece.bytes)
        do throws(JSONParser.Failure) {
            let value = try parser.nextValue()
            parser.skipBlanks()
            let hasComma = parser.take(",")
            parser.skipBlanks()
            guard parser.isAtEnd else {
                throw JSONParser.Failure(index: parser.position, problem: "something follows the end of the object")
            }
            guard case .object(let object) = value else {
                return .failure(Failure(line: piece.line, reason: "this is not a JSON object; write \(expected)"))
            }
            return .success(Parsed(object: object, notNumbers: parser.notNumbers, hasComma: hasComma))
        } catch {
            return .failure(failure(error, in: piece))
        }
    }

    /// Where in the file the parser stopped, and why.
    static func failure(_ error: JSONParser.Failure, in piece: Piece) -> Failure {
        let before = piece.bytes[..<error.index]
        let lineStart = before.lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? piece.bytes.startIndex
        let column = String(decoding: before[lineStart...], as: UTF8.self).count + 1
        return Failure(
            line: piece.line + before.count { $0 == UInt8(ascii: "\n") },
            reason: "this is not valid JSON: at character \(column) \(error.problem)")
    }

    /// The objects of a file whose objects are spread over several lines, or stand in one array: what a JSON Lines file is not, and many a file
    /// of this name is. `nil` where the file is neither, as a whole.
    static func spread(_ bytes: [UInt8]) -> (pieces: [Piece], isArray: Bool)? {
        let start = bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? 3 : 0
        guard let first = bytes[start...].firstIndex(where: { !isBlank($0) }) else { return nil }
        if bytes[first] == UInt8(ascii: "[") {
            return (try? elements(bytes, path: "")).map { ($0, true) }
        }
        var parser = JSONParser(bytes[start...])
        var pieces: [Piece] = []
        var line = 1
        var counted = start
        while true {
            parser.skipBlanks()
            while parser.take(",") { parser.skipBlanks() }
            if parser.isAtEnd { return (pieces, false) }
            let begin = parser.position
            line += bytes[counted..<begin].count { $0 == UInt8(ascii: "\n") }
            counted = begin
            guard let value = try? parser.nextValue(), case .object = value else { return nil }
            pieces.append(Piece(line: line, bytes: bytes[begin..<parser.position]))
        }
    }

    private static func isBlank(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") || byte == UInt8(ascii: "\r") || byte == UInt8(ascii: "\n")
    }
}
