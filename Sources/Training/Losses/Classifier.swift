import Foundation
import Torch

/// BNNeck of Luo et al. 2019 (arXiv:1903.07071, section 3.4): a batch norm between the embedding and a classifier. What a classifier asks
/// for and what distances ask for then meet in two different spaces; the embedding that is kept is the one before the norm.
enum Neck {
    static let part = "neck"
    /// The classifier's own part.
    static let head = "head"

    /// - Parameters: features `[n, d]`, n ≥ 2; weight `[d]`. There is no bias, as in the paper.
    /// - Returns: `[n, d]`, of mean 0 and deviation `weight` over the batch. Running statistics would only be read at inference, where the
    ///   neck is gone.
    static func normed(_ features: Tensor, weight: Tensor) throws -> Tensor {
        let size = features.size(1)
        let (zeros, ones) = (try Tensor.zeros([size]).to(features.device), try Tensor.ones([size]).to(features.device))
        return try features.batchNorm(
            weight: weight, bias: Tensor.zeros([size]).to(features.device), mean: zeros, variance: ones, training: true, eps: 1e-5
        )
    }
}

/// A loss of a classifier over all labels of the data: it owns one row of weights per label, and a neck's weight where there is one.
protocol ClassifierTerm: LossTerm {
    /// The columns that make a label.
    var by: [String] { get }
    var on: LossSide { get }
    /// Whether a batch norm stands between the embedding and the classifier (see `Neck`).
    var neck: Bool { get }
    /// Whether the vectors are brought to unit length before anything else.
    var normalized: Bool { get }

    /// - Parameters: features `[n, d]`, of any length; labels `[n]`; weight `[classes, d]`.
    /// - Returns: a scalar, the mean over the rows.
    func loss(_ features: Tensor, labels: [Int], weight: Tensor) throws -> Tensor
}

extension ClassifierTerm {
    var needsTexts: Bool { on == .imageText }
    var labelColumns: [String]? { by }
    var ownsTensors: Bool { true }

    func addTensors(to heads: HeadScope, _ setting: LossSetting) throws {
        try heads.addClassifier(Neck.head, setting, neck: neck)
    }

    func value(_ batch: LossBatch, _ heads: HeadScope) throws -> Tensor? {
        let vectors = try normalized ? batch.vectors(on) : batch.towerVectors(on)
        return try loss(
            heads.necked(vectors, neck: neck), labels: batch.labels(by: by, on),
            weight: heads.tensor(Neck.head, prefix: vectors.size(1)))
    }

    func chance(_ batch: LossBatch, _ heads: HeadScope) throws -> Double? {
        log(Double(try heads.tensor(Neck.head).size(0)))
    }
}

extension HeadScope {
    /// The tensors of a classifier: one row of `classes` per label, and a neck's weight where there is one.
    func addClassifier(_ part: String, _ setting: LossSetting, neck: Bool = false) throws {
        guard setting.classes > 1 else {
            throw TrainingError.nothingToTrainOn(
                what: "the loss \(name) tells labels apart, and the data has \(setting.classes)")
        }
        try addNormal(part, shape: [setting.classes, setting.embedding], deviation: 1 / Double(setting.embedding).squareRoot())
        if neck { try addOnes(Neck.part, shape: [setting.embedding]) }
    }

    /// What a classifier is given: `features` `[n, d]`, behind the neck where there is one.
    func necked(_ features: Tensor, neck: Bool) throws -> Tensor {
        neck ? try Neck.normed(features, weight: tensor(Neck.part, prefix: features.size(1))) : features
    }
}

extension Tensor {
    /// `[n, 1]`, int64, where this tensor lies.
    func column(_ labels: [Int]) throws -> Tensor {
        try Tensor(labels.map(Int64.init), shape: [labels.count, 1]).to(device)
    }

    /// Of `[n, classes]`: true where the class is the row's label.
    func isLabel(_ labels: [Int]) throws -> Tensor {
        try Tensor.range(0..<size(1)).to(device).equal(to: column(labels))
    }
}
