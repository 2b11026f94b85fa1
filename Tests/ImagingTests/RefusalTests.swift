import Foundation
import Imaging
import Testing

@Suite("Bad input")
struct RefusalTests {
    @Test("a format that is not read is refused by its name")
    func foreignFormats() {
        let zeros = [UInt8](repeating: 0, count: 32)
        let table: [(ImageError, [UInt8])] = [
            (.unsupportedFormat("BMP"), Array("BM".utf8) + zeros),
            (.unsupportedFormat("PSD"), Array("8BPS".utf8) + zeros), (.unsupportedFormat("JPEG XL"), [0xFF, 0x0A] + zeros),
            (.unsupportedFormat("SVG"), Array("<?xml version=\"1.0\"?>\n<!-- drawn by hand -->\n<svg width=\"4\"/>".utf8)),
            (.noPicture("PDF document"), Array("%PDF-1.7\n".utf8) + zeros),
            (.cameraRaw("RAF"), Array("FUJIFILMCCD-RAW 0201".utf8) + zeros),
        ]
        for (error, bytes) in table {
            expectRefusal(of: bytes) { $0 == error && $0.category == .unsupported }
        }
    }

    @Test("nothing, text and unknown bytes are told apart")
    func noPictures() {
        expectRefusal(of: []) { $0 == .empty }
        expectRefusal(of: Array("this file is called photo.jpg\n".utf8)) { $0 == .text }
        expectRefusal(of: Array("BMW, Größe 38, 49 €".utf8)) { $0 == .text }
        expectRefusal(of: [1, 2, 3, 4, 5, 6, 7, 8, 9]) { $0 == .unknownFormat(firstBytes: [1, 2, 3, 4, 5, 6, 7, 8]) }
        expectRefusal(of: [0xFF, 0xD8]) { $0 == .truncated(.jpeg) }
        expectRefusal(of: [0x89, 0x50, 0x4E]) { $0 == .truncated(.png) }
        expectRefusal(of: Array("RIFF\u{10}".utf8)) { $0 == .truncated(.webp) }
    }

    /// Headers alone: were a pixel decoded, or its memory asked for, the answer would be that the file is cut off.
    @Test("limits are judged from the header, before anything is decoded")
    func limitsComeFirst() throws {
        let png = pngHeader(width: 20_000, height: 14_000)
        expectRefusal(of: png) {
            $0 == .tooManyPixels(width: 20_000, height: 14_000, limit: 100_000_000) && $0.category == .tooLarge
                && $0.description.hasSuffix("; make it smaller")
        }
        // What phones of "50 megapixels" write; those of 108 and 200 are for whoever chose the files.
        // Past the limits the header alone is broken: no table stands in it.
        expectRefusal(of: jpegHeader(width: 8_192, height: 6_144)) { $0.category == .broken }
        expectRefusal(of: jpegHeader(width: 12_000, height: 9_000)) { $0.category == .tooLarge }
        expectRefusal(of: jpegHeader(width: 12_000, height: 9_000), limits: .ownFiles) { $0.category == .broken }
        expectRefusal(of: jpegHeader(width: 16_320, height: 12_240), limits: .ownFiles) { $0.category == .broken }
        expectRefusal(of: pngHeader(width: 1 << 31, height: 1 << 31), limits: DecodingLimits(maxPixels: .max, maxSide: .max)) {
            $0.category == .tooLarge
        }
        expectRefusal(of: pngHeader(width: 1 << 31, height: 1 << 31)) { $0.category == .tooLarge }
        expectRefusal(of: pngHeader(width: 65_501, height: 1)) { $0 == .sideTooLong(width: 65_501, height: 1, limit: 65_500) }
        expectRefusal(of: pngHeader(width: 9_000, height: 9_000)) { $0 == .truncated(.png) }
        expectRefusal(of: jpegHeader(width: 65_000, height: 65_000)) {
            $0 == .tooManyPixels(width: 65_000, height: 65_000, limit: 100_000_000)
        }
        expectRefusal(of: HandMade.webp(width: 16_000, height: 16_000)) { $0.category == .tooLarge }
        let small = try Fixtures.picture("png-rgb.png")
        expectRefusal(of: small, limits: DecodingLimits(maxPixels: 45 * 35 - 1)) {
            $0 == .tooManyPixels(width: 45, height: 35, limit: 45 * 35 - 1)
        }
        expectRefusal(of: small, limits: DecodingLimits(maxBytes: small.count - 1)) {
            $0 == .tooManyBytes(got: small.count, limit: small.count - 1)
        }
        expectRefusal(of: small, limits: DecodingLimits(maxSide: 44)) { $0 == .sideTooLong(width: 45, height: 35, limit: 44) }
        let exact = DecodingLimits(maxPixels: 45 * 35, maxBytes: small.count, maxSide: 45)
        #expect(try ImageDecoder.decode(small, limits: exact).size == [45, 35])
    }

    @Test("a frame header that changes the size after the fact is refused")
    func secondFrameHeader() throws {
        // A second frame header of 60,000 x 60,000 pixels after the first scan, and one before it.
        var bytes = try Fixtures.picture("jpeg-gray.jpg")
        let scan = try #require(bytes.firstRange(of: [0xFF, 0xDA]))
        bytes.insert(contentsOf: frameSegment(width: 60_000, height: 60_000), at: scan.lowerBound)
        expectRefusal(of: bytes) { $0.category == .tooLarge || $0.category == .broken }
        let frame = try #require(bytes.firstRange(of: [0xFF, 0xC0]))
        bytes.insert(contentsOf: frameSegment(width: 60_000, height: 60_000), at: frame.lowerBound)
        expectRefusal(of: bytes, limits: DecodingLimits(maxPixels: .max, maxWork: .max)) { $0.category == .broken }
    }

    @Test("kinds of JPEG that are not read are named")
    func unsupportedJPEGs() {
        expectRefusal(of: jpegHeader(width: 8, height: 8, bits: 12)) {
            $0 == .unsupportedKind(.jpeg, reason: "12 bits per sample")
        }
        expectRefusal(of: jpegHeader(width: 8, height: 8, components: 2)) {
            $0 == .unsupportedKind(.jpeg, reason: "2 components")
        }
        expectRefusal(of: jpegHeader(width: 0, height: 8)) { $0 == .broken(.jpeg, reason: "its size is 0 x 8") }
    }

    @Test("no picture is whole before its last byte")
    func everyPrefix() throws {
        for name in [
            "pillow-2.jpg", "pillow-progressive-1.jpg", "jpeg-cmyk-adobe.jpg", "png-rgba.png",
            "png-palette-alpha-4-interlaced.png", "webp-lossy-alpha.webp", "webp-lossless.webp", "webp-animated.webp",
        ] {
            let bytes = try Fixtures.picture(name)
            // The first half kilobyte and the last in full: headers and end markers. Between them one in seven.
            let lengths = (0..<bytes.count).filter { $0 < 512 || $0 > bytes.count - 256 || $0 % 7 == 0 }
            for length in lengths {
                expectRefusal(of: bytes.prefix(length), "\(name), \(length) of \(bytes.count) bytes") { error in
                    switch error {
                    case .empty: length == 0
                    case .truncated, .broken: true
                    // The first letters of "RIFF".
                    case .text: length < 4
                    default: false
                    }
                }
            }
            #expect(throws: Never.self) { try ImageDecoder.decode(bytes) }
        }
    }

    @Test("a JPEG in one scan is whole without its end marker if something else follows")
    func trailerInPlaceOfEnd() throws {
        let whole = try Fixtures.picture("pillow-2.jpg")
        let expected = try ImageDecoder.decode(whole)
        let data = whole.dropLast(2)
        let trailer = Array("SEFHe\0\0\0\u{1}\0\0\0Panorama_Shot_Info SEFT".utf8)
        for end in [trailer, [0xFF, 0xD8, 0xFF, 0xE1, 0, 2], [0xFF, 0xFF, 0xFF, 0xE1] + trailer, [0, 0, 0, 0]] {
            #expect(try ImageDecoder.decode(data + end) == expected)
            #expect(try ImageDecoder.decode(data + end, minimumSide: 8) == ImageDecoder.decode(whole, minimumSide: 8))
        }
        // Nothing, or fill bytes before a marker that does not come: the file ends there.
        for end in [[], [0xFF], [0xFF, 0xFF, 0xFF]] as [[UInt8]] {
            expectRefusal(of: data + end) { $0 == .truncated(.jpeg) }
        }
        // Data that end in the middle: a marker follows too early, so the decoder warns, and no end comes.
        expectRefusal(of: whole.dropLast(200) + [0xFF, 0xE1, 0, 40] + trailer) { $0 == .truncated(.jpeg) }
        // Of a progressive picture nothing tells that no scan is missing.
        expectRefusal(of: try Fixtures.picture("pillow-progressive-2.jpg").dropLast(2) + trailer) { $0 == .truncated(.jpeg) }
    }

    @Test("a transparent colour before a palette is dropped, as libpng and browsers do")
    func transparencyBeforePalette() throws {
        let key = HandMade.chunk("tRNS", [0, 0, 0, 1, 0, 2])
        let palette = HandMade.chunk("PLTE", [1, 2, 3, 4, 5, 6])
        let expected = try ImageDecoder.decode(HandMade.png())
        for alpha in AlphaRule.allCases {
            #expect(try ImageDecoder.decode(HandMade.png(before: [key, palette]), alpha: alpha) == expected)
        }
        #expect(try ImageDecoder.header(of: HandMade.png(before: [key, palette])).hasAlpha == false)
        // Behind it, it counts: the first pixel, 0 1 2, shows the white below.
        let transparent = try ImageDecoder.decode(HandMade.png(before: [palette, key]))
        #expect(transparent.pixels == [255, 255, 255] + expected.pixels.dropFirst(3))
        #expect(try ImageDecoder.header(of: HandMade.png(before: [palette, key])).hasAlpha)
    }

    @Test("damaged bytes give a picture of the right size or an error, never a crash")
    func damagedBytes() throws {
        var random = SeededRandom(state: 42)
        let limits = DecodingLimits(maxPixels: 1 << 20)
        var decoded = 0
        var refused = 0
        for name in [
            "pillow-0.jpg", "pillow-progressive-2.jpg", "jpeg-ycck-420.jpg", "jpeg-restart.jpg", "exif-6.jpg", "png-rgba.png",
            "png-palette-alpha-2-interlaced.png", "png-rgb-key-16.png", "exif-5-raw-profile.png", "webp-lossy.webp",
            "webp-lossless-alpha.webp", "webp-animated.webp", "exif-7-lossless.webp",
        ] {
            let bytes = try Fixtures.picture(name)
            for _ in 0..<250 {
                var damaged = bytes
                for _ in 0..<Int.random(in: 1...6, using: &random) {
                    damaged[Int.random(in: 0..<damaged.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
                }
                do {
                    let image = try ImageDecoder.decode(damaged, limits: limits)
                    let header = try ImageDecoder.header(of: damaged)
                    #expect(image.size == [header.uprightWidth, header.uprightHeight])
                    decoded += 1
                } catch {
                    expectOneSentence(error)
                    refused += 1
                }
            }
        }
        #expect(decoded > 100 && refused > 100, "\(decoded) decoded, \(refused) refused")
    }

    @Test("a file that cannot be read is refused with its path and the reason")
    func files() throws {
        let folder = FileManager.default.temporaryDirectory
        for path in [folder.appending(path: "no-such-file-\(UUID()).jpg").path, folder.path, "/dev/null"] {
            do {
                _ = try ImageDecoder.decode(contentsOfFile: path)
                Issue.record("\(path) was read")
            } catch {
                #expect(error.category == .unreadable)
                #expect(error.description.hasPrefix(path + ": "))
                #expect(!error.withoutPath.description.contains(path))
            }
        }
        let file = Fixtures.folder.appending(path: "pictures/exif-6.jpg").path
        #expect(try ImageDecoder.decode(contentsOfFile: file).size == [35, 45])
        #expect(try ImageDecoder.header(ofFile: file).orientation == 6)
        #expect(throws: ImageError.self) { try ImageDecoder.decode(contentsOfFile: file, limits: DecodingLimits(maxBytes: 100)) }
    }

    @Test("arrays, slices, data and raw memory decode alike")
    func kindsOfBytes() throws {
        let bytes = try Fixtures.picture("pillow-1.jpg")
        let expected = try ImageDecoder.decode(bytes)
        #expect(try ImageDecoder.decode(Data(bytes)) == expected)
        #expect(try ImageDecoder.decode(([0, 0] + bytes)[2...]) == expected)
        #expect(try bytes.withUnsafeBytes { try ImageDecoder.decode($0) } == expected)
        #expect(try ImageDecoder.decode(bytes.lazy.map { $0 }) == expected)
    }

    private func expectRefusal(
        of bytes: some Collection<UInt8>, limits: DecodingLimits = .standard, _ comment: Comment? = nil,
        sourceLocation: SourceLocation = #_sourceLocation, as expected: (ImageError) -> Bool
    ) {
        do {
            let image = try ImageDecoder.decode(bytes, limits: limits)
            Issue.record("it decoded to \(image.size) \(comment ?? "")", sourceLocation: sourceLocation)
        } catch {
            #expect(expected(error), "\(error) \(comment ?? "")", sourceLocation: sourceLocation)
            expectOneSentence(error, sourceLocation: sourceLocation)
        }
    }

    // Headers of pictures that have no data.

    private func pngHeader(width: Int, height: Int) -> [UInt8] { HandMade.pngHeader(width: width, height: height) }

    private func frameSegment(width: Int, height: Int, bits: UInt8 = 8, components: UInt8 = 1) -> [UInt8] {
        HandMade.frame(0xC0, width: width, height: height, bits: bits, components: components)
    }

    private func jpegHeader(width: Int, height: Int, bits: UInt8 = 8, components: UInt8 = 1) -> [UInt8] {
        let frame = frameSegment(width: width, height: height, bits: bits, components: components)
        return [0xFF, 0xD8] + frame + HandMade.segment(0xDA, [1, 1, 0, 0, 63, 0])
    }
}
