import TensorFiles
import Testing

@Suite("PyTorch checkpoints that are bombs")
struct TorchBombTests {
    let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    struct Bomb: Sendable, CustomTestStringConvertible {
        let what: String
        let pickle: [UInt8]
        let says: String
        var testDescription: String { what }
    }

    static func repeated(_ count: Int, _ bytes: [UInt8]) -> [UInt8] { Array(repeatElement(bytes, count: count).joined()) }

    static let bombs: [Bomb] = [
        // [[[…]]], built from the outside and from the inside.
        Bomb(
            what: "lists a hundred thousand deep",
            pickle: Pickle.whole(repeated(100_000, Pickle.emptyList) + repeated(99_999, Pickle.append)), says: "levels of values"),
        Bomb(
            what: "tuples a hundred thousand deep", pickle: Pickle.whole(Pickle.none + repeated(100_000, Pickle.tuple1)),
            says: "levels of values"),
        Bomb(
            what: "objects that are one another's state",
            pickle: Pickle.whole(
                repeated(2000, Pickle.global("argparse", "Namespace") + Pickle.emptyTuple + Pickle.newObject)
                    + repeated(1999, Pickle.build)
            ), says: "levels of values"),
        Bomb(
            what: "a list that contains itself",
            pickle: Pickle.whole(Pickle.emptyList + Pickle.put(0) + Pickle.get(0) + Pickle.append), says: "contains itself"),
        Bomb(
            what: "a dictionary that contains itself",
            pickle: Pickle.whole(Pickle.emptyDict + Pickle.put(0) + Pickle.text("a") + Pickle.get(0) + Pickle.setItem),
            says: "contains itself"),
        Bomb(
            what: "an object that is its own state",
            pickle: Pickle.whole(
                Pickle.global("argparse", "Namespace") + Pickle.emptyTuple + Pickle.newObject + Pickle.put(0) + Pickle.get(0)
                    + Pickle.build), says: "contains itself"),
        // Each list holds the one before it twice: 2^40 values in 400 bytes.
        Bomb(
            what: "a list that doubles forty times",
            pickle: Pickle.whole(
                Pickle.emptyList + Pickle.put(0) + [0x30]
                    + repeated(40, Pickle.mark + Pickle.get(0) + Pickle.get(0) + [0x6C] + Pickle.put(0) + [0x30]) + Pickle.get(0)),
            says: "shared ones each time"),
        Bomb(
            what: "a tree that is shallow at first sight and deep where it is shared",
            pickle: Pickle.whole(
                Pickle.emptyList + Pickle.none + repeated(60, Pickle.tuple1) + Pickle.put(0) + Pickle.append + Pickle.get(0)
                    + repeated(60, Pickle.tuple1) + Pickle.append), says: "levels of values"),
        Bomb(what: "two million values", pickle: Pickle.whole(repeated(2_000_000, Pickle.none)), says: "values in its pickle"),
        Bomb(
            what: "two million values, one at a time", pickle: Pickle.whole(repeated(2_000_000, Pickle.none + [0x30])),
            says: "values in its pickle"),
        Bomb(what: "two million MARKs", pickle: Pickle.whole(repeated(2_000_000, Pickle.mark)), says: "open lists in its pickle"),
        Bomb(
            what: "a memo of two million", pickle: Pickle.whole(Pickle.none + repeated(2_000_000, [0x94])),
            says: "remembered values in its pickle"),
        Bomb(
            what: "a set made anew of a long list",
            pickle: Pickle.whole(
                Pickle.emptyList + Pickle.put(0) + Pickle.mark + repeated(100_000, Pickle.none) + [0x65] + [0x30]
                    + Pickle.global("builtins", "set") + Pickle.put(1)
                    + repeated(100, Pickle.get(1) + Pickle.get(0) + Pickle.tuple1 + Pickle.reduce)), says: "values in its pickle"),
        Bomb(
            what: "bytes made anew of a long text",
            pickle: Pickle.whole(
                Pickle.mark + Pickle.text(String(repeating: "x", count: 1 << 20)) + Pickle.text("latin1") + Pickle.tuple
                    + Pickle.put(0)
                    + Pickle.global("_codecs", "encode") + Pickle.put(1)
                    + repeated(100, Pickle.get(1) + Pickle.get(0) + Pickle.reduce)), says: "bytes of text in its pickle"),
        Bomb(
            what: "a long name made anew",
            pickle: Pickle.whole(
                Pickle.text(String(repeating: "x", count: 1 << 20)) + Pickle.put(0)
                    + repeated(1000, Pickle.get(0) + Pickle.get(0) + [0x93])), says: "name is too long"),
    ]

    @Test("a bomb ends in one sentence, in a moment and in little memory", .timeLimit(.minutes(5)), arguments: bombs)
    func bomb(_ bomb: Bomb) throws {
        let path = try folder.write(TorchFileBytes(pickle: bomb.pickle).bytes, as: "x.pt")
        for objects in [TorchCheckpoint.Objects.refused, .collected] {
            let error = try #require(throws: TensorFileError.self) { _ = try TorchCheckpoint(path: path, objects: objects) }
            #expect(error.description.contains(bomb.says), "\(error)")
        }
    }

    @Test("modules that share one large state, or one another, are walked once and not a million times", .timeLimit(.minutes(5)))
    func sharedModules() throws {
        func module(_ modules: [UInt8]) -> [UInt8] {
            Pickle.global("a", "M") + Pickle.emptyTuple + Pickle.newObject + Pickle.emptyDict
                + Pickle.text("_parameters") + Pickle.emptyDict + Pickle.setItem
                + Pickle.text("_buffers") + Pickle.emptyDict + Pickle.setItem
                + Pickle.text("_modules") + modules + Pickle.setItem + Pickle.build
        }
        let long = Pickle.emptyDict + (0..<20_000).flatMap { Pickle.text("\($0)") + Pickle.none + Pickle.setItem } + Pickle.put(0)
        let many = Self.repeated(1000, module(Pickle.get(0)) + Pickle.append)
        let shared = Pickle.whole(long + [0x30] + Pickle.emptyList + many)
        // A module whose two submodules are the module before it.
        let both =
            Pickle.emptyDict + Pickle.text("a") + Pickle.get(0) + Pickle.setItem + Pickle.text("b") + Pickle.get(0)
            + Pickle.setItem
        let doubling = Pickle.whole(
            module(Pickle.emptyDict) + Pickle.put(0) + [0x30] + Self.repeated(30, module(both) + Pickle.put(0) + [0x30])
                + Pickle.get(0))
        for pickle in [shared, doubling] {
            let path = try folder.write(TorchFileBytes(pickle: pickle).bytes, as: "x.pt")
            let error = #expect(throws: TensorFileError.self) { _ = try TorchCheckpoint(path: path, objects: .collected) }
            #expect(error?.description.contains("values, shared ones each time") == true, "\(error as Any)")
        }
    }

    @Test("tensors that name more than the file could hold are refused when they are gathered")
    func names() throws {
        // 4096 times the same tensor of 1 MiB.
        let elements = 1 << 18
        let tensor = Pickle.tensor(Pickle.storage(count: elements), shape: [elements], strides: [1])
        let many = Pickle.whole(
            Pickle.emptyList + tensor + Pickle.put(0) + Pickle.append + Self.repeated(4095, Pickle.get(0) + Pickle.append))
        let path = try folder.write(
            TorchFileBytes(pickle: many, records: ["data/0": [UInt8](repeating: 0, count: 4 * elements)]).bytes, as: "x.pt")
        let checkpoint = try TorchCheckpoint(path: path)
        let bytes = #expect(throws: TensorFileError.self) { _ = try checkpoint.tensors() }
        #expect(bytes?.description.contains("has tensors of 4294967296 bytes") == true, "\(bytes as Any)")

        let long = Pickle.checkpoint(Pickle.tensor(), key: String(repeating: "x", count: 2000))
        let named = try TorchCheckpoint(path: folder.write(TorchFileBytes(pickle: long).bytes, as: "y.pt"))
        let name = #expect(throws: TensorFileError.self) { _ = try named.tensors() }
        #expect(name?.description.contains("a tensor's name of 2000 bytes") == true)
    }

    @Test("two tensors of one dotted name are refused")
    func duplicate() throws {
        let pickle = Pickle.whole(
            Pickle.emptyDict + Pickle.text("a.b") + Pickle.tensor() + Pickle.setItem + Pickle.text("a")
                + Pickle.emptyDict + Pickle.text("b") + Pickle.tensor() + Pickle.setItem + Pickle.setItem)
        let path = try folder.write(TorchFileBytes(pickle: pickle).bytes, as: "x.pt")
        let checkpoint = try TorchCheckpoint(path: path)
        #expect(throws: TensorFileError.duplicateTensor(path: path, tensor: "a.b")) { _ = try checkpoint.tensors() }
    }
}
