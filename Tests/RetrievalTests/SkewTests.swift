import Foundation
import Testing

@testable import Retrieval

@Suite("skew of what is shown first")
struct SkewTests {
    @Test("NDKL of short rankings is what the formula gives by hand")
    func ndkl() {
        func near(_ found: Double, _ expected: Double) -> Bool { abs(found - expected) < 5e-7 }
        let half = [0.5, 0.5]
        // One result: ln 2. Two that are even: (ln 2) / (1 + 1/log2 3). Three: KL at 3 is 2/3 ln(4/3) + 1/3 ln(2/3) = 0.0566330.
        #expect(near(AttributeSkew.ndkl([0], half), 0.6931472))
        #expect(near(AttributeSkew.ndkl([0, 1], half), 0.4250012))
        #expect(near(AttributeSkew.ndkl([0, 0, 1], half), 0.5437959))
        // A value that is a tenth of the gallery, alone: ln 10; one that is nine tenths: ln(10/9).
        #expect(near(AttributeSkew.ndkl([0, 0, 0], [0.1, 0.9]), 2.3025851))
        #expect(near(AttributeSkew.ndkl([1, 1], [0.1, 0.9]), 0.1053605))
        // The gallery has one value only.
        #expect(AttributeSkew.ndkl([0, 0], [1]) == 0)
    }

    @Test("shares are those of the gallery and of all first results, and the skew is the logarithm of their ratio")
    func shares() throws {
        let skew = AttributeSkew(
            attribute: "color", first: [["red", "red"], ["red", "blue"], []], gallery: ["red", "blue", "blue", "green"])
        #expect(skew.values.map(\.value) == ["blue", "green", "red"])
        #expect(skew.values.map(\.gallery) == [0.5, 0.25, 0.25])
        #expect(skew.values.map(\.first) == [0.25, 0, 0.75])
        #expect(skew.values[0].skew == log(0.5) && skew.values[1].skew == nil && skew.values[2].skew == log(3))
        // The query without results counts for nothing: the mean of ln 4 and of the second one's.
        let second = (log(4) + (0.5 * log(2) + 0.5 * log(1)) / log2(3)) / (1 + 1 / log2(3))
        #expect(abs(skew.ndkl - (log(4) + second) / 2) < 1e-12)
    }

    @Test("without results there is nothing to tell")
    func empty() {
        let skew = AttributeSkew(attribute: "color", first: [[], []], gallery: ["red"])
        #expect(skew.ndkl == 0 && skew.values == [.init(value: "red", gallery: 1, first: 0, skew: nil)])
    }
}

@Suite("paired differences")
struct PairedDifferenceTests {
    @Test("methods that answer alike don't differ, and one that is better by the same everywhere does, by exactly that")
    func constant() {
        let bootstrap = ProductBootstrap(products: ["a", "a", "b", "c"])
        let values = [0.25, 0.5, 0, 1]
        let differences = bootstrap.differences(of: [values, values], and: [values, values.map { $0 + 0.25 }])
        #expect(differences.count == 2)
        #expect(differences[0].difference == 0 && differences[0].interval == .init(0...0))
        #expect(differences[0].shareOfOtherSign == 1 && !differences[0].isBeyondChance)
        #expect(differences[1].first == 0.4375 && differences[1].second == 0.6875 && differences[1].difference == 0.25)
        #expect(differences[1].interval == .init(0.25...0.25) && differences[1].shareOfOtherSign == 0)
        #expect(differences[1].isBeyondChance)
    }

    @Test("of two products the resamples can be counted by hand")
    func twoProducts() throws {
        // a gains 1, b nothing: a quarter of the resamples draws b twice and shows no difference.
        let even = try #require(
            ProductBootstrap(products: ["a", "b"], resamples: 8000).differences(of: [[0, 0]], and: [[1, 0]]).first)
        #expect(even.difference == 0.5 && even.interval == .init(0...1) && !even.isBeyondChance)
        // Four standard errors of a share of 8000.
        #expect(abs(even.shareOfOtherSign - 0.25) < 0.02)
        // a has three queries that gain, b one that loses: drawn are 1, (3 - 1) / 4 and, in a quarter, -1.
        let weighed = try #require(
            ProductBootstrap(products: ["a", "a", "a", "b"], resamples: 8000).differences(
                of: [[0, 0, 0, 1]], and: [[1, 1, 1, 0]]
            ).first)
        #expect(weighed.difference == 0.5 && weighed.interval == .init(-1...1))
        #expect(abs(weighed.shareOfOtherSign - 0.25) < 0.02)
    }

    @Test(
        "a gain in 30 of 100 products is beyond chance, the same gain in one of them is not, and turning the methods round turns the signs"
    )
    func beyondChance() throws {
        func difference(_ gains: Int) throws -> (PairedDifference, PairedDifference) {
            let first = [Double](repeating: 0, count: 100)
            let second = (0..<100).map { $0 < gains ? 1.0 : 0 }
            let bootstrap = ProductBootstrap(products: Array(0..<100), resamples: 4000)
            return (
                try #require(bootstrap.differences(of: [first], and: [second]).first),
                try #require(bootstrap.differences(of: [second], and: [first]).first)
            )
        }
        let (many, turned) = try difference(30)
        #expect(many.isBeyondChance && many.shareOfOtherSign == 0 && turned.isBeyondChance)
        #expect(turned.difference == -many.difference)
        #expect(abs(turned.interval.low + many.interval.high) < 1e-12 && abs(turned.interval.high + many.interval.low) < 1e-12)
        // The binomial distribution: .3 ± 1.96 √(.3 · .7 / 100).
        #expect(abs(many.interval.low - 0.21) < 0.02 && abs(many.interval.high - 0.39) < 0.02)
        let (one, _) = try difference(1)
        // (99/100)^100: how often the one product is not drawn.
        #expect(!one.isBeyondChance && abs(one.shareOfOtherSign - 0.366) < 0.035)
    }

    @Test("what makes queries hard for both cancels out: a small gain everywhere is sure where the means vary widely")
    func paired() throws {
        let first = (0..<60).map { Double($0 % 2) * 0.9 }
        let second = first.enumerated().map { $1 + ($0 % 10 == 0 ? 0.02 : 0.01) }
        let bootstrap = ProductBootstrap(products: Array(0..<60))
        let difference = try #require(bootstrap.differences(of: [first], and: [second]).first)
        #expect(difference.isBeyondChance)
        let interval = try #require(bootstrap.intervals(ofMeans: [first]).first)
        #expect(interval.upperBound - interval.lowerBound > 10 * difference.difference)
    }
}

@Suite("slices")
struct SlicePartTests {
    @Test("a part has the figures of its rankings, those without anything relevant left out")
    func figures() throws {
        let part = try #require(
            SliceReport.Part(
                value: "dress",
                rankings: [
                    Ranking(relevantPlaces: [1, 4], length: 20), Ranking(relevantPlaces: [], length: 20),
                    Ranking(relevantPlaces: [11], length: 20), Ranking(relevantPlaces: [2], length: 20),
                ], products: ["a", "b", "a", "c"]))
        #expect(part.queries == 3 && part.products == 2)
        #expect(part.recallAt == [1: 1.0 / 3, 10: 2.0 / 3])
        #expect(abs(part.meanAveragePrecision - (0.75 + 1.0 / 11 + 0.5) / 3) < 1e-12)
        #expect(part.intervals?.recallAt[1] == .init(0...0.5))
        let alone = try #require(
            SliceReport.Part(value: "coat", rankings: [Ranking(relevantPlaces: [1], length: 3)], products: ["a"]))
        #expect(alone.products == 1 && alone.intervals == nil, "one product leaves nothing to draw from")
        #expect(SliceReport.Part(value: "none", rankings: [Ranking(relevantPlaces: [], length: 3)], products: ["a"]) == nil)
    }
}
