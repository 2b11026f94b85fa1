import Foundation
import Retrieval
import TensorFiles
import Testing

/// The Python environment of `make reference`, where it has been made.
private enum Python {
    static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appending(path: "../..").standardizedFileURL
        .path
    static let program = root + "/.deps/reference/bin/python"
    static var isPresent: Bool { FileManager.default.isExecutableFile(atPath: program) }

    /// Runs `tools/golden/embeddings.py` to its end, which must be good.
    static func embeddings(_ arguments: String...) throws {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: program)
        process.arguments = [root + "/tools/golden/embeddings.py"] + arguments
        let output = Pipe()
        process.standardOutput = output
        process.standardError = output
        try process.run()
        let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        try #require(process.terminationStatus == 0, "\(text)")
    }
}

@Suite("embedding files")
final class EmbeddingFileTests {
    let folder: URL

    init() throws {
        folder = FileManager.default.temporaryDirectory.appending(path: "embedding-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(at: folder) }

    func path(_ name: String) -> String { folder.appending(path: name).path }

    static let names = ["a/b.jpg", "é \"quoted\" 👗.png", "a/b.jpg", "", "x"]

    static func file(model: String? = "ViT", fingerprint: String? = "f00") throws -> EmbeddingFile {
        try EmbeddingFile(
            names: names, vectors: randomUnitVectors(5, dimension: 33, seed: 1), dimension: 33, model: model,
            fingerprint: fingerprint)
    }

    // MARK: What is written

    @Test(
        "what is written comes back bit for bit, and the same input gives the same bytes",
        arguments: EmbeddingFile.Format.allCases)
    func roundTrip(format: EmbeddingFile.Format) throws {
        for (name, written) in [("whole", try Self.file()), ("bare", try Self.file(model: nil, fingerprint: nil))] {
            let path = path("\(name).\(format.rawValue)")
            try written.write(to: path)
            #expect(try EmbeddingFile(path: path) == written)
            #expect(written.vectors == randomUnitVectors(5, dimension: 33, seed: 1))
            let bytes = try Data(contentsOf: URL(filePath: path))
            try written.write(to: path)
            #expect(try Data(contentsOf: URL(filePath: path)) == bytes)
        }
    }

    @Test("a safetensors file is the contract's")
    func safetensors() throws {
        let written = try Self.file()
        try written.write(to: path("x.safetensors"))
        let file = try SafetensorsFile(path: path("x.safetensors"))
        #expect(file.names == ["features"])
        #expect(file.tensors["features"]?.type == .float32 && file.tensors["features"]?.shape == [5, 33])
        let names = try JSONSerialization.jsonObject(with: Data(try #require(file.metadata["image_paths"]).utf8))
        #expect(names as? [String] == Self.names)
        #expect(file.metadata["model"] == "ViT" && file.metadata["fingerprint"] == "f00")
    }

    @Test("a .pt file is one dictionary of features, image_paths, model and fingerprint, however the ending is written")
    func torch() throws {
        let written = try Self.file()
        try written.write(to: path("x.PT"))
        let checkpoint = try TorchCheckpoint(path: path("x.PT"))
        let root = checkpoint.root
        #expect(root.dictionary?.entries.map(\.key.description) == ["features", "image_paths", "model", "fingerprint"])
        #expect(root["features"]?.tensor?.type == .float32 && root["features"]?.tensor?.shape == [5, 33])
        #expect(root["features"]?.tensor?.floats() == written.vectors)
        #expect(root["image_paths"]?.list?.map(\.text) == Self.names)
        #expect(root["model"]?.text == "ViT" && root["fingerprint"]?.text == "f00")
        try Self.file(model: nil, fingerprint: nil).write(to: path("bare.pt"))
        let bare = try TorchCheckpoint(path: path("bare.pt")).root
        #expect(bare.dictionary?.entries.map(\.key.description) == ["features", "image_paths"])
    }

    private struct Wanted: Encodable {
        let names: [String]
        let vectors: [[Float]]
        let model: String?
        let fingerprint: String?
    }

    @Test(
        "Python opens what is written, .pt with weights_only, and finds every bit",
        .enabled(if: Python.isPresent, "needs `make reference`"), arguments: EmbeddingFile.Format.allCases)
    func readByPython(format: EmbeddingFile.Format) throws {
        for (name, file) in [("whole", try Self.file()), ("bare", try Self.file(model: nil, fingerprint: nil))] {
            let path = path("\(name).\(format.rawValue)")
            try file.write(to: path)
            let wanted = Wanted(
                names: file.names, vectors: (0..<file.count).map { Array(file.vector($0)) }, model: file.model,
                fingerprint: file.fingerprint)
            try JSONEncoder().encode(wanted).write(to: URL(filePath: path + ".json"))
            try Python.embeddings("check", path, path + ".json")
        }
    }

    @Test("a write that fails leaves the old file as it was, and nothing beside it", arguments: EmbeddingFile.Format.allCases)
    func failedWrite(format: EmbeddingFile.Format) throws {
        // A folder can't be replaced by a file: the last step fails, after every byte was written.
        let target = path("x.\(format.rawValue)")
        try FileManager.default.createDirectory(atPath: target + "/kept", withIntermediateDirectories: true)
        let file = try Self.file()
        let error = try #require(throws: RetrievalError.self) { try file.write(to: target) }
        #expect(error.description.contains("can't be written"))
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["x.\(format.rawValue)"])
        #expect(try FileManager.default.contentsOfDirectory(atPath: target) == ["kept"])
    }

    @Test("vectors that are not of unit length are not written")
    func strictVectors() {
        #expect(throws: RetrievalError.notUnitLength(what: "vectors", row: 1, length: 2, tolerance: UnitVectors.tolerance)) {
            try EmbeddingFile(names: ["a", "b"], vectors: [1, 0, 0, 2], dimension: 2)
        }
        #expect(throws: RetrievalError.notFinite(what: "vectors", row: 0)) {
            try EmbeddingFile(names: ["a"], vectors: [.nan, 0], dimension: 2)
        }
        #expect(throws: RetrievalError.count(what: "names", found: 1, expected: 2)) {
            try EmbeddingFile(names: ["a"], vectors: [1, 0, 0, 1], dimension: 2)
        }
    }

    // MARK: What is read

    /// Writes a file as somebody else may have it, without any check.
    private func foreign(
        _ format: EmbeddingFile.Format, _ tensors: [TensorToWrite], _ key: String?, _ names: CheckpointValue
    ) throws -> String {
        let path = path("foreign.\(format.rawValue)")
        switch format {
        case .torch:
            let values: CheckpointDictionary = key.map { [.text($0): names] } ?? [:]
            try TorchCheckpointWriter.write(tensors, values: values, to: path)
        case .safetensors:
            let texts = names.list?.map { $0.text ?? "" } ?? []
            let text = try names.text ?? String(decoding: JSONEncoder().encode(texts), as: UTF8.self)
            try SafetensorsWriter.write(tensors, metadata: key.map { [$0: text] } ?? [:], to: path)
        }
        return path
    }

    @Test(
        "16-bit vectors under another name are read, and scaled back to unit length",
        arguments: EmbeddingFile.Format.allCases, ["names", "files", "image_paths"])
    func halves(format: EmbeddingFile.Format, key: String) throws {
        let vectors = randomUnitVectors(20, dimension: 1024, seed: 2)
        let tensor = TensorToWrite(name: "image_features", floats: vectors, shape: [20, 1024], as: .float16)
        let file = try EmbeddingFile(path: foreign(format, [tensor], key, .list((0..<20).map { .text("\($0)") })))
        #expect(file.names == (0..<20).map { "\($0)" } && file.dimension == 1024 && file.model == nil)
        for row in 0..<20 { #expect(abs(UnitVectors.length(file.vector(row)) - 1) < 1e-6) }
        #expect(zip(file.vectors, vectors).allSatisfy { abs($0 - $1) < 1e-4 })
    }

    @Test("rows of any length are scaled to 1, also very long and very short ones", arguments: EmbeddingFile.Format.allCases)
    func scaled(format: EmbeddingFile.Format) throws {
        let floats: [Float] = [3, 4, 0.6, 0.8, -3e30, 4e30, 3e-36, -4e-36, 1.0005, 0]
        let tensor = TensorToWrite(name: "features", floats: floats, shape: [5, 2])
        let file = try EmbeddingFile(
            path: foreign(format, [tensor], "image_paths", .list(["a", "b", "c", "d", "e"].map { .text($0) })))
        let expected: [Float] = [0.6, 0.8, 0.6, 0.8, -0.6, 0.8, 0.6, -0.8, 1, 0]
        #expect(zip(file.vectors, expected).allSatisfy { abs($0 - $1) < 1e-6 })
        #expect(Array(file.vector(1)) == [0.6, 0.8])
        for row in 0..<5 { #expect(abs(UnitVectors.length(file.vector(row)) - 1) < 1e-6) }
    }

    private struct Expected: Decodable {
        let names: [String]
        let vectors: [[Float]]
        let model: String?
        let fingerprint: String?
    }

    @Test("what Python writes is read", .enabled(if: Python.isPresent, "needs `make reference`"))
    func writtenByPython() throws {
        try Python.embeddings("write", folder.path)
        let all = try JSONDecoder().decode(
            [String: Expected].self, from: Data(contentsOf: folder.appending(path: "expected.json")))
        #expect(all.count == 7)
        for (name, expected) in all {
            let file = try EmbeddingFile(path: path(name))
            #expect(file.names == expected.names, "\(name)")
            #expect(file.model == expected.model && file.fingerprint == expected.fingerprint, "\(name)")
            #expect(file.count == expected.vectors.count && file.dimension == expected.vectors[0].count, "\(name)")
            #expect(zip(file.vectors, expected.vectors.joined()).allSatisfy { abs($0 - $1) < 1e-6 }, "\(name)")
        }
    }

    @Test(
        "an object that Python would have to make, and code that it would run, are refused by their names",
        .enabled(if: Python.isPresent, "needs `make reference`"))
    func foreignObjects() throws {
        try Python.embeddings("refused", folder.path)
        let object = try #require(throws: RetrievalError.self) { _ = try EmbeddingFile(path: path("paths.pt")) }
        #expect(
            object.description
                == "\(path("paths.pt")) is no embedding file: `image_paths[0]` is an object of `pathlib.PurePosixPath`, expected a str."
        )
        let code = try #require(throws: RetrievalError.self) { _ = try EmbeddingFile(path: path("code.pt")) }
        #expect(
            code.description
                == "\(path("code.pt")) asks for `posix.system`, which is no tensor and no plain value; nothing of it was run.")
        #expect(!FileManager.default.fileExists(atPath: path("ran")))
        let old = try #require(throws: RetrievalError.self) { _ = try EmbeddingFile(path: path("old.pt")) }
        #expect(old.description.contains("before PyTorch 1.6"))
    }

    // MARK: What is refused

    private static func matrix(
        _ name: String = "features", _ floats: [Float] = [1, 0, 0, 1], _ shape: [Int] = [2, 2]
    ) -> TensorToWrite {
        TensorToWrite(name: name, floats: floats, shape: shape)
    }

    private static let two: CheckpointValue = .list([.text("a"), .text("b")])

    @Test(
        "a file that is no embedding file is refused with the key and what is right", arguments: EmbeddingFile.Format.allCases)
    func refusals(format: EmbeddingFile.Format) throws {
        let key = format == .torch ? "" : "__metadata__."
        let whole = TensorToWrite(name: "features", type: .int8, shape: [2, 2], bytes: [1, 0, 0, 1])
        var cases: [([TensorToWrite], String?, CheckpointValue, String)] = [
            ([], "image_paths", Self.two, "`features` is missing, expected a floating-point tensor [n, d]"),
            ([whole], "image_paths", Self.two, "`features` is I8 [2, 2], expected"),
            ([whole, Self.matrix("other")], "image_paths", Self.two, "`features` is I8 [2, 2], expected"),
            ([Self.matrix("a"), Self.matrix("b")], "image_paths", Self.two, "`features` is missing"),
            ([Self.matrix("features", [1, 0], [2])], "image_paths", Self.two, "`features` is F32 [2], expected"),
            ([Self.matrix("features", [1, 0], [2, 1, 1])], "image_paths", Self.two, "`features` is F32 [2, 1, 1], expected"),
            (
                [Self.matrix("features", [], [2, 0])], "image_paths", Self.two,
                "`features` is [2, 0], expected a shape [n, d] with d ≥ 1"
            ),
            ([Self.matrix()], nil, Self.two, "`\(key)image_paths` is missing, expected a"),
            ([Self.matrix()], "files", .list(["a"]), "`\(key)files` is an array of 1, expected 2 texts"),
            ([Self.matrix()], "image_paths", .list(["a", "b", "c"]), "`\(key)image_paths` is an array of 3, expected 2 texts"),
            (
                [Self.matrix("features", [1, 0, 0, 0])], "image_paths", Self.two,
                "the vector of b, row 1 counted from 0, is all zeros; expected one with a direction."
            ),
            (
                [Self.matrix("features", [1, .nan, 0, 1])], "image_paths", Self.two,
                "the vector of a, row 0 counted from 0, holds a number that is not finite; expected one with a direction."
            ),
            ([Self.matrix("features", [1, 0, -.infinity, 0])], "image_paths", Self.two, "the vector of b, row 1"),
        ]
        switch format {
        case .safetensors:
            cases += [
                ([Self.matrix()], "image_paths", .text("a,b"), "is \"a,b\", expected a JSON array of texts"),
                ([Self.matrix()], "names", .text("[1,2]"), "`__metadata__.names` is \"[1,2]\", expected a JSON array of texts"),
            ]
        case .torch:
            cases += [
                ([Self.matrix()], "image_paths", .text("a,b"), "`image_paths` is \"a,b\", expected a list of the rows' pictures"),
                ([Self.matrix()], "image_paths", .list(["a", 2]), "`image_paths[1]` is 2, expected a str"),
                (
                    [Self.matrix("other")], "features", .list([1, 0]),
                    "`features` is a list of 2, expected a floating-point tensor"
                ),
            ]
        }
        for (tensors, key, names, expected) in cases {
            let path = try foreign(format, tensors, key, names)
            let found = try #require(throws: RetrievalError.self, "\(expected)") { _ = try EmbeddingFile(path: path) }.description
            #expect(found.contains(expected), "\(found)")
            #expect(found.contains(path) && found.hasSuffix("."))
        }
    }

    @Test("a file of another kind, a file cut short and no file at all are refused in the words of their kind")
    func otherFiles() throws {
        for (name, fragment) in [("x.pt", "is no PyTorch file"), ("x.safetensors", "is cut off")] {
            try Data("nothing".utf8).write(to: URL(filePath: path(name)))
            let found = try #require(throws: RetrievalError.self) { _ = try EmbeddingFile(path: path(name)) }.description
            #expect(found.contains(fragment) && found.contains(path(name)), "\(found)")
            try Self.file().write(to: path(name))
            let bytes = try Data(contentsOf: URL(filePath: path(name)))
            for count in [bytes.count - 1, bytes.count / 2] {
                try bytes.prefix(count).write(to: URL(filePath: path(name)))
                #expect(throws: RetrievalError.self) { _ = try EmbeddingFile(path: path(name)) }
            }
            try FileManager.default.removeItem(atPath: path(name))
            let absent = try #require(throws: RetrievalError.self) { _ = try EmbeddingFile(path: path(name)) }.description
            #expect(absent.contains("can't be opened"))
        }
    }
}
