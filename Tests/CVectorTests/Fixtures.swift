import CVector
import Testing

/// SplitMix64: the same numbers in every run.
struct SeededGenerator: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }

    /// Sums of uniform numbers are near enough to a normal distribution.
    mutating func normal() -> Float {
        (0..<4).reduce(Float(0)) { sum, _ in sum + Float.random(in: -0.866...0.866, using: &self) }
    }

    mutating func normals(_ count: Int) -> [Float] { (0..<count).map { _ in normal() } }
}

func unit(_ vector: [Float]) -> [Float] {
    let length = vector.reduce(0) { $0 + $1 * $1 }.squareRoot()
    return vector.map { $0 / length }
}

/// Names of levels, for messages and arguments.
enum Level: CaseIterable, CustomTestStringConvertible {
    case plain, avx2, avx512, vnni, neon

    var code: CVLevel {
        switch self {
        case .plain: CV_LEVEL_PLAIN
        case .avx2: CV_LEVEL_AVX2
        case .avx512: CV_LEVEL_AVX512
        case .vnni: CV_LEVEL_VNNI
        case .neon: CV_LEVEL_NEON
        }
    }

    var testDescription: String { "\(self)" }

    /// What this processor can run; the others stay untested here.
    static var available: [Level] { allCases.filter { cv_level_is_available($0.code) != 0 } }
    static var best: Level { allCases.first { $0.code == cv_best_level() } ?? .plain }
}

/// Rows coded in one of the two ways, and queries coded for them.
struct Coded {
    let coding: CVCoding
    let dimension: Int
    let width: Int
    let count: Int
    /// As they were given.
    let rows: [Float]
    var codes: [UInt8]
    var scales: [Float]
    var sums: [Int32]

    static let seed: UInt64 = 17

    init(_ rows: [Float], dimension: Int, coding: CVCoding = CV_CODING_INT8) {
        self.coding = coding
        self.dimension = dimension
        self.rows = rows
        count = rows.count / dimension
        width = cv_width(coding, dimension)
        codes = .init(repeating: 0xAA, count: count * cv_row_bytes(coding, width))
        scales = .init(repeating: .nan, count: count)
        sums = .init(repeating: .min, count: count)
        if coding == CV_CODING_INT8 {
            codes.withUnsafeMutableBytes {
                cv_encode(
                    rows, count, dimension, dimension, $0.bindMemory(to: Int8.self).baseAddress, &scales, &sums)
            }
        } else {
            cv_encode4(Coded.rotated(rows, dimension: dimension), count, width, &codes, &scales)
        }
    }

    static func rotated(_ rows: [Float], dimension: Int) -> [Float] {
        let count = rows.count / dimension
        var rotated = [Float](repeating: .nan, count: count * cv_width(CV_CODING_ROTATED4, dimension))
        cv_rotate(seed, rows, count, dimension, dimension, &rotated)
        return rotated
    }

    /// The integers of row r, worked out one by one.
    func integers(_ row: Int) -> [Int] {
        let bytes = codes[row * cv_row_bytes(coding, width)..<(row + 1) * cv_row_bytes(coding, width)]
        if coding == CV_CODING_INT8 { return bytes.map { Int(Int8(bitPattern: $0)) } }
        return (0..<width).map { d in
            let byte = bytes[bytes.startIndex + d / 128 * 64 + d % 64]
            return 2 * Int(d % 128 < 64 ? byte & 15 : byte >> 4) - 15
        }
    }

    func withCodes<R>(_ body: (UnsafePointer<CVCodes>) -> R) -> R {
        codes.withUnsafeBytes { codes in
            scales.withUnsafeBufferPointer { scales in
                sums.withUnsafeBufferPointer { sums in
                    var all = CVCodes(
                        coding: coding, width: width, count: count, codes: codes.baseAddress, scales: scales.baseAddress,
                        sums: coding == CV_CODING_INT8 ? sums.baseAddress : nil)
                    return withUnsafePointer(to: &all, body)
                }
            }
        }
    }

    /// scores[q * rows + r] of consecutive rows.
    func scores(_ queries: CodedQueries, first: Int, rows: Int, level: Level) -> [Float] {
        var scores = [Float](repeating: .nan, count: queries.count * rows)
        withCodes { codes in
            queries.with { cv_code_scores(level.code, $0, codes, first, rows, &scores) }
        }
        return scores
    }

    func scores(_ queries: CodedQueries, chosen: [UInt32], level: Level) -> [Float] {
        var scores = [Float](repeating: .nan, count: queries.count * chosen.count)
        withCodes { codes in
            queries.with { cv_code_scores_of_rows(level.code, $0, codes, chosen, chosen.count, &scores) }
        }
        return scores
    }
}

struct CodedQueries {
    let count: Int
    let width: Int
    var codes: [Int8]
    var scales: [Float]
    var sums: [Int32]

    /// Queries for rows of this coding.
    init(_ queries: [Float], dimension: Int, coding: CVCoding = CV_CODING_INT8) {
        count = queries.count / dimension
        width = cv_width(coding, dimension)
        codes = .init(repeating: 0x55, count: count * width)
        scales = .init(repeating: .nan, count: count)
        sums = .init(repeating: .min, count: count)
        if coding == CV_CODING_INT8 {
            cv_encode(queries, count, dimension, dimension, &codes, &scales, &sums)
        } else {
            cv_encode(Coded.rotated(queries, dimension: dimension), count, width, width, &codes, &scales, &sums)
        }
    }

    func with<R>(_ body: (UnsafePointer<CVQueries>) -> R) -> R {
        codes.withUnsafeBufferPointer { codes in
            scales.withUnsafeBufferPointer { scales in
                sums.withUnsafeBufferPointer { sums in
                    var all = CVQueries(
                        count: count, codes: codes.baseAddress, scales: scales.baseAddress, sums: sums.baseAddress)
                    return withUnsafePointer(to: &all, body)
                }
            }
        }
    }
}

/// The places of the `k` largest, best first, equal ones by ascending place.
func best(_ k: Int, of scores: some Collection<Float>) -> [Int] {
    let scores = Array(scores)
    return Array(scores.indices.sorted { scores[$0] != scores[$1] ? scores[$0] > scores[$1] : $0 < $1 }.prefix(k))
}

/// Rows in clusters of clusters: what is near to a row is then mostly of its own cluster, as with pictures.
func clustered(_ count: Int, dimension: Int, seed: UInt64) -> [Float] {
    var generator = SeededGenerator(state: seed)
    let outer = (0..<12).map { _ in generator.normals(dimension) }
    let inner = (0..<96).map { number in zip(outer[number % 12], generator.normals(dimension)).map { $0 + 0.7 * $1 } }
    return (0..<count).flatMap { _ in
        let center = inner.randomElement(using: &generator)!
        return unit(zip(center, generator.normals(dimension)).map { $0 + 0.6 * $1 })
    }
}
