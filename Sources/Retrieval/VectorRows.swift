import CVector

/// An immutable matrix of vectors, laid out for the kernels: row r begins at `base + r * stride`, aligned to 64 bytes, the gap
/// behind its `dimension` floats filled with zeros.
final class VectorRows: Sendable {
    let count: Int
    let dimension: Int
    let stride: Int
    // A raw pointer is not Sendable. Invariant: the memory is written in init alone, before anyone else can hold a reference, and
    // freed in deinit, when nobody does any more.
    private nonisolated(unsafe) let base: UnsafeMutablePointer<Float>?

    /// - Parameter fill: writes vector `source` into the `dimension` floats it is given; `row(source)` says where it ends up.
    init(
        count: Int, dimension: Int, row: (Int) -> Int = { $0 },
        fill: (_ source: Int, _ target: UnsafeMutableBufferPointer<Float>) throws(RetrievalError) -> Void
    ) throws(RetrievalError) {
        guard dimension > 0 else { throw .dimension(found: dimension) }
        // Rows are chosen by UInt32.
        guard count <= Int(UInt32.max) else { throw .tooManyVectors(found: count, limit: Int(UInt32.max)) }
        let stride = (dimension + 15) / 16 * 16
        self.count = count
        self.dimension = dimension
        self.stride = stride
        let (floats, overflow) = count.multipliedReportingOverflow(by: stride)
        self.base = overflow ? nil : cv_allocate(floats)
        guard let base else {
            if count == 0 { return }
            throw .memory(bytes: overflow ? .max : floats * MemoryLayout<Float>.size)
        }
        for source in 0..<count {
            try fill(source, UnsafeMutableBufferPointer(start: base + row(source) * stride, count: dimension))
        }
    }

    deinit { cv_free(base, count * stride) }

    func withRow<R>(_ row: Int, _ body: (UnsafeBufferPointer<Float>) -> R) -> R {
        precondition((0..<count).contains(row))
        defer { withExtendedLifetime(self) {} }
        return body(UnsafeBufferPointer(start: base.map { $0 + row * stride }, count: dimension))
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
        withExtendedLifetime(self) {}
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
        withExtendedLifetime(self) {}
    }

    /// How many rows to score at a time: about 128 KB of them stay in the second-level cache while group after group of queries
    /// visits them.
    var rowsPerBlock: Int { max(16, (128 << 10) / (stride * MemoryLayout<Float>.size)) }
}
