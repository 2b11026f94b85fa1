import ArgumentParser
import Catalog
import CLIP
import Evaluation
import Foundation
import Hub
import Imaging
import Retrieval
import Torch

struct CatalogOption: ParsableArguments {
    @Option(name: .customLong("catalog"), help: "The catalogue, a .db file.")
    var path: String
}

struct ExactOption: ParsableArguments {
    @Flag(
        name: .customLong("exact"),
        help:
            "Compare float32 vectors, slower and in more memory, in place of 8-bit codes and float16, whose scores are some .0001 off."
    )
    var isExact = false

    var form: VectorForm { isExact ? .floats : .codes }
}

/// How large a part of the search has a graph.
struct GraphsOption: ParsableArguments {
    @Option(
        name: .customLong("graphs-from"),
        help:
            "Vectors in a segment of the search from which on a graph leads through it; 65,536 where left out, and 262,144 is the largest segment."
    )
    var least: Int?

    /// A graph over fewer leads nowhere that a pass would not be at once.
    private static let fewest = 256

    func validate() throws {
        if let least, least < Self.fewest {
            throw ValidationError("--graphs-from is \(least), expected \(Self.fewest) or more.")
        }
    }
}

struct ModelOption: ParsableArguments {
    @Option(
        name: .customLong("model"), help: "The name of a shipped or fetched model, a model folder, a checkpoint file, or a run.")
    var name: String

    func locate() throws -> ModelLocation { try ModelLocation(name) }
}

/// How large a picture of one's own may be; a server's limit for strangers is another one.
struct PixelsOption: ParsableArguments {
    @Option(help: "The largest picture that is read, in millions of pixels.")
    var maxPixels = Self.standard

    /// Enough for the photos of every phone.
    static let standard = 250

    @OptionGroup var accepted: FormatsOption

    var limits: DecodingLimits { Self.limits(maxPixels, accepted.formats) }

    static func limits(_ maxPixels: Int, _ formats: Set<ImageFormat>) -> DecodingLimits {
        var limits = DecodingLimits.ownFiles
        limits.maxPixels = maxPixels * 1_000_000
        limits.formats = formats
        return limits
    }

    func validate() throws { try Self.check(maxPixels) }

    static func check(_ maxPixels: Int) throws {
        guard (1...1000).contains(maxPixels) else { throw ValidationError("--max-pixels is \(maxPixels), expected 1 to 1000") }
    }
}

/// Of which formats pictures are read; a library that a format needs is never loaded where its format is left out.
struct FormatsOption: ParsableArguments {
    @Option(
        name: .customLong("formats"),
        help: """
            Which formats are read: all, or a list out of \(names). TIFF, HEIC and AVIF need libraries of the system, which are loaded with the first \
            such picture.
            """,
        transform: Self.formats)
    var list: Set<ImageFormat>?

    var formats: Set<ImageFormat> { list ?? Set(ImageFormat.allCases) }

    private static let names = ImageFormat.allCases.map(\.rawValue).joined(separator: ",")

    static func formats(_ text: String) throws -> Set<ImageFormat> {
        if text == "all" { return Set(ImageFormat.allCases) }
        let names = text.split(separator: ",", omittingEmptySubsequences: false).map {
            $0.trimmingCharacters(in: .whitespaces).lowercased()
        }
        return try Set(
            names.map { name in
                guard let format = ImageFormat(rawValue: name) else {
                    throw ValidationError("--formats has '\(name)', expected all or some of \(Self.names)")
                }
                return format
            })
    }
}

struct DeviceOption: ParsableArguments {
    @Option(
        name: .customLong("device"), help: "Where the model runs: cpu, cuda or mps.",
        transform: { try choice($0, of: "--device") })
    var device: Device = .cpu
}

/// What a model that answers or embeds computes in.
struct PrecisionOption: ParsableArguments {
    @Option(
        name: .customLong("precision"),
        help: """
            What products are computed in: float32; int8, about twice as quick for large models on a CPU; bfloat16, quicker on GPUs; or auto, \
            which is int8 for a model that a trial shows to gain by it here, and float32 otherwise.
            """,
        transform: Self.choice)
    var choice: PrecisionChoice = .automatic

    static func choice(_ word: String) throws -> PrecisionChoice {
        guard let choice = PrecisionChoice(word) else {
            throw ValidationError("--precision is '\(word)', expected \(PrecisionChoice.words)")
        }
        return choice
    }

    /// Says what a trial has decided, and why.
    static func note(_ trial: PrecisionTrial?, of name: String) {
        guard let trial, let int8 = trial.int8, let cosine = trial.cosine else { return }
        Console.note(
            String(
                format: "\(name) computes in \(trial.choice.rawValue): %.0f ms a picture in int8, %.0f in float32, cosine %.4f.",
                int8,
                trial.float32, cosine))
    }
}

/// How vectors are made.
struct EmbeddingOptions: ParsableArguments {
    @OptionGroup var place: DeviceOption

    @Option(
        help: """
            What products are computed in: float32; int8, about twice as quick for large models on a CPU; bfloat16, quicker on GPUs; or auto \
            (see `search`).
            """,
        transform: PrecisionOption.choice)
    var precision: PrecisionChoice?

    /// Pictures in one pass of the model.
    var batch: Int { place.device == .cpu ? 32 : 256 }

    /// - Parameter standard: where nothing is said: what is measured is measured in float32.
    func embedder(_ checkpoint: Checkpoint, name: String, standard: PrecisionChoice = .float32) throws -> Embedder {
        TorchRuntime.keepFreedMemory(.all)
        let (embedder, trial) = try Embedder.load(checkpoint, device: place.device, precision: precision ?? standard)
        PrecisionOption.note(trial, of: name)
        return embedder
    }
}

/// Which rows of a dataset are measured.
struct MeasuredRowsOptions: ParsableArguments {
    @Option(help: "A dataset folder.")
    var data: String

    @Option(help: "test or val.", transform: { try choice($0, of: "--split") })
    var split: EvaluationPlan.Selection.Split = .test

    @Option(help: "Only rows with column=value are queries.")
    var query: String?

    @Option(help: "Only rows with column=value are the gallery.")
    var gallery: String?

    @Flag(help: "Every chosen row is a query, all others its gallery.")
    var leaveOneOut = false

    @Option(help: "Rows with the same value in this column are relevant to each other.")
    var relevantBy = "product_id"

    @Option(
        help:
            "What is ranked: image, product-best (products by their best picture) or product-centroid (by the mean of their pictures).",
        transform: { try choice($0, of: "--level") })
    var level: RankingLevel = .image

    @Flag(help: "End with 65 when a picture can't be read, instead of leaving it out.")
    var strict = false

    func validate() throws {
        if leaveOneOut && (query != nil || gallery != nil) {
            throw ValidationError("--leave-one-out makes every row a query; it can't be joined with --query or --gallery.")
        }
    }

    func dataset() throws -> Dataset {
        let dataset = try Dataset(named: data)
        Console.tell(problems: dataset.problems, remarks: dataset.remarks)
        return dataset
    }

    func plan(of dataset: Dataset) throws -> EvaluationPlan {
        try EvaluationPlan(
            dataset,
            EvaluationPlan.Selection(
                split: split, query: query, gallery: gallery, leaveOneOut: leaveOneOut, relevantBy: relevantBy))
    }

    /// What was measured on what, in a line; the queries and the gallery as the figures count them.
    func summary(_ measurement: MethodMeasurement) -> String {
        let report = measurement.report
        let candidates = level == .image ? "in the gallery" : "products in the gallery"
        return "\(report.queries) queries, \(report.gallery) \(candidates), relevant by \(relevantBy); 95 % interval by product"
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
    /// The training run that it is the best of; nil for a model that is none's.
    let run: String?

    /// - Throws: `Failure` that names the shipped models, and the command that fetches others.
    init(_ text: String) throws {
        let files = FileManager.default
        func isModel(_ path: String) -> Bool {
            ["config.json", "open_clip_config.json"].contains { files.fileExists(atPath: "\(path)/\($0)") }
        }
        let best = "\(text)/best"
        if isModel(text) || (files.fileExists(atPath: text) && !isModel(best)) {
            path = text
            // A model that is passed on may have brought its run's metrics along.
            run = files.fileExists(atPath: "\(text)/\(Self.metricsFile)") ? text : nil
            let url = URL(fileURLWithPath: text)
            name = (url.hasDirectoryPath ? url : url.deletingPathExtension()).lastPathComponent
        } else if isModel(best) {
            path = best
            run = text
            name = URL(fileURLWithPath: text).lastPathComponent
        } else if let shipped = Self.shipped().first(where: { $0.name == text }) {
            self = shipped
        } else if let fetched = try Self.fetched(text) {
            self = fetched
        } else {
            let names = Self.shipped().map(\.name)
            let known = names.isEmpty ? "no model is shipped with this build" : "shipped are \(names.joined(separator: ", "))"
            let fetching =
                (try? ModelSource(text)) == nil
                ? "`stylefinder models fetch` lists others that can be fetched"
                : "`stylefinder models fetch \(text)` fetches it if the hub has it"
            throw Failure.noInput("There is no model \(text): it is no folder and no file, and \(known); \(fetching).")
        }
    }

    /// A model by its name alone: a shipped or fetched one, or one of a folder of models and runs.
    /// - Throws: `Failure` where there is none.
    init(named name: String, in folder: String?) throws {
        if let shipped = Self.shipped().first(where: { $0.name == name }) {
            self = shipped
        } else if let fetched = try Self.fetched(name) {
            self = fetched
        } else if let folder, !name.hasPrefix("."), !name.contains(".."),
            FileManager.default.fileExists(atPath: "\(folder)/\(name)")
        {
            self = try ModelLocation("\(folder)/\(name)")
        } else {
            throw Failure.noInput("There is no model \(name).")
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
        run = nil
    }

    /// Whether its folder holds what differs from another model alone.
    var isVariant: Bool { FileManager.default.fileExists(atPath: "\(path)/\(Checkpoint.variant)") }

    private static let metricsFile = "metrics.jsonl"

    /// The figures of the run's steps and epochs.
    var metrics: String? {
        run.map { "\($0)/\(Self.metricsFile)" }.flatMap { FileManager.default.fileExists(atPath: $0) ? $0 : nil }
    }

    /// A model that was fetched, by any of its names.
    /// - Throws: `Failure` for a name that several have, and for a model that is no longer as it was fetched.
    private static func fetched(_ text: String) throws -> ModelLocation? {
        let found = FetchedModels(environment: ProcessInfo.processInfo.environment)?.named(text) ?? []
        guard found.count < 2 else {
            throw Failure.usage(
                "\(text) may be \(found.map(\.source).joined(separator: " or ")); write the one you mean as it stands here.")
        }
        return try found.first.map { model in
            if let damage = model.damage {
                throw Failure.data(
                    "The model \(model.source) in \(model.folder) is not as it was fetched: \(damage); `stylefinder models fetch "
                        + "\(model.source)` fetches it again.")
            }
            return ModelLocation(model)
        }
    }

    init(_ fetched: FetchedModel) { self.init(path: fetched.path, name: fetched.name) }

    /// The models that were fetched, whole ones alone.
    static func fetched() -> [FetchedModel] {
        (FetchedModels(environment: ProcessInfo.processInfo.environment)?.all() ?? []).filter { $0.damage == nil }
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
