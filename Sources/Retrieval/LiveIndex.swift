import BitCollections
import Dispatch
import Synchronization

/// An index that changes while it is searched: segments that never change, and deletions.
///
/// A search takes the list of segments as it stands and scans without a lock; a change publishes another list. Vectors that come are a new
/// segment, an id that is replaced or removed is marked in the segment that held it. Small segments are merged into larger ones behind, on
/// a thread of their own: searches and changes go on meanwhile.
public final class LiveIndex: VectorIndex {
    /// The index at one moment. It stays as it is, and keeps its vectors in memory as long as somebody holds it.
    public struct Snapshot: VectorIndex {
        public let dimension: Int
        let segments: [Segment]

        public var count: Int { segments.reduce(0) { $0 + $1.count } }

        /// The ids that can be found, in no order.
        public var ids: [Int64] { segments.flatMap(\.ids) }

        public func contains(_ id: Int64) -> Bool { segments.contains { $0.contains(id) } }

        public func vector(of id: Int64) -> [Float]? {
            for segment in segments { if let vector = segment.vector(of: id) { return vector } }
            return nil
        }

        /// - Throws: `.resultCount`, `.shape`, `.notFinite`, `.notUnitLength`.
        public func search(_ request: VectorRequest) throws(RetrievalError) -> [[Hit]] {
            try Segment.search(request, segments, dimension: dimension)
        }
    }

    private struct State {
        /// Every id is alive in one of them at most.
        var segments: [Segment]
        var isMerging = false
    }

    public let dimension: Int
    /// Of what is merged; for who fills it, of what should come.
    public let form: VectorForm
    private let segmentLimit: Int
    /// Held for moments only: to take the list of segments, or to put another in its place.
    private let state: Mutex<State>
    /// Held by whoever makes another list: one at a time, while searches go on with the old one.
    private let writing = Mutex(())

    /// Where merges run, of all indexes one after the other: they are memory traffic, and two at once would take it from the searches.
    private static let mergeQueue = DispatchQueue(label: "merging search segments", qos: .utility)

    /// An index over segments in which no id stands twice.
    /// - Parameters:
    ///   - segments: of this dimension; none for an index that is to be filled.
    ///   - form: what its vectors are kept as.
    ///   - segmentLimit: vectors of a merged segment at most.
    /// - Throws: `.dimension`, `.otherDimension`.
    public convenience init(
        dimension: Int, segments: [ExactIndex] = [], form: VectorForm = .floats, segmentLimit: Int? = nil
    ) throws(RetrievalError) {
        for segment in segments where segment.dimension != dimension {
            throw .otherDimension(found: segment.dimension, expected: dimension)
        }
        try self.init(dimension: dimension, form: form, segments: segments.map { Segment($0) }, segmentLimit: segmentLimit)
    }

    /// - Parameter segments: of this dimension.
    init(
        dimension: Int, form: VectorForm, segments: [Segment], segmentLimit: Int? = nil
    ) throws(RetrievalError) {
        guard dimension > 0 else { throw .dimension(found: dimension) }
        self.dimension = dimension
        self.form = form.fitting(dimension)
        self.segmentLimit = segmentLimit ?? Self.segmentLimit(of: self.form)
        state = Mutex(State(segments: segments.filter { $0.count > 0 }))
    }

    /// Vectors that a segment should hold at most, for who fills an index.
    public static func segmentLimit(of form: VectorForm) -> Int {
        form == .codes ? SegmentMerging.codedLimit : SegmentMerging.limit
    }

    /// Builds the graphs that large segments lack, one after the other on the caller's thread, while searches and changes go on.
    /// - Parameters:
    ///   - least: vectors from which on a segment has one.
    ///   - progress: graphs that are there, and segments that should have one, before each and at the end.
    ///   - shouldStop: asked several times a second, from another thread.
    /// - Returns: how many were built.
    /// - Throws: `.memory`.
    @discardableResult
    public func buildGraphs(
        least: Int? = nil, progress: (Int, Int) -> Void = { _, _ in },
        shouldStop: @escaping @Sendable () -> Bool = { false }
    ) throws(RetrievalError) -> Int {
        guard form == .codes else { return 0 }
        let least = least ?? SegmentMerging.leastForGraph
        var built = 0
        while true {
            let large = state.withLock(\.segments).filter { $0.index.count >= least }
            progress(large.count { $0.graph != nil }, large.count)
            guard let segment = large.first(where: { $0.graph == nil }), !shouldStop(),
                let graph = try SegmentGraph.build(over: segment.index.rows, shouldStop: shouldStop)
            else { return built }
            built += 1
            writing.withLock { _ in
                state.withLock { state in
                    // Where it was merged into another meanwhile, the graph is of no use any more.
                    for place in state.segments.indices where state.segments[place].index.isSame(as: segment.index) {
                        state.segments[place].graph = graph
                    }
                }
            }
        }
    }

    /// The index as it stands now.
    public var snapshot: Snapshot { Snapshot(dimension: dimension, segments: state.withLock(\.segments)) }

    public var count: Int { snapshot.count }

    public func vector(of id: Int64) -> [Float]? { snapshot.vector(of: id) }

    /// Searches the index as it stands when the search begins, on the caller's thread.
    /// - Throws: `.resultCount`, `.shape`, `.notFinite`, `.notUnitLength`.
    public func search(_ request: VectorRequest) throws(RetrievalError) -> [[Hit]] { try snapshot.search(request) }

    /// Removes ids and puts vectors in, in one step: a search sees all of it or nothing. Ids of `added` that are there already are replaced, ids of
    /// `removed` that are not there are ignored, and what is in both is there with its new vector.
    /// - Throws: `.otherDimension`; then nothing is changed.
    public func apply(removing removed: some Sequence<Int64>, adding added: [ExactIndex] = []) throws(RetrievalError) {
        for segment in added where segment.dimension != dimension {
            throw .otherDimension(found: segment.dimension, expected: dimension)
        }
        let removed = Array(removed)
        writing.withLock { _ in
            var segments = state.withLock(\.segments)
            for place in segments.indices {
                for id in removed { segments[place].delete(id) }
            }
            for segment in added where segment.count > 0 {
                for place in segments.indices {
                    for id in segment.ids { segments[place].delete(id) }
                }
                segments.append(Segment(segment))
            }
            segments.removeAll { $0.count == 0 }
            state.withLock { [segments] in $0.segments = segments }
        }
        mergeBehind()
    }

    /// Begins to merge where there is something to merge and nobody does yet.
    private func mergeBehind() {
        let begins = state.withLock { state in
            guard !state.isMerging, SegmentMerging.candidates(state.segments, limit: segmentLimit) != nil else { return false }
            state.isMerging = true
            return true
        }
        guard begins else { return }
        Self.mergeQueue.async { [weak self] in
            while let self, self.mergeStep() {}
        }
    }

    /// One merge. Returns false where nothing is left to do; then `isMerging` is off.
    private func mergeStep() -> Bool {
        let before = state.withLock { state -> [Segment] in
            let places = SegmentMerging.candidates(state.segments, limit: segmentLimit)
            if places == nil { state.isMerging = false }
            return places?.map { state.segments[$0] } ?? []
        }
        guard !before.isEmpty else { return false }
        guard let merged = try? SegmentMerging.merge(before, dimension: dimension, form: form) else {
            // There is no memory for it: the segments answer as they are, and the next change tries again.
            state.withLock { $0.isMerging = false }
            return false
        }
        writing.withLock { _ in
            var segments = state.withLock(\.segments)
            var result = Segment(merged)
            for old in before {
                let place = segments.firstIndex { $0.index.isSame(as: old.index) }
                // What was deleted since the merge began; where the segment is gone, all of it.
                let dead = place.map { segments[$0].deleted } ?? BitSet(0..<old.index.count)
                for row in dead.subtracting(old.deleted) { result.delete(old.index.ids[row]) }
                if let place { segments.remove(at: place) }
            }
            if result.count > 0 { segments.append(result) }
            state.withLock { [segments] in $0.segments = segments }
        }
        return true
    }

    /// Waits until nothing is left to merge.
    func settle() async {
        while true {
            await withCheckedContinuation { continuation in Self.mergeQueue.async { continuation.resume() } }
            if state.withLock({ !$0.isMerging }) { return }
        }
    }
}
