import CLIP
import Foundation
import TensorFiles
public import Torch

/// Learns what to call each label: tokens of its own in a prompt, so that its text finds its pictures and they find it. The first stage of
/// CLIP-ReID (Li et al. 2023, arXiv:2211.13977, eq. 5–6); `TextPrototypes` with source `learned` is its second.
///
/// The model itself stays as it is; what is learned is kept beside it (`LearnedPrototypes`).
public struct Prompts: LossTerm {
    /// The columns that make a label.
    public var by: [String]
    /// With `{tokens}` where the learned tokens stand, and `{columns}` of the label's first photo.
    public var template: String
    /// Learned tokens of each label (M).
    public var tokens: Int

    /// Supervised contrast between pictures and texts, in both directions; a row's positives share its target equally.
    /// - Parameters: images and texts `[n, d]`, L2-normalised, row i of both has label i; scale, the factor on the cosines.
    /// - Returns: a scalar, the mean of both directions. At chance it is ln n.
    public static func loss(images: Tensor, texts: Tensor, labels: [Int], logScale: Tensor) throws -> Tensor {
        // Rows of one label are positives, as rows of one caption are.
        try InfoNCE.loss(images: images, texts: texts, captions: labels, logitScale: logScale)
    }
}

extension Prompts {
    private enum Only: String, CaseIterable { case imageText = "image-text" }

    init(_ form: RecipeForm, _ value: Self?) throws(TrainingError) {
        let template = try form.string("template", value?.template, default: "a photo of a {tokens} garment")
        guard template.ranges(of: LabelTexts.tokens).count == 1 else {
            throw form.wrong("template", template, "a text with \(LabelTexts.tokens) once")
        }
        self.init(
            by: try form.labelColumns(value?.by), template: template,
            tokens: try form.integer("tokens", value?.tokens, in: 1...64, default: 4))
        try form.onlySide(Only.imageText)
    }

    var labelColumns: [String]? { by }
    var needsLabelTexts: Bool { true }
    var ownsTensors: Bool { true }
    var takesPrefixes: Bool { false }

    func addTensors(to heads: HeadScope, _ setting: LossSetting) throws {
        let texts = try setting.labelTexts(for: heads).prompted(template, by: by, count: tokens)
        let width = setting.model.configuration.text.width
        try heads.addNormal("tokens", shape: [texts.ids.count, tokens, width], deviation: 0.02)
        try heads.add(texts)
    }

    func value(_ batch: LossBatch, _ heads: HeadScope) throws -> Tensor? {
        let labels = try batch.labels(by: by, .image)
        let different = Array(Set(labels)).sorted()
        guard different.count > 1 else { return nil }
        let places = Dictionary(uniqueKeysWithValues: different.enumerated().map { ($1, $0) })
        let texts = try encoded(different, heads, batch.model).normalized()
        return try Self.loss(
            images: batch.images, texts: LossBatch.rows(labels.map { places[$0]! }, of: texts), labels: labels,
            logScale: batch.logitScale)
    }

    func chance(_ batch: LossBatch, _ heads: HeadScope) -> Double? { log(Double(batch.items.count)) }

    func learnedPrototypes(_ heads: HeadScope, _ setting: LossSetting) throws -> Tensor? {
        let count = try heads.tensor("tokens").size(0)
        return try withoutGradients {
            try .concatenated(
                stride(from: 0, to: count, by: 64).map {
                    try encoded(Array($0..<min($0 + 64, count)), heads, setting.model).normalized()
                })
        }
    }

    private func encoded(_ labels: [Int], _ heads: HeadScope, _ model: CLIPModel) throws -> Tensor {
        let (ids, places) = try heads.prompted(labels)
        return try model.encodeTexts(ids, with: LossBatch.rows(labels, of: heads.tensor("tokens")), at: places)
    }
}

extension HeadScope {
    /// Keeps texts with room for learned tokens. They stand as float32, which counts to 16,777,216.
    func add(_ texts: LabelTexts.Prompted) throws {
        func matrix(_ rows: [[Int]]) throws -> Tensor {
            try Tensor(rows.flatMap { $0.map(Float.init) }, shape: [rows.count, rows[0].count])
        }
        try addRemembered("ids", matrix(texts.ids.map { $0.map(Int.init) }))
        try addRemembered("places", matrix(texts.places))
    }

    /// The texts of some labels.
    /// - Returns: ids int64 `[labels, context]`, and the places of the learned tokens in each.
    func prompted(_ labels: [Int]) throws -> (ids: Tensor, places: [[Int]]) {
        let rows = try LossBatch.rows(labels, of: tensor("places"))
        let width = rows.size(1)
        let places = try rows.floats().map { Int($0) }
        return (
            try LossBatch.rows(labels, of: tensor("ids")).to(.int64),
            labels.indices.map { Array(places[$0 * width..<($0 + 1) * width]) }
        )
    }
}
