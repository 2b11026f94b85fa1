import CLIP
import Torch

/// The two towers as a step runs them: each once a batch, whatever the losses are, in the recipe's precision and in parts where it says so.
///
/// In parts, the vectors are made without keeping anything for the backward pass; the losses' gradient arrives at the vectors; and each part is run
/// once more to carry it on into the weights. The gradient is that of the whole batch: gradient caching, Gao et al. 2021 (arXiv:2101.06983,
/// section 3.2).
struct Towers {
    /// A batch's vectors, and what remains to be done once the losses' gradient has reached them.
    struct Encoding {
        let batch: LossBatch
        fileprivate let parts: [Parts]

        /// To be called after the losses' own backward pass.
        func backward() throws { for part in parts { try part.backward() } }
    }

    /// Vectors that were made part by part.
    fileprivate struct Parts {
        /// `[n, d]`, where the losses' gradient ends.
        let vectors: Tensor
        let ranges: [Range<Int>]
        let encode: (Range<Int>) throws -> Tensor

        func backward() throws {
            // No loss has asked for these vectors.
            guard let gradient = try vectors.gradient() else { return }
            for range in ranges {
                let part = try gradient.narrowed(0, start: range.lowerBound, length: range.count)
                // The scalar whose gradient is the vectors' own, weighted by what reached them.
                try (encode(range) * part).sum().backward()
            }
        }
    }

    private let model: CLIPModel
    private let recipe: Recipe
    private let device: Device
    private let trains: (images: Bool, texts: Bool)

    init(_ model: CLIPModel, _ recipe: Recipe, device: Device) {
        self.model = model
        self.recipe = recipe
        self.device = device
        let trained = model.store.parameters.map(\.name).filter { name in recipe.trainable.contains { name.hasPrefix($0) } }
        let images = trained.contains { $0.hasPrefix("visual.") }
        trains = (images, trained.contains { !$0.hasPrefix("visual.") && !$0.hasPrefix("logit_") })
    }

    func encode(_ batch: TrainingBatch, weights: [(name: String, tensor: Tensor)]) throws -> Encoding {
        var parts: [Parts] = []
        let features = try imageFeatures(of: batch, &parts)
        var texts: LossBatch.Texts?
        if recipe.needsTexts && batch.captioned.count > 1 {
            let context = model.configuration.text.contextLength
            let ids = try Tensor(batch.tokens, shape: [batch.tokens.count / context, context]).to(device)
            let captions = batch.captioned.map(\.caption)
            let different = try vectors(of: ids, isTrained: trains.texts, &parts) { try model.encodeTexts($0) }
            texts = .init(
                features: try LossBatch.rows(captions, of: different), views: batch.captioned.map(\.view), captions: captions)
        }
        var teacher: LossBatch.Teacher?
        if batch.taught.count > 1 {
            let count = batch.taught.count
            let vectors = try Tensor(batch.teacher, shape: [count, batch.teacher.count / count]).to(device)
            teacher = .init(vectors: vectors, views: batch.taught)
        }
        let vectors = LossBatch(
            features: features, images: try features.normalized(), texts: texts, teacher: teacher, items: batch.items,
            otherLabels: batch.labels, model: model, weights: weights)
        return Encoding(batch: vectors, parts: parts)
    }

    /// - Returns: `[n, d]`.
    private func imageFeatures(of batch: TrainingBatch, _ parts: inout [Parts]) throws -> Tensor {
        let count = batch.items.count
        guard batch.features.isEmpty else {
            return try Tensor(batch.features, shape: [count, batch.features.count / count]).to(device)
        }
        let side = model.configuration.resolution
        let pixels = try batch.squares?.tensor(on: device) ?? Tensor(batch.pixels, shape: [count, 3, side, side]).to(device)
        return try vectors(of: pixels, isTrained: trains.images, &parts) {
            try model.encodeImages($0, recipe.batchNormFrozen ? .evaluate : .train)
        }
    }

    /// - Returns: `[n, d]`, float32 for the losses, whatever the tower is computed in.
    private func vectors(
        of inputs: Tensor, isTrained: Bool, _ parts: inout [Parts], _ tower: @escaping (Tensor) throws -> Tensor
    ) throws -> Tensor {
        func encode(_ inputs: Tensor) throws -> Tensor {
            switch recipe.precision {
            case .float32: try tower(inputs)
            case .bfloat16: try withPrecision(.bfloat16, on: device) { try tower(inputs) }
            }
        }
        let (count, size) = (inputs.size(0), recipe.batch.chunk)
        guard size > 0 && size < count else { return try encode(inputs) }
        let ranges = stride(from: 0, to: count, by: size).map { $0..<min($0 + size, count) }
        let part = { (range: Range<Int>) in
            try encode(inputs.narrowed(0, start: range.lowerBound, length: range.count))
        }
        let vectors = try withoutGradients { try Tensor.concatenated(ranges.map(part)) }
        guard isTrained else { return vectors }
        try vectors.setRequiresGradient(true)
        parts.append(Parts(vectors: vectors, ranges: ranges, encode: part))
        return vectors
    }
}
