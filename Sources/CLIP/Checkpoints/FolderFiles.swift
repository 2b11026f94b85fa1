import Tokenizers

extension Checkpoint {
    /// The files that a model folder of one kind consists of, under the names that are read here.
    public struct FolderFiles: Sendable {
        /// The file that tells this kind from others.
        public let configuration: String
        /// Of these the first that is there; an index names its shards.
        public let weights: [String]
        /// How pictures are prepared; of these the first that is there.
        public let preparation: [String]
        /// Of these sets the first that is there as a whole.
        public let vocabularies: [[String]]
    }

    /// The kinds of folders that are read, in the order in which one counts that is of several.
    public static let folders = [
        FolderFiles(
            configuration: OpenCLIPFolder.config, weights: OpenCLIPFolder.weights, preparation: [],
            vocabularies: TokenizerFiles.sets(cleanup: .openCLIP)),
        FolderFiles(
            configuration: HuggingFaceFolder.config, weights: HuggingFaceFolder.weights,
            preparation: [HuggingFaceFolder.preprocessor, HuggingFaceFolder.processor],
            vocabularies: TokenizerFiles.sets(cleanup: .huggingFace)),
    ]

    /// Looks at a folder's configuration without its weights, so that another kind of model is known before these are there.
    /// - Parameter path: of a file that ``folders`` names as `configuration`.
    /// - Throws: `CLIPError`: why no model with this configuration can be read.
    public static func checkConfiguration(at path: String) throws {
        /// Sizes that stand in the weights alone are looked at when these are there.
        struct StandsInWeights: Error {}
        let file = try JSONFile(path: path)
        if path.hasSuffix(OpenCLIPFolder.config) {
            do { _ = try OpenCLIPFolder.configuration(file) { throw StandsInWeights() } } catch is StandsInWeights {}
        } else {
            _ = try HuggingFaceFolder.configuration(file)
        }
    }
}
