import Foundation
import Testing

@testable import Retrieval

/// What tools/golden/retrieval.py computed with numpy.
struct Reference: Decodable {
    struct Figures: Decodable {
        let queries, without: Int
        let recall, precision: [Double]
        let map, r_precision, map_at_r, mrr, median_rank: Double
    }

    struct RankingCase: Decodable {
        let name: String
        let dimension: Int
        /// Twice the vectors.
        let vectors: [Int]
        let labels, queries, gallery, cutoffs: [Int]
        let expected, leave_one_out: Figures
    }

    struct ProductCase: Decodable {
        let name: String
        let dimension: Int
        let vectors: [Float]
        let products, labels, queries, gallery, cutoffs: [Int]
        let expected, leave_one_out: Figures
    }

    struct Skew: Decodable {
        let gallery: [String]
        let first: [[String]]
        let ndkl: Double
    }

    struct Picture: Decodable {
        let name: String
        let width, height: Int
        let pixels: [UInt8]
        let histogram: [Float]
    }

    let rankings: [RankingCase]
    let products: [ProductCase]
    let skew: Skew
    let every_color: String
    let pictures: [Picture]

    static func load(file: String = #filePath) throws -> Reference {
        let url = URL(filePath: file).deletingLastPathComponent().appending(path: "Fixtures/ranking.json")
        return try JSONDecoder().decode(Reference.self, from: Data(contentsOf: url))
    }
}

@Suite("against numpy")
struct ReferenceTests {
    @Test("every figure of the report is numpy's")
    func figures() throws {
        let cases = try Reference.load().rankings
        #expect(cases.count == 2)
        for item in cases {
            let set = try LabelledVectors(
                vectors: item.vectors.map { Float($0) / 2 }, dimension: item.dimension, products: item.labels.map { "\($0)" })
            let all = Array(0..<set.count)
            for (queries, gallery, expected) in [(item.queries, item.gallery, item.expected), (all, all, item.leave_one_out)] {
                let report = try Evaluator().report(on: set, queries: queries, gallery: gallery, cutoffs: item.cutoffs)
                check(report, expected, cutoffs: item.cutoffs, item.name)
            }
        }
    }

    private func check(_ report: EvaluationReport, _ expected: Reference.Figures, cutoffs: [Int], _ name: String) {
        #expect(report.queries == expected.queries && report.queriesWithoutRelevant == expected.without, "\(name)")
        // Means of the same fractions, added in another order.
        func near(_ found: Double?, _ expected: Double) -> Bool { found.map { abs($0 - expected) < 1e-12 } ?? false }
        for (index, k) in cutoffs.enumerated() {
            #expect(near(report.recallAt[k], expected.recall[index]), "\(name), recall at \(k)")
            #expect(near(report.precisionAt[k], expected.precision[index]), "\(name), precision at \(k)")
        }
        #expect(near(report.meanAveragePrecision, expected.map), "\(name)")
        #expect(near(report.rPrecision, expected.r_precision), "\(name)")
        #expect(near(report.meanAveragePrecisionAtR, expected.map_at_r), "\(name)")
        #expect(near(report.meanReciprocalRank, expected.mrr), "\(name)")
        #expect(report.medianRank == expected.median_rank, "\(name)")
    }

    @Test("of products by their best picture and by their centroid, too")
    func products() throws {
        let cases = try Reference.load().products
        #expect(cases.count == 4)
        for item in cases {
            let set = try LabelledVectors(
                vectors: item.vectors, dimension: item.dimension, products: item.products.map { "\($0)" },
                labels: item.labels.map { "\($0)" })
            let level: RankingLevel = item.name.hasPrefix("best") ? .productBest : .productCentroid
            let all = Array(0..<set.count)
            for (queries, gallery, expected) in [(item.queries, item.gallery, item.expected), (all, all, item.leave_one_out)] {
                let ranked = try Evaluator().ranked(of: set, queries: queries, gallery: gallery, level: level)
                let report = try EvaluationReport(
                    rankings: ranked.map(\.ranking), products: queries.map { set.products[$0] }, gallery: gallery.count,
                    cutoffs: item.cutoffs)
                check(report, expected, cutoffs: item.cutoffs, item.name)
            }
        }
    }

    @Test("the skew's divergence is numpy's")
    func skew() throws {
        let item = try Reference.load().skew
        let skew = AttributeSkew(attribute: "color", first: item.first, gallery: item.gallery)
        #expect(abs(skew.ndkl - item.ndkl) < 1e-12)
    }

    @Test("every colour has Pillow's HSV")
    func everyColor() throws {
        var total: UInt64 = 0
        for index in 0..<UInt64(1 << 24) {
            let color = ColorHistogram.hsv(
                UInt8(truncatingIfNeeded: index >> 16), UInt8(truncatingIfNeeded: index >> 8), UInt8(truncatingIfNeeded: index))
            let packed = UInt64(color.hue) << 16 | UInt64(color.saturation) << 8 | UInt64(color.value)
            total &+= packed &* (index &* 0x9E37_79B9_7F4A_7C15 | 1)
        }
        #expect(String(total) == (try Reference.load().every_color))
    }

    @Test("colour histograms are numpy's")
    func histograms() throws {
        let pictures = try Reference.load().pictures
        #expect(pictures.count == 6)
        for picture in pictures {
            let found = try ColorHistogram.vector(rgb: picture.pixels, width: picture.width, height: picture.height)
            // One rounding to single precision each.
            #expect(zip(found, picture.histogram).allSatisfy { abs($0 - $1) < 1e-6 }, "\(picture.name)")
            #expect(found.count == picture.histogram.count && abs(UnitVectors.length(found) - 1) < 1e-6, "\(picture.name)")
        }
    }
}

@Suite("colour histograms")
struct ColorHistogramTests {
    /// The only bin of a picture of one colour.
    func bin(_ red: UInt8, _ green: UInt8, _ blue: UInt8) throws -> Int? {
        let vector = try ColorHistogram.vector(rgb: [red, green, blue], width: 1, height: 1)
        return vector.firstIndex(of: 1)
    }

    @Test("pure colours, black and greys fall into the bins worked out by hand")
    func byHand() throws {
        #expect(try bin(255, 0, 0) == 0 * 9 + 8)  // 0°
        #expect(try bin(255, 255, 0) == 1 * 9 + 8)  // 60° is 42 of 255, just below the border of the sectors at 42.67
        #expect(try bin(250, 255, 0) == 2 * 9 + 8)  // 61°
        #expect(try bin(0, 255, 0) == 3 * 9 + 8)  // 120°: 85
        #expect(try bin(0, 255, 255) == 5 * 9 + 8)  // 180°: 127
        #expect(try bin(0, 0, 255) == 7 * 9 + 8)  // 240°: 170
        #expect(try bin(255, 0, 255) == 9 * 9 + 8)  // 300°: 212
        #expect(try bin(255, 0, 1) == 11 * 9 + 8)  // just below 360°
        #expect(try bin(0, 0, 0) == 0)
        #expect(try bin(85, 85, 85) == 0 && bin(86, 86, 86) == 1 && bin(171, 171, 171) == 2)
        #expect(try bin(90, 60, 60) == 1 + 0 * 3)  // S is 85 of 255
        #expect(try bin(90, 59, 59) == 1 + 1 * 3)  // S is 87
    }

    @Test("near-white is dropped, light grey and pastel are not")
    func nearWhite() throws {
        #expect(try bin(255, 255, 255) == nil && bin(231, 231, 231) == nil && bin(255, 236, 236) == nil)
        #expect(try bin(230, 230, 230) == 2)
        #expect(try bin(255, 235, 235) == 2)  // S is 20
        let white = try ColorHistogram.vector(rgb: [UInt8](repeating: 255, count: 12), width: 2, height: 2)
        #expect(Set(white).count == 1 && abs(UnitVectors.length(white) - 1) < 1e-6)
        let garment = try ColorHistogram.vector(rgb: [255, 255, 255, 255, 0, 0], width: 1, height: 2)
        #expect(garment[8] == 1)
    }

    @Test("bytes that are no picture of the size are refused")
    func refusals() {
        for (count, width, height) in [(3, 1, 2), (4, 1, 1), (0, 0, 0), (3, -1, -1), (3, .max, 2)] {
            #expect(throws: RetrievalError.pixelCount(found: count, width: width, height: height)) {
                _ = try ColorHistogram.vector(rgb: [UInt8](repeating: 0, count: count), width: width, height: height)
            }
        }
    }
}
