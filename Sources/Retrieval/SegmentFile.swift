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
    /// Rows in it.
    public let rows: Int
    /// Of the tensors' bytes, in the order above.
    public let sha256: String
    /// Rows that can't be found any more, ascending.
    let deleted: [Int]
    /// The file with the graph of a large segment, a tensor `graph` U8 of what `cvgraph.h` describes.
    let graph: Graph?

    struct Graph: Codable, Sendable, Equatable {
        let name: String
        let sha256: String
    }

    /// Vectors that can be found.
    public var count: Int { rows - deleted.count }

    /// Its files within the folder.
    public var names: [String] { [name] + (graph.map { [$0.name] } ?? []) }

    private static let tensors: [(name: String, type: ElementType)] = [
        ("ids", .int64), ("scales", .float32), ("sums", .int32), ("halves", .float16), ("codes", .int8),
    ]
    private static let graphTensor = "graph"

    /// Writes a segment, unless it is there.
    /// - Throws: `.file`, `.memory`.
    init(writing segment: Segment, dimension: Int, into folder: String) throws(RetrievalError) {
        guard dimension <= VectorForm.greatestCodedDimension else {
            throw .otherDimension(found: dimension, expected: VectorForm.greatestCodedDimension)
        }
        let isCoded = segment.index.rows.form == .codes
        let index = isCoded ? segment.index : try SegmentMerging.merge([segment], dimension: dimension, form: .codes)
        let parts = index.rows.parts(ids: index.ids)
        rows = index.count
        deleted = isCoded ? Array(segment.deleted) : []
        sha256 = Self.digest { hash in for part in parts { part.withBytes { hash.update($0) } } }
        name = "segment-\(rows)-\(sha256.prefix(16)).safetensors"
        let graphDigest =
            isCoded ? segment.graph.map { graph in Self.digest { hash in graph.withBytes { hash.update($0) } } } : nil
        graph = graphDigest.map { Graph(name: "graph-\(index.count)-\($0.prefix(16)).safetensors", sha256: $0) }
        if (try? Self.digest(of: "\(folder)/\(name)", Self.tensors.map(\.name))) != sha256 {
            let tensors = zip(Self.tensors, parts).map { tensor, part in
                TensorToWrite(name: tensor.name, type: tensor.type, shape: part.shape) { body in try part.withBytes(body) }
            }
            try Self.write(tensors, ["dimension": "\(dimension)"], to: "\(folder)/\(name)")
        }
        if let graph, let block = segment.graph,
            (try? Self.digest(of: "\(folder)/\(graph.name)", [Self.graphTensor])) != graph.sha256
        {
            let tensor = TensorToWrite(name: Self.graphTensor, type: .uint8, shape: [block.length]) { try block.withBytes($0) }
            try Self.write([tensor], [:], to: "\(folder)/\(graph.name)")
        }
    }

    private static func write(
        _ tensors: [TensorToWrite], _ metadata: [String: String], to path: String
    ) throws(RetrievalError) {
        try RetrievalError.filing { () throws(TensorFileError) in
            try SafetensorsWriter.write(tensors, metadata: metadata, to: path)
        }
    }

    private static func digest(_ feed: (SHA256) -> Void) -> String {
        let hash = SHA256()
        feed(hash)
        return hash.hexDigest()
    }

    private static func digest(of path: String, _ names: [String]) throws(RetrievalError) -> String {
        let file = try RetrievalError.filing { () throws(TensorFileError) in try SafetensorsFile(path: path) }
        let hash = SHA256()
        for name in names where file.tensors[name] != nil { try bytes(of: name, in: file) { hash.update($0) } }
        return hash.hexDigest()
    }

    /// Maps the file.
    /// - Throws: `.file` where it is none; `.segmentFile` where it holds something else than the name says. That its codes are what they were is
    ///   looked at by `verify`.
    func open(in folder: String, dimension: Int, level: InstructionSet) throws(RetrievalError) -> Segment {
        let path = "\(folder)/\(name)"
        let file = try RetrievalError.filing { () throws(TensorFileError) in try SafetensorsFile(path: path) }
        func wrong(_ key: String, _ found: String, _ expected: String) -> RetrievalError {
            .segmentFile(path: path, key: key, found: found, expected: expected)
        }
        guard file.metadata["dimension"] == "\(dimension)" else {
            throw wrong("dimension", file.metadata["dimension"] ?? "none", "\(dimension)")
        }
        let shapes = VectorMemory.shapes(count: rows, dimension: dimension)
        for (tensor, shape) in zip(Self.tensors, shapes) {
            let found = file.tensors[tensor.name]
            guard found?.type == tensor.type, found?.shape == shape else {
                throw wrong(
                    tensor.name, "\(found?.type.rawValue ?? "none") \(found?.shape ?? [])", "\(tensor.type.rawValue) \(shape)")
            }
        }
        let ids = try Self.bytes(of: "ids", in: file) { bytes in
            (0..<rows).map { Int64(littleEndian: bytes.loadUnaligned(fromByteOffset: $0 * 8, as: Int64.self)) }
        }
        for (place, id) in ids.enumerated().dropFirst() where id <= ids[place - 1] {
            throw wrong("ids", "\(id) after \(ids[place - 1])", "ascending ids")
        }
        var pointers: [UnsafeRawPointer?] = []
        for tensor in Self.tensors.dropFirst() {
            pointers.append(try Self.bytes(of: tensor.name, in: file) { $0.baseAddress })
        }
        let memory = try VectorMemory(mapped: pointers, of: file, count: rows, dimension: dimension)
        var segment = Segment(
            ExactIndex(ids: ids, rows: VectorRows(memory, count: rows), level: level), graph: try openGraph(in: folder))
        for row in deleted {
            guard (0..<rows).contains(row) else { throw wrong("deleted", "row \(row)", "rows below \(rows)") }
            segment.delete(row: row)
        }
        return segment
    }

    private func openGraph(in folder: String) throws(RetrievalError) -> SegmentGraph? {
        guard let graph else { return nil }
        let path = "\(folder)/\(graph.name)"
        let file = try RetrievalError.filing { () throws(TensorFileError) in try SafetensorsFile(path: path) }
        let block = try Self.bytes(of: Self.graphTensor, in: file) { SegmentGraph(mapped: $0, of: file, count: rows) }
        guard let block else {
            throw .segmentFile(path: path, key: Self.graphTensor, found: "something else", expected: "a graph over \(rows) rows")
        }
        return block
    }

    /// Reads all of the files.
    /// - Returns: whether they hold what was written.
    /// - Throws: `.file` where they can't be read.
    public func verify(in folder: String) throws(RetrievalError) -> Bool {
        if let graph {
            guard try Self.digest(of: "\(folder)/\(graph.name)", [Self.graphTensor]) == graph.sha256 else { return false }
        }
        return try Self.digest(of: "\(folder)/\(name)", Self.tensors.map(\.name)) == sha256
    }

    private static func bytes<R>(
        of name: String, in file: SafetensorsFile, _ body: (UnsafeRawBufferPointer) -> R
    ) throws(RetrievalError) -> R {
        do {
            return try file.withBytes(of: name) { bytes in
                // Our writer aligns every tensor; another's need not, and numbers are read in place.
                let size = file.tensors[name]?.type.byteCount ?? 1
                guard Int(bitPattern: bytes.baseAddress) % size == 0 else {
                    throw RetrievalError.segmentFile(
                        path: file.path, key: name, found: "elements at an odd address",
                        expected: "elements that are aligned, as they were written")
                }
                return body(bytes)
            }
        } catch let error as RetrievalError {
            throw error
        } catch let error as TensorFileError {
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
        var segments: [Segment] = []
        for file in files { segments.append(try file.open(in: folder, dimension: dimension, level: .best)) }
        // Segments mostly hold a range of ids each: only where ranges overlap the ids have to be compared.
        let ordered = segments.filter { $0.index.count > 0 }.sorted { $0.index.ids[0] < $1.index.ids[0] }
        if zip(ordered, ordered.dropFirst()).contains(where: { ($0.index.ids.last ?? 0) >= $1.index.ids[0] }) {
            var seen: Set<Int64> = []
            for segment in ordered {
                for id in segment.ids where !seen.insert(id).inserted { throw .duplicateID(id) }
            }
        }
        try self.init(dimension: dimension, form: .codes, segments: segments)
    }
}
