import CImaging
import Foundation
import Synchronization
import Testing

@testable import Imaging

@Suite("What a decode may cost")
struct DecodingCostTests {
    @Test("a JPEG of more scans than any photo has is refused before it is decoded")
    func manyScans() throws {
        let error = try refusal(of: HandMade.progressive(width: 7_071, height: 7_071, scans: 500))
        #expect(error == .tooMuchWork(.jpeg, reason: "it has 500 scans, where a photo has about ten and 100 are read"))
        #expect(error.category == .tooLarge)
        expectOneSentence(error)
        #expect(try ImageDecoder.decode(HandMade.progressive(width: 64, height: 48, scans: 100)).size == [64, 48])
        #expect(try refusal(of: HandMade.progressive(width: 64, height: 48, scans: 101)).category == .tooLarge)
    }

    @Test("few scans of many pixels are bounded by the samples that they pass over")
    func work() throws {
        // 32 × 16 samples in 20 scans.
        let bytes = HandMade.progressive(width: 32, height: 16, scans: 20)
        #expect(try ImageDecoder.decode(bytes, limits: DecodingLimits(maxWork: 20 * 32 * 16)).size == [32, 16])
        #expect(
            try refusal(of: bytes, limits: DecodingLimits(maxWork: 20 * 32 * 16 - 1))
                == .tooMuchWork(.jpeg, reason: "its scans hold 10240 samples, where 10239 are read"))
        // 60 scans of 50 megapixels.
        #expect(try refusal(of: HandMade.progressive(width: 7_071, height: 7_071, scans: 60)).category == .tooLarge)
    }

    @Test("the largest photos of ordinary encoders are within the work that is allowed")
    func ordinaryPhotos() throws {
        for name in ["pillow-progressive-0.jpg", "pillow-progressive-1.jpg", "pillow-progressive-2.jpg"] {
            let cost = try ImageDecoder.header(of: Fixtures.picture(name)).cost
            #expect((2...20).contains(cost.scans), "\(name)")
            let perPixel = Double(cost.samples) / Double(48 * 40)
            #expect(perPixel * 100_000_000 < Double(DecodingLimits.standard.maxWork), "\(name): \(perPixel)")
        }
        #expect(try ImageDecoder.header(of: Fixtures.picture("pillow-1.jpg")).cost.scans == 1)
        // A second picture behind the first, and one in the metadata, are not its scans.
        #expect(try ImageDecoder.header(of: Fixtures.picture("two-pictures.mpo")).cost.scans == 1)
    }

    /// The decoder's own count, which does not trust the one that is made from outside.
    @Test("the shim counts scans and samples while it decodes, and asks whether to go on")
    func shim() {
        func decode(_ bytes: [UInt8], work: UInt64, stops: Bool = false) -> (CIStatus, String) {
            var pixels = [UInt8](repeating: 0, count: 64 * 48 * 3)
            var control = CIControl()
            control.work = work
            if stops { control.stops = { _ in 1 } }
            return withMessage { ci_jpeg_decode(bytes, bytes.count, 64, 48, 1, &control, &pixels, $0) }
        }
        #expect(decode(HandMade.progressive(width: 64, height: 48, scans: 100), work: .max) == (CI_OK, ""))
        #expect(
            decode(HandMade.progressive(width: 64, height: 48, scans: 102), work: .max) == (
                CI_ERR_WORK, "it has more than 100 scans"
            ))
        let twenty = HandMade.progressive(width: 64, height: 48, scans: 20)
        #expect(decode(twenty, work: 20 * 64 * 48).0 == CI_OK)
        #expect(decode(twenty, work: 19 * 64 * 48).0 == CI_ERR_WORK)
        #expect(decode(twenty, work: .max, stops: true).0 == CI_ERR_STOPPED)
    }

    @Test("an arithmetic code that ends long before its picture is not decoded on; a small or flat one is read")
    func arithmetic() throws {
        let error = try refusal(of: HandMade.arithmetic(width: 4_800, height: 4_800, dataBytes: 40))
        #expect(error == .tooMuchWork(.jpeg, reason: "its arithmetic code ends long before the picture does"))
        #expect(try ImageDecoder.decode(HandMade.arithmetic(width: 640, height: 480, dataBytes: 0)).size == [640, 480])
        #expect(try ImageDecoder.decode(HandMade.arithmetic(width: 640, height: 480, dataBytes: 40)).size == [640, 480])
    }

    @Test("what stands behind a PNG's last row is not part of it, but has to be whole up to the end marker")
    func dataBehindRows() throws {
        let plain = HandMade.png()
        let expected = try ImageDecoder.decode(plain)
        #expect(expected.pixels == (0..<192).map { UInt8($0) })
        // Six million bytes out of 40 thousand pass, sixty million out of 400 thousand do not.
        let flood = HandMade.png(zerosBehindRows: 6_000_000)
        #expect(try ImageDecoder.decode(flood) == expected)
        #expect(
            try refusal(of: HandMade.png(zerosBehindRows: 60_000_000))
                == .tooMuchWork(.png, reason: "its data go on far behind its last row"))
        #expect(try refusal(of: flood.dropLast(12)) == .truncated(.png))
        #expect(try refusal(of: flood.dropLast(1)) == .truncated(.png))
        #expect(try refusal(of: flood.dropLast(10_000)) == .truncated(.png))
        for place in [plain.count - 1, plain.count - 13, plain.count - 17] {
            var damaged = plain
            damaged[place] ^= 1
            #expect(try refusal(of: damaged).category == .broken, "byte \(place)")
        }
        let text = HandMade.chunk("tEXt", Array("Comment\0a later text".utf8))
        #expect(try ImageDecoder.decode(HandMade.png(after: [text, text])) == expected)
    }

    @Test("all texts of a PNG inflate to a megabyte together, the last of a kind counts, and lines cost nothing")
    func texts() throws {
        func text(_ keyword: String, _ content: [UInt8], zerosBehind: Int? = nil) -> [UInt8] {
            let name = Array(keyword.utf8) + [0]
            guard let zerosBehind else { return HandMade.chunk("tEXt", name + content) }
            return HandMade.chunk("zTXt", name + [0] + HandMade.deflated(content, zerosBehind: zerosBehind))
        }
        func orientation(_ chunks: [[UInt8]]) throws -> Int {
            try ImageDecoder.header(of: HandMade.png(before: chunks)).orientation
        }
        let raw = "Raw profile type exif"
        let xmp = "XML:com.adobe.xmp"
        let three = Array("<rdf tiff:Orientation=\"3\"/>".utf8)
        let six = HandMade.rawProfile(HandMade.exif(orientation: 6))
        let eight = HandMade.rawProfile(HandMade.exif(orientation: 8))
        #expect(try orientation([text(raw, six)]) == 6)
        #expect(try orientation([text(raw, six), text(raw, eight)]) == 8)
        #expect(try orientation([text(raw, six, zerosBehind: 0), text(xmp, three)]) == 6)
        #expect(try orientation([text(xmp, three, zerosBehind: (1 << 20) - three.count)]) == 3)
        #expect(try orientation([text(xmp, three, zerosBehind: (1 << 20) - three.count + 1)]) == 1)
        // The first is within the limit by itself, the second no more.
        #expect(try orientation([text(raw, [], zerosBehind: 700_000), text(xmp, three, zerosBehind: 200_000)]) == 3)
        #expect(try orientation([text(raw, [], zerosBehind: 700_000), text(xmp, three, zerosBehind: 400_000)]) == 1)
        // Many chunks: one of them is inflated.
        let bombs = [[UInt8]](repeating: text(raw, [], zerosBehind: 1_000_000), count: 200)
        #expect(try orientation(bombs + [text(raw, six, zerosBehind: 0)]) == 6)
        // Without compression too: what stands within the megabyte counts.
        #expect(try orientation([text(raw, six + [UInt8](repeating: 0x0A, count: 3 << 20))]) == 6)
        #expect(try orientation([text(xmp, [UInt8](repeating: 0x20, count: 3 << 20) + three)]) == 1)
    }

    @Test("an orientation is found in much XMP, and not behind a megabyte of it")
    func manyLetters() throws {
        func orientation(_ xmp: [UInt8]) throws -> Int {
            try ImageDecoder.header(of: HandMade.webp(width: 8, height: 8, flags: 4, chunks: [("XMP ", xmp)])).orientation
        }
        let value = Array("<tiff:Orientation>5</tiff:Orientation>".utf8)
        let near = Array("tiff:Orientatio".utf8)
        #expect(try orientation((0..<50_000).flatMap { _ in near } + value) == 5)
        #expect(try orientation((0..<500_000).flatMap { _ in near } + value) == 1)
    }

    @Test("a decode that nobody wants any more ends in the middle, whatever its format")
    func cancellation() throws {
        let noise = try RGBImage.noise(width: 300, height: 300, seed: 5)
        for bytes in [
            try ImageEncoder.jpeg(noise, quality: 90), try ImageEncoder.png(noise), try Fixtures.picture("webp-lossless.webp"),
            HandMade.progressive(width: 300, height: 300, scans: 20),
        ] {
            let asked = Mutex(0)
            _ = try ImageDecoder.decode(
                bytes,
                control: DecodingControl {
                    asked.withLock {
                        $0 += 1; return false
                    }
                })
            let total = asked.withLock(\.self)
            #expect(total >= 5)
            // In the middle, and before anything.
            for last in [total / 2, 0] {
                asked.withLock { $0 = 0 }
                let control = DecodingControl {
                    asked.withLock {
                        $0 += 1; return $0 > last
                    }
                }
                let error = try refusal(of: bytes, control: control)
                #expect(error == .cancelled && error.category == .stopped)
                expectOneSentence(error)
            }
        }
    }

    @Test("a deadline that has passed ends a decode, and one to come does not")
    func deadline() throws {
        let bytes = try Fixtures.picture("pillow-1.jpg")
        let error = try refusal(of: bytes, control: DecodingControl(deadline: .now - .seconds(1)))
        #expect(error == .deadlinePassed && error.category == .stopped)
        expectOneSentence(error)
        #expect(throws: Never.self) { try ImageDecoder.decode(bytes, control: DecodingControl(deadline: .now + .seconds(3600))) }
    }

    @Test("what a decode will take in memory follows from its header")
    func memory() throws {
        func need(_ bytes: [UInt8], dividedBy divisor: Int = 1) throws -> Int {
            try ImageDecoder.header(of: bytes).memoryToDecode(dividedBy: divisor)
        }
        let pixels = 8_000 * 6_000
        func frame(_ marker: UInt8, components: UInt8, exif: [UInt8]? = nil) -> [UInt8] {
            let ids = (1...components).flatMap { [$0, 0] as [UInt8] }
            let app1 = exif.map { HandMade.segment(0xE1, Array("Exif\0\0".utf8) + $0) } ?? []
            let start: [UInt8] =
                [0xFF, 0xD8] + app1 + HandMade.frame(marker, width: 8_000, height: 6_000, components: components)
            return start + HandMade.segment(0xDA, [components] + ids + [0, 63, 0])
        }
        let slack = 1.01
        func expect(_ need: Int, perPixel: Int) {
            #expect(Double(need) >= Double(perPixel * pixels) && Double(need) <= slack * Double(perPixel * pixels), "\(need)")
        }
        try expect(need(frame(0xC0, components: 3)), perPixel: 3)
        try expect(need(frame(0xC0, components: 3, exif: HandMade.exif(orientation: 6))), perPixel: 6)
        try expect(need(frame(0xC2, components: 3)), perPixel: 3 + 6)
        try expect(need(frame(0xC2, components: 4)), perPixel: 3 + 8)
        #expect(try need(frame(0xC0, components: 3), dividedBy: 8) < pixels / 20)
        try expect(need(HandMade.pngHeader(width: 8_000, height: 6_000)), perPixel: 3)
        try expect(need(HandMade.webp(width: 8_000, height: 6_000)), perPixel: 3)
        try expect(need(HandMade.webp(width: 8_000, height: 6_000, flags: 0x10)), perPixel: 3 + 8)
    }

    private func refusal(
        of bytes: some Collection<UInt8>, limits: DecodingLimits = .standard, control: DecodingControl = DecodingControl(),
        sourceLocation: SourceLocation = #_sourceLocation
    ) throws -> ImageError {
        try #require(throws: ImageError.self, sourceLocation: sourceLocation) {
            try ImageDecoder.decode(bytes, limits: limits, control: control)
        }
    }
}
