import CLIP
import Foundation
import Torch

/// Prompts that depend on the picture: learned tokens, the same for all labels, to each of which a small network adds what it reads from the
/// picture's vector. Conditional prompt learning, CoCoOp of Zhou et al. 2022 (arXiv:2203.05557, section 3.2).
///
/// Every picture asks with texts of its own about every label of the batch, so a step costs pictures × labels passes of the text tower.
public struct DynamicPrompts: LossTerm {
    /// The columns that make a label.
    public var by: [String]
    /// With `{tokens}` where the learned tokens stand (v₁…v_M), and `{columns}` of the label's first photo.
    public var template: String
    /// Learned tokens (M).
    public var tokens: Int

    /// The network π = W₂ relu(W₁ x + b₁) + b₂ of the paper, with a bottleneck of d/16.
    /// - Parameters: images `[n, d]`, L2-normalised; down `[h, d]`, downBias `[h]`, up `[width, h]`, upBias `[width]`.
    /// - Returns: `[n, width]`, what is added to each token.
    static func shifts(_ images: Tensor, down: Tensor, downBias: Tensor, up: Tensor, upBias: Tensor) throws -> Tensor {
        try images.linear(down, downBias).relu().linear(up, upBias)
    }
}

extension DynamicPrompts {
    private enum Only: String, CaseIterable { case imageText = "image-text" }

    init(_ form: RecipeForm, _ value: Self?) throws(TrainingError) {
        let template = try form.string("template", value?.template, default: "{tokens} {category}")
        guard template.ranges(of: LabelTexts.tokens).count == 1 else {
            throw form.wrong("template", template, "a text with \(LabelTexts.tokens) once")
        }
        self.init(
            by: try form.oneOrMore("by", value?.by, default: ["category"]), template: template,
            tokens: try form.integer("tokens", value?.tokens, in: 1...64, default: 4))
        try form.onlySide(Only.imageText)
    }

    var labelColumns: [String]? { by }
    var needsLabelTexts: Bool { true }
    var ownsTensors: Bool { true }
    var takesPrefixes: Bool { false }

    func addTensors(to heads: HeadScope, _ setting: LossSetting) throws {
        let (width, size) = (setting.model.configuration.text.width, setting.embedding)
        let hidden = max(1, size / 16)
        try heads.add(setting.labelTexts(for: heads).prompted(template, by: by, count: tokens))
        try heads.addNormal("tokens", shape: [tokens, width], deviation: 0.02)
        try heads.addNormal("down", shape: [hidden, size], deviation: 1 / Double(size).squareRoot())
        try heads.addZeros("down_bias", shape: [hidden])
        try heads.addNormal("up", shape: [width, hidden], deviation: 0.02 / Double(hidden).squareRoot())
        try heads.addZeros("up_bias", shape: [width])
    }

    func value(_ batch: LossBatch, _ heads: HeadScope) throws -> Tensor? {
        let labels = try batch.labels(by: by, .image)
        let different = Array(Set(labels)).sorted()
        guard different.count > 1 else { return nil }
        let (n, m) = (labels.count, different.count)
        let shifts = try Self.shifts(
            batch.images, down: heads.tensor("down"), downBias: heads.tensor("down_bias"), up: heads.tensor("up"),
            upBias: heads.tensor("up_bias"))
        // [n, tokens, width], and each m times over: texts of picture 0 for all labels, then those of picture 1, …
        let width = shifts.size(1)
        let own = try heads.tensor("tokens").reshaped([1, tokens, width]) + shifts.reshaped([n, 1, width])
        let embeddings = try own.reshaped([n, 1, tokens, width]).expanded([n, m, tokens, width]).reshaped([n * m, tokens, width])
        let (ids, places) = try heads.prompted(different)
        let context = ids.size(1)
        let texts = try batch.model.encodeTexts(
            ids.reshaped([1, m, context]).expanded([n, m, context]).reshaped([n * m, context]), with: embeddings,
            at: (0..<n).flatMap { _ in places }
        ).normalized().reshaped([n, m, batch.images.size(1)])
        let cosines = try (texts * batch.images.reshaped([n, 1, batch.images.size(1)])).sum([2])
        let numbers = Dictionary(uniqueKeysWithValues: different.enumerated().map { ($1, $0) })
        return try CrossEntropy.loss(
            logits: cosines * batch.logitScale.exp().clamped(0...100), labels: labels.map { numbers[$0]! })
    }
}
