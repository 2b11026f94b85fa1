public import ArgumentParser
import Catalog
import Foundation
import Imaging
import Inference
public import Search

struct SearchCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "search", abstract: "Find the garments that look most like a picture, or fit a text.")

    @Argument(help: "A picture.")
    var image: String?

    @Option(help: "A description, instead of a picture.")
    var text: String?

    @OptionGroup var catalog: CatalogOption

    @Option(
        help:
            "The name of a shipped or fetched model, a model folder, a checkpoint file, or a run; where left out, the one that the catalogue has vectors of."
    )
    var model: String?

    @OptionGroup var output: OutputOption

    @Option(name: .long, help: "key=value, price=10..50; repeat it for more. The same key twice widens, another key narrows.")
    var filter: [String] = []

    @Option(name: .short, help: "How many results, 1 to 200.")
    var k = 10

    @Option(help: "Least cosine similarity, -1 to 1.")
    var minScore: Double?

    @Option(help: "product: each garment once; image: every picture.")
    var groupBy: SearchQuery.Grouping = .product

    @OptionGroup var pictures: PixelsOption

    func validate() throws {
        if (image == nil) == (text == nil) { throw ValidationError("Give either a picture or --text.") }
        guard SearchQuery.limits.contains(k) else { throw ValidationError("-k is \(k), expected 1 to 200.") }
    }

    func run() async throws {
        let subject: SearchQuery.Subject
        if let image {
            subject = .image(try ImageDecoder.decode(contentsOfFile: Failure.path(named: image), limits: pictures.limits))
        } else {
            subject = .text(text ?? "")
        }
        let conditions = try CatalogFilter(filter)
        let store = try CatalogStore(path: catalog.path, mode: .readOnly)
        let location = try model.map { try ModelLocation($0) } ?? Serving.onlyModelWithVectors(in: store)
        let session = try EncoderSession(checkpoint: location.path, name: location.name, catalog: store)
        let engine = try SearchEngine(catalog: store, encoder: session)
        let response = try await engine.search(
            SearchQuery(subject, limit: k, filter: conditions, minimumScore: minScore, grouping: groupBy))
        if let tokens = response.textTokens, let read = response.textTokensRead {
            Console.warn(
                "the text has \(tokens) tokens, and \(location.name) reads \(read): its end was left out of the search")
        }
        if output.json { return try Console.printJSON(response) }
        if response.results.isEmpty { print("Nothing in the catalogue fits.") }
        var isClose = true
        for result in response.results {
            if isClose, let line = response.closeMatchScore, result.score < line {
                isClose = false
                let place = result.rank == 1 ? "No close match" : "No close matches from here on"
                print("\(place): different products of this catalogue reach \(String(format: "%.3f", line)).")
            }
            let title = [result.product.title, result.image.color, result.image.view].compactMap { $0 }.joined(separator: ", ")
            print(
                "\(result.rank). \(String(format: "%.3f", result.score))  \(result.product.id)  \(title)\n   \(result.image.path)"
            )
        }
    }
}

extension SearchQuery.Grouping: ExpressibleByArgument {}
