import ArgumentParser
import Catalog
import Foundation
import Retrieval
import Search

struct IndexCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "index", abstract: "Look after the files that a search is mapped from.",
        discussion: """
            They lie in the folder FILE.db.index: a start maps them and takes over what changed since, in place of reading every vector. `serve` writes \
            them by itself for 20,000 vectors or more. The catalogue stays the truth: without them, or with damaged ones, everything is found as before.
            """, subcommands: [Status.self, Build.self, Check.self, Sync.self])

    /// A model and the number of its vectors.
    typealias Filled = (model: ModelRecord, vectors: Int)

    static func models(of store: CatalogStore) throws -> [Filled] {
        let counts = try store.counts().vectors
        let models = try store.models().map { ($0, counts[$0.fingerprint, default: 0]) }.filter { $0.1 > 0 }
        guard !models.isEmpty else {
            throw Failure.data("The catalogue \(store.path) has no vectors; make them with `stylefinder embed`.")
        }
        return models
    }

    struct Status: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Say what there is, and whether a start would use it.")

        @OptionGroup var catalog: CatalogOption
        @OptionGroup var output: OutputOption

        private struct Document: Encodable {
            struct Entry: Encodable {
                let model: String
                let fingerprint: String
                let vectors: Int
                let files: Int
                let filed: Int
                /// Changes of the catalogue since the files were written; absent where they are not used.
                let behind: Int64?
                let usable: Bool
                let reason: String?
            }

            let folder: String
            let models: [Entry]
        }

        func run() throws {
            let store = try CatalogStore(path: catalog.path, mode: .readOnly)
            let files = IndexFiles(store)
            let now = try store.changePosition()
            let entries = try IndexCommand.models(of: store).map { model, vectors -> Document.Entry in
                let state = try? files.state(of: model.fingerprint)
                var reason: String?
                do { _ = try files.load(model) } catch { reason = "\(error)" }
                return Document.Entry(
                    model: model.name, fingerprint: model.fingerprint, vectors: vectors, files: state?.segments.count ?? 0,
                    filed: state?.count ?? 0, behind: reason == nil ? state.map { now - $0.position } : nil,
                    usable: reason == nil, reason: reason)
            }
            if output.json { return try Console.printJSON(Document(folder: files.folder, models: entries)) }
            for entry in entries {
                let files = entry.files == 1 ? "1 file" : "\(entry.files) files"
                let word =
                    entry.usable
                    ? "\(files) with \(entry.filed), \(entry.behind ?? 0) changes behind"
                    : "no file is used: \(entry.reason ?? "")"
                print("\(entry.model): \(entry.vectors) vectors; \(word)")
            }
        }
    }

    struct Build: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Write the files, of all models that have vectors.")

        @OptionGroup var catalog: CatalogOption
        @OptionGroup var graphs: GraphsOption

        func run() throws {
            let store = try CatalogStore(path: catalog.path, mode: .readOnly)
            let interrupt = Interrupt()
            let live = try LiveCatalog(store, form: .codes) { Console.warn($0) }
            for (model, vectors) in try IndexCommand.models(of: store) {
                guard model.dimension <= VectorForm.greatestCodedDimension else {
                    Console.warn(
                        "the vectors of \(model.name) have \(model.dimension) numbers, and those of more than \(VectorForm.greatestCodedDimension) have no codes: there is nothing to write"
                    )
                    continue
                }
                let bar = ProgressBar("graphs of \(model.name)")
                try live.buildGraphs(
                    of: model, least: graphs.least, progress: { if $1 > 0 { bar.show($0, of: $1) } },
                    shouldStop: { interrupt.isRequested })
                if interrupt.isRequested { throw ExitCode.interrupted }
                guard try live.saveFiles(of: model) else {
                    throw Failure.data(
                        "The catalogue \(catalog.path) is of an older version that can't be told from others; open it for writing once, for instance with `stylefinder import`, and build again."
                    )
                }
                Console.note("\(model.name): \(vectors) vectors in \(live.files.folder).")
            }
        }
    }

    struct Check: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Read the files whole: are they what was written?")

        @OptionGroup var catalog: CatalogOption

        func run() throws {
            let store = try CatalogStore(path: catalog.path, mode: .readOnly)
            let files = IndexFiles(store)
            var bad: [String] = []
            for (model, _) in try IndexCommand.models(of: store) {
                do {
                    _ = try files.load(model)
                    try files.verify(model.fingerprint)
                    print("\(model.name): good")
                } catch IndexFiles.Unfit.missing {
                    print("\(model.name): no files")
                } catch {
                    bad.append("those of \(model.name): \(error)")
                }
            }
            guard bad.isEmpty else {
                throw Failure.data(
                    "Search files of \(catalog.path) are not used: \(bad.joined(separator: "; ")); write them again with `stylefinder index build`."
                )
            }
        }
    }
}
