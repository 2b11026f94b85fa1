/// The tensors of a checkpoint, or of one dictionary in it, under their dotted names: `tensors` of `{"visual": {"proj": t}}` is
/// `visual.proj`. Lists count from 0; what is no tensor is left out.
public final class CheckpointTensors: TensorSource {
    public let path: String
    public let names: [String]
    public let tensors: [String: TensorDescription]
    private let views: [String: CheckpointTensor]

    /// A tree that shares its tensors and long keys could name far more than was in the file.
    static let countLimit = 1 << 16
    static let nameLimit = 1024
    /// How many times the file its tensors may be, and what a small file may have besides. Tied weights count twice.
    static let sharing = 16
    static let sharedBytes = 1 << 26

    /// - Parameter fileSize: in bytes.
    init(path: String, root: CheckpointValue, fileSize: Int) throws(TensorFileError) {
        var found: [(name: String, tensor: CheckpointTensor)] = []
        try Self.collect(root, prefix: "", path: path, into: &found)
        var tensors: [String: TensorDescription] = [:]
        var views: [String: CheckpointTensor] = [:]
        // In bytes. No overflow: a tensor is no larger than its file or its limit of expansion, and there are at most `countLimit`.
        let (limit, sum) = (Self.sharing * fileSize + Self.sharedBytes, found.reduce(0) { $0 + $1.tensor.byteCount })
        guard sum <= limit else { throw .excessive(path: path, what: "tensors of \(sum) bytes", limit: limit) }
        for (name, tensor) in found {
            guard views.updateValue(tensor, forKey: name) == nil else { throw .duplicateTensor(path: path, tensor: name) }
            tensors[name] = TensorDescription(name: name, type: tensor.type, shape: tensor.shape)
        }
        self.path = path
        self.names = found.map(\.name)
        self.tensors = tensors
        self.views = views
    }

    /// False for a transposed or otherwise strided tensor.
    public func liesInPlace(_ name: String) -> Bool { views[name]?.isContiguous ?? false }

    public func releasePages() {
        // All tensors of a checkpoint lie in its one file.
        views.values.first?.releasePages()
    }

    public func withBytes<R>(of name: String, _ body: (UnsafeRawBufferPointer) throws -> R) throws -> R {
        try view(name).withBytes(body)
    }

    public func floats(_ name: String) throws(TensorFileError) -> [Float] {
        let tensor = try view(name)
        guard tensor.type.isFloatingPoint else { throw .notFloatingPoint(path: path, tensor: name, found: tensor.type) }
        return tensor.floats()
    }

    private func view(_ name: String) throws(TensorFileError) -> CheckpointTensor {
        guard let tensor = views[name] else { throw .noSuchTensor(path: path, tensor: name, count: names.count) }
        return tensor
    }

    private static func collect(
        _ value: CheckpointValue, prefix: String, path: String, into found: inout [(name: String, tensor: CheckpointTensor)]
    ) throws(TensorFileError) {
        func name(_ key: String) throws(TensorFileError) -> String {
            let name = prefix.isEmpty ? key : "\(prefix).\(key)"
            guard name.utf8.count <= nameLimit else {
                throw .excessive(path: path, what: "a tensor's name of \(name.utf8.count) bytes", limit: nameLimit)
            }
            return name
        }
        switch value {
        case .tensor(let tensor):
            guard found.count < countLimit else {
                throw .excessive(path: path, what: "\(countLimit + 1) tensors or more", limit: countLimit)
            }
            found.append((prefix, tensor))
        case .dictionary(let dictionary):
            for entry in dictionary.entries where entry.value.isBranch {
                try collect(entry.value, prefix: try name(entry.key.description), path: path, into: &found)
            }
        case .list(let values):
            for (index, value) in values.enumerated() where value.isBranch {
                try collect(value, prefix: try name("\(index)"), path: path, into: &found)
            }
        case .text, .bytes, .integer, .number, .truth, .none, .opaque: break
        }
    }
}

extension CheckpointValue {
    /// Whether a tensor may be in it.
    fileprivate var isBranch: Bool {
        switch self {
        case .tensor, .dictionary, .list: true
        case .text, .bytes, .integer, .number, .truth, .none, .opaque: false
        }
    }
}
