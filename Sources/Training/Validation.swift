public import Catalog
public import CLIP
public import Evaluation
import Retrieval

/// The figures that choose the best epoch: leave-one-out over the `val` rows, by columns that a recipe names, and captions that ask for
/// rows.
public struct Validation: Sendable {
    private let paths: [String]
    /// By figure and row: the value that makes rows relevant, nil where the row has none.
    private let values: [[String?]]
    /// By figure and row: whether the row's value asks.
    private let asks: [[Bool]]
    private let figures: [Recipe.Figure]

    /// - Parameter datasets: their `val` rows count, each dataset's ids for themselves.
    public init(_ datasets: [Dataset], figures: [Recipe.Figure]) {
        let rows = datasets.enumerated().flatMap { index, dataset in
            dataset.rows(where: "split", is: "val").map { (index, $0) }
        }
        paths = rows.map(\.1.path)
        values = figures.map { figure in
            rows.map { index, row in
                // A product belongs to its dataset; a label such as "Dress" means the same everywhere.
                row[figure.relevantBy].map { figure.relevantBy == "product_id" ? "\(index)/\($0)" : $0 }
            }
        }
        asks = figures.map { figure in rows.map { index, _ in figure.folder.map { $0 == index + 1 } ?? true } }
        self.figures = figures
    }

    public var rows: Int { paths.count }

    /// Whether a figure needs a model that reads texts.
    var asksTexts: Bool { figures.contains { $0.texts != nil } && rows > 0 }

    /// The photos' vectors, those that can be read.
    /// - Parameter unreadable: told about each of the others.
    public func vectors(by embedder: Embedder, unreadable: (String) -> Void = { _ in }) throws -> RowEmbedding.Vectors {
        let found = try RowEmbedding(of: paths, broken: .leftOut, batch: 64).vectors(by: embedder)
        for (_, error) in found.unreadable { unreadable("\(error)") }
        return found
    }

    /// Every figure by its name, and the mean of those that count under `score`. A photo that can't be read is left out.
    /// - Parameters:
    ///   - found: the photos' vectors where they were made before, by an image tower that is the same.
    ///   - unreadable: told about each photo that can't be read.
    public func measure(
        _ embedder: Embedder, vectors found: RowEmbedding.Vectors? = nil, unreadable: (String) -> Void = { _ in }
    ) throws -> [String: Double] {
        let found = try found ?? vectors(by: embedder, unreadable: unreadable)
        let (vectors, kept) = (found.values, found.kept)
        if kept.isEmpty { return [:] }
        var results: [String: Double] = [:]
        var counted: [Double] = []
        for (number, figure) in figures.enumerated() {
            let values = kept.map { self.values[number][$0] }
            let asks = kept.map { self.asks[number][$0] }
            let value =
                try figure.texts.map {
                    try precision(of: $0, figure.relevantBy, embedder, vectors: vectors, values: values, asks: asks)
                } ?? meanAveragePrecision(embedder, vectors: vectors, ids: kept.map { paths[$0] }, values: values, asks: asks)
            guard let value else { continue }
            results[figure.name] = value
            if figure.counts { counted.append(value) }
        }
        if !counted.isEmpty { results["score"] = counted.reduce(0, +) / Double(counted.count) }
        return results
    }

    /// Rows ask for rows of the same value, themselves left out. Rows without a value, or alone with theirs, ask nothing.
    /// - Returns: nil where no row asks.
    private func meanAveragePrecision(
        _ embedder: Embedder, vectors: [Float], ids: [String], values: [String?], asks: [Bool]
    ) throws -> Double? {
        // A row that does not ask is no answer either: what is relevant in a figure of one folder lies in it.
        let labels = zip(values, asks).map { $1 ? $0 : nil }
        let set = try LabelledVectors(vectors: vectors, dimension: embedder.embeddingSize, products: ids, labels: labels)
        let rankings = try Evaluator().rankings(of: set, queries: Array(labels.indices), gallery: Array(labels.indices))
        let precisions = rankings.filter { $0.relevantCount > 0 }.map(\.averagePrecision)
        return precisions.isEmpty ? nil : precisions.reduce(0, +) / Double(precisions.count)
    }

    /// Every value that asks becomes a caption, and the first rows that it finds are right where they have the value. Rows without one are no answers:
    /// nobody knows whether they would be right.
    /// - Returns: precision among the first `texts.at`, the mean over the values; nil where no value asks.
    private func precision(
        of texts: Recipe.Figure.Texts, _ column: String, _ embedder: Embedder, vectors: [Float], values: [String?], asks: [Bool]
    ) throws -> Double? {
        let asked = Set(zip(values, asks).compactMap { $1 ? $0 : nil }).sorted()
        let captions = asked.compactMap { value in
            CaptionTemplate(texts.template).filled { $0 == column ? value : nil }.map { (value: value, text: $0) }
        }
        if captions.isEmpty { return nil }
        let questions = try embedder.embed(texts: captions.map(\.text)).vectors
        let size = embedder.embeddingSize
        let judged = values.indices.filter { values[$0] != nil }
        let precisions = captions.enumerated().map { number, caption in
            let question = questions[(number * size)..<((number + 1) * size)]
            let scores = judged.map { row in
                zip(question, vectors[(row * size)..<((row + 1) * size)]).reduce(Float(0)) { $0 + $1.0 * $1.1 }
            }
            return Ranking(scores: scores, relevance: judged.map { values[$0] == caption.value }).precision(at: texts.at)
        }
        return precisions.reduce(0, +) / Double(precisions.count)
    }
}
