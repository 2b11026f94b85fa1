public import Retrieval

/// Shares in 0…1 of several groups, such as of every category, for one or several models, with their intervals.
public struct BarChart: Sendable {
    public struct Bar: Sendable {
        public var model: String
        public var value: Double
        public var interval: EvaluationReport.Interval?

        public init(model: String, value: Double, interval: EvaluationReport.Interval? = nil) {
            self.model = model
            self.value = value
            self.interval = interval
        }
    }

    public struct Group: Sendable {
        public var label: String
        /// Such as how many queries it has.
        public var note: String
        public var bars: [Bar]

        public init(_ label: String, note: String = "", bars: [Bar]) {
            self.label = label
            self.note = note
            self.bars = bars
        }
    }

    public var groups: [Group]

    public init(_ groups: [Group]) { self.groups = groups }

    /// In the order in which they first come: what their colours are given by.
    var models: [String] {
        var models: [String] = []
        for bar in groups.flatMap(\.bars) where !models.contains(bar.model) { models.append(bar.model) }
        return models
    }
}
