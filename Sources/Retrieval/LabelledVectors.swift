/// Vectors with what is known about each: the input of an evaluation.
public struct LabelledVectors: Sendable {
    /// `[count, dimension]`, every row of unit length.
    public let vectors: [Float]
    public let dimension: Int
    /// Rows with the same label are relevant to each other: the product's id, or any other column. nil: relevant to nothing.
    public let labels: [String?]
    /// What the bootstrap resamples, what duplicates are judged by, and what is ranked at the level of products.
    public let products: [String]

    public var count: Int { products.count }

    /// - Parameter labels: nil takes the products.
    /// - Throws: `.dimension`, `.shape`, `.count`, `.notFinite`, `.notUnitLength`.
    public init(vectors: [Float], dimension: Int, products: [String], labels: [String?]? = nil) throws(RetrievalError) {
        let count = try UnitVectors.rowCount(vectors.count, dimension: dimension, what: "vectors")
        guard products.count == count else { throw .count(what: "products", found: products.count, expected: count) }
        if let labels, labels.count != count { throw .count(what: "labels", found: labels.count, expected: count) }
        self.vectors = vectors
        self.dimension = dimension
        self.labels = labels ?? products
        self.products = products
        for row in 0..<count {
            let result = vectors.withUnsafeBufferPointer { all in
                Result { () throws(RetrievalError) in
                    let vector = UnsafeBufferPointer(rebasing: all[row * dimension..<(row + 1) * dimension])
                    try UnitVectors.check(vector, what: "vectors", row: row)
                }
            }
            try result.get()
        }
    }

    /// The vector of one row.
    func vector(_ row: Int) -> ArraySlice<Float> { vectors[row * dimension..<(row + 1) * dimension] }

    /// The mean cosine of two different rows: near 1 where the vectors have collapsed to one direction, so that no ranking means anything.
    /// nil with fewer than two rows.
    public var meanCosine: Double? {
        guard count > 1 else { return nil }
        var sums = [Double](repeating: 0, count: dimension)
        var squares = 0.0
        for row in 0..<count {
            for (place, value) in vector(row).enumerated() {
                sums[place] += Double(value)
                squares += Double(value) * Double(value)
            }
        }
        // |Σ v|² is the sum of the cosines of all pairs, each row with itself among them.
        let all = sums.reduce(0) { $0 + $1 * $1 }
        return (all - squares) / (Double(count) * Double(count - 1))
    }
}
