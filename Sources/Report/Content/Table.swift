import Foundation
public import Retrieval

/// A table: a head of one or two lines, and rows whose first cell names them.
public struct Table: Sendable {
    public struct Cell: Sendable, Equatable {
        public var text: String
        /// Smaller, below: an interval.
        public var detail: String
        /// The best of its column.
        public var isBest: Bool

        public init(_ text: String, detail: String = "", isBest: Bool = false) {
            self.text = text
            self.detail = detail
            self.isBest = isBest
        }
    }

    /// A head over several columns; empty where there is none.
    public var groups: [(title: String, columns: Int)]
    public var columns: [String]
    /// As many cells each as columns.
    public var rows: [[Cell]]

    public init(columns: [String], rows: [[Cell]], groups: [(title: String, columns: Int)] = []) {
        self.groups = groups
        self.columns = columns
        self.rows = rows
    }

    /// A model's figures in one direction, such as from pictures to pictures.
    public struct Result: Sendable {
        public var direction: String
        /// nil where the model can't do it.
        public var report: EvaluationReport?

        public init(_ direction: String, _ report: EvaluationReport?) {
            self.direction = direction
            self.report = report
        }
    }

    /// R@1, R@5, R@10 and mAP with their 95 % intervals, of any number of models and directions; the best of each column stands out where there
    /// is more than one model.
    /// - Parameter models: each with the same directions in the same order.
    public static func results(_ models: [(name: String, results: [Result])]) -> Table {
        let directions = models.first?.results.map(\.direction) ?? []
        let figures: [(title: String, value: (EvaluationReport) -> (Double, EvaluationReport.Interval)?)] =
            [1, 5, 10].map { k in
                (
                    "R@\(k)",
                    { report in
                        guard let value = report.recallAt[k], let interval = report.intervals.recallAt[k] else { return nil }
                        return (value, interval)
                    }
                )
            } + [("mAP", { ($0.meanAveragePrecision, $0.intervals.meanAveragePrecision) })]
        var rows = models.map { [Cell($0.name)] }
        for direction in directions.indices {
            for figure in figures {
                let values = models.map { model in
                    model.results.indices.contains(direction) ? model.results[direction].report.flatMap(figure.value) : nil
                }
                let best = values.compactMap { $0?.0 }.max()
                for (row, value) in values.enumerated() {
                    guard let (value, interval) = value else {
                        rows[row].append(Cell("–"))
                        continue
                    }
                    rows[row].append(
                        Cell(
                            number(value), detail: range(interval),
                            isBest: models.count > 1 && number(value) == best.map { number($0) }))
                }
            }
        }
        return Table(
            columns: ["model"] + directions.flatMap { _ in figures.map(\.title) }, rows: rows,
            groups: [("", 1)] + directions.map { ($0, figures.count) })
    }

    /// A share as tables have it: three decimals.
    public static func number(_ value: Double) -> String { String(format: "%.3f", value) }

    public static func range(_ interval: EvaluationReport.Interval) -> String {
        "\(number(interval.low))–\(number(interval.high))"
    }
}
