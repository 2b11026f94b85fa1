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
            (" a , b\n", [good(1, " a ", " b")]),
            ("Ärmel,👗,\u{65E5}\n", [good(1, "Ärmel", "👗", "\u{65E5}")]),
            ("a\rb,c\n", [good(1, "a\rb", "c")]),
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

    @Test("bytes that are not UTF-8 spoil their own record only")
    func encoding() {
        let found = Array(CSVRecords([UInt8]("a\n".utf8) + [0xE4, 0x0A] + [UInt8]("b\n".utf8)))
        #expect(found.map(\.line) == [1, 2, 3])
        #expect(found[1].content == .failure(.init(reason: "field 1 is not UTF-8")))
        #expect(found[2] == good(3, "b"))
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
