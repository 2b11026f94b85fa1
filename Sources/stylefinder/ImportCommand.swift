public import ArgumentParser
public import Catalog
import Foundation
import Imaging
import Synchronization

struct ImportCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "import", abstract: "Bring products and pictures into a catalogue.",
        discussion: """
            SOURCE is a folder (with manifest.jsonl, manifest.csv or catalog.json, with the official files of DeepFashion's In-shop, or just pictures \
            in sub-folders), or one of these files. \
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

    @Flag(help: "With --prune: also where a whole folder became empty, which may be a disk that is not mounted.")
    var pruneEmptied = false

    @Option(
        help: "The language of titles and descriptions, in two letters: it decides which endings a word may have in a search.")
    var language: Language?

    @OptionGroup var pictures: PixelsOption

    @Flag(help: "End with 65 if a row or a picture is bad.")
    var strict = false

    /// A picture is good if all of it can be decoded.
    static let inspect = inspector(PixelsOption.limits(PixelsOption.standard, Set(ImageFormat.allCases)))

    private static func inspector(
        _ limits: DecodingLimits, until isCancelled: @escaping @Sendable () -> Bool = { false },
        noting note: @escaping @Sendable (ColourHint) -> Void = { _ in }
    ) -> PictureInspector {
        return { bytes, _ in
            let image = try ImageDecoder.decode(bytes, limits: limits, control: DecodingControl(isCancelled: isCancelled))
            if let hint = try ImageDecoder.header(of: bytes).colourHint { note(hint) }
            return PictureSize(width: image.width, height: image.height)
        }
    }

    func validate() throws {
        let known = ["train", "val", "query", "gallery"]
        if let wrong = split.first(where: { !known.contains($0) }) {
            throw ValidationError("--split is \(wrong), expected one of \(known.joined(separator: ", "))")
        }
        if pruneEmptied && !prune { throw ValidationError("--prune-emptied says more of --prune, which is not given") }
    }

    func run() throws {
        let interrupt = Interrupt()
        let dataset = try Dataset(named: source)
        let options = ImportOptions(minImages: minImages, prune: prune, splits: Set(split), pruneEmptied: pruneEmptied)
        let hints = Mutex<[ColourHint: Int]>([:])
        let inspect = Self.inspector(pictures.limits, until: { interrupt.isRequested }) { hint in
            hints.withLock { $0[hint, default: 0] += 1 }
        }
        let place = try Place(
            for: dataset, catalog.path, options, Self.inspector(pictures.limits, until: { interrupt.isRequested }), interrupt)
        defer { place.leave() }
        let store = try CatalogStore(path: place.path, mode: .create)
        if let language { try store.set(language: language) }
        let bar = ProgressBar("importing")
        let report = try store.importCatalog(
            from: dataset, options: options, inspect: inspect, progress: { bar.show($0.done, of: $0.total) },
            shouldStop: { interrupt.isRequested })
        Console.tell(problems: report.problems, remarks: report.remarks)
        let counts = hints.withLock(\.self)
        if let count = counts[.cmyk] { Console.note("note: pictures in CMYK: \(count); their colours are read approximately") }
        if let count = counts[.profile] {
            Console.note(
                "note: pictures with another colour profile than sRGB: \(count); their colours are read as if they were sRGB")
        }
        if output.json { try Console.printJSON(report) } else { print(Self.summary(of: report)) }
        if report.stopped {
            Console.note("Stopped; what was imported is kept. The same command goes on.")
            throw ExitCode.interrupted
        }
        if !report.hasGoodImages { throw Failure.data("Nothing of \(source) could be imported.") }
        if strict && !report.problems.isEmpty {
            throw Failure.data("\(source) has \(report.problems.count) bad rows or pictures, and --strict admits none.")
        }
    }

    /// Where the catalogue is written. Where there is none yet and nothing of the source is good, a passing one serves to say what is wrong, so that
    /// a failed import leaves no empty file.
    private struct Place {
        let path: String
        private let passing: String?

        init(
            for dataset: Dataset, _ catalog: String, _ options: ImportOptions, _ inspect: @escaping PictureInspector,
            _ interrupt: Interrupt
        ) throws {
            let isNew = !FileManager.default.fileExists(atPath: catalog)
            func isGood() -> Bool {
                CatalogStore.canImport(dataset, options: options, inspect: inspect, shouldStop: { interrupt.isRequested })
            }
            guard isNew, !isGood(), !interrupt.isRequested else {
                (path, passing) = (catalog, nil)
                return
            }
            let folder = FileManager.default.temporaryDirectory.path + "/stylefinder-\(UUID().uuidString)"
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
            (path, passing) = (folder + "/nothing.db", folder)
        }

        func leave() {
            if let passing { try? FileManager.default.removeItem(atPath: passing) }
        }
    }

    /// One line for people.
    private static func summary(of report: ImportReport) -> String {
        var line =
            "\(report.productsAdded) products added, \(report.productsUpdated) updated; \(report.imagesAdded) images added, "
            + "\(report.imagesUnchanged) unchanged, \(report.imagesRenamed) renamed, \(report.imagesChanged) changed"
        if report.imagesMissing > 0 { line += ", \(report.imagesMissing) missing" }
        if report.imagesPruned > 0 { line += ", \(report.imagesPruned) pruned" }
        if report.strayFilesRemoved > 0 { line += ", \(report.strayFilesRemoved) stray files of the media folder deleted" }
        let left = report.imagesRemoved.count - report.imagesPruned
        if left > 0 { line += "; \(left) are in the source no more and stay in the catalogue" }
        if report.vectorsRestored > 0 { line += "; \(report.vectorsRestored) vectors of before taken again" }
        let others = report.filesLeftOut.values.reduce(0, +)
        if others > 0 {
            let kinds = report.filesLeftOut.sorted { ($1.value, $0.key) < ($0.value, $1.key) }
            let shown = kinds.prefix(6).map { "\($0.key) \($0.value)" } + (kinds.count > 6 ? ["…"] : [])
            line += "; \(others) other files left out (\(shown.joined(separator: ", ")))"
        }
        return line + "; \(report.problems.count) problems"
    }
}

extension Dataset {
    /// Reads what a command names: a path, or a file's address. Files of a plain folder without a telling name are judged by their first bytes.
    /// - Throws: `Failure` for another address, else as `init(contentsOf:)`.
    init(named text: String) throws {
        try self.init(contentsOf: URL(fileURLWithPath: Failure.path(named: text)), isPicture: Self.isPicture)
    }

    /// Whether bytes begin as a picture does, of a kind that is decoded here or not.
    static let isPicture: PictureTest = { bytes in
        switch FileKind(firstBytes: bytes) {
        case .picture, .cameraRaw, .behindBytes, .changedAsText: true
        // Named as what they are, but no photo to anybody.
        case .otherPicture(let name): !["SVG", "ICO", "CUR"].contains(name)
        case .other, .text, .unknown, .empty: false
        }
    }
}

extension Language: ExpressibleByArgument {
    public init?(argument: String) { self.init(argument) }

    public static var allValueStrings: [String] { all.map(\.code) }
}
