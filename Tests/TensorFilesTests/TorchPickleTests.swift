import TensorFiles
import Testing

/// What Python's own `pickle.loads` makes of the same bytes, worked out by hand from the protocol.
@Suite("Pickles that are read")
struct TorchPickleTests {
    let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    struct Case: Sendable, CustomTestStringConvertible {
        let what: String
        let operations: [UInt8]
        let value: CheckpointValue
        var testDescription: String { what }

        init(_ what: String, _ operations: [UInt8], _ value: CheckpointValue) {
            self.what = what
            self.operations = operations
            self.value = value
        }
    }

    static func call(_ module: String, _ name: String, _ arguments: [UInt8]) -> [UInt8] {
        Pickle.global(module, name) + Pickle.mark + arguments + Pickle.tuple + Pickle.reduce
    }

    static let pairs: [UInt8] =
        Pickle.emptyList + Pickle.mark + Pickle.text("b") + Pickle.integer(1) + [0x86]
        + Pickle.text("a") + Pickle.integer(2) + [0x86, 0x65]

    static let cases: [Case] = [
        Case("BININT, negative", [0x4A] + little(Int32(-70_000)), -70_000),
        Case("BININT2", [0x4D, 0xFF, 0xFF], 65_535),
        Case("LONG1 without bytes", [0x8A, 0], 0),
        Case("LONG1 of one byte", [0x8A, 1, 0xFF], -1),
        Case("LONG1 of two bytes", [0x8A, 2, 0xFF, 0x00], 255),
        Case("LONG1 of two bytes, negative", [0x8A, 2, 0x00, 0x80], -32_768),
        Case("LONG1 of eight bytes", [0x8A, 8, 0, 0, 0, 0, 0, 0, 0, 0x80], .integer(.min)),
        Case("LONG1 of nine bytes", [0x8A, 9, 0, 0, 0, 0, 0, 0, 0, 0x80, 0], .opaque("int")),
        Case("LONG4", [0x8B, 3, 0, 0, 0, 1, 2, 3], 0x030201),
        Case("BINFLOAT is big-endian", [0x47, 0x3F, 0xF8, 0, 0, 0, 0, 0, 0], 1.5),
        Case("SHORT_BINUNICODE", [0x8C, 2, 0xC3, 0xA9], "é"),
        Case("BINUNICODE8", [0x8D] + little(UInt64(1)) + [0x61], "a"),
        Case("a text of Python 2", [0x55, 1, 0x61], "a"),
        Case("SHORT_BINBYTES", [0x43, 2, 0, 255], .bytes([0, 255])),
        Case("BINBYTES", [0x42, 1, 0, 0, 0, 7], .bytes([7])),
        Case("BYTEARRAY8", [0x96] + little(UInt64(1)) + [7], .bytes([7])),
        Case("a tuple of two", Pickle.integer(1) + Pickle.none + [0x86], .list([1, CheckpointValue.none])),
        Case("LIST", Pickle.mark + Pickle.integer(1) + Pickle.integer(2) + [0x6C], .list([1, 2])),
        Case(
            "DICT, a key twice", Pickle.mark + (1...2).flatMap { Pickle.text("a") + Pickle.integer($0) } + [0x64],
            .dictionary(["a": 2])),
        Case("a set grows", [0x8F] + Pickle.mark + Pickle.integer(1) + [0x90], .list([1])),
        Case("FROZENSET", Pickle.mark + Pickle.integer(1) + [0x91], .list([1])),
        Case("POP takes a MARK", Pickle.integer(1) + Pickle.mark + [0x30], 1),
        Case("POP takes a value", Pickle.integer(1) + Pickle.none + [0x30], 1),
        Case("POP_MARK", Pickle.integer(1) + Pickle.mark + Pickle.none + Pickle.none + [0x31], 1),
        Case(
            "DUP is the same list", Pickle.emptyList + [0x32] + Pickle.integer(1) + Pickle.append + [0x86],
            .list([.list([1]), .list([1])])),
        Case(
            "MEMOIZE counts on", Pickle.integer(5) + [0x94] + Pickle.integer(6) + [0x94, 0x30] + Pickle.get(1) + [0x86],
            .list([5, 6])),
        Case(
            "the memo shares what grows later",
            Pickle.emptyList + Pickle.put(9) + Pickle.get(9) + Pickle.integer(1) + Pickle.append + [0x86],
            .list([.list([1]), .list([1])])),
        Case("a frame", [0x95] + little(UInt64(1)) + Pickle.none, .none),
        Case("True is the key 1", Pickle.emptyDict + [0x88] + Pickle.none + Pickle.setItem, .dictionary([1: .none])),
        Case("a dictionary with None for a key", Pickle.emptyDict + Pickle.none + Pickle.none + Pickle.setItem, .opaque("dict")),
        Case("an OrderedDict of pairs", call("collections", "OrderedDict", pairs), .dictionary(["b": 1, "a": 2])),
        Case(
            "a Counter", call("collections", "Counter", Pickle.emptyDict + Pickle.text("a") + Pickle.integer(3) + Pickle.setItem),
            .dictionary(["a": 3])),
        Case("a defaultdict", call("collections", "defaultdict", Pickle.global("builtins", "list")), .dictionary([:])),
        Case(
            "a dictionary's attributes are dropped", Pickle.emptyDict + Pickle.text("_metadata") + Pickle.build, .dictionary([:])),
        Case("an empty bytes of protocol 2", call("_codecs", "encode", Pickle.text("") + Pickle.text("latin1")), .bytes([])),
        Case(
            "bytes of protocol 2", call("_codecs", "encode", Pickle.text("\u{FF}a") + Pickle.text("latin1")), .bytes([255, 97])),
        Case("torch.Size", call("torch", "Size", Pickle.integers([2, 3])), .list([2, 3])),
        Case("a device without a number", call("torch", "device", Pickle.text("cpu")), "cpu"),
        Case("a TorchScript list", call("torch.jit._pickle", "build_intlist", Pickle.emptyList), .list([])),
        Case("an element type", Pickle.global("torch", "bfloat16"), "torch.bfloat16"),
        Case("a storage alone", Pickle.storage(), .opaque("torch.FloatStorage")),
        Case(
            "a TorchScript object without a state", Pickle.global("__torch__.a", "B") + Pickle.emptyTuple + Pickle.newObject,
            .dictionary([:])),
        Case(
            "a Namespace of Python 2",
            call(
                "copy_reg", "_reconstructor",
                Pickle.global("argparse", "Namespace") + Pickle.global("__builtin__", "object") + Pickle.none)
                + Pickle.emptyDict + Pickle.text("lr") + Pickle.integer(1) + Pickle.setItem + Pickle.build, .dictionary(["lr": 1])
        ),
    ]

    @Test("an operation builds what Python builds", arguments: cases)
    func operation(_ example: Case) throws {
        let path = try folder.write(TorchFileBytes(pickle: Pickle.whole(example.operations)).bytes, as: "x.pt")
        for objects in [TorchCheckpoint.Objects.refused, .collected] {
            #expect(try TorchCheckpoint(path: path, objects: objects).root == example.value)
        }
    }

    @Test("where objects are collected, functions that are only mentioned are names; otherwise they are refused")
    func mentioned() throws {
        let path = try folder.write(
            TorchFileBytes(pickle: Pickle.whole(Pickle.global("torch._C._nn", "gelu"))).bytes, as: "x.pt")
        #expect(throws: TensorFileError.foreignGlobal(path: path, name: "torch._C._nn.gelu")) {
            _ = try TorchCheckpoint(path: path)
        }
        #expect(try TorchCheckpoint(path: path, objects: .collected).root == .opaque("torch._C._nn.gelu"))
    }

    /// What numpy 1 and 2, pathlib and datetime pickle, as Python writes it in protocol 2.
    private static let bystanders: [(name: String, operations: [UInt8])] = {
        func double(_ core: String) -> [UInt8] {
            let type =
                Pickle.global("numpy", "dtype") + Pickle.text("f8") + Pickle.falsehood + [0x88] + [0x87] + Pickle.reduce
                + Pickle.mark + Pickle.integer(3) + Pickle.text("<") + Pickle.none + Pickle.none + Pickle.none
                + Pickle.integer(-1) + Pickle.integer(-1) + Pickle.integer(0) + Pickle.tuple + Pickle.build
            let bytes = call("_codecs", "encode", Pickle.text("\u{0}?") + Pickle.text("latin1"))
            return Pickle.global("numpy.\(core).multiarray", "scalar") + type + bytes + [0x86] + Pickle.reduce
        }
        let array =
            Pickle.global("numpy.core.multiarray", "_reconstruct") + Pickle.global("numpy", "ndarray") + Pickle.integers([0])
            + call("_codecs", "encode", Pickle.text("b") + Pickle.text("latin1")) + [0x87] + Pickle.reduce
            + Pickle.mark + Pickle.integer(1) + Pickle.integers([2]) + double("core") + Pickle.falsehood + Pickle.text("")
            + Pickle.tuple
            + Pickle.build
        return [
            ("numpy.core.multiarray.scalar", double("core")), ("numpy._core.multiarray.scalar", double("_core")),
            ("numpy.core.multiarray._reconstruct", array),
            ("numpy.random._pickle.__generator_ctor", call("numpy.random._pickle", "__generator_ctor", Pickle.text("PCG64"))),
            ("numpy.dtypes.Float64DType", Pickle.global("numpy.dtypes", "Float64DType")),
            ("pathlib.PosixPath", call("pathlib", "PosixPath", Pickle.text("/") + Pickle.text("data"))),
            ("pathlib._local.PosixPath", call("pathlib._local", "PosixPath", Pickle.text("/"))),
            ("datetime.datetime", call("datetime", "datetime", Pickle.text("x"))),
        ]
    }()

    @Test(
        "numbers, arrays and random states of numpy, paths and dates are values without interest, and what stands beside them is read"
    )
    func bystanders() throws {
        for (name, operations) in Self.bystanders {
            let pickle = Pickle.whole(
                Pickle.emptyDict + Pickle.text("lr") + operations + Pickle.setItem + Pickle.text("w") + Pickle.tensor()
                    + Pickle.setItem)
            let path = try folder.write(TorchFileBytes(pickle: pickle).bytes, as: "x.pt")
            for objects in [TorchCheckpoint.Objects.refused, .collected] {
                let checkpoint = try TorchCheckpoint(path: path, objects: objects)
                #expect(checkpoint.root["lr"] == .opaque(name))
                #expect(try checkpoint.tensors().names == ["w"])
            }
        }
    }

    @Test("what only looks like numpy's is refused as ever")
    func notNumpy() throws {
        for (module, name) in [("numpy", "fromfile"), ("numpy.core.multiarray", "frombuffer"), ("numpy.lib.npyio", "load")] {
            let path = try folder.write(
                TorchFileBytes(pickle: Pickle.whole(Self.call(module, name, Pickle.text("/etc/passwd")))).bytes, as: "x.pt")
            #expect(throws: TensorFileError.foreignGlobal(path: path, name: "\(module).\(name)")) {
                _ = try TorchCheckpoint(path: path)
            }
        }
    }
}
