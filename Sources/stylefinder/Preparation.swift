import ArgumentParser
import Catalog
import Foundation
import Imaging

/// What the `prepare` commands have in common.
struct PrepareOptions: ParsableArguments {
    @Argument(help: "The folder with the official files; where in it they lie does not matter.")
    var root: String

    @Option(help: "The dataset folder to write: a new or empty one, or one that this command wrote.")
    var out: String

    @Option(
        help:
            "What validation rows are cut out of the training rows by: identities (whole items) or images (single pictures, as the original project did).",
        transform: { try choice($0, of: "--val") })
    var val: ValidationCut.Kind?

    @Option(help: "The share that is cut out, of the items (0.1) or of the pictures (0.2).")
    var valShare: Double?

    @Option(help: "Another number cuts others.")
    var seed: UInt64 = 0

    @Flag(help: "End with 65 if the official files contradict themselves or a picture is bad.")
    var strict = false

    @OptionGroup var output: OutputOption

    func validate() throws {
        if let valShare, !(valShare >= 0 && valShare < 1) {
            throw ValidationError("--val-share is \(valShare), expected at least 0 and less than 1")
        }
    }

    var cut: ValidationCut { ValidationCut(val ?? .identities, share: valShare, seed: seed) }
}

/// Where pictures lie that are not below the root.
struct ImagesOption: ParsableArguments {
    @Option(help: "The folder with the pictures, if they are not below ROOT or there are several sizes of them.")
    var images: String?
}

/// What was prepared, as `--json` prints it.
struct PreparedReport: Encodable {
    var dataset: String
    var source: String
    var pictures = 0
    var products = 0
    /// Pictures and products of `train`, `val`, `query` and `gallery`.
    var splits: [String: OfficialSet.Count] = [:]
    /// Rows that are used for nothing: their item has a single picture.
    var withoutSplit = OfficialSet.Count()
    /// The counts that differ from the published ones; none where all fit.
    var deviations: [OfficialSet.Deviation] = []
    /// Pictures that were cut out of others.
    var crops: CropWriter.Counts?
    /// Consumers' photos without a box that can be used.
    var wholePictures: Int?
    /// Garments that have no counterpart and are not used.
    var withoutStyle: Int?
    var layout: Layout?
    var problems: [ManifestProblem] = []
    var remarks: [ManifestProblem] = []

    /// The pictures in the paper's layout.
    struct Layout: Encodable {
        var linked = 0
        var copied = 0
        /// Of an earlier run.
        var kept = 0
    }
}

/// Writes a dataset folder from what a reader made of official files: crops and links first, the manifest last.
struct Preparation {
    private let options: PrepareOptions
    private let folder: PreparedFolder
    private let interrupt: Interrupt
    private let details: [(key: String, value: String)]
    var report: PreparedReport

    /// Refuses a folder that holds something else before anything long begins.
    init(_ options: PrepareOptions, by command: String, _ interrupt: Interrupt) throws {
        self.options = options
        self.interrupt = interrupt
        let out = try Failure.path(named: options.out)
        folder = try PreparedFolder(path: out, by: command)
        report = PreparedReport(dataset: out, source: "")
        details = [
            ("validation", "\(options.cut.kind.rawValue), share \(options.cut.share), seed \(options.cut.seed)")
        ]
    }

    func stopped() -> any Error {
        Console.note("Stopped; what was written so far is kept. The same command goes on.")
        return ExitCode.interrupted
    }

    /// Looks at the header of each picture that is not cropped, and leaves out rows whose picture can't be read.
    /// - Returns: the sizes by row, before any is left out.
    func checkPictures(_ set: inout OfficialSet, then use: (inout OfficialSet, [PictureSize?]) -> Void = { _, _ in }) throws {
        let bar = ProgressBar("looking at pictures")
        let indices = set.rows.indices.filter { set.rows[$0].crop == nil }
        let paths = indices.map { set.rows[$0].path }
        guard
            let found = PictureReading.sizes(of: paths, progress: { bar.show($0, of: $1) }, shouldStop: { interrupt.isRequested })
        else { throw stopped() }
        var sizes = [PictureSize?](repeating: nil, count: set.rows.count)
        var bad: [Int: String] = [:]
        for (index, result) in zip(indices, found) {
            switch result {
            case .success(let size): sizes[index] = size
            case .failure(let error): bad[index] = "can't be read (\(CropWriter.reason(error)))"
            }
        }
        use(&set, sizes)
        set.leaveOut(bad)
    }

    /// Writes everything and prints what was done.
    /// - Parameters:
    ///   - cut: what validation rows are cut out by; `nil` leaves the official ones.
    ///   - outside: what becomes of a crop outside of its picture; `nil` for a set without crops.
    ///   - isPaperLayout: whether the paper's folders and lists are written, too.
    mutating func write(
        _ set: OfficialSet, cut: ValidationCut?, outside: CropWriter.Outside? = nil, isPaperLayout: Bool = false
    ) throws {
        var set = set
        try requireRows(set)
        try folder.begin([("source", set.root)] + details)
        if let outside {
            try folder.note(set.rows.compactMap(CropWriter.name))
            let bar = ProgressBar("cropping")
            let counts = try CropWriter.write(
                &set, to: folder, outside: outside, progress: { bar.show($0, of: $1) }, shouldStop: { interrupt.isRequested })
            guard let counts else { throw stopped() }
            report.crops = counts
        }
        try requireRows(set)
        // Once it is known which pictures are good: an item of two may have lost one.
        set.cutValidation(cut)
        if outside == .takenWhole {
            report.wholePictures = set.rows.count { $0.crop == nil && $0.fields["source"] == "consumer" }
        }
        let layout = isPaperLayout ? PaperLayout(set) : nil
        if let layout {
            try folder.note(layout.pictures.map(\.name))
            report.layout = try place(layout)
        }
        folder.synchronize()
        if let layout {
            for (name, text) in zip(PaperLayout.files, [layout.paths, layout.texts, layout.lists]) {
                try folder.writeIfChanged(text, to: name)
            }
        }
        let manifest = set.rows.map { row in
            ManifestWriter.line(image: CropWriter.name(of: row) ?? row.path, productID: row.productID, fields: row.fields)
        }
        try folder.writeIfChanged(manifest.joined(), to: "manifest.jsonl")
        let kept = set.rows.compactMap(CropWriter.name) + (layout?.pictures.map(\.name) ?? [])
        try folder.sweep(keeping: kept, without: layout == nil ? PaperLayout.files : [])
        try finish(set)
    }

    private func requireRows(_ set: OfficialSet) throws {
        guard set.rows.isEmpty else { return }
        Console.tell(problems: set.problems, remarks: set.remarks)
        throw Failure.data("\(options.root) has no row that can be used; what is wrong with them stands above.")
    }

    private func place(_ layout: PaperLayout) throws -> PreparedReport.Layout {
        let bar = ProgressBar("placing pictures")
        var counts = PreparedReport.Layout()
        for (index, picture) in layout.pictures.enumerated() {
            if interrupt.isRequested { throw stopped() }
            switch try folder.place(picture.source, as: picture.name) {
            case .linked: counts.linked += 1
            case .copied: counts.copied += 1
            case .kept: counts.kept += 1
            }
            bar.show(index + 1, of: layout.pictures.count)
        }
        return counts
    }

    // MARK: What is said

    private mutating func finish(_ set: OfficialSet) throws {
        report.source = set.root
        report.pictures = set.rows.count
        report.products = Set(set.rows.map(\.productID)).count
        for (split, count) in set.counts {
            if let split { report.splits[split] = count } else { report.withoutSplit = count }
        }
        report.deviations = set.deviations
        report.problems = set.problems
        report.remarks = set.remarks
        Console.tell(problems: set.problems, remarks: set.remarks)
        if options.output.json { try Console.printJSON(report) } else { print(summary) }
        if options.strict && !set.problems.isEmpty {
            throw Failure.data("\(options.root) has \(set.problems.count) problems, and --strict admits none.")
        }
    }

    private var summary: String {
        var lines = ["\(report.dataset)/manifest.jsonl: \(report.pictures) pictures of \(report.products) products"]
        for split in PaperLayout.splits {
            guard let count = report.splits[split] else { continue }
            lines.append("  \(split): \(count.pictures) pictures of \(count.products) products")
        }
        if report.withoutSplit.products > 0 {
            lines.append("  used for nothing: \(report.withoutSplit.products) products with a single picture to train on")
        }
        if let crops = report.crops { lines.append("  crops: \(crops.written) written, \(crops.kept) kept of before") }
        if let whole = report.wholePictures, whole > 0 {
            lines.append("  without a box: \(whole) consumers' photos, taken whole")
        }
        if let count = report.withoutStyle, count > 0 { lines.append("  without a counterpart: \(count) garments, left out") }
        if let layout = report.layout {
            lines.append(
                "  the paper's layout: \(layout.linked) pictures linked, \(layout.copied) copied, \(layout.kept) there already")
        }
        lines.append(
            report.deviations.isEmpty
                ? "  the published counts: all fit" : "  the published counts: \(report.deviations.count) differ")
        lines.append("  \(report.problems.count) problems")
        return lines.joined(separator: "\n")
    }
}
