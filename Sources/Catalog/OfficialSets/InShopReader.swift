import Foundation

/// DeepFashion's In-shop Clothes Retrieval Benchmark (Liu et al. 2016).
///
/// `list_eval_partition.txt` says which picture belongs to which item and split; the other files are optional and say more of each:
/// `list_bbox_inshop.txt` (box, pose), `list_description_inshop.json`, `list_color_cloth.txt`, `attributes/list_attr_cloth.txt` with
/// `list_attr_items.txt`, `list_item_inshop.txt`.
extension OfficialSet {
    /// The side of the square that boxes are given in, in pixels.
    static let inShopFrame = 256.0

    /// Reads the official files below a folder, wherever they lie.
    ///
    /// Columns of each row: `split`, `category` (`Men/Jackets_Vests`), `gender`, `color` (the picture's own), `view`, `clothes_type`,
    /// `description`, `trimmed_description` (without its first sentence), `details` and `caption`.
    /// - Parameters:
    ///   - root: the folder.
    ///   - pictures: where the pictures lie, if not below the root or if there are several sizes of them.
    /// - Returns: the set, and the boxes of its rows, which still have to be brought into the pictures by `placeBoxes`.
    /// - Throws: `CatalogError`: `sourceMissing`, `officialFileMissing`, `officialFileTwice`, `officialPicturesMissing`,
    ///   `sourceUnreadable`, `notUTF8`.
    public static func inShop(root: String, pictures: String? = nil) throws(CatalogError) -> (set: OfficialSet, boxes: FrameBoxes)
    {
        var reader = try InShopReader(root: root)
        try reader.readPartition()
        // Every row may be bad: then the problems say it all.
        if reader.set.rows.isEmpty { return (reader.set, reader.frame) }
        try reader.findPictures(pictures)
        try reader.readBoxes()
        try reader.readColors()
        try reader.readDescriptions()
        try reader.readDetails()
        try reader.checkItems()
        return reader.finished()
    }

    /// Whether an In-shop root lies here or up to three folders below.
    static func isInShop(_ folder: String) -> Bool {
        guard let files = try? SetFiles(root: folder, names: [InShopReader.partition], depth: 3) else { return false }
        return files.all(InShopReader.partition).contains { InShopReader.isPartition($0) }
    }
}

/// Goes through the files one after the other.
struct InShopReader {
    static let partition = "list_eval_partition.txt"
    static let boxes = "list_bbox_inshop.txt"
    static let colors = "list_color_cloth.txt"
    static let descriptions = "list_description_inshop.json"
    static let detailNames = "list_attr_cloth.txt"
    static let details = "list_attr_items.txt"
    static let items = "list_item_inshop.txt"
    static let splits: Set<String> = ["train", "query", "gallery"]

    let files: SetFiles
    var set: OfficialSet
    var frame: FrameBoxes
    /// The row of each picture, by its name.
    var rowOfName: [String: Int] = [:]
    /// Every item that the partition lists, with its first line by split.
    var linesOfItem: [String: [String: Int]] = [:]
    var colorOfName: [String: String] = [:]
    var poseOfRow: [Int: String] = [:]
    var textOfItem: [String: (color: String?, lines: [String])] = [:]
    var detailsOfItem: [String: String] = [:]

    init(root: String) throws(CatalogError) {
        files = try SetFiles(
            root: root,
            names: [
                Self.partition, Self.boxes, Self.colors, Self.descriptions, Self.detailNames, Self.details, Self.items, "img.zip",
                "img_highres.zip",
            ])
        let partitions = files.all(Self.partition)
        let fitting = partitions.filter(Self.isPartition)
        guard let found = fitting.first else {
            throw .officialFileMissing(.inShop, name: "Eval/\(Self.partition)", root: files.root, others: partitions)
        }
        guard fitting.count == 1 else { throw .officialFileTwice(name: Self.partition, paths: fitting) }
        set = OfficialSet(root: files.root, source: found)
        frame = FrameBoxes(file: files.nearest(Self.boxes, to: found))
    }

    /// Whether a file of this name is In-shop's: other benchmarks of DeepFashion have one with other columns.
    static func isPartition(_ path: String) -> Bool {
        guard let table = try? SetTable(path: path, columns: ["evaluation_status"]) else { return false }
        if !table.header.isEmpty { return table.header.contains("item_id") && table.header.contains("image_name") }
        // Without a header the first row tells.
        return table.rows.first.map { row in
            SetTable.split(row.text, tail: 2).map {
                splits.contains(String($0.tail[1])) && SetTable.splitAfterPicture($0.name) == nil
            } ?? false
        } ?? false
    }

    // MARK: Partition

    mutating func readPartition() throws(CatalogError) {
        let table = try SetTable(path: set.source, columns: ["image_name", "evaluation_status"])
        table.checkCount(&set)
        if table.header.isEmpty {
            set.report(
                set.source, nil, "no line names the columns; expected image_name item_id evaluation_status before the first row")
        }
        var lines: [String: (line: Int, split: String)] = [:]
        for row in table.rows {
            guard let (name, tail) = SetTable.split(row.text, tail: 2) else {
                lose(row.line, "the row has too few fields; expected image_name item_id evaluation_status")
                continue
            }
            let (item, split) = (String(tail[0]).oneSpelling, tail[1].lowercased())
            guard Self.splits.contains(split) else {
                lose(row.line, "the evaluation status '\(tail[1])' is none of train, query, gallery")
                continue
            }
            let picture = SetTable.pictureName(name)
            if let earlier = lines[picture] {
                lose(
                    row.line,
                    earlier.split == split
                        ? "the picture \(picture) was already listed in line \(earlier.line)"
                        : "the picture \(picture) is in \(split) here and in \(earlier.split) in line \(earlier.line); the first is kept"
                )
                continue
            }
            lines[picture] = (row.line, split)
            if linesOfItem[item]?[split] == nil { linesOfItem[item, default: [:]][split] = row.line }
            rowOfName[picture] = set.rows.count
            set.rows.append(
                OfficialSet.Row(line: row.line, name: picture, path: "", productID: item, fields: ["split": split], crop: nil))
        }
        guard !table.rows.isEmpty else { throw .emptySource(path: set.source, format: .inShop) }
        checkSplits()
        checkPublishedCounts()
    }

    private mutating func lose(_ line: Int, _ message: String) {
        set.unread += 1
        set.report(set.source, line, message)
    }

    /// Items of train and of the test are disjoint, and every query item is in the gallery.
    private mutating func checkSplits() {
        var found: [(line: Int, message: String, isProblem: Bool)] = []
        for (item, lines) in linesOfItem {
            let test = ["query", "gallery"].compactMap { split in lines[split].map { (split: split, line: $0) } }.min {
                $0.line < $1.line
            }
            if let train = lines["train"], let test {
                let both = [(split: "train", line: train), test].sorted { $0.line < $1.line }
                let words = "is in \(both[1].split) here and in \(both[0].split) in line \(both[0].line)"
                found.append((both[1].line, "the item \(item) \(words); no item may be in both", true))
            }
            if let query = lines["query"], lines["gallery"] == nil {
                found.append(
                    (query, "the item \(item) is in query and has no picture in the gallery, so it can't be found", true))
            }
            if let gallery = lines["gallery"], lines["query"] == nil {
                found.append((gallery, "the item \(item) is in the gallery and in no query", false))
            }
        }
        for (line, message, isProblem) in found.sorted(by: { ($0.line, $0.message) < ($1.line, $1.message) }) {
            if isProblem { set.report(set.source, line, message) } else { set.remark(set.source, line, message) }
        }
    }

    private mutating func checkPublishedCounts() {
        let counts = set.counts
        set.expect("pictures", 52_712, found: set.rows.count)
        set.expect("items", 7_982, found: linesOfItem.count)
        for (split, pictures, items) in [("train", 25_882, 3_997), ("query", 14_218, 3_985), ("gallery", 12_612, 3_985)] {
            let count = counts[split] ?? OfficialSet.Count()
            set.expect("\(split) pictures", pictures, found: count.pictures)
            set.expect("\(split) items", items, found: count.products)
        }
        set.remarkDeviations(of: "In-shop")
    }

    // MARK: Pictures

    mutating func findPictures(_ folder: String?) throws(CatalogError) {
        var places = files
        if let folder { places = try SetFiles(root: folder, names: []) }
        let example = set.rows[0].name
        guard let base = places.pictureFolder(of: set.rows.map(\.name)) else {
            throw .officialPicturesMissing(
                root: places.root, example: example, archive: files.all("img.zip").first ?? files.all("img_highres.zip").first)
        }
        set.keepRowsWithPictures(in: base)
        rowOfName = [:]
        for (index, row) in set.rows.enumerated() { rowOfName[row.name] = index }
        guard !set.rows.isEmpty else {
            throw .officialPicturesMissing(root: places.root, example: example, archive: nil)
        }
    }

    mutating func lacking(_ name: String, _ consequence: String) {
        set.remark(set.root, nil, "there is no \(name) below it: \(consequence)")
    }

    // MARK: Columns

    mutating func finished() -> (set: OfficialSet, boxes: FrameBoxes) {
        var variants: [String: Set<String>] = [:]
        let names = set.rows.map { InShopName($0.name, item: $0.productID) }
        for (row, name) in zip(set.rows, names) { variants[row.productID, default: []].insert(name.variant ?? "") }
        var colorless = 0
        for (index, name) in names.enumerated() {
            let item = set.rows[index].productID
            let text = textOfItem[item]
            var fields = set.rows[index].fields
            fields["category"] = name.category
            fields["gender"] = name.gender
            fields["view"] = poseOfRow[index] ?? name.pose.flatMap { Self.poseWords[$0] }
            fields["details"] = detailsOfItem[item]
            // An item's description names one of its colours: it is the picture's own where the item has no other.
            let color = colorOfName[set.rows[index].name] ?? name.color ?? (variants[item]?.count == 1 ? text?.color : nil)
            fields["color"] = color
            if color == nil { colorless += 1 }
            let description = text?.lines.joined(separator: " ") ?? ""
            if !description.isEmpty { fields["description"] = description }
            let trimmed = Self.trimmed(text?.lines ?? [])
            if !trimmed.isEmpty { fields["trimmed_description"] = trimmed }
            fields["caption"] = Self.caption(color: color, description: description, thing: name.thing)
            set.rows[index].fields = fields
        }
        if colorless > 0 {
            set.remark(
                set.source, nil,
                "\(OfficialSet.grouped(colorless)) pictures have no colour of their own: no file gives it, and the description of an item in several colours names one of them only"
            )
        }
        return (set, frame)
    }

    /// The paper's prompt; without a colour the description alone, and without a description what kind of thing it is.
    private static func caption(color: String?, description: String, thing: String) -> String {
        if description.isEmpty { return "A photo of \(thing)" }
        return color.map { "A clothing item in \($0). \(description)" } ?? description
    }
}
