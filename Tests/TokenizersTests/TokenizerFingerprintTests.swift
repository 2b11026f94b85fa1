import Foundation
import Testing

@testable import Tokenizers

@Suite("A tokenizer's fingerprint")
struct TokenizerFingerprintTests {
    private func open(_ vocabulary: String, context: Int = 20, cleanup: TextCleanup = .huggingFace) throws -> Tokenizer {
        try Tokenizer(
            vocabularyFile: vocabulary, mergesFile: TokenizerParityTests.merges, contextLength: context, cleanup: cleanup)
    }

    @Test("is that of what the vocabulary says, however its files are written")
    func content() throws {
        let expected = try open(TokenizerParityTests.vocabulary).fingerprint
        #expect(expected.count == 64)
        let file = TokenizerFixture.folder + "/tokenizer.json"
        #expect(try Tokenizer(tokenizerFile: file, contextLength: 20, cleanup: .huggingFace).fingerprint == expected)
        try withTemporaryFolder { folder in
            let ids = try JSONSerialization.jsonObject(
                with: Data(contentsOf: URL(fileURLWithPath: TokenizerParityTests.vocabulary)))
            let path = folder + "/vocab.json"
            try JSONSerialization.data(withJSONObject: ids, options: [.prettyPrinted, .sortedKeys])
                .write(to: URL(fileURLWithPath: path))
            #expect(try open(path).fingerprint == expected)
        }
    }

    @Test("is another for another clean-up, another length, and for one of SigLIP's")
    func differences() throws {
        var seen: Set<String> = []
        seen.insert(try open(TokenizerParityTests.vocabulary).fingerprint)
        seen.insert(try open(TokenizerParityTests.vocabulary, context: 21).fingerprint)
        seen.insert(try open(TokenizerParityTests.vocabulary, cleanup: .openCLIP).fingerprint)
        for cleanup in TextCleanup.allCases {
            seen.insert(try Tokenizer(sentencePieceModel: SigLIPFixture.model, cleanup: cleanup).fingerprint)
            seen.insert(try Tokenizer(sentencePieceModel: SigLIPFixture.modelWithBytes, cleanup: cleanup).fingerprint)
        }
        #expect(seen.count == 7)
    }
}
