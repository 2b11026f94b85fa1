import ArgumentParser
import Catalog
import CLIP
import Foundation
import Inference

struct EmbedCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "embed", abstract: "Make the vectors that a catalogue lacks.",
        discussion: "Works in batches that are kept at once; the same command goes on where it ended.")

    @OptionGroup var catalog: CatalogOption
    @OptionGroup var model: ModelOption
    @OptionGroup var output: OutputOption

    @Option(help: "Only the i-th of n parts of the images, as i/n with i from 0.", transform: Self.shard)
    var shard: Shard?

    func run() throws {
        let interrupt = Interrupt()
        let store = try CatalogStore(path: catalog.path, mode: .readWrite)
        let location = try model.locate()
        let folder = try Checkpoint(path: location.path)
        let bar = ProgressBar("embedding")
        let report = try CatalogEmbedding(store, shard: shard).run(
            Embedder(checkpoint: folder), fingerprint: folder.fingerprint, name: location.name,
            progress: { bar.show($0, of: $1) },
            shouldStop: { interrupt.isRequested })
        Console.warn(all: report.problems)
        if report.changed > 0 {
            Console.warn("\(report.changed) pictures have changed since they were imported; import again, then embed")
        }
        if output.json {
            try Console.printJSON(report)
        } else {
            print("\(report.embedded) images embedded with \(location.name), \(report.problems.count) problems")
        }
        if report.stopped {
            Console.note("Stopped; the vectors made so far are kept. The same command goes on.")
            throw ExitCode.interrupted
        }
        if report.embedded == 0 && !report.problems.isEmpty { throw Failure.data("No image of \(catalog.path) could be read.") }
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
