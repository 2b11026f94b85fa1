public import Catalog
public import Imaging

/// What a search may ask.
public struct SearchQuery: Sendable {
    /// What the answer should look like.
    public enum Subject: Sendable {
        case image(RGBImage)
        case text(String)
        /// A unit vector of the encoder's space.
        case vector([Float])
        /// A product of the catalogue: the mean direction of its pictures. It is not among its own results.
        case product(String)
        /// A picture of the catalogue. Results by product leave its product out, results by image the picture alone.
        case catalogImage(ImageID)
        /// A part of a picture of the catalogue, cut out; what it is leaves out of the results is the same.
        case catalogPart(ImageID, RGBImage)
    }

    /// One of the things that are asked for together.
    public struct Term: Sendable {
        public var subject: Subject
        /// How much it counts, -10…10 and not 0; below 0 for "less like this".
        public var weight: Double

        public init(_ subject: Subject, weight: Double = 1) {
            self.subject = subject
            self.weight = weight
        }
    }

    /// What a result is.
    public enum Grouping: String, Sendable, CaseIterable {
        /// Each product once, with its most similar image.
        case product
        case image
    }

    /// In which order results stand. All but `relevance` order what is relevant enough, and nothing else.
    public enum Sorting: String, Sendable, CaseIterable {
        case relevance
        case price
        case priceDescending = "-price"
        /// What came into the catalogue last.
        case newest
        /// What is in stock first, each part by relevance.
        case stock
    }

    /// What decides about texts.
    public enum Basis: String, Sendable, CaseIterable {
        /// Words and similarity together.
        case both
        /// What has words of the text, and nothing else.
        case words
        /// The model alone.
        case vectors
    }

    /// A value whose products come further forward.
    public struct Boost: Sendable, Equatable {
        public var clause: CatalogFilter.Clause
        /// What is added to a relevance of 0…1 or a cosine; 0.01…1.
        public var weight: Double

        public static let standardWeight = 0.05
        public static let weights = 0.01...1.0

        public init(_ clause: CatalogFilter.Clause, weight: Double = standardWeight) {
            self.clause = clause
            self.weight = weight
        }
    }

    /// Their unit vectors are added up, each times its weight, and the sum is what pictures are compared with; the words of texts are looked for as
    /// well.
    public var terms: [Term]
    /// Products of earlier answers that were liked: the answer moves towards them.
    public var liked: [String] = []
    /// Products of earlier answers that were not: the answer moves away from them, and they are left out.
    public var disliked: [String] = []
    /// How many results, 1…200.
    public var limit: Int
    public var filter: CatalogFilter
    /// Least cosine similarity, -1…1; nil admits everything.
    public var minimumScore: Double?
    public var grouping: Grouping
    public var basis = Basis.both
    public var sorting = Sorting.relevance
    /// How much a result that resembles those before it loses, 0…1: 1 - λ of maximal marginal relevance (Carbonell and Goldstein 1998).
    public var diversity = 0.0
    public var boosts: [Boost] = []

    public static let limits = 1...200
    /// Each term costs a pass of the model or a look-up.
    public static let termLimit = 16
    public static let weightLimit = 10.0

    public init(
        _ subject: Subject, limit: Int = 10, filter: CatalogFilter = CatalogFilter(), minimumScore: Double? = nil,
        grouping: Grouping = .product
    ) {
        self.init([Term(subject)], limit: limit, filter: filter, minimumScore: minimumScore, grouping: grouping)
    }

    public init(
        _ terms: [Term], limit: Int = 10, filter: CatalogFilter = CatalogFilter(), minimumScore: Double? = nil,
        grouping: Grouping = .product
    ) {
        self.terms = terms
        self.limit = limit
        self.filter = filter
        self.minimumScore = minimumScore
        self.grouping = grouping
    }
}

extension SearchQuery {
    /// The texts of the terms that are wanted, or of those that are not.
    func texts(wanted: Bool) -> [String] {
        terms.compactMap { term in
            if case .text(let text) = term.subject, (term.weight > 0) == wanted { text } else { nil }
        }
    }

    /// - Throws: `SearchError` for what no catalogue could answer.
    func check(takesText: Bool, model: String) throws(SearchError) {
        guard Self.limits.contains(limit) else { throw .limit(limit) }
        if let score = minimumScore, !(-1...1).contains(score) { throw .minimumScore(score) }
        guard (0...1).contains(diversity) else { throw .diversity(diversity) }
        try Self.check(weights: terms.map(\.weight), liked: liked.count)
        for term in terms {
            guard case .text(let text) = term.subject else { continue }
            guard takesText else { throw .takesNoText(model: model) }
            // Of punctuation alone a model would make a vector, too.
            guard text.contains(where: { !$0.isWhitespace && !$0.isPunctuation }) else { throw .emptyText }
        }
        guard liked.count + disliked.count <= Self.limits.upperBound else { throw .tooManyTerms(liked.count + disliked.count) }
        if let boost = boosts.first(where: { !Boost.weights.contains($0.weight) }) { throw .boost(boost.weight) }
    }

    /// Judges terms by their weights alone.
    public static func check(weights: [Double], liked: Int) throws(SearchError) {
        guard weights.count <= termLimit else { throw .tooManyTerms(weights.count) }
        guard weights.contains(where: { $0 > 0 }) || liked > 0 else { throw .nothingWanted }
        if let wrong = weights.first(where: { $0 == 0 || !(abs($0) <= weightLimit) }) { throw .weight(wrong) }
    }
}
