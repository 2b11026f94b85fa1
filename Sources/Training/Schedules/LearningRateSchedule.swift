/// The learning rate's course over a run, as factors on the peak rate. A pure function of the step, so that a resumed run goes on with the
/// rate it would have had.
public protocol LearningRateSchedule: Sendable, Equatable {
    /// - Parameters: step, from 0; total, the steps of the whole run.
    func factor(step: Int, of total: Int) -> Double
}

extension LearningRateSchedule {
    /// Linear warm-up: 1/warmup at the first step, 1 at the last of it; nil behind it.
    static func warmupFactor(_ warmup: Int, step: Int) -> Double? {
        step < warmup ? Double(step + 1) / Double(warmup) : nil
    }
}

/// The peak rate, after a linear warm-up.
public struct ConstantRate: LearningRateSchedule {
    /// Steps.
    public let warmup: Int

    public func factor(step: Int, of total: Int) -> Double { Self.warmupFactor(warmup, step: step) ?? 1 }
}

extension Recipe {
    /// The schedules that a recipe may choose from.
    public enum Schedule: Sendable, Equatable {
        case constant(ConstantRate)
        case cosine(WarmupCosine)
        case step(StepDecay)
        case oneCycle(OneCycle)

        /// The schedule itself.
        public var course: any LearningRateSchedule {
            switch self {
            case .constant(let course): course
            case .cosine(let course): course
            case .step(let course): course
            case .oneCycle(let course): course
            }
        }
    }
}

extension Recipe.Schedule {
    private enum Kind: String, CaseIterable {
        case constant, cosine, step
        case oneCycle = "one-cycle"
    }

    private var kind: Kind {
        switch self {
        case .constant: .constant
        case .cosine: .cosine
        case .step: .step
        case .oneCycle: .oneCycle
        }
    }

    /// The `schedule` of an optimizer.
    static func inOptimizer(_ form: RecipeForm, _ value: Self?) throws(TrainingError) -> Self {
        if let schedule = try form.section("schedule", value, Self.init) { return schedule }
        return try earlier(form)
    }

    private init(_ form: RecipeForm, _ value: Self?) throws(TrainingError) {
        func warmup(_ steps: Int?) throws(TrainingError) -> Int {
            try form.integer("warmup_steps", steps, in: 0...10_000_000, default: 0)
        }
        switch try form.choice("kind", value?.kind) {
        case .constant: self = .constant(ConstantRate(warmup: try warmup((value?.course as? ConstantRate)?.warmup)))
        case .cosine:
            let course = value?.course as? WarmupCosine
            self = .cosine(
                WarmupCosine(
                    warmup: try warmup(course?.warmup),
                    final: try form.number("final_factor", course?.final, in: 0...1, default: 0),
                    period: try form.optionalInteger("period", course?.period, in: 1...10_000_000)))
        case .step:
            let course = value?.course as? StepDecay
            self = .step(
                StepDecay(
                    warmup: try warmup(course?.warmup),
                    at: try form.integers("at", course?.at, count: 1...100, in: 1...1_000_000_000),
                    drop: try form.number("factor", course?.drop, in: 0...1, default: 0.1)))
        case .oneCycle:
            let course = value?.course as? OneCycle
            self = .oneCycle(
                OneCycle(
                    rise: try form.number("rise", course?.rise, in: 0...1, default: 0.3),
                    first: try form.number("first_factor", course?.first, in: 0...1, default: 0.04),
                    final: try form.number("final_factor", course?.final, in: 0...1, default: 0.000004)))
        }
    }
}
