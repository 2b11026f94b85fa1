import Crypto
import Foundation
import Imaging
public import TensorFiles
public import Torch

/// A model folder of the field's kind, opened: what it is, its preprocessing, its tokenizer, its weights by canonical name.
///
/// A ViT stands in a Hugging Face folder, a ResNet in an open_clip folder (which may hold a ViT too). Our own additions are in
/// `stylefinder.json`.
public struct ModelFolder {
    public enum Format: String, Sendable {
        case huggingFace = "hugging-face"
        case openCLIP = "open_clip"
    }

    public static let additions = "stylefinder.json"

    public let path: String
    public let format: Format
    public let configuration: CLIPConfiguration
    public let preprocessing: Preprocessing
    /// Absent if the folder holds no vocabulary: the model then takes pictures only.
    public let tokenizer: Tokenizer?
    /// SHA-256 over the configuration, the preprocessing, the vocabulary and the weights, 64 hexadecimal digits: vectors of two models are
    /// never mixed.
    public let fingerprint: String
    private let file: SafetensorsFile

    /// - Throws: `CLIPError`, `TensorFileError`, `TokenizerError`: the file, the key, what was found and what would be right.
    public init(path: String) throws {
        self.path = path
        var isFolder: ObjCBool = false
        guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else {
            throw CLIPError.noModelFolder(path: path)
        }
        func holds(_ name: String) -> Bool { FileManager.default.fileExists(atPath: "\(path)/\(name)") }
        let weights: String
        let settings: [String]
        if holds(OpenCLIPFolder.config) {
            let file = try JSONFile(path: "\(path)/\(OpenCLIPFolder.config)")
            format = .openCLIP
            configuration = try OpenCLIPFolder.configuration(file)
            preprocessing = try OpenCLIPFolder.preprocessing(file, resolution: configuration.resolution)
            weights = OpenCLIPFolder.weights
            settings = [OpenCLIPFolder.config]
        } else if holds("config.json") {
            let file = try JSONFile(path: "\(path)/config.json")
            format = .huggingFace
            configuration = try HuggingFaceFolder.configuration(file)
            preprocessing = try HuggingFaceFolder.preprocessing(JSONFile(path: "\(path)/preprocessor_config.json"))
            weights = HuggingFaceFolder.weights
            settings = ["config.json", "preprocessor_config.json"]
        } else {
            throw CLIPError.unknownFolder(path: path)
        }
        guard preprocessing.side == configuration.resolution else {
            throw CLIPError.contradiction(
                path: path,
                what: "pictures are prepared at \(preprocessing.side) px, the model takes \(configuration.resolution) px")
        }
        let vocabulary = ["vocab.json", "merges.txt"]
        if vocabulary.allSatisfy(holds) {
            let tokenizer = try Tokenizer(
                vocabularyFile: "\(path)/vocab.json", mergesFile: "\(path)/merges.txt",
                contextLength: configuration.text.contextLength, cleanup: format == .openCLIP ? .openCLIP : .huggingFace)
            guard tokenizer.vocabularySize == configuration.text.vocabularySize else {
                throw CLIPError.contradiction(
                    path: "\(path)/vocab.json",
                    what: "it holds \(tokenizer.vocabularySize) tokens, the model \(configuration.text.vocabularySize)")
            }
            self.tokenizer = tokenizer
        } else {
            tokenizer = nil
        }
        file = try SafetensorsFile(path: "\(path)/\(weights)")
        fingerprint = try Self.fingerprint(of: (settings + vocabulary.filter(holds) + [weights]).map { "\(path)/\($0)" })
    }

    /// The weights under OpenAI's names, not yet checked against the configuration. Tensors may lie in the mapped file: they must not be
    /// written to.
    public func weights() throws -> [String: Tensor] {
        var tensors: [String: Tensor] = [:]
        for name in file.names { tensors[name] = try .mapped(name, of: file) }
        return format == .openCLIP ? OpenCLIPFolder.canonical(tensors) : try HuggingFaceFolder.canonical(tensors)
    }

    /// Builds the model: strictly, and refusing weights that are not finite.
    /// - Parameter forTraining: copies the weights, so that an optimizer may write to them.
    public func model(forTraining: Bool = false) throws -> CLIPModel {
        var weights = try weights()
        for (name, tensor) in weights where try tensor.type.isFloatingPoint {
            guard try tensor.to(.float32).isFinite().not().any().item() == 0 else {
                throw CLIPError.notANumber(path: file.path, tensor: name)
            }
        }
        if forTraining { weights = try weights.mapValues { try $0.clone().to(.float32) } }
        return try CLIPModel(configuration, store: ParameterStore(weights: weights, source: file.path))
    }

    /// Our additions: recipe, metrics, history; nil where the folder has none.
    public func recorded() throws -> [String: Any]? {
        let path = "\(path)/\(Self.additions)"
        return FileManager.default.fileExists(atPath: path) ? try JSONFile(path: path).object : nil
    }

    private static func fingerprint(of paths: [String]) throws -> String {
        var hash = SHA256()
        for path in paths {
            guard let data = try? Data(contentsOf: URL(fileURLWithPath: path), options: .mappedIfSafe)
            else { throw CLIPError.unreadable(path: path, reason: "there is no such file or no permission") }
            // Length first, so that no two lists of files give the same stream.
            withUnsafeBytes(of: UInt64(data.count).littleEndian) { hash.update(bufferPointer: $0) }
            hash.update(data: data)
        }
        return hash.finalize().map { String(format: "%02x", $0) }.joined()
    }

    // MARK: Writing

    /// Writes a folder that the field's own library opens: Hugging Face for a ViT, open_clip for a ResNet and for a ViT whose pictures are
    /// cut as open_clip cuts them.
    /// - Parameters:
    ///   - precision: how the weights are stored.
    ///   - vocabulary: the folder whose `vocab.json` and `merges.txt` go along.
    ///   - additions: goes into `stylefinder.json`.
    public static func write(
        _ model: CLIPModel, preprocessing: Preprocessing, to path: String, precision: TensorToWrite.Precision = .float32,
        vocabulary: String? = nil, additions: [String: Any]? = nil
    ) throws {
        do {
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        } catch {
            throw CLIPError.noWrite(path: path, reason: error.phrase)
        }
        if let vocabulary {
            for name in ["vocab.json", "merges.txt"] {
                do {
                    let data = try Data(contentsOf: URL(fileURLWithPath: "\(vocabulary)/\(name)"))
                    try data.write(to: URL(fileURLWithPath: "\(path)/\(name)"), options: .atomic)
                } catch {
                    throw CLIPError.noWrite(path: "\(path)/\(name)", reason: error.phrase)
                }
            }
        }
        let all = model.store.parameters + model.store.buffers
        let configuration = model.configuration
        let name: String
        var named = all
        // A Hugging Face folder can't say that pictures are cut by torchvision's rule.
        if case .transformer(let tower) = configuration.vision, preprocessing.cropRule == .transformers {
            named = try withoutGradients { try HuggingFaceFolder.theirs(all) }
            name = HuggingFaceFolder.weights
            try JSONFile.write(HuggingFaceFolder.config(configuration, tower), to: "\(path)/config.json")
            try JSONFile.write(HuggingFaceFolder.preprocessorConfig(preprocessing), to: "\(path)/preprocessor_config.json")
        } else {
            name = OpenCLIPFolder.weights
            try JSONFile.write(OpenCLIPFolder.config(configuration, preprocessing), to: "\(path)/\(OpenCLIPFolder.config)")
        }
        let tensors = try named.map { name, tensor in
            TensorToWrite(name: name, floats: try tensor.floats(), shape: tensor.shape, as: precision)
        }
        try SafetensorsWriter.write(tensors, metadata: ["format": "pt"], to: "\(path)/\(name)")
        if let additions { try JSONFile.write(additions, to: "\(path)/\(Self.additions)") }
    }
}
