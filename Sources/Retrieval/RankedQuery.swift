/// What is ranked for a query.
public enum RankingLevel: String, Sendable, Codable, CaseIterable {
    /// The pictures of the gallery.
    case image
    /// Its products, each by the picture of it that is most like the query.
    case productBest = "product-best"
    /// Its products, each by its centroid: the mean of its pictures' vectors, scaled to unit length. This joins several views into one
    /// vector.
    case productCentroid = "product-centroid"
}

/// One query's ranking, and the candidates of it that are worth knowing.
public struct RankedQuery: Sendable, Equatable {
    public let ranking: Ranking
    /// The candidate at each of `ranking.relevantPlaces`, as a row of the set. A product is named by the picture that scored best, or, at the
    /// level of centroids, by its first one. Relevant candidates of equal scores stand in the gallery's order.
    public let relevantRows: [Int]
    /// The first candidates, best first, as many as were asked for; those of equal scores in the order that `Ranking` gives them, then in the
    /// gallery's.
    public let first: [Result]

    public struct Result: Sendable, Equatable {
        /// The candidate, named as in `relevantRows`.
        public let row: Int
        public let score: Float
        public let isRelevant: Bool
    }

    /// The same with other numbers for the rows.
    public func renumbered(_ number: (Int) -> Int) -> RankedQuery {
        RankedQuery(
            ranking: ranking, relevantRows: relevantRows.map(number),
            first: first.map { Result(row: number($0.row), score: $0.score, isRelevant: $0.isRelevant) })
    }

    /// The ranking as it would be if the gallery lacked the relevant candidates that `keep` refuses: they are neither hits nor misses. The
    /// irrelevant ones stay.
    public func ranking(keepingRelevant keep: (_ row: Int) -> Bool) -> Ranking {
        var places: [Int] = []
        for (index, row) in relevantRows.enumerated() where keep(row) {
            // Behind every irrelevant candidate that stands before it, and behind the relevant ones that are kept.
            let irrelevantBefore = ranking.relevantPlaces[index] - (index + 1)
            places.append(irrelevantBefore + places.count + 1)
        }
        return Ranking(relevantPlaces: places, length: ranking.length - (relevantRows.count - places.count))
    }
}

/// Counts how many candidates reach each relevant one, so that no ranking is ever sorted, and keeps the first few.
struct CandidateTally {
    /// Ascending.
    private let relevantScores: [Float]
    /// The candidates that have these scores; of equal scores the later ones first.
    private let relevantCandidates: [UInt32]
    /// reached[i]: how many scores are at least relevantScores[i] and less than relevantScores[i + 1].
    private var reached: [Int]
    private var first: FirstCandidates

    /// - Parameters:
    ///   - relevant: the relevant candidates in ascending order, with their scores, which are equal, bit for bit, to those that are counted.
    ///   - top: how many first candidates are kept.
    init(relevant: [(score: Float, candidate: UInt32)], top: Int) {
        let sorted = relevant.sorted { $0.score != $1.score ? $0.score < $1.score : $0.candidate > $1.candidate }
        relevantScores = sorted.map(\.score)
        relevantCandidates = sorted.map(\.candidate)
        reached = [Int](repeating: 0, count: sorted.count)
        first = FirstCandidates(capacity: top, relevant: top > 0 ? relevant.map(\.candidate) : [])
    }

    /// Takes the scores of consecutive candidates, the relevant ones among them. Minus infinity is the score of what is no candidate.
    mutating func count(_ scores: UnsafeBufferPointer<Float>, from candidate: Int) {
        if let lowest = relevantScores.first {
            for score in scores where score >= lowest { reached[lastReached(by: score)] += 1 }
        }
        first.offer(scores, from: candidate)
    }

    /// - Parameters:
    ///   - length: candidates in the whole ranking.
    ///   - row: the row of the set that stands for a candidate.
    func ranked(length: Int, row: (UInt32) -> Int) -> RankedQuery {
        // Everything that reaches the i-th best relevant score stands before it, except the relevant candidates that tie with it: those
        // come in any order behind the irrelevant ones.
        var atLeast = 0
        var places: [Int] = [], rows: [Int] = []
        var index = relevantScores.count - 1
        while index >= 0 {
            // All relevant candidates of one score were counted in the last of them.
            var tied = index
            while tied > 0, relevantScores[tied - 1] == relevantScores[index] { tied -= 1 }
            for place in tied...index { atLeast += reached[place] }
            let size = index - tied + 1
            places += (atLeast - size + 1)...atLeast
            rows += (tied...index).reversed().map { row(relevantCandidates[$0]) }
            index = tied - 1
        }
        return RankedQuery(
            ranking: Ranking(relevantPlaces: places, length: length), relevantRows: rows,
            first: first.entries.map {
                RankedQuery.Result(row: row($0.candidate), score: $0.score, isRelevant: $0.isRelevant)
            })
    }

    /// The last relevant score that `score` reaches; it reaches the first.
    private func lastReached(by score: Float) -> Int {
        var (low, high) = (0, relevantScores.count)
        while low < high {
            let middle = (low + high) / 2
            if relevantScores[middle] <= score { low = middle + 1 } else { high = middle }
        }
        return low - 1
    }
}

/// The first few candidates of a ranking, in its order.
private struct FirstCandidates {
    struct Entry {
        let score: Float
        let candidate: UInt32
        let isRelevant: Bool
    }

    private let capacity: Int
    /// Ascending.
    private let relevant: [UInt32]
    private(set) var entries: [Entry] = []

    init(capacity: Int, relevant: [UInt32]) {
        self.capacity = capacity
        self.relevant = relevant
        entries.reserveCapacity(capacity)
    }

    mutating func offer(_ scores: UnsafeBufferPointer<Float>, from candidate: Int) {
        guard capacity > 0 else { return }
        var least = self.least
        // One comparison turns away almost every candidate.
        for place in scores.indices where scores[place] >= least && scores[place] > -.infinity {
            let number = UInt32(candidate + place)
            take(Entry(score: scores[place], candidate: number, isRelevant: isRelevant(number)))
            least = self.least
        }
    }

    private var least: Float { entries.count < capacity ? -.infinity : entries[capacity - 1].score }

    private mutating func take(_ entry: Entry) {
        var place = entries.count
        while place > 0, Self.isBefore(entry, entries[place - 1]) { place -= 1 }
        if place == capacity { return }
        if entries.count == capacity { entries.removeLast() }
        entries.insert(entry, at: place)
    }

    private func isRelevant(_ candidate: UInt32) -> Bool {
        var (low, high) = (0, relevant.count)
        while low < high {
            let middle = (low + high) / 2
            if relevant[middle] < candidate { low = middle + 1 } else { high = middle }
        }
        return low < relevant.count && relevant[low] == candidate
    }

    private static func isBefore(_ a: Entry, _ b: Entry) -> Bool {
        if a.score != b.score { return a.score > b.score }
        if a.isRelevant != b.isRelevant { return b.isRelevant }
        return a.candidate < b.candidate
    }
}
