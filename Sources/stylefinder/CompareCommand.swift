import ArgumentParser
import Catalog
import Evaluation
import Foundation
import Retrieval

struct CompareCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "compare", abstract: "Measure two methods on the same rows, and whether they differ by more than chance.",
        discussion: """
            A and B are models, or files of vectors with --features, which come after the models. Differences are B − A, query by query; \
            their intervals come from a paired bootstrap by product.
            """)

    @Argument(help: "Models: shipped names, folders, checkpoint files or runs.")
    var models: [String] = []

    @Option(help: "A file of vectors made elsewhere, in place of a model; may be given twice.")
    var features: [String] = []

    @Flag(help: "Take a colour histogram in place of a model.")
    var colorHistogram = false

    @Option(help: "How many examples of queries that only one of them finds are told.")
    var examples = 5

    @OptionGroup var rows: MeasuredRowsOptions
    @OptionGroup var embedding: EmbeddingOptions
    @OptionGroup var output: OutputOption

    private var methods: [MeasuredMethod] {
        models.map(MeasuredMethod.model) + features.map(MeasuredMethod.features) + (colorHistogram ? [.colorHistogram] : [])
    }

    func validate() throws {
        guard methods.count == 2 else {
            throw ValidationError(
                "compare takes two methods and found \(methods.count): name two models, or --features FILE or --color-histogram in place of one."
            )
        }
        guard (0...1000).contains(examples) else { throw ValidationError("--examples is \(examples), expected 0 to 1000.") }
    }

    func run() throws {
        let dataset = try rows.dataset()
        let plan = try rows.plan(of: dataset)
        var options = MethodMeasurement.Options()
        options.level = rows.level
        options.top = 1
        let bench = MethodBench(rows, embedding, dataset: dataset, plan: plan, captions: nil, timesQueries: false)
        let outcome = try bench.measure(methods, options)
        let (first, second) = (outcome.results[0], outcome.results[1])
        let comparison = MethodComparison(first.measurement, second.measurement, examples: examples)
        if output.json {
            try Console.printJSON(ComparisonDocument(outcome, comparison))
        } else {
            show(outcome, comparison)
        }
    }

    private func show(_ outcome: MethodBench.Outcome, _ comparison: MethodComparison) {
        let (first, second) = (outcome.results[0], outcome.results[1])
        print("A: \(first.vectors.name), B: \(second.vectors.name)")
        print(
            "\(comparison.queries) queries of \(comparison.products) products that have something relevant; "
                + rows.summary(first.measurement))
        print("| figure | A | B | B − A | interval | resamples of the other sign | beyond chance |")
        print("|---|---|---|---|---|---|---|")
        for (figure, difference) in comparison.differences {
            let figures = [
                EvaluateCommand.number(difference.first), EvaluateCommand.number(difference.second),
                Self.signed(difference.difference),
                "\(Self.signed(difference.interval.low)) to \(Self.signed(difference.interval.high))",
                EvaluateCommand.number(difference.shareOfOtherSign), difference.isBeyondChance ? "yes" : "no",
            ]
            print("| \(([figure.title] + figures).joined(separator: " | ")) |")
        }
        print("\n" + ComparisonDocument.verdict(comparison, first.vectors.name, second.vectors.name))
        for (k, found) in comparison.found.sorted(by: { $0.key < $1.key }) {
            print(
                "Among the first \(k): both find \(found.both), only A \(found.onlyFirst), only B \(found.onlySecond), neither \(found.neither)."
            )
        }
        for (name, queries, other) in [("A", comparison.onlyFirst, second), ("B", comparison.onlySecond, first)]
        where !queries.isEmpty {
            print("\nOnly \(name) finds first, such as:")
            for query in queries {
                let row = outcome.plan.rows[outcome.plan.queries[query]]
                let place = other.measurement.ranked[query].ranking.relevantPlaces.first ?? 0
                print("  \(row.image) (\(row.productID)): place \(place) with \(name == "A" ? "B" : "A")")
            }
        }
    }

    static func signed(_ value: Double) -> String { String(format: "%+.3f", value) }
}

/// The JSON of a comparison.
struct ComparisonDocument: Encodable {
    struct Method: Encodable {
        let method: String
        let report: MethodMeasurement
    }

    struct Difference: Encodable {
        let value: Double
        let interval: EvaluationReport.Interval
        let shareOfOtherSign: Double
        let beyondChance: Bool

        enum CodingKeys: String, CodingKey {
            case value
            case interval = "ci95"
            case shareOfOtherSign = "share_of_other_sign"
            case beyondChance = "beyond_chance"
        }
    }

    struct Example: Encodable {
        let image: String
        let productID: String
        /// The place of the first relevant candidate, counted from 1, and the first candidate.
        let placeA: Int
        let placeB: Int
        let firstA: String?
        let firstB: String?

        enum CodingKeys: String, CodingKey {
            case image
            case productID = "product_id"
            case placeA = "place_a"
            case placeB = "place_b"
            case firstA = "first_a"
            case firstB = "first_b"
        }
    }

    struct Examples: Encodable {
        let onlyA: [Example]
        let onlyB: [Example]

        enum CodingKeys: String, CodingKey {
            case onlyA = "only_a"
            case onlyB = "only_b"
        }
    }

    let a: Method
    let b: Method
    let queries: Int
    let products: Int
    let differences: [String: Difference]
    let foundAt: [Int: MethodComparison.Found]
    let examples: Examples
    let verdict: String
    let unreadable: Int
    let definitions: [String: String]

    enum CodingKeys: String, CodingKey {
        case a, b, queries, products, differences, examples, verdict, unreadable, definitions
        case foundAt = "found_at"
    }

    init(_ outcome: MethodBench.Outcome, _ comparison: MethodComparison) {
        let (first, second) = (outcome.results[0], outcome.results[1])
        a = Method(method: first.vectors.name, report: first.measurement)
        b = Method(method: second.vectors.name, report: second.measurement)
        queries = comparison.queries
        products = comparison.products
        differences = Dictionary(
            uniqueKeysWithValues: comparison.differences.map { figure, difference in
                (
                    figure.rawValue,
                    Difference(
                        value: difference.difference, interval: difference.interval,
                        shareOfOtherSign: difference.shareOfOtherSign,
                        beyondChance: difference.isBeyondChance)
                )
            })
        foundAt = comparison.found
        let plan = outcome.plan
        func example(_ query: Int) -> Example {
            func place(_ result: MethodBench.Result) -> Int { result.measurement.ranked[query].ranking.relevantPlaces.first ?? 0 }
            func shown(_ result: MethodBench.Result) -> String? {
                result.measurement.ranked[query].first.first.map { plan.rows[$0.row].image }
            }
            let row = plan.rows[plan.queries[query]]
            return Example(
                image: row.image, productID: row.productID, placeA: place(first), placeB: place(second), firstA: shown(first),
                firstB: shown(second))
        }
        examples = Examples(onlyA: comparison.onlyFirst.map(example), onlyB: comparison.onlySecond.map(example))
        verdict = Self.verdict(comparison, first.vectors.name, second.vectors.name)
        unreadable = outcome.unreadable
        definitions = Definitions.byName.merging([
            "differences":
                "B − A: the mean over the queries of the difference of a query's two values; divided by the queries that have something relevant.",
            "share_of_other_sign":
                "The share of the resamples of products in which the difference has the other sign than here, or is zero; near 0 the sign is sure.",
            "beyond_chance": "Whether the 95 % interval of the difference leaves out zero.",
            "found_at": "By K, of how many queries both, only one or neither has something relevant among the first K.",
        ]) { old, _ in old }
    }

    /// Whether they differ, plainly.
    static func verdict(_ comparison: MethodComparison, _ first: String, _ second: String) -> String {
        var parts: [String] = []
        let sure = comparison.differences.filter { $0.difference.isBeyondChance }
        for (name, isBetter) in [(second, true), (first, false)] {
            let figures = sure.filter { ($0.difference.difference > 0) == isBetter }
            if !figures.isEmpty {
                let list = figures.map { "\($0.figure.title) (\(CompareCommand.signed(abs($0.difference.difference))))" }
                parts.append("\(name) is better beyond chance in \(list.joined(separator: ", ")).")
            }
        }
        let unsure = comparison.differences.filter { !$0.difference.isBeyondChance }.map(\.figure.title)
        if !unsure.isEmpty {
            parts.append(
                sure.isEmpty
                    ? "No difference beyond chance: the intervals of \(unsure.joined(separator: ", ")) all hold zero."
                    : "The difference in \(unsure.joined(separator: ", ")) is within chance.")
        }
        return parts.joined(separator: " ")
    }
}
