import Torch

/// A kind of loss: its settings, what it needs of a batch, the tensors that it owns, and its value.
protocol LossTerm: Sendable, Equatable {
    /// Its keys in a recipe: reads `form` where `value` is nil, writes `value` otherwise.
    init(_ form: RecipeForm, _ value: Self?) throws(TrainingError)

    var needsTexts: Bool { get }
    var needsTeacher: Bool { get }
    /// The columns whose values make two photos alike to this loss; nil where it asks for no labels.
    var labelColumns: [String]? { get }
    var ownsTensors: Bool { get }

    /// Makes the tensors that are trained along with the model and left behind with the run.
    func addTensors(to heads: HeadScope, _ sizes: LossSizes) throws
    /// - Returns: a scalar, or nil where the batch holds nothing to compare.
    func value(_ batch: LossBatch, _ heads: HeadScope) throws -> Tensor?
}

extension LossTerm {
    var needsTexts: Bool { false }
    var needsTeacher: Bool { false }
    var labelColumns: [String]? { nil }
    var ownsTensors: Bool { false }
    func addTensors(to heads: HeadScope, _ sizes: LossSizes) throws {}
}

/// What the tensors of a loss depend on.
struct LossSizes {
    var embedding: Int
    /// 0 without a teacher.
    var teacher: Int
    /// Different labels in the whole data, for the loss's own columns; 0 for a loss without labels.
    var classes: Int
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
    /// The logarithm of the factor on the cosines of pictures and texts.
    let logitScale: Tensor

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
