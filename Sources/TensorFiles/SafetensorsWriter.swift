/// A tensor on its way into a file: what it is, and a closure that hands out its elements when their turn comes.
public struct TensorToWrite {
    public let name: String
    public let type: ElementType
    public let shape: [Int]
    let provide: ((UnsafeRawBufferPointer) throws -> Void) throws -> Void

    /// - Parameter withBytes: calls its argument with the elements, little-endian, last index fastest: at once or in several
    ///   parts one after the other. It is called once, while the file is being written; the parts must add up to the shape.
    public init(
        name: String, type: ElementType, shape: [Int],
        withBytes provide: @escaping ((UnsafeRawBufferPointer) throws -> Void) throws -> Void
    ) {
        self.name = name
        self.type = type
        self.shape = shape
        self.provide = provide
    }

    public init(name: String, type: ElementType, shape: [Int], bytes: [UInt8]) {
        self.init(name: name, type: type, shape: shape) { body in try bytes.withUnsafeBytes(body) }
    }
}

extension TensorToWrite {
    /// The precision in which `Float`s are written.
    public enum Precision: Sendable {
        case float32
        /// Nearest, ties to even; magnitudes from 65,520 become infinite.
        case float16
    }

    /// - Parameter shape: its product must be `floats.count`; the writer checks it.
    public init(name: String, floats: [Float], shape: [Int], as precision: Precision = .float32) {
        switch precision {
        case .float32:
            self.init(name: name, type: .float32, shape: shape) { body in
                // In parts, so that a byte order that isn't the file's would cost a part's memory, and not the tensor's.
                for start in stride(from: 0, to: floats.count, by: Self.part) {
                    let words = floats[start..<min(start + Self.part, floats.count)].map { $0.bitPattern.littleEndian }
                    try words.withUnsafeBytes(body)
                }
            }
        case .float16:
            self.init(name: name, type: .float16, shape: shape) { body in
                for start in stride(from: 0, to: floats.count, by: Self.part) {
                    let words = floats[start..<min(start + Self.part, floats.count)].map { FloatFormats.half($0).littleEndian }
                    try words.withUnsafeBytes(body)
                }
            }
        }
    }

    private static let part = 1 << 16
}

/// Writes safetensors files; the layout stands at `SafetensorsFile`.
public enum SafetensorsWriter {
    /// Writes a file, or leaves what was there: the bytes go to a temporary file in the same folder, reach the disk (`fsync`)
    /// and then take the name in one `rename`. The same input gives the same bytes.
    ///
    /// Wider element types come first and the header is padded to a multiple of 8, so that every tensor is aligned to its
    /// element; tensors of one width keep the order given.
    /// - Throws: `TensorFileError`; after an error neither the target nor a temporary file has been made or changed.
    public static func write(
        _ tensors: [TensorToWrite], metadata: [String: String] = [:], to path: String
    ) throws(TensorFileError) {
        let (header, ordered) = try plan(tensors, metadata: metadata, path: path)
        let file = try ReplacingFile(path: path)
        try file.append(header)
        for (tensor, description) in ordered {
            var written = 0
            do {
                try tensor.provide { part in
                    guard part.count <= description.byteCount - written else {
                        throw TensorFileError.byteCount(
                            path: path, tensor: tensor.name, found: written + part.count, expected: description.byteCount)
                    }
                    try file.append(part)
                    written += part.count
                }
            } catch let error as TensorFileError {
                throw error
            } catch {
                throw .elementsUnavailable(path: path, tensor: tensor.name, reason: String(describing: error))
            }
            guard written == description.byteCount else {
                throw .byteCount(path: path, tensor: tensor.name, found: written, expected: description.byteCount)
            }
        }
        try file.commit()
    }

    /// Writes one F32 tensor.
    public static func write(
        _ floats: [Float], shape: [Int], named name: String, metadata: [String: String] = [:], to path: String
    ) throws(TensorFileError) {
        try write([TensorToWrite(name: name, floats: floats, shape: shape)], metadata: metadata, to: path)
    }

    /// The 8 length bytes and the header, and the tensors in the order of the file.
    private static func plan(
        _ tensors: [TensorToWrite], metadata: [String: String], path: String
    ) throws(TensorFileError) -> (header: [UInt8], ordered: [(TensorToWrite, TensorDescription)]) {
        var names: Set<String> = []
        var described: [(TensorToWrite, TensorDescription)] = []
        for tensor in tensors {
            guard tensor.name != SafetensorsHeader.metadataKey else {
                throw .invalidEntry(
                    path: path, key: tensor.name, found: "a tensor's name", expected: "a name that the format leaves free")
            }
            guard names.insert(tensor.name).inserted else { throw .duplicateTensor(path: path, tensor: tensor.name) }
            guard let description = TensorDescription(name: tensor.name, type: tensor.type, shape: tensor.shape) else {
                throw .invalidEntry(
                    path: path, key: "\(tensor.name).shape", found: "\(tensor.shape)",
                    expected: "extents from 0 whose product fits 63 bits")
            }
            described.append((tensor, description))
        }
        // Swift's sort is stable.
        let ordered = described.sorted { $0.1.type.byteCount > $1.1.type.byteCount }

        var members: [String] = []
        if !metadata.isEmpty {
            let texts = metadata.sorted { $0.key < $1.key }.map { "\(quoted($0.key)):\(quoted($0.value))" }
            members.append("\(quoted(SafetensorsHeader.metadataKey)):{\(texts.joined(separator: ","))}")
        }
        var begin = 0
        for (_, tensor) in ordered {
            let (end, overflow) = begin.addingReportingOverflow(tensor.byteCount)
            guard !overflow else {
                throw .invalidEntry(
                    path: path, key: tensor.name, found: "\(tensor.shape)", expected: "tensors that together fit 63 bits")
            }
            let shape = tensor.shape.map(String.init).joined(separator: ",")
            members.append(
                "\(quoted(tensor.name)):{\"dtype\":\"\(tensor.type.rawValue)\",\"shape\":[\(shape)],\"data_offsets\":[\(begin),\(end)]}"
            )
            begin = end
        }
        var json = Array("{\(members.joined(separator: ","))}".utf8)
        while json.count % 8 != 0 { json.append(UInt8(ascii: " ")) }
        guard json.count <= SafetensorsFile.headerLimit else {
            throw .headerLength(path: path, found: UInt64(json.count), limit: SafetensorsFile.headerLimit)
        }
        let length = withUnsafeBytes(of: UInt64(json.count).littleEndian, Array.init)
        return (length + json, ordered)
    }

    private static func quoted(_ text: String) -> String {
        var quoted = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": quoted += "\\\""
            case "\\": quoted += "\\\\"
            case ..<" ":
                let digits = String(scalar.value, radix: 16)
                quoted += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: quoted.unicodeScalars.append(scalar)
            }
        }
        return quoted + "\""
    }
}
