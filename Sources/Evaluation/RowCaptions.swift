import Catalog
public import CLIP
public import Retrieval

/// The captions of a plan's rows, and what is right where texts and pictures look for each other.
///
/// Every different caption is one text: of rows with equal captions all are right. A text belongs, for the bootstrap, to the product of the first
/// row that has it.
public struct RowCaptions: Sendable {
    /// Of each row of the plan; nil for a row without.
    public let ofRow: [String?]
    /// What makes rows right beside an equal caption: rows of a text and rows with an equal value in this column; nil for nothing.
    public let relevantBy: String?

    /// - Parameters:
    ///   - templates: the first that a row has the columns for makes its caption; empty takes the column `caption`.
    ///   - relevantBy: see the property.
    /// - Returns: nil where no template is given and no row has a caption.
    /// - Throws: `.noCaptions` where no row fits a template, `.noColumn`.
    public init?(_ plan: EvaluationPlan, templates: [String], relevantBy: String? = nil) throws(EvaluationError) {
        let templates = templates.map { CaptionTemplate($0) }
        ofRow = plan.rows.map { row in
            templates.isEmpty ? row["caption"] : templates.lazy.compactMap { $0.filled(for: row) }.first
        }
        self.relevantBy = relevantBy
        guard ofRow.contains(where: { $0 != nil }) else {
            if templates.isEmpty { return nil }
            throw .noCaptions(source: plan.source, templates: templates.map(\.text), columns: plan.columns)
        }
        if let relevantBy, !plan.rows.contains(where: { $0[relevantBy] != nil }) {
            throw .noColumn(source: plan.source, column: relevantBy, columns: plan.columns)
        }
    }

    private init(ofRow: [String?], relevantBy: String?) {
        self.ofRow = ofRow
        self.relevantBy = relevantBy
    }

    /// The same for the rows that are left of a plan (see `EvaluationPlan.without`).
    public func keeping(_ rows: [Int]) -> RowCaptions { RowCaptions(ofRow: rows.map { ofRow[$0] }, relevantBy: relevantBy) }

    /// All different captions, in the order of their first rows.
    public var texts: [String] { Self.distinct(ofRow.indices, ofRow) }

    static func distinct(_ rows: some Sequence<Int>, _ captions: [String?]) -> [String] {
        var seen: Set<String> = []
        return rows.compactMap { captions[$0] }.filter { seen.insert($0).inserted }
    }
}

/// The vectors of texts.
public struct TextVectors: Sendable {
    /// Row by text.
    let places: [String: Int]
    /// `[places.count, dimension]`.
    let values: [Float]
    /// How many texts have more tokens than the model reads; what is beyond is not part of their vectors.
    public let cutOff: Int

    /// - Parameter texts: each once.
    /// - Throws: `CLIPError.noTokenizer`, `TorchError`.
    public init(
        _ texts: [String], by embedder: Embedder, batch: Int = 64, progress: (Int, Int) -> Void = { _, _ in }
    ) throws {
        var values: [Float] = []
        var cutOff = 0
        for start in stride(from: 0, to: texts.count, by: batch) {
            let part = Array(texts[start..<min(start + batch, texts.count)])
            let (vectors, lengths) = try embedder.embed(texts: part)
            values.append(contentsOf: vectors)
            cutOff += lengths.count { $0.read < $0.whole }
            progress(start + part.count, texts.count)
        }
        self.init(texts, values: values, cutOff: cutOff)
    }

    init(_ texts: [String], values: [Float], cutOff: Int = 0) {
        places = Dictionary(uniqueKeysWithValues: texts.enumerated().map { ($1, $0) })
        self.values = values
        self.cutOff = cutOff
    }

    func vector(_ text: String, dimension: Int) -> ArraySlice<Float> {
        places[text].map { values[$0 * dimension..<($0 + 1) * dimension] } ?? []
    }
}

/// A search from texts to pictures or from pictures to texts, as rankings.
public struct CrossModalRanking: Sendable {
    public enum Direction: String, Sendable, CaseIterable {
        case textToImage = "text_to_image"
        case imageToText = "image_to_text"
    }

    /// The query of each ranking: its text, or the picture's row of the plan, whose caption is the text.
    public struct Query: Sendable, Equatable {
        /// For a text the first of the plan's queries that has it.
        public let row: Int
        public let text: String
    }

    public let queries: [Query]
    /// The rows that they name are the plan's for pictures, and places in `texts` for texts.
    public let ranked: [RankedQuery]
    /// The texts that are ranked; empty where pictures are.
    public let texts: [String]
    /// Candidates that are ranked.
    public let candidates: Int
    /// What makes candidates relevant beside an equal caption; see `RowCaptions.relevantBy`.
    public let relevantBy: String?
    let products: [String]

    /// - Parameters:
    ///   - vectors: of the plan's rows, `[rows, dimension]`.
    ///   - level: what is ranked for texts; for pictures texts are.
    ///   - top: how many first candidates are kept.
    /// - Returns: nil where no query has a caption, or no candidate.
    /// - Throws: `RetrievalError`.
    init?(
        _ direction: Direction, _ plan: EvaluationPlan, _ captions: RowCaptions, vectors: [Float], dimension: Int,
        textVectors: TextVectors, level: RankingLevel, top: Int
    ) throws(RetrievalError) {
        let asking = plan.queries.filter { captions.ofRow[$0] != nil }
        let texts = RowCaptions.distinct(direction == .textToImage ? asking : plan.gallery, captions.ofRow)
        guard !asking.isEmpty, !texts.isEmpty else { return nil }
        let numbers = Dictionary(uniqueKeysWithValues: texts.enumerated().map { ($1, $0) })
        func value(_ row: Int) -> String? { captions.relevantBy.flatMap { plan.rows[row][$0] } }
        // By text, the first row that has it, and the values of all that have it; by value, the texts.
        var firstRow: [Int: Int] = [:]
        var valuesOfText: [Set<String>] = Array(repeating: [], count: texts.count)
        var textsOfValue: [String: Set<Int>] = [:]
        for row in direction == .textToImage ? asking : plan.gallery {
            guard let text = captions.ofRow[row], let number = numbers[text] else { continue }
            firstRow[number] = firstRow[number] ?? row
            guard let value = value(row) else { continue }
            valuesOfText[number].insert(value)
            textsOfValue[value, default: []].insert(number)
        }
        let textProducts = texts.indices.map { plan.rows[firstRow[$0] ?? 0].productID }
        // The rows of the set: the texts, then the plan's.
        let set = try LabelledVectors(
            vectors: texts.flatMap { textVectors.vector($0, dimension: dimension) } + vectors, dimension: dimension,
            products: textProducts + plan.rows.map(\.productID), labels: texts + captions.ofRow)
        relevantBy = captions.relevantBy
        let shift = texts.count
        let evaluator = Evaluator()
        switch direction {
        case .textToImage:
            var relevant: [[Int]]?
            if captions.relevantBy != nil {
                let pictures = Dictionary(grouping: plan.gallery) { captions.ofRow[$0] }
                let picturesOfValue = Dictionary(grouping: plan.gallery, by: value)
                relevant = texts.indices.map { number in
                    let equal = pictures[texts[number]] ?? []
                    return Set(equal + valuesOfText[number].flatMap { picturesOfValue[$0] ?? [] }).map { $0 + shift }
                }
            }
            queries = texts.indices.map { Query(row: firstRow[$0] ?? 0, text: texts[$0]) }
            ranked = try evaluator.ranked(
                of: set, queries: Array(texts.indices), gallery: plan.gallery.map { $0 + shift }, relevant: relevant,
                level: level, top: top
            ).map { $0.renumbered { $0 - shift } }
            self.texts = []
            candidates = level == .image ? plan.gallery.count : Set(plan.gallery.map { plan.rows[$0].productID }).count
            products = textProducts
        case .imageToText:
            var relevant: [[Int]]?
            if captions.relevantBy != nil {
                relevant = asking.map { row in
                    let own = captions.ofRow[row].flatMap { numbers[$0] }
                    return Array((value(row).flatMap { textsOfValue[$0] } ?? []).union(own.map { [$0] } ?? []))
                }
            }
            queries = asking.map { Query(row: $0, text: captions.ofRow[$0] ?? "") }
            ranked = try evaluator.ranked(
                of: set, queries: asking.map { $0 + shift }, gallery: Array(texts.indices), relevant: relevant, top: top)
            self.texts = texts
            candidates = texts.count
            products = asking.map { plan.rows[$0].productID }
        }
    }

    /// - Throws: `.nothingToMeasure` where nothing right is among the candidates of any query.
    func report() throws(RetrievalError) -> EvaluationReport {
        try EvaluationReport(rankings: ranked.map(\.ranking), products: products, gallery: candidates)
    }
}
