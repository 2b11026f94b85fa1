public import ArgumentParser
public import CLIP
import Foundation
import Hub
import Imaging
import Inference
import Search
import TensorFiles

struct ModelsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "models", abstract: "List, fetch, inspect, examine, convert, merge and quantise models.",
        subcommands: [List.self, Fetch.self, Inspect.self, Doctor.self, Convert.self, Merge.self, Quantize.self])

    struct List: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "The models that come with the program, and those that were fetched.")

        @OptionGroup var output: OutputOption

        struct Listing: Encodable {
            struct Model: Encodable {
                /// What commands take for MODEL.
                let id: String
                let architecture: String
                let variant: String
                /// Whether it was fetched and did not come with the program.
                let fetched: Bool
            }
            let models: [Model]
        }

        func run() throws {
            var models = try ModelLocation.shipped().map { try Self.entry($0, id: $0.name, fetched: false) }
            for model in ModelLocation.fetched() {
                // What others made may be of a kind that is not read; the list goes on.
                do { models.append(try Self.entry(ModelLocation(model), id: model.source, fetched: true)) } catch {
                    Console.warn("\(model.source) can't be opened: \(error)")
                }
            }
            if output.json { return try Console.printJSON(Listing(models: models)) }
            if models.isEmpty { print("No model is shipped with this build.") }
            for model in models {
                print("\(model.id)  \(model.architecture)  \(model.variant)\(model.fetched ? "  fetched" : "")")
            }
        }

        private static func entry(_ location: ModelLocation, id: String, fetched: Bool) throws -> Listing.Model {
            let checkpoint = try Checkpoint(path: location.path)
            let variant = try checkpoint.recorded()?["name"] as? String ?? location.name
            return Listing.Model(
                id: id, architecture: checkpoint.configuration.architectureName, variant: variant, fetched: fetched)
        }
    }

    struct Inspect: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "What a model is, read from its files.")

        @Argument(help: "The name of a shipped or fetched model, a model folder, a checkpoint file, or a run.")
        var model: String

        @OptionGroup var unsaid: UnsaidOptions
        @OptionGroup var output: OutputOption

        struct Description: Encodable {
            let id: String
            let architecture: String
            let family: String
            let format: String
            let embedding_size: Int
            let resolution: Int
            let activation: String
            let text_activation: String
            let layer_norm_eps: Double
            let context_length: Int
            let vocabulary_size: Int
            let has_tokenizer: Bool
            let preprocessing: ModelCard.Preparation
            let parameters: Int
            let stored_as: [String: Int]
            let fingerprint: String
            let tokenizer_fingerprint: String?
            let remarks: [String]
            let recorded: [String: String]
        }

        /// A recorded value as the file has it: a text as it is, anything else as JSON.
        private static func shown(_ value: Any) -> String {
            if let text = value as? String { return text }
            let json = try? JSONSerialization.data(
                withJSONObject: value, options: [.fragmentsAllowed, .sortedKeys, .withoutEscapingSlashes])
            return json.map { String(decoding: $0, as: UTF8.self) } ?? "\(value)"
        }

        func run() throws {
            let location = try ModelLocation(model)
            let checkpoint = try unsaid.open(location)
            let configuration = checkpoint.configuration
            let card = try ModelCard(
                checkpoint: checkpoint, id: location.name, parameters: checkpoint.model().parameterCount)
            var recorded = Dictionary(checkpoint.facts, uniquingKeysWith: { first, _ in first })
            for (key, value) in try checkpoint.recorded() ?? [:] where key != "recipe" {
                recorded[key] = Self.shown(value)
            }
            let description = Description(
                id: card.id, architecture: card.architecture, family: configuration.family.rawValue,
                format: checkpoint.format.rawValue, embedding_size: card.embeddingSize, resolution: configuration.resolution,
                activation: configuration.activation.rawValue, text_activation: configuration.textActivation.rawValue,
                layer_norm_eps: configuration.layerNormEps, context_length: configuration.text.contextLength,
                vocabulary_size: configuration.text.vocabularySize, has_tokenizer: card.takesText,
                preprocessing: card.preprocessing, parameters: card.parameters,
                stored_as: Dictionary(
                    checkpoint.storage.map { ($0.type.rawValue, $0.count) }, uniquingKeysWith: { first, _ in first }),
                fingerprint: card.fingerprint, tokenizer_fingerprint: checkpoint.tokenizerFingerprint,
                remarks: checkpoint.remarks, recorded: recorded)
            if output.json { return try Console.printJSON(description) }
            print("\(description.id): \(description.architecture), \(description.embedding_size)-d, \(description.format)")
            let preparation = description.preprocessing
            print("pictures  \(preparation.side) px, \(preparation.fitting), \(preparation.filter)")
            print("          mean \(preparation.mean), std \(preparation.std)")
            print(
                "texts     \(description.has_tokenizer ? "\(description.context_length) tokens of \(description.vocabulary_size)" : "no tokenizer beside the weights")"
            )
            let activations = Set([description.activation, description.text_activation]).sorted().joined(separator: " and ")
            let types = checkpoint.storage.map { "\($0.type.rawValue)" }.joined(separator: ", ")
            print(
                "weights   \(description.parameters) numbers stored as \(types), \(activations), eps \(description.layer_norm_eps)"
            )
            print("print     \(description.fingerprint)")
            for remark in checkpoint.remarks { print("note      \(remark)") }
            for (key, value) in recorded.sorted(by: { $0.key < $1.key }) { print("\(key)  \(value)") }
        }
    }

    struct Doctor: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Examine a model: what keeps it from loading, and what would quietly make it worse.",
            discussion: "Ends with 65 if a fault was found. Doubts alone end with 0.")

        @Argument(help: "The name of a shipped or fetched model, a model folder, a checkpoint file, or a run.")
        var model: String

        @Option(help: "quick_gelu, gelu or gelu_pytorch_tanh, for a file that does not say it.")
        var activation: Activation?

        @OptionGroup var output: OutputOption

        struct Report: Encodable {
            let model: String
            let healthy: Bool
            let findings: [Finding]
        }

        func run() throws {
            let location = try ModelLocation(model)
            let findings = CheckpointDoctor.examine(path: location.path, activation: activation)
            let faults = findings.filter { $0.severity == .fault }
            if output.json {
                try Console.printJSON(Report(model: location.name, healthy: faults.isEmpty, findings: findings))
            } else {
                for finding in findings {
                    print(
                        "\(finding.severity.rawValue.padding(toLength: 6, withPad: " ", startingAt: 0))\(finding.subject): \(finding.found)"
                    )
                    print("      \(finding.meaning)\(finding.remedy.isEmpty ? "" : "; \(finding.remedy)")")
                }
            }
            let doubts = findings.count { $0.severity == .doubt }
            guard faults.isEmpty else {
                throw Failure.data(
                    "\(location.name) can't be used as it is; at fault: \(faults.map(\.subject).joined(separator: ", ")).")
            }
            Console.note(doubts == 0 ? "\(location.name) is well." : "\(location.name) loads; in doubt: \(doubts).")
        }
    }

    struct Convert: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Write a model as a folder of its own kind, or its weights as one file.",
            discussion:
                "A folder is Hugging Face's for a ViT or a SigLIP, open_clip's for a ResNet. A name that ends in .safetensors or .pt takes the "
                + "weights alone; Python opens the latter with torch.load(path, weights_only=True).")

        @Argument(help: "The name of a shipped or fetched model, a model folder, a checkpoint file, or a run.")
        var model: String

        @Option(help: "The folder to write, or a file ending in .safetensors or .pt.")
        var out: String

        @Option(help: "Whose names the tensors of a file have: openai or hugging-face.")
        var names = Checkpoint.Names.openAI

        @Flag(help: "Store the weights in half precision: half the size, and vectors that differ in the fourth digit.")
        var half = false

        @Option(
            help:
                "Write only what differs from this model; the folder is then one that this program alone opens, beside the model's own."
        )
        var baseline: String?

        @Option(
            help:
                "How coarsely differences are rounded, in units of a row's own mean difference: 1 takes about two bits a number.")
        var coarseness: Float?

        @Option(help: "What the model is called by those who show it. Otherwise what it was called: after the recipe of its run.")
        var name: String?

        @OptionGroup var unsaid: UnsaidOptions

        func validate() throws {
            if name?.isEmpty == true { throw ValidationError("--name is empty.") }
            if baseline != nil && half {
                throw ValidationError("--half and --baseline exclude each other: differences have a precision of their own.")
            }
            if let coarseness {
                guard baseline != nil else { throw ValidationError("--coarseness is for --baseline.") }
                guard (0.001...4).contains(coarseness) else {
                    throw ValidationError("--coarseness is \(coarseness), expected 0.001 to 4.")
                }
            }
        }

        func run() throws {
            let location = try ModelLocation(model)
            let checkpoint = try unsaid.open(location)
            guard !FileManager.default.fileExists(atPath: out) else {
                throw Failure.usage("\(out) exists already; name a folder or a file that doesn't.")
            }
            let precision: TensorToWrite.Precision = half ? .float16 : .float32
            let built = try checkpoint.model()
            if [".safetensors", ".pt", ".pth", ".bin"].contains(where: out.hasSuffix) {
                for (option, isGiven) in [("--baseline", baseline != nil), ("--name", name != nil)] where isGiven {
                    throw Failure.usage("\(option) writes a folder, and \(out) is a file.")
                }
                try Checkpoint.write(built, to: out, names: names, precision: precision)
                return Console.note("The weights of \(location.name) written to \(out), under \(names.rawValue)'s names")
            }
            var additions = try checkpoint.recorded()
            if additions == nil && !checkpoint.facts.isEmpty {
                // What the file told about itself stays with the folder.
                additions = ["checkpoint": Dictionary(checkpoint.facts, uniquingKeysWith: { first, _ in first })]
            }
            if let name { additions = (additions ?? [:]).merging(["name": name]) { _, new in new } }
            let stored: Checkpoint.Stored =
                try baseline.map { .differences(from: try ModelLocation($0).open(), coarseness: coarseness ?? 1) }
                ?? .whole(precision)
            try Checkpoint.write(
                built, preprocessing: checkpoint.preprocessing, to: out, stored: stored,
                vocabulary: checkpoint.tokenizer == nil ? nil : checkpoint.folder, additions: additions)
            try location.check(out, is: checkpoint)
            let kind = try baseline.map { "what differs from \($0)" } ?? "\(try Checkpoint(path: out).format.rawValue) folder"
            Console.note("\(location.name) written to \(out), \(kind)")
        }
    }

    struct Merge: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Mix two models of one architecture: (1 - alpha) · A + alpha · B, weight by weight.",
            discussion:
                "A model that was fine-tuned, mixed with the one that it began from, keeps most of what both are good at (WiSE-FT, Wortsman et al. "
                + "2022, arXiv:2109.01903). Evaluate a few values of alpha on validation rows.")

        @Argument(
            help:
                "The model that alpha 0 gives: the name of a shipped or fetched model, a model folder, a checkpoint file, or a run."
        )
        var first: String

        @Argument(help: "The model that alpha 1 gives.")
        var second: String

        @Option(help: "Share of the second model, 0…1.")
        var alpha: Double

        @Option(help: "The folder to write.")
        var out: String

        @Flag(help: "Store the weights in half precision.")
        var half = false

        func run() throws {
            guard (0...1).contains(alpha) else { throw Failure.usage("--alpha is \(alpha), expected a number from 0 to 1.") }
            guard !FileManager.default.fileExists(atPath: out) else {
                throw Failure.usage("\(out) exists already; name a folder that doesn't.")
            }
            let locations = [try ModelLocation(first), try ModelLocation(second)]
            let checkpoints = try locations.map { try $0.open() }
            let mixed = try Checkpoint.merged(checkpoints[0], checkpoints[1], alpha: alpha)
            let additions: [String: Any] = [
                "name": "\(locations[0].name) and \(locations[1].name), \(alpha)",
                "command": "stylefinder models merge \(first) \(second) --alpha \(alpha) --out \(out)",
                "merged": try checkpoints.map { try $0.fingerprint },
            ]
            try Checkpoint.write(
                mixed, preprocessing: checkpoints[0].preprocessing, to: out, stored: .whole(half ? .float16 : .float32),
                vocabulary: checkpoints[0].tokenizer == nil ? nil : checkpoints[0].folder, additions: additions)
            try locations[0].check(out, is: checkpoints[0])
            Console.note("\(locations[0].name) and \(locations[1].name) mixed into \(out)")
        }
    }
}

/// What a file of weights may leave unsaid.
struct UnsaidOptions: ParsableArguments {
    @Option(help: "quick_gelu, gelu or gelu_pytorch_tanh, for a file that does not say it.")
    var activation: Activation?

    @Option(help: "Side of the pictures in pixels, if not the one that the model was made for.")
    var resolution: Int?

    func open(_ location: ModelLocation) throws -> Checkpoint {
        try location.open(activation: activation, resolution: resolution)
    }
}

extension Activation: ExpressibleByArgument {}
extension Checkpoint.Names: ExpressibleByArgument {}

extension ModelLocation {
    /// What was written is what will be read.
    fileprivate func check(_ out: String, is checkpoint: Checkpoint) throws {
        let written = try Checkpoint(path: out)
        _ = try written.model()
        var preprocessing = checkpoint.preprocessing
        // Where nothing is cut, the rule of cutting is without effect, and a Hugging Face folder can't say it.
        if preprocessing.fitting == .squash { preprocessing.cropRule = written.preprocessing.cropRule }
        guard written.configuration == checkpoint.configuration, written.preprocessing == preprocessing else {
            throw Failure(description: "\(out) reads back otherwise than it was written.", code: .inputOutput)
        }
    }
}
