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
            "\(path) has no token \"\(token)\", which every byte-level vocabulary of CLIP has."
        case .badTokenID(let path, let token, let id):
            "\(path) gives \"\(token)\" the id \(id); ids should be different, not negative, and below 2^31."
        case .badMerge(let path, let line, let text, let reason):
            "\(path) line \(line), \"\(text)\": \(reason); a merge is two tokens of the vocabulary, separated by a space."
        case .badGzip(let path, let reason):
            "\(path) is not a whole gzip file: \(reason)."
        case .contextTooShort(let got):
            "A context length of \(got) has no room for a start and an end token; it should be at least 2."
        }
    }
}
