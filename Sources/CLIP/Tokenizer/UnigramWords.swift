/// Unigram segmentation (Kudo 2018, arXiv:1804.10959) as Hugging Face's `tokenizers` does it: word by word, in double precision.
///
/// SentencePiece finds the same pieces, except where several ways to cut a word have the same score: there the rounding of sums decides, and
/// its sums are of single precision. `000` is such a word if `0` and `00` are pieces.
struct UnigramWords: Sendable {
    private struct Entry {
        let text: [UInt8]
        let id: Int32
        let score: Double
    }

    /// Sorted by their bytes, so that those with one beginning stand together, the shortest first.
    private let entries: [Entry]
    private let unknown: Int32
    private let unknownScore: Double

    /// Every piece can be spelt by a text, special ones too: `tokenizers` knows no kinds.
    init(_ model: SentencePieceModel) {
        entries = model.pieces.enumerated().map { Entry(text: $1.text, id: Int32($0), score: $1.score) }
            .sorted { $0.text.lexicographicallyPrecedes($1.text) }
        unknown = model.unknown
        unknownScore = (model.pieces.lazy.map(\.score).min() ?? 0) - 10
    }

    /// Ids of the way to cut a word, in UTF-8, whose scores have the largest sum; what no piece spells is one unknown piece for a run of
    /// characters.
    func encode(_ word: [UInt8]) -> [Int32] {
        /// The best way to get to a place: where its last piece begins.
        struct Way {
            var id: Int32
            var score: Double
            var start: Int
        }
        var ways = [Way?](repeating: nil, count: word.count + 1)
        ways[0] = Way(id: unknown, score: 0, start: 0)
        func offer(_ id: Int32, _ score: Double, from start: Int, to end: Int) {
            // Of equals the first stays.
            if let known = ways[end], known.score >= score { return }
            ways[end] = Way(id: id, score: score, start: start)
        }
        var start = 0
        while start < word.count {
            // Nothing ends inside a character, since pieces are whole ones.
            let length = Self.length(of: word[start])
            let score = ways[start]?.score ?? 0
            var single = false
            forEachPrefix(of: word[start...]) { entry in
                offer(entry.id, entry.score + score, from: start, to: start + entry.text.count)
                single = single || entry.text.count == length
            }
            if !single { offer(unknown, unknownScore + score, from: start, to: min(start + length, word.count)) }
            start += length
        }
        var ids: [Int32] = []
        var end = word.count
        while end > 0, let way = ways[end] {
            if way.id != unknown || ids.last != unknown { ids.append(way.id) }
            end = way.start
        }
        return ids.reversed()
    }

    private static func length(of first: UInt8) -> Int { first < 0x80 ? 1 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4 }

    /// The pieces that a text begins with, shortest first.
    private func forEachPrefix(of text: ArraySlice<UInt8>, _ body: (Entry) -> Void) {
        var range = entries.indices
        for (depth, byte) in text.enumerated() {
            // All in the range agree in the bytes before; one that ends here comes first.
            func bound(_ isBefore: (Int) -> Bool) -> Int {
                var (low, high) = (range.lowerBound, range.upperBound)
                while low < high {
                    let middle = (low + high) / 2
                    let text = entries[middle].text
                    if isBefore(depth < text.count ? Int(text[depth]) : -1) { low = middle + 1 } else { high = middle }
                }
                return low
            }
            range = bound { $0 < Int(byte) }..<bound { $0 <= Int(byte) }
            guard let first = range.first else { return }
            if entries[first].text.count == depth + 1 { body(entries[first]) }
        }
    }
}
