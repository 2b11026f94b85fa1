/// Writes the pickle of a checkpoint in protocol 2, with the operations that PyTorch's `weights_only` reader admits.
struct PickleWriter {
    private(set) var bytes: [UInt8] = []
    private let path: String

    init(path: String) {
        self.path = path
        append(.proto)
        bytes.append(2)
    }

    mutating func finish() { append(.stop) }

    /// An empty dictionary of the two kinds; what `set` adds goes into it.
    mutating func beginDictionary() { append(.emptyDict) }

    mutating func beginOrderedDictionary() {
        global("collections", "OrderedDict")
        append(.emptyTuple)
        append(.reduce)
    }

    /// One key and its value, which `body` writes.
    mutating func set(
        _ key: CheckpointDictionary.Key, _ body: (inout PickleWriter) throws(TensorFileError) -> Void
    ) throws(TensorFileError) {
        switch key {
        case .text(let text): try self.text(text, key: text)
        case .integer(let integer): self.integer(integer)
        }
        try body(&self)
        append(.setItem)
    }

    /// - Parameter storage: the key of its elements, which begin with the tensor's first and lie row by row.
    mutating func tensor(_ tensor: TensorDescription, storage: String) throws(TensorFileError) {
        global("torch._utils", "_rebuild_tensor_v2")
        append(.mark)
        append(.mark)
        try text("storage", key: tensor.name)
        global("torch", tensor.type.torchStorage)
        try text(storage, key: tensor.name)
        try text("cpu", key: tensor.name)
        integer(tensor.elementCount)
        append(.tuple)
        append(.persistentID)
        integer(0)
        integers(tensor.shape)
        var strides: [Int] = []
        // An empty tensor's strides are those of extents of 1, as torch has them.
        for extent in tensor.shape.reversed() { strides.append((strides.last ?? 1) * max(extent, 1)) }
        integers(tensor.shape.isEmpty ? [] : strides.dropLast().reversed() + [1])
        append(.newFalse)
        beginOrderedDictionary()
        append(.tuple)
        append(.reduce)
    }

    /// - Parameter key: where the value stands, for an error.
    /// - Throws: `.unwritableValue` for a tensor or an opaque value.
    mutating func value(_ value: CheckpointValue, key: String) throws(TensorFileError) {
        switch value {
        case .none: append(.none)
        case .truth(let truth): append(truth ? .newTrue : .newFalse)
        case .integer(let integer): self.integer(integer)
        case .number(let number):
            append(.binFloat)
            bytes.append(little: number.bitPattern.byteSwapped)
        case .text(let text): try self.text(text, key: key)
        case .list(let values):
            append(.emptyList)
            for (index, value) in values.enumerated() {
                try self.value(value, key: "\(key).\(index)")
                append(.append)
            }
        case .dictionary(let dictionary):
            beginDictionary()
            for entry in dictionary.entries {
                try set(entry.key) { (writer) throws(TensorFileError) in
                    try writer.value(entry.value, key: "\(key).\(entry.key)")
                }
            }
        case .bytes, .tensor, .opaque:
            throw .unwritableValue(
                path: path, key: key, problem: "is \(value.summary), which has no place in the values beside the tensors")
        }
    }

    // MARK: Operations

    private mutating func append(_ opcode: PickleOpcode) { bytes.append(opcode.rawValue) }

    private mutating func global(_ module: String, _ name: String) {
        append(.global)
        bytes += Array("\(module)\n\(name)\n".utf8)
    }

    private mutating func text(_ text: String, key: String) throws(TensorFileError) {
        let utf8 = Array(text.utf8)
        guard let count = UInt32(exactly: utf8.count) else {
            throw .unwritableValue(path: path, key: String(key.prefix(60)), problem: "is a text of 4 GiB or more")
        }
        append(.binUnicode)
        bytes.append(little: count)
        bytes += utf8
    }

    private mutating func integer(_ integer: Int) {
        switch integer {
        case 0...0xFF:
            append(.binInt1)
            bytes.append(UInt8(integer))
        case Int(Int32.min)...Int(Int32.max):
            append(.binInt)
            bytes.append(little: Int32(integer))
        default:
            append(.long1)
            bytes.append(8)
            bytes.append(little: Int64(integer))
        }
    }

    private mutating func integers(_ integers: [Int]) {
        append(.mark)
        for integer in integers { self.integer(integer) }
        append(.tuple)
    }
}
