internal import Foundation

/// A text as token ids, ready for a text tower.
public struct TokenizedText: Sendable, Hashable {
    /// `contextLength` ids: start token, words, end token, then zeros.
    public let ids: [Int32]
    /// How many ids come before the padding, start and end token included.
    public let count: Int
    /// Whether the text was too long, so that its end is missing; the end token then stands in the last place.
    public let isCut: Bool
}

/// CLIP's byte-level BPE tokenizer (Radford et al. 2021, arXiv:2103.00020, section 2.4).
///
/// Ids agree with `open_clip` or `transformers`, whichever ``cleanup`` names.
public struct Tokenizer: Sendable {
    /// How many ids a text becomes.
    public let contextLength: Int
    /// How text is cleaned first.
    public let cleanup: TextCleanup
    private let pairs: BytePairs

    /// One more than the highest id: rows that a text tower's token embedding needs.
    public var vocabularySize: Int { pairs.size }
    /// Begins every text.
    public var startToken: Int32 { pairs.start }
    /// Ends every text; pooling happens here.
    public var endToken: Int32 { pairs.end }

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
            pairs: BytePairs(ids: ids, vocabularyPath: vocabularyFile, merges: merges, mergesPath: mergesFile),
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
            pairs: BytePairs(ids: ids, vocabularyPath: path, merges: merges, mergesPath: path),
            contextLength: contextLength, cleanup: cleanup)
    }

    private init(pairs: BytePairs, contextLength: Int, cleanup: TextCleanup) throws(TokenizerError) {
        guard contextLength >= 2 else { throw .contextTooShort(got: contextLength) }
        self.pairs = pairs
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

    private static func reason(_ error: any Error) -> String {
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

    /// - Returns: `contextLength` ids that begin with the start token; a text that doesn't fit loses its end and says so.
    public func encode(_ text: String) -> TokenizedText {
        var ids: [Int32] = [pairs.start]
        for word in words(of: Array(text.unicodeScalars)) {
            switch word {
            case .start: ids.append(pairs.start)
            case .end: ids.append(pairs.end)
            case .bytes(let bytes): ids += pairs.encode(bytes)
            }
            if ids.count >= contextLength { break }  // no room left for the end token: the rest can't matter
        }
        ids.append(pairs.end)
        let isCut = ids.count > contextLength
        if isCut {
            ids.removeSubrange(contextLength...)
            ids[contextLength - 1] = pairs.end
        }
        let count = ids.count
        ids += [Int32](repeating: 0, count: contextLength - count)
        return TokenizedText(ids: ids, count: count, isCut: isCut)
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
