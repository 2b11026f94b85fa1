/// A file of `torch.save`, or a TorchScript archive, mapped read-only. Opening reads its directory and its pickle; elements are
/// paged in where they are touched. No class or function that the file names is ever run, and nothing is unpacked.
///
/// The archive's parts stand at `TorchArchive`, the limits that a hostile file runs into at `PickleLimits`. Files of PyTorch before
/// 1.6 have another format and are refused. A file that someone cuts short while it is mapped ends the process with SIGBUS, as with
/// every mapping; `TorchCheckpointWriter` therefore replaces files and never rewrites them.
public final class TorchCheckpoint: Sendable {
    /// What becomes of objects whose class is no tensor and no plain value.
    public enum Objects: Sendable {
        /// The file is refused, by the name of the class: right for files of weights.
        case refused
        /// A pickled `torch.nn.Module` becomes a dictionary of its parameters, persistent buffers and submodules, as its
        /// `state_dict()` would name them; any other object becomes `.opaque`. A function that the file wants called is refused all
        /// the same.
        case collected
    }

    public let path: String
    /// Whether it is a TorchScript archive, such as OpenAI's. Its code is not read.
    public let isTorchScript: Bool
    public let root: CheckpointValue
    private let fileSize: Int

    /// - Throws: `TensorFileError` where the file can't be read, is no such file, is broken, or asks for more than data.
    public init(path: String, objects: Objects = .refused) throws(TensorFileError) {
        let mapping = try FileMapping(path: path)
        let (archive, root) = try mapping.withBytes { (bytes) throws(TensorFileError) in
            let archive = try TorchArchive(path: path, bytes: bytes)
            let (slot, heap) = try PickleMachine.run(archive: archive, mapping: mapping, file: bytes, objects: objects)
            return (archive, try PickleTree.value(of: slot, in: heap))
        }
        self.path = path
        self.isTorchScript = archive.isTorchScript
        self.root = root
        self.fileSize = mapping.count
    }

    /// The tensors below the place that `keys` lead to, from the root where there are none: `tensors(at: "state_dict")`.
    /// - Throws: `.noSuchValue` where a key is not there or leads to something other than a dictionary or a list.
    public func tensors(at keys: String...) throws(TensorFileError) -> CheckpointTensors {
        var value = root
        var place: [String] = []
        for key in keys {
            place.append(key)
            guard let next = value[key] else {
                let known = value.dictionary?.entries.prefix(8).map { "`\($0.key.description.prefix(40))`" }.joined(
                    separator: ", ")
                throw .noSuchValue(
                    path: path, key: place.joined(separator: "."), found: "missing",
                    expected: known.map { "one of \($0)" } ?? "a dictionary around it")
            }
            value = next
        }
        switch value {
        case .dictionary, .list: return try CheckpointTensors(path: path, root: value, fileSize: fileSize)
        default:
            throw .noSuchValue(
                path: path, key: place.isEmpty ? "data.pkl" : place.joined(separator: "."), found: value.summary,
                expected: "a dictionary of tensors")
        }
    }
}
