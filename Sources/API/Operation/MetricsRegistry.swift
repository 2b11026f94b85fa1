public import CoreMetrics
import Foundation
import Synchronization

/// The metrics of a process, counted in memory and written in Prometheus' text format (version 0.0.4).
///
/// Anything that uses swift-metrics counts here once `MetricsSystem.bootstrap` has been given a registry. A counter is written as `NAME_total`, a timer
/// as the histogram `NAME_seconds`, a recorder as the histogram `NAME`, a meter as the gauge `NAME`.
public final class MetricsRegistry: MetricsFactory, Sendable {
    /// Names and values of labels, sorted by name.
    struct Labels: Hashable, Sendable {
        let pairs: [String]

        init(_ dimensions: [(String, String)]) {
            pairs = dimensions.sorted { $0.0 < $1.0 }.flatMap { [MetricsRegistry.name($0.0), $0.1] }
        }

        /// `{a="b",c="d"}`, with one more pair at the end; empty without any.
        func text(adding extra: (name: String, value: String)? = nil) -> String {
            var parts = stride(from: 0, to: pairs.count, by: 2).map { "\(pairs[$0])=\"\(Self.escaped(pairs[$0 + 1]))\"" }
            if let extra { parts.append("\(extra.name)=\"\(extra.value)\"") }
            return parts.isEmpty ? "" : "{\(parts.joined(separator: ","))}"
        }

        private static func escaped(_ value: String) -> String {
            value.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"").replacing("\n", with: "\\n")
        }
    }

    enum Kind: String { case counter, gauge, histogram }

    private struct Family {
        let kind: Kind
        var series: [Labels: Series] = [:]
    }

    private struct State {
        var families: [String: Family] = [:]
        var helps: [String: String] = [:]
    }

    /// No metric of ours has more; a name that somebody makes up for each request would fill the memory.
    private static let seriesLimit = 2000

    /// Upper bounds of timers, in seconds.
    static let secondBounds = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 120]
    /// Upper bounds of recorders.
    static let countBounds = (0...12).map { Double(1 << $0) }

    private let state = Mutex(State())

    public init() {}

    /// Says what a metric is, in a line.
    public func describe(_ name: String, _ help: String) { state.withLock { $0.helps[name] = help } }

    /// The series of a metric, made where it is not there.
    private func series(_ name: String, _ kind: Kind, _ dimensions: [(String, String)], bounds: [Double] = []) -> Series {
        let (name, labels) = (Self.name(name), Labels(dimensions))
        return state.withLock { state in
            if let family = state.families[name] {
                // Two kinds under one name can't be written; the second one counts where nobody reads.
                guard family.kind == kind else { return Series(bounds: bounds) }
                if let series = family.series[labels] { return series }
                guard family.series.count < Self.seriesLimit else { return Series(bounds: bounds) }
            }
            let series = Series(bounds: bounds)
            state.families[name, default: Family(kind: kind)].series[labels] = series
            return series
        }
    }

    public func makeCounter(label: String, dimensions: [(String, String)]) -> any CounterHandler {
        series(label + "_total", .counter, dimensions)
    }

    public func makeFloatingPointCounter(label: String, dimensions: [(String, String)]) -> any FloatingPointCounterHandler {
        series(label + "_total", .counter, dimensions)
    }

    public func makeMeter(label: String, dimensions: [(String, String)]) -> any MeterHandler { series(label, .gauge, dimensions) }

    public func makeRecorder(label: String, dimensions: [(String, String)], aggregate: Bool) -> any RecorderHandler {
        aggregate ? series(label, .histogram, dimensions, bounds: Self.countBounds) : series(label, .gauge, dimensions)
    }

    public func makeTimer(label: String, dimensions: [(String, String)]) -> any TimerHandler {
        series(label + "_seconds", .histogram, dimensions, bounds: Self.secondBounds)
    }

    // What was counted stays countable: whoever makes the same metric again goes on.
    public func destroyCounter(_ handler: any CounterHandler) {}
    public func destroyFloatingPointCounter(_ handler: any FloatingPointCounterHandler) {}
    public func destroyMeter(_ handler: any MeterHandler) {}
    public func destroyRecorder(_ handler: any RecorderHandler) {}
    public func destroyTimer(_ handler: any TimerHandler) {}

    /// Everything that was counted, and gauges that are read now, sorted by name.
    /// - Parameter gauges: names with their labels and values.
    func text(gauges: [(name: String, labels: [(String, String)], value: Double)] = []) -> String {
        let (families, helps) = state.withLock { ($0.families, $0.helps) }
        var blocks: [String: (kind: Kind, lines: [String])] = [:]
        for (name, family) in families {
            let lines = family.series.sorted { $0.key.pairs.lexicographicallyPrecedes($1.key.pairs) }.flatMap { labels, series in
                series.lines(name, labels, family.kind)
            }
            blocks[name] = (family.kind, lines)
        }
        for gauge in gauges {
            let line = "\(gauge.name)\(Labels(gauge.labels).text()) \(Self.number(gauge.value))"
            blocks[gauge.name, default: (.gauge, [])].lines.append(line)
        }
        var text = ""
        for (name, block) in blocks.sorted(by: { $0.key < $1.key }) {
            if let help = helps[name] { text += "# HELP \(name) \(help)\n" }
            text += "# TYPE \(name) \(block.kind.rawValue)\n" + block.lines.joined(separator: "\n") + "\n"
        }
        return text
    }

    /// A name as Prometheus takes it: letters, digits and underscores.
    static func name(_ text: String) -> String {
        let name = String(
            text.unicodeScalars.map { scalar in
                ("a"..."z").contains(scalar) || ("A"..."Z").contains(scalar) || ("0"..."9").contains(scalar) || scalar == "_"
                    ? Character(scalar) : "_"
            })
        return name.first?.isNumber == true ? "_" + name : name
    }

    static func number(_ value: Double) -> String {
        if value == .infinity { return "+Inf" }
        if value == -.infinity { return "-Inf" }
        if value.isNaN { return "NaN" }
        return value == value.rounded() && abs(value) < 1e15 ? String(Int64(value)) : String(value)
    }
}

/// One metric with one set of labels: a number, or a histogram where it has bounds.
final class Series: CounterHandler, FloatingPointCounterHandler, MeterHandler, RecorderHandler, TimerHandler, Sendable {
    private struct State {
        var value = 0.0
        var count = 0
        /// How many values lie at or below each bound and above the one before.
        var buckets: [Int]
    }

    private let bounds: [Double]
    private let state: Mutex<State>

    init(bounds: [Double]) {
        self.bounds = bounds
        state = Mutex(State(buckets: [Int](repeating: 0, count: bounds.count)))
    }

    func increment(by amount: Int64) { increment(by: Double(amount)) }
    func increment(by amount: Double) { state.withLock { $0.value += amount } }
    func decrement(by amount: Double) { state.withLock { $0.value -= amount } }
    func set(_ value: Int64) { set(Double(value)) }
    func set(_ value: Double) { state.withLock { $0.value = value } }
    func reset() { state.withLock { $0 = State(buckets: $0.buckets.map { _ in 0 }) } }
    func record(_ value: Int64) { record(Double(value)) }

    func record(_ value: Double) {
        guard !bounds.isEmpty else { return set(value) }
        let bucket = bounds.firstIndex { value <= $0 }
        state.withLock { state in
            state.value += value
            state.count += 1
            if let bucket { state.buckets[bucket] += 1 }
        }
    }

    func recordNanoseconds(_ duration: Int64) { record(Double(duration) / 1e9) }

    fileprivate func lines(_ name: String, _ labels: MetricsRegistry.Labels, _ kind: MetricsRegistry.Kind) -> [String] {
        let state = state.withLock { $0 }
        guard kind == .histogram else { return ["\(name)\(labels.text()) \(MetricsRegistry.number(state.value))"] }
        var lines: [String] = []
        var sum = 0
        for (bound, count) in zip(bounds, state.buckets) {
            sum += count
            lines.append("\(name)_bucket\(labels.text(adding: ("le", MetricsRegistry.number(bound)))) \(sum)")
        }
        lines.append("\(name)_bucket\(labels.text(adding: ("le", "+Inf"))) \(state.count)")
        lines.append("\(name)_sum\(labels.text()) \(MetricsRegistry.number(state.value))")
        lines.append("\(name)_count\(labels.text()) \(state.count)")
        return lines
    }
}
