public import Catalog
import Retrieval

extension HardNegatives {
    /// Finds, for every product, the products of its category that a model takes for it: those whose nearest pictures are nearest to its own.
    ///
    /// Nearly the same pictures under two products' names are left out: pushing them apart teaches noise.
    /// - Parameters:
    ///   - rows: pictures of the products.
    ///   - vectors: `[rows, dimension]`, L2-normalised.
    ///   - category: the column whose values keep products together; rows without one are a category of their own.
    ///   - count: negatives of a product at most.
    ///   - duplicate: the cosine from which two pictures count as one, −1…1.
    ///   - progress: rows done, and of how many.
    /// - Returns: every product in the order of its first row, and how many pairs of products were left out as duplicates.
    public static func mined(
        from rows: [ManifestRow], vectors: [Float], dimension: Int, category: String, count: Int, duplicate: Float,
        progress: (Int, Int) -> Void = { _, _ in }
    ) throws -> (negatives: HardNegatives, duplicates: Int) {
        var numbers: [String: Int32] = [:]
        var products: [String] = []
        let productOfRow = rows.map { row in
            let number = numbers[row.productID] ?? Int32(products.count)
            if numbers[row.productID] == nil {
                numbers[row.productID] = number
                products.append(row.productID)
            }
            return number
        }
        var best = [[Int32: Float]](repeating: [:], count: products.count)
        var done = 0
        for (_, places) in Dictionary(grouping: rows.indices, by: { rows[$0][category] }).sorted(by: { $0.value[0] < $1.value[0] }
        ) {
            let own = places.flatMap { vectors[$0 * dimension..<($0 + 1) * dimension] }
            let index = try ExactIndex(ids: places.map(Int64.init), vectors: own, dimension: dimension)
            let pace = 256
            for start in stride(from: 0, to: places.count, by: pace) {
                let part = start..<min(start + pace, places.count)
                // Itself, and room for duplicates.
                let hits = try index.search(
                    VectorRequest(
                        vectors: Array(own[part.lowerBound * dimension..<part.upperBound * dimension]), k: count + 9,
                        group: { productOfRow[Int($0)] }))
                for (offset, list) in hits.enumerated() {
                    let product = productOfRow[places[start + offset]]
                    for hit in list {
                        let other = productOfRow[Int(hit.id)]
                        guard other != product else { continue }
                        best[Int(product)][other] = max(best[Int(product)][other] ?? -1, hit.score)
                        // What one sees, the other has to see too, whatever stands between.
                        best[Int(other)][product] = max(best[Int(other)][product] ?? -1, hit.score)
                    }
                }
                done += part.count
                progress(done, rows.count)
            }
        }
        let pairs = best.reduce(0) { $0 + $1.values.count { $0 >= duplicate } }
        let lines = products.indices.map { product in
            let negatives = best[product].filter { $0.value < duplicate }
                .sorted { ($0.value, products[Int($1.key)]) > ($1.value, products[Int($0.key)]) }
            return Line(
                productID: products[product],
                negatives: negatives.prefix(count).map { Negative(productID: products[Int($0.key)], score: $0.value) })
        }
        return (HardNegatives(lines: lines), pairs / 2)
    }
}
