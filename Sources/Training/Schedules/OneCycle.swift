import Foundation

/// One cycle (Smith & Topin 2018, arXiv:1708.07120): half a cosine up to the peak, then half a cosine down to next to nothing, as
/// `torch.optim.lr_scheduler.OneCycleLR` counts its steps.
public struct OneCycle: LearningRateSchedule {
    /// The share of the steps that rise, 0…1.
    public let rise: Double
    /// The first factor, 0…1.
    public let first: Double
    /// The last factor, 0…1.
    public let final: Double

    public init(rise: Double = 0.3, first: Double = 0.04, final: Double = 0.000004) {
        self.rise = rise
        self.first = first
        self.final = final
    }

    /// `first` at step 0, 1 at step rise·total − 1, `final` at the last.
    public func factor(step: Int, of total: Int) -> Double {
        let (peak, last) = (max(rise * Double(total) - 1, 0), Double(total - 1))
        func cosine(from start: Double, to end: Double, _ progress: Double) -> Double {
            end + (start - end) / 2 * (1 + cos(.pi * min(max(progress, 0), 1)))
        }
        let step = Double(step)
        // A cycle too short to rise begins at the peak.
        if step <= peak { return peak > 0 ? cosine(from: first, to: 1, step / peak) : 1 }
        return last > peak ? cosine(from: 1, to: final, (step - peak) / (last - peak)) : final
    }
}
