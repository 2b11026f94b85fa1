/// Takes a CSV file apart as RFC 4180 says: fields in quotes may hold commas, line breaks and doubled quotes; records end
/// with LF or CRLF; a byte-order mark is skipped; blank lines are not records.
///
/// Written here because a manifest needs three things a general reader does not give: the line on which each record begins,
/// one bad record reported while the rest is read, and the UTF-8 of each record checked by itself.
struct CSVRecords: Sequence, IteratorProtocol {
    /// A record's fields, or why it is none.
    struct Record: Equatable {
        /// 1-based line of the record's first byte.
        let line: Int
        let content: Result<[String], Malformed>
    }

    struct Malformed: Error, Equatable {
        let reason: String
    }

    private let bytes: [UInt8]
    private var position: Int
    private var line = 1

    init(_ bytes: [UInt8]) {
        self.bytes = bytes
        position = bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? 3 : 0
    }

    mutating func next() -> Record? {
        while position < bytes.count, skipLineBreak() {}
        guard position < bytes.count else { return nil }
        let start = line
        var fields: [[UInt8]] = []
        while true {
            var field: [UInt8] = []
            if let reason = readField(into: &field) {
                skipLine()
                return Record(line: start, content: .failure(Malformed(reason: reason)))
            }
            fields.append(field)
            if position == bytes.count || skipLineBreak() { break }
            position += 1  // the comma: readField stops at nothing else
        }
        var texts: [String] = []
        for field in fields {
            guard let text = String(validating: field, as: UTF8.self) else {
                return Record(line: start, content: .failure(Malformed(reason: "field \(texts.count + 1) is not UTF-8")))
            }
            texts.append(text)
        }
        return Record(line: start, content: .success(texts))
    }

    /// Reads one field and stops at the comma, the line break or the end behind it. Returns what is wrong, if anything is.
    private mutating func readField(into field: inout [UInt8]) -> String? {
        guard position < bytes.count, bytes[position] == UInt8(ascii: "\"") else {
            while position < bytes.count, bytes[position] != UInt8(ascii: ","), !atLineBreak {
                if bytes[position] == UInt8(ascii: "\"") {
                    return "a quote stands inside a field that does not begin with one; put the field in quotes and double it"
                }
                field.append(bytes[position])
                position += 1
            }
            return nil
        }
        let opened = line
        position += 1
        while position < bytes.count {
            let byte = bytes[position]
            position += 1
            if byte == UInt8(ascii: "\"") {
                if position < bytes.count, bytes[position] == byte {
                    position += 1
                } else if position == bytes.count || bytes[position] == UInt8(ascii: ",") || atLineBreak {
                    return nil
                } else {
                    return "text follows a closing quote; double a quote that belongs to the text"
                }
            } else if byte == UInt8(ascii: "\n") {
                line += 1
            }
            field.append(byte)
        }
        return "the quote opened in line \(opened) is never closed, so nothing after it can be read; close it"
    }

    /// LF, CRLF, or a CR that ends the file.
    private var atLineBreak: Bool {
        guard position < bytes.count else { return false }
        if bytes[position] == UInt8(ascii: "\n") { return true }
        guard bytes[position] == UInt8(ascii: "\r") else { return false }
        return position + 1 == bytes.count || bytes[position + 1] == UInt8(ascii: "\n")
    }

    private mutating func skipLineBreak() -> Bool {
        guard atLineBreak else { return false }
        if bytes[position] == UInt8(ascii: "\r") { position += 1 }
        if position < bytes.count { position += 1 }
        line += 1
        return true
    }

    /// After a malformed record: to the next physical line.
    private mutating func skipLine() {
        while position < bytes.count, !skipLineBreak() { position += 1 }
    }
}
