import CVector
import Testing

@Suite("codes")
struct CodeTests {
    static let dimensions = [1, 2, 31, 63, 64, 65, 127, 128, 129, 200, 256, 384, 512, 640, 768, 1000, 1152, 4095, 4096]
    static let codings = [CV_CODING_INT8, CV_CODING_ROTATED4]

    @Test("every level scores codes as integers that are multiplied one by one, bit for bit", arguments: Level.available)
    func levels(level: Level) {
        for coding in Self.codings {
            for dimension in Self.dimensions {
                var generator = SeededGenerator(state: UInt64(dimension))
                let rows = Coded(generator.normals(9 * dimension), dimension: dimension, coding: coding)
                // One query more than any kernel takes at once.
                let queries = CodedQueries(generator.normals(7 * dimension), dimension: dimension, coding: coding)
                let expected = (0..<7).flatMap { q in
                    (0..<9).map { r -> Float in
                        let query = queries.codes[q * rows.width..<(q + 1) * rows.width]
                        let dot = zip(query, rows.integers(r)).reduce(0) { $0 + Int($1.0) * $1.1 }
                        return Float(dot) * queries.scales[q] * rows.scales[r]
                    }
                }
                let found = rows.scores(queries, first: 0, rows: 9, level: level)
                #expect(found.map(\.bitPattern) == expected.map(\.bitPattern), "\(coding) × \(dimension)")
                let chosen: [UInt32] = [8, 0, 3, 3, 7]
                let picked = rows.scores(queries, chosen: chosen, level: level)
                let expectedOfChosen = (0..<7).flatMap { q in chosen.map { expected[q * 9 + Int($0)] } }
                #expect(picked.map(\.bitPattern) == expectedOfChosen.map(\.bitPattern), "\(coding) × \(dimension)")
                let middle = rows.scores(queries, first: 4, rows: 3, level: level)
                let expectedOfMiddle = (0..<7).flatMap { q in expected[q * 9 + 4..<q * 9 + 7] }
                #expect(middle == expectedOfMiddle, "\(coding) × \(dimension)")
            }
        }
    }

    @Test("codes as large as they come, all of one sign or of two, do not overflow", arguments: Level.available)
    func extremes(level: Level) {
        let dimension = 4096
        let rows: [[Float]] = [
            .init(repeating: 1, count: dimension), .init(repeating: -1, count: dimension),
            (0..<dimension).map { $0 % 2 == 0 ? 1 : -1 },
        ]
        let coded = Coded(rows.flatMap { $0 }, dimension: dimension)
        let queries = CodedQueries(rows.flatMap { $0 }, dimension: dimension)
        let most = Float(127 * 127 * 4096) * coded.scales[0] * coded.scales[0]
        #expect(coded.scores(queries, first: 0, rows: 3, level: level) == [most, -most, 0, -most, most, 0, 0, 0, most])

        var nibbles = Coded(.init(repeating: 1, count: 3 * dimension), dimension: dimension, coding: CV_CODING_ROTATED4)
        for (row, byte) in [0xFF, 0x00, 0xF0].enumerated() {
            for place in row * 2048..<(row + 1) * 2048 { nibbles.codes[place] = UInt8(byte) }
        }
        nibbles.scales = [1, 1, 1]
        var all = queries
        all.scales = [1, 1, 1]
        let full = Float(15 * 127 * 4096)
        #expect(nibbles.scores(all, first: 0, rows: 3, level: level) == [full, -full, 0, -full, full, 0, 0, 0, 0])
    }

    @Test("an int8 code is within half a step of its element, padded with zeros, and its sum is right")
    func int8Bounds() {
        for dimension in Self.dimensions {
            var generator = SeededGenerator(state: 3)
            var rows = generator.normals(5 * dimension)
            // Sizes from the smallest float to near the largest.
            for (row, size) in [Float.leastNonzeroMagnitude, 1e-30, 1, 1e20, 1e37].enumerated() {
                for d in 0..<dimension { rows[row * dimension + d] *= size }
            }
            let coded = Coded(rows, dimension: dimension)
            for row in 0..<5 {
                let integers = coded.integers(row), scale = Double(coded.scales[row])
                #expect(integers.count == coded.width && coded.width % 64 == 0)
                #expect(integers.allSatisfy { abs($0) <= 127 } && integers[dimension...].allSatisfy { $0 == 0 })
                #expect(Int(coded.sums[row]) == integers.reduce(0, +))
                let largest = Double(rows[row * dimension..<(row + 1) * dimension].map(abs).max()!)
                // A scale below the smallest normal float has few digits itself.
                let tolerance = scale / 2 + largest * 1e-6 + Double(Float.leastNormalMagnitude) * 1e-5
                for d in 0..<dimension {
                    #expect(abs(Double(rows[row * dimension + d]) - scale * Double(integers[d])) <= tolerance)
                }
                #expect(largest == 0 || integers.contains { abs($0) == 127 })
            }
        }
    }

    @Test("codes round to nearest, ties to even")
    func int8ByHand() {
        let coded = Coded([127, -127, 0.5, 1.5, 2.5, -0.5, -1.5, -2.5, 2.500001, -0.499999], dimension: 10)
        #expect(coded.scales == [1] && Array(coded.integers(0)[..<10]) == [127, -127, 0, 2, 2, 0, -2, -2, 3, 0])
    }

    @Test("a zero vector has zero codes and scores nothing, alone and beside others", arguments: codings)
    func zero(coding: CVCoding) {
        var generator = SeededGenerator(state: 4)
        let rows = [Float](repeating: 0, count: 100) + generator.normals(100)
        let coded = Coded(rows, dimension: 100, coding: coding), queries = CodedQueries(rows, dimension: 100, coding: coding)
        #expect(coded.scales[0] == 0 && queries.scales[0] == 0 && queries.sums[0] == 0)
        #expect(queries.codes[..<queries.width].allSatisfy { $0 == 0 })
        for level in Level.available {
            let scores = coded.scores(queries, first: 0, rows: 2, level: level)
            #expect(scores[0...2].allSatisfy { $0 == 0 } && scores[3] > 0)
        }
    }

    @Test("a rotation keeps dot products, differs by seed, and spreads a single axis over all coordinates")
    func rotation() {
        for dimension in Self.dimensions where dimension > 1 {
            var generator = SeededGenerator(state: 5)
            var rows = unit(generator.normals(dimension)) + unit(generator.normals(dimension))
            rows += (0..<dimension).map { $0 == dimension - 1 ? 1 : 0 }
            let width = cv_width(CV_CODING_ROTATED4, dimension)
            let rotated = Coded.rotated(rows, dimension: dimension)
            func dot(_ vectors: [Float], _ a: Int, _ b: Int, _ length: Int) -> Double {
                (0..<length).reduce(0) { $0 + Double(vectors[a * length + $1]) * Double(vectors[b * length + $1]) }
            }
            for (a, b) in [(0, 0), (0, 1), (1, 2), (2, 2)] {
                #expect(abs(dot(rows, a, b, dimension) - dot(rotated, a, b, width)) < 1e-5, "\(dimension)")
            }
            // Of normal coordinates, the largest of 4,096 is about 3.7 deviations.
            #expect(rotated[(2 * width)...].allSatisfy { abs($0) < 6 / Float(width).squareRoot() }, "\(dimension)")
            var other = [Float](repeating: 0, count: 3 * width)
            cv_rotate(Coded.seed + 1, rows, 3, dimension, dimension, &other)
            #expect(other != rotated, "\(dimension)")
        }
    }

    @Test("a 4-bit row's product with itself is exact, and with others off by little more than chance says")
    func fourBitBounds() {
        for dimension in [128, 512, 768, 1000] {
            var generator = SeededGenerator(state: 6)
            // A few heavy coordinates, as CLIP's vectors have them.
            let rows = (0..<40).flatMap { _ in
                unit(generator.normals(dimension).enumerated().map { $0.offset < 3 ? $0.element * 8 : $0.element })
            }
            let coded = Coded(rows, dimension: dimension, coding: CV_CODING_ROTATED4)
            let rotated = Coded.rotated(rows, dimension: dimension)
            let width = coded.width
            var squares = 0.0
            for a in 0..<40 {
                let integers = coded.integers(a)
                func estimate(_ b: Int) -> Double {
                    Double(coded.scales[a])
                        * (0..<width).reduce(0) { $0 + Double(integers[$1]) * Double(rotated[b * width + $1]) }
                }
                #expect(abs(estimate(a) - 1) < 1e-5)
                for b in 0..<40 where b != a {
                    let exact = (0..<dimension).reduce(0.0) {
                        $0 + Double(rows[a * dimension + $1]) * Double(rows[b * dimension + $1])
                    }
                    squares += (estimate(b) - exact) * (estimate(b) - exact)
                }
            }
            // 16 levels of a normal distribution leave 1.2 % of its square (Max 1960), spread over the coordinates.
            let deviation = (squares / (40 * 39)).squareRoot()
            #expect(deviation < 1.3 * (0.0125 / Double(width)).squareRoot(), "\(dimension)")
            #expect(deviation > 0)
        }
    }

    @Test("int8 codes rescored hold .999 of the best 10, 4-bit codes .99, and .85 of them without rescoring", arguments: codings)
    func recall(coding: CVCoding) {
        let (count, dimension, queryCount) = (4_000, 192, 40)
        let rows = clustered(count, dimension: dimension, seed: 7)
        let queries = clustered(queryCount, dimension: dimension, seed: 8).enumerated().map { place, value in
            // Queries of their own clusters would have no near neighbours: they are mixed with a row.
            value + 1.5 * rows[place / dimension * 97 * dimension + place % dimension]
        }
        var exact = [Float](repeating: 0, count: queryCount * count)
        cv_scores(Level.best.code, queries, queryCount, rows, count, dimension, dimension, &exact)
        var halves = [UInt16](repeating: 0, count: rows.count)
        cv_halves_of_floats(Level.best.code, rows, rows.count, &halves)
        let coded = Coded(rows, dimension: dimension, coding: coding)
        let scores = coded.scores(
            CodedQueries(queries, dimension: dimension, coding: coding), first: 0, rows: count, level: .best)
        var (plain, rescored) = (0, 0)
        for q in 0..<queryCount {
            let truth = Set(best(10, of: exact[q * count..<(q + 1) * count]))
            let candidates = best(40, of: scores[q * count..<(q + 1) * count]).map { UInt32($0) }
            plain += candidates.prefix(10).count { truth.contains(Int($0)) }
            var again = [Float](repeating: 0, count: candidates.count)
            cv_half_scores_of_rows(
                Level.best.code, Array(queries[q * dimension..<(q + 1) * dimension]), 1, halves, candidates, candidates.count,
                dimension, dimension, &again)
            rescored += best(10, of: again).count { truth.contains(Int(candidates[$0])) }
        }
        #expect(Double(plain) >= (coding == CV_CODING_INT8 ? 0.97 : 0.85) * Double(10 * queryCount), "\(plain)")
        #expect(Double(rescored) >= (coding == CV_CODING_INT8 ? 0.999 : 0.99) * Double(10 * queryCount), "\(rescored)")
    }
}
