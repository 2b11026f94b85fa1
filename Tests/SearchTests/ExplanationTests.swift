import Catalog
import Imaging
import Testing

@testable import Search

/// Sees how much of a picture's left half is white, and of its right half.
private struct HalvesEncoder: EmbeddingModel {
    var model: ModelRecord

    func encode(images: [RGBImage]) async throws -> [[Float]] {
        images.map { image in
            var sums: [Float] = [0, 0]
            for y in 0..<image.height {
                for x in 0..<image.width { sums[x * 2 / image.width] += Float(image.pixels[3 * (y * image.width + x)]) }
            }
            let length = (sums[0] * sums[0] + sums[1] * sums[1] + 1).squareRoot()
            return [sums[0] / length, sums[1] / length, 1 / length, 0]
        }
    }

    func encode(texts: [String]) async throws -> [[Float]] { texts.map { _ in [1, 0, 0, 0] } }
}

@Suite("Why a picture is a result")
struct ExplanationTests {
    /// White in a rectangle, black elsewhere.
    private func picture(_ width: Int, _ height: Int, white: (columns: Range<Int>, rows: Range<Int>)) throws -> RGBImage {
        try RGBImage(
            width: width, height: height,
            pixels: (0..<height).flatMap { y in
                (0..<width).flatMap { x in
                    [UInt8](repeating: white.columns.contains(x) && white.rows.contains(y) ? 255 : 0, count: 3)
                }
            })
    }

    private func engine() throws -> SearchEngine {
        let boutique = try Boutique([.init(product: "A", vector: vector(1))])
        return try SearchEngine(catalog: boutique.store, encoder: HalvesEncoder(model: boutique.model))
    }

    @Test("what makes two pictures alike to a model is where covering turns its vector away")
    func maps() async throws {
        let query = try picture(60, 60, white: (0..<20, 0..<20))
        let result = try picture(60, 90, white: (0..<30, 60..<90))
        let found = try await engine().explanation(of: result, for: query, cells: 6)
        #expect(found.score > 0.99)
        #expect((found.query.rows, found.query.columns) == (6, 6))
        #expect((found.result.rows, found.result.columns) == (6, 4))
        func value(_ map: Explanation.Map, _ row: Int, _ column: Int) -> Double { map.values[row * map.columns + column] }
        // To this model they are alike since their right halves are black: what is filled with gray there turns the vector away, and gray on the left,
        // where both are white already, does not.
        #expect(value(found.query, 0, 5) > 1e-3)
        #expect(abs(value(found.query, 0, 0)) < 1e-6)
        #expect(value(found.result, 3, 3) > 1e-3)
        #expect(abs(value(found.result, 5, 0)) < 1e-6)
    }

    @Test("each cell is the mean loss of the four windows over it, as covering them by hand gives it")
    func byHand() async throws {
        let engine = try engine()
        let query = try picture(12, 12, white: (2..<7, 1..<9))
        let result = try picture(12, 12, white: (0..<9, 3..<12))
        let found = try await engine.explanation(of: result, for: query, cells: 3)
        let vectors = try await engine.encoder.encode(images: [query, result])
        func dot(_ a: [Float], _ b: [Float]) -> Double { zip(a, b).reduce(0) { $0 + Double($1.0) * Double($1.1) } }
        let mean = UInt8(5 * 8 * 255 / 144)
        var expected: [Double] = []
        for row in 0..<3 {
            for column in 0..<3 {
                var sum = 0.0
                // Windows of 8 × 8 pixels, cut at the border, that cover the cell of 4 × 4.
                for top in [row * 4 - 4, row * 4] {
                    for left in [column * 4 - 4, column * 4] {
                        var pixels = query.pixels
                        for y in max(0, top)..<min(12, top + 8) {
                            for x in max(0, left)..<min(12, left + 8) { for c in 0..<3 { pixels[3 * (y * 12 + x) + c] = mean } }
                        }
                        let covered = try await engine.encoder.encode(images: [RGBImage(width: 12, height: 12, pixels: pixels)])
                        sum += dot(vectors[0], vectors[1]) - dot(covered[0], vectors[1])
                    }
                }
                expected.append(sum / 4)
            }
        }
        #expect(zip(found.query.values, expected).allSatisfy { abs($0 - $1) < 1e-6 }, "\(found.query.values) \(expected)")
    }

    @Test("a picture thinner than its cells has fewer of them")
    func thin() async throws {
        let line = try picture(200, 2, white: (0..<50, 0..<2))
        let dot = try picture(1, 1, white: (0..<1, 0..<1))
        let found = try await engine().explanation(of: dot, for: line, cells: 10)
        #expect((found.query.rows, found.query.columns) == (1, 10))
        #expect(found.result.values.count == 1)
    }
}
