/// What can be wrong with the files of a vocabulary.
public enum TokenizerError: Error, Equatable {
    /// A file can't be read; `reason` is the system's.
    case unreadable(path: String, reason: String)
    /// `vocab.json` is not one JSON object of tokens and ids.
    case notAVocabulary(path: String, reason: String)
    /// A token that every vocabulary of this kind has is missing.
    case missingToken(path: String, token: String)
    /// Two tokens share an id, or an id is negative or beyond 32 bits.
    case badTokenID(path: String, token: String, id: Int)
    /// A line of the merges file is not two tokens of the vocabulary whose join is one too.
    case badMerge(path: String, line: Int, text: String, reason: String)
    /// A merge of a `tokenizer.json`, by its number from 1.
    case badPair(path: String, number: Int, text: String, reason: String)
    /// `tokenizer.json` is not what `tokenizers` writes.
    case notATokenizer(path: String, reason: String)
    /// `spiece.model` is broken, or says what no model says.
    case notASentencePieceModel(path: String, reason: String)
    /// A tokenizer of a kind that no model here uses.
    case unknownTokenizer(path: String, found: String)
    /// A Unigram `tokenizer.json` where SentencePiece itself is asked for: their ids differ.
    case needsSentencePiece(path: String)
    /// A gzip file is broken.
    case badGzip(path: String, reason: String)
    /// The context length has no room for a start and an end token.
    case contextTooShort(got: Int)
}

extension TokenizerError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .unreadable(let path, let reason):
            "\(path) can't be read: \(reason)."
        case .notAVocabulary(let path, let reason):
            "\(path) is not a vocabulary (\(reason)); it should be one JSON object that maps each token to its id."
        case .missingToken(let path, let token):
            "\(path) has no token \"\(token)\", which every vocabulary of \(token == SentencePieceModel.endPiece ? "SigLIP" : "CLIP") has."
        case .badTokenID(let path, let token, let id):
            "\(path) gives \"\(token)\" the id \(id); ids should be different, not negative, and below 2^31."
        case .badMerge(let path, let line, let text, let reason):
            "\(path) line \(line), \"\(text)\": \(reason); a merge is two tokens of the vocabulary, separated by a space."
        case .badPair(let path, let number, let text, let reason):
            "\(path) merge \(number), \"\(text)\": \(reason); a merge is two tokens of the vocabulary, "
                + "as one string with a space between or as a list of two."
        case .notATokenizer(let path, let reason):
            "\(path) is not a usable tokenizer (\(reason)); it should be the tokenizer.json that came with the model."
        case .notASentencePieceModel(let path, let reason):
            "\(path) is not a usable SentencePiece model (\(reason)); it should be the spiece.model that came with the model."
        case .unknownTokenizer(let path, let found):
            "\(path) holds \(found); it should be CLIP's byte-level BPE, or Unigram as SigLIP has it."
        case .needsSentencePiece(let path):
            "\(path) holds a Unigram vocabulary, from which the ids of transformers' SigLIP can't be had; "
                + "put the spiece.model that came with the model beside it."
        case .badGzip(let path, let reason):
            "\(path) is not a whole gzip file: \(reason)."
        case .contextTooShort(let got):
            "A context length of \(got) has no room for a start and an end token; it should be at least 2."
        }
    }
}
