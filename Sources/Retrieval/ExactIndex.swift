import BitCollections

/// Exhaustive cosine search: every admitted vector is compared. One query costs one pass over the vectors, as fast as memory delivers them; several
/// queries share a pass. Of floats the answer is exact; of codes it is found by the codes and scored from float16.
///
/// An index never changes. One that does is a `LiveIndex`, of which this is the kind of segment.
public struct ExactIndex: VectorIndex {
    /// Ascending; row r of `rows` belongs to ids[r].
    let ids: [Int64]
    let rows: VectorRows
    private let level: InstructionSet

    public var dimension: Int { rows.dimension }
    public var count: Int { rows.count }

    init(ids: [Int64], rows: VectorRows, level: InstructionSet) {
        self.ids = ids
        self.rows = rows
        self.level = level
    }

    /// - Parameters:
    ///   - ids: in any order, every id once.
    ///   - vectors: `[ids.count, dimension]`, rows in the order of `ids`, each of unit length.
    ///   - level: the instruction set; must be available.
    /// - Throws: `.dimension`, `.shape`, `.count`, `.duplicateID`, `.notFinite`, `.notUnitLength`, `.memory`.
    public init(
        ids: [Int64], vectors: [Float], dimension: Int, form: VectorForm = .floats, level: InstructionSet = .best
    ) throws(RetrievalError) {
        let count = try UnitVectors.rowCount(vectors.count, dimension: dimension, what: "vectors")
        guard count == ids.count else { throw .count(what: "ids", found: ids.count, expected: count) }
        var builder = try ExactIndexBuilder(capacity: count, dimension: dimension, form: form, level: level)
        for place in ids.indices.sorted(by: { ids[$0] < ids[$1] }) {
            try builder.append(ids[place], row: place) { target in
                _ = target.update(fromContentsOf: vectors[place * dimension..<(place + 1) * dimension])
            }
        }
        self = builder.finish()
    }

    public func vector(of id: Int64) -> [Float]? {
        row(of: id).map { rows.withRow($0) { Array($0) } }
    }

    /// - Throws: `.resultCount`, `.shape`, `.notFinite`, `.notUnitLength`.
    public func search(_ request: VectorRequest) throws(RetrievalError) -> [[Hit]] {
        try Segment.search(request, [Segment(self)], dimension: dimension)
    }

    /// Whether another value is this very index, not one of equal contents.
    func isSame(as other: ExactIndex) -> Bool { rows.isSame(as: other.rows) }

    func row(of id: Int64) -> Int? {
        // Segments of a large index hold ids of one range each.
        guard let first = ids.first, let last = ids.last, (first...last).contains(id) else { return nil }
        let place = firstRow(from: 0, to: count, atLeast: id)
        return place < count && ids[place] == id ? place : nil
    }

    private func firstRow(from start: Int, to end: Int, atLeast id: Int64) -> Int {
        var (low, high) = (start, end)
        while low < high {
            let middle = (low + high) / 2
            if ids[middle] < id { low = middle + 1 } else { high = middle }
        }
        return low
    }

    /// One walk over the admitted rows for a few queries.
    /// - Parameters:
    ///   - queries: `[best.count, dimension]`, so few that they and the scores of a block fit the second-level cache.
    ///   - codes: the same; where rows have codes, what these say is found.
    ///   - deleted: rows that nothing may find.
    ///   - best: takes what is found, one for each query.
    func scan(
        _ queries: UnsafeBufferPointer<Float>, _ codes: CodedQueries, _ admission: Admission, without deleted: BitSet,
        into best: inout [TopHits]
    ) {
        let chosen: [UInt32]?
        // Asked about the few rows whose score would be kept, where all rows are scored.
        var sieve: BitSet?
        switch admission {
        case .all: chosen = nil
        case .ids(let admitted):
            chosen = fewRows(of: admitted)
            if chosen == nil { sieve = admitted }
        }
        let total = chosen?.count ?? count
        let hasDeleted = !deleted.isEmpty
        let block = rows.rowsPerBlock
        func id(ofRow row: Int) -> Int64? {
            if hasDeleted && deleted.contains(row) { return nil }
            let id = ids[row]
            if let sieve, !sieve.contains(Int(id)) { return nil }
            return id
        }
        withUnsafeTemporaryAllocation(of: Float.self, capacity: best.count * block) { scores in
            for first in stride(from: 0, to: total, by: block) {
                let size = min(block, total - first)
                let range = first..<first + size
                if let chosen {
                    chosen.withUnsafeBufferPointer { chosen in
                        let part = UnsafeBufferPointer(rebasing: chosen[range])
                        switch rows.form {
                        case .floats: rows.score(queries, chosen: part, level: level, into: scores)
                        case .codes: rows.estimate(codes, chosen: part, level: level, into: scores)
                        }
                    }
                } else {
                    switch rows.form {
                    case .floats: rows.score(queries, rows: range, level: level, into: scores)
                    case .codes: rows.estimate(codes, rows: range, level: level, into: scores)
                    }
                }
                for query in best.indices {
                    let part = UnsafeBufferPointer(rebasing: scores[query * size..<(query + 1) * size])
                    if let chosen {
                        best[query].offer(part) { id(ofRow: Int(chosen[first + $0])) }
                    } else {
                        best[query].offer(part) { id(ofRow: first + $0) }
                    }
                }
            }
        }
    }

    /// The scores of a query with some rows, from their floats or float16.
    func scores(_ query: UnsafeBufferPointer<Float>, of chosen: [UInt32]) -> [Float] {
        [Float](unsafeUninitializedCapacity: chosen.count) { scores, count in
            chosen.withUnsafeBufferPointer { rows.score(query, chosen: $0, level: level, into: scores) }
            count = chosen.count
        }
    }

    /// The rows of the admitted ids, ascending; nil where so many are admitted that scoring all rows in their order is quicker.
    private func fewRows(of admitted: BitSet) -> [UInt32]? {
        guard let first = ids.first, let last = ids.last, last >= 0 else { return [] }
        let members = admitted[members: Int(max(first, 0))..<Int(min(last, .max - 1)) + 1]
        let admittedCount = members.count
        guard admittedCount < count / 4 else { return nil }
        var found: [UInt32] = []
        found.reserveCapacity(admittedCount)
        var low = 0
        for member in members {
            let id = Int64(member)
            var step = 1
            while low + step < count, ids[low + step] < id { step *= 2 }
            low = firstRow(from: low, to: min(low + step + 1, count), atLeast: id)
            guard low < count else { break }
            if ids[low] == id { found.append(UInt32(low)) }
        }
        return found
    }
}

/// Vectors on their way into an index, each written straight to where it will be searched: there is no second copy of them.
public struct ExactIndexBuilder: ~Copyable {
    private var memory: VectorMemory
    private let level: InstructionSet
    private var ids: [Int64] = []

    /// How many vectors it holds.
    public var count: Int { ids.count }

    public var isFull: Bool { count == memory.capacity }

    /// - Parameters:
    ///   - capacity: how many vectors may come at most; what does not come takes no memory.
    ///   - form: what they are kept as.
    ///   - level: the instruction set; must be available.
    /// - Throws: `.dimension`, `.tooManyVectors`, `.memory`.
    public init(
        capacity: Int, dimension: Int, form: VectorForm = .floats, level: InstructionSet = .best
    ) throws(RetrievalError) {
        precondition(level.isAvailable, "this processor can't run \(level)")
        memory = try VectorMemory(capacity: capacity, dimension: dimension, form: form)
        self.level = level
    }

    /// Takes one more vector, under a greater id than all before it.
    /// - Parameters:
    ///   - row: the vector's number in an error; nil counts them.
    ///   - fill: writes the vector, of unit length, into the `dimension` floats it is given.
    /// - Throws: `.duplicateID`, `.descendingID`, `.tooManyVectors`, `.notFinite`, `.notUnitLength`, and what `fill` throws. The vector is then not
    ///   in the index.
    public mutating func append(
        _ id: Int64, row: Int? = nil, fill: (_ target: UnsafeMutableBufferPointer<Float>) throws(RetrievalError) -> Void
    ) throws(RetrievalError) {
        let number = row ?? count
        try take(id) { (target) throws(RetrievalError) in
            try fill(target)
            try UnitVectors.check(UnsafeBufferPointer(target), what: "vectors", row: number)
        }
    }

    /// As `append`, of a vector that was in an index already: its length was looked at before it was rounded.
    mutating func append(_ id: Int64, row: Int, of rows: VectorRows) throws(RetrievalError) {
        try take(id) { target in rows.withRow(row) { _ = target.update(fromContentsOf: $0) } }
    }

    private mutating func take(
        _ id: Int64, fill: (_ target: UnsafeMutableBufferPointer<Float>) throws(RetrievalError) -> Void
    ) throws(RetrievalError) {
        guard !isFull else { throw .tooManyVectors(found: count + 1, limit: memory.capacity) }
        if let last = ids.last, id <= last { throw id == last ? .duplicateID(id) : .descendingID(id, after: last) }
        try memory.write(count, level: level, fill)
        ids.append(id)
    }

    /// Takes a copy of a vector.
    /// - Throws: as the other one; `.otherDimension`.
    public mutating func append(_ id: Int64, copying vector: some Collection<Float>) throws(RetrievalError) {
        guard vector.count == memory.dimension else {
            throw .otherDimension(found: vector.count, expected: memory.dimension)
        }
        try append(id) { target in _ = target.update(fromContentsOf: vector) }
    }

    /// Hands out what came so far, and begins an empty index of the same capacity.
    /// - Throws: `.memory`; then it holds what it held.
    public mutating func finishAndBeginAgain() throws(RetrievalError) -> ExactIndex {
        let next = try VectorMemory(capacity: memory.capacity, dimension: memory.dimension, form: memory.form)
        let index = ExactIndex(ids: ids, rows: VectorRows(memory, count: ids.count), level: level)
        (memory, ids) = (next, [])
        return index
    }

    public consuming func finish() -> ExactIndex {
        ExactIndex(ids: ids, rows: VectorRows(memory, count: ids.count), level: level)
    }
}
