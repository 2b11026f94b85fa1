import Foundation

/// Linear warm-up, then half a cosine, counted in steps (Loshchilov & Hutter 2017, arXiv:1608.03983, eq. 5, one cycle); with a period the
/// cosine goes on, down and up again.
public struct WarmupCosine: LearningRateSchedule {
    /// Steps.
    public let warmup: Int
    /// The last factor, 0…1.
    public let final: Double
    /// Steps from the peak to the bottom (T_max of torch's CosineAnnealingLR); nil is the whole rest of the run.
    public let period: Int?

    public init(warmup: Int, final: Double = 0, period: Int? = nil) {
        self.warmup = warmup
        self.final = final
        self.period = period
    }

    /// 1/warmup at the first step, 1 at the end of the warm-up; without a period `final` behind the last.
    public func factor(step: Int, of total: Int) -> Double {
        if let factor = Self.warmupFactor(warmup, step: step) { return factor }
        if let period { return final + (1 - final) * 0.5 * (1 + cos(.pi * Double(step - warmup) / Double(period))) }
        let progress = Double(step - warmup) / Double(max(total - warmup, 1))
        return final + (1 - final) * 0.5 * (1 + cos(.pi * min(progress, 1)))
    }
}
