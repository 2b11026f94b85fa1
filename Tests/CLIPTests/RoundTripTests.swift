import CLIP
import Foundation
import Testing

/// The Python environment of `make reference`, where it has been made.
private enum Reference {
    static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appending(path: "../..").standardizedFileURL
        .path
    static let python = root + "/.deps/reference/bin/python"
    static var isPresent: Bool { FileManager.default.isExecutableFile(atPath: python) }
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

        let process = Process()
        process.executableURL = URL(fileURLWithPath: Reference.python)
        process.arguments = [Reference.root + "/tools/golden/roundtrip.py", place, "--golden", model.path]
        let output = Pipe()
        process.standardOutput = output
        process.standardError = output
        try process.run()
        let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        #expect(process.terminationStatus == 0, "\(text)")
    }
}
