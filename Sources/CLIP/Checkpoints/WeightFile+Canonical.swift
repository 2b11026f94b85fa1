import TensorFiles
import Torch

extension WeightFile {
    /// Which library's names its tensors carry.
    func table() throws(CLIPError) -> NameTable {
        try NameTable.recognised(by: source.names.compactMap(plain), path: source.path)
    }

    /// A stored name without what wrappers put before it; nil for what is no weight.
    private func plain(_ name: String) -> String? { NameTable.plain(name.dropFirst(wrapping.count)) }

    /// What its canonical tensors are made of, under the names of the file.
    func parts(_ table: NameTable) throws(TensorFileError) -> [NameTable.Part] {
        var stored: [String: String] = [:]
        for name in source.names {
            guard let plain = plain(name) else { continue }
            guard stored.updateValue(name, forKey: plain) == nil else {
                throw .duplicateTensor(path: source.path, tensor: plain)
            }
        }
        let parts = table.parts(of: stored.keys)
        let isSigLIP = parts.contains { $0.ours == "visual.attnpool.probe" }
        return parts.filter { isSigLIP || $0.ours != "logit_bias" }.map { part in
            NameTable.Part(ours: part.ours, theirs: part.theirs.compactMap { stored[$0] }, change: part.change)
        }
    }

    /// Whether it has the bias of SigLIP's loss without being a SigLIP: nothing depends on it.
    func hasIdleBias(_ table: NameTable) -> Bool {
        guard let bias = source.names.first(where: { plain($0) == "logit_bias" }), let parts = try? parts(table) else {
            return false
        }
        return !parts.contains { $0.theirs.contains(bias) }
    }

    /// A canonical tensor; it may lie in the mapped file.
    func tensor(_ part: NameTable.Part) throws -> Tensor {
        try withoutGradients {
            let found = try part.theirs.map { try Tensor.mapped($0, of: source) }
            let tensor = try found.count == 1 ? found[0] : .concatenated(found)
            return switch part.change {
            case .transposed where tensor.shape.count == 2: try tensor.transposed(0, 1).contiguous()
            case .squeezed where tensor.shape.first == 1: try tensor.squeezed(0)
            default: tensor
            }
        }
    }

    /// Its tensors under canonical names; they may lie in the mapped file.
    func canonical(_ table: NameTable) throws -> [String: Tensor] {
        var tensors: [String: Tensor] = [:]
        for part in try parts(table) { tensors[part.ours] = try tensor(part) }
        return tensors
    }

    /// How many places a side of the stored position embeddings has; nil where they are no square.
    func storedGrid(_ table: NameTable) throws -> Int? {
        let weights = try canonical(table)
        return CLIPConfiguration.positionNames.compactMap { weights[$0] }.first.flatMap {
            CLIPConfiguration.side(ofPlaces: $0.size(0), hasClassToken: weights["visual.attnpool.probe"] == nil)
        }
    }
}
