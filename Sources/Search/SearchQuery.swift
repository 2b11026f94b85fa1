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
    }

    /// What a result is.
    public enum Grouping: String, Sendable, CaseIterable {
        /// Each product once, with its most similar image.
        case product
        case image
    }

    public var subject: Subject
    /// How many results, 1…200.
    public var limit: Int
    public var filter: CatalogFilter
    /// Least cosine similarity, -1…1; nil admits everything.
    public var minimumScore: Double?
    public var grouping: Grouping

    public static let limits = 1...200

    public init(
        _ subject: Subject, limit: Int = 10, filter: CatalogFilter = CatalogFilter(), minimumScore: Double? = nil,
        grouping: Grouping = .product
    ) {
        self.subject = subject
        self.limit = limit
        self.filter = filter
        self.minimumScore = minimumScore
        self.grouping = grouping
    }
}
