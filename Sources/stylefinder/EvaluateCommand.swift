import ArgumentParser
import Catalog
import Evaluation
import Foundation
import Report
import Retrieval

struct EvaluateCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "evaluate", abstract: "Measure how well vectors find the right garments.",
        discussion: """
            Split test (the default) ranks the gallery rows for every query row; split val ranks the rest of val for every val row; rows \
            without any split all rank each other. Ties count against the query. Several methods are measured on the same rows in one run. \
            Where rows have captions and a model takes texts, both are searched with each other, too.
            """)

    @OptionGroup var rows: MeasuredRowsOptions

    @Option(help: "A model; may be given several times.")
    var model: [String] = []

    @Option(help: "A file of vectors made elsewhere, .safetensors or .pt, with each picture's path; may be given several times.")
    var features: [String] = []

    @Flag(help: "Measure a colour histogram, the simplest baseline, too.")
    var colorHistogram = false

    @Option(
        help: ArgumentHelp(
            "Figures by part: a column, COLUMN-pair, same-COLUMN, positives or none; may be given several times. Without it the usual ones are in --json and the report.",
            valueName: "slice"))
    var slice: [String] = []

    @Option(
        help: ArgumentHelp(
            "A column whose shares among the first results are told beside the gallery's, or none; may be given several times.",
            valueName: "column"))
    var skew: [String] = []

    @Option(help: "How many first results the skew and the report look at.")
    var top = 10

    @OptionGroup var texts: CaptionOptions
    @OptionGroup var embedding: EmbeddingOptions
    @OptionGroup var output: OutputOption

    @Option(help: "A folder for a page with tables, curves and pictures of results, and each of them as PNG.")
    var report: String?

    func validate() throws {
        if model.isEmpty && features.isEmpty && !colorHistogram {
            throw ValidationError("Give --model, --features or --color-histogram, else there is nothing to measure.")
        }
        guard (1...100).contains(top) else { throw ValidationError("--top is \(top), expected 1 to 100.") }
        for (name, values) in [("--slice", slice), ("--skew", skew)] where values.contains("none") && values.count > 1 {
            throw ValidationError("\(name) none can't be joined with another \(name).")
        }
    }

    func run() throws {
        let dataset = try rows.dataset()
        let plan = try rows.plan(of: dataset)
        var options = MethodMeasurement.Options()
        options.level = rows.level
        options.top = top
        options.slicings =
            slice.isEmpty
            ? Slicing.standard(of: plan) : try slice.filter { $0 != "none" }.map { try Slicing($0, of: plan) }
        options.skew = skew.isEmpty ? MethodMeasurement.standardSkew(of: plan) : skew.filter { $0 != "none" }
        for column in options.skew where !plan.rows.contains(where: { $0[column] != nil }) {
            throw EvaluationError.noColumn(source: plan.source, column: column, columns: plan.columns)
        }
        let bench = MethodBench(
            rows, embedding, dataset: dataset, plan: plan, captions: try texts.captions(of: plan, models: model),
            timesQueries: true)
        let methods =
            model.map(MeasuredMethod.model) + features.map(MeasuredMethod.features)
            + (colorHistogram ? [.colorHistogram] : [])
        let outcome = try bench.measure(methods, options)
        try show(outcome)
        if let report {
            try EvaluationPage(outcome, rows: rows).report().write(to: report)
            Console.note("report: \(report)/index.html")
        }
    }

    /// A method's measurement, as the JSON names it.
    private struct Named: Encodable {
        let method: String
        let report: MethodMeasurement
    }

    /// One method's figures at the root, with what they mean.
    private struct Alone: Encodable {
        let report: MethodMeasurement
        let unreadable: Int

        private enum Keys: String, CodingKey { case definitions, unreadable }

        func encode(to encoder: any Encoder) throws {
            try report.encode(to: encoder)
            var container = encoder.container(keyedBy: Keys.self)
            try container.encode(unreadable, forKey: .unreadable)
            try container.encode(Definitions.byName, forKey: .definitions)
        }
    }

    private struct Several: Encodable {
        let methods: [Named]
        let unreadable: Int
        let definitions = Definitions.byName
    }

    private func show(_ outcome: MethodBench.Outcome) throws {
        let results = outcome.results
        if output.json {
            if results.count == 1 {
                return try Console.printJSON(Alone(report: results[0].measurement, unreadable: outcome.unreadable))
            }
            let named = results.map { Named(method: $0.vectors.name, report: $0.measurement) }
            return try Console.printJSON(Several(methods: named, unreadable: outcome.unreadable))
        }
        print(rows.summary(results[0].measurement))
        print("| method | R@1 | interval | R@5 | R@10 | P@1 | P@10 | mAP |")
        print("|---|---|---|---|---|---|---|---|")
        for result in results {
            let report = result.measurement.report
            let interval = report.intervals.recallAt[1].map(Self.range) ?? ""
            let figures =
                [Self.number(report.recallAt[1]), interval, Self.number(report.recallAt[5]), Self.number(report.recallAt[10])]
                + [report.precisionAt[1], report.precisionAt[10], report.meanAveragePrecision].map(Self.number)
            print("| \(([result.vectors.name] + figures).joined(separator: " | ")) |")
        }
        showTexts(results)
        if !slice.isEmpty { for result in results { showSlices(result) } }
        if !skew.isEmpty { for result in results { showSkew(result) } }
    }

    private func showTexts(_ results: [MethodBench.Result]) {
        let measured = results.filter { $0.measurement.textToImage != nil || $0.measurement.imageToText != nil }
        guard let first = measured.first?.measurement else { return }
        let sizes = [
            first.textToImage.map {
                "\($0.report.queries) captions rank \($0.report.gallery) \(rows.level == .image ? "pictures" : "products")"
            },
            first.imageToText.map { "\($0.report.queries) pictures rank \($0.report.gallery) captions" },
        ].compactMap { $0 }.joined(separator: ", ")
        let column = (first.textToImage ?? first.imageToText)?.ranking.relevantBy
        let right = "equal captions\(column.map { " and equal \($0)" } ?? "") are relevant"
        print("\n\(sizes); \(right)")
        print("| method | direction | R@1 | interval | R@5 | R@10 | mAP |")
        print("|---|---|---|---|---|---|---|")
        for result in measured {
            for (direction, report) in [
                ("text→image", result.measurement.textToImage?.report), ("image→text", result.measurement.imageToText?.report),
            ] {
                guard let report else { continue }
                let figures = [
                    Self.number(report.recallAt[1]), report.intervals.recallAt[1].map(Self.range) ?? "",
                    Self.number(report.recallAt[5]), Self.number(report.recallAt[10]), Self.number(report.meanAveragePrecision),
                ]
                print("| \(([result.vectors.name, direction] + figures).joined(separator: " | ")) |")
            }
        }
    }

    private func showSlices(_ result: MethodBench.Result) {
        for slice in result.measurement.slices {
            print("\n\(result.vectors.name), by \(slice.slice): \(slice.definition)")
            print("| \(slice.slice) | queries | products | R@1 | interval | R@10 | interval | mAP | interval |")
            print("|---|---|---|---|---|---|---|---|---|")
            for part in slice.values {
                let figures = SliceReport.Part.cutoffs.flatMap {
                    [Self.number(part.recallAt[$0]), part.intervals?.recallAt[$0].map(Self.range) ?? ""]
                }
                let precision = [
                    Self.number(part.meanAveragePrecision), part.intervals.map { Self.range($0.meanAveragePrecision) } ?? "",
                ]
                print(
                    "| \(([part.value, "\(part.queries)", "\(part.products)"] + figures + precision).joined(separator: " | ")) |")
            }
        }
    }

    private func showSkew(_ result: MethodBench.Result) {
        guard let skew = result.measurement.skew else { return }
        for attribute in skew.attributes {
            print(
                "\n\(result.vectors.name), \(attribute.attribute) of the first \(skew.at) results; NDKL \(Self.number(attribute.ndkl))"
            )
            print("| \(attribute.attribute) | share of the gallery | share of the first | ln(first / gallery) |")
            print("|---|---|---|---|")
            for share in attribute.values {
                let figures = [
                    Self.number(share.gallery), Self.number(share.first), share.skew.map { Self.number($0) } ?? "never shown",
                ]
                print("| \(([share.value] + figures).joined(separator: " | ")) |")
            }
        }
    }

    static func number(_ value: Double?) -> String { value.map { String(format: "%.3f", $0) } ?? "" }

    static func range(_ interval: EvaluationReport.Interval) -> String { "\(number(interval.low))–\(number(interval.high))" }
}

/// Where captions come from.
struct CaptionOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "What makes captions, such as \"a photo of a {color} {category}\", in place of the column caption; of several the first that a row has the columns for.",
            valueName: "template"))
    var caption: [String] = []

    @Option(
        help: ArgumentHelp(
            "Between texts and pictures rows with the same value in this column are relevant, and those with an equal caption; caption: the latter alone. Without it the column of --relevant-by.",
            valueName: "column"))
    var textRelevantBy: String?

    @Flag(help: "Leave captions out: measure pictures against pictures alone.")
    var imagesOnly = false

    func validate() throws {
        if imagesOnly && (!caption.isEmpty || textRelevantBy != nil) {
            throw ValidationError("--images-only leaves captions out; it can't be joined with --caption or --text-relevant-by.")
        }
    }

    /// - Parameter models: only a model takes texts.
    /// - Returns: nil where none are measured.
    func captions(of plan: EvaluationPlan, models: [String]) throws -> RowCaptions? {
        if imagesOnly { return nil }
        if models.isEmpty {
            guard caption.isEmpty, textRelevantBy == nil else {
                throw Failure.usage("Captions need a model that takes texts; give one with --model.")
            }
            return nil
        }
        let column = textRelevantBy ?? plan.relevantBy
        return try RowCaptions(plan, templates: caption, relevantBy: column == "caption" ? nil : column)
    }
}
