public import Foundation

/// One line of a manifest: one image of one product.
public struct ManifestRow: Sendable, Hashable {
    /// 1-based line where the row begins; `nil` in a plain folder.
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

/// Why a row, or its picture, was left out, in one sentence.
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

    /// The format of a file, by its extension.
    init?(ofFile path: String) {
        switch (path as NSString).pathExtension.lowercased() {
        case "jsonl", "ndjson": self = .jsonLines
        case "csv": self = .csv
        case "json": self = .catalogJSON
        default: return nil
        }
    }
}

/// The columns with a meaning of their own. Any other column is an attribute.
enum Column {
    static let product = ["title", "category", "brand", "price", "currency", "url", "in_stock", "description"]
    static let image = ["view", "color", "caption", "split"]
    static let splits: Set<String> = ["train", "val", "query", "gallery"]
    static let known = Set(product + image)

    /// A column's value in the one form in which it is kept, or the reason why it has none.
    static func canonical(_ column: String, _ text: String) -> Result<String, Reason> {
        let trimmed = text.trimmingCharacters(in: .whitespaces)
        switch column {
        case "price":
            guard let price = Double(trimmed), price.isFinite, price >= 0 else {
                return .failure(Reason("the price '\(text)' is not a number; write it like 19.99, without a currency sign"))
            }
            return .success(number(price))
        case "in_stock":
            switch trimmed.lowercased() {
            case "true", "yes", "1": return .success("true")
            case "false", "no", "0": return .success("false")
            default: return .failure(Reason("in_stock '\(text)' is neither true nor false"))
            }
        case "split":
            guard splits.contains(trimmed) else {
                return .failure(Reason("the split '\(text)' is none of train, val, query, gallery"))
            }
            return .success(trimmed)
        default:
            return .success(text)
        }
    }

    /// A number as text: whole numbers without a fraction, others in the shortest form that reads back the same.
    static func number(_ value: Double) -> String {
        // Beyond 2^53 a Double no longer tells neighbouring whole numbers apart.
        if value.rounded() == value, abs(value) < 9_007_199_254_740_992 { return String(Int64(value)) }
        return String(value)
    }

    /// A reason in words, as an error.
    struct Reason: Error {
        let text: String
        init(_ text: String) { self.text = text }
    }
}
