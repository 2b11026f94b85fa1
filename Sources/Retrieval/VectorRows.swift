import CVector
import TensorFiles

/// What vectors are kept as.
public enum VectorForm: Sendable {
    /// Float32, four bytes a coordinate: scores are exact.
    case floats
    /// Int8 codes that are walked, one byte a coordinate, and float16 from which the best are scored again: a pass reads a quarter of the memory, and
    /// a score is off by what rounding to float16 costs, some 1e-4.
    case codes

    /// The integer products of the kernels have room in 32 bits for no more.
    public static let greatestCodedDimension = 4096

    /// What vectors of a dimension are kept as where this form is asked for.
    func fitting(_ dimension: Int) -> VectorForm { dimension <= Self.greatestCodedDimension ? self : .floats }
}

/// Memory for vectors, laid out for the kernels: every row begins at a multiple of 64 bytes, the gap behind its `dimension` numbers filled with zeros.
/// Pages that nobody has written to take no memory, so room for more rows than come costs nothing.
final class VectorMemory: Sendable {
    let form: VectorForm
    let capacity: Int
    let dimension: Int
    /// Numbers, floats or float16, from one row to the next.
    let stride: Int
    /// Codes from one row to the next.
    let width: Int
    private let bytes: Int
    /// Keeps the pages of a file mapped that the rows lie in; nil where they are memory of their own.
    private let file: SafetensorsFile?
    // Raw pointers are not Sendable. Invariant: whoever made the memory writes each row once, before it hands out a `VectorRows` that holds the
    // row; nobody else writes, and nobody at all where it is a file's. It is freed in deinit, when nobody holds it any more.
    private nonisolated(unsafe) let base: UnsafeMutableRawPointer?
    /// Of the floats alone.
    fileprivate nonisolated(unsafe) let floats: UnsafeMutablePointer<Float>?
    /// Of the codes alone, as are the following.
    fileprivate nonisolated(unsafe) let halves: UnsafeMutablePointer<UInt16>?
    fileprivate nonisolated(unsafe) let codes: UnsafeMutablePointer<Int8>?
    fileprivate nonisolated(unsafe) let scales: UnsafeMutablePointer<Float>?
    fileprivate nonisolated(unsafe) let sums: UnsafeMutablePointer<Int32>?

    /// - Throws: `.dimension`, `.tooManyVectors`, `.memory`.
    init(capacity: Int, dimension: Int, form: VectorForm = .floats) throws(RetrievalError) {
        guard dimension > 0 else { throw .dimension(found: dimension) }
        // Rows are chosen by UInt32.
        guard capacity <= Int(UInt32.max) else { throw .tooManyVectors(found: capacity, limit: Int(UInt32.max)) }
        self.form = form.fitting(dimension)
        self.capacity = capacity
        self.dimension = dimension
        width = cv_width(CV_CODING_INT8, dimension)
        // The parts in their order: floats; or codes, float16, scales, sums.
        let rowBytes: [Int]
        switch self.form {
        case .floats:
            stride = (dimension + 15) / 16 * 16
            rowBytes = [stride * MemoryLayout<Float>.size]
        case .codes:
            stride = Self.stride(ofHalves: dimension)
            rowBytes = [
                width, stride * MemoryLayout<UInt16>.size, MemoryLayout<Float>.size, MemoryLayout<Int32>.size,
            ]
        }
        var (starts, end) = ([Int](), 0)
        var overflows = false
        for part in rowBytes {
            let (size, isTooMuch) = capacity.multipliedReportingOverflow(by: part)
            let (next, isTooFar) = end.addingReportingOverflow(size)
            overflows = overflows || isTooMuch || isTooFar || next > Int.max - 64
            if overflows { break }
            starts.append(end)
            end = (next + 63) / 64 * 64
        }
        bytes = overflows ? 0 : end
        file = nil
        let base = overflows ? nil : cv_allocate_bytes(end)
        if base == nil, capacity > 0 { throw .memory(bytes: overflows ? .max : end) }
        self.base = base
        func part<T>(_ place: Int, _ type: T.Type) -> UnsafeMutablePointer<T>? {
            base.map { ($0 + starts[place]).assumingMemoryBound(to: type) }
        }
        switch self.form {
        case .floats:
            floats = part(0, Float.self)
            (halves, codes, scales, sums) = (nil, nil, nil, nil)
        case .codes:
            floats = nil
            (codes, halves) = (part(0, Int8.self), part(1, UInt16.self))
            (scales, sums) = (part(2, Float.self), part(3, Int32.self))
        }
    }

    /// Rows of codes that lie in a file, full to the last.
    /// - Parameter parts: where its scales, sums, float16 and codes begin, of the shapes that `shapes` says.
    /// - Throws: `.dimension`, `.tooManyVectors`.
    init(mapped parts: [UnsafeRawPointer?], of file: SafetensorsFile, count: Int, dimension: Int) throws(RetrievalError) {
        guard (1...VectorForm.greatestCodedDimension).contains(dimension) else { throw .dimension(found: dimension) }
        guard count <= Int(UInt32.max) else { throw .tooManyVectors(found: count, limit: Int(UInt32.max)) }
        form = .codes
        capacity = count
        self.dimension = dimension
        width = cv_width(CV_CODING_INT8, dimension)
        stride = Self.stride(ofHalves: dimension)
        (bytes, base, floats) = (0, nil, nil)
        self.file = file
        func part<T>(_ place: Int, _ type: T.Type) -> UnsafeMutablePointer<T>? {
            parts[place].map { UnsafeMutableRawPointer(mutating: $0).assumingMemoryBound(to: type) }
        }
        (scales, sums) = (part(0, Float.self), part(1, Int32.self))
        (halves, codes) = (part(2, UInt16.self), part(3, Int8.self))
    }

    deinit { cv_free_bytes(base, bytes) }

    private static func stride(ofHalves dimension: Int) -> Int { (dimension + 31) / 32 * 32 }

    /// The shapes of ids, scales, sums, float16 and codes.
    static func shapes(count: Int, dimension: Int) -> [[Int]] {
        [[count], [count], [count], [count, stride(ofHalves: dimension)], [count, cv_width(CV_CODING_INT8, dimension)]]
    }

    /// Writes a row.
    /// - Parameter fill: writes the vector into the `dimension` floats it is given. What it throws is thrown, and the row may be written again.
    func write(
        _ row: Int, level: InstructionSet = .best,
        _ fill: (_ target: UnsafeMutableBufferPointer<Float>) throws(RetrievalError) -> Void
    ) throws(RetrievalError) {
        precondition((0..<capacity).contains(row) && file == nil)
        if form == .floats {
            return try fill(UnsafeMutableBufferPointer(start: floats.map { $0 + row * stride }, count: dimension))
        }
        guard let halves, let codes, let scales, let sums else { return }
        let result = withUnsafeTemporaryAllocation(of: Float.self, capacity: dimension) { target in
            Result { () throws(RetrievalError) in
                target.initialize(repeating: 0)
                try fill(target)
                // Codes are of what the float16 say, so that a row that is copied from them has the same ones.
                cv_halves_of_floats(level.code, target.baseAddress, dimension, halves + row * stride)
                cv_floats_of_halves(level.code, halves + row * stride, dimension, target.baseAddress)
                cv_encode(target.baseAddress, 1, dimension, dimension, codes + row * width, scales + row, sums + row)
            }
        }
        try result.get()
    }
}

/// An immutable matrix of vectors: the first `count` rows of its memory.
struct VectorRows: Sendable {
    let count: Int
    private let memory: VectorMemory

    var dimension: Int { memory.dimension }
    var form: VectorForm { memory.form }

    init(_ memory: VectorMemory, count: Int) {
        precondition((0...memory.capacity).contains(count))
        self.memory = memory
        self.count = count
    }

    /// Floats.
    /// - Parameter fill: writes vector `row` into the `dimension` floats it is given.
    init(
        count: Int, dimension: Int, fill: (_ row: Int, _ target: UnsafeMutableBufferPointer<Float>) throws(RetrievalError) -> Void
    ) throws(RetrievalError) {
        let memory = try VectorMemory(capacity: count, dimension: dimension)
        for row in 0..<count {
            try memory.write(row) { (target) throws(RetrievalError) in try fill(row, target) }
        }
        self.init(memory, count: count)
    }

    func isSame(as other: VectorRows) -> Bool { memory === other.memory }

    func withRow<R>(_ row: Int, _ body: (UnsafeBufferPointer<Float>) -> R) -> R {
        precondition((0..<count).contains(row))
        defer { withExtendedLifetime(memory) {} }
        if let floats = memory.floats { return body(UnsafeBufferPointer(start: floats + row * memory.stride, count: dimension)) }
        return withUnsafeTemporaryAllocation(of: Float.self, capacity: dimension) { target in
            cv_floats_of_halves(
                InstructionSet.best.code, memory.halves.map { $0 + row * memory.stride }, dimension, target.baseAddress)
            return body(UnsafeBufferPointer(target))
        }
    }

    /// scores[q * rows.count + i] = queries[q] · row (rows.lowerBound + i).
    /// - Parameters: queries `[n, dimension]`; scores with room for n * rows.count.
    func score(
        _ queries: UnsafeBufferPointer<Float>, rows: Range<Int>, level: InstructionSet,
        into scores: UnsafeMutableBufferPointer<Float>
    ) {
        let queryCount = queries.count / dimension
        guard !rows.isEmpty, queryCount > 0 else { return }
        precondition(rows.lowerBound >= 0 && rows.upperBound <= count && scores.count >= queryCount * rows.count)
        let (stride, first) = (memory.stride, rows.lowerBound)
        if let floats = memory.floats {
            cv_scores(
                level.code, queries.baseAddress, queryCount, floats + first * stride, rows.count, stride, dimension,
                scores.baseAddress)
        } else if let halves = memory.halves {
            cv_half_scores(
                level.code, queries.baseAddress, queryCount, halves + first * stride, rows.count, stride, dimension,
                scores.baseAddress)
        }
        withExtendedLifetime(memory) {}
    }

    /// scores[q * chosen.count + i] = queries[q] · row chosen[i]; bit for bit what `score(_:rows:…)` gives.
    func score(
        _ queries: UnsafeBufferPointer<Float>, chosen: UnsafeBufferPointer<UInt32>, level: InstructionSet,
        into scores: UnsafeMutableBufferPointer<Float>
    ) {
        let queryCount = queries.count / dimension
        guard !chosen.isEmpty, queryCount > 0 else { return }
        precondition(chosen.allSatisfy { $0 < count } && scores.count >= queryCount * chosen.count)
        if let floats = memory.floats {
            cv_scores_of_rows(
                level.code, queries.baseAddress, queryCount, floats, chosen.baseAddress, chosen.count, memory.stride, dimension,
                scores.baseAddress)
        } else if let halves = memory.halves {
            cv_half_scores_of_rows(
                level.code, queries.baseAddress, queryCount, halves, chosen.baseAddress, chosen.count, memory.stride, dimension,
                scores.baseAddress)
        }
        withExtendedLifetime(memory) {}
    }

    /// What the codes say of a part of the rows, as `score` has them; only of rows in the form `codes`.
    func estimate(
        _ queries: CodedQueries, rows: Range<Int>, level: InstructionSet, into scores: UnsafeMutableBufferPointer<Float>
    ) {
        precondition(rows.lowerBound >= 0 && rows.upperBound <= count && scores.count >= queries.count * rows.count)
        withCodes { codes in
            queries.withCodes { cv_code_scores(level.code, $0, codes, rows.lowerBound, rows.count, scores.baseAddress) }
        }
    }

    /// The same of chosen rows.
    func estimate(
        _ queries: CodedQueries, chosen: UnsafeBufferPointer<UInt32>, level: InstructionSet,
        into scores: UnsafeMutableBufferPointer<Float>
    ) {
        precondition(chosen.allSatisfy { $0 < count } && scores.count >= queries.count * chosen.count)
        withCodes { codes in
            queries.withCodes {
                cv_code_scores_of_rows(level.code, $0, codes, chosen.baseAddress, chosen.count, scores.baseAddress)
            }
        }
    }

    func withCodes(_ body: (UnsafePointer<CVCodes>) -> Void) {
        var codes = CVCodes(
            coding: CV_CODING_INT8, width: memory.width, count: count, codes: memory.codes, scales: memory.scales,
            sums: memory.sums)
        precondition(memory.codes != nil || count == 0)
        body(&codes)
        withExtendedLifetime(memory) {}
    }

    /// How many rows to score at a time: about 128 KB of them stay in the second-level cache while group after group of queries
    /// visits them.
    var rowsPerBlock: Int {
        max(16, (128 << 10) / (form == .floats ? memory.stride * MemoryLayout<Float>.size : memory.width))
    }
}

extension VectorRows {
    /// A part of rows of codes as a file has it.
    struct Part {
        fileprivate enum Source {
            case ids([Int64])
            case memory(UnsafeRawBufferPointer, of: VectorMemory)
        }

        let shape: [Int]
        fileprivate let source: Source

        func withBytes<R>(_ body: (UnsafeRawBufferPointer) throws -> R) rethrows -> R {
            switch source {
            case .ids(let ids): return try ids.withUnsafeBytes(body)
            case .memory(let bytes, let memory):
                defer { withExtendedLifetime(memory) {} }
                return try body(bytes)
            }
        }
    }

    /// Ids, scales, sums, float16 and codes; only of rows in the form `codes`.
    func parts(ids: [Int64]) -> [Part] {
        precondition(form == .codes && ids.count == count)
        let shapes = VectorMemory.shapes(count: count, dimension: dimension)
        func part<T>(_ place: Int, _ start: UnsafeMutablePointer<T>?) -> Part {
            let elements = UnsafeBufferPointer(start: start, count: start == nil ? 0 : shapes[place].reduce(1, *))
            return Part(shape: shapes[place], source: .memory(UnsafeRawBufferPointer(elements), of: memory))
        }
        return [
            Part(shape: shapes[0], source: .ids(ids)), part(1, memory.scales), part(2, memory.sums), part(3, memory.halves),
            part(4, memory.codes),
        ]
    }
}

/// Queries as codes are compared with rows of codes.
struct CodedQueries {
    let count: Int
    private let codes: [Int8]
    private let scales: [Float]
    private let sums: [Int32]

    /// - Parameter queries: `[n, dimension]`, finite.
    init(_ queries: UnsafeBufferPointer<Float>, dimension: Int) {
        count = queries.count / dimension
        let width = cv_width(CV_CODING_INT8, dimension)
        var (codes, scales, sums) = (
            [Int8](repeating: 0, count: count * width), [Float](repeating: 0, count: count),
            [Int32](repeating: 0, count: count)
        )
        cv_encode(queries.baseAddress, count, dimension, dimension, &codes, &scales, &sums)
        (self.codes, self.scales, self.sums) = (codes, scales, sums)
    }

    func withCodes(_ body: (UnsafePointer<CVQueries>) -> Void) {
        codes.withUnsafeBufferPointer { codes in
            scales.withUnsafeBufferPointer { scales in
                sums.withUnsafeBufferPointer { sums in
                    var queries = CVQueries(
                        count: count, codes: codes.baseAddress, scales: scales.baseAddress, sums: sums.baseAddress)
                    body(&queries)
                }
            }
        }
    }
}
