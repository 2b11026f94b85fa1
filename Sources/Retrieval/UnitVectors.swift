/// Checks and makes vectors of unit length, for which the dot product is the cosine similarity.
public enum UnitVectors {
    /// How far from 1 a length may be: what rounding to 16 bits costs a vector of a few thousand dimensions, and no more.
    public static let tolerance: Float = 1e-3

    /// Euclidean length, summed in double precision.
    public static func length(_ vector: some Sequence<Float>) -> Float {
        var sum = 0.0
        for value in vector { sum += Double(value) * Double(value) }
        return Float(sum.squareRoot())
    }

    /// Scales a vector to unit length, in place.
    /// - Returns: false, and the vector unchanged, where it has no direction: all zeros, or not finite.
    public static func normalize(_ vector: UnsafeMutableBufferPointer<Float>) -> Bool {
        var sum = 0.0
        for value in vector { sum += Double(value) * Double(value) }
        guard sum > 0, sum.isFinite else { return false }
        let scale = 1 / sum.squareRoot()
        for index in vector.indices { vector[index] = Float(Double(vector[index]) * scale) }
        return true
    }

    /// Scales every row of `vectors` `[n, dimension]` to unit length, in place.
    /// - Throws: `.shape`, `.dimension`; `.notFinite` or `.notUnitLength` naming the first row without a direction.
    public static func normalize(_ vectors: inout [Float], dimension: Int, what: String = "vectors") throws(RetrievalError) {
        let count = try rowCount(vectors.count, dimension: dimension, what: what)
        for row in 0..<count {
            let made = vectors.withUnsafeMutableBufferPointer { all in
                normalize(UnsafeMutableBufferPointer(rebasing: all[row * dimension..<(row + 1) * dimension]))
            }
            guard made else {
                let length = length(vectors[row * dimension..<(row + 1) * dimension])
                guard length.isFinite else { throw .notFinite(what: what, row: row) }
                throw .notUnitLength(what: what, row: row, length: length, tolerance: tolerance)
            }
        }
    }

    /// - Throws: `.notFinite` or `.notUnitLength` unless the vector has unit length within `tolerance`.
    static func check(_ vector: UnsafeBufferPointer<Float>, what: String, row: Int) throws(RetrievalError) {
        let length = length(vector)
        guard length.isFinite else { throw .notFinite(what: what, row: row) }
        guard abs(length - 1) <= tolerance else {
            throw .notUnitLength(what: what, row: row, length: length, tolerance: tolerance)
        }
    }

    static func rowCount(_ floats: Int, dimension: Int, what: String) throws(RetrievalError) -> Int {
        guard dimension > 0 else { throw .dimension(found: dimension) }
        guard floats % dimension == 0 else { throw .shape(what: what, found: floats, dimension: dimension) }
        return floats / dimension
    }
}
