import Foundation
import TensorFiles
import Testing

@Suite("PyTorch checkpoints that are refused")
struct TorchRefusalTests {
    let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    struct Fault: Sendable, CustomTestStringConvertible {
        let what: String
        let pickle: [UInt8]
        /// A part of the sentence that only the right diagnosis holds.
        let says: String
        var testDescription: String { what }

        init(_ what: String, _ pickle: [UInt8], says: String) {
            self.what = what
            self.pickle = pickle
            self.says = says
        }

        init(_ what: String, tensor: [UInt8], says: String) {
            self.init(what, Pickle.checkpoint(tensor), says: says)
        }
    }

    /// `function(text)`.
    static func call(_ module: String, _ name: String, _ text: String) -> [UInt8] {
        Pickle.whole(Pickle.global(module, name) + Pickle.text(text) + Pickle.tuple1 + Pickle.reduce)
    }

    static let calls: [Fault] = [
        Fault("os.system", call("os", "system", "touch /tmp/x"), says: "asks for `os.system`"),
        Fault("posix.system", call("posix", "system", "touch /tmp/x"), says: "asks for `posix.system`"),
        Fault("eval", call("builtins", "eval", "1"), says: "asks for `builtins.eval`"),
        Fault("eval of Python 2", call("__builtin__", "eval", "1"), says: "asks for `__builtin__.eval`"),
        Fault("getattr", call("builtins", "getattr", "1"), says: "asks for `builtins.getattr`"),
        Fault(
            "a nested pickle", call("torch.storage", "_load_from_bytes", "x"), says: "asks for `torch.storage._load_from_bytes`"),
        Fault("torch.load", call("torch.serialization", "load", "x"), says: "asks for `torch.serialization.load`"),
        Fault("hub", call("torch.hub", "load", "x"), says: "asks for `torch.hub.load`"),
        Fault(
            "a name in two halves", call("torch", "_utils._rebuild_tensor_v2.__globals__", "x"), says: "asks for `torch._utils."),
        Fault(
            "by STACK_GLOBAL",
            Pickle.whole(Pickle.text("os") + Pickle.text("system") + [0x93] + Pickle.text("x") + Pickle.tuple1 + Pickle.reduce),
            says: "asks for `os.system`"),
        Fault("list, called", call("builtins", "list", "x"), says: "asks for `builtins.list`"),
    ]

    @Test("a function that the file wants called is refused by name, also where objects are collected", arguments: calls)
    func call(_ fault: Fault) throws {
        let path = try folder.write(TorchFileBytes(pickle: fault.pickle).bytes, as: "x.pt")
        for objects in [TorchCheckpoint.Objects.refused, .collected] {
            let error = try #require(throws: TensorFileError.self) { _ = try TorchCheckpoint(path: path, objects: objects) }
            #expect(error.description.contains(fault.says), "\(error)")
            #expect(error.description.contains("nothing of it was run"))
        }
        #expect(try folder.names == ["x.pt"])
    }

    @Test("an object of a foreign class is refused, or named where objects are collected; its state is not looked at")
    func objects() throws {
        let popen = Pickle.global("subprocess", "Popen") + Pickle.text("x") + Pickle.tuple1 + Pickle.newObject
        let path = try folder.write(
            TorchFileBytes(pickle: Pickle.checkpoint(popen + Pickle.emptyDict + Pickle.build)).bytes, as: "x.pt")
        #expect(throws: TensorFileError.foreignGlobal(path: path, name: "subprocess.Popen")) {
            _ = try TorchCheckpoint(path: path)
        }
        #expect(try TorchCheckpoint(path: path, objects: .collected).root["w"] == .opaque("subprocess.Popen"))
    }

    static let pickles: [Fault] = [
        Fault("an empty pickle", [], says: "the pickle is cut off at byte 0"),
        Fault("protocol 1", [0x80, 1, 0x4E, 0x2E], says: "expected a pickle of protocol 2 to 5"),
        Fault("protocol 6", [0x80, 6, 0x4E, 0x2E], says: "expected a pickle of protocol 2 to 5"),
        Fault("a text protocol", Array("I1\n.".utf8), says: "expected a pickle of protocol 2 to 5"),
        Fault("no STOP", [0x80, 2, 0x4E], says: "the pickle is cut off at byte 3"),
        Fault("nothing to return", Pickle.whole([]), says: "an operation finds too few values"),
        Fault("two values", Pickle.whole(Pickle.none + Pickle.none), says: "STOP leaves more than one value"),
        Fault("an open MARK", Pickle.whole(Pickle.none + Pickle.mark + Pickle.none), says: "STOP leaves more than one value"),
        Fault("an extension", Pickle.whole([0x82, 1]), says: "unknown operation 130 at byte 2"),
        Fault("a text INST", Pickle.whole([0x69]), says: "unknown operation 105"),
        Fault("no MARK", Pickle.whole(Pickle.tuple), says: "finds no MARK"),
        Fault("below a MARK", Pickle.whole(Pickle.none + Pickle.mark + Pickle.tuple1), says: "finds too few values"),
        Fault("a memo without the value", Pickle.whole(Pickle.get(7)), says: "the memo has no value 7"),
        Fault(
            "a text that is longer than the file", Pickle.whole([0x58, 0xFF, 0xFF, 0xFF, 0xFF]), says: "the pickle is cut off"),
        Fault("a text of 2^64 - 1", Pickle.whole([0x8D] + little(UInt64.max)), says: "the pickle is cut off"),
        Fault("bytes of 2^63 - 1", Pickle.whole([0x8E] + little(UInt64(Int.max))), says: "the pickle is cut off"),
        Fault("a negative length", Pickle.whole([0x8B] + little(Int32(-1))), says: "the pickle is cut off"),
        Fault("a text that is not UTF-8", Pickle.whole([0x58, 1, 0, 0, 0, 0xFF]), says: "a text is not UTF-8"),
        Fault("an endless name", Pickle.whole([0x63] + [UInt8](repeating: 0x61, count: 5000)), says: "name is too long"),
        Fault("a name that is a number", Pickle.whole(Pickle.integer(1) + Pickle.integer(2) + [0x93]), says: "name is no text"),
        Fault("a number that grows", Pickle.whole(Pickle.integer(1) + Pickle.none + Pickle.append), says: "only a list or a set"),
        Fault("a tuple that grows", Pickle.whole(Pickle.emptyTuple + Pickle.none + Pickle.append), says: "only a list or a set"),
        Fault(
            "a list with keys", Pickle.whole(Pickle.emptyList + Pickle.none + Pickle.none + Pickle.setItem), says: "only a dict"),
        Fault("a key alone", Pickle.whole(Pickle.emptyDict + Pickle.mark + Pickle.none + [0x75]), says: "a key has no value"),
        Fault(
            "a call of a number", Pickle.whole(Pickle.integer(1) + Pickle.emptyTuple + Pickle.reduce), says: "calls no function"),
        Fault(
            "arguments in a list", Pickle.whole(Pickle.none + Pickle.emptyList + Pickle.reduce), says: "arguments are no tuple"),
        Fault(
            "a state for a number", Pickle.whole(Pickle.integer(1) + Pickle.none + Pickle.build),
            says: "a state without an object"),
        Fault(
            "an object of a number", Pickle.whole(Pickle.integer(1) + Pickle.emptyTuple + Pickle.newObject),
            says: "without a class"),
        Fault(
            "a dictionary of numbers",
            Pickle.whole(
                Pickle.global("collections", "OrderedDict") + Pickle.emptyList + Pickle.none + Pickle.append + Pickle.tuple1
                    + Pickle.reduce), says: "something other than pairs"),
        Fault(
            "keys that differ in normalisation alone",
            Pickle.whole(
                Pickle.emptyDict + Pickle.text("\u{E9}") + Pickle.none + Pickle.setItem + Pickle.text("e\u{301}") + Pickle.none
                    + Pickle.setItem), says: "differ in Unicode normalisation alone"),
    ]

    static let tensors: [Fault] = [
        Fault(
            "a storage that is not there", tensor: Pickle.tensor(Pickle.storage(key: "9")),
            says: "`data/9` is broken: the archive has no"),
        Fault(
            "a storage outside", tensor: Pickle.tensor(Pickle.storage(key: "../data.pkl")), says: "the archive has no such entry"),
        Fault(
            "a storage too short", tensor: Pickle.tensor(Pickle.storage(count: 7)),
            says: "of 7 elements does not fit its 24 bytes"),
        Fault("a negative count", tensor: Pickle.tensor(Pickle.storage(count: -1)), says: "of -1 elements does not fit"),
        Fault("a count that overflows", tensor: Pickle.tensor(Pickle.storage(count: .max)), says: "does not fit its 24 bytes"),
        Fault(
            "wider elements", tensor: Pickle.tensor(Pickle.storage("DoubleStorage")),
            says: "DoubleStorage of 6 elements does not fit"),
        Fault("an unknown class", tensor: Pickle.tensor(Pickle.storage("QInt8Storage")), says: "asks for `torch.QInt8Storage`"),
        Fault("a class that is none", tensor: Pickle.tensor(Pickle.storage("Size")), says: "a storage of an unknown class"),
        Fault(
            "a persistent text", tensor: Pickle.text("0") + Pickle.persistentID, says: "persistent id is not that of a storage"),
        Fault(
            "too many rows", tensor: Pickle.tensor(shape: [3, 3]),
            says: "[3, 3] with strides [3, 1] from 0 reaches element 8 of 6"),
        Fault("an offset too far", tensor: Pickle.tensor(offset: 1), says: "from 1 reaches element 6 of 6"),
        Fault("a negative offset", tensor: Pickle.tensor(offset: -1), says: "offset -1 or a stride of [3, 1] is negative"),
        Fault("a negative stride", tensor: Pickle.tensor(offset: 5, strides: [-3, 1]), says: "a stride of [-3, 1] is negative"),
        Fault("the least offset", tensor: Pickle.tensor(offset: .min), says: "is negative"),
        Fault("a negative extent", tensor: Pickle.tensor(shape: [-2, 3]), says: "no tensor has the shape [-2, 3]"),
        Fault("a shape that overflows", tensor: Pickle.tensor(shape: [1 << 32, 1 << 32]), says: "no tensor has the shape"),
        Fault(
            "an overflow behind a zero", tensor: Pickle.tensor(shape: [1 << 32, 1 << 32, 0], strides: [0, 0, 0]),
            says: "no tensor has the shape"),
        Fault("strides that overflow", tensor: Pickle.tensor(strides: [.max, .max]), says: "reach beyond 63 bits"),
        Fault("an offset that overflows", tensor: Pickle.tensor(offset: .max), says: "reach beyond 63 bits"),
        Fault("a stride too few", tensor: Pickle.tensor(strides: [1]), says: "2 extents and 1 strides"),
        Fault("one element as a billion", tensor: Pickle.tensor(shape: [1 << 30], strides: [0]), says: "spreads 6 elements over"),
        Fault(
            "65 dimensions",
            tensor: Pickle.tensor(shape: [Int](repeating: 1, count: 65), strides: [Int](repeating: 1, count: 65)),
            says: "missing or too many"),
        Fault(
            "a shape that is a text", tensor: Pickle.tensor(Pickle.text("x")),
            says: "storage, offset, size or strides are missing"),
        Fault(
            "a parameter of nothing",
            tensor: Pickle.global("torch._utils", "_rebuild_parameter") + Pickle.none + Pickle.tuple1 + Pickle.reduce,
            says: "a parameter without a tensor"),
    ]

    @Test("a planted fault is refused with what was found and where", arguments: pickles + tensors)
    func plantedFault(_ fault: Fault) throws {
        let path = try folder.write(TorchFileBytes(pickle: fault.pickle).bytes, as: "x.pt")
        for objects in [TorchCheckpoint.Objects.refused, .collected] {
            let error = try #require(throws: TensorFileError.self) { _ = try TorchCheckpoint(path: path, objects: objects) }
            // A class without a meaning is refused where it is used, if not where it is named.
            guard objects == .refused || !fault.says.hasPrefix("asks for") else { continue }
            #expect(error.description.contains(fault.says), "\(error)")
            #expect(error.description.contains(path))
        }
    }

    @Test("strides and offsets of tensors without elements or along extents of 1 lead nowhere and are harmless")
    func harmlessStrides() throws {
        let pickle = Pickle.whole(
            Pickle.emptyList + Pickle.tensor(offset: 99, shape: [0, 3], strides: [.max, .max]) + Pickle.append
                + Pickle.tensor(shape: [2, 1, 2], strides: [1, .max, 3]) + Pickle.append
                + Pickle.tensor(shape: [1, 6], strides: [.max, 1]) + Pickle.append)
        let data = (0..<6).flatMap { little(Float($0).bitPattern) }
        let path = try folder.write(TorchFileBytes(pickle: pickle, records: ["data/0": data]).bytes, as: "x.pt")
        let values = try #require(TorchCheckpoint(path: path).root.list)
        #expect(values.map { $0.tensor?.floats() } == [[], [0, 3, 1, 4], [0, 1, 2, 3, 4, 5]])
    }

    @Test("storages of CUDA are read like any other")
    func cuda() throws {
        let tensor = Pickle.tensor(Pickle.storage("HalfStorage", device: "cuda:0"))
        let data = (0..<6).flatMap { little(UInt16($0)) }
        let path = try folder.write(
            TorchFileBytes(pickle: Pickle.checkpoint(tensor), records: ["data/0": data]).bytes, as: "x.pt")
        #expect(try TorchCheckpoint(path: path).tensors().floats("w") == (0..<6).map { Float($0) * 0x1p-24 })
    }
}
