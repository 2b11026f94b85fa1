import ArgumentParser
import Catalog
import CLIP
import Foundation
import Retrieval
import Torch
import Training

struct TrainCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "train", abstract: "Train a model by a recipe, or go on with a run.",
        discussion:
            "Rows with split train are trained on, rows with split val choose the best epoch. Ctrl-C saves and ends; --resume goes on."
    )

    @Argument(help: "The recipe, a JSON file (see Recipes/); with --catalog none is needed.")
    var recipe: String?

    @Option(name: .long, parsing: .upToNextOption, help: "Data folders with a manifest.")
    var data: [String] = []

    @Option(help: "Train on a catalogue's own products instead.")
    var catalog: String?

    @Option(help: "A model or run to begin with, in place of the recipe's.")
    var start: String?

    @Flag(help: "Say what the recipe will do with the data, and how long a step takes here; train nothing.")
    var explain = false

    @Option(help: "The run's folder.")
    var out: String?

    @Option(
        name: .long, parsing: .upToNextOption,
        help: "Files of another model's vectors to learn from, one per data folder; none for a folder without.")
    var teacher: [String] = []

    @Flag(help: "Go on with the run in --out.")
    var resume = false

    @OptionGroup var place: DeviceOption

    @Option(help: "Threads on the CPU; 0 takes them all.")
    var threads = 0

    @Option(help: "MiB of decoded photos that are kept in memory.")
    var photoMemory = BatchLoader.defaultMemory >> 20

    func validate() throws {
        guard (0...16_777_216).contains(photoMemory) else {
            throw ValidationError("--photo-memory is \(photoMemory), expected 0 to 16777216 MiB.")
        }
        guard data.isEmpty != (catalog == nil) else {
            throw ValidationError(
                data.isEmpty ? "Give --data or --catalog: what is to be trained on." : "Give --data or --catalog, not both.")
        }
        if recipe == nil && catalog == nil { throw ValidationError("Give a recipe, such as Recipes/your-photos.json.") }
        if out == nil && !explain { throw ValidationError("Give --out, the run's folder.") }
    }

    func run() throws {
        // Before anything else: libtorch looks for devices once.
        try place.device.require()
        if threads > 0 { try TorchRuntime.setThreads(threads) }
        let datasets = try datasets()
        for dataset in datasets { Console.tell(problems: dataset.problems, remarks: dataset.remarks) }
        let settings = try settings(datasets)
        let teachers = try teacher.map { $0 == "none" ? nil : try EmbeddingFile(path: $0) }
        let command = commandLine
        var sources = TrainingSources(datasets: datasets, teachers: teachers, teacherPaths: teacher, command: command)
        sources.photoMemory = photoMemory << 20
        guard !explain, let out else {
            for sentence in try RecipeExplanation(settings, sources: sources, device: place.device).sentences { print(sentence) }
            return
        }
        let interrupt = Interrupt()
        let progress = Progress()
        let completed = try Trainer.run(
            settings, sources: sources, to: RunFolder(path: out), resume: resume, device: place.device,
            shouldStop: { interrupt.isRequested },
            report: progress.report)
        if !completed {
            Console.note("Stopped; everything is saved. Go on with: \(command) --resume")
            throw ExitCode(130)
        }
        if catalog != nil, case .model(let name) = settings.start {
            try BeforeAndAfter.tell(of: datasets[0], before: name, after: out, device: place.device)
        }
    }

    private func datasets() throws -> [Dataset] {
        guard let catalog else { return try data.map { try Dataset(named: $0) } }
        return [try CatalogStore(path: catalog, mode: .readOnly).dataset(path: catalog)]
    }

    /// The recipe's file, or one for the catalogue; with the start that was asked for.
    private func settings(_ datasets: [Dataset]) throws -> Recipe {
        let shipped = ModelLocation.shipped()
        let names = Dictionary(shipped.map { ($0.name, $0.path) }, uniquingKeysWith: { first, _ in first })
        // A path counts from here, and not from the recipe's folder.
        let begin = try start.map { text in
            names[text] != nil && !FileManager.default.fileExists(atPath: text)
                ? text : URL(fileURLWithPath: try ModelLocation(text).path).path
        }
        guard let recipe else {
            guard let model = begin ?? shipped.first?.name else {
                throw Failure.noInput("There is no model to begin with: none is shipped with this build; name one with --start.")
            }
            return try Recipe(for: datasets[0], start: model, shippedModels: names)
        }
        var settings = try Recipe(path: recipe, shippedModels: names)
        if let begin { settings.start = .model(begin) }
        return settings
    }

    /// What makes the same run again.
    private var commandLine: String {
        var words = ["stylefinder", "train"] + [recipe].compactMap { $0 }
        if !data.isEmpty { words += ["--data"] + data }
        if let catalog { words += ["--catalog", catalog] }
        if !teacher.isEmpty { words += ["--teacher"] + teacher }
        if let start { words += ["--start", start] }
        if place.device != .cpu { words += ["--device", place.device.rawValue] }
        return (words + ["--out", out ?? ""]).joined(separator: " ")
    }

    /// Turns events into lines on stderr.
    final class Progress {
        private var total = 0
        private var losses: [Double] = []
        private var seconds: [Double] = []
        private var stepsPerLine = 20
        private let embedding = ProgressBar("encoding the photos once for all steps")

        func report(_ event: TrainingEvent) {
            switch event {
            case .began(let photos, let garments, let captions, let parameters, let from, let steps):
                total = steps
                Console.note(
                    "\(photos) photos, \(garments) garments of two or more, \(captions) captions; \(parameters) parameters; "
                        + "steps \(from + 1) to \(steps)")
            case .embedded(let done, let count): embedding.show(done, of: count)
            case .step(let step, let result, let time):
                losses.append(result.loss)
                seconds.append(time)
                guard step % stepsPerLine == 0 || step == total else { return }
                let terms = result.terms.sorted { $0.key < $1.key }.map { String(format: "%@ %.3f", $0.key, $0.value) }
                let pace = seconds.reduce(0, +) / Double(seconds.count)
                Console.note(
                    String(
                        format: "step %d/%d  loss %.4f  (%@)  |g| %.2f  rate %.2e  %.2f s/step  %.0f min left", step, total,
                        losses.reduce(0, +) / Double(losses.count), terms.joined(separator: ", "), result.gradientNorm,
                        result.rate,
                        pace, pace * Double(total - step) / 60))
                losses = []
                seconds = []
            case .validated(let epoch, let figures, let isBest):
                let text = figures.sorted { $0.key < $1.key }.map { String(format: "%@ %.4f", $0.key, $0.value) }
                Console.note("epoch \(epoch)  \(text.joined(separator: "  "))\(isBest ? "  best so far" : "")")
            case .waited(let epoch, let share):
                if share >= 0.05 {
                    Console.note(
                        String(
                            format: "epoch %d waited %.0f %% of its time for photos; --photo-memory keeps more of them decoded",
                            epoch, share * 100))
                }
            case .withoutValidation:
                Console.warn(
                    "no row has split val, so nothing tells which epoch is best: the last one counts as it. Give some products split val."
                )
            case .unreadable(let sentence):
                Console.warn("\(sentence) It is left out, and another photo stands for it in training.")
            case .remark(let sentence): Console.warn(sentence)
            case .stoppedEarly(let epoch, let best):
                Console.note("epoch \(epoch): none was better since epoch \(best), so this is the last one")
            case .saved: break
            case .ended(let step, let completed):
                if completed { Console.note(step == 0 ? "nothing to train: the start is kept as it is" : "\(step) steps taken") }
            }
        }
    }
}
