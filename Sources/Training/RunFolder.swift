import CLIP
import Foundation
import TensorFiles
import Torch

/// A run on disk: `recipe.json`, `metrics.jsonl`, `best/`, `last/` (with the optimizer), `epochs/NN/`.
///
/// A checkpoint is written beside its place and moved there whole, so a run killed at any moment has the last one or the one before.
public struct RunFolder: Sendable {
    /// Where a run stands.
    public struct Progress: Sendable, Equatable, Codable {
        /// Steps taken; the next one has this number.
        public var step: Int
        public var bestScore: Double?
        public var bestEpoch: Int?
        public var seconds: Double
        /// Epochs that were measured; nil in runs of earlier versions, which always measured before they saved.
        public var measuredEpochs: Int?
        /// Whether no later epoch is to come, since none was better for long.
        public var endedEarly: Bool?
        /// What the losses or the vectors told about the run, in sentences.
        public var remarks: [String]?
        /// The figure that chooses the best epoch, epoch by epoch as far as they were measured.
        public var curve: [CurvePoint]?
    }

    /// What an epoch was worth.
    public struct CurvePoint: Sendable, Equatable, Codable {
        public var epoch: Int
        public var score: Double
    }

    public let path: String

    public init(path: String) {
        self.path = path
    }

    public var last: String { "\(path)/last" }
    public var best: String { "\(path)/best" }
    private var recipeFile: String { "\(path)/recipe.json" }
    private var metricsFile: String { "\(path)/metrics.jsonl" }
    private static let optimizerFile = "optimizer.safetensors"
    private static let progressFile = "progress.json"

    public var holdsRun: Bool { FileManager.default.fileExists(atPath: recipeFile) }

    /// Begins a run.
    /// - Throws: `.runExists` if the folder holds one, `.noWrite`.
    public func create(_ recipe: Recipe) throws {
        if holdsRun { throw TrainingError.runExists(path: path) }
        if let file = fileInTheWay { throw TrainingError.noWrite(path: path, reason: "\(file) is a file, not a folder") }
        try writing {
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
            // Paths in it are relative to it, as in every recipe, so that the run can be made again from it.
            try ReplacingFile.put(recipe.placed(in: path).json(), at: recipeFile)
        }
    }

    /// The file that stands where the folder or one of those above it should: Foundation on Linux has no words for that.
    private var fileInTheWay: String? {
        var place = URL(fileURLWithPath: path).standardizedFileURL
        var isFolder: ObjCBool = false
        while !FileManager.default.fileExists(atPath: place.path, isDirectory: &isFolder), place.path != "/" {
            place.deleteLastPathComponent()
        }
        return isFolder.boolValue ? nil : place.path
    }

    /// - Throws: `.otherRecipe` naming the first setting that the run was begun with another value of, `.nothingToResume` where nothing was
    ///   saved.
    public func resume(_ recipe: Recipe) throws -> Progress? {
        guard FileManager.default.fileExists(atPath: recipeFile) else { throw TrainingError.nothingToResume(path: path) }
        let (begun, isOfEarlierVersion) = try Recipe.read(path: recipeFile, shippedModels: recipe.shippedModels)
        // Earlier versions wrote paths down as the recipe's own folder saw them.
        let given = isOfEarlierVersion ? recipe : recipe.placed(in: path)
        if let other = try begun.difference(from: given) {
            throw TrainingError.otherRecipe(path: path, key: other.key, begun: other.own, given: other.others)
        }
        // Killed between the two moves of `replace`: the older checkpoint is still whole.
        if !FileManager.default.fileExists(atPath: last), FileManager.default.fileExists(atPath: last + ".old") {
            try writing { try FileManager.default.moveItem(atPath: last + ".old", toPath: last) }
        }
        guard FileManager.default.fileExists(atPath: last) else { return nil }
        guard let text = FileManager.default.contents(atPath: "\(last)/\(Self.progressFile)"),
            let progress = try? JSONDecoder().decode(Progress.self, from: text)
        else { throw TrainingError.unreadableRun(path: path, reason: "last/\(Self.progressFile) is missing or broken") }
        guard (0...recipe.steps).contains(progress.step) else {
            throw TrainingError.unreadableRun(
                path: path, reason: "last/\(Self.progressFile) has step \(progress.step), the recipe \(recipe.steps)")
        }
        return progress
    }

    /// Saves everything the next step depends on.
    func saveLast(
        _ step: TrainingStep, preprocessing: Preprocessing, vocabulary: String?, additions: [String: Any], progress: Progress
    ) throws {
        try replace(last) { place in
            try Checkpoint.write(
                step.model, preprocessing: preprocessing, to: place, vocabulary: vocabulary, additions: additions)
            let tensors = try step.state.map { name, tensor in
                TensorToWrite(name: name, floats: try tensor.floats(), shape: tensor.shape)
            }
            try SafetensorsWriter.write(tensors, to: "\(place)/\(Self.optimizerFile)")
            try ReplacingFile.put(JSONEncoder().encode(progress), at: "\(place)/\(Self.progressFile)")
        }
    }

    /// Puts back what `saveLast` saved beside the model.
    /// - Throws: `TorchError.weights` naming what is missing.
    func restore(_ step: TrainingStep) throws {
        let file = try SafetensorsFile(path: "\(last)/\(Self.optimizerFile)")
        var saved: [String: Tensor] = [:]
        for name in file.names { saved[name] = try .mapped(name, of: file) }
        try SavedState.restore(step.state, from: saved, source: file.path)
    }

    /// Saves a model alone, such as the best one, with what is known about it.
    func saveModel(
        _ model: CLIPModel, preprocessing: Preprocessing, vocabulary: String?, additions: [String: Any],
        prototypes: (vectors: Tensor, names: [String])? = nil, to place: String
    ) throws {
        try replace(place) {
            try Checkpoint.write(model, preprocessing: preprocessing, to: $0, vocabulary: vocabulary, additions: additions)
            if let prototypes { try LearnedPrototypes.write(prototypes.vectors, names: prototypes.names, to: $0) }
        }
    }

    func saveEpoch(_ epoch: Int, _ model: CLIPModel, preprocessing: Preprocessing, vocabulary: String?, additions: [String: Any])
        throws
    {
        let name = String(format: "%02d", epoch)
        try saveModel(
            model, preprocessing: preprocessing, vocabulary: vocabulary, additions: additions, to: "\(path)/epochs/\(name)")
    }

    /// Adds a line to `metrics.jsonl`.
    func append(_ metrics: [String: Any]) throws {
        try writing {
            var line = try JSONSerialization.data(withJSONObject: metrics, options: [.sortedKeys])
            line.append(UInt8(ascii: "\n"))
            if !FileManager.default.fileExists(atPath: metricsFile) { try Data().write(to: URL(fileURLWithPath: metricsFile)) }
            let handle = try FileHandle(forWritingTo: URL(fileURLWithPath: metricsFile))
            defer { try? handle.close() }
            try handle.seekToEnd()
            try handle.write(contentsOf: line)
        }
    }

    /// Drops the lines of steps that a resumed run takes again.
    func cutMetrics(from step: Int) throws {
        guard let text = FileManager.default.contents(atPath: metricsFile).map({ String(decoding: $0, as: UTF8.self) }) else {
            return
        }
        let kept = text.split(separator: "\n").filter { line in
            guard let object = try? JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any] else { return false }
            return (object["step"] as? Int).map { $0 <= step } ?? true
        }
        try writing {
            try ReplacingFile.put(kept.map { $0 + "\n" }.joined().utf8, at: metricsFile)
        }
    }

    /// - Parameter write: writes files that are on the disk when it returns, as `ReplacingFile` leaves them.
    private func replace(_ place: String, _ write: (String) throws -> Void) throws {
        let files = FileManager.default
        let (new, old) = (place + ".new", place + ".old")
        try writing {
            try? files.removeItem(atPath: new)
            try files.createDirectory(atPath: new, withIntermediateDirectories: true)
            try write(new)
            try? files.removeItem(atPath: old)
            if files.fileExists(atPath: place) { try files.moveItem(atPath: place, toPath: old) }
            try files.moveItem(atPath: new, toPath: place)
            // Before the old one goes: after a power cut one of the two has to be there.
            try ReplacingFile.syncFolder(of: place)
            try? files.removeItem(atPath: old)
        }
    }

    /// Errors of Foundation become ours; our own pass.
    private func writing(_ body: () throws -> Void) throws {
        do { try body() } catch let error as CocoaError {
            throw TrainingError.noWrite(path: path, reason: error.phrase)
        } catch TensorFileError.cannotWrite(_, let step, let reason) {
            throw TrainingError.noWrite(path: path, reason: "\(step): \(reason)")
        }
    }
}
