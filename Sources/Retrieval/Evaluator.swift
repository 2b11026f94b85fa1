import Dispatch
import Synchronization

/// Ranks a gallery for every query by cosine similarity and says where the relevant candidates came.
///
/// No ranking is ever sorted, and no matrix of scores is kept: a relevant candidate's place is 1 + how many others score at least as high,
/// and those are counted while blocks of the gallery stream past groups of queries. Groups are independent of each other, so any number of
/// threads gives the same rankings.
public struct Evaluator: Sendable {
    private let level: InstructionSet
    private let threads: Int

    /// - Parameter threads: nil is one for each core.
    public init(level: InstructionSet = .best, threads: Int? = nil) {
        precondition(level.isAvailable, "this processor can't run \(level)")
        self.level = level
        // As many as Dispatch runs at a time.
        self.threads = max(1, threads ?? .max)
    }

    /// One ranking of pictures per query, in the order of `queries`. Ties are broken against the query, as in `Ranking`.
    ///
    /// The two lists may overlap: a row is never in its own ranking. Leave-one-out is the same list twice.
    /// - Parameters: queries and gallery, rows of `set`, each at most once in a list.
    /// - Throws: `.rowOutOfRange`, `.repeatedRow`, `.memory`.
    public func rankings(of set: LabelledVectors, queries: [Int], gallery: [Int]) throws(RetrievalError) -> [Ranking] {
        try ranked(of: set, queries: queries, gallery: gallery).map(\.ranking)
    }

    /// The same with the candidates by name, of pictures or of products.
    ///
    /// At the level of products a query that is itself in the gallery is no part of its own product: neither as its best picture nor in its centroid.
    /// A product is relevant if one of its other pictures is.
    /// - Parameters:
    ///   - relevant: by query, the rows that are relevant to it, in place of those that have its label.
    ///   - top: how many first candidates of each ranking are kept.
    /// - Throws: as `rankings`; `.count` where `relevant` is not one list for every query.
    public func ranked(
        of set: LabelledVectors, queries: [Int], gallery: [Int], relevant: [[Int]]? = nil, level: RankingLevel = .image,
        top: Int = 0
    ) throws(RetrievalError) -> [RankedQuery] {
        let candidates = try Candidates(set, gallery: gallery, level: level)
        _ = try Candidates.places(queries, what: "queries", count: set.count)
        if let relevant, relevant.count != queries.count {
            throw .count(what: "lists of relevant rows", found: relevant.count, expected: queries.count)
        }
        let groups = Array(stride(from: 0, to: queries.count, by: Self.queriesPerPass))
        let work = Mutex(Work(groups: [[RankedQuery]](repeating: [], count: groups.count)))
        let next = Atomic(0)
        DispatchQueue.concurrentPerform(iterations: min(threads, groups.count)) { _ in
            while true {
                let number = next.add(1, ordering: .relaxed).oldValue
                guard number < groups.count else { return }
                let places = groups[number]..<min(groups[number] + Self.queriesPerPass, queries.count)
                let group = places.map { candidates.query(queries[$0], relevant: relevant?[$0]) }
                do throws(RetrievalError) {
                    let ranked = try pass(group, set: set, candidates: candidates, top: top)
                    work.withLock { $0.groups[number] = ranked }
                } catch {
                    work.withLock { $0.error = $0.error ?? error }
                }
            }
        }
        let done = work.withLock { $0 }
        if let error = done.error { throw error }
        return Array(done.groups.joined())
    }

    private struct Work {
        var groups: [[RankedQuery]]
        var error: RetrievalError?
    }

    private static let queriesPerPass = 48

    private func pass(
        _ group: [Candidates.Query], set: LabelledVectors, candidates: Candidates, top: Int
    ) throws(RetrievalError) -> [RankedQuery] {
        let vectors = group.flatMap { set.vector($0.row) }
        let hasRests = group.contains { !$0.rest.isEmpty }
        let rests = try VectorRows(count: hasRests ? group.count : 0, dimension: set.dimension) {
            (number, target) throws(RetrievalError) in
            if !group[number].rest.isEmpty { Candidates.writeCentroid(of: group[number].rest, in: set, to: target) }
        }
        return vectors.withUnsafeBufferPointer { vectors in
            candidates.candidateOfRow == nil
                ? alone(group, vectors, rests, candidates, top: top)
                : grouped(group, vectors, candidates, top: top)
        }
    }

    private func vector(_ number: Int, of vectors: UnsafeBufferPointer<Float>, _ dimension: Int) -> UnsafeBufferPointer<Float> {
        UnsafeBufferPointer(rebasing: vectors[number * dimension..<(number + 1) * dimension])
    }

    /// Ranks candidates that are rows.
    private func alone(
        _ group: [Candidates.Query], _ vectors: UnsafeBufferPointer<Float>, _ rests: VectorRows, _ candidates: Candidates,
        top: Int
    ) -> [RankedQuery] {
        let rows = candidates.rows
        var tallies = group.enumerated().map { number, query in
            let vector = vector(number, of: vectors, rows.dimension)
            // From the same kernel as the stream's, bit for bit, so that equal vectors tie exactly.
            let rest = query.rest.isEmpty ? nil : score(vector, [UInt32(number)], rests)[0]
            let relevant = score(vector, query.relevant, rows)
            var tally = CandidateTally(
                relevant: zip(relevant, query.relevant).map {
                    $1 == query.excluded ? (rest ?? $0, $1) : ($0, $1)
                }, top: top)
            if let rest, let own = query.excluded {
                withUnsafePointer(to: rest) {
                    tally.count(UnsafeBufferPointer(start: $0, count: 1), from: Int(own))
                }
            }
            return tally
        }
        stream(vectors, past: rows, queries: group.count) { number, first, scores in
            guard let excluded = group[number].excluded.map(Int.init), (first..<first + scores.count).contains(excluded) else {
                return tallies[number].count(scores, from: first)
            }
            let place = excluded - first
            tallies[number].count(UnsafeBufferPointer(rebasing: scores[..<place]), from: first)
            tallies[number].count(UnsafeBufferPointer(rebasing: scores[(place + 1)...]), from: excluded + 1)
        }
        return zip(group, tallies).map { query, tally in
            tally.ranked(length: query.length) { candidates.representative(of: $0, for: query, best: { _ in nil }) }
        }
    }

    /// Ranks candidates that are several rows each, by the best one.
    private func grouped(
        _ group: [Candidates.Query], _ vectors: UnsafeBufferPointer<Float>, _ candidates: Candidates, top: Int
    ) -> [RankedQuery] {
        guard let candidateOfRow = candidates.candidateOfRow else { return [] }
        let count = candidates.count
        // [query, candidate]
        var best = [Float](repeating: -.infinity, count: group.count * count)
        var bestRow = [UInt32](repeating: 0, count: group.count * count)
        stream(vectors, past: candidates.rows, queries: group.count) { number, first, scores in
            let excluded = group[number].excluded.map(Int.init)
            for place in scores.indices where first + place != excluded {
                let target = number * count + Int(candidateOfRow[first + place])
                if scores[place] > best[target] {
                    best[target] = scores[place]
                    bestRow[target] = UInt32(first + place)
                }
            }
        }
        return best.withUnsafeBufferPointer { best in
            group.enumerated().map { number, query in
                let scores = UnsafeBufferPointer(rebasing: best[number * count..<(number + 1) * count])
                var tally = CandidateTally(relevant: query.relevant.map { (scores[Int($0)], $0) }, top: top)
                tally.count(scores, from: 0)
                return tally.ranked(length: query.length) { candidate in
                    candidates.representative(of: candidate, for: query, best: { bestRow[number * count + Int($0)] })
                }
            }
        }
    }

    /// Scores every query with block after block of rows.
    private func stream(
        _ vectors: UnsafeBufferPointer<Float>, past rows: VectorRows, queries: Int,
        _ take: (_ query: Int, _ firstRow: Int, _ scores: UnsafeBufferPointer<Float>) -> Void
    ) {
        let block = rows.rowsPerBlock
        withUnsafeTemporaryAllocation(of: Float.self, capacity: queries * block) { scores in
            for first in stride(from: 0, to: rows.count, by: block) {
                let size = min(block, rows.count - first)
                rows.score(vectors, rows: first..<first + size, level: level, into: scores)
                for query in 0..<queries {
                    take(query, first, UnsafeBufferPointer(rebasing: scores[query * size..<(query + 1) * size]))
                }
            }
        }
    }

    private func score(_ query: UnsafeBufferPointer<Float>, _ places: [UInt32], _ rows: VectorRows) -> [Float] {
        [Float](unsafeUninitializedCapacity: places.count) { scores, initialized in
            places.withUnsafeBufferPointer { rows.score(query, chosen: $0, level: level, into: scores) }
            initialized = places.count
        }
    }
}
