import Retrieval

/// SplitMix64: the same numbers in every run.
struct SeededGenerator: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}

/// `count` unit vectors in directions spread over the sphere.
func randomUnitVectors(_ count: Int, dimension: Int, seed: UInt64) -> [Float] {
    var generator = SeededGenerator(state: seed)
    return (0..<count).flatMap { _ -> [Float] in
        // Sums of uniform numbers are near enough to a normal distribution.
        let vector = (0..<dimension).map { _ in
            (0..<4).reduce(Float(0)) { sum, _ in sum + Float.random(in: -1...1, using: &generator) }
        }
        let length = vector.reduce(0) { $0 + $1 * $1 }.squareRoot()
        return vector.map { $0 / length }
    }
}

/// `count` unit vectors with four entries of ±1/2 among `dimension`: their dot products are multiples of 1/4, exact in any order of
/// additions, and most of them tie.
func tyingUnitVectors(_ count: Int, dimension: Int, seed: UInt64) -> [Float] {
    var generator = SeededGenerator(state: seed)
    return (0..<count).flatMap { _ -> [Float] in
        var vector = [Float](repeating: 0, count: dimension)
        for place in Array(0..<dimension).shuffled(using: &generator).prefix(4) {
            vector[place] = Bool.random(using: &generator) ? 0.5 : -0.5
        }
        return vector
    }
}

/// Dot product in double precision.
func exactDot(_ a: ArraySlice<Float>, _ b: ArraySlice<Float>) -> Double {
    zip(a, b).reduce(0) { $0 + Double($1.0) * Double($1.1) }
}

/// Pictures of things in clusters, as models make them: neighbours are close, and there are many of them.
func clusteredUnitVectors(_ count: Int, dimension: Int, seed: UInt64) -> [Float] {
    let centers = randomUnitVectors(max(1, count / 20), dimension: dimension, seed: seed)
    var vectors = randomUnitVectors(count, dimension: dimension, seed: seed + 1)
    for row in 0..<count {
        let center = row % (centers.count / dimension)
        for d in 0..<dimension {
            vectors[row * dimension + d] = centers[center * dimension + d] + 0.5 * vectors[row * dimension + d]
        }
    }
    vectors.withUnsafeMutableBufferPointer { all in
        for row in 0..<count {
            _ = UnitVectors.normalize(UnsafeMutableBufferPointer(rebasing: all[row * dimension..<(row + 1) * dimension]))
        }
    }
    return vectors
}
