import ArgumentParser
import Catalog
import CLIP
import Evaluation
import Foundation
import Training

struct MineCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "mine",
        abstract: "Write which products a model takes for each other, for a recipe that trains on hard negatives.",
        discussion:
            "Rows with split train count, or all where no row has a split. A recipe reads the file as \"batch\": {\"sampler\": \"mined\", \"negatives\": FILE, …}."
    )

    @Option(help: "A data folder.")
    var data: String

    @OptionGroup var model: ModelOption
    @OptionGroup var embedding: EmbeddingOptions

    @Option(help: "The file to write, JSON Lines.")
    var out: String

    @Option(help: "The column whose values keep products together.")
    var category = "category"

    @Option(help: "Negatives of a product at most.")
    var count = 20

    @Option(help: "The cosine from which two pictures count as nearly the same one, and are no negatives.")
    var duplicate: Float = 0.98

    @OptionGroup var output: OutputOption

    func validate() throws {
        guard (1...1000).contains(count) else { throw ValidationError("--count is \(count), expected 1 to 1000.") }
        guard (-1...1.01).contains(duplicate) else {
            throw ValidationError("--duplicate is \(duplicate), expected a cosine, -1 to 1.")
        }
    }

    func run() throws {
        let dataset = try Dataset(named: data)
        Console.tell(problems: dataset.problems, remarks: dataset.remarks)
        let rows = TrainingData.rows(of: dataset)
        guard Set(rows.map(\.productID)).count > 1 else {
            throw Failure.data("\(dataset.source) has no two products to train on: nothing could be a negative.")
        }
        let location = try model.locate()
        let embedder = try embedding.embedder(location.open(), name: location.name)
        let vectors = try RowEmbedding(of: rows.map(\.path), broken: .refused, batch: embedding.batch).vectors(
            by: embedder, progress: ProgressBar("embedding").show
        ).values
        let bar = ProgressBar("comparing")
        let (negatives, duplicates) = try HardNegatives.mined(
            from: rows, vectors: vectors, dimension: embedder.embeddingSize, category: category, count: count,
            duplicate: duplicate, progress: { bar.show($0, of: $1) })
        try negatives.jsonLines.write(to: URL(fileURLWithPath: out), options: .atomic)
        let pairs = negatives.lines.reduce(0) { $0 + $1.negatives.count }
        let alone = negatives.lines.count { $0.negatives.isEmpty }
        if output.json {
            try Console.printJSON(
                Summary(
                    products: negatives.lines.count, negatives: pairs, withoutNegatives: alone, nearDuplicates: duplicates,
                    file: out))
        } else {
            Console.note(
                "\(negatives.lines.count) products with \(pairs) hard negatives written to \(out); \(alone) have none, and \(duplicates) pairs that look the same were left out"
            )
        }
    }

    private struct Summary: Encodable {
        let products: Int
        let negatives: Int
        let withoutNegatives: Int
        let nearDuplicates: Int
        let file: String
    }
}
