import ArgumentParser
import CLIP
import Foundation
import Imaging
import TensorFiles

struct ModelsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "models", abstract: "List, inspect and convert models.",
        subcommands: [List.self, Inspect.self, Convert.self])

    struct List: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "The models that come with the program.")

        @OptionGroup var output: OutputOption

        struct Listing: Encodable {
            struct Model: Encodable {
                let id: String
                let architecture: String
                let variant: String
            }
            let models: [Model]
        }

        func run() throws {
            let models = try ModelLocation.shipped().map { location in
                let folder = try ModelFolder(path: location.path)
                let variant = try folder.recorded()?["name"] as? String ?? location.name
                return Listing.Model(id: location.name, architecture: folder.configuration.architectureName, variant: variant)
            }
            if output.json { return try Console.printJSON(Listing(models: models)) }
            if models.isEmpty { print("No model is shipped with this build.") }
            for model in models { print("\(model.id)  \(model.architecture)  \(model.variant)") }
        }
    }

    struct Inspect: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "What a model is, read from its files.")

        @Argument(help: "A shipped model's name, a model folder, or a run.")
        var model: String

        @OptionGroup var output: OutputOption

        struct Description: Encodable {
            let id: String
            let architecture: String
            let format: String
            let embedding_size: Int
            let resolution: Int
            let activation: String
            let layer_norm_eps: Double
            let context_length: Int
            let vocabulary_size: Int
            let has_tokenizer: Bool
            let preprocessing: Preparation
            let parameters: Int
            let fingerprint: String
            let recorded: [String: String]
        }

        struct Preparation: Encodable {
            let side: Int
            let fitting: String
            let filter: String
            let mean: [Float]
            let std: [Float]
        }

        func run() throws {
            let location = try ModelLocation(model)
            let folder = try ModelFolder(path: location.path)
            let built = try folder.model()
            let configuration = folder.configuration
            var recorded: [String: String] = [:]
            for (key, value) in try folder.recorded() ?? [:] where key != "recipe" { recorded[key] = String(describing: value) }
            let description = Description(
                id: location.name, architecture: configuration.architectureName, format: folder.format.rawValue,
                embedding_size: configuration.embeddingSize, resolution: configuration.resolution,
                activation: configuration.activation.rawValue, layer_norm_eps: configuration.layerNormEps,
                context_length: configuration.text.contextLength, vocabulary_size: configuration.text.vocabularySize,
                has_tokenizer: folder.tokenizer != nil,
                preprocessing: Preparation(
                    side: folder.preprocessing.side, fitting: folder.preprocessing.fitting.rawValue,
                    filter: folder.preprocessing.filter.rawValue, mean: folder.preprocessing.mean,
                    std: folder.preprocessing.deviation),
                parameters: built.parameterCount, fingerprint: folder.fingerprint, recorded: recorded)
            if output.json { return try Console.printJSON(description) }
            print("\(description.id): \(description.architecture), \(description.embedding_size)-d, \(description.format) folder")
            print(
                "pictures  \(description.preprocessing.side) px, \(description.preprocessing.fitting), \(description.preprocessing.filter)"
            )
            print(
                "texts     \(description.has_tokenizer ? "\(description.context_length) tokens of \(description.vocabulary_size)" : "no tokenizer in the folder")"
            )
            print("weights   \(description.parameters) numbers, \(description.activation), eps \(description.layer_norm_eps)")
            print("print     \(description.fingerprint)")
            for (key, value) in recorded.sorted(by: { $0.key < $1.key }) { print("\(key)  \(value)") }
        }
    }

    struct Convert: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Write a model as a folder of its own kind: Hugging Face for a ViT, open_clip for a ResNet.")

        @Argument(help: "A shipped model's name, a model folder, or a run.")
        var model: String

        @Option(help: "The folder to write.")
        var out: String

        @Flag(help: "Store the weights in half precision: half the size, and vectors that differ in the fourth digit.")
        var half = false

        func run() throws {
            let location = try ModelLocation(model)
            let folder = try ModelFolder(path: location.path)
            guard !FileManager.default.fileExists(atPath: out) else {
                throw Failure.usage("\(out) exists already; name a folder that doesn't.")
            }
            try ModelFolder.write(
                folder.model(), preprocessing: folder.preprocessing, to: out, precision: half ? .float16 : .float32,
                vocabulary: folder.tokenizer == nil ? nil : location.path, additions: folder.recorded())
            // What was written is what will be read.
            let written = try ModelFolder(path: out)
            _ = try written.model()
            guard written.configuration == folder.configuration, written.preprocessing == folder.preprocessing else {
                throw Failure(description: "\(out) reads back otherwise than it was written.", code: .inputOutput)
            }
            Console.note("\(location.name) written to \(out), \(written.format.rawValue) folder")
        }
    }
}
