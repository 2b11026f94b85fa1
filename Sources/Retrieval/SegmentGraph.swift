import BitCollections
import CVector
import Dispatch
import Synchronization
import TensorFiles

/// A graph over the codes of a segment, by which a search looks at some thousands of its rows in place of all (`cvgraph.h` says which graph).
///
/// Whatever a walk can't be sure of, such as a filter that admits few rows or a group that fills all places, is left to a pass over the admitted rows.
final class SegmentGraph: Sendable {
    let count: Int
    let length: Int
    /// Keeps the block's pages mapped; nil where it is memory of our own.
    private let file: SafetensorsFile?
    // A raw pointer is not Sendable. Invariant: the block is never written to after init, and freed in deinit where it is our own.
    private nonisolated(unsafe) let block: UnsafeRawPointer

    /// What a walk remembers, reused from search to search: as many as there were searches at a time.
    private struct Walk: @unchecked Sendable {
        // Only ever in the hands of one search: it is taken out of the list and put back.
        let handle: OpaquePointer
    }
    private let idle = Mutex<[Walk]>([])
    /// Which rows the last filter admitted: most searches have none, and all of these admit the same images.
    private let last = Mutex<(ids: BitSet, selection: Selection)?>(nil)

    /// By which a build is watched.
    private final class Build: @unchecked Sendable {
        // What is behind it is made for several threads.
        let handle: OpaquePointer

        init?() {
            guard let handle = cv_build_create() else { return nil }
            self.handle = handle
        }

        deinit { cv_build_free(handle) }
    }

    /// Rows that may be found.
    struct Selection: Sendable {
        /// Bit r % 64 of word r / 64 for row r; nil admits all.
        let words: [UInt64]?
        let count: Int
    }

    /// Builds a graph with one thread; some 20 bytes a row beside it.
    /// - Parameters:
    ///   - rows: of codes.
    ///   - threads: one always builds the same graph.
    ///   - shouldStop: asked several times a second, from another thread.
    /// - Returns: nil where it was stopped.
    /// - Throws: `.memory`.
    static func build(
        over rows: VectorRows, threads: Int = 1, level: InstructionSet = .best,
        shouldStop: @escaping @Sendable () -> Bool = { false }
    ) throws(RetrievalError) -> SegmentGraph? {
        var options = CVGraphOptions()
        options.threads = UInt32(max(1, min(threads, 256)))
        var (graph, length): (UnsafeMutableRawPointer?, Int) = (nil, 0)
        var status = CV_OK
        guard let build = Build() else { throw .memory(bytes: rows.count * 160) }
        let watch = DispatchSource.makeTimerSource(queue: .global())
        watch.schedule(deadline: .now() + .milliseconds(100), repeating: .milliseconds(100))
        watch.setEventHandler { if shouldStop() { cv_build_cancel(build.handle) } }
        watch.resume()
        // The handler holds the build as long as it may still run.
        defer { watch.cancel() }
        rows.withCodes { status = cv_graph_build(level.code, $0, &options, build.handle, &graph, &length) }
        if status == CV_CANCELLED { return nil }
        guard status == CV_OK, let graph else { throw .memory(bytes: rows.count * 160) }
        return SegmentGraph(owning: graph, length: length, count: rows.count)
    }

    private init(owning block: UnsafeMutableRawPointer, length: Int, count: Int) {
        (self.block, self.length, self.count, file) = (UnsafeRawPointer(block), length, count, nil)
    }

    /// A block that lies in a file; nil where it is none over so many rows.
    init?(mapped block: UnsafeRawBufferPointer, of file: SafetensorsFile, count: Int) {
        // Its numbers are read in place.
        guard let start = block.baseAddress, Int(bitPattern: start) % 8 == 0, cv_graph_check(start, block.count, count) == 1
        else { return nil }
        (self.block, length, self.count, self.file) = (start, block.count, count, file)
    }

    deinit {
        for walk in idle.withLock({ $0 }) { cv_walk_free(walk.handle) }
        if file == nil { cv_free_bytes(UnsafeMutableRawPointer(mutating: block), length) }
    }

    func withBytes<R>(_ body: (UnsafeRawBufferPointer) throws -> R) rethrows -> R {
        defer { withExtendedLifetime(self) {} }
        return try body(UnsafeRawBufferPointer(start: block, count: length))
    }

    // MARK: Searching

    /// Below so many admitted rows a pass over them takes no longer than a walk.
    private static let leastAdmitted = 4096
    /// Nor where one row of so many is admitted, and a walk past the others would miss some.
    private static let leastShare = 32
    /// One row of so many has to be admitted for a walk over all of them to be better than one past those that are not.
    private static let plainShare = 5
    private static let leastBreadth = 256
    private static let leastLimit = 8192

    /// Finds candidates for each query in a segment.
    /// - Parameters:
    ///   - size: how many are wanted.
    ///   - group: as `VectorRequest.group`.
    ///   - enough: as many groups as have to be among them, where more exist.
    /// - Returns: row and score of each, for each query; nil where a pass over the admitted rows has to find them.
    func candidates(
        _ queries: CodedQueries, in segment: Segment, _ admission: Admission, size: Int, group: (@Sendable (Int64) -> Int32?)?,
        enough: Int
    ) -> [[(row: UInt32, score: Float)]]? {
        let selection = selection(admission, ids: segment.index.ids)
        guard selection.count >= max(Self.leastAdmitted, count / Self.leastShare), size < selection.count / 16 else { return nil }
        guard let walk = takeWalk() else { return nil }
        defer { idle.withLock { $0.append(walk) } }
        let deleted = segment.deletedWords
        // Where several rows are one group, more rows are wanted for as many groups.
        let wanted = group == nil ? size : min(size * 3, selection.count)
        var found: [[(row: UInt32, score: Float)]] = []
        var rows = [UInt32](repeating: 0, count: wanted)
        var scores = [Float](repeating: 0, count: wanted)
        for query in 0..<queries.count {
            var request = CVWalkRequest()
            request.mode = selection.count * Self.plainShare >= count ? CV_WALK_PLAIN : CV_WALK_TWO_HOP
            request.k = wanted
            request.breadth = max(Self.leastBreadth, 2 * wanted)
            // A row of a walk costs two or three of a pass: one that scores more is given up.
            request.limit = max(selection.count / 3, Self.leastLimit)
            var report = CVWalkReport()
            let status = Self.withWords(selection.words) { admitted in
                Self.withWords(deleted) { deleted in
                    request.admitted = admitted
                    request.deleted = deleted
                    var status = CV_OK
                    segment.index.rows.withCodes { codes in
                        queries.withCodes { queries in
                            status = cv_graph_search(
                                InstructionSet.best.code, block, codes, queries, query, &request, walk.handle, &rows, &scores,
                                &report)
                        }
                    }
                    return status
                }
            }
            guard status == CV_OK, report.limited == 0, report.found == wanted else { return nil }
            let hits = (0..<report.found).map { (row: rows[$0], score: scores[$0]) }
            if let group {
                let groups = Set(
                    hits.map { hit in group(segment.index.ids[Int(hit.row)]).map(Int64.init) ?? -1 - Int64(hit.row) })
                guard groups.count >= enough else { return nil }
            }
            found.append(hits)
        }
        return found
    }

    private static func withWords<R>(_ words: [UInt64]?, _ body: (UnsafePointer<UInt64>?) -> R) -> R {
        guard let words else { return body(nil) }
        return words.withUnsafeBufferPointer { body($0.baseAddress) }
    }

    private func takeWalk() -> Walk? {
        if let walk = idle.withLock({ $0.popLast() }) { return walk }
        return cv_walk_create(count).map { Walk(handle: $0) }
    }

    private func selection(_ admission: Admission, ids: [Int64]) -> Selection {
        guard case .ids(let admitted) = admission else { return Selection(words: nil, count: count) }
        // Sets of many words: comparing is quicker than working it out once more.
        if let known = last.withLock({ $0 }), known.ids == admitted { return known.selection }
        var words = [UInt64](repeating: 0, count: (count + 63) / 64)
        var total = 0
        for (row, id) in ids.enumerated() where id >= 0 && admitted.contains(Int(id)) {
            words[row / 64] |= 1 << UInt64(row % 64)
            total += 1
        }
        let selection = Selection(words: total == count ? nil : words, count: total)
        last.withLock { $0 = (admitted, selection) }
        return selection
    }
}
