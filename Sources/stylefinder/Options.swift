import ArgumentParser
import Catalog
import CLIP
import Foundation
import Imaging
import Torch

struct CatalogOption: ParsableArguments {
    @Option(name: .customLong("catalog"), help: "The catalogue, a .db file.")
    var path: String
}

struct ModelOption: ParsableArguments {
    @Option(name: .customLong("model"), help: "A shipped model's name, a model folder, a checkpoint file, or a run.")
    var name: String

    func locate() throws -> ModelLocation { try ModelLocation(name) }
}

/// How large a picture of one's own may be; a server's limit for strangers is another one.
struct PixelsOption: ParsableArguments {
    @Option(help: "The largest picture that is read, in millions of pixels.")
    var maxPixels = Self.standard

    /// Enough for the photos of every phone.
    static let standard = 250

    var limits: DecodingLimits { Self.limits(maxPixels) }

    static func limits(_ maxPixels: Int) -> DecodingLimits {
        var limits = DecodingLimits.ownFiles
        limits.maxPixels = maxPixels * 1_000_000
        return limits
    }

    func validate() throws { try Self.check(maxPixels) }

    static func check(_ maxPixels: Int) throws {
        guard (1...1000).contains(maxPixels) else { throw ValidationError("--max-pixels is \(maxPixels), expected 1 to 1000") }
    }
}

struct DeviceOption: ParsableArguments {
    @Option(
        name: .customLong("device"), help: "Where the model runs: cpu, cuda or mps.",
        transform: { try choice($0, of: "--device") })
    var device: Device = .cpu
}

/// How vectors are made.
struct EmbeddingOptions: ParsableArguments {
    @OptionGroup var place: DeviceOption

    @Option(
        help: "What products are computed in: float32, or bfloat16, which is quicker on GPUs and moves vectors a little.",
        transform: { try choice($0, of: "--precision") })
    var precision: Precision = .float32

    func embedder(_ checkpoint: Checkpoint) throws -> Embedder {
        try Embedder(checkpoint: checkpoint, device: place.device, precision: precision)
    }
}

/// One of a type's names, for types of modules that know nothing of command lines.
func choice<Choice: RawRepresentable & CaseIterable>(_ text: String, of option: String) throws -> Choice
where Choice.RawValue == String {
    guard let choice = Choice(rawValue: text) else {
        let names = Choice.allCases.map(\.rawValue).joined(separator: ", ")
        throw ValidationError("\(option) is \(text), expected one of \(names).")
    }
    return choice
}

struct OutputOption: ParsableArguments {
    @Flag(help: "Print one JSON document on stdout.")
    var json = false
}

/// Where a model lies and what it is called.
struct ModelLocation {
    let path: String
    let name: String

    /// - Throws: `Failure` that names the shipped models.
    init(_ text: String) throws {
        let files = FileManager.default
        func isModel(_ path: String) -> Bool {
            ["config.json", "open_clip_config.json"].contains { files.fileExists(atPath: "\(path)/\($0)") }
        }
        let best = "\(text)/best"
        if isModel(text) || (files.fileExists(atPath: text) && !isModel(best)) {
            path = text
            let url = URL(fileURLWithPath: text)
            name = (url.hasDirectoryPath ? url : url.deletingPathExtension()).lastPathComponent
        } else if isModel(best) {
            path = best
            name = URL(fileURLWithPath: text).lastPathComponent
        } else if let shipped = Self.shipped().first(where: { $0.name == text }) {
            self = shipped
        } else {
            let names = Self.shipped().map(\.name)
            let known = names.isEmpty ? "no model is shipped with this build" : "shipped are \(names.joined(separator: ", "))"
            throw Failure.noInput("There is no model \(text): it is no folder and no file, and \(known).")
        }
    }

    /// Opens the model and tells what was done to make it fit.
    func open(activation: Activation? = nil, resolution: Int? = nil) throws -> Checkpoint {
        let checkpoint = try Checkpoint(path: path, activation: activation, resolution: resolution)
        for remark in checkpoint.remarks { Console.warn(remark) }
        return checkpoint
    }

    private init(path: String, name: String) {
        self.path = path
        self.name = name
    }

    /// The models that came with the program: beside an installed one in `share/stylefinder/Models`, in a checkout in `Models`.
    static func shipped() -> [ModelLocation] {
        guard let folder = Resources.folder("Models") else { return [] }
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        return names.sorted().map { ModelLocation(path: "\(folder)/\($0)", name: $0) }.filter { location in
            FileManager.default.fileExists(atPath: "\(location.path)/stylefinder.json")
        }
    }
}
