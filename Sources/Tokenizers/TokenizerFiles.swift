internal import Foundation

/// Which files of a model folder its tokenizer is made of, under the names that the field uses.
public struct TokenizerFiles: Sendable, Hashable {
    public enum Kind: Sendable, Hashable {
        /// `vocab.json` and `merges.txt`: CLIP's byte pairs.
        case vocabularyAndMerges
        /// `tokenizer.json`: byte pairs, or Unigram.
        case tokenizerFile
        /// `spiece.model` and its other names.
        case sentencePieceModel
        /// OpenAI's `bpe_simple_vocab_16e6.txt.gz`.
        case openAIVocabulary
    }

    public let kind: Kind
    public let folder: String
    /// Names in the folder: what belongs into a fingerprint, and what goes along when the folder is copied.
    public let names: [String]

    /// The files themselves.
    public var paths: [String] { names.map { "\(folder)/\($0)" } }

    /// The files that a folder holds; nil if it holds none. Of several kinds the first in the order of ``Kind`` counts, except that
    /// `spiece.model` comes before `tokenizer.json` where `transformers` cleans: its SigLIP reads nothing else.
    public init?(folder: String, cleanup: TextCleanup) {
        let found = Self.known(cleanup: cleanup).first { known in
            known.names.allSatisfy { FileManager.default.fileExists(atPath: "\(folder)/\($0)") }
        }
        guard let found else { return nil }
        self.folder = folder
        (kind, names) = found
    }

    /// The sets of files that a vocabulary may consist of, in the order in which they count.
    public static func sets(cleanup: TextCleanup) -> [[String]] { known(cleanup: cleanup).map(\.names) }

    private typealias Known = (kind: Kind, names: [String])

    private static func known(cleanup: TextCleanup) -> [Known] {
        let (first, file, last): (Known, Known, Known) = (
            (.vocabularyAndMerges, ["vocab.json", "merges.txt"]), (.tokenizerFile, ["tokenizer.json"]),
            (.openAIVocabulary, ["bpe_simple_vocab_16e6.txt.gz"])
        )
        let pieces: [Known] = ["spiece.model", "sentencepiece.model", "tokenizer.model"].map { (.sentencePieceModel, [$0]) }
        return [first] + (cleanup == .huggingFace ? pieces + [file] : [file] + pieces) + [last]
    }

    /// - Throws: ``TokenizerError``: what is wrong with a file, and where.
    public func open(contextLength: Int, cleanup: TextCleanup) throws(TokenizerError) -> Tokenizer {
        let paths = paths
        return switch kind {
        case .vocabularyAndMerges:
            try Tokenizer(vocabularyFile: paths[0], mergesFile: paths[1], contextLength: contextLength, cleanup: cleanup)
        case .tokenizerFile: try Tokenizer(tokenizerFile: paths[0], contextLength: contextLength, cleanup: cleanup)
        case .sentencePieceModel: try Tokenizer(sentencePieceModel: paths[0], contextLength: contextLength, cleanup: cleanup)
        case .openAIVocabulary: try Tokenizer(openAIVocabularyGzip: paths[0], contextLength: contextLength, cleanup: cleanup)
        }
    }
}
