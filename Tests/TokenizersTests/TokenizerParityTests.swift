import Testing

@testable import Tokenizers

@Suite("Token ids of hard strings equal those of the reference tokenizers")
struct TokenizerParityTests {
    static let vocabulary = TokenizerFixture.folder + "/vocab.json"
    static let merges = TokenizerFixture.folder + "/merges.txt"

    /// Garbled text that ftfy mends and this clean-up says it does not: a no-break space that became a blank, Windows-1251.
    static let leftGarbled: Set = ["\u{C3} la mode", "voil\u{C3} ", "\u{432}\u{402}\u{2122}"]

    @Test("with a small vocabulary, cleaned as open_clip cleans")
    func smallOpenCLIP() throws {
        let fixture = try TokenizerFixture.read("small")
        let tokenizer = try Tokenizer(
            vocabularyFile: Self.vocabulary, mergesFile: Self.merges, contextLength: fixture.context, cleanup: .openCLIP)
        expectEqual(fixture, tokenizer, \.openCLIP, except: Self.leftGarbled)
    }

    @Test("with a small vocabulary, cleaned as transformers cleans")
    func smallTransformers() throws {
        let fixture = try TokenizerFixture.read("small")
        let tokenizer = try Tokenizer(
            vocabularyFile: Self.vocabulary, mergesFile: Self.merges, contextLength: fixture.context)
        expectEqual(fixture, tokenizer, \.transformers)
    }

    @Test("with the same small vocabulary as transformers saves it, cleaned both ways")
    func smallTokenizerFile() throws {
        let fixture = try TokenizerFixture.read("small")
        let path = TokenizerFixture.folder + "/tokenizer.json"
        expectEqual(
            fixture, try Tokenizer(tokenizerFile: path, contextLength: fixture.context, cleanup: .openCLIP), \.openCLIP,
            except: Self.leftGarbled)
        expectEqual(
            fixture, try Tokenizer(tokenizerFile: path, contextLength: fixture.context, cleanup: .huggingFace), \.transformers)
    }

    @Test(
        "with OpenAI's vocabulary, cleaned as open_clip cleans",
        .enabled(if: OpenAIVocabulary.isPresent, "needs ../shared/data/clip-bpe"))
    func openAIOpenCLIP() throws {
        let fixture = try TokenizerFixture.read("openai")
        let tokenizer = try Tokenizer(openAIVocabularyGzip: OpenAIVocabulary.path)
        #expect(tokenizer.vocabularySize == 49_408)
        expectEqual(fixture, tokenizer, \.openCLIP, except: Self.leftGarbled)
    }

    @Test(
        "with OpenAI's vocabulary, cleaned as transformers cleans",
        .enabled(if: OpenAIVocabulary.isPresent, "needs ../shared/data/clip-bpe"))
    func openAITransformers() throws {
        let fixture = try TokenizerFixture.read("openai")
        let tokenizer = try Tokenizer(openAIVocabularyGzip: OpenAIVocabulary.path, cleanup: .huggingFace)
        expectEqual(fixture, tokenizer, \.transformers)
    }

    private func expectEqual(
        _ fixture: TokenizerFixture, _ tokenizer: Tokenizer, _ expected: KeyPath<TokenizerFixture.Entry, [Int32]>,
        except known: Set<String> = []
    ) {
        #expect(fixture.entries.count >= 560)
        #expect(known.isSubset(of: fixture.entries.map(\.text)))
        for entry in fixture.entries where !known.contains(entry.text) {
            let ours = tokenizer.encode(entry.text)
            #expect(
                Array(ours.ids.prefix(ours.count)) == entry[keyPath: expected],
                "\(entry.kind): \(entry.text.debugDescription), cleaned by the reference: \(entry.cleaned.debugDescription)")
        }
    }
}
