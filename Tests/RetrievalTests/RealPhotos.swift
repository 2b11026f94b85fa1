import Foundation

/// The real photos that may lie beside the package; nothing of them is part of it.
enum RealPhotos {
    static let folder: URL = {
        if let chosen = ProcessInfo.processInfo.environment["STYLEFINDER_DATA"] { return URL(filePath: chosen) }
        // Tests/RetrievalTests/RealPhotos.swift: three levels below the package.
        let package = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        return package.deletingLastPathComponent().appending(path: "shared/data")
    }()

    static var present: Bool {
        FileManager.default.fileExists(atPath: folder.appending(path: "mobilenet-v1/studio-catalog.safetensors").path)
    }

    struct Row {
        let image: String
        private let columns: [String: String]

        subscript(column: String) -> String? { columns[column] }

        init(line: String) throws {
            let object = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any] ?? [:]
            columns = object.compactMapValues { $0 as? String }
            image = columns["image"] ?? ""
        }
    }

    /// The rows of a photo folder's manifest, in its order.
    static func manifest(_ name: String) throws -> [Row] {
        try String(contentsOf: folder.appending(path: "\(name)/manifest.jsonl"), encoding: .utf8).split(separator: "\n")
            .map { try Row(line: String($0)) }
    }
}
