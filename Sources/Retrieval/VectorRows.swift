import CVector

/// Memory for vectors, laid out for the kernels: row r begins at `base + r * stride`, aligned to 64 bytes, the gap behind its `dimension`
/// floats filled with zeros. Pages that nobody has written to take no memory, so room for more rows than come costs nothing.
final class VectorMemory: Sendable {
    let capacity: Int
    let dimension: Int
    let stride: Int
    // A raw pointer is not Sendable. Invariant: whoever made the memory writes each row once, before it hands out a `VectorRows` that holds the
    // row; nobody else writes. It is freed in deinit, when nobody holds it any more.
    fileprivate nonisolated(unsafe) let base: UnsafeMutablePointer<Float>?

    /// - Throws: `.dimension`, `.tooManyVectors`, `.memory`.
    init(capacity: Int, dimension: Int) throws(RetrievalError) {
        guard dimension > 0 else { throw .dimension(found: dimension) }
        // Rows are chosen by UInt32.
        guard capacity <= Int(UInt32.max) else { throw .tooManyVectors(found: capacity, limit: Int(UInt32.max)) }
        stride = (dimension + 15) / 16 * 16
        self.capacity = capacity
        self.dimension = dimension
        let (floats, overflow) = capacity.multipliedReportingOverflow(by: stride)
        base = overflow ? nil : cv_allocate(floats)
        if base == nil, capacity > 0 { throw .memory(bytes: overflow ? .max : floats * MemoryLayout<Float>.size) }
    }

    deinit { cv_free(base, capacity * stride) }

    /// The `dimension` floats of a row.
    func row(_ row: Int) -> UnsafeMutableBufferPointer<Float> {
        precondition((0..<capacity).contains(row))
        return UnsafeMutableBufferPointer(start: base.map { $0 + row * stride }, count: dimension)
    }
}

/// An immutable matrix of vectors: the first `count` rows of its memory.
struct VectorRows: Sendable {
    let count: Int
    private let memory: VectorMemory

    var dimension: Int { memory.dimension }
    private var stride: Int { memory.stride }
    private var base: UnsafeMutablePointer<Float>? { memory.base }

    init(_ memory: VectorMemory, count: Int) {
        precondition((0...memory.capacity).contains(count))
        self.memory = memory
        self.count = count
    }

    /// - Parameter fill: writes vector `row` into the `dimension` floats it is given.
    init(
        count: Int, dimension: Int, fill: (_ row: Int, _ target: UnsafeMutableBufferPointer<Float>) throws(RetrievalError) -> Void
    ) throws(RetrievalError) {
        let memory = try VectorMemory(capacity: count, dimension: dimension)
        for row in 0..<count { try fill(row, memory.row(row)) }
        self.init(memory, count: count)
    }

    func isSame(as other: VectorRows) -> Bool { memory === other.memory }

    func withRow<R>(_ row: Int, _ body: (UnsafeBufferPointer<Float>) -> R) -> R {
        precondition((0..<count).contains(row))
        defer { withExtendedLifetime(memory) {} }
        return body(UnsafeBufferPointer(memory.row(row)))
    }

    /// scores[q * rows.count + i] = queries[q] · row (rows.lowerBound + i).
    /// - Parameters: queries `[n, dimension]`; scores with room for n * rows.count.
    func score(
        _ queries: UnsafeBufferPointer<Float>, rows: Range<Int>, level: InstructionSet,
        into scores: UnsafeMutableBufferPointer<Float>
    ) {
        guard !rows.isEmpty, let base else { return }
        let queryCount = queries.count / dimension
        precondition(rows.lowerBound >= 0 && rows.upperBound <= count && scores.count >= queryCount * rows.count)
        cv_scores(
            level.code, queries.baseAddress, queryCount, base + rows.lowerBound * stride, rows.count, stride, dimension,
            scores.baseAddress)
        withExtendedLifetime(memory) {}
    }

    /// scores[q * chosen.count + i] = queries[q] · row chosen[i]; bit for bit what `score(_:rows:…)` gives.
    func score(
        _ queries: UnsafeBufferPointer<Float>, chosen: UnsafeBufferPointer<UInt32>, level: InstructionSet,
        into scores: UnsafeMutableBufferPointer<Float>
    ) {
        guard !chosen.isEmpty, let base else { return }
        let queryCount = queries.count / dimension
        precondition(chosen.allSatisfy { $0 < count } && scores.count >= queryCount * chosen.count)
        cv_scores_of_rows(
            level.code, queries.baseAddress, queryCount, base, chosen.baseAddress, chosen.count, stride, dimension,
            scores.baseAddress)
        withExtendedLifetime(memory) {}
    }

    /// How many rows to score at a time: about 128 KB of them stay in the second-level cache while group after group of queries
    /// visits them.
    var rowsPerBlock: Int { max(16, (128 << 10) / (stride * MemoryLayout<Float>.size)) }
}
