import ArgumentParser
import CLIP
import Catalog
import Foundation
import Inference
import Retrieval
import Search

#if Milvus
    import Milvus
    import Synchronization
#endif

/// Which Milvus, and who asks it; `index sync` and `serve` have them.
struct MilvusOptions: ParsableArguments {
    @Option(
        name: .customLong("milvus"), help: "The address of a Milvus, such as http://localhost:19530 or https://host:443/database."
    )
    var address: String?

    @Option(name: .customLong("milvus-token-file"), help: "A file with the token that Milvus asks for.")
    var tokenFile: String?

    #if Milvus
        static let hint = ""

        /// - Throws: `Failure` for a token file that can't be read; `MilvusError.address`, `.token`.
        func server() throws -> MilvusServer { try MilvusServer(address ?? "", token: token()) }

        private func token() throws -> String? {
            guard let tokenFile else { return ProcessInfo.processInfo.environment["STYLEFINDER_MILVUS_TOKEN"] }
            do {
                return try String(contentsOf: URL(fileURLWithPath: tokenFile), encoding: .utf8)
            } catch {
                let isThere = FileManager.default.fileExists(atPath: tokenFile)
                throw Failure(
                    description: "The token file \(tokenFile) can't be read: \(error.phrase).",
                    code: isThere ? .inputOutput : .noInput)
            }
        }
    #else
        static let hint = missing.description
        /// One sentence for all who ask a build without it.
        static let missing = Failure(
            description: "This build has no Milvus: build with `swift build -c release --traits Milvus`.", code: .unavailable)
    #endif
}

extension ServeCommand {
    #if Milvus
        /// Answers with vectors in a Milvus: over the catalogue that they came from, or over a copy of what Milvus keeps of it.
        func serveFromMilvus() async throws {
            let interrupt = Interrupt()
            guard try admin.token() == nil else {
                throw Failure.usage(
                    "--milvus searches what `index sync` has put there; an admin changes a catalogue, whose own server this is not."
                )
            }
            let server = try milvus.server()
            let named = try model.map { try ModelLocation($0) }
            let offered = try samples.map { try Samples.of(Dataset(named: $0)) }
            let folder = FileManager.default.temporaryDirectory.appending(path: "stylefinder-\(UUID().uuidString)").path
            defer { try? FileManager.default.removeItem(atPath: folder) }
            let copy: CatalogCopy?
            let store: CatalogStore
            if let catalogPath {
                (copy, store) = (nil, try CatalogStore(path: catalogPath, mode: .readOnly))
            } else {
                try FileManager.default.createDirectory(
                    atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
                let made = try CatalogCopy(path: "\(folder)/copy.db", pictures: imagesURL ?? "")
                (copy, store) = (made, made.store)
            }
            var serving = Serving(catalog: store, listening: listening, interrupt: interrupt, logsRequests: true)
            serving.place = "the Milvus at \(server.name)"
            serving.pictureOrigin = imagesURL.flatMap(Self.origin)
            let (machines, options) = (MilvusMachines(), listening)
            serving.connect = {
                try await machines.connect(server, named.isEmpty ? nil : named, store, copy, interrupt: interrupt)
                return machines.elsewhere
            }
            try await serving.run { pool, elsewhere, browse in
                if interrupt.isRequested { return nil }
                let models = try Serving.load(
                    machines.models, store, pool: pool, form: options.exact.form, elsewhere: elsewhere, browse: browse)
                // A copy's pictures are nothing that this server could read.
                return (models, try offered ?? (copy == nil ? Samples.of(store) : []))
            }
        }

        /// `https://host:port` of an address.
        private static func origin(of address: String) -> String? {
            guard let parts = URLComponents(string: address), let scheme = parts.scheme, let host = parts.encodedHost else {
                return nil
            }
            return "\(scheme)://\(host)" + (parts.port.map { ":\($0)" } ?? "")
        }
    #else
        func serveFromMilvus() async throws { throw MilvusOptions.missing }
    #endif
}

#if Milvus
    /// The models that have a collection in a Milvus, their indexes, and how a server keeps up with them.
    private final class MilvusMachines: Sendable {
        private struct Found {
            var models: [ModelLocation] = []
            var indexes: [String: MilvusIndex] = [:]
            var followers: [MilvusFollower] = []
        }

        private let found = Mutex(Found())

        /// Looks every so often what was synced.
        private static let betweenLooks = Duration.seconds(2)

        var models: [ModelLocation] { found.withLock(\.models) }

        /// Finds the collections, and reads what a copy needs.
        /// - Parameters:
        ///   - named: the models to answer with; where left out, those of the shipped and fetched ones that have a collection.
        ///   - store: the catalogue, or the copy's.
        ///   - copy: filled with what Milvus keeps; nil where the catalogue itself is there.
        /// - Throws: `MilvusError`; `Failure` where no model has a collection.
        func connect(
            _ server: MilvusServer, _ named: [ModelLocation]?, _ store: CatalogStore, _ copy: CatalogCopy?, interrupt: Interrupt
        ) async throws {
            for location in named ?? ModelLocation.shipped() where !interrupt.isRequested {
                try await take(location, server, store, copy, isNamed: named != nil)
            }
            if named == nil, models.isEmpty {
                // Large ones: their fingerprints take a pass over the weights.
                for model in ModelLocation.fetched() where !interrupt.isRequested {
                    try await take(ModelLocation(model), server, store, copy, isNamed: false)
                }
            }
            guard !models.isEmpty || interrupt.isRequested else {
                throw Failure.noInput(
                    "The Milvus at \(server.name) has no collection of a shipped or fetched model; fill it with `stylefinder index sync`, or name a model folder with --model."
                )
            }
        }

        private func take(
            _ location: ModelLocation, _ server: MilvusServer, _ store: CatalogStore, _ copy: CatalogCopy?, isNamed: Bool
        ) async throws {
            let checkpoint = try Checkpoint(path: location.path)
            let fingerprint = try store.fingerprint(of: checkpoint)
            let record = ModelRecord(
                fingerprint: fingerprint, name: location.name, dimension: checkpoint.configuration.embeddingSize)
            let opened =
                isNamed
                ? try await MilvusIndex(server, fingerprint: fingerprint, dimension: record.dimension)
                : try await MilvusIndex.ifThere(server, fingerprint: fingerprint, dimension: record.dimension)
            guard let index = opened else { return }
            var follower: MilvusFollower?
            if let copy {
                let reading = MilvusFollower(index, into: try copy.part(of: record))
                let bar = ProgressBar("reading what Milvus keeps for \(location.name)")
                try await reading.catchUp { bar.show($0, of: $1) }
                follower = reading
            } else if let identity = try store.mark(at: 0) {
                try await index.check(isOf: identity)
            }
            found.withLock { found in
                found.models.append(location)
                found.indexes[fingerprint] = index
                if let follower { found.followers.append(follower) }
            }
        }

        var elsewhere: Serving.Elsewhere {
            let (indexes, followers) = found.withLock { ($0.indexes, $0.followers) }
            return Serving.Elsewhere(indexes: indexes) { answers in
                var isFailing = false
                while !Task.isCancelled {
                    do { try await Task.sleep(for: Self.betweenLooks) } catch { return }
                    do {
                        if followers.isEmpty {
                            for index in indexes.values { try await index.refresh() }
                        } else {
                            for follower in followers { try await follower.catchUp() }
                        }
                        if isFailing { Console.note("The Milvus answers again.") }
                        isFailing = false
                    } catch {
                        if Task.isCancelled { return }
                        if !isFailing { Console.warn("\(error)") }
                        isFailing = true
                    }
                    answers(!isFailing)
                }
            }
        }
    }
#endif
