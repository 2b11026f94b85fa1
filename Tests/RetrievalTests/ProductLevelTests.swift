import Testing

@testable import Retrieval

@Suite("rankings of products")
struct ProductLevelTests {
    /// A ranking by sorting everything: one score for each product that has a picture beside the query.
    static func sorted(
        _ set: LabelledVectors, query: Int, gallery: [Int], score: (_ members: [Int]) -> Float
    ) -> Ranking {
        var order: [String] = []
        var members: [String: [Int]] = [:]
        for row in gallery {
            if members[set.products[row]] == nil { order.append(set.products[row]) }
            members[set.products[row], default: []].append(row)
        }
        let products = order.map { (members[$0] ?? []).filter { $0 != query } }.filter { !$0.isEmpty }
        return Ranking(
            scores: products.map(score),
            relevance: products.map { $0.contains { set.labels[$0] != nil && set.labels[$0] == set.labels[query] } })
    }

    static func dot(_ set: LabelledVectors, _ a: Int, _ b: [Double]) -> Float {
        var sum = 0.0
        for place in 0..<set.dimension { sum += Double(set.vectors[a * set.dimension + place]) * b[place] }
        return Float(sum)
    }

    static func vector(_ set: LabelledVectors, _ row: Int) -> [Double] {
        (0..<set.dimension).map { Double(set.vectors[row * set.dimension + $0]) }
    }

    /// Vectors of halves, whose products are exact and tie often; labels that are the products or not.
    static func set(_ seed: UInt64, count: Int, dimension: Int, products: Int, ownLabels: Bool) throws -> LabelledVectors {
        var generator = SeededGenerator(state: seed)
        let names = (0..<count).map { _ in "product \(Int.random(in: 0..<products, using: &generator))" }
        let labels = (0..<count).map { row -> String? in
            if !ownLabels { return names[row] }
            return Int.random(in: 0..<8, using: &generator) == 0 ? nil : "label \(Int.random(in: 0..<5, using: &generator))"
        }
        return try LabelledVectors(
            vectors: tyingUnitVectors(count, dimension: dimension, seed: seed), dimension: dimension, products: names,
            labels: labels)
    }

    @Test("by their best picture, products rank as sorting ranks them, with ties and queries that are in the gallery")
    func best() throws {
        for (seed, ownLabels) in [(1, false), (2, true), (3, true)] {
            let set = try Self.set(UInt64(seed), count: 160, dimension: 6, products: 30, ownLabels: ownLabels)
            let all = Array(0..<160)
            for (queries, gallery) in [(all, all), (Array(0..<60), Array(40..<160)), (Array(0..<40), Array(40..<160))] {
                let expected = queries.map { query in
                    Self.sorted(set, query: query, gallery: gallery) { members in
                        members.map { Self.dot(set, query, Self.vector(set, $0)) }.max() ?? 0
                    }
                }
                for threads in [1, 3] {
                    let found = try Evaluator(threads: threads).ranked(
                        of: set, queries: queries, gallery: gallery, level: .productBest, top: 4)
                    #expect(found.map(\.ranking) == expected)
                    for (query, ranked) in zip(queries, found) {
                        // What stands for a product is its picture with that score, and not the query.
                        for result in ranked.first {
                            #expect(result.row != query && gallery.contains(result.row))
                            #expect(result.score == Self.dot(set, query, Self.vector(set, result.row)))
                        }
                        #expect(ranked.first.count == min(4, ranked.ranking.length))
                        #expect(Set(ranked.first.map { set.products[$0.row] }).count == ranked.first.count)
                    }
                }
            }
        }
    }

    @Test("by their centroids, products rank as sorting ranks them, and a query is no part of its own product's centroid")
    func centroids() throws {
        // Without ties: in other sums equal scores would differ in their last bit.
        let (count, dimension) = (150, 24)
        let vectors = randomUnitVectors(count, dimension: dimension, seed: 5)
        var generator = SeededGenerator(state: 5)
        let names = (0..<count).map { _ in "product \(Int.random(in: 0..<40, using: &generator))" }
        let labels = names.map { name in name.hasSuffix("7") ? nil : String(name.suffix(1)) }
        for labels in [names, labels] {
            let set = try LabelledVectors(vectors: vectors, dimension: dimension, products: names, labels: labels)
            let all = Array(0..<count)
            for (queries, gallery) in [(all, all), (Array(0..<70), Array(30..<count))] {
                let expected = queries.map { query in
                    Self.sorted(set, query: query, gallery: gallery) { members in
                        let sums = members.map { Self.vector(set, $0) }.reduce([Double](repeating: 0, count: dimension)) {
                            zip($0, $1).map(+)
                        }
                        let length = sums.reduce(0) { $0 + $1 * $1 }.squareRoot()
                        return Self.dot(set, query, sums.map { $0 / length })
                    }
                }
                let found = try Evaluator().ranked(of: set, queries: queries, gallery: gallery, level: .productCentroid, top: 3)
                #expect(found.map(\.ranking) == expected)
                #expect(
                    try Evaluator(threads: 1).ranked(of: set, queries: queries, gallery: gallery, level: .productCentroid, top: 3)
                        == found)
                for (query, ranked) in zip(queries, found) { #expect(ranked.first.allSatisfy { $0.row != query }) }
            }
        }
    }

    @Test("centroids worked out by hand: of one picture, of two, of two that cancel out, and ties against the query")
    func byHand() throws {
        // a: (1, 0) twice. b: (0.6, 0.8) and (0.8, 0.6), centroid along the diagonal. c: (1, 0) and (-1, 0), no direction. d: (1, 0).
        let set = try LabelledVectors(
            vectors: [1, 0, 1, 0, 0.6, 0.8, 0.8, 0.6, 1, 0, -1, 0, 1, 0], dimension: 2,
            products: ["a", "a", "b", "b", "c", "c", "d"])
        let all = Array(0..<7)
        let ranked = try Evaluator().ranked(of: set, queries: all, gallery: all, level: .productCentroid, top: 4)
        // The first picture of a sees the other one (1), d (1, ties, comes first), b (.71), c (0).
        #expect(ranked[0].ranking == Ranking(relevantPlaces: [2], length: 4))
        #expect(ranked[0].first.map { set.products[$0.row] } == ["d", "a", "b", "c"])
        #expect(ranked[0].first.map(\.isRelevant) == [false, true, false, false])
        #expect(ranked[0].relevantRows == [1])
        // The first picture of c sees a and d (1), b (.71), and its own product as (-1, 0).
        #expect(ranked[4].ranking == Ranking(relevantPlaces: [4], length: 4))
        #expect(ranked[4].first.last == RankedQuery.Result(row: 5, score: -1, isRelevant: true))
        // d has no other picture: it is no candidate of its own, and has nothing to find.
        #expect(ranked[6].ranking == Ranking(relevantPlaces: [], length: 3))
        // From outside, c's two pictures cancel out.
        let outside = try Evaluator().ranked(of: set, queries: [2], gallery: [0, 1, 4, 5], level: .productCentroid, top: 9)
        #expect(outside[0].first.map(\.score) == [0.6, 0])
    }

    @Test("a product by its best picture is relevant by its other pictures alone")
    func relevance() throws {
        let set = try LabelledVectors(
            vectors: [1, 0, 0, 1, 1, 0, 0.6, 0.8], dimension: 2, products: ["a", "a", "b", "b"], labels: ["x", "y", "x", "y"])
        // Row 0 asks: its product's other picture is a y, so a is not relevant; b is, by row 2.
        let ranked = try Evaluator().ranked(of: set, queries: [0], gallery: [0, 1, 2, 3], level: .productBest, top: 2)
        #expect(ranked[0].ranking == Ranking(relevantPlaces: [1], length: 2) && ranked[0].relevantRows == [2])
        #expect(ranked[0].first == [.init(row: 2, score: 1, isRelevant: true), .init(row: 1, score: 0, isRelevant: false)])
    }
}

@Suite("rankings with names")
struct RankedQueryTests {
    @Test("the first results and the rows behind the relevant places are those of sorting, for any number of threads")
    func firstResults() throws {
        let count = 210
        let vectors = tyingUnitVectors(count, dimension: 7, seed: 4)
        let set = try LabelledVectors(vectors: vectors, dimension: 7, products: (0..<count).map { "\($0 % 23)" })
        let all = Array(0..<count)
        func score(_ a: Int, _ b: Int) -> Float { ProductLevelTests.dot(set, a, ProductLevelTests.vector(set, b)) }
        let found = try Evaluator(threads: 1).ranked(of: set, queries: all, gallery: all, top: 12)
        for threads in [2, 5, 64] {
            #expect(try Evaluator(threads: threads).ranked(of: set, queries: all, gallery: all, top: 12) == found)
        }
        for query in all {
            let order = all.filter { $0 != query }.sorted { a, b in
                let (first, second) = (score(query, a), score(query, b))
                let (isFirst, isSecond) = (set.labels[a] == set.labels[query], set.labels[b] == set.labels[query])
                return first != second ? first > second : isFirst != isSecond ? isSecond : a < b
            }
            let expected = order.prefix(12).map {
                RankedQuery.Result(row: $0, score: score(query, $0), isRelevant: set.labels[$0] == set.labels[query])
            }
            #expect(found[query].first == expected)
            #expect(found[query].relevantRows == order.filter { set.labels[$0] == set.labels[query] })
        }
    }

    @Test("relevant rows that are given count in place of labels; the query and rows outside of the gallery never do")
    func givenRelevance() throws {
        let set = try LabelledVectors(
            vectors: [1, 0, 0.8, 0.6, 0.6, 0.8, 0, 1], dimension: 2, products: ["a", "a", "a", "a"])
        let ranked = try Evaluator().ranked(
            of: set, queries: [0, 1], gallery: [0, 1, 2], relevant: [[2, 0, 3, 2], []], top: 1)
        #expect(ranked[0].ranking == Ranking(relevantPlaces: [2], length: 2) && ranked[0].relevantRows == [2])
        #expect(ranked[1].ranking == Ranking(relevantPlaces: [], length: 2))
        #expect(throws: RetrievalError.count(what: "lists of relevant rows", found: 1, expected: 2)) {
            _ = try Evaluator().ranked(of: set, queries: [0, 1], gallery: [2], relevant: [[]])
        }
    }

    @Test("leaving relevant candidates out moves the others up past them, and past nothing else")
    func keeping() {
        let ranked = RankedQuery(
            ranking: Ranking(relevantPlaces: [2, 3, 7], length: 9), relevantRows: [10, 11, 12], first: [])
        #expect(ranked.ranking { $0 != 10 } == Ranking(relevantPlaces: [2, 6], length: 8))
        #expect(ranked.ranking { $0 == 12 } == Ranking(relevantPlaces: [5], length: 7))
        #expect(ranked.ranking { _ in false } == Ranking(relevantPlaces: [], length: 6))
        #expect(ranked.ranking { _ in true } == ranked.ranking)
    }

    @Test("the mean cosine is that of all pairs; of collapsed vectors it is 1")
    func meanCosine() throws {
        let vectors = randomUnitVectors(30, dimension: 8, seed: 9)
        let set = try LabelledVectors(vectors: vectors, dimension: 8, products: (0..<30).map { "\($0)" })
        var sum = 0.0
        for a in 0..<30 {
            for b in 0..<30 where b != a { sum += Double(ProductLevelTests.dot(set, a, ProductLevelTests.vector(set, b))) }
        }
        #expect(abs(try #require(set.meanCosine) - sum / (30 * 29)) < 1e-6)
        let collapsed = try LabelledVectors(
            vectors: [Float](repeating: 0.5, count: 40), dimension: 4, products: (0..<10).map { "\($0)" })
        #expect(collapsed.meanCosine == 1)
        #expect(try LabelledVectors(vectors: [1, 0], dimension: 2, products: ["a"]).meanCosine == nil)
    }
}
