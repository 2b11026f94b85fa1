public import Catalog
public import Imaging
public import Retrieval

/// Pictures of a catalogue that are nearly the same, and products whose pictures are.
public struct DuplicateReport: Sendable, Equatable {
    /// Pictures each of which is nearly the same as another one of the group.
    public struct Group: Sendable, Equatable {
        /// The least cosine similarity of two pictures that joined the group, -1…1.
        public var score: Double
        /// By their ids.
        public var images: [CatalogImage]
    }

    /// Two products that share pictures.
    public struct ProductPair: Sendable, Equatable {
        /// In the order of their first pictures.
        public var first: String
        public var second: String
        /// Pictures of the product with fewer of them that the other one has nearly the same, and how many it has.
        public var shared: Int
        public var of: Int
    }

    /// The most alike first.
    public var groups: [Group] = []
    /// Those that share at least half of the pictures of one of them, the most shared first.
    public var products: [ProductPair] = []
    /// Pictures that were compared.
    public var compared = 0
    /// Pictures that could not be opened: their likeness was not confirmed.
    public var unreadable = 0
    public var stopped = false

    public init() {}
}

/// Finds near-duplicates: a model's vectors propose pairs, small versions of the two pictures decide.
///
/// Vectors alone would list one garment in two colours, or two plain shirts; pixels alone would mean to compare each picture with every other one. A
/// picture that was saved again, scaled or lightly retouched is found; one that was cropped or mirrored is not.
public struct DuplicateSearch: Sendable {
    /// Cosine similarity from which a pair is looked at.
    public static let standardScore: Float = 0.95
    /// Mean difference of the small versions' channels up to which two pictures are nearly the same, of 0…1.
    public static let standardDifference = 0.03

    private let store: CatalogStore
    private let threads: SearchThreads
    private let columns: CatalogColumns
    private let index: any VectorIndex
    private let score: Float
    private let difference: Double

    /// Pictures whose neighbours are looked for in one pass over the index.
    private static let queriesAtOnce = 64
    /// Neighbours of each. Of more copies each finds some, and the groups join.
    private static let neighbours = 12
    private static let side = 24

    /// - Parameters: score: 0…1; difference: 0…1.
    public init(
        _ catalog: LiveCatalog, _ index: any VectorIndex, score: Float = standardScore, difference: Double = standardDifference
    ) {
        store = catalog.store
        threads = catalog.threads
        columns = catalog.columns
        self.index = index
        self.score = score
        self.difference = difference
    }

    /// - Parameters:
    ///   - read: opens a picture of the catalogue; called for those alone that have a likely duplicate, once each.
    ///   - progress: pictures whose neighbours were looked for, and all.
    ///   - shouldStop: asked before each pass; what was found until then is the answer.
    /// - Throws: `CatalogError`, `RetrievalError`, `SearchError.overloaded`, `CancellationError`.
    public func run(
        read: (CatalogImage) async throws -> RGBImage, progress: (Int, Int) -> Void = { _, _ in },
        shouldStop: () -> Bool = { false }
    ) async throws -> DuplicateReport {
        var report = DuplicateReport()
        let ids = columns.usable.map { ImageID($0) }
        var thumbnails: [ImageID: [UInt8]?] = [:]
        var groups = DisjointSets()
        var confirmed: Set<Pair> = []
        progress(0, ids.count)
        for start in stride(from: 0, to: ids.count, by: Self.queriesAtOnce) {
            try Task.checkCancellation()
            if shouldStop() {
                report.stopped = true
                break
            }
            var (asked, vectors): ([ImageID], [Float]) = ([], [])
            let some = Array(ids[start..<min(start + Self.queriesAtOnce, ids.count)])
            let known = try await index.vectors(of: some)
            for id in some {
                guard let vector = known[id] else { continue }
                asked.append(id)
                vectors += vector
            }
            report.compared += asked.count
            guard !asked.isEmpty else { continue }
            var request = VectorRequest(
                vectors: vectors, k: Self.neighbours + 1, admission: .ids(columns.usable), minimumScore: score)
            request.described = DescribedRows(RowFilter())
            let found = try await threads.run { [request] in try await index.search(request) }
            // Each pair is met from both of its sides, unless one of them has too many neighbours.
            var near: [Pair: Float] = [:]
            for (id, hits) in zip(asked, found) {
                for hit in hits where hit.id != id { near[Pair(id, hit.id)] = hit.score }
            }
            let missing = Set(near.keys.flatMap { [$0.first, $0.second] }).filter { thumbnails[$0] == nil }
            for (id, image) in try store.images(missing) {
                try Task.checkCancellation()
                thumbnails[id] = .some(try? Self.thumbnail(await read(image)))
            }
            for (pair, score) in near where !confirmed.contains(pair) {
                guard let a = thumbnails[pair.first] ?? nil, let b = thumbnails[pair.second] ?? nil,
                    Self.difference(a, b) <= difference
                else { continue }
                groups.join(pair.first, pair.second, score: score)
                confirmed.insert(pair)
            }
            progress(min(start + Self.queriesAtOnce, ids.count), ids.count)
        }
        report.unreadable = thumbnails.values.count { $0 == nil }
        report.groups = try groups.sets.map { score, members in
            let images = try store.images(members)
            return .init(score: Double(score), images: members.sorted().compactMap { images[$0] })
        }.filter { $0.images.count > 1 }.sorted { ($1.score, $0.images[0].id) < ($0.score, $1.images[0].id) }
        report.products = try sharing(confirmed)
        return report
    }

    /// Two pictures, the one with the lower id first.
    private struct Pair: Hashable {
        let first: ImageID
        let second: ImageID

        init(_ one: ImageID, _ other: ImageID) { (first, second) = (min(one, other), max(one, other)) }
    }

    private func sharing(_ pairs: Set<Pair>) throws -> [DuplicateReport.ProductPair] {
        let images = try store.images(Set(pairs.flatMap { [$0.first, $0.second] }))
        struct Products: Hashable { let first, second: Int32 }
        var shared: [Products: (first: Set<ImageID>, second: Set<ImageID>)] = [:]
        for pair in pairs {
            guard let one = columns.productIndex(of: pair.first), let other = columns.productIndex(of: pair.second), one != other
            else { continue }
            let sides = one < other ? (pair.first, pair.second) : (pair.second, pair.first)
            let products = Products(first: min(one, other), second: max(one, other))
            shared[products, default: ([], [])].first.insert(sides.0)
            shared[products, default: ([], [])].second.insert(sides.1)
        }
        return try shared.compactMap { _, sides -> DuplicateReport.ProductPair? in
            guard let a = sides.first.min().flatMap({ images[$0] }), let b = sides.second.min().flatMap({ images[$0] }) else {
                return nil
            }
            let counts = try [a, b].map { try store.images(ofProduct: $0.productID).count { $0.state == .ok } }
            let (count, shared) = counts[0] <= counts[1] ? (counts[0], sides.first.count) : (counts[1], sides.second.count)
            guard shared * 2 >= count else { return nil }
            let (first, second) = a.id < b.id ? (a, b) : (b, a)
            return .init(first: first.productID, second: second.productID, shared: shared, of: count)
        }.sorted { ($1.shared, $0.first, $0.second) < ($0.shared, $1.first, $1.second) }
    }

    /// Small enough that noise and the quality of a JPEG are averaged away, large enough for a print.
    private static func thumbnail(_ image: RGBImage) -> [UInt8] {
        image.resized(width: side, height: side, filter: .bilinear).pixels
    }

    private static func difference(_ a: [UInt8], _ b: [UInt8]) -> Double {
        var sum = 0
        for place in a.indices { sum += abs(Int(a[place]) - Int(b[place])) }
        return Double(sum) / Double(max(1, a.count)) / 255
    }
}

extension SearchEngine {
    /// Looks for near-duplicates with this engine's vectors.
    public var duplicates: DuplicateSearch { DuplicateSearch(catalog, index) }
}

/// Pictures that were joined, by pairs, into sets.
private struct DisjointSets {
    private var parents: [ImageID: ImageID] = [:]
    private var scores: [ImageID: Float] = [:]

    private mutating func root(_ id: ImageID) -> ImageID {
        var id = id
        while let parent = parents[id], parent != id {
            parents[id] = parents[parent] ?? parent
            id = parent
        }
        return id
    }

    mutating func join(_ a: ImageID, _ b: ImageID, score: Float) {
        let (a, b) = (root(a), root(b))
        let least = min(score, scores[a] ?? score, scores[b] ?? score)
        (parents[a], parents[b]) = (a, a)
        scores[b] = nil
        scores[a] = least
    }

    /// The sets, each with the least score that joined it.
    var sets: [(score: Float, members: [ImageID])] {
        mutating get {
            var members: [ImageID: [ImageID]] = [:]
            for id in parents.keys { members[root(id), default: []].append(id) }
            return members.map { (scores[$0.key] ?? 1, $0.value) }
        }
    }
}
