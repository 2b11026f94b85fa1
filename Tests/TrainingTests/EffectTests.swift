import CLIP
import Foundation
import Imaging
import Testing

@testable import Training

@Suite("Effects on views")
struct EffectTests {
    private static let none = Recipe.Augmentation(
        area: 1...1, aspect: 1...1, flip: 0, brightness: 0, contrast: 0, saturation: 0, hue: 0, gray: 0, color: 0)

    private static func picture(_ width: Int, _ height: Int, _ color: (Int, Int) -> [Int]) throws -> RGBImage {
        var pixels: [UInt8] = []
        for y in 0..<height { for x in 0..<width { pixels += color(x, y).map { UInt8(min(max($0, 0), 255)) } } }
        return try RGBImage(width: width, height: height, pixels: pixels)
    }

    private func view(
        _ augmentation: Recipe.Augmentation, of photo: RGBImage,
        _ preprocessing: Preprocessing = .init(side: 64, fitting: .squash),
        other: RGBImage? = nil, place: Int = 0
    ) throws -> RGBImage {
        var generator = SeededGenerator(seed: 8, place)
        return try augmentation.view(
            of: photo, for: preprocessing, ground: PlainGround(of: photo), other: { _ in other }, using: &generator)
    }

    private func pixel(_ view: RGBImage, _ x: Int, _ y: Int) -> [Int] {
        (0..<3).map { Int(view.pixels[3 * (y * view.width + x) + $0]) }
    }

    // MARK: Turning

    @Test("a turn moves each pixel by its angle about the centre")
    func angle() throws {
        // Red rises to the right, green downwards: a view's colours say where they come from.
        let photo = try Self.picture(200, 200) { x, y in [x, y, 40] }
        for degrees in [-30.0, -7, 12, 45] {
            let window = Window(x: 50, y: 50, width: 100, height: 100, side: 50, angle: degrees * .pi / 180)
            let view = try window.cut(photo, canvas: .init(of: photo), filter: .bilinear)
            #expect(view.width == 50 && view.height == 50)
            for (x, y) in [(0, 0), (49, 0), (0, 49), (25, 10), (40, 33)] {
                let (u, v) = ((Double(x) + 0.5 - 25) * 2, (Double(y) + 0.5 - 25) * 2)
                let (c, s) = (cos(degrees * .pi / 180), sin(degrees * .pi / 180))
                // A pixel's colour is its number, half a pixel below its centre.
                let expected = [100 + c * u - s * v - 0.5, 100 + s * u + c * v - 0.5]
                let found = pixel(view, x, y)
                #expect(
                    abs(Double(found[0]) - expected[0]) < 1.6 && abs(Double(found[1]) - expected[1]) < 1.6, "\(degrees) \(x) \(y)"
                )
                #expect(found[2] == 40)
            }
        }
    }

    @Test("turns lie within the recipe's range on both sides, and beyond an edge the edge goes on")
    func rotate() throws {
        let photo = try Self.picture(128, 128) { x, _ in [2 * x, 2 * x, 100] }
        var turned = Self.none
        turned.rotate = 20
        var slopes: [Double] = []
        for place in 0..<40 {
            let view = try view(turned, of: photo, place: place)
            // Along a middle column the colour changes by -sin of the angle, a pixel of the view being two of the photo.
            slopes.append(Double(pixel(view, 32, 44)[0] - pixel(view, 32, 20)[0]) / (24 * 4))
            #expect(view.pixels.indices.filter { $0 % 3 == 2 }.allSatisfy { view.pixels[$0] == 100 })
        }
        #expect(slopes.allSatisfy { abs($0) < sin(21 * .pi / 180) })
        #expect(slopes.contains { $0 > 0.1 } && slopes.contains { $0 < -0.1 } && Set(slopes).count > 20)
    }

    // MARK: Padding

    @Test("a padded photo lies whole on a ground of its border's colour, in a square or within a margin")
    func pad() throws {
        // A dark photo, twice as wide as high, with a border of one colour.
        let photo = try Self.picture(80, 40) { x, y in x < 4 || y < 4 || x > 75 || y > 35 ? [200, 120, 60] : [10, 10, 10] }
        #expect(photo.borderColor == SIMD3(200, 120, 60))
        var padded = Self.none
        padded.pad = 1
        var squares = 0
        var shares: [Double] = []
        for place in 0..<60 {
            let view = try view(padded, of: photo, place: place)
            let dark = (0..<64 * 64).filter { view.pixels[3 * $0] < 60 }
            let (xs, ys) = (dark.map { $0 % 64 }, dark.map { $0 / 64 })
            let (width, height) = (xs.max()! - xs.min()! + 1, ys.max()! - ys.min()! + 1)
            let share = Double(dark.count) / (64 * 64)
            shares.append(share)
            // In the square the dark part keeps its shape 72 : 32 and stands in the middle.
            if abs(Double(width) / Double(height) - 72.0 / 32) < 0.2 {
                squares += 1
                #expect(abs(xs.min()! + xs.max()! - 63) <= 1 && abs(ys.min()! + ys.max()! - 63) <= 1)
            }
            #expect(abs(Double(dark.count - width * height)) < 0.1 * Double(width * height), "whole and upright")
            #expect(pixel(view, 0, 0).elementsEqual([200, 120, 60]) { abs($0 - $1) <= 12 })
        }
        #expect((15...45).contains(squares))
        // Of the whole photo 72·32/(80·40) = 0.72 are dark; a margin takes at most a half of each side more.
        #expect(shares.allSatisfy { (0.72 / 2.25 - 0.05...0.75).contains($0) } && Set(shares).count > 20)
    }

    // MARK: Ground

    /// A textured disc of 60 pixels on a light ground with a little noise.
    private static func studio(_ width: Int = 160, _ height: Int = 200) throws -> RGBImage {
        try picture(width, height) { x, y in
            let (dx, dy) = (x - width / 2, y - height / 2)
            if dx * dx + dy * dy < 60 * 60 { return [30 + (x * 7 + y * 3) % 60, 90, 140 - (x * y) % 50] }
            return [238 + (x * 13 + y * 7) % 5, 236 + (x + y) % 4, 230 + (x * y) % 3]
        }
    }

    @Test("a plain ground is found with its colour, and no other")
    func ground() throws {
        let ground = try #require(PlainGround(of: Self.studio()))
        let expected: [Int] = [240, 237, 231]
        #expect([ground.color.x, ground.color.y, ground.color.z].map(Int.init).elementsEqual(expected) { abs($0 - $1) <= 3 })
        // The disc's share of the picture, less a rim of a pixel.
        let inside = Double(ground.mask.count { $0 == 0 }) / Double(ground.mask.count)
        #expect(abs(inside - .pi * 58 * 58 / (160 * 200)) < 0.03)
        // Busy everywhere; plain only below; all of one colour.
        #expect(try PlainGround(of: Self.picture(100, 100) { x, y in [x * 37 % 256, y * 53 % 256, x * y % 256] }) == nil)
        #expect(try PlainGround(of: Self.picture(100, 100) { x, y in y < 70 ? [x * 37 % 256, 0, y] : [200, 200, 200] }) == nil)
        #expect(try PlainGround(of: Self.picture(100, 100) { _, _ in [255, 255, 255] }) == nil)
        #expect(try PlainGround(of: Self.picture(6, 6) { _, _ in [255, 255, 255] }) == nil)
    }

    @Test("a light spot inside of the garment is no ground, since the ground comes from the edge")
    func spot() throws {
        let photo = try Self.studio()
        var pixels = photo.pixels
        for y in 90..<110 { for x in 70..<90 { for c in 0..<3 { pixels[3 * (160 * y + x) + c] = 238 } } }
        let spotted = try RGBImage(width: 160, height: 200, pixels: pixels)
        var changed = Self.none
        changed.background = 1
        let view = try view(changed, of: spotted, .init(side: 160, fitting: .squash), place: 1)
        #expect(pixel(view, 80, 80) == [238, 238, 238])
        #expect(pixel(view, 3, 3) != pixel(spotted, 3, 3))
    }

    @Test("the ground becomes another and the garment stays as it is, wherever the view lies")
    func replaced() throws {
        let photo = try Self.studio()
        var changed = Self.none
        changed.background = 1
        // The ground's draws come behind the window's: with and without them a place shows the same part.
        (changed.area, changed.rotate, changed.pad) = (0.4...1, 15, 0.5)
        var plain = changed
        plain.background = 0
        var corners: Set<[Int]> = []
        var (garment, other) = (0, 0)
        for place in 0..<20 {
            let (before, after) = (try view(plain, of: photo, place: place), try view(changed, of: photo, place: place))
            for index in 0..<64 * 64 {
                let color = pixel(before, index % 64, index / 64)
                if color[0] < 150 {
                    garment += 1
                    #expect(pixel(after, index % 64, index / 64) == color)
                } else if color[0] > 234 {
                    other += pixel(after, index % 64, index / 64) == color ? 0 : 1
                }
            }
            corners.insert(pixel(after, 0, 0))
        }
        #expect(garment > 20 * 300 && other > 20 * 300)
        #expect(corners.count > 15)
    }

    @Test("a third of the grounds are parts of another photo; one without a plain ground stays as it is")
    func otherPhotos() throws {
        let photo = try Self.studio()
        let other = try Self.picture(50, 50) { x, y in (x / 2 + y / 2) % 2 == 0 ? [0, 0, 0] : [120, 0, 0] }
        var changed = Self.none
        changed.background = 1
        var strips = 0
        for place in 0..<60 {
            let view = try view(changed, of: photo, other: other, place: place)
            // Only the other photo has neither green nor blue, but for the noise of the ground that is kept.
            if (0..<64).allSatisfy({ pixel(view, $0, 1)[1] <= 8 && pixel(view, $0, 1)[2] <= 8 }) { strips += 1 }
        }
        #expect((10...32).contains(strips))
        let busy = try Self.picture(64, 64) { x, y in [x * 37 % 256, y * 53 % 256, x * y % 256] }
        #expect(try view(changed, of: busy).pixels == busy.pixels)
        changed.background = 0
        #expect(try view(changed, of: photo).pixels == photo.squashed(64, filter: .bicubic).pixels)
    }

    // MARK: Blur and erasing

    @Test("softening spreads a point by the binomial, keeps a plain picture and the sum, and reaches the edges")
    func softened() throws {
        let point = try Self.picture(9, 7) { x, y in x == 4 && y == 3 ? [160, 80, 16] : [0, 0, 0] }
        let soft = try point.softened(passes: 1)
        #expect(pixel(soft, 4, 3) == [40, 20, 4] && pixel(soft, 3, 3) == [20, 10, 2] && pixel(soft, 5, 4) == [10, 5, 1])
        #expect(pixel(soft, 6, 3) == [0, 0, 0])
        let plain = try Self.picture(5, 4) { _, _ in [7, 200, 31] }
        #expect(try plain.softened(passes: 3).pixels == plain.pixels)
        for (width, height) in [(1, 1), (1, 5), (2, 2), (3, 1)] {
            #expect(
                try Self.picture(width, height) { _, _ in [9, 90, 250] }.softened(passes: 2).pixels.prefix(3) == [9, 90, 250])
        }
        let half = try Self.picture(8, 2) { x, _ in x < 4 ? [0, 0, 0] : [100, 100, 100] }.softened(passes: 1)
        #expect((0..<8).map { pixel(half, $0, 0)[0] } == [0, 0, 0, 25, 75, 100, 100, 100])
        var blurred = Self.none
        blurred.blur = 0.5
        let photo = try Self.studio()
        let whole = photo.squashed(64, filter: .bicubic)
        let same = try (0..<100).count { try view(blurred, of: photo, place: $0).pixels == whole.pixels }
        #expect((30...70).contains(same))
    }

    @Test("erasing changes one box of 2 to 20 % of the area, by noise or by the mean, and nothing else")
    func erased() throws {
        let photo = try Self.picture(64, 64) { x, y in [x + 90, y + 90, 90] }
        var erased = Self.none
        erased.erase = 1
        var (flat, shares): (Int, [Double]) = (0, [])
        for place in 0..<60 {
            let view = try view(erased, of: photo, place: place)
            let changed = (0..<64 * 64).filter { pixel(view, $0 % 64, $0 / 64) != pixel(photo, $0 % 64, $0 / 64) }
            let (xs, ys) = (changed.map { $0 % 64 }, changed.map { $0 / 64 })
            let box = (xs.max()! - xs.min()! + 1) * (ys.max()! - ys.min()! + 1)
            // By chance a pixel may get the colour that it had.
            #expect(box - changed.count <= 3)
            shares.append(Double(box) / (64 * 64))
            let colors = Set(changed.map { pixel(view, $0 % 64, $0 / 64) })
            if colors == [[121, 121, 90]] { flat += 1 } else { #expect(colors.count > changed.count / 2) }
        }
        #expect(shares.allSatisfy { (0.015...0.215).contains($0) } && shares.max()! > 0.12 && shares.min()! < 0.08)
        #expect((18...42).contains(flat))
    }

    @Test("the same place gives the same view, and a teacher of another size sees what the student sees")
    func determinism() throws {
        let photo = try Self.studio()
        var all = Self.none
        (all.area, all.aspect, all.flip, all.color, all.hue) = (0.3...1, 0.7...1.4, 0.5, 1, 0.2)
        (all.rotate, all.pad, all.background, all.blur, all.erase) = (30, 0.5, 0.7, 0.3, 0.5)
        let views = try (0..<30).map { try view(all, of: photo, place: $0).pixels }
        #expect(try (0..<30).map { try view(all, of: photo, place: $0).pixels } == views)
        #expect(Set(views).count == 30)
        // The student's draws, at a teacher's size and by a teacher's rule: the same side of the photo is seen.
        for place in 0..<10 {
            let (small, large) = (
                try view(all, of: photo, .init(side: 48, fitting: .squash), place: place),
                try view(all, of: photo, .init(side: 96, fitting: .squash), place: place).resized(
                    width: 48, height: 48, filter: .bilinear)
            )
            let difference = zip(small.pixels, large.pixels).map { abs(Int($0) - Int($1)) }.reduce(0, +)
            // Noise in the erased box differs, and nothing else does much.
            #expect(Double(difference) / Double(small.pixels.count) < 22, "\(place)")
        }
    }
}
