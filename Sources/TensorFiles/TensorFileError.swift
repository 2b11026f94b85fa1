/// Why a tensor file could not be read or written. Each case carries what was found and what was expected.
public enum TensorFileError: Error, Equatable, Sendable {
    case cannotOpen(path: String, reason: String)
    case notARegularFile(path: String)
    case truncated(path: String, part: String, expected: Int, found: Int)
    case headerLength(path: String, found: UInt64, limit: Int)
    case invalidJSON(path: String, offset: Int, problem: String)
    /// A header entry that is not what the format asks for; `key` is written as a path, such as `weight.shape[1]`.
    case invalidEntry(path: String, key: String, found: String, expected: String)
    case byteCount(path: String, tensor: String, found: Int, expected: Int)
    case dataNotContiguous(path: String, tensor: String, found: Int, expected: Int)
    case trailingBytes(path: String, found: Int, expected: Int)
    case noSuchTensor(path: String, tensor: String, count: Int)
    case notFloatingPoint(path: String, tensor: String, found: ElementType)
    case duplicateTensor(path: String, tensor: String)
    case elementsUnavailable(path: String, tensor: String, reason: String)
    case cannotWrite(path: String, step: String, reason: String)

    // Shards.
    /// A shard that the index `path` names and its folder lacks.
    case missingShard(path: String, shard: String)
    /// A tensor that the index places in a shard that does not hold it, or that a shard holds and the index does not list.
    case misplacedTensor(path: String, tensor: String, problem: String)

    /// An array of `numpy.save`.
    case numpy(path: String)
    // PyTorch's files.
    case notTorch(path: String, found: String)
    case oldTorch(path: String)
    case bigEndian(path: String)
    /// A zip archive whose parts contradict each other; `part` is an entry's name or a structure of the format.
    case invalidArchive(path: String, part: String, problem: String)
    case compressedEntry(path: String, entry: String)
    /// `offset` counts from the beginning of `data.pkl`; nil where the fault is not in one place.
    case invalidPickle(path: String, offset: Int?, problem: String)
    /// A class or function that a file of tensors has no use for, `module.name`.
    case foreignGlobal(path: String, name: String)
    /// What a file of tensors never comes near, and a bomb does.
    case excessive(path: String, what: String, limit: Int)
    case invalidTensor(path: String, storage: String, problem: String)
    /// A place in a checkpoint's tree that is not what was asked for.
    case noSuchValue(path: String, key: String, found: String, expected: String)
    /// A value that the writer has no words for.
    case unwritableValue(path: String, key: String, problem: String)
}

extension TensorFileError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .cannotOpen(let path, let reason):
            "\(path) can't be opened: \(reason); expected a readable file."
        case .notARegularFile(let path):
            "\(path) is not a regular file; expected a file of tensors."
        case .truncated(let path, let part, let expected, let found):
            "\(path) is cut off: its \(part) needs \(expected) bytes, found \(found)."
        case .headerLength(let path, let found, let limit):
            "\(path) is no safetensors file: the header length in its first 8 bytes is \(found), expected 2 to \(limit)."
        case .invalidJSON(let path, let offset, let problem):
            "\(path) holds broken JSON: \(problem) at byte \(offset) of the file."
        case .invalidEntry(let path, let key, let found, let expected):
            "\(path) has a broken header: `\(key)` is \(found), expected \(expected)."
        case .byteCount(let path, let tensor, let found, let expected):
            "\(path): tensor `\(tensor)` has \(found) bytes, expected \(expected) from its shape and type."
        case .dataNotContiguous(let path, let tensor, let found, let expected):
            "\(path): tensor `\(tensor)` begins at data byte \(found), expected \(expected), where the tensor before it ends."
        case .trailingBytes(let path, let found, let expected):
            "\(path) has \(found) bytes of data, expected the \(expected) that its tensors occupy."
        case .noSuchTensor(let path, let tensor, let count):
            "\(path) has no tensor `\(tensor)`; expected one of its \(count) tensors."
        case .notFloatingPoint(let path, let tensor, let found):
            "\(path): tensor `\(tensor)` is \(found.rawValue), expected F64, F32, F16 or BF16."
        case .duplicateTensor(let path, let tensor):
            "\(path): two tensors are called `\(tensor)`; expected every name once."
        case .elementsUnavailable(let path, let tensor, let reason):
            "\(path): the elements of tensor `\(tensor)` could not be had while writing: \(reason)."
        case .cannotWrite(let path, let step, let reason):
            "\(path) can't be written: \(step) failed: \(reason)."
        case .missingShard(let path, let shard):
            "\(path) names the shard `\(shard)`, which is not in its folder; expected all shards beside the index."
        case .misplacedTensor(let path, let tensor, let problem):
            "\(path): tensor `\(tensor)` \(problem); expected every tensor in the one shard that the index names."
        case .numpy(let path):
            "\(path) is a NumPy array, and .npy is not read: it does not say what its rows are. Save it in Python with "
                + "safetensors.numpy.save_file({\"features\": array}, path, {\"image_paths\": json.dumps(paths)})."
        case .notTorch(let path, let found):
            "\(path) is no PyTorch file: it \(found); expected a zip archive, as torch.save writes it."
        case .oldTorch(let path):
            "\(path) is of the format before PyTorch 1.6, which is not read here; load it with PyTorch and torch.save it again."
        case .bigEndian(let path):
            "\(path) was written on a big-endian machine; expected little-endian elements."
        case .invalidArchive(let path, let part, let problem):
            "\(path) is a broken archive: \(part) \(problem)."
        case .compressedEntry(let path, let entry):
            "\(path): the entry `\(entry)` is compressed; expected stored entries, as torch.save writes them."
        case .invalidPickle(let path, let offset, let problem):
            "\(path) has a broken pickle: \(problem)\(offset.map { " at byte \($0) of its data.pkl" } ?? "")."
        case .foreignGlobal(let path, let name):
            "\(path) asks for `\(name)`, which is no tensor and no plain value; nothing of it was run."
        case .excessive(let path, let what, let limit):
            "\(path) has \(what), more than the \(limit) that a checkpoint may have."
        case .invalidTensor(let path, let storage, let problem):
            "\(path): a tensor on `\(storage)` is broken: \(problem)."
        case .noSuchValue(let path, let key, let found, let expected):
            "\(path): `\(key)` is \(found), expected \(expected)."
        case .unwritableValue(let path, let key, let problem):
            "\(path) can't be written: `\(key)` \(problem)."
        }
    }
}
