public import Torch

/// Staying near the weights that training began with: half the squared distance to them, L²-SP of Li et al. 2018 (arXiv:1802.01483, eq. 5;
/// its α is the weight of the term). The losses' own tensors have no beginning to stay near, and are left alone.
public struct WeightDrift: LossTerm {
    /// - Parameters: weights and what they were (w, w⁰), pairs of one shape.
    /// - Returns: a scalar, ½ Σ (w − w⁰)².
    public static func loss(_ weights: [(now: Tensor, start: Tensor)]) throws -> Tensor? {
        try weights.reduce(nil as Tensor?) { sum, weight in
            let difference = try weight.now - weight.start
            let squares = try (difference * difference).sum() * 0.5
            return try sum.map { try $0 + squares } ?? squares
        }
    }
}

extension WeightDrift {
    private enum Only: String, CaseIterable { case weights }

    init(_ form: RecipeForm, _ value: Self?) throws(TrainingError) {
        self.init()
        try form.onlySide(Only.weights)
    }

    var takesPrefixes: Bool { false }

    func addTensors(to heads: HeadScope, _ setting: LossSetting) throws {
        for (name, weight) in setting.weights { try heads.addRemembered(name, weight) }
    }

    func value(_ batch: LossBatch, _ heads: HeadScope) throws -> Tensor? {
        try Self.loss(batch.weights.map { (now: $0.tensor, start: try heads.tensor($0.name)) })
    }
}
