import ArgumentParser
import Catalog
import CLIP
import Foundation
import Inference
import Retrieval
import Torch

struct EmbedCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "embed", abstract: "Make the vectors that a catalogue lacks.",
        discussion: """
            Works in batches that are kept at once; the same command goes on where it ended. With --from the model is not run: its vectors \
            are taken from files, whose rows are named by the pictures' paths, absolute or relative to the folder they were imported from. \
            Many machines, each with a copy of the catalogue, make a part each by --shard 0/8 --out part0.safetensors and so on; --from takes all parts.
            """)

    @OptionGroup var catalog: CatalogOption
    @OptionGroup var model: ModelOption
    @OptionGroup var embedding: EmbeddingOptions
    @OptionGroup var output: OutputOption

    @Option(help: "Only the i-th of n parts of the images, as i/n with i from 0.", transform: Self.shard)
    var shard: Shard?

    @Option(
        help:
            "A file, .safetensors or .pt, that the vectors go to in place of the catalogue, which stays as it is; the same command goes on where it ended."
    )
    var out: String?

    @Option(
        parsing: .upToNextOption,
        help: "Files of vectors that the model made elsewhere, .safetensors or .pt; several, or repeated.")
    var from: [String] = []

    @Option(help: "The largest picture that is read, in millions of pixels; where left out, whatever import has let in.")
    var maxPixels = 1000

    @OptionGroup var accepted: FormatsOption

    @Option(help: "The fingerprint of the model that made the vectors of --from, where the file doesn't say it.")
    var fingerprint: String?

    func validate() throws {
        try PixelsOption.check(maxPixels)
        if let out {
            guard from.isEmpty else { throw ValidationError("--from fills the catalogue, --out a file: give one of them.") }
            guard EmbeddingFile.Format(path: out) != nil else {
                throw ValidationError("--out is \(out), expected a name that ends with .safetensors or .pt.")
            }
        }
        guard let fingerprint else { return }
        guard !from.isEmpty else {
            throw ValidationError("--fingerprint says who made the vectors of a file; give the file with --from.")
        }
        guard fingerprint.count == 64, fingerprint.allSatisfy(\.isHexDigit) else {
            throw ValidationError(
                "--fingerprint is \(fingerprint), expected 64 hexadecimal digits as `models inspect` shows them.")
        }
    }

    func run() throws {
        let interrupt = Interrupt()
        let store = try CatalogStore(path: catalog.path, mode: out == nil ? .readWrite : .readOnly)
        let location = try model.locate()
        let checkpoint = try location.open()
        var report = CatalogEmbedding.Report()
        if !from.isEmpty {
            for path in from where !report.stopped {
                let one = try take(path, madeBy: checkpoint, named: location.name, into: store, interrupt)
                report.embedded += one.embedded
                report.changed += one.changed
                report.seconds += one.seconds
                // What the last file left without a vector.
                (report.notInFile, report.stopped) = (one.notInFile, one.stopped)
            }
        } else {
            let bar = ProgressBar("embedding")
            checkpoint.startFingerprint()
            let run = CatalogEmbedding(
                store, shard: shard, batchSize: embedding.batch, limits: PixelsOption.limits(maxPixels, accepted.formats))
            let embedder = try embedding.embedder(checkpoint, name: location.name, standard: .automatic)
            if let out {
                report = try run.write(
                    embedder, fingerprint: checkpoint.fingerprint, name: location.name, to: out,
                    progress: { bar.show($0, of: $1) }, shouldStop: { interrupt.isRequested })
            } else {
                report = try run.run(
                    embedder, fingerprint: store.fingerprint(of: checkpoint), name: location.name,
                    progress: { bar.show($0, of: $1) }, shouldStop: { interrupt.isRequested })
            }
        }
        Console.warn(all: report.problems)
        if report.changed > 0 {
            Console.warn("\(report.changed) pictures have changed since they were imported; import again, then embed")
        }
        if output.json {
            try Console.printJSON(report)
        } else if !from.isEmpty {
            print(
                "\(report.embedded) vectors of \(location.name) taken from \(from.joined(separator: ", ")), \(report.notInFile) images are not in it"
            )
        } else if let out {
            print("\(report.embedded) images embedded with \(location.name) into \(out), \(report.problems.count) problems")
        } else {
            print("\(report.embedded) images embedded with \(location.name), \(report.problems.count) problems")
        }
        if report.stopped {
            Console.note("Stopped; the vectors made so far are kept. The same command goes on.")
            throw ExitCode.interrupted
        }
        if report.embedded == 0 && !report.problems.isEmpty { throw Failure.data("No image of \(catalog.path) could be read.") }
    }

    /// Takes the vectors of a file whose model is known to be this one.
    private func take(
        _ path: String, madeBy checkpoint: Checkpoint, named name: String, into store: CatalogStore, _ interrupt: Interrupt
    ) throws -> CatalogEmbedding.Report {
        let file = try EmbeddingFile(path: path)
        let model = try ModelRecord(
            fingerprint: store.fingerprint(of: checkpoint), name: name, dimension: checkpoint.configuration.embeddingSize)
        let stated = file.fingerprint?.lowercased()
        let given = fingerprint?.lowercased()
        if let stated, let given, stated != given {
            throw Failure.data("The vectors of \(path) have the fingerprint \(stated), but --fingerprint is \(given).")
        }
        guard let maker = stated ?? given else {
            throw Failure.usage(
                "\(path) does not say which model made its vectors; give that model's fingerprint, as `models inspect` shows it, with --fingerprint."
            )
        }
        // A file of an earlier version names the model by its former fingerprint.
        guard try maker == checkpoint.fingerprint || checkpoint.formerFingerprints.contains(maker) else {
            throw Failure.data(
                "The vectors of \(path) have the fingerprint \(maker), but that of \(name) is \(try checkpoint.fingerprint).")
        }
        guard file.dimension == model.dimension else {
            throw Failure.data("The vectors of \(path) have \(file.dimension) numbers, but \(name) makes \(model.dimension).")
        }
        let places = try store.places().map { PictureMatch.Picture(path: $0.path, folder: $0.folder) }
        let match = try PictureMatch(file, path: path, pictures: places)
        guard !match.isEmpty else {
            let found = file.names.first.map { "its first row is of \($0)" } ?? "it has no rows"
            throw Failure.data(
                "\(path) has no vector of any image in \(catalog.path): \(found), expected paths, absolute or relative to the folder that was imported."
            )
        }
        if let extra = match.extraRows(in: catalog.path) { Console.warn(extra) }
        let bar = ProgressBar("taking vectors")
        // No picture is decoded: a batch costs little memory, and a transaction its time on the disk.
        return try CatalogEmbedding(store, shard: shard, batchSize: 1024).take(
            vectorsOf: model, progress: { bar.show($0, of: $1) }, shouldStop: { interrupt.isRequested },
            from: { match[$0.path].map(Array.init) })
    }

    private static func shard(_ text: String) throws -> Shard {
        let parts = text.split(separator: "/").map { Int($0) }
        guard parts.count == 2, let index = parts[0], let count = parts[1], let shard = try? Shard(index: index, count: count)
        else {
            throw ValidationError("--shard is \(text), expected i/n such as 0/4")
        }
        return shard
    }
}
