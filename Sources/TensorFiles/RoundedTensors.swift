/// Weights of which some are kept as whole numbers, a byte each, with a scale for each of their rows.
///
/// The file is a safetensors file whose metadata have `rounded` = `int8`. For such a weight it holds
///
///     <name>:integers   I8    its shape
///     <name>:scales     F32   one for each place of its first index
///
/// and every other tensor under its own name. A rounded weight is read as F32: integer · scale, in single precision, the same bits on every
/// machine.
public final class RoundedTensors: TensorSource {
    public static let key = "rounded"
    public static let kind = "int8"
    public static let integers = ":integers"
    public static let scales = ":scales"

    public let path: String
    public let names: [String]
    public let tensors: [String: TensorDescription]
    /// The weights that are kept as whole numbers.
    public let rounded: Set<String>
    private let file: SafetensorsFile

    /// - Throws: `TensorFileError` where integers and scales do not fit together, or the kind of rounding is another one.
    public init(_ file: SafetensorsFile) throws(TensorFileError) {
        func wrong(_ key: String, _ found: String, _ expected: String) -> TensorFileError {
            .invalidEntry(path: file.path, key: key, found: found, expected: expected)
        }
        guard file.metadata[Self.key] == Self.kind else {
            throw wrong("metadata.\(Self.key)", file.metadata[Self.key] ?? "nothing", Self.kind)
        }
        var (names, rounded): ([String], Set<String>) = ([], [])
        var tensors: [String: TensorDescription] = [:]
        for name in file.names {
            guard let own = file.tensors[name] else { continue }
            if name.hasSuffix(Self.scales) {
                let weight = name.dropLast(Self.scales.count) + Self.integers
                guard file.tensors[String(weight)] != nil else {
                    throw wrong(name, "scales without integers", "\(weight) beside it")
                }
            } else if name.hasSuffix(Self.integers) {
                let plain = String(name.dropLast(Self.integers.count))
                guard own.type == .int8, let rows = own.shape.first else {
                    throw wrong(name, "\(own.type.rawValue) of \(own.shape.count) dimensions", "I8 with rows")
                }
                let scales = file.tensors[plain + Self.scales]
                guard let scales, scales.type == .float32, scales.shape == [rows] else {
                    throw wrong(
                        plain + Self.scales, scales.map { "\($0.type.rawValue) \($0.shape)" } ?? "missing", "F32 [\(rows)]")
                }
                guard file.tensors[plain] == nil else { throw .duplicateTensor(path: file.path, tensor: plain) }
                names.append(plain)
                rounded.insert(plain)
                tensors[plain] = TensorDescription(name: plain, type: .float32, shape: own.shape)
            } else {
                names.append(name)
                tensors[name] = own
            }
        }
        (path, self.file) = (file.path, file)
        (self.names, self.tensors, self.rounded) = (names, tensors, rounded)
    }

    public func liesInPlace(_ name: String) -> Bool { !rounded.contains(name) && file.liesInPlace(name) }

    public func releasePages() { file.releasePages() }

    public func withBytes<R>(of name: String, _ body: (UnsafeRawBufferPointer) throws -> R) throws -> R {
        guard rounded.contains(name) else { return try file.withBytes(of: name, body) }
        return try Self.lend(floats(name), to: body)
    }

    public func floats(_ name: String) throws(TensorFileError) -> [Float] {
        guard rounded.contains(name) else { return try file.floats(name) }
        let scales = try file.floats(name + Self.scales)
        do {
            return try file.withBytes(of: name + Self.integers) { bytes in
                let width = bytes.count / max(scales.count, 1)
                return [Float](unsafeUninitializedCapacity: bytes.count) { room, count in
                    for (row, scale) in scales.enumerated() {
                        for place in (row * width)..<((row + 1) * width) {
                            room[place] = Float(Int8(bitPattern: bytes[place])) * scale
                        }
                    }
                    count = bytes.count
                }
            }
        } catch {
            throw .elementsUnavailable(path: path, tensor: name, reason: String(describing: error))
        }
    }
}
