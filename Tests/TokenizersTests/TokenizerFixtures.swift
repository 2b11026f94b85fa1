import Foundation

/// What the reference tokenizers made of hard strings; written by tools/golden/tokenizer.py.
struct TokenizerFixture: Decodable {
    struct Entry: Decodable {
        let kind: String
        let text: String
        let cleaned: String
        let openCLIP: [Int32]
        let transformers: [Int32]

        enum CodingKeys: String, CodingKey {
            case kind, text, cleaned, transformers
            case openCLIP = "open_clip"
        }
    }

    let context: Int
    let entries: [Entry]

    static let folder = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().appendingPathComponent("Fixtures/tokenizer").path

    static func read(_ name: String) throws -> TokenizerFixture {
        try JSONDecoder().decode(Self.self, from: Data(contentsOf: URL(fileURLWithPath: "\(folder)/\(name).json")))
    }
}

/// What the reference tokenizers of SigLIP made of hard strings; written by tools/golden/spiece.py.
struct SigLIPFixture: Decodable {
    struct Entry: Decodable {
        let text: String
        let openCLIP: [Int32]
        let transformers: [Int32]?
        let openCLIPWithBytes: [Int32]
        let transformersWithBytes: [Int32]?
        /// Who lost some of its ids.
        let cut: Set<String>?

        enum CodingKeys: String, CodingKey {
            case text, transformers, cut
            case openCLIP = "open_clip"
            case openCLIPWithBytes = "open_clip_bytes"
            case transformersWithBytes = "transformers_bytes"
        }
    }

    let context: Int
    let differ: Int
    let entries: [Entry]

    static let folder = URL(fileURLWithPath: TokenizerFixture.folder).deletingLastPathComponent().path + "/siglip"
    static let model = folder + "/spiece.model"
    static let modelWithBytes = folder + "/bytes.model"
    static let tokenizerFile = folder + "/tokenizer.json"

    static func read() throws -> Self {
        try JSONDecoder().decode(Self.self, from: Data(contentsOf: URL(fileURLWithPath: folder + "/golden.json")))
    }
}

/// OpenAI's vocabulary, where the folder of shared data is at hand.
enum OpenAIVocabulary {
    static let path: String = {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let data = ProcessInfo.processInfo.environment["STYLEFINDER_DATA"] ?? root.path + "/../shared/data"
        return data + "/clip-bpe/bpe_simple_vocab_16e6.txt.gz"
    }()

    static var isPresent: Bool { FileManager.default.fileExists(atPath: path) }
}

/// A folder that is gone when the test is over.
func withTemporaryFolder<Result>(_ body: (String) throws -> Result) throws -> Result {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("tokenizer-" + UUID().uuidString)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    return try body(folder.path)
}
