import Foundation
import Testing

@testable import Tokenizers

@Suite("tokenizer.json")
struct TokenizerFileTests {
    static let path = TokenizerFixture.folder + "/tokenizer.json"

    /// The fixture with parts of it changed.
    private func open(
        _ path: String = path, cleanup: TextCleanup = .openCLIP, _ change: (inout [String: Any]) -> Void
    ) throws -> Result<Tokenizer, TokenizerError> {
        let data = try Data(contentsOf: URL(fileURLWithPath: path))
        var object = try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
        change(&object)
        return try open(JSONSerialization.data(withJSONObject: object), cleanup: cleanup)
    }

    private func open(_ data: Data, cleanup: TextCleanup = .openCLIP) throws -> Result<Tokenizer, TokenizerError> {
        try withTemporaryFolder { folder in
            try data.write(to: URL(fileURLWithPath: folder + "/tokenizer.json"))
            do throws(TokenizerError) {
                return .success(try Tokenizer(tokenizerFile: folder + "/tokenizer.json", contextLength: 16, cleanup: cleanup))
            } catch { return .failure(error) }
        }
    }

    private func expectRefused(
        _ result: Result<Tokenizer, TokenizerError>, _ words: String, sourceLocation: SourceLocation = #_sourceLocation
    ) {
        guard case .failure(let error) = result else {
            Issue.record("accepted", sourceLocation: sourceLocation)
            return
        }
        let sentence = error.description
        #expect(sentence.contains(words) && sentence.hasSuffix("."), "\(sentence)", sourceLocation: sourceLocation)
    }

    private func changeModel(_ object: inout [String: Any], _ change: (inout [String: Any]) -> Void) {
        var model = object["model"] as? [String: Any] ?? [:]
        change(&model)
        object["model"] = model
    }

    @Test("merges are read as pairs and as strings, and the vocabulary's special tokens also where they are only added")
    func forms() throws {
        let whole = try Tokenizer(tokenizerFile: Self.path, contextLength: 16, cleanup: .openCLIP)
        let strings = try open { object in
            changeModel(&object) { model in
                model["merges"] = (model["merges"] as? [[String]])?.map { $0.joined(separator: " ") }
                var vocabulary = model["vocab"] as? [String: Any] ?? [:]
                vocabulary["<|startoftext|>"] = nil
                vocabulary["<|endoftext|>"] = nil
                model["vocab"] = vocabulary
                model["type"] = nil
            }
        }.get()
        for text in ["a photo of a red dress", "<end_of_text> caf\u{E9}"] { #expect(strings.encode(text) == whole.encode(text)) }
        #expect(strings.vocabularySize == whole.vocabularySize && strings.endToken == whole.endToken)
    }

    @Test("what is wrong with it is named")
    func refusals() throws {
        expectRefused(try open(Data()), "not a usable tokenizer")
        expectRefused(try open(Data("[1]".utf8)), "not a usable tokenizer")
        expectRefused(try open { $0["model"] = nil }, "it has no \"model\"")
        expectRefused(try open { self.changeModel(&$0) { $0["vocab"] = nil } }, "it has no \"vocab\"")
        expectRefused(try open { self.changeModel(&$0) { $0["merges"] = nil } }, "it has no \"merges\"")
        expectRefused(try open { self.changeModel(&$0) { $0["type"] = "WordPiece" } }, "a model of type WordPiece")
        expectRefused(try open { self.changeModel(&$0) { $0["end_of_word_suffix"] = nil } }, "BPE without CLIP's")
        expectRefused(try open { self.changeModel(&$0) { $0["merges"] = [["a", "b"], ["q"]] } }, "merge ")
        expectRefused(
            try open { self.changeModel(&$0) { $0["merges"] = [["q", "a b"]] } }, "merge 1, \"q a b\": it is not two tokens")
        expectRefused(
            try open { $0["added_tokens"] = [["id": 0, "content": "<|endoftext|>"]] }, "gives \"<|endoftext|>\" the id 0")
    }

    @Test("what is wrong with a Unigram one is named")
    func unigram() throws {
        let path = SigLIPFixture.tokenizerFile
        #expect(throws: Never.self) { try self.open(path) { _ in }.get() }
        expectRefused(try open(path, cleanup: .huggingFace) { _ in }, "spiece.model")
        expectRefused(
            try open(path) { self.changeModel(&$0) { $0["unk_id"] = 1000 } }, "its unk_id is 1000, and it has 1000 tokens")
        expectRefused(try open(path) { self.changeModel(&$0) { $0["unk_id"] = NSNull() } }, "its unk_id is -1")
        expectRefused(
            try open(path) {
                self.changeModel(&$0) {
                    $0["vocab"] = [["<unk>", 0], ["a", -1]]; $0["unk_id"] = 0
                }
            }, "no token \"</s>\"")
        expectRefused(try open(path) { self.changeModel(&$0) { $0["vocab"] = [["<unk>"]] } }, "not a usable tokenizer")
        expectRefused(
            try open(path) { $0["normalizer"] = ["type": "Precompiled", "precompiled_charsmap": "?"] }, "is no base64")
        expectRefused(
            try open(path) { $0["normalizer"] = ["type": "Precompiled", "precompiled_charsmap": "AAQAAAA="] },
            "precompiled_charsmap")
    }

    @Test("a character map counts alone and in a sequence; without one characters stay as they are")
    func normalizers() throws {
        let whole = try open(SigLIPFixture.tokenizerFile) { _ in }.get()
        let inside = try open(SigLIPFixture.tokenizerFile) {
            $0["normalizer"] = ["type": "Sequence", "normalizers": [["type": "Lowercase"], $0["normalizer"] ?? ""]]
        }.get()
        let without = try open(SigLIPFixture.tokenizerFile) { $0["normalizer"] = NSNull() }.get()
        let text = "\u{2460} dress"
        #expect(inside.encode(text) == whole.encode(text))
        #expect(without.encode(text) != whole.encode(text))
    }
}
