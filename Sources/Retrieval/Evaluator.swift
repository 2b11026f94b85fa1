/// Vectors with what is known about each: the input of an evaluation.
public struct LabelledVectors: Sendable {
    /// `[count, dimension]`, every row of unit length.
    public let vectors: [Float]
    public let dimension: Int
    /// Rows with the same label are relevant to each other: the product's id, or any other column. nil: relevant to nothing.
    public let labels: [String?]
    /// What the bootstrap resamples, and what duplicates are judged by.
    public let products: [String]

    public var count: Int { products.count }

    /// - Parameter labels: nil takes the products.
    /// - Throws: `.dimension`, `.shape`, `.count`, `.notFinite`, `.notUnitLength`.
    public init(vectors: [Float], dimension: Int, products: [String], labels: [String?]? = nil) throws(RetrievalError) {
        let count = try UnitVectors.rowCount(vectors.count, dimension: dimension, what: "vectors")
        guard products.count == count else { throw .count(what: "products", found: products.count, expected: count) }
        if let labels, labels.count != count { throw .count(what: "labels", found: labels.count, expected: count) }
        self.vectors = vectors
        self.dimension = dimension
        self.labels = labels ?? products
        self.products = products
        for row in 0..<count {
            let result = vectors.withUnsafeBufferPointer { all in
                Result { () throws(RetrievalError) in
                    let vector = UnsafeBufferPointer(rebasing: all[row * dimension..<(row + 1) * dimension])
                    try UnitVectors.check(vector, what: "vectors", row: row)
                }
            }
            try result.get()
        }
    }
}

/// Ranks a gallery for every query by cosine similarity and says where the relevant pictures came.
///
/// No ranking is ever sorted, and no matrix of scores is kept: a relevant picture's place is 1 + how many others score at least as high,
/// and those are counted while blocks of the gallery stream past groups of queries.
public struct Evaluator: Sendable {
    private let level: InstructionSet

    public init(level: InstructionSet = .best) {
        precondition(level.isAvailable, "this processor can't run \(level)")
        self.level = level
    }

    /// One ranking per query, in the order of `queries`. Ties are broken against the query, as in `Ranking`.
    ///
    /// The two lists may overlap: a row is never in its own ranking. Leave-one-out is the same list twice.
    /// - Parameters: queries and gallery, rows of `set`, each at most once in a list.
    /// - Throws: `.rowOutOfRange`, `.repeatedRow`, `.memory`.
    public func rankings(of set: LabelledVectors, queries: [Int], gallery: [Int]) throws(RetrievalError) -> [Ranking] {
        let placeInGallery = try Self.places(gallery, what: "gallery", count: set.count)
        _ = try Self.places(queries, what: "queries", count: set.count)
        let dimension = set.dimension
        let rows = try VectorRows(count: gallery.count, dimension: dimension) { (place, target) throws(RetrievalError) in
            _ = target.update(fromContentsOf: set.vectors[gallery[place] * dimension..<(gallery[place] + 1) * dimension])
        }
        var placesOfLabel: [String: [UInt32]] = [:]
        for (place, row) in gallery.enumerated() {
            if let label = set.labels[row] { placesOfLabel[label, default: []].append(UInt32(place)) }
        }
        var rankings: [Ranking] = []
        rankings.reserveCapacity(queries.count)
        for first in stride(from: 0, to: queries.count, by: Self.queriesPerPass) {
            let group = queries[first..<min(first + Self.queriesPerPass, queries.count)].map { row in
                let own = placeInGallery[row].map { UInt32($0) }
                let relevant = set.labels[row].flatMap { placesOfLabel[$0] } ?? []
                return Query(row: row, own: own, relevant: relevant.filter { $0 != own })
            }
            rankings += pass(group, set: set, rows: rows)
        }
        return rankings
    }

    private static let queriesPerPass = 48

    private struct Query {
        let row: Int
        /// The query's own place in the gallery.
        let own: UInt32?
        let relevant: [UInt32]
    }

    /// The place of every row in a list of rows.
    private static func places(_ list: [Int], what: String, count: Int) throws(RetrievalError) -> [Int?] {
        var places = [Int?](repeating: nil, count: count)
        for (place, row) in list.enumerated() {
            guard (0..<count).contains(row) else { throw .rowOutOfRange(what: what, row: row, count: count) }
            guard places[row] == nil else { throw .repeatedRow(what: what, row: row) }
            places[row] = place
        }
        return places
    }

    private func pass(_ group: [Query], set: LabelledVectors, rows: VectorRows) -> [Ranking] {
        let dimension = set.dimension
        let vectors = group.flatMap { set.vectors[$0.row * dimension..<($0.row + 1) * dimension] }
        return vectors.withUnsafeBufferPointer { vectors in
            // The relevant scores come from the same kernel as the stream's, bit for bit, so equal vectors tie exactly.
            var counters = group.enumerated().map { number, query in
                let vector = UnsafeBufferPointer(rebasing: vectors[number * dimension..<(number + 1) * dimension])
                let scores = score(vector, query.relevant, rows)
                return PlaceCounter(relevantScores: scores, own: query.own.map { score(vector, [$0], rows)[0] })
            }
            let block = rows.rowsPerBlock
            withUnsafeTemporaryAllocation(of: Float.self, capacity: group.count * block) { scores in
                for first in stride(from: 0, to: rows.count, by: block) {
                    let size = min(block, rows.count - first)
                    rows.score(vectors, rows: first..<first + size, level: level, into: scores)
                    for query in group.indices where !group[query].relevant.isEmpty {
                        counters[query].count(UnsafeBufferPointer(rebasing: scores[query * size..<(query + 1) * size]))
                    }
                }
            }
            return zip(group, counters).map { query, counter in
                Ranking(relevantPlaces: counter.places, length: rows.count - (query.own == nil ? 0 : 1))
            }
        }
    }

    private func score(_ query: UnsafeBufferPointer<Float>, _ places: [UInt32], _ rows: VectorRows) -> [Float] {
        [Float](unsafeUninitializedCapacity: places.count) { scores, initialized in
            places.withUnsafeBufferPointer { rows.score(query, chosen: $0, level: level, into: scores) }
            initialized = places.count
        }
    }
}

/// Counts how many scores reach each relevant one.
private struct PlaceCounter {
    /// Ascending.
    private let relevant: [Float]
    private let own: Float?
    /// reached[i]: how many scores are at least relevant[i] and less than relevant[i + 1].
    private var reached: [Int]

    init(relevantScores: [Float], own: Float?) {
        self.relevant = relevantScores.sorted()
        self.own = own
        self.reached = [Int](repeating: 0, count: relevant.count)
    }

    mutating func count(_ scores: UnsafeBufferPointer<Float>) {
        guard let lowest = relevant.first else { return }
        for score in scores where score >= lowest { reached[lastReached(by: score)] += 1 }
    }

    /// Places counted from 1, ascending. Everything that reaches the i-th best relevant score stands before it, except the query
    /// itself and the relevant pictures that tie with it: those come in any order behind the irrelevant ones.
    var places: [Int] {
        var reached = reached
        if let own, let lowest = relevant.first, own >= lowest { reached[lastReached(by: own)] -= 1 }
        var atLeast = 0
        var places: [Int] = []
        var index = relevant.count - 1
        while index >= 0 {
            // All relevant pictures of one score were counted in the last of them.
            var tied = index
            while tied > 0, relevant[tied - 1] == relevant[index] { tied -= 1 }
            for place in tied...index { atLeast += reached[place] }
            let size = index - tied + 1
            places += (atLeast - size + 1)...atLeast
            index = tied - 1
        }
        return places
    }

    /// The last relevant score that `score` reaches; it reaches the first.
    private func lastReached(by score: Float) -> Int {
        var (low, high) = (0, relevant.count)
        while low < high {
            let middle = (low + high) / 2
            if relevant[middle] <= score { low = middle + 1 } else { high = middle }
        }
        return low - 1
    }
}
