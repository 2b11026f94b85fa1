import ArgumentParser
import Atelier
import Catalog
import CLIP
import Foundation
import Imaging

extension ModelsCommand {
    struct Quantize: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Write a model's weights as 8-bit integers, for int8, and measure what that costs.",
            discussion: """
                The folder takes a third of the space and loads at once into int8, which is then what this model computes in; --precision float32 still \
                works on it. Layers that lose more than --tolerance on the calibration pictures stay float, and are named.
                """)

        @Argument(help: "The name of a shipped or fetched model, a model folder, a checkpoint file, or a run.")
        var model: String

        @Option(help: "The folder to write.")
        var out: String

        @Option(help: "A folder of pictures like those that will be searched; drawn garments where left out.")
        var calibrate: String?

        @Option(help: "How many of the pictures are looked at.")
        var pictures = 128

        @Option(
            help: "What a layer's result may be off, relative to its length, before it stays float: 0 keeps all of them float.")
        var tolerance = 0.2

        @OptionGroup var output: OutputOption

        @OptionGroup var unsaid: UnsaidOptions

        struct Result: Encodable {
            struct Layer: Encodable {
                let weight: String
                let relativeError: Double
                let isFloat: Bool
            }
            let agreement: RoundingReport
            /// The greatest errors first.
            let layers: [Layer]
            let bytes: Int
        }

        func validate() throws {
            guard (4...10_000).contains(pictures) else {
                throw ValidationError("--pictures is \(pictures), expected 4 to 10000.")
            }
            guard tolerance >= 0, tolerance.isFinite else {
                throw ValidationError("--tolerance is \(tolerance), expected 0 or more.")
            }
        }

        func run() throws {
            let location = try ModelLocation(model)
            let checkpoint = try unsaid.open(location)
            guard !checkpoint.isRounded else {
                throw Failure.usage("\(location.name) holds 8-bit weights already; quantise the model that they were made from.")
            }
            guard !FileManager.default.fileExists(atPath: out) else {
                throw Failure.usage("\(out) exists already; name a folder that doesn't.")
            }
            let pictures = try calibrate.map { try calibration(in: $0) } ?? drawn()
            // Errors of layers settle with few pictures; agreement wants more.
            let errors = try checkpoint.roundingErrors(
                Array(pictures.prefix(24)), progress: ProgressBar("looking at layers").show)
            if let broken = errors.first(where: { !$0.value.isFinite }) {
                throw Failure.data(
                    "\(location.name) overflows on the calibration pictures, at \(broken.key); int8 would not hold it.")
            }
            let kept = Set(errors.filter { $0.value > tolerance }.map(\.key))
            var additions = try checkpoint.recorded() ?? [:]
            additions["quantized"] = [
                "command": "stylefinder models quantize \(model) --out \(out)", "from": try checkpoint.fingerprint,
                "float layers": kept.sorted(),
            ]
            try Checkpoint.write(
                checkpoint.model(), preprocessing: checkpoint.preprocessing, to: out, stored: .rounded(except: kept),
                vocabulary: checkpoint.tokenizer == nil ? nil : checkpoint.folder, additions: additions)
            let written = try Checkpoint(path: out)
            let agreement = try checkpoint.report(on: written, pictures, progress: ProgressBar("comparing").show)
            let layers = errors.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.map {
                Result.Layer(weight: $0.key, relativeError: $0.value, isFloat: kept.contains($0.key))
            }
            let result = Result(agreement: agreement, layers: layers, bytes: Self.size(of: out))
            if output.json { return try Console.printJSON(result) }
            show(result, of: location.name)
        }

        private func show(_ result: Result, of name: String) {
            func line(_ what: String, _ found: RoundingReport.Agreement) {
                print(
                    String(
                        format:
                            "%d %@: cosine to float32 %.4f in the mean, %.4f at least; the nearest other one is the same for %.1f %%",
                        found.count,
                        what, found.meanCosine, found.leastCosine, 100 * found.sameNearest))
            }
            print("\(name) written to \(out), \(result.bytes / 1_000_000) MB")
            line("pictures", result.agreement.pictures)
            if let texts = result.agreement.texts { line("texts", texts) }
            for layer in result.layers.prefix(5) {
                print(
                    String(
                        format: "  %@ is %.1f %% off%@", layer.weight, 100 * layer.relativeError,
                        layer.isFloat ? " and stays float" : ""))
            }
            let kept = result.layers.count(where: \.isFloat)
            if kept > 0 { print("\(kept) of \(result.layers.count) layers stay float.") }
            if result.agreement.pictures.meanCosine < 0.98 {
                Console.warn("that is much: compare both with `stylefinder evaluate` before you use it, or lower --tolerance")
            }
        }

        /// Evenly out of what the folder holds.
        private func calibration(in folder: String) throws -> [RGBImage] {
            let dataset = try Dataset(contentsOf: URL(fileURLWithPath: folder), isPicture: Dataset.isPicture)
            let paths = dataset.rows.map(\.path)
            let step = max(1, paths.count / pictures)
            var found: [RGBImage] = []
            for index in Swift.stride(from: 0, to: paths.count, by: step) where found.count < pictures {
                do { found.append(try ImageDecoder.decode(contentsOfFile: paths[index], limits: .ownFiles)) } catch {
                    Console.warn("\(error)")
                }
            }
            guard found.count >= 4 else {
                throw Failure.data("\(folder) has \(found.count) pictures that can be read; calibration wants four or more.")
            }
            guard found.contains(where: { !$0.isOfOneColor }) else {
                throw Failure.data("Each picture in \(folder) is of one colour, and a layer's error on them says nothing.")
            }
            return found
        }

        /// Of a seed that no boutique has.
        private func drawn() throws -> [RGBImage] {
            let bar = ProgressBar("drawing")
            return try Boutique.pictures(pictures, seed: 31, progress: bar.show)
        }

        private static func size(of folder: String) -> Int {
            let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
            return names.reduce(0) { sum, name in
                let attributes = try? FileManager.default.attributesOfItem(atPath: "\(folder)/\(name)")
                return sum + ((attributes?[.size] as? Int) ?? 0)
            }
        }
    }
}

extension RGBImage {
    fileprivate var isOfOneColor: Bool {
        pixels.indices.dropFirst(3).allSatisfy { pixels[$0] == pixels[$0 % 3] }
    }
}
