import Foundation
import Testing

@testable import Tokenizers

@Suite("SigLIP's tokenizer")
struct SigLIPTokenizerTests {
    let tokenizer: Tokenizer

    init() throws { tokenizer = try Tokenizer(sentencePieceModel: SigLIPFixture.model, contextLength: 12, cleanup: .huggingFace) }

    @Test("a text has no start token, ends with the end token and is padded with it")
    func layout() {
        let text = tokenizer.encode("a photo of a dress")
        #expect(tokenizer.startToken == nil)
        #expect(tokenizer.endToken == 1 && tokenizer.paddingToken == 1)
        #expect(tokenizer.vocabularySize == 1000)
        #expect(text.ids.count == 12)
        #expect(text.ids.prefix(text.count - 1).allSatisfy { $0 != 1 })
        #expect(text.ids[(text.count - 1)...].allSatisfy { $0 == 1 })
        #expect(!text.isCut)
    }

    @Test("an empty text is the end token")
    func empty() {
        #expect(tokenizer.encode(" .\n ").count == 1)
        #expect(tokenizer.encode("").ids == [Int32](repeating: 1, count: 12))
    }

    @Test("case and punctuation make no difference")
    func canonical() {
        #expect(tokenizer.encode("A red dress!").ids == tokenizer.encode("a RED, dress").ids)
    }

    @Test("a text that fills the context exactly is not cut, one token more is", arguments: TextCleanup.allCases)
    func edge(cleanup: TextCleanup) throws {
        let word = "dress"
        let single = try Tokenizer(sentencePieceModel: SigLIPFixture.model, cleanup: cleanup).encode(word).count - 1
        let tokenizer = try Tokenizer(
            sentencePieceModel: SigLIPFixture.model, contextLength: 3 * single + 1, cleanup: cleanup)
        let full = tokenizer.encode(Array(repeating: word, count: 3).joined(separator: " "))
        #expect(full.count == 3 * single + 1 && !full.isCut && full.ids.last == 1)
        let long = tokenizer.encode(Array(repeating: word, count: 4).joined(separator: " "))
        #expect(long.ids == full.ids && long.isCut)
        #expect(full.wholeCount == 3 * single + 1 && long.wholeCount == 4 * single + 1)
    }

    @Test("decoding gives back the words that were encoded, bytes too")
    func decoding() throws {
        let text = tokenizer.encode("  A red   dress, striped")
        #expect(tokenizer.decode(text.ids) == "a red dress striped")
        let bytes = try Tokenizer(sentencePieceModel: SigLIPFixture.modelWithBytes, cleanup: .huggingFace)
        #expect(bytes.decode(bytes.encode("red \u{1F457} dress").ids) == "red \u{1F457} dress")
    }

    @Test("the same text has the same ids on eight threads at once")
    func concurrent() async {
        let texts = (0..<200).map { "dress number \($0) in \(["red", "blue", "\u{7EA2}"][$0 % 3])" }
        let tokenizer = self.tokenizer
        let expected = texts.map { tokenizer.encode($0) }
        await withTaskGroup(of: Bool.self) { group in
            for _ in 0..<8 {
                group.addTask { texts.map { tokenizer.encode($0) } == expected }
            }
            for await same in group { #expect(same) }
        }
    }

    // MARK: Which files a folder has

    @Test("a folder's tokenizer is found under the names of the field")
    func folders() throws {
        try withTemporaryFolder { folder in
            #expect(TokenizerFiles(folder: folder, cleanup: .openCLIP) == nil)
            func add(_ path: String, _ name: String) throws {
                try FileManager.default.copyItem(atPath: path, toPath: "\(folder)/\(name)")
            }
            try add(SigLIPFixture.tokenizerFile, "tokenizer.json")
            let alone = try #require(TokenizerFiles(folder: folder, cleanup: .huggingFace))
            #expect(throws: TokenizerError.needsSentencePiece(path: folder + "/tokenizer.json")) {
                try alone.open(contextLength: 64, cleanup: .huggingFace)
            }
            try add(SigLIPFixture.model, "spiece.model")
            for (cleanup, name) in [(TextCleanup.huggingFace, "spiece.model"), (.openCLIP, "tokenizer.json")] {
                let files = try #require(TokenizerFiles(folder: folder, cleanup: cleanup))
                #expect(files.names == [name])
                #expect(try files.open(contextLength: 64, cleanup: cleanup).vocabularySize == 1000)
            }
            try add(TokenizerParityTests.vocabulary, "vocab.json")
            try add(TokenizerParityTests.merges, "merges.txt")
            let files = try #require(TokenizerFiles(folder: folder, cleanup: .openCLIP))
            #expect(files.names == ["vocab.json", "merges.txt"])
            #expect(try files.open(contextLength: 77, cleanup: .openCLIP).startToken != nil)
        }
    }

    // MARK: Models that are wrong

    private func open(_ model: [UInt8], _ cleanup: TextCleanup = .huggingFace) throws -> TokenizerError? {
        try withTemporaryFolder { folder in
            let path = folder + "/spiece.model"
            try Data(model).write(to: URL(fileURLWithPath: path))
            do throws(TokenizerError) {
                _ = try Tokenizer(sentencePieceModel: path, cleanup: cleanup)
                return nil
            } catch { return error }
        }
    }

    /// A whole little model, and what may be wrong with it.
    private func model(
        pieces: [(String, Float, UInt64)] = [("<unk>", 0, 2), ("</s>", 0, 3), ("\u{2581}", -1, 1), ("a", -2, 1)],
        type: UInt64 = 1,
        characters: [UInt8] = [], falls: Bool = false
    ) -> [UInt8] {
        var model = ProtobufWriter()
        for (text, score, kind) in pieces {
            var piece = ProtobufWriter()
            piece.bytes(1, Array(text.utf8))
            piece.float(2, score)
            piece.number(3, kind)
            model.bytes(1, piece.bytes)
        }
        var trainer = ProtobufWriter()
        trainer.number(3, type)
        trainer.flag(35, falls)
        model.bytes(2, trainer.bytes)
        var normalizer = ProtobufWriter()
        normalizer.bytes(2, characters)
        model.bytes(3, normalizer.bytes)
        return model.bytes
    }

    private func expectRefused(_ bytes: [UInt8], _ words: String, sourceLocation: SourceLocation = #_sourceLocation) throws {
        for cleanup in TextCleanup.allCases {
            let sentence = try open(bytes, cleanup)?.description ?? "accepted"
            #expect(sentence.contains(words) && sentence.hasSuffix("."), "\(sentence)", sourceLocation: sourceLocation)
        }
    }

    @Test("a little model is read, and each thing that may be wrong with it is named")
    func refusals() throws {
        #expect(try open(model()) == nil)
        #expect(try open(model(), .openCLIP) == nil)
        try expectRefused([], "it has no pieces")
        try expectRefused(Array("version 1".utf8), "not a usable SentencePiece model")
        try expectRefused(model().dropLast(3), "ends in the middle")
        try expectRefused(model(type: 2), "of type BPE")
        try expectRefused(model(pieces: [("</s>", 0, 3), ("a", 0, 1)]), "0 unknown pieces")
        try expectRefused(model(pieces: [("<unk>", 0, 2), ("?", 0, 2), ("</s>", 0, 3)]), "2 unknown pieces")
        try expectRefused(model(pieces: [("<unk>", 0, 2), ("a", 0, 1)]), "no token \"</s>\"")
        try expectRefused(
            model(pieces: [("<unk>", 0, 2), ("</s>", 0, 3), ("a", 0, 1), ("a", 0, 1)]), "pieces 2 and 3 are both \"a\"")
        try expectRefused(model(pieces: [("<unk>", 0, 2), ("</s>", 0, 3), ("", 0, 1)]), "piece 2 is empty")
        try expectRefused(model(pieces: [("<unk>", 0, 2), ("</s>", 0, 3), ("a", .nan, 1)]), "score of its piece 2")
        try expectRefused(model(pieces: [("<unk>", 0, 2), ("</s>", 0, 3), ("a", 0, 9)]), "unknown kind 9")
    }

    @Test("as transformers cuts a text, a piece that a user defined is always found, and an unused one or a control never")
    func kinds() throws {
        let bytes = model(pieces: [
            ("<unk>", 0, 2), ("</s>", 0, 3), ("\u{2581}", -1, 1), ("a", -1, 1), ("b", -1, 1), ("ab", -100, 4), ("ba", 0, 5),
            ("bb", 0, 3),
        ])
        try withTemporaryFolder { folder in
            let path = folder + "/spiece.model"
            try Data(bytes).write(to: URL(fileURLWithPath: path))
            let cut = try Tokenizer(sentencePieceModel: path, contextLength: 12, cleanup: .huggingFace)
            for (text, ids) in [
                ("abab", [2, 5, 5]), ("ba", [2, 4, 3]), ("abba", [2, 5, 4, 3]), ("bb", [2, 4, 4]), ("axx", [2, 3, 0]),
            ] {
                let found = cut.encode(text)
                #expect(Array(found.ids.prefix(found.count)) == ids.map(Int32.init) + [1], "\(text)")
            }
            // open_clip's library knows no kinds: the score decides.
            let other = try Tokenizer(sentencePieceModel: path, contextLength: 12, cleanup: .openCLIP)
            #expect(other.encode("ba").ids.prefix(3) == [2, 6, 1])
        }
    }

    @Test("a model that falls back to bytes and has not all of them is refused")
    func bytesMissing() throws {
        let sentence = try open(model(falls: true))?.description ?? "accepted"
        #expect(sentence.contains("0 of 256 byte pieces"), "\(sentence)")
    }

    /// A character map of two blocks: a root that leads to the second, where a byte's unit lies at 256 + byte, and the units given.
    private func map(_ units: [Int: UInt32], replacements: [UInt8] = [0x62, 0]) -> [UInt8] {
        var all = [256 << 10] + [UInt32](repeating: 0x8000_0000, count: 511)
        for (place, unit) in units { all[place] = unit }
        return [0, 8, 0, 0] + all.flatMap { unit in withUnsafeBytes(of: unit.littleEndian, Array.init) } + replacements
    }

    @Test("a character map is used if it stays inside itself, and refused if it points out, runs in circles or writes no UTF-8")
    func maps() throws {
        // "a" leads to 0x161 ^ 0x60 = 0x101, where its value lies.
        let leads: UInt32 = 0x60 << 10 | 1 << 8 | 0x61
        #expect(try open(model(characters: map([0x161: leads, 0x101: 0x8000_0000]))) == nil)
        let rule = try CharacterMap(map([0x161: leads, 0x101: 0x8000_0000]))
        #expect(String(decoding: rule.rewritten(["a", "c"]), as: UTF8.self) == "bc")
        try expectRefused(model(characters: [1, 2]), "ends in the middle")
        try expectRefused(model(characters: [0, 16, 0, 0] + map([:]).dropFirst(4)), "its trie has 4096 bytes")
        try expectRefused(model(characters: map([0x161: leads, 0x101: 0x8000_0002])), "points outside of itself")
        try expectRefused(model(characters: map([0x161: 0x2FF << 10 | 0x61])), "points outside of itself")
        try expectRefused(model(characters: map([0x161: 0x61 << 10 | 0x61])), "runs in a circle")
        try expectRefused(model(characters: map([0x161: leads, 0x101: 0x8000_0000], replacements: [0xC3, 0])), "no UTF-8")
        try expectRefused(model(characters: map([0x161: leads, 0x101: 0x8000_0001], replacements: [0xC3, 0xA9, 0])), "no UTF-8")
        try expectRefused(model(characters: map([0x161: leads], replacements: [0x62])), "without an end")
    }
}
