import CLIP
import Foundation
import Imaging
import Testing

@testable import Training

@Suite("Augmentation")
struct AugmentationTests {
    private static let none = Recipe.Augmentation(
        area: 1...1, aspect: 1...1, flip: 0, brightness: 0, contrast: 0, saturation: 0, hue: 0, gray: 0, color: 1)

    /// Colours that differ everywhere.
    private static func photo(width: Int = 30, height: Int = 21) throws -> RGBImage {
        var pixels: [UInt8] = []
        for y in 0..<height {
            for x in 0..<width {
                let color = [x * 37 + y * 11, x * 5 + y * 53, x * y * 3 + 40]
                pixels += color.map { UInt8($0 % 256) }
            }
        }
        return try RGBImage(width: width, height: height, pixels: pixels)
    }

    private func view(
        _ augmentation: Recipe.Augmentation, of photo: RGBImage,
        _ preprocessing: Preprocessing = .init(side: 16, fitting: .squash),
        place: Int = 0
    ) throws -> RGBImage {
        var generator = SeededGenerator(seed: 5, place)
        return try augmentation.view(of: photo, for: preprocessing, using: &generator)
    }

    @Test("a recipe that changes nothing gives what the model's preprocessing gives", arguments: Preprocessing.Fitting.allCases)
    func identity(_ fitting: Preprocessing.Fitting) throws {
        for (width, height) in [(30, 21), (16, 40), (16, 16), (9, 12)] {
            let photo = try Self.photo(width: width, height: height)
            let preprocessing = Preprocessing(side: 16, fitting: fitting)
            let expected = preprocessing.fit(photo)
            for place in 0..<3 { #expect(try view(Self.none, of: photo, preprocessing, place: place).pixels == expected.pixels) }
        }
    }

    @Test("for a model that crops, a view lies within the square in the middle")
    func centre() throws {
        // Left and right of the middle square everything is white.
        var photo = [UInt8](repeating: 255, count: 60 * 20 * 3)
        for y in 0..<20 { for x in 20..<40 { for c in 0..<3 { photo[3 * (60 * y + x) + c] = 0 } } }
        let image = try RGBImage(width: 60, height: 20, pixels: photo)
        var crops = Self.none
        crops.area = 0.1...0.3
        for place in 0..<30 {
            let square = try view(crops, of: image, .init(side: 8, fitting: .shortestSideCrop), place: place)
            // The filter may reach two pixels across the square's edge, which is less than one of the eight columns' middle ones.
            for y in 0..<8 { for x in 2..<6 { #expect(square.pixels[3 * (8 * y + x)] < 60) } }
        }
        let squashed = try (0..<30).map { try view(crops, of: image, .init(side: 8, fitting: .squash), place: $0) }
        #expect(squashed.contains { $0.pixels.contains(255) })
    }

    @Test("the same place gives the same view, another place another")
    func determinism() throws {
        let photo = try Self.photo()
        let all = Recipe.Augmentation(
            area: 0.35...1, aspect: 0.75...1.33, flip: 0.5, brightness: 0.3, contrast: 0.3, saturation: 0.4, hue: 0.15, gray: 0.1,
            color: 0.8)
        let views = try (0..<20).map { try view(all, of: photo, place: $0).pixels }
        #expect(try (0..<20).map { try view(all, of: photo, place: $0).pixels } == views)
        #expect(Set(views).count == 20)
        #expect(views.allSatisfy { $0.count == 16 * 16 * 3 })
    }

    @Test("a flip is the mirror image of the view without it, and half of the views are flipped at one half")
    func flips() throws {
        let photo = try Self.photo()
        var (always, half) = (Self.none, Self.none)
        always.flip = 1
        half.flip = 0.5
        let plain = photo.squashed(16, filter: .bicubic)
        let mirrored = plain.flippedHorizontally()
        #expect(try view(always, of: photo).pixels == mirrored.pixels)
        let flipped = try (0..<200).count { try view(half, of: photo, place: $0).pixels == mirrored.pixels }
        #expect((70...130).contains(flipped))
    }

    @Test("a part keeps to its share of the area")
    func area() throws {
        // Of a picture whose red rises from left to right and green from top to bottom, the spread of a view tells the size of its part.
        var pixels: [UInt8] = []
        for y in 0..<200 { for x in 0..<200 { pixels += [UInt8(x), UInt8(y), 0] } }
        let photo = try RGBImage(width: 200, height: 200, pixels: pixels)
        var quarter = Self.none
        quarter.area = 0.25...0.25
        var lefts: Set<UInt8> = []
        for place in 0..<20 {
            let view = try view(quarter, of: photo, .init(side: 50, fitting: .squash), place: place)
            let (first, last) = (3 * 0, 3 * (50 * 50 - 1))
            #expect(abs(Int(view.pixels[last]) - Int(view.pixels[first]) - 98) <= 2)
            #expect(abs(Int(view.pixels[last + 1]) - Int(view.pixels[first + 1]) - 98) <= 2)
            lefts.insert(view.pixels[first])
        }
        #expect(lefts.count > 10)
    }
}

@Suite("ColorMap")
struct ColorMapTests {
    private func mapped(_ color: [UInt8], _ map: ColorMap) throws -> [UInt8] {
        try RGBImage(width: 1, height: 1, pixels: color).applying(map).pixels
    }

    private let colors: [[UInt8]] = [
        [0, 0, 0], [255, 255, 255], [200, 10, 90], [1, 254, 127], [128, 128, 128], [255, 0, 0],
    ]

    @Test("the identity changes no colour")
    func identity() throws {
        let map = ColorMap(hue: 0, saturation: 1, contrast: 1, brightness: 1)
        for color in colors { #expect(try mapped(color, map) == color) }
    }

    @Test("a third of a turn carries red to green, green to blue and blue to red, and back")
    func hue() throws {
        let turn = ColorMap(hue: 2 * .pi / 3, saturation: 1, contrast: 1, brightness: 1)
        #expect(try mapped([200, 0, 0], turn) == [0, 200, 0])
        #expect(try mapped([0, 200, 0], turn) == [0, 0, 200])
        #expect(try mapped([200, 30, 90], turn) == [90, 200, 30])
        let back = ColorMap(hue: -2 * .pi / 3, saturation: 1, contrast: 1, brightness: 1)
        #expect(try mapped([90, 200, 30], back) == [200, 30, 90])
    }

    @Test("any turn keeps greys and the sum of R, G and B")
    func turns() throws {
        for angle in stride(from: -3.0, through: 3.0, by: 0.37) {
            let map = ColorMap(hue: angle, saturation: 1, contrast: 1, brightness: 1)
            #expect(try mapped([77, 77, 77], map) == [77, 77, 77])
            let sum = try mapped([140, 110, 120], map).reduce(0) { $0 + Int($1) }
            #expect(abs(sum - 370) <= 1)
        }
    }

    @Test("without saturation a colour becomes the grey of its luma")
    func gray() throws {
        let map = ColorMap(hue: 0, saturation: 0, contrast: 1, brightness: 1)
        #expect(try mapped([255, 0, 0], map) == [76, 76, 76])  // 0.299 · 255 = 76.2
        #expect(try mapped([0, 255, 0], map) == [150, 150, 150])  // 0.587 · 255 = 149.7
        #expect(try mapped([0, 0, 255], map) == [29, 29, 29])  // 0.114 · 255 = 29.1
    }

    @Test("saturation keeps luma, contrast keeps the middle, brightness multiplies, and all end at 0 and 255")
    func others() throws {
        let vivid = try mapped([140, 110, 120], ColorMap(hue: 0, saturation: 1.5, contrast: 1, brightness: 1)).map(Double.init)
        #expect(abs(0.299 * vivid[0] + 0.587 * vivid[1] + 0.114 * vivid[2] - 120.11) < 0.6)
        #expect(vivid[0] - vivid[1] == 45)
        let strong = ColorMap(hue: 0, saturation: 1, contrast: 2, brightness: 1)
        #expect(try mapped([100, 127, 150], strong) == [72, 126, 172])  // 127.5 + 2 · (x − 127.5), halves to even
        #expect(try mapped([10, 250, 128], strong) == [0, 255, 128])
        #expect(try mapped([100, 200, 30], ColorMap(hue: 0, saturation: 1, contrast: 1, brightness: 0.5)) == [50, 100, 15])
        #expect(try mapped([100, 200, 30], ColorMap(hue: 0, saturation: 1, contrast: 1, brightness: 2)) == [200, 255, 60])
    }
}
