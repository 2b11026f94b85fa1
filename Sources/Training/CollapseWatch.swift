import Foundation

/// Watches a run for three ways in which nothing is learned: all vectors become one, a loss stays what chance gives, or it is at its least and has
/// nothing left to teach.
struct CollapseWatch {
    /// Steps that are looked at together.
    private static let window = 50
    /// Mean cosine above which the vectors of different pictures are one.
    private static let oneVector = 0.98
    /// How near to chance counts as chance.
    private static let nearness = 0.01
    /// How much of the way from chance to the floor may be left at the floor.
    private static let rest = 0.02

    /// What was told, in this process or before it.
    private(set) var told: [String]
    private var cosines: [Double] = []
    private var shares: [String: [Double]] = [:]
    private var rests: [String: [Double]] = [:]

    init(told: [String]) { self.told = told }

    /// - Returns: a sentence that was not told before.
    mutating func see(_ report: StepReport) -> String? {
        Self.keep(report.cosine, in: &cosines)
        for (name, value) in report.terms {
            guard let chance = report.chance[name], chance > 0 else { continue }
            Self.keep(value / chance, in: &shares[name, default: []])
            guard let floor = report.floor[name], floor < chance else { continue }
            Self.keep((value - floor) / (chance - floor), in: &rests[name, default: []])
        }
        if let mean = Self.mean(cosines), mean > Self.oneVector {
            let sentence = String(
                format:
                    "The vectors collapse: two different pictures of a batch have a cosine of %.4f, the mean over %d steps. Nothing can be found with them.",
                mean, Self.window)
            if let new = tell(sentence, key: "The vectors collapse") { return new }
        }
        for (name, values) in shares.sorted(by: { $0.key < $1.key }) {
            guard let mean = Self.mean(values), abs(mean - 1) < Self.nearness,
                values.allSatisfy({ abs($0 - 1) < 5 * Self.nearness }), let chance = report.chance[name]
            else { continue }
            let key = "The loss \(name) stays at chance"
            let sentence = String(
                format: "%@ (%.3f) over %d steps: it learns nothing from these labels, texts or rates.", key, chance, Self.window)
            if let new = tell(sentence, key: key) { return new }
        }
        for (name, values) in rests.sorted(by: { $0.key < $1.key }) {
            guard let mean = Self.mean(values), mean < Self.rest, let floor = report.floor[name] else { continue }
            let key = "The loss \(name) is at its floor"
            let sentence = String(
                format: "%@ (%.3f) over %d steps: its batches are solved, and nothing is left to learn from them.", key, floor,
                Self.window)
            if let new = tell(sentence, key: key) { return new }
        }
        return nil
    }

    private mutating func tell(_ sentence: String, key: String) -> String? {
        guard !told.contains(where: { $0.hasPrefix(key) }) else { return nil }
        told.append(sentence)
        return sentence
    }

    private static func keep(_ value: Double, in values: inout [Double]) {
        values.append(value)
        if values.count > window { values.removeFirst() }
    }

    /// nil before the window is full.
    private static func mean(_ values: [Double]) -> Double? {
        values.count < window ? nil : values.reduce(0, +) / Double(values.count)
    }
}
