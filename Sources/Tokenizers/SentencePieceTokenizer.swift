internal import Foundation
internal import Hashing

/// SigLIP's way from text to ids (Zhai et al. 2023, arXiv:2303.15343): SentencePiece over lower-case text without punctuation, then `</s>`.
///
/// The two families of tools do it differently beyond the clean-up, so each has a path of its own: `transformers` does what Google's
/// SentencePiece library does, open_clip calls T5's tokenizer out of `tokenizers`, which rewrites characters in its own way, cuts at blanks
/// first and knows no byte pieces.
struct SentencePieceTokenizer: Sendable {
    let size: Int
    let end: Int32
    private let unknown: Int32
    private let lonelyBlank: Int32?
    private let cleanup: TextCleanup
    private let path: Path
    /// For each id what it spells, `▁` for a blank; nil for `</s>`, the unknown piece and other controls.
    private let spellings: [[UInt8]?]

    private enum Path {
        case tokenizers(UnigramSegmentation, CharacterMap?)
        /// The last is how many ids `<unk>` is when a text has it in front.
        case sentencePiece(SentencePieceNormalizer, UnigramSegmentation, prefixLength: Int)
    }

    private static let blank: Unicode.Scalar = "\u{2581}"
    private static let prefix = Array(SentencePieceModel.unknownPiece.utf8)

    init(_ model: SentencePieceModel, cleanup: TextCleanup) {
        size = model.pieces.count
        end = model.end
        unknown = model.unknown
        lonelyBlank = model.pieces.firstIndex { $0.text == Self.utf8(CollectionOfOne(Self.blank)) }.map(Int32.init)
        self.cleanup = cleanup
        switch cleanup {
        case .openCLIP: path = .tokenizers(UnigramSegmentation(model, rules: .tokenizers), model.normalizer.characters)
        case .huggingFace:
            let pieces = UnigramSegmentation(model, rules: .sentencePiece)
            let prefixLength = pieces.encode(model.normalizer.normalized(Self.prefix)).count
            path = .sentencePiece(model.normalizer, pieces, prefixLength: prefixLength)
        }
        spellings = model.pieces.enumerated().map { id, piece in
            if let byte = model.byte(id) { return [byte] }
            return id == Int(model.end) || piece.kind == .control || piece.kind == .unknown ? nil : piece.text
        }
    }

    /// Everything that the ids of a text follow from.
    func feed(_ hash: SHA256) {
        let (segmentation, characters, rules): (UnigramSegmentation, CharacterMap?, String)
        switch path {
        case .tokenizers(let words, let map): (segmentation, characters, rules) = (words, map, "tokenizers")
        case .sentencePiece(let normalizer, let pieces, _):
            (segmentation, characters, rules) = (pieces, normalizer.characters, normalizer.rules)
        }
        hash.update(Data("sentence pieces \(end) \(unknown) \(rules)\n\(segmentation.description)".utf8))
        characters?.feed(hash)
    }

    // MARK: Encoding

    /// Ids of a text without the padding, `</s>` at the end; at most `limit`, and how many there would be without it.
    func encode(_ text: [Unicode.Scalar], limit: Int) -> (ids: [Int32], wholeCount: Int) {
        var ids: [Int32]
        switch path {
        case .tokenizers(let words, let characters):
            ids = self.words(cleanup.canonicalized(text), characters).flatMap(words.encode)
        case .sentencePiece(let normalizer, let pieces, let prefixLength):
            ids = idsBetweenSpecials(text, prefixLength) { pieces.encode(normalizer.normalized($0)) }
        }
        let ownCount = ids.count
        let isCut = ownCount > limit - 1
        if isCut { ids.removeSubrange((limit - 1)...) }
        // transformers adds no second one where the text itself ends with it.
        if cleanup == .openCLIP || ids.last != end { ids.append(end) }
        return (ids, isCut ? ownCount + 1 : ids.count)
    }

    /// The words of a cleaned text as T5's tokenizer cuts it: rewritten, split at blanks, each with `▁` in front, and split before each `▁`.
    private func words(_ text: [Unicode.Scalar], _ characters: CharacterMap?) -> [[UInt8]] {
        let rewritten = characters.map { Array(String(decoding: $0.rewritten(text), as: UTF8.self).unicodeScalars) } ?? text
        var words: [[UInt8]] = []
        for word in rewritten.split(whereSeparator: \.properties.isWhitespace) {
            var part = word.first == Self.blank ? [] : Self.utf8(CollectionOfOne(Self.blank))
            for scalar in word {
                if scalar == Self.blank, !part.isEmpty {
                    words.append(part)
                    part = []
                }
                part += Self.utf8(CollectionOfOne(scalar))
            }
            words.append(part)
        }
        return words
    }

    /// What `transformers.SiglipTokenizer` does: the special tokens are found in the text as it was written, and the blanks beside them go;
    /// what stands between is cleaned by itself, and encoded behind a `<unk>` whose ids are then dropped.
    private func idsBetweenSpecials(
        _ text: [Unicode.Scalar], _ prefixLength: Int, _ encode: ([UInt8]) -> [Int32]
    ) -> [Int32] {
        let marked = [Self.blank] + text.map { $0 == Self.blank ? " " : $0 }
        let specials = [
            (Array(SentencePieceModel.endPiece.unicodeScalars), end),
            (Array(SentencePieceModel.unknownPiece.unicodeScalars), unknown),
        ]
        var ids: [Int32] = []
        var piece: [Unicode.Scalar] = []
        func finishPiece() {
            guard !piece.isEmpty else { return }
            let found = encode(Self.prefix + Self.utf8(cleanup.canonicalized(piece)))
            ids += found.count >= prefixLength ? Array(found.dropFirst(prefixLength)) : found
            piece = []
        }
        var place = 0
        while place < marked.count {
            if marked[place] == "<", let (special, id) = specials.first(where: { marked[place...].starts(with: $0.0) }) {
                while let last = piece.last, TextCleanup.isPythonBlank(last) { piece.removeLast() }
                finishPiece()
                if ids.count == 1, ids.first == lonelyBlank { ids = [] }
                ids.append(id)
                place += special.count
                while place < marked.count, TextCleanup.isPythonBlank(marked[place]) { place += 1 }
            } else {
                piece.append(marked[place])
                place += 1
            }
        }
        finishPiece()
        return ids
    }

    private static func utf8(_ text: some Sequence<Unicode.Scalar>) -> [UInt8] {
        text.flatMap { Array(UTF8.encode($0) ?? UTF8.encodedReplacementCharacter) }
    }

    // MARK: Decoding

    /// The text that ids spell, up to the first `</s>`.
    func decode(_ ids: some Sequence<Int32>) -> String {
        var bytes: [UInt8] = []
        for id in ids {
            if id == end { break }
            if spellings.indices.contains(Int(id)), let spelt = spellings[Int(id)] { bytes += spelt }
        }
        let text = String(decoding: bytes, as: UTF8.self).unicodeScalars.map { $0 == Self.blank ? " " : $0 }
        var view = String.UnicodeScalarView()
        view.append(contentsOf: text.drop { $0 == " " })
        return String(view)
    }
}
