public import Catalog
import CLIP
import Evaluation
import Foundation
public import Retrieval
public import Torch

/// What a run tells while it goes on.
public enum TrainingEvent: Sendable {
    case began(photos: Int, garments: Int, captions: Int, parameters: Int, from: Int, steps: Int)
    /// Photos whose vectors are made once for all steps, of how many.
    case embedded(Int, of: Int)
    case step(Int, StepReport, seconds: Double)
    /// No row has split `val`: the last epoch counts as the best one.
    case withoutValidation
    /// A photo that can't be read, in a sentence; another one stood for it, or it was left out of the validation.
    case unreadable(String)
    /// How much of an epoch's time went by waiting for its batches, 0…1.
    case waited(epoch: Int, share: Double)
    case validated(epoch: Int, figures: [String: Double], isBest: Bool)
    /// What the losses or the vectors tell about the run, in a sentence.
    case remark(String)
    /// No epoch was better for as many as the recipe waits.
    case stoppedEarly(epoch: Int, best: Int)
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
    /// Bytes of decoded photos that are kept in memory.
    public var photoMemory = BatchLoader.defaultMemory

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
    ///   - device: where the model, the optimizer, the losses and a teacher that is a model are.
    ///   - resume: go on from `last/`; a run that was stopped sees on a CPU bitwise the same losses as one that was not.
    ///   - shouldStop: asked after every step; the run is saved before this returns.
    /// - Returns: whether the last step was reached.
    /// - Throws: `TrainingError`, `CLIPError`, `TorchError`, `ImageError`, `TensorFileError`.
    public static func run(
        _ recipe: Recipe, sources: TrainingSources, to folder: RunFolder, resume: Bool, device: Device = .cpu,
        shouldStop: () -> Bool, report: (TrainingEvent) -> Void
    ) throws -> Bool {
        try device.require()
        TorchRuntime.keepFreedMemory(.all)
        let given = recipe
        let data = try TrainingData(
            sources.datasets, templates: recipe.captions, choice: recipe.captionChoice, seed: recipe.seed,
            labelColumns: recipe.labelColumns, teachers: sources.teachers, teacherPaths: sources.teacherPaths)
        // How many steps an epoch has may be the data's to say.
        let recipe = given.resolved(for: try given.sampler(for: data))
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
        let teacher = try recipe.teacher.map {
            try Embedder(checkpoint: Checkpoint(path: recipe.resolvedModel($0)), device: device)
        }
        let teacherSize = teacher?.embeddingSize ?? data.teacherSize
        if recipe.needsTeacher && teacherSize == 0 {
            throw TrainingError.teachers(what: "the recipe learns from a teacher and no file of its vectors is given")
        }

        if recipe.epochs == 0 {
            return try measureStart(
                recipe, sources, validation, photos: data.paths.count, to: folder, resume: resume, device: device, report: report)
        }
        // Weights: those of the last checkpoint, of the recipe's start, or new ones.
        var progress = RunFolder.Progress(step: 0, bestScore: nil, bestEpoch: nil, seconds: 0, measuredEpochs: 0)
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
        let origin =
            try resumed
            ? TrainingStart(checkpoint: folder.last, device: device) : TrainingStart(recipe, device: device)
        if validation.asksTexts && origin.tokenizer == nil {
            throw TrainingError.nothingToTrainOn(what: "a figure of the validation reads texts and the model has no vocabulary")
        }
        // A run that goes on has what it learned from in its own state.
        let learned = try LearnedPrototypes.found(in: recipe.startFolder ?? "")
        let step = try TrainingStep(
            model: origin.model, recipe: recipe, teacherSize: teacherSize, classes: data.labelCounts,
            texts: recipe.needsLabelTexts
                ? origin.tokenizer.map { LabelTexts(data, sources.datasets, tokenizer: $0, device: device) } : nil,
            learned: learned, device: device)
        if resumed { try folder.restore(step) }
        let loader = try BatchLoader(
            data, recipe: recipe, preprocessing: origin.views(of: recipe), tokenizer: origin.tokenizer,
            teacher: teacher?.preprocessing, memory: sources.photoMemory)
        let counts = loader.counts
        // Only now: a run that could not begin leaves nothing in its folder.
        if resume { try folder.cutMetrics(from: progress.step) } else { try folder.create(recipe) }
        report(
            .began(
                photos: data.paths.count, garments: counts.garments, captions: data.captions.count,
                parameters: origin.model.store.parameters.reduce(0) { $0 + $1.tensor.elementCount }, from: progress.step,
                steps: recipe.steps))

        if validation.rows == 0 { report(.withoutValidation) }

        let keepsImages = recipe.keepsImages(of: origin.model)
        func embedder() -> Embedder {
            Embedder(model: step.model, preprocessing: origin.preprocessing, tokenizer: origin.tokenizer)
        }
        // The validation's, where they are the same after every epoch.
        var measured: RowEmbedding.Vectors?
        // Of the last whole epoch, and of this process: a run that was just resumed has none yet.
        var latest: [String: Double] = [:]
        var savedStep = progress.step
        // Seconds of this epoch's steps, as far as this process took them.
        var epochTime = (waited: 0.0, total: 0.0)
        var watch = CollapseWatch(told: progress.remarks ?? [])
        func save() throws {
            let additions = try record(
                recipe, sources, epoch: progress.step / recipe.stepsPerEpoch, figures: latest, progress: progress,
                photos: data.paths.count)
            try folder.saveLast(
                step, preprocessing: origin.preprocessing, vocabulary: origin.vocabulary, additions: additions, progress: progress
            )
            savedStep = progress.step
            report(.saved(step: progress.step))
        }
        func endEpoch() throws {
            let epoch = progress.step / recipe.stepsPerEpoch
            let isBest = try step.withWeightsToKeep {
                if keepsImages && measured == nil {
                    measured = try validation.vectors(by: embedder()) { report(.unreadable($0)) }
                }
                latest = try validation.measure(embedder(), vectors: measured) { report(.unreadable($0)) }
                // Without validation rows the latest epoch is the best there is.
                let figure = latest[recipe.selection.metric]
                if let figure {
                    // An epoch is measured again where the run was cut before it was saved.
                    progress.curve = (progress.curve ?? []).filter { $0.epoch < epoch } + [.init(epoch: epoch, score: figure)]
                }
                let isBest = figure.map { recipe.selection.prefers($0, to: progress.bestScore) } ?? true
                if isBest {
                    progress.bestScore = figure
                    progress.bestEpoch = epoch
                }
                let additions = try record(
                    recipe, sources, epoch: epoch, figures: latest, progress: progress, photos: data.paths.count)
                if isBest {
                    try folder.saveModel(
                        step.model, preprocessing: origin.preprocessing, vocabulary: origin.vocabulary, additions: additions,
                        prototypes: try step.learnedPrototypes(), to: folder.best)
                }
                if recipe.keep > 0 && epoch % recipe.keep == 0 {
                    try folder.saveEpoch(
                        epoch, step.model, preprocessing: origin.preprocessing, vocabulary: origin.vocabulary,
                        additions: additions)
                }
                return isBest
            }
            var line: [String: Any] = ["epoch": epoch, "step": progress.step, "best": isBest]
            if epochTime.total > 0 {
                line["waited"] = epochTime.waited / epochTime.total
                report(.waited(epoch: epoch, share: epochTime.waited / epochTime.total))
            }
            epochTime = (0, 0)
            for (name, value) in latest { line["val_\(name)"] = value }
            try folder.append(line)
            report(.validated(epoch: epoch, figures: latest, isBest: isBest))
            progress.measuredEpochs = epoch
            if let stopping = recipe.earlyStopping, let best = progress.bestEpoch, latest[recipe.selection.metric] != nil,
                epoch >= stopping.atLeast, epoch - best >= stopping.patience, progress.step < recipe.steps
            {
                progress.endedEarly = true
                report(.stoppedEarly(epoch: epoch, best: best))
            }
            try save()
        }

        var still: StillImages?
        if keepsImages {
            struct Stopped: Error {}
            do {
                still = try StillImages(of: data.paths, by: embedder()) { done, count in
                    report(.embedded(done, of: count))
                    if shouldStop() { throw Stopped() }
                }
            } catch is Stopped {
                try save()
                report(.ended(step: progress.step, completed: false))
                return false
            }
        }
        let batchesPerStep = recipe.optimizer.accumulate
        loader.start(batches: progress.step * batchesPerStep..<recipe.steps * batchesPerStep, still: still)
        defer { loader.stop() }

        var unreadable: Set<Int> = []
        func note(_ problems: [Int: String]) throws {
            for (photo, sentence) in problems.sorted(by: { $0.key < $1.key }) where unreadable.insert(photo).inserted {
                report(.unreadable(sentence))
                // One is borne in any data.
                guard unreadable.count <= max(1, data.paths.count / 100) else {
                    throw TrainingError.unreadablePhotos(count: unreadable.count, of: data.paths.count, last: sentence)
                }
            }
        }
        do {
            // An error between the epoch's last step and its end had the run saved, and not measured.
            if progress.measuredEpochs.map({ $0 < progress.step / recipe.stepsPerEpoch }) ?? false { try endEpoch() }
            while progress.step < recipe.steps && progress.endedEarly != true {
                let begin = ContinuousClock.now
                var wait = 0.0
                var batches: [TrainingBatch] = []
                for _ in 0..<batchesPerStep {
                    let asked = ContinuousClock.now
                    var batch = try loader.next()
                    wait += (ContinuousClock.now - asked) / .seconds(1)
                    try note(batch.unreadable)
                    if let teacher, let squares = batch.teacherSquares { batch.teacher = try teacher.embed(squares: squares) }
                    batches.append(batch)
                }
                let result = try step.run(batches, step: progress.step)
                let seconds = (ContinuousClock.now - begin) / .seconds(1)
                progress.step += 1
                progress.seconds += seconds
                epochTime.waited += wait
                epochTime.total += seconds
                report(.step(progress.step, result, seconds: seconds))
                var line: [String: Any] = ["step": progress.step, "loss": result.loss, "rate": result.rate, "seconds": seconds]
                line["gradient_norm"] = result.gradientNorm
                line["cosine"] = result.cosine
                for (name, value) in result.terms { line["loss_\(name)"] = value }
                for (name, value) in result.chance { line["chance_\(name)"] = value }
                for (name, value) in result.floor { line["floor_\(name)"] = value }
                try folder.append(line)
                if let remark = watch.see(result) {
                    progress.remarks = watch.told
                    report(.remark(remark))
                    try folder.append(["step": progress.step, "remark": remark])
                }

                if progress.step % recipe.stepsPerEpoch == 0 { try endEpoch() }
                if shouldStop() {
                    if progress.step % recipe.stepsPerEpoch != 0 { try save() }
                    break
                }
            }
        } catch {
            // The steps since the last checkpoint are not lost with the run. What can't be saved now was refused for the reason that is thrown.
            if step.isWhole && progress.step > savedStep { try? save() }
            throw error
        }
        let isComplete = progress.step == recipe.steps || progress.endedEarly == true
        report(.ended(step: progress.step, completed: isComplete))
        return isComplete
    }

    /// A recipe that trains nothing: the start is what comes out, and is measured as every epoch is.
    private static func measureStart(
        _ recipe: Recipe, _ sources: TrainingSources, _ validation: Validation, photos: Int, to folder: RunFolder, resume: Bool,
        device: Device, report: (TrainingEvent) -> Void
    ) throws -> Bool {
        if resume {
            _ = try folder.resume(recipe)
        } else {
            try TorchRuntime.seed(recipe.seed)
            let start = try TrainingStart(recipe, device: device)
            let figures = try validation.measure(
                Embedder(model: start.model, preprocessing: start.preprocessing, tokenizer: start.tokenizer)
            ) { report(.unreadable($0)) }
            if validation.rows == 0 { report(.withoutValidation) }
            try folder.create(recipe)
            let progress = RunFolder.Progress(step: 0, bestScore: figures[recipe.selection.metric], bestEpoch: 0, seconds: 0)
            try folder.saveModel(
                start.model, preprocessing: start.preprocessing, vocabulary: start.vocabulary,
                additions: record(recipe, sources, epoch: 0, figures: figures, progress: progress, photos: photos),
                to: folder.best)
            var line: [String: Any] = ["epoch": 0, "step": 0, "best": true]
            for (name, value) in figures { line["val_\(name)"] = value }
            try folder.append(line)
            report(.validated(epoch: 0, figures: figures, isBest: true))
        }
        report(.ended(step: 0, completed: true))
        return true
    }

    /// What a model remembers of its making: read by everything that shows a model, typed by nobody.
    private static func record(
        _ recipe: Recipe, _ sources: TrainingSources, epoch: Int, figures: [String: Double], progress: RunFolder.Progress,
        photos: Int
    ) throws(TrainingError) -> [String: Any] {
        // A run that went on from another one is made by both commands, and owes what that one owed to its own start.
        var commands = [sources.command]
        var origin: Any?
        if case .model(let path) = recipe.start, let before = try? Checkpoint(path: recipe.resolvedModel(path)).recorded() {
            if let command = before["command"] as? String { commands.insert(command, at: 0) }
            origin = before["start"]
        }
        var record: [String: Any] = [
            "name": recipe.name, "command": commands.joined(separator: " && "), "recipe": try recipe.passedOn.object(),
            "epoch": epoch,
            "step": progress.step, "data": sources.datasets.map(TrainingData.digest),
            "seconds": (progress.seconds * 10).rounded() / 10, "photos": photos, "validation": figures,
            "torch": TorchRuntime.version, "remarks": progress.remarks ?? [],
            "curve": (progress.curve ?? []).map { ["epoch": $0.epoch, "score": $0.score] as [String: Any] },
        ]
        record["start"] = origin
        return record
    }
}
