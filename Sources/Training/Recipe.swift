public import CLIP
public import Foundation

/// A training run as data: the model, what a batch is, the losses, the schedule. Read strictly, resolved to values without gaps, and
/// written into the run.
public struct Recipe: Sendable, Equatable, Codable {
    /// What products and convolutions are computed in; weights, losses and updates are always float32.
    public enum Precision: String, Sendable, Codable, CaseIterable {
        case float32
        /// About twice as fast on processors that have it, and not bitwise repeatable on others.
        case bfloat16
    }

    /// Where the weights come from.
    public enum Start: Sendable, Equatable, Codable {
        /// A new model of this architecture, drawn from the seed; the vocabulary is a folder with vocab.json and merges.txt, relative to the
        /// recipe's own.
        case new(Architecture, vocabulary: String)
        /// A model folder or a run, relative to the recipe's own, or the name of a shipped model.
        case model(String)
    }

    public struct Architecture: Sendable, Equatable, Codable {
        public enum Tower: Sendable, Equatable, Codable {
            case transformer(width: Int, layers: Int, heads: Int, patch: Int)
            case resNet(width: Int, layers: [Int])
        }
        public var tower: Tower
        /// Side of the input, in pixels.
        public var resolution: Int
        public var embeddingSize: Int
        public var textWidth: Int
        public var textLayers: Int
        public var contextLength: Int
        public var fitting: Preprocessing.Fitting
    }

    /// What a step sees: garments with `views` photos each, and single photos of other things in `views` crops each.
    public struct Batch: Sendable, Equatable, Codable {
        /// How many come from one place.
        public struct Share: Sendable, Equatable, Codable {
            /// Garments of two photos and more.
            public var items: Int
            public var singles: Int
            /// Photos of each garment and crops of each single photo; nil is as many as the batch says. With one a garment is nobody's positive:
            /// something else to tell apart, and a row for the image–text term.
            public var views: Int?
        }

        /// Photos of each garment and crops of each single photo.
        public var views: Int
        /// One entry draws from all data folders together; several draw from one folder each, in the order in which they are given, so that a
        /// small folder is seen as often as a large one.
        public var shares: [Share]

        public init(items: Int, views: Int, singles: Int) {
            self.init(views: views, shares: [Share(items: items, singles: singles)])
        }

        public init(views: Int, shares: [Share]) {
            self.views = views
            self.shares = shares
        }

        /// Photos in a step.
        public var viewCount: Int { shares.reduce(0) { $0 + ($1.items + $1.singles) * ($1.views ?? views) } }

        /// Different things in a step.
        public var count: Int { shares.reduce(0) { $0 + $1.items + $1.singles } }
    }

    public struct Optimizer: Sendable, Equatable, Codable {
        /// Peak learning rate.
        public var rate: Double
        public var decay: Double
        public var beta1: Double
        public var beta2: Double
        public var eps: Double
        /// Longest gradient; 0 clips nothing.
        public var clipNorm: Double
        public var warmupSteps: Int
        /// The last rate as a share of the peak.
        public var finalFactor: Double
    }

    /// Weights of the loss's terms; 0 leaves one out.
    public struct Losses: Sendable, Equatable, Codable {
        public var imageText: Double
        public var items: Double
        public var itemTemperature: Double
        /// Towards the teacher's vector of the photo.
        public var teacher: Double
        /// Towards the teacher's similarities within the batch.
        public var teacherRelations: Double
    }

    /// How far a view may stray from its photo. Colour factors are drawn from 1 ± the number; hue in turns.
    public struct Augmentation: Sendable, Equatable, Codable {
        public var area: ClosedRange<Double>
        public var aspect: ClosedRange<Double>
        public var flip: Double
        public var brightness: Double
        public var contrast: Double
        public var saturation: Double
        public var hue: Double
        public var gray: Double
        /// Share of views whose colours change at all.
        public var color: Double
        /// Farthest turn to either side, in degrees.
        public var rotate = 0.0
        /// Share of photos that are first set on a larger ground of their border's colour: a square, or a random margin.
        public var pad = 0.0
        /// Share of photos whose ground, where it is plain, becomes another: a colour, a gradient or a part of another photo.
        public var background = 0.0
        /// Share of views that lose their finest detail.
        public var blur = 0.0
        /// Share of views with a box of noise or of their mean colour (random erasing, Zhong et al. 2020, arXiv:1708.04896).
        public var erase = 0.0
    }

    /// One figure of the validation rows; the mean of all figures chooses the best epoch.
    public struct Figure: Sendable, Equatable, Codable {
        /// The column whose equal values make rows relevant to each other, in leave-one-out.
        public var relevantBy: String
        /// The data folder whose rows ask, from 1; nil lets all rows ask. The rows of the other folders are there to be taken for an answer.
        public var folder: Int?

        /// What it is called in the metrics.
        var name: String { "map_\(relevantBy)" + (folder.map { "_\($0)" } ?? "") }
    }

    public var name: String
    public var seed: UInt64
    public var start: Start
    /// Prefixes of the parameters that are trained; "" is all.
    public var trainable: [String]
    /// Whether batch norms keep their running statistics (fine-tuning) or use the batch's (from scratch).
    public var batchNormFrozen: Bool
    public var precision: Precision
    public var batch: Batch
    public var epochs: Int
    public var stepsPerEpoch: Int
    public var optimizer: Optimizer
    public var losses: Losses
    public var augmentation: Augmentation
    /// Templates with `{column}`; the first one whose columns a row has makes its caption.
    public var captions: [String]
    public var validation: [Figure]
    /// Every how many epochs the checkpoint is kept under `epochs/`; 0 keeps none there.
    public var keep: Int
    /// A model, named as in `Start.model`, whose vector of every view is what the losses' teacher says; nil for files of vectors.
    public var teacher: String?
    /// The folder that paths in the recipe are relative to: where its file lies. Not part of what the recipe says.
    public var folder = ""
    /// The models that ship with the program, path by name. Not part of what the recipe says.
    public var shippedModels: [String: String] = [:]

    enum CodingKeys: String, CodingKey {
        case name, seed, start, trainable, batchNormFrozen, precision, batch, epochs, stepsPerEpoch, optimizer, losses,
            augmentation,
            captions
        case validation, keep, teacher
    }

    /// A path of the recipe as the file system needs it.
    func resolved(_ path: String) -> String { path.hasPrefix("/") ? path : "\(folder)/\(path)" }

    /// Where a model lies that the recipe names: a folder of that name comes before a shipped model, and of a run its best.
    func resolvedModel(_ name: String) -> String {
        let path = resolved(name)
        let files = FileManager.default
        guard files.fileExists(atPath: path) else { return shippedModels[name] ?? path }
        return files.fileExists(atPath: "\(path)/recipe.json") ? "\(path)/best" : path
    }

    /// Steps of the whole run.
    public var steps: Int { epochs * stepsPerEpoch }
}

extension Recipe {
    /// Reads a recipe file.
    /// - Parameter shippedModels: path by name.
    /// - Throws: `TrainingError` naming the file and the key: unknown, missing, or out of range.
    public init(path: String, shippedModels: [String: String] = [:]) throws(TrainingError) {
        let file = try RecipeReader(path: path)
        self.shippedModels = shippedModels
        folder = URL(fileURLWithPath: path).deletingLastPathComponent().path
        name = try file.string("name")
        _ = try file.string("description", default: "")
        seed = UInt64(try file.integer("seed", in: 0...Int(Int32.max), default: 0))
        let start = try file.section("model") { section throws(TrainingError) in
            try Self.start(section)
        }
        guard let start else { throw file.missing("model") }
        self.start = start
        trainable = try file.strings("trainable", default: [""])
        batchNormFrozen = try file.choice("batch_norm", default: BatchNorm.train) == .frozen
        precision = try file.choice("precision", default: .float32)
        let batch = try file.section("batch") { section throws(TrainingError) in
            func share(_ section: RecipeReader, items: Int?) throws(TrainingError) -> Batch.Share {
                Batch.Share(
                    items: try section.integer("items", in: 0...4096, default: items),
                    singles: try section.integer("singles", in: 0...4096, default: 0))
            }
            let views = try section.integer("views", in: 1...16, default: 2)
            let shares = try section.sections("from") { section throws(TrainingError) in
                var share = try share(section, items: 0)
                let own = try section.integer("views", in: 1...16, default: views)
                if own != views { share.views = own }
                return share
            }
            if let shares, shares.count < 2 { throw section.wrong("from", "\(shares.count) folders", "two or more") }
            if let shares { return Batch(views: views, shares: shares) }
            return Batch(views: views, shares: [try share(section, items: nil)])
        }
        guard let batch else { throw file.missing("batch") }
        guard batch.count > 1 else { throw file.wrong("batch", "of \(batch.count)", "at least two") }
        self.batch = batch
        epochs = try file.integer("epochs", in: 1...100_000)
        stepsPerEpoch = try file.integer("steps_per_epoch", in: 1...10_000_000)
        let optimizer = try file.section("optimizer") { section throws(TrainingError) in
            Optimizer(
                rate: try section.number("rate", in: 0...10),
                decay: try section.number("weight_decay", in: 0...10, default: 0.05),
                beta1: try section.number("beta1", in: 0...0.9999, default: 0.9),
                beta2: try section.number("beta2", in: 0...0.99999, default: 0.98),
                eps: try section.number("eps", in: 1e-12...1, default: 1e-6),
                clipNorm: try section.number("clip_norm", in: 0...1e6, default: 0),
                warmupSteps: try section.integer("warmup_steps", in: 0...10_000_000, default: 0),
                finalFactor: try section.number("final_factor", in: 0...1, default: 0))
        }
        guard let optimizer else { throw file.missing("optimizer") }
        self.optimizer = optimizer
        let losses = try file.section("losses") { section throws(TrainingError) in
            Losses(
                imageText: try section.number("image_text", in: 0...1000, default: 0),
                items: try section.number("items", in: 0...1000, default: 0),
                itemTemperature: try section.number("item_temperature", in: 0.001...10, default: 0.1),
                teacher: try section.number("teacher", in: 0...1000, default: 0),
                teacherRelations: try section.number("teacher_relations", in: 0...1000, default: 0))
        }
        guard let losses else { throw file.missing("losses") }
        guard losses.imageText + losses.items + losses.teacher + losses.teacherRelations > 0 else {
            throw file.wrong("losses", "all zero", "at least one weight above 0")
        }
        self.losses = losses
        augmentation =
            try file.section("augmentation") { section throws(TrainingError) in
                Augmentation(
                    area: try section.range("area", within: 0.01...1, default: 1...1),
                    aspect: try section.range("aspect", within: 0.1...10, default: 1...1),
                    flip: try section.number("flip", in: 0...1, default: 0),
                    brightness: try section.number("brightness", in: 0...0.95, default: 0),
                    contrast: try section.number("contrast", in: 0...0.95, default: 0),
                    saturation: try section.number("saturation", in: 0...1, default: 0),
                    hue: try section.number("hue", in: 0...0.5, default: 0),
                    gray: try section.number("gray", in: 0...1, default: 0),
                    color: try section.number("color", in: 0...1, default: 1),
                    rotate: try section.number("rotate", in: 0...45, default: 0),
                    pad: try section.number("pad", in: 0...1, default: 0),
                    background: try section.number("background", in: 0...1, default: 0),
                    blur: try section.number("blur", in: 0...1, default: 0),
                    erase: try section.number("erase", in: 0...1, default: 0))
            }
            ?? Augmentation(
                area: 1...1, aspect: 1...1, flip: 0, brightness: 0, contrast: 0, saturation: 0, hue: 0, gray: 0, color: 0)
        captions = try file.strings("captions", default: ["{caption}"])
        validation =
            try file.sections("validation") { section throws(TrainingError) in
                let folder = try section.integer("folder", in: 0...1000, default: 0)
                return Figure(
                    relevantBy: try section.string("relevant_by", default: "product_id"), folder: folder == 0 ? nil : folder)
            } ?? [Figure(relevantBy: "product_id", folder: nil)]
        keep = try file.integer("keep", in: 0...100_000, default: 0)
        let teacher = try file.string("teacher", default: "")
        self.teacher = teacher.isEmpty ? nil : teacher
        if !teacher.isEmpty && losses.teacher + losses.teacherRelations == 0 {
            throw file.wrong("teacher", "set, and both of the losses' weights for it are 0", "a weight above 0 or no teacher")
        }
        try file.close()
    }

    private enum BatchNorm: String, CaseIterable { case train, frozen }

    private enum TowerKind: String, CaseIterable { case vit, resnet }

    private static func start(_ section: RecipeReader) throws(TrainingError) -> Start {
        let existing = try section.string("start", default: "")
        if !existing.isEmpty { return .model(existing) }
        let tower: Architecture.Tower
        switch try section.choice("tower", default: TowerKind?.none) {
        case .vit:
            tower = .transformer(
                width: try section.integer("width", in: 16...4096), layers: try section.integer("layers", in: 1...64),
                heads: try section.integer("heads", in: 1...64), patch: try section.integer("patch", in: 1...64))
        case .resnet:
            tower = .resNet(
                width: try section.integer("width", in: 8...1024), layers: try section.integers("layers", count: 4, in: 1...64))
        }
        let fitting: Preprocessing.Fitting = try section.choice("fitting", default: .shortestSideCrop)
        let architecture = Architecture(
            tower: tower, resolution: try section.integer("resolution", in: 16...1024),
            embeddingSize: try section.integer("embedding", in: 2...4096),
            textWidth: try section.integer("text_width", in: 64...4096),
            textLayers: try section.integer("text_layers", in: 1...64),
            contextLength: try section.integer("context_length", in: 4...512), fitting: fitting)
        try Self.check(architecture, section)
        return .new(architecture, vocabulary: try section.string("vocabulary"))
    }

    /// Heads, patches and stages divide what they are parts of.
    private static func check(_ architecture: Architecture, _ section: RecipeReader) throws(TrainingError) {
        func divides(_ part: Int, _ key: String, _ whole: Int, _ what: String) throws(TrainingError) {
            if whole % part != 0 { throw section.wrong(key, whole, "a multiple of \(what)") }
        }
        switch architecture.tower {
        case .transformer(let width, _, let heads, let patch):
            try divides(heads, "width", width, "heads (\(heads))")
            try divides(patch, "resolution", architecture.resolution, "patch (\(patch))")
        case .resNet(let width, _):
            // The stem has half the width, and the pooling's heads are 64 wide.
            try divides(2, "width", width, "2")
            try divides(32, "resolution", architecture.resolution, "32")
        }
        try divides(64, "text_width", architecture.textWidth, "64")
    }

    /// The recipe as JSON with sorted keys, for the run folder.
    public func json() throws -> Data {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        return try encoder.encode(self)
    }
}
