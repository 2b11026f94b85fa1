import CLIP
import Foundation
public import Torch

/// Every picture is to lie nearest to the text of its own label among the texts of all labels of the data: cross-entropy against frozen text
/// vectors, the image-to-text cross-entropy of CLIP-ReID (Li et al. 2023, arXiv:2211.13977, eq. 8).
///
/// Other than a batch's captions, all labels are negatives in every step.
public struct TextPrototypes: LossTerm {
    /// Where the labels' texts come from.
    public enum Source: String, Sendable, CaseIterable {
        /// The mean vector of all captions of a label.
        case captions
        /// The prompts that the run learned with which this one begins (`Prompts`).
        case learned
    }

    /// The columns that make a label.
    public var by: [String]
    public var source: Source
    /// Above 0; nil is the model's own logit scale, which is trained along where it is trainable.
    public var temperature: Double?
    /// ε of label smoothing, 0…1.
    public var smoothing: Double

    /// - Parameters: images `[n, d]` and prototypes `[p, d]`, L2-normalised, no two prototypes alike; rows `[n]`, each picture's prototype; scale,
    ///   the factor on the cosines, a scalar.
    /// - Returns: a scalar, the mean over the pictures. At chance it is ln p.
    public static func loss(images: Tensor, prototypes: Tensor, rows: [Int], scale: Tensor, smoothing: Double = 0) throws
        -> Tensor
    {
        try CrossEntropy.loss(logits: images.linear(prototypes) * scale, labels: rows, smoothing: smoothing)
    }
}

extension TextPrototypes {
    private enum Only: String, CaseIterable { case imageText = "image-text" }

    init(_ form: RecipeForm, _ value: Self?) throws(TrainingError) {
        self.init(
            by: try form.labelColumns(value?.by), source: try form.choice("source", value?.source, default: .captions),
            temperature: try form.optionalNumber("temperature", value?.temperature, in: 0.001...10),
            smoothing: try form.number("label_smoothing", value?.smoothing, in: 0...0.99, default: 0))
        try form.onlySide(Only.imageText)
    }

    var labelColumns: [String]? { by }
    var needsLabelTexts: Bool { true }

    /// Labels of equal texts share a prototype: nothing tells them apart.
    func addTensors(to heads: HeadScope, _ setting: LossSetting) throws {
        let textWeights = setting.weights.map(\.name).filter { !$0.hasPrefix("visual.") && !$0.hasPrefix("logit_") }
        if let name = textWeights.first {
            throw TrainingError.nothingToTrainOn(
                what: "the loss \(heads.name) takes the text tower to stay as it is, and \(name) is trained")
        }
        let (vectors, rows): (Tensor, [Int])
        switch source {
        case .captions:
            (vectors, rows) = try setting.labelTexts(for: heads).captionPrototypes(by: by, setting.model)
        case .learned:
            (vectors, rows) = try setting.learned.vectors(of: setting.labelTexts(for: heads).names(by: by), for: heads.name)
        }
        try heads.addRemembered("prototypes", vectors)
        try heads.addRemembered("rows", Tensor(rows.map(Float.init), shape: [rows.count]))
    }

    func value(_ batch: LossBatch, _ heads: HeadScope) throws -> Tensor? {
        let images = batch.images
        let size = images.size(1)
        let whole = try heads.tensor("prototypes")
        let prototypes = try whole.size(1) == size ? whole : whole.narrowed(1, start: 0, length: size).normalized()
        let rowOfLabel = try heads.tensor("rows").floats()
        return try Self.loss(
            images: images, prototypes: prototypes, rows: batch.labels(by: by, .image).map { Int(rowOfLabel[$0]) },
            scale: temperature.map { try Tensor(Float(1 / $0)).to(images.device) } ?? batch.logitScale.exp().clamped(0...100),
            smoothing: smoothing)
    }

    func chance(_ batch: LossBatch, _ heads: HeadScope) throws -> Double? {
        log(Double(try heads.tensor("prototypes").size(0)))
    }
}
