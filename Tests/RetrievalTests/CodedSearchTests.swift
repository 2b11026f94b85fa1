import BitCollections
import Foundation
import Testing

@testable import Retrieval

@Suite("search by codes")
struct CodedSearchTests {
    @Test("of ten hits at least 999 in 1,000 are those of floats, and scores differ by rounding", arguments: [64, 384, 512])
    func recall(dimension: Int) throws {
        let (count, queries, k) = (6_000, 200, 10)
        let vectors = clusteredUnitVectors(count, dimension: dimension, seed: 7)
        let asked = Array(clusteredUnitVectors(count, dimension: dimension, seed: 7).prefix(queries * dimension))
        let ids = (0..<Int64(count)).map { $0 * 2 }
        let exact = try ExactIndex(ids: ids, vectors: vectors, dimension: dimension)
        let coded = try ExactIndex(ids: ids, vectors: vectors, dimension: dimension, form: .codes)
        let request = VectorRequest(vectors: asked, k: k)
        var same = 0
        for (one, other) in zip(try exact.search(request), try coded.search(request)) {
            same += Set(one.map(\.id)).intersection(other.map(\.id)).count
            #expect(zip(one, other).allSatisfy { abs($0.score - $1.score) < 5e-4 })
            #expect(other[0].id == one[0].id && other[0].score > 0.999)
        }
        #expect(same * 1000 >= queries * k * 999, "\(same) of \(queries * k)")
    }

    @Test("every level finds the same hits", arguments: InstructionSet.available)
    func levels(level: InstructionSet) throws {
        let (count, dimension) = (900, 100)
        let vectors = clusteredUnitVectors(count, dimension: dimension, seed: 3)
        let request = VectorRequest(vectors: Array(vectors.prefix(7 * dimension)), k: 12)
        let ids = (0..<Int64(count)).map { $0 }
        let plain = try ExactIndex(ids: ids, vectors: vectors, dimension: dimension, form: .codes, level: .plain).search(request)
        let found = try ExactIndex(ids: ids, vectors: vectors, dimension: dimension, form: .codes, level: level).search(request)
        #expect(found.map { $0.map(\.id) } == plain.map { $0.map(\.id) })
        #expect(zip(found.joined(), plain.joined()).allSatisfy { abs($0.score - $1.score) < 1e-6 })
    }

    @Test("filters, groups, least scores and any k give as many hits as there are, best first", arguments: 1...20)
    func requests(seed: UInt64) throws {
        var numbers = SeededGenerator(state: seed)
        let (count, dimension) = (Int.random(in: 1...700, using: &numbers), 24)
        let vectors = clusteredUnitVectors(count, dimension: dimension, seed: seed)
        let ids = (0..<Int64(count)).map { $0 }
        let exact = try ExactIndex(ids: ids, vectors: vectors, dimension: dimension)
        let coded = try ExactIndex(ids: ids, vectors: vectors, dimension: dimension, form: .codes)
        for k in [1, 3, 10, 200, count, .max] {
            let admitted = Bool.random(using: &numbers) ? ids.filter { _ in Bool.random(using: &numbers) } : nil
            var request = VectorRequest(
                vectors: Array(vectors.suffix(dimension)), k: k,
                admission: admitted.map { .ids(BitSet($0.map(Int.init))) } ?? .all)
            if Bool.random(using: &numbers) { request.group = { Int32($0 % 37) } }
            let (one, other) = (try exact.search(request)[0], try coded.search(request)[0])
            #expect(other.count == one.count)
            #expect(zip(one, other).allSatisfy { abs($0.score - $1.score) < 3e-3 })
            #expect(zip(other, other.dropFirst()).allSatisfy { $0.score >= $1.score })
            #expect(Set(other.map(\.id)).count == other.count)
            if let group = request.group { #expect(Set(other.map { group($0.id) }).count == other.count) }
            request.minimumScore = 0.5
            #expect(try coded.search(request)[0] == other.filter { $0.score >= 0.5 })
        }
    }

    @Test("an index of codes lives as one of floats does: what is replaced, removed and merged is found so, or not at all")
    func live() async throws {
        let dimension = 40
        let vectors = clusteredUnitVectors(600, dimension: dimension, seed: 5)
        func row(_ number: Int) -> [Float] { Array(vectors[number * dimension..<(number + 1) * dimension]) }
        let index = try LiveIndex(dimension: dimension, form: .codes, segmentLimit: 400)
        for first in stride(from: 0, to: 500, by: 10) {
            var builder = try ExactIndexBuilder(capacity: 10, dimension: dimension, form: index.form)
            for number in first..<first + 10 { try builder.append(Int64(number), copying: row(number)) }
            try index.apply(removing: [], adding: [builder.finish()])
        }
        var builder = try ExactIndexBuilder(capacity: 1, dimension: dimension, form: index.form)
        try builder.append(3, copying: row(550))
        try index.apply(removing: (100..<200).map { Int64($0) }, adding: [builder.finish()])
        await index.settle()
        #expect(index.count == 400)
        for number in [0, 3, 99, 200, 499] {
            let vector = row(number == 3 ? 550 : number)
            let hits = try index.search(VectorRequest(vectors: vector, k: 2))[0]
            #expect(hits[0].id == Int64(number) && hits[0].score > 0.999)
            let kept = try #require(index.vector(of: Int64(number)))
            #expect(zip(kept, vector).allSatisfy { abs($0 - $1) < 2e-4 })
        }
        #expect(index.vector(of: 150) == nil)
        #expect(try !index.search(VectorRequest(vectors: row(150), k: 400))[0].contains { (100..<200).contains($0.id) })
    }

    @Test("vectors at the edge of unit length, zeros within them, and one that is copied often stay what they are")
    func rounding() throws {
        var vector = [Float](repeating: 0, count: 33)
        vector[7] = 1.0009
        let first = try ExactIndex(ids: [1], vectors: vector, dimension: 33, form: .codes)
        let kept = try #require(first.vector(of: 1))
        var copy = first
        for _ in 0..<3 { copy = try SegmentMerging.merge([Segment(copy)], dimension: 33, form: .codes) }
        #expect(try #require(copy.vector(of: 1)) == kept)
        #expect(throws: RetrievalError.self) { try ExactIndex(ids: [1], vectors: [0, 0], dimension: 2, form: .codes) }
        #expect(throws: RetrievalError.self) { try ExactIndex(ids: [1], vectors: [.nan, 1], dimension: 2, form: .codes) }
        let none = try ExactIndex(ids: [], vectors: [], dimension: 5, form: .codes)
        #expect(try none.search(VectorRequest(vectors: [1, 0, 0, 0, 0], k: 3)) == [[]])
    }

    @Test("vectors of more numbers than codes have room for are kept as floats, and found")
    func wide() throws {
        let dimension = VectorForm.greatestCodedDimension + 1
        var vectors = [Float](repeating: 0, count: 2 * dimension)
        (vectors[3], vectors[dimension + 4]) = (1, 1)
        let index = try LiveIndex(
            dimension: dimension, segments: [ExactIndex(ids: [1, 2], vectors: vectors, dimension: dimension, form: .codes)],
            form: .codes)
        #expect(index.form == .floats)
        #expect(try index.search(VectorRequest(vectors: Array(vectors.suffix(dimension)), k: 1))[0] == [Hit(id: 2, score: 1)])
        #expect(try index.buildGraphs(least: 1) == 0)
        #expect(throws: RetrievalError.self) { try index.snapshot.write(to: NSTemporaryDirectory()) }
    }
}
