import Foundation
import TensorFiles

/// A checkpoint's weights as they lie on disk: one file or its shards, opened and told apart by what they hold, not by how they are called.
struct WeightFile {
    /// Who wrote the file, as far as its container says so.
    enum Origin: Equatable {
        /// Tensors under names and nothing else.
        case plain
        /// OpenAI's TorchScript archive.
        case openAI
        /// `{"epoch", "state_dict", "optimizer"}`, as open_clip's training saves it.
        case openCLIPTraining
        /// `{"CLIP": …}` in a file that is called `openfashionclip`.
        case openFashionCLIP
        /// `{"model_state_dict", "model_name", "train_args", …}`.
        case styleFinderStage3
        /// A whole pickled `clip.model.CLIP`.
        case styleFinderStage2
    }

    let source: any TensorSource
    let origin: Origin
    /// What wrappers put before every name: see `NameTable.wrapping`.
    let wrapping: String
    /// Every file that was read, in a fixed order: what a fingerprint is taken of.
    let files: [String]
    /// What else the file tells about itself, in plain words.
    let facts: [(name: String, value: String)]
    /// Texts that a safetensors file carries.
    let metadata: [String: String]

    /// - Parameters:
    ///   - cache: where the digest of a variant's baseline is kept.
    ///   - isBaseline: refuses a variant before its own baseline is opened, which may be the variant itself.
    /// - Throws: `TensorFileError` for a broken file, `CLIPError` for one that is something else.
    init(path: String, cache: FingerprintCache? = nil, isBaseline: Bool = false) throws {
        if path.hasSuffix(".json") {
            let shards = try ShardedTensors(path: path)
            (source, origin, files, facts, metadata) = (shards, .plain, [path] + shards.files, [], [:])
            wrapping = NameTable.wrapping(of: shards.names)
            return
        }
        switch try Self.kind(of: path) {
        case .zip:
            let (checkpoint, isModule) = try Self.checkpoint(path)
            let (origin, keys) = try Self.origin(of: checkpoint, isModule: isModule)
            source =
                switch keys {
                case nil: try checkpoint.tensors()
                case let key?: try checkpoint.tensors(at: key)
                }
            (self.origin, files, metadata) = (origin, [path], [:])
            facts = Self.facts(checkpoint.root)
        case .safetensors:
            let file = try SafetensorsFile(path: path)
            if isBaseline, file.metadata[VariantTensors.baselineKey] != nil {
                throw CLIPError.unreadable(
                    path: path, reason: "a variant names it as its baseline, and it is a variant itself; expected a whole model")
            }
            if file.metadata[RoundedTensors.key] != nil {
                (source, origin, files, facts, metadata) = (try RoundedTensors(file), .plain, [path], [], file.metadata)
            } else if let baseline = try Self.baseline(of: file, cache: cache) {
                source = try VariantTensors(file, of: baseline.source)
                (origin, facts) = (.plain, [])
                files = baseline.files + [path]
                metadata = baseline.metadata.merging(file.metadata) { $1 }
            } else {
                (source, origin, files, facts, metadata) = (file, .plain, [path], [], file.metadata)
            }
        }
        wrapping = NameTable.wrapping(of: source.names)
    }

    /// The weights that a variant's file holds the differences from; nil for a file that is no variant's.
    /// - Throws: `CLIPError.unreadable` where they are not there, are other ones, or are a variant's themselves.
    private static func baseline(of file: SafetensorsFile, cache: FingerprintCache?) throws -> WeightFile? {
        guard let place = file.metadata[VariantTensors.baselineKey] else { return nil }
        func unreadable(_ reason: String) -> CLIPError {
            .unreadable(path: file.path, reason: "it holds what differs from the weights in \(place), and \(reason)")
        }
        let path = URL(fileURLWithPath: place, relativeTo: URL(fileURLWithPath: file.path).deletingLastPathComponent())
            .standardizedFileURL.path
        guard FileManager.default.fileExists(atPath: path) else {
            throw unreadable("\(path) is not there; put the baseline there, or convert the variant to a whole model where it is")
        }
        let found = try WeightFile(path: path, isBaseline: true)
        guard found.files.count == 1 else { throw unreadable("these are several files; expected one") }
        let digest = try FingerprintCache.value(in: cache, of: "digest of a baseline", files: [path]) {
            [try Fingerprint.digest(ofFile: path)]
        }[0]
        guard digest == file.metadata[VariantTensors.digestKey] else {
            throw unreadable(
                "these have changed since; expected those with the SHA-256 \(file.metadata[VariantTensors.digestKey] ?? "(none is given)")"
            )
        }
        return found
    }

    private enum Kind { case zip, safetensors }

    /// By the first bytes: people rename files, and downloads bring other things than what was asked for.
    private static func kind(of path: String) throws -> Kind {
        guard let handle = FileHandle(forReadingAtPath: path) else {
            throw CLIPError.unreadable(path: path, reason: "there is no such file or no permission")
        }
        defer { try? handle.close() }
        let start = (try? handle.read(upToCount: 64)) ?? Data()
        // Behind the length, whose bytes may be any, a safetensors file has its JSON.
        if start.count > 8, start[start.startIndex + 8] == UInt8(ascii: "{") { return .safetensors }
        // A bare pickle, as PyTorch before 1.6 wrote it, is refused by the reader of archives in its own words.
        if start.starts(with: Array("PK".utf8)) || start.first == 0x80 { return .zip }
        let text = String(decoding: start, as: UTF8.self)
        if text.hasPrefix("version https://git-lfs") {
            throw CLIPError.unreadable(
                path: path, reason: "it is the pointer that git keeps instead of a large file; `git lfs pull` brings the weights")
        }
        if text.hasPrefix("<") {
            throw CLIPError.unreadable(path: path, reason: "it is a web page; the download did not bring the file itself")
        }
        return .safetensors
    }

    /// Strictly first; only a file that asks for CLIP's own classes is read again with its objects taken as data.
    private static func checkpoint(_ path: String) throws -> (TorchCheckpoint, isModule: Bool) {
        do {
            return (try TorchCheckpoint(path: path), false)
        } catch TensorFileError.foreignGlobal(_, let name) where name.hasPrefix("clip.model.") {
            return (try TorchCheckpoint(path: path, objects: .collected), true)
        }
    }

    /// The origin, and the key under which the tensors stand.
    private static func origin(of checkpoint: TorchCheckpoint, isModule: Bool) throws -> (Origin, key: String?) {
        let root = checkpoint.root
        if checkpoint.isTorchScript { return (.openAI, nil) }
        if isModule {
            if root["model"]?.dictionary != nil { return (.styleFinderStage2, "model") }
            return (.styleFinderStage2, nil)
        }
        func holds(_ key: String) -> Bool { root[key]?.dictionary != nil }
        if holds("model_state_dict") {
            // Many programs save under this key; the original StyleFinder says which model and how it was trained beside it.
            let isStage3 = root["model_name"] != nil && root["train_args"] != nil
            return (isStage3 ? .styleFinderStage3 : .plain, "model_state_dict")
        }
        if holds("CLIP") {
            // The key alone could be anybody's: the release is known by its name too.
            let name = URL(fileURLWithPath: checkpoint.path).lastPathComponent.lowercased()
            return (name.hasPrefix("openfashionclip") ? .openFashionCLIP : .plain, "CLIP")
        }
        if holds("state_dict") { return (.openCLIPTraining, "state_dict") }
        for key in ["model", "module"] where holds(key) { return (.plain, key) }
        return (.plain, nil)
    }

    /// Short values beside the tensors: an epoch, a name, the settings of a run.
    private static func facts(_ root: CheckpointValue) -> [(name: String, value: String)] {
        func plain(_ value: CheckpointValue) -> String? {
            switch value {
            case .text(let text): String(text.prefix(200))
            case .integer(let number): "\(number)"
            case .number(let number): "\(number)"
            case .truth(let truth): truth ? "true" : "false"
            default: nil
            }
        }
        return (root.dictionary?.entries ?? []).flatMap { entry -> [(name: String, value: String)] in
            if let text = plain(entry.value) { return [(entry.key.description, text)] }
            guard entry.key == "train_args" else { return [] }
            return (entry.value.dictionary?.entries ?? []).prefix(64).compactMap { setting in
                plain(setting.value).map { ("train_args.\(setting.key)", $0) }
            }
        }
    }
}
