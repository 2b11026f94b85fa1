import Foundation
import TensorFiles
import Testing

@Suite("safetensors files that are written")
struct SafetensorsWriterTests {
    let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    @Test("every tensor of the reference file comes back byte for byte after it is rewritten")
    func rewritten() throws {
        let source = try SafetensorsFile(path: Fixture.path("reference.safetensors"))
        let path = folder.path("copy.safetensors")
        try SafetensorsWriter.write(
            source.names.reversed().map { name in
                let tensor = try #require(source.tensors[name])
                return TensorToWrite(name: name, type: tensor.type, shape: tensor.shape) { try source.withBytes(of: name, $0) }
            }, metadata: source.metadata, to: path)
        let copy = try SafetensorsFile(path: path)
        #expect(copy.metadata == source.metadata)
        #expect(copy.tensors == source.tensors)
        for name in source.names {
            #expect(try copy.withBytes(of: name) { Array($0) } == source.withBytes(of: name) { Array($0) }, "\(name)")
            let width = try #require(source.tensors[name]).type.byteCount
            #expect(try copy.withBytes(of: name) { Int(bitPattern: $0.baseAddress) } % width == 0, "\(name) is aligned")
        }
        #expect(try folder.names == ["copy.safetensors"])
    }

    @Test("floats come back, as F32 exactly and as F16 rounded; more than one part at a time")
    func floats() throws {
        let values = (0..<200_001).map { Float($0) / 1024 - 50 }
        let path = folder.path("x")
        try SafetensorsWriter.write(
            [
                TensorToWrite(name: "half", floats: values, shape: [200_001], as: .float16),
                TensorToWrite(name: "full", floats: values, shape: [3, 66_667]),
            ], to: path)
        let file = try SafetensorsFile(path: path)
        #expect(file.names == ["full", "half"])
        #expect(try file.floats("full") == values)
        let halves = try file.floats("half")
        // Half a unit in the last of 11 bits.
        #expect(zip(halves, values).allSatisfy { abs($0 - $1) <= abs($1) * 0x1p-11 })
        #expect(halves != values)
    }

    @Test("the same input gives the same bytes")
    func deterministic() throws {
        let metadata = Dictionary(uniqueKeysWithValues: (0..<50).map { ("key \($0)", "\($0)") })
        for name in ["a", "b"] {
            try SafetensorsWriter.write([1, 2], shape: [2], named: "x", metadata: metadata, to: folder.path(name))
        }
        let first = try Data(contentsOf: URL(filePath: folder.path("a")))
        #expect(try Data(contentsOf: URL(filePath: folder.path("b"))) == first)
        #expect(try SafetensorsFile(path: folder.path("a")).metadata == metadata)
    }

    @Test("control characters, quotes and astral characters survive in names and metadata")
    func escapes() throws {
        let text = "\u{0}\u{1F}\"\\/\u{7F}é\u{1F457}\r\n\t"
        try SafetensorsWriter.write([1], shape: [], named: text, metadata: [text: text], to: folder.path("x"))
        let file = try SafetensorsFile(path: folder.path("x"))
        #expect(file.names == [text])
        #expect(file.metadata == [text: text])
    }

    struct Refused: Error, CustomStringConvertible { let description = "the device is gone" }

    @Test("a write that fails leaves the old file as it was, and nothing beside it")
    func failures() throws {
        let path = folder.path("kept")
        try SafetensorsWriter.write([1, 2, 3], shape: [3], named: "old", to: path)
        let before = try Data(contentsOf: URL(filePath: path))
        func tensor(_ name: String, _ shape: [Int], bytes: Int) -> TensorToWrite {
            TensorToWrite(name: name, type: .uint8, shape: shape, bytes: [UInt8](repeating: 1, count: bytes))
        }
        let cases: [([TensorToWrite], TensorFileError)] = [
            ([tensor("a", [3], bytes: 2)], .byteCount(path: path, tensor: "a", found: 2, expected: 3)),
            ([tensor("a", [3], bytes: 4)], .byteCount(path: path, tensor: "a", found: 4, expected: 3)),
            ([tensor("a", [1], bytes: 1), tensor("a", [1], bytes: 1)], .duplicateTensor(path: path, tensor: "a")),
            (
                [tensor("a", [-1], bytes: 0)],
                .invalidEntry(path: path, key: "a.shape", found: "[-1]", expected: "extents from 0 whose product fits 63 bits")
            ),
            (
                [tensor("__metadata__", [1], bytes: 1)],
                .invalidEntry(
                    path: path, key: "__metadata__", found: "a tensor's name", expected: "a name that the format leaves free")
            ),
            (
                [tensor("b", [1], bytes: 1), TensorToWrite(name: "a", type: .uint8, shape: [1]) { _ in throw Refused() }],
                .elementsUnavailable(path: path, tensor: "a", reason: "the device is gone")
            ),
        ]
        for (tensors, expected) in cases {
            #expect(throws: expected) { try SafetensorsWriter.write(tensors, to: path) }
            #expect(try Data(contentsOf: URL(filePath: path)) == before)
            #expect(try folder.names == ["kept"])
        }
        let nowhere = folder.path("no/such/folder/x")
        let error = #expect(throws: TensorFileError.self) {
            try SafetensorsWriter.write([1], shape: [1], named: "x", to: nowhere)
        }
        #expect(error?.description.contains("\(nowhere) can't be written: creating a temporary file beside it failed") == true)
        // A folder stands where the file should: the rename fails after everything was written.
        try FileManager.default.createDirectory(at: folder.url.appending(path: "taken/inside"), withIntermediateDirectories: true)
        #expect(throws: TensorFileError.self) {
            try SafetensorsWriter.write([1], shape: [1], named: "x", to: folder.path("taken"))
        }
        #expect(try folder.names == ["kept", "taken"])
    }

    @Test("a mapped file that is replaced keeps its old elements")
    func replaced() throws {
        let path = folder.path("x")
        try SafetensorsWriter.write([1, 2], shape: [2], named: "x", to: path)
        let old = try SafetensorsFile(path: path)
        try SafetensorsWriter.write([3], shape: [1], named: "x", to: path)
        #expect(try old.floats("x") == [1, 2])
        #expect(try SafetensorsFile(path: path).floats("x") == [3])
    }
}
