import Foundation

/// The `metrics.jsonl` of a training run: a line for each step and each epoch.
public struct TrainingCurves: Sendable {
    /// By step: `loss`, `loss_…`, `rate`, `gradient_norm`.
    let steps: [(step: Double, values: [String: Double])]
    /// By epoch: `val_…`.
    let epochs: [(epoch: Int, step: Double, values: [String: Double])]
    /// The epoch that the run keeps as its best.
    public let best: (epoch: Int, step: Int)?
    /// What was told while it ran.
    public let remarks: [String]

    /// - Throws: `.noMetrics`, `.metrics` naming the line. A last line that was cut off, as a run that still writes leaves it, is left out.
    public init(metrics path: String) throws(ReportError) {
        let text: String
        do { text = try String(contentsOfFile: path, encoding: .utf8) } catch {
            throw .noMetrics(path: path, reason: error.localizedDescription)
        }
        var steps: [(step: Double, values: [String: Double])] = []
        var epochs: [(epoch: Int, step: Double, values: [String: Double])] = []
        var best: (epoch: Int, step: Int)?
        var remarks: [String] = []
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        for (number, line) in lines.enumerated() where !line.isEmpty {
            guard let object = try? JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any],
                let step = (object["step"] as? NSNumber)?.doubleValue
            else {
                if number == lines.count - 1 { break }
                throw .metrics(path: path, line: number + 1, found: line.count > 40 ? "\(line.prefix(40))…" : String(line))
            }
            let values = object.compactMapValues { ($0 as? NSNumber)?.doubleValue }.filter { $0.value.isFinite }
            if let epoch = object["epoch"] as? Int {
                epochs.append((epoch, step, values))
                if object["best"] as? Bool == true { best = (epoch, Int(step)) }
            } else if let remark = object["remark"] as? String {
                remarks.append(remark)
            } else {
                steps.append((step, values))
            }
        }
        self.steps = steps
        self.epochs = epochs
        self.best = best
        self.remarks = remarks
    }

    public var hasSteps: Bool { !steps.isEmpty }

    /// A figure of the validation by epoch, such as `score`.
    public func validation(_ figure: String) -> [(epoch: Int, value: Double)] {
        epochs.compactMap { epoch in epoch.values["val_\(figure)"].map { (epoch.epoch, $0) } }
    }

    /// Panels for the loss and its terms, the learning rate, the gradient's norm and the validation's figures, as far as the run has them; the
    /// best epoch is marked in each.
    public var charts: [LineChart] {
        let marks = best.map { [LineChart.Mark(x: Double($0.step), label: "best: epoch \($0.epoch)")] } ?? []
        func curve(_ key: String, _ name: String) -> LineChart.Series? {
            let points = steps.compactMap { step in step.values[key].map { (x: step.step, y: $0) } }
            return points.isEmpty ? nil : LineChart.Series(name, points: points)
        }
        func names(_ prefix: String, in values: some Sequence<[String: Double]>) -> [String] {
            Set(values.flatMap { $0.keys.filter { $0.hasPrefix(prefix) } }).sorted()
        }
        var charts: [LineChart] = []
        let all = steps.map(\.step) + epochs.map(\.step)
        let range = all.min().flatMap { least in all.max().map { least...$0 } }
        func add(_ title: String, _ series: [LineChart.Series]) {
            if !series.isEmpty { charts.append(LineChart(title, axis: "step", range: range, series: series, marks: marks)) }
        }
        add("Loss", [curve("loss", "loss")].compactMap { $0 })
        let terms = names("loss_", in: steps.lazy.map(\.values))
        // One term that is the whole loss would be the same curve once more.
        if terms.count > 1 { add("Terms of the loss", terms.compactMap { curve($0, String($0.dropFirst(5))) }) }
        add("Learning rate", [curve("rate", "learning rate")].compactMap { $0 })
        add("Norm of the gradient", [curve("gradient_norm", "norm")].compactMap { $0 })
        var figures = names("val_", in: epochs.lazy.map(\.values))
        // A score that is one figure's mean would be the same curve once more.
        let score = "val_score"
        if let twin = figures.first(where: { $0 != score }), figures.contains(score),
            epochs.allSatisfy({ $0.values[twin] == $0.values[score] })
        {
            figures.removeAll { $0 == score }
        }
        add(
            "Validation",
            figures.map { key in
                LineChart.Series(
                    String(key.dropFirst(4)), points: epochs.compactMap { epoch in epoch.values[key].map { (epoch.step, $0) } })
            })
        return charts
    }
}
