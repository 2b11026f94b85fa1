import Catalog
import CLIP
import Foundation
import Retrieval
import Torch

/// What a run on a catalogue changed: the products kept for validation, each picture asking for the others of its product, before and after.
enum BeforeAndAfter {
    static func tell(of dataset: Dataset, before: String, after: String, device: Device) throws {
        let rows = dataset.rows(where: "split", is: "val")
        guard rows.count > 1 else {
            return Console.note("No product was kept for validation, so nothing tells what the run changed.")
        }
        print(
            "\(rows.count) pictures of \(Set(rows.map(\.productID)).count) products that were not trained on, each asking for the others of its product"
        )
        print("| | R@1 | interval | R@5 | R@10 | mAP |")
        print("|---|---|---|---|---|---|")
        var firsts: [EvaluationReport] = []
        for (title, name) in [("before", before), ("after", after)] {
            let checkpoint = try ModelLocation(name).open()
            let embedder = try Embedder(checkpoint: checkpoint, device: device)
            let vectors = try RowEmbedding.vectors(of: rows, by: embedder)
            let set = try LabelledVectors(
                vectors: vectors, dimension: embedder.embeddingSize, products: rows.map(\.productID),
                labels: rows.map(\.productID))
            let all = Array(rows.indices)
            let report = try Evaluator().report(on: set, queries: all, gallery: all)
            firsts.append(report)
            func figure(_ value: Double?) -> String { value.map { String(format: "%.3f", $0) } ?? "" }
            let interval = report.intervals.recallAt[1].map { "\(figure($0.low))–\(figure($0.high))" } ?? ""
            print(
                "| \(title) | \(figure(report.recallAt[1])) | \(interval) | \(figure(report.recallAt[5])) | \(figure(report.recallAt[10])) | \(figure(report.meanAveragePrecision)) |"
            )
        }
        if firsts[1].meanAveragePrecision <= firsts[0].meanAveragePrecision {
            print(
                "The run made nothing better on these products: keep \(before), or give it more products and more pictures of each."
            )
        } else {
            print(
                "These products chose the best epoch too: expect a little less of new ones. `embed --model \(after)` puts the new vectors into the catalogue."
            )
        }
    }
}
