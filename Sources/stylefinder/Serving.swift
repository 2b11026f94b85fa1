import API
import ArgumentParser
import CLIP
import Catalog
import CoreMetrics
import Dispatch
import Foundation
import Hub
import Imaging
import Inference
import Logging
import Retrieval
import Search
import Synchronization
import Torch

/// The models that answer, known once they are loaded: whoever stops the server closes the queues before them.
final class LoadedModels: Sendable {
    private let models = Mutex<[ServedModel]>([])
    private let expected = Mutex<Set<String>>([])

    /// A model with this fingerprint is being brought in.
    func expect(_ fingerprint: String) { _ = expected.withLock { $0.insert(fingerprint) } }

    func expectNoMore(_ fingerprint: String) { _ = expected.withLock { $0.remove(fingerprint) } }

    func expects(_ fingerprint: String) -> Bool { expected.withLock { $0.contains(fingerprint) } }

    var all: [ServedModel] { models.withLock { $0 } }

    func add(_ more: [ServedModel]) { models.withLock { $0 += more } }

    func close() async {
        for model in all { await (model.engine.encoder as? MicroBatcher)?.close() }
    }
}

/// A server over a catalogue from its first connection to its end.
struct Serving {
    /// Vectors that are searched on another machine.
    struct Elsewhere: Sendable {
        /// By fingerprint.
        var indexes: [String: any VectorIndex] = [:]
        /// Looks again and again what has changed there, until its task is cancelled, and says whether it answers.
        var follow: @Sendable (_ answers: @Sendable (Bool) -> Void) async -> Void = { _ in }
    }

    typealias Content = (models: [ServedModel], samples: [SamplePicture])

    let catalog: CatalogStore
    let listening: ListeningOptions
    let interrupt: Interrupt
    /// Whether each request has a line in the log; without them the address stays the last line.
    let logsRequests: Bool
    /// Whoever sends it may change the catalogue.
    var adminToken: AdminToken?
    /// Whether every shipped model answers that has vectors, also one that gets its first while the server runs.
    var offersAll = false
    /// Whether a model that gets its first vectors while the server runs is told.
    var namesNewcomers = true
    /// What the catalogue and its samples are, in a sentence for people.
    var about: String?
    /// A folder or manifest whose pictures are brought in as they come.
    var watched: URL?
    /// Models and runs that may be brought in by name while the server runs.
    var modelFolder: String?
    /// Work that the first answers need not wait for, done once while the server answers; it blocks as it likes. What it returns is told, and the
    /// address again behind it, so that it stays the last line.
    var afterwards: (@Sendable () throws -> String?)?
    /// Finds the machines where vectors are searched, before anything is prepared.
    var connect: @Sendable () async throws -> Elsewhere = { Elsewhere() }
    /// What is searched, where it is not the catalogue's file, in words.
    var place: String?
    /// The origin of pictures that lie on the web.
    var pictureOrigin: String?

    /// Within the ten seconds that a stop may take: what waits for a model by then is told to go.
    private static let patience = Duration.seconds(8)

    /// Listens at once, prepares beside that, then answers until Ctrl-C or SIGTERM.
    /// - Parameter prepare: makes models and samples ready, blocking as it likes; nil if it was interrupted. What it throws ends the server. The pool
    ///   keeps the weights of its models; beside it come the indexes on other machines; it hands the catalogue over as soon as that is in memory: it can be browsed while the models are loaded.
    /// - Throws: `ServerError`, what `prepare` throws; `ExitCode.interrupted` after Ctrl-C.
    func run(
        _ prepare:
            @escaping @Sendable (
                _ pool: ModelPool, _ elsewhere: [String: any VectorIndex], _ browse: (LiveCatalog) -> Void
            ) throws -> Content?
    ) async throws {
        TorchRuntime.keepFreedMemory(.small)
        DecodingMemory.forProcess.capacity = listening.decodingMemory << 20
        let service = SearchService(catalog: catalog)
        var page = try Resources.folder("page").map { try StaticPage(folder: URL(fileURLWithPath: $0)) }
        page?.pictureOrigin = pictureOrigin
        if page == nil { Console.warn("there is no built page (`make web` builds it): only the API answers") }
        var logger = Logger(label: "stylefinder") { StreamLogHandler.standardError(label: $0) }
        if !logsRequests { logger.logLevel = .notice }
        var settings = listening.settings
        settings.adminToken = adminToken
        // What the models' queues count comes in too.
        MetricsSystem.bootstrap(settings.metrics)
        let loaded = LoadedModels()
        let pool = ModelPool(room: listening.roomForModels, precision: listening.precision.choice)
        if adminToken != nil {
            settings.modelOpening = ModelsOnCall(
                store: catalog, loaded: loaded, pool: pool, folder: modelFolder, limits: limitsOfOwnPictures)
        }
        let server = SearchServer(service, page: page, settings: settings, logger: logger)
        let (ports, portKnown) = AsyncStream.makeStream(of: Int.self)
        let (ends, end) = AsyncStream.makeStream(of: (any Error)?.self)
        let failure = Mutex<(any Error)?>(nil)
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { [interrupt] in
                await interrupt.wait()
                end.yield(nil)
                try? await Task.sleep(for: Self.patience)
                await loaded.close()
            }
            tasks.addTask { [self] in
                for await port in ports {
                    do {
                        let begin = ContinuousClock.now
                        let elsewhere = try await connect()
                        guard
                            let content = try await Self.onOwnThread({
                                try prepare(pool, elsewhere.indexes, service.begin(browsing:))
                            }),
                            !interrupt.isRequested
                        else { return }
                        loaded.add(content.models)
                        service.begin(with: content.models, samples: content.samples, about: about)
                        let seconds = ((ContinuousClock.now - begin) / .milliseconds(100)).rounded() / 10
                        let names = content.models.map(\.card.id).joined(separator: ", ")
                        Console.note("Ready after \(seconds) s with \(names), over \(place ?? "the catalogue \(catalog.path)").")
                        Console.note("Open \(listening.url(port: port)) in a browser; Ctrl-C stops the server.")
                        // What another process writes into the catalogue is found from here on, until the server ends.
                        guard let live = content.models.first?.engine.catalog else { return }
                        async let following: Void = live.follow {
                            Console.warn("the catalogue can't be followed for the time being: \($0)")
                        }
                        async let watching: Void? = watch(service)?.run()
                        async let reaching: Void = elsewhere.follow { service.note(indexAnswers: $0) }
                        async let filing: Void = keepFiles(over: live) { service.models }
                        async let work: Void = Self.onOwnThread {
                            do {
                                guard let sentence = try afterwards?() else { return }
                                Console.note(sentence)
                                Console.note("Open \(listening.url(port: port)) in a browser; Ctrl-C stops the server.")
                            } catch { Console.warn("\(error)") }
                        }
                        if offersAll {
                            await admitNewcomers(beside: content.models, over: live, unless: loaded, pool) { model in
                                loaded.add([model])
                                service.put(model)
                                if namesNewcomers { Console.note("\(model.card.id) has vectors now and answers too.") }
                            }
                        }
                        await following
                        await reaching
                        _ = await watching
                        try await filing
                        try await work
                    } catch {
                        end.yield(error)
                    }
                    return
                }
            }
            defer { tasks.cancelAll() }
            try await server.run(until: { for await error in ends { return failure.withLock { $0 = error } } }) {
                portKnown.yield($0)
            }
        }
        await loaded.close()
        if let failure = failure.withLock({ $0 }) { throw failure }
        Console.note("Stopped.")
        if interrupt.isFromKeyboard { throw ExitCode.interrupted }
    }

    /// Below so many vectors they are read from the catalogue in less than half a second.
    private static let leastToFile = 20_000

    private static let betweenFilings = Duration.seconds(60)

    /// Looks at the files that the search was mapped from; then, until its task is cancelled, builds the graphs that large segments lack, and writes the
    /// files that the next start should map.
    private func keepFiles(over live: LiveCatalog, of models: @Sendable () -> [ServedModel]) async throws {
        var seen: Set<String> = []
        var failed: Set<String> = []
        while !Task.isCancelled {
            for model in models().map(\.engine.encoder.model) where live.isHere(model) && !failed.contains(model.fingerprint) {
                let isNew = seen.insert(model.fingerprint).inserted
                do {
                    try await Self.onOwnThread { [interrupt, least = listening.graphs.least] in
                        if isNew { try live.verifyFiles(of: model) }
                        try live.buildGraphs(of: model, least: least, shouldStop: { interrupt.isRequested })
                        if try !interrupt.isRequested && live.saveFiles(of: model, unlessSmallerThan: Self.leastToFile) {
                            Console.note("The search files of \(model.name) were written, for the next start.")
                        }
                    }
                } catch {
                    // Told once.
                    failed.insert(model.fingerprint)
                    Console.warn("the search files of \(model.name) can't be kept (\(error)); the next start reads all vectors")
                }
            }
            do { try await Task.sleep(for: Self.betweenFilings) } catch { return }
        }
    }

    private func watch(_ service: SearchService) -> FolderWatch? {
        watched.map { folder in
            FolderWatch(
                folder: folder, store: catalog, limits: limitsOfOwnPictures, models: { service.models },
                isStopping: { [interrupt] in interrupt.isRequested })
        }
    }

    /// Of pictures that no stranger sends.
    private var limitsOfOwnPictures: DecodingLimits {
        var limits = listening.settings.limits.pictures
        limits.maxPixels = max(limits.maxPixels, DecodingLimits.ownFiles.maxPixels)
        return limits
    }

    /// Looks every few seconds whether a shipped model that does not answer has got its first vectors, and loads it; until its task is cancelled.
    private func admitNewcomers(
        beside served: [ServedModel], over live: LiveCatalog, unless loaded: LoadedModels, _ pool: ModelPool,
        _ admit: (ServedModel) -> Void
    ) async {
        let answering = Set(served.map(\.card.id))
        // Hashing the weights takes a moment, once.
        var absent: [(location: ModelLocation, fingerprint: String)] = []
        for location in ModelLocation.shipped() where !answering.contains(location.name) {
            let fingerprint = try? await Self.onOwnThread { try Checkpoint(path: location.path).fingerprint }
            if let fingerprint { absent.append((location, fingerprint)) }
        }
        while !absent.isEmpty {
            do { try await Task.sleep(for: Self.betweenLooks) } catch { return }
            // A few rows. What goes wrong here is tried again with the next look; that the catalogue can't be read is told by who follows it.
            guard let models = try? catalog.models() else { continue }
            absent.removeAll { loaded.expects($0.fingerprint) }
            for (location, fingerprint) in absent where models.contains(where: { $0.fingerprint == fingerprint }) {
                guard let model = try? await Self.onOwnThread({ try Self.load(location, live, pool: pool) }), !Task.isCancelled
                else {
                    continue
                }
                absent.removeAll { $0.fingerprint == fingerprint }
                admit(model)
            }
        }
    }

    private static let betweenLooks = Duration.seconds(2)

    /// Blocking work on a thread that Swift's pool does not miss.
    static func onOwnThread<Value: Sendable>(_ body: @escaping @Sendable () throws -> Value) async throws -> Value {
        try await withCheckedThrowingContinuation { continuation in
            DispatchQueue.global().async { continuation.resume(with: Result { try body() }) }
        }
    }

    /// Loads models, each behind a queue that gathers the pictures of several clients, with its index; all of them over one catalogue in memory.
    /// - Parameters:
    ///   - form: what vectors are kept as in memory.
    ///   - elsewhere: by fingerprint, the indexes of models whose vectors are searched on other machines.
    ///   - mayBeEmpty: whether a model may be without vectors: the catalogue is filled while it answers.
    ///   - browse: told of this catalogue once it is there, before the models are.
    /// - Throws: as `EncoderSession.init`, `LiveCatalog.init` and `SearchEngine.init`.
    static func load(
        _ models: [ModelLocation], _ catalog: CatalogStore, pool: ModelPool, form: VectorForm,
        elsewhere: [String: any VectorIndex] = [:], mayBeEmpty: Bool = false, browse: (LiveCatalog) -> Void
    ) throws -> [ServedModel] {
        var names: Set<String> = []
        let live = try LiveCatalog(catalog, form: form, elsewhere: elsewhere) { Console.warn($0) }
        browse(live)
        return try models.map { location in
            guard names.insert(location.name).inserted else {
                throw Failure.usage("Two models are called \(location.name); rename the folder of one of them.")
            }
            return try load(location, live, pool: pool, mayBeEmpty: mayBeEmpty)
        }
    }

    /// - Parameters:
    ///   - pool: what keeps weights in memory while they are asked for: those of variants, of which there can be a dozen for each model, or where it
    ///     holds a number of bytes those of all models.
    ///   - name: what it answers to; its own where left out.
    static func load(
        _ location: ModelLocation, _ live: LiveCatalog, pool: ModelPool, name: String? = nil, mayBeEmpty: Bool = false
    ) throws -> ServedModel {
        let name = name ?? location.name
        let (model, card): (any EmbeddingModel, ModelCard)
        let holdsAll = if case .bytes = pool.room { true } else { false }
        if location.isVariant || holdsAll {
            let onDemand = try OnDemandModel(checkpoint: location.path, name: name, catalog: live.store, pool: pool)
            (model, card) = (onDemand, onDemand.card)
        } else {
            let session = try EncoderSession(
                checkpoint: location.path, name: name, catalog: live.store, precision: pool.precision)
            PrecisionOption.note(session.trial, of: name)
            (model, card) = (session, session.card)
        }
        if mayBeEmpty { try live.store.register(model.model) }
        let engine = try SearchEngine(live, encoder: MicroBatcher(model, queueLimit: 32), mayBeEmpty: mayBeEmpty)
        Task { await engine.warmUp() }
        return ServedModel(card: card, engine: engine)
    }

    /// The model that a search takes where none is named.
    /// - Throws: `Failure` if the catalogue has vectors of several models, or of none that is shipped.
    static func onlyModelWithVectors(in catalog: CatalogStore) throws -> ModelLocation {
        let counts = try catalog.counts().vectors
        let names = try catalog.models().filter { counts[$0.fingerprint, default: 0] > 0 }.map(\.name)
        if names.count > 1 {
            throw Failure.usage(
                "The catalogue \(catalog.path) has vectors of \(names.joined(separator: ", ")); choose one of them with --model.")
        }
        // Not empty, or the call has thrown.
        return try modelsWithVectors(in: catalog)[0]
    }

    /// The shipped and fetched models that have vectors in a catalogue.
    /// - Parameter mayBeEmpty: also those that once had some: the catalogue is filled while they answer.
    /// - Throws: `Failure` if there is none.
    static func modelsWithVectors(in catalog: CatalogStore, mayBeEmpty: Bool = false) throws -> [ModelLocation] {
        // First, since a model that the catalogue knows by a former fingerprint may get its present one by this.
        let shipped = try ModelLocation.shipped().map { ($0, try catalog.fingerprint(of: Checkpoint(path: $0.path))) }
        let counts = try catalog.counts().vectors
        var known = try catalog.models().filter { mayBeEmpty || counts[$0.fingerprint, default: 0] > 0 }
        func take(_ location: ModelLocation, _ fingerprint: String) -> ModelLocation? {
            guard let place = known.firstIndex(where: { $0.fingerprint == fingerprint }) else { return nil }
            known.remove(at: place)
            return location
        }
        if known.isEmpty, mayBeEmpty, let first = shipped.first(where: { !$0.0.isVariant })?.0 {
            Console.note("\(first.name) makes the vectors of this catalogue; name another model with --model.")
            return [first]
        }
        var found = shipped.compactMap { take($0.0, $0.1) }
        // Fetched ones are large: they are looked at only where a shipped one does not explain the vectors.
        for model in ModelLocation.fetched() where !known.isEmpty {
            do {
                if let location = take(ModelLocation(model), try catalog.fingerprint(of: Checkpoint(path: model.path))) {
                    found.append(location)
                }
            } catch let error as CLIPError {
                Console.warn("\(model.source) can't be opened: \(error)")
            }
        }
        for other in known where counts[other.fingerprint, default: 0] > 0 {
            Console.warn(
                "the catalogue has vectors of \(other.name) that no shipped or fetched model made: name the model's folder with --model, or embed again"
            )
        }
        guard !found.isEmpty else {
            throw Failure.data(
                "The catalogue \(catalog.path) has no vectors of a shipped or fetched model; make them with `stylefinder embed`, or name a "
                    + "model folder with --model.")
        }
        return found
    }
}

/// Pictures to try a search with.
enum Samples {
    /// So many fit the first screen.
    private static let count = 12

    /// Rows of a data set, spread over it: the ones with split `query` where there are any.
    static func of(_ dataset: Dataset) throws -> [SamplePicture] {
        let queries = dataset.rows(where: "split", is: "query")
        let rows = queries.isEmpty ? dataset.rows : queries
        return spread(rows).map { row in
            let name = URL(fileURLWithPath: row.path).deletingPathExtension().lastPathComponent
            return SamplePicture(title: row["title"] ?? name.replacing("_", with: " "), path: row.path)
        }
    }

    /// Pictures of the catalogue itself.
    static func of(_ catalog: CatalogStore) throws -> [SamplePicture] {
        let ids = spread(try catalog.usableImageIDs())
        let images = try catalog.images(ids)
        let chosen = ids.compactMap { images[$0] }
        let products = try catalog.products(Set(chosen.map(\.productID)))
        return chosen.map { SamplePicture(title: products[$0.productID]?.title ?? $0.productID, path: $0.path) }
    }

    private static func spread<Element>(_ all: [Element]) -> [Element] {
        guard all.count > count else { return all }
        return (0..<count).map { all[$0 * all.count / count] }
    }
}
