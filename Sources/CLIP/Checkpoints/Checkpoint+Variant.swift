import Foundation
import TensorFiles
import Torch

extension Checkpoint {
    /// How many numbers of the model an optimizer could train: what is stored, without the running statistics of batch norms.
    /// - Throws: `TensorFileError` for names that stand twice.
    public func parameterCount() throws -> Int {
        try weightFile.parts(names).filter { part in
            !["running_mean", "running_var", "num_batches_tracked"].contains { part.ours.hasSuffix($0) }
        }
        .reduce(0) { $0 + $1.theirs.reduce(0) { $0 + (weightFile.source.tensors[$1]?.elementCount ?? 0) } }
    }

    /// - Throws: `CLIPError.unmixable` for another architecture, `CLIPError.wrongValue` for a checkpoint of several files or one that is a variant
    ///   itself: nothing can be kept as what differs from it.
    func checkIsBaseline(of model: CLIPModel, at path: String) throws {
        guard model.configuration == configuration else {
            throw CLIPError.unmixable(
                self.path, path,
                because: "one is \(configuration.architectureName), the other \(model.configuration.architectureName)")
        }
        guard weightFile.files.count == 1 else {
            let found = weightFile.source is VariantTensors ? "a variant itself" : "\(weightFile.files.count) files"
            throw CLIPError.wrongValue(
                path: self.path, key: "baseline", found: found, expected: "a model whose weights are one file")
        }
    }

    /// Writes what tells a model's weights from this checkpoint's, under the names that this one's file has.
    /// - Throws: as `checkIsBaseline`; `TensorFileError`.
    func writeDifferences(of model: CLIPModel, coarseness: Float, to path: String) throws {
        try checkIsBaseline(of: model, at: path)
        let file = weightFile.files[0]
        let weights = Dictionary(uniqueKeysWithValues: model.store.parameters + model.store.buffers)
        let changed = try weightFile.parts(names).flatMap { part -> [VariantWriter.Changed] in
            try weights[part.ours].map { try stored($0, part) } ?? []
        }
        _ = try VariantWriter.write(
            changed, of: (weightFile.source, Self.place(of: file, from: path), Fingerprint.digest(ofFile: file)),
            coarseness: coarseness,
            metadata: ["format": "pt", "activation": configuration.activation.rawValue], to: path)
    }

    /// A canonical tensor as the file's own tensors: what `WeightFile.tensor` does to them, undone.
    private func stored(_ tensor: Tensor, _ part: NameTable.Part) throws -> [VariantWriter.Changed] {
        try withoutGradients {
            let turned = part.change == .transposed && tensor.shape.count == 2 ? try tensor.transposed(0, 1).contiguous() : tensor
            let floats = try turned.to(.float32).floats()
            // What has another size than the file's, such as interpolated position embeddings, the writer refuses.
            if part.theirs.count == 1 { return [(part.theirs[0], floats)] }
            var rest = floats[...]
            return part.theirs.map { name in
                let own = rest.prefix(weightFile.source.tensors[name]?.elementCount ?? 0)
                rest = rest.dropFirst(own.count)
                return (name, Array(own))
            }
        }
    }

    /// A file's path seen from the folder of another where both lie in one folder of models, so that this can be moved as a whole; else from
    /// the root.
    private static func place(of file: String, from other: String) -> String {
        let file = URL(fileURLWithPath: file).standardizedFileURL.pathComponents
        let models = URL(fileURLWithPath: other).standardizedFileURL.deletingLastPathComponent().deletingLastPathComponent()
            .pathComponents
        guard file.starts(with: models) else { return "/" + file.dropFirst().joined(separator: "/") }
        return "../" + file.dropFirst(models.count).joined(separator: "/")
    }
}
