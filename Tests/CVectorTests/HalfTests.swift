import CVector
import Testing

@Suite("float16")
struct HalfTests {
    @Test("all 65,536 halves become the float that Swift's Float16 names", arguments: Level.available)
    func widening(level: Level) {
        let halves = (0...UInt16.max).map { $0 }
        var floats = [Float](repeating: 0, count: halves.count)
        cv_floats_of_halves(level.code, halves, halves.count, &floats)
        for (half, float) in zip(halves, floats) {
            let expected = Float(Float16(bitPattern: half))
            #expect(float.bitPattern == expected.bitPattern || float.isNaN && expected.isNaN, "\(half)")
        }
    }

    @Test("floats become the nearest half, ties to even, as Swift's Float16 does it", arguments: Level.available)
    func narrowing(level: Level) {
        var generator = SeededGenerator(state: 1)
        var floats: [Float] = [
            0, -0.0, 1, 65_504, 65_519.99, 65_520, -65_520, 1e30, .infinity, -.infinity, .nan, .leastNonzeroMagnitude,
            .leastNormalMagnitude, .greatestFiniteMagnitude, 0x1p-24, 0x1p-25, 0x1.000002p-25, 0x1.8p-24, 0x1p-14, 0x1.ffcp-15,
            0x1.ffep-15,
        ]
        // Every half, the float halfway to the next one, and the floats beside that.
        for half in 0..<UInt16(0x7C00) {
            let (low, high) = (Float(Float16(bitPattern: half)), Float(Float16(bitPattern: half + 1)))
            if high.isFinite {
                let middle = (low + high) / 2
                floats += [low, -low, middle, -middle, middle.nextUp, middle.nextDown]
            }
        }
        floats += (0..<100_000).map { _ in Float(bitPattern: UInt32.random(in: 0...UInt32.max, using: &generator)) }
        var halves = [UInt16](repeating: 0, count: floats.count)
        cv_halves_of_floats(level.code, floats, floats.count, &halves)
        for (float, half) in zip(floats, halves) {
            let expected = Float16(float)
            #expect(half == expected.bitPattern || Float16(bitPattern: half).isNaN && expected.isNaN, "\(float)")
        }
    }

    @Test("scores of halves are bit for bit the scores of the floats that they are", arguments: Level.available)
    func scores(level: Level) {
        for dimension in [1, 3, 4, 7, 8, 15, 16, 17, 31, 33, 64, 100, 511, 512, 768] {
            var generator = SeededGenerator(state: UInt64(dimension))
            let (count, stride) = (11, dimension + 5)
            let rows = generator.normals(count * stride), queries = generator.normals(7 * dimension)
            var halves = [UInt16](repeating: 0, count: rows.count)
            cv_halves_of_floats(level.code, rows, rows.count, &halves)
            var floats = rows
            cv_floats_of_halves(level.code, halves, halves.count, &floats)
            // The last row ends with the array, so that a sanitizer sees who reads on.
            halves.removeLast(5)
            var (found, expected) = ([Float](repeating: 0, count: 7 * count), [Float](repeating: 1, count: 7 * count))
            cv_half_scores(level.code, queries, 7, halves, count, stride, dimension, &found)
            cv_scores(level.code, queries, 7, floats, count, stride, dimension, &expected)
            #expect(found.map(\.bitPattern) == expected.map(\.bitPattern), "\(dimension)")
            for q in 0..<7 {
                for r in 0..<count {
                    let exact = (0..<dimension).reduce(0.0) {
                        $0 + Double(queries[q * dimension + $1]) * Double(Float16(rows[r * stride + $1]))
                    }
                    // Rounding of `dimension` additions of numbers about 1.
                    #expect(abs(exact - Double(found[q * count + r])) < 2e-6 * Double(dimension) + 1e-6, "\(dimension)")
                }
            }
            let chosen: [UInt32] = [10, 2, 2, 0]
            var picked = [Float](repeating: 0, count: 7 * 4)
            cv_half_scores_of_rows(level.code, queries, 7, halves, chosen, 4, stride, dimension, &picked)
            let expectedOfChosen = (0..<7).flatMap { q in chosen.map { found[q * count + Int($0)] } }
            #expect(picked == expectedOfChosen, "\(dimension)")
        }
    }
}
