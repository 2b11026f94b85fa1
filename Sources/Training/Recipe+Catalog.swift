public import Catalog

extension Recipe {
    /// A sensible recipe for a shop's own catalogue, where nobody has written one: goes on from a shipped model, with the model itself as the
    /// teacher that keeps it from forgetting what it knows of other photographs.
    ///
    /// How much is trained and for how long follows the number of products with two images and more: few of them teach little before they are
    /// known by heart.
    /// - Parameters:
    ///   - dataset: as `CatalogStore.dataset` reads it.
    ///   - start: a model folder, a run, or the name of a shipped model.
    /// - Throws: `.nothingToTrainOn` where the catalogue can't teach.
    public init(for dataset: Dataset, start: String, shippedModels: [String: String] = [:]) throws(TrainingError) {
        let rows = TrainingData.rows(of: dataset)
        let counts = rows.reduce(into: [String: Int]()) { $0[$1.productID, default: 0] += 1 }
        let garments = counts.values.count { $0 > 1 }
        let singles = counts.count - garments
        guard garments >= 2 else {
            throw .nothingToTrainOn(
                what:
                    "the catalogue has \(garments) products with two images and more to train on; give products several pictures (views, colours), since they teach what a product has in common"
            )
        }
        // A sixth of the products a batch, so that a batch's negatives differ from step to step.
        let items = max(2, min(24, garments / 6 * 2))
        let crops = min(singles, items / 3)
        let photos = rows.count { counts[$0.productID, default: 0] > 1 } + singles
        let views = 2 * (items + crops)
        let epochs = garments < 50 ? 6 : garments < 500 ? 10 : 8
        let steps = max(8, (photos + views - 1) / views)
        let hasTexts = rows.contains { row in Self.captionsForAnyone.contains { CaptionTemplate($0).filled(for: row) != nil } }
        name = "catalogue"
        description =
            "Fine-tunes \(start) on a catalogue: photos of one product are to lie together, and what the model knew is to stay."
        seed = 7
        self.start = .model(start)
        // Few products would bend all of a model to themselves.
        trainable =
            garments < 50 ? ["visual.attnpool", "visual.proj", "visual.ln_post", "visual.head", "visual.trunk.conv_head"] : [""]
        batchNormFrozen = true
        precision = .float32
        batch = Batch(items: items, views: 2, singles: crops)
        self.epochs = epochs
        stepsPerEpoch = steps
        optimizer = Optimizer(
            rate: 1e-4, decay: 0.05, beta1: 0.9, beta2: 0.98, eps: 1e-6, clipNorm: 5, accumulate: 1, layerDecay: 1,
            schedule: .cosine(WarmupCosine(warmup: min(20, steps), final: 0.01)), groups: [], heads: 1, ema: 0)
        losses = [
            Loss(kind: .supCon(SupCon(by: LossBatch.product, on: .image, temperature: 0.1)), weight: 1, name: "supcon"),
            Loss(kind: .teacherRelations(TeacherRelations()), weight: 12, name: "teacher_relations"),
        ]
        if hasTexts && garments >= 50 { losses.append(Loss(kind: .infoNCE(InfoNCE()), weight: 0.3, name: "info_nce")) }
        augmentation = Augmentation(
            area: 0.4...1, aspect: 0.75...1.33, flip: 0.5, brightness: 0.2, contrast: 0.2, saturation: 0.2, hue: 0.03, gray: 0.05,
            color: 0.6)
        captions = Self.captionsForAnyone
        captionChoice = .random
        validation = [Figure(relevantBy: "product_id")]
        selection = Selection(metric: Selection.score, mode: .max)
        earlyStopping = EarlyStopping(patience: 3, atLeast: 3)
        keep = 0
        teacher = start
        self.shippedModels = shippedModels
    }

    private static let captionsForAnyone = [
        "{caption}", "a photo of {category} in {color}", "a photo of {category}", "{title}",
    ]
}
