import Foundation
import GRDB
import Testing

@testable import Catalog

@Suite("Words")
struct WordTests {
    let folder: TestFolder
    let store: CatalogStore

    init() throws {
        folder = try TestFolder()
        store = try CatalogStore(path: folder.catalogPath, mode: .create)
    }

    private func put(
        _ id: String, _ title: String? = nil, category: String? = nil, brand: String? = nil, _ description: String? = nil,
        attributes: [String: String] = [:]
    ) throws {
        try store.put(
            product: Product(
                id: id, title: title, category: category, brand: brand, description: description, attributes: attributes))
    }

    private func found(_ text: String, _ language: Language = .english) throws -> [String] {
        try store.products(with: WordQuery(text, language: language), limit: 100).map(\.productID)
    }

    @Test("a word is found in title, category, brand, attributes and description, the title before the description")
    func columns() throws {
        try put("D", "Plain dress", "goes well with linen shoes")
        try put("T", "Linen dress")
        try put("A", "Plain dress", attributes: ["material": "linen|cotton"])
        try put("B", "Plain dress", brand: "Linen & Co")
        try put("C", "Plain dress", category: "Women/Linen")
        try put("N", "Plain dress")
        #expect(try Set(found("linen")) == ["D", "T", "A", "B", "C"])
        #expect(try found("linen").first == "T")
        #expect(try found("linen").last == "D")
        #expect(try found("T") == ["T"])
    }

    @Test("products with all words stand before those with some, and a description does not count for all")
    func whole() throws {
        try put("1", "Red dress")
        try put("2", "Red coat")
        try put("3", "Blue dress", "also to be had in red")
        try put("4", "Green hat")
        let matches = try store.products(with: WordQuery("a red dress"), limit: 10)
        #expect(matches.filter(\.isWhole).map(\.productID) == ["1"])
        #expect(Set(matches.filter { !$0.isWhole }.map(\.productID)) == ["2", "3"])
        #expect(matches.allSatisfy { $0.score > 0 })
        // What nothing is called keeps nobody from having all the rest.
        #expect(try store.products(with: WordQuery("a red unicorn dress"), limit: 10).filter(\.isWhole).map(\.productID) == ["1"])
    }

    @Test(
        "endings, accents, case, hyphens and apostrophes make no difference",
        arguments: [
            ("dresses", "Summer dress"), ("dress", "Two dresses"), ("BERRIES", "Berry print"), ("hats", "A hat"), ("hat", "Hats"),
            ("decollete", "Décolleté top"), ("Décolleté", "decollete"), ("t-shirt", "T shirt"), ("t-shirt", "Tshirt"),
            ("women's", "Women coat"), ("hooded", "Coat with a hood"), ("striped", "Stripes"), ("(red)", "red"),
            ("STRASSE", "strasse"),
        ])
    func forms(asked: String, title: String) throws {
        try put("1", title)
        #expect(try found(asked) == ["1"], "\(asked) in \(title)")
    }

    @Test("letters that are no accents to Unicode are found as people type them who do not have them")
    func specialLetters() throws {
        let german = try #require(Language("de"))
        try put("1", "Weißer Rock", category: "Röcke", attributes: ["größe": "GROẞ"])
        try put("2", "Smørrebrød apron", "Œuvre of Æsop")
        try put("3", "Łódź scarf")
        for text in ["weisse", "weiße", "WEISS", "weißer röcke", "Gross"] { #expect(try found(text, german) == ["1"], "\(text)") }
        for text in ["smorrebrod", "SMØRREBRØD", "oeuvre", "æsop", "aesop"] { #expect(try found(text) == ["2"], "\(text)") }
        for text in ["lodz", "łódź", "ŁÓDŹ"] { #expect(try found(text) == ["3"], "\(text)") }
    }

    @Test("a short word is not taken for the beginning of another")
    func short() throws {
        try put("1", "Reduced coat")
        try put("2", "Hatching pattern")
        #expect(try found("red").isEmpty)
        #expect(try found("hat").isEmpty)
    }

    @Test("each language has its own endings and fillers")
    func languages() throws {
        try put("1", "Rotes Kleid mit Ärmeln")
        #expect(try found("die Kleider", Language("de") ?? .english) == ["1"])
        #expect(WordQuery("ein Kleid mit Ärmeln", language: Language("de") ?? .english).words.map(\.text) == ["Kleid", "Ärmeln"])
        #expect(
            WordQuery("robe d'été pour la plage", language: Language("fr") ?? .english).words.map(\.text) == [
                "robe", "été", "plage",
            ])
        #expect(Language("xx") == nil)
        #expect(Language("EN") == .english)
        for language in Language.all { #expect(language.stem("x") == "x", "\(language)") }
        #expect(try store.language() == .english)
        try store.set(language: #require(Language("de")))
        #expect(try store.language().code == "de")
    }

    @Test(
        "nothing that is typed is taken for syntax of the index",
        arguments: [
            "\"", "\"red", "red\" OR \"blue", "NEAR(red blue)", "title:red", "{title}: red", "red*", "^red", "-red", "red AND",
            "(", ")",
            "red + blue", "'; DROP TABLE products; --", "\0red", "🧥", "—", "*", "a:b:c", "red OR NOT",
            String(repeating: "red ", count: 500),
        ])
    func syntax(text: String) throws {
        try put("1", "Red dress")
        // What holds the word red finds it, and the rest finds nothing: neither is an error.
        let has = WordQuery(text).words.contains { $0.text.lowercased().filter(\.isLetter) == "red" }
        #expect(try found(text).isEmpty == !has, "\(WordQuery(text).words)")
        _ = try store.unknownWords(of: WordQuery(text))
        _ = try store.words(of: WordQuery(text), in: ["1"])
    }

    @Test("words without meaning are left out, unless there are no others; each counts once, and twelve at most")
    func fillers() {
        #expect(WordQuery("a red dress with the long, long sleeves").words.map(\.text) == ["red", "dress", "long", "sleeves"])
        #expect(WordQuery("The Who").words.map(\.text) == ["The", "Who"])
        #expect(WordQuery("  ,;- ").words.isEmpty)
        #expect(WordQuery((0..<40).map { "word\($0)" }.joined(separator: " ")).words.count == 12)
    }

    @Test("the index follows every change: a new title, an attribute, a colour of a picture, and what is deleted")
    func follows() throws {
        try put("1", "Red dress", attributes: ["fit": "slim"])
        try put("1", "Blue dress")
        #expect(try found("red").isEmpty)
        #expect(try found("slim").isEmpty)
        #expect(try found("blue") == ["1"])
        let image = try store.addImage(
            bytes: Data("picture 4x3 x".utf8), to: "1",
            fields: ImageFields(color: "mustard", caption: "worn on a beach", attributes: ["pose": "seated"]),
            inspect: TestPicture.inspect)
        #expect(try found("mustard") == ["1"])
        #expect(try found("beach seated") == ["1"])
        try store.deleteImage(image)
        #expect(try found("mustard").isEmpty)
        try store.deleteProduct("1")
        #expect(try found("blue").isEmpty)
        #expect(try store.read { try Int.fetchOne($0, sql: "SELECT count(*) FROM words") } == 0)
        #expect(try store.read { try Int.fetchOne($0, sql: "SELECT count(*) FROM word_entries") } == 0)
    }

    @Test("what another program changed joins with the next transaction")
    func foreign() throws {
        try put("1", "Red dress")
        let queue = try DatabaseQueue(path: store.path)
        try queue.write { try $0.execute(sql: "UPDATE OR REPLACE products SET title = 'Green dress'") }
        try queue.write { try $0.execute(sql: "UPDATE OR REPLACE products SET brand = 'Halva'") }
        try queue.close()
        try put("2", "Blue coat")
        #expect(try found("green halva") == ["1"])
        #expect(try found("red").isEmpty)
    }

    @Test("which words nothing has, and which a product has")
    func which() throws {
        try put("1", "Red dress")
        try put("2", "Blue dress")
        let query = WordQuery("a red unicorn dress")
        #expect(try store.unknownWords(of: query) == ["unicorn"])
        #expect(try store.words(of: query, in: ["1", "2"]) == ["1": ["red", "dress"], "2": ["dress"]])
    }

    @Test("a catalogue of an older version gets its words when it is opened for writing, and has none until then")
    func older() throws {
        let path = folder.file("old.db")
        try FileManager.default.createDirectory(atPath: folder.path, withIntermediateDirectories: true)
        let queue = try DatabaseQueue(path: path)
        try Schema.migrator.migrate(queue, upTo: "3 changes")
        try queue.write { try $0.execute(sql: "INSERT INTO products (id, title) VALUES ('1', 'Red dress')") }
        try queue.close()
        let query = WordQuery("red")
        let reader = try CatalogStore(path: path, mode: .readOnly)
        #expect(try reader.products(with: query, limit: 5).isEmpty)
        #expect(try reader.language() == .english)
        try reader.close()
        let writer = try CatalogStore(path: path, mode: .readWrite)
        #expect(try writer.products(with: query, limit: 5).map(\.productID) == ["1"])
    }

    @Test("after random changes the index says what a pass over all texts says")
    func random() throws {
        var random = SeededGenerator(seed: 7)
        let words = ["red", "blue", "dress", "coat", "linen", "wool", "stripes", "dots"]
        var texts: [String: Set<String>] = [:]
        for _ in 0..<300 {
            let id = "P\(Int.random(in: 0..<40, using: &random))"
            if Int.random(in: 0..<5, using: &random) == 0 {
                try store.deleteProduct(id)
                texts[id] = nil
            } else {
                let title = words.shuffled(using: &random).prefix(Int.random(in: 1...3, using: &random))
                let value = words.randomElement(using: &random) ?? ""
                try put(id, title.joined(separator: " "), attributes: ["a": value])
                texts[id] = Set(title).union([value])
            }
        }
        for word in words {
            #expect(try Set(found(word)) == Set(texts.filter { $0.value.contains(word) }.map(\.key)), "\(word)")
        }
        for (one, other) in zip(words, words.dropFirst()) {
            let whole = try store.products(with: WordQuery("\(one) \(other)"), limit: 100).filter(\.isWhole).map(\.productID)
            #expect(Set(whole) == Set(texts.filter { $0.value.isSuperset(of: [one, other]) }.map(\.key)))
        }
    }
}
