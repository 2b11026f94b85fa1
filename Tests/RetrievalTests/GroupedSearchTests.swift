import BitCollections
import Retrieval
import Testing

@Suite("Grouped search")
struct GroupedSearchTests {
    /// Everything scored, sorted, and of each group the first kept.
    static func sorting(
        _ vectors: [Int64: [Float]], _ query: [Float], k: Int, admitted: Set<Int64>? = nil, minimumScore: Float? = nil,
        group: ((Int64) -> Int32?)? = nil
    ) -> [Hit] {
        let sorted = vectors.filter { admitted?.contains($0.key) ?? true }
            .map { Hit(id: $0.key, score: Float(exactDot(query[...], $0.value[...]))) }
            .filter { $0.score >= minimumScore ?? -.infinity }
            .sorted { ($1.score, $0.id) < ($0.score, $1.id) }
        var seen: Set<Int32> = []
        let kept = sorted.filter { hit in
            guard let number = group?(hit.id) else { return true }
            return seen.insert(number).inserted
        }
        return Array(kept.prefix(k))
    }

    @Test("of each group its best hit comes, also when one group fills the first places")
    func oneGroupInFront() throws {
        // Ids 0…99 are group 7 and lie nearest; every later id is a group of its own.
        let vectors = (0..<110).map { number -> [Float] in
            let cosine = Float(0.999) - Float(number) / 1000
            return [cosine, (1 - cosine * cosine).squareRoot()]
        }
        let index = try ExactIndex(ids: Array(0..<110), vectors: vectors.flatMap(\.self), dimension: 2)
        let found = try index.search(VectorRequest(vectors: [1, 0], k: 4, group: { $0 < 100 ? 7 : Int32($0) }))[0]
        #expect(found.map(\.id) == [0, 100, 101, 102])
    }

    @Test("ids without a group stand for themselves")
    func withoutGroup() throws {
        let index = try ExactIndex(ids: [1, 2, 3], vectors: [1, 0, 1, 0, 0, 1], dimension: 2)
        #expect(try index.search(VectorRequest(vectors: [1, 0], k: 3, group: { _ in nil }))[0].map(\.id) == [1, 2, 3])
    }

    @Test("random groups, filters and least scores give what sorting everything gives", arguments: 1...30)
    func againstSorting(seed: UInt64) throws {
        var numbers = SeededGenerator(state: seed)
        let (count, dimension) = (Int.random(in: 1...600, using: &numbers), 11)
        // Most scores tie, and are exact in any order of additions.
        let flat = tyingUnitVectors(count, dimension: dimension, seed: seed)
        let ids = (0..<count).map { Int64($0) * 3 + 1 }.shuffled(using: &numbers)
        let index = try ExactIndex(ids: ids, vectors: flat, dimension: dimension)
        let vectors = Dictionary(
            uniqueKeysWithValues: ids.enumerated().map { ($1, Array(flat[$0 * dimension..<($0 + 1) * dimension])) })
        let groups = Int64.random(in: 1...80, using: &numbers)
        let group: @Sendable (Int64) -> Int32? = { $0 % 5 == 0 ? nil : Int32($0 % groups) }
        let query = tyingUnitVectors(1, dimension: dimension, seed: seed + 1000)
        for k in [1, 2, 10, 200] {
            let admitted = Bool.random(using: &numbers) ? Set(ids.filter { _ in Bool.random(using: &numbers) }) : nil
            let least: Float? = [nil, -0.5, 0, 0.25].randomElement(using: &numbers) ?? nil
            for grouped in [false, true] {
                let grouping = grouped ? group : nil
                let admission = admitted.map { Admission.ids(BitSet($0.map(Int.init))) } ?? .all
                let request = VectorRequest(
                    vectors: query, k: k, admission: admission, group: grouping, minimumScore: least)
                let found = try index.search(request)[0]
                let expected = Self.sorting(
                    vectors, query, k: k, admitted: admitted, minimumScore: least, group: grouping)
                #expect(found == expected)
            }
        }
    }
}
