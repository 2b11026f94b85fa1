#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// A `multipart/form-data` body, RFC 7578, already in memory: fields by name, in order.
struct MultipartForm {
    struct Part {
        var name: String
        var fileName: String?
        var bytes: ArraySlice<UInt8>

        /// The value as text; nil where it is not UTF-8.
        var text: String? { String(validating: bytes, as: UTF8.self) }
    }

    /// What is wrong with a body, as a part of a sentence.
    struct Malformed: Error {
        let reason: String
    }

    let parts: [Part]

    /// No form of ours has more; a body of thousands of empty parts is an attack.
    private static let partLimit = 64
    private static let headerLimit = 8 << 10

    /// The boundary that a `Content-Type` names; nil for another type, or one that names none.
    static func boundary(in contentType: String) -> String? {
        let pieces = contentType.split(separator: ";", maxSplits: 1)
        guard pieces.first?.trimmingBlanks.lowercased() == "multipart/form-data", pieces.count == 2 else { return nil }
        let value = parameters(pieces[1])["boundary"]
        guard let value, (1...70).contains(value.utf8.count) else { return nil }
        return value
    }

    /// - Parameter body: the whole body.
    init(_ body: [UInt8], boundary: String) throws(Malformed) {
        let delimiter = Array("--\(boundary)".utf8)
        guard var position = Self.find(delimiter, in: body, from: 0) else {
            throw Malformed(reason: "its boundary does not occur")
        }
        var parts: [Part] = []
        while true {
            position += delimiter.count
            if body[position...].starts(with: Array("--".utf8)) { break }
            // Blanks may stand behind a boundary.
            while position < body.count, body[position] == 0x20 || body[position] == 0x09 { position += 1 }
            guard body[position...].starts(with: Array("\r\n".utf8)) else {
                throw Malformed(reason: "a boundary's line has no end")
            }
            guard parts.count < Self.partLimit else { throw Malformed(reason: "it has more than \(Self.partLimit) parts") }
            // The line's end may be the one that the empty line after no header begins with.
            guard let headerEnd = Self.find(Array("\r\n\r\n".utf8), in: body, from: position),
                headerEnd - position <= Self.headerLimit
            else { throw Malformed(reason: "a part's header has no end") }
            let start = headerEnd + 4
            guard let end = Self.find(Array("\r\n--\(boundary)".utf8), in: body, from: start) else {
                throw Malformed(reason: "it ends before its last boundary")
            }
            let header = String(decoding: body[min(position + 2, headerEnd)..<headerEnd], as: UTF8.self)
            parts.append(try Self.part(header: header, bytes: body[start..<end]))
            position = end + 2
        }
        self.parts = parts
    }

    private static func part(header: String, bytes: ArraySlice<UInt8>) throws(Malformed) -> Part {
        for line in header.split(separator: "\r\n") {
            guard let colon = line.firstIndex(of: ":") else { continue }
            guard line[..<colon].trimmingBlanks.lowercased() == "content-disposition" else { continue }
            let pieces = line[line.index(after: colon)...].split(separator: ";", maxSplits: 1)
            guard pieces.first?.trimmingBlanks.lowercased() == "form-data", pieces.count == 2 else { break }
            let found = parameters(pieces[1])
            guard let name = found["name"] else { break }
            return Part(name: name, fileName: found["filename"], bytes: bytes)
        }
        throw Malformed(reason: "a part has no name")
    }

    /// `; key=value; key="quoted \"value\""`, keys in lower case.
    private static func parameters(_ text: Substring) -> [String: String] {
        var found: [String: String] = [:]
        var rest = text
        while let equals = rest.firstIndex(of: "=") {
            let key = rest[..<equals].drop { $0 == ";" || $0 == " " || $0 == "\t" }.trimmingBlanks.lowercased()
            rest = rest[rest.index(after: equals)...]
            var value = ""
            if rest.first == "\"" {
                rest = rest.dropFirst()
                while let next = rest.popFirst(), next != "\"" {
                    // Browsers escape a quote as %22 or with a backslash; a backslash before anything else is itself.
                    if next == "\\", rest.first == "\"" || rest.first == "\\", let escaped = rest.popFirst() {
                        value.append(escaped)
                    } else {
                        value.append(next)
                    }
                }
                rest = rest.drop { $0 != ";" }
            } else {
                let end = rest.firstIndex(of: ";") ?? rest.endIndex
                value = rest[..<end].trimmingBlanks
                rest = rest[end...]
            }
            found[key] = value
        }
        return found
    }

    /// Where `needle` first begins at or after `start`.
    private static func find(_ needle: [UInt8], in bytes: [UInt8], from start: Int) -> Int? {
        guard start + needle.count <= bytes.count, let first = needle.first else { return nil }
        return bytes.withUnsafeBytes { all in
            needle.withUnsafeBytes { needle in
                guard let base = all.baseAddress, let wanted = needle.baseAddress else { return nil }
                var place = start
                // The first byte is looked for by the machine's fastest means, the rest compared where it stands.
                while place + needle.count <= all.count,
                    let hit = memchr(base + place, Int32(first), all.count - needle.count - place + 1)
                {
                    place = UnsafeRawPointer(hit) - base
                    if memcmp(hit, wanted, needle.count) == 0 { return place }
                    place += 1
                }
                return nil
            }
        }
    }
}

extension StringProtocol {
    /// Without blanks and tabs at both ends.
    fileprivate var trimmingBlanks: String {
        var text = self[...]
        while let first = text.first, first == " " || first == "\t" { text = text.dropFirst() }
        while let last = text.last, last == " " || last == "\t" { text = text.dropLast() }
        return String(text)
    }
}
