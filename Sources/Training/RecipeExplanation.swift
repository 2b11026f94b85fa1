import CLIP
import Catalog
import Foundation
public import Torch

/// What a recipe will do with some data, in words, and how long a step takes here.
public struct RecipeExplanation: Sendable {
    /// In the order in which a reader wants them.
    public private(set) var sentences: [String] = []
    /// Numbers that are trained, of the model and of the losses.
    public private(set) var trained: (model: Int, heads: Int) = (0, 0)
    public private(set) var parameters = 0
    /// Seconds a step takes here, its batch included; nil where nothing is trained or the steps were not tried.
    public private(set) var secondsPerStep: Double?
    public private(set) var steps = 0

    /// - Parameter tries: steps that are taken to measure the time; they change no file. 0 measures nothing.
    /// - Throws: whatever would keep the run from beginning.
    public init(_ given: Recipe, sources: TrainingSources, device: Device, tries: Int = 3) throws {
        let data = try TrainingData(
            sources.datasets, templates: given.captions, choice: given.captionChoice, seed: given.seed,
            labelColumns: given.labelColumns, teachers: sources.teachers, teacherPaths: sources.teacherPaths)
        let sampler = try given.sampler(for: data)
        let recipe = given.resolved(for: sampler)
        steps = recipe.steps
        if !recipe.description.isEmpty { sentences.append(recipe.description) }
        TorchRuntime.keepFreedMemory(.all)
        try TorchRuntime.seed(recipe.seed)
        let start = try TrainingStart(recipe, device: device)
        parameters = start.model.store.parameters.reduce(0) { $0 + $1.tensor.elementCount }
        sentences.append(Self.beginning(recipe, parameters))
        let counts = sampler.counts
        sentences.append(
            "The data: \(data.paths.count) photos of \(counts.garments) garments with two photos and more and \(counts.singles) single photos, \(data.captions.count) different captions."
        )
        guard recipe.epochs > 0 else {
            sentences.append("Nothing is trained: the start is measured on the validation rows and kept.")
            return
        }
        let teacher = try recipe.teacher.map {
            try Embedder(checkpoint: Checkpoint(path: recipe.resolvedModel($0)), device: device)
        }
        let step = try TrainingStep(
            model: start.model, recipe: recipe, teacherSize: teacher?.embeddingSize ?? data.teacherSize,
            classes: data.labelCounts,
            texts: recipe.needsLabelTexts
                ? start.tokenizer.map { LabelTexts(data, sources.datasets, tokenizer: $0, device: device) } : nil,
            learned: try LearnedPrototypes.found(in: recipe.startFolder ?? ""), device: device)
        trained = step.trainedCounts
        sentences += Self.training(recipe, trained)
        let validation = sources.datasets.reduce(0) { $0 + $1.rows(where: "split", is: "val").count }
        sentences.append(Self.selection(recipe, rows: validation))
        let keepsImages = recipe.keepsImages(of: start.model)
        if keepsImages {
            sentences.append(
                "Pictures stay as they are to an image tower that stays as it is: each is encoded once, before the first step.")
        }
        guard tries > 0 else { return }
        let batchesPerStep = recipe.optimizer.accumulate
        var still: StillImages?
        if keepsImages {
            let photos = Set((0..<(tries + 1) * batchesPerStep).flatMap { sampler.views(step: $0).map(\.photo) }).sorted()
            let begin = ContinuousClock.now
            still = try StillImages(
                of: data.paths, photos: photos,
                by: Embedder(model: start.model, preprocessing: start.preprocessing, tokenizer: start.tokenizer))
            let pace = (ContinuousClock.now - begin) / .seconds(1) / Double(photos.count)
            sentences.append("That takes about \(Self.duration(pace * Double(data.paths.count))) here.")
        }
        let loader = try BatchLoader(
            data, recipe: recipe, preprocessing: start.views(of: recipe), tokenizer: start.tokenizer,
            teacher: teacher?.preprocessing, memory: sources.photoMemory)
        var seconds: [Double] = []
        for number in 0...tries {
            let begin = ContinuousClock.now
            let batches = try (0..<batchesPerStep).map { part in
                var batch = try loader.batch(step: number * batchesPerStep + part, still: still)
                if let teacher, let squares = batch.teacherSquares { batch.teacher = try teacher.embed(squares: squares) }
                return batch
            }
            _ = try step.run(batches, step: number)
            seconds.append((ContinuousClock.now - begin) / .seconds(1))
        }
        // The first one pays for what is only done once.
        let pace = seconds.dropFirst().reduce(0, +) / Double(tries)
        secondsPerStep = pace
        sentences.append(
            String(
                format:
                    "A step takes %.2f s here (%d tried, photos read from the disk), so %d steps take about %@, validation not counted.",
                pace, tries, recipe.steps, Self.duration(pace * Double(recipe.steps))))
    }

    private static func beginning(_ recipe: Recipe, _ parameters: Int) -> String {
        let size = String(format: "%.1f million parameters", Double(parameters) / 1e6)
        switch recipe.start {
        case .model(let name): return "It begins with \(name), \(size)."
        case .new(let architecture, _):
            let tower: String
            switch architecture.tower {
            case .transformer: tower = "ViT"
            case .resNet: tower = "ResNet"
            }
            return "It begins with a new \(tower) at \(architecture.resolution) pixels, \(size), drawn from seed \(recipe.seed)."
        }
    }

    private static func training(_ recipe: Recipe, _ trained: (model: Int, heads: Int)) -> [String] {
        var sentences: [String] = []
        let what: String
        switch recipe.trainable {
        case [""]: what = "all of the model"
        case []: what = "nothing of the model"
        default: what = "what begins with \(recipe.trainable.joined(separator: " or "))"
        }
        var sentence = "It trains \(what): \(trained.model) numbers"
        if trained.heads > 0 { sentence += ", and \(trained.heads) of the losses' own, which are left behind" }
        sentences.append(sentence + ".")
        if recipe.batchNormFrozen { sentences.append("Batch norms keep their running statistics.") }
        let side = recipe.augmentation.side.map { " of \($0) pixels" } ?? ""
        sentences.append("A batch is \(batch(recipe)): \(recipe.batch.viewCount) views\(side).")
        if recipe.batch.chunk > 0 {
            sentences.append("The towers see \(recipe.batch.chunk) views at once, with the gradient of the whole batch.")
        }
        if recipe.optimizer.accumulate > 1 { sentences.append("\(recipe.optimizer.accumulate) batches make an update.") }
        let losses = recipe.losses.map { loss in
            "\(loss.name)\(loss.weight == 1 ? "" : String(format: " × %g", loss.weight))"
        }
        sentences.append("The loss is \(losses.joined(separator: " + ")).")
        let optimizer = recipe.optimizer
        var rate = String(format: "AdamW with a rate of %g at its peak", optimizer.rate)
        if optimizer.heads != 1 { rate += String(format: ", %g times that for the losses' own tensors", optimizer.heads) }
        if optimizer.layerDecay < 1 { rate += String(format: ", falling by %g from block to block", optimizer.layerDecay) }
        if optimizer.clipNorm > 0 { rate += String(format: ", gradients clipped to %g", optimizer.clipNorm) }
        sentences.append("\(rate); \(recipe.epochs) epochs of \(recipe.stepsPerEpoch) steps.")
        return sentences
    }

    private static func batch(_ recipe: Recipe) -> String {
        let batch = recipe.batch
        let size = batch.shares[0].items
        switch batch.sampler {
        case .items:
            return batch.shares.map { share in
                let views = share.views ?? batch.views
                return [
                    share.items > 0 ? "\(share.items) garments × \(views) photos" : nil,
                    share.singles > 0 ? "\(share.singles) single photos × \(views) crops" : nil,
                ].compactMap { $0 }.joined(separator: " and ")
            }.joined(separator: ", ")
        case .shuffled: return "\(size) shuffled photos"
        case .inOrder: return "\(size) photos in the order of the data"
        case .onePerItem: return "\(size) different items with one photo each"
        case .category(let by, let count): return "\(size) garments of \(count) values of \(by) × \(batch.views) photos"
        case .mined(let file, let hard):
            return "\(size) garments × \(batch.views) photos, \(hard) hard negatives of \(file) beside each"
        }
    }

    private static func selection(_ recipe: Recipe, rows: Int) -> String {
        guard rows > 0 else { return "No row has split val, so the last epoch counts as the best." }
        var sentence =
            "After each epoch \(rows) val rows are measured, and the \(recipe.selection.mode == .max ? "greatest" : "least") \(recipe.selection.metric) says which epoch is the best"
        if let stopping = recipe.earlyStopping { sentence += "; after \(stopping.patience) without a better one the run ends" }
        return sentence + "."
    }

    static func duration(_ seconds: Double) -> String {
        switch seconds {
        case ..<90: String(format: "%.0f s", seconds)
        case ..<5400: String(format: "%.0f minutes", seconds / 60)
        default: String(format: "%.1f hours", seconds / 3600)
        }
    }
}
