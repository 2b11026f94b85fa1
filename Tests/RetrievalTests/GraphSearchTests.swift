import BitCollections
import Foundation
import Testing

@testable import Retrieval

@Suite("search by a graph")
struct GraphSearchTests {
    private static let (count, dimension) = (12_000, 32)
    private static let vectors = clusteredUnitVectors(count, dimension: dimension, seed: 11)
    private static let queries = Array(clusteredUnitVectors(count, dimension: dimension, seed: 11).suffix(60 * dimension))
    private static let ids = (0..<Int64(count)).map { $0 * 3 + 5 }

    /// Built once: it takes seconds.
    private static let graphed: Result<LiveIndex, any Error> = Result {
        let index = try LiveIndex(
            dimension: dimension, segments: [ExactIndex(ids: ids, vectors: vectors, dimension: dimension, form: .codes)],
            form: .codes)
        guard try index.buildGraphs(least: 1000) == 1 else { throw RetrievalError.nothingToMeasure(queries: 0, gallery: 0) }
        return index
    }

    private static func exact() throws -> ExactIndex { try ExactIndex(ids: ids, vectors: vectors, dimension: dimension) }

    /// The share of the exact hits that are found, and whether as many came back.
    private func recall(_ request: VectorRequest, _ index: LiveIndex, of exact: some VectorIndex) async throws -> Double {
        var (found, total) = (0, 0)
        let expected = try await exact.search(request)
        for (one, other) in zip(expected, try index.search(request)) {
            #expect(one.count == other.count)
            #expect(zip(other, other.dropFirst()).allSatisfy { $0.score >= $1.score })
            #expect(Set(other.map(\.id)).count == other.count)
            found += Set(one.map(\.id)).intersection(other.map(\.id)).count
            total += one.count
        }
        return total == 0 ? 1 : Double(found) / Double(total)
    }

    @Test("a walk is taken, and finds what a pass finds", arguments: [1, 10, 50])
    func unfiltered(k: Int) async throws {
        let index = try Self.graphed.get()
        let segment = try #require(index.snapshot.segments.first)
        let graph = try #require(segment.graph)
        let walked = Self.queries.withUnsafeBufferPointer { queries in
            graph.candidates(
                CodedQueries(queries, dimension: Self.dimension), in: segment, .all, size: 64, group: nil, enough: 10)
        }
        #expect(walked?.count == 60)
        let found = try await recall(VectorRequest(vectors: Self.queries, k: k), index, of: Self.exact())
        #expect(found >= 0.98, "\(found)")
    }

    @Test(
        "whatever share of the rows a filter admits, as many hits come back as exist, and the right ones",
        arguments: [0.9, 0.5, 0.35, 0.1, 0.03, 0.01, 0.003, 0.0001])
    func filtered(share: Double) async throws {
        var numbers = SeededGenerator(state: UInt64(share * 1e6))
        let admitted = BitSet(Self.ids.filter { _ in Double.random(in: 0..<1, using: &numbers) < share }.map(Int.init))
        let request = VectorRequest(vectors: Self.queries, k: 10, admission: .ids(admitted))
        let found = try await recall(request, Self.graphed.get(), of: Self.exact())
        #expect(found >= 0.95, "\(found)")
    }

    @Test("a filter that speaks against the query is answered as well", arguments: [0.5, 0.35])
    func contrary(share: Double) async throws {
        let query = Array(Self.queries.prefix(Self.dimension))
        let ranked = try Self.exact().search(VectorRequest(vectors: query, k: Self.count))[0].map(\.id)
        let farthest = BitSet(ranked.suffix(Int(Double(Self.count) * share)).map(Int.init))
        let request = VectorRequest(vectors: query, k: 20, admission: .ids(farthest))
        let found = try await recall(request, Self.graphed.get(), of: Self.exact())
        #expect(found >= 0.95, "\(found)")
    }

    @Test("groups, and least scores, leave nothing out")
    func grouped() async throws {
        for groups in [5000, 40, 3] as [Int64] {
            let request = VectorRequest(vectors: Self.queries, k: 10, group: { Int32($0 / 3 % groups) })
            let found = try await recall(request, Self.graphed.get(), of: Self.exact())
            #expect(found >= 0.95, "\(groups): \(found)")
        }
        let request = VectorRequest(vectors: Self.queries, k: 200, minimumScore: 0.8)
        let expected = try Self.exact().search(request)
        for (one, other) in zip(expected, try Self.graphed.get().search(request)) {
            #expect(other.allSatisfy { $0.score >= 0.8 })
            #expect(abs(one.count - other.count) <= 2)
        }
    }

    @Test("what is deleted or replaced after the graph was built is not found by it")
    func changed() async throws {
        let index = try LiveIndex(
            dimension: Self.dimension,
            segments: [ExactIndex(ids: Self.ids, vectors: Self.vectors, dimension: Self.dimension, form: .codes)], form: .codes)
        try index.buildGraphs(least: 1000)
        let request = VectorRequest(vectors: Self.queries, k: 10)
        let before = try index.search(request)
        // The best hit of every query goes, or moves to where nobody looks.
        let best = Set(before.map { $0[0].id })
        let (gone, moved) = (best.filter { $0 % 2 == 0 }, best.filter { $0 % 2 == 1 }.sorted())
        var builder = try ExactIndexBuilder(capacity: moved.count, dimension: Self.dimension, form: .codes)
        let away = [-1] + [Float](repeating: 0, count: Self.dimension - 1)
        for id in moved { try builder.append(id, copying: away) }
        try index.apply(removing: gone, adding: [builder.finish()])
        for hits in try index.search(request) { #expect(hits.allSatisfy { !best.contains($0.id) || $0.score < 0.9 }) }
        let kept = Self.ids.indices.filter { !best.contains(Self.ids[$0]) }
        let rest = try ExactIndex(
            ids: kept.map { Self.ids[$0] },
            vectors: kept.flatMap { Self.vectors[$0 * Self.dimension..<($0 + 1) * Self.dimension] }, dimension: Self.dimension)
        let found = try await recall(request, index, of: rest)
        #expect(found >= 0.97, "\(found)")
    }

    @Test("a graph goes into a file and comes back with the marks of what is deleted; a damaged one is refused")
    func files() async throws {
        let folder = FileManager.default.temporaryDirectory.path + "/graph-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let index = try LiveIndex(
            dimension: Self.dimension,
            segments: [ExactIndex(ids: Self.ids, vectors: Self.vectors, dimension: Self.dimension, form: .codes)], form: .codes)
        try index.buildGraphs(least: 1000)
        try index.apply(removing: Self.ids.prefix(100))
        let files = try index.snapshot.write(to: folder)
        let file = try #require(files.first)
        #expect(files.count == 1 && file.count == Self.count - 100 && file.names.count == 2)
        #expect(try file.verify(in: folder))
        let read = try LiveIndex(dimension: Self.dimension, files: files, in: folder)
        #expect(read.count == index.count && read.snapshot.segments.first?.graph != nil)
        let request = VectorRequest(vectors: Self.queries, k: 10)
        #expect(try read.search(request) == index.search(request))
        #expect(read.vector(of: Self.ids[50]) == nil)

        let path = folder + "/" + file.names[1]
        let whole = try Data(contentsOf: URL(fileURLWithPath: path))
        func refused(_ change: (inout Data) -> Void) throws -> Bool {
            var data = whole
            change(&data)
            try data.write(to: URL(fileURLWithPath: path), options: .atomic)
            do {
                _ = try LiveIndex(dimension: Self.dimension, files: files, in: folder)
                return false
            } catch { return true }
        }
        #expect(try refused { $0.removeLast(64) })
        let start = try #require(whole.firstRange(of: Data("CVGRAPH".utf8))?.lowerBound)
        // An edge that leads out of the rows.
        #expect(try refused { $0.replaceSubrange(start + 64..<start + 68, with: [0xF0, 0xFF, 0xFF, 0x7F]) })
        #expect(try refused { $0[start] = 0 })
        #expect(try !refused { _ in })
        // Another edge within the rows shows when all is read.
        #expect(try !refused { $0.replaceSubrange(start + 64..<start + 68, with: [7, 0, 0, 0]) })
        #expect(try !file.verify(in: folder))
    }

    @Test("a build that is stopped leaves the index as it was, and is made later")
    func stopped() throws {
        let index = try LiveIndex(
            dimension: Self.dimension,
            segments: [ExactIndex(ids: Self.ids, vectors: Self.vectors, dimension: Self.dimension, form: .codes)], form: .codes)
        #expect(try index.buildGraphs(least: 1000, shouldStop: { true }) == 0)
        #expect(try index.search(VectorRequest(vectors: Self.queries, k: 3)).count == 60)
        #expect(try index.buildGraphs(least: Self.count + 1) == 0)
    }
}
