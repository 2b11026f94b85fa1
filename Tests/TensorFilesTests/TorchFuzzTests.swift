import Foundation
import TensorFiles
import Testing

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

    /// Bit flips, bytes and numbers of interest, cuts, copies of a part elsewhere; one to four at a time. The last kilobyte and the
    /// pickle decide most, and are met most.
    mutating func mutate(_ bytes: [UInt8], hot: Range<Int>) -> [UInt8] {
        var bytes = bytes
        for _ in 0...roll(4) where !bytes.isEmpty {
            let place = roll(2) == 0 ? roll(bytes.count) : min(hot.lowerBound + roll(hot.count), bytes.count - 1)
            switch roll(8) {
            case 0, 1, 2: bytes[place] ^= 1 << UInt8(roll(8))
            case 3: bytes[place] = [0, 1, 0x7F, 0x80, 0xFF, 0x28, 0x2E, 0x52, 0x62, 0x5D][roll(10)]
            case 4:
                let number = [0, 1, -1, Int.max, Int.min, 1 << 31, 1 << 40, 0xFFFF_FFFF][roll(8)]
                for (offset, byte) in withUnsafeBytes(of: number.littleEndian, Array.init).enumerated()
                where place + offset < bytes.count { bytes[place + offset] = byte }
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

@Suite("Broken PyTorch checkpoints")
struct TorchFuzzTests {
    let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    @Test(
        "a mutated file ends in values or in an error of ours, and its tensors can be read", .timeLimit(.minutes(5)),
        arguments: TorchCheckpointTests.names + ["old"])
    func mutations(_ name: String) throws {
        let whole = [UInt8](try Data(contentsOf: URL(filePath: ExpectedCheckpoint.path(name))))
        // The pickle is the entry with most to break; in a TorchScript archive it does not stand first.
        let magic: [UInt8] = [0x80, 0x02]
        let start = whole.indices.first { whole[$0...].starts(with: magic) } ?? 0
        var dice = Dice(UInt64(name.utf8.reduce(7) { $0 * 31 + Int($1) }))
        var outcomes = (values: 0, errors: 0)
        for round in 0..<400 {
            let mutated = dice.mutate(whole, hot: start..<min(start + 2000, whole.count))
            let path = try folder.write(mutated, as: "x.pt")
            do throws(TensorFileError) {
                let checkpoint = try TorchCheckpoint(path: path, objects: round % 2 == 0 ? .refused : .collected)
                outcomes.values += 1
                let tensors = try checkpoint.tensors()
                for name in tensors.names where (tensors.tensors[name]?.elementCount ?? 0) < 1 << 20 {
                    if tensors.tensors[name]?.type.isFloatingPoint == true { _ = try tensors.floats(name) }
                }
            } catch {
                outcomes.errors += 1
                #expect(error.description.hasSuffix("."), "\(error)")
            }
        }
        // A mutation that never breaks anything, or always everything, would prove little.
        #expect(outcomes.errors > 10)
        #expect(name == "old" || outcomes.values > 10, "\(outcomes)")
    }

    @Test("operations in any order end in values or in an error of ours", .timeLimit(.minutes(5)))
    func operations() throws {
        let pieces: [[UInt8]] = [
            Pickle.none, Pickle.falsehood, Pickle.mark, Pickle.tuple, Pickle.tuple1, [0x86], [0x87], Pickle.emptyTuple,
            Pickle.emptyList, Pickle.emptyDict, [0x8F], [0x90], [0x91], [0x6C], [0x64], Pickle.append, [0x65], Pickle.setItem,
            [0x75],
            Pickle.reduce, Pickle.newObject, [0x92], Pickle.build, Pickle.persistentID, [0x30], [0x31], [0x32], [0x94],
            Pickle.put(0), Pickle.put(1), Pickle.get(0), Pickle.get(1), Pickle.text("storage"), Pickle.text("0"),
            Pickle.text("_modules"),
            Pickle.integer(0), Pickle.integer(-1), Pickle.integer(.max), Pickle.integers([2, 3]), Pickle.storage(),
            Pickle.tensor(),
            Pickle.global("collections", "OrderedDict"), Pickle.global("torch._utils", "_rebuild_tensor_v2"),
            Pickle.global("torch._utils", "_rebuild_parameter"), Pickle.global("argparse", "Namespace"),
            Pickle.global("__torch__", "A"), Pickle.global("builtins", "set"), Pickle.global("_codecs", "encode"),
            Pickle.global("torch", "Size"), Pickle.global("torch", "device"), Pickle.global("copyreg", "_reconstructor"),
            Pickle.global("a", "b"), [0x93], [0x8A, 9] + [UInt8](repeating: 0xFF, count: 9), [0x8A, 0],
        ]
        var dice = Dice(11)
        var values = 0
        for _ in 0..<3000 {
            var operations: [UInt8] = Pickle.emptyList + Pickle.put(0) + Pickle.emptyDict + Pickle.put(1)
            for _ in 0..<dice.roll(24) { operations += pieces[dice.roll(pieces.count)] }
            // A tuple of all that is left, so that more than a lucky few reach the end.
            let pickle = Pickle.whole(dice.roll(2) == 0 ? Pickle.mark + operations + Pickle.tuple : operations)
            let path = try folder.write(TorchFileBytes(pickle: pickle).bytes, as: "x.pt")
            do throws(TensorFileError) {
                _ = try TorchCheckpoint(path: path, objects: .collected).tensors()
                values += 1
            } catch {
                #expect(error.description.hasSuffix("."), "\(error)")
            }
        }
        #expect(values > 20)
    }
}
