import BitCollections
import Retrieval
import Testing

@Suite("exact search")
struct ExactIndexTests {
    /// Everything scored in double precision, sorted by score and then by id.
    func bruteForce(ids: [Int64], vectors: [Float], query: ArraySlice<Float>, k: Int, allowed: Set<Int64>? = nil) -> [(
        Int64, Double
    )] {
        let dimension = query.count
        let scored = ids.indices.filter { allowed?.contains(ids[$0]) ?? true }
            .map { (ids[$0], exactDot(query, vectors[$0 * dimension..<($0 + 1) * dimension])) }
        return Array(scored.sorted { $0.1 != $1.1 ? $0.1 > $1.1 : $0.0 < $1.0 }.prefix(k))
    }

    @Test("hits come best first with their cosine, in the order worked out by hand")
    func byHand() throws {
        let index = try ExactIndex(ids: [30, 10, 20], vectors: [1, 0, 0, 1, 0.6, 0.8], dimension: 2)
        #expect(index.count == 3 && index.dimension == 2)
        #expect(
            try index.search(VectorRequest(vectors: [1, 0, 0, 1], k: 2)) == [
                [Hit(id: 30, score: 1), Hit(id: 20, score: 0.6)], [Hit(id: 10, score: 1), Hit(id: 20, score: 0.8)],
            ])
    }

    @Test("equal scores come by ascending id, in every place where k may cut", arguments: InstructionSet.available)
    func ties(level: InstructionSet) throws {
        let (count, dimension) = (500, 19)
        let vectors = tyingUnitVectors(count, dimension: dimension, seed: 1)
        var generator = SeededGenerator(state: 2)
        let ids = (0..<count).map { Int64($0) * 7 - 900 }.shuffled(using: &generator)
        let index = try ExactIndex(ids: ids, vectors: vectors, dimension: dimension, level: level)
        let queries = tyingUnitVectors(4, dimension: dimension, seed: 3)
        for k in [1, 2, 3, 10, 99, 499, 500, 501, .max] {
            for (query, hits) in try index.search(VectorRequest(vectors: queries, k: k)).enumerated() {
                let expected = bruteForce(
                    ids: ids, vectors: vectors, query: queries[query * dimension..<(query + 1) * dimension], k: min(k, count))
                #expect(hits.map(\.id) == expected.map(\.0), "k \(k)")
                #expect(hits.map { Double($0.score) } == expected.map(\.1), "k \(k)")
            }
        }
    }

    @Test(
        "every level finds what double precision finds, for every length of the last block", arguments: InstructionSet.available)
    func levels(level: InstructionSet) throws {
        for (count, dimension) in [(1, 1), (7, 3), (130, 8), (300, 31), (301, 33), (257, 64), (150, 100), (70, 512), (64, 1024)] {
            let vectors = randomUnitVectors(count, dimension: dimension, seed: UInt64(dimension))
            let queries = randomUnitVectors(5, dimension: dimension, seed: 99)
            let ids = (0..<Int64(count)).map { $0 * 3 }
            let index = try ExactIndex(ids: ids, vectors: vectors, dimension: dimension, level: level)
            for (query, hits) in try index.search(VectorRequest(vectors: queries, k: 10)).enumerated() {
                let expected = bruteForce(
                    ids: ids, vectors: vectors, query: queries[query * dimension..<(query + 1) * dimension], k: 10)
                #expect(hits.map(\.id) == expected.map(\.0), "\(count) × \(dimension)")
                #expect(zip(hits, expected).allSatisfy { abs(Double($0.score) - $1.1) < 1e-5 }, "\(count) × \(dimension)")
            }
        }
    }

    @Test("all levels of this processor agree with the plain one")
    func agreement() throws {
        let (count, dimension) = (3_000, 200)
        let vectors = randomUnitVectors(count, dimension: dimension, seed: 5)
        let queries = randomUnitVectors(20, dimension: dimension, seed: 6)
        let ids = (0..<Int64(count)).map { $0 }
        let plain = try ExactIndex(ids: ids, vectors: vectors, dimension: dimension, level: .plain).search(
            VectorRequest(vectors: queries, k: 20))
        #expect(InstructionSet.available.first == .plain && InstructionSet.available.contains(.best))
        for level in InstructionSet.available {
            let found = try ExactIndex(ids: ids, vectors: vectors, dimension: dimension, level: level).search(
                VectorRequest(vectors: queries, k: 20))
            #expect(found.map { $0.map(\.id) } == plain.map { $0.map(\.id) })
            #expect(zip(found.joined(), plain.joined()).allSatisfy { abs($0.score - $1.score) < 1e-5 })
        }
    }

    @Test("a query's answer is bit for bit the same alone, in a batch of any size and under a filter")
    func batches() throws {
        let (count, dimension) = (1_000, 70)
        let index = try ExactIndex(
            ids: Array(0..<Int64(count)), vectors: randomUnitVectors(count, dimension: dimension, seed: 7), dimension: dimension)
        let queries = randomUnitVectors(101, dimension: dimension, seed: 8)
        let alone = try (0..<101).map { query in
            try index.search(VectorRequest(vectors: Array(queries[query * dimension..<(query + 1) * dimension]), k: 5))[0]
        }
        for size in [2, 5, 6, 7, 11, 48, 49, 101] {
            #expect(
                try index.search(VectorRequest(vectors: Array(queries.prefix(size * dimension)), k: 5))
                    == Array(alone.prefix(size)))
        }
        let everything = Admission.ids(BitSet(0..<count))
        #expect(try index.search(VectorRequest(vectors: queries, k: 5, admission: everything)) == alone)
    }

    @Test("a filter leaves k results if k exist, however few it admits")
    func filters() throws {
        let (count, dimension) = (1_000, 24)
        let vectors = randomUnitVectors(count, dimension: dimension, seed: 9)
        let ids = (0..<Int64(count)).map { $0 * 2 + 1 }
        let index = try ExactIndex(ids: ids, vectors: vectors, dimension: dimension)
        let queries = randomUnitVectors(3, dimension: dimension, seed: 10)
        var generator = SeededGenerator(state: 11)
        for size in [0, 1, 2, 9, 10, 11, 100, 999, 1_000] {
            // Some that the index doesn't hold: even ids, and ids above all of its own.
            let admitted = Set(ids.shuffled(using: &generator).prefix(size))
            let strangers = [0, 2, 500, 2_000, 2_001, 100_000]
            let found = try index.search(
                VectorRequest(vectors: queries, k: 10, admission: .ids(BitSet(admitted.map(Int.init) + strangers))))
            for (query, hits) in found.enumerated() {
                let expected = bruteForce(
                    ids: ids, vectors: vectors, query: queries[query * dimension..<(query + 1) * dimension], k: 10,
                    allowed: admitted)
                #expect(hits.map(\.id) == expected.map(\.0))
                #expect(hits.count == min(10, size))
            }
        }
    }

    @Test("an index without vectors, and a search without queries, answer nothing")
    func empty() throws {
        let index = try ExactIndex(ids: [], vectors: [], dimension: 4)
        #expect(try index.search(VectorRequest(vectors: [1, 0, 0, 0], k: 3)) == [[]])
        #expect(try index.search(VectorRequest(vectors: [], k: 3)) == [])
    }

    @Test("what can't be indexed or searched is refused with the row and what was expected")
    func refusals() throws {
        func build(_ ids: [Int64], _ vectors: [Float], _ dimension: Int) -> RetrievalError? {
            do { _ = try ExactIndex(ids: ids, vectors: vectors, dimension: dimension) } catch { return error }
            return nil
        }
        #expect(build([1], [1], 0) == .dimension(found: 0))
        #expect(build([1], [1, 0, 0], 2) == .shape(what: "vectors", found: 3, dimension: 2))
        #expect(build([1], [1, 0, 0, 1], 2) == .count(what: "ids", found: 1, expected: 2))
        #expect(build([5, 5], [1, 0, 0, 1], 2) == .duplicateID(5))
        #expect(build([1, 2], [1, 0, .nan, 1], 2) == .notFinite(what: "vectors", row: 1))
        #expect(build([1, 2], [1, 0, 3, 4], 2) == .notUnitLength(what: "vectors", row: 1, length: 5, tolerance: 1e-3))
        #expect(build([1, 2], [1, 0, 0, 1.0009], 2) == nil)

        let index = try ExactIndex(ids: [1], vectors: [1, 0], dimension: 2)
        #expect(throws: RetrievalError.resultCount(found: 0)) { _ = try index.search(VectorRequest(vectors: [1, 0], k: 0)) }
        #expect(throws: RetrievalError.shape(what: "queries", found: 3, dimension: 2)) {
            _ = try index.search(VectorRequest(vectors: [1, 0, 0], k: 1))
        }
        #expect(throws: RetrievalError.notFinite(what: "queries", row: 1)) {
            _ = try index.search(VectorRequest(vectors: [1, 0, .infinity, 0], k: 1))
        }
        #expect(throws: RetrievalError.notUnitLength(what: "queries", row: 0, length: 0, tolerance: 1e-3)) {
            _ = try index.search(VectorRequest(vectors: [0, 0], k: 1))
        }
    }

    @Test("many threads may search one index at once")
    func concurrent() async throws {
        let index = try ExactIndex(ids: Array(0..<400), vectors: randomUnitVectors(400, dimension: 48, seed: 12), dimension: 48)
        let queries = randomUnitVectors(8, dimension: 48, seed: 13)
        let expected = try index.search(VectorRequest(vectors: queries, k: 7))
        try await withThrowingTaskGroup(of: [[Hit]].self) { group in
            for _ in 0..<32 { group.addTask { try index.search(VectorRequest(vectors: queries, k: 7)) } }
            for try await found in group { #expect(found == expected) }
        }
    }
}
