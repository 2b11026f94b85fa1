import Foundation
import Imaging
public import TensorFiles
import Tokenizers
import Torch

extension Checkpoint {
    /// Whose names the weights carry in a file of their own.
    public enum Names: String, Sendable, CaseIterable {
        case openAI = "openai"
        case huggingFace = "hugging-face"
    }

    /// Which weights a written folder holds.
    public enum Stored {
        case whole(TensorToWrite.Precision)
        /// The weights of products as integers (`RoundedTensors`) but for the layers of some, the others in half precision. The folder is one that
        /// this program alone opens.
        case rounded(except: Set<String>)
        /// Those that differ from a baseline's, as differences: see `VariantWriter`. The folder is one that this program alone opens.
        case differences(from: Checkpoint, coarseness: Float)
    }

    /// Writes a folder that the field's own library opens: Hugging Face for a ViT and a SigLIP, open_clip for a convolutional tower and for a
    /// ViT whose pictures are cut as open_clip cuts them.
    /// - Parameters:
    ///   - stored: which weights, and how.
    ///   - vocabulary: the folder whose vocabulary goes along.
    ///   - additions: goes into `stylefinder.json`.
    public static func write(
        _ model: CLIPModel, preprocessing: Preprocessing, to path: String, stored: Stored = .whole(.float32),
        vocabulary: String? = nil, additions: [String: Any]? = nil
    ) throws {
        if case .differences(let baseline, _) = stored { try baseline.checkIsBaseline(of: model, at: path) }
        do {
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        } catch {
            throw CLIPError.noWrite(path: path, reason: error.phrase)
        }
        let configuration = model.configuration
        let library: TextCleanup
        if case .transformer(let tower) = configuration.vision,
            // A Hugging Face folder can't say that pictures are cut by torchvision's rule; SigLIP's are never cut.
            preprocessing.cropRule == .transformers || configuration.family == .sigLIP
        {
            library = .huggingFace
            try JSONFile.write(HuggingFaceFolder.config(configuration, tower), to: "\(path)/\(HuggingFaceFolder.config)")
            try JSONFile.write(
                HuggingFaceFolder.preprocessorConfig(preprocessing, family: configuration.family),
                to: "\(path)/\(HuggingFaceFolder.preprocessor)")
            try write(model, stored, to: path, HuggingFaceFolder.weights[0], names: .huggingFace)
        } else {
            library = .openCLIP
            try JSONFile.write(OpenCLIPFolder.config(configuration, preprocessing), to: "\(path)/\(OpenCLIPFolder.config)")
            try write(model, stored, to: path, OpenCLIPFolder.weights[0], names: .openAI)
        }
        if let vocabulary, let files = TokenizerFiles(folder: vocabulary, cleanup: library) {
            for (name, file) in zip(files.names, files.paths) {
                let data: Data
                do { data = try Data(contentsOf: URL(fileURLWithPath: file)) } catch {
                    throw CLIPError.unreadable(path: file, reason: error.phrase)
                }
                try ReplacingFile.put(data, at: "\(path)/\(name)")
            }
        }
        if let additions { try JSONFile.write(additions, to: "\(path)/\(Self.additions)") }
    }

    private static func write(_ model: CLIPModel, _ stored: Stored, to folder: String, _ file: String, names: Names) throws {
        switch stored {
        case .whole(let precision): try write(model, to: "\(folder)/\(file)", names: names, precision: precision)
        case .rounded(let exceptions): try writeRounded(model, to: "\(folder)/\(file)", names: names, except: exceptions)
        case .differences(let baseline, let coarseness):
            try baseline.writeDifferences(of: model, coarseness: coarseness, to: "\(folder)/\(variant)")
        }
    }

    /// A weight that products are made of: of a linear layer that is prepared for inference, or of a convolution that adds up channels.
    private static func isRounded(_ name: String, _ shape: [Int], in model: CLIPModel) -> Bool {
        if shape.count == 4 {
            // A ViT's patches are cut out by a convolution that stays float32.
            if case .transformer = model.configuration.vision, name == "visual.conv1.weight" { return false }
            return WeightForm.rounds(convolution: shape)
        }
        return shape.count == 2 && (name.hasSuffix(".in_proj_weight") || name.hasSuffix(".weight"))
            && name != "token_embedding.weight"
    }

    private static func writeRounded(_ model: CLIPModel, to path: String, names: Names, except exceptions: Set<String>) throws {
        let table: NameTable? =
            names == .openAI ? nil : model.configuration.family == .clip ? .huggingFace : .huggingFaceSigLIP
        var written: [TensorToWrite] = []
        for (name, tensor) in model.store.parameters + model.store.buffers {
            let rounds = !exceptions.contains(name) && isRounded(name, tensor.shape, in: model)
            let own = [(name: name, tensor: tensor)]
            for (name, tensor) in try withoutGradients({ () -> [(name: String, tensor: Tensor)] in try table?.theirs(own) ?? own }
            ) {
                if rounds {
                    let (integers, scales) = try tensor.roundedToInt8()
                    written.append(
                        .init(name: name + RoundedTensors.integers, type: .int8, shape: tensor.shape, bytes: try integers.bytes())
                    )
                    written.append(
                        .init(name: name + RoundedTensors.scales, type: .float32, shape: scales.shape, bytes: try scales.bytes()))
                } else {
                    // A vector may hold anything, and is small.
                    let type: ElementType = tensor.shape.count > 1 ? .float16 : .float32
                    written.append(.init(name: name, type: type, shape: tensor.shape, bytes: try tensor.to(type).bytes()))
                }
            }
        }
        let metadata = [
            "format": "pt", "activation": model.configuration.activation.rawValue, RoundedTensors.key: RoundedTensors.kind,
        ]
        try SafetensorsWriter.write(written, metadata: metadata, to: path)
    }

    /// Writes the weights alone: `.safetensors`, or for another ending the dictionary of tensors that Python opens with
    /// `torch.load(path, weights_only=True)`.
    /// - Throws: `CLIPError.wrongValue` for names that the architecture does not have.
    public static func write(
        _ model: CLIPModel, to path: String, names: Names, precision: TensorToWrite.Precision = .float32
    ) throws {
        var tensors: [(name: String, tensor: Tensor)] = model.store.parameters + model.store.buffers
        if names == .huggingFace {
            guard case .transformer = model.configuration.vision else {
                throw CLIPError.wrongValue(
                    path: path, key: "names", found: names.rawValue,
                    expected: "\(Names.openAI.rawValue): Hugging Face has no CLIP with a convolutional image tower")
            }
            let table: NameTable = model.configuration.family == .clip ? .huggingFace : .huggingFaceSigLIP
            let canonical = tensors
            tensors = try withoutGradients { try table.theirs(canonical) }
        } else if model.configuration.family == .sigLIP {
            throw CLIPError.wrongValue(
                path: path, key: "names", found: names.rawValue,
                expected: "\(Names.huggingFace.rawValue): OpenAI's names have no word for SigLIP's head")
        }
        let type: ElementType = precision == .float16 ? .float16 : .float32
        // One tensor at a time is brought into the form of the file.
        let written = tensors.map { name, tensor in
            TensorToWrite(name: name, type: type, shape: tensor.shape) { body in
                try withoutGradients { try tensor.to(type).bytes() }.withUnsafeBytes(body)
            }
        }
        if path.hasSuffix(".safetensors") {
            let metadata = ["format": "pt", "activation": model.configuration.activation.rawValue]
            try SafetensorsWriter.write(written, metadata: metadata, to: path)
        } else {
            try TorchCheckpointWriter.write(written, to: path)
        }
    }
}
