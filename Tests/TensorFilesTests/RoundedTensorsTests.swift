import Foundation
import TensorFiles
import Testing

@Suite("weights kept as integers")
struct RoundedTensorsTests {
    let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private func file(_ tensors: [TensorToWrite], metadata: [String: String] = ["rounded": "int8"]) throws -> SafetensorsFile {
        let path = folder.path("rounded.safetensors")
        try SafetensorsWriter.write(tensors, metadata: metadata, to: path)
        return try SafetensorsFile(path: path)
    }

    private let integers = TensorToWrite(
        name: "w:integers", type: .int8, shape: [2, 3], bytes: [1, 2, 63, UInt8(bitPattern: -63), 0, UInt8(bitPattern: -1)])
    private let scales = TensorToWrite(name: "w:scales", floats: [0.5, 0.25], shape: [2])

    @Test("a rounded weight is read as integer times scale, the others as they are")
    func reading() throws {
        let source = try RoundedTensors(
            file([.init(name: "a", floats: [7], shape: [1], as: .float16), integers, scales]))
        #expect(Set(source.names) == ["a", "w"] && source.rounded == ["w"])
        #expect(source.tensors["w"]?.type == .float32 && source.tensors["w"]?.shape == [2, 3])
        #expect(source.tensors["a"]?.type == .float16)
        let wanted: [Float] = [0.5, 1, 31.5, -15.75, 0, -0.25]
        #expect(try source.floats("w") == wanted)
        #expect(try source.floats("a") == [7])
        #expect(!source.liesInPlace("w"))
        let bytes = try source.withBytes(of: "w") { bytes in
            (0..<6).map { bytes.loadUnaligned(fromByteOffset: 4 * $0, as: Float.self) }
        }
        #expect(bytes == wanted)
    }

    @Test("integers without scales, scales without integers, other shapes and other kinds are refused")
    func refusals() throws {
        let wrong: [([TensorToWrite], [String: String])] = [
            ([integers], ["rounded": "int8"]), ([scales], ["rounded": "int8"]),
            ([integers, .init(name: "w:scales", floats: [1], shape: [1])], ["rounded": "int8"]),
            ([integers, .init(name: "w:scales", floats: [1, 2], shape: [2], as: .float16)], ["rounded": "int8"]),
            ([.init(name: "w:integers", floats: [1, 2], shape: [2]), scales], ["rounded": "int8"]),
            ([integers, scales, .init(name: "w", floats: [1], shape: [1])], ["rounded": "int8"]),
            ([integers, scales], ["rounded": "int4"]), ([integers, scales], [:]),
        ]
        for (tensors, metadata) in wrong {
            let file = try file(tensors, metadata: metadata)
            #expect(throws: TensorFileError.self) { try RoundedTensors(file) }
        }
    }
}
