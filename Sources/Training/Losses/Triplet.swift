import Foundation
public import Torch

/// Triplet loss on Euclidean distances of unit vectors: an anchor's positive is to lie nearer than its negative, by a margin.
public struct Triplet: LossTerm {
    /// Which triplets of a batch count.
    public enum Mining: String, Sendable, CaseIterable {
        /// One for every anchor: its farthest positive and its nearest negative (Hermans et al. 2017, arXiv:1703.07737, eq. 5).
        case batchHard = "batch-hard"
        /// All whose negative is farther than the positive, but by no more than the margin (Schroff et al. 2015, arXiv:1503.03832, eq. 4).
        case semiHard = "semi-hard"
    }

    /// How much a triplet costs whose positive is farther than its negative by x.
    public enum Margin: Sendable, Equatable {
        /// max(0, x + m)
        case hard(Double)
        /// ln(1 + eˣ), which never quite rests (Hermans et al., section 2).
        case soft
    }

    /// The columns that positives agree in.
    public var by: [String]
    public var on: LossSide
    public var mining: Mining
    public var margin: Margin
    /// Vectors of earlier batches that are compared with too (see `VectorMemory`).
    public var memory = 0

    /// - Parameters: vectors `[n, d]`, L2-normalised; labels `[n]`; others, `[m, d]`, L2-normalised, with their labels: positives and
    ///   negatives, and no anchors. Semi-hard mining needs a hard margin, whose band it mines.
    /// - Returns: a scalar, the mean over the mined triplets, those of no cost included; nil where there are none.
    public static func loss(
        _ vectors: Tensor, labels: [Int], mining: Mining, margin: Margin, others: (vectors: Tensor, labels: [Int])? = nil
    ) throws -> Tensor? {
        let all = labels + (others?.labels ?? [])
        let candidates = try others.map { try .concatenated([vectors, $0.vectors]) } ?? vectors
        // |a − b|² = 2 − 2cos; at 0 the root's slope is infinite.
        let distances = try (vectors.matmul(candidates.transposed()) * -2 + 2).clamped(1e-12...4).sqrt()
        let known = try withoutGradients { try distances.floats() }
        let triplets = mine(known, labels: all, anchors: labels.count, mining: mining, margin: margin)
        if triplets.isEmpty { return nil }
        let flat = try distances.reshaped([labels.count * all.count])
        let difference =
            try LossBatch.rows(triplets.map { $0.anchor * all.count + $0.positive }, of: flat)
            - LossBatch.rows(triplets.map { $0.anchor * all.count + $0.negative }, of: flat)
        switch margin {
        case .hard(let margin): return try (difference + margin).relu().mean()
        case .soft: return try Tensor.stacked([difference * 0, difference]).logSumExp([0]).mean()
        }
    }

    /// - Parameter distances: `[anchors, n]`, row by row; the anchors are the first of the n.
    static func mine(_ distances: [Float], labels: [Int], anchors: Int, mining: Mining, margin: Margin) -> [(
        anchor: Int, positive: Int, negative: Int
    )] {
        let n = labels.count
        var triplets: [(anchor: Int, positive: Int, negative: Int)] = []
        for anchor in 0..<anchors {
            let row = distances[(anchor * n)..<((anchor + 1) * n)]
            func distance(_ other: Int) -> Float { row[anchor * n + other] }
            let positives = labels.indices.filter { $0 != anchor && labels[$0] == labels[anchor] }
            let negatives = labels.indices.filter { labels[$0] != labels[anchor] }
            switch (mining, margin) {
            case (.semiHard, .hard(let margin)):
                for positive in positives {
                    for negative in negatives {
                        let gap = distance(negative) - distance(positive)
                        if gap > 0 && gap <= Float(margin) { triplets.append((anchor, positive, negative)) }
                    }
                }
            case (.batchHard, _), (.semiHard, .soft):
                guard let positive = positives.max(by: { distance($0) < distance($1) }),
                    let negative = negatives.min(by: { distance($0) < distance($1) })
                else { continue }
                triplets.append((anchor, positive, negative))
            }
        }
        return triplets
    }
}

extension Triplet {
    /// `soft_margin` true takes the place of `margin`, for batch-hard mining alone: without a margin there is no band to mine.
    init(_ form: RecipeForm, _ value: Self?) throws(TrainingError) {
        by = try form.labelColumns(value?.by)
        on = try form.side(value?.on)
        mining = try form.choice("mining", value?.mining, default: .batchHard)
        var known: Double?
        if case .hard(let margin)? = value?.margin { known = margin }
        let isSoft = mining == .batchHard ? try form.flag("soft_margin", value.map { $0.margin == .soft }, default: false) : false
        margin = isSoft ? .soft : .hard(try form.number("margin", known, in: 0...2, default: 0.2))
        memory = try form.integer("memory", value?.memory, in: 0...1_000_000, default: 0)
    }

    var needsTexts: Bool { on == .imageText }
    var labelColumns: [String]? { by }

    func addTensors(to heads: HeadScope, _ setting: LossSetting) throws {
        try VectorMemory.add(to: heads, size: memory, dimension: setting.embedding)
    }

    func value(_ batch: LossBatch, _ heads: HeadScope) throws -> Tensor? {
        let vectors = try batch.vectors(on)
        let known = try memory > 0 ? VectorMemory(heads, dimension: vectors.size(1)) : nil
        return try Self.loss(
            vectors, labels: batch.labels(by: by, on), mining: mining, margin: margin,
            others: known.map { (vectors: $0.vectors, labels: $0.labels) })
    }

    func remember(_ batch: LossBatch, _ heads: HeadScope) throws {
        if memory > 0 { try VectorMemory.put(batch.vectors(on), labels: batch.labels(by: by, on), in: heads) }
    }

    /// No positive nearer than a negative, none farther.
    func chance(_ batch: LossBatch, _ heads: HeadScope) -> Double? {
        switch margin {
        case .hard(let margin): mining == .batchHard && margin > 0 ? margin : nil
        case .soft: log(2)
        }
    }

    /// Every positive nearer than every negative, by the margin.
    func floor(_ batch: LossBatch, _ heads: HeadScope) -> Double? {
        if case .hard = margin { 0 } else { nil }
    }
}
