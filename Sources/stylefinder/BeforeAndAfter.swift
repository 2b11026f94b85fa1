import Catalog
import CLIP
import Evaluation
import Foundation
import Retrieval
import Torch

/// What a run on a catalogue changed: the products kept for validation, each picture asking for the others of its product, before and after.
enum BeforeAndAfter {
    static func tell(of dataset: Dataset, before: String, after: String, device: Device) throws {
        guard dataset.rows.contains(where: { $0["split"] == "val" }) else {
            return Console.note("No product was kept for validation, so nothing tells what the run changed.")
        }
        let plan = try EvaluationPlan(dataset, .init(split: .val))
        let products = Set(plan.rows.map(\.productID)).count
        print(
            "\(plan.rows.count) pictures of \(products) products that were not trained on, each a query for the others of its product"
        )
        print("| | R@1 | interval | R@5 | R@10 | mAP |")
        print("|---|---|---|---|---|---|")
        let measured = try [("before", before), ("after", after)].map { title, name in
            let embedder = try Embedder(checkpoint: try ModelLocation(name).open(), device: device)
            let vectors = try RowEmbedding(of: plan.rows.map(\.path), broken: .refused).vectors(
                by: embedder, progress: ProgressBar("embedding").show)
            let measurement = try MethodMeasurement(of: vectors.values, dimension: embedder.embeddingSize, on: plan)
            let report = measurement.report
            let figures =
                [EvaluateCommand.number(report.recallAt[1]), report.intervals.recallAt[1].map(EvaluateCommand.range) ?? ""]
                + [report.recallAt[5], report.recallAt[10], report.meanAveragePrecision].map(EvaluateCommand.number)
            print("| \(([title] + figures).joined(separator: " | ")) |")
            return measurement
        }
        let comparison = MethodComparison(measured[0], measured[1], examples: 0)
        guard let precision = comparison.differences.first(where: { $0.figure == .meanAveragePrecision })?.difference else {
            return
        }
        switch (precision.difference > 0, precision.isBeyondChance) {
        case (true, true):
            print("mAP rose beyond chance. These products chose the best epoch too: expect a little less of new ones.")
        case (true, false): print("mAP rose, but not beyond chance: more products with several pictures would tell.")
        case (false, _):
            print(
                "The run made nothing better on these products: keep \(before), or give it more of them, with more pictures each."
            )
        }
        if precision.difference > 0 { print("`stylefinder embed --model \(after)` puts the new vectors into the catalogue.") }
    }
}
