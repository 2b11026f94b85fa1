import Foundation
import Testing

@testable import Catalog

@Suite("Filter text of any kind")
struct FilterTextTests {
    /// Pieces that mean something in a filter, and such that break careless readers.
    private static let pieces = [
        "color", "price", "in_stock", "category", "/", "A", "=", ":", "|", "..", ".", "-", "1e999", "0x1F", "nan", "infinity",
        "10", "50.5", " ", "\t",
        "ä", "a\u{308}",
        "İ", "\u{0}", "🧥", "\u{200D}", "\u{301}", "true", "%", "'", "\"", "--", "\u{FEFF}", "ß", "\n", "+5", "1_000", "１２",
        "99999999999999999999",
    ]

    @Test(
        "whatever is typed is a filter that any stored value can be held against, or one sentence",
        arguments: 0..<8 as Range<UInt64>)
    func anything(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        var read = 0
        for _ in 0..<4000 {
            func text(_ longest: Int) -> String {
                (0..<Int.random(in: 0...longest, using: &random)).map { _ in
                    Self.pieces[Int.random(in: 0..<Self.pieces.count, using: &random)]
                }.joined()
            }
            // Half of them look like a filter from afar.
            let expressions = (0..<Int.random(in: 1...2, using: &random)).map { _ in
                Bool.random(using: &random)
                    ? text(8) : ["color=", "price:", "category=", "x="][Int.random(in: 0..<4, using: &random)] + "a1" + text(3)
            }
            let filter: CatalogFilter
            do {
                filter = try CatalogFilter(expressions)
            } catch {
                guard case .badFilter = error else {
                    Issue.record("\(expressions): \(error)")
                    continue
                }
                #expect("\(error)".hasSuffix("; write key=value, or price=10..50."))
                continue
            }
            read += 1
            for clause in filter.clauses {
                #expect(!clause.key.isEmpty && !clause.anyOf.isEmpty)
                // A column's index of terms finds every value that the clause admits.
                let stored = text(6)
                var column = ValueColumn(key: clause.key)
                let code = column.encode(stored)
                column.fill([(1, code)], greatest: 1)
                #expect(
                    column.images(admittedBy: clause).contains(1) == clause.admits(stored), "\(clause) \(stored.debugDescription)"
                )
                for condition in clause.anyOf {
                    if case .range(let lower, let upper) = condition {
                        #expect(lower.map(\.isFinite) ?? true && upper.map(\.isFinite) ?? true)
                        #expect((lower ?? -.infinity) <= (upper ?? .infinity))
                    }
                }
            }
        }
        #expect(read > 300, "the pieces must make filters often enough")
    }

    @Test("numbers are decimal: what Swift reads beyond that is text")
    func numbers() {
        for text in ["0x1F", "nan", "inf", "infinity", "1e999", "", " 1", "1 ", "1_0", "１", "e5", "--1", "1e"] {
            #expect(CatalogFilter.number(text) == nil, "\(text)")
        }
        #expect(CatalogFilter.number("19.99") == 19.99)
        #expect(CatalogFilter.number("-1e3") == -1000)
        #expect(CatalogFilter.number("+.5") == 0.5)
        #expect(throws: CatalogError.self) { try CatalogFilter(["price=0x10..0x20"]) }
    }

    @Test("a filter of too many conditions is refused before any is looked up")
    func tooMany() {
        let values = (0..<300).map(String.init).joined(separator: "|")
        #expect(throws: CatalogError.badFilter(text: "color", reason: "has more than 200 values")) {
            try CatalogFilter(["color=\(values)"])
        }
        let direct = CatalogFilter(clauses: [.init(key: "color", anyOf: (0..<201).map { .equals("\($0)") })])
        #expect(throws: CatalogError.badFilter(text: "color", reason: "has more than 200 values")) {
            try CatalogColumns().images(matching: direct)
        }
    }
}
