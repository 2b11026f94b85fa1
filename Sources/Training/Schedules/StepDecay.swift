import Foundation

/// Linear warm-up, then the peak rate, multiplied by a factor at each of some steps.
public struct StepDecay: LearningRateSchedule {
    /// Steps.
    public let warmup: Int
    /// The steps, from 0, that are the first with a lower rate; in any order, and twice where it falls twice.
    public let at: [Int]
    /// What the rate is multiplied by, 0…1.
    public let drop: Double

    public init(warmup: Int = 0, at: [Int], drop: Double) {
        self.warmup = warmup
        self.at = at
        self.drop = drop
    }

    public func factor(step: Int, of total: Int) -> Double {
        (Self.warmupFactor(warmup, step: step) ?? 1) * pow(drop, Double(at.count { $0 <= step }))
    }
}
