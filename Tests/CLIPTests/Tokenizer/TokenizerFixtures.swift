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
        .deletingLastPathComponent().deletingLastPathComponent().appendingPathComponent("Fixtures/tokenizer").path

    static func read(_ name: String) throws -> TokenizerFixture {
        try JSONDecoder().decode(Self.self, from: Data(contentsOf: URL(fileURLWithPath: "\(folder)/\(name).json")))
    }
}

/// OpenAI's vocabulary, where the folder of shared data is at hand.
enum OpenAIVocabulary {
    static let path: String = {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent()
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
