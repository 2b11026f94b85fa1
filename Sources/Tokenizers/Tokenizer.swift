internal import Foundation
internal import Hashing

/// A text as token ids, ready for a text tower.
public struct TokenizedText: Sendable, Hashable {
    /// `contextLength` ids: start token if the tokenizer has one, words, end token, then padding.
    public let ids: [Int32]
    /// How many ids come before the padding, start and end token included.
    public let count: Int
    /// How many ids the whole text would come to, start and end token included: more than `count` where it was cut.
    public let wholeCount: Int
    /// Whether the text was too long, so that its end is missing; the end token then stands in the last place.
    public var isCut: Bool { wholeCount > count }
}

/// The way from text to token ids: CLIP's byte-level BPE (Radford et al. 2021, arXiv:2103.00020, section 2.4), or SigLIP's SentencePiece
/// (Zhai et al. 2023, arXiv:2303.15343).
///
/// Ids agree with `open_clip` or `transformers`, whichever ``cleanup`` names.
public struct Tokenizer: Sendable {
    private enum Kind {
        case bytePairs(BytePairs)
        case sentencePieces(SentencePieceTokenizer)
    }

    /// How many ids a text becomes.
    public let contextLength: Int
    /// How text is cleaned first.
    public let cleanup: TextCleanup
    private let kind: Kind

    /// One more than the highest id: rows that a text tower's token embedding needs.
    public var vocabularySize: Int {
        switch kind {
        case .bytePairs(let pairs): pairs.size
        case .sentencePieces(let pieces): pieces.size
        }
    }
    /// Begins every text of CLIP's; SigLIP has none.
    public var startToken: Int32? {
        switch kind {
        case .bytePairs(let pairs): pairs.start
        case .sentencePieces: nil
        }
    }
    /// Ends every text. CLIP pools here.
    public var endToken: Int32 {
        switch kind {
        case .bytePairs(let pairs): pairs.end
        case .sentencePieces(let pieces): pieces.end
        }
    }
    /// Fills the context: 0 for CLIP; for SigLIP the end token, which its text tower attends to as in training.
    public var paddingToken: Int32 {
        switch kind {
        case .bytePairs: 0
        case .sentencePieces(let pieces): pieces.end
        }
    }

    /// SHA-256, 64 hexadecimal digits, over all that decides about ids: the vocabulary by what it says and not by how its files are written,
    /// the clean-up and the context length.
    public var fingerprint: String {
        let hash = SHA256()
        hash.update(
            Data("stylefinder tokenizer 1, \(cleanup == .openCLIP ? "open_clip" : "transformers"), \(contextLength)\n".utf8))
        switch kind {
        case .bytePairs(let pairs): pairs.feed(hash)
        case .sentencePieces(let pieces): pieces.feed(hash)
        }
        return hash.hexDigest()
    }

    /// A vocabulary in Hugging Face's form.
    ///
    /// - Parameters:
    ///   - vocabularyFile: `vocab.json`, an object that maps each token to its id.
    ///   - mergesFile: `merges.txt`, one pair a line in the order of joining; lines that begin with `#version` are skipped.
    ///   - contextLength: at least 2; 77 for OpenAI's models.
    ///   - cleanup: what the model was trained with; Hugging Face folders are read by `transformers`.
    /// - Throws: ``TokenizerError`` for a file that can't be read or is no vocabulary, naming the line or token.
    public init(
        vocabularyFile: String, mergesFile: String, contextLength: Int, cleanup: TextCleanup = .huggingFace
    ) throws(TokenizerError) {
        let data = Data(try Self.read(vocabularyFile))
        let ids: [String: Int]
        do {
            ids = try JSONDecoder().decode([String: Int].self, from: data)
        } catch {
            throw .notAVocabulary(path: vocabularyFile, reason: Self.reason(error))
        }
        let merges = Self.mergeLines(try Self.read(mergesFile)).filter { !$0.text.hasPrefix("#version") }
        try self.init(
            kind: .bytePairs(BytePairs(ids: ids, vocabularyPath: vocabularyFile, merges: merges, mergesPath: mergesFile)),
            contextLength: contextLength, cleanup: cleanup)
    }

    /// OpenAI's own file, `bpe_simple_vocab_16e6.txt.gz`: a header line, then merges, of which CLIP uses 48,894.
    ///
    /// - Throws: ``TokenizerError``, also for a file that is not gzip or unpacks to more than 64 MB.
    public init(
        openAIVocabularyGzip path: String, contextLength: Int = 77, cleanup: TextCleanup = .openCLIP
    ) throws(TokenizerError) {
        let text: [UInt8]
        let packed = try Self.read(path)
        do {
            text = try Gunzip.unpack(packed, limit: 64 << 20)
        } catch {
            throw .badGzip(path: path, reason: error.reason)
        }
        let merges = Array(Self.mergeLines(text).filter { $0.line > 1 }.prefix(49_152 - 256 - 2))
        let ids = BytePairs.openAIVocabulary(merges: merges)
        try self.init(
            kind: .bytePairs(BytePairs(ids: ids, vocabularyPath: path, merges: merges, mergesPath: path)),
            contextLength: contextLength, cleanup: cleanup)
    }

    /// `tokenizer.json` of Hugging Face's `tokenizers`: CLIP's BPE, or Unigram as T5 and SigLIP have it.
    ///
    /// - Parameters:
    ///   - path: the file; of BPE both forms of merges are read, `"a b"` and `["a", "b"]`.
    ///   - contextLength: at least 2; 77 for CLIP, 64 for SigLIP.
    ///   - cleanup: Unigram is for `openCLIP` only, whose reference reads this file; `transformers` reads `spiece.model`, and the ids differ.
    /// - Throws: ``TokenizerError``: what is wrong and where.
    public init(tokenizerFile path: String, contextLength: Int, cleanup: TextCleanup) throws(TokenizerError) {
        let kind: Kind
        switch try TokenizerFile(try Self.read(path), path: path).model {
        case .bytePairs(let ids, let merges):
            do {
                kind = .bytePairs(try BytePairs(ids: ids, vocabularyPath: path, merges: merges, mergesPath: path))
            } catch {
                guard case .badMerge(_, let line, let text, let reason) = error else { throw error }
                throw .badPair(path: path, number: line, text: text, reason: reason)
            }
        case .unigram(let model):
            guard cleanup == .openCLIP else { throw .needsSentencePiece(path: path) }
            kind = .sentencePieces(SentencePieceTokenizer(model, cleanup: cleanup))
        }
        try self.init(kind: kind, contextLength: contextLength, cleanup: cleanup)
    }

    /// SigLIP's `spiece.model`: a SentencePiece model of type Unigram with `</s>` and one unknown piece.
    ///
    /// A text loses case and ASCII punctuation, ends with `</s>` and is padded with it.
    /// - Parameters:
    ///   - path: also called `tokenizer.model` or `sentencepiece.model`.
    ///   - contextLength: at least 2; 64 for SigLIP.
    /// - Throws: ``TokenizerError``, also for a model whose character map leads outside of itself.
    public init(sentencePieceModel path: String, contextLength: Int = 64, cleanup: TextCleanup) throws(TokenizerError) {
        let model = try SentencePieceModel(file: try Self.read(path), path: path)
        try self.init(
            kind: .sentencePieces(SentencePieceTokenizer(model, cleanup: cleanup)),
            contextLength: contextLength, cleanup: cleanup)
    }

    private init(kind: Kind, contextLength: Int, cleanup: TextCleanup) throws(TokenizerError) {
        guard contextLength >= 2 else { throw .contextTooShort(got: contextLength) }
        self.kind = kind
        self.contextLength = contextLength
        self.cleanup = cleanup
    }

    private static func read(_ path: String) throws(TokenizerError) -> [UInt8] {
        do {
            return [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
        } catch {
            throw .unreadable(path: path, reason: reason(error))
        }
    }

    static func reason(_ error: any Error) -> String {
        if case DecodingError.keyNotFound(let key, _) = error { return "it has no \"\(key.stringValue)\"" }
        if case DecodingError.valueNotFound(_, let context) = error { return context.debugDescription }
        if case DecodingError.dataCorrupted(let context) = error { return context.debugDescription }
        if case DecodingError.typeMismatch(_, let context) = error { return context.debugDescription }
        return (error as NSError).localizedDescription.trimmingCharacters(in: CharacterSet(charactersIn: ". "))
    }

    /// Lines with their numbers from 1, without empty ones.
    private static func mergeLines(_ bytes: [UInt8]) -> [(line: Int, text: Substring)] {
        bytes.split(separator: 0x0A, omittingEmptySubsequences: false).enumerated().compactMap { place, line in
            let line = line.last == 0x0D ? line.dropLast() : line
            return line.isEmpty ? nil : (place + 1, Substring(decoding: line, as: UTF8.self))
        }
    }

    // MARK: Encoding

    /// - Returns: `contextLength` ids; a text that doesn't fit loses its end and says so.
    public func encode(_ text: String) -> TokenizedText {
        var ids: [Int32]
        let wholeCount: Int
        switch kind {
        case .bytePairs(let pairs): (ids, wholeCount) = encode(Array(text.unicodeScalars), with: pairs)
        case .sentencePieces(let pieces): (ids, wholeCount) = pieces.encode(Array(text.unicodeScalars), limit: contextLength)
        }
        let count = ids.count
        ids += [Int32](repeating: paddingToken, count: contextLength - count)
        return TokenizedText(ids: ids, count: count, wholeCount: wholeCount)
    }

    private func encode(_ text: [Unicode.Scalar], with pairs: BytePairs) -> (ids: [Int32], wholeCount: Int) {
        var ids: [Int32] = [pairs.start]
        // To its end, also where the rest has no room: whoever sent the text is told how long it is.
        for word in words(of: text) {
            switch word {
            case .start: ids.append(pairs.start)
            case .end: ids.append(pairs.end)
            case .bytes(let bytes): ids += pairs.encode(bytes)
            }
        }
        ids.append(pairs.end)
        let wholeCount = ids.count
        if wholeCount > contextLength {
            ids.removeSubrange(contextLength...)
            ids[contextLength - 1] = pairs.end
        }
        return (ids, wholeCount)
    }

    private func words(of text: [Unicode.Scalar]) -> [WordScanner.Word] {
        switch cleanup {
        case .openCLIP:
            return WordScanner(
                text: cleanup.clean(text), start: Array("<start_of_text>".unicodeScalars),
                end: Array("<end_of_text>".unicodeScalars), longS: true
            ).words()
        case .huggingFace:
            // The special tokens are found in the text as it was written; what stands between them is cleaned by itself.
            let start = Array(BytePairs.startToken.unicodeScalars)
            let end = Array(BytePairs.endToken.unicodeScalars)
            var words: [WordScanner.Word] = []
            var piece: [Unicode.Scalar] = []
            func finishPiece() {
                words += WordScanner(text: cleanup.clean(piece), start: nil, end: nil, longS: false).words()
                piece = []
            }
            var place = 0
            while place < text.count {
                if text[place] == "<", text[place...].starts(with: start) {
                    finishPiece()
                    words.append(.start)
                    place += start.count
                } else if text[place] == "<", text[place...].starts(with: end) {
                    finishPiece()
                    words.append(.end)
                    place += end.count
                } else {
                    piece.append(text[place])
                    place += 1
                }
            }
            finishPiece()
            return words
        }
    }

    // MARK: Decoding

    /// The text that ids spell, a blank between words; stops at the first end token and skips start tokens.
    ///
    /// Clean-up, blanks and case can't be brought back. Bytes that are no UTF-8 become U+FFFD.
    public func decode(_ ids: some Sequence<Int32>) -> String {
        switch kind {
        case .bytePairs(let pairs): Self.decode(ids, with: pairs)
        case .sentencePieces(let pieces): pieces.decode(ids)
        }
    }

    private static func decode(_ ids: some Sequence<Int32>, with pairs: BytePairs) -> String {
        var bytes: [UInt8] = []
        for id in ids {
            if id == pairs.end { break }
            guard let (spelt, endsWord) = pairs.spelling(id) else { continue }
            bytes += spelt
            if endsWord { bytes.append(0x20) }
        }
        if bytes.last == 0x20 { bytes.removeLast() }
        return String(decoding: bytes, as: UTF8.self)
    }
}
