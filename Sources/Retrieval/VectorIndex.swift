public import BitCollections

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

/// Which ids a search may find.
public enum Admission: Sendable {
    case all
    /// These alone; ids that the index does not hold are ignored. An id below 0 is in no such set.
    case ids(BitSet)
}

/// Which rows a search may find, for an index that keeps the values of its filters: those that the filter admits but for some.
public struct DescribedRows: Sendable, Equatable {
    public var filter: RowFilter
    public var without: [Int64]

    public init(_ filter: RowFilter, without: [Int64] = []) {
        self.filter = filter
        self.without = without
    }
}

/// What an index is asked for.
public struct VectorRequest: Sendable {
    /// The queries `[n, dimension]`, every row of unit length. They share one pass over the index.
    public var vectors: [Float]
    /// Hits for each query, from 1; fewer come back only where fewer are admitted.
    public var k: Int
    public var admission: Admission
    /// What `admission` holds in other words, where there are some: an index on another machine is given these, and no list of a million ids.
    public var described: DescribedRows?
    /// The group of an id: of each group only its best hit comes back, so k hits are k groups. An id without a group stands for itself. nil
    /// groups nothing. Asked for few ids only: those that would come among the best.
    public var group: (@Sendable (Int64) -> Int32?)?
    /// Least cosine similarity of a hit; nil admits every score.
    public var minimumScore: Float?

    public init(
        vectors: [Float], k: Int, admission: Admission = .all, group: (@Sendable (Int64) -> Int32?)? = nil,
        minimumScore: Float? = nil
    ) {
        self.vectors = vectors
        self.k = k
        self.admission = admission
        self.group = group
        self.minimumScore = minimumScore
    }

    /// How many queries it holds.
    /// - Throws: `.resultCount`, `.dimension`, `.shape`, `.notFinite`, `.notUnitLength`.
    package func checkedQueryCount(dimension: Int) throws(RetrievalError) -> Int {
        guard k > 0 else { throw .resultCount(found: k) }
        let count = try UnitVectors.rowCount(vectors.count, dimension: dimension, what: "queries")
        for query in 0..<count {
            let result = vectors.withUnsafeBufferPointer { all in
                Result { () throws(RetrievalError) in
                    let vector = UnsafeBufferPointer(rebasing: all[query * dimension..<(query + 1) * dimension])
                    try UnitVectors.check(vector, what: "queries", row: query)
                }
            }
            try result.get()
        }
        return count
    }
}

/// Why an index on another machine could not be asked.
public protocol RemoteIndexError: Error {
    /// Whether it may answer a moment later: the machine can't be reached, or what it holds is being filled.
    var isAway: Bool { get }
}

/// Unit vectors under ids, searched by cosine similarity. Any number of tasks may search at once.
public protocol VectorIndex: Sendable {
    var dimension: Int { get }
    /// Vectors that can be found.
    var count: Int { get }

    /// The vector under an id; nil where the index holds no such id.
    /// - Throws: what another machine's index throws.
    func vector(of id: Int64) async throws -> [Float]?

    /// The vectors under some ids, without those that the index does not hold; of an index on another machine in few calls.
    /// - Throws: as `vector(of:)`.
    func vectors(of ids: [Int64]) async throws -> [Int64: [Float]]

    /// The vectors most similar to each query, best first; equal scores by ascending id.
    /// - Returns: one list for each query.
    /// - Throws: `RetrievalError.resultCount`, `.shape`, `.notFinite`, `.notUnitLength`; what another machine's index throws.
    func search(_ request: VectorRequest) async throws -> [[Hit]]
}

extension VectorIndex {
    public func vectors(of ids: [Int64]) async throws -> [Int64: [Float]] {
        var vectors: [Int64: [Float]] = [:]
        for id in ids { vectors[id] = try await vector(of: id) }
        return vectors
    }
}
