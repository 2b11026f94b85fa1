public import CLIP
import Foundation

/// A training run as data: the model, what a batch is, the losses, the schedule. Read strictly, resolved to values without gaps, and
/// written into the run in the form that it is read in (`Recipe+Form.swift`).
public struct Recipe: Sendable, Equatable {
    /// What products and convolutions are computed in; weights, losses and updates are always float32.
    public enum Precision: String, Sendable, CaseIterable {
        case float32
        /// About twice as fast on processors that have it, and not bitwise repeatable on others.
        case bfloat16
    }

    /// Where the weights come from.
    public enum Start: Sendable, Equatable {
        /// A new model of this architecture, drawn from the seed; the vocabulary is a folder with vocab.json and merges.txt, relative to the
        /// recipe's own.
        case new(Architecture, vocabulary: String)
        /// A model folder or a run, relative to the recipe's own, or the name of a shipped model.
        case model(String)
    }

    public struct Architecture: Sendable, Equatable {
        public enum Tower: Sendable, Equatable {
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

    /// What a step sees.
    public struct Batch: Sendable, Equatable {
        /// Which photos meet.
        public enum Sampler: Sendable, Equatable {
            /// Garments with `views` photos each, and single photos of other things in `views` crops each.
            case items
            /// Any photos, in `views` crops each; every photo once in each pass.
            case shuffled
            /// The same in the order of the data.
            case inOrder
            /// Different items, one photo of each, in `views` crops.
            case onePerItem
            /// Garments as in `items`, of `count` values of the column `by` at a time.
            case category(by: String, count: Int)
            /// Garments as in `items`, each followed by `hard` of those that the file names as its hard negatives.
            case mined(file: String, hard: Int)
        }

        /// How many come from one place.
        public struct Share: Sendable, Equatable {
            /// Garments of two photos and more.
            public var items: Int
            public var singles: Int
            /// Photos of each garment and crops of each single photo; nil is as many as the batch says. With one a garment is nobody's positive:
            /// something else to tell apart, and a row for the image–text term.
            public var views: Int?
        }

        public var sampler = Sampler.items
        /// Photos of each garment and crops of each single photo.
        public var views: Int
        /// Views that the towers see at once; 0 is the whole batch. More memory-saving parts change no gradient (gradient caching, Gao et al.
        /// 2021, arXiv:2101.06983), only their rounding, and cost a second forward pass.
        public var chunk = 0
        /// One entry draws from all data folders together; several draw from one folder each, in the order in which they are given, so that a
        /// small folder is seen as often as a large one.
        public var shares: [Share]

        public init(items: Int, views: Int, singles: Int) {
            self.init(views: views, shares: [Share(items: items, singles: singles)])
        }

        public init(views: Int, shares: [Share], sampler: Sampler = .items) {
            self.sampler = sampler
            self.views = views
            self.shares = shares
        }

        /// Photos in a step.
        public var viewCount: Int { shares.reduce(0) { $0 + ($1.items + $1.singles) * ($1.views ?? views) } }

        /// Different things in a step.
        public var count: Int { shares.reduce(0) { $0 + $1.items + $1.singles } }
    }

    /// AdamW, with a rate that follows a schedule and differs between parts of the model.
    public struct Optimizer: Sendable, Equatable {
        /// A factor on the rate of the parameters whose names begin with `prefix`.
        public struct Group: Sendable, Equatable {
            public var prefix: String
            public var rate: Double
        }

        /// Peak learning rate.
        public var rate: Double
        public var decay: Double
        public var beta1: Double
        public var beta2: Double
        public var eps: Double
        /// Longest gradient; 0 clips nothing.
        public var clipNorm: Double
        /// Batches whose mean gradient makes an update.
        public var accumulate: Int
        /// The factor on the rate from one block of a tower to the one before it, in (0, 1]: blocks near the pixels and the words move less
        /// (Clark et al. 2020, arXiv:2003.10555, section 3.4 of the appendix's fine-tuning). 1 is the same rate everywhere.
        public var layerDecay: Double
        public var schedule: Schedule
        /// The first group that a parameter's name fits counts; without one the factor is 1.
        public var groups: [Group]
        /// The factor on the rate of the tensors that losses own.
        public var heads: Double
        /// The decay of the weights' running average; 0 keeps none, and the weights themselves are measured and shipped.
        public var ema: Double
    }

    /// A term of the loss.
    public struct Loss: Sendable, Equatable {
        public var kind: Kind
        public var weight: Double
        /// What it is called in the metrics, and what the names of its own tensors begin with.
        public var name: String
        /// The factor on the rate of its own tensors; nil takes `Optimizer.heads`.
        public var rate: Double?
        /// Lengths of beginnings of the vectors on which the loss is taken too; its value is the mean over them and the whole (Kusupati et al.
        /// 2022, arXiv:2205.13147, eq. 1, with tied classifiers: "MRL-E").
        public var prefixes: [Int] = []
    }

    /// When a run ends before its last epoch.
    public struct EarlyStopping: Sendable, Equatable {
        /// Epochs without a better one.
        public var patience: Int
        /// Epochs that are always taken.
        public var atLeast: Int
    }

    /// The figure that says which epoch is the best.
    public struct Selection: Sendable, Equatable {
        public enum Mode: String, Sendable, CaseIterable {
            case max, min
        }
        /// `score`, the mean of the figures that count, or another figure of the validation by its name in the metrics.
        public var metric: String
        public var mode: Mode

        /// Whether `figure` is better than the best one before it.
        func prefers(_ figure: Double, to best: Double?) -> Bool {
            guard let best else { return true }
            return mode == .max ? figure > best : figure < best
        }
    }

    /// Which of the templates that a row has the columns for makes its caption.
    public enum CaptionChoice: String, Sendable, CaseIterable {
        case first
        /// The first in an order that every step draws anew: within a batch, captions of rows with the same columns say the same kind of
        /// thing, and equal ones are truly equal.
        case random
    }

    /// How far a view may stray from its photo. Colour factors are drawn from 1 ± the number; hue in turns.
    public struct Augmentation: Sendable, Equatable {
        /// Side of a view, in pixels; nil is the model's own. Smaller views are quicker, and what is learned from them holds for the larger
        /// pictures that the model answers for (Touvron et al. 2019, arXiv:1906.06423); for towers that take any size.
        public var side: Int?
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

    /// One figure of the validation rows; the mean of those that count chooses the best epoch.
    public struct Figure: Sendable, Equatable {
        /// Captions that ask instead of rows.
        public struct Texts: Sendable, Equatable {
            /// Filled in with every value of the figure's column.
            public var template: String
            /// How many answers are looked at.
            public var at: Int
        }

        /// The column whose equal values make rows relevant to each other, in leave-one-out; with texts, the column whose values ask.
        public var relevantBy: String
        /// The data folder whose rows ask, from 1; nil lets all rows ask. The rows of the other folders are there to be taken for an answer.
        public var folder: Int?
        /// nil for mean average precision of rows that ask.
        public var texts: Texts?
        /// Whether it is part of the mean.
        public var counts = true

        /// What it is called in the metrics.
        var name: String {
            let figure = texts.map { "text_\(relevantBy)_at_\($0.at)" } ?? "map_\(relevantBy)"
            return figure + (folder.map { "_\($0)" } ?? "")
        }
    }

    public var name: String
    /// What it is for, in words.
    public var description: String
    public var seed: UInt64
    public var start: Start
    /// Prefixes of the parameters that are trained; "" is all.
    public var trainable: [String]
    /// Whether batch norms keep their running statistics (fine-tuning) or use the batch's (from scratch).
    public var batchNormFrozen: Bool
    public var precision: Precision
    public var batch: Batch
    /// 0 trains nothing: the start itself is measured and kept.
    public var epochs: Int
    /// 0 where the data decides: as many steps as show as many views as there are photos (see `resolved(for:)`).
    public var stepsPerEpoch: Int
    public var optimizer: Optimizer
    public var losses: [Loss]
    public var augmentation: Augmentation
    /// Templates with `{column}`; one of those whose columns a row has makes its caption.
    public var captions: [String]
    public var captionChoice: CaptionChoice
    public var validation: [Figure]
    public var selection: Selection
    /// nil goes on to the last epoch.
    public var earlyStopping: EarlyStopping?
    /// Every how many epochs the checkpoint is kept under `epochs/`; 0 keeps none there.
    public var keep: Int
    /// A model, named as in `Start.model`, whose vector of every view is what the losses' teacher says; nil for files of vectors.
    public var teacher: String?
    /// The folder that paths in the recipe are relative to: where its file lies. Not part of what the recipe says.
    public var folder = ""
    /// The models that ship with the program, path by name. Not part of what the recipe says.
    public var shippedModels: [String: String] = [:]

    /// A path of the recipe as the file system needs it.
    func resolved(_ path: String) -> String { path.hasPrefix("/") ? path : "\(folder)/\(path)" }

    /// Where a model lies that the recipe names: a folder of that name comes before a shipped model, and of a run its best.
    func resolvedModel(_ name: String) -> String {
        let path = resolved(name)
        let files = FileManager.default
        guard files.fileExists(atPath: path) else { return shippedModels[name] ?? path }
        return files.fileExists(atPath: "\(path)/recipe.json") ? "\(path)/best" : path
    }

    /// The recipe as a model takes it along: where models and files lay on this machine is nobody else's business, so a path becomes a shipped
    /// model's name, the name of a run, or a file's own name.
    var passedOn: Recipe {
        func name(_ path: String) -> String {
            if let shipped = shippedModels.first(where: { $0.value == path || $0.key == path })?.key { return shipped }
            let parts = path.split(separator: "/")
            return String((parts.last == "best" ? parts.dropLast() : parts[...]).last ?? "")
        }
        var recipe = self
        switch start {
        case .model(let path): recipe.start = .model(name(path))
        case .new(let architecture, let vocabulary): recipe.start = .new(architecture, vocabulary: name(vocabulary))
        }
        recipe.teacher = teacher.map(name)
        if case .mined(let file, let hard) = batch.sampler { recipe.batch.sampler = .mined(file: name(file), hard: hard) }
        return recipe
    }

    /// The folder of the model that training begins with; nil for a new one, or a file.
    var startFolder: String? {
        guard case .model(let name) = start else { return nil }
        let path = resolvedModel(name)
        var isFolder: ObjCBool = false
        return FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) && isFolder.boolValue ? path : nil
    }

    /// Steps of the whole run.
    public var steps: Int { epochs * stepsPerEpoch }

    /// Whether a step has to read captions.
    var needsTexts: Bool { losses.contains { $0.kind.term.needsTexts } }

    /// Whether a step has to know a teacher's vectors.
    var needsTeacher: Bool { losses.contains { $0.kind.term.needsTeacher } }

    /// Whether a loss has to know what the labels are called.
    var needsLabelTexts: Bool { losses.contains { $0.kind.term.needsLabelTexts } }

    /// Whether the losses or a figure of the validation read texts.
    var readsTexts: Bool { needsTexts || needsLabelTexts || validation.contains { $0.texts != nil } }

    /// The lists of columns that losses and the sampler take their labels from, each once.
    var labelColumns: [[String]] {
        var columns = losses.compactMap { $0.kind.term.labelColumns }
        if case .category(let by, _) = batch.sampler { columns.append([by]) }
        return columns.reduce(into: []) { if !$0.contains($1) { $0.append($1) } }
    }
}
