import Foundation
import Imaging
import TensorFiles
import Tokenizers
import Torch

/// One thing that an examination of a checkpoint found.
public struct Finding: Sendable, Equatable, Codable {
    public enum Severity: String, Sendable, Codable {
        /// The model does not load, or what it answers is worthless.
        case fault
        /// It loads, and something about it is unusual for models of its kind.
        case doubt
        /// Looked at and right.
        case good
    }

    public var severity: Severity
    /// What was looked at, one word: `activation`, `keys`, `vocabulary` and so on.
    public var subject: String
    /// What was found.
    public var found: String
    /// What it means for whoever uses the model.
    public var meaning: String
    /// A way on; empty where all is well.
    public var remedy: String

    init(_ severity: Severity, _ subject: String, _ found: String, meaning: String, remedy: String = "") {
        self.severity = severity
        self.subject = subject
        self.found = found
        self.meaning = meaning
        self.remedy = remedy
    }
}

/// Examines checkpoints: what keeps one from loading, and what would quietly make it worse than it was trained to be.
public enum CheckpointDoctor {
    /// Everything that is found, in the order of looking. A checkpoint that can't be opened has the one finding that keeps it shut; one whose
    /// weights do not fit has all the misfits.
    /// - Parameter activation: for a file that does not say it.
    public static func examine(path: String, activation: Activation? = nil) -> [Finding] {
        let checkpoint: Checkpoint
        do { checkpoint = try Checkpoint(path: path, activation: activation) } catch { return [shut(error)] }
        var findings: [Finding] = [
            .init(
                .good, "format", "\(checkpoint.format.rawValue), \(checkpoint.configuration.architectureName)",
                meaning: "the files are whole and say what the model is")
        ]
        findings += settings(checkpoint)
        do {
            let model = try checkpoint.model()
            findings.append(
                .init(
                    .good, "keys", "\(model.parameterCount) numbers in \(model.store.parameters.count) tensors",
                    meaning: "every tensor that the architecture has is there in its shape, none is left over, and all are finite"
                ))
            for remark in checkpoint.namingRemarks {
                findings.append(.init(.good, "names", remark, meaning: "no vector changes by it"))
            }
            findings += try scale(model)
            findings += try answers(checkpoint)
        } catch TorchError.weights(let faults) {
            findings += misfits(faults)
        } catch {
            findings.append(shut(error))
        }
        return findings
    }

    // MARK: What keeps it shut

    private static func shut(_ error: any Error) -> Finding {
        let text = String(describing: error)
        switch error {
        case let error as TensorFileError:
            switch error {
            case .foreignGlobal:
                return .init(
                    .fault, "pickle", text, meaning: "the file wants code to be run while it is read, which never happens here",
                    remedy: "save the weights alone, torch.save(model.state_dict(), path), with the program that made it")
            case .truncated, .trailingBytes, .missingShard:
                return .init(
                    .fault, "file", text, meaning: "a part of the weights is missing",
                    remedy: "copy or download the file again and compare its size")
            default:
                return .init(
                    .fault, "file", text, meaning: "the file of weights is not what its format asks for",
                    remedy: "download it again, or save it anew with the program that made it")
            }
        case is TokenizerError:
            return .init(
                .fault, "vocabulary", text, meaning: "texts can't become token ids",
                remedy: "take the vocabulary's files from where the model came from")
        case let error as CLIPError:
            switch error {
            case .unknownActivation:
                return .init(
                    .fault, "activation", text, meaning: "the wrong one of two costs accuracy without any error",
                    remedy: "name it: --activation quick_gelu or --activation gelu")
            case .wrongValue(_, "hidden_act", _, _):
                return .init(
                    .fault, "activation", text, meaning: "the blocks compute something that is not known here",
                    remedy: "look whether the configuration is the one that came with the weights")
            case .contradiction(let path, _) where path.hasSuffix("vocab.json") || path.contains("token") || path.contains("bpe"):
                return .init(
                    .fault, "vocabulary", text, meaning: "token ids would point at other words' embeddings, or at none",
                    remedy: "take the vocabulary's files from where the model came from")
            case .contradiction(_, let what) where what.hasPrefix("pictures are prepared"):
                return .init(
                    .fault, "preprocessing", text, meaning: "pictures would reach the model in another size than it takes",
                    remedy: "correct the preprocessing's size, or the model's image size")
            // The end of both names that the file has.
            case .wrongValue(let path, _, _, _) where path.hasSuffix(HuggingFaceFolder.processor),
                .missingKey(let path, _) where path.hasSuffix(HuggingFaceFolder.processor),
                .unreadable(let path, _) where path.hasSuffix(HuggingFaceFolder.processor):
                return .init(
                    .fault, "preprocessing", text,
                    meaning: "how pictures are prepared is not known, and each guess costs accuracy",
                    remedy: "take preprocessor_config.json from where the model came from")
            case .oneTower:
                return .init(
                    .fault, "towers", text, meaning: "a picture and a text can't be compared with half a model",
                    remedy: "take the checkpoint that holds both towers")
            case .notANumber:
                return .init(
                    .fault, "numbers", text,
                    meaning: "every vector would be no number; a training that diverged saves such weights",
                    remedy: "go back to an earlier checkpoint of the run")
            case .missingKey, .wrongValue, .notJSON, .contradiction, .unknownTower:
                return .init(
                    .fault, "configuration", text, meaning: "the configuration does not describe a model that is known here",
                    remedy: "take the configuration from where the weights came from")
            case .modelLies(_, let place):
                return .init(
                    .fault, "folder", text, meaning: "the model is one level further in", remedy: "examine \(place)")
            case .adapter:
                return .init(
                    .fault, "adapter", text, meaning: "without its base there is nothing that it could change",
                    remedy: "merge it into its base with the library that made it")
            case .missingTensor, .notCLIP:
                return .init(
                    .fault, "keys", text, meaning: "the file's tensors are not a whole CLIP",
                    remedy: "look whether the file is the model, and not its optimizer, an adapter or another network")
            default:
                return .init(.fault, "file", text, meaning: "there is nothing to load", remedy: "see the sentence")
            }
        default: return .init(.fault, "model", text, meaning: "the model does not load", remedy: "see the sentence")
        }
    }

    private static func misfits(_ faults: WeightFaults) -> [Finding] {
        func list(_ names: [String]) -> String {
            names.prefix(5).joined(separator: ", ") + (names.count > 5 ? " and \(names.count - 5) more" : "")
        }
        var findings: [Finding] = []
        if !faults.missing.isEmpty {
            findings.append(
                .init(
                    .fault, "missing keys", list(faults.missing), meaning: "these parts of the model would have to be made up",
                    remedy: "the file is incomplete, or the configuration has more layers than the weights"))
        }
        if !faults.unexpected.isEmpty {
            findings.append(
                .init(
                    .fault, "unexpected keys", list(faults.unexpected),
                    meaning: "a part of the weights has no place in the model",
                    remedy: "the configuration has fewer layers than the weights, or the file holds another model"))
        }
        if !faults.misshaped.isEmpty {
            findings.append(
                .init(
                    .fault, "shapes", list(faults.misshaped),
                    meaning: "the configuration and the weights are of different models",
                    remedy: "take both from one place; another resolution of pictures is had with convert --resolution"))
        }
        return findings
    }

    // MARK: What makes it quietly worse

    private static func settings(_ checkpoint: Checkpoint) -> [Finding] {
        var findings: [Finding] = []
        func look(_ isUsual: Bool, _ subject: String, _ found: String, good: String, doubt: String, remedy: String) {
            findings.append(
                isUsual
                    ? .init(.good, subject, found, meaning: good)
                    : .init(.doubt, subject, found, meaning: doubt, remedy: remedy))
        }
        let (configuration, preprocessing) = (checkpoint.configuration, checkpoint.preprocessing)
        let isCLIP = configuration.family == .clip

        let hint = activationHint(checkpoint)
        let (activation, textActivation) = (configuration.activation, configuration.textActivation)
        let found =
            activation == textActivation ? activation.rawValue : "\(activation.rawValue), texts \(textActivation.rawValue)"
        let isUsual = isCLIP ? activation == textActivation && activation != .geluTanh : activation != .quickGELU
        if let hint, hint.activation != activation {
            findings.append(
                .init(
                    .doubt, "activation", found,
                    meaning:
                        "the folder says that it comes from \(hint.origin), whose models are made with \(hint.activation.rawValue): with another one they load and are worse",
                    remedy: "compare the configuration with the original's"))
        } else {
            look(
                isUsual, "activation", found, good: "one that models of this kind are made with",
                doubt: "models of this kind are made with another; the wrong one costs accuracy without any error",
                remedy: "compare hidden_act or quick_gelu with the original's configuration")
        }
        let eps = isCLIP ? 1e-5 : 1e-6
        look(
            configuration.layerNormEps == eps, "eps", "\(configuration.layerNormEps)", good: "the family's",
            doubt: "models of this family have \(eps)", remedy: "compare layer_norm_eps with the original's configuration")

        let ours = (try? checkpoint.recorded())??["command"] != nil
        let tower: CLIPConfiguration.Timm? = if case .timm(let tower) = configuration.vision { tower } else { nil }
        // A trunk that was made for classifying is at home with either rule.
        let expected: Preprocessing.Fitting = tower != nil ? preprocessing.fitting : isCLIP ? .shortestSideCrop : .squash
        look(
            preprocessing.fitting == expected || ours, "resize",
            "\(preprocessing.side) px, \(preprocessing.fitting.rawValue), \(preprocessing.filter.rawValue)",
            good: preprocessing.fitting == expected
                ? "the family's rule" : "not the family's rule, and the one that it was trained with here",
            doubt:
                "models of this family take pictures \(expected == .squash ? "squashed to the square" : "cut to the square in the middle"); another rule shows them stretched or cut garments",
            remedy: "compare the preprocessing with the original's")
        look(
            preprocessing.filter == .bicubic || !isCLIP && preprocessing.filter == .bilinear, "filter",
            preprocessing.filter.rawValue, good: "one that models of this kind were trained with",
            doubt: "they were trained on bicubic pictures",
            remedy: "set resample to 3 or interpolation to bicubic, if the original says so")
        findings.append(statistics(of: preprocessing, family: configuration.family, tower: tower))

        if let tokenizer = checkpoint.tokenizer {
            let cut = tokenizer.encode(String(repeating: "dress ", count: 2 * tokenizer.contextLength))
            look(
                cut.isCut && cut.ids.count == tokenizer.contextLength, "tokenizer",
                "\(tokenizer.vocabularySize) tokens, \(tokenizer.contextLength) a text",
                good: "as large as the model's table; a longer text is cut, and whoever sent it is told",
                doubt: "a long text is not cut to what the model reads",
                remedy: "compare the vocabulary's files with the original's")
        } else {
            findings.append(
                .init(
                    .doubt, "tokenizer", checkpoint.unreadVocabulary?.description ?? "none",
                    meaning: "the model takes pictures and no texts",
                    remedy: vocabularyRemedy(checkpoint)))
        }
        if let resizing = checkpoint.resizing {
            findings.append(
                .init(
                    .doubt, "resolution", resizing, meaning: "accuracy falls a little until the model is tuned at the new size",
                    remedy: "use the size it was trained for, or train on"))
        }
        return findings
    }

    /// Whether mean and deviation are those that towers of this kind were trained with.
    private static func statistics(
        of preprocessing: Preprocessing, family: CLIPConfiguration.Family, tower: CLIPConfiguration.Timm?
    ) -> Finding {
        typealias Statistics = (owner: String, mean: [Float], deviation: [Float])
        let openAI: Statistics = ("OpenAI's", Preprocessing.openAIMean, Preprocessing.openAIDeviation)
        let imageNet: Statistics = ("ImageNet's", Preprocessing.imageNetMean, Preprocessing.imageNetDeviation)
        func halves(of owner: String) -> Statistics { (owner, Preprocessing.halves, Preprocessing.halves) }
        let usual: [Statistics] =
            switch (tower, family) {
            case (let tower?, _) where tower.followsTensorFlow: [halves(of: "TensorFlow's")]
            case (_?, _): [imageNet, openAI]
            case (nil, .clip): [openAI]
            case (nil, .sigLIP): [halves(of: "SigLIP's")]
            }
        let isUsual = usual.contains { statistics in
            zip(statistics.mean + statistics.deviation, preprocessing.mean + preprocessing.deviation)
                .allSatisfy { abs($0 - $1) < 1e-6 }
        }
        let found = "mean \(preprocessing.mean), std \(preprocessing.deviation)"
        if isUsual { return .init(.good, "statistics", found, meaning: "the family's own") }
        return .init(
            .doubt, "statistics", found,
            meaning: "neither rounded numbers nor another family's shift every pixel that the model sees",
            remedy: usual.map { "\($0.owner) mean is \($0.mean), its std \($0.deviation)" }.joined(separator: "; "))
    }

    /// Which files the model's texts need, by its family and the library that it comes from.
    private static func vocabularyRemedy(_ checkpoint: Checkpoint) -> String {
        if checkpoint.configuration.family == .clip {
            return "put vocab.json and merges.txt, tokenizer.json, or bpe_simple_vocab_16e6.txt.gz beside the weights"
        }
        if checkpoint.configuration.text.vocabularySize == CLIPConfiguration.sigLIP2Vocabulary {
            return
                "SigLIP 2's vocabulary, Gemma's byte pairs, is not read here: search by pictures, or take SigLIP's first version for texts"
        }
        return "put the model's spiece.model beside the weights\(checkpoint.format == .openCLIP ? ", or its tokenizer.json" : "")"
    }

    /// What the configuration's own words say about where the weights come from.
    private static func activationHint(_ checkpoint: Checkpoint) -> (origin: String, activation: Activation)? {
        guard checkpoint.configuration.family == .clip,
            let file = try? JSONFile(path: "\(checkpoint.path)/\(HuggingFaceFolder.config)"),
            let name = (try? file.string("_name_or_path", default: ""))?.lowercased()
        else { return nil }
        if name.hasPrefix("openai/clip") || name.hasSuffix("fashion-clip") { return (name, .quickGELU) }
        if name.hasPrefix("laion/") { return (name, .gelu) }
        return nil
    }

    private static func scale(_ model: CLIPModel) throws -> [Finding] {
        let value = try model.logitScale.item()
        // ln 100 is the limit that CLIP's training sets; a little above it is rounding.
        let isUsual = (0...4.7).contains(value)
        let found = "\(value), a factor of \(exp(value)) on cosines"
        return [
            isUsual
                ? .init(.good, "logit scale", found, meaning: "in the range that training leaves it in")
                : .init(
                    .doubt, "logit scale", found,
                    meaning:
                        "it should be the logarithm of a factor between 1 and 100; probabilities of labels would be meaningless, rankings are not touched",
                    remedy: "look whether the factor itself was saved instead of its logarithm")
        ]
    }

    // MARK: What it answers

    /// Test pictures and texts that no sensible model confuses.
    private static func answers(_ checkpoint: Checkpoint) throws -> [Finding] {
        let embedder = try Embedder(checkpoint: checkpoint)
        var findings = try spread(embedder.embed(images: TestPictures.all()), size: embedder.embeddingSize, "image embeddings")
        if embedder.tokenizer != nil {
            findings += try spread(
                embedder.embed(texts: Checkpoint.sampleTexts).vectors, size: embedder.embeddingSize, "text embeddings")
        }
        findings.append(try rounding(checkpoint))
        return findings
    }

    /// Whether products of bytes keep its vectors.
    private static func rounding(_ checkpoint: Checkpoint) throws -> Finding {
        let found = try checkpoint.report(on: checkpoint, TestPictures.all()).pictures
        let text = String(format: "cosine to float32 %.4f in the mean, %.4f at least", found.meanCosine, found.leastCosine)
        // No fault of the model's: on test pictures of plain colours every error is alike in all places.
        let meaning =
            found.leastCosine >= PrecisionTrial.agreement
            ? "8-bit products keep its vectors"
            : "8-bit products move its vectors, so that auto leaves it in float32; `models quantize` shows which layers do"
        return .init(.good, "int8", text, meaning: meaning)
    }

    private static func spread(_ vectors: [Float], size: Int, _ subject: String) throws -> [Finding] {
        guard vectors.allSatisfy(\.isFinite) else {
            return [
                .init(
                    .fault, subject, "not finite", meaning: "the model answers with no numbers",
                    remedy: "go back to an earlier checkpoint of the run")
            ]
        }
        let rows = stride(from: 0, to: vectors.count, by: size).map { Array(vectors[$0..<($0 + size)]) }
        func dot(_ a: [Float], _ b: [Float]) -> Float { zip(a, b).reduce(0) { $0 + $1.0 * $1.1 } }
        if let row = rows.firstIndex(where: { abs(dot($0, $0) - 1) > 1e-3 }) {
            return [
                .init(
                    .fault, subject, "vector \(row) has length \(dot(rows[row], rows[row]).squareRoot())",
                    meaning: "a vector of zeros has no direction, so nothing can be ranked by it",
                    remedy: "the projection's weights are dead: go back to an earlier checkpoint")
            ]
        }
        var least: Float = 1
        for (index, row) in rows.enumerated() { for other in rows[..<index] { least = min(least, dot(row, other)) } }
        if least > 0.9995 {
            return [
                .init(
                    .fault, subject, "all alike: the least cosine between unlike inputs is \(least)",
                    meaning: "the model has collapsed and ranks by noise; a training with the wrong labels ends so",
                    remedy: "go back to the model that the training began with")
            ]
        }
        return [
            .init(
                .good, subject, "unit length, least cosine between unlike inputs \(least)",
                meaning: "they differ where their inputs do")
        ]
    }
}
