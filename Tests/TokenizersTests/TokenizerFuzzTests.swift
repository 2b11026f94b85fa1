import Foundation
import Testing

@testable import Tokenizers

/// SplitMix64: the same mutations on every machine.
private struct Dice {
    private var state: UInt64

    init(_ seed: UInt64) { state = seed }

    mutating func roll(_ sides: Int) -> Int {
        state &+= 0x9E37_79B9_7F4A_7C15
        var word = state
        word = (word ^ word >> 30) &* 0xBF58_476D_1CE4_E5B9
        word = (word ^ word >> 27) &* 0x94D0_49BB_1331_11EB
        return Int(truncatingIfNeeded: (word ^ word >> 31) >> 1) % sides
    }

    /// One to four bit flips, bytes of interest, cuts, or copies of a part elsewhere; half of them in the `hot` range.
    mutating func mutate(_ bytes: [UInt8], hot: Range<Int>, interesting: [UInt8]) -> [UInt8] {
        var bytes = bytes
        for _ in 0...roll(4) where !bytes.isEmpty {
            let place = roll(2) == 0 ? roll(bytes.count) : min(hot.lowerBound + roll(hot.count), bytes.count - 1)
            switch roll(8) {
            case 0, 1, 2: bytes[place] ^= 1 << UInt8(roll(8))
            case 3, 4: bytes[place] = interesting[roll(interesting.count)]
            case 5: bytes.removeSubrange(place..<min(place + 1 + roll(16), bytes.count))
            case 6: bytes.removeLast(roll(min(bytes.count, 64)))
            default:
                let from = roll(bytes.count)
                bytes.insert(contentsOf: bytes[from..<min(from + 1 + roll(64), bytes.count)], at: place)
            }
        }
        return bytes
    }
}

@Suite("Broken tokenizers")
struct TokenizerFuzzTests {
    private static let texts = [
        "a photo of a red dress", "\u{FF21}\u{1F457} caf\u{E9} \u{7EA2}\u{8272}", "x\u{301}\u{2581}<unk>", "\u{0}\u{FDFA}",
    ]

    private func fuzz(
        _ name: String, rounds: Int, hot: Range<Int>, interesting: [UInt8], of whole: [UInt8], tokenizers: Int,
        open: (String, TextCleanup) throws(TokenizerError) -> Tokenizer
    ) throws {
        var dice = Dice(UInt64(bitPattern: Int64(name.utf8.reduce(7) { $0 &* 31 &+ Int($1) })))
        var outcomes = (tokenizers: 0, errors: 0)
        try withTemporaryFolder { folder in
            for round in 0..<rounds {
                let path = "\(folder)/\(name)"
                try Data(dice.mutate(whole, hot: hot, interesting: interesting)).write(to: URL(fileURLWithPath: path))
                do throws(TokenizerError) {
                    let tokenizer = try open(path, round % 2 == 0 ? .openCLIP : .huggingFace)
                    outcomes.tokenizers += 1
                    for text in Self.texts {
                        let encoded = tokenizer.encode(text)
                        #expect(
                            encoded.ids.count == 16
                                && encoded.ids.allSatisfy { (0..<Int32(tokenizer.vocabularySize)).contains($0) })
                        _ = tokenizer.decode(encoded.ids)
                    }
                } catch {
                    outcomes.errors += 1
                    #expect(error.description.hasSuffix("."), "\(error)")
                }
            }
        }
        // A mutation that never breaks anything, or always everything, would prove little.
        #expect(outcomes.errors > 10)
        #expect(outcomes.tokenizers > tokenizers, "\(outcomes)")
    }

    @Test(
        "a mutated SentencePiece model ends in ids or in an error of ours", .timeLimit(.minutes(5)),
        arguments: ["spiece", "bytes"])
    func sentencePiece(_ name: String) throws {
        let whole = [UInt8](try Data(contentsOf: URL(fileURLWithPath: "\(SigLIPFixture.folder)/\(name).model")))
        // The character map is what the library trusts most; it stands at the end.
        try fuzz(
            name + ".model", rounds: 1500, hot: whole.count - 6000..<whole.count,
            interesting: [0, 1, 2, 0x0A, 0x12, 0x1A, 0x7F, 0x80, 0xFF], of: whole, tokenizers: 50
        ) { path, cleanup throws(TokenizerError) in
            try Tokenizer(sentencePieceModel: path, contextLength: 16, cleanup: cleanup)
        }
    }

    @Test(
        "a mutated tokenizer.json ends in ids or in an error of ours", .timeLimit(.minutes(5)),
        arguments: ["tokenizer", "siglip"])
    func tokenizerFile(_ name: String) throws {
        let path = name == "siglip" ? SigLIPFixture.tokenizerFile : TokenizerFileTests.path
        let whole = [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
        // Added tokens, normaliser with its character map: at the beginning.
        try fuzz(
            name + ".json", rounds: 400, hot: 0..<2000, interesting: Array("{}[]\",:0-9eE\\ \u{7F}".utf8) + [0, 0xFF], of: whole,
            tokenizers: 3
        ) { path, cleanup throws(TokenizerError) in
            try Tokenizer(tokenizerFile: path, contextLength: 16, cleanup: name == "siglip" ? .openCLIP : cleanup)
        }
    }
}
