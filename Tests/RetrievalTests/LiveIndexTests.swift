import BitCollections
import Synchronization
import Testing

@testable import Retrieval

@Suite("Live index")
struct LiveIndexTests {
    private static let dimension = 8

    /// Vectors under ids, as an index takes them.
    private static func segment(_ rows: [Int64: [Float]]) throws -> ExactIndex {
        var builder = try ExactIndexBuilder(capacity: rows.count, dimension: dimension)
        for (id, vector) in rows.sorted(by: { $0.key < $1.key }) {
            try builder.append(id) { _ = $0.update(fromContentsOf: vector) }
        }
        return builder.finish()
    }

    /// Scores with this vector are multiples of 1/4 and tie often.
    private static func vector(_ numbers: inout SeededGenerator) -> [Float] {
        tyingUnitVectors(1, dimension: dimension, seed: numbers.next())
    }

    @Test("what is put, replaced and removed is found, or not, from the next search on")
    func changes() throws {
        let index = try LiveIndex(dimension: 2)
        #expect(try index.search(VectorRequest(vectors: [1, 0], k: 5)) == [[]])
        try index.apply(removing: [], adding: [ExactIndex(ids: [1, 2], vectors: [1, 0, 0, 1], dimension: 2)])
        #expect(try index.search(VectorRequest(vectors: [1, 0], k: 5))[0] == [Hit(id: 1, score: 1), Hit(id: 2, score: 0)])
        try index.apply(removing: [], adding: [ExactIndex(ids: [2], vectors: [-1, 0], dimension: 2)])
        #expect(try index.search(VectorRequest(vectors: [1, 0], k: 5))[0] == [Hit(id: 1, score: 1), Hit(id: 2, score: -1)])
        #expect(index.count == 2 && index.vector(of: 2) == [-1, 0])
        try index.apply(removing: [1, 77])
        #expect(try index.search(VectorRequest(vectors: [1, 0], k: 5))[0] == [Hit(id: 2, score: -1)])
        #expect(index.count == 1 && index.vector(of: 1) == nil)
        // In both lists: there, with the new vector.
        try index.apply(removing: [2], adding: [ExactIndex(ids: [2], vectors: [0, 1], dimension: 2)])
        #expect(index.vector(of: 2) == [0, 1] && index.count == 1)
    }

    @Test("a snapshot stays as it was")
    func snapshot() throws {
        let index = try LiveIndex(dimension: 2, segments: [ExactIndex(ids: [1, 2], vectors: [1, 0, 0, 1], dimension: 2)])
        let before = index.snapshot
        try index.apply(removing: [1, 2])
        #expect(before.count == 2 && before.vector(of: 1) == [1, 0])
        #expect(try before.search(VectorRequest(vectors: [0, 1], k: 1)) == [[Hit(id: 2, score: 1)]])
        #expect(index.count == 0)
    }

    @Test("segments of another dimension are refused and change nothing")
    func otherDimension() throws {
        let index = try LiveIndex(dimension: 2, segments: [ExactIndex(ids: [1], vectors: [1, 0], dimension: 2)])
        let other = try ExactIndex(ids: [9], vectors: [1, 0, 0], dimension: 3)
        #expect(throws: RetrievalError.otherDimension(found: 3, expected: 2)) { try index.apply(removing: [1], adding: [other]) }
        #expect(throws: RetrievalError.otherDimension(found: 3, expected: 2)) { try LiveIndex(dimension: 2, segments: [other]) }
        #expect(index.count == 1)
    }

    @Test("single puts end in few segments, none above the limit, with nothing dead in them", arguments: [16, 100, 1000])
    func merging(limit: Int) async throws {
        let index = try LiveIndex(dimension: Self.dimension, segmentLimit: limit)
        var rows: [Int64: [Float]] = [:]
        var numbers = SeededGenerator(state: UInt64(limit))
        for number in 0..<700 {
            let id = Int64.random(in: 0..<400, using: &numbers)
            if number % 5 == 4 {
                rows[id] = nil
                try index.apply(removing: [id])
            } else {
                let vector = Self.vector(&numbers)
                rows[id] = vector
                try index.apply(removing: [], adding: [Self.segment([id: vector])])
            }
        }
        await index.settle()
        let segments = index.snapshot.segments
        #expect(segments.count <= rows.count * 2 / limit + 20)
        #expect(segments.allSatisfy { $0.index.count <= limit })
        #expect(segments.allSatisfy { Double($0.index.count - $0.count) <= 0.25 * Double($0.index.count) })
        #expect(index.count == rows.count)
        let query = Self.vector(&numbers)
        #expect(
            try index.search(VectorRequest(vectors: query, k: .max))[0] == GroupedSearchTests.sorting(rows, query, k: .max))
    }

    @Test("deletions made while a merge runs are kept, whether they empty a segment or not")
    func deletedWhileMerging() async throws {
        // Merges run behind all of this at their own pace: whenever one ends, what was removed meanwhile must not come back.
        let index = try LiveIndex(dimension: Self.dimension, segmentLimit: 64)
        var numbers = SeededGenerator(state: 5)
        var rows: [Int64: [Float]] = [:]
        for round in 0..<60 {
            let added = Dictionary(
                uniqueKeysWithValues: (0..<8).map { (Int64(round * 8 + $0), Self.vector(&numbers)) })
            try index.apply(removing: [], adding: [Self.segment(added)])
            rows.merge(added) { $1 }
            let gone = round % 3 == 0 ? Array(added.keys) : Array(rows.keys.shuffled(using: &numbers).prefix(3))
            try index.apply(removing: gone)
            for id in gone { rows[id] = nil }
        }
        let query = Self.vector(&numbers)
        let expected = GroupedSearchTests.sorting(rows, query, k: .max)
        #expect(try index.search(VectorRequest(vectors: query, k: .max))[0] == expected)
        await index.settle()
        #expect(try index.search(VectorRequest(vectors: query, k: .max))[0] == expected)
    }

    /// The rows after each change.
    private final class History: Sendable {
        private let versions = Mutex<[[Int64: [Float]]]>([[:]])

        func append(_ rows: [Int64: [Float]]) { versions.withLock { $0.append(rows) } }
        var count: Int { versions.withLock(\.count) }
        func since(_ first: Int) -> [[Int64: [Float]]] { versions.withLock { Array($0[first...]) } }
    }

    @Test(
        "searches beside puts, deletions and merges equal a sort over the rows of one moment of theirs", .timeLimit(.minutes(5)),
        arguments: 1...4)
    func concurrent(seed: UInt64) async throws {
        let index = try LiveIndex(dimension: Self.dimension, segmentLimit: 128)
        let history = History()
        let group: @Sendable (Int64) -> Int32? = { Int32($0 % 37) }
        @Sendable func write() async throws {
            var numbers = SeededGenerator(state: seed)
            var rows: [Int64: [Float]] = [:]
            for _ in 0..<250 {
                let size = Int.random(in: 0...12, using: &numbers)
                let added = Dictionary(
                    (0..<size).map { _ in (Int64.random(in: 0..<300, using: &numbers), Self.vector(&numbers)) }
                ) { $1 }
                let removed = (0..<Int.random(in: 0...6, using: &numbers)).map { _ in
                    Int64.random(in: 0..<300, using: &numbers)
                }
                for id in removed { rows[id] = nil }
                rows.merge(added) { $1 }
                // Known before it can be found: a search may see the change before this task goes on.
                history.append(rows)
                try index.apply(removing: removed, adding: [Self.segment(added)])
                await Task.yield()
            }
        }
        @Sendable func read(_ reader: UInt64) async throws {
            var numbers = SeededGenerator(state: seed * 100 + reader)
            for _ in 0..<150 {
                let query = Self.vector(&numbers)
                let k = Int.random(in: 1...40, using: &numbers)
                let admitted: Set<Int64>? =
                    Bool.random(using: &numbers)
                    ? Set((0..<Int64(300)).filter { _ in Int.random(in: 0..<3, using: &numbers) == 0 }) : nil
                let grouping = Bool.random(using: &numbers) ? group : nil
                let admission = admitted.map { Admission.ids(BitSet($0.map(Int.init))) } ?? .all
                // The change under way may be seen or not: the answer is that of one version from here on.
                let first = max(0, history.count - 2)
                let found = try index.search(VectorRequest(vectors: query, k: k, admission: admission, group: grouping))[0]
                let versions = history.since(first)
                let matches = versions.contains { rows in
                    GroupedSearchTests.sorting(rows, query, k: k, admitted: admitted, group: grouping) == found
                }
                #expect(matches, "\(found)")
                await Task.yield()
            }
        }
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await write() }
            for reader in 0..<4 { tasks.addTask { try await read(UInt64(reader)) } }
            try await tasks.waitForAll()
        }
        await index.settle()
        let rows = history.since(history.count - 1)[0]
        #expect(index.count == rows.count)
        for (id, vector) in rows { #expect(index.vector(of: id) == vector) }
    }

    @Test("a builder refuses what would make an index wrong, and goes on without it")
    func builder() throws {
        var builder = try ExactIndexBuilder(capacity: 3, dimension: 2)
        func put(_ id: Int64, _ vector: [Float]) -> RetrievalError? {
            do throws(RetrievalError) {
                try builder.append(id) { _ = $0.update(fromContentsOf: vector) }
                return nil
            } catch { return error }
        }
        #expect(put(4, [1, 0]) == nil)
        #expect(put(4, [1, 0]) == .duplicateID(4))
        #expect(put(3, [1, 0]) == .descendingID(3, after: 4))
        #expect(put(5, [1, 1]) == .notUnitLength(what: "vectors", row: 1, length: Float(2).squareRoot(), tolerance: 1e-3))
        #expect(put(5, [.nan, 1]) == .notFinite(what: "vectors", row: 1))
        #expect(put(5, [0, 1]) == nil)
        #expect(put(6, [0, 1]) == nil)
        #expect(put(7, [0, 1]) == .tooManyVectors(found: 4, limit: 3))
        let index = builder.finish()
        #expect(index.count == 3 && index.vector(of: 5) == [0, 1])
    }
}
