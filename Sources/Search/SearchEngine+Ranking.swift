import BitCollections
import Catalog
import Retrieval

extension SearchEngine {
    /// The best candidates in their order.
    struct Ranking: Sendable {
        var candidates: [Candidate]
    }

    /// So many candidates are looked at where the order of the answer is another than that of the scores.
    private static let pool = (fused: 300, sorted: 1000)
    /// How much nearness to a liked product, and distance from a disliked one, count beside a relevance.
    private static let nearness = 0.25

    /// Finds what may be an answer, gives each its relevance, and orders them as the query asks.
    /// - Parameters:
    ///   - direction: the query as one unit vector.
    ///   - line: from which cosine on a result is a close match.
    func ranking(_ query: SearchQuery, _ direction: [Float], _ gallery: Gallery, _ line: Double?) async throws -> Ranking {
        guard !gallery.admitted.isEmpty else { return Ranking(candidates: []) }
        let isPlain =
            gallery.words == nil && query.sorting == .relevance && query.diversity == 0 && query.boosts.isEmpty
            && query.liked.isEmpty && query.disliked.isEmpty
        let size = query.sorting == .relevance ? max(Self.pool.fused, 2 * query.limit) : Self.pool.sorted
        var candidates = try await self.candidates(query, direction, gallery, count: isPlain ? query.limit : size)
        if isPlain { return Ranking(candidates: candidates) }

        if let words = gallery.words {
            fuse(words, RankFusion(query.basis), into: &candidates)
            if query.basis == .words { candidates.removeAll { $0.wordRank == nil } }
        }
        for boost in query.boosts {
            let images = try gallery.columns.images(matching: CatalogFilter(clauses: [boost.clause]))
            for place in candidates.indices where images.contains(Int(candidates[place].hit.id)) {
                candidates[place].relevance += boost.weight
            }
        }
        let needsVectors = query.diversity > 0 || !gallery.liked.isEmpty || !gallery.disliked.isEmpty
        let vectors = needsVectors ? try await index.vectors(of: candidates.map(\.hit.id)) : [:]
        for place in candidates.indices {
            guard let vector = vectors[candidates[place].hit.id] else { continue }
            let near = gallery.liked.map { Self.dot($0, vector) }.max() ?? 0
            let far = gallery.disliked.map { Self.dot($0, vector) }.max() ?? 0
            candidates[place].relevance += Self.nearness * Double(near - far)
        }
        candidates.sort { ($1.relevance, $0.hit.id) < ($0.relevance, $1.hit.id) }
        if query.sorting != .relevance {
            candidates = try sorted(relevant(candidates, query, line), by: query.sorting, gallery)
        } else if query.diversity > 0 {
            candidates = diversified(candidates, by: query.diversity, count: query.limit, vectors)
        }
        return Ranking(candidates: Array(candidates.prefix(query.limit)))
    }

    /// The nearest by vectors, and what has the words, each once; the nearest first.
    private func candidates(
        _ query: SearchQuery, _ direction: [Float], _ gallery: Gallery, count: Int
    ) async throws -> [Candidate] {
        var found: [Candidate] = []
        var seen: Set<Int64> = []
        func search(_ admitted: BitSet, described: DescribedRows? = nil) async throws {
            guard !admitted.isEmpty else { return }
            var request = VectorRequest(
                vectors: direction, k: count, admission: .ids(admitted), minimumScore: query.minimumScore.map { Float($0) })
            request.described = described
            if query.grouping == .product { request.group = { gallery.columns.productIndex(of: $0) } }
            for hit in try await index.search(request)[0] {
                let product = gallery.columns.productIndex(of: hit.id) ?? -1
                if seen.insert(query.grouping == .product && product > 0 ? Int64(product) : -hit.id).inserted {
                    found.append(Candidate(hit, product: product))
                }
            }
        }
        // Those with words first: of their pictures the one that shows the colour that was asked for is taken.
        if let words = gallery.words {
            try await search(words.whole.intersection(gallery.admitted))
            try await search(words.partly.intersection(gallery.admitted))
        }
        try await search(gallery.admitted, described: DescribedRows(RowFilter(query.filter), without: gallery.leftOut))
        if gallery.words != nil { found.sort { ($1.hit.score, $0.hit.id) < ($0.hit.score, $1.hit.id) } }
        for place in found.indices { found[place].vectorRank = place + 1 }
        return found
    }

    /// Relevance by words and vectors together: what has all words before what has not, what has an unwanted word last.
    private func fuse(_ words: WordCandidates, _ fusion: RankFusion, into candidates: inout [Candidate]) {
        for place in candidates.indices {
            if let found = words.places[candidates[place].product] {
                candidates[place].wordRank = found.rank
                candidates[place].hasAllWords = found.isWhole
            }
            candidates[place].relevance = fusion.relevance(
                wordRank: candidates[place].wordRank, vectorRank: candidates[place].vectorRank)
            if candidates[place].hasAllWords { candidates[place].relevance += 1 }
            if words.unwanted.contains(candidates[place].product) { candidates[place].relevance -= 2 }
        }
    }

    /// What is relevant enough to be put in another order: what has all words, or else what is a close match; where neither says anything, as many
    /// as were asked for.
    private func relevant(_ candidates: [Candidate], _ query: SearchQuery, _ line: Double?) -> [Candidate] {
        let whole = candidates.filter { $0.hasAllWords && $0.relevance > 0 }
        if !whole.isEmpty { return whole }
        if let line {
            let close = candidates.filter { Double($0.hit.score) >= line }
            if !close.isEmpty { return close }
        }
        return Array(candidates.prefix(query.limit))
    }

    private func sorted(
        _ candidates: [Candidate], by sorting: SearchQuery.Sorting, _ gallery: Gallery
    ) throws -> [Candidate] {
        let products = try catalog.store.products(Set(candidates.map { gallery.columns.productID($0.product) }))
        func product(_ candidate: Candidate) -> Product? { products[gallery.columns.productID(candidate.product)] }
        func newest(_ candidate: Candidate) -> ImageID { gallery.columns.images(ofProduct: candidate.product).last ?? 0 }
        // What has no price stands last, whichever way round; of equals the more relevant first.
        let keys: [Double] = candidates.map { candidate in
            switch sorting {
            case .relevance: 0
            case .price: product(candidate)?.price ?? .infinity
            case .priceDescending: product(candidate)?.price.map { -$0 } ?? .infinity
            case .newest: -Double(newest(candidate))
            case .stock: product(candidate)?.inStock == false ? 1 : 0
            }
        }
        return candidates.indices.sorted { (keys[$0], $0) < (keys[$1], $1) }.map { candidates[$0] }
    }

    /// Maximal marginal relevance: each place goes to the candidate with the most of `λ relevance - (1 - λ) likeness to those before`, both brought to
    /// 0…1.
    private func diversified(
        _ candidates: [Candidate], by diversity: Double, count: Int, _ vectors: [Int64: [Float]]
    ) -> [Candidate] {
        guard let best = candidates.first?.relevance, let least = candidates.last?.relevance else { return [] }
        let span = max(best - least, .leastNormalMagnitude)
        var left = candidates
        var likeness = [Float](repeating: 0, count: left.count)
        var chosen: [Candidate] = []
        while chosen.count < count, !left.isEmpty {
            func value(_ place: Int) -> Double {
                (1 - diversity) * (left[place].relevance - least) / span - diversity * Double(max(0, likeness[place]))
            }
            let next = left.indices.max { value($0) < value($1) || (value($0) == value($1) && $0 > $1) } ?? 0
            let taken = left.remove(at: next)
            likeness.remove(at: next)
            chosen.append(taken)
            guard let vector = vectors[taken.hit.id] else { continue }
            for place in left.indices {
                if let other = vectors[left[place].hit.id] { likeness[place] = max(likeness[place], Self.dot(vector, other)) }
            }
        }
        return chosen
    }

    private static func dot(_ one: [Float], _ other: [Float]) -> Float { zip(one, other).reduce(0) { $0 + $1.0 * $1.1 } }
}
