internal import Foundation
internal import Hashing
internal import Synchronization

/// A byte-level vocabulary: which byte and which joined pair has which id, and in which order pairs are joined.
/// Byte-pair encoding is Sennrich et al. 2016 (arXiv:1508.07909); the byte alphabet is GPT-2's, word ends are marked as in CLIP.
final class BytePairs: Sendable {
    private struct Merge {
        let rank: Int32
        let id: Int32
    }

    static let startToken = "<|startoftext|>"
    static let endToken = "<|endoftext|>"
    private static let wordEnd = "</w>"

    let start: Int32
    let end: Int32
    /// One more than the highest id.
    let size: Int
    private let inner: [Int32]
    private let final: [Int32]
    private let merges: [UInt64: Merge]
    private let spellings: [Int32: [UInt8]]
    private let endsWord: Set<Int32>
    /// Words already encoded; emptied when full, so that odd texts can't fill the memory.
    private let known = Mutex<[[UInt8]: [Int32]]>([:])
    private let knownLimit = 16_384

    /// - Parameters: ids of all tokens; merges in order, with their line numbers; the two paths are for messages only.
    init(
        ids: [String: Int], vocabularyPath: String, merges lines: [(line: Int, text: Substring)], mergesPath: String
    ) throws(TokenizerError) {
        var taken: [Int: String] = [:]
        for (token, id) in ids {
            guard id >= 0, id < Int(Int32.max), taken.updateValue(token, forKey: id) == nil else {
                throw .badTokenID(path: vocabularyPath, token: token, id: id)
            }
        }
        func id(_ token: String) throws(TokenizerError) -> Int32 {
            guard let id = ids[token] else { throw .missingToken(path: vocabularyPath, token: token) }
            return Int32(id)
        }
        start = try id(Self.startToken)
        end = try id(Self.endToken)
        size = (taken.keys.max() ?? 0) + 1
        var inner: [Int32] = []
        var final: [Int32] = []
        var spellings: [Int32: [UInt8]] = [:]
        var endsWord: Set<Int32> = []
        for (byte, symbol) in Self.symbols.enumerated() {
            inner.append(try id(symbol))
            final.append(try id(symbol + Self.wordEnd))
            spellings[inner[byte]] = [UInt8(byte)]
            spellings[final[byte]] = [UInt8(byte)]
            endsWord.insert(final[byte])
        }
        var merges: [UInt64: Merge] = [:]
        for (rank, entry) in lines.enumerated() {
            func refuse(_ reason: String) -> TokenizerError {
                .badMerge(path: mergesPath, line: entry.line, text: String(entry.text), reason: reason)
            }
            let parts = entry.text.utf8.split(separator: 0x20, omittingEmptySubsequences: false).map { Substring($0) }
            guard parts.count == 2, !parts[0].isEmpty, !parts[1].isEmpty else { throw refuse("it is not two tokens") }
            guard let left = ids[String(parts[0])], let right = ids[String(parts[1])] else {
                throw refuse("a part of it is not in the vocabulary")
            }
            guard let joined = ids[String(parts[0] + parts[1])] else { throw refuse("its join is not in the vocabulary") }
            guard let first = spellings[Int32(left)], let second = spellings[Int32(right)] else {
                throw refuse("it uses a token that no earlier line makes")
            }
            spellings[Int32(joined)] = first + second
            if endsWord.contains(Int32(right)) { endsWord.insert(Int32(joined)) }
            let pair = Self.pair(Int32(left), Int32(right))
            if merges[pair] == nil { merges[pair] = Merge(rank: Int32(rank), id: Int32(joined)) }
        }
        self.inner = inner
        self.final = final
        self.merges = merges
        self.spellings = spellings
        self.endsWord = endsWord
    }

    private static func pair(_ left: Int32, _ right: Int32) -> UInt64 {
        UInt64(UInt32(bitPattern: left)) << 32 | UInt64(UInt32(bitPattern: right))
    }

    /// The symbol of each byte: itself where it prints, else a letter from U+0100 on.
    static let symbols: [String] = {
        var next: UInt32 = 0x100
        return (0..<256).map { byte in
            if printable.contains(byte) { return String(Unicode.Scalar(UInt8(byte))) }
            defer { next += 1 }
            return Unicode.Scalar(next).map { String($0) } ?? ""
        }
    }()

    /// Bytes that stand for themselves, in the order of OpenAI's vocabulary.
    static let printable: [Int] = Array(0x21...0x7E) + Array(0xA1...0xAC) + Array(0xAE...0xFF)

    /// OpenAI's ids: 256 bytes (those that print first), the same at a word's end, one per merge, start, end.
    static func openAIVocabulary(merges: [(line: Int, text: Substring)]) -> [String: Int] {
        let order = printable + (0..<256).filter { !Set(printable).contains($0) }
        var tokens = order.map { symbols[$0] }
        tokens += tokens.map { $0 + wordEnd }
        tokens += merges.map { String(decoding: $0.text.utf8.filter { $0 != 0x20 }, as: UTF8.self) }
        tokens += [startToken, endToken]
        return Dictionary(tokens.enumerated().map { ($0.element, $0.offset) }, uniquingKeysWith: { _, last in last })
    }

    /// Everything that the ids of a text follow from.
    func feed(_ hash: SHA256) {
        var text = "byte pairs \(start) \(end) \(size)\n"
        for (id, bytes) in spellings.sorted(by: { $0.key < $1.key }) {
            text += "\(id) \(bytes) \(endsWord.contains(id))\n"
        }
        for (pair, merge) in merges.sorted(by: { $0.value.rank < $1.value.rank }) { text += "\(pair) \(merge.id)\n" }
        hash.update(Data(text.utf8))
    }

    // MARK: Encoding

    /// Ids of one word.
    func encode(_ word: [UInt8]) -> [Int32] {
        if let ids = known.withLock({ $0[word] }) { return ids }
        let ids = merged(word)
        // No word of any language is longer; what is comes once and would only take room.
        guard word.count <= 256 else { return ids }
        known.withLock {
            if $0.count >= knownLimit { $0.removeAll(keepingCapacity: true) }
            $0[word] = ids
        }
        return ids
    }

    private func merged(_ word: [UInt8]) -> [Int32] {
        guard let last = word.last else { return [] }
        var ids = word.dropLast().map { inner[Int($0)] } + [final[Int(last)]]
        while ids.count > 1 {
            var best: (pair: UInt64, merge: Merge)?
            for place in 1..<ids.count {
                let pair = Self.pair(ids[place - 1], ids[place])
                if let merge = merges[pair], merge.rank < best?.merge.rank ?? .max { best = (pair, merge) }
            }
            guard let best else { break }
            var joined: [Int32] = []
            joined.reserveCapacity(ids.count)
            var place = 0
            while place < ids.count {
                if place + 1 < ids.count, Self.pair(ids[place], ids[place + 1]) == best.pair {
                    joined.append(best.merge.id)
                    place += 2
                } else {
                    joined.append(ids[place])
                    place += 1
                }
            }
            ids = joined
        }
        return ids
    }

    // MARK: Decoding

    /// What an id spells, and whether a blank follows; nil for the special tokens and ids without a spelling.
    func spelling(_ id: Int32) -> (bytes: [UInt8], endsWord: Bool)? {
        spellings[id].map { ($0, endsWord.contains(id)) }
    }
}
