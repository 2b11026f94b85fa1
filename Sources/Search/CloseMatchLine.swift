import Catalog
import Retrieval
import Synchronization

/// From which score on a result is a close match, told by the catalogue's own pictures.
///
/// Each picture of a sample is asked for the nearest picture of *another* product. All but a twentieth of these scores reach the line: so alike
/// are different products of this catalogue to this model. A query whose best result stays below it is farther from everything in the
/// catalogue than its products are from each other.
final class CloseMatchLine: Sendable {
    /// Pictures that are asked, at most.
    private static let sampleSize = 256
    /// Fewer products say nothing about what products have in common.
    private static let leastProducts = 20
    /// The share of scores that stay below the line.
    private static let share = 0.05

    private let catalog: LiveCatalog
    private let index: any VectorIndex

    private struct State {
        /// What was measured last, when the index held `count` vectors.
        var known: (score: Double?, count: Int)?
        var measuring: Task<Void, Never>?
    }

    private let state = Mutex(State())

    /// Whether a search waits for the first measurement: hundreds of queries to another machine take longer than anybody waits.
    private let isWaitedFor: Bool

    init(_ catalog: LiveCatalog, _ index: any VectorIndex, isWaitedFor: Bool) {
        (self.catalog, self.index, self.isWaitedFor) = (catalog, index, isWaitedFor)
    }

    /// The line; nil for a catalogue of too few products, and for an index on another machine until it is known. Waits for the first measurement alone: where the catalogue has grown or shrunk by a tenth
    /// since, it is measured anew behind.
    func score() async -> Double? {
        let (known, measuring) = state.withLock { state in
            let isOutdated = state.known.map { abs(index.count - $0.count) * 10 > $0.count } ?? true
            if isOutdated, state.measuring == nil { state.measuring = Task { await self.measure() } }
            return (state.known, state.measuring)
        }
        if let known { return known.score }
        guard isWaitedFor else { return nil }
        await measuring?.value
        return state.withLock { $0.known?.score }
    }

    private func measure() async {
        let count = index.count
        do {
            let score = try await catalog.threads.run { try await self.measured() }
            state.withLock { $0 = State(known: (score, count)) }
        } catch {
            // What stops this, such as too many searches that wait, stops no search: this one goes without the line, the next tries again.
            state.withLock { $0.measuring = nil }
        }
    }

    private func measured() async throws -> Double? {
        let columns = catalog.columns
        let step = max(1, (columns.usable.count + Self.sampleSize - 1) / Self.sampleSize)
        let sample = columns.usable.enumerated().filter { $0.offset % step == 0 }.map { ImageID($0.element) }
        let known = try await index.vectors(of: sample)
        var (vectors, products): ([Float], [Int32]) = ([], [])
        for id in sample {
            guard let product = columns.productIndex(of: id), let vector = known[id] else { continue }
            vectors += vector
            products.append(product)
        }
        guard Set(products).count >= Self.leastProducts else { return nil }
        // Of two products the nearest is usually the picture's own.
        var request = VectorRequest(
            vectors: vectors, k: 2, admission: .ids(columns.usable), group: { columns.productIndex(of: $0) })
        request.described = DescribedRows(RowFilter())
        let nearest = try await zip(index.search(request), products).compactMap { hits, product in
            hits.first { columns.productIndex(of: $0.id) != product }?.score
        }.sorted()
        return nearest.isEmpty ? nil : Double(nearest[Int(Self.share * Double(nearest.count))])
    }
}
