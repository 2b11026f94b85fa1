import Evaluation
import Foundation
import Report
import Retrieval

extension EvaluationPage {
    /// Parts of a slice that bars are drawn of.
    private static let shownParts = 24

    var sliceSection: Report.Section? {
        let slices = results[0].measurement.slices
        if slices.isEmpty { return nil }
        let figures = slices.enumerated().flatMap { place, slice -> [Report.Figure] in
            let name = Self.fileName("slice-\(slice.slice)", number: place)
            // By method and part: a method may lack one, where nothing relevant is in it.
            let parts = results.map { result in
                Dictionary(
                    result.measurement.slices[place].values.map { ($0.value, $0) }, uniquingKeysWith: { first, _ in first })
            }
            let left = slice.values.count - Self.shownParts
            return [
                Report.Figure(
                    name, title: "R@1 by \(slice.slice)",
                    note: "Parts are made of \(slice.definition)." + (left > 0 ? " \(left) more parts are in the table." : ""),
                    .bars(bars(slice, parts))),
                Report.Figure(
                    "table-\(name)", title: "Figures by \(slice.slice)",
                    note: "A part of a single product has no interval: there is nothing to draw from.", isFolded: true,
                    .table(table(slice, parts))),
            ]
        }
        return Report.Section("Parts of the queries", figures: figures)
    }

    private func bars(_ slice: SliceReport, _ parts: [[String: SliceReport.Part]]) -> BarChart {
        BarChart(
            slice.values.prefix(Self.shownParts).map { part in
                let bars = results.indices.compactMap { number -> BarChart.Bar? in
                    guard let part = parts[number][part.value] else { return nil }
                    return BarChart.Bar(
                        model: results[number].vectors.name, value: part.recallAt[1] ?? 0, interval: part.intervals?.recallAt[1])
                }
                return BarChart.Group(part.value, note: part.queries == 1 ? "1 query" : "\(part.queries) queries", bars: bars)
            })
    }

    private func table(_ slice: SliceReport, _ parts: [[String: SliceReport.Part]]) -> Table {
        func cells(_ part: SliceReport.Part?) -> [Table.Cell] {
            guard let part else { return Array(repeating: Table.Cell("–"), count: SliceReport.Part.cutoffs.count + 1) }
            let recall = SliceReport.Part.cutoffs.map { k in
                Table.Cell(
                    Table.number(part.recallAt[k] ?? 0), detail: part.intervals?.recallAt[k].map(Table.range) ?? "")
            }
            let precision = Table.Cell(
                Table.number(part.meanAveragePrecision), detail: part.intervals.map { Table.range($0.meanAveragePrecision) } ?? ""
            )
            return recall + [precision]
        }
        let figures = SliceReport.Part.cutoffs.map { "R@\($0)" } + ["mAP"]
        return Table(
            columns: [slice.slice, "queries", "products"] + results.flatMap { _ in figures },
            rows: slice.values.map { part in
                [Table.Cell(part.value), Table.Cell("\(part.queries)"), Table.Cell("\(part.products)")]
                    + parts.flatMap { cells($0[part.value]) }
            }, groups: [("", 3)] + results.map { ($0.vectors.name, figures.count) })
    }

    var skewSection: Report.Section? {
        guard let first = results[0].measurement.skew, !first.attributes.isEmpty else { return nil }
        let figures = first.attributes.enumerated().map { place, attribute in
            let all = results.compactMap { $0.measurement.skew?.attributes[place] }
            let shares = attribute.values.enumerated().map { row, share in
                [Table.Cell(share.value), Table.Cell(Table.number(share.gallery))]
                    + all.map { attribute in
                        let share = attribute.values[row]
                        return Table.Cell(Table.number(share.first), detail: share.skew.map(Self.signed) ?? "never shown")
                    }
            }
            let divergence = [Table.Cell("NDKL"), Table.Cell("")] + all.map { Table.Cell(Table.number($0.ndkl)) }
            let name = attribute.attribute.prefix(1).uppercased() + attribute.attribute.dropFirst()
            return Report.Figure(
                Self.fileName("skew-\(attribute.attribute)", number: place), title: "\(name) of the first \(first.at) results",
                note:
                    "Shares of the gallery and of the first results of all queries; below, ln(first / gallery). NDKL is 0 where every "
                    + "prefix has the gallery's shares.",
                .table(
                    Table(
                        columns: [attribute.attribute, "gallery"] + results.map(\.vectors.name), rows: shares + [divergence])))
        }
        return Report.Section("What is shown first", figures: figures)
    }

    /// A figure's name out of a column's, which may be any text.
    private static func fileName(_ text: String, number: Int) -> String {
        let plain = text.lowercased().unicodeScalars.map { scalar in
            ("a"..."z").contains(scalar) || ("0"..."9").contains(scalar) ? String(scalar) : "-"
        }.joined()
        let kept = text.lowercased().unicodeScalars.allSatisfy {
            $0 == "-" || $0 == "_" || $0.isASCII && $0.properties.isAlphabetic
        }
        // Other letters all become hyphens: the number tells such columns apart.
        return kept ? plain : "\(plain.prefix(40))-\(number + 1)"
    }
}
