import Foundation

/// Takes a CSV file apart as RFC 4180 says, and as spreadsheets really write it: fields in quotes may hold separators, line breaks and doubled
/// quotes; records end with LF or CRLF, or with CR where no LF ends a line; the separator is a comma, semicolon, tab or `|`, told by the first
/// record or by a line `sep=;` before it; a byte-order mark is skipped; blank lines are not records; blanks around a field count only in quotes;
/// a field that is not UTF-8 is read as Windows-1252.
///
/// Written here because a manifest needs what a general reader does not give: the line on which each record begins, one bad record reported
/// while the rest is read, and the encoding of each field judged by itself.
struct CSVRecords: Sequence, IteratorProtocol {
    /// A record's fields, or why it is none.
    struct Record: Equatable {
        /// 1-based line of the record's first byte.
        let line: Int
        let content: Result<[String], Malformed>
        /// A field of it was not UTF-8.
        var isWindows1252 = false
    }

    struct Malformed: Error, Equatable {
        let reason: String
    }

    static let separators = [",", ";", "\t", "|"].map { UInt8(ascii: $0) }

    private let bytes: [UInt8]
    private var position: Int
    private var line = 1
    /// Between fields.
    private(set) var separator = UInt8(ascii: ",")
    /// CR alone ends a line.
    private let breaksAtCR: Bool

    /// - Parameter isKnown: whether a field of the first record names a column: the separator under which most do is the file's.
    init(_ bytes: [UInt8], isKnown: (String) -> Bool = { _ in false }) {
        self.bytes = bytes
        position = bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? 3 : 0
        breaksAtCR = Self.linesEndWithCR(bytes)
        if let told = readSeparatorLine() {
            separator = told
        } else {
            separator = detectSeparator(isKnown)
        }
    }

    /// Whether there is no LF outside quotes: a spreadsheet's cells may hold LF where its lines end with CR.
    private static func linesEndWithCR(_ bytes: [UInt8]) -> Bool {
        var isQuoted = false
        var hasCR = false
        for byte in bytes {
            switch byte {
            case UInt8(ascii: "\""): isQuoted.toggle()
            case UInt8(ascii: "\r"): hasCR = hasCR || !isQuoted
            case UInt8(ascii: "\n") where !isQuoted: return false
            default: break
            }
        }
        return hasCR
    }

    /// `sep=;` in the first line, by which Excel is told; skipped if it is there.
    private mutating func readSeparatorLine() -> UInt8? {
        var start = self
        while start.skipLineBreak() {}
        let rest = bytes[start.position...]
        guard rest.prefix(4).map({ $0 | 0x20 }).elementsEqual("sep=".utf8.map { $0 | 0x20 }), rest.count > 4 else { return nil }
        start.position += 5
        guard start.position == bytes.count || start.skipLineBreak() else { return nil }
        let told = rest[rest.startIndex + 4]
        guard told != UInt8(ascii: "\""), told != UInt8(ascii: "\n"), told != UInt8(ascii: "\r"), told < 0x80 else { return nil }
        self = start
        return told
    }

    private func detectSeparator(_ isKnown: (String) -> Bool) -> UInt8 {
        var best = (separator: Self.separators[0], known: -1, fields: 0)
        for separator in Self.separators {
            var trial = self
            trial.separator = separator
            guard let record = trial.next(), case .success(let fields) = record.content else { continue }
            let known = fields.count(where: isKnown)
            if (known, fields.count) > (best.known, best.fields) { best = (separator, known, fields.count) }
        }
        return best.separator
    }

    mutating func next() -> Record? {
        while position < bytes.count, skipLineBreak() {}
        guard position < bytes.count else { return nil }
        let start = line
        var fields: [(bytes: [UInt8], isQuoted: Bool)] = []
        while true {
            var field: [UInt8] = []
            let isQuoted: Bool
            do throws(Malformed) { isQuoted = try readField(into: &field) } catch {
                skipLine()
                return Record(line: start, content: .failure(error))
            }
            fields.append((field, isQuoted))
            if position == bytes.count || skipLineBreak() { break }
            position += 1  // the separator: readField stops at nothing else
        }
        var texts: [String] = []
        var isWindows1252 = false
        for (field, isQuoted) in fields {
            let text: String
            if let valid = String(validating: field, as: UTF8.self) {
                text = valid
            } else if let other = TextEncoding.windows1252(field) {
                text = other
                isWindows1252 = true
            } else {
                let reason = "field \(texts.count + 1) is neither UTF-8 nor Windows-1252; save the file as CSV UTF-8"
                return Record(line: start, content: .failure(Malformed(reason: reason)))
            }
            texts.append(isQuoted ? text : text.trimmingCharacters(in: .whitespacesAndNewlines))
        }
        return Record(line: start, content: .success(texts), isWindows1252: isWindows1252)
    }

    /// Reads one field and stops at the separator, the line break or the end behind it. Returns whether it stood in quotes.
    private mutating func readField(into field: inout [UInt8]) throws(Malformed) -> Bool {
        let start = position
        skipBlanks()
        guard position < bytes.count, bytes[position] == UInt8(ascii: "\"") else {
            position = start
            while position < bytes.count, bytes[position] != separator, !atLineBreak {
                if bytes[position] == UInt8(ascii: "\"") {
                    throw Malformed(
                        reason:
                            "a quote stands inside a field that does not begin with one; put the field in quotes and double it")
                }
                field.append(bytes[position])
                position += 1
            }
            return false
        }
        let opened = line
        position += 1
        while position < bytes.count {
            let byte = bytes[position]
            position += 1
            if byte == UInt8(ascii: "\"") {
                if position < bytes.count, bytes[position] == byte {
                    position += 1
                } else {
                    skipBlanks()
                    if position == bytes.count || bytes[position] == separator || atLineBreak { return true }
                    throw Malformed(reason: "text follows a closing quote; double a quote that belongs to the text")
                }
            } else if byte == UInt8(ascii: "\n") {
                line += 1
            } else if byte == UInt8(ascii: "\r"), breaksAtCR, position == bytes.count || bytes[position] != UInt8(ascii: "\n") {
                line += 1
            }
            field.append(byte)
        }
        throw Malformed(reason: "the quote opened in line \(opened) is never closed, so nothing after it can be read; close it")
    }

    /// To the next byte of the same line that is no blank.
    private mutating func skipBlanks() {
        while position < bytes.count, bytes[position] != separator, !atLineBreak,
            [UInt8(ascii: " "), UInt8(ascii: "\t"), UInt8(ascii: "\r")].contains(bytes[position])
        {
            position += 1
        }
    }

    /// LF, CRLF, a CR that ends the file, or any CR where these end lines.
    private var atLineBreak: Bool {
        guard position < bytes.count else { return false }
        if bytes[position] == UInt8(ascii: "\n") { return true }
        guard bytes[position] == UInt8(ascii: "\r") else { return false }
        return breaksAtCR || position + 1 == bytes.count || bytes[position + 1] == UInt8(ascii: "\n")
    }

    private mutating func skipLineBreak() -> Bool {
        guard atLineBreak else { return false }
        if bytes[position] == UInt8(ascii: "\r") {
            position += 1
            if position < bytes.count, bytes[position] == UInt8(ascii: "\n") { position += 1 }
        } else {
            position += 1
        }
        line += 1
        return true
    }

    /// After a malformed record: to the next physical line.
    private mutating func skipLine() {
        while position < bytes.count, !skipLineBreak() { position += 1 }
    }
}
