import Testing

@testable import Imaging

@Suite("Parts of a picture that may be garments")
struct GarmentRegionTests {
    private typealias Patch = (x: Range<Int>, y: Range<Int>, rgb: [UInt8])

    private static let white: [UInt8] = [245, 245, 245]

    /// - Parameter ground: the colour of what no patch covers.
    private func picture(
        _ width: Int, _ height: Int, _ patches: [Patch], ground: (Int, Int) -> [UInt8] = { _, _ in white }
    ) throws -> RGBImage {
        try RGBImage(
            width: width, height: height,
            pixels: (0..<height).flatMap { y in
                (0..<width).flatMap { x in
                    patches.last { $0.x.contains(x) && $0.y.contains(y) }?.rgb ?? ground(x, y)
                }
            })
    }

    private func overlap(_ region: PictureRegion, _ patch: Patch, _ width: Int, _ height: Int) -> Double {
        let (left, right) = (Double(patch.x.lowerBound) / Double(width), Double(patch.x.upperBound) / Double(width))
        let (top, bottom) = (Double(patch.y.lowerBound) / Double(height), Double(patch.y.upperBound) / Double(height))
        let shared =
            max(0, min(right, region.x + region.width) - max(left, region.x))
            * max(0, min(bottom, region.y + region.height) - max(top, region.y))
        return shared / (region.width * region.height + (right - left) * (bottom - top) - shared)
    }

    @Test("what lies apart on a plain or softly lit ground is one part each")
    func apart() throws {
        let patches: [Patch] = [
            (20..<100, 30..<130, [180, 30, 40]), (140..<210, 40..<120, [30, 60, 160]), (60..<170, 160..<190, [40, 40, 40]),
        ]
        for ground in [
            { (_: Int, _: Int) -> [UInt8] in Self.white }, { _, y in [UInt8](repeating: UInt8(235 - y / 8), count: 3) },
        ] {
            let found = try picture(240, 200, patches, ground: ground).garmentRegions()
            #expect(found.count == 3)
            for patch in patches { #expect(found.contains { overlap($0.region, patch, 240, 200) > 0.75 }, "\(patch) \(found)") }
            #expect(found.allSatisfy { (0...1).contains($0.salience) })
        }
    }

    @Test("a tall piece is also cut where its colour changes; one of one colour is not")
    func standing() throws {
        let (above, below): (Patch, Patch) = ((60..<110, 20..<95, [200, 40, 40]), (64..<106, 95..<190, [30, 30, 90]))
        let found = try picture(170, 210, [above, below]).garmentRegions()
        #expect(found.count == 3)
        for patch in [(60..<110, 20..<190, []), above, below] as [Patch] {
            #expect(found.contains { overlap($0.region, patch, 170, 210) > 0.75 }, "\(patch) \(found)")
        }
        #expect(try picture(170, 210, [(60..<110, 20..<190, [30, 30, 90])]).garmentRegions().count == 1)
    }

    @Test("where nothing stands out there is nothing, and specks are nothing")
    func none() throws {
        #expect(try picture(80, 60, []).garmentRegions().isEmpty)
        #expect(try picture(200, 200, [(50..<58, 50..<58, [0, 0, 0])]).garmentRegions().isEmpty)
        #expect(try RGBImage(width: 1, height: 1, pixels: [3, 4, 5]).garmentRegions().isEmpty)
        #expect(try picture(300, 2, []).garmentRegions().isEmpty)
    }

    @Test("however busy a picture is, its parts lie in it and are as many as asked for at most")
    func busy() throws {
        var state: UInt64 = 7
        let pixels = (0..<150 * 120 * 3).map { _ -> UInt8 in
            state ^= state << 13
            state ^= state >> 7
            state ^= state << 17
            return UInt8(truncatingIfNeeded: state)
        }
        for limit in [1, 3, 8] {
            let found = try RGBImage(width: 150, height: 120, pixels: pixels).garmentRegions(limit: limit)
            #expect(found.count <= limit)
            #expect(found.allSatisfy { $0.region.x + $0.region.width <= 1 + 1e-9 && $0.region.y + $0.region.height <= 1 + 1e-9 })
        }
    }
}
