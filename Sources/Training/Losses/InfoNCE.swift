import Foundation
public import Torch

/// Symmetric image–text loss, InfoNCE as CLIP uses it (Radford et al. 2021, arXiv:2103.00020, figure 3).
///
/// Rows whose captions are equal are positives of each other and share the target probability: row i's target for text j is
/// 1/|{j : caption j = caption i}| where the captions are equal and 0 elsewhere. With all captions distinct this is CLIP's loss.
public struct InfoNCE: LossTerm {
    /// - Parameters:
    ///   - images, texts: `[n, d]`, L2-normalised, row i of both belong together.
    ///   - captions: `[n]`, equal numbers for equal captions.
    ///   - logitScale: the logarithm of the factor on the cosines, a scalar; the factor is at most 100 as in the paper.
    /// - Returns: a scalar, the mean of both directions. At chance and with distinct captions it is ln n.
    public static func loss(images: Tensor, texts: Tensor, captions: [Int], logitScale: Tensor) throws -> Tensor {
        let n = captions.count
        var targets = [Float](repeating: 0, count: n * n)
        for i in 0..<n {
            let positives = captions.indices.filter { captions[$0] == captions[i] }
            for j in positives { targets[i * n + j] = 1 / Float(positives.count) }
        }
        let target = try Tensor(targets, shape: [n, n]).to(images.device)
        let logits = try images.matmul(texts.transposed()) * logitScale.exp().clamped(0...100)
        // The target is symmetric, so it serves both directions.
        let rows = try (target * logits.logSoftmax(1)).sum()
        let columns = try (target * logits.logSoftmax(0)).sum()
        return try -(rows + columns) / Double(2 * n)
    }
}

extension InfoNCE {
    private enum Only: String, CaseIterable { case imageText = "image-text" }

    init(_ form: RecipeForm, _ value: Self?) throws(TrainingError) {
        self.init()
        try form.onlySide(Only.imageText)
    }

    var needsTexts: Bool { true }

    func value(_ batch: LossBatch, _ heads: HeadScope) throws -> Tensor? {
        guard let texts = batch.texts else { return nil }
        return try Self.loss(
            images: LossBatch.rows(texts.views, of: batch.images), texts: texts.features.normalized(), captions: texts.captions,
            logitScale: batch.logitScale)
    }

    func chance(_ batch: LossBatch, _ heads: HeadScope) -> Double? { batch.texts.map { log(Double($0.captions.count)) } }
}
