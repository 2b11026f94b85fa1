import Foundation
import Hashing
import Imaging
import TensorFiles
import Torch

/// What tells the vectors of two models apart: a SHA-256 over everything that a vector depends on and nothing else.
///
/// It is fed with the configuration and the preprocessing in words, then with every weight under its canonical name, in the order of these:
/// name, element type, shape, and the bytes, row by row. So it stays where a vocabulary is put beside the weights, a JSON file is written
/// otherwise, or the weights are kept in another container or under another library's names; and it changes with a single bit of a weight
/// and with the precision in which they are stored.
enum Fingerprint {
    /// Begins what is hashed; a change of the rule changes it.
    private static let rule = "stylefinder fingerprint 2\n"

    /// What a model's vectors depend on beside its weights.
    static func settings(_ configuration: CLIPConfiguration, _ preprocessing: Preprocessing) -> String {
        let vision =
            switch configuration.vision {
            case .transformer(let tower):
                "vit \(tower.width) \(tower.layers) \(tower.heads) \(tower.hidden) \(tower.patch) \(tower.resolution)"
            case .resNet(let tower): "resnet \(tower.width) \(tower.layers) \(tower.heads) \(tower.resolution)"
            // Its sizes are those of the weights' shapes.
            case .timm(let tower): "timm \(tower.name) \(tower.projection.word) \(tower.resolution)"
            }
        let text = configuration.text
        // Where nothing is cut, the rule of cutting is without effect.
        let crop =
            switch (preprocessing.fitting, preprocessing.cropRule) {
            case (.squash, _): "-"
            case (.shortestSideCrop, .torchvision): "torchvision"
            case (.shortestSideCrop, .transformers): "transformers"
            }
        return rule + """
            family \(configuration.family.rawValue)
            vision \(vision)
            text \(text.width) \(text.layers) \(text.heads) \(text.hidden) \(text.contextLength) \(text.vocabularySize)
            embedding \(configuration.embeddingSize)
            activation \(configuration.activation.rawValue) \(configuration.textActivation.rawValue)
            eps \(configuration.layerNormEps)
            pictures \(preprocessing.side) \(preprocessing.fitting.rawValue) \(crop) \(preprocessing.filter.rawValue)
            mean \(preprocessing.mean)
            std \(preprocessing.deviation)

            """
    }

    /// - Throws: `TensorFileError`, or `TorchError` where position embeddings have to be interpolated.
    static func taken(of file: WeightFile, _ table: NameTable, _ configuration: CLIPConfiguration, settings: String) throws
        -> String
    {
        let hash = SHA256()
        hash.update(Data(settings.utf8))
        var read = 0
        for part in try file.parts(table).sorted(by: { $0.ours < $1.ours }) {
            let stored = part.theirs.compactMap { file.source.tensors[$0] }
            guard let first = stored.first, stored.count == part.theirs.count else { continue }
            func feed(_ type: String, _ shape: [Int], _ bytes: () throws -> Void) throws {
                hash.update(Data("\(part.ours) \(type) \(shape)\n".utf8))
                try bytes()
            }
            var shape = first.shape
            if CLIPConfiguration.positionNames.contains(part.ours) {
                let plain = try file.tensor(part)
                if let fitted = try configuration.fitted([part.ours: plain])[part.ours], fitted.shape != plain.shape {
                    try feed(fitted.type.rawValue, fitted.shape) { hash.update(try fitted.bytes()) }
                    continue
                }
            }
            switch part.change {
            case .same where stored.count > 1 && !shape.isEmpty: shape[0] = stored.reduce(0) { $0 + ($1.shape.first ?? 0) }
            case .transposed where shape.count == 2: shape.reverse()
            case .squeezed where shape.first == 1: shape.removeFirst()
            default: break
            }
            // Some checkpoints keep a scalar as [] and some as [1].
            if shape == [1] { shape = [] }
            let types = Set(stored.map(\.type.rawValue)).sorted().joined(separator: "+")
            try feed(types, shape) {
                for tensor in stored {
                    try file.source.withBytes(of: tensor.name) { bytes in
                        if part.change == .transposed, tensor.shape.count == 2 {
                            hash.update(transposed(bytes, tensor))
                        } else {
                            hash.update(bytes)
                        }
                        read += bytes.count
                    }
                }
            }
            if read > 1 << 26 {
                file.source.releasePages()
                read = 0
            }
        }
        return hash.hexDigest()
    }

    /// The elements of a matrix column by column.
    private static func transposed(_ bytes: UnsafeRawBufferPointer, _ tensor: TensorDescription) -> [UInt8] {
        let (rows, columns, size) = (tensor.shape[0], tensor.shape[1], tensor.type.byteCount)
        return [UInt8](unsafeUninitializedCapacity: bytes.count) { out, count in
            for row in 0..<rows {
                for column in 0..<columns {
                    let (from, to) = ((row * columns + column) * size, (column * rows + row) * size)
                    for byte in 0..<size { out.initializeElement(at: to + byte, to: bytes[from + byte]) }
                }
            }
            count = rows * columns * size
        }
    }

    // MARK: The rule of before

    /// The fingerprints that earlier versions gave: over the bytes of the files as they are, first the settings' and the vocabulary's, then
    /// the weights'. One with the vocabulary that lies there now and one without any, since it may have come later.
    /// - Throws: `CLIPError.unreadable` if a file can't be read to its end.
    static func former(settings: [String], vocabulary: [String], weights: [String], choices: [String]) throws -> [String] {
        let (with, without) = (SHA256(), SHA256())
        for path in settings { try feed(path, to: [with, without]) }
        for path in vocabulary { try feed(path, to: [with]) }
        for path in weights { try feed(path, to: vocabulary.isEmpty ? [with] : [with, without]) }
        for choice in choices { for hash in [with, without] { hash.update(Data("\n\(choice)".utf8)) } }
        return vocabulary.isEmpty ? [with.hexDigest()] : [with.hexDigest(), without.hexDigest()]
    }

    /// The SHA-256 of a file's bytes and nothing else.
    /// - Throws: `CLIPError.unreadable` if it can't be read to its end.
    static func digest(ofFile path: String) throws -> String {
        let hash = SHA256()
        try feed(path, to: [hash], withLength: false)
        return hash.hexDigest()
    }

    private static func feed(_ path: String, to hashes: [SHA256], withLength: Bool = true) throws {
        guard let file = FileHandle(forReadingAtPath: path), let length = try? file.seekToEnd(),
            (try? file.seek(toOffset: 0)) != nil
        else { throw CLIPError.unreadable(path: path, reason: "there is no such file or no permission") }
        defer { try? file.close() }
        // Length first, so that no two lists of files give the same stream.
        if withLength { for hash in hashes { withUnsafeBytes(of: length.littleEndian) { hash.update($0) } } }
        var rest = length
        while rest > 0 {
            guard let part = try? file.read(upToCount: 1 << 20), !part.isEmpty else {
                throw CLIPError.unreadable(path: path, reason: "it ends \(rest) bytes early")
            }
            for hash in hashes { hash.update(part) }
            rest -= min(rest, UInt64(part.count))
        }
    }
}
