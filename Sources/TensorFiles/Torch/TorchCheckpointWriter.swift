/// Writes checkpoints that Python opens with `torch.load(path, weights_only=True)`; the archive's parts stand at `TorchArchive`.
public enum TorchCheckpointWriter {
    /// The folder in the archive. Python calls it after the file; a fixed name keeps the bytes independent of where they are written.
    private static let folder = "checkpoint"

    /// Writes a file, or leaves what was there, as `SafetensorsWriter.write` does. The same input gives the same bytes.
    ///
    /// The tensors become an `OrderedDict` in the order given, each with a storage of its own at a multiple of 64 bytes. It is the
    /// whole checkpoint where nothing else is asked for; otherwise a dictionary holds it under `key`, and `values` beside it.
    /// - Parameters:
    ///   - key: where the tensors stand; nil puts them, and `values` behind them, at the top.
    ///   - values: texts, numbers, lists and dictionaries of them; lists stay lists.
    /// - Throws: `TensorFileError`; after an error neither the target nor a temporary file has been made or changed.
    public static func write(
        _ tensors: [TensorToWrite], key: String? = nil, values: CheckpointDictionary = [:], to path: String
    ) throws(TensorFileError) {
        var names: Set<String> = []
        var described: [(TensorToWrite, TensorDescription)] = []
        for tensor in tensors {
            guard names.insert(tensor.name).inserted else { throw .duplicateTensor(path: path, tensor: tensor.name) }
            described.append((tensor, try tensor.described(path: path)))
        }
        for entry in values.entries {
            guard case .text(let name) = entry.key else { continue }
            guard key == nil ? !names.contains(name) : key != name else {
                throw .unwritableValue(path: path, key: name, problem: "is a value and the tensors' own name")
            }
        }
        let pickle = try pickle(described.map(\.1), key: key, values: values, path: path)
        let file = try ReplacingFile(path: path)
        var archive = ZipWriter(file)
        try archive.add("\(folder)/data.pkl", pickle)
        try archive.add("\(folder)/byteorder", Array("little".utf8))
        for (index, (tensor, description)) in described.enumerated() {
            try archive.add("\(folder)/data/\(index)", size: description.byteCount) { (append) throws(TensorFileError) in
                try tensor.stream(description, path: path, to: append)
            }
        }
        // The version of the archive's layout: what PyTorch writes since 1.6.
        try archive.add("\(folder)/version", Array("3\n".utf8))
        try archive.finish()
        try file.commit()
    }

    private static func pickle(
        _ tensors: [TensorDescription], key: String?, values: CheckpointDictionary, path: String
    ) throws(TensorFileError) -> [UInt8] {
        func addTensors(_ writer: inout PickleWriter) throws(TensorFileError) {
            writer.beginOrderedDictionary()
            for (index, tensor) in tensors.enumerated() {
                try writer.set(.text(tensor.name)) { (writer) throws(TensorFileError) in
                    try writer.tensor(tensor, storage: String(index))
                }
            }
        }
        var writer = PickleWriter(path: path)
        if let key {
            writer.beginDictionary()
            try writer.set(.text(key), addTensors)
        } else {
            try addTensors(&writer)
        }
        for entry in values.entries {
            try writer.set(entry.key) { (writer) throws(TensorFileError) in
                try writer.value(entry.value, key: entry.key.description)
            }
        }
        writer.finish()
        return writer.bytes
    }
}
