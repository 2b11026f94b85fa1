import BitCollections
public import Catalog
import Dispatch
public import Retrieval
import Synchronization

/// A catalogue as searches see it: its filterable columns, and an index for each model in use, both in memory and both following the file.
///
/// The file stays the truth. What another process writes, an import or `embed` beside a running server, is taken over by the next `refresh`;
/// `follow` refreshes several times a second. Who writes himself refreshes, and what he wrote is found from then on.
public final class LiveCatalog: Sendable {
    public let store: CatalogStore
    /// Where work over this catalogue runs.
    public let threads: SearchThreads
    private let form: VectorForm
    /// Where segments may lie that need not be made anew.
    public let files: IndexFiles
    private let note: @Sendable (String) -> Void
    /// By fingerprint, the indexes that lie on other machines and are kept true by others.
    private let elsewhere: [String: any VectorIndex]

    private struct State {
        var columns: CatalogColumns
        /// By fingerprint.
        var indexes: [String: LiveIndex] = [:]
        /// Up to here the changes of vectors are in the indexes.
        var position: Int64
        /// By fingerprint, what the files of an index hold: up to which position, and how many vectors.
        var filed: [String: (position: Int64, count: Int)] = [:]
    }

    /// Held for moments only.
    private let state: Mutex<State>
    /// Held by whoever brings the catalogue up to date, or loads an index: one at a time, while searches go on.
    private let updating = Mutex(())
    private let queue = DispatchQueue(label: "following the catalogue")

    /// Reads the columns; an index is loaded when a model first asks for it.
    /// - Parameters:
    ///   - form: what vectors are kept as in memory. Codes are mapped from files where there are some that fit.
    ///   - elsewhere: by fingerprint, the indexes of models whose vectors are searched on other machines; nothing of them is loaded here.
    ///   - note: told why files that are there are not used.
    /// - Throws: `CatalogError`.
    public init(
        _ store: CatalogStore, threads: SearchThreads = .standard, form: VectorForm = .floats,
        elsewhere: [String: any VectorIndex] = [:], note: @escaping @Sendable (String) -> Void = { _ in }
    ) throws(CatalogError) {
        (self.form, self.note, self.elsewhere) = (form, note, elsewhere)
        files = IndexFiles(store)
        self.store = store
        self.threads = threads
        let columns = try CatalogColumns(reading: store)
        state = Mutex(State(columns: columns, position: columns.position))
    }

    /// The columns as they stand now.
    public var columns: CatalogColumns { state.withLock(\.columns) }

    /// What a model's searches are answered from: its index on another machine, or the one here, as `index(of:)` has it.
    /// - Throws: as `index(of:)`.
    func searched(of model: ModelRecord) throws -> any VectorIndex {
        if let far = elsewhere[model.fingerprint] { return FarIndex(index: far) }
        return try index(of: model)
    }

    /// Whether a model's vectors are searched in this process.
    public func isHere(_ model: ModelRecord) -> Bool { elsewhere[model.fingerprint] == nil }

    /// The index of a model's vectors, loaded from the catalogue if this is the first to ask for it. Blocks while it loads.
    /// - Throws: `CatalogError`, `.unknownModel` where no vector of the model was ever written; `RetrievalError`.
    public func index(of model: ModelRecord) throws -> LiveIndex {
        try updating.withLock { _ in
            if let index = state.withLock({ $0.indexes[model.fingerprint] }) { return index }
            let index: LiveIndex
            if let mapped = try mapped(model) {
                index = mapped
            } else {
                index = try LiveIndex(dimension: model.dimension, form: form)
                try fill(index, model.fingerprint)
            }
            // Changes after `position` may be in it already; taking them over once more does no harm.
            state.withLock { $0.indexes[model.fingerprint] = index }
            return index
        }
    }

    /// An index over files, with what changed since they were written; nil where there are none that fit.
    private func mapped(_ model: ModelRecord) throws -> LiveIndex? {
        guard form == .codes else { return nil }
        do {
            let (index, position) = try files.load(model)
            let (columns, now) = state.withLock { ($0.columns, $0.position) }
            let count = index.count
            // The log may go on behind what the columns know of; what they do not know yet comes with the next refresh.
            guard position <= now, let changes = try store.changes(after: position) else { throw IndexFiles.Unfit.otherCatalog }
            try update(index, model.fingerprint, changes, usable: columns.usable)
            state.withLock { $0.filed[model.fingerprint] = (position, count) }
            return index
        } catch IndexFiles.Unfit.missing {
            return nil
        } catch let unfit as IndexFiles.Unfit {
            note("the search files of \(model.name) are not used: \(unfit); its vectors are read from the catalogue")
            return nil
        }
    }

    /// Builds the graphs that large segments of a model's index lack; searches go on meanwhile.
    /// - Parameters:
    ///   - least: vectors from which on a segment has one; where left out, as many as a pass takes some milliseconds for.
    ///   - shouldStop: asked several times a second, from another thread.
    /// - Returns: how many were built.
    /// - Throws: `CatalogError`, `RetrievalError`.
    @discardableResult
    public func buildGraphs(
        of model: ModelRecord, least: Int? = nil, progress: (Int, Int) -> Void = { _, _ in },
        shouldStop: @escaping @Sendable () -> Bool
    ) throws -> Int {
        let built = try index(of: model).buildGraphs(least: least, progress: progress, shouldStop: shouldStop)
        // The files lack them.
        if built > 0 { _ = state.withLock { $0.filed.removeValue(forKey: model.fingerprint) } }
        return built
    }

    /// Writes the files of a model's index, so that the next start maps them.
    /// - Parameter least: leaves an index of fewer vectors as it is, and one whose files lack less than a twentieth of what it holds.
    /// - Returns: whether they were written.
    /// - Throws: as `IndexFiles.save`.
    @discardableResult
    public func saveFiles(of model: ModelRecord, unlessSmallerThan least: Int = 0) throws -> Bool {
        let index = try index(of: model)
        guard index.form == .codes else { return false }
        let (position, filed) = state.withLock { ($0.position, $0.filed[model.fingerprint]) }
        let snapshot = index.snapshot
        guard snapshot.count >= least else { return false }
        if least > 0, let filed, (position - filed.position) * 20 < Int64(snapshot.count) { return false }
        guard try files.save(snapshot, of: model, position: position) else { return false }
        state.withLock { $0.filed[model.fingerprint] = (position, snapshot.count) }
        return true
    }

    /// Reads the files that an index was mapped from, and where they are not what was written makes it anew from the catalogue; searches go on with what
    /// there is meanwhile.
    /// - Returns: whether they are what was written.
    /// - Throws: `CatalogError`, `RetrievalError`.
    @discardableResult
    public func verifyFiles(of model: ModelRecord) throws -> Bool {
        guard state.withLock({ $0.filed[model.fingerprint] != nil }) else { return true }
        do {
            try files.verify(model.fingerprint)
            return true
        } catch {
            note("the search files of \(model.name) are damaged: \(error); its vectors are read from the catalogue")
            try updating.withLock { _ in
                guard let index = state.withLock({ $0.indexes[model.fingerprint] }) else { return }
                try fill(index, model.fingerprint)
                _ = state.withLock { $0.filed.removeValue(forKey: model.fingerprint) }
            }
            return false
        }
    }

    /// Takes over what was written since the last time; what was written before the call is found after it.
    /// - Throws: `CatalogError`, `RetrievalError`.
    public func refresh() async throws {
        try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
            queue.async { continuation.resume(with: Result { try self.catchUp() }) }
        }
    }

    /// Refreshes again and again until its task is cancelled.
    /// - Parameters:
    ///   - interval: between two looks at the file, each of which costs some microseconds where nothing was written.
    ///   - report: told of an error once, until a refresh succeeds again. Searches go on with what is known.
    public func follow(every interval: Duration = .milliseconds(250), report: (any Error) -> Void) async {
        var isFailing = false
        while !Task.isCancelled {
            do {
                try await refresh()
                isFailing = false
            } catch {
                if !isFailing { report(error) }
                isFailing = true
            }
            do { try await Task.sleep(for: interval) } catch { return }
        }
    }

    /// Products with a usable picture that a filter admits, as `CatalogColumns.page` has them, with their rows; on the search threads.
    /// - Parameters:
    ///   - typed: words that the products have, each perhaps unfinished, or the beginning of an id; the best `wordLimit` come, best first.
    ///   - choices: facets of so many attributes that people can choose by come beside the named ones.
    /// - Throws: `CatalogError.unknownKey`, `SearchError.overloaded`.
    public func productPage(
        matching filter: CatalogFilter, words typed: String? = nil, offset: Int, limit: Int, facets: [String] = [],
        choices: Int = 0, valuesPerFacet: Int = 100
    ) async throws -> ProductPage {
        try await threads.run { [self] in
            let columns = columns
            let page = try columns.page(
                matching: filter, among: try typed.map { try products(with: $0) }, offset: offset, limit: limit,
                facets: facets + columns.choices(limit: choices + facets.count).filter { !facets.contains($0) }.prefix(choices),
                valuesPerFacet: valuesPerFacet)
            let images = try store.images(page.products.map(\.cover))
            // Looked up one by one: a dictionary by id would take ids for one that differ in their Unicode form alone.
            let entries = try page.products.compactMap { id, cover in
                try store.product(id).flatMap { product in images[cover].map { ProductPage.Entry(product: product, cover: $0) } }
            }
            return ProductPage(total: page.total, entries: entries, facets: page.facets)
        }
    }

    /// Products whether they have a usable picture or not, in the order of their ids, or with words the best first; on the search threads.
    /// - Throws: `CatalogError`, `SearchError.overloaded`.
    public func everyProduct(words typed: String? = nil, offset: Int, limit: Int) async throws -> ProductPage {
        try await threads.run { [self] in
            let columns = columns
            let (total, products): (Int, [Product])
            if let typed {
                let ids = try self.products(with: typed)
                (total, products) = (ids.count, try ids.dropFirst(offset).prefix(limit).compactMap { try store.product($0) })
            } else {
                (total, products) = try store.products(offset: offset, limit: limit)
            }
            let covers = products.map { columns.cover(ofProduct: $0.id) }
            let images = try store.images(covers.compactMap(\.self))
            let entries = zip(products, covers).map { ProductPage.Entry(product: $0, cover: $1.flatMap { images[$0] }) }
            return ProductPage(total: total, entries: entries, facets: [:])
        }
    }

    /// Products that words list at most: nobody pages through more of them.
    public static let wordLimit = 1000

    /// The ids of the products that have all the words somebody has typed so far, the best first.
    private func products(with typed: String) throws(CatalogError) -> [String] {
        let query = WordQuery(beginning: typed, language: try store.language())
        // A word that nothing has is passed over where garments are searched; who looks for one product means it.
        guard try store.unknownWords(of: query).isEmpty else { return [] }
        return try store.products(with: query, limit: Self.wordLimit, wholeAlone: true).map(\.productID)
    }

    private func catchUp() throws {
        try updating.withLock { _ in
            let (before, position, indexes) = state.withLock { ($0.columns, $0.position, $0.indexes) }
            let now = try store.changePosition()
            if now == position, now == before.position { return }
            let changes = try store.changes(after: position)
            // First the columns, which decide what may be found: nothing that is gone is found from here on.
            let columns = changes == nil ? try CatalogColumns(reading: store) : try before.updated(from: store)
            state.withLock { $0.columns = columns }
            for (fingerprint, index) in indexes {
                if let changes {
                    try update(index, fingerprint, changes, usable: columns.usable)
                } else {
                    try fill(index, fingerprint)
                }
            }
            // Columns read anew may be younger than the vectors, never older than what is asked for next.
            state.withLock { $0.position = changes?.position ?? now }
        }
    }

    /// Takes over single changes.
    private func update(_ index: LiveIndex, _ fingerprint: String, _ changes: ChangeSet, usable: BitSet) throws {
        let snapshot = index.snapshot
        var gone = changes.removedImages
        var toRead = changes.vectors[fingerprint] ?? []
        for image in changes.images {
            if !usable.contains(Int(image)) {
                gone.insert(image)
            } else if !snapshot.contains(image) {
                // It may have become usable again, with the vector that it always had.
                toRead.insert(image)
            }
        }
        toRead.subtract(gone)
        try index.apply(removing: gone)
        let sorted = toRead.sorted()
        for first in stride(from: 0, to: sorted.count, by: Self.imagesAtOnce) {
            let images = sorted[first..<min(first + Self.imagesAtOnce, sorted.count)]
            let vectors = try store.vectors(of: fingerprint, images: images)
            var builder = try ExactIndexBuilder(capacity: vectors.count, dimension: index.dimension, form: index.form)
            for (image, vector) in vectors.sorted(by: { $0.key < $1.key }) { try builder.append(image, copying: vector) }
            try index.apply(removing: images.filter { vectors[$0] == nil }, adding: [builder.finish()])
        }
    }

    /// Vectors that are copied out of the catalogue at a time for a change.
    private static let imagesAtOnce = 4096

    /// Makes an index equal to the rows, straight from them, a segment at a time: what is in it already is replaced as the walk comes by, and what
    /// the walk did not meet goes at its end.
    private func fill(_ index: LiveIndex, _ fingerprint: String) throws {
        var met = BitSet()
        var builder = try ExactIndexBuilder(
            capacity: LiveIndex.segmentLimit(of: index.form), dimension: index.dimension, form: index.form)
        try store.forEachVector(of: fingerprint, after: 0) { image, vector in
            if builder.isFull { try index.apply(removing: [], adding: [builder.finishAndBeginAgain()]) }
            try builder.append(image, copying: vector)
            met.insert(Int(image))
        }
        try index.apply(removing: [], adding: [builder.finish()])
        try index.apply(removing: index.snapshot.ids.filter { !met.contains(Int($0)) })
    }
}

/// An index on another machine, whose silence is a search's matter and nothing that a client should read in another program's words.
private struct FarIndex: VectorIndex {
    let index: any VectorIndex

    var dimension: Int { index.dimension }
    var count: Int { index.count }

    func vector(of id: Int64) async throws -> [Float]? { try await answered { try await index.vector(of: id) } }
    func vectors(of ids: [Int64]) async throws -> [Int64: [Float]] { try await answered { try await index.vectors(of: ids) } }
    func search(_ request: VectorRequest) async throws -> [[Hit]] { try await answered { try await index.search(request) } }

    private func answered<Value>(_ body: () async throws -> Value) async throws -> Value {
        do { return try await body() } catch let error as any RemoteIndexError where error.isAway {
            throw SearchError.indexUnavailable
        }
    }
}
