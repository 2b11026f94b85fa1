public import Foundation

/// One line of a manifest: one image of one product.
public struct ManifestRow: Sendable, Hashable {
    /// 1-based line where the row begins, of an In-shop root in its list of splits; `nil` in a plain folder.
    public let line: Int?
    /// The path as the manifest writes it.
    public let image: String
    /// The path made absolute: relative paths start at the manifest's folder.
    public let path: String
    public let productID: String
    /// Every other column that has a value. Numbers and truth values stand as text (`52`, `true`), lists joined with `|`.
    public let fields: [String: String]

    public var file: URL { URL(fileURLWithPath: path) }

    /// The value of a column, `image` and `product_id` included; `nil` where the row has none.
    public subscript(column: String) -> String? {
        switch column {
        case "image": image
        case "product_id": productID
        default: fields[column]
        }
    }
}

/// Why a row, or its picture, was left out, in one sentence; or, as a remark, how it was read where that may surprise.
public struct ManifestProblem: Sendable, Hashable, Codable, CustomStringConvertible {
    /// The manifest, or the picture where there is none.
    public var source: String
    /// 1-based.
    public var line: Int?
    /// What was wrong and what would be right, without a full stop.
    public var message: String

    public init(source: String, line: Int?, message: String) {
        self.source = source
        self.line = line
        self.message = message
    }

    public var description: String {
        if let line { "\(source), line \(line): \(message)." } else { "\(source): \(message)." }
    }
}

/// The kinds of source that are read.
public enum ManifestFormat: String, Sendable, Hashable, Codable {
    case jsonLines = "manifest.jsonl"
    case csv = "CSV"
    case catalogJSON = "catalog.json"
    case folder = "folder"
    /// The official files of DeepFashion's In-shop benchmark, below a folder.
    case inShop = "In-shop"

    /// The format of a file, by its extension.
    init?(ofFile path: String) {
        switch path.pathExtension.lowercased() {
        case "jsonl", "ndjson": self = .jsonLines
        case "csv": self = .csv
        case "json": self = .catalogJSON
        default: return nil
        }
    }
}
