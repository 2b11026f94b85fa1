import Imaging
import Testing

@Suite("Dominant colours")
struct DominantColorTests {
    /// A rectangle of one colour on a ground of another.
    private func picture(_ color: (UInt8, UInt8, UInt8), on ground: (UInt8, UInt8, UInt8), share: Double = 0.3) throws -> RGBImage
    {
        let side = 120
        let inner = Int(Double(side) * share.squareRoot())
        let first = (side - inner) / 2
        var pixels: [UInt8] = []
        for y in 0..<side {
            for x in 0..<side {
                let isInner = (first..<first + inner).contains(x) && (first..<first + inner).contains(y)
                let (r, g, b) = isInner ? color : ground
                pixels += [r, g, b]
            }
        }
        return try RGBImage(width: side, height: side, pixels: pixels)
    }

    @Test("white and mid grey are where CIE says, and a colour survives the way there and back")
    func lab() {
        let white = LabColor(red: 255, green: 255, blue: 255)
        #expect(abs(white.l - 100) < 0.01 && abs(white.a) < 0.02 && abs(white.b) < 0.02)
        // Lindbloom's calculator for sRGB red.
        let red = LabColor(red: 255, green: 0, blue: 0)
        #expect(abs(red.l - 53.2408) < 0.01 && abs(red.a - 80.0925) < 0.01 && abs(red.b - 67.2032) < 0.01)
        for sample in stride(from: 0, through: 255, by: 15) {
            let color = LabColor(red: UInt8(sample), green: UInt8(255 - sample), blue: 77)
            #expect(color.rgb == (UInt8(sample), UInt8(255 - sample), 77))
        }
        #expect(LabColor(red: 31, green: 42, blue: 68).hex == "#1f2a44")
    }

    @Test("the ground of a picture is no colour of the garment, also where the garment is small")
    func ground() throws {
        for ground in [(255, 255, 255), (20, 20, 20), (220, 200, 170)] as [(UInt8, UInt8, UInt8)] {
            let found = try picture((200, 32, 47), on: ground, share: 0.1).dominantColors()
            #expect(found.map(\.name) == ["red"], "\(ground)")
            #expect(found.first?.share == 1)
        }
    }

    @Test("a picture of one colour has that colour, though all of it looks like its border")
    func flat() throws {
        #expect(try picture((27, 37, 68), on: (27, 37, 68)).dominantColors().map(\.name) == ["navy"])
        #expect(try RGBImage(width: 1, height: 1, pixels: [255, 255, 255]).dominantColors().map(\.name) == ["white"])
    }

    @Test("two colours share a picture by their areas")
    func two() throws {
        var pixels: [UInt8] = []
        // A frame of white, in it a third of mustard and two thirds of teal.
        for y in 0..<90 {
            for x in 0..<90 {
                if x < 15 || x >= 75 || y < 15 || y >= 75 {
                    pixels += [255, 255, 255]
                } else if x < 35 {
                    pixels += [207, 154, 38]
                } else {
                    pixels += [31, 111, 114]
                }
            }
        }
        let found = try RGBImage(width: 90, height: 90, pixels: pixels).dominantColors()
        #expect(found.map(\.name) == ["teal", "mustard"])
        #expect(abs((found.first?.share ?? 0) - 2.0 / 3) < 0.06)
    }

    @Test("every colour goes by its own name")
    func names() {
        for color in FashionColor.all {
            #expect(!color.name.isEmpty)
        }
        for (name, red, green, blue) in [
            ("burgundy", 110, 26, 45), ("navy", 27, 37, 68), ("olive", 107, 106, 51), ("lilac", 183, 154, 209),
            ("beige", 217, 199, 168),
            ("black", 12, 12, 12), ("pink", 242, 169, 189), ("rust", 168, 69, 42), ("grey", 140, 143, 147),
            ("mustard", 207, 154, 38),
        ] as [(String, UInt8, UInt8, UInt8)] {
            #expect(FashionColor.nearest(to: LabColor(red: red, green: green, blue: blue)).name == name)
        }
    }

    @Test("a region holds the pixels that it touches, and none outside of the picture is taken")
    func region() throws {
        let image = try RGBImage(width: 10, height: 4, pixels: (0..<120).map { UInt8($0) })
        let region = try #require(PictureRegion("0.25,0.5,0.5,0.5"))
        let cut = image.cropped(to: region)
        // From 2.5 to 7.5 and from 2 to 4.
        #expect(cut == image.cropped(x: 2, y: 2, width: 6, height: 2))
        #expect(image.cropped(to: .whole) == image)
        #expect(try image.cropped(to: #require(PictureRegion("0.999,0.999,0.0001,0.0001"))).pixels.count == 3)
        for wrong in [
            "", "1,2,3", "0,0,0,1", "-0.1,0,1,1", "0,0,1.1,1", "a,b,c,d", "nan,0,1,1", "0,0,1,inf", "0.5,0,0.6,1", "0,0,1,1,",
        ] {
            #expect(PictureRegion(wrong) == nil, "\(wrong)")
        }
        #expect(PictureRegion(" 0, 0, 1, 1 ") == .whole)
    }
}
