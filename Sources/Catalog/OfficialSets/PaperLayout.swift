/// The layout that the original project's scripts work on: `train/img/WOMEN/Dresses/id_00000002/02_1_front.jpg` and so on for `val`,
/// `query` and `gallery`, and three JSON files whose keys are the pictures' names (`img/WOMEN/…`).
public struct PaperLayout: Sendable {
    public static let splits = ["train", "val", "query", "gallery"]
    public static let files = ["image_paths.json", "image_texts.json", "image_splits.json"]

    /// The picture to place and its name in the folder, for each row with a split.
    public let pictures: [(source: String, name: String)]
    private let rows: [OfficialSet.Row]

    public init(_ set: OfficialSet) {
        rows = set.rows.filter { row in row.fields["split"].map(Self.splits.contains) ?? false }
        pictures = rows.map { ($0.path, "\($0.fields["split"] ?? "")/img/\($0.name)") }
    }

    /// `{"img/…": {"item_id": …, "split": …}}`
    public var paths: String {
        object(
            rows.map { row in
                (
                    "img/" + row.name,
                    "{\"item_id\": \(ManifestWriter.quoted(row.productID)), \"split\": \(ManifestWriter.quoted(row.fields["split"] ?? ""))}"
                )
            })
    }

    /// `{"img/…": caption}`
    public var texts: String {
        object(rows.map { ("img/" + $0.name, ManifestWriter.quoted($0.fields["caption"] ?? "")) })
    }

    /// `{"train": ["img/…"], "val": [], "query": [], "gallery": []}`
    public var lists: String {
        object(
            Self.splits.map { split in
                let names = rows.filter { $0.fields["split"] == split }.map { "    " + ManifestWriter.quoted("img/" + $0.name) }
                return (split, names.isEmpty ? "[]" : "[\n\(names.joined(separator: ",\n"))\n  ]")
            })
    }

    private func object(_ members: [(key: String, value: String)]) -> String {
        if members.isEmpty { return "{}\n" }
        return "{\n" + members.map { "  \(ManifestWriter.quoted($0.key)): \($0.value)" }.joined(separator: ",\n") + "\n}\n"
    }
}
