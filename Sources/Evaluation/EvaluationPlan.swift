public import Catalog

/// What is measured on what: the rows of a dataset that are queries, those that are the gallery, and what makes one relevant to another.
public struct EvaluationPlan: Sendable {
    /// Which rows of a dataset are chosen.
    public struct Selection: Sendable, Equatable {
        public enum Split: String, Sendable, CaseIterable { case test, val }

        /// `test` has the rows with split `query` as queries and those with `gallery` as gallery; `val` ranks the rest of val for every val
        /// row. Without splits all rows rank each other.
        public var split: Split
        /// Only rows with `column=value` are queries.
        public var query: String?
        /// Only rows with `column=value` are the gallery.
        public var gallery: String?
        /// Every chosen row is a query, all others its gallery.
        public var leaveOneOut: Bool
        /// Rows with the same value in this column are relevant to each other.
        public var relevantBy: String

        public init(
            split: Split = .test, query: String? = nil, gallery: String? = nil, leaveOneOut: Bool = false,
            relevantBy: String = "product_id"
        ) {
            self.split = split
            self.query = query
            self.gallery = gallery
            self.leaveOneOut = leaveOneOut
            self.relevantBy = relevantBy
        }
    }

    /// The manifest, or the folder where there is none.
    public let source: String
    /// The names of the dataset's columns.
    public let columns: [String]
    public let relevantBy: String
    /// The chosen rows, in the manifest's order; everything below numbers these.
    public let rows: [ManifestRow]
    public let queries: [Int]
    public let gallery: [Int]
    /// Rows with the same label are relevant to each other; nil to none.
    public let labels: [String?]

    /// - Throws: `EvaluationError` where there is nothing to measure.
    public init(_ dataset: Dataset, _ selection: Selection = Selection()) throws(EvaluationError) {
        let source = dataset.source
        let hasSplits = dataset.rows.contains { $0["split"] != nil }
        let splits: Set<String> = selection.split == .val ? ["val"] : ["query", "gallery"]
        let rows = hasSplits ? dataset.rows.filter { $0["split"].map(splits.contains) ?? false } : dataset.rows
        guard !rows.isEmpty else { throw .noRows(source: source, splits: splits.sorted()) }
        let all = Array(rows.indices)
        func picked(_ text: String) throws(EvaluationError) -> [Int] {
            let parts = text.split(separator: "=", maxSplits: 1).map(String.init)
            guard parts.count == 2 else { throw .notAChoice(text) }
            let places = all.filter { rows[$0][parts[0]] == parts[1] }
            guard !places.isEmpty else { throw .noMatch(source: source, choice: text) }
            return places
        }
        let ranksAll = selection.leaveOneOut || selection.split == .val || !hasSplits
        let queries: [Int]
        if let choice = selection.query {
            queries = try picked(choice)
        } else {
            queries = ranksAll || selection.gallery != nil ? all : all.filter { rows[$0]["split"] == "query" }
        }
        let gallery: [Int]
        if let choice = selection.gallery {
            gallery = try picked(choice)
        } else {
            gallery = ranksAll || selection.query != nil ? all : all.filter { rows[$0]["split"] == "gallery" }
        }
        try self.init(
            source: source, columns: dataset.columns, relevantBy: selection.relevantBy, rows: rows, queries: queries,
            gallery: gallery)
    }

    private init(
        source: String, columns: [String], relevantBy: String, rows: [ManifestRow], queries: [Int], gallery: [Int]
    ) throws(EvaluationError) {
        guard !queries.isEmpty, !gallery.isEmpty else {
            throw .emptySide(source: source, queries: queries.count, gallery: gallery.count)
        }
        let labels = rows.map { $0[relevantBy] }
        guard labels.contains(where: { $0 != nil }) else {
            throw .noColumn(source: source, column: relevantBy, columns: columns)
        }
        let ranked = Set(gallery)
        let counts = Dictionary(gallery.compactMap { place in labels[place].map { ($0, 1) } }, uniquingKeysWith: +)
        let hasRelevant = queries.contains { place in
            labels[place].map { counts[$0, default: 0] > (ranked.contains(place) ? 1 : 0) } ?? false
        }
        guard hasRelevant else { throw .nothingRelevant(source: source, column: relevantBy, columns: columns) }
        self.source = source
        self.columns = columns
        self.relevantBy = relevantBy
        self.rows = rows
        self.queries = queries
        self.gallery = gallery
        self.labels = labels
    }

    /// The same without some rows, such as those whose pictures can't be read.
    /// - Returns: the plan, and for each of its rows the number it had here.
    /// - Throws: where nothing is left to measure.
    public func without(_ unwanted: Set<Int>) throws(EvaluationError) -> (plan: EvaluationPlan, kept: [Int]) {
        let kept = rows.indices.filter { !unwanted.contains($0) }
        let numbers = Dictionary(uniqueKeysWithValues: kept.enumerated().map { ($1, $0) })
        let plan = try EvaluationPlan(
            source: source, columns: columns, relevantBy: relevantBy, rows: kept.map { rows[$0] },
            queries: queries.compactMap { numbers[$0] }, gallery: gallery.compactMap { numbers[$0] })
        return (plan, kept)
    }
}
