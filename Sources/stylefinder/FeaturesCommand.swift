import ArgumentParser
import Catalog
import CLIP
import Evaluation
import Foundation
import Retrieval

struct FeaturesCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "features", abstract: "Write the vectors of a data folder's pictures to a file.",
        discussion: "Rows stand in the manifest's order, duplicates kept. A picture that can't be read ends the command with 65.")

    @Option(help: "A data folder.")
    var data: String

    @OptionGroup var model: ModelOption
    @OptionGroup var embedding: EmbeddingOptions

    @Option(help: "train, val, query, gallery or all.")
    var split = "all"

    @Option(help: "The file to write, .safetensors or .pt.")
    var out: String

    func validate() throws {
        guard EmbeddingFile.Format(path: out) != nil else {
            throw ValidationError("--out is \(out), expected a name that ends with .safetensors or .pt.")
        }
    }

    func run() throws {
        let dataset = try Dataset(named: data)
        Console.tell(problems: [], remarks: dataset.remarks)
        if let problem = dataset.problems.first { throw Failure.data(problem.description) }
        let rows = split == "all" ? dataset.rows : dataset.rows(where: "split", is: split)
        guard !rows.isEmpty else { throw Failure.data("\(dataset.source) has no row with split \(split).") }
        let location = try model.locate()
        let checkpoint = try location.open()
        checkpoint.startFingerprint()
        let bar = ProgressBar("embedding")
        let vectors = try RowEmbedding(of: rows.map(\.path), broken: .refused, batch: embedding.batch).vectors(
            by: embedding.embedder(checkpoint, name: location.name), progress: bar.show
        ).values
        let file = try EmbeddingFile(
            names: rows.map(\.image), vectors: vectors, dimension: checkpoint.configuration.embeddingSize, model: location.name,
            fingerprint: checkpoint.fingerprint)
        try file.write(to: out)
        // What was written is what will be read.
        guard try EmbeddingFile(path: out) == file else {
            throw Failure(description: "\(out) reads back otherwise than it was written.", code: .inputOutput)
        }
        Console.note("\(rows.count) vectors of \(file.dimension) written to \(out)")
    }
}
