import Foundation

/// The files of a vocabulary in a folder.
struct VocabularyFiles {
    private enum Kind {
        case bytePairs(vocabulary: String, merges: String)
        case openAI(String)
    }

    private let kind: Kind
    let files: [String]

    /// - Returns: nil where the folder holds none.
    init?(in folder: String) {
        func place(_ name: String) -> String? {
            let path = "\(folder)/\(name)"
            return FileManager.default.fileExists(atPath: path) ? path : nil
        }
        if let vocabulary = place("vocab.json"), let merges = place("merges.txt") {
            (kind, files) = (.bytePairs(vocabulary: vocabulary, merges: merges), [vocabulary, merges])
        } else if let path = place("bpe_simple_vocab_16e6.txt.gz") {
            (kind, files) = (.openAI(path), [path])
        } else {
            return nil
        }
    }

    /// - Throws: `TokenizerError`, or `CLIPError.contradiction` for a vocabulary of another size than the model's.
    func tokenizer(for configuration: CLIPConfiguration, readAs cleanup: TextCleanup) throws -> Tokenizer {
        let text = configuration.text
        let tokenizer =
            switch kind {
            case .bytePairs(let vocabulary, let merges):
                try Tokenizer(
                    vocabularyFile: vocabulary, mergesFile: merges, contextLength: text.contextLength, cleanup: cleanup)
            case .openAI(let path):
                try Tokenizer(openAIVocabularyGzip: path, contextLength: text.contextLength, cleanup: cleanup)
            }
        guard tokenizer.vocabularySize == text.vocabularySize else {
            throw CLIPError.contradiction(
                path: files[0], what: "it holds \(tokenizer.vocabularySize) tokens, the model \(text.vocabularySize)")
        }
        return tokenizer
    }

    /// Copies the files.
    func copy(to folder: String) throws(CLIPError) {
        for file in files {
            let place = "\(folder)/\(URL(fileURLWithPath: file).lastPathComponent)"
            do {
                try Data(contentsOf: URL(fileURLWithPath: file)).write(to: URL(fileURLWithPath: place), options: .atomic)
            } catch {
                throw .noWrite(path: place, reason: error.phrase)
            }
        }
    }
}
