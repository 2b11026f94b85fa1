import CImaging
import Foundation
import Synchronization
import Testing

@testable import Imaging

/// GIF, TIFF, HEIC and AVIF, against the fixtures that `tools/golden/imaging_formats.py` writes.
@Suite("Further formats")
struct FormatTests {
    struct Goldens: Decodable {
        struct Exact: Decodable {
            let size: [Int]
            let onWhite: String
            let dropped: String?
        }
        struct Close: Decodable { let size: [Int] }
        struct Refused: Decodable {
            let refused: String
            let word: String
        }
        let exact: [String: Exact]
        let close: [String: Close]
        let refused: [String: Refused]

        static func read() throws -> Goldens {
            try JSONDecoder().decode(Goldens.self, from: Data(contentsOf: Fixtures.folder.appending(path: "formats.json")))
        }
    }

    static let hasTIFF = ImageFormat.tiff.lack == nil
    static let hasHEIC = ImageFormat.heic.lack == nil
    static let hasAVIF = ImageFormat.avif.lack == nil

    static func picture(_ name: String) throws -> [UInt8] { try Fixtures.picture(name, in: "formats") }

    /// The names of one ending, in order.
    private static func names(_ all: some Sequence<String>, _ ending: String, atLeast count: Int) -> [String] {
        let names = all.filter { $0.hasSuffix(ending) }.sorted()
        #expect(names.count >= count)
        return names
    }

    private func expectExact(_ ending: String, atLeast count: Int) throws {
        let goldens = try Goldens.read().exact
        for name in Self.names(goldens.keys, ending, atLeast: count) {
            guard let golden = goldens[name] else { continue }
            do {
                let bytes = try Self.picture(name)
                let header = try ImageDecoder.header(of: bytes)
                #expect([header.uprightWidth, header.uprightHeight] == golden.size, "\(name)")
                let image = try ImageDecoder.decode(bytes)
                #expect(image.size == golden.size && image.sha256 == golden.onWhite, "\(name) on white")
                guard let dropped = golden.dropped else { continue }
                #expect(try ImageDecoder.decode(bytes, alpha: .dropped).sha256 == dropped, "\(name) with alpha dropped")
                #expect(header.hasAlpha || golden.onWhite == dropped, "\(name) has alpha that its header does not tell")
            } catch {
                Issue.record("\(name): \(error)")
            }
        }
    }

    @Test("every kind of GIF decodes to Pillow's first frame: interlaced, with palettes of its own, transparent, at an offset")
    func gif() throws { try expectExact(".gif", atLeast: 19) }

    @Test(
        "every kind of TIFF decodes to Pillow's pixels: strips, tiles, planes, palettes, inks, 1 to 16 bits, each orientation",
        .enabled(if: hasTIFF, "needs libtiff"))
    func tiff() throws { try expectExact(".tif", atLeast: 55) }

    /// YCbCr becomes RGB by arithmetic that each library rounds in its own way, a step or two of 255 a sample; ten bits are rounded or cut to eight. Where
    /// chroma has half the size, libraries enlarge it by repeating or by weighing samples, which in a smooth picture makes some steps more. Reference:
    /// pillow-heif's libheif, and Pillow's libavif.
    private static func tolerance(_ name: String) -> (most: Int, mean: Double) {
        name.hasPrefix("420") ? (6, 1.5) : name.hasPrefix("deep") ? (3, 1) : (2, 0.3)
    }

    @Test(
        "HEIC decodes to libheif's pixels: turned, mirrored and cropped once, grids, alpha, ten bits, the primary of several",
        .enabled(if: hasHEIC, "needs libheif and its decoder of HEVC"))
    func heic() throws { try expectClose(".heic", atLeast: 19) }

    @Test(
        "AVIF decodes to Pillow's pixels: turned and mirrored once, alpha, ten bits, the first of an animation",
        .enabled(if: hasAVIF, "needs libheif and its decoder of AV1"))
    func avif() throws { try expectClose(".avif", atLeast: 14) }

    private func expectClose(_ ending: String, atLeast count: Int) throws {
        let goldens = try Goldens.read().close.filter { $0.key.hasSuffix(ending) }
        #expect(goldens.count >= count)
        for (name, golden) in goldens.sorted(by: { $0.key < $1.key }) {
            do {
                let bytes = try Self.picture(name)
                let header = try ImageDecoder.header(of: bytes)
                let image = try ImageDecoder.decode(bytes)
                #expect(header.format.rawValue == name.split(separator: ".").last ?? "", "\(name)")
                #expect(header.orientation == 1 && [header.width, header.height] == golden.size, "\(name)")
                #expect(header.hasAlpha == name.hasPrefix("alpha"), "\(name)")
                let expected = try ImageDecoder.decode(Self.picture(name + ".png"))
                try #require(image.size == golden.size && expected.size == golden.size, "\(name): \(image.size)")
                let steps = zip(image.pixels, expected.pixels).map { abs(Int($0) - Int($1)) }
                let mean = Double(steps.reduce(0, +)) / Double(steps.count)
                let tolerance = Self.tolerance(name)
                #expect(
                    steps.max() ?? 0 <= tolerance.most && mean <= tolerance.mean,
                    "\(name): at most \(steps.max() ?? 0), mean \(mean)")
            } catch {
                Issue.record("\(name): \(error)")
            }
        }
    }

    @Test("a picture that is not read, lies about itself or is damaged is refused for its own reason")
    func refusals() throws {
        let goldens = try Goldens.read().refused
        #expect(goldens.count >= 23)
        for (name, golden) in goldens.sorted(by: { $0.key < $1.key }) {
            // What only its library finds.
            if name == "strip-damaged.tif", !Self.hasTIFF { continue }
            let error = try #require(throws: ImageError.self, "\(name)") { try ImageDecoder.decode(Self.picture(name)) }
            #expect("\(error.category)" == golden.refused && error.description.contains(golden.word), "\(name): \(error)")
            expectOneSentence(error)
        }
    }

    /// The kinds that can be read on this machine, one file each.
    private static func readable() throws -> [String] {
        ["local.gif", "animated.gif"] + (hasTIFF ? ["rgb-strips-deflated.tif", "pillow-tiff_lzw.tif", "pillow-jpeg.tif"] : [])
            + (hasHEIC ? ["444.heic", "grid.heic", "grid-data-first.heic"] : [])
            + (hasAVIF ? ["alpha.avif", "animated.avif"] : [])
    }

    @Test("no picture is whole before its last byte")
    func everyPrefix() throws {
        for name in try Self.readable() {
            let bytes = try Self.picture(name)
            for length in 0..<bytes.count where length < 256 || length > bytes.count - 128 || length % 13 == 0 {
                let error = try #require(throws: ImageError.self, "\(name), \(length) of \(bytes.count) bytes") {
                    _ = try ImageDecoder.decode(bytes.prefix(length))
                }
                // Below its first sixteen bytes a container may still be a film.
                #expect(error.category == .broken || length < 24, "\(name), \(length) of \(bytes.count) bytes: \(error)")
                expectOneSentence(error)
            }
            #expect(throws: Never.self, "\(name)") { try ImageDecoder.decode(bytes) }
        }
    }

    @Test("damaged bytes give a picture of the right size or an error, never a crash")
    func damagedBytes() throws {
        var random = SeededRandom(state: 97)
        let limits = DecodingLimits(maxPixels: 1 << 20, maxWork: 1 << 26)
        var outcomes = [true: 0, false: 0]
        for name in try Self.readable() {
            let bytes = try Self.picture(name)
            for _ in 0..<150 {
                var damaged = bytes
                for _ in 0..<Int.random(in: 1...6, using: &random) {
                    damaged[Int.random(in: 0..<damaged.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
                }
                do {
                    let image = try ImageDecoder.decode(damaged, limits: limits)
                    let header = try ImageDecoder.header(of: damaged)
                    #expect(image.size == [header.uprightWidth, header.uprightHeight])
                    outcomes[true, default: 0] += 1
                } catch {
                    expectOneSentence(error)
                    outcomes[false, default: 0] += 1
                }
            }
        }
        #expect(outcomes[true, default: 0] > 50 && outcomes[false, default: 0] > 50, "\(outcomes)")
    }

    @Test("limits are judged from the header, before a library sees the file")
    func limits() throws {
        for name in ["local.gif", "rgb.tif", "444.heic", "grid.heic", "444.avif"] {
            let bytes = try Self.picture(name)
            let header = try ImageDecoder.header(of: bytes)
            let pixels = header.width * header.height
            let error = try #require(throws: ImageError.self) {
                try ImageDecoder.decode(bytes, limits: DecodingLimits(maxPixels: pixels - 1))
            }
            #expect(error == .tooManyPixels(width: header.width, height: header.height, limit: pixels - 1), "\(name)")
            let side = max(header.width, header.height)
            #expect(throws: ImageError.sideTooLong(width: header.width, height: header.height, limit: side - 1), "\(name)") {
                try ImageDecoder.decode(bytes, limits: DecodingLimits(maxSide: side - 1))
            }
            let work = try #require(throws: ImageError.self) {
                try ImageDecoder.decode(bytes, limits: DecodingLimits(maxWork: pixels))
            }
            #expect(work.category == .tooLarge, "\(name): \(work)")
            #expect(header.memoryToDecode(dividedBy: 1) >= 3 * pixels, "\(name)")
        }
        // A grid costs all of its tiles, though it shows a part of them.
        #expect(try ImageDecoder.header(of: Self.picture("grid.heic")).cost.samples == 3 * 6 * 64 * 64)
    }

    @Test("a format that is switched off is refused as such, whatever the machine has")
    func switchedOff() throws {
        for (name, format) in [("local.gif", ImageFormat.gif), ("rgb.tif", .tiff), ("444.heic", .heic), ("444.avif", .avif)] {
            var limits = DecodingLimits.standard
            limits.formats.remove(format)
            let error = try #require(throws: ImageError.self) { try ImageDecoder.decode(Self.picture(name), limits: limits) }
            #expect(error == .formatOff(format) && error.category == .unsupported)
            expectOneSentence(error)
        }
        let plain = try Fixtures.picture("png-rgb.png")
        #expect(throws: Never.self) { try ImageDecoder.decode(plain, limits: DecodingLimits(formats: [.png])) }
        #expect(throws: ImageError.formatOff(.png)) { try ImageDecoder.decode(plain, limits: DecodingLimits(formats: [.jpeg])) }
    }

    @Test("what a missing library or codec is called and how it is got stands in the refusal")
    func missingLibraries() {
        let error = ImageError.libraryMissing(.heic, .heif, .library)
        #expect(error.category == .unsupported)
        #expect(
            error.description
                == "HEIC pictures are read with libheif, which is not on this machine; install it (Debian: apt-get install libheif1, "
                + "Homebrew: brew install libheif), or convert the pictures to JPEG, PNG or WebP")
        for (format, library, lack, word) in [
            (ImageFormat.tiff, DecoderLibrary.tiff, DecoderLibrary.Lack.library, "libtiff6"),
            (.avif, .heif, .decoder, "libheif-plugin-dav1d"), (.heic, .heif, .decoder, "libheif-plugin-libde265"),
            (.tiff, .tiff, .version(reason: "it has no TIFFClose"), "it has no TIFFClose"),
        ] {
            let error = ImageError.libraryMissing(format, library, lack)
            #expect(error.description.contains(word))
            expectOneSentence(error)
        }
    }

    @Test("a library is looked for once, and the answer stays")
    func loading() {
        for library in DecoderLibrary.allCases { #expect(library.lack == library.lack) }
        for (library, isThere) in [(CI_LIBRARY_TIFF, Self.hasTIFF), (CI_LIBRARY_HEIF, DecoderLibrary.heif.lack == nil)] {
            #expect(withMessage { ci_library_load(library, $0) }.status == (isThere ? CI_OK : CI_ERR_LIBRARY))
        }
    }

    @Test("a decode that nobody wants any more ends: between rows and tiles, or where libheif lets go of it")
    func cancellation() throws {
        for name in try Self.readable() {
            let bytes = try Self.picture(name)
            let asked = Mutex(0)
            let control = DecodingControl {
                asked.withLock {
                    $0 += 1; return false
                }
            }
            _ = try ImageDecoder.decode(bytes, control: control)
            let total = asked.withLock(\.self)
            #expect(total >= 3, "\(name)")
            for last in [total / 2, 0] {
                asked.withLock { $0 = 0 }
                let control = DecodingControl {
                    asked.withLock {
                        $0 += 1; return $0 > last
                    }
                }
                #expect(throws: ImageError.cancelled, "\(name) after \(last) of \(total)") {
                    try ImageDecoder.decode(bytes, control: control)
                }
            }
        }
    }

    @Test(
        "many threads decode HEIC and AVIF beside each other, and all get the same pixels",
        .enabled(if: hasHEIC && hasAVIF, "needs libheif and its decoders")
    )
    func threads() throws {
        let files = try ["444.heic", "grid.heic", "444.avif", "alpha.avif"].map { try Self.picture($0) }
        let expected = try files.map { try ImageDecoder.decode($0) }
        let wrong = Mutex(0)
        DispatchQueue.concurrentPerform(iterations: 64) { turn in
            let place = turn % files.count
            if (try? ImageDecoder.decode(files[place])) != expected[place] { wrong.withLock { $0 += 1 } }
        }
        #expect(wrong.withLock(\.self) == 0)
    }

    @Test("the rows of an interlaced GIF come in the four passes of its standard")
    func interlacing() {
        #expect((0..<10).map { GIFDecoder.interlaced($0, of: 10) } == [0, 8, 4, 2, 6, 1, 3, 5, 7, 9])
        #expect((0..<1).map { GIFDecoder.interlaced($0, of: 1) } == [0])
        for height in 1..<70 { #expect(Set((0..<height).map { GIFDecoder.interlaced($0, of: height) }) == Set(0..<height)) }
    }

    @Test("colours beyond sRGB are told: inks and profiles of a TIFF, code points of a HEIF")
    func hints() throws {
        #expect(try ImageDecoder.header(of: Self.picture("cmyk.tif")).colourHint == .cmyk)
        #expect(try ImageDecoder.header(of: Self.picture("rgb.tif")).colourHint == nil)
        #expect(try ImageDecoder.header(of: Self.picture("444.avif")).colourHint == nil)
    }
}
