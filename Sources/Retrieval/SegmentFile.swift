import BitCollections
import CVector
import Foundation
import Hashing
import TensorFiles

/// A segment of codes in a file, which is mapped and not read: a search pages in what it touches, the codes, and of the float16 rows those that it
/// scores again.
///
///     tensor   ids       I64 [n]            ascending
///              scales    F32 [n], sums I32 [n]
///              halves    F16 [n, stride]    the vectors, zeros behind the dimension
///              codes     I8  [n, width]     the vectors as int8, zeros behind the dimension
///     metadata dimension
///
/// Its name says what is in it: one that is there already need not be written again.
public struct SegmentFile: Codable, Sendable, Equatable {
    /// Its name within the folder.
    public let name: String
    public let count: Int
    /// Of the tensors' bytes, in the order above.
    public let sha256: String

    private static let tensors: [(name: String, type: ElementType)] = [
        ("ids", .int64), ("scales", .float32), ("sums", .int32), ("halves", .float16), ("codes", .int8),
    ]

    /// Writes what can be found in a segment, unless it is there.
    /// - Throws: `.file`, `.memory`.
    init(writing segment: Segment, dimension: Int, into folder: String) throws(RetrievalError) {
        // What is deleted stays in memory as a mark; a file has none.
        let index =
            segment.deleted.isEmpty && segment.index.rows.form == .codes
            ? segment.index : try SegmentMerging.merge([segment], dimension: dimension, form: .codes)
        let parts = index.rows.parts(ids: index.ids)
        let hash = SHA256()
        for part in parts { part.withBytes { hash.update($0) } }
        count = index.count
        sha256 = hash.hexDigest()
        name = "segment-\(count)-\(sha256.prefix(16)).safetensors"
        let path = "\(folder)/\(name)"
        if FileManager.default.fileExists(atPath: path), (try? verify(in: folder)) == true { return }
        try RetrievalError.filing { () throws(TensorFileError) in
            let tensors = zip(Self.tensors, parts).map { tensor, part in
                TensorToWrite(name: tensor.name, type: tensor.type, shape: part.shape) { body in try part.withBytes(body) }
            }
            try SafetensorsWriter.write(tensors, metadata: ["dimension": "\(dimension)"], to: path)
        }
    }

    /// Maps the file.
    /// - Throws: `.file` where it is none; `.segmentFile` where it holds something else than the name says. That its codes are what they were is
    ///   looked at by `verify`.
    func open(in folder: String, dimension: Int, level: InstructionSet) throws(RetrievalError) -> ExactIndex {
        let path = "\(folder)/\(name)"
        let file = try RetrievalError.filing { () throws(TensorFileError) in try SafetensorsFile(path: path) }
        func wrong(_ key: String, _ found: String, _ expected: String) -> RetrievalError {
            .segmentFile(path: path, key: key, found: found, expected: expected)
        }
        guard file.metadata["dimension"] == "\(dimension)" else {
            throw wrong("dimension", file.metadata["dimension"] ?? "none", "\(dimension)")
        }
        let shapes = VectorMemory.shapes(count: count, dimension: dimension)
        for (tensor, shape) in zip(Self.tensors, shapes) {
            let found = file.tensors[tensor.name]
            guard found?.type == tensor.type, found?.shape == shape else {
                throw wrong(
                    tensor.name, "\(found?.type.rawValue ?? "none") \(found?.shape ?? [])", "\(tensor.type.rawValue) \(shape)")
            }
        }
        let ids = try Self.bytes(of: "ids", in: file) { bytes in
            (0..<count).map { Int64(littleEndian: bytes.loadUnaligned(fromByteOffset: $0 * 8, as: Int64.self)) }
        }
        for (place, id) in ids.enumerated().dropFirst() where id <= ids[place - 1] {
            throw wrong("ids", "\(id) after \(ids[place - 1])", "ascending ids")
        }
        var pointers: [UnsafeRawPointer?] = []
        for tensor in Self.tensors.dropFirst() {
            pointers.append(try Self.bytes(of: tensor.name, in: file) { $0.baseAddress })
        }
        let memory = try VectorMemory(mapped: pointers, of: file, count: count, dimension: dimension)
        return ExactIndex(ids: ids, rows: VectorRows(memory, count: count), level: level)
    }

    /// Reads all of the file.
    /// - Returns: whether it holds what was written.
    /// - Throws: `.file` where it can't be read.
    public func verify(in folder: String) throws(RetrievalError) -> Bool {
        let file = try RetrievalError.filing { () throws(TensorFileError) in try SafetensorsFile(path: "\(folder)/\(name)") }
        let hash = SHA256()
        for tensor in Self.tensors where file.tensors[tensor.name] != nil {
            try Self.bytes(of: tensor.name, in: file) { hash.update($0) }
        }
        return hash.hexDigest() == sha256
    }

    private static func bytes<R>(
        of name: String, in file: SafetensorsFile, _ body: (UnsafeRawBufferPointer) -> R
    ) throws(RetrievalError) -> R {
        do { return try file.withBytes(of: name) { body($0) } } catch let error as TensorFileError {
            throw .file(error)
        } catch {
            throw .segmentFile(path: file.path, key: name, found: "\(error)", expected: "a tensor")
        }
    }
}

extension LiveIndex.Snapshot {
    /// Writes all that can be found as files of a folder, a file for each segment; those that are there already stay.
    /// - Throws: `.file`, `.memory`.
    public func write(to folder: String) throws(RetrievalError) -> [SegmentFile] {
        var files: [SegmentFile] = []
        for segment in segments where segment.count > 0 {
            files.append(try SegmentFile(writing: segment, dimension: dimension, into: folder))
        }
        return files
    }
}

extension LiveIndex {
    /// An index over files that `Snapshot.write` has written: they stay on the disk, mapped.
    /// - Throws: `.file`, `.segmentFile`; `.duplicateID` where two of them hold one id.
    public convenience init(dimension: Int, files: [SegmentFile], in folder: String) throws(RetrievalError) {
        var segments: [ExactIndex] = []
        for file in files { segments.append(try file.open(in: folder, dimension: dimension, level: .best)) }
        // Segments mostly hold a range of ids each: only where ranges overlap the ids have to be compared.
        let ordered = segments.filter { $0.count > 0 }.sorted { $0.ids[0] < $1.ids[0] }
        if zip(ordered, ordered.dropFirst()).contains(where: { ($0.ids.last ?? 0) >= $1.ids[0] }) {
            var seen: Set<Int64> = []
            for segment in ordered {
                for id in segment.ids where !seen.insert(id).inserted { throw .duplicateID(id) }
            }
        }
        try self.init(dimension: dimension, segments: segments, form: .codes)
    }
}
