import Foundation
import TensorFiles

/// Vectors with the names of the pictures they were made from, in one file of tensors.
///
/// What is written to a safetensors file (the container's bytes are described at `SafetensorsFile`):
///
///     tensor   features       F32 [n, d]   row i is the vector of picture i, of unit length; little-endian, row after row
///     metadata image_paths    JSON array of n texts: the picture of each row, in the order of the manifest, duplicates kept
///              model          what made the vectors, for people         (where known)
///              fingerprint    the model's weights and preprocessing     (where known)
///
/// and to a file of PyTorch (see `TorchCheckpoint`), which `torch.load(path, weights_only=True)` opens as one dictionary:
///
///     features       float32 tensor [n, d]
///     image_paths    list of n str
///     model, fingerprint    str    (where known)
///
/// What is read beyond that: F16, BF16 and F64; a tensor of another name, if it is the file's only matrix; the names under `names`
/// or `files`; rows of any length, which are scaled to 1. A row without a direction, of zeros or of something that is no finite
/// number, is refused.
public struct EmbeddingFile: Sendable, Equatable {
    /// The two kinds of file, told apart by how the name ends.
    public enum Format: String, Sendable, CaseIterable {
        case safetensors
        case torch = "pt"

        /// - Returns: nil for any other ending.
        public init?(path: String) {
            self.init(rawValue: URL(fileURLWithPath: path).pathExtension.lowercased())
        }
    }

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

    /// - Parameter vectors: `[names.count, dimension]`, every row of unit length within `UnitVectors.tolerance`.
    /// - Throws: `.dimension`, `.shape`, `.count`, `.notFinite`, `.notUnitLength`.
    public init(
        names: [String], vectors: [Float], dimension: Int, model: String? = nil, fingerprint: String? = nil
    ) throws(RetrievalError) {
        let count = try UnitVectors.rowCount(vectors.count, dimension: dimension, what: "vectors")
        guard names.count == count else { throw .count(what: "names", found: names.count, expected: count) }
        for row in 0..<count {
            let result = vectors.withUnsafeBufferPointer { all in
                Result { () throws(RetrievalError) in
                    let vector = UnsafeBufferPointer(rebasing: all[row * dimension..<(row + 1) * dimension])
                    try UnitVectors.check(vector, what: "vectors", row: row)
                }
            }
            try result.get()
        }
        var vectors = vectors
        _ = Self.scale(&vectors, dimension: dimension)
        self.names = names
        self.vectors = vectors
        self.dimension = dimension
        self.model = model
        self.fingerprint = fingerprint
    }

    /// Reads a file: as PyTorch's where its name ends with `.pt`, else as safetensors.
    /// - Throws: `.file` where it is no such file; `.embeddingFile` or `.noDirection` where it holds something else than named
    ///   vectors.
    public init(path: String) throws(RetrievalError) {
        let content = try Content(path: path)
        var vectors = content.floats
        if let row = Self.scale(&vectors, dimension: content.dimension) {
            let isZero = vectors[row * content.dimension..<(row + 1) * content.dimension].allSatisfy { $0 == 0 }
            throw .noDirection(path: path, row: row, image: content.names[row], isZero: isZero)
        }
        self.names = content.names
        self.vectors = vectors
        self.dimension = content.dimension
        self.model = content.model
        self.fingerprint = content.fingerprint
    }

    /// Writes the file whole, or leaves what was there: as PyTorch's where the name ends with `.pt`, else as safetensors.
    /// - Throws: `.file`.
    public func write(to path: String) throws(RetrievalError) {
        switch Format(path: path) ?? .safetensors {
        case .safetensors: try writeSafetensors(to: path)
        case .torch: try writeTorch(to: path)
        }
    }

    /// The vector of one row.
    public func vector(_ row: Int) -> ArraySlice<Float> {
        vectors[row * dimension..<(row + 1) * dimension]
    }

    private func writeSafetensors(to path: String) throws(RetrievalError) {
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
        try RetrievalError.filing { () throws(TensorFileError) in
            try SafetensorsWriter.write(vectors, shape: [count, dimension], named: Self.tensorName, metadata: metadata, to: path)
        }
    }

    private func writeTorch(to path: String) throws(RetrievalError) {
        var values: CheckpointDictionary = [.text(Self.nameKeys[0]): .list(names.map { .text($0) })]
        values["model"] = model.map { .text($0) }
        values["fingerprint"] = fingerprint.map { .text($0) }
        let features = TensorToWrite(name: Self.tensorName, floats: vectors, shape: [count, dimension])
        try RetrievalError.filing { () throws(TensorFileError) in
            try TorchCheckpointWriter.write([features], values: values, to: path)
        }
    }

    /// Scales the rows whose length is off 1 by more than single precision alone explains: what was written comes back bit for bit.
    /// - Returns: the first row without a direction, with which it ends.
    private static func scale(_ vectors: inout [Float], dimension: Int) -> Int? {
        vectors.withUnsafeMutableBufferPointer { all in
            (0..<all.count / dimension).first { row in
                let vector = UnsafeMutableBufferPointer(rebasing: all[row * dimension..<(row + 1) * dimension])
                return !(abs(UnitVectors.length(vector) - 1) <= 1e-6 || UnitVectors.normalize(vector))
            }
        }
    }
}
