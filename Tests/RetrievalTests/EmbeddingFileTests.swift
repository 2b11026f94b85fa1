import Foundation
import Retrieval
import TensorFiles
import Testing

@Suite("embedding files")
struct EmbeddingFileTests {
    let folder: URL
    var path: String { folder.appending(path: "vectors.safetensors").path }

    init() throws {
        folder = FileManager.default.temporaryDirectory.appending(path: "embedding-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    }

    @Test("what is written is the contract's file, and comes back bit for bit")
    func roundTrip() throws {
        let vectors = randomUnitVectors(5, dimension: 33, seed: 1)
        let names = ["a/b.jpg", "é \"quoted\".png", "a/b.jpg", "", "x"]
        let written = try EmbeddingFile(names: names, vectors: vectors, dimension: 33, model: "ViT", fingerprint: "f00")
        #expect(written.vectors == vectors)
        try written.write(to: path)
        #expect(try EmbeddingFile(path: path) == written)

        let file = try SafetensorsFile(path: path)
        #expect(file.names == ["features"])
        #expect(file.tensors["features"]?.type == .float32 && file.tensors["features"]?.shape == [5, 33])
        #expect(
            try JSONSerialization.jsonObject(with: Data(try #require(file.metadata["image_paths"]).utf8)) as? [String] == names)
        #expect(file.metadata["model"] == "ViT" && file.metadata["fingerprint"] == "f00")
        try FileManager.default.removeItem(at: folder)
    }

    @Test(
        "16-bit vectors under another name are read, and scaled back to unit length",
        arguments: ["names", "files", "image_paths"])
    func halves(key: String) throws {
        let vectors = randomUnitVectors(20, dimension: 1024, seed: 2)
        try SafetensorsWriter.write(
            [TensorToWrite(name: "image_features", floats: vectors, shape: [20, 1024], as: .float16)],
            metadata: [key: "[" + (0..<20).map { "\"\($0)\"" }.joined(separator: ",") + "]"], to: path)
        let file = try EmbeddingFile(path: path)
        #expect(file.names == (0..<20).map { "\($0)" } && file.dimension == 1024 && file.model == nil)
        for row in 0..<20 { #expect(abs(UnitVectors.length(file.vector(row)) - 1) < 1e-6) }
        #expect(zip(file.vectors, vectors).allSatisfy { abs($0 - $1) < 1e-4 })
        try FileManager.default.removeItem(at: folder)
    }

    @Test("a file that is no embedding file is refused with the key and what is right")
    func refusals() throws {
        func message(_ tensors: [TensorToWrite], _ metadata: [String: String]) throws -> String {
            try SafetensorsWriter.write(tensors, metadata: metadata, to: path)
            return try #require(throws: RetrievalError.self) { _ = try EmbeddingFile(path: path) }.description
        }
        func matrix(_ name: String = "features", _ floats: [Float] = [1, 0, 0, 1], _ shape: [Int] = [2, 2]) -> TensorToWrite {
            TensorToWrite(name: name, floats: floats, shape: shape)
        }
        let names = ["image_paths": #"["a","b"]"#]
        let whole = TensorToWrite(name: "features", type: .int8, shape: [2, 2], bytes: [1, 0, 0, 1])
        let cases: [([TensorToWrite], [String: String], String)] = [
            ([], names, "`features` is missing, expected a floating-point tensor [n, d]"),
            ([whole], names, "`features` is I8 [2, 2], expected"),
            ([whole, matrix("other")], names, "`features` is I8 [2, 2], expected"),
            ([matrix("a"), matrix("b")], names, "`features` is missing"),
            ([matrix("features", [1, 0], [2])], names, "`features` is F32 [2], expected"),
            ([matrix("features", [], [2, 0])], names, "`features` is [2, 0], expected a shape [n, d] with d ≥ 1"),
            ([matrix()], [:], "`__metadata__.image_paths` is missing, expected a JSON array"),
            ([matrix()], ["image_paths": "a,b"], "`__metadata__.image_paths` is \"a,b\", expected a JSON array of texts"),
            ([matrix()], ["names": "[1,2]"], "`__metadata__.names` is \"[1,2]\", expected a JSON array of texts"),
            ([matrix()], ["files": #"["a"]"#], "`__metadata__.files` is an array of 1, expected 2 texts"),
            ([matrix("features", [1, 0, 0, 2])], names, "has length 2.0, expected 1 within 0.001"),
            ([matrix("features", [1, 0, .nan, 0])], names, "a number that is not finite in row 1"),
        ]
        for (tensors, metadata, expected) in cases {
            let found = try message(tensors, metadata)
            #expect(found.contains(expected))
            #expect(found.contains(path))
        }
        try Data("nothing".utf8).write(to: URL(filePath: path))
        #expect(throws: RetrievalError.file(.truncated(path: path, part: "header length", expected: 8, found: 7))) {
            _ = try EmbeddingFile(path: path)
        }
        try FileManager.default.removeItem(at: folder)
    }
}
