/// Curves over a common axis, such as a loss over the steps of a run.
public struct LineChart: Sendable {
    public struct Series: Sendable {
        public var name: String
        /// By ascending x.
        public var points: [(x: Double, y: Double)]

        public init(_ name: String, points: [(x: Double, y: Double)]) {
            self.name = name
            self.points = points
        }
    }

    /// A place on the axis that means something, such as the best epoch.
    public struct Mark: Sendable {
        public var x: Double
        public var label: String

        public init(x: Double, label: String) {
            self.x = x
            self.label = label
        }
    }

    public var title: String
    /// What the axis counts.
    public var axis: String
    public var series: [Series]
    public var marks: [Mark]
    /// What the axis reaches at least, so that panels beside each other have the same.
    public var range: ClosedRange<Double>?

    public init(_ title: String, axis: String, range: ClosedRange<Double>? = nil, series: [Series], marks: [Mark] = []) {
        self.title = title
        self.axis = axis
        self.range = range
        self.series = series
        self.marks = marks
    }

    /// How many points a curve of a panel shows; of more, neighbours are taken together.
    static let resolution = 240

    /// Neighbouring points as their mean, so that a curve has at most `resolution` points.
    static func thinned(_ points: [(x: Double, y: Double)]) -> [(x: Double, y: Double)] {
        guard points.count > resolution else { return points }
        return (0..<resolution).map { bucket in
            let part = points[bucket * points.count / resolution..<(bucket + 1) * points.count / resolution]
            let count = Double(part.count)
            return (part.reduce(0) { $0 + $1.x } / count, part.reduce(0) { $0 + $1.y } / count)
        }
    }

    /// What the curves show, in words.
    var summary: String {
        let parts = series.compactMap { series -> String? in
            guard let first = series.points.first, let last = series.points.last,
                let least = series.points.min(by: { $0.y < $1.y }), let most = series.points.max(by: { $0.y < $1.y })
            else { return nil }
            func value(_ y: Double) -> String { Axis.label(y) }
            return "\(series.name) from \(value(first.y)) at \(axis) \(Axis.label(first.x)) to \(value(last.y)) at \(axis) "
                + "\(Axis.label(last.x)), between \(value(least.y)) and \(value(most.y))"
        }
        return (parts + marks.map { "\($0.label) at \(axis) \(Axis.label($0.x))" }).joined(separator: "; ") + "."
    }
}
