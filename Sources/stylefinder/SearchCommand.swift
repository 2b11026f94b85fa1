public import ArgumentParser
import Catalog
import Foundation
public import Imaging
import Inference
public import Search

struct SearchCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "search", abstract: "Find the garments that look most like pictures, fit a text, or both.",
        discussion: """
            Several pictures and texts are added up; --not takes away. Words of a text are looked for in titles, categories, brands and attributes as \
            well. --batch asks many such questions at once: each line of the file is an object with image (a list of paths), text, not_image, \
            not_text, product_id, image_id, crop, filter, sort, k and so on, and one answer a line comes out.
            """)

    @Argument(help: "Pictures.")
    var image: [String] = []

    @Option(help: "A description, alone or beside pictures.")
    var text: String?

    @Option(
        parsing: .singleValue,
        help: "A picture or a text that results should be less like; repeat it for more. What names a file is a picture.")
    var not: [String] = []

    @Option(
        help:
            "The part of a picture that counts: x,y,width,height in fractions. The first belongs to the first picture, and so on."
    )
    var crop: [PictureRegion] = []

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

    @Option(help: "What decides about a text: both, its words alone, or the model's vectors alone.")
    var by: SearchQuery.Basis = .both

    @Option(help: "relevance, price, -price, newest or stock: the order of what is relevant.")
    var sort: SearchQuery.Sorting = .relevance

    @Option(help: "How much a result that resembles those before it loses, 0 to 1.")
    var diversity = 0.0

    @Option(help: "A file of questions, one JSON object a line; - for standard input.")
    var batch: String?

    @OptionGroup var precision: PrecisionOption

    @OptionGroup var exact: ExactOption

    @OptionGroup var pictures: PixelsOption

    func validate() throws {
        if batch != nil {
            guard image.isEmpty, text == nil, not.isEmpty, crop.isEmpty else {
                throw ValidationError("Give either --batch or a question of pictures and texts.")
            }
        } else if image.isEmpty, text == nil {
            throw ValidationError("Give pictures, --text, both, or --batch.")
        }
        guard crop.count <= image.count else {
            throw ValidationError("--crop is given \(crop.count) times for \(image.count) pictures.")
        }
        guard SearchQuery.limits.contains(k) else { throw ValidationError("-k is \(k), expected 1 to 200.") }
        guard (0...1).contains(diversity) else { throw ValidationError("--diversity is \(diversity), expected 0 to 1.") }
    }

    func run() async throws {
        if let batch { return try await answer(batch: batch) }
        let query = try query()
        let (engine, name) = try engine()
        let response = try await engine.search(query)
        if let tokens = response.textTokens, let read = response.textTokensRead {
            Console.warn("the text has \(tokens) tokens, and \(name) reads \(read): its end was left out of the search")
        }
        if let unknown = response.unknownWords, !unknown.isEmpty {
            Console.note("note: nothing in the catalogue has the words: \(unknown.joined(separator: ", "))")
        }
        if output.json { return try Console.printJSON(response) }
        Self.show(response)
    }

    private func query() throws -> SearchQuery {
        var terms: [SearchQuery.Term] = []
        for (place, path) in image.enumerated() {
            let picture = try picture(path)
            terms.append(.init(.image(place < crop.count ? picture.cropped(to: crop[place]) : picture)))
        }
        if let text { terms.append(.init(.text(text))) }
        for not in not {
            let isFile = FileManager.default.fileExists(atPath: not)
            terms.append(.init(isFile ? .image(try picture(not)) : .text(not), weight: -Self.unwantedWeight))
        }
        return try options(terms)
    }

    /// As much as the server takes off for what is not wanted.
    static let unwantedWeight = 0.5

    /// A query with everything that the command line says beside its terms.
    func options(_ terms: [SearchQuery.Term]) throws -> SearchQuery {
        var query = SearchQuery(
            terms, limit: k, filter: try CatalogFilter(filter), minimumScore: minScore, grouping: groupBy)
        query.basis = by
        query.sorting = sort
        query.diversity = diversity
        return query
    }

    func picture(_ path: String) throws -> RGBImage {
        try ImageDecoder.decode(contentsOfFile: Failure.path(named: path), limits: pictures.limits)
    }

    /// What answers, and what its model is called.
    func engine() throws -> (SearchEngine, String) {
        let store = try CatalogStore(path: catalog.path, mode: .readOnly)
        let location = try model.map { try ModelLocation($0) } ?? Serving.onlyModelWithVectors(in: store)
        let session = try EncoderSession(
            checkpoint: location.path, name: location.name, catalog: store, precision: precision.choice)
        PrecisionOption.note(session.trial, of: location.name)
        return (try SearchEngine(LiveCatalog(store, form: exact.form) { Console.warn($0) }, encoder: session), location.name)
    }

    private static func show(_ response: SearchResponse) {
        if response.results.isEmpty { print("Nothing in the catalogue fits.") }
        var isClose = true
        for result in response.results {
            if isClose, let line = response.closeMatchScore, result.score < line {
                isClose = false
                let place = result.rank == 1 ? "No close match" : "No close matches from here on"
                print("\(place): different products of this catalogue reach \(String(format: "%.3f", line)).")
            }
            let title = [result.product.title, result.image.color, result.image.view].compactMap { $0 }.joined(separator: ", ")
            let words = result.words.map { "  [\($0.matched.joined(separator: ", "))]" } ?? ""
            print(
                "\(result.rank). \(String(format: "%.3f", result.score))  \(result.product.id)  \(title)\(words)\n   \(result.image.path)"
            )
        }
    }
}

extension SearchQuery.Grouping: ExpressibleByArgument {}
extension SearchQuery.Basis: ExpressibleByArgument {}
extension SearchQuery.Sorting: ExpressibleByArgument {}

extension PictureRegion: ExpressibleByArgument {
    public init?(argument: String) { self.init(argument) }
}
