/// Where the relevant items stand in one query's ranking; every ranking metric follows from it.
///
/// Notation of the formulas: R is the number of relevant items, P(k) the precision among the first k.
public struct Ranking: Sendable, Equatable {
    /// Places of the relevant items, counted from 1, ascending.
    public let relevantPlaces: [Int]
    /// Items in the whole ranking.
    public let length: Int

    /// - Parameter relevantPlaces: ascending, within 1…length.
    public init(relevantPlaces: [Int], length: Int) {
        precondition(zip(relevantPlaces, relevantPlaces.dropFirst()).allSatisfy { $0 < $1 }, "places must ascend")
        precondition((relevantPlaces.first ?? 1) >= 1 && (relevantPlaces.last ?? 0) <= length, "places lie in the ranking")
        self.relevantPlaces = relevantPlaces
        self.length = length
    }

    /// A ranking that is already in order, best first.
    public init(relevance: [Bool]) {
        self.init(relevantPlaces: relevance.indices.filter { relevance[$0] }.map { $0 + 1 }, length: relevance.count)
    }

    /// Ranks by descending score. Ties are broken against the query: an irrelevant item with the same score comes before a relevant
    /// one, so that scores which are all equal earn nothing.
    /// - Parameters: scores without NaN, and relevance, of one length.
    public init(scores: [Float], relevance: [Bool]) {
        precondition(scores.count == relevance.count)
        let order = scores.indices.sorted {
            scores[$0] != scores[$1] ? scores[$0] > scores[$1] : !relevance[$0] && relevance[$1]
        }
        self.init(relevance: order.map { relevance[$0] })
    }

    public var relevantCount: Int { relevantPlaces.count }

    /// Relevant items among the first k.
    public func hits(at k: Int) -> Int {
        relevantPlaces.prefix { $0 <= k }.count
    }

    /// Recall@K as retrieval of products means it (also Rank-K, CMC): 1 with at least one relevant item among the first k, else 0.
    public func recall(at k: Int) -> Double {
        hits(at: k) > 0 ? 1 : 0
    }

    /// Share of relevant items among the first k, 0…1; the divisor is k also where the ranking is shorter. 0 for k = 0.
    public func precision(at k: Int) -> Double {
        k > 0 ? Double(hits(at: k)) / Double(k) : 0
    }

    /// (1/R) Σ P(place) over the places of the relevant items, over the whole ranking; 0 without relevant items.
    public var averagePrecision: Double {
        guard !relevantPlaces.isEmpty else { return 0 }
        let sum = relevantPlaces.enumerated().reduce(0.0) { $0 + Double($1.offset + 1) / Double($1.element) }
        return sum / Double(relevantCount)
    }

    /// P(R); 0 without relevant items.
    public var rPrecision: Double { precision(at: relevantCount) }

    /// MAP@R of Musgrave, Belongie and Lim 2020 (arXiv:2003.08505, eq. 4), for one query: (1/R) Σ P(i) over the relevant places
    /// i ≤ R; 0 without relevant items.
    public var averagePrecisionAtR: Double {
        guard !relevantPlaces.isEmpty else { return 0 }
        let early = relevantPlaces.prefix { $0 <= relevantCount }
        return early.enumerated().reduce(0.0) { $0 + Double($1.offset + 1) / Double($1.element) } / Double(relevantCount)
    }

    /// 1 / place of the first relevant item; 0 without relevant items. Its mean is MRR.
    public var reciprocalRank: Double {
        relevantPlaces.first.map { 1 / Double($0) } ?? 0
    }
}
