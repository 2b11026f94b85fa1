import Foundation
import TensorFiles

/// Vectors with the names of the pictures they were made from, in one safetensors file.
///
/// Bytes that are written (the container's are described at `SafetensorsFile`):
///
///     tensor   features       F32 [n, d]   row i is the vector of picture i, of unit length; little-endian, row after row
///     metadata image_paths    JSON array of n texts: the picture of each row, in the order of the manifest, duplicates kept
///              model          what made the vectors, for people         (where known)
///              fingerprint    the model's weights and preprocessing     (where known)
///
/// What is read beyond that: F16, BF16 and F64; a tensor of another name, if it is the file's only matrix; the names under `names`
/// or `files`. A row's length may be off 1 by `UnitVectors.tolerance`, as 16-bit rounding makes it, and is then mended; a row further
/// off is refused, since nobody can know what its maker meant.
public struct EmbeddingFile: Sendable, Equatable {
    /// One for each row; the same name may stand twice.
    public let names: [String]
    /// `[names.count, dimension]`, every row of unit length.
    public let vectors: [Float]
    public let dimension: Int
    public let model: String?
    public let fingerprint: String?

    public var count: Int { names.count }

    static let tensorName = "features"
    static let nameKeys = ["image_paths", "names", "files"]

    /// - Parameter vectors: `[names.count, dimension]`, every row of unit length.
    /// - Throws: `.dimension`, `.shape`, `.count`, `.notFinite`, `.notUnitLength`.
    public init(
        names: [String], vectors: [Float], dimension: Int, model: String? = nil, fingerprint: String? = nil
    ) throws(RetrievalError) {
        let count = try UnitVectors.rowCount(vectors.count, dimension: dimension, what: "vectors")
        guard names.count == count else { throw .count(what: "names", found: names.count, expected: count) }
        self.names = names
        self.vectors = try Self.mended(vectors, dimension: dimension, what: "vectors")
        self.dimension = dimension
        self.model = model
        self.fingerprint = fingerprint
    }

    /// Reads a file.
    /// - Throws: `.file` where it is no safetensors file; `.embeddingFile`, `.count`, `.notFinite` or `.notUnitLength` where it
    ///   holds something else than named unit vectors.
    public init(path: String) throws(RetrievalError) {
        let file = try Self.filing { () throws(TensorFileError) in try SafetensorsFile(path: path) }
        let tensor = try Self.matrix(of: file)
        let floats = try Self.filing { () throws(TensorFileError) in try file.floats(tensor.name) }
        let metadata = file.metadata
        guard tensor.shape[1] > 0 else {
            throw .embeddingFile(path: path, key: tensor.name, found: "\(tensor.shape)", expected: "a shape [n, d] with d ≥ 1")
        }
        self.names = try Self.names(metadata, count: tensor.shape[0], path: path)
        self.vectors = try Self.mended(floats, dimension: tensor.shape[1], what: "vectors of \(path)")
        self.dimension = tensor.shape[1]
        self.model = metadata["model"]
        self.fingerprint = metadata["fingerprint"]
    }

    /// Writes the file whole, or leaves what was there.
    /// - Throws: `.file`.
    public func write(to path: String) throws(RetrievalError) {
        var metadata: [String: String] = [:]
        do {
            let encoder = JSONEncoder()
            encoder.outputFormatting = .withoutEscapingSlashes
            metadata[Self.nameKeys[0]] = String(decoding: try encoder.encode(names), as: UTF8.self)
        } catch {
            throw .embeddingFile(path: path, key: Self.nameKeys[0], found: "\(error)", expected: "texts that JSON can hold")
        }
        metadata["model"] = model
        metadata["fingerprint"] = fingerprint
        try Self.filing { () throws(TensorFileError) in
            try SafetensorsWriter.write(vectors, shape: [count, dimension], named: Self.tensorName, metadata: metadata, to: path)
        }
    }

    /// The vector of one row.
    public func vector(_ row: Int) -> ArraySlice<Float> {
        vectors[row * dimension..<(row + 1) * dimension]
    }

    private static func filing<R>(_ body: () throws(TensorFileError) -> R) throws(RetrievalError) -> R {
        do throws(TensorFileError) { return try body() } catch { throw .file(error) }
    }

    private static func matrix(of file: SafetensorsFile) throws(RetrievalError) -> TensorDescription {
        let matrices = file.names.compactMap { file.tensors[$0] }.filter { $0.shape.count == 2 && $0.type.isFloatingPoint }
        if let named = matrices.first(where: { $0.name == tensorName }) { return named }
        guard file.tensors[tensorName] == nil, matrices.count == 1 else {
            let found = file.tensors[tensorName].map { "\($0.type.rawValue) \($0.shape)" } ?? "missing"
            throw .embeddingFile(path: file.path, key: tensorName, found: found, expected: "a floating-point tensor [n, d]")
        }
        return matrices[0]
    }

    private static func names(_ metadata: [String: String], count: Int, path: String) throws(RetrievalError) -> [String] {
        guard let key = nameKeys.first(where: { metadata[$0] != nil }), let text = metadata[key] else {
            throw .embeddingFile(
                path: path, key: "__metadata__.\(nameKeys[0])", found: "missing", expected: "a JSON array of the rows' pictures")
        }
        guard let names = try? JSONDecoder().decode([String].self, from: Data(text.utf8)) else {
            throw .embeddingFile(
                path: path, key: "__metadata__.\(key)", found: "\"\(text.prefix(40))\"", expected: "a JSON array of texts")
        }
        guard names.count == count else {
            throw .embeddingFile(
                path: path, key: "__metadata__.\(key)", found: "an array of \(names.count)",
                expected: "\(count) texts, one for each row")
        }
        return names
    }

    /// Checks every row and scales those whose length is off by more than single precision alone explains.
    private static func mended(_ vectors: [Float], dimension: Int, what: String) throws(RetrievalError) -> [Float] {
        var vectors = vectors
        for row in 0..<(vectors.count / dimension) {
            let result = vectors.withUnsafeMutableBufferPointer { all in
                Result { () throws(RetrievalError) in
                    let vector = UnsafeMutableBufferPointer(rebasing: all[row * dimension..<(row + 1) * dimension])
                    try UnitVectors.check(UnsafeBufferPointer(vector), what: what, row: row)
                    if abs(UnitVectors.length(vector) - 1) > 1e-6 { _ = UnitVectors.normalize(vector) }
                }
            }
            try result.get()
        }
        return vectors
    }
}
