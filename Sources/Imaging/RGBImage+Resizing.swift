import CImaging

extension RGBImage {
    /// Resized as Pillow's `resize(size, filter)` does, equal in every byte: along x first, rounded to 8 bits between the passes.
    /// - Precondition: width and height are at least 1.
    public func resized(width: Int, height: Int, filter: ResamplingFilter) -> RGBImage {
        if width == self.width, height == self.height { return self }
        return resampled(
            box: SourceBox(x0: 0, y0: 0, x1: Float(self.width), y1: Float(self.height)), width: width, height: height,
            columns: 0..<width, rows: 0..<height, filter: filter)
    }

    /// Resized so that the shorter side has `side` pixels and the longer one side · long / short, rounded down: the rule of torchvision, open_clip
    /// and transformers. The result of a very long and thin picture is very large; `shortestSideCenterCrop` is not.
    public func resizedShortestSide(_ side: Int, filter: ResamplingFilter) -> RGBImage {
        let size = sizeWithShortestSide(side)
        return resized(width: size.width, height: size.height, filter: filter)
    }

    /// `resizedShortestSide(side, filter).centerCropped(crop, crop, rule)` in every byte, but computes only the pixels that are kept.
    /// - Parameters:
    ///   - side: pixels of the shorter side of the resized picture.
    ///   - crop: side of the square that is kept.
    public func shortestSideCenterCrop(
        _ side: Int, crop: Int, filter: ResamplingFilter, rule: CenterCropRule = .torchvision
    ) -> RGBImage {
        let size = sizeWithShortestSide(side)
        let left = rule.offset(of: crop, in: size.width)
        let top = rule.offset(of: crop, in: size.height)
        let columns = max(left, 0)..<min(left + crop, size.width)
        let rows = max(top, 0)..<min(top + crop, size.height)
        if size.width == width, size.height == height { return cropped(x: left, y: top, width: crop, height: crop) }
        let kept = resampled(
            box: SourceBox(x0: 0, y0: 0, x1: Float(width), y1: Float(height)), width: size.width, height: size.height,
            columns: columns, rows: rows, filter: filter)
        // Only a crop that is larger than the resized picture has margins left to fill.
        return kept.cropped(x: min(left, 0), y: min(top, 0), width: crop, height: crop)
    }

    /// Resized to a square, whatever that does to its proportions.
    public func squashed(_ side: Int, filter: ResamplingFilter) -> RGBImage {
        resized(width: side, height: side, filter: filter)
    }

    /// A part of the picture, resized: Pillow's `resize((outWidth, outHeight), filter, box: (x, y, x + width, y + height))`, equal in every byte.
    /// Unlike a crop that is then resized, the box may lie between pixels, and pixels around it take part where the filter reaches.
    /// - Parameters: x, y, width, height: the box, in pixels; what lies outside of the picture is cut off.
    /// - Precondition: the box overlaps the picture, and outWidth and outHeight are at least 1.
    public func resizedCrop(
        x: Double, y: Double, width: Double, height: Double, outWidth: Int, outHeight: Int, filter: ResamplingFilter
    ) -> RGBImage {
        let box = SourceBox(
            x0: max(Float(x), 0), y0: max(Float(y), 0), x1: min(Float(x + width), Float(self.width)),
            y1: min(Float(y + height), Float(self.height)))
        precondition(box.x1 > box.x0 && box.y1 > box.y0, "the box does not overlap the picture")
        if box.x0 == box.x0.rounded(), box.y0 == box.y0.rounded(), box.x1 - box.x0 == Float(outWidth),
            box.y1 - box.y0 == Float(outHeight)
        {
            return cropped(x: Int(box.x0), y: Int(box.y0), width: outWidth, height: outHeight)
        }
        return resampled(box: box, width: outWidth, height: outHeight, columns: 0..<outWidth, rows: 0..<outHeight, filter: filter)
    }

    func sizeWithShortestSide(_ side: Int) -> (width: Int, height: Int) {
        precondition(side > 0, "a side of \(side) pixels is empty")
        let long = Int(Double(side * max(width, height)) / Double(min(width, height)))
        return width <= height ? (side, long) : (long, side)
    }

    /// Which implementation of the inner loops runs. All of them give the same bytes.
    enum Kernel {
        /// The fastest that the processor has.
        case best
        /// Portable C.
        case plain

        fileprivate var shim: CIKernel {
            switch self {
            case .best: CI_KERNEL_BEST
            case .plain: CI_KERNEL_PLAIN
            }
        }
    }

    /// The part of a picture that is resized. Single precision, as in Pillow, whose results depend on it.
    struct SourceBox: Equatable {
        var x0, y0, x1, y1: Float
    }

    /// The pixels `columns` × `rows` of the picture that resizing `box` to `width` × `height` gives.
    func resampled(
        box: SourceBox, width: Int, height: Int, columns: Range<Int>, rows: Range<Int>, filter: ResamplingFilter,
        kernel: Kernel = .best
    ) -> RGBImage {
        precondition(width > 0 && height > 0, "a picture of \(width) x \(height) pixels is empty")
        if filter == .nearest { return nearest(box: box, width: width, height: height, columns: columns, rows: rows) }
        // A pass that would copy its input gives the same bytes when it is left out.
        let keepsColumns = box.x0 == 0 && box.x1 == Float(width) && width == self.width && columns.count == width
        let keepsRows = box.y0 == 0 && box.y1 == Float(height) && height == self.height && rows.count == height
        let horizontal =
            keepsColumns
            ? nil
            : ResamplingWeights(side: self.width, begin: box.x0, end: box.x1, outputs: width, window: columns, filter: filter)
        let vertical =
            keepsRows
            ? nil
            : ResamplingWeights(side: self.height, begin: box.y0, end: box.y1, outputs: height, window: rows, filter: filter)
        let input = Region(image: self, x: 0, y: 0)
        guard let horizontal else {
            return vertical.map { input.resampledAlongY($0, kernel).image } ?? self
        }
        guard let vertical else { return input.resampledAlongX(horizontal, kernel).image }
        // The order decides how the 8 bits between the passes are rounded. Since version 13 Pillow begins with y where the height shrinks by more
        // than twice as many pixels as the width; its box plays no part in that.
        if self.height > height, self.height - height > 2 * (self.width - width) {
            return input.resampledAlongY(vertical, columns: horizontal.inputs, kernel).resampledAlongX(horizontal, kernel).image
        }
        return input.resampledAlongX(horizontal, rows: vertical.inputs, kernel).resampledAlongY(vertical, kernel).image
    }

    /// A picture before, between or after the passes: of a whole one the part whose first pixel is (x, y).
    private struct Region {
        let image: RGBImage
        let x: Int
        let y: Int

        /// All columns that `weights` gives, of the rows that are needed: by default every one.
        func resampledAlongX(_ weights: ResamplingWeights, rows: Range<Int>? = nil, _ kernel: Kernel) -> Region {
            let rows = rows ?? y..<y + image.height
            let start = 3 * ((rows.lowerBound - y) * image.width + weights.inputs.lowerBound - x)
            let result = image.withPixels { source in
                RGBImage(width: weights.count, height: rows.count) { target in
                    weights.withWeights { weights in
                        ci_resample_horizontally(
                            source + start, image.pixels.count - start, 3 * image.width, rows.count, weights, target, kernel.shim)
                    }
                }
            }
            return Region(image: result, x: 0, y: rows.lowerBound)
        }

        /// All rows that `weights` gives, of the columns that are needed: by default every one.
        func resampledAlongY(_ weights: ResamplingWeights, columns: Range<Int>? = nil, _ kernel: Kernel) -> Region {
            let columns = columns ?? x..<x + image.width
            let start = 3 * ((weights.inputs.lowerBound - y) * image.width + columns.lowerBound - x)
            let result = image.withPixels { source in
                RGBImage(width: columns.count, height: weights.count) { target in
                    weights.withWeights { weights in
                        ci_resample_vertically(
                            source + start, 3 * image.width, 3 * columns.count, weights, target, kernel.shim)
                    }
                }
            }
            return Region(image: result, x: columns.lowerBound, y: 0)
        }
    }

    /// Pillow's affine transform without a filter: centres of pixels, advanced by addition, rounded towards zero.
    private func nearest(box: SourceBox, width: Int, height: Int, columns: Range<Int>, rows: Range<Int>) -> RGBImage {
        func sources(_ begin: Float, _ end: Float, _ outputs: Int, _ window: Range<Int>, _ side: Int) -> [Int] {
            let step = Double(end - begin) / Double(outputs)
            var position = Double(begin) + step * 0.5
            var result: [Int] = []
            for output in 0..<window.upperBound {
                if output >= window.lowerBound { result.append(min(Int(position), side - 1)) }
                position += step
            }
            return result
        }
        let xs = sources(box.x0, box.x1, width, columns, self.width)
        let ys = sources(box.y0, box.y1, height, rows, self.height)
        return withPixels { source in
            RGBImage(width: xs.count, height: ys.count) { target in
                var to = target
                for y in ys {
                    for x in xs {
                        let from = source + 3 * (y * self.width + x)
                        to[0] = from[0]
                        to[1] = from[1]
                        to[2] = from[2]
                        to += 3
                    }
                }
            }
        }
    }
}
