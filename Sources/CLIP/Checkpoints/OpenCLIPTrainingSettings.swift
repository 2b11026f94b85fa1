import Foundation

/// What open_clip's training notes in `params.txt`, one `key: value` a line, in the folder above its checkpoints.
struct OpenCLIPTrainingSettings {
    let path: String
    let activation: Activation
    let mean: [Float]?
    let deviation: [Float]?

    /// - Returns: nil where neither the checkpoint's folder nor the one above it holds the file.
    init?(near checkpoint: URL) throws(CLIPError) {
        let folder = checkpoint.deletingLastPathComponent()
        let candidates = [folder, folder.deletingLastPathComponent()].map { $0.appendingPathComponent("params.txt").path }
        guard let path = candidates.first(where: FileManager.default.fileExists) else { return nil }
        guard let data = FileManager.default.contents(atPath: path) else {
            throw .unreadable(path: path, reason: "no permission")
        }
        var values: [String: String] = [:]
        for line in String(decoding: data, as: UTF8.self).split(whereSeparator: \.isNewline) {
            guard let colon = line.firstIndex(of: ":") else { continue }
            values[String(line[..<colon])] = line[line.index(after: colon)...].trimmingCharacters(in: .whitespaces)
        }
        guard let model = values["model"] else { throw .missingKey(path: path, key: "model") }
        self.path = path
        // The name of open_clip's configuration says it, a flag forces it, and OpenAI's weights bring it along.
        let isQuick =
            model.hasSuffix("-quickgelu") || values["force_quick_gelu"] == "True" || values["pretrained"] == "openai"
        activation = isQuick ? .quickGELU : .gelu
        func floats(_ key: String) throws(CLIPError) -> [Float]? {
            guard let text = values[key], text != "None" else { return nil }
            let numbers = text.trimmingCharacters(in: CharacterSet(charactersIn: "()[]")).split(separator: ",").map {
                Float($0.trimmingCharacters(in: .whitespaces))
            }
            let found = numbers.compactMap { $0 }
            guard found.count == 3, numbers.count == 3 else {
                throw .wrongValue(path: path, key: key, found: text, expected: "three numbers or None")
            }
            return found
        }
        mean = try floats("image_mean")
        deviation = try floats("image_std")
    }
}
