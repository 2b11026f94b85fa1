public import CLIP
import TensorFiles
public import Torch

/// What one step trains on, in plain numbers: it may have been made on another thread.
public struct TrainingBatch: Sendable {
    /// The views, as a loader makes them.
    public var squares: SquarePictures?
    /// `[views, 3, side, side]`, normalised: used where there are no `squares`.
    public var pixels: [Float]
    /// The item of each view: equal numbers are positives.
    public var items: [Int]
    /// The views' labels by columns that a loss compares them in, other than the product's.
    public var labels: [[String]: [Int]] = [:]
    /// For losses with texts: views, at most one of an item, and their captions' rows in `tokens`.
    public var captioned: [(view: Int, caption: Int)]
    /// Token ids of the different captions, `[captions, context]`.
    public var tokens: [Int64]
    /// The views that the teacher saw, ascending.
    public var taught: [Int]
    /// The teacher's vectors of those views `[taught, size]`, or empty.
    public var teacher: [Float]
    /// The same views as a teacher takes them that is asked about each; nil without such a teacher.
    public var teacherSquares: SquarePictures?
    /// Photos that could not be read, by their place in the data, and why; others stand for them.
    public var unreadable: [Int: String] = [:]

    public init(
        squares: SquarePictures? = nil, pixels: [Float] = [], items: [Int], captioned: [(view: Int, caption: Int)],
        tokens: [Int64], taught: [Int], teacher: [Float]
    ) {
        self.squares = squares
        self.pixels = pixels
        self.items = items
        self.captioned = captioned
        self.tokens = tokens
        self.taught = taught
        self.teacher = teacher
    }
}

/// The losses of one step, before its update.
public struct StepReport: Sendable, Equatable {
    public var loss: Double
    /// Term by term, unweighted.
    public var terms: [String: Double]
    public var gradientNorm: Double
    public var rate: Double
}

/// The forward pass, the backward pass and the update: what is compared with PyTorch, and the only place where weights change.
public final class TrainingStep {
    /// A term of the loss with its own tensors.
    private struct Term {
        let name: String
        let weight: Double
        let loss: any LossTerm
        let scope: HeadScope
    }

    public let model: CLIPModel
    public let optimizer: AdamW
    private let recipe: Recipe
    private let schedule: any LearningRateSchedule
    private let device: Device
    private let terms: [Term]
    /// The tensors that the losses own: trained along and thrown away.
    let heads: Heads
    /// The weights' running average; nil where the recipe wants none.
    private let average: WeightAverage?
    /// Whether the weights, and the statistics of batch norms, are those after a whole step: what an error within a step may leave otherwise.
    public private(set) var isWhole = true

    /// - Parameters:
    ///   - teacherSize: dimension of the teacher's vectors; 0 without a teacher.
    ///   - classes: how many different labels the data has, by the columns that make them; empty where no loss tells labels apart.
    /// - Throws: `TrainingError.nothingToTrainOn` where `trainable` or a group names no parameter, or a loss has no labels to tell apart.
    public init(
        model: CLIPModel, recipe: Recipe, teacherSize: Int, classes: [[String]: Int] = [:], device: Device
    ) throws {
        self.model = model
        self.recipe = recipe
        self.device = device
        schedule = recipe.optimizer.schedule.course
        let settings = recipe.optimizer
        let names = model.store.parameters.map(\.name)
        if let group = settings.groups.first(where: { group in !names.contains { $0.hasPrefix(group.prefix) } }) {
            throw TrainingError.nothingToTrainOn(what: "no parameter begins with \(group.prefix), a group of the optimizer")
        }
        var slots: [AdamW.Slot] = []
        for (name, parameter) in model.store.parameters where recipe.trainable.contains(where: name.hasPrefix) {
            try parameter.setRequiresGradient(true)
            let group = settings.groups.first { name.hasPrefix($0.prefix) }
            slots.append(Self.slot(name, parameter, settings, rateFactor: group?.rate ?? 1))
        }
        guard !slots.isEmpty else {
            throw TrainingError.nothingToTrainOn(what: "no parameter begins with \(recipe.trainable.joined(separator: " or "))")
        }
        let heads = Heads(seed: recipe.seed, device: device)
        terms = try recipe.losses.map { loss in
            let term = loss.kind.term
            let scope = HeadScope(heads: heads, name: loss.name, rate: loss.rate ?? settings.heads)
            let labels = term.labelColumns.flatMap { classes[$0] } ?? 0
            try term.addTensors(
                to: scope, LossSizes(embedding: model.configuration.embeddingSize, teacher: teacherSize, classes: labels))
            return Term(name: loss.name, weight: loss.weight, loss: term, scope: scope)
        }
        self.heads = heads
        // Weights that stay need no average. Running statistics move with the weights, and are averaged with them.
        let averaged =
            slots.map { (name: $0.name, tensor: $0.parameter) } + (recipe.batchNormFrozen ? [] : model.store.buffers)
        average = settings.ema > 0 ? try WeightAverage(averaged, decay: settings.ema) : nil
        slots += heads.all.map { Self.slot($0.name, $0.tensor, settings, rateFactor: $0.rate) }
        optimizer = try AdamW(slots, beta1: settings.beta1, beta2: settings.beta2, eps: settings.eps)
    }

    /// No decay on norms, biases and the logit scale: they have one dimension or none.
    private static func slot(
        _ name: String, _ parameter: Tensor, _ settings: Recipe.Optimizer, rateFactor: Double
    ) -> AdamW.Slot {
        .init(
            name: name, parameter: parameter, decay: parameter.shape.count > 1 ? settings.decay : 0, rateFactor: rateFactor)
    }

    /// Everything that the next step depends on beside the model, by name.
    public var state: [(name: String, tensor: Tensor)] {
        optimizer.state + heads.all.map { (name: $0.name, tensor: $0.tensor) } + (average?.state ?? [])
    }

    /// Runs `body` with the weights that are measured and kept in the model: their average where the recipe wants one.
    public func withWeightsToKeep<Result>(_ body: () throws -> Result) throws -> Result {
        try average.map { try $0.applied(body) } ?? body()
    }

    /// - Parameter step: from 0 over the whole run; decides the rate.
    /// - Throws: `TrainingError.notFinite` before any weight has changed, if the loss or the gradient is not a number. Running statistics of
    ///   batch norms have moved by then.
    public func run(_ batch: TrainingBatch, step: Int) throws -> StepReport {
        try optimizer.clearGradients()
        isWhole = recipe.batchNormFrozen || model.store.buffers.isEmpty
        let (loss, terms) = try losses(batch)
        let value = try loss.item()
        guard value.isFinite else { throw TrainingError.notFinite(step: step + 1, what: "loss", value: value) }
        try loss.backward()
        let limit = recipe.optimizer.clipNorm
        let norm = try limit > 0 ? optimizer.clipGradients(to: limit) : optimizer.gradientNorm()
        // A finite loss may have an infinite slope; one such step would spoil every weight, and the next checkpoint with them.
        guard norm.isFinite else { throw TrainingError.notFinite(step: step + 1, what: "gradient", value: norm) }
        let rate = recipe.optimizer.rate * schedule.factor(step: step, of: recipe.steps)
        isWhole = false
        try optimizer.step(rate: rate)
        try average?.update(step: step)
        isWhole = true
        return StepReport(loss: value, terms: terms, gradientNorm: norm, rate: rate)
    }

    /// A tower in the recipe's precision; what comes out is float32 for the losses.
    private func inPrecision(_ tower: () throws -> Tensor) throws -> Tensor {
        switch recipe.precision {
        case .float32: try tower()
        case .bfloat16: try withPrecision(.bfloat16, on: device, tower)
        }
    }

    private func losses(_ batch: TrainingBatch) throws -> (loss: Tensor, terms: [String: Double]) {
        let vectors = try encoded(batch)
        var sum: Tensor?
        var values: [String: Double] = [:]
        for term in terms {
            guard let value = try term.loss.value(vectors, term.scope) else { continue }
            values[term.name] = try value.item()
            let weighted = try value * term.weight
            sum = try sum.map { try $0 + weighted } ?? weighted
        }
        guard let sum else {
            throw TrainingError.nothingToTrainOn(
                what: "a batch gave no loss; it needs two captions, two photos of one item or a teacher")
        }
        return (sum, values)
    }

    /// The batch as the towers see it: each tower runs once, whatever the losses are.
    private func encoded(_ batch: TrainingBatch) throws -> LossBatch {
        let side = model.configuration.resolution
        let pixels =
            try batch.squares?.tensor(on: device)
            ?? Tensor(batch.pixels, shape: [batch.items.count, 3, side, side]).to(device)
        let features = try inPrecision { try model.encodeImages(pixels, recipe.batchNormFrozen ? .evaluate : .train) }
        var texts: LossBatch.Texts?
        if recipe.needsTexts && batch.captioned.count > 1 {
            let context = model.configuration.text.contextLength
            let ids = try Tensor(batch.tokens, shape: [batch.tokens.count / context, context])
            let captions = batch.captioned.map(\.caption)
            let different = try inPrecision { try model.encodeTexts(ids.to(device)) }
            texts = .init(
                features: try LossBatch.rows(captions, of: different), views: batch.captioned.map(\.view), captions: captions)
        }
        var teacher: LossBatch.Teacher?
        if batch.taught.count > 1 {
            let count = batch.taught.count
            let vectors = try Tensor(batch.teacher, shape: [count, batch.teacher.count / count]).to(device)
            teacher = .init(vectors: vectors, views: batch.taught)
        }
        return LossBatch(
            features: features, images: try features.normalized(), texts: texts, teacher: teacher, items: batch.items,
            otherLabels: batch.labels, logitScale: model.logitScale)
    }
}
