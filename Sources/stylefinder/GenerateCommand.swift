import ArgumentParser
import Atelier
import Foundation

struct GenerateCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "generate", abstract: "Draw a catalogue of garments that nobody owns.",
        discussion: """
            DIR becomes a data folder: pictures and manifest.jsonl, with splits as in DeepFashion's In-shop. The same numbers give the same \
            catalogue. An interrupted run goes on where it ended. With --layout inshop DIR has the official files of In-shop instead, for \
            `prepare-inshop`.
            """)

    @Argument(help: "A new folder, or one generated with the same options.")
    var folder: String

    @Option(help: "How many garments, 1 to 100000; each comes in 1 to 4 colours.")
    var garments = 360

    @Option(help: "Pictures per garment and colour, 2 to 12.")
    var views = 4

    @Option(
        help: "Width of the pictures in pixels, 48 to 1536; the height is a third more. Where left out, 384, and 192 for inshop.")
    var width: Int?

    @Option(help: "Another number draws other garments.")
    var seed: UInt64 = 7

    @Flag(help: "Only query and gallery pictures, nothing to train on.")
    var testOnly = false

    @Option(
        help: "catalogue: a data folder; inshop: the official files of In-shop, with square pictures.",
        transform: { try choice($0, of: "--layout") })
    var layout: BoutiqueOptions.Layout = .catalogue

    @OptionGroup var output: OutputOption

    func validate() throws {
        if testOnly && layout == .inshop {
            throw ValidationError("--layout inshop has training garments always; leave out --test-only")
        }
    }

    func run() throws {
        let options = try BoutiqueOptions(
            garments: garments, views: views, width: width, seed: seed, testOnly: testOnly, layout: layout)
        let interrupt = Interrupt()
        let bar = ProgressBar("drawing")
        let report = try Boutique.write(
            options, to: URL(fileURLWithPath: folder), progress: { bar.show($0, of: $1) }, shouldStop: { interrupt.isRequested })
        if output.json {
            try Console.printJSON(report)
        } else {
            print(
                "\(report.garments) garments, \(report.pictures) pictures: \(report.train) train, \(report.val) val, \(report.query) query, "
                    + "\(report.gallery) gallery; \(report.drawn) drawn now")
        }
        if report.stopped {
            Console.note("Stopped; the pictures drawn so far are kept. The same command goes on.")
            throw ExitCode.interrupted
        }
    }
}
