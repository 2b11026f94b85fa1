import ArgumentParser
import Catalog
import Foundation
import Imaging

struct ImportCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "import", abstract: "Bring products and pictures into a catalogue.",
        discussion: """
            SOURCE is a folder (with manifest.jsonl, manifest.csv or catalog.json, or just pictures in sub-folders), or one of these files. \
            Files stay where they are. Importing again takes in what is new or changed; it goes on where a killed import ended.
            """)

    @Argument(help: "A folder or a manifest.")
    var source: String

    @OptionGroup var catalog: CatalogOption
    @OptionGroup var output: OutputOption

    @Option(help: "Take only products with so many readable pictures.")
    var minImages = 1

    @Option(help: "Only rows of this split: train, val, query or gallery; repeat it for more.")
    var split: [String] = []

    @Flag(help: "Remove pictures of this source that are in it no more.")
    var prune = false

    @Flag(help: "End with 65 if a row or a picture is bad.")
    var strict = false

    /// A picture is good if all of it can be decoded.
    static let inspect: PictureInspector = { bytes, _ in
        let image = try ImageDecoder.decode(bytes)
        return PictureSize(width: image.width, height: image.height)
    }

    func validate() throws {
        let known = ["train", "val", "query", "gallery"]
        if let wrong = split.first(where: { !known.contains($0) }) {
            throw ValidationError("--split is \(wrong), expected one of \(known.joined(separator: ", "))")
        }
    }

    func run() throws {
        let interrupt = Interrupt()
        let store = try CatalogStore(path: catalog.path, mode: .create)
        let bar = ProgressBar("importing")
        let report = try store.importCatalog(
            from: URL(fileURLWithPath: source), options: ImportOptions(minImages: minImages, prune: prune, splits: Set(split)),
            inspect: Self.inspect, progress: { bar.show($0.done, of: $0.total) }, shouldStop: { interrupt.isRequested })
        Console.warn(all: report.problems.map(\.description))
        if output.json {
            try Console.printJSON(report)
        } else {
            print(
                "\(report.productsAdded) products added, \(report.productsUpdated) updated; \(report.imagesAdded) images added, "
                    + "\(report.imagesUnchanged) unchanged, \(report.imagesRenamed) renamed, \(report.imagesChanged) changed; "
                    + "\(report.problems.count) problems")
        }
        if report.stopped {
            Console.note("Stopped; what was imported is kept. The same command goes on.")
            throw ExitCode.interrupted
        }
        if !report.hasGoodImages { throw Failure.data("Nothing of \(source) could be imported.") }
        if strict && !report.problems.isEmpty {
            throw Failure.data("\(source) has \(report.problems.count) bad rows or pictures, and --strict admits none.")
        }
    }
}
