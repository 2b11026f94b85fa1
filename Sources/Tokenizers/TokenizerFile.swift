internal import Foundation

/// `tokenizer.json`, as Hugging Face's `tokenizers` writes it: what of it decides about ids.
///
/// Its normaliser, its pre-tokenizer and its template are not read: the reference libraries build theirs from the class of the tokenizer
/// too, and take vocabulary, merges and character map from the file.
struct TokenizerFile {
    enum Model {
        /// CLIP's: token -> id, and merges as `merges.txt` has them, with their numbers from 1.
        case bytePairs(ids: [String: Int], merges: [(line: Int, text: Substring)])
        /// T5's and SigLIP's.
        case unigram(SentencePieceModel)
    }

    let model: Model

    init(_ bytes: [UInt8], path: String) throws(TokenizerError) {
        let data = Data(bytes)
        let head: Head = try Self.decode(data, path)
        switch head.model.type ?? (head.model.end_of_word_suffix == nil ? "no type" : "BPE") {
        case "BPE":
            guard head.model.end_of_word_suffix == "</w>" else {
                throw .unknownTokenizer(path: path, found: "BPE without CLIP's end_of_word_suffix \"</w>\"")
            }
            let body: Body<BytePairModel> = try Self.decode(data, path)
            var ids = body.model.vocab
            for token in body.added_tokens ?? [] {
                guard ids[token.content, default: token.id] == token.id else {
                    throw .badTokenID(path: path, token: token.content, id: token.id)
                }
                ids[token.content] = token.id
            }
            model = .bytePairs(
                ids: ids, merges: body.model.merges.enumerated().map { ($0.offset + 1, Substring($0.element.text)) })
        case "Unigram":
            let body: Body<UnigramModel> = try Self.decode(data, path)
            model = .unigram(
                try SentencePieceModel(
                    pieces: body.model.vocab.map { ($0.text, $0.score) }, unknown: body.model.unk_id ?? -1,
                    characters: try Self.characters(head.normalizer, path), path: path))
        case let type: throw .unknownTokenizer(path: path, found: "a model of type \(type)")
        }
    }

    private static func decode<Content: Decodable>(_ data: Data, _ path: String) throws(TokenizerError) -> Content {
        do {
            return try JSONDecoder().decode(Content.self, from: data)
        } catch {
            throw .notATokenizer(path: path, reason: Tokenizer.reason(error))
        }
    }

    private static func characters(_ normalizer: Normalizer?, _ path: String) throws(TokenizerError) -> CharacterMap? {
        guard let packed = normalizer?.characterMap, !packed.isEmpty else { return nil }
        guard let bytes = Data(base64Encoded: packed) else {
            throw .notATokenizer(path: path, reason: "its precompiled_charsmap is no base64")
        }
        do {
            return try CharacterMap([UInt8](bytes))
        } catch {
            throw .notATokenizer(path: path, reason: "its precompiled_charsmap \(error.reason)")
        }
    }

    // MARK: The JSON's names

    private struct Head: Decodable {
        struct Model: Decodable {
            let type: String?
            let end_of_word_suffix: String?
        }
        let model: Model
        let normalizer: Normalizer?
    }

    private struct Body<Model: Decodable>: Decodable {
        let model: Model
        let added_tokens: [AddedToken]?
    }

    private struct AddedToken: Decodable {
        let id: Int
        let content: String
    }

    private struct BytePairModel: Decodable {
        let vocab: [String: Int]
        let merges: [Merge]
    }

    /// `"a b"`, or `["a", "b"]` as newer versions write it.
    private struct Merge: Decodable {
        let text: String

        init(from decoder: any Decoder) throws {
            if let single = try? decoder.singleValueContainer().decode(String.self) {
                text = single
            } else {
                text = try decoder.singleValueContainer().decode([String].self).joined(separator: " ")
            }
        }
    }

    private struct UnigramModel: Decodable {
        let vocab: [Piece]
        let unk_id: Int?
    }

    private struct Piece: Decodable {
        let text: String
        let score: Double

        init(from decoder: any Decoder) throws {
            var pair = try decoder.unkeyedContainer()
            text = try pair.decode(String.self)
            score = try pair.decode(Double.self)
        }
    }

    /// The first character map is the one that counts, alone or in a sequence.
    private struct Normalizer: Decodable {
        let type: String?
        let precompiled_charsmap: String?
        let normalizers: [Step]?

        struct Step: Decodable {
            let type: String?
            let precompiled_charsmap: String?
        }

        var characterMap: String? {
            if type == "Precompiled" { return precompiled_charsmap }
            return normalizers?.first { $0.type == "Precompiled" && $0.precompiled_charsmap != nil }?.precompiled_charsmap
        }
    }
}
