import Foundation
import TensorFiles
import Testing

/// What `tools/golden/checkpoints.py` recorded beside the files it wrote.
struct ExpectedCheckpoint: Decodable {
    struct Tensor: Decodable {
        let type: String
        let shape: [Int]
        let strides: [Int]
        let offset: Int
        let contiguous: Bool
        /// Hexadecimal floating point.
        let values: [String]
    }

    let keys: [String]
    let tensors: [String: Tensor]

    static let all: [String: ExpectedCheckpoint] = {
        let url = URL(filePath: Fixture.path("checkpoints/expected.json"))
        return (try? JSONDecoder().decode([String: ExpectedCheckpoint].self, from: Data(contentsOf: url))) ?? [:]
    }()

    static func path(_ name: String) -> String { Fixture.path("checkpoints/\(name).pt") }
}

@Suite("PyTorch checkpoints that are read")
struct TorchCheckpointTests {
    static let names = [
        "clip", "module", "parameters", "protocol3", "protocol4", "protocol5", "script", "state", "training", "types", "views",
    ]

    @Test("every tensor has the shape, the strides and the values that torch recorded", arguments: names)
    func tensors(_ name: String) throws {
        let expected = try #require(ExpectedCheckpoint.all[name])
        let checkpoint = try TorchCheckpoint(
            path: ExpectedCheckpoint.path(name), objects: name == "module" ? .collected : .refused)
        let found = try expected.keys.first.map { try checkpoint.tensors(at: $0) } ?? checkpoint.tensors()
        #expect(Set(found.names) == Set(expected.tensors.keys))
        for (key, tensor) in expected.tensors {
            let description = try #require(found.tensors[key], "\(key)")
            #expect(description.type.rawValue == tensor.type, "\(key)")
            #expect(description.shape == tensor.shape, "\(key)")
            #expect(found.liesInPlace(key) == tensor.contiguous, "\(key)")
            let bytes = try found.withBytes(of: key) { Array($0) }
            #expect(bytes.count == description.byteCount)
            // As bits, so that -0 and 0 differ; one NaN is as good as another.
            let values = try Self.floats(found, key)
            let wanted = tensor.values.map { Float(Double($0) ?? .signalingNaN) }
            #expect(
                values.map { $0.isNaN ? 0x7FC0_0000 : $0.bitPattern } == wanted.map { $0.isNaN ? 0x7FC0_0000 : $0.bitPattern })
        }
    }

    /// Integers are read by the tensor itself: a source of weights has none.
    static func floats(_ tensors: CheckpointTensors, _ name: String) throws -> [Float] {
        let type = try #require(tensors.tensors[name]).type
        if type.isFloatingPoint { return try tensors.floats(name) }
        let error = TensorFileError.notFloatingPoint(path: tensors.path, tensor: name, found: type)
        #expect(throws: error) { _ = try tensors.floats(name) }
        return try tensors.withBytes(of: name) { bytes in
            (0..<bytes.count / type.byteCount).map { index in
                func word<Word: FixedWidthInteger & BitwiseCopyable>(_ type: Word.Type) -> Float {
                    Float(bytes.loadUnaligned(fromByteOffset: index * MemoryLayout<Word>.size, as: Word.self))
                }
                switch type.byteCount {
                case 8: return word(Int64.self)
                case 4: return word(Int32.self)
                case 2: return word(Int16.self)
                default: return type == .int8 ? word(Int8.self) : word(UInt8.self)
                }
            }
        }
    }

    @Test("a tensor knows its strides, its storage and its place in it")
    func views() throws {
        let expected = try #require(ExpectedCheckpoint.all["views"])
        let root = try TorchCheckpoint(path: ExpectedCheckpoint.path("views")).root
        for (key, tensor) in expected.tensors {
            let found = try #require(root[key]?.tensor, "\(key)")
            #expect(found.strides == tensor.strides, "\(key)")
            #expect(found.elementOffset == tensor.offset, "\(key)")
            #expect(found.isContiguous == tensor.contiguous, "\(key)")
            #expect(found.floats() == tensor.values.map { Float(Double($0) ?? .nan) }, "\(key)")
        }
        let whole = try #require(root["whole"]?.tensor)
        #expect(root["transposed"]?.tensor?.storage == whole.storage)
        #expect(root["bytes"]?.tensor?.storage != whole.storage)
        // Views share the file's bytes: nothing was copied for those that lie in a row.
        let first = whole.withBytes { $0.baseAddress }
        #expect(root["rows"]?.tensor?.withBytes { $0.baseAddress } == first?.advanced(by: 6 * 4))
    }

    @Test("integers and booleans of every width become Floats")
    func integers() throws {
        let expected = try #require(ExpectedCheckpoint.all["types"])
        let root = try TorchCheckpoint(path: ExpectedCheckpoint.path("types")).root
        for key in ["i64", "i32", "i16", "i8", "u8", "bool"] {
            #expect(root[key]?.tensor?.floats() == expected.tensors[key]?.values.map { Float(Double($0) ?? .nan) }, "\(key)")
        }
    }

    @Test("elements of torch's own files begin at multiples of 64", arguments: ["state", "types", "script"])
    func alignment(_ name: String) throws {
        let tensors = try TorchCheckpoint(path: ExpectedCheckpoint.path(name)).tensors()
        for name in tensors.names {
            #expect(try tensors.withBytes(of: name) { Int(bitPattern: $0.baseAddress) } % 64 == 0, "\(name)")
        }
    }

    @Test(
        "the values beside the tensors are the same in every protocol",
        arguments: ["training", "protocol3", "protocol4", "protocol5"])
    func values(_ name: String) throws {
        let root = try TorchCheckpoint(path: ExpectedCheckpoint.path(name)).root
        #expect(root["epoch"] == .integer(12))
        #expect(root["name"] == .text("ViT-tiny"))
        #expect(root["scaler"] == CheckpointValue.none)
        #expect(root["best"]?.number == -0.125)
        #expect(root["big"]?.integer == 1 << 40)
        #expect(root["huge"] == .opaque("int"))
        #expect(root["done"] == .truth(true))
        #expect(root["note"]?.text == "quote \" é 👗")
        #expect(
            root["history"]
                == .list([.number(0.5), .list([.integer(1), .integer(2)]), .dictionary(["lr": .number(1e-4)])]))
        #expect(root["tags"] == .list([.text("only")]))
        #expect(root["raw"] == .bytes([0, 255]))
        #expect(root["dtype"] == .text("torch.float16"))
        #expect(root["device"] == .text("cuda:0"))
        #expect(root["size"] == .list([.integer(2), .integer(3)]))
        #expect(root["args"] == .dictionary(["lr": .number(1e-4), "model": .text("ViT-B/16")]))
        #expect(root["counts"] == .dictionary(["a": .integer(1)]))
        let states = try #require(root["optimizer"]?["state"]?.dictionary)
        #expect(states[0]?["exp_avg"]?.tensor?.shape == [])
        #expect(states[0]?["step"]?.tensor?.floats() == [1])
        #expect(root["optimizer"]?["param_groups"]?.list?.first?["lr"]?.number == 1e-3)
    }

    @Test("the keys of a dictionary keep their order, and the tensors theirs")
    func order() throws {
        let checkpoint = try TorchCheckpoint(path: ExpectedCheckpoint.path("types"))
        let order = ["f64", "f32", "f16", "bf16", "i64", "i32", "i16", "i8", "u8", "bool", "scalar"]
        #expect(checkpoint.root.dictionary?.entries.map(\.key.description) == order)
        #expect(try checkpoint.tensors().names == order)
    }

    @Test("a TorchScript archive is the state of its objects, and its code is not looked at")
    func script() throws {
        let checkpoint = try TorchCheckpoint(path: ExpectedCheckpoint.path("script"))
        #expect(checkpoint.isTorchScript)
        #expect(checkpoint.root["widths"] == .list([.integer(1), .integer(2), .integer(3)]))
        #expect(checkpoint.root["names"] == .list([.text("a"), .text("b")]))
        #expect(checkpoint.root["input_resolution"]?.tensor?.floats() == [224])
        #expect(try !TorchCheckpoint(path: ExpectedCheckpoint.path("state")).isTorchScript)
    }

    @Test(
        "a pickled module is refused by its class unless one asks for its state; then buffers not meant to be saved are left out")
    func module() throws {
        let path = ExpectedCheckpoint.path("module")
        let refusal = TensorFileError.foreignGlobal(path: path, name: "torch.nn.parallel.data_parallel.DataParallel")
        #expect(throws: refusal) { _ = try TorchCheckpoint(path: path) }
        let checkpoint = try TorchCheckpoint(path: path, objects: .collected)
        #expect(checkpoint.root["epoch"] == .integer(3))
        #expect(checkpoint.root["model"]?["module"]?["kept"]?.tensor?.floats() == [0, 1, 2])
        #expect(checkpoint.root["model"]?["module"]?["mask"] == nil)
    }

    @Test("a file of the format before PyTorch 1.6 is refused with the way out")
    func old() throws {
        let path = ExpectedCheckpoint.path("old")
        let error = try #require(throws: TensorFileError.self) { _ = try TorchCheckpoint(path: path) }
        #expect(error == .oldTorch(path: path))
        #expect(error.description.contains("torch.save it again"))
    }

    @Test("a key that leads nowhere is named, with those that are there")
    func keys() throws {
        let checkpoint = try TorchCheckpoint(path: ExpectedCheckpoint.path("training"))
        let missing = #expect(throws: TensorFileError.self) { _ = try checkpoint.tensors(at: "model") }
        #expect(missing?.description.contains("`model` is missing, expected one of `epoch`, `name`, `state_dict`") == true)
        let number = #expect(throws: TensorFileError.self) { _ = try checkpoint.tensors(at: "epoch") }
        #expect(number?.description.contains("`epoch` is 12, expected a dictionary of tensors") == true)
        let beyond = #expect(throws: TensorFileError.self) { _ = try checkpoint.tensors(at: "epoch", "x") }
        #expect(beyond?.description.contains("`epoch.x` is missing, expected a dictionary around it") == true)
        let tensors = try checkpoint.tensors(at: "state_dict")
        let absent = TensorFileError.noSuchTensor(path: checkpoint.path, tensor: "x", count: tensors.names.count)
        #expect(throws: absent) { _ = try tensors.floats("x") }
        #expect(throws: absent) { try tensors.withBytes(of: "x") { _ in } }
        #expect(!tensors.liesInPlace("x"))
    }
}
