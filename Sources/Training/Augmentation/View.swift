import CLIP
import Foundation
import Imaging

extension Recipe.Augmentation {
    /// One view of a photo: a random part of it, perhaps turned, on another ground, mirrored, in other colours, blurred or with a hole, as the
    /// square a model takes. What the recipe leaves off draws no number, so that older recipes see what they saw.
    ///
    /// Colours change by one affine map of R, G, B: hue and saturation turn and stretch the plane across the grey axis, contrast stretches
    /// around mid-grey, brightness multiplies all. Luma weights are those of Rec. 601.
    ///
    /// A view of everything is what `preprocessing` makes of the photo. A model that crops never sees what lies beside the centre, so a part
    /// is then one of the square in the middle.
    /// - Parameters:
    ///   - ground: the photo's ground where it is plain; asked for only by recipes that replace it.
    ///   - other: another photo to take a ground from, drawn by the numbers it is given; nil where there is none.
    func view(
        of photo: RGBImage, for preprocessing: Preprocessing, ground: @autoclosure () -> PlainGround? = nil,
        other: (inout SeededGenerator) -> RGBImage? = { _ in nil }, using generator: inout SeededGenerator
    ) throws(ImageError) -> RGBImage {
        let canvas = self.canvas(of: photo, using: &generator)
        var (width, height) = (canvas.width, canvas.height)
        if preprocessing.fitting == .shortestSideCrop { (width, height) = (min(width, height), min(width, height)) }
        let box = part(width: width, height: height, using: &generator)
        let window = Window(
            x: canvas.x + (canvas.width - width) / 2 + box.x, y: canvas.y + (canvas.height - height) / 2 + box.y,
            width: box.width, height: box.height, side: preprocessing.side,
            angle: rotate > 0 ? Double.random(in: -rotate...rotate, using: &generator) * .pi / 180 : 0)
        let isEverything = box.width == width && box.height == height && window.angle == 0 && canvas == Window.Canvas(of: photo)
        var view = isEverything ? preprocessing.fit(photo) : try window.cut(photo, canvas: canvas, filter: preprocessing.filter)
        if happens(background, &generator) {
            let backdrop = try Backdrop.random(side: preprocessing.side, other: other, using: &generator)
            if let ground = ground() { view = try ground.replaced(in: view, of: photo, through: window, by: backdrop) }
        }
        if Double.random(in: 0..<1, using: &generator) < flip { view = view.flippedHorizontally() }
        let changes = Double.random(in: 0..<1, using: &generator) < color
        let map = colorMap(using: &generator)
        if changes { view = try view.applying(map) }
        if happens(blur, &generator) { view = try view.softened(passes: Int.random(in: 1...3, using: &generator)) }
        if happens(erase, &generator) { view = try view.erasingBox(using: &generator) }
        return view
    }

    /// Draws only where the effect is on.
    private func happens(_ share: Double, _ generator: inout SeededGenerator) -> Bool {
        share > 0 && Double.random(in: 0..<1, using: &generator) < share
    }

    /// What the photo lies on: itself, or a larger ground. Half of the time that is the square around it, half of the time a margin of up to a
    /// quarter of its sides, with the photo anywhere within.
    private func canvas(of photo: RGBImage, using generator: inout SeededGenerator) -> Window.Canvas {
        let (width, height) = (Double(photo.width), Double(photo.height))
        guard happens(pad, &generator) else { return Window.Canvas(of: photo) }
        if Bool.random(using: &generator) {
            let side = max(width, height)
            return Window.Canvas(x: (width - side) / 2, y: (height - side) / 2, width: side, height: side)
        }
        let (across, down) = (
            width * Double.random(in: 0...0.5, using: &generator), height * Double.random(in: 0...0.5, using: &generator)
        )
        return Window.Canvas(
            x: -across * Double.random(in: 0...1, using: &generator), y: -down * Double.random(in: 0...1, using: &generator),
            width: width + across, height: height + down)
    }

    /// A box of a random share of the area and a random aspect; the whole where none fits in ten tries. Aspect 1 keeps the photo's own shape,
    /// so that a whole photo is squashed as its model squashes it.
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
