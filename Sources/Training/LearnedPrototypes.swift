import Foundation
import TensorFiles
import Torch

/// Vectors of texts that were learned for labels, kept beside a run's model for the run that follows: tensor `prototypes` [classes, d] F32 and
/// the labels' names as JSON in the metadata.
enum LearnedPrototypes {
    static let file = "prototypes.safetensors"

    /// Those of the model that a run begins with.
    struct Found {
        let path: String
        /// nil where the model has none.
        let prototypes: (vectors: [Float], size: Int, names: [String])?

        /// The rows for the labels `names`, and which row each label has: each its own.
        func vectors(of names: [String], for loss: String) throws -> (vectors: Tensor, rows: [Int]) {
            guard let prototypes else {
                throw TrainingError.nothingToTrainOn(
                    what:
                        "the loss \(loss) takes prompts that were learned, and there is no \(path); begin with a run that has a loss of kind prompts"
                )
            }
            let places = Dictionary(prototypes.names.enumerated().map { ($1, $0) }, uniquingKeysWith: { first, _ in first })
            let size = prototypes.size
            let values = try names.flatMap { name -> ArraySlice<Float> in
                guard let place = places[name] else {
                    throw TrainingError.nothingToTrainOn(
                        what:
                            "the loss \(loss) needs a prompt for \(name.replacing("\u{1F}", with: ", ")), and \(path) has none: it was learned on other data"
                    )
                }
                return prototypes.vectors[place * size..<(place + 1) * size]
            }
            return (try Tensor(values, shape: [names.count, size]), Array(names.indices))
        }
    }

    /// - Parameter folder: a model's; its file is looked for there.
    static func found(in folder: String) throws -> Found {
        let path = "\(folder)/\(file)"
        guard FileManager.default.fileExists(atPath: path) else { return Found(path: path, prototypes: nil) }
        let tensors = try SafetensorsFile(path: path)
        guard let shape = tensors.tensors["prototypes"]?.shape, shape.count == 2,
            let names = tensors.metadata["names"].flatMap({ try? JSONDecoder().decode([String].self, from: Data($0.utf8)) }),
            names.count == shape[0]
        else {
            throw TrainingError.unreadableRun(path: folder, reason: "\(file) has no prototypes [classes, d] with as many names")
        }
        return Found(path: path, prototypes: (try tensors.floats("prototypes"), shape[1], names))
    }

    static func write(_ vectors: Tensor, names: [String], to folder: String) throws {
        let json = String(decoding: try JSONEncoder().encode(names), as: UTF8.self)
        try SafetensorsWriter.write(
            [TensorToWrite(name: "prototypes", floats: try vectors.floats(), shape: vectors.shape)], metadata: ["names": json],
            to: "\(folder)/\(file)")
    }
}
