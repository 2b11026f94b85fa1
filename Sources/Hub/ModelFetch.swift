import Foundation

/// Fetches a model whole: what its kind needs and nothing else, into a folder that appears when all of it is there.
///
/// Blocks its thread; not `Sendable`.
public final class ModelFetch {
    /// What is about to be fetched.
    public struct Plan: Sendable {
        /// What the model is asked for by.
        public let source: String
        public let place: String
        public let commit: String?
        public let licence: Licence?
        /// The model's page at the hub; nil for an address.
        public let page: String?
        public let files: [String]
        /// In bytes; nil where the source does not say it.
        public let size: Int?
        /// Bytes that are there already.
        public let kept: Int
    }

    public enum Event: Sendable {
        case plan(Plan)
        case note(String)
        /// `file` is on its way; of all files `done` bytes are there.
        case progress(file: String, done: Int, total: Int?)
    }

    public struct Outcome: Sendable {
        public let model: FetchedModel
        /// Whether it was there before, so that nothing was fetched.
        public let wasThere: Bool
    }

    private let settings: HubSettings
    private let store: FetchedModels
    private let layouts: [FolderLayout]
    private let tell: (Event) -> Void
    private let web: Web
    private let persistence: Persistence

    /// - Parameters:
    ///   - store: where models are kept whose place is not given.
    ///   - layouts: the kinds of folders that are read, in the reader's order of preference.
    ///   - shouldStop: whether the user wants to stop; asked at least once a second.
    ///   - tell: told on the thread of the call.
    public convenience init(
        _ settings: HubSettings, store: FetchedModels, layouts: [FolderLayout], shouldStop: @escaping () -> Bool,
        tell: @escaping (Event) -> Void
    ) throws {
        let pause = { (duration: Duration) in
            let end = ContinuousClock.now + duration
            while ContinuousClock.now < end {
                if shouldStop() { throw HubError.stopped(kept: nil) }
                Thread.sleep(forTimeInterval: min(0.1, max(0, (end - ContinuousClock.now) / .seconds(1))))
            }
        }
        let transport: CurlTransport
        do { transport = try CurlTransport(settings, shouldStop: shouldStop) } catch let trouble as Trouble {
            throw HubError.refused(what: "a model", reason: trouble.reason)
        }
        self.init(settings, store: store, layouts: layouts, transport: transport, pause: pause, tell: tell)
    }

    init(
        _ settings: HubSettings, store: FetchedModels, layouts: [FolderLayout], transport: any HTTPTransport,
        pause: @escaping (Duration) throws -> Void, tell: @escaping (Event) -> Void
    ) {
        (self.settings, self.store, self.layouts, self.tell) = (settings, store, layouts, tell)
        web = Web(transport)
        persistence = Persistence(pause: pause, tell: { tell(.note($0)) })
    }

    /// - Parameters:
    ///   - place: the model's folder; nil for one of its own in the store.
    ///   - checkConfiguration: looks at a folder's configuration before the weights come; where it throws, nothing stays.
    ///   - check: looks at the finished folder, or the one file in it, before it takes its place; what it throws leaves the model unfinished.
    /// - Throws: ``HubError``, what the checks throw.
    public func run(
        _ source: ModelSource, to place: String? = nil, checkConfiguration: (_ path: String) throws -> Void,
        check: (_ path: String) throws -> Void
    ) throws -> Outcome {
        let place = place ?? store.place(for: source)
        let partial = PartialModel(of: place)
        do {
            let there = try existing(source, at: place)
            if settings.isOffline {
                guard let there else { throw HubError.offline(source.description) }
                return Outcome(model: there, wasThere: true)
            }
            let wanted: Wanted
            do { wanted = try self.wanted(source) } catch let error as HubError {
                guard case .gaveUp = error, let there else { throw error }
                tell(.note("\(error) The model fetched before is whole and stays in use."))
                return Outcome(model: there, wasThere: true)
            }
            if let there, wanted.isWhole(there) { return Outcome(model: there, wasThere: true) }
            return try fetch(wanted, source, to: place, partial, checkConfiguration, check)
        } catch HubError.stopped {
            let isThere = FileManager.default.fileExists(atPath: partial.folder)
            throw HubError.stopped(kept: isThere ? partial.folder : nil)
        }
    }

    /// The model that was fetched to a place before.
    /// - Throws: ``HubError/taken(path:by:)`` where something else lies there.
    private func existing(_ source: ModelSource, at place: String) throws(HubError) -> FetchedModel? {
        var isFolder: ObjCBool = false
        guard FileManager.default.fileExists(atPath: place, isDirectory: &isFolder) else { return nil }
        guard isFolder.boolValue else { throw .taken(path: place, by: "a file") }
        guard let there = FetchedModel(folder: place) else {
            let isEmpty = (try? FileManager.default.contentsOfDirectory(atPath: place).isEmpty) ?? false
            if isEmpty { return nil }
            throw .taken(path: place, by: "files that were not fetched")
        }
        guard there.source == source.description else { throw .taken(path: place, by: "the model \(there.source)") }
        if let damage = there.damage {
            tell(.note("In \(place) \(damage); the model is fetched again."))
            return nil
        }
        return there
    }

    // MARK: What is needed

    /// What a source has for us.
    private struct Wanted {
        var files: [WantedFile]
        var commit: String?
        var licence: Licence?
        var page: String?
        /// The file that says what the model is; nil for weights alone.
        var configuration: String?

        func isWhole(_ model: FetchedModel) -> Bool {
            Set(model.files.map { "\($0.name) \($0.identity)" }) == Set(files.map { "\($0.name) \($0.identity)" })
        }
    }

    private func wanted(_ source: ModelSource) throws -> Wanted {
        switch source {
        case .repository(let repository): try wanted(repository)
        case .address(let url): try wanted(url)
        }
    }

    private func wanted(_ repository: Repository) throws -> Wanted {
        let (name, place) = (repository.description, try settings.listing(repository))
        let answer = TextReceiver(limit: Listing.limit)
        try ask(repository, name, limit: 3) { try web.get(place, token: settings.token?.value, into: answer) }
        let listing = try Listing(answer.data, of: name, from: place.absoluteString)
        guard let (chosen, index) = FolderLayout.chosen(of: layouts, in: listing) else {
            throw HubError.noWeights(name: name, files: listing.files.map(\.name).sorted())
        }
        if listing.isGated, settings.token == nil {
            throw HubError.gated(name: name, page: settings.page(repository), hasToken: false)
        }
        var files = chosen
        if let index {
            let text = TextReceiver(limit: 32 << 20)
            let place = try settings.file(index.name, of: repository, at: listing.commit)
            try ask(repository, "\(name), \(index.name)", limit: 3, isFile: true) {
                try web.get(place, token: settings.token?.value, into: text)
            }
            files += try FolderLayout.shards(text.data, named: index.name, in: listing, of: name)
        }
        return Wanted(
            files: try files.map { file in
                WantedFile(
                    name: file.name, url: try settings.file(file.name, of: repository, at: listing.commit), size: file.size,
                    sha256: file.sha256, identity: file.identity ?? "\(listing.commit) \(file.name)")
            },
            commit: listing.commit,
            licence: listing.licence ?? KnownModel.of(repository).map { Licence(name: $0.licence) },
            page: settings.page(repository), configuration: chosen[0].name)
    }

    /// An address tells the size of its file with its answer, and OpenAI's tell its SHA-256 as the part before the name.
    private func wanted(_ url: URL) throws -> Wanted {
        /// Looks at the head and leaves.
        final class Probe: Web.Receiver {
            struct Enough: Error {}
            var head: HTTPHead?
            var linked = Web.Linked()

            func receive(_ head: HTTPHead, linked: Web.Linked) throws {
                (self.head, self.linked) = (head, linked)
                throw Enough()
            }
            func receive(_ bytes: UnsafeRawBufferPointer) throws {}
        }
        let probe = Probe()
        try ask(nil, url.absoluteString, limit: 3) {
            do { try web.get(url, token: token(for: url), into: probe) } catch is Probe.Enough {}
        }
        let parent = url.deletingLastPathComponent().lastPathComponent.lowercased()
        let sum = [parent, probe.linked.tag ?? ""].first { Listing.isHex($0, count: 64) }?.lowercased()
        let size = probe.linked.size ?? probe.head?.length
        let identity = sum ?? "\(url.absoluteString) \(probe.head?["etag"] ?? "") \(size ?? -1)"
        return Wanted(
            files: [WantedFile(name: url.lastPathComponent, url: url, size: size, sha256: sum, identity: identity)])
    }

    /// The token belongs to the hub alone.
    private func token(for url: URL) -> String? { Web.isSameOrigin(url, settings.endpoint) ? settings.token?.value : nil }

    /// Asks, several times where need be, and says in the model's words what an answer means.
    private func ask<Value>(
        _ repository: Repository?, _ what: String, limit: Int, isFile: Bool = false, _ body: () throws -> Value
    ) throws -> Value {
        do { return try persistence.run(what, limit: limit, body) } catch let trouble as Trouble {
            throw meaning(of: trouble, what, repository, isFile: isFile)
        }
    }

    /// - Parameters:
    ///   - repository: whose answer it is; nil for an address.
    ///   - isFile: whether a file that the repository lists was asked for.
    private func meaning(
        of trouble: Trouble, _ what: String, _ repository: Repository?, isFile: Bool = false
    ) -> HubError {
        guard case .status(let head, _, let url) = trouble, let repository, Web.isSameOrigin(url, settings.endpoint) else {
            return .refused(what: what, reason: trouble.reason)
        }
        let (name, hasToken) = (repository.path, settings.token != nil)
        switch (head.status, head["x-error-code"]) {
        case (_, "GatedRepo"),
            (403, _) where head["x-error-code"] != "RepoNotFound":
            return .gated(name: name, page: settings.page(repository), hasToken: hasToken)
        case (_, "RevisionNotFound"):
            return .noSuchRevision(name: name, revision: repository.revision ?? Repository.mainBranch)
        case (401, nil) where isFile && !hasToken:
            return .gated(name: name, page: settings.page(repository), hasToken: false)
        case (_, "EntryNotFound"),
            (404, _) where isFile:
            return .badAnswer(place: url.absoluteString, reason: "it lists a file that it does not have")
        case (401, let code) where code != "RepoNotFound" && settings.token != nil:
            return .refusedToken(place: settings.endpoint.absoluteString, origin: settings.token?.origin ?? "")
        // To those who may not see them the hub says that private models are not there, and to those without a token 401 for both.
        case (404, _), (401, _):
            return .noSuchModel(
                name: name, page: settings.page(repository), hasToken: hasToken,
                near: KnownModel.near(name).filter { $0 != name })
        default: return .refused(what: what, reason: trouble.reason)
        }
    }

    // MARK: Fetching

    private func fetch(
        _ wanted: Wanted, _ source: ModelSource, to place: String, _ partial: PartialModel,
        _ checkConfiguration: (String) throws -> Void, _ check: (String) throws -> Void
    ) throws -> Outcome {
        let parent = URL(fileURLWithPath: place).deletingLastPathComponent().path
        do { try FileManager.default.createDirectory(atPath: parent, withIntermediateDirectories: true) } catch {
            throw HubError.noWrite(path: parent, step: "making the folder", reason: error.localizedDescription)
        }
        var hasWaited = false
        let lock = try FolderLock(partial.lock) {
            if !hasWaited { tell(.note("Another process is fetching \(source.description) to \(place); waiting for it.")) }
            hasWaited = true
            try persistence.pause(.milliseconds(200))
        }
        defer { withExtendedLifetime(lock) {} }
        // Whoever had the lock before may have done the work.
        if hasWaited, let there = try existing(source, at: place), wanted.isWhole(there) {
            return Outcome(model: there, wasThere: true)
        }
        try partial.prepare()
        partial.keep(only: Set(wanted.files.map(\.name)))
        let kept = wanted.files.map(partial.count)
        let sizes = wanted.files.compactMap(\.size)
        let total = sizes.count == wanted.files.count ? sizes.reduce(0, +) : nil
        tell(
            .plan(
                Plan(
                    source: source.description, place: place, commit: wanted.commit, licence: wanted.licence, page: wanted.page,
                    files: wanted.files.map(\.name), size: total, kept: kept.reduce(0, +))))
        try checkSpace(in: parent, for: sizes.reduce(0, +) - kept.reduce(0, +))
        var (files, before): ([FetchedModel.File], Int) = ([], 0)
        for file in wanted.files {
            let fetch = FileFetch(
                web: web, token: token(for: file.url), persistence: persistence, partial: partial,
                progress: { [tell] in tell(.progress(file: file.name, done: before + $0, total: total)) })
            do { files.append(try fetch.run(file)) } catch let trouble as Trouble {
                guard case .repository(let repository) = source else { throw meaning(of: trouble, file.name, nil) }
                throw meaning(of: trouble, "\(file.name) of \(source.description)", repository, isFile: true)
            }
            before += files.last?.size ?? 0
            if file.name == wanted.configuration {
                do { try checkConfiguration("\(partial.files)/\(file.name)") } catch {
                    try? FileManager.default.removeItem(atPath: partial.folder)
                    throw error
                }
            }
        }
        try partial.write(
            FetchedModel.Record(
                source: source.description, commit: wanted.commit, licence: wanted.licence?.name, files: files))
        try check(FetchedModel(folder: partial.files)?.path ?? partial.files)
        try partial.moveIntoPlace()
        guard let model = FetchedModel(folder: place) else {
            throw HubError.noWrite(path: place, step: "reading back", reason: "the record of what was fetched is not there")
        }
        return Outcome(model: model, wasThere: false)
    }

    private func checkSpace(in folder: String, for needed: Int) throws(HubError) {
        var status = statvfs()
        guard statvfs(folder, &status) == 0 else { return }
        let free = Int(clamping: UInt64(status.f_bavail) * UInt64(status.f_frsize))
        guard needed <= free else { throw .tooLittleSpace(place: folder, needed: needed - free, free: free) }
    }
}
