import Foundation
import Imaging

/// Where a view lies on its photo: a box in the photo's pixels, perhaps beyond its edges, turned about its centre, that becomes a square.
struct Window {
    /// What a photo lies on, in the photo's pixels: at least the photo itself.
    struct Canvas: Equatable {
        var x: Double, y: Double, width: Double, height: Double

        init(x: Double, y: Double, width: Double, height: Double) {
            (self.x, self.y, self.width, self.height) = (x, y, width, height)
        }

        init(of photo: RGBImage) {
            self.init(x: 0, y: 0, width: Double(photo.width), height: Double(photo.height))
        }
    }

    let x: Double, y: Double, width: Double, height: Double
    /// Side of the view, in its pixels.
    let side: Int
    /// Of the view's pixels about its centre, in radians.
    let angle: Double

    /// How the view's pixels lie on the photo: the centre of pixel (column, row) is `origin + column · right + row · down`.
    struct Steps {
        var origin: SIMD2<Double>, right: SIMD2<Double>, down: SIMD2<Double>
    }

    var steps: Steps {
        let scale = SIMD2(width, height) / Double(side)
        let right = SIMD2(cos(angle), sin(angle)) * scale
        let down = SIMD2(-sin(angle), cos(angle)) * scale
        let centre = SIMD2(x + width / 2, y + height / 2)
        let half = (Double(side) - 1) / 2
        return Steps(origin: centre - right * half - down * half, right: right, down: down)
    }

    /// The view. Where the canvas is larger than the photo it has the mean colour of the photo's border; where a turned window reaches beyond
    /// the canvas, its edge goes on.
    func cut(_ photo: RGBImage, canvas: Canvas, filter: ResamplingFilter) throws(ImageError) -> RGBImage {
        guard angle != 0 else { return try upright(photo, x, y, width, height, side, side, filter) }
        // The box around the turned window, brought to the view's scale by the filter; then the turn, between its pixels.
        let reach = abs(cos(angle)) + abs(sin(angle))
        let (left, top) = (
            max(x + width * (1 - reach) / 2, canvas.x), max(y + height * (1 - reach) / 2, canvas.y)
        )
        let (right, bottom) = (
            min(x + width * (1 + reach) / 2, canvas.x + canvas.width), min(y + height * (1 + reach) / 2, canvas.y + canvas.height)
        )
        let columns = max(1, Int(((right - left) / width * Double(side)).rounded()))
        let rows = max(1, Int(((bottom - top) / height * Double(side)).rounded()))
        let around = try upright(photo, left, top, right - left, bottom - top, columns, rows, filter)
        let perPixel = SIMD2(Double(columns) / (right - left), Double(rows) / (bottom - top))
        var steps = steps
        steps.origin = (steps.origin - SIMD2(left, top)) * perPixel - 0.5
        (steps.right, steps.down) = (steps.right * perPixel, steps.down * perPixel)
        return try around.sampled(steps, side: side)
    }

    private func upright(
        _ photo: RGBImage, _ x: Double, _ y: Double, _ width: Double, _ height: Double, _ columns: Int, _ rows: Int,
        _ filter: ResamplingFilter
    ) throws(ImageError) -> RGBImage {
        let (left, top) = (max(x, 0), max(y, 0))
        let (right, bottom) = (min(x + width, Double(photo.width)), min(y + height, Double(photo.height)))
        if left == x && top == y && right == x + width && bottom == y + height {
            return photo.resizedCrop(
                x: x, y: y, width: width, height: height, outWidth: columns, outHeight: rows, filter: filter)
        }
        func place(_ position: Double, _ start: Double, _ length: Double, _ count: Int) -> Int {
            min(max(Int(((position - start) / length * Double(count)).rounded()), 0), count)
        }
        let (first, last) = (place(left, x, width, columns), place(right, x, width, columns))
        let (upper, lower) = (place(top, y, height, rows), place(bottom, y, height, rows))
        let color = photo.borderColor
        var pixels = [UInt8](repeating: 0, count: 3 * columns * rows)
        pixels.withUnsafeMutableBufferPointer { target in
            for index in 0..<(columns * rows) {
                (target[3 * index], target[3 * index + 1], target[3 * index + 2]) = (color.x, color.y, color.z)
            }
        }
        // A photo that covers less than a pixel, or lies beside the window, leaves no trace.
        guard right > left, bottom > top, last > first, lower > upper else {
            return try RGBImage(width: columns, height: rows, pixels: pixels)
        }
        let inside = photo.resizedCrop(
            x: left, y: top, width: right - left, height: bottom - top, outWidth: last - first, outHeight: lower - upper,
            filter: filter)
        let length = 3 * (last - first)
        pixels.withUnsafeMutableBufferPointer { target in
            inside.pixels.withUnsafeBufferPointer { source in
                guard let target = target.baseAddress, let source = source.baseAddress else { return }
                for row in 0..<(lower - upper) {
                    (target + 3 * ((upper + row) * columns + first)).update(from: source + row * length, count: length)
                }
            }
        }
        return try RGBImage(width: columns, height: rows, pixels: pixels)
    }
}

extension RGBImage {
    /// The mean of up to 64 pixels of each edge.
    var borderColor: SIMD3<UInt8> {
        var sum = SIMD3<Int>()
        var count = 0
        func add(_ x: Int, _ y: Int) {
            let index = 3 * (y * width + x)
            sum &+= SIMD3(Int(pixels[index]), Int(pixels[index + 1]), Int(pixels[index + 2]))
            count += 1
        }
        for x in stride(from: 0, to: width, by: (width + 63) / 64) {
            add(x, 0)
            add(x, height - 1)
        }
        for y in stride(from: 0, to: height, by: (height + 63) / 64) {
            add(0, y)
            add(width - 1, y)
        }
        return SIMD3(UInt8(sum.x / count), UInt8(sum.y / count), UInt8(sum.z / count))
    }

    /// A square whose pixel (column, row) is this picture at `steps`, in its pixels from the centre of the first: between four pixels their
    /// bilinear mean in steps of 1/256, beyond the edge the edge's own.
    func sampled(_ steps: Window.Steps, side: Int) throws(ImageError) -> RGBImage {
        // 16 bits behind the point: a view of 1,000 pixels ends within 1/100 of a pixel.
        func fixed(_ value: Double) -> Int { Int((value * 65536).rounded()) }
        let (right, down, origin) = (steps.right, steps.down, steps.origin)
        let (rightX, rightY) = (fixed(right.x), fixed(right.y))
        let (lastX, lastY) = ((width - 1) << 16, (height - 1) << 16)
        var result = [UInt8](repeating: 0, count: 3 * side * side)
        result.withUnsafeMutableBufferPointer { buffer in
            pixels.withUnsafeBufferPointer { source in
                guard var target = buffer.baseAddress, let source = source.baseAddress else { return }
                for row in 0..<side {
                    let start = origin + down * Double(row)
                    var (atX, atY) = (fixed(start.x), fixed(start.y))
                    for _ in 0..<side {
                        let (x, y) = (min(max(atX, 0), lastX), min(max(atY, 0), lastY))
                        let (shareX, shareY) = ((x >> 8) & 255, (y >> 8) & 255)
                        let first = source + 3 * ((y >> 16) &* width &+ (x >> 16))
                        // The last pixel of a row or column has no next one, and no share for it.
                        let (across, below) = (x < lastX ? 3 : 0, y < lastY ? 3 &* width : 0)
                        for channel in 0..<3 {
                            let corner = first + channel
                            let upper = Int(corner[0]) &* (256 &- shareX) &+ Int(corner[across]) &* shareX
                            let lower = Int(corner[below]) &* (256 &- shareX) &+ Int(corner[below &+ across]) &* shareX
                            target[channel] = UInt8(
                                truncatingIfNeeded: (upper &* (256 &- shareY) &+ lower &* shareY &+ 32768) >> 16)
                        }
                        target += 3
                        atX &+= rightX
                        atY &+= rightY
                    }
                }
            }
        }
        return try RGBImage(width: side, height: side, pixels: result)
    }
}
