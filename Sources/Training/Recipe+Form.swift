import CLIP
public import Foundation

extension Recipe {
    /// Reads a recipe file, or the `recipe.json` of a run.
    /// - Parameter shippedModels: path by name.
    /// - Throws: `TrainingError` naming the file and the key: unknown, missing, or out of range.
    public init(path: String, shippedModels: [String: String] = [:]) throws(TrainingError) {
        self = try Recipe.read(path: path, shippedModels: shippedModels).recipe
    }

    /// - Returns: also whether the file was written by a version that had another form for runs than for recipes.
    static func read(path: String, shippedModels: [String: String] = [:]) throws(TrainingError) -> (
        recipe: Recipe, isOfEarlierRun: Bool
    ) {
        let form = try RecipeForm(path: path)
        let isOfEarlierRun = form.becomesRecipe()
        var recipe = try Recipe(form, nil)
        try form.close()
        recipe.shippedModels = shippedModels
        recipe.folder = URL(fileURLWithPath: path).deletingLastPathComponent().path
        return (recipe, isOfEarlierRun)
    }

    /// Everything that the recipe says, without gaps, as `init(path:)` reads it.
    func object() throws(TrainingError) -> [String: Any] {
        let form = RecipeForm()
        _ = try Recipe(form, self)
        return form.object
    }

    /// `object` as JSON with sorted keys.
    public func json() throws -> Data {
        try JSONSerialization.data(withJSONObject: object(), options: [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes])
    }

    /// The one description of a recipe's keys: reads `form` where `value` is nil, writes `value` otherwise.
    private init(_ form: RecipeForm, _ value: Recipe?) throws(TrainingError) {
        name = try form.string("name", value?.name)
        description = try form.string("description", value?.description, default: "")
        seed = UInt64(try form.integer("seed", value.map { Int($0.seed) }, in: 0...Int(Int32.max), default: 0))
        guard let start = try form.section("model", value?.start, Start.described) else { throw form.missing("model") }
        self.start = start
        trainable = try form.strings("trainable", value?.trainable, default: [""])
        let norm: BatchNorm? = value.map { $0.batchNormFrozen ? .frozen : .train }
        batchNormFrozen = try form.choice("batch_norm", norm, default: .train) == .frozen
        precision = try form.choice("precision", value?.precision, default: .float32)
        guard let batch = try form.section("batch", value?.batch, Batch.init) else { throw form.missing("batch") }
        guard batch.count > 1 else { throw form.wrong("batch", "of \(batch.count)", "at least two") }
        // The parts would each be normed by themselves, and twice.
        if batch.chunk > 0 && !batchNormFrozen {
            throw form.wrong("batch.chunk", batch.chunk, "0, or batch_norm frozen: in parts a batch norm sees another batch")
        }
        self.batch = batch
        epochs = try form.integer("epochs", value?.epochs, in: 0...100_000)
        stepsPerEpoch = try form.integer("steps_per_epoch", value?.stepsPerEpoch, in: 0...10_000_000, default: 0)
        guard let optimizer = try form.section("optimizer", value?.optimizer, Optimizer.init) else {
            throw form.missing("optimizer")
        }
        self.optimizer = optimizer
        losses = try Loss.list(form, value?.losses, mayBeAbsent: epochs == 0)
        augmentation = try form.section("augmentation", value?.augmentation, Augmentation.init) ?? .unchanging
        captions = try form.strings("captions", value?.captions, default: ["{caption}"])
        captionChoice = try form.choice("captions_choice", value?.captionChoice, default: .first)
        validation =
            try form.sections("validation", value?.validation, Figure.init)
            ?? [Figure(relevantBy: "product_id")]
        selection =
            try form.section("select", value?.selection, Selection.init) ?? Selection(metric: Selection.score, mode: .max)
        let names = [Selection.score] + validation.map(\.name)
        guard names.contains(selection.metric) else {
            throw form.wrong("select.metric", selection.metric, names.joined(separator: " or "))
        }
        earlyStopping = try form.section("early_stopping", value?.earlyStopping, EarlyStopping.init)
        keep = try form.integer("keep", value?.keep, in: 0...100_000, default: 0)
        let teacher = try form.optionalString("teacher", value?.teacher)
        self.teacher = teacher == "" ? nil : teacher
        if self.teacher != nil && !losses.contains(where: { $0.kind.term.needsTeacher }) {
            throw form.wrong(
                "teacher", "set, and no loss learns from it", "a loss of kind teacher or teacher-relations, or no teacher")
        }
        guard validation.isEmpty || validation.contains(where: \.counts) else {
            throw form.wrong("validation", "without a figure that counts", "score true for at least one")
        }
    }

    private enum BatchNorm: String, CaseIterable { case train, frozen }
}

extension Recipe.Start {
    fileprivate static func described(_ form: RecipeForm, _ value: Self?) throws(TrainingError) -> Self {
        var model: String?
        var new: (architecture: Recipe.Architecture, vocabulary: String)?
        switch value {
        case .model(let name)?: model = name
        case .new(let architecture, let vocabulary)?: new = (architecture, vocabulary)
        case nil: break
        }
        if new == nil, let name = try form.optionalString("start", model), !name.isEmpty { return .model(name) }
        let architecture = try Recipe.Architecture(form, new?.architecture)
        return .new(architecture, vocabulary: try form.string("vocabulary", new?.vocabulary))
    }
}

extension Recipe.Architecture {
    private enum Kind: String, CaseIterable { case vit, resnet }

    fileprivate init(_ form: RecipeForm, _ value: Self?) throws(TrainingError) {
        var kind: Kind?
        var (width, layers, heads, patch, stages): (Int?, Int?, Int?, Int?, [Int]?) = (nil, nil, nil, nil, nil)
        switch value?.tower {
        case .transformer(let w, let l, let h, let p)?: (kind, width, layers, heads, patch) = (.vit, w, l, h, p)
        case .resNet(let w, let l)?: (kind, width, stages) = (.resnet, w, l)
        case nil: break
        }
        switch try form.choice("tower", kind) {
        case .vit:
            tower = .transformer(
                width: try form.integer("width", width, in: 16...4096), layers: try form.integer("layers", layers, in: 1...64),
                heads: try form.integer("heads", heads, in: 1...64), patch: try form.integer("patch", patch, in: 1...64))
        case .resnet:
            tower = .resNet(
                width: try form.integer("width", width, in: 8...1024),
                layers: try form.integers("layers", stages, count: 4...4, in: 1...64))
        }
        resolution = try form.integer("resolution", value?.resolution, in: 16...1024)
        embeddingSize = try form.integer("embedding", value?.embeddingSize, in: 2...4096)
        textWidth = try form.integer("text_width", value?.textWidth, in: 64...4096)
        textLayers = try form.integer("text_layers", value?.textLayers, in: 1...64)
        contextLength = try form.integer("context_length", value?.contextLength, in: 4...512)
        fitting = try form.choice("fitting", value?.fitting, default: .shortestSideCrop)
        try check(form)
    }

    /// Heads, patches and stages divide what they are parts of.
    private func check(_ form: RecipeForm) throws(TrainingError) {
        func divides(_ part: Int, _ key: String, _ whole: Int, _ what: String) throws(TrainingError) {
            if whole % part != 0 { throw form.wrong(key, whole, "a multiple of \(what)") }
        }
        switch tower {
        case .transformer(let width, _, let heads, let patch):
            try divides(heads, "width", width, "heads (\(heads))")
            try divides(patch, "resolution", resolution, "patch (\(patch))")
        case .resNet(let width, _):
            // The stem has half the width, and the pooling's heads are 64 wide.
            try divides(2, "width", width, "2")
            try divides(32, "resolution", resolution, "32")
        }
        try divides(64, "text_width", textWidth, "64")
    }
}

extension Recipe.Batch {
    private enum Kind: String, CaseIterable {
        case items, shuffled
        case inOrder = "in-order"
        case onePerItem = "one-per-item"
        case category, mined
    }

    private var kind: Kind {
        switch sampler {
        case .items: .items
        case .shuffled: .shuffled
        case .inOrder: .inOrder
        case .onePerItem: .onePerItem
        case .category: .category
        case .mined: .mined
        }
    }

    fileprivate init(_ form: RecipeForm, _ value: Self?) throws(TrainingError) {
        func size(_ key: String) throws(TrainingError) -> Int { try form.integer(key, value?.shares[0].items, in: 1...65_536) }
        func views(_ other: Int) throws(TrainingError) -> Int {
            try form.integer("views", value?.views, in: 1...16, default: other)
        }
        func whole(_ count: Int, views: Int, _ sampler: Sampler) -> Self {
            Self(views: views, shares: [Share(items: count, singles: 0)], sampler: sampler)
        }
        switch try form.choice("sampler", value?.kind, default: .items) {
        case .items: self = try Self.items(form, value, views: try views(2))
        case .shuffled: self = whole(try size("size"), views: try views(1), .shuffled)
        case .inOrder: self = whole(try size("size"), views: try views(1), .inOrder)
        case .onePerItem: self = whole(try size("size"), views: try views(1), .onePerItem)
        case .category:
            var known: (by: String, count: Int)?
            if case .category(let by, let count)? = value?.sampler { known = (by, count) }
            let items = try size("items")
            let count = try form.integer("categories", known?.count, in: 1...1024)
            guard items % count == 0 else {
                throw form.wrong("items", items, "a multiple of categories (\(count)), which share them equally")
            }
            let by = try form.string("by", known?.by, default: "category")
            self = whole(items, views: try views(2), .category(by: by, count: count))
        case .mined:
            var known: (file: String, hard: Int)?
            if case .mined(let file, let hard)? = value?.sampler { known = (file, hard) }
            self = whole(
                try size("items"), views: try views(2),
                .mined(
                    file: try form.string("negatives", known?.file),
                    hard: try form.integer("hard", known?.hard, in: 1...1024, default: 3)))
        }
        chunk = try form.integer("chunk", value?.chunk, in: 0...65_536, default: 0)
    }

    /// One share stands in the batch itself, several in `from`.
    private static func items(_ form: RecipeForm, _ value: Self?, views: Int) throws(TrainingError) -> Self {
        let single = value.flatMap { $0.shares.count == 1 ? $0.shares[0] : nil }
        let several = single == nil ? value?.shares : nil
        var shares: [Share]?
        if single == nil {
            shares = try form.sections("from", several) { form, value throws(TrainingError) in
                try Share(form, value, items: 0)
            }
        }
        if let shares, shares.count < 2 { throw form.wrong("from", "\(shares.count) folders", "two or more") }
        guard var shares else { return Self(views: views, shares: [try Share(form, single, items: nil)]) }
        // The batch's own number said again is the batch's.
        for place in shares.indices where shares[place].views == views { shares[place].views = nil }
        return Self(views: views, shares: shares)
    }
}

extension Recipe.Batch.Share {
    /// - Parameter other: the number of items where none is given; nil demands one, and the share stands in the batch itself.
    fileprivate init(_ form: RecipeForm, _ value: Self?, items other: Int?) throws(TrainingError) {
        self.init(
            items: try form.integer("items", value?.items, in: 0...4096, default: other),
            singles: try form.integer("singles", value?.singles, in: 0...4096, default: 0),
            views: other == nil ? nil : try form.optionalInteger("views", value?.views, in: 1...16))
    }
}

extension Recipe.Optimizer {
    fileprivate init(_ form: RecipeForm, _ value: Self?) throws(TrainingError) {
        rate = try form.number("rate", value?.rate, in: 0...10)
        decay = try form.number("weight_decay", value?.decay, in: 0...10, default: 0.05)
        beta1 = try form.number("beta1", value?.beta1, in: 0...0.9999, default: 0.9)
        beta2 = try form.number("beta2", value?.beta2, in: 0...0.99999, default: 0.98)
        eps = try form.number("eps", value?.eps, in: 1e-12...1, default: 1e-6)
        clipNorm = try form.number("clip_norm", value?.clipNorm, in: 0...1e6, default: 0)
        accumulate = try form.integer("accumulate", value?.accumulate, in: 1...4096, default: 1)
        layerDecay = try form.number("layer_decay", value?.layerDecay, in: 0.01...1, default: 1)
        schedule = try Recipe.Schedule.inOptimizer(form, value?.schedule)
        groups = try form.sections("groups", value?.groups, Group.init) ?? []
        heads = try form.number("heads", value?.heads, in: 0...1000, default: 1)
        ema = try form.number("ema", value?.ema, in: 0...0.999999, default: 0)
    }
}

extension Recipe.Optimizer.Group {
    fileprivate init(_ form: RecipeForm, _ value: Self?) throws(TrainingError) {
        prefix = try form.string("prefix", value?.prefix)
        rate = try form.number("rate", value?.rate, in: 0...1000)
    }
}

extension Recipe.Augmentation {
    /// Every view is the photo as the model's preprocessing takes it.
    static let unchanging = Self(
        area: 1...1, aspect: 1...1, flip: 0, brightness: 0, contrast: 0, saturation: 0, hue: 0, gray: 0, color: 0)

    fileprivate init(_ form: RecipeForm, _ value: Self?) throws(TrainingError) {
        self.init(
            side: try form.optionalInteger("side", value?.side, in: 32...1024),
            area: try form.range("area", value?.area, within: 0.01...1, default: 1...1),
            aspect: try form.range("aspect", value?.aspect, within: 0.1...10, default: 1...1),
            flip: try form.number("flip", value?.flip, in: 0...1, default: 0),
            brightness: try form.number("brightness", value?.brightness, in: 0...0.95, default: 0),
            contrast: try form.number("contrast", value?.contrast, in: 0...0.95, default: 0),
            saturation: try form.number("saturation", value?.saturation, in: 0...1, default: 0),
            hue: try form.number("hue", value?.hue, in: 0...0.5, default: 0),
            gray: try form.number("gray", value?.gray, in: 0...1, default: 0),
            color: try form.number("color", value?.color, in: 0...1, default: 1),
            rotate: try form.number("rotate", value?.rotate, in: 0...45, default: 0),
            pad: try form.number("pad", value?.pad, in: 0...1, default: 0),
            background: try form.number("background", value?.background, in: 0...1, default: 0),
            blur: try form.number("blur", value?.blur, in: 0...1, default: 0),
            erase: try form.number("erase", value?.erase, in: 0...1, default: 0))
    }
}

extension Recipe.Figure {
    /// `text` and `at` stand together; texts don't count unless `score` says so.
    fileprivate init(_ form: RecipeForm, _ value: Self?) throws(TrainingError) {
        relevantBy = try form.string("relevant_by", value?.relevantBy, default: "product_id")
        // 0 is written by people who mean all folders.
        let folder = try form.optionalInteger("folder", value?.folder, in: 0...1000)
        self.folder = folder == 0 ? nil : folder
        if let template = try form.optionalString("text", value?.texts?.template) {
            guard template.contains("{\(relevantBy)}") else {
                throw form.wrong("text", template, "a text with {\(relevantBy)}, the column that relevant_by names")
            }
            texts = Texts(template: template, at: try form.integer("at", value?.texts?.at, in: 1...1000, default: 8))
        }
        counts = try form.flag("score", value?.counts, default: texts == nil)
    }
}

extension Recipe.Selection {
    /// The mean of the figures that count.
    static let score = "score"

    fileprivate init(_ form: RecipeForm, _ value: Self?) throws(TrainingError) {
        metric = try form.string("metric", value?.metric, default: Self.score)
        mode = try form.choice("mode", value?.mode, default: .max)
    }
}

extension Recipe.EarlyStopping {
    fileprivate init(_ form: RecipeForm, _ value: Self?) throws(TrainingError) {
        patience = try form.integer("patience", value?.patience, in: 1...100_000)
        atLeast = try form.integer("at_least", value?.atLeast, in: 0...100_000, default: 0)
    }
}
