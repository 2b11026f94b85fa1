/// Exhaustive cosine search: every admitted vector is compared, so the answer is exact. One query costs one pass over the
/// vectors, as fast as memory delivers them; several queries share a pass.
public struct ExactIndex: VectorIndex {
    /// Ascending; row r of `rows` belongs to ids[r], so that ties by row are ties by id.
    private let ids: [Int64]
    private let rows: VectorRows
    private let level: InstructionSet

    public var dimension: Int { rows.dimension }
    public var count: Int { rows.count }

    /// So many queries share a pass; their vectors and the scores of a block fit the second-level cache beside the block.
    private static let queriesPerPass = 48

    /// - Parameters:
    ///   - ids: in any order, every id once.
    ///   - vectors: `[ids.count, dimension]`, rows in the order of `ids`, each of unit length.
    ///   - level: the instruction set; must be available.
    /// - Throws: `.dimension`, `.shape`, `.count`, `.duplicateID`, `.notFinite`, `.notUnitLength`, `.memory`.
    public init(ids: [Int64], vectors: [Float], dimension: Int, level: InstructionSet = .best) throws(RetrievalError) {
        let count = try UnitVectors.rowCount(vectors.count, dimension: dimension, what: "vectors")
        guard count == ids.count else { throw .count(what: "ids", found: ids.count, expected: count) }
        try self.init(ids: ids, dimension: dimension, level: level) { (source, target) throws(RetrievalError) in
            _ = target.update(fromContentsOf: vectors[source * dimension..<(source + 1) * dimension])
        }
    }

    /// Builds an index without a second copy of the vectors in memory.
    /// - Parameter fill: writes the vector of `ids[place]` into the `dimension` floats it is given; called for every place, in order.
    /// - Throws: as the other initialiser, and what `fill` throws.
    public init(
        ids: [Int64], dimension: Int, level: InstructionSet = .best,
        fill: (_ place: Int, _ target: UnsafeMutableBufferPointer<Float>) throws(RetrievalError) -> Void
    ) throws(RetrievalError) {
        precondition(level.isAvailable, "this processor can't run \(level)")
        let order = ids.indices.sorted { ids[$0] < ids[$1] }
        var rowOfPlace = [Int](repeating: 0, count: ids.count)
        for (row, place) in order.enumerated() {
            if row > 0, ids[order[row - 1]] == ids[place] { throw .duplicateID(ids[place]) }
            rowOfPlace[place] = row
        }
        self.ids = order.map { ids[$0] }
        self.level = level
        self.rows = try VectorRows(count: ids.count, dimension: dimension, row: { rowOfPlace[$0] }) {
            (place, target) throws(RetrievalError) in
            try fill(place, target)
            try UnitVectors.check(UnsafeBufferPointer(target), what: "vectors", row: place)
        }
    }

    /// The vector under an id; nil where the index holds no such id.
    public func vector(of id: Int64) -> [Float]? {
        var (low, high) = (0, ids.count)
        while low < high {
            let middle = (low + high) / 2
            if ids[middle] < id { low = middle + 1 } else { high = middle }
        }
        guard low < ids.count, ids[low] == id else { return nil }
        return rows.withRow(low) { Array($0) }
    }

    public func search(queries: [Float], k: Int, allowed: IDSet?) throws(RetrievalError) -> [[Hit]] {
        guard k > 0 else { throw .resultCount(found: k) }
        let queryCount = try UnitVectors.rowCount(queries.count, dimension: dimension, what: "queries")
        for query in 0..<queryCount {
            let result = queries.withUnsafeBufferPointer { all in
                Result { () throws(RetrievalError) in
                    let vector = UnsafeBufferPointer(rebasing: all[query * dimension..<(query + 1) * dimension])
                    try UnitVectors.check(vector, what: "queries", row: query)
                }
            }
            try result.get()
        }
        let chosen = allowed.map(rowsOf)
        return queries.withUnsafeBufferPointer { all in
            stride(from: 0, to: queryCount, by: Self.queriesPerPass).flatMap { first in
                let last = min(first + Self.queriesPerPass, queryCount)
                let group = UnsafeBufferPointer(rebasing: all[first * dimension..<last * dimension])
                return pass(group, queryCount: last - first, k: k, chosen: chosen)
            }
        }
    }

    /// The rows of the admitted ids, ascending.
    private func rowsOf(_ allowed: IDSet) -> [UInt32] {
        var found: [UInt32] = []
        found.reserveCapacity(min(allowed.ids.count, count))
        var low = 0
        for id in allowed.ids {
            // Gallop: few ids skip over many rows, many ids step from one to the next.
            var step = 1
            while low + step < count, ids[low + step] < id { step *= 2 }
            var high = min(low + step + 1, count)
            while low < high {
                let middle = (low + high) / 2
                if ids[middle] < id { low = middle + 1 } else { high = middle }
            }
            guard low < count else { break }
            if ids[low] == id { found.append(UInt32(low)) }
        }
        return found
    }

    /// One walk over all rows, or over the chosen ones, for a few queries.
    private func pass(_ queries: UnsafeBufferPointer<Float>, queryCount: Int, k: Int, chosen: [UInt32]?) -> [[Hit]] {
        let total = chosen?.count ?? count
        let block = rows.rowsPerBlock
        var best = [TopRows](repeating: TopRows(capacity: min(k, total)), count: queryCount)
        withUnsafeTemporaryAllocation(of: Float.self, capacity: queryCount * block) { scores in
            for first in stride(from: 0, to: total, by: block) {
                let size = min(block, total - first)
                if let chosen {
                    chosen.withUnsafeBufferPointer { chosen in
                        let part = UnsafeBufferPointer(rebasing: chosen[first..<first + size])
                        rows.score(queries, chosen: part, level: level, into: scores)
                    }
                } else {
                    rows.score(queries, rows: first..<first + size, level: level, into: scores)
                }
                for query in 0..<queryCount {
                    let part = UnsafeBufferPointer(rebasing: scores[query * size..<(query + 1) * size])
                    if let chosen {
                        best[query].offer(part) { Int(chosen[first + $0]) }
                    } else {
                        best[query].offer(part) { first + $0 }
                    }
                }
            }
        }
        return best.map { top in top.sorted.map { Hit(id: ids[$0.row], score: $0.score) } }
    }
}
