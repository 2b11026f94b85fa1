/// The checked header of a safetensors file; the layout stands at `SafetensorsFile`.
struct SafetensorsHeader {
    struct Entry {
        let tensor: TensorDescription
        /// Byte range in the whole file.
        let range: Range<Int>
    }

    static let metadataKey = "__metadata__"
    /// How a file of `numpy.save` begins.
    private static let numpyMagic: [UInt8] = [0x93] + Array("NUMPY".utf8)

    /// Sorted by place in the file.
    private(set) var entries: [Entry] = []
    private(set) var metadata: [String: String] = [:]

    /// - Parameter bytes: the whole file.
    init(path: String, bytes: UnsafeRawBufferPointer) throws(TensorFileError) {
        guard !bytes.starts(with: Self.numpyMagic) else { throw .numpy(path: path) }
        guard bytes.count >= 8 else { throw .truncated(path: path, part: "header length", expected: 8, found: bytes.count) }
        let length = UInt64(littleEndian: bytes.loadUnaligned(as: UInt64.self))
        guard length >= 2, length <= UInt64(SafetensorsFile.headerLimit) else {
            throw .headerLength(path: path, found: length, limit: SafetensorsFile.headerLimit)
        }
        let dataStart = 8 + Int(length)
        guard bytes.count >= dataStart else {
            throw .truncated(path: path, part: "header", expected: Int(length), found: bytes.count - 8)
        }
        guard bytes[8] == UInt8(ascii: "{") else {
            throw .invalidJSON(path: path, offset: 8, problem: "expected `{` as the header's first byte")
        }
        let root: HeaderJSON
        do throws(HeaderJSONParser.Failure) {
            root = try HeaderJSONParser.parse(UnsafeRawBufferPointer(rebasing: bytes[8..<dataStart]))
        } catch {
            throw .invalidJSON(path: path, offset: 8 + error.offset, problem: error.problem)
        }
        guard case .object(let members) = root else {
            throw .invalidEntry(path: path, key: "header", found: root.summary, expected: "an object")
        }
        for (name, value) in members {
            if name == Self.metadataKey {
                metadata = try Self.texts(value, path: path)
            } else {
                entries.append(try Self.entry(name: name, value: value, path: path, dataStart: dataStart))
            }
        }
        try checkLayout(path: path, dataStart: dataStart, fileSize: bytes.count)
    }

    private static func texts(_ value: HeaderJSON, path: String) throws(TensorFileError) -> [String: String] {
        guard case .object(let members) = value else {
            throw .invalidEntry(path: path, key: metadataKey, found: value.summary, expected: "an object of texts")
        }
        var texts: [String: String] = [:]
        for (key, value) in members {
            guard case .string(let text) = value else {
                throw .invalidEntry(path: path, key: "\(metadataKey).\(key)", found: value.summary, expected: "a text")
            }
            texts[key] = text
        }
        return texts
    }

    private static func entry(name: String, value: HeaderJSON, path: String, dataStart: Int) throws(TensorFileError) -> Entry {
        func invalid(_ field: String, _ found: String, _ expected: String) -> TensorFileError {
            .invalidEntry(path: path, key: name + field, found: found, expected: expected)
        }
        guard case .object(let members) = value else { throw invalid("", value.summary, "an object") }
        var fields: [String: HeaderJSON] = [:]
        for (key, value) in members {
            guard ["dtype", "shape", "data_offsets"].contains(key) else {
                throw invalid(".\(key)", "unknown", "only dtype, shape and data_offsets")
            }
            fields[key] = value
        }
        guard let word = fields["dtype"] else { throw invalid(".dtype", "missing", "an element type") }
        guard case .string(let text) = word, let type = ElementType(rawValue: text) else {
            throw invalid(".dtype", word.summary, "one of " + ElementType.allCases.map(\.rawValue).joined(separator: ", "))
        }
        let shape = try counts(fields["shape"], field: ".shape", invalid)
        let offsets = try counts(fields["data_offsets"], field: ".data_offsets", invalid)
        guard offsets.count == 2, offsets[0] <= offsets[1] else {
            throw invalid(".data_offsets", "\(offsets)", "[begin, end] with begin ≤ end")
        }
        guard let tensor = TensorDescription(name: name, type: type, shape: shape) else {
            throw invalid(".shape", "\(shape)", "a product that fits 63 bits")
        }
        guard offsets[1] - offsets[0] == tensor.byteCount else {
            throw .byteCount(path: path, tensor: name, found: offsets[1] - offsets[0], expected: tensor.byteCount)
        }
        guard offsets[1] <= Int.max - dataStart else { throw invalid(".data_offsets", "\(offsets)", "offsets inside the file") }
        return Entry(tensor: tensor, range: dataStart + offsets[0]..<dataStart + offsets[1])
    }

    private static func counts(
        _ value: HeaderJSON?, field: String, _ invalid: (String, String, String) -> TensorFileError
    ) throws(TensorFileError) -> [Int] {
        guard let value else { throw invalid(field, "missing", "an array of whole numbers") }
        guard case .array(let elements) = value else { throw invalid(field, value.summary, "an array of whole numbers") }
        var counts: [Int] = []
        for (index, element) in elements.enumerated() {
            guard let count = element.count else {
                throw invalid("\(field)[\(index)]", element.summary, "a whole number from 0 to \(Int.max)")
            }
            counts.append(count)
        }
        return counts
    }

    /// Sorts the entries by place and checks that they cover the data exactly.
    private mutating func checkLayout(path: String, dataStart: Int, fileSize: Int) throws(TensorFileError) {
        // Begin, then end: an empty tensor stands before the one that begins at the same byte.
        let order = entries.indices.sorted { left, right in
            let (a, b) = (entries[left].range, entries[right].range)
            return (a.lowerBound, a.upperBound, left) < (b.lowerBound, b.upperBound, right)
        }
        entries = order.map { entries[$0] }
        var end = dataStart
        for entry in entries {
            guard entry.range.lowerBound == end else {
                throw .dataNotContiguous(
                    path: path, tensor: entry.tensor.name, found: entry.range.lowerBound - dataStart, expected: end - dataStart)
            }
            end = entry.range.upperBound
        }
        guard fileSize >= end else {
            throw .truncated(path: path, part: "data", expected: end - dataStart, found: fileSize - dataStart)
        }
        guard fileSize == end else { throw .trailingBytes(path: path, found: fileSize - dataStart, expected: end - dataStart) }
    }
}
