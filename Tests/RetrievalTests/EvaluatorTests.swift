import Foundation
import Retrieval
import Testing

@Suite("the evaluator")
struct EvaluatorTests {
    @Test("a hand-made set has the rankings and figures worked out by hand")
    func byHand() throws {
        // On a circle; 0.6 and 0.8 make unit vectors without rounding errors that matter.
        let set = try LabelledVectors(
            vectors: [1, 0, 0.8, 0.6, 0.6, 0.8, 0, 1, -1, 0], dimension: 2, products: ["a", "b", "a", "b", "c"])
        // Query 0 sees 1 (.8), 2 (.6), 3 (0), 4 (-1); its own product is 2.
        let rankings = try Evaluator().rankings(of: set, queries: [0, 3, 4], gallery: [0, 1, 2, 3, 4])
        #expect(
            rankings == [
                Ranking(relevantPlaces: [2], length: 4), Ranking(relevantPlaces: [2], length: 4),
                Ranking(relevantPlaces: [], length: 4),
            ])
        let report = try Evaluator().report(on: set, queries: [0, 3, 4], gallery: [0, 1, 2, 3, 4], cutoffs: [1, 2, 4])
        #expect(report.queries == 3 && report.gallery == 5 && report.queriesWithoutRelevant == 1)
        #expect(report.recallAt == [1: 0, 2: 1, 4: 1])
        #expect(report.precisionAt == [1: 0, 2: 0.5, 4: 0.25])
        #expect(report.meanAveragePrecision == 0.5 && report.meanReciprocalRank == 0.5 && report.medianRank == 2)
        #expect(report.rPrecision == 0 && report.meanAveragePrecisionAtR == 0)
        #expect(report.intervals.recallAt[1]?.low == 0 && report.intervals.recallAt[4]?.high == 1)
        #expect(report.duplicates == nil)
    }

    /// Every ranking sorted whole, scores in double precision.
    func sortedRankings(_ set: LabelledVectors, queries: [Int], gallery: [Int]) -> [Ranking] {
        func vector(_ row: Int) -> ArraySlice<Float> { set.vectors[row * set.dimension..<(row + 1) * set.dimension] }
        return queries.map { query in
            let others = gallery.filter { $0 != query }
            return Ranking(
                scores: others.map { Float(exactDot(vector(query), vector($0))) },
                relevance: others.map { set.labels[query] != nil && set.labels[$0] == set.labels[query] })
        }
    }

    @Test("counting places gives what sorting gives, with many ties and overlapping sets", arguments: InstructionSet.available)
    func againstSorting(level: InstructionSet) throws {
        let evaluator = Evaluator(level: level)
        for (seed, count, dimension, labels) in [(1, 300, 6, 40), (2, 301, 9, 3), (3, 90, 21, 80), (4, 130, 5, 1), (5, 57, 5, 4)]
        {
            var generator = SeededGenerator(state: UInt64(seed))
            let vectors = tyingUnitVectors(count, dimension: dimension, seed: UInt64(seed))
            let names = (0..<count).map { _ in
                // Some rows have no label at all: relevant to nothing, not to one another.
                Int.random(in: 0..<10, using: &generator) == 0 ? nil : "label \(Int.random(in: 0..<labels, using: &generator))"
            }
            let set = try LabelledVectors(
                vectors: vectors, dimension: dimension, products: (0..<count).map { "\($0)" }, labels: names)
            let order = Array(0..<count).shuffled(using: &generator)
            let (half, rest) = (Array(order.prefix(count / 2)), Array(order.dropFirst(count / 3)))
            for (queries, gallery) in [(half, rest), (order, order), (half, Array(order.dropFirst(count / 2))), (half, [])] {
                #expect(
                    try evaluator.rankings(of: set, queries: queries, gallery: gallery)
                        == sortedRankings(set, queries: queries, gallery: gallery))
            }
        }
    }

    @Test("counting places gives what sorting gives for vectors without ties")
    func withoutTies() throws {
        let vectors = randomUnitVectors(400, dimension: 100, seed: 3)
        let set = try LabelledVectors(vectors: vectors, dimension: 100, products: (0..<400).map { "\($0 % 37)" })
        let all = Array(0..<400)
        #expect(try Evaluator().rankings(of: set, queries: all, gallery: all) == sortedRankings(set, queries: all, gallery: all))
    }

    @Test("vectors that are all equal earn only what the last places earn")
    func collapsed() throws {
        let set = try LabelledVectors(
            vectors: [Float](repeating: 0.5, count: 4 * 20), dimension: 4, products: (0..<20).map { "\($0 / 2)" })
        let report = try Evaluator().report(on: set, queries: Array(0..<20), gallery: Array(0..<20), cutoffs: [1, 18, 19])
        #expect(report.recallAt == [1: 0, 18: 0, 19: 1])
        #expect(report.medianRank == 19)
    }

    @Test("duplicate vectors are counted in groups, across products, and across query and gallery")
    func duplicates() throws {
        let set = try LabelledVectors(
            vectors: [1, 0, 1, 0, 0, 1, 0, 1, 1, 0, -1, 0, 0, -1, 0, -1], dimension: 2,
            products: ["a", "a", "b", "c", "a", "d", "e", "e"])
        // Groups: {0, 1, 4} of product a, {2, 3} of b and c, {6, 7} of e.
        let report = try Evaluator().report(
            on: set, queries: [0, 1], gallery: [2, 3, 4, 5, 6, 7], findDuplicates: true)
        let found = try #require(report.duplicates)
        #expect(found.groups == 3 && found.rows == 7)
        #expect(found.groupsAcrossProducts == 1)
        #expect(found.groupsAcrossQueryAndGallery == 1)
        // A row that is both a query and in the gallery is no duplicate of itself.
        let alone = try Evaluator().report(on: set, queries: [0, 4], gallery: [0, 4, 5], findDuplicates: true)
        #expect(alone.duplicates?.groups == 1)
    }

    @Test("the report is the contract's JSON")
    func json() throws {
        let set = try LabelledVectors(vectors: [1, 0, 1, 0, 0, 1], dimension: 2, products: ["a", "a", "b"])
        var report = try Evaluator().report(
            on: set, queries: [0, 1], gallery: [0, 1, 2], cutoffs: [1, 5], resamples: 10, seed: 4)
        report.latencyMilliseconds = ["search": ["p50": 1.5]]
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        let text = String(decoding: try encoder.encode(report), as: UTF8.self)
        #expect(
            text == #"{"ci95":{"map":[1,1],"map_at_r":[1,1],"mrr":[1,1],"precision_at":{"1":[1,1],"5":[0.2,0.2]},"#
                + #""r_precision":[1,1],"recall_at":{"1":[1,1],"5":[1,1]},"resamples":10,"seed":4},"gallery":3,"#
                + #""latency_ms":{"search":{"p50":1.5}},"map":1,"map_at_r":1,"median_rank":1,"mrr":1,"#
                + #""precision_at":{"1":1,"5":0.2},"queries":2,"queries_without_relevant":0,"r_precision":1,"recall_at":{"1":1,"5":1}}"#
        )
        #expect(try JSONDecoder().decode(EvaluationReport.self, from: Data(text.utf8)) == report)
    }

    @Test("what can't be measured is refused")
    func refusals() throws {
        let set = try LabelledVectors(vectors: [1, 0, 0, 1], dimension: 2, products: ["a", "b"])
        #expect(throws: RetrievalError.rowOutOfRange(what: "queries", row: 2, count: 2)) {
            _ = try Evaluator().rankings(of: set, queries: [2], gallery: [0])
        }
        #expect(throws: RetrievalError.repeatedRow(what: "gallery", row: 0)) {
            _ = try Evaluator().rankings(of: set, queries: [1], gallery: [0, 0])
        }
        #expect(throws: RetrievalError.nothingToMeasure(queries: 2, gallery: 2)) {
            _ = try Evaluator().report(on: set, queries: [0, 1], gallery: [0, 1])
        }
        #expect(throws: RetrievalError.count(what: "products", found: 1, expected: 2)) {
            _ = try LabelledVectors(vectors: [1, 0, 0, 1], dimension: 2, products: ["a"])
        }
        #expect(throws: RetrievalError.notUnitLength(what: "vectors", row: 1, length: 2, tolerance: 1e-3)) {
            _ = try LabelledVectors(vectors: [1, 0, 0, 2], dimension: 2, products: ["a", "b"])
        }
    }
}
