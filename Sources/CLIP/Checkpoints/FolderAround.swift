import Foundation

/// A folder that holds no model itself, looked through for the one that its user means: the folder that people have is often one level above
/// the one that is opened.
struct FolderAround {
    let path: String

    /// Names the model inside; `CLIPError.unknownFolder` where there is none.
    var error: CLIPError {
        if let adapter = try? JSONFile(path: "\(path)/adapter_config.json") {
            return .adapter(path: path, base: adapter.object["base_model_name_or_path"] as? String)
        }
        let place = snapshot ?? modelBelow ?? newestCheckpoint
        return place.map { .modelLies(inside: path, at: $0) } ?? .unknownFolder(path: path)
    }

    private func entries(_ folder: String) -> [String] {
        ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []).sorted().map { "\(folder)/\($0)" }
    }

    private func isModel(_ folder: String) -> Bool {
        [OpenCLIPFolder.config, HuggingFaceFolder.config].contains { FileManager.default.fileExists(atPath: "\(folder)/\($0)") }
    }

    /// Of Hugging Face's cache, `models--owner--name`: what its branch points at, or the one that came last.
    private var snapshot: String? {
        let candidates = entries("\(path)/snapshots").filter(isModel)
        let main = FileManager.default.contents(atPath: "\(path)/refs/main").map { String(decoding: $0, as: UTF8.self) }
        let named = main.map { "\(path)/snapshots/\($0.trimmingCharacters(in: .whitespacesAndNewlines))" }
        return candidates.first { $0 == named } ?? candidates.max { Self.changed($0) < Self.changed($1) }
    }

    /// Of sentence-transformers (`0_CLIPModel`) and of a trainer's output (`checkpoint-500`), where the last one counts.
    private var modelBelow: String? { entries(path).filter(isModel).max { Self.ordinal($0) < Self.ordinal($1) } }

    /// Of a training run, or a folder of weights without a word about them.
    private var newestCheckpoint: String? {
        (entries("\(path)/checkpoints") + entries(path)).filter { place in
            [".pt", ".pth", ".ckpt", ".safetensors"].contains(where: place.hasSuffix)
        }.max { Self.ordinal($0) < Self.ordinal($1) }
    }

    private static func changed(_ path: String) -> Date {
        (try? FileManager.default.attributesOfItem(atPath: path))?[.modificationDate] as? Date ?? .distantPast
    }

    /// The number that a name ends with: of `epoch_5.pt` 5.
    private static func ordinal(_ path: String) -> Int {
        let name = URL(fileURLWithPath: path).deletingPathExtension().lastPathComponent
        return Int(String(name.reversed().prefix { $0.isASCII && $0.isNumber }.reversed())) ?? -1
    }
}
