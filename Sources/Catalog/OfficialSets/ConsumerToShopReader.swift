/// DeepFashion's Consumer-to-shop Clothes Retrieval Benchmark (Liu et al. 2016), often called Street2Shop after the task.
///
/// `list_eval_partition.txt` lists pairs of a consumer's photo and a shop's of one item; `list_bbox_consumer2shop.txt` says who took a
/// photo and where the garment is in it.
extension OfficialSet {
    /// Reads the official files below a folder, wherever they lie. A photo that stands in several pairs is one row.
    ///
    /// Consumers' photos are cropped to their boxes; of the test they are the queries, and the shops' photos the gallery.
    /// Columns of each row: `split`, `source` (`consumer`, `shop`), `category`, `clothes_type`, `box` (of shops' photos, in their pixels)
    /// and `caption`.
    /// - Throws: as `inShop(root:pictures:)`.
    public static func consumerToShop(root: String, pictures: String? = nil) throws(CatalogError) -> OfficialSet {
        var reader = try ConsumerToShopReader(root: root)
        try reader.readPairs()
        try reader.readBoxes()
        // Every row may be bad: then the problems say it all.
        if reader.set.rows.isEmpty { return reader.set }
        try reader.findPictures(pictures)
        return reader.finished()
    }
}

struct ConsumerToShopReader {
    private static let partition = "list_eval_partition.txt"
    private static let boxes = "list_bbox_consumer2shop.txt"
    private static let statuses: Set<String> = ["train", "val", "test"]

    private let files: SetFiles
    fileprivate var set: OfficialSet
    private var rowOfName: [String: Int] = [:]
    private var statusOfName: [String: String] = [:]
    private var pairs: [(line: Int, one: Int, other: Int)] = []
    private var boxOfName: [String: PixelBox] = [:]
    private var boxLines: Set<String> = []

    init(root: String) throws(CatalogError) {
        files = try SetFiles(root: root, names: [Self.partition, Self.boxes, "img.zip", "img_highres.zip"])
        let partitions = files.all(Self.partition)
        let fitting = partitions.filter(Self.isPartition)
        guard let found = fitting.first else {
            throw .officialFileMissing(.consumerToShop, name: "Eval/\(Self.partition)", root: files.root, others: partitions)
        }
        guard fitting.count == 1 else { throw .officialFileTwice(name: Self.partition, paths: fitting) }
        set = OfficialSet(root: files.root, source: found)
    }

    private static func isPartition(_ path: String) -> Bool {
        guard let table = try? SetTable(path: path, columns: ["evaluation_status"]) else { return false }
        if !table.header.isEmpty { return table.header.contains { $0.hasPrefix("image_pair_name") } }
        return table.rows.first.map { pair(in: $0.text) != nil } ?? false
    }

    /// Two names of pictures, an item and a status.
    private static func pair(in row: Substring) -> (one: Substring, other: Substring, item: String, status: String)? {
        guard let (names, tail) = SetTable.split(row, tail: 2), let (one, other) = SetTable.splitAfterPicture(names),
            !other.isEmpty
        else { return nil }
        return (one, other, String(tail[0]).oneSpelling, String(tail[1]))
    }

    // MARK: Pairs

    mutating func readPairs() throws(CatalogError) {
        let table = try SetTable(path: set.source, columns: ["evaluation_status"])
        table.checkCount(&set)
        if table.header.isEmpty {
            set.report(
                set.source, nil,
                "no line names the columns; expected image_pair_name_1 image_pair_name_2 item_id evaluation_status before the first row"
            )
        }
        var seen: Set<[String]> = []
        var statusOfItem: [String: (status: String, line: Int)] = [:]
        var overlapping: Set<String> = []
        for row in table.rows {
            guard let pair = Self.pair(in: row.text) else {
                lose(row.line, "the row is not image_pair_name_1 image_pair_name_2 item_id evaluation_status")
                continue
            }
            let status = pair.status.lowercased()
            guard Self.statuses.contains(status) else {
                lose(row.line, "the evaluation status '\(pair.status)' is none of train, val, test")
                continue
            }
            let names = [SetTable.pictureName(pair.one), SetTable.pictureName(pair.other)]
            guard seen.insert(names).inserted else {
                set.report(set.source, row.line, "the pair of \(names[0]) and \(names[1]) was already listed")
                continue
            }
            if let earlier = statusOfItem[pair.item] {
                if earlier.status != status, overlapping.insert(pair.item).inserted {
                    set.report(
                        set.source, row.line,
                        "the item \(pair.item) is in \(status) here and in \(earlier.status) in line \(earlier.line); no item may be in both"
                    )
                }
            } else {
                statusOfItem[pair.item] = (status, row.line)
            }
            guard let one = self.row(names[0], isConsumer: true, pair.item, status, row.line),
                let other = self.row(names[1], isConsumer: false, pair.item, status, row.line)
            else { continue }
            pairs.append((row.line, one, other))
        }
        guard !table.rows.isEmpty else { throw .emptySource(path: set.source, format: .inShop) }
        set.expect("pairs", 195_540, found: table.rows.count)
        set.expect("items", 33_881, found: statusOfItem.count)
        set.remarkDeviations(of: "Consumer-to-shop")
    }

    /// The row of a photo, made at its first pair.
    private mutating func row(_ name: String, isConsumer: Bool, _ item: String, _ status: String, _ line: Int) -> Int? {
        if let index = rowOfName[name] {
            let row = set.rows[index]
            if row.productID != item {
                set.report(
                    set.source, line,
                    "the picture \(name) is of the item \(item) here and of \(row.productID) in line \(row.line ?? 0); the first is kept"
                )
                return nil
            }
            if statusOfName[name] != status {
                set.report(
                    set.source, line,
                    "the picture \(name) is in \(status) here and in \(statusOfName[name] ?? "") in line \(row.line ?? 0); the first is kept"
                )
                return nil
            }
            return index
        }
        rowOfName[name] = set.rows.count
        statusOfName[name] = status
        set.rows.append(
            OfficialSet.Row(
                line: line, name: name, path: "", productID: item,
                fields: ["source": Self.source(of: name, isConsumer: isConsumer)], crop: nil))
        return set.rows.count - 1
    }

    /// Who took a photo, by its name (`comsumer_01.jpg`, as the official files spell it), else by its place in the pair.
    private static func source(of name: String, isConsumer: Bool) -> String {
        let file = (name.split(separator: "/").last ?? "").lowercased()
        if file.hasPrefix("comsumer") || file.hasPrefix("consumer") { return "consumer" }
        if file.hasPrefix("shop") { return "shop" }
        return isConsumer ? "consumer" : "shop"
    }

    private mutating func lose(_ line: Int, _ message: String) {
        set.unread += 1
        set.report(set.source, line, message)
    }

    // MARK: Boxes

    mutating func readBoxes() throws(CatalogError) {
        guard let file = files.nearest(Self.boxes, to: set.source) else {
            return set.remark(set.root, nil, "there is no \(Self.boxes) below it: consumers' photos are taken whole")
        }
        let table = try SetTable(path: file, columns: ["image_name", "source_type"])
        table.checkCount(&set)
        var unknown = Tally()
        for row in table.rows {
            guard let (name, tail) = SetTable.split(row.text, tail: 6), let box = PixelBox(tail[2...]) else {
                set.report(file, row.line, "the row is not image_name clothes_type source_type x_1 y_1 x_2 y_2")
                continue
            }
            let picture = SetTable.pictureName(name)
            guard boxLines.insert(picture).inserted else {
                set.report(file, row.line, "the picture \(picture) has a box already; the first is kept")
                continue
            }
            guard let index = rowOfName[picture] else {
                unknown.add(row.line, picture)
                continue
            }
            if let type = ["1": "upper", "2": "lower", "3": "full"][String(tail[0])] {
                set.rows[index].fields["clothes_type"] = type
            } else {
                set.report(file, row.line, "the clothes type '\(tail[0])' is none of 1, 2, 3")
            }
            switch tail[1] {
            case "1": set.rows[index].fields["source"] = "shop"
            case "2": set.rows[index].fields["source"] = "consumer"
            default: set.report(file, row.line, "the source type '\(tail[1])' is neither 1 (shop) nor 2 (consumer)")
            }
            if box.hasArea {
                boxOfName[picture] = box
            } else {
                set.report(file, row.line, "the box \(box) of \(picture) has no area; the photo is taken whole")
            }
        }
        unknown.remark(file, "boxes", "pictures that are in no pair", &set)
        for pair in pairs {
            guard let source = set.rows[pair.one].fields["source"], source == set.rows[pair.other].fields["source"] else {
                continue
            }
            set.report(
                set.source, pair.line,
                "both pictures of the pair are a \(source)'s, \(set.rows[pair.one].name) and \(set.rows[pair.other].name); expected one of a consumer and one of a shop"
            )
        }
    }

    // MARK: Pictures and columns

    mutating func findPictures(_ folder: String?) throws(CatalogError) {
        var places = files
        if let folder { places = try SetFiles(root: folder, names: []) }
        let example = set.rows[0].name
        guard let base = places.pictureFolder(of: set.rows.map(\.name)) else {
            throw .officialPicturesMissing(root: places.root, example: example, archive: files.all("img.zip").first)
        }
        set.keepRowsWithPictures(in: base)
        guard !set.rows.isEmpty else {
            throw .officialPicturesMissing(root: places.root, example: example, archive: nil)
        }
    }

    mutating func finished() -> OfficialSet {
        var gallery: Set<String> = []
        for index in set.rows.indices {
            let row = set.rows[index]
            let isConsumer = row.fields["source"] == "consumer"
            let status = statusOfName[row.name] ?? ""
            set.rows[index].fields["split"] = status == "test" ? (isConsumer ? "query" : "gallery") : status
            if status == "test", !isConsumer { gallery.insert(row.productID) }
            let folders = row.name.split(separator: "/").dropLast().map(String.init).filter {
                $0 != row.productID && !$0.hasPrefix("id_")
            }
            if !folders.isEmpty {
                set.rows[index].fields["category"] = folders.map(Self.capitalized).joined(separator: "/")
            }
            let thing = folders.last.map { $0.replacing("_", with: " ").lowercased() } ?? "a clothing item"
            set.rows[index].fields["caption"] = "A photo of \(thing)"
            if isConsumer {
                set.rows[index].crop = boxOfName[row.name]
            } else {
                set.rows[index].fields["box"] = boxOfName[row.name]?.description
            }
        }
        var told: Set<String> = []
        for row in set.rows where row.fields["split"] == "query" && !gallery.contains(row.productID) {
            guard told.insert(row.productID).inserted else { continue }
            set.report(set.source, row.line, "the item \(row.productID) of the test has no shop's photo, so it can't be found")
        }
        return set
    }

    /// `DRESSES` as `Dresses`; other names as they are.
    private static func capitalized(_ folder: String) -> String {
        folder == folder.uppercased() ? folder.prefix(1) + folder.dropFirst().lowercased() : folder
    }
}
