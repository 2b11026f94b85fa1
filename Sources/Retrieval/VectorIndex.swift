/// A vector that was found.
public struct Hit: Sendable, Equatable {
    public let id: Int64
    /// Cosine similarity with the query, -1…1 up to rounding.
    public let score: Float

    public init(id: Int64, score: Float) {
        self.id = id
        self.score = score
    }
}

/// The ids that a filter admits, kept sorted so that an index can walk them beside its own.
public struct IDSet: Sendable, Equatable {
    /// Ascending, every id once.
    public let ids: [Int64]

    public init(_ ids: some Sequence<Int64>) {
        var sorted = ids.sorted()
        var kept = 0
        for index in sorted.indices where kept == 0 || sorted[index] != sorted[kept - 1] {
            sorted[kept] = sorted[index]
            kept += 1
        }
        sorted.removeSubrange(kept...)
        self.ids = sorted
    }
}

/// Unit vectors under ids, searched by cosine similarity. An index is a snapshot: it never changes, and any number of threads
/// may search it at once.
public protocol VectorIndex: Sendable {
    var dimension: Int { get }
    var count: Int { get }

    /// The vectors most similar to each query, best first; equal scores by ascending id.
    /// - Parameters:
    ///   - queries: `[n, dimension]`, every row of unit length.
    ///   - k: how many to find, from 1; fewer come back only where fewer are admitted.
    ///   - allowed: the only ids that may be found; nil admits all. Ids that the index doesn't hold are ignored.
    /// - Returns: n lists.
    /// - Throws: `.resultCount`, `.shape`, `.notFinite`, `.notUnitLength`.
    func search(queries: [Float], k: Int, allowed: IDSet?) throws(RetrievalError) -> [[Hit]]
}

extension VectorIndex {
    public func search(queries: [Float], k: Int) throws(RetrievalError) -> [[Hit]] {
        try search(queries: queries, k: k, allowed: nil)
    }
}
