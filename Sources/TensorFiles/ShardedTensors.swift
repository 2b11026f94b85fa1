/// The shards of one checkpoint, behind the index that lists them.
///
/// The index, `model.safetensors.index.json` or `pytorch_model.bin.index.json`:
///
///     {"metadata": {…}, "weight_map": {"<tensor>": "model-00001-of-00002.safetensors", …}}
///
/// A shard is a safetensors file if its name ends so, else a dictionary of tensors as `torch.save` writes it.
/// Shards lie beside the index. Every tensor of the index is in the shard named, and every tensor of a shard is in the index.
public final class ShardedTensors: TensorSource {
    /// What a broken or hostile index may name.
    private static let shardLimit = 4096

    public let path: String
    /// Shard after shard in the order of their names, within a shard in the order of the file.
    public let names: [String]
    public let tensors: [String: TensorDescription]
    /// The files of the shards, in the order of their names.
    public var files: [String] { shards.map(\.path) }
    private let homes: [String: any TensorSource]
    private let shards: [any TensorSource]

    /// Opens the index and every shard, and compares the two.
    /// - Throws: `TensorFileError`: `.missingShard`, `.misplacedTensor`, `.invalidJSON` (a tensor listed twice), or what is wrong with a
    ///   shard.
    public init(path: String) throws(TensorFileError) {
        let map = try Self.weightMap(path)
        let folder = path.lastIndex(of: "/").map { String(path[...$0]) } ?? ""
        var names: [String] = []
        var tensors: [String: TensorDescription] = [:]
        var homes: [String: any TensorSource] = [:]
        var shards: [any TensorSource] = []
        let shardNames = Set(map.values)
        guard shardNames.count <= Self.shardLimit else {
            throw .excessive(path: path, what: "\(shardNames.count) shards", limit: Self.shardLimit)
        }
        for shard in shardNames.sorted() {
            let file = try Self.open(shard, of: path, folder: folder)
            shards.append(file)
            for name in file.names {
                guard let home = map[name] else {
                    throw .misplacedTensor(path: path, tensor: name, problem: "is in `\(shard)` and not in the index")
                }
                guard home == shard else {
                    throw .misplacedTensor(
                        path: path, tensor: name, problem: "is in `\(shard)`, and the index places it in `\(home)`")
                }
                homes[name] = file
                tensors[name] = file.tensors[name]
                names.append(name)
            }
        }
        // The smallest name, so that the same folder gives the same sentence.
        if let name = map.keys.filter({ homes[$0] == nil }).min(), let shard = map[name] {
            throw .misplacedTensor(path: path, tensor: name, problem: "is not in `\(shard)`, where the index places it")
        }
        self.path = path
        self.names = names
        self.tensors = tensors
        self.homes = homes
        self.shards = shards
    }

    public func liesInPlace(_ name: String) -> Bool { homes[name]?.liesInPlace(name) ?? false }

    public func releasePages() {
        for shard in shards { shard.releasePages() }
    }

    public func withBytes<R>(of name: String, _ body: (UnsafeRawBufferPointer) throws -> R) throws -> R {
        try home(name).withBytes(of: name, body)
    }

    public func floats(_ name: String) throws(TensorFileError) -> [Float] {
        try home(name).floats(name)
    }

    private func home(_ name: String) throws(TensorFileError) -> any TensorSource {
        guard let file = homes[name] else { throw .noSuchTensor(path: path, tensor: name, count: names.count) }
        return file
    }

    private static func open(_ shard: String, of path: String, folder: String) throws(TensorFileError) -> any TensorSource {
        // A name that leaves the folder could open any file of the machine.
        guard !shard.isEmpty, !shard.hasPrefix("."), !shard.utf8.contains(where: { $0 == 0x2F || $0 == 0x5C || $0 == 0 }) else {
            throw .invalidEntry(
                path: path, key: "weight_map", found: "a shard called \"\(shard.prefix(60))\"",
                expected: "the name of a file beside the index")
        }
        do throws(TensorFileError) {
            let file = folder + shard
            return try shard.hasSuffix(".safetensors") ? SafetensorsFile(path: file) : TorchCheckpoint(path: file).tensors()
        } catch {
            // Only the absence of the file is the index's business; the rest names the shard itself.
            if case .cannotOpen = error { throw .missingShard(path: path, shard: shard) }
            throw error
        }
    }

    private static func weightMap(_ path: String) throws(TensorFileError) -> [String: String] {
        let root = try FileMapping(path: path).withBytes { (bytes) throws(TensorFileError) in
            guard bytes.count <= SafetensorsFile.headerLimit else {
                throw .excessive(path: path, what: "\(bytes.count) bytes of JSON", limit: SafetensorsFile.headerLimit)
            }
            do throws(HeaderJSONParser.Failure) {
                return try HeaderJSONParser.parse(bytes)
            } catch {
                throw .invalidJSON(path: path, offset: error.offset, problem: error.problem)
            }
        }
        guard case .object(let members) = root,
            case .object(let entries)? = members.first(where: { $0.key == "weight_map" })?.value
        else {
            throw .invalidEntry(path: path, key: "weight_map", found: "missing", expected: "an object of shard names")
        }
        var map: [String: String] = [:]
        for (name, value) in entries {
            guard case .string(let shard) = value else {
                throw .invalidEntry(path: path, key: "weight_map.\(name)", found: value.summary, expected: "a shard's name")
            }
            map[name] = shard
        }
        return map
    }
}
