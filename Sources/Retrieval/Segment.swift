import BitCollections

/// A part of a live index: vectors that never change, and which of them are deleted by now.
struct Segment: Sendable {
    let index: ExactIndex
    /// Rows of `index`. A row is named here also where a later segment holds another vector under its id.
    private(set) var deleted = BitSet()

    /// Vectors that can be found.
    private(set) var count: Int

    init(_ index: ExactIndex) {
        self.index = index
        count = index.count
    }

    mutating func delete(_ id: Int64) {
        if let row = index.row(of: id), deleted.insert(row).inserted { count -= 1 }
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
                    segment.index.scan(queries, codes, request.admission, without: segment.deleted, into: &best)
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
