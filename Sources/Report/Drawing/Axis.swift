import Foundation

/// The scale of one axis: a range of values that begins and ends at round numbers, and the ticks between.
struct Axis {
    let low: Double
    let high: Double
    let ticks: [Double]

    /// - Parameters:
    ///   - values: what has to fit in; of none, or of one value alone, a range around it is made.
    ///   - count: about how many ticks.
    init(fitting values: some Sequence<Double>, ticks count: Int) {
        var (low, high) = (Double.infinity, -Double.infinity)
        for value in values where value.isFinite { (low, high) = (min(low, value), max(high, value)) }
        if low > high { (low, high) = (0, 1) }
        if low == high {
            let room = low == 0 ? 1 : abs(low) / 10
            (low, high) = (low - room, high + room)
        }
        let step = Self.step((high - low) / Double(max(1, count)))
        // A hair beyond a tick is on it: 0.6 / 0.2 is a little less than 3.
        let (first, last) = ((low / step + 1e-9).rounded(.down), (high / step - 1e-9).rounded(.up))
        self.low = first * step
        self.high = last * step
        ticks = (0...Int(last - first)).map { (first + Double($0)) * step }
    }

    /// Exactly from the least to the greatest value, with the round numbers between them.
    init(spanning values: some Sequence<Double>, ticks count: Int) {
        let fitted = Axis(fitting: values, ticks: count)
        let finite = values.filter(\.isFinite)
        guard let least = finite.min(), let most = finite.max(), least < most else {
            self = fitted
            return
        }
        low = least
        high = most
        ticks = fitted.ticks.filter { $0 >= least && $0 <= most }
    }

    /// The share of the way from low to high.
    func share(_ value: Double) -> Double { (value - low) / (high - low) }

    /// The next of 1, 2 and 5 times a power of ten.
    static func step(_ rough: Double) -> Double {
        let power = pow(10, log10(rough).rounded(.down))
        return ([1, 2, 5].first { $0 * power >= rough * 0.999_999 } ?? 10) * power
    }

    /// A number in as few characters as say it: four digits, an exponent where it is very small or large.
    static func label(_ value: Double) -> String {
        // 0.30000000000000004 is 0.3, and what a step leaves beside zero is zero.
        let text = String(format: "%.4g", abs(value) < 1e-12 ? 0 : value)
        guard let exponent = text.firstIndex(of: "e") else { return text }
        let power = Int(text[text.index(after: exponent)...]) ?? 0
        return "\(text[..<exponent])e\(power)"
    }
}
