import Imaging
import Testing

@Suite("Equality with Pillow, byte by byte")
struct PillowGoldenTests {
    @Test("every kind of JPEG, PNG and WebP decodes to Pillow's upright RGB")
    func decoding() throws {
        let pictures = try Fixtures.goldens().pictures
        #expect(pictures.count >= 120)
        for (name, golden) in pictures.sorted(by: { $0.key < $1.key }) {
            let bytes = try Fixtures.picture(name)
            do {
                let header = try ImageDecoder.header(of: bytes)
                #expect([header.width, header.height] == golden.stored, "\(name)")
                #expect(header.orientation == golden.orientation, "\(name)")
                #expect([header.uprightWidth, header.uprightHeight] == golden.size, "\(name)")
                let onWhite = try ImageDecoder.decode(bytes)
                #expect(onWhite.size == golden.size, "\(name)")
                #expect(onWhite.sha256 == golden.onWhite, "\(name) on white")
                #expect(try ImageDecoder.decode(bytes, alpha: .dropped).sha256 == golden.dropped, "\(name) with alpha dropped")
                #expect(header.hasAlpha || golden.onWhite == golden.dropped, "\(name) has alpha that its header does not tell")
            } catch {
                Issue.record("\(name): \(error)")
            }
        }
    }

    @Test("resizing, whole or from a box, equals Pillow's resize with every filter")
    func resizing() throws {
        let cases = try Fixtures.goldens().resizings
        #expect(cases.count >= 300)
        for golden in cases {
            let image = try ImageDecoder.decode(Fixtures.picture(golden.file))
            let filter = try #require(ResamplingFilter(rawValue: golden.filter))
            let resized =
                if let box = golden.box {
                    image.resizedCrop(
                        x: box[0], y: box[1], width: box[2] - box[0], height: box[3] - box[1], outWidth: golden.size[0],
                        outHeight: golden.size[1], filter: filter)
                } else {
                    image.resized(width: golden.size[0], height: golden.size[1], filter: filter)
                }
            #expect(resized.size == golden.size)
            #expect(resized.sha256 == golden.sha256, "\(golden.file) \(golden.filter) to \(golden.size) from \(golden.box ?? [])")
        }
    }

    @Test("shortest side and centre crop equal torchvision's, and transformers' where the rules differ")
    func croppingInTheCentre() throws {
        let cases = try Fixtures.goldens().crops
        var differing = 0
        for golden in cases {
            let image = try ImageDecoder.decode(Fixtures.picture(golden.file))
            let filter = try #require(ResamplingFilter(rawValue: golden.filter))
            let name: Comment = "\(golden.file) \(golden.filter) \(golden.side) \(golden.crop)"
            let resized = image.resizedShortestSide(golden.side, filter: filter)
            #expect(resized.size == golden.resized, name)
            #expect(resized.sha256 == golden.resizedSha256, name)
            #expect(resized.centerCropped(width: golden.crop, height: golden.crop).sha256 == golden.torchvision, name)
            let fused = image.shortestSideCenterCrop(golden.side, crop: golden.crop, filter: filter)
            #expect(fused.sha256 == golden.torchvision, name)
            if let expected = golden.transformers {
                let fused = image.shortestSideCenterCrop(golden.side, crop: golden.crop, filter: filter, rule: .transformers)
                #expect(fused.sha256 == expected, name)
                if expected != golden.torchvision { differing += 1 }
            }
        }
        #expect(differing > 0, "no case tells the two rules apart")
    }

    @Test("with a minimum side a JPEG is decoded as small as Pillow's draft")
    func drafts() throws {
        let cases = try Fixtures.goldens().drafts
        #expect(cases.count >= 40)
        for golden in cases {
            let draft = try ImageDecoder.decode(Fixtures.picture(golden.file), minimumSide: golden.minimumSide)
            #expect(draft.size == golden.size, "\(golden.file) \(golden.minimumSide)")
            #expect(draft.sha256 == golden.sha256, "\(golden.file) \(golden.minimumSide)")
        }
    }

    @Test("squashing is resizing to a square")
    func squashing() throws {
        let image = try ImageDecoder.decode(Fixtures.picture("scene-97x61.png"))
        let golden = try Fixtures.goldens().resizings.first { $0.box == nil && $0.size == [64, 64] && $0.filter == "bicubic" }
        #expect(image.squashed(64, filter: .bicubic).sha256 == golden?.sha256)
    }
}
