public import Catalog
public import CLIP
import Foundation
public import Retrieval
public import Torch

/// What a run tells while it goes on.
public enum TrainingEvent: Sendable {
    case began(photos: Int, garments: Int, captions: Int, parameters: Int, from: Int, steps: Int)
    case step(Int, StepReport, seconds: Double)
    case validated(epoch: Int, figures: [String: Double], isBest: Bool)
    case saved(step: Int)
    case ended(step: Int, completed: Bool)
}

/// Where a run finds what its recipe does not say.
public struct TrainingSources: Sendable {
    public var datasets: [Dataset]
    /// One per dataset, nil for one that the teacher never saw; empty without a teacher.
    public var teachers: [EmbeddingFile?]
    public var teacherPaths: [String]
    /// The command line that makes the same run, for `stylefinder.json`.
    public var command: String

    public init(datasets: [Dataset], teachers: [EmbeddingFile?] = [], teacherPaths: [String] = [], command: String) {
        self.datasets = datasets
        self.teachers = teachers
        self.teacherPaths = teacherPaths
        self.command = command
    }
}

/// The training loop: one synchronous function on one thread.
public enum Trainer {
    /// Trains, or goes on with a run, until the recipe's last step or until `shouldStop` says so.
    /// - Parameters:
    ///   - resume: go on from `last/`; a run that was stopped sees on a CPU bitwise the same losses as one that was not.
    ///   - shouldStop: asked after every step; the run is saved before this returns.
    /// - Returns: whether the last step was reached.
    /// - Throws: `TrainingError`, `CLIPError`, `TorchError`, `ImageError`, `TensorFileError`.
    public static func run(
        _ recipe: Recipe, sources: TrainingSources, to folder: RunFolder, resume: Bool, device: Device = .cpu,
        shouldStop: () -> Bool, report: (TrainingEvent) -> Void
    ) throws -> Bool {
        try device.require()
        let data = try TrainingData(
            sources.datasets, templates: recipe.captions, teachers: sources.teachers, teacherPaths: sources.teacherPaths)
        let validation = Validation(sources.datasets, figures: recipe.validation)

        if recipe.batch.shares.count > 1 && recipe.batch.shares.count != sources.datasets.count {
            throw TrainingError.nothingToTrainOn(
                what:
                    "the recipe's batch draws from \(recipe.batch.shares.count) data folders and \(sources.datasets.count) are given"
            )
        }
        if recipe.teacher != nil && !sources.teachers.isEmpty {
            throw TrainingError.teachers(what: "the recipe names a model as its teacher, and files of vectors are given too")
        }
        // Asked about every view, not once about every photo: Beyer et al. 2022 (arXiv:2106.05237), "consistent teaching".
        let teacher = try recipe.teacher.map { try Embedder(folder: ModelFolder(path: recipe.resolved($0)), device: device) }
        let teacherSize = teacher?.embeddingSize ?? data.teacherSize
        if recipe.losses.teacher + recipe.losses.teacherRelations > 0 && teacherSize == 0 {
            throw TrainingError.teachers(what: "the recipe learns from a teacher and no file of its vectors is given")
        }

        // Weights: those of the last checkpoint, of the recipe's start, or new ones.
        var progress = RunFolder.Progress(step: 0, bestScore: nil, bestEpoch: nil, seconds: 0)
        var resumed = false
        if resume {
            if let saved = try folder.resume(recipe) {
                progress = saved
                resumed = true
            }
        } else if folder.holdsRun {
            throw TrainingError.runExists(path: folder.path)
        }
        try TorchRuntime.seed(recipe.seed)
        let origin = try resumed ? TrainingStart(folder: folder.last) : TrainingStart(recipe)
        let step = try TrainingStep(model: origin.model, recipe: recipe, teacherSize: teacherSize, device: device)
        if resumed { try folder.restore(step) }
        let loader = try BatchLoader(
            data, recipe: recipe, preprocessing: origin.preprocessing, tokenizer: origin.tokenizer,
            teacher: teacher?.preprocessing)
        // Only now: a run that could not begin leaves nothing in its folder.
        if resume { try folder.cutMetrics(from: progress.step) } else { try folder.create(recipe) }
        loader.start(steps: progress.step..<recipe.steps)
        defer { loader.stop() }
        let counts = loader.counts
        report(
            .began(
                photos: data.paths.count, garments: counts.garments, captions: data.captions.count,
                parameters: origin.model.store.parameters.reduce(0) { $0 + $1.tensor.elementCount }, from: progress.step,
                steps: recipe.steps))

        func save() throws {
            try folder.saveLast(step, preprocessing: origin.preprocessing, vocabulary: origin.vocabulary, progress: progress)
            report(.saved(step: progress.step))
        }
        while progress.step < recipe.steps {
            let begin = ContinuousClock.now
            var batch = try loader.next()
            if let teacher { batch.teacher = try teacher.embed(pixels: batch.teacherPixels, count: batch.items.count) }
            let result = try step.run(batch, step: progress.step)
            let seconds = (ContinuousClock.now - begin) / .seconds(1)
            progress.step += 1
            progress.seconds += seconds
            report(.step(progress.step, result, seconds: seconds))
            var line: [String: Any] = ["step": progress.step, "loss": result.loss, "rate": result.rate, "seconds": seconds]
            line["gradient_norm"] = result.gradientNorm
            for (name, value) in result.terms { line["loss_\(name)"] = value }
            try folder.append(line)

            if progress.step % recipe.stepsPerEpoch == 0 {
                let epoch = progress.step / recipe.stepsPerEpoch
                let figures = try validation.measure(
                    Embedder(model: step.model, preprocessing: origin.preprocessing, tokenizer: origin.tokenizer, device: device))
                // Without validation rows the latest epoch is the best there is.
                let isBest = figures["score"].map { $0 > progress.bestScore ?? -1 } ?? true
                if isBest {
                    progress.bestScore = figures["score"]
                    progress.bestEpoch = epoch
                }
                let additions = record(
                    recipe, sources, epoch: epoch, figures: figures, progress: progress, photos: data.paths.count)
                if isBest {
                    try folder.saveModel(
                        step.model, preprocessing: origin.preprocessing, vocabulary: origin.vocabulary, additions: additions,
                        to: folder.best)
                }
                if recipe.keep > 0 && epoch % recipe.keep == 0 {
                    try folder.saveEpoch(
                        epoch, step.model, preprocessing: origin.preprocessing, vocabulary: origin.vocabulary,
                        additions: additions)
                }
                var line: [String: Any] = ["epoch": epoch, "step": progress.step, "best": isBest]
                for (name, value) in figures { line["val_\(name)"] = value }
                try folder.append(line)
                report(.validated(epoch: epoch, figures: figures, isBest: isBest))
                try save()
            }
            if shouldStop() {
                if progress.step % recipe.stepsPerEpoch != 0 { try save() }
                report(.ended(step: progress.step, completed: progress.step == recipe.steps))
                return progress.step == recipe.steps
            }
        }
        report(.ended(step: progress.step, completed: true))
        return true
    }

    /// What a model remembers of its making: read by everything that shows a model, typed by nobody.
    private static func record(
        _ recipe: Recipe, _ sources: TrainingSources, epoch: Int, figures: [String: Double], progress: RunFolder.Progress,
        photos: Int
    ) -> [String: Any] {
        // A run that went on from another one is made by both commands.
        var commands = [sources.command]
        if case .model(let path) = recipe.start,
            let before = try? ModelFolder(path: recipe.resolved(path)).recorded()?["command"] as? String
        {
            commands.insert(before, at: 0)
        }
        let settings = (try? recipe.json()).flatMap { try? JSONSerialization.jsonObject(with: $0) } ?? [:]
        return [
            "name": recipe.name, "command": commands.joined(separator: " && "), "recipe": settings, "epoch": epoch,
            "step": progress.step,
            "seconds": (progress.seconds * 10).rounded() / 10, "photos": photos, "validation": figures,
            "torch": TorchRuntime.version,
        ]
    }
}
