import Foundation

/// One of DeepFashion's text files: the number of rows, the names of the columns, then a row a line, separated by runs of blanks or tabs.
///
/// Read with what mirrors made of it: CRLF, a byte-order mark, UTF-16, a missing count or header.
struct SetTable {
    struct Row {
        /// 1-based.
        let line: Int
        /// Without blanks at either end.
        let text: Substring
    }

    let path: String
    /// What the first line says; `nil` where it is no number.
    let count: Int?
    /// The names of the columns in lower case; empty where no line holds them.
    let header: [String]
    let rows: [Row]

    /// - Parameter columns: the first and any other columns that tell the header from a row, in lower case.
    /// - Throws: `sourceUnreadable`, `notUTF8`.
    init(path: String, columns: [String]) throws(CatalogError) {
        let text = try Self.text(of: path)
        var rows: [Row] = []
        for (index, part) in text.utf8.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).enumerated() {
            let row = Self.trimmed(Substring(part))
            if !row.isEmpty { rows.append(Row(line: index + 1, text: row)) }
        }
        self.path = path
        var start = rows[...]
        count = start.first.flatMap { Int($0.text) }
        if count != nil { start = start.dropFirst() }
        let head = start.first.map { Self.fields($0.text).map { $0.lowercased() } } ?? []
        header = columns.allSatisfy(head.contains) ? head : []
        if !header.isEmpty { start = start.dropFirst() }
        self.rows = Array(start)
    }

    /// The file's text with LF alone at the ends of lines.
    static func text(of path: String) throws(CatalogError) -> String {
        let bytes: [UInt8]
        do throws(FileStatus.Failure) { bytes = [UInt8](try FileStatus.read(path, limit: .max).bytes) } catch {
            throw .sourceUnreadable(path: path, reason: error.reason)
        }
        guard let text = TextEncoding.utf8(bytes) else { throw .notUTF8(path: path, found: "UTF-16 that is broken") }
        var content = text.bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? Array(text.bytes.dropFirst(3)) : text.bytes
        let (lineFeed, carriageReturn) = (UInt8(ascii: "\n"), UInt8(ascii: "\r"))
        if content.contains(carriageReturn) {
            // The first half of CR LF goes; one that stands alone ends a line.
            content = content.indices.compactMap { index in
                guard content[index] == carriageReturn else { return content[index] }
                return index + 1 < content.count && content[index + 1] == lineFeed ? nil : lineFeed
            }
        }
        guard let decoded = String(validating: content, as: UTF8.self) ?? TextEncoding.windows1252(content) else {
            throw .notUTF8(path: path, found: "an unknown encoding")
        }
        return decoded
    }

    /// Tells where the first line's number is not that of the rows.
    func checkCount(_ set: inout OfficialSet) {
        guard let count else {
            return set.report(path, 1, "the first line is not the number of rows; the file begins in the middle or was edited")
        }
        guard count != rows.count else { return }
        set.report(
            path, 1,
            "the first line says \(OfficialSet.grouped(count)) rows, and \(OfficialSet.grouped(rows.count)) follow; the file is cut off or was edited"
        )
    }

    // MARK: Rows

    private static func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 }

    /// Without blanks and tabs at either end.
    static func trimmed(_ text: Substring) -> Substring {
        var bytes = text.utf8
        while let first = bytes.first, isBlank(first) { bytes = bytes.dropFirst() }
        while let last = bytes.last, isBlank(last) { bytes = bytes.dropLast() }
        return Substring(bytes)
    }

    static func fields(_ text: Substring) -> [Substring] {
        text.utf8.split(whereSeparator: isBlank).map { Substring($0) }
    }

    /// The last fields of a row and what stands before them, which may be a name with blanks; `nil` where the row has too few.
    static func split(_ text: Substring, tail count: Int) -> (name: Substring, tail: [Substring])? {
        var rest = text
        var tail: [Substring] = []
        while tail.count < count {
            guard let blank = rest.utf8.lastIndex(where: isBlank) else { return nil }
            tail.append(Substring(rest.utf8[rest.utf8.index(after: blank)...]))
            rest = trimmed(rest[..<blank])
        }
        return rest.isEmpty ? nil : (rest, tail.reversed())
    }

    private static let pictureEndings = [".jpg", ".jpeg", ".png", ".webp"]

    /// The picture's name that a row begins with, which may hold blanks, and what follows it: a name ends with a picture's ending before
    /// a blank.
    static func splitAfterPicture(_ text: Substring) -> (name: Substring, rest: Substring)? {
        var index = text.startIndex
        while let blank = text.utf8[index...].firstIndex(where: isBlank) {
            let name = text[..<blank]
            if pictureEndings.contains(where: { name.lowercased().hasSuffix($0) }) { return (name, trimmed(text[blank...])) }
            index = text.utf8.index(after: blank)
        }
        return nil
    }

    /// A picture's name as the readers compare it: `/` between folders, without `./`, a leading `/` and the folder that it was packed in.
    static func pictureName(_ text: Substring) -> String {
        var name = text.contains("\\") ? text.replacing("\\", with: "/") : text
        while true {
            if name.hasPrefix("./") {
                name = name.dropFirst(2)
            } else if name.hasPrefix("/") {
                name = name.dropFirst()
            } else if let folder = ["img/", "img_highres/"].first(where: { name.lowercased().hasPrefix($0) }) {
                name = name.dropFirst(folder.count)
            } else {
                return String(name)
            }
        }
    }
}

/// How often something was met, and where first.
struct Tally {
    private(set) var count = 0
    private var first: (line: Int?, name: String)?

    mutating func add(_ line: Int?, _ name: String) {
        count += 1
        if first == nil { first = (line, name) }
    }

    func remark(_ file: String, _ what: String, _ of: String, _ set: inout OfficialSet) {
        guard let first else { return }
        set.remark(file, first.line, "\(OfficialSet.grouped(count)) \(what) are of \(of), the first of \(first.name)")
    }
}
