import CLIP
import Foundation
import Testing

/// The Python environment of `make reference`, where it has been made.
private enum Reference {
    static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appending(path: "../..").standardizedFileURL
        .path
    static let python = root + "/.deps/reference/bin/python"
    static var isPresent: Bool { FileManager.default.isExecutableFile(atPath: python) }

    /// Runs a script of tools/golden; what it says is the failure's comment.
    static func run(_ script: String, _ arguments: String...) throws {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: python)
        process.arguments = ["\(root)/tools/golden/\(script)"] + arguments
        let output = Pipe()
        process.standardOutput = output
        process.standardError = output
        try process.run()
        let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        #expect(process.terminationStatus == 0, "\(text)")
    }
}

@Suite("Folders that we write", .serialized)
struct RoundTripTests {
    @Test(
        "open with the library of their kind, strictly, and give the reference's vectors",
        .enabled(if: Reference.isPresent, "needs `make reference`"), arguments: GoldenModel.reduced)
    func roundTrip(_ model: GoldenModel) throws {
        let place = NSTemporaryDirectory() + "roundtrip-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: place) }
        let folder = try Checkpoint(path: model.path)
        try Checkpoint.write(folder.model(), preprocessing: folder.preprocessing, to: place, vocabulary: model.path)

        try Reference.run("roundtrip.py", place, "--golden", model.path)
    }

    @Test(
        "weights alone are what Python reads: the tensors of the library that the model came from, under its names",
        .enabled(if: Reference.isPresent, "needs `make reference`"),
        arguments: [
            ("hf-safetensors-f16", "model.safetensors", Checkpoint.Names.huggingFace),
            ("hf-bin-f32", "pytorch_model.bin", .huggingFace), ("siglip-hf-f16", "model.safetensors", .huggingFace),
            ("open-clip-safetensors-f16", "open_clip_model.safetensors", .openAI),
            ("open-clip-resnet-f16", "open_clip_model.safetensors", .openAI),
        ], ["pt", "safetensors"])
    func file(_ source: (golden: String, file: String, names: Checkpoint.Names), ending: String) throws {
        let model = try #require(GoldenModel.formats.first { $0.testDescription == source.golden })
        let place = NSTemporaryDirectory() + "roundtrip-\(UUID().uuidString).\(ending)"
        defer { try? FileManager.default.removeItem(atPath: place) }
        try Checkpoint.write(model.checkpoint().model(), to: place, names: source.names)
        try Reference.run("same_tensors.py", place, "\(model.path)/\(source.file)")
    }
}
