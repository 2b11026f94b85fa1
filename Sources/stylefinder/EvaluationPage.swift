import Catalog
import Evaluation
import Foundation
import Report
import Retrieval

/// Puts what `evaluate` measured into a report.
struct EvaluationPage {
    let outcome: MethodBench.Outcome
    private let rows: MeasuredRowsOptions
    var plan: EvaluationPlan { outcome.plan }
    var results: [MethodBench.Result] { outcome.results }

    /// Queries that the page shows with their results.
    private static let shownQueries = 6
    private static let shownResults = 8

    init(_ outcome: MethodBench.Outcome, rows: MeasuredRowsOptions) {
        self.outcome = outcome
        self.rows = rows
    }

    func report() throws -> Report {
        var sections = try [resultSection, trainingSection(), queriesSection, textQueriesSection, sliceSection, skewSection]
            .compactMap { $0 }
        sections.append(
            Report.Section(
                "What the figures mean",
                figures: [
                    Report.Figure(
                        "definitions", title: "Definitions", .definitions(Definitions.all.map { (term: $0.name, text: $0.text) }))
                ]))
        let names = results.map(\.vectors.name)
        return Report(
            title: "\(Self.list(names)) on \(URL(fileURLWithPath: rows.data).lastPathComponent)",
            lead: [rows.summary(results[0].measurement) + ".", "Dataset: \(plan.source)."], remarks: remarks, sections: sections)
    }

    /// With the minus sign of print.
    static func signed(_ value: Double) -> String { CompareCommand.signed(value).replacing("-", with: "−") }

    /// Names as a sentence has them.
    static func list(_ names: [String]) -> String {
        names.count < 2 ? names.joined() : names.dropLast().joined(separator: ", ") + " and " + (names.last ?? "")
    }

    private var remarks: [Report.Remark] {
        var remarks = (outcome.remarks + results.flatMap(\.vectors.remarks)).map {
            Report.Remark(.warning, $0.prefix(1).uppercased() + $0.dropFirst())
        }
        if outcome.unreadable > 0 {
            remarks.append(Report.Remark(.warning, "\(outcome.unreadable) pictures can't be read and were left out."))
        }
        let report = results[0].measurement.report
        if report.queriesWithoutRelevant > 0 {
            remarks.append(
                Report.Remark(
                    .note,
                    "\(report.queriesWithoutRelevant) of \(report.queries) queries have nothing relevant in the gallery and are left out."
                ))
        }
        for result in results {
            guard let duplicates = result.measurement.report.duplicates, duplicates.groups > 0 else { continue }
            remarks.append(
                Report.Remark(
                    duplicates.groupsAcrossProducts > 0 ? .warning : .note,
                    "\(result.vectors.name): \(duplicates.rows) rows in \(duplicates.groups) groups have exactly the same vector, "
                        + "\(duplicates.groupsAcrossQueryAndGallery) groups across query and gallery and \(duplicates.groupsAcrossProducts) across products."
                ))
        }
        return remarks
    }

    // MARK: Tables

    private var resultSection: Report.Section {
        let hasTexts = results.contains { $0.measurement.textToImage != nil }
        let hasCaptions = results.contains { $0.measurement.imageToText != nil }
        let models = results.map { result in
            let measurement = result.measurement
            return (
                name: result.vectors.name,
                results: [Table.Result("image→image", measurement.report)]
                    + (hasTexts ? [Table.Result("text→image", measurement.textToImage?.report)] : [])
                    + (hasCaptions ? [Table.Result("image→text", measurement.imageToText?.report)] : [])
            )
        }
        var figures = [
            Report.Figure(
                "results", title: "Results",
                note: "With 95 % bootstrap intervals by product; a dash stands where a method takes no texts.",
                .table(Table.results(models)))
        ]
        if results.count > 1 { figures.append(differences) }
        if results.contains(where: { $0.measurement.report.latencyMilliseconds != nil }) { figures.append(latencies) }
        return Report.Section("Results", figures: figures)
    }

    private var differences: Report.Figure {
        let first = results[0]
        let table = results.dropFirst().map { other -> [Table.Cell] in
            [Table.Cell(other.vectors.name)]
                + MethodComparison(first.measurement, other.measurement, examples: 0).differences.map { _, difference in
                    Table.Cell(
                        Self.signed(difference.difference) + (difference.isBeyondChance ? " *" : ""),
                        detail:
                            "\(Self.signed(difference.interval.low)) to \(Self.signed(difference.interval.high))"
                    )
                }
        }
        return Report.Figure(
            "differences", title: "Difference to \(first.vectors.name)",
            note:
                "Mean of the differences query by query, with the 95 % interval of a paired bootstrap by product. * marks a difference beyond "
                + "chance: its interval leaves out zero.",
            .table(Table(columns: ["method"] + MethodComparison.Figure.allCases.map(\.title), rows: table)))
    }

    private var latencies: Report.Figure {
        let parts = ["decode", "encode", "search", "total"]
        let measured = results.filter { $0.measurement.report.latencyMilliseconds != nil }
        let percentiles = ["p50", "p95", "p99"]
        let table = measured.map { result -> [Table.Cell] in
            let times = result.measurement.report.latencyMilliseconds ?? [:]
            let cells = parts.flatMap { part in
                percentiles.map { name -> Table.Cell in
                    guard let time = times[part]?[name] else { return Table.Cell("–") }
                    return Table.Cell(String(format: time < 10 ? "%.2f" : "%.1f", time))
                }
            }
            return [Table.Cell(result.vectors.name)] + cells
        }
        let hardware = measured.compactMap(\.measurement.hardware).first
        return Report.Figure(
            "latency", title: "Latency of single queries, in milliseconds",
            note: hardware.map { "Measured on \($0.processor), \($0.cores) cores; the model ran on \($0.device)." } ?? "",
            .table(
                Table(
                    columns: ["method"] + parts.flatMap { _ in percentiles }, rows: table,
                    groups: [("", 1)] + parts.map { ($0, 3) })))
    }

    // MARK: Pictures

    private var queriesSection: Report.Section? {
        let measured = plan.queries.indices.filter { results[0].measurement.ranked[$0].ranking.relevantCount > 0 }
        func precision(_ query: Int) -> Double {
            results.reduce(0) { $0 + $1.measurement.ranked[query].ranking.averagePrecision } / Double(results.count)
        }
        let precisions = Dictionary(uniqueKeysWithValues: measured.map { ($0, precision($0)) })
        let worst = measured.sorted {
            let (a, b) = (precisions[$0] ?? 0, precisions[$1] ?? 0)
            return a != b ? a < b : $0 < $1
        }.prefix(Self.shownQueries)
        let what = results.count > 1 ? "the mean average precision over the methods" : "their average precision"
        return Report.Section(
            "Queries and their results",
            text: [
                "A hit has a whole green frame and a tick, a miss a dashed red one and a cross; the number is the cosine similarity."
            ],
            figures: [
                Report.Figure(
                    "queries", title: "Queries spread over all",
                    note: "Every \(Self.ordinal(max(1, measured.count / Self.shownQueries))) query, whatever its results.",
                    .grid(RetrievalGrid(Self.spread(measured, Self.shownQueries).map(shown)))),
                Report.Figure(
                    "worst-queries", title: "Worst queries", note: "Those with the least, by \(what).",
                    .grid(RetrievalGrid(worst.map(shown)))),
            ])
    }

    /// As many as asked for, at equal distances.
    private static func spread<Value>(_ values: [Value], _ count: Int) -> [Value] {
        values.count <= count ? values : (0..<count).map { values[$0 * values.count / count] }
    }

    private static func ordinal(_ number: Int) -> String {
        switch (number % 10, number % 100) {
        case (1, let last) where last != 11: number == 1 ? "single" : "\(number)st"
        case (2, let last) where last != 12: "\(number)nd"
        case (3, let last) where last != 13: "\(number)rd"
        default: "\(number)th"
        }
    }

    private func shown(_ query: Int) -> RetrievalGrid.Query {
        let row = plan.rows[plan.queries[query]]
        return RetrievalGrid.Query(
            picture(of: row, "Query"), label: label(of: row),
            lists: results.map { list(of: $0.measurement.ranked[query], named: $0.vectors.name) })
    }

    private func list(of ranked: RankedQuery, named name: String) -> RetrievalGrid.ResultList {
        RetrievalGrid.ResultList(
            model: name, note: Self.note(on: ranked.ranking),
            results: ranked.first.prefix(Self.shownResults).enumerated().map { place, result in
                let row = plan.rows[result.row]
                return RetrievalGrid.Result(
                    picture(of: row, "Result \(place + 1) of \(name), a \(result.isRelevant ? "hit" : "miss")"),
                    caption: label(of: row),
                    score: result.score, isHit: result.isRelevant)
            })
    }

    private static func note(on ranking: Ranking) -> String {
        guard let first = ranking.relevantPlaces.first else { return "nothing relevant to find" }
        let hits = ranking.hits(at: shownResults)
        return "first hit at place \(first); \(hits) of \(ranking.relevantCount) among the first \(shownResults)"
    }

    private func picture(of row: ManifestRow, _ role: String) -> RetrievalGrid.Picture {
        RetrievalGrid.Picture(path: row.path, alt: "\(role): \(label(of: row))")
    }

    /// What a row is, in a few words.
    private func label(of row: ManifestRow) -> String {
        let name = row["title"] ?? row.productID
        let rest = [row[plan.relevantBy == "product_id" ? "color" : plan.relevantBy], row["view"]].compactMap { $0 }
        return ([name] + rest).joined(separator: ", ")
    }

    private var textQueriesSection: Report.Section? {
        let measured = results.filter { $0.measurement.textToImage != nil }
        guard let first = measured.first?.measurement.textToImage else { return nil }
        let asked = first.ranking.ranked.indices.filter { first.ranking.ranked[$0].ranking.relevantCount > 0 }
        let queries = Self.spread(asked, 4).map { query in
            RetrievalGrid.Query(
                nil, label: first.ranking.queries[query].text,
                lists: measured.compactMap { result in
                    result.measurement.textToImage.map { list(of: $0.ranking.ranked[query], named: result.vectors.name) }
                })
        }
        return Report.Section(
            "Texts and their results",
            figures: [
                Report.Figure(
                    "text-queries", title: "Captions spread over all",
                    note:
                        "Pictures with an equal caption\(first.ranking.relevantBy.map { " or an equal \($0)" } ?? "") are hits.",
                    .grid(RetrievalGrid(queries)))
            ])
    }

    // MARK: Training

    private func trainingSection() throws -> Report.Section? {
        let figures = try results.enumerated().compactMap { place, result -> Report.Figure? in
            guard let path = result.vectors.metrics else { return nil }
            let curves = try TrainingCurves(metrics: path)
            // A run without steps has one point of validation, which is no curve.
            guard curves.hasSteps else { return nil }
            return Report.Figure(
                "training-\(place + 1)", title: "Training of \(result.vectors.name)",
                note: curves.best.map { "The best epoch is \($0.epoch), after step \($0.step)." } ?? "", .charts(curves.charts))
        }
        return figures.isEmpty ? nil : Report.Section("Training", figures: figures)
    }
}
