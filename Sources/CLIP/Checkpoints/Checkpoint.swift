import Foundation
import Imaging
public import TensorFiles
public import Tokenizers
public import Torch

/// A model on disk, opened: what it is, its preprocessing, its tokenizer, its weights by canonical name. It is a folder of Hugging Face's or
/// open_clip's kind, or one file: OpenAI's archive, a checkpoint of open_clip's training, OpenFashionCLIP's, the original StyleFinder's, or
/// plain weights.
///
/// We write folders: a ViT as Hugging Face's, a convolutional tower as open_clip's. Our own additions are in `stylefinder.json`.
public struct Checkpoint {
    public enum Format: String, Sendable, CaseIterable {
        case huggingFace = "hugging-face"
        case openCLIP = "open_clip"
        case openCLIPTraining = "open_clip training"
        case openAI = "openai"
        case openFashionCLIP = "openfashionclip"
        case styleFinderStage2 = "stylefinder stage 2"
        case styleFinderStage3 = "stylefinder stage 3"
        /// Weights without a word about them.
        case weights
    }

    public static let additions = "stylefinder.json"
    /// The weights of a variant in its folder: what differs from those of its baseline.
    public static let variant = "variant.safetensors"

    /// The folder or the file.
    public let path: String
    public let format: Format
    public let configuration: CLIPConfiguration
    public let preprocessing: Preprocessing
    /// Absent if no vocabulary lies in the folder, or beside the file: the model then takes pictures only.
    public let tokenizer: Tokenizer?
    /// SHA-256 over the configuration, the preprocessing and the weights (see `Fingerprint`), 64 hexadecimal digits: vectors of two models
    /// are never mixed. It is taken when first asked for, or beside other work after ``startFingerprint()``, and kept in the user's cache.
    /// - Throws: `TensorFileError` if the weights can't be read.
    public var fingerprint: String { get throws { try hash.value } }
    /// The same of the vocabulary alone, by what it says and not by how its files are written; nil without one.
    public var tokenizerFingerprint: String? { tokenizer?.fingerprint }
    /// The fingerprints that earlier versions of this program gave the model: a catalogue may know it by one of them.
    /// - Throws: `CLIPError.unreadable` if a file can't be read to its end.
    public var formerFingerprints: [String] { get throws { try formerHashes.value } }
    /// What was done to make the checkpoint fit, a sentence each: to be told to whoever uses the model.
    public var remarks: [String] {
        [resizing, unreadVocabulary.map { "\($0.description) Until then the model takes pictures only." }].compactMap { $0 }
            + namingRemarks
    }
    /// What was left out of the weights and their names: no vector changes by it.
    var namingRemarks: [String] {
        var remarks: [String] = []
        // open_clip's own training saves `module.`: nothing to tell.
        if !["", "module."].contains(weightFile.wrapping) {
            remarks.append(
                "All names in \(path) begin with \(weightFile.wrapping), which a wrapper put there and which is left out.")
        }
        if weightFile.hasIdleBias(names) {
            remarks.append("\(path) has a logit_bias, which the sigmoid loss trains and no vector depends on; it is left out.")
        }
        return remarks
    }
    /// The remark on position embeddings that were interpolated.
    let resizing: String?
    /// Why a vocabulary that lies there can't be read, its kind unknown here: the model takes pictures only.
    let unreadVocabulary: TokenizerError?
    /// What the weights' file tells about itself beside its tensors, such as an epoch.
    public let facts: [(name: String, value: String)]
    /// The element types of the stored weights and how many numbers each has.
    public let storage: [(type: ElementType, count: Int)]
    /// The folder that the model, and its vocabulary, lie in.
    public let folder: String
    private let hash: Deferred<String>
    private let formerHashes: Deferred<[String]>
    let weightFile: WeightFile
    let names: NameTable

    /// - Parameters:
    ///   - path: a model folder, or a file of weights.
    ///   - activation: for a file that does not say it.
    ///   - resolution: side of the pictures, if another than the model was made for: its position embeddings are then interpolated.
    ///   - cache: where fingerprints are kept; nil takes them anew.
    /// - Throws: `CLIPError`, `TensorFileError`, `TokenizerError`, `TorchError`: the file, the key, what was found and what would be right.
    public init(
        path: String, activation: Activation? = nil, resolution: Int? = nil, cache: FingerprintCache? = FingerprintCache.user
    ) throws {
        var isFolder: ObjCBool = false
        guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else {
            throw CLIPError.noModel(path: path)
        }
        self.path = path
        let opened =
            try isFolder.boolValue ? Opened(folder: path, cache: cache) : Opened(file: path, activation: activation, cache: cache)
        if let activation, activation != opened.configuration.activation {
            throw CLIPError.wrongValue(
                path: path, key: "activation", found: activation.rawValue,
                expected: "\(opened.configuration.activation.rawValue), which the checkpoint itself says")
        }
        (format, weightFile, names) = (opened.format, opened.weightFile, opened.names)
        facts = opened.weightFile.facts
        folder = opened.folder
        var configuration = opened.configuration
        var preprocessing = opened.preprocessing
        var resizing: String?
        if let resolution, resolution != configuration.resolution {
            try configuration.setResolution(resolution, path: path)
            preprocessing.side = resolution
            let before = "\(path) was made for pictures of \(opened.configuration.resolution) px"
            resizing =
                if case .timm = configuration.vision {
                    "\(before) and is given pictures of \(resolution) px."
                } else {
                    "\(before); its position embeddings are interpolated to \(resolution) px."
                }
        } else if format == .openCLIP, let stored = try weightFile.storedGrid(names),
            stored != configuration.grid, stored > 0
        {
            // open_clip does this whenever it loads a checkpoint; transformers refuses, and so do we.
            resizing =
                "\(path) holds position embeddings of \(stored)×\(stored) places; they are interpolated to the \(configuration.grid)×\(configuration.grid) of its configuration."
        }
        self.configuration = configuration
        self.preprocessing = preprocessing
        guard preprocessing.side == configuration.resolution else {
            throw CLIPError.contradiction(
                path: path,
                what: "pictures are prepared at \(preprocessing.side) px, the model takes \(configuration.resolution) px")
        }
        let vocabulary = TokenizerFiles(folder: opened.folder, cleanup: opened.library)
        (tokenizer, unreadVocabulary) = try Self.tokenizer(vocabulary, for: configuration, cleanup: opened.library)
        self.resizing = resizing
        var counts: [ElementType: Int] = [:]
        for tensor in weightFile.source.tensors.values where tensor.type.isFloatingPoint {
            counts[tensor.type, default: 0] += tensor.elementCount
        }
        storage = counts.map { ($0.key, $0.value) }.sorted { ($1.1, $0.0.rawValue) < ($0.1, $1.0.rawValue) }
        let (file, table, final) = (weightFile, names, configuration)
        let settings = Fingerprint.settings(configuration, preprocessing)
        hash = Deferred {
            try FingerprintCache.value(in: cache, of: settings, files: file.files) {
                [try Fingerprint.taken(of: file, table, final, settings: settings)]
            }[0]
        }
        let (old, words) = (opened.settings, vocabulary?.paths ?? [])
        let choices = [activation.map { "activation \($0.rawValue)" }, resolution.map { "resolution \($0)" }].compactMap { $0 }
        formerHashes = Deferred {
            try FingerprintCache.value(
                in: cache, of: "former\n" + choices.joined(separator: "\n"), files: old + words + file.files
            ) { try Fingerprint.former(settings: old, vocabulary: words, weights: file.files, choices: choices) }
        }
    }

    /// Begins to take the fingerprint on another thread. Hashing takes about as long as packing the weights, and one core: a caller that will
    /// want it lets both go on at once.
    public func startFingerprint() { hash.start() }

    /// The tokenizer of a vocabulary; for one of a kind that is not read here none and why, since the pictures are as good as any.
    private static func tokenizer(
        _ vocabulary: TokenizerFiles?, for configuration: CLIPConfiguration, cleanup: TextCleanup
    ) throws -> (tokenizer: Tokenizer?, unread: TokenizerError?) {
        guard let vocabulary else { return (nil, nil) }
        let text = configuration.text
        let tokenizer: Tokenizer
        do throws(TokenizerError) {
            tokenizer = try vocabulary.open(contextLength: text.contextLength, cleanup: cleanup)
        } catch {
            switch error {
            case .unknownTokenizer, .needsSentencePiece:
                return (nil, error)
            default: throw error
            }
        }
        guard tokenizer.vocabularySize == text.vocabularySize else {
            throw CLIPError.contradiction(
                path: vocabulary.paths[0],
                what: "it holds \(tokenizer.vocabularySize) tokens, the model \(text.vocabularySize)")
        }
        return (tokenizer, nil)
    }

    /// The weights under OpenAI's names, not yet checked against the configuration. Tensors may lie in the mapped file: they must not be
    /// written to.
    public func weights() throws -> [String: Tensor] {
        try configuration.fitted(weightFile.canonical(names))
    }

    /// Builds the model: strictly, and refusing weights that are not finite.
    /// - Parameters:
    ///   - forTraining: copies the weights, so that an optimizer may write to them.
    ///   - device: where the model is to be.
    public func model(forTraining: Bool = false, device: Device = .cpu) throws -> CLIPModel {
        var weights: [String: Tensor] = try withoutGradients { try self.weights() }
        if let name = try notFinite(weights) {
            throw CLIPError.notANumber(path: weightFile.source.path, tensor: name)
        }
        // Moving to another device copies anyway.
        if forTraining && device == .cpu { weights = try weights.mapValues { try $0.clone().to(.float32) } }
        return try CLIPModel(
            configuration, store: ParameterStore(weights: weights, source: weightFile.source.path, device: device))
    }

    /// (1 − α)·first + α·second, weight by weight: WiSE-FT, Wortsman et al. 2022 (arXiv:2109.01903, eq. 1).
    /// - Parameter alpha: 0…1.
    /// - Throws: `CLIPError.unmixable` for models that differ in more than their weights.
    public static func merged(_ first: Checkpoint, _ second: Checkpoint, alpha: Double) throws -> CLIPModel {
        let (one, other) = (first.configuration, second.configuration)
        guard one == other else {
            let names = (one.architectureName, other.architectureName)
            throw CLIPError.unmixable(
                first.path, second.path,
                because: names.0 == names.1
                    ? "both are called \(names.0), and their sizes or activations differ"
                    : "one is \(names.0), the other \(names.1)")
        }
        guard first.preprocessing == second.preprocessing else {
            throw CLIPError.unmixable(first.path, second.path, because: "they prepare pictures differently")
        }
        let (mine, theirs) = try (first.model(forTraining: true), second.model())
        try withoutGradients {
            for (own, other) in zip(
                mine.store.parameters + mine.store.buffers, theirs.store.parameters + theirs.store.buffers)
            {
                // `mine` owns its tensors: they were copied.
                try own.tensor.copyInPlace(from: own.tensor * (1 - alpha) + other.tensor * alpha)
            }
        }
        return mine
    }

    /// Whether its file keeps weights as the integers that products of bytes take.
    public var isRounded: Bool { weightFile.source is RoundedTensors }

    /// Of a checkpoint whose file keeps weights as integers the others, which were found to lose too much by that; empty for another.
    var floatWeights: Set<String> {
        get throws {
            guard let source = weightFile.source as? RoundedTensors else { return [] }
            return Set(try weightFile.parts(names).filter { !$0.theirs.allSatisfy(source.rounded.contains) }.map(\.ours))
        }
    }

    /// Lets go of the memory that weights read so far occupy; what is touched again is read again.
    func releasePages() { weightFile.source.releasePages() }

    /// The first tensor, by name, that holds a value that is no number.
    private func notFinite(_ weights: [String: Tensor]) throws -> String? {
        var read = 0
        for (name, tensor) in weights.sorted(by: { $0.key < $1.key }) where try tensor.type.isFloatingPoint {
            // One pass without a copy: a sum is finite if its numbers are, unless they are enormous; then each is looked at.
            if try !tensor.sum().item().isFinite, try tensor.to(.float32).isFinite().not().any().item() != 0 { return name }
            read += tensor.elementCount
            if read > 1 << 23 {
                releasePages()
                read = 0
            }
        }
        return nil
    }

    /// Our additions: recipe, metrics, history; nil where the folder has none.
    public func recorded() throws -> [String: Any]? {
        let path = "\(path)/\(Self.additions)"
        return FileManager.default.fileExists(atPath: path) ? try JSONFile(path: path).object : nil
    }
}

/// A checkpoint's parts before they are compared with each other.
private struct Opened {
    let format: Checkpoint.Format
    let configuration: CLIPConfiguration
    let preprocessing: Preprocessing
    let weightFile: WeightFile
    let names: NameTable
    /// Files whose contents decide what the weights mean.
    let settings: [String]
    /// Where a vocabulary would lie.
    let folder: String
    /// Whose rules texts are cleaned by.
    let library: TextCleanup

    init(folder path: String, cache: FingerprintCache?) throws {
        folder = path
        func holds(_ name: String) -> Bool { FileManager.default.fileExists(atPath: "\(path)/\(name)") }
        func weights(_ candidates: [String]) throws -> WeightFile {
            // Where none is there, the first is what is missed.
            let found = (candidates + [Checkpoint.variant]).first(where: holds)
            return try WeightFile(path: "\(path)/\(found ?? candidates[0])", cache: cache)
        }
        if holds(OpenCLIPFolder.config) {
            let file = try JSONFile(path: "\(path)/\(OpenCLIPFolder.config)")
            let found = try weights(OpenCLIPFolder.weights)
            let table = try found.table()
            (format, library, weightFile, names) = (.openCLIP, .openCLIP, found, table)
            configuration = try OpenCLIPFolder.configuration(file) { try found.canonical(table).mapValues(\.shape) }
            preprocessing = try OpenCLIPFolder.preprocessing(file, resolution: configuration.resolution)
            settings = [file.path]
        } else if holds(HuggingFaceFolder.config) {
            let file = try JSONFile(path: "\(path)/\(HuggingFaceFolder.config)")
            configuration = try HuggingFaceFolder.configuration(file)
            let preprocessor = try HuggingFaceFolder.preprocessorFile(folder: path)
            preprocessing = try HuggingFaceFolder.preprocessing(preprocessor, family: configuration.family)
            weightFile = try weights(HuggingFaceFolder.weights)
            (format, library, names) = (.huggingFace, .huggingFace, try weightFile.table())
            settings = [file.path, preprocessor.path]
        } else {
            throw FolderAround(path: path).error
        }
    }

    init(file path: String, activation: Activation?, cache: FingerprintCache?) throws {
        let url = URL(fileURLWithPath: path)
        folder = url.deletingLastPathComponent().path
        library = .openCLIP
        weightFile = try WeightFile(path: path, cache: cache)
        names = try weightFile.table()
        var settings: [String] = []
        var known = activation
        var training: OpenCLIPTrainingSettings?
        switch weightFile.origin {
        case .plain: format = .weights
        case .openAI: (format, known) = (.openAI, .quickGELU)
        // The original program loaded OpenAI's models and trained from them.
        case .styleFinderStage2: (format, known) = (.styleFinderStage2, .quickGELU)
        case .styleFinderStage3: (format, known) = (.styleFinderStage3, .quickGELU)
        // Its own loader builds open_clip's ViT-B-32, whose activation is the exact one.
        case .openFashionCLIP: (format, known) = (.openFashionCLIP, .gelu)
        case .openCLIPTraining:
            format = .openCLIPTraining
            training = try OpenCLIPTrainingSettings(near: url)
            if let training {
                known = training.activation
                settings.append(training.path)
            }
        }
        if let told = weightFile.metadata["activation"].flatMap(Activation.init) { known = told }
        let shapes = try weightFile.canonical(names).mapValues(\.shape)
        // A ResNet's text tower has the activation too. SigLIP's follow from the library that named its tensors.
        let isSigLIP = shapes["visual.attnpool.probe"] != nil
        if isSigLIP {
            let isTimm = weightFile.source.tensors.keys.contains { $0.contains("visual.trunk.") }
            // SigLIP 2's vocabulary tells its text tower's GELU in open_clip.
            let isSecond = shapes["token_embedding.weight"]?.first == CLIPConfiguration.sigLIP2Vocabulary
            configuration = try CLIPConfiguration(
                shapes: shapes, path: path, activation: isTimm ? .gelu : .geluTanh,
                textActivation: isTimm && !isSecond ? .gelu : .geluTanh)
        } else {
            guard let known else { throw CLIPError.unknownActivation(path: path) }
            configuration = try CLIPConfiguration(shapes: shapes, path: path, activation: known)
        }
        self.settings = settings
        preprocessing = Preprocessing(
            side: configuration.resolution, fitting: isSigLIP ? .squash : .shortestSideCrop,
            mean: training?.mean ?? (isSigLIP ? Preprocessing.halves : Preprocessing.openAIMean),
            deviation: training?.deviation ?? (isSigLIP ? Preprocessing.halves : Preprocessing.openAIDeviation))
    }
}
