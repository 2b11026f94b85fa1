import Testing

@testable import Imaging

@Suite("Cropping, turning and resampling")
struct GeometryTests {
    /// Pixels named by one number each: red n, green n + 100, blue 255 − n.
    private func picture(_ rows: [[UInt8]]) throws -> RGBImage {
        try RGBImage(
            width: rows[0].count, height: rows.count,
            pixels: rows.joined().flatMap { $0 == 0 ? [0, 0, 0] : [$0, $0 + 100, 255 - $0] })
    }

    @Test("sides and the number of samples must agree")
    func sizes() {
        for (width, height, count) in [
            (0, 1, 0), (1, 0, 0), (-1, -1, 3), (2, 2, 11), (2, 2, 13), (Int.max, Int.max, 3), (Int.max, 1, 3),
        ] {
            #expect(throws: ImageError.invalidSize(width: width, height: height, samples: count)) {
                try RGBImage(width: width, height: height, pixels: [UInt8](repeating: 0, count: count))
            }
        }
    }

    @Test("each of the eight orientations is undone")
    func orientations() throws {
        let stored = try picture([[1, 2, 3], [4, 5, 6]])
        let table: [(Int, [[UInt8]])] = [
            (1, [[1, 2, 3], [4, 5, 6]]), (2, [[3, 2, 1], [6, 5, 4]]), (3, [[6, 5, 4], [3, 2, 1]]), (4, [[4, 5, 6], [1, 2, 3]]),
            (5, [[1, 4], [2, 5], [3, 6]]), (6, [[4, 1], [5, 2], [6, 3]]), (7, [[6, 3], [5, 2], [4, 1]]),
            (8, [[3, 6], [2, 5], [1, 4]]),
        ]
        for (orientation, rows) in table {
            #expect(try stored.upright(from: orientation) == picture(rows), "orientation \(orientation)")
        }
        #expect(try stored.flippedHorizontally() == picture([[3, 2, 1], [6, 5, 4]]))
    }

    @Test("turning works across the borders of its tiles")
    func largeTurns() throws {
        let image = try RGBImage.noise(width: 71, height: 100, seed: 3)
        let inverse = [1: 1, 2: 2, 3: 3, 4: 4, 5: 5, 6: 8, 7: 7, 8: 6]
        for (turn, back) in inverse { #expect(image.upright(from: turn).upright(from: back) == image) }
    }

    @Test("a crop is black outside of the picture")
    func crops() throws {
        let image = try picture([[1, 2, 3], [4, 5, 6]])
        #expect(try image.cropped(x: 1, y: 0, width: 2, height: 1) == picture([[2, 3]]))
        #expect(try image.cropped(x: -1, y: -1, width: 3, height: 2) == picture([[0, 0, 0], [0, 1, 2]]))
        #expect(try image.cropped(x: 2, y: 1, width: 2, height: 2) == picture([[6, 0], [0, 0]]))
        #expect(try image.cropped(x: 9, y: 9, width: 1, height: 2) == picture([[0], [0]]))
        #expect(image.cropped(x: 0, y: 0, width: 3, height: 2) == image)
    }

    @Test("padding puts the picture in the middle of a square")
    func padding() throws {
        let wide = try picture([[1, 2, 3, 4]])
        let padded = wide.paddedToSquare(red: 9, green: 109, blue: 246)
        #expect(try padded == picture([[9, 9, 9, 9], [1, 2, 3, 4], [9, 9, 9, 9], [9, 9, 9, 9]]))
        #expect(try picture([[1], [2]]).paddedToSquare(red: 0, green: 0, blue: 0) == picture([[1, 0], [2, 0]]))
    }

    @Test("a centre between two pixels is rounded to even by torchvision and down by transformers")
    func centres() {
        let table = [
            (8, 3, 2, 2), (8, 5, 2, 1), (9, 5, 2, 2), (7, 4, 2, 1), (5, 4, 0, 0), (4, 4, 0, 0), (3, 6, -1, -1), (3, 5, -1, -1),
        ]
        for (side, crop, torchvision, transformers) in table {
            #expect(CenterCropRule.torchvision.offset(of: crop, in: side) == torchvision, "\(crop) of \(side)")
            #expect(CenterCropRule.transformers.offset(of: crop, in: side) == transformers, "\(crop) of \(side)")
        }
    }

    @Test("the vector kernels give the bytes of the plain ones at every width and shrink factor")
    func kernels() throws {
        var random = SeededRandom(state: 7)
        for round in 0..<150 {
            let image = try RGBImage.noise(
                width: .random(in: 1...90, using: &random), height: .random(in: 1...60, using: &random), seed: UInt64(round))
            let width = Int.random(in: 1...100, using: &random)
            let height = Int.random(in: 1...80, using: &random)
            let box = RGBImage.SourceBox(x0: 0, y0: 0, x1: Float(image.width), y1: Float(image.height))
            for filter in ResamplingFilter.allCases {
                let images = [RGBImage.Kernel.best, .plain].map { kernel in
                    image.resampled(
                        box: box, width: width, height: height, columns: 0..<width, rows: 0..<height, filter: filter,
                        kernel: kernel)
                }
                #expect(images[0] == images[1], "\(image.size) to \(width) x \(height), \(filter)")
            }
        }
    }

    @Test("computing a part of a resized picture gives that part of the whole")
    func windows() throws {
        var random = SeededRandom(state: 11)
        for round in 0..<150 {
            let image = try RGBImage.noise(
                width: .random(in: 1...70, using: &random), height: .random(in: 1...140, using: &random), seed: UInt64(round))
            let width = Int.random(in: 1...90, using: &random)
            let height = Int.random(in: 1...90, using: &random)
            let left = Int.random(in: 0..<width, using: &random)
            let top = Int.random(in: 0..<height, using: &random)
            let columns = left..<Int.random(in: left + 1...width, using: &random)
            let rows = top..<Int.random(in: top + 1...height, using: &random)
            let box = RGBImage.SourceBox(x0: 0, y0: 0, x1: Float(image.width), y1: Float(image.height))
            for filter in ResamplingFilter.allCases {
                let part = image.resampled(box: box, width: width, height: height, columns: columns, rows: rows, filter: filter)
                let whole = image.resized(width: width, height: height, filter: filter)
                #expect(
                    part == whole.cropped(x: left, y: top, width: columns.count, height: rows.count),
                    "\(image.size) to \(width) x \(height), \(columns) x \(rows), \(filter)")
            }
        }
    }

    @Test("extreme pixels do not overflow the sums")
    func extremes() throws {
        for value: UInt8 in [0, 255] {
            let image = try RGBImage(width: 700, height: 500, pixels: [UInt8](repeating: value, count: 700 * 500 * 3))
            for filter in ResamplingFilter.allCases {
                #expect(image.resized(width: 3, height: 2, filter: filter).pixels.allSatisfy { $0 == value }, "\(filter)")
            }
        }
    }

    @Test("the crop of a very long picture costs no more than the crop")
    func longPictures() throws {
        // Resized whole, this would have 224 x 14,672,000 pixels.
        let image = try RGBImage.noise(width: 1, height: 65_500, seed: 1)
        let crop = image.shortestSideCenterCrop(224, crop: 224, filter: .bicubic)
        #expect(crop.size == [224, 224])
        let middle = image.cropped(x: 0, y: 32_740, width: 1, height: 20).resized(width: 224, height: 4480, filter: .bicubic)
        #expect(crop == middle.centerCropped(width: 224, height: 224))
    }
}
