import GRDB

/// A product that has words of a query.
public struct WordMatch: Sendable, Equatable {
    public var productID: String
    /// How well they fit, above 0: BM25 (Robertson and Zaragoza 2009) over the product's texts, where a word of the title counts more than one of the
    /// description.
    public var score: Double
    /// Whether every word of the query that names anything stands in what names this product: id, title, category, brand, attributes, colours. Its
    /// description names other things too.
    public var isWhole: Bool
}

/// The index of words: SQLite's FTS5 over what is written about each product.
///
/// It is brought up to date in the transaction that changes a product, from a list that triggers keep; what a program other than this one changed
/// joins with the next transaction of this one.
extension CatalogStore {
    /// The texts of a product, as columns of the index, and how much a word in each counts.
    static let wordColumns: [(name: String, weight: Double)] = [
        ("id", 10), ("title", 10), ("category", 8), ("brand", 8), ("attributes", 5), ("pictures", 5), ("description", 1),
    ]

    private static let naming = wordColumns.dropLast().map(\.name).joined(separator: " ")

    /// The language that the catalogue's texts are in; English where none was set.
    public func language() throws(CatalogError) -> Language {
        try read { db in
            guard try db.tableExists("settings") else { return .english }
            return try String.fetchOne(db, sql: "SELECT value FROM settings WHERE key = 'language'").flatMap(Language.init)
                ?? .english
        }
    }

    /// Says which language the catalogue's texts are in.
    public func set(language: Language) throws(CatalogError) {
        try write { db in
            try db.execute(sql: "INSERT OR REPLACE INTO settings (key, value) VALUES ('language', ?)", arguments: [language.code])
        }
    }

    /// Products that have words of a query: first those that have all of them, then those that have some, each the best first.
    /// - Parameters:
    ///   - limit: of either kind at most so many.
    ///   - wholeAlone: leaves out those that have some.
    ///   - admits: whether a product, by its id, may be found.
    /// - Returns: none for a catalogue that an older version wrote and that was never opened for writing since.
    public func products(
        with query: WordQuery, limit: Int, wholeAlone: Bool = false, where admits: (String) -> Bool = { _ in true }
    ) throws(CatalogError) -> [WordMatch] {
        guard !query.words.isEmpty else { return [] }
        return try read { db in
            guard try db.tableExists("words") else { return [] }
            // A word that names nothing at all keeps no product from having all the others.
            let naming = query.words.map { "{\(Self.naming)} : \($0.pattern)" }
            let known = try naming.filter { try Self.isKnown($0, db) }
            let whole =
                known.isEmpty ? [] : try Self.matches(known.joined(separator: " AND "), isWhole: true, limit, db, admits)
            if wholeAlone { return whole }
            // Of one word the others have it in their description alone, which is worth a place behind.
            let any = query.words.map(\.pattern).joined(separator: " OR ")
            let taken = Set(whole.map { ExactText($0.productID) })
            let partly = try Self.matches(any, isWhole: false, limit, db) { !taken.contains(ExactText($0)) && admits($0) }
            return whole + partly
        }
    }

    /// The words of a query that no product has.
    public func unknownWords(of query: WordQuery) throws(CatalogError) -> [String] {
        try read { db in
            guard try db.tableExists("words") else { return [] }
            return try query.words.filter { try !Self.isKnown($0.pattern, db) }.map(\.text)
        }
    }

    /// What products that lack something are called, where some are: `sleeveless` for `sleeves`.
    public func word(forLacking word: String, in language: Language) throws(CatalogError) -> String? {
        guard let ending = language.lackingEnding else { return nil }
        let stem = language.stem(word.lowercased())
        let singular = word.hasSuffix("s") ? String(word.dropLast()) : word
        // Each as a word of its own: a query would also find other forms.
        let candidates = [singular, word, stem, stem + "e"].map { $0 + ending }
        return try read { db in
            guard try db.tableExists("words") else { return nil }
            return try candidates.first { try Self.isKnown("\"\(WordQuery.folded($0).filter { $0 != "\"" })\"", db) }
        }
    }

    /// Which words of a query each of some products has, in the order of the query.
    public func words(of query: WordQuery, in products: some Sequence<String>) throws(CatalogError) -> [String: [String]] {
        let list = JSONText.array(products)
        return try read { db in
            guard try db.tableExists("words") else { return [:] }
            var found: [String: [String]] = [:]
            for word in query.words {
                let ids = try String.fetchAll(
                    db,
                    sql: """
                        SELECT product_id FROM word_entries WHERE product_id IN (SELECT value FROM json_each(?))
                        AND key IN (SELECT rowid FROM words WHERE words MATCH ?)
                        """, arguments: [list, word.pattern])
                for id in ids { found[id, default: []].append(word.text) }
            }
            return found
        }
    }

    private static func isKnown(_ pattern: String, _ db: Database) throws -> Bool {
        try Bool.fetchOne(db, sql: "SELECT EXISTS (SELECT 1 FROM words WHERE words MATCH ?)", arguments: [pattern]) == true
    }

    private static func matches(
        _ pattern: String, isWhole: Bool, _ limit: Int, _ db: Database, _ admits: (String) -> Bool
    ) throws -> [WordMatch] {
        let weights = wordColumns.map { "\($0.weight)" }.joined(separator: ", ")
        // bm25() is the better the lower.
        let rows = try Row.fetchCursor(
            db,
            sql: """
                SELECT product_id, -bm25(words, \(weights)) AS score FROM words JOIN word_entries ON key = words.rowid
                WHERE words MATCH ? ORDER BY score DESC, product_id
                """, arguments: [pattern])
        var matches: [WordMatch] = []
        while matches.count < limit, let row = try rows.next() {
            let id: String = row[0]
            if admits(id) {
                matches.append(WordMatch(productID: id, score: max(row[1], .leastNormalMagnitude), isWhole: isWhole))
            }
        }
        return matches
    }

    // MARK: Keeping it

    /// A text without the letters that `WordQuery.folded` knows and FTS5 does not, as an SQL expression. Most texts have none and are taken as they are.
    private static func plain(_ column: String) -> String {
        let letters =
            WordQuery.specialLetters.flatMap { [$0, (letter: $0.letter.uppercased(), plain: $0.plain)] } + [
                (letter: "ẞ", plain: "ss")
            ]
        // Capitals of one letter alone: that of ß is SS, which needs nothing.
        let replaced = letters.filter { $0.letter.count == 1 && !$0.letter.utf8.allSatisfy { $0 < 0x80 } }.reduce(column) {
            "replace(\($0), '\($1.letter)', '\($1.plain)')"
        }
        return "CASE WHEN \(column) GLOB '*[^ -~]*' THEN \(replaced) ELSE \(column) END"
    }

    /// Brings the products whose words changed up to date; within the transaction that changed them.
    static func settleWords(_ db: Database) throws {
        guard try Bool.fetchOne(db, sql: "SELECT EXISTS (SELECT 1 FROM words_due)") == true else { return }
        try db.execute(
            sql: """
                DELETE FROM words WHERE rowid IN (SELECT key FROM word_entries WHERE product_id IN (SELECT product_id FROM words_due));
                DELETE FROM word_entries WHERE product_id IN (SELECT product_id FROM words_due)
                    AND product_id NOT IN (SELECT id FROM products);
                INSERT OR IGNORE INTO word_entries (product_id)
                    SELECT product_id FROM words_due WHERE product_id IN (SELECT id FROM products);
                INSERT INTO words (rowid, \(wordColumns.map(\.name).joined(separator: ", ")))
                SELECT key, \(["products.id", "title", "category", "brand"].map(plain).joined(separator: ", ")),
                    (SELECT group_concat(replace(key, '_', ' ') || ' ' || \(plain("value")), ' | ') FROM product_attributes
                        WHERE product_attributes.product_id = products.id),
                    (SELECT group_concat(\(plain("said")), ' | ') FROM (
                        SELECT color AS said FROM images WHERE images.product_id = products.id AND state = 'ok' UNION
                        SELECT caption FROM images WHERE images.product_id = products.id AND state = 'ok' UNION
                        SELECT replace(image_attributes.key, '_', ' ') || ' ' || value FROM images
                            JOIN image_attributes ON image_id = images.id
                            WHERE images.product_id = products.id AND state = 'ok')),
                    \(plain("description"))
                FROM words_due JOIN products ON products.id = words_due.product_id JOIN word_entries USING (product_id);
                DELETE FROM words_due;
                """)
    }
}
