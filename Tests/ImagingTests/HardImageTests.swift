import Foundation
import Imaging
import Testing

@Suite("Files that break decoders")
struct HardImageTests {
    /// Why a file of the set is refused. Everything else is a picture, equal to Pillow's.
    static let refusals: [String: @Sendable (ImageError) -> Bool] = [
        "bomb__pillow__decompression_bomb.gif": { $0.category == .broken },
        "bomb__pillow__decompression_bomb.ico": { $0 == .unsupportedFormat("ICO") },
        "bomb__pillow__reallybig.bmp": { $0 == .unsupportedFormat("BMP") },
        "bomb__sharp__65536-uint32-limit.png": { $0 == .tooManyPixels(width: 65536, height: 65536, limit: 100_000_000) },
        "bomb__sharp__giant-image.jpg": { $0 == .tooManyPixels(width: 20000, height: 14000, limit: 100_000_000) },
        "corrupt__pillow__badwidth.bmp": { $0 == .unsupportedFormat("BMP") },
        "corrupt__pillow__broken.png": { $0.category == .broken },
        "corrupt__pillow__unknown_compression_method.png": { $0.category == .broken },
        "corrupt__pillow__zero_width.gif": { $0.category == .broken },
        "corrupt__sharp__corrupt-header.jpg": { $0 == .truncated(.jpeg) },
        "psd__pillow__hopper.psd": { $0 == .unsupportedFormat("PSD") },
        "svg__sharp__check.svg": { $0 == .unsupportedFormat("SVG") },
        "truncated__sharp__truncated.jpg": { $0 == .truncated(.jpeg) },
        "truncated__sharp__truncated.png": { $0 == .truncated(.png) },
    ]

    @Test("every hard kind that the project makes itself is a picture equal to Pillow's, or refused for its own reason")
    func madeKinds() throws {
        let pictures = try Fixtures.hardPictures()
        #expect(pictures.count >= 55)
        for (name, golden) in pictures.sorted(by: { $0.key < $1.key }) {
            let bytes = try Fixtures.picture(name, in: "hard-pictures")
            do {
                let header = try ImageDecoder.header(of: bytes)
                let image = try ImageDecoder.decode(bytes)
                #expect(golden.refused == nil, "\(name) was not refused")
                #expect(image.size == golden.size, "\(name)")
                #expect(image.sha256 == golden.onWhite, "\(name) on white")
                #expect(try ImageDecoder.decode(bytes, alpha: .dropped).sha256 == golden.dropped, "\(name) with alpha dropped")
                #expect(header.colourHint?.rawValue == golden.hint, "\(name)")
            } catch {
                #expect(
                    "\(error.category)" == golden.refused && error.description.contains(golden.word ?? "?"), "\(name): \(error)")
                expectOneSentence(error)
            }
        }
    }

    @Test(
        "every file is a picture equal to Pillow's, or refused in one sentence naming the reason",
        .enabled(if: RealPhotos.present, "needs ../shared/data"))
    func table() throws {
        struct Entry: Decodable { let file: String }
        let manifest = try JSONDecoder().decode(
            [Entry].self, from: Data(contentsOf: RealPhotos.hardImages.appending(path: "manifest.json")))
        let goldens = try Fixtures.hardImages()
        #expect(Set(manifest.map(\.file)) == Set(goldens.keys), "the hashes were made from other files")
        for name in manifest.map(\.file) {
            let path = RealPhotos.hardImages.appending(path: name).path
            for (alpha, expected) in [(AlphaRule.onWhite, goldens[name]?.onWhite), (.dropped, goldens[name]?.dropped)] {
                do {
                    let image = try ImageDecoder.decode(contentsOfFile: path, alpha: alpha)
                    #expect(HardImageTests.refusals[name] == nil, "\(name) was not refused")
                    // A later frame of it is a bomb, at which Pillow stops; the first is none.
                    if name == "bomb__pillow__decompression_bomb_extents.gif" {
                        #expect(image.size == [100, 100])
                        continue
                    }
                    #expect(image.size == goldens[name]?.size, "\(name)")
                    // Each library of AV1 converts colours with its own roundings (`FormatTests`).
                    if !name.hasSuffix(".avif") { #expect(image.sha256 == expected, "\(name) \(alpha)") }
                } catch {
                    let reason = error.withoutPath
                    if case .libraryMissing = reason { continue }
                    #expect(HardImageTests.refusals[name]?(reason) == true, "\(name): \(reason)")
                    expectOneSentence(reason)
                }
            }
        }
    }
}

/// One sentence: no full stop, no line break, some words.
func expectOneSentence(_ error: ImageError, sourceLocation: SourceLocation = #_sourceLocation) {
    let text = error.description
    #expect(!text.contains("\n") && !text.contains(". ") && !text.hasSuffix("."), "\(text)", sourceLocation: sourceLocation)
    #expect(text.split(separator: " ").count >= 4, "\(text)", sourceLocation: sourceLocation)
}
