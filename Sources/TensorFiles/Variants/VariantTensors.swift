import CZlib

/// A variant of a model: the tensors of a baseline, changed by what a small file holds.
///
/// The file is a safetensors file. For each of the baseline's tensors that differs it holds one of
///
///     <name>          F32 or F16   what takes the place of the baseline's tensor, in its shape
///     <name>:codes    U8           the difference, divided by the steps of its rows and rounded, as signed bytes, deflated (RFC 1950)
///     <name>:steps    F32          the steps, one for each row: for each place of the tensor's first index
///
/// and its metadata have `baseline`, the baseline's file of weights, seen from this file's folder, and `baseline_sha256`, that file's digest.
/// A tensor behind codes is F32: baseline + code · step, in single precision, the same bits on every machine.
public final class VariantTensors: TensorSource {
    public static let baselineKey = "baseline"
    public static let digestKey = "baseline_sha256"
    static let codes = ":codes"
    static let steps = ":steps"

    public let path: String
    public let names: [String]
    public let tensors: [String: TensorDescription]
    private let baseline: any TensorSource
    private let changes: SafetensorsFile
    private let coded: Set<String>
    private let replaced: Set<String>

    /// - Throws: `TensorFileError` for changes that do not fit the baseline's tensors.
    public init(_ changes: SafetensorsFile, of baseline: any TensorSource) throws(TensorFileError) {
        (path, self.changes, self.baseline, names) = (changes.path, changes, baseline, baseline.names)
        var tensors = baseline.tensors
        var (coded, replaced): (Set<String>, Set<String>) = ([], [])
        for name in changes.names where !name.hasSuffix(Self.steps) {
            let isCoded = name.hasSuffix(Self.codes)
            let plain = isCoded ? String(name.dropLast(Self.codes.count)) : name
            guard let before = baseline.tensors[plain], let change = changes.tensors[name] else {
                throw .invalidEntry(
                    path: changes.path, key: name, found: "a tensor that \(baseline.path) lacks", expected: "one of its tensors")
            }
            func wrong(_ key: String, _ found: String, _ expected: String) -> TensorFileError {
                .invalidEntry(path: changes.path, key: key, found: found, expected: expected)
            }
            guard before.type.isFloatingPoint else {
                throw wrong(plain, "\(before.type.rawValue) in the baseline", "numbers that can differ")
            }
            if isCoded {
                guard change.type == .uint8, let rows = before.shape.first else {
                    throw wrong(name, "\(change.type.rawValue) of \(before.shape.count) dimensions", "U8 for a tensor with rows")
                }
                let steps = changes.tensors[plain + Self.steps]
                guard let steps, steps.type == .float32, steps.shape == [rows] else {
                    throw wrong(plain + Self.steps, steps.map { "\($0.type.rawValue) \($0.shape)" } ?? "missing", "F32 [\(rows)]")
                }
                coded.insert(plain)
                tensors[plain] = TensorDescription(name: plain, type: .float32, shape: before.shape)
            } else {
                guard change.shape == before.shape, change.type.isFloatingPoint else {
                    throw wrong(
                        name, "\(change.type.rawValue) \(change.shape)", "numbers in the baseline's shape \(before.shape)")
                }
                replaced.insert(plain)
                tensors[plain] = change
            }
        }
        if let both = coded.intersection(replaced).min() { throw .duplicateTensor(path: changes.path, tensor: both) }
        (self.tensors, self.coded, self.replaced) = (tensors, coded, replaced)
    }

    public func liesInPlace(_ name: String) -> Bool {
        replaced.contains(name) ? changes.liesInPlace(name) : !coded.contains(name) && baseline.liesInPlace(name)
    }

    public func releasePages() {
        baseline.releasePages()
        changes.releasePages()
    }

    public func withBytes<R>(of name: String, _ body: (UnsafeRawBufferPointer) throws -> R) throws -> R {
        guard coded.contains(name) else { return try (replaced.contains(name) ? changes : baseline).withBytes(of: name, body) }
        return try Self.lend(floats(name), to: body)
    }

    public func floats(_ name: String) throws(TensorFileError) -> [Float] {
        guard coded.contains(name) else { return try (replaced.contains(name) ? changes : baseline).floats(name) }
        var floats = try baseline.floats(name)
        let (codes, steps) = (try codes(of: name, count: floats.count), try changes.floats(name + Self.steps))
        let width = floats.count / max(steps.count, 1)
        for (row, step) in steps.enumerated() {
            for place in (row * width)..<((row + 1) * width) { floats[place] += Float(codes[place]) * step }
        }
        return floats
    }

    /// - Throws: `.invalidEntry` for a stream that does not give exactly `count` bytes.
    private func codes(of name: String, count: Int) throws(TensorFileError) -> [Int8] {
        var written = uLongf(count)
        var code = Z_MEM_ERROR
        let codes: [Int8]
        do {
            codes = try changes.withBytes(of: name + Self.codes) { stream in
                [Int8](unsafeUninitializedCapacity: count) { room, initialized in
                    room.withMemoryRebound(to: Bytef.self) { room in
                        code = uncompress(
                            room.baseAddress, &written, stream.assumingMemoryBound(to: Bytef.self).baseAddress,
                            uLong(stream.count))
                    }
                    // What zlib left untouched would be whatever lay there: an error follows, and nobody sees it.
                    if Int(written) < count { room[Int(written)...].initialize(repeating: 0) }
                    initialized = count
                }
            }
        } catch {
            throw .elementsUnavailable(path: path, tensor: name, reason: String(describing: error))
        }
        guard code == Z_OK, Int(written) == count else {
            throw .invalidEntry(
                path: path, key: name + Self.codes, found: "a stream that does not inflate to \(count) bytes",
                expected: "\(count) codes")
        }
        return codes
    }
}
