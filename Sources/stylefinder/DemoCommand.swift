import API
import ArgumentParser
import Atelier
import Catalog
import CLIP
import Foundation
import Inference

struct DemoCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "demo", abstract: "A boutique to try everything with: drawn, embedded and served.",
        discussion: """
            The first start draws a catalogue of garments and makes its vectors; what is made is kept, so a second start is quick. With --photos \
            your own folder of pictures is served instead.
            """)

    @OptionGroup var listening: ListeningOptions

    @OptionGroup var admin: AdminOptions

    @Option(help: "A folder of your own pictures, or a manifest, to serve instead of the drawn boutique.")
    var photos: String?

    @Option(help: "Where the boutique, its catalogue and its vectors are kept; where left out, the user's data folder.")
    var folder: String?

    @Option(
        help: """
            The name of a shipped or fetched model, a model folder, or a run to search with instead of the shipped ones; repeat it for more, the \
            first answers by default.
            """)
    var model: [String] = []

    @Option(help: "How many garments the boutique has.")
    var garments = 360

    /// The boutique's own seed. No model was ever trained on it.
    static let seed: UInt64 = 2_026

    func run() async throws {
        let token = try admin.token()
        let interrupt = Interrupt()
        let named = try model.map { try ModelLocation($0) }
        let place = folder ?? Self.dataFolder
        do {
            try FileManager.default.createDirectory(atPath: place, withIntermediateDirectories: true)
        } catch {
            throw Failure(description: "The folder \(place) can't be made: \(error.phrase).", code: .inputOutput)
        }
        let source = photos.map { URL(fileURLWithPath: $0) }
        if let source, !FileManager.default.fileExists(atPath: source.path) {
            throw Failure.noInput("There is no \(source.path); --photos takes a folder of pictures or a manifest.")
        }
        // Each source has a catalogue of its own: a folder of photos must not mix with the boutique.
        let name =
            source.map { "photos-" + ContentHash(of: Data($0.resolvingSymlinksInPath().path.utf8)).hex.prefix(12) } ?? "boutique"
        let store = try CatalogStore(path: "\(place)/\(name).db", mode: .create)
        // A folder that the user named may hold more than the demo's: there an older boutique stays.
        let isOwn = folder == nil
        let (garments, boutique) = (garments, URL(fileURLWithPath: "\(place)/boutique"))
        // Shipped variants get their vectors while the models that they came from answer already, and join them then; who names a model
        // waits for that one.
        let shipped = named.isEmpty ? ModelLocation.shipped() : []
        let precision = listening.precision.choice
        let (models, variants) = (named + shipped.filter { !$0.isVariant }, shipped.filter(\.isVariant))
        var serving = Serving(
            catalog: store, listening: listening, interrupt: interrupt, logsRequests: false, adminToken: token,
            offersAll: named.isEmpty,
            namesNewcomers: false,
            afterwards: {
                let new = try variants.filter { try !Self.isKnown($0, to: store) }
                guard try Self.embed(with: variants, store, precision, interrupt, quietly: true), !new.isEmpty else { return nil }
                return "\(new.count) variants of these models can be chosen now, too."
            })
        if source == nil, named.isEmpty {
            serving.about = "\(garments) garments that a program has drawn, searched by small models of this project."
        } else if source == nil {
            serving.about = "\(garments) garments that a program has drawn."
        }
        try await serving.run { pool, _, browse in
            if source == nil { try Self.draw(boutique, garments: garments, mayReplace: isOwn, interrupt) }
            if interrupt.isRequested { return nil }
            try Self.fill(store, from: source ?? boutique, splits: source == nil ? ["gallery"] : [], interrupt)
            if interrupt.isRequested { return nil }
            if try !Self.embed(with: models, store, precision, interrupt) { return nil }
            let ready = try variants.filter { try Self.isKnown($0, to: store) }
            let loaded = try Serving.load(
                models + ready, store, pool: pool, form: listening.exact.form, browse: browse)
            return (loaded, try source == nil ? Samples.of(Dataset(contentsOf: boutique)) : Samples.of(store))
        }
    }

    /// `$XDG_DATA_HOME/stylefinder/demo`, and below the home folder's `.local/share` where that is not set. The environment goes before the
    /// system's list of users, as it does for every program.
    private static var dataFolder: String {
        let environment = ProcessInfo.processInfo.environment
        // Relative paths in these variables are to be ignored, says the standard.
        func folder(_ name: String) -> String? { environment[name].flatMap { $0.hasPrefix("/") ? $0 : nil } }
        let data = folder("XDG_DATA_HOME") ?? (folder("HOME") ?? NSHomeDirectory()) + "/.local/share"
        return "\(data)/stylefinder/demo"
    }

    /// Draws the boutique where it is not there, or was drawn with other options.
    private static func draw(_ folder: URL, garments: Int, mayReplace: Bool, _ interrupt: Interrupt) throws {
        let options = try BoutiqueOptions(garments: garments, seed: seed, testOnly: true)
        let bar = ProgressBar("drawing")
        func write() throws {
            _ = try Boutique.write(
                options, to: folder, progress: { bar.show($0, of: $1) }, shouldStop: { interrupt.isRequested })
        }
        do { try write() } catch AtelierError.otherOptions where mayReplace {
            Console.note("The boutique in \(folder.path) was drawn otherwise; it is drawn anew.")
            try FileManager.default.removeItem(at: folder)
            try write()
        }
    }

    /// Brings the pictures into the catalogue that it lacks.
    private static func fill(_ store: CatalogStore, from source: URL, splits: Set<String>, _ interrupt: Interrupt) throws {
        let importing = ProgressBar("importing")
        let report = try store.importCatalog(
            from: Dataset(contentsOf: source, isPicture: Dataset.isPicture), options: ImportOptions(prune: true, splits: splits),
            inspect: ImportCommand.inspect,
            progress: { importing.show($0.done, of: $0.total) }, shouldStop: { interrupt.isRequested })
        Console.warn(all: report.problems.map(\.description))
        if report.stopped { return }
        if !report.hasGoodImages { throw Failure.data("\(source.path) holds no picture that can be read.") }
    }

    /// Makes the vectors that the catalogue lacks.
    /// - Returns: false if it was interrupted.
    private static func embed(
        with models: [ModelLocation], _ store: CatalogStore, _ precision: PrecisionChoice, _ interrupt: Interrupt,
        quietly: Bool = false
    ) throws -> Bool {
        for location in models {
            let folder = try Checkpoint(path: location.path)
            let fingerprint = try store.fingerprint(of: folder)
            guard try store.countOfImages(withoutVectorOf: fingerprint) > 0 else { continue }
            let (embedder, trial) = try Embedder.load(folder, precision: precision)
            if !quietly { PrecisionOption.note(trial, of: location.name) }
            let embedding = quietly ? nil : ProgressBar("embedding with \(location.name)")
            let report = try CatalogEmbedding(store).run(
                embedder, fingerprint: fingerprint, name: location.name,
                progress: { embedding?.show($0, of: $1) }, shouldStop: { interrupt.isRequested })
            Console.warn(all: report.problems)
            if report.stopped { return false }
        }
        return true
    }

    /// Whether the catalogue has vectors of a model.
    private static func isKnown(_ location: ModelLocation, to store: CatalogStore) throws -> Bool {
        let fingerprint = try store.fingerprint(of: Checkpoint(path: location.path))
        return try store.counts().vectors[fingerprint, default: 0] > 0
    }
}
