import ArgumentParser
import Catalog
import Foundation
import Search

#if Milvus
    import CLIP
    import Milvus
#endif

extension IndexCommand {
    struct Sync: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Make a Milvus equal to the catalogue, for more than one machine holds.",
            discussion: """
                Each model that has vectors gets a collection, which holds all that a search filters by and shows. What changed since the last time is \
                written, and nothing else; whoever is stopped goes on from there. The token of a user, `user:password` or an API key, is taken from \
                --milvus-token-file or from STYLEFINDER_MILVUS_TOKEN. \(MilvusOptions.hint)
                """)

        @OptionGroup var catalog: CatalogOption
        @OptionGroup var output: OutputOption

        @OptionGroup var milvus: MilvusOptions

        @Flag(help: "Drop the collections first, whatever they are, and fill them anew.")
        var rebuild = false

        func validate() throws {
            guard milvus.address != nil else { throw ValidationError("Missing expected argument '--milvus <milvus>'") }
        }

        #if Milvus
            private struct Document: Encodable {
                struct Entry: Encodable {
                    let model: String
                    let collection: String
                    let written: Int
                    let removed: Int
                    let count: Int
                    /// Why every row was written; absent where only changes were.
                    let whole: String?
                }

                let server: String
                let models: [Entry]
            }

            func run() async throws {
                let interrupt = Interrupt()
                let server = try milvus.server()
                let store = try CatalogStore(path: catalog.path, mode: .readOnly)
                var entries: [Document.Entry] = []
                for (model, _) in try IndexCommand.models(of: store) {
                    guard let rows = try CatalogRows(store, of: model) else {
                        throw Failure.data(
                            "The catalogue \(catalog.path) is of an older version that can't be told from others; open it for writing once, for instance with `stylefinder import`, and try again."
                        )
                    }
                    let bar = ProgressBar("rows of \(model.name)")
                    let filling = try MilvusFilling<CatalogRows>(server, of: (model.fingerprint, model.name, model.dimension))
                    let report = try await filling.run(
                        from: rows, rebuild: rebuild, progress: { if $1 > 0 { bar.show($0, of: $1) } },
                        shouldStop: { interrupt.isRequested })
                    guard report.isComplete else {
                        bar.leaveLine()
                        Console.note("Stopped; the same command goes on from here.")
                        throw ExitCode.interrupted
                    }
                    if let reason = report.whole, reason != .new {
                        Console.note("note: every row of \(model.name) was written, since \(reason.rawValue)")
                    }
                    entries.append(
                        .init(
                            model: model.name, collection: report.collection, written: report.written, removed: report.removed,
                            count: report.count, whole: report.whole?.rawValue))
                }
                if output.json { return try Console.printJSON(Document(server: server.name, models: entries)) }
                for entry in entries {
                    print(
                        "\(entry.model): \(entry.written) written, \(entry.removed) removed; \(entry.count) in \(entry.collection) of \(server.name)"
                    )
                }
            }
        #else
            func run() throws { throw MilvusOptions.missing }
        #endif
    }
}
