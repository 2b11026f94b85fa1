import Testing

@testable import Catalog

@Suite("CSV records")
struct CSVTests {
    private func records(_ text: String) -> [CSVRecords.Record] { Array(CSVRecords(Array(text.utf8))) }

    private func good(_ line: Int, _ fields: String...) -> CSVRecords.Record { .init(line: line, content: .success(fields)) }

    @Test("fields, quotes, line breaks and ends of file are taken as RFC 4180 says")
    func grammar() {
        let table: [(String, [CSVRecords.Record])] = [
            ("", []),
            ("a,b", [good(1, "a", "b")]),
            ("a,b\n", [good(1, "a", "b")]),
            ("a,b\r\nc,d\r\n", [good(1, "a", "b"), good(2, "c", "d")]),
            ("a,b\nc,d\r", [good(1, "a", "b"), good(2, "c", "d")]),
            ("\u{FEFF}a,b\n", [good(1, "a", "b")]),
            (",\n", [good(1, "", "")]),
            ("a,\n,b\n", [good(1, "a", ""), good(2, "", "b")]),
            ("\"a\",\"\"\n", [good(1, "a", "")]),
            ("\"a,b\",c\n", [good(1, "a,b", "c")]),
            ("\"say \"\"hi\"\"\",c", [good(1, "say \"hi\"", "c")]),
            ("\"two\nlines\",c\nd,e", [good(1, "two\nlines", "c"), good(3, "d", "e")]),
            ("\"two\r\nlines\",c\r\nd,e", [good(1, "two\r\nlines", "c"), good(3, "d", "e")]),
            ("a\n\n\nb\n", [good(1, "a"), good(4, "b")]),
            ("a\r\n\r\nb", [good(1, "a"), good(3, "b")]),
            (" a , b\n", [good(1, "a", "b")]),
            ("\" a \", b\n", [good(1, " a ", "b")]),
            ("a, \"b, c\" ,d\n", [good(1, "a", "b, c", "d")]),
            ("Ärmel,👗,\u{65E5}\n", [good(1, "Ärmel", "👗", "\u{65E5}")]),
            ("a\rb,c\n", [good(1, "a\rb", "c")]),
            ("a,b\rc,d\r", [good(1, "a", "b"), good(2, "c", "d")]),
            ("a,\"two\nlines\"\rc,d", [good(1, "a", "two\nlines"), good(3, "c", "d")]),
            ("a,b\r\r\nc,d\r\r\n", [good(1, "a", "b"), good(2, "c", "d")]),
            ("a;b,c\n1;2\n", [good(1, "a;b", "c"), good(2, "1;2")]),
            ("a;b;c,d\n1;2;3\n", [good(1, "a", "b", "c,d"), good(2, "1", "2", "3")]),
            ("a\tb\n\t2\n", [good(1, "a", "b"), good(2, "", "2")]),
            ("sep=,\r\na;b,c\r\n", [good(2, "a;b", "c")]),
            ("SEP=;\na;b,c\n", [good(2, "a", "b,c")]),
            ("\u{FEFF}sep=\t\na\tb\n", [good(2, "a", "b")]),
            ("sep=a,b\n", [good(1, "sep=a", "b")]),
            ("sep=", [good(1, "sep=")]),
        ]
        for (text, expected) in table { #expect(records(text) == expected, "\(text.debugDescription)") }
    }

    @Test("a malformed record is reported with its line and the next line is read")
    func malformed() throws {
        for (text, word) in [("a\nb\"c,d\ne,f", "inside a field"), ("a\n\"b\"c,d\ne,f", "follows a closing quote")] {
            let found = records(text)
            #expect(found.count == 3)
            #expect(found[1].line == 2)
            #expect(throws: CSVRecords.Malformed.self) { try found[1].content.get() }
            if case .failure(let malformed) = found[1].content { #expect(malformed.reason.contains(word)) }
            #expect(found[2] == good(3, "e", "f"))
        }
    }

    @Test("a quote that is never closed is reported at its line")
    func unclosed() {
        let found = records("a,b\nc,\"d\ne,f\n")
        #expect(found.count == 2)
        if case .failure(let malformed) = found[1].content {
            #expect(malformed.reason.contains("opened in line 2"))
        } else {
            Issue.record("the open quote was accepted")
        }
    }

    @Test("the separator is the one under which the first record names most columns")
    func separator() {
        for (text, separator) in [
            ("image;product_id;size, in cm", ";"), ("image\tproduct_id", "\t"), ("image|product_id", "|"),
            ("image,product_id;x;y;z", ","),
        ] {
            let records = CSVRecords(Array(text.utf8)) { ["image", "product_id"].contains($0) }
            #expect(records.separator == Array(separator.utf8)[0], "\(text)")
        }
    }

    @Test("a field that is not UTF-8 is read as Windows-1252, and one that is neither spoils its own record only")
    func encoding() {
        let found = Array(CSVRecords([UInt8]("ü,".utf8) + [0xFC, 0x80, 0x0A, 0x81, 0x0A] + [UInt8]("b\n".utf8)))
        #expect(found.map(\.line) == [1, 2, 3])
        #expect(found[0] == .init(line: 1, content: .success(["ü", "ü€"]), isWindows1252: true))
        #expect(throws: CSVRecords.Malformed.self) { try found[1].content.get() }
        #expect(found[2] == good(3, "b"))
    }

    @Test("fields put in quotes come back as they were, whatever the separator, the line ends and what they hold")
    func roundTrip() {
        var numbers = SystemRandomNumberGenerator()
        let parts = ["a", "ß", "\"", ",", ";", "\t", "|", "\n", "\r\n", " ", "👗", "1,5", "sep=;", "\u{301}"]
        func quoted(_ field: String) -> String {
            var text = String.UnicodeScalarView("\"".unicodeScalars)
            for scalar in field.unicodeScalars { text.append(contentsOf: scalar == "\"" ? ["\"", "\""] : [scalar]) }
            return String(text) + "\""
        }
        for _ in 0..<2_000 {
            let separator = [",", ";", "\t", "|"].randomElement(using: &numbers) ?? ","
            let lineEnd = ["\n", "\r\n", "\r"].randomElement(using: &numbers) ?? "\n"
            let columns = Int.random(in: 2...5, using: &numbers)
            var rows = (0..<Int.random(in: 1...4, using: &numbers)).map { _ in
                (0..<columns).map { _ in
                    (0..<Int.random(in: 0...4, using: &numbers)).map { _ in parts.randomElement(using: &numbers) ?? "" }.joined()
                }
            }
            rows.insert((0..<columns).map { "head\($0)" }, at: 0)
            let text = rows.map { $0.map(quoted).joined(separator: separator) }.joined(separator: lineEnd)
            let found = Array(CSVRecords(Array(text.utf8)) { $0.hasPrefix("head") })
            #expect(found.map { (try? $0.content.get()) ?? [] } == rows, "\(text.debugDescription)")
        }
    }

    @Test("no bytes make the reader trap or stand still, and lines never go back")
    func anyBytes() {
        var numbers = SystemRandomNumberGenerator()
        let bytes = Array("ab,;\t|\"\r\n =sep\u{FEFF}é".utf8) + [0, 0xFF, 0x81, 0xC3]
        for _ in 0..<3_000 {
            let text = (0..<Int.random(in: 0...40, using: &numbers)).map { _ in bytes.randomElement(using: &numbers) ?? 0 }
            let lines = CSVRecords(text).map(\.line)
            #expect(lines == lines.sorted() && lines.count <= text.count, "\(text)")
        }
    }

    @Test("every prefix of a hard file is taken apart without a trap")
    func prefixes() {
        let bytes = Array("\u{FEFF}a,\"b\"\"\r\n,\",c\r\n\"x\"y,\r\r\n\"".utf8)
        for length in 0...bytes.count {
            let lines = CSVRecords(Array(bytes.prefix(length))).map(\.line)
            #expect(lines == lines.sorted())
        }
    }
}
