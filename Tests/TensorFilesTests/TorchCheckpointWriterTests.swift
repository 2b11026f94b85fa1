import Foundation
import Testing

@testable import TensorFiles

/// The Python environment of `make reference`, where it has been made.
private enum Reference {
    static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appending(path: "../..").standardizedFileURL
        .path
    static let python = root + "/.deps/reference/bin/python"
    static var isPresent: Bool { FileManager.default.isExecutableFile(atPath: python) }
}

@Suite("PyTorch checkpoints that are written")
struct TorchCheckpointWriterTests {
    let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    static let values: CheckpointDictionary = [
        "epoch": 12, "big": .integer(1 << 40), "least": .integer(.min), "byte": 200, "word": -70_000, "rate": .number(1e-4),
        "done": .truth(true), "nothing": CheckpointValue.none, "note": .text("quote \" é 👗\n\0"),
        "nested": .dictionary(["list": .list([.number(0.5), .text("")]), 7: .dictionary([:])]),
    ]

    @Test(
        "every tensor of torch's own file comes back byte for byte, aligned, with what stood beside it",
        arguments: ["types", "views"])
    func rewritten(_ name: String) throws {
        let source = try TorchCheckpoint(path: ExpectedCheckpoint.path(name)).tensors()
        let path = folder.path("copy.pt")
        let tensors = try source.names.reversed().map { name in
            let tensor = try #require(source.tensors[name])
            return TensorToWrite(name: name, type: tensor.type, shape: tensor.shape) { try source.withBytes(of: name, $0) }
        }
        try TorchCheckpointWriter.write(tensors, key: "state_dict", values: Self.values, to: path)
        let checkpoint = try TorchCheckpoint(path: path)
        let copy = try checkpoint.tensors(at: "state_dict")
        #expect(copy.names == source.names.reversed())
        #expect(copy.tensors == source.tensors)
        for name in source.names {
            #expect(try copy.withBytes(of: name) { Array($0) } == source.withBytes(of: name) { Array($0) }, "\(name)")
            #expect(try copy.withBytes(of: name) { Int(bitPattern: $0.baseAddress) } % 64 == 0, "\(name)")
            #expect(copy.liesInPlace(name))
        }
        #expect(checkpoint.root.dictionary?.entries.dropFirst().map(\.key) == Self.values.entries.map(\.key))
        for entry in Self.values.entries { #expect(checkpoint.root.dictionary?[entry.key] == entry.value) }
        #expect(try folder.names == ["copy.pt"])
    }

    @Test("the same input gives the same bytes")
    func deterministic() throws {
        for name in ["a", "b"] {
            let tensor = TensorToWrite(name: "x", floats: [1, 2], shape: [2])
            try TorchCheckpointWriter.write([tensor], values: Self.values, to: folder.path(name))
        }
        let first = try Data(contentsOf: URL(filePath: folder.path("a")))
        #expect(try Data(contentsOf: URL(filePath: folder.path("b"))) == first)
    }

    private struct Wanted: Encodable {
        struct Tensor: Encodable {
            let type: String
            let shape: [Int]
            let values: [String]
        }
        let keys: [String]
        let order: [String]
        let tensors: [String: Tensor]
        let values: [String: Int]
    }

    @Test(
        "torch.load opens them with weights_only, also mapped",
        .enabled(if: Reference.isPresent, "needs `make reference`"), arguments: [nil, "state_dict"])
    func reference(_ key: String?) throws {
        let expected = try #require(ExpectedCheckpoint.all["types"])
        let source = try TorchCheckpoint(path: ExpectedCheckpoint.path("types")).tensors()
        let tensors = try source.names.map { name in
            let tensor = try #require(source.tensors[name])
            return TensorToWrite(name: name, type: tensor.type, shape: tensor.shape) { try source.withBytes(of: name, $0) }
        }
        let empty = TensorToWrite(name: "empty", type: .float32, shape: [0, 3], bytes: [])
        let path = folder.path("ours.pt")
        let values: CheckpointDictionary = ["epoch": 12, "big": .integer(1 << 40), "least": .integer(.min), "word": -70_000]
        try TorchCheckpointWriter.write(tensors + [empty], key: key, values: values, to: path)
        let wanted = Wanted(
            keys: key.map { [$0] } ?? [], order: source.names + ["empty"],
            tensors: expected.tensors.mapValues { Wanted.Tensor(type: $0.type, shape: $0.shape, values: $0.values) },
            values: ["epoch": 12, "big": 1 << 40, "least": .min, "word": -70_000])
        try JSONEncoder().encode(wanted).write(to: URL(filePath: folder.path("wanted.json")))

        let process = Process()
        process.executableURL = URL(fileURLWithPath: Reference.python)
        process.arguments = [Reference.root + "/tools/golden/checkpoints.py", path, folder.path("wanted.json")]
        let output = Pipe()
        process.standardOutput = output
        process.standardError = output
        try process.run()
        let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        #expect(process.terminationStatus == 0, "\(text)")
    }

    @Test("a write that fails leaves the old file as it was, and nothing beside it")
    func failures() throws {
        let path = folder.path("kept")
        let good = TensorToWrite(name: "a", floats: [1], shape: [1])
        try TorchCheckpointWriter.write([good], to: path)
        let before = try Data(contentsOf: URL(filePath: path))
        func attempt(
            _ expected: TensorFileError, _ tensors: [TensorToWrite], key: String? = nil, values: CheckpointDictionary = [:]
        ) throws {
            #expect(throws: expected) { try TorchCheckpointWriter.write(tensors, key: key, values: values, to: path) }
            #expect(try Data(contentsOf: URL(filePath: path)) == before)
            #expect(try folder.names == ["kept"])
        }
        let short = TensorToWrite(name: "b", type: .uint8, shape: [3], bytes: [1, 2])
        let long = TensorToWrite(name: "b", type: .uint8, shape: [1], bytes: [1, 2])
        try attempt(.byteCount(path: path, tensor: "b", found: 2, expected: 3), [good, short])
        try attempt(.byteCount(path: path, tensor: "b", found: 2, expected: 1), [good, long])
        try attempt(.duplicateTensor(path: path, tensor: "a"), [good, good])
        let taken = "is a value and the tensors' own name"
        try attempt(.unwritableValue(path: path, key: "a", problem: taken), [good], values: ["a": 1])
        try attempt(.unwritableValue(path: path, key: "s", problem: taken), [good], key: "s", values: ["s": 1])
        let tensor = try #require(TorchCheckpoint(path: path).root["a"])
        try attempt(
            .unwritableValue(
                path: path, key: "x.0", problem: "is a tensor [1], which has no place in the values beside the tensors"),
            [good], values: ["x": .list([tensor])])
    }

    @Test("the checksum is that of the zip format")
    func checksum() {
        func checksum(_ bytes: [UInt8]) -> UInt32 {
            var checksum = CRC32()
            // In two parts, the first of no round length.
            bytes.prefix(5).withUnsafeBytes { checksum.update($0) }
            bytes.dropFirst(5).withUnsafeBytes { checksum.update($0) }
            return checksum.value
        }
        // The check value of the polynomial's catalogue, and what zlib says.
        #expect(checksum(Array("123456789".utf8)) == 0xCBF4_3926)
        #expect(checksum([]) == 0)
        #expect(checksum((0..<1000).map { UInt8($0 % 251) }) == 0x7217_46A6)
    }

    @Test("numbers that need more than 32 bits stand in the zip64 field")
    func wide() {
        let narrow = ZipWriter.Entry(name: "n", start: 1, size: 2, checksum: 3).directoryBytes
        #expect(narrow.count == 46 + 1)
        let wide = ZipWriter.Entry(name: "n", start: 0xFFFF_FFFF, size: 1 << 33, checksum: 3).directoryBytes
        #expect(Array(wide[47...]) == little(UInt16(1)) + little(UInt16(24)) + [1 << 33, 1 << 33, 0xFFFF_FFFF].flatMap(little))
        #expect(Array(wide[20..<28]) == [UInt8](repeating: 0xFF, count: 8))
        #expect(Array(wide[30..<32]) == [28, 0])
        #expect(Array(wide[42..<46]) == [UInt8](repeating: 0xFF, count: 4))
    }
}
