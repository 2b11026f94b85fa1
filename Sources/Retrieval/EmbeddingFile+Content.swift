import Foundation
import TensorFiles

extension EmbeddingFile {
    /// What an embedding file holds, of either kind, its rows not yet looked at.
    struct Content {
        let names: [String]
        /// `[names.count, dimension]`.
        let floats: [Float]
        /// At least 1.
        let dimension: Int
        let model: String?
        let fingerprint: String?

        /// - Throws: `.file`, `.embeddingFile`.
        init(path: String) throws(RetrievalError) {
            switch Format(path: path) ?? .safetensors {
            case .safetensors: try self.init(safetensors: path)
            case .torch: try self.init(torch: path)
            }
        }

        private init(safetensors path: String) throws(RetrievalError) {
            let file = try RetrievalError.filing { () throws(TensorFileError) in try SafetensorsFile(path: path) }
            let matrix = try Self.matrix(of: file)
            let metadata = file.metadata
            let expected = "a JSON array of the rows' pictures"
            guard let key = nameKeys.first(where: { metadata[$0] != nil }), let text = metadata[key] else {
                throw .embeddingFile(path: path, key: "__metadata__.\(nameKeys[0])", found: "missing", expected: expected)
            }
            guard let names = try? JSONDecoder().decode([String].self, from: Data(text.utf8)) else {
                throw .embeddingFile(
                    path: path, key: "__metadata__.\(key)", found: "\"\(text.prefix(40))\"", expected: "a JSON array of texts")
            }
            try Self.check(names, key: "__metadata__.\(key)", of: matrix, path: path)
            floats = try RetrievalError.filing { () throws(TensorFileError) in try file.floats(matrix.name) }
            self.names = names
            dimension = matrix.shape[1]
            model = metadata["model"]
            fingerprint = metadata["fingerprint"]
        }

        private init(torch path: String) throws(RetrievalError) {
            let checkpoint = try RetrievalError.filing { () throws(TensorFileError) in try TorchCheckpoint(path: path) }
            let root = checkpoint.root
            // A list of rows would otherwise count as tensors `features.0`, `features.1`, ….
            if let found = root[tensorName], found.tensor == nil {
                throw .embeddingFile(
                    path: path, key: tensorName, found: found.summary, expected: "a floating-point tensor [n, d]")
            }
            let tensors = try RetrievalError.filing { () throws(TensorFileError) in try checkpoint.tensors() }
            let matrix = try Self.matrix(of: tensors)
            let expected = "a list of the rows' pictures, each a str"
            guard let key = nameKeys.first(where: { root[$0] != nil }), let value = root[key] else {
                throw .embeddingFile(path: path, key: nameKeys[0], found: "missing", expected: expected)
            }
            guard let list = value.list else {
                throw .embeddingFile(path: path, key: key, found: value.summary, expected: expected)
            }
            var names: [String] = []
            names.reserveCapacity(list.count)
            for (index, value) in list.enumerated() {
                guard let name = value.text else {
                    throw .embeddingFile(path: path, key: "\(key)[\(index)]", found: value.summary, expected: "a str")
                }
                names.append(name)
            }
            try Self.check(names, key: key, of: matrix, path: path)
            floats = try RetrievalError.filing { () throws(TensorFileError) in try tensors.floats(matrix.name) }
            self.names = names
            dimension = matrix.shape[1]
            model = root["model"]?.text
            fingerprint = root["fingerprint"]?.text
        }

        /// The tensor of the vectors: the one of their name, or the only matrix.
        private static func matrix(of file: some TensorSource) throws(RetrievalError) -> TensorDescription {
            let matrices = file.names.compactMap { file.tensors[$0] }.filter { $0.shape.count == 2 && $0.type.isFloatingPoint }
            let named = matrices.first { $0.name == tensorName }
            guard let matrix = named ?? (file.tensors[tensorName] == nil && matrices.count == 1 ? matrices[0] : nil) else {
                let found = file.tensors[tensorName].map { "\($0.type.rawValue) \($0.shape)" } ?? "missing"
                throw .embeddingFile(path: file.path, key: tensorName, found: found, expected: "a floating-point tensor [n, d]")
            }
            guard matrix.shape[1] > 0 else {
                throw .embeddingFile(
                    path: file.path, key: matrix.name, found: "\(matrix.shape)", expected: "a shape [n, d] with d ≥ 1")
            }
            return matrix
        }

        private static func check(
            _ names: [String], key: String, of matrix: TensorDescription, path: String
        ) throws(RetrievalError) {
            guard names.count != matrix.shape[0] else { return }
            throw .embeddingFile(
                path: path, key: key, found: "an array of \(names.count)", expected: "\(matrix.shape[0]) texts, one for each row")
        }
    }
}

extension RetrievalError {
    /// Runs a body that reads or writes a file of tensors.
    static func filing<R>(_ body: () throws(TensorFileError) -> R) throws(RetrievalError) -> R {
        do throws(TensorFileError) { return try body() } catch { throw .file(error) }
    }
}
