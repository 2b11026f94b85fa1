public import CLIP
import TensorFiles
public import Torch

/// What one step trains on, in plain numbers: it may have been made on another thread.
public struct TrainingBatch: Sendable {
    /// The views, as a loader makes them.
    public var squares: SquarePictures?
    /// `[views, 3, side, side]`, normalised: used where there are no `squares`.
    public var pixels: [Float]
    /// `[views, d]`, as the image tower gives them, of views that need not be encoded again: used in place of both. Empty where they do.
    public var features: [Float] = []
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

/// The losses of one step, before its update; means over the step's batches.
public struct StepReport: Sendable, Equatable {
    public var loss: Double
    /// Term by term, unweighted.
    public var terms: [String: Double]
    /// What each term is worth where the vectors tell nothing apart, of those where that is one number.
    public var chance: [String: Double] = [:]
    /// What each term is worth at least, of those where that is known.
    public var floor: [String: Double] = [:]
    /// Mean cosine of two views' vectors, −1…1: near 1 where they have collapsed into one.
    public var cosine: Double
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
        /// Lengths of beginnings of the vectors on which it is taken too.
        let prefixes: [Int]
        let scope: HeadScope
        let setting: LossSetting
    }

    public let model: CLIPModel
    public let optimizer: AdamW
    private let recipe: Recipe
    private let schedule: any LearningRateSchedule
    private let device: Device
    private let terms: [Term]
    private let towers: Towers
    /// What is trained of the model.
    private let weights: [(name: String, tensor: Tensor)]
    /// The tensors that the losses own: trained along and thrown away.
    let heads: Heads
    /// The weights' running average; nil where the recipe wants none.
    private let average: WeightAverage?
    /// Whether the weights, and the statistics of batch norms, are those after a whole step: what an error within a step may leave otherwise.
    public private(set) var isWhole = true

    /// - Parameters:
    ///   - teacherSize: dimension of the teacher's vectors; 0 without a teacher.
    ///   - classes: how many different labels the data has, by the columns that make them; empty where no loss tells labels apart.
    ///   - texts: what the labels are called; nil where no loss asks.
    ///   - learned: prompts that the run learned with which this one begins.
    /// - Throws: `TrainingError.nothingToTrainOn` where `trainable` or a group names no parameter, or a loss has no labels to tell apart.
    init(
        model: CLIPModel, recipe: Recipe, teacherSize: Int, classes: [[String]: Int], texts: LabelTexts?,
        learned: LearnedPrototypes.Found, device: Device
    ) throws {
        self.model = model
        self.recipe = recipe
        self.device = device
        schedule = recipe.optimizer.schedule.course
        towers = Towers(model, recipe, device: device)
        let settings = recipe.optimizer
        let names = model.store.parameters.map(\.name)
        if let group = settings.groups.first(where: { group in !names.contains { $0.hasPrefix(group.prefix) } }) {
            throw TrainingError.nothingToTrainOn(what: "no parameter begins with \(group.prefix), a group of the optimizer")
        }
        let layers = LayerDecay(names, factor: settings.layerDecay)
        var slots: [AdamW.Slot] = []
        weights = model.store.parameters.filter { parameter in recipe.trainable.contains { parameter.name.hasPrefix($0) } }
        guard recipe.trainable.isEmpty || !weights.isEmpty else {
            throw TrainingError.nothingToTrainOn(what: "no parameter begins with \(recipe.trainable.joined(separator: " or "))")
        }
        for (name, parameter) in weights {
            try parameter.setRequiresGradient(true)
            let group = settings.groups.first { name.hasPrefix($0.prefix) }
            slots.append(Self.slot(name, parameter, settings, rateFactor: (group?.rate ?? 1) * layers.factor(of: name)))
        }
        let heads = Heads(seed: recipe.seed, device: device)
        let trained = weights
        terms = try recipe.losses.map { loss in
            let term = loss.kind.term
            let scope = HeadScope(heads: heads, name: loss.name, rate: loss.rate ?? settings.heads)
            let setting = LossSetting(
                model: model, weights: trained, teacher: teacherSize, classes: term.labelColumns.flatMap { classes[$0] } ?? 0,
                texts: texts, learned: learned)
            let size = model.configuration.embeddingSize
            if let long = loss.prefixes.first(where: { $0 >= size }) {
                throw TrainingError.nothingToTrainOn(
                    what: "the loss \(loss.name) is to be taken on the first \(long) numbers of vectors that have \(size)")
            }
            try term.addTensors(to: scope, setting)
            return Term(
                name: loss.name, weight: loss.weight, loss: term, prefixes: loss.prefixes, scope: scope, setting: setting)
        }
        self.heads = heads
        // Weights that stay need no average. Running statistics move with the weights, and are averaged with them.
        let averaged =
            slots.map { (name: $0.name, tensor: $0.parameter) } + (recipe.batchNormFrozen ? [] : model.store.buffers)
        average = settings.ema > 0 ? try WeightAverage(averaged, decay: settings.ema) : nil
        for head in heads.all {
            if let rate = head.rate { slots.append(Self.slot(head.name, head.tensor, settings, rateFactor: rate)) }
        }
        guard !slots.isEmpty else {
            throw TrainingError.nothingToTrainOn(what: "the recipe trains no parameter and no loss has tensors of its own")
        }
        optimizer = try AdamW(slots, beta1: settings.beta1, beta2: settings.beta2, eps: settings.eps)
    }

    /// A step without losses that read what labels are called.
    public convenience init(
        model: CLIPModel, recipe: Recipe, teacherSize: Int, classes: [[String]: Int] = [:], device: Device
    ) throws {
        try self.init(
            model: model, recipe: recipe, teacherSize: teacherSize, classes: classes, texts: nil,
            learned: .init(path: "", prototypes: nil), device: device)
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

    /// Numbers that are trained: of the model, and of the losses.
    public var trainedCounts: (model: Int, heads: Int) {
        (
            weights.reduce(0) { $0 + $1.tensor.elementCount },
            heads.all.reduce(0) { $0 + ($1.rate == nil ? 0 : $1.tensor.elementCount) }
        )
    }

    /// Runs `body` with the weights that are measured and kept in the model: their average where the recipe wants one.
    public func withWeightsToKeep<Result>(_ body: () throws -> Result) throws -> Result {
        try average.map { try $0.applied(body) } ?? body()
    }

    /// Vectors of texts that were learned for the labels, and the labels' names; nil where no loss learns any.
    func learnedPrototypes() throws -> (vectors: Tensor, names: [String])? {
        for term in terms {
            guard let vectors = try term.loss.learnedPrototypes(term.scope, term.setting) else { continue }
            return (vectors, term.setting.texts?.names(by: term.loss.labelColumns ?? LossBatch.product) ?? [])
        }
        return nil
    }

    /// A step over one batch.
    public func run(_ batch: TrainingBatch, step: Int) throws -> StepReport { try run([batch], step: step) }

    /// - Parameters: batches, whose mean gradient makes the update; step, from 0 over the whole run, decides the rate.
    /// - Throws: `TrainingError.notFinite` before any weight has changed, if a loss or the gradient is not a number. Running statistics of
    ///   batch norms have moved by then.
    public func run(_ batches: [TrainingBatch], step: Int) throws -> StepReport {
        try optimizer.clearGradients()
        isWhole = recipe.batchNormFrozen || model.store.buffers.isEmpty
        var report = StepReport(loss: 0, terms: [:], cosine: 0, gradientNorm: 0, rate: 0)
        var seen: [LossBatch] = []
        for batch in batches {
            let encoding = try towers.encode(batch, weights: weights)
            let loss = try losses(encoding.batch, share: 1 / Double(batches.count), into: &report)
            let value = try loss.item()
            guard value.isFinite else { throw TrainingError.notFinite(step: step + 1, what: "loss", value: value) }
            report.loss += value / Double(batches.count)
            try (batches.count == 1 ? loss : loss / Double(batches.count)).backward()
            try encoding.backward()
            seen.append(encoding.batch)
        }
        let limit = recipe.optimizer.clipNorm
        report.gradientNorm = try limit > 0 ? optimizer.clipGradients(to: limit) : optimizer.gradientNorm()
        // A finite loss may have an infinite slope; one such step would spoil every weight, and the next checkpoint with them.
        guard report.gradientNorm.isFinite else {
            throw TrainingError.notFinite(step: step + 1, what: "gradient", value: report.gradientNorm)
        }
        report.rate = recipe.optimizer.rate * schedule.factor(step: step, of: recipe.steps)
        isWhole = false
        try optimizer.step(rate: report.rate)
        try average?.update(step: step)
        for batch in seen { for term in terms { try term.loss.remember(batch, term.scope) } }
        isWhole = true
        return report
    }

    /// The weighted sum of the terms of one batch; what it tells is added to `report` at `share`.
    private func losses(_ batch: LossBatch, share: Double, into report: inout StepReport) throws -> Tensor {
        var sum: Tensor?
        for term in terms {
            guard var value = try term.loss.value(batch, term.scope) else { continue }
            for size in term.prefixes {
                if let part = try term.loss.value(batch.prefix(size), term.scope) { value = try value + part }
            }
            if !term.prefixes.isEmpty { value = try value / Double(term.prefixes.count + 1) }
            report.terms[term.name, default: 0] += try value.item() * share
            if let chance = try term.loss.chance(batch, term.scope) { report.chance[term.name, default: 0] += chance * share }
            if let floor = try term.loss.floor(batch, term.scope) { report.floor[term.name, default: 0] += floor * share }
            let weighted = try value * term.weight
            sum = try sum.map { try $0 + weighted } ?? weighted
        }
        guard let sum else {
            throw TrainingError.nothingToTrainOn(
                what: "a batch gave no loss; it needs two captions, two photos of one item or a teacher")
        }
        report.cosine += try batch.meanCosine() * share
        return sum
    }
}

extension LossBatch {
    /// Mean cosine of two different views: (‖Σ z‖² − n) / (n (n − 1)).
    fileprivate func meanCosine() throws -> Double {
        let n = Double(items.count)
        guard n > 1 else { return 0 }
        return try withoutGradients {
            let sum = try images.sum([0])
            return (try (sum * sum).sum().item() - n) / (n * (n - 1))
        }
    }
}
