import CLIP
import Torch

/// A kind of loss: its settings, what it needs of a batch, the tensors that it owns, and its value.
protocol LossTerm: Sendable, Equatable {
    /// Its keys in a recipe: reads `form` where `value` is nil, writes `value` otherwise.
    init(_ form: RecipeForm, _ value: Self?) throws(TrainingError)

    var needsTexts: Bool { get }
    var needsTeacher: Bool { get }
    /// Whether the labels have to have texts of their own (see `LabelTexts`).
    var needsLabelTexts: Bool { get }
    /// The columns whose values make two photos alike to this loss; nil where it asks for no labels.
    var labelColumns: [String]? { get }
    /// Whether it trains tensors of its own.
    var ownsTensors: Bool { get }
    /// Whether it may be taken on beginnings of the vectors (`Recipe.Loss.prefixes`).
    var takesPrefixes: Bool { get }

    /// Makes the tensors that are trained along with the model and left behind with the run, and those that the loss remembers.
    func addTensors(to heads: HeadScope, _ setting: LossSetting) throws
    /// - Returns: a scalar, or nil where the batch holds nothing to compare.
    func value(_ batch: LossBatch, _ heads: HeadScope) throws -> Tensor?
    /// After the update: what is to be known of this batch later.
    func remember(_ batch: LossBatch, _ heads: HeadScope) throws
    /// What the loss is worth where the vectors tell nothing apart; nil where that is not one number.
    func chance(_ batch: LossBatch, _ heads: HeadScope) throws -> Double?
    /// The least that the loss can be for this batch, with perfect vectors; nil where that is not known.
    func floor(_ batch: LossBatch, _ heads: HeadScope) throws -> Double?
    /// Vectors `[classes, d]` of texts that were learned for the labels, to be kept with the model; nil where none are.
    func learnedPrototypes(_ heads: HeadScope, _ setting: LossSetting) throws -> Tensor?
}

extension LossTerm {
    var needsTexts: Bool { false }
    var needsTeacher: Bool { false }
    var needsLabelTexts: Bool { false }
    var labelColumns: [String]? { nil }
    var ownsTensors: Bool { false }
    var takesPrefixes: Bool { true }
    func addTensors(to heads: HeadScope, _ setting: LossSetting) throws {}
    func remember(_ batch: LossBatch, _ heads: HeadScope) throws {}
    func chance(_ batch: LossBatch, _ heads: HeadScope) throws -> Double? { nil }
    func floor(_ batch: LossBatch, _ heads: HeadScope) throws -> Double? { nil }
    func learnedPrototypes(_ heads: HeadScope, _ setting: LossSetting) throws -> Tensor? { nil }
}

/// What a loss finds at the beginning of a run.
struct LossSetting {
    var model: CLIPModel
    /// What is trained of the model.
    var weights: [(name: String, tensor: Tensor)] = []
    /// Dimension of the teacher's vectors; 0 without a teacher.
    var teacher = 0
    /// Different labels in the whole data, for the loss's own columns; 0 for a loss without labels.
    var classes = 0
    /// nil without a vocabulary, or where no loss asks.
    var texts: LabelTexts?
    /// The learned prototypes of the model that the run began with, and where they were looked for.
    var learned: LearnedPrototypes.Found = .init(path: "", prototypes: nil)

    var embedding: Int { model.configuration.embeddingSize }

    func labelTexts(for heads: HeadScope) throws -> LabelTexts {
        guard let texts else {
            throw TrainingError.nothingToTrainOn(what: "the loss \(heads.name) reads texts and the model has no vocabulary")
        }
        return texts
    }
}

/// Which vectors a loss compares.
public enum LossSide: String, Sendable, CaseIterable {
    case image
    /// The texts too, each under the label of its photo. A text stands once for every photo that it captions.
    case imageText = "image-text"
}

/// One step's vectors, and what is known about them.
struct LossBatch {
    /// Captions of some views, one row for each.
    struct Texts {
        /// `[m, d]`, as the tower gives them.
        let features: Tensor
        /// The view that each row belongs to.
        let views: [Int]
        /// Equal numbers for equal captions.
        let captions: [Int]
    }

    /// Another model's vectors of some views.
    struct Teacher {
        /// `[t, size]`, L2-normalised.
        let vectors: Tensor
        let views: [Int]
    }

    /// `[n, d]`, as the tower gives them.
    let features: Tensor
    /// `[n, d]`, L2-normalised.
    let images: Tensor
    /// nil where fewer than two views have a caption, or no loss reads any.
    let texts: Texts?
    /// nil where the teacher saw fewer than two views.
    let teacher: Teacher?
    /// The item of each view.
    let items: [Int]
    /// The labels of the views by other columns than the product's.
    let otherLabels: [[String]: [Int]]
    let model: CLIPModel
    /// What is trained of the model.
    var weights: [(name: String, tensor: Tensor)] = []

    /// The logarithm of the factor on the cosines of pictures and texts.
    var logitScale: Tensor { model.logitScale }

    /// The same batch, of every vector the first `size` numbers.
    func prefix(_ size: Int) throws -> LossBatch {
        func start(_ tensor: Tensor) throws -> Tensor { try tensor.narrowed(1, start: 0, length: size) }
        let features = try start(features)
        return LossBatch(
            features: features, images: try features.normalized(),
            texts: try texts.map { .init(features: try start($0.features), views: $0.views, captions: $0.captions) },
            teacher: teacher, items: items, otherLabels: otherLabels, model: model, weights: weights)
    }

    /// `[n, d]` or, with texts, `[n + m, d]`, L2-normalised.
    func vectors(_ side: LossSide) throws -> Tensor {
        guard side == .imageText, let texts else { return images }
        return try .concatenated([images, texts.features.normalized()])
    }

    /// As `vectors`, of the length that the towers gave them.
    func towerVectors(_ side: LossSide) throws -> Tensor {
        guard side == .imageText, let texts else { return features }
        return try .concatenated([features, texts.features])
    }

    /// The labels of the rows of `vectors`.
    func labels(by columns: [String], _ side: LossSide) throws -> [Int] {
        guard let labels = columns == Self.product ? items : otherLabels[columns] else {
            throw TrainingError.nothingToTrainOn(what: "a batch has no labels by \(columns.joined(separator: ", "))")
        }
        guard side == .imageText, let texts else { return labels }
        return labels + texts.views.map { labels[$0] }
    }

    /// What photos of one product have in common.
    static let product = ["product_id"]

    /// The rows of `tensor` that `places` names.
    static func rows(_ places: [Int], of tensor: Tensor) throws -> Tensor {
        try tensor.rows(Tensor(places.map(Int64.init), shape: [places.count]).to(tensor.device))
    }
}
