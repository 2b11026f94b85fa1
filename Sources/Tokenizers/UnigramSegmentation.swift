import Algorithms

/// Cuts a text into a Unigram model's pieces so that the sum of their scores is largest (Kudo 2018, arXiv:1804.10959), by Viterbi's way.
struct UnigramSegmentation: Sendable, CustomStringConvertible {
    /// Whose segmentation it is. Sums are of double precision in both, which decides between ways of one score, such as those to cut `000` where `0`
    /// and `00` are pieces. (Versions of SentencePiece before 0.2 rounded them to single precision.)
    enum Rules {
        /// Hugging Face's `tokenizers`: every piece can be spelt by a text, since it knows no kinds.
        case tokenizers
        /// SentencePiece: control and unused pieces are never found, pieces that a user defined always.
        case sentencePiece
    }

    private struct Entry {
        let text: [UInt8]
        let id: Int32
        let score: Double
    }

    /// Sorted by their bytes, so that those with one beginning stand together, the shortest first.
    private let entries: [Entry]
    private let unknown: Int32
    private let unknownScore: Double
    private let rules: Rules
    /// The ids of the bytes 0 to 255, which spell what no piece does; empty where one unknown piece stands for it.
    private let bytes: [Int32]

    init(_ model: SentencePieceModel, rules: Rules) {
        self.rules = rules
        unknown = model.unknown
        let pieces = model.pieces.enumerated()
        let found: [Entry]
        switch rules {
        case .tokenizers:
            bytes = []
            unknownScore = (model.pieces.lazy.map(\.score).min() ?? 0) - 10
            found = pieces.map { Entry(text: $1.text, id: Int32($0), score: $1.score) }
        case .sentencePiece:
            bytes = model.hasByteFallback ? model.byteIDs : []
            let scores = model.pieces.lazy.filter { $0.kind == .normal }.map { Float($0.score) }
            unknownScore = Double((scores.min() ?? 0) - 10)
            let most = max(scores.max() ?? 0, 0)
            found = pieces.compactMap { id, piece in
                switch piece.kind {
                case .normal: Entry(text: piece.text, id: Int32(id), score: Double(Float(piece.score)))
                // More than all other ways together.
                case .userDefined: Entry(text: piece.text, id: Int32(id), score: Double(Float(piece.text.count) * most) - 0.1)
                case .unknown, .control, .unused, .byte: nil
                }
            }
        }
        entries = found.sorted { $0.text.lexicographicallyPrecedes($1.text) }
    }

    /// Everything that it does, a line for each piece.
    var description: String {
        "\(rules) \(unknown) \(unknownScore) \(bytes)\n" + entries.map { "\($0.id) \($0.score) \($0.text)\n" }.joined()
    }

    /// Ids of a text in UTF-8; what no piece spells is one unknown piece for a run of characters, or its bytes.
    func encode(_ text: [UInt8]) -> [Int32] {
        /// The best way to get to a place: where its last piece begins.
        struct Way {
            var id: Int32
            var score: Double
            var start: Int
        }
        var ways = [Way?](repeating: nil, count: text.count + 1)
        ways[0] = Way(id: unknown, score: 0, start: 0)
        func offer(_ id: Int32, _ score: Double, from start: Int, to end: Int) {
            // Of equals the first stays.
            if let known = ways[end], known.score >= score { return }
            ways[end] = Way(id: id, score: score, start: start)
        }
        var start = 0
        while start < text.count {
            // Nothing ends inside a character, since pieces are whole ones.
            let length = min(Self.length(of: text[start]), text.count - start)
            let score = ways[start]?.score ?? 0
            var single = false
            forEachPrefix(of: text[start...]) { entry in
                offer(entry.id, entry.score + score, from: start, to: start + entry.text.count)
                single = single || entry.text.count == length
            }
            if !single { offer(unknown, unknownScore + score, from: start, to: start + length) }
            start += length
        }
        var ids: [Int32] = []
        var end = text.count
        while end > 0, let way = ways[end] {
            if way.id == unknown, !bytes.isEmpty {
                ids += text[way.start..<end].reversed().map { bytes[Int($0)] }
            } else if way.id != unknown || ids.last != unknown {
                ids.append(way.id)
            }
            end = way.start
        }
        return ids.reversed()
    }

    private static func length(of first: UInt8) -> Int { first < 0x80 ? 1 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4 }

    /// The pieces that a text begins with, shortest first.
    private func forEachPrefix(of text: ArraySlice<UInt8>, _ body: (Entry) -> Void) {
        var range = entries[...]
        for (depth, byte) in text.enumerated() {
            // All in the range agree in the bytes before; one that ends here comes first.
            func byteHere(_ entry: Entry) -> Int { depth < entry.text.count ? Int(entry.text[depth]) : -1 }
            range = range[range.partitioningIndex { byteHere($0) >= Int(byte) }...]
            range = range[..<range.partitioningIndex { byteHere($0) > Int(byte) }]
            guard let first = range.first else { return }
            if first.text.count == depth + 1 { body(first) }
        }
    }
}
