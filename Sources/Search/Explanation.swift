public import Imaging

/// Which parts of two pictures make them alike to a model: how much of the score each part takes with it when it is covered.
///
/// Occlusion (Zeiler and Fergus 2014): a window of 2 × 2 cells goes over the picture and is filled with the picture's mean colour; a cell's value is the mean
/// loss of the windows that cover it. It asks the model itself, whatever its architecture, and needs nothing of its inside; patch
/// attention, by contrast, says where a transformer looks and not what that does to the score.
public struct Explanation: Sendable, Equatable {
    /// A picture's cells.
    public struct Map: Sendable, Equatable {
        public let rows: Int
        public let columns: Int
        /// [rows, columns]: cosine similarity that is lost by covering the cell; below 0 where the score grows.
        public let values: [Double]
    }

    /// Cosine similarity of the two pictures as they are.
    public let score: Double
    public let query: Map
    public let result: Map
}

extension SearchEngine {
    /// Cells of a map's longer side.
    public static let explanationSides = 3...10

    /// Explains the score of two pictures.
    /// - Parameter cells: of the longer side, 3…10; a map costs about as many passes of the model as it has cells.
    /// - Throws: what the encoder throws; `CancellationError`.
    public func explanation(of result: RGBImage, for query: RGBImage, cells: Int = 6) async throws -> Explanation {
        precondition(Self.explanationSides.contains(cells))
        let (query, result) = (query.small, result.small)
        let vectors = try await encoded([query, result])
        func dot(_ a: [Float], _ b: [Float]) -> Double { zip(a, b).reduce(0) { $0 + Double($1.0) * Double($1.1) } }
        let score = dot(vectors[0], vectors[1])
        func map(_ picture: RGBImage, against other: [Float]) async throws -> Explanation.Map {
            let grid = picture.grid(cells)
            // One row and column more than cells: each cell lies under four windows, those at the border too.
            let windows = (0...grid.rows).flatMap { row in (0...grid.columns).map { (row, $0) } }
            let mean = picture.meanColor
            let covered = try await encoded(
                windows.map { row, column in
                    picture.covered(
                        rows: grid.span(of: row, grid.rows, picture.height),
                        columns: grid.span(of: column, grid.columns, picture.width),
                        with: mean)
                })
            var values = [Double](repeating: 0, count: grid.rows * grid.columns)
            for ((row, column), vector) in zip(windows, covered) {
                let loss = score - dot(vector, other)
                for cellRow in max(0, row - 1)...min(grid.rows - 1, row) {
                    for cellColumn in max(0, column - 1)...min(grid.columns - 1, column) {
                        values[cellRow * grid.columns + cellColumn] += loss / 4
                    }
                }
            }
            return Explanation.Map(rows: grid.rows, columns: grid.columns, values: values)
        }
        return Explanation(
            score: score, query: try await map(query, against: vectors[1]), result: try await map(result, against: vectors[0]))
    }

    /// Pictures in one pass: searches of others come in between.
    private static let explainedAtOnce = 8

    private func encoded(_ pictures: [RGBImage]) async throws -> [[Float]] {
        var vectors: [[Float]] = []
        for start in stride(from: 0, to: pictures.count, by: Self.explainedAtOnce) {
            try Task.checkCancellation()
            let part = pictures[start..<min(start + Self.explainedAtOnce, pictures.count)]
            vectors += try await encoder.encode(images: part.map { encoder.reduce($0) })
        }
        return vectors
    }
}

/// A picture's cells, as square as whole numbers let them be.
private struct Grid {
    let rows: Int
    let columns: Int

    /// The pixels of window `place` along a side: of the cells `place - 1` and `place`, as far as there are.
    func span(of place: Int, _ cells: Int, _ length: Int) -> Range<Int> {
        let (first, end) = (max(0, place - 1), min(cells, place + 1))
        return first * length / cells..<end * length / cells
    }
}

extension RGBImage {
    /// Enough for every model to see what it saw, and quick to cover and fit some dozens of times.
    fileprivate var small: RGBImage {
        let longest = 448
        guard max(width, height) > longest else { return self }
        let scale = Double(longest) / Double(max(width, height))
        return resized(
            width: max(1, Int((Double(width) * scale).rounded())), height: max(1, Int((Double(height) * scale).rounded())),
            filter: .bicubic)
    }

    fileprivate func grid(_ cells: Int) -> Grid {
        let (long, short) = (Double(max(width, height)), Double(min(width, height)))
        // A cell has at least a pixel.
        let (most, least) = (
            min(cells, max(width, height)), max(1, min(Int((Double(cells) * short / long).rounded()), min(width, height)))
        )
        return width >= height ? Grid(rows: least, columns: most) : Grid(rows: most, columns: least)
    }

    fileprivate var meanColor: [UInt8] {
        var sums = [0, 0, 0]
        for (place, value) in pixels.enumerated() { sums[place % 3] += Int(value) }
        return sums.map { UInt8($0 / max(1, width * height)) }
    }

    fileprivate func covered(rows: Range<Int>, columns: Range<Int>, with color: [UInt8]) -> RGBImage {
        var pixels = pixels
        for row in rows {
            for column in columns {
                for channel in 0..<3 { pixels[3 * (row * width + column) + channel] = color[channel] }
            }
        }
        return withPixels(pixels)
    }

    private func withPixels(_ pixels: [UInt8]) -> RGBImage {
        // As many as before.
        (try? RGBImage(width: width, height: height, pixels: pixels)) ?? self
    }
}
