import CVector

/// The instruction set that dot products use. All give the same scores up to the order of additions.
public enum InstructionSet: Sendable, CaseIterable {
    /// Portable code, on every machine.
    case plain
    /// x86-64 with AVX2 and FMA.
    case avx2
    /// x86-64 with AVX-512F.
    case avx512
    /// arm64. Unverified: the tests have not run on such a machine yet.
    case neon
    /// x86-64 with AVX-512F, BW and VNNI: codes are scored twice as wide, floats as by `avx512`.
    case vnni

    var code: CVLevel {
        switch self {
        case .plain: CV_LEVEL_PLAIN
        case .avx2: CV_LEVEL_AVX2
        case .avx512: CV_LEVEL_AVX512
        case .neon: CV_LEVEL_NEON
        case .vnni: CV_LEVEL_VNNI
        }
    }

    public var isAvailable: Bool { cv_level_is_available(code) != 0 }

    /// What this processor can run, `plain` first.
    public static var available: [InstructionSet] { allCases.filter(\.isAvailable) }

    /// The fastest that this processor can run.
    public static let best: InstructionSet = allCases.first { $0.code == cv_best_level() } ?? .plain
}
