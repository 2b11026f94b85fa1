import ArgumentParser
import Catalog
import CLIP
import Evaluation
import Foundation
import Report
import Retrieval
import Torch
import Training

struct ReproduceCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "reproduce",
        abstract: "Run the paper's stages and variants in order, and measure them in one report.",
        discussion: """
            Each variant is a run in a folder of --out, by the recipe of its name; a run that is there is not made again, and one that was cut \
            off goes on. All are measured on the same query and gallery rows at the end. --data is a folder that prepare-inshop wrote, an \
            In-shop root, or any dataset with splits.
            """)

    enum Backbone: String, CaseIterable, ExpressibleByArgument { case vit, rn50 }

    @Option(help: "A dataset folder with train, val, query and gallery rows.")
    var data: String

    @Option(help: "vit or rn50: the kind of image tower.")
    var backbone: Backbone

    @Option(help: "The model that every variant begins with; the shipped small one of the backbone where none is named.")
    var start: String?

    @Option(help: "The folder for runs, figures and the report.")
    var out: String

    @Option(parsing: .upToNextOption, help: "Only these variants, and what they go on from.")
    var only: [String] = []

    @Option(help: "Epochs at most, in place of the recipes' own numbers.")
    var epochs: Int?

    @Option(help: "A factor on the recipes' learning rates, which are those for a CLIP of full size; small models want about 40.")
    var rateFactor: Double?

    @OptionGroup var embedding: EmbeddingOptions
    @OptionGroup var output: OutputOption

    func validate() throws {
        if let epochs, !(1...1000).contains(epochs) { throw ValidationError("--epochs is \(epochs), expected 1 to 1000.") }
        if let rateFactor, !(0.001...1000).contains(rateFactor) {
            throw ValidationError("--rate-factor is \(rateFactor), expected 0.001 to 1000.")
        }
        if let unknown = only.first(where: { name in !PaperVariant.all.contains { $0.name == name } }) {
            throw ValidationError(
                "There is no variant \(unknown); variants are \(PaperVariant.all.map(\.name).joined(separator: ", ")).")
        }
    }

    func run() throws {
        try embedding.place.device.require()
        guard let recipes = Resources.folder("Recipes") else {
            throw Failure.noInput("There are no recipes beside this program: run it from its folder, or from a checkout.")
        }
        let dataset = try Dataset(named: data)
        Console.tell(problems: dataset.problems, remarks: dataset.remarks)
        let plan = try EvaluationPlan(dataset)
        let location = try ModelLocation(start ?? (backbone == .vit ? "small-vit" : "small-resnet"))
        try check(location)
        // The small models that ship move less than their recipes' rates, which are for a CLIP of full size.
        let factor = rateFactor ?? (start == nil ? 40 : 1)
        let variants = PaperVariant.all.filter { only.isEmpty || PaperVariant.needed(for: only).contains($0.name) }
        let interrupt = Interrupt()
        for (number, variant) in variants.enumerated() {
            Console.note("\(variant.name) (\(number + 1) of \(variants.count))")
            guard
                try train(
                    variant, recipes: recipes, start: location.path, dataset: dataset, factor: factor, interrupt: interrupt)
            else {
                Console.note("Stopped; everything is saved. The same command goes on.")
                throw ExitCode(130)
            }
        }
        try measure(variants.filter(\.isMeasured), dataset: dataset, plan: plan, factor: factor)
    }

    /// The tower's kind is what the user takes it for.
    private func check(_ location: ModelLocation) throws {
        let checkpoint = try location.open()
        let isTransformer: Bool
        if case .transformer = checkpoint.configuration.vision { isTransformer = true } else { isTransformer = false }
        guard isTransformer == (backbone == .vit) else {
            throw Failure.usage(
                "\(location.name) has \(isTransformer ? "a ViT" : "a convolutional tower"), and --backbone is \(backbone.rawValue)."
            )
        }
    }

    private func folder(_ variant: PaperVariant) -> String { "\(out)/\(variant.name)" }

    /// - Returns: false after Ctrl-C.
    private func train(
        _ variant: PaperVariant, recipes: String, start: String, dataset: Dataset, factor: Double, interrupt: Interrupt
    ) throws -> Bool {
        var recipe = try Recipe(path: "\(recipes)/\(variant.recipe).json")
        let from = variant.from.map { "\(out)/\($0)/best" } ?? start
        recipe.start = .model(URL(fileURLWithPath: from).path)
        recipe.optimizer.rate *= factor
        if let epochs { recipe.epochs = min(recipe.epochs, epochs) }
        try fit(&recipe, to: dataset)
        let run = RunFolder(path: folder(variant))
        let sources = TrainingSources(
            datasets: [dataset],
            command: "stylefinder reproduce --data \(data) --backbone \(backbone.rawValue) --out \(out) --only \(variant.name)")
        let progress = TrainCommand.Progress()
        return try Trainer.run(
            recipe, sources: sources, to: run, resume: run.holdsRun, device: embedding.place.device,
            shouldStop: { interrupt.isRequested }, report: progress.report)
    }

    /// A batch is no larger than half of what it is drawn from: small data would else have one batch, or none.
    private func fit(_ recipe: inout Recipe, to dataset: Dataset) throws {
        let rows = TrainingData.rows(of: dataset)
        let counts = rows.reduce(into: [String: Int]()) { $0[$1.productID, default: 0] += 1 }
        let things =
            switch recipe.batch.sampler {
            case .shuffled, .inOrder: rows.count
            case .onePerItem: counts.count
            case .items, .category, .mined: counts.values.count { $0 > 1 }
            }
        recipe.batch.shares[0].items = max(2, min(recipe.batch.shares[0].items, things / 2))
    }

    // MARK: Figures

    private func measure(_ variants: [PaperVariant], dataset: Dataset, plan: EvaluationPlan, factor: Double) throws {
        let rows = try MeasuredRowsOptions.parse(["--data", data])
        let bench = MethodBench(
            rows, embedding, dataset: dataset, plan: plan, captions: try RowCaptions(plan, templates: [], relevantBy: nil),
            timesQueries: false)
        var options = MethodMeasurement.Options()
        options.slicings = Slicing.standard(of: plan)
        options.skew = MethodMeasurement.standardSkew(of: plan)
        let outcome = try bench.measure(variants.map { .model(folder($0)) }, options)
        let verdicts = try Self.verdicts(outcome, of: variants)
        try show(outcome, verdicts)
        var report = try EvaluationPage(outcome, rows: rows).report()
        report.title = "The paper's stages with a \(backbone == .vit ? "ViT" : "ResNet")"
        report.lead.insert(
            "Variants begin with \(start ?? "the shipped small model"); learning rates are \(String(format: "%g", factor)) times the recipes'.",
            at: 0)
        if !verdicts.isEmpty { report.sections.insert(Self.section(of: verdicts), at: 1) }
        try report.write(to: "\(out)/report")
        Console.note("report: \(out)/report/index.html")
    }

    struct Verdict: Encodable {
        let variant: String
        let sentence: String
        let isWarning: Bool
    }

    /// Below the tables that they speak of.
    private static func section(of verdicts: [Verdict]) -> Report.Section {
        let title = "What each variant does to its baseline"
        let lines = verdicts.map { verdict in
            (term: verdict.variant + (verdict.isWarning ? " (warning)" : ""), text: verdict.sentence)
        }
        return Report.Section(
            title,
            text: [
                "Differences are against the baseline on the same queries; beyond chance: their 95 % interval by product leaves out 0."
            ],
            figures: [Report.Figure("verdicts", title: "One by one, and why where one did not win", .definitions(lines))])
    }

    /// What each variant does to its baseline, and why where it does nothing good.
    private static func verdicts(_ outcome: MethodBench.Outcome, of variants: [PaperVariant]) throws -> [Verdict] {
        guard let baseline = outcome.results.first, variants.first?.name == PaperVariant.baseline else { return [] }
        let start = try baseline.vectors.metrics.flatMap { try TrainingCurves(metrics: $0).validation(score).last?.value }
        return try zip(variants, outcome.results).dropFirst().map { variant, result in
            let differences = MethodComparison(baseline.measurement, result.measurement, examples: 0).differences
            let first = differences.first { $0.figure == .recallAt1 }?.difference
            let precision = differences.first { $0.figure == .meanAveragePrecision }?.difference
            let curves = try result.vectors.metrics.map { try TrainingCurves(metrics: $0) }
            let remarks = curves?.remarks ?? []
            guard let first, let precision else {
                return Verdict(variant: variant.name, sentence: "It could not be compared.", isWarning: true)
            }
            var sentence =
                "R@1 \(EvaluationPage.signed(first.difference)), mAP \(EvaluationPage.signed(precision.difference)) against the baseline"
            if let before = baseline.measurement.textToImage?.report, let after = result.measurement.textToImage?.report,
                let old = before.recallAt[1], let new = after.recallAt[1]
            {
                sentence += String(format: ", text→image R@1 %.3f instead of %.3f", new, old)
            }
            let isBetter = first.isBeyondChance && first.difference > 0
            let isWorse = first.isBeyondChance && first.difference < 0
            sentence +=
                isBetter
                ? "; R@1 is better beyond chance." : isWorse ? "; R@1 is worse beyond chance." : "; R@1 is within chance."
            if !isBetter {
                sentence += " " + (remarks + [reason(curves, start: start)].compactMap { $0 }).joined(separator: " ")
            }
            return Verdict(variant: variant.name, sentence: sentence, isWarning: isWorse || !remarks.isEmpty)
        }
    }

    /// What the run's own validation says about a variant that did not win; nil where it says nothing.
    /// - Parameter start: the baseline's figure on the same rows.
    private static func reason(_ curves: TrainingCurves?, start: Double?) -> String? {
        guard let curves, let start, let last = curves.validation(score).last,
            let best = curves.validation(score).max(by: { $0.value < $1.value })
        else { return nil }
        func number(_ value: Double) -> String { String(format: "%.3f", value) }
        if best.value <= start {
            return
                "On the validation rows no epoch came up to the baseline's \(number(start)): the best was epoch \(best.epoch) with \(number(best.value)), "
                + "the last has \(number(last.value)). It forgets more than it learns."
        }
        let rise = "On the validation rows it rose from \(number(start)) to \(number(best.value)) in epoch \(best.epoch)"
        return best.epoch == last.epoch
            ? "\(rise), its last: more epochs may do more."
            : "\(rise), which the test's items do not show; the last epoch has \(number(last.value))."
    }

    /// The mean of a validation's mAPs, in the metrics.
    private static let score = "score"

    private func show(_ outcome: MethodBench.Outcome, _ verdicts: [Verdict]) throws {
        if output.json {
            struct Line: Encodable {
                let variant: String
                let report: MethodMeasurement
            }
            struct Document: Encodable {
                let backbone: String
                let variants: [Line]
                let verdicts: [Verdict]
                let report: String
            }
            return try Console.printJSON(
                Document(
                    backbone: backbone.rawValue,
                    variants: outcome.results.map { Line(variant: $0.vectors.name, report: $0.measurement) }, verdicts: verdicts,
                    report: "\(out)/report/index.html"))
        }
        print("| variant | R@1 | interval | R@5 | R@10 | mAP | text→image R@1 | R@5 | R@10 | mAP |")
        print("|---|---|---|---|---|---|---|---|---|---|")
        for result in outcome.results {
            let (images, texts) = (result.measurement.report, result.measurement.textToImage?.report)
            let figures =
                [EvaluateCommand.number(images.recallAt[1]), images.intervals.recallAt[1].map(EvaluateCommand.range) ?? ""]
                + [images.recallAt[5], images.recallAt[10], images.meanAveragePrecision].map(EvaluateCommand.number)
                + [texts?.recallAt[1], texts?.recallAt[5], texts?.recallAt[10], texts?.meanAveragePrecision].map(
                    EvaluateCommand.number)
            print("| \(([result.vectors.name] + figures).joined(separator: " | ")) |")
        }
        for verdict in verdicts { print("\(verdict.variant): \(verdict.sentence)") }
    }
}

/// One row of the paper's tables, or of ours beside them.
struct PaperVariant {
    let name: String
    let recipe: String
    /// The variant that it goes on from; nil for the start.
    var from: String?
    /// Whether it is a model of its own, and no step on the way to one.
    var isMeasured = true

    static let baseline = "baseline"

    static let all = [
        PaperVariant(name: baseline, recipe: "stage1-zeroshot"),
        PaperVariant(name: "paper-stage2-supcon", recipe: "paper-stage2-supcon"),
        PaperVariant(name: "paper-stage2-triplet", recipe: "paper-stage2-triplet"),
        PaperVariant(name: "paper-stage2-ce", recipe: "paper-stage2-ce"),
        PaperVariant(name: "stage2", recipe: "stage2"),
        PaperVariant(name: "stage3-v1", recipe: "stage3-v1"),
        PaperVariant(name: "stage3-v2", recipe: "stage3-v2"),
        PaperVariant(name: "stage3-v3", recipe: "stage3-v3", from: "stage3-v2"),
        PaperVariant(name: "stage3-v4", recipe: "stage3-v4"),
        PaperVariant(name: "prompts-tokens", recipe: "prompts-tokens", isMeasured: false),
        PaperVariant(name: "prompts", recipe: "prompts", from: "prompts-tokens"),
        PaperVariant(name: "margin", recipe: "margin"),
    ]

    /// The names of some variants, the baseline, and of what they go on from.
    static func needed(for names: [String]) -> Set<String> {
        var needed = Set(names + [baseline])
        while let missing = all.first(where: { needed.contains($0.name) && $0.from.map { !needed.contains($0) } ?? false })?.from
        {
            needed.insert(missing)
        }
        return needed
    }
}
