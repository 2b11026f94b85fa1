import Catalog
import Foundation
import Retrieval
import Testing

@testable import Evaluation

/// Rankings by sorting, of anything against anything: the slow second derivation.
private struct Sorting {
    let vectors: [Float]
    let dimension: Int

    func score(_ a: ArraySlice<Float>, _ b: ArraySlice<Float>) -> Float {
        Float(zip(a, b).reduce(0.0) { $0 + Double($1.0) * Double($1.1) })
    }

    func row(_ number: Int) -> ArraySlice<Float> { vectors[number * dimension..<(number + 1) * dimension] }

    /// Of whole rankings, best first, where what is relevant comes last among equals.
    func figures(_ rankings: [[(score: Float, isRelevant: Bool)]]) -> (recall1: Double, recall10: Double, map: Double, count: Int)
    {
        var (recall1, recall10, map, count) = (0.0, 0.0, 0.0, 0)
        for candidates in rankings where candidates.contains(where: \.isRelevant) {
            let order = candidates.sorted { $0.score != $1.score ? $0.score > $1.score : !$0.isRelevant && $1.isRelevant }
            let places = order.indices.filter { order[$0].isRelevant }.map { $0 + 1 }
            recall1 += places[0] <= 1 ? 1 : 0
            recall10 += places[0] <= 10 ? 1 : 0
            map += places.enumerated().reduce(0.0) { $0 + Double($1.offset + 1) / Double($1.element) } / Double(places.count)
            count += 1
        }
        let total = Double(max(1, count))
        return (recall1 / total, recall10 / total, map / total, count)
    }
}

@Suite("a measurement")
struct MeasurementTests {
    private static let dimension = 7

    private func garments() throws -> (plan: EvaluationPlan, vectors: [Float]) {
        let boutique = try Boutique.garments()
        let plan = try EvaluationPlan(boutique.dataset())
        return (plan, tyingVectors(plan.rows.count, dimension: Self.dimension, seed: 3))
    }

    private func near(_ a: Double?, _ b: Double) -> Bool { a.map { abs($0 - b) < 1e-12 } ?? false }

    @Test("slices are the figures of sorting the queries, and the relevant candidates, that they hold")
    func slices() throws {
        let (plan, vectors) = try garments()
        var options = MethodMeasurement.Options()
        options.slicings = try ["category", "view-pair", "same-color", "positives", "color"].map { try Slicing($0, of: plan) }
        let measurement = try MethodMeasurement(of: vectors, dimension: Self.dimension, on: plan, options)
        let sorting = Sorting(vectors: vectors, dimension: Self.dimension)
        /// Rankings of chosen queries; of what is relevant only a part counts, the rest is left out.
        func expected(_ isAsked: (ManifestRow) -> Bool, _ counts: (_ query: ManifestRow, _ row: ManifestRow) -> Bool) -> (
            recall1: Double, recall10: Double, map: Double, count: Int
        ) {
            sorting.figures(
                plan.queries.filter { isAsked(plan.rows[$0]) }.map { query in
                    plan.gallery.compactMap { candidate in
                        let isRelevant = plan.rows[candidate].productID == plan.rows[query].productID
                        if isRelevant && !counts(plan.rows[query], plan.rows[candidate]) { return nil }
                        return (sorting.score(sorting.row(query), sorting.row(candidate)), isRelevant)
                    }
                })
        }
        func check(_ slice: String, _ value: String, _ figures: (recall1: Double, recall10: Double, map: Double, count: Int))
            throws
        {
            let report = try #require(measurement.slices.first { $0.slice == slice })
            let part = try #require(
                report.values.first { $0.value == value }, "\(slice) \(value) of \(report.values.map(\.value))")
            #expect(part.queries == figures.count, "\(slice) \(value)")
            #expect(near(part.recallAt[1], figures.recall1) && near(part.recallAt[10], figures.recall10), "\(slice) \(value)")
            #expect(near(part.meanAveragePrecision, figures.map), "\(slice) \(value)")
        }
        for category in ["Women/Dresses", "Men/Shirts", "Women/Coats"] {
            try check(
                "category", category,
                expected {
                    $0["category"] == category
                } _: { _, _ in
                    true
                })
        }
        for color in ["red", "blue"] {
            try check(
                "color", color,
                expected {
                    $0["color"] == color
                } _: { _, _ in
                    true
                })
        }
        try check(
            "view-pair", "back → front",
            expected { _ in
                true
            } _: { _, row in
                row["view"] == "front"
            })
        #expect(measurement.slices[1].values.count == 1, "the gallery has no backs of the products that are asked for")
        try check(
            "same-color", "same color",
            expected { _ in
                true
            } _: {
                $0["color"] == $1["color"]
            })
        try check(
            "same-color", "other color",
            expected { _ in
                true
            } _: {
                $0["color"] != $1["color"]
            })
        try check(
            "positives", "2",
            expected { _ in
                true
            } _: { _, _ in
                true
            })
        // The parts of a column together are all queries.
        #expect(measurement.slices[0].values.reduce(0) { $0 + $1.queries } == plan.queries.count)
        #expect(throws: EvaluationError.self) { try Slicing("colour", of: plan) }
        #expect(Slicing.standard(of: plan).map(\.name) == ["category", "color", "view-pair", "same-color", "positives"])
    }

    @Test("texts find pictures and pictures find texts as sorting says; of equal captions all are right")
    func captions() throws {
        let (plan, vectors) = try garments()
        for column in [nil, "product_id"] {
            let captions = try #require(try RowCaptions(plan, templates: [], relevantBy: column))
            let texts = captions.texts
            #expect(texts.count == 6)
            let textValues = tyingVectors(texts.count, dimension: Self.dimension, seed: 8)
            var options = MethodMeasurement.Options()
            options.captions = captions
            let measurement = try MethodMeasurement(
                of: vectors, dimension: Self.dimension, on: plan, options, textVectors: TextVectors(texts, values: textValues))
            let sorting = Sorting(vectors: vectors, dimension: Self.dimension)
            func text(_ caption: String) -> ArraySlice<Float> {
                let number = texts.firstIndex(of: caption) ?? 0
                return textValues[number * Self.dimension..<(number + 1) * Self.dimension]
            }
            func caption(_ row: Int) -> String { plan.rows[row]["caption"] ?? "" }
            // Texts of the query rows against the gallery's pictures.
            let asked = Set(plan.queries.map(caption))
            let forward = sorting.figures(
                asked.map { asked in
                    let products = Set(plan.queries.filter { caption($0) == asked }.map { plan.rows[$0].productID })
                    return plan.gallery.map { row in
                        let isRight = caption(row) == asked || (column != nil && products.contains(plan.rows[row].productID))
                        return (sorting.score(text(asked), sorting.row(row)), isRight)
                    }
                })
            let found = try #require(measurement.textToImage?.report)
            #expect(found.queries == asked.count && found.gallery == plan.gallery.count)
            #expect(near(found.recallAt[1], forward.recall1) && near(found.recallAt[10], forward.recall10))
            #expect(near(found.meanAveragePrecision, forward.map))
            // The query rows' pictures against the texts of the gallery's rows.
            let candidates = Set(plan.gallery.map(caption))
            let backward = sorting.figures(
                plan.queries.map { query in
                    candidates.map { candidate in
                        let products = Set(plan.gallery.filter { caption($0) == candidate }.map { plan.rows[$0].productID })
                        let isRight =
                            caption(query) == candidate || (column != nil && products.contains(plan.rows[query].productID))
                        return (sorting.score(text(candidate), sorting.row(query)), isRight)
                    }
                })
            let back = try #require(measurement.imageToText?.report)
            #expect(back.queries == plan.queries.count && back.gallery == candidates.count)
            #expect(near(back.recallAt[1], backward.recall1) && near(back.meanAveragePrecision, backward.map))
            // What is shown is named: pictures by the plan's rows, texts by themselves.
            let shown = try #require(measurement.textToImage?.ranking)
            for (query, ranked) in zip(shown.queries, shown.ranked) {
                for result in ranked.first {
                    #expect(result.score == sorting.score(text(query.text), sorting.row(result.row)))
                }
            }
        }
    }

    @Test("captions come from the column or from the first template that a row has the columns for")
    func captionSources() throws {
        let boutique = try Boutique([
            ["product_id": "a", "color": "Dark_Red", "category": "Women/Tops/Tees"], ["product_id": "a", "category": "Coats"],
            ["product_id": "b"],
        ])
        let plan = try EvaluationPlan(boutique.dataset())
        #expect(try RowCaptions(plan, templates: []) == nil)
        let captions = try #require(try RowCaptions(plan, templates: ["a {color} {category}", "some {category}"]))
        #expect(captions.ofRow == ["a dark red tees", "some coats", nil])
        #expect(captions.texts == ["a dark red tees", "some coats"])
        #expect(
            throws: EvaluationError.noCaptions(source: plan.source, templates: ["{brand}"], columns: plan.columns)
        ) { try RowCaptions(plan, templates: ["{brand}"]) }
    }

    @Test("a product's skew is told by its first picture, a picture's by itself")
    func skew() throws {
        let (plan, vectors) = try garments()
        var options = MethodMeasurement.Options()
        options.skew = ["color", "category"]
        options.top = 5
        for level in RankingLevel.allCases {
            options.level = level
            let measurement = try MethodMeasurement(of: vectors, dimension: Self.dimension, on: plan, options)
            let skew = try #require(measurement.skew)
            #expect(skew.at == 5 && skew.attributes.map(\.attribute) == ["color", "category"])
            for attribute in skew.attributes {
                #expect(abs(attribute.values.reduce(0) { $0 + $1.first } - 1) < 1e-12)
                #expect(abs(attribute.values.reduce(0) { $0 + $1.gallery } - 1) < 1e-12)
            }
            // Every product's first picture is red.
            let reds = try #require(skew.attributes[0].values.first { $0.value == "red" })
            #expect(reds.gallery == (level == .image ? 0.5 : 1))
            #expect(measurement.report.gallery == (level == .image ? 32 : 12))
        }
    }

    @Test("the JSON keeps the contract's keys at its root and adds the rest beside them")
    func json() throws {
        let (plan, vectors) = try garments()
        var options = MethodMeasurement.Options()
        options.slicings = Slicing.standard(of: plan)
        options.skew = MethodMeasurement.standardSkew(of: plan)
        var measurement = try MethodMeasurement(of: vectors, dimension: Self.dimension, on: plan, options)
        measurement.hardware = Hardware(processor: "P", cores: 2, device: "cpu")
        let encoder = JSONEncoder()
        encoder.keyEncodingStrategy = .convertToSnakeCase
        let object = try #require(try JSONSerialization.jsonObject(with: encoder.encode(measurement)) as? [String: Any])
        #expect(
            Set(object.keys).isSuperset(of: [
                "queries", "gallery", "recall_at", "precision_at", "map", "ci95", "level", "relevant_by", "slices", "skew",
                "mean_cosine",
                "hardware", "duplicates",
            ]))
        #expect(object["level"] as? String == "image" && object["relevant_by"] as? String == "product_id")
        let slices = try #require(object["slices"] as? [[String: Any]])
        let part = try #require((slices[0]["values"] as? [[String: Any]])?.first)
        #expect(Set(part.keys) == ["value", "queries", "products", "recall_at", "map", "ci95"])
        #expect((part["recall_at"] as? [String: Double])?.keys.sorted() == ["1", "10"])
        #expect(((part["ci95"] as? [String: Any])?["map"] as? [Double])?.count == 2)
        let definitions = Set(Definitions.byName.keys)
        for key in object.keys where !["relevant_by", "hardware", "queries_without_relevant"].contains(key) {
            #expect(definitions.contains(key), "\(key) has no definition")
        }
    }

    @Test("two methods' queries are counted by what each finds, and the examples are those furthest behind")
    func comparison() throws {
        let boutique = try Boutique(
            (0..<4).map { ["product_id": "P\($0)", "split": "gallery"] }
                + (0..<4).map { ["product_id": "P\($0)", "split": "query"] })
        let plan = try EvaluationPlan(boutique.dataset())
        let axes = (0..<4).map { axis in (0..<4).map { $0 == axis ? Float(1) : 0 } }
        // A finds products 0 and 1 first; B finds 1, 2 and 3.
        func towards(_ order: [Float]) -> [Float] {
            let length = order.reduce(0) { $0 + $1 * $1 }.squareRoot()
            return order.map { $0 / length }
        }
        let a = axes.flatMap { $0 } + axes[0] + axes[1] + towards([3, 2, 1, 0]) + towards([2, 1, 0.5, 1.5])
        let b = axes.flatMap { $0 } + towards([0, 2, 1, 3]) + axes[1] + axes[2] + axes[3]
        let first = try MethodMeasurement(of: a, dimension: 4, on: plan)
        let second = try MethodMeasurement(of: b, dimension: 4, on: plan)
        let comparison = MethodComparison(first, second)
        #expect(comparison.found[1] == .init(both: 1, onlyFirst: 1, onlySecond: 2, neither: 0))
        #expect(comparison.found[5] == .init(both: 4, onlyFirst: 0, onlySecond: 0, neither: 0))
        #expect(comparison.onlyFirst == [0] && comparison.onlySecond == [2, 3])
        #expect(comparison.queries == 4 && comparison.products == 4)
        let recall = try #require(comparison.differences.first { $0.figure == .recallAt1 }).difference
        #expect(recall.first == 0.5 && recall.second == 0.75 && recall.difference == 0.25 && !recall.isBeyondChance)
        let map = try #require(comparison.differences.first { $0.figure == .meanAveragePrecision }).difference
        // A: 1, 1, 1/3, 1/2. B: 1/4, 1, 1, 1.
        #expect(near(map.first, (2 + 1.0 / 3 + 0.5) / 4) && near(map.second, 3.25 / 4))
    }

    @Test("percentiles are values that were measured")
    func percentiles() {
        let values = (1...100).map(Double.init).shuffled()
        #expect(QueryLatency.percentiles(values) == ["p50": 50, "p95": 95, "p99": 99])
        #expect(QueryLatency.percentiles([3, 1, 2]) == ["p50": 2, "p95": 3, "p99": 3])
        #expect(QueryLatency.percentiles([7]) == ["p50": 7, "p95": 7, "p99": 7])
        #expect(!Hardware.current(device: "cpu").processor.isEmpty && Hardware.current(device: "cpu").cores > 0)
    }
}
