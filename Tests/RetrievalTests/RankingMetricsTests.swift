import Retrieval
import Testing

@Suite("ranking metrics")
struct RankingMetricsTests {
    @Test("a ranking with hits at 1, 3 and 6 of 8 has the figures worked out by hand")
    func byHand() {
        let ranking = Ranking(relevance: [true, false, true, false, false, true, false, false])
        #expect(ranking.relevantPlaces == [1, 3, 6] && ranking.length == 8)
        #expect([0, 1, 2, 3, 5, 6, 100].map { ranking.hits(at: $0) } == [0, 1, 1, 2, 2, 3, 3])
        #expect([0, 1, 5].map { ranking.recall(at: $0) } == [0, 1, 1])
        #expect([0, 1, 2, 3, 4, 10].map { ranking.precision(at: $0) } == [0, 1, 0.5, 2.0 / 3, 0.5, 0.3])
        // (1/1 + 2/3 + 3/6) / 3
        #expect(abs(ranking.averagePrecision - 13.0 / 18) < 1e-15)
        #expect(abs(ranking.rPrecision - 2.0 / 3) < 1e-15)
        // (1/1 + 2/3) / 3: the third hit lies beyond R.
        #expect(abs(ranking.averagePrecisionAtR - 5.0 / 9) < 1e-15)
        #expect(ranking.reciprocalRank == 1)
    }

    @Test("a first hit at 4 counts from there")
    func late() {
        let ranking = Ranking(relevance: [false, false, false, true])
        #expect([1, 3, 4].map { ranking.recall(at: $0) } == [0, 0, 1])
        #expect(ranking.averagePrecision == 0.25 && ranking.reciprocalRank == 0.25)
        #expect(ranking.rPrecision == 0 && ranking.averagePrecisionAtR == 0)
    }

    @Test("a perfect ranking has 1 everywhere, one without relevant items 0")
    func extremes() {
        let perfect = Ranking(relevance: [true, true, false])
        #expect(
            [perfect.averagePrecision, perfect.rPrecision, perfect.averagePrecisionAtR, perfect.reciprocalRank] == [1, 1, 1, 1])
        for none in [Ranking(relevance: [false, false]), Ranking(relevance: [])] {
            #expect([none.averagePrecision, none.rPrecision, none.averagePrecisionAtR, none.reciprocalRank] == [0, 0, 0, 0])
            #expect(none.recall(at: 5) == 0 && none.precision(at: 5) == 0)
        }
    }

    @Test("an irrelevant item with the same score comes before a relevant one, whatever the order they are given in")
    func ties() {
        #expect(Ranking(scores: [0.5, 0.5, 0.5], relevance: [true, false, false]).relevantPlaces == [3])
        #expect(Ranking(scores: [0.5, 0.5, 0.5], relevance: [false, false, true]).relevantPlaces == [3])
        #expect(
            Ranking(scores: [0.1, 0.9, 0.5, 0.5, 0.5, 0.9], relevance: [true, true, true, false, true, false]).relevantPlaces
                == [2, 4, 5, 6])
        #expect(Ranking(scores: [0, -0.0], relevance: [true, false]).relevantPlaces == [2])
    }
}

@Suite("bootstrap by product")
struct ProductBootstrapTests {
    @Test("a value that all queries share has an interval without width")
    func constant() {
        let bootstrap = ProductBootstrap(products: ["a", "a", "b", "c"])
        #expect(bootstrap.intervals(ofMeans: [[0.25, 0.25, 0.25, 0.25], [1, 1, 1, 1]]) == [0.25...0.25, 1...1])
    }

    @Test("one product leaves nothing to resample, however different its queries")
    func oneProduct() {
        #expect(ProductBootstrap(products: [7, 7, 7, 7]).intervals(ofMeans: [[0, 1, 0, 1]]) == [0.5...0.5])
    }

    @Test("no queries have no intervals")
    func none() {
        #expect(ProductBootstrap(products: [String]()).intervals(ofMeans: [[]]).isEmpty)
    }

    @Test("equal seeds give equal intervals, other seeds others")
    func seeds() {
        let values = [(0..<50).map { Double($0 % 7) }]
        let products = (0..<50).map { $0 / 3 }
        let first = ProductBootstrap(products: products, seed: 1).intervals(ofMeans: values)
        #expect(ProductBootstrap(products: products, seed: 1).intervals(ofMeans: values) == first)
        #expect(ProductBootstrap(products: products, seed: 2).intervals(ofMeans: values) != first)
    }

    @Test("the interval of a share is as wide as the binomial distribution says, and wider by √m where m queries go together")
    func width() throws {
        // 400 products of one query each, half of them hits: standard error 0.5 / 20.
        let hits = (0..<400).map { Double($0 % 2) }
        let single = try #require(ProductBootstrap(products: Array(0..<400), resamples: 4_000).intervals(ofMeans: [hits]).first)
        // 1.96 standard errors on each side; 4,000 resamples leave a quantile some percent of noise.
        #expect(abs(single.upperBound - single.lowerBound - 2 * 1.96 * 0.025) < 0.006)
        #expect(abs((single.upperBound + single.lowerBound) / 2 - 0.5) < 0.005)
        // The same 400 queries in 100 products whose four queries agree: standard error 0.5 / 10.
        let together = (0..<400).map { Double($0 / 4 % 2) }
        let grouped = try #require(
            ProductBootstrap(products: (0..<400).map { $0 / 4 }, resamples: 4_000).intervals(ofMeans: [together]).first)
        #expect(abs(grouped.upperBound - grouped.lowerBound - 2 * 1.96 * 0.05) < 0.012)
    }

    @Test("a product with many queries weighs by its queries")
    func weights() throws {
        // Three products: {a: 8 hits of 8}, {b: 0 of 1}, {c: 0 of 1}. All ten means that can be drawn lie between 0 and 1; drawing
        // a three times (1 in 27, above 2.5 %) gives 1, drawing none (8 in 27) gives 0.
        let products = [String](repeating: "a", count: 8) + ["b", "c"]
        let interval = ProductBootstrap(products: products).intervals(ofMeans: [[1, 1, 1, 1, 1, 1, 1, 1, 0, 0]])
        #expect(interval == [0...1])
    }
}
