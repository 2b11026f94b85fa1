public import Catalog
public import CLIP
import Imaging
import Retrieval

/// The figures that choose the best epoch: leave-one-out over the `val` rows, by columns that a recipe names.
public struct Validation: Sendable {
    private let paths: [String]
    private let labels: [[String?]]
    private let figures: [Recipe.Figure]

    /// - Parameter datasets: their `val` rows count, each dataset's ids for themselves.
    public init(_ datasets: [Dataset], figures: [Recipe.Figure]) {
        let rows = datasets.enumerated().flatMap { index, dataset in
            dataset.rows(where: "split", is: "val").map { (index, $0) }
        }
        paths = rows.map(\.1.path)
        labels = figures.map { figure in
            rows.map { index, row in
                if let folder = figure.folder, folder != index + 1 { return nil }
                // A product belongs to its dataset; a label such as "Dress" means the same everywhere.
                return row[figure.relevantBy].map { figure.relevantBy == "product_id" ? "\(index)/\($0)" : $0 }
            }
        }
        self.figures = figures
    }

    public var rows: Int { paths.count }

    /// mAP by each figure's column, and their mean under `score`. Rows without a value, or alone with theirs, ask nothing; a column in
    /// which no two rows agree has no figure. A photo that can't be read is left out.
    /// - Parameter unreadable: told about each such photo.
    public func measure(_ embedder: Embedder, unreadable: (String) -> Void = { _ in }) throws -> [String: Double] {
        var vectors: [Float] = []
        var kept: [Int] = []
        for start in stride(from: 0, to: paths.count, by: 64) {
            var images: [RGBImage] = []
            for place in start..<min(start + 64, paths.count) {
                do throws(ImageError) {
                    images.append(try ImageDecoder.decode(contentsOfFile: paths[place], limits: .ownFiles))
                    kept.append(place)
                } catch {
                    unreadable("\(error)")
                }
            }
            vectors.append(contentsOf: try embedder.embed(images: images))
        }
        if kept.isEmpty { return [:] }
        var results: [String: Double] = [:]
        var sum = 0.0
        for (figure, labels) in zip(figures, labels) {
            let set = try LabelledVectors(
                vectors: vectors, dimension: embedder.embeddingSize, products: kept.map { paths[$0] },
                labels: kept.map { labels[$0] })
            let rankings = try Evaluator().rankings(of: set, queries: Array(kept.indices), gallery: Array(kept.indices))
            let precisions = rankings.filter { $0.relevantCount > 0 }.map(\.averagePrecision)
            if precisions.isEmpty { continue }
            let value = precisions.reduce(0, +) / Double(precisions.count)
            results[figure.name] = value
            sum += value
        }
        if !results.isEmpty { results["score"] = sum / Double(results.count) }
        return results
    }
}
