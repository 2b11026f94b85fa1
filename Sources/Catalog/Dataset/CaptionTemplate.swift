/// A text in which a row fills in its values, such as `a photo of a {color} {category}`.
public struct CaptionTemplate: Sendable, Hashable {
    public let text: String

    public init(_ text: String) { self.text = text }

    /// The columns between its braces.
    public var columns: [String] {
        var columns: [String] = []
        _ = filled {
            columns.append($0)
            return " "
        }
        return columns
    }

    /// The caption of a row; nil where the row lacks one of the columns.
    public func filled(for row: ManifestRow) -> String? { filled { row[$0] } }

    /// The template with values in place of its `{columns}`, in lower case; nil where one is lacking or empty. Of a category path such as
    /// `Men/Tops/Hoodies` the last part counts; a colour or a description may hold a `/` of its own. `_` and `|` become blanks.
    public func filled(_ value: (String) -> String?) -> String? {
        var filled = ""
        var rest = Substring(text)
        while let open = rest.firstIndex(of: "{"), let close = rest[open...].firstIndex(of: "}") {
            filled += rest[..<open]
            let column = rest[rest.index(after: open)..<close]
            guard let found = value(String(column)), !found.isEmpty else { return nil }
            let last = column == "category" ? found.split(separator: "/").last.map(String.init) ?? found : found
            filled += last.replacing("_", with: " ").replacing("|", with: " ").lowercased()
            rest = rest[rest.index(after: close)...]
        }
        return filled + rest
    }
}
