import Catalog
public import Retrieval

/// Everything that one method's vectors are measured by on a plan; encoded, it is the JSON that `evaluate --json` prints of a method.
public struct MethodMeasurement: Sendable {
    /// What is measured beside the figures of pictures against pictures.
    public struct Options: Sendable {
        public var level = RankingLevel.image
        public var slicings: [Slicing] = []
        /// Columns whose shares among the first results are told beside those of the gallery.
        public var skew: [String] = []
        /// How many first results are looked at for the skew, and kept.
        public var top = 10
        public var captions: RowCaptions?

        public init() {}
    }

    /// Shares of attributes among what is shown first.
    public struct Skew: Codable, Sendable, Equatable {
        /// How many first results of each query were looked at.
        public var at: Int
        public var attributes: [AttributeSkew]
    }

    public let plan: EvaluationPlan
    public let level: RankingLevel
    /// Pictures against pictures.
    public var report: EvaluationReport
    /// One for each query of the plan.
    public let ranked: [RankedQuery]
    public let slices: [SliceReport]
    public let skew: Skew?
    /// See `LabelledVectors.meanCosine`.
    public let meanCosine: Double?
    /// Where the plan has captions and the vectors of texts are there.
    public let textToImage: (ranking: CrossModalRanking, report: EvaluationReport)?
    public let imageToText: (ranking: CrossModalRanking, report: EvaluationReport)?
    /// What the latencies of `report` were measured on.
    public var hardware: Hardware?

    /// A mean cosine from which on vectors count as collapsed. CLIP's lie in a cone, too, but its photos of clothes are some 0.6 to 0.8 apart.
    public static let collapsed = 0.98

    public var hasCollapsed: Bool { meanCosine.map { $0 >= Self.collapsed } ?? false }

    /// - Parameters:
    ///   - vectors: of the plan's rows, `[rows, dimension]`, every row of unit length.
    ///   - textVectors: of every caption; nil where the method takes no texts.
    /// - Throws: `RetrievalError`.
    public init(
        of vectors: [Float], dimension: Int, on plan: EvaluationPlan, _ options: Options = Options(),
        textVectors: TextVectors? = nil
    ) throws {
        let set = try LabelledVectors(
            vectors: vectors, dimension: dimension, products: plan.rows.map(\.productID), labels: plan.labels)
        let ranked = try Evaluator().ranked(
            of: set, queries: plan.queries, gallery: plan.gallery, level: options.level, top: options.top)
        // A product is told by its first picture.
        var firstOfProduct: [String: Int] = [:]
        for row in plan.gallery { firstOfProduct[plan.rows[row].productID] = firstOfProduct[plan.rows[row].productID] ?? row }
        let isOfImages = options.level == .image
        let candidates = isOfImages ? plan.gallery : plan.gallery.filter { firstOfProduct[plan.rows[$0].productID] == $0 }
        var report = try EvaluationReport(
            rankings: ranked.map(\.ranking), products: plan.queries.map { plan.rows[$0].productID }, gallery: candidates.count)
        report.duplicates = Evaluator.duplicates(in: set, queries: plan.queries, gallery: plan.gallery)
        self.plan = plan
        level = options.level
        self.report = report
        self.ranked = ranked
        slices = options.slicings.map { $0.report(plan, ranked) }
        skew =
            options.skew.isEmpty
            ? nil
            : Skew(
                at: options.top,
                attributes: options.skew.map { column in
                    func value(_ row: Int) -> String {
                        let row = isOfImages ? row : firstOfProduct[plan.rows[row].productID] ?? row
                        return plan.rows[row][column] ?? "(none)"
                    }
                    return AttributeSkew(
                        attribute: column, first: ranked.map { $0.first.map { value($0.row) } }, gallery: candidates.map(value))
                })
        meanCosine = set.meanCosine
        func across(_ direction: CrossModalRanking.Direction) throws -> (CrossModalRanking, EvaluationReport)? {
            guard let captions = options.captions, let textVectors,
                let ranking = try CrossModalRanking(
                    direction, plan, captions, vectors: vectors, dimension: dimension, textVectors: textVectors,
                    level: options.level, top: options.top),
                // Captions of which none is found again can't be measured; pictures can.
                ranking.ranked.contains(where: { $0.ranking.relevantCount > 0 })
            else { return nil }
            return (ranking, try ranking.report())
        }
        textToImage = try across(.textToImage).map { (ranking: $0.0, report: $0.1) }
        imageToText = try across(.imageToText).map { (ranking: $0.0, report: $0.1) }
    }

    /// Columns whose skew is told where nobody says anything.
    public static func standardSkew(of plan: EvaluationPlan) -> [String] {
        ["category", "gender", "color", "brand"].filter { column in Set(plan.rows.compactMap { $0[column] }).count > 1 }
    }
}

extension MethodMeasurement: Encodable {
    private enum Keys: String, CodingKey {
        case level, slices, skew, hardware
        case relevantBy = "relevant_by"
        case textRelevantBy = "text_relevant_by"
        case meanCosine = "mean_cosine"
        case textToImage = "text_to_image"
        case imageToText = "image_to_text"
    }

    /// The figures of pictures against pictures stand at the root, where they always stood.
    public func encode(to encoder: any Encoder) throws {
        try report.encode(to: encoder)
        var container = encoder.container(keyedBy: Keys.self)
        try container.encode(level, forKey: .level)
        try container.encode(plan.relevantBy, forKey: .relevantBy)
        try container.encodeIfPresent(meanCosine, forKey: .meanCosine)
        if !slices.isEmpty { try container.encode(slices, forKey: .slices) }
        try container.encodeIfPresent(skew, forKey: .skew)
        if let texts = textToImage ?? imageToText {
            try container.encode(texts.ranking.relevantBy ?? "caption", forKey: .textRelevantBy)
        }
        try container.encodeIfPresent(textToImage?.report, forKey: .textToImage)
        try container.encodeIfPresent(imageToText?.report, forKey: .imageToText)
        try container.encodeIfPresent(hardware, forKey: .hardware)
    }
}
