import Imaging
import Testing

@Suite("What a file is")
struct FileKindTests {
    private static let zeros = [UInt8](repeating: 0, count: 40)

    private static func box(_ text: String) -> [UInt8] { [0, 0, 0, 24] + Array(text.utf8) + zeros }

    private static func bmp(headerSize: UInt8, reserved: UInt8) -> [UInt8] {
        Array("BM".utf8) + [54, 1, 0, 0, reserved, 0, reserved, 0, 54, 0, 0, 0, headerSize, 0, 0, 0] + zeros
    }

    private static func tga(kind: UInt8, depth: UInt8) -> [UInt8] {
        [0, 0, kind, 0, 0, 0, 0, 0, 0, 0, 0, 0, 64, 0, 48, 0, depth, 0x20] + (0..<64).map { UInt8($0 * 3) }
    }

    private static func icon(_ kind: UInt8) -> [UInt8] { [0, 0, kind, 0, 2, 0, 32, 32, 0, 0, 1, 0, 32, 0] + zeros }

    /// A little-endian TIFF of entries with one value each; a maker's name stands behind them.
    private static func tiff(_ entries: [(tag: Int, value: Int)], maker: String? = nil) -> [UInt8] {
        func little(_ value: Int, _ count: Int) -> [UInt8] { HandMade.big(value, count).reversed() }
        let all = entries + (maker == nil ? [] : [(271, 10 + 12 * (entries.count + 1) + 4)])
        let list = all.sorted { $0.tag < $1.tag }.flatMap {
            little($0.tag, 2) + little(4, 2) + little(1, 4) + little($0.value, 4)
        }
        return Array("II".utf8) + [42, 0, 8, 0, 0, 0] + little(all.count, 2) + list + little(0, 4) + Array((maker ?? "").utf8)
            + zeros
    }

    @Test("first bytes tell a file, whatever it is called")
    func kinds() throws {
        let jpeg = try Array(Fixtures.picture("pillow-1.jpg").prefix(600))
        let png = try Array(Fixtures.picture("png-rgb.png").prefix(600))
        let webp = try Array(Fixtures.picture("webp-lossy.webp").prefix(600))
        let table: [(FileKind, [UInt8])] = [
            (.picture(.jpeg), jpeg), (.picture(.png), png), (.picture(.webp), webp),
            (.picture(.gif), Array("GIF89a".utf8) + Self.zeros),
            (.otherPicture("BMP"), Self.bmp(headerSize: 40, reserved: 0)),
            (.otherPicture("BMP"), Self.bmp(headerSize: 12, reserved: 9)),
            (.otherPicture("BMP"), Self.bmp(headerSize: 124, reserved: 1)),
            (.otherPicture("TGA"), Self.tga(kind: 2, depth: 24)), (.otherPicture("TGA"), Self.tga(kind: 10, depth: 32)),
            (.otherPicture("CUR"), Self.icon(2)), (.otherPicture("ICO"), Self.icon(1)),
            (.picture(.avif), Self.box("ftypavif")), (.otherPicture("AVIF"), Self.box("ftypmif3avif")),
            (.picture(.heic), Self.box("ftypheic")), (.picture(.heic), Self.box("ftypmif1\0\0\0\0mif1heic")),
            (.picture(.heic), Self.box("ftypmif1\0\0\0\0")),
            (.cameraRaw("CR3"), Self.box("ftypcrx \0\0\0\u{1}crx isom")),
            (.other("film (MP4 or QuickTime)"), Self.box("ftypisom")),
            (.cameraRaw("CR2"), Array("II".utf8) + [42, 0, 16, 0, 0, 0] + Array("CR".utf8) + [2, 0] + Self.zeros),
            (.cameraRaw("DNG"), Self.tiff([(254, 1), (330, 8), (50706, 1)])),
            (.cameraRaw("NEF"), Self.tiff([(254, 1), (330, 8)], maker: "NIKON CORPORATION")),
            (.cameraRaw("ARW"), Self.tiff([(254, 1), (330, 8)], maker: "SONY")),
            // A camera's name alone, in what a program has saved.
            (.picture(.tiff), Self.tiff([(254, 0)], maker: "NIKON CORPORATION")), (.picture(.tiff), Self.tiff([])),
            (.cameraRaw("RAF"), Array("FUJIFILMCCD-RAW 0201".utf8) + Self.zeros),
            (.cameraRaw("RW2"), Array("IIU".utf8) + [0, 24, 0, 0, 0] + Self.zeros),
            (.cameraRaw("ORF"), Array("IIRO".utf8) + [8, 0, 0, 0] + Self.zeros),
            (.other("PDF document"), Array("%PDF-1.7\n".utf8) + Self.zeros),
            (.changedAsText(.png), [0x89, 0x50, 0x4E, 0x47, 0x0A, 0x1A, 0x0A] + Self.zeros),
            (.changedAsText(.png), [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0D, 0x0A] + Self.zeros),
            (.changedAsText(.jpeg), [0xC3, 0xBF, 0xC3, 0x98, 0xC3, 0xBF, 0xC3, 0xA0] + Self.zeros),
            (.behindBytes(3, .jpeg), [0xEF, 0xBB, 0xBF] + jpeg), (.behindBytes(1, .png), [0x0A] + png),
            (.behindBytes(30, .jpeg), Array("<b>Warning</b>: line 12, x.php".utf8) + jpeg),
            (.unknown, [UInt8](repeating: 3, count: 30) + jpeg), (.other("sound file"), Array("ID3".utf8) + [3, 0, 0] + jpeg),
            (.other("ZIP archive"), [0x50, 0x4B, 3, 4] + jpeg),
            (.other("film (AVI)"), Array("RIFFabcdAVI LIST".utf8) + Self.zeros),
            (.behindBytes(2, .webp), [0x0D, 0x0A] + webp),
            (.text, Array("this file is called photo.jpg\n".utf8)), (.text, Array("BMW, Größe 38, 49 €".utf8)),
            (.unknown, [1, 2, 3, 4, 5, 6, 7, 8, 9]), (.unknown, Self.zeros), (.empty, []),
        ]
        for (kind, bytes) in table {
            #expect(FileKind(firstBytes: bytes) == kind)
            #expect(!kind.name.isEmpty)
            if case .picture = kind { continue }
            // The same judgement, as the sentence that refuses the file.
            let error = try #require(throws: ImageError.self) { try ImageDecoder.decode(bytes) }
            expectOneSentence(error)
        }
    }

    @Test("a refusal says in words what the file is and what to do about it")
    func sentences() {
        func sentence(_ bytes: [UInt8]) -> String {
            do {
                _ = try ImageDecoder.decode(bytes)
                return ""
            } catch { return error.description }
        }
        #expect(sentence(Self.bmp(headerSize: 40, reserved: 0)) == "BMP pictures are not read; convert them to JPEG, PNG or WebP")
        #expect(sentence(Self.box("ftypcrx ")) == "this is a camera's raw file (CR3), which is not read; export it as JPEG")
        #expect(
            sentence(Self.box("ftypmp42")) == "this is a film (MP4 or QuickTime), not a picture; it should be a JPEG, PNG or WebP"
        )
        let one: [UInt8] = [0x0A] + HandMade.png()
        #expect(sentence(one) == "this is a PNG with 1 other byte before it; remove it")
        #expect(
            sentence([0x89, 0x50, 0x4E, 0x47, 0x0A, 0x1A, 0x0A] + Self.zeros)
                == "the PNG is broken: its bytes were changed as if it were text; copy it anew, as a binary file")
        for (marker, kind) in [(0xC3, "a lossless one"), (0xC5, "a hierarchical one"), (0xF7, "JPEG-LS")] as [(UInt8, String)] {
            let bytes: [UInt8] = [0xFF, 0xD8] + HandMade.frame(marker, width: 8, height: 8)
            #expect(sentence(bytes) == "this kind of JPEG is not read (\(kind)); save it as an ordinary 8-bit JPEG")
        }
    }
}
