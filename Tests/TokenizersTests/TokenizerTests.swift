import Foundation
import Testing

@testable import Tokenizers

@Suite("Tokenizer")
struct TokenizerTests {
    let tokenizer: Tokenizer

    init() throws {
        tokenizer = try Tokenizer(
            vocabularyFile: TokenizerParityTests.vocabulary, mergesFile: TokenizerParityTests.merges, contextLength: 12)
    }

    @Test("a text begins with the start token, ends with the end token and is padded with zeros")
    func layout() {
        let text = tokenizer.encode("a photo of a dress")
        #expect(text.ids.count == 12)
        #expect(text.ids[0] == tokenizer.startToken)
        #expect(text.ids[text.count - 1] == tokenizer.endToken)
        #expect(text.ids[text.count...].allSatisfy { $0 == 0 })
        #expect(!text.isCut)
    }

    @Test("an empty text is start and end")
    func empty() {
        let text = tokenizer.encode(" \n ")
        #expect(Array(text.ids.prefix(2)) == [tokenizer.startToken, tokenizer.endToken])
        #expect(text.count == 2)
        #expect(!text.isCut)
    }

    @Test("a text that fills the context exactly is not cut, one token more is", arguments: [10, 11])
    func edge(letters: Int) {
        let text = tokenizer.encode((0..<letters).map { String($0 % 10) }.joined(separator: " "))
        #expect(text.count == 12)
        #expect(text.ids[11] == tokenizer.endToken)
        #expect(text.isCut == (letters == 11))
        #expect(text.wholeCount == letters + 2)
    }

    @Test("a cut text keeps its first tokens")
    func cutKeepsBeginning() {
        let long = tokenizer.encode("red dress with long sleeves and a round neck and pockets and a belt")
        let short = tokenizer.encode("red dress with long")
        #expect(long.isCut)
        #expect(long.ids.prefix(4) == short.ids.prefix(4))
        #expect(long.ids.count == 12)
    }

    @Test("decoding gives back the words, without special tokens and padding")
    func decoding() {
        let text = tokenizer.encode("  A RED   dr\u{E9}ss \u{1F457}")
        #expect(tokenizer.decode(text.ids.prefix(text.count)) == "a red dr\u{E9}ss \u{1F457}")
    }

    @Test("decoding a broken character gives U+FFFD")
    func decodingHalf() throws {
        let text = tokenizer.encode("\u{1F457}")
        try #require(text.count > 3)
        #expect(tokenizer.decode(text.ids.prefix(2)).contains("\u{FFFD}"))
    }

    @Test("words that Swift holds for equal strings and whose bytes differ get different ids")
    func canonicallyEqualWords() throws {
        let tokenizer = try Tokenizer(
            vocabularyFile: TokenizerParityTests.vocabulary, mergesFile: TokenizerParityTests.merges, contextLength: 12,
            cleanup: .openCLIP)
        // The Greek question mark survives the normal form only as a reference behind a "<".
        let text = tokenizer.encode("< ; &#x37E; ;")
        let decoded = tokenizer.decode(text.ids.prefix(text.count))
        #expect(Array(decoded.unicodeScalars) == ["<", " ", ";", " ", "\u{37E}", " ", ";"])
    }

    @Test("the same text has the same ids on eight threads at once")
    func concurrent() async {
        let texts = (0..<200).map { "dress number \($0) in \(["red", "blue", "green"][$0 % 3])" }
        let expected = texts.map { self.tokenizer.encode($0) }
        let tokenizer = self.tokenizer
        await withTaskGroup(of: Bool.self) { group in
            for _ in 0..<8 {
                group.addTask { texts.map { tokenizer.encode($0) } == expected }
            }
            for await same in group { #expect(same) }
        }
    }

    // MARK: Files that are wrong

    private func open(vocabulary: String, merges: String, context: Int = 8) -> TokenizerError? {
        do throws(TokenizerError) {
            _ = try Tokenizer(vocabularyFile: vocabulary, mergesFile: merges, contextLength: context)
            return nil
        } catch { return error }
    }

    @Test("a missing file is named")
    func missingFile() {
        guard case .unreadable(let path, _) = open(vocabulary: "/nowhere/vocab.json", merges: "/nowhere/merges.txt") else {
            Issue.record("a missing file was read")
            return
        }
        #expect(path == "/nowhere/vocab.json")
    }

    @Test("a vocabulary that is no JSON object is refused", arguments: ["", "[]", "{\"a\":\"b\"}", "{\"a\":1"])
    func notJSON(text: String) throws {
        try withTemporaryFolder { folder in
            try text.write(toFile: folder + "/vocab.json", atomically: true, encoding: .utf8)
            let error = open(vocabulary: folder + "/vocab.json", merges: TokenizerParityTests.merges)
            guard case .notAVocabulary = error else {
                Issue.record("got \(String(describing: error))")
                return
            }
        }
    }

    @Test("a vocabulary without a byte, without an end token or with one id twice is refused")
    func incomplete() throws {
        let data = try Data(contentsOf: URL(fileURLWithPath: TokenizerParityTests.vocabulary))
        let whole = try JSONDecoder().decode([String: Int].self, from: data)
        try withTemporaryFolder { folder in
            let path = folder + "/vocab.json"
            func write(_ ids: [String: Int]) throws -> TokenizerError? {
                try JSONEncoder().encode(ids).write(to: URL(fileURLWithPath: path))
                return open(vocabulary: path, merges: TokenizerParityTests.merges)
            }
            #expect(try write(whole) == nil)
            #expect(try write(whole.filter { $0.key != "q" }) == .missingToken(path: path, token: "q"))
            #expect(try write(whole.filter { $0.key != "q</w>" }) == .missingToken(path: path, token: "q</w>"))
            #expect(
                try write(whole.filter { $0.key != "<|endoftext|>" }) == .missingToken(path: path, token: "<|endoftext|>"))
            guard case .badTokenID = try write(whole.merging(["again": 0]) { first, _ in first }) else {
                Issue.record("two tokens with the id 0 were accepted")
                return
            }
        }
    }

    @Test(
        "a bad line of the merges is named with its number",
        arguments: ["a", "a b c", "a  b", "zzzz q", "q zzzz", "q \u{120}"])
    func badMerge(line: String) throws {
        try withTemporaryFolder { folder in
            let path = folder + "/merges.txt"
            try "#version: 0.2\n\(line)\n".write(toFile: path, atomically: true, encoding: .utf8)
            guard case .badMerge(path, 2, line, _) = open(vocabulary: TokenizerParityTests.vocabulary, merges: path) else {
                Issue.record("\(line) was accepted")
                return
            }
        }
    }

    @Test("a context without room for start and end is refused")
    func shortContext() {
        let error = open(vocabulary: TokenizerParityTests.vocabulary, merges: TokenizerParityTests.merges, context: 1)
        #expect(error == .contextTooShort(got: 1))
    }

    @Test("a message is one sentence that says where and what would be right")
    func wording() {
        let error = TokenizerError.badMerge(path: "merges.txt", line: 7, text: "a", reason: "it is not two tokens")
        #expect(
            error.description
                == "merges.txt line 7, \"a\": it is not two tokens; a merge is two tokens of the vocabulary, separated by a space."
        )
    }
}
