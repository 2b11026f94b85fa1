/// The answer of a search, in the form in which the command and the server give it out.
public struct SearchResponse: Sendable, Codable, Equatable {
    public var model: String
    public var results: [SearchResult]
    /// A result with a lower score is no close match: different products of the catalogue are commonly more alike than that. Absent for texts, whose
    /// scores are of another kind, and where the catalogue has too few products to tell.
    public var closeMatchScore: Double?
    /// Whether the query's text was longer than the model takes, and its end was left out.
    public var truncatedText: Bool
    /// Only where it was left out: how many tokens the text has, and how many of them were read; the marks of its start and end are counted.
    public var textTokens: Int?
    public var textTokensRead: Int?
    /// How ranks by words and by vectors were made one; only where the query has a text.
    public var fusion: RankFusion?
    /// Beside it: words of the query's texts that nothing in the catalogue has.
    public var unknownWords: [String]?
    /// Milliseconds: `encode`, `search`, `total`.
    public var timing: [String: Double]

    enum CodingKeys: String, CodingKey {
        case model, results, fusion
        case unknownWords = "unknown_words"
        case closeMatchScore = "close_match_score"
        case truncatedText = "truncated_text"
        case textTokens = "text_tokens"
        case textTokensRead = "text_tokens_read"
        case timing = "timing_ms"
    }
}

/// One garment that was found.
public struct SearchResult: Sendable, Codable, Equatable {
    public struct ProductSummary: Sendable, Codable, Equatable {
        public var id: String
        public var title: String?
        public var category: String?
        public var brand: String?
        public var price: Double?
        public var currency: String?
        public var inStock: Bool?
        public var url: String?
        /// The different colours of its pictures.
        public var colors: [String]

        enum CodingKeys: String, CodingKey {
            case id, title, category, brand, price, currency, url, colors
            case inStock = "in_stock"
        }
    }

    /// Where a result stands by the query's words.
    public struct WordRank: Sendable, Codable, Equatable {
        /// From 1; equally good ones share a place.
        public var rank: Int
        /// The words of the query that the product has.
        public var matched: [String]
    }

    public struct ImageSummary: Sendable, Codable, Equatable {
        public var id: Int64
        public var path: String
        public var view: String?
        public var color: String?
    }

    /// From 1.
    public var rank: Int
    /// Cosine similarity, -1…1.
    public var score: Double
    public var product: ProductSummary
    public var image: ImageSummary
    /// Only where the query has a text, and the product a word of it.
    public var words: WordRank?
    /// The place by similarity alone, from 1; only where the query has a text.
    public var vectorRank: Int?

    enum CodingKeys: String, CodingKey {
        case rank, score, product, image, words
        case vectorRank = "vector_rank"
    }
}
