import ArgumentParser
import CLIP
import Catalog
import Foundation
import Imaging
import Inference
import Search

struct DuplicatesCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "duplicates", abstract: "List pictures and products that are nearly the same.",
        discussion: """
            The vectors of a model propose pairs, and small versions of the two pictures decide: a picture that was saved again, scaled or lightly \
            retouched is found, one garment in two colours is not. Nothing is changed.
            """)

    @OptionGroup var catalog: CatalogOption
    @OptionGroup var output: OutputOption

    @Option(help: "Whose vectors propose pairs; where left out, the model with the most of them.")
    var model: String?

    @Option(help: "Cosine similarity from which two pictures are compared.")
    var score = DuplicateSearch.standardScore

    @Option(help: "Mean difference of colour, 0 to 1, up to which two pictures are nearly the same.")
    var difference = DuplicateSearch.standardDifference

    @OptionGroup var pictures: PixelsOption

    func validate() throws {
        guard (0...1).contains(score) else { throw ValidationError("--score is \(score), expected 0 to 1") }
        guard (0...1).contains(difference) else { throw ValidationError("--difference is \(difference), expected 0 to 1") }
    }

    func run() async throws {
        let interrupt = Interrupt()
        let store = try CatalogStore(path: catalog.path, mode: .readOnly)
        let (fingerprint, name) = try chosen(in: store)
        guard let record = try store.models().first(where: { $0.fingerprint == fingerprint }) else {
            throw Failure.data("The catalogue \(store.path) has no vectors of \(name); make them with `stylefinder embed`.")
        }
        let live = try LiveCatalog(store)
        let bar = ProgressBar("comparing")
        let limits = pictures.limits
        let report = try await DuplicateSearch(live, live.index(of: record), score: score, difference: difference).run(
            read: { try ImageDecoder.decode(contentsOfFile: $0.path, limits: limits) }, progress: { bar.show($0, of: $1) },
            shouldStop: { interrupt.isRequested })
        if report.unreadable > 0 { Console.warn("\(report.unreadable) pictures could not be opened and are not listed") }
        if output.json { try Console.printJSON(Listing(report, name, store)) } else { try tell(report, store) }
        if report.stopped {
            Console.note("Stopped; the list is of the pictures until here.")
            throw ExitCode.interrupted
        }
    }

    /// The vectors of any model will do: a model's files are not needed.
    private func chosen(in store: CatalogStore) throws -> (fingerprint: String, name: String) {
        if let model {
            let location = try ModelLocation(model)
            return (try store.fingerprint(of: Checkpoint(path: location.path)), location.name)
        }
        let counts = try store.counts().vectors
        let models = try store.models().filter { counts[$0.fingerprint, default: 0] > 0 }
        // Of several the one with the most pictures, and of these the one that was there first.
        guard let best = models.max(by: { counts[$0.fingerprint, default: 0] < counts[$1.fingerprint, default: 0] }) else {
            throw Failure.data("The catalogue \(store.path) has no vectors; make them with `stylefinder embed`.")
        }
        return (best.fingerprint, best.name)
    }

    private func tell(_ report: DuplicateReport, _ store: CatalogStore) throws {
        let products = try store.products(Set(report.groups.flatMap { $0.images.map(\.productID) }))
        for group in report.groups {
            print("nearly the same, from \(String(format: "%.3f", group.score)):")
            for image in group.images {
                let title = products[image.productID]?.title.map { ", \($0)" } ?? ""
                print("  \(image.path)  (product \(image.productID)\(title))")
            }
        }
        for pair in report.products {
            print("products \(pair.first) and \(pair.second): \(pair.shared) of \(pair.of) pictures are nearly the same")
        }
        print(
            "\(report.compared) pictures compared: \(report.groups.count) groups of near-duplicates, \(report.products.count) pairs of products"
        )
    }

    private struct Listing: Encodable {
        struct Group: Encodable {
            let score: Double
            let items: [Item]
        }

        struct Item: Encodable {
            let productId: String
            let title: String?
            let imageId: ImageID
            let path: String
        }

        struct Pair: Encodable {
            let productIds: [String]
            let shared: Int
            let of: Int
        }

        let model: String
        let compared: Int
        let unreadable: Int
        let duplicates: [Group]
        let products: [Pair]

        init(_ report: DuplicateReport, _ model: String, _ store: CatalogStore) throws {
            let known = try store.products(Set(report.groups.flatMap { $0.images.map(\.productID) }))
            self.model = model
            compared = report.compared
            unreadable = report.unreadable
            duplicates = report.groups.map { group in
                Group(
                    score: group.score,
                    items: group.images.map {
                        Item(productId: $0.productID, title: known[$0.productID]?.title, imageId: $0.id, path: $0.path)
                    })
            }
            products = report.products.map { Pair(productIds: [$0.first, $0.second], shared: $0.shared, of: $0.of) }
        }
    }
}
