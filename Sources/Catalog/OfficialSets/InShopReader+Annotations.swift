import Foundation

/// The optional files: what they say of pictures and items is taken down here, and becomes columns in `finished`.
extension InShopReader {
    // MARK: Boxes and poses

    private static let poses = ["1": "front", "2": "side", "3": "back", "4": "full", "5": "detail", "6": "flat"]
    static let poseWords = [
        "front": "front", "side": "side", "back": "back", "full": "full", "additional": "detail", "detail": "detail",
        "flat": "flat",
    ]
    private static let clothesTypes = ["1": "upper", "2": "lower", "3": "full"]

    mutating func readBoxes() throws(CatalogError) {
        guard let file = frame.file else {
            return lacking(Self.boxes, "rows have no box, and views are taken from the names of files")
        }
        let table = try SetTable(path: file, columns: ["image_name", "pose_type"])
        table.checkCount(&set)
        var unknown = Tally()
        var seen: Set<String> = []
        for row in table.rows {
            guard let (name, tail) = SetTable.split(row.text, tail: 6), let box = PixelBox(tail[2...]) else {
                set.report(file, row.line, "the row is not image_name clothes_type pose_type x_1 y_1 x_2 y_2")
                continue
            }
            let picture = SetTable.pictureName(name)
            guard seen.insert(picture).inserted else {
                set.report(file, row.line, "the picture \(picture) has a box already; the first is kept")
                continue
            }
            guard let index = rowOfName[picture] else {
                unknown.add(row.line, picture)
                continue
            }
            if let type = Self.clothesTypes[String(tail[0])] {
                set.rows[index].fields["clothes_type"] = type
            } else {
                set.report(file, row.line, "the clothes type '\(tail[0])' is none of 1, 2, 3")
            }
            if let pose = Self.poses[String(tail[1])] {
                poseOfRow[index] = pose
            } else {
                set.report(
                    file, row.line, "the pose type '\(tail[1])' is none of 1 to 6; the view is taken from the name of the file")
            }
            if box.hasArea {
                frame.boxes[index] = (box, row.line)
            } else {
                set.report(file, row.line, "the box \(box) of \(picture) has no area; the row is kept without a box")
            }
        }
        unknown.remark(file, "boxes", "pictures that are not used", &set)
        let without = set.rows.filter { !seen.contains($0.name) }
        if let first = without.first {
            set.remark(
                file, nil,
                "\(OfficialSet.grouped(without.count)) pictures have no row here and so no box, the first is \(first.name)")
        }
    }

    // MARK: Colours

    mutating func readColors() throws(CatalogError) {
        guard let file = files.nearest(Self.colors, to: set.source) else {
            return lacking(Self.colors, "a picture's colour is taken from its name or from the description of its item")
        }
        let table = try SetTable(path: file, columns: ["image_name"])
        // Not every edition of this file begins with its count.
        if table.count != nil { table.checkCount(&set) }
        for row in table.rows {
            guard let (name, color) = SetTable.splitAfterPicture(row.text), !color.isEmpty else {
                set.report(file, row.line, "the row is not a picture's name and a colour")
                continue
            }
            let picture = SetTable.pictureName(name)
            if colorOfName[picture] != nil {
                set.report(file, row.line, "the picture \(picture) has a colour already; the first is kept")
            } else {
                colorOfName[picture] = Self.oneLine(String(color))
            }
        }
    }

    // MARK: Descriptions

    mutating func readDescriptions() throws(CatalogError) {
        guard let file = files.nearest(Self.descriptions, to: set.source) else {
            return lacking(Self.descriptions, "captions are made of the category")
        }
        let bytes = Array(try SetTable.text(of: file).utf8)
        let pieces: [JSONRecords.Piece]
        do throws(CatalogError) { pieces = try JSONRecords.elements(bytes, path: file) } catch {
            guard case .malformed(_, let line, let reason) = error else { throw error }
            return set.report(
                file, line, "\(reason) (expected a list of {\"item\", \"color\", \"description\"}); no description is used")
        }
        var unknown = Tally()
        for piece in pieces {
            let object: [String: JSONValue]
            switch JSONRecords.object(piece, like: "{\"item\": …, \"color\": …, \"description\": […]}") {
            case .failure(let failure):
                set.report(file, failure.line, failure.reason)
                continue
            case .success(let parsed): object = parsed.object
            }
            guard case .text(let id)? = object["item"] else {
                set.report(
                    file, piece.line,
                    "the description has no 'item'; write {\"item\": \"id_00000001\", \"color\": …, \"description\": […]}")
                continue
            }
            let item = id.oneSpelling
            guard linesOfItem[item] != nil else {
                unknown.add(piece.line, item)
                continue
            }
            // One more colour of an item may have a description of its own; without its picture it says nothing.
            if textOfItem[item] != nil { continue }
            var color: String?
            if case .text(let text)? = object["color"] { color = Self.oneLine(text) }
            textOfItem[item] = (color?.isEmpty == true ? nil : color, Self.lines(object["description"]))
        }
        unknown.remark(file, "descriptions", "items that are not in the partition", &set)
        let without = linesOfItem.keys.count { textOfItem[$0]?.lines.isEmpty ?? true }
        if without > 0 {
            set.remark(
                file, nil, "\(OfficialSet.grouped(without)) items have no description; their captions are made of the category")
        }
    }

    private static func lines(_ value: JSONValue?) -> [String] {
        let parts: [JSONValue]
        switch value {
        case .text?: parts = [value].compactMap(\.self)
        case .list(let values)?: parts = values
        default: return []
        }
        return parts.compactMap { part in
            guard case .text(let text) = part else { return nil }
            let line = oneLine(text)
            return line.isEmpty ? nil : line
        }
    }

    private static func oneLine(_ text: String) -> String {
        text.split(whereSeparator: \.isWhitespace).joined(separator: " ").oneSpelling
    }

    /// Without its first sentence, as the paper's last variant has it to leave room among 77 tokens: up to the first full stop of the first
    /// paragraph, or all of a paragraph without one.
    static func trimmed(_ lines: [String]) -> String {
        guard let first = lines.first else { return "" }
        let rest =
            first.firstIndex(of: ".").map { String(first[first.index(after: $0)...]).trimmingCharacters(in: .whitespaces) } ?? ""
        return ([rest] + lines.dropFirst()).filter { !$0.isEmpty }.joined(separator: " ")
    }

    // MARK: Attributes

    mutating func readDetails() throws(CatalogError) {
        guard let namesFile = files.nearest(Self.detailNames, to: set.source),
            let file = files.nearest(Self.details, to: set.source)
        else { return lacking("\(Self.detailNames) with \(Self.details)", "rows have no details") }
        let names = try SetTable(path: namesFile, columns: ["attribute_name"])
        names.checkCount(&set)
        let table = try SetTable(path: file, columns: ["item_name"])
        let headed = table.header.isEmpty ? try SetTable(path: file, columns: ["item_id"]) : table
        headed.checkCount(&set)
        let words = names.rows.map { Self.oneLine(String($0.text)) }
        for row in headed.rows {
            let fields = row.text.utf8.split { $0 == 0x20 || $0 == 0x09 }
            guard fields.count == words.count + 1 else {
                set.report(
                    file, row.line,
                    "the row has \(fields.count - 1) labels, and \(Self.detailNames) names \(words.count) attributes")
                continue
            }
            let item = String(Substring(fields[0])).oneSpelling
            let present = zip(words, fields.dropFirst()).filter { $0.1.elementsEqual("1".utf8) }.map(\.0)
            if !present.isEmpty { detailsOfItem[item] = present.joined(separator: "|") }
        }
    }

    // MARK: Items

    mutating func checkItems() throws(CatalogError) {
        guard let file = files.nearest(Self.items, to: set.source) else { return }
        // The count is the only line above the ids.
        let table = try SetTable(path: file, columns: ["item_id"])
        table.checkCount(&set)
        let listed = Set(table.rows.map { String($0.text).oneSpelling })
        let missing = linesOfItem.keys.filter { !listed.contains($0) }.sorted()
        if let first = missing.first {
            set.remark(
                file, nil,
                "\(OfficialSet.grouped(missing.count)) items of the partition are not in this list, the first is \(first)")
        }
        let surplus = listed.subtracting(linesOfItem.keys).sorted()
        if let first = surplus.first {
            set.remark(
                file, nil,
                "\(OfficialSet.grouped(surplus.count)) items of this list are not in the partition, the first is \(first)")
        }
    }
}
