public import Torch

import Foundation
import Hashing
import TensorFiles

/// How it is decided what a model's products are computed in.
public enum PrecisionChoice: Sendable, Equatable, CustomStringConvertible {
    case fixed(Precision)
    /// int8 where a trial on this machine shows that it is worth it, float32 otherwise (`PrecisionTrial`).
    case automatic

    /// The reference.
    public static let float32 = PrecisionChoice.fixed(.float32)

    /// `float32`, `bfloat16` or `bf16`, `int8`, `auto`.
    public init?(_ word: String) {
        switch word {
        case "auto": self = .automatic
        case "bf16": self = .fixed(.bfloat16)
        default:
            guard let precision = Precision(rawValue: word) else { return nil }
            self = .fixed(precision)
        }
    }

    public static let words = "float32, bfloat16 (or bf16), int8 or auto"

    public var description: String {
        switch self {
        case .fixed(let precision): precision.rawValue
        case .automatic: "auto"
        }
    }
}

/// What a model's two forms on the CPU cost and how far they agree, measured on the machine that asks.
public struct PrecisionTrial: Codable, Sendable, Equatable {
    /// Milliseconds for one picture.
    public let float32: Double
    /// nil where float32 is quick enough, so that nobody had to know.
    public let int8: Double?
    /// The least cosine between a picture's two vectors, over the trial's pictures.
    public let cosine: Double?

    /// A picture that takes less is waited for by nobody: decoding it and searching take as long.
    static let quick = 40.0
    /// Of float32's time, what int8 may take to be worth anything.
    static let worthwhile = 0.8
    /// Vectors that differ by more are a model's whose activations 8 bits do not hold.
    static let agreement = 0.97

    public var choice: Precision {
        guard let int8, let cosine, int8 <= Self.worthwhile * float32, cosine >= Self.agreement else { return .float32 }
        return .int8
    }
}

extension Embedder {
    /// Loads a checkpoint in the form that is chosen.
    /// - Parameter trials: where trials are kept; each start makes its own where that is nil.
    /// - Returns: the embedder, and the trial that decided, if there was one.
    /// - Throws: as `init(checkpoint:device:precision:)`.
    public static func load(
        _ checkpoint: Checkpoint, device: Device = .cpu, precision: PrecisionChoice, trials: PrecisionTrials? = .user
    ) throws -> (embedder: Embedder, trial: PrecisionTrial?) {
        switch precision {
        case .fixed(let fixed): return (try Embedder(checkpoint: checkpoint, device: device, precision: fixed), nil)
        case .automatic:
            guard device == .cpu else { return (try Embedder(checkpoint: checkpoint, device: device), nil) }
            // Whoever rounded its weights has chosen.
            if checkpoint.isRounded { return (try Embedder(checkpoint: checkpoint, precision: .int8), nil) }
            if let known = try trials?.trial(of: checkpoint) {
                return (try Embedder(checkpoint: checkpoint, precision: known.choice), known)
            }
            return try tried(checkpoint, trials)
        }
    }

    private static func tried(_ checkpoint: Checkpoint, _ trials: PrecisionTrials?) throws -> (Embedder, PrecisionTrial?) {
        let plain = try Embedder(checkpoint: checkpoint)
        let pictures = try TestPictures.patterned().map { SquarePictures([plain.preprocessing.fit($0)], plain.preprocessing) }
        let (expected, float32) = try plain.timed(pictures)
        guard float32 >= trials?.quick ?? PrecisionTrial.quick else {
            let trial = PrecisionTrial(float32: float32, int8: nil, cosine: nil)
            try trials?.keep(trial, of: checkpoint)
            return (plain, trial)
        }
        let rounded = try Embedder(checkpoint: checkpoint, precision: .int8)
        let (found, int8) = try rounded.timed(pictures)
        let trial = PrecisionTrial(
            float32: float32, int8: int8,
            cosine: zip(expected, found).map { zip($0, $1).reduce(0) { $0 + Double($1.0 * $1.1) } }.min())
        try trials?.keep(trial, of: checkpoint)
        return (trial.choice == .int8 ? rounded : plain, trial)
    }

    /// Each picture by itself, as queries come.
    /// - Returns: their vectors, and the least of their times in milliseconds: what else the machine did is no property of the model.
    private func timed(_ pictures: [SquarePictures]) throws -> (vectors: [[Float]], milliseconds: Double) {
        // The first pass allocates, and asks for layouts.
        _ = try embed(squares: pictures[0])
        var least = Double.infinity
        let vectors = try pictures.map { picture in
            let begin = ContinuousClock.now
            defer { least = min(least, (ContinuousClock.now - begin) / .milliseconds(1)) }
            return try embed(squares: picture)
        }
        return (vectors, least)
    }
}

/// Trials of earlier starts, in the user's cache folder: one small file for a model, a number of threads and a kind of processor. One that
/// can't be read or written costs a trial.
public struct PrecisionTrials: Sendable {
    private let folder: String
    /// Milliseconds for a picture below which int8 is not tried.
    let quick: Double

    /// - Parameter folder: made when the first trial is kept.
    public init(folder: String) { self.init(folder: folder, quick: PrecisionTrial.quick) }

    init(folder: String, quick: Double) {
        self.folder = folder
        self.quick = quick
    }

    /// Those of this user; nil where it is not known who that is.
    public static let user: PrecisionTrials? = CacheFolder.path("precision").map { PrecisionTrials(folder: $0) }

    private func path(of checkpoint: Checkpoint) throws -> String {
        // The version of what is computed, too: another kernel has other times.
        let key = try [
            "2", checkpoint.fingerprint, TorchRuntime.int8Instructions, "\(TorchRuntime.threads)", TorchRuntime.version,
        ]
        return "\(folder)/\(SHA256.hexDigest(of: Data(key.joined(separator: "\n").utf8))).json"
    }

    func trial(of checkpoint: Checkpoint) throws -> PrecisionTrial? {
        try FileManager.default.contents(atPath: path(of: checkpoint)).flatMap {
            try? JSONDecoder().decode(PrecisionTrial.self, from: $0)
        }
    }

    func keep(_ trial: PrecisionTrial, of checkpoint: Checkpoint) throws {
        let path = try path(of: checkpoint)
        try? FileManager.default.createDirectory(
            atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        guard let data = try? JSONEncoder().encode(trial) else { return }
        try? ReplacingFile.put(data, at: path)
    }
}
