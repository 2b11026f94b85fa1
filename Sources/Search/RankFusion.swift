/// Ranks by words and ranks by vectors made one: reciprocal rank fusion (Cormack, Clarke and Büttcher 2009). A product counts
/// `words / (k + rank by words) + vectors / (k + rank by vectors)`; a rank that it does not have counts nothing.
public struct RankFusion: Sendable, Equatable {
    /// How much less the first ranks differ from each other than from later ones.
    public var k = 60.0
    public var words: Double
    public var vectors: Double

    /// What the thirty texts of `Benchmarks/boutique-texts.jsonl` are answered with best.
    public static let standard = RankFusion(words: 1, vectors: 0.5)

    init(_ basis: SearchQuery.Basis) {
        switch basis {
        case .both: self = .standard
        case .words: self.init(words: 1, vectors: 0)
        case .vectors: self.init(words: 0, vectors: 1)
        }
    }

    init(k: Double = 60, words: Double, vectors: Double) { (self.k, self.words, self.vectors) = (k, words, vectors) }

    /// 0…1: 1 for the first of both.
    /// - Parameters: ranks from 1.
    func relevance(wordRank: Int?, vectorRank: Int?) -> Double {
        func part(_ weight: Double, _ rank: Int?) -> Double { rank.map { weight / (k + Double($0)) } ?? 0 }
        return (part(words, wordRank) + part(vectors, vectorRank)) * (k + 1) / (words + vectors)
    }
}

extension RankFusion: Codable {
    private enum CodingKeys: String, CodingKey { case method, k, weights }
    private enum WeightKeys: String, CodingKey { case words, vectors }
    /// What answers call it.
    public static let method = "reciprocal_rank_fusion"

    public init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        let weights = try values.nestedContainer(keyedBy: WeightKeys.self, forKey: .weights)
        self.init(
            k: try values.decode(Double.self, forKey: .k), words: try weights.decode(Double.self, forKey: .words),
            vectors: try weights.decode(Double.self, forKey: .vectors))
    }

    public func encode(to encoder: any Encoder) throws {
        var values = encoder.container(keyedBy: CodingKeys.self)
        try values.encode(Self.method, forKey: .method)
        try values.encode(k, forKey: .k)
        var weights = values.nestedContainer(keyedBy: WeightKeys.self, forKey: .weights)
        try weights.encode(words, forKey: .words)
        try weights.encode(vectors, forKey: .vectors)
    }
}
