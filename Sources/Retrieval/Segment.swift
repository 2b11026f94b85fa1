import BitCollections

/// A part of a live index: vectors that never change, and which of them are deleted by now.
struct Segment: Sendable {
    let index: ExactIndex
    /// By which it is searched where it is large; it comes some time after the segment.
    var graph: SegmentGraph?
    /// Rows of `index`. A row is named here also where a later segment holds another vector under its id.
    private(set) var deleted = BitSet()
    /// The same as a walk over a graph takes it; nil where there is none.
    private(set) var deletedWords: [UInt64]?

    /// Vectors that can be found.
    private(set) var count: Int

    init(_ index: ExactIndex, graph: SegmentGraph? = nil) {
        (self.index, self.graph) = (index, graph)
        count = index.count
    }

    mutating func delete(_ id: Int64) {
        if let row = index.row(of: id) { delete(row: row) }
    }

    mutating func delete(row: Int) {
        guard deleted.insert(row).inserted else { return }
        count -= 1
        guard index.rows.form == .codes else { return }
        var words = deletedWords ?? [UInt64](repeating: 0, count: (index.count + 63) / 64)
        deletedWords = nil
        words[row / 64] |= 1 << UInt64(row % 64)
        deletedWords = words
    }

    /// The ids that can be found, ascending.
    var ids: [Int64] { index.ids.enumerated().filter { !deleted.contains($0.offset) }.map(\.element) }

    func contains(_ id: Int64) -> Bool { index.row(of: id).map { !deleted.contains($0) } ?? false }

    func vector(of id: Int64) -> [Float]? {
        guard let row = index.row(of: id), !deleted.contains(row) else { return nil }
        return index.rows.withRow(row) { Array($0) }
    }

    /// So many queries share a pass; their vectors and the scores of a block fit the second-level cache beside the block.
    private static let queriesPerPass = 48

    /// The best hits of several segments, in which every id can be found at most once.
    /// - Throws: `.resultCount`, `.dimension`, `.shape`, `.notFinite`, `.notUnitLength`.
    static func search(_ request: VectorRequest, _ segments: [Segment], dimension: Int) throws(RetrievalError) -> [[Hit]] {
        let queryCount = try request.checkedQueryCount(dimension: dimension)
        let total = segments.reduce(0) { $0 + $1.count }
        let isCoded = segments.contains { $0.index.rows.form == .codes }
        // Codes find more than is asked for, of which float16 then say the best.
        let size = !isCoded || request.k >= total / widening ? request.k : request.k * widening + leastCandidates
        let found = TopHits(
            capacity: size, expected: total, minimumScore: isCoded ? nil : request.minimumScore, group: request.group)
        return request.vectors.withUnsafeBufferPointer { all in
            stride(from: 0, to: queryCount, by: queriesPerPass).flatMap { first in
                let last = min(first + queriesPerPass, queryCount)
                let queries = UnsafeBufferPointer(rebasing: all[first * dimension..<last * dimension])
                let codes = CodedQueries(queries, dimension: dimension)
                var best = [TopHits](repeating: found, count: last - first)
                // What the first segments gave is the bar for the others.
                for segment in segments {
                    if let walked = segment.graph?.candidates(
                        codes, in: segment, request.admission, size: size, group: request.group, enough: request.k)
                    {
                        let ids = segment.index.ids
                        for (query, hits) in walked.enumerated() {
                            hits.map(\.score).withUnsafeBufferPointer { best[query].offer($0) { ids[Int(hits[$0].row)] } }
                        }
                    } else {
                        segment.index.scan(queries, codes, request.admission, without: segment.deleted, into: &best)
                    }
                }
                guard isCoded else { return best.map(\.sorted) }
                return best.enumerated().map { place, best in
                    let query = UnsafeBufferPointer(rebasing: queries[place * dimension..<(place + 1) * dimension])
                    return rescored(best.sorted, query, request, segments)
                }
            }
        }
    }

    /// So many times as many candidates as hits that are asked for, and so many more, are scored again: of ten hits among 100,000 vectors codes
    /// alone miss one in a hundred, and with these none that float16 has.
    private static let widening = 4
    private static let leastCandidates = 24

    /// The best of what codes found, by better scores.
    private static func rescored(
        _ candidates: [Hit], _ query: UnsafeBufferPointer<Float>, _ request: VectorRequest, _ segments: [Segment]
    ) -> [Hit] {
        var best = TopHits(
            capacity: request.k, expected: candidates.count, minimumScore: request.minimumScore, group: request.group)
        let ids = candidates.map(\.id).sorted()
        for segment in segments {
            var rows: [UInt32] = []
            var own: [Int64] = []
            for id in ids {
                if let row = segment.index.row(of: id), !segment.deleted.contains(row) {
                    rows.append(UInt32(row))
                    own.append(id)
                }
            }
            segment.index.scores(query, of: rows).withUnsafeBufferPointer { best.offer($0) { own[$0] } }
        }
        return best.sorted
    }
}

/// Which segments become one, so that there are few of them and little that is dead, while every vector is copied a few times only.
enum SegmentMerging {
    /// Segments hold no more vectors than this: merging and tidying up then take the memory of one such segment beside the index, whatever the
    /// index's size.
    static let limit = 65_536
    /// The same for codes, which take less memory, and of which a large segment is searched by a graph.
    static let codedLimit = 262_144
    /// From so many vectors on a segment of codes has a graph: a pass over fewer takes some milliseconds.
    static let leastForGraph = 65_536
    /// So many segments of about one size become one.
    static let width = 4
    /// A segment of which so large a share is deleted is written anew.
    static let deadShare = 0.25

    /// The places of segments that should become one; nil while all is well.
    static func candidates(_ segments: [Segment], limit: Int = limit) -> [Int]? {
        if let place = segments.firstIndex(where: { Double($0.index.count - $0.count) > deadShare * Double($0.index.count) }) {
            return [place]
        }
        // Sizes of 1…3, 4…15, 16…63, …: of four in a class comes at least one of the next, so a vector moves up a class each time.
        var classes: [Int: [Int]] = [:]
        for (place, segment) in segments.enumerated() where segment.count <= limit / 2 {
            classes[(Int.bitWidth - segment.count.leadingZeroBitCount - 1) / 2, default: []].append(place)
        }
        for (_, places) in classes.sorted(by: { $0.key < $1.key }) where places.count >= width {
            let chosen = Array(places.prefix(width))
            if chosen.reduce(0, { $0 + segments[$1].count }) <= limit { return chosen }
            // Four halves don't fit into one; two of them do.
            return Array(chosen.prefix(2))
        }
        return nil
    }

    /// One segment of what can be found in several.
    /// - Throws: `.memory`.
    static func merge(
        _ segments: [Segment], dimension: Int, form: VectorForm = .floats
    ) throws(RetrievalError) -> ExactIndex {
        // Every id is alive once among the segments of an index.
        var rows: [(id: Int64, segment: Int, row: Int)] = []
        rows.reserveCapacity(segments.reduce(0) { $0 + $1.count })
        for (number, segment) in segments.enumerated() {
            for (row, id) in segment.index.ids.enumerated() where !segment.deleted.contains(row) {
                rows.append((id, number, row))
            }
        }
        rows.sort { $0.id < $1.id }
        var builder = try ExactIndexBuilder(capacity: rows.count, dimension: dimension, form: form)
        for row in rows {
            try builder.append(row.id, row: row.row, of: segments[row.segment].index.rows)
        }
        return builder.finish()
    }
}
