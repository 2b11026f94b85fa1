public import CLIP
import Foundation
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
    /// For the image–text term: views, at most one of an item, and their captions' rows in `tokens`.
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
    public let model: CLIPModel
    public let optimizer: AdamW
    private let recipe: Recipe
    private let schedule: WarmupCosine
    private let device: Device
    /// From the embedding into the teacher's space; trained along and thrown away.
    public let teacherHead: Tensor?
    /// Whether the weights, and the statistics of batch norms, are those after a whole step: what an error within a step may leave otherwise.
    public private(set) var isWhole = true

    /// - Parameter teacherSize: dimension of the teacher's vectors; 0 without a teacher.
    public init(model: CLIPModel, recipe: Recipe, teacherSize: Int, device: Device) throws {
        self.model = model
        self.recipe = recipe
        self.device = device
        schedule = WarmupCosine(warmup: recipe.optimizer.warmupSteps, total: recipe.steps, final: recipe.optimizer.finalFactor)
        var slots: [AdamW.Slot] = []
        for (name, parameter) in model.store.parameters where recipe.trainable.contains(where: name.hasPrefix) {
            try parameter.setRequiresGradient(true)
            // No decay on norms, biases and the logit scale: they have one dimension or none.
            slots.append(.init(name: name, parameter: parameter, decay: parameter.shape.count > 1 ? recipe.optimizer.decay : 0))
        }
        guard !slots.isEmpty else {
            throw TrainingError.nothingToTrainOn(what: "no parameter begins with \(recipe.trainable.joined(separator: " or "))")
        }
        if teacherSize > 0 && recipe.losses.teacher > 0 {
            let size = model.configuration.embeddingSize
            let values = Self.normal(teacherSize * size, deviation: 1 / Double(size).squareRoot(), seed: recipe.seed)
            let leaf = try Tensor(values, shape: [teacherSize, size]).to(device)
            try leaf.setRequiresGradient(true)
            slots.append(.init(name: "teacher_head", parameter: leaf, decay: recipe.optimizer.decay))
            teacherHead = leaf
        } else {
            teacherHead = nil
        }
        let settings = recipe.optimizer
        optimizer = try AdamW(slots, beta1: settings.beta1, beta2: settings.beta2, eps: settings.eps)
    }

    /// Normal numbers around 0 (Box & Muller 1958), the seed's own whatever else has drawn from torch's generator.
    private static func normal(_ count: Int, deviation: Double, seed: UInt64) -> [Float] {
        var generator = SeededGenerator(seed: seed, 5)
        return (0..<count).map { _ in
            let radius = (-2 * log(1 - Double.random(in: 0..<1, using: &generator))).squareRoot()
            return Float(deviation * radius * cos(2 * .pi * Double.random(in: 0..<1, using: &generator)))
        }
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
        let rate = recipe.optimizer.rate * schedule.factor(step: step)
        isWhole = false
        try optimizer.step(rate: rate)
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
        let side = model.configuration.resolution
        let pixels =
            try batch.squares?.tensor(on: device)
            ?? Tensor(batch.pixels, shape: [batch.items.count, 3, side, side]).to(device)
        let images = try inPrecision { try model.encodeImages(pixels, recipe.batchNormFrozen ? .evaluate : .train) }.normalized()
        let weights = recipe.losses
        var sum: Tensor?
        var terms: [String: Double] = [:]
        func add(_ name: String, _ weight: Double, _ term: () throws -> Tensor) throws {
            guard weight > 0 else { return }
            let value = try term()
            terms[name] = try value.item()
            let weighted = try value * weight
            sum = try sum.map { try $0 + weighted } ?? weighted
        }
        if batch.captioned.count > 1 {
            try add("image_text", weights.imageText) {
                let context = model.configuration.text.contextLength
                let ids = try Tensor(batch.tokens, shape: [batch.tokens.count / context, context])
                let texts = try inPrecision { try model.encodeTexts(ids.to(device)) }.normalized()
                let captions = batch.captioned.map(\.caption)
                return try InfoNCE.loss(
                    images: images.rows(Tensor(batch.captioned.map { Int64($0.view) }, shape: [captions.count]).to(device)),
                    texts: texts.rows(Tensor(captions.map(Int64.init), shape: [captions.count]).to(device)), captions: captions,
                    logitScale: model.logitScale)
            }
        }
        if Set(batch.items).count < batch.items.count {
            try add("items", weights.items) {
                try SupCon.loss(images, labels: batch.items, temperature: weights.itemTemperature)
            }
        }
        if batch.taught.count > 1 {
            let count = batch.taught.count
            let teacher = try Tensor(batch.teacher, shape: [count, batch.teacher.count / count]).to(device)
            let images =
                count == batch.items.count
                ? images : try images.rows(Tensor(batch.taught.map(Int64.init), shape: [count]).to(device))
            if let teacherHead {
                try add("teacher", weights.teacher) {
                    try Teacher.regression(predicted: images.linear(teacherHead), teacher: teacher)
                }
            }
            try add("teacher_relations", weights.teacherRelations) { try Teacher.relations(student: images, teacher: teacher) }
        }
        guard let sum else {
            throw TrainingError.nothingToTrainOn(
                what: "a batch gave no loss; it needs two captions, two photos of one item or a teacher")
        }
        return (sum, terms)
    }
}
