import Testing

@testable import Tokenizers

@Suite("Text clean-up")
struct TextCleanupTests {
    private func clean(_ text: String, _ cleanup: TextCleanup) -> String {
        var view = String.UnicodeScalarView()
        view.append(contentsOf: cleanup.clean(Array(text.unicodeScalars)))
        return String(view)
    }

    private func expectSameScalars(_ ours: String, _ expected: String, _ text: String) {
        #expect(Array(ours.unicodeScalars) == Array(expected.unicodeScalars), "\(text.debugDescription)")
    }

    @Test("hard strings become what open_clip encodes, scalar by scalar")
    func reference() throws {
        for entry in try TokenizerFixture.read("small").entries where !TokenizerParityTests.leftGarbled.contains(entry.text) {
            expectSameScalars(clean(entry.text, .openCLIP), entry.cleaned, entry.text)
        }
    }

    @Test("a final sigma is ς by string and σ by character")
    func sigma() {
        expectSameScalars(clean("\u{39F}\u{394}\u{39F}\u{3A3}", .openCLIP), "\u{3BF}\u{3B4}\u{3BF}\u{3C2}", "final")
        expectSameScalars(clean("\u{39F}\u{394}\u{39F}\u{3A3}", .huggingFace), "\u{3BF}\u{3B4}\u{3BF}\u{3C3}", "final")
    }

    @Test("transformers' clean-up keeps references and curly quotes")
    func huggingFaceKeeps() {
        expectSameScalars(clean(" R&amp;D  \u{2019}S ", .huggingFace), "r&amp;d \u{2019}s", "kept")
    }

    @Test("HTML in a line switches references off there and below, for the first of the two ways of reading them")
    func markup() {
        expectSameScalars(clean("&EACUTE; a\n<b> &EACUTE;\n&EACUTE;", .openCLIP), "\u{E9} a <b> &eacute; &eacute;", "markup")
    }

    @Test("text garbled twice is mended twice")
    func twice() {
        expectSameScalars(clean("caf\u{C3}\u{192}\u{C2}\u{A9}", .openCLIP), "caf\u{E9}", "twice")
    }

    @Test("one sure sign in a line mends its other garbled characters too")
    func neighbours() {
        expectSameScalars(clean("\u{C5}\u{201A}\u{C3}\u{B3}d\u{C5}\u{BA}", .openCLIP), "\u{142}\u{F3}d\u{17A}", "neighbours")
    }

    @Test("upper-case letters before a brand's mark are not taken for garbled text")
    func brands() {
        expectSameScalars(clean("CAF\u{C9}\u{AE} ROS\u{C9}\u{AE}", .openCLIP), "caf\u{E9}\u{AE} ros\u{E9}\u{AE}", "brands")
    }

    @Test(
        "accented text that only resembles garbled text is left alone",
        arguments: ["marqu\u{E9}\u{2122}", "s\u{E3}o paulo", "\u{E2}ngstr\u{F6}m", "\u{AB} caf\u{E9} \u{BB}", "\u{FC}\u{A9}"])
    func notGarbled(text: String) {
        expectSameScalars(clean(text, .openCLIP), text, text)
    }
}

@Suite("Unpacking gzip")
struct GunzipTests {
    /// Packed by zlib; the fixed Huffman table.
    static let packed: [UInt8] = [
        0x1F, 0x8B, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02, 0x03, 0x4B, 0xAA, 0x2C, 0x49, 0x55, 0x28, 0x48, 0xCC, 0x2C,
        0x2A, 0xD6, 0x51, 0x28, 0xCF, 0x2F, 0x4A, 0x29, 0x56, 0x48, 0xCC, 0x4B, 0x51, 0xC8, 0x4D, 0x2D, 0x4A, 0x4F, 0x2D,
        0xB6, 0x56, 0x48, 0x1A, 0x95, 0x1D, 0x95, 0x25, 0x4B, 0xD6, 0xC0, 0xD0, 0xC8, 0xD8, 0xC4, 0xD4, 0xCC, 0xDC, 0xC2,
        0x52, 0xA1, 0x24, 0x23, 0x55, 0x21, 0x35, 0x2F, 0x05, 0x00, 0x7B, 0x18, 0xB8, 0x6E, 0x6A, 0x02, 0x00, 0x00,
    ]

    @Test("a packed text is unpacked")
    func unpacks() throws {
        let bytes = try Gunzip.unpack(Self.packed, limit: 4096)
        #expect(
            String(decoding: bytes, as: UTF8.self) == String(repeating: "byte pairs, words and merges; ", count: 20)
                + "0123456789 the end")
    }

    @Test("a file that is cut anywhere is refused")
    func cut() {
        for length in 0..<Self.packed.count {
            #expect(throws: Gunzip.Failure.self) { try Gunzip.unpack(Array(Self.packed.prefix(length)), limit: 4096) }
        }
    }

    @Test("a file with one changed bit is refused or unpacks to the same")
    func damaged() throws {
        let good = try Gunzip.unpack(Self.packed, limit: 4096)
        for place in Self.packed.indices {
            for bit in 0..<8 {
                var file = Self.packed
                file[place] ^= 1 << UInt8(bit)
                if let bytes = try? Gunzip.unpack(file, limit: 4096) {
                    #expect(bytes == good, "byte \(place) bit \(bit)")
                }
            }
        }
    }

    @Test("more than the limit is refused")
    func limit() {
        #expect(throws: Gunzip.Failure.self) { try Gunzip.unpack(Self.packed, limit: 100) }
    }
}
