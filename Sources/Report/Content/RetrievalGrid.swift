/// Queries with the first results of one or several models, hits told from misses.
public struct RetrievalGrid: Sendable {
    public struct Picture: Sendable, Hashable {
        /// The file; one that can't be read leaves an empty place that says so.
        public var path: String
        /// What it shows, for who does not see it.
        public var alt: String

        public init(path: String, alt: String) {
            self.path = path
            self.alt = alt
        }
    }

    public struct Result: Sendable {
        public var picture: Picture
        public var caption: String
        public var score: Float
        public var isHit: Bool

        public init(_ picture: Picture, caption: String, score: Float, isHit: Bool) {
            self.picture = picture
            self.caption = caption
            self.score = score
            self.isHit = isHit
        }
    }

    /// The first results of one model, best first.
    public struct ResultList: Sendable {
        public var model: String
        /// Such as where the first hit comes.
        public var note: String
        public var results: [Result]

        public init(model: String, note: String = "", results: [Result]) {
            self.model = model
            self.note = note
            self.results = results
        }
    }

    public struct Query: Sendable {
        /// nil for a query that is a text.
        public var picture: Picture?
        /// The text, or what the picture is.
        public var label: String
        public var lists: [ResultList]

        public init(_ picture: Picture?, label: String, lists: [ResultList]) {
            self.picture = picture
            self.label = label
            self.lists = lists
        }
    }

    public var queries: [Query]

    public init(_ queries: [Query]) { self.queries = queries }

    var pictures: [Picture] {
        queries.flatMap { query in (query.picture.map { [$0] } ?? []) + query.lists.flatMap { $0.results.map(\.picture) } }
    }
}
