import CLIP
import Foundation
import Imaging

extension Recipe.Augmentation {
    /// One view of a photo: a random part of it, perhaps mirrored, perhaps in other colours, as the square a model takes.
    ///
    /// Colours change by one affine map of R, G, B: hue and saturation turn and stretch the plane across the grey axis, contrast stretches
    /// around mid-grey, brightness multiplies all. Luma weights are those of Rec. 601.
    ///
    /// A view of everything is what `preprocessing` makes of the photo. A model that crops never sees what lies beside the centre, so a part
    /// is then one of the square in the middle.
    func view(of photo: RGBImage, for preprocessing: Preprocessing, using generator: inout SeededGenerator) throws(ImageError)
        -> RGBImage
    {
        var (width, height) = (Double(photo.width), Double(photo.height))
        if preprocessing.fitting == .shortestSideCrop { (width, height) = (min(width, height), min(width, height)) }
        let (left, top) = ((Double(photo.width) - width) / 2, (Double(photo.height) - height) / 2)
        let box = part(width: width, height: height, using: &generator)
        var view =
            box.width == width && box.height == height
            ? preprocessing.fit(photo)
            : photo.resizedCrop(
                x: left + box.x, y: top + box.y, width: box.width, height: box.height, outWidth: preprocessing.side,
                outHeight: preprocessing.side, filter: preprocessing.filter)
        if Double.random(in: 0..<1, using: &generator) < flip { view = view.flippedHorizontally() }
        let changes = Double.random(in: 0..<1, using: &generator) < color
        let map = colorMap(using: &generator)
        return changes ? try view.applying(map) : view
    }

    /// A box of a random share of the area and a random aspect; the whole photo where none fits in ten tries. Aspect 1 keeps the photo's
    /// own shape, so that a whole photo is squashed as its model squashes it.
    private func part(
        width: Double, height: Double, using generator: inout SeededGenerator
    ) -> (x: Double, y: Double, width: Double, height: Double) {
        for _ in 0..<10 {
            let share = Double.random(in: area, using: &generator).squareRoot()
            let stretch = exp(Double.random(in: log(aspect.lowerBound)...log(aspect.upperBound), using: &generator)).squareRoot()
            let (w, h) = (width * share * stretch, height * share / stretch)
            guard w <= width, h <= height, w >= 1, h >= 1 else { continue }
            let x = Double.random(in: 0...1, using: &generator) * (width - w)
            let y = Double.random(in: 0...1, using: &generator) * (height - h)
            return (x, y, w, h)
        }
        return (0, 0, width, height)
    }

    private func colorMap(using generator: inout SeededGenerator) -> ColorMap {
        func factor(_ spread: Double) -> Double { 1 + Double.random(in: -1...1, using: &generator) * spread }
        let angle = Double.random(in: -1...1, using: &generator) * hue * 2 * .pi
        let isGray = Double.random(in: 0..<1, using: &generator) < gray
        let chroma = isGray ? 0 : factor(saturation)
        let (gain, light) = (factor(contrast), factor(brightness))
        return ColorMap(hue: angle, saturation: chroma, contrast: gain, brightness: light)
    }
}

/// An affine map of R, G, B on the scale 0…255.
struct ColorMap: Equatable {
    /// Row by row: three factors and an offset.
    let rows: [SIMD4<Float>]

    init(hue: Double, saturation: Double, contrast: Double, brightness: Double) {
        let luma = [0.299, 0.587, 0.114]
        // Rodrigues' rotation about the grey axis (1,1,1)/√3; then towards or away from the luma; then contrast around 127.5.
        let (c, s) = (cos(hue), sin(hue) / 3.0.squareRoot())
        let same = c + (1 - c) / 3, next = (1 - c) / 3 - s, last = (1 - c) / 3 + s
        let turn = [[same, next, last], [last, same, next], [next, last, same]]
        let scale = contrast * brightness
        rows = (0..<3).map { row in
            let mixed = (0..<3).map { column in
                (0..<3).reduce(0.0) { sum, k in
                    sum + (saturation * (row == k ? 1 : 0) + (1 - saturation) * luma[k]) * turn[k][column]
                }
            }
            let offset = 127.5 * (1 - contrast) * brightness
            return SIMD4(Float(mixed[0] * scale), Float(mixed[1] * scale), Float(mixed[2] * scale), Float(offset))
        }
    }
}

extension RGBImage {
    func applying(_ map: ColorMap) throws(ImageError) -> RGBImage {
        var result = pixels
        let (red, green, blue) = (map.rows[0], map.rows[1], map.rows[2])
        result.withUnsafeMutableBufferPointer { bytes in
            var index = 0
            while index + 2 < bytes.count {
                let color = SIMD4<Float>(Float(bytes[index]), Float(bytes[index + 1]), Float(bytes[index + 2]), 1)
                let mapped = SIMD4<Float>((red * color).sum(), (green * color).sum(), (blue * color).sum(), 0)
                let limited = mapped.clamped(lowerBound: .init(repeating: 0), upperBound: .init(repeating: 255)).rounded(
                    .toNearestOrEven)
                bytes[index] = UInt8(limited.x)
                bytes[index + 1] = UInt8(limited.y)
                bytes[index + 2] = UInt8(limited.z)
                index += 3
            }
        }
        return try RGBImage(width: width, height: height, pixels: result)
    }
}
