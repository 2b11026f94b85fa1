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
            try tensor.stream(description, path: path) { (part) throws(TensorFileError) in try file.append(part) }
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
            described.append((tensor, try tensor.described(path: path)))
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
