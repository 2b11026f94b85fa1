import Imaging

/// The plain ground of a studio photo: one colour that reaches in from the edges, and where it lies.
struct PlainGround: Sendable {
    /// The ground's colour.
    let color: SIMD3<UInt8>
    /// Pixels along the mask's sides.
    let width: Int, height: Int
    /// `[height, width]`: 255 on the ground and one pixel around it, 0 elsewhere. Laid over the photo it says where ground may be; the view's own
    /// colours say exactly.
    let mask: [UInt8]

    /// Longest side of the mask.
    private static let side = 160
    /// Greatest difference from the ground's colour in any channel that is still ground: shadows, noise and JPEG's marks.
    private static let tolerance = 20
    /// Share of the edge that has to be of one colour: a garment may be cut off by an edge or two.
    private static let plainEdge = 0.7
    /// Less is no ground, and more leaves no garment: a white one on white was flooded too.
    private static let shares = 0.1...0.93

    /// - Returns: nil where the ground is not plain.
    init?(of photo: RGBImage) {
        let scale = min(1, Double(Self.side) / Double(max(photo.width, photo.height)))
        let small = photo.resized(
            width: max(1, Int((Double(photo.width) * scale).rounded())),
            height: max(1, Int((Double(photo.height) * scale).rounded())), filter: .bilinear)
        let (width, height) = (small.width, small.height)
        guard width > 8, height > 8 else { return nil }
        var edge: [Int] = []
        for x in 0..<width { edge += [x, (height - 1) * width + x] }
        for y in 1..<height - 1 { edge += [y * width, (y + 1) * width - 1] }
        // The median of each channel: what is cut off by the edge has no say while it is less than half.
        func median(_ channel: Int) -> UInt8 {
            var counts = [Int](repeating: 0, count: 256)
            for place in edge { counts[Int(small.pixels[3 * place + channel])] += 1 }
            var seen = 0
            return UInt8(
                counts.firstIndex { count in
                    seen += count
                    return 2 * seen >= edge.count
                } ?? 0)
        }
        let color = SIMD3(median(0), median(1), median(2))
        let isNear = small.pixels.withUnsafeBufferPointer { pixels in
            (0..<width * height).map { Self.distance(pixels.baseAddress! + 3 * $0, color) <= Self.tolerance }
        }
        guard Double(edge.count { isNear[$0] }) >= Self.plainEdge * Double(edge.count) else { return nil }

        var reached = [Bool](repeating: false, count: width * height)
        var waiting = edge.filter { isNear[$0] }
        for place in waiting { reached[place] = true }
        var count = 0
        while let place = waiting.popLast() {
            count += 1
            let (y, x) = place.quotientAndRemainder(dividingBy: width)
            func visit(_ next: Int) {
                if isNear[next] && !reached[next] {
                    reached[next] = true
                    waiting.append(next)
                }
            }
            if x > 0 { visit(place - 1) }
            if x < width - 1 { visit(place + 1) }
            if y > 0 { visit(place - width) }
            if y < height - 1 { visit(place + width) }
        }
        guard Self.shares.contains(Double(count) / Double(width * height)) else { return nil }

        var mask = [UInt8](repeating: 0, count: width * height)
        for y in 0..<height {
            for x in 0..<width where reached[y * width + x] {
                for row in max(y - 1, 0)...min(y + 1, height - 1) {
                    for column in max(x - 1, 0)...min(x + 1, width - 1) { mask[row * width + column] = 255 }
                }
            }
        }
        (self.color, self.width, self.height, self.mask) = (color, width, height, mask)
    }

    private static func distance(_ pixel: UnsafePointer<UInt8>, _ color: SIMD3<UInt8>) -> Int {
        max(abs(Int(pixel[0]) - Int(color.x)), abs(Int(pixel[1]) - Int(color.y)), abs(Int(pixel[2]) - Int(color.z)))
    }

    /// A view with the ground exchanged. A pixel is a mixture p = α·garment + (1 − α)·ground, so p + (1 − α)·(new − ground) shows the same garment
    /// on the new ground, with its shadow and without a rim of the old. α rises from 0 to 1 between one and two tolerances from the ground's
    /// colour, and is 1 where the mask has no ground. Beyond the photo everything is ground.
    /// - Parameter backdrop: `[side, side, 3]`, the view's side.
    func replaced(in view: RGBImage, of photo: RGBImage, through window: Window, by backdrop: [UInt8]) throws(ImageError)
        -> RGBImage
    {
        // (1 − α) · 256 by distance.
        let weights = (0..<256).map { distance in
            min(max(2 * Self.tolerance - distance, 0), Self.tolerance) * 256 / Self.tolerance
        }
        var steps = window.steps
        let perPixel = SIMD2(Double(width) / Double(photo.width), Double(height) / Double(photo.height))
        (steps.origin, steps.right, steps.down) = (steps.origin * perPixel, steps.right * perPixel, steps.down * perPixel)
        let old = SIMD3<Int>(truncatingIfNeeded: color)
        var pixels = view.pixels
        pixels.withUnsafeMutableBufferPointer { buffer in
            guard var pixel = buffer.baseAddress else { return }
            backdrop.withUnsafeBufferPointer { backdrop in
                guard var new = backdrop.baseAddress else { return }
                for row in 0..<view.height {
                    var place = steps.origin + steps.down * Double(row)
                    for _ in 0..<view.width {
                        let (x, y) = (Int(place.x.rounded(.down)), Int(place.y.rounded(.down)))
                        let isInside = x >= 0 && y >= 0 && x < width && y < height
                        if !isInside || mask[y &* width &+ x] != 0 {
                            let weight = weights[Self.distance(pixel, color)]
                            if weight > 0 {
                                for channel in 0..<3 {
                                    let change = (Int(new[channel]) - old[channel]) * weight
                                    pixel[channel] = UInt8(min(max(Int(pixel[channel]) + (change >> 8), 0), 255))
                                }
                            }
                        }
                        pixel += 3
                        new += 3
                        place += steps.right
                    }
                }
            }
        }
        return try RGBImage(width: view.width, height: view.height, pixels: pixels)
    }
}

/// What stands behind a garment instead of its studio.
enum Backdrop {
    /// A colour, a gradient between two, or a part of another photo, a third of the time each; a colour where there is no other photo.
    /// - Returns: `[side, side, 3]`.
    static func random(
        side: Int, other: (inout SeededGenerator) -> RGBImage?, using generator: inout SeededGenerator
    ) throws(ImageError) -> [UInt8] {
        let kind = Int.random(in: 0..<3, using: &generator)
        if kind == 2, let photo = other(&generator) {
            let share = Double.random(in: 0.3...1, using: &generator)
            let (width, height) = (Double(photo.width) * share, Double(photo.height) * share)
            let x = (Double(photo.width) - width) * Double.random(in: 0...1, using: &generator)
            let y = (Double(photo.height) - height) * Double.random(in: 0...1, using: &generator)
            // What is behind a garment need not be sharp.
            return photo.resizedCrop(
                x: x, y: y, width: width, height: height, outWidth: side, outHeight: side, filter: .bilinear
            ).pixels
        }
        func color(_ generator: inout SeededGenerator) -> SIMD3<Float> {
            SIMD3(
                .random(in: 0...255, using: &generator), .random(in: 0...255, using: &generator),
                .random(in: 0...255, using: &generator))
        }
        let from = color(&generator)
        let to = kind == 1 ? color(&generator) : from
        let slope = SIMD2<Float>(.random(in: -1...1, using: &generator), .random(in: -1...1, using: &generator))
        var pixels = [UInt8](repeating: 0, count: 3 * side * side)
        pixels.withUnsafeMutableBufferPointer { buffer in
            guard var pixel = buffer.baseAddress else { return }
            for row in 0..<side {
                for column in 0..<side {
                    let place = SIMD2(Float(column), Float(row)) / Float(side) - 0.5
                    let share = min(max(0.5 + (place * slope).sum(), 0), 1)
                    let mixed = from + (to - from) * share
                    (pixel[0], pixel[1], pixel[2]) = (UInt8(mixed.x), UInt8(mixed.y), UInt8(mixed.z))
                    pixel += 3
                }
            }
        }
        return pixels
    }
}
