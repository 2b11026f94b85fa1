/// Writes rows as the lines of a `manifest.jsonl`.
public enum ManifestWriter {
    /// The row of one picture: `image` and `product_id` first, then the columns that have a meaning of their own, then the others by name.
    /// - Parameter image: the path as the manifest is to name it.
    public static func line(image: String, productID: String, fields: [String: String]) -> String {
        var parts = ["\"image\": \(quoted(image))", "\"product_id\": \(quoted(productID))"]
        let others = fields.keys.filter { !order.contains($0) }.sorted()
        for column in order + others {
            if let value = fields[column], !value.isEmpty { parts.append("\(quoted(column)): \(quoted(value))") }
        }
        return "{" + parts.joined(separator: ", ") + "}\n"
    }

    /// What somebody looks for first stands first.
    private static let order =
        ["split", "view", "category", "color"] + Column.product.filter { $0 != "category" && $0 != "description" } + [
            "caption", "description",
        ]

    /// A text as JSON has it (RFC 8259), everything beyond ASCII as it is.
    public static func quoted(_ text: String) -> String {
        var quoted = "\""
        quoted.reserveCapacity(text.utf8.count + 2)
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": quoted += "\\\""
            case "\\": quoted += "\\\\"
            case "\n": quoted += "\\n"
            case "\r": quoted += "\\r"
            case "\t": quoted += "\\t"
            case "\u{0}"..."\u{1F}":
                let digits = String(scalar.value, radix: 16)
                quoted += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: quoted.unicodeScalars.append(scalar)
            }
        }
        return quoted + "\""
    }
}
