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

    @Argument(help: "The recipe, a JSON file (see Recipes/).")
    var recipe: String

    @Option(name: .long, parsing: .upToNextOption, help: "Data folders with a manifest.")
    var data: [String]

    @Option(help: "The run's folder.")
    var out: String

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
    }

    func run() throws {
        // Before anything else: libtorch looks for devices once.
        try place.device.require()
        if threads > 0 { try TorchRuntime.setThreads(threads) }
        let shipped = ModelLocation.shipped().map { ($0.name, $0.path) }
        let settings = try Recipe(path: recipe, shippedModels: Dictionary(shipped, uniquingKeysWith: { first, _ in first }))
        let datasets = try data.map { try Dataset(named: $0) }
        for dataset in datasets { Console.tell(problems: dataset.problems, remarks: dataset.remarks) }
        let teachers = try teacher.map { $0 == "none" ? nil : try EmbeddingFile(path: $0) }
        let command =
            (["stylefinder", "train", recipe, "--data"] + data + (teacher.isEmpty ? [] : ["--teacher"] + teacher)
            + (place.device == .cpu ? [] : ["--device", place.device.rawValue]) + ["--out", out]).joined(separator: " ")
        let interrupt = Interrupt()
        let progress = Progress()
        var sources = TrainingSources(datasets: datasets, teachers: teachers, teacherPaths: teacher, command: command)
        sources.photoMemory = photoMemory << 20
        let completed = try Trainer.run(
            settings, sources: sources, to: RunFolder(path: out), resume: resume, device: place.device,
            shouldStop: { interrupt.isRequested },
            report: progress.report)
        if !completed {
            Console.note("Stopped; everything is saved. Go on with: \(command) --resume")
            throw ExitCode(130)
        }
    }

    /// Turns events into lines on stderr.
    private final class Progress {
        private var total = 0
        private var losses: [Double] = []
        private var seconds: [Double] = []
        private var stepsPerLine = 20

        func report(_ event: TrainingEvent) {
            switch event {
            case .began(let photos, let garments, let captions, let parameters, let from, let steps):
                total = steps
                Console.note(
                    "\(photos) photos, \(garments) garments of two or more, \(captions) captions; \(parameters) parameters; "
                        + "steps \(from + 1) to \(steps)")
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
            case .saved: break
            case .ended(let step, let completed):
                if completed { Console.note("\(step) steps taken") }
            }
        }
    }
}
