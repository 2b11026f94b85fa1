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
}

extension TensorFileError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .cannotOpen(let path, let reason):
            "\(path) can't be opened: \(reason); expected a readable safetensors file."
        case .notARegularFile(let path):
            "\(path) is not a regular file; expected a safetensors file."
        case .truncated(let path, let part, let expected, let found):
            "\(path) is cut off: its \(part) needs \(expected) bytes, found \(found)."
        case .headerLength(let path, let found, let limit):
            "\(path) is no safetensors file: the header length in its first 8 bytes is \(found), expected 2 to \(limit)."
        case .invalidJSON(let path, let offset, let problem):
            "\(path) has a broken header: \(problem) at byte \(offset) of the file."
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
        }
    }
}
