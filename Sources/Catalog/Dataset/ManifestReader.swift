import Foundation

/// Turns the four kinds of source into rows, problems and remarks.
struct ManifestReader {
    let source: String
    let format: ManifestFormat
    let folder: String
    let isPicture: PictureTest?
    private(set) var rows: [ManifestRow] = []
    /// What was lost: rows, pictures, values.
    private(set) var problems: [ManifestProblem] = []
    /// What was read otherwise than it may have been meant.
    private(set) var remarks: [ManifestProblem] = []
    private(set) var mentionedPaths: Set<ExactText> = []
    /// How many rows, files or folders are lost.
    private(set) var unread = 0
    /// How many files of a plain folder are no pictures, by ending.
    private(set) var leftOut: [String: Int] = [:]
    private var finder: PictureFinder
    /// The first spelling of each product id that is not ASCII, by its one spelling.
    private var spellings: [String: ExactText] = [:]
    /// Columns without a meaning of their own that were looked at.
    private var judged: Set<String> = []
    /// What keys of JSON objects are called, by how they are written.
    private var names: [String: String] = [:]
    /// Remarks that are made once a file, by their subject.
    private var said: Set<String> = []

    init(source: String, format: ManifestFormat, isPicture: PictureTest? = nil) {
        self.source = source
        self.format = format
        self.isPicture = isPicture
        folder = format == .folder ? source : source.folderOfPath
        finder = PictureFinder(folder: folder)
    }

    // MARK: JSON Lines

    mutating func readJSONLines(_ bytes: [UInt8]) {
        var pieces = JSONRecords.lines(bytes)
        // Objects over several lines, or in an array, show in the first line: it is no object.
        if let first = pieces.first, case .failure = JSONRecords.object(first), let spread = JSONRecords.spread(bytes) {
            pieces = spread.pieces
            let found = spread.isArray ? "one array of objects" : "objects over several lines"
            remark(
                "layout", pieces.first?.line,
                "the file holds \(found), where one object a line is expected; it was read all the same")
        }
        for piece in pieces {
            guard var object = object(piece), let fields = flatten(&object, line: piece.line) else { continue }
            append(line: piece.line, fields)
        }
    }

    /// Keys that are no columns, but say how a file is built.
    private static let structure: Set<String> = ["id", "images", "file", "categories", "attributes"]

    /// The object in a piece, its known keys under their own names.
    private mutating func object(_ piece: JSONRecords.Piece) -> [String: JSONValue]? {
        let parsed: JSONRecords.Parsed
        switch JSONRecords.object(piece) {
        case .failure(let failure):
            report(failure.line, failure.reason)
            return nil
        case .success(let value): parsed = value
        }
        if let word = parsed.notNumbers.min() {
            remark("number", piece.line, "\(word) is no JSON and was taken as missing; write null")
        }
        if parsed.hasComma, format == .jsonLines {
            remark("comma", piece.line, "a comma stands behind the object, which JSON Lines have none of; it was left out")
        }
        var object: [String: JSONValue] = [:]
        for (key, value) in parsed.object {
            // A key as it should be goes before one that is merely like it.
            let name = names[key] ?? (Self.structure.contains(key.lowercased()) ? key.lowercased() : Column.named(key))
            names[key] = name
            object[parsed.object[name] != nil && name != key ? key : name] = value
        }
        return object
    }

    /// The fields of a JSON object; the keys of an object `attributes` become columns like any other. Reports and returns
    /// `nil` where a column's value is no field.
    private mutating func flatten(_ object: inout [String: JSONValue], line: Int) -> [String: String]? {
        if case .object(let attributes) = object["attributes"] {
            object["attributes"] = nil
            object.merge(attributes) { own, _ in own }
        }
        var fields: [String: String] = [:]
        // Sorted: the same file always reports the same key first.
        for (key, value) in object.sorted(by: { $0.key < $1.key }) {
            switch value.field {
            case .success(let text): fields[key] = text
            case .failure where !Column.known.contains(key) && !Column.required.contains(key) && key != "id":
                remark(
                    "object \(key)", line,
                    "the value of '\(key)' holds objects and was left out; an attribute is a text, a number or a list"
                )
            case .failure(let reason):
                report(line, "the value of '\(key)' \(reason.text)")
                return nil
            }
        }
        return fields
    }

    // MARK: CSV

    mutating func readCSV(_ bytes: [UInt8]) throws(CatalogError) {
        var records = CSVRecords(bytes) { name in
            let name = Column.named(name)
            return Column.required.contains(name) || Column.known.contains(name)
        }
        guard let first = records.next() else { return }
        let header: [String]
        switch first.content {
        case .success(let names): header = names.map(Column.named)
        case .failure(let malformed): throw .malformed(path: source, line: first.line, reason: malformed.reason)
        }
        for column in Column.required where !header.contains(column) {
            throw .missingColumn(path: source, line: first.line, column: column, found: header)
        }
        var seen: Set<String> = []
        for name in header where !name.isEmpty && !seen.insert(name).inserted {
            throw .malformed(
                path: source, line: first.line, reason: "the column '\(name)' stands there twice; name each column once")
        }
        var recoded = first.isWindows1252 ? [first.line] : []
        var good: [(line: Int, fields: [String: String])] = []
        for record in records {
            if record.isWindows1252 { recoded.append(record.line) }
            switch record.content {
            case .failure(let malformed): report(record.line, malformed.reason)
            // A spreadsheet leaves out the separators of empty cells at the end of a row, and keeps rows that were cleared.
            case .success(let values) where values.allSatisfy(\.isEmpty): break
            case .success(let values) where values.dropFirst(header.count).contains { !$0.isEmpty }:
                report(
                    record.line,
                    "the row has \(values.count) fields, the header has \(header.count); put a field that holds a separator in quotes"
                )
            case .success(let values):
                var fields: [String: String] = [:]
                for (name, value) in zip(header, values) where !value.isEmpty {
                    if name.isEmpty {
                        remark(
                            "unnamed", record.line, "a value stands in a column without a name and was left out; name the column")
                    } else {
                        fields[name] = value
                    }
                }
                good.append((record.line, fields))
            }
        }
        if let line = recoded.first {
            let lines = recoded.count > 1 ? "this and \(recoded.count - 1) other lines are" : "this line is"
            remark("encoding", line, "\(lines) not UTF-8 and read as Windows-1252; save the file as CSV UTF-8 to be sure")
        }
        let style = priceStyle(good, separator: records.separator)
        for (line, fields) in good { append(line: line, fields, price: style) }
    }

    /// What separates decimals in a file's prices: what its unmistakable prices use, else a comma in a file that can't separate fields by one.
    /// Says how a price is taken that could be read in two ways.
    private mutating func priceStyle(_ rows: [(line: Int, fields: [String: String])], separator: UInt8) -> PriceText.Style {
        let prices = rows.compactMap { row in row.fields["price"].map { (line: row.line, text: $0) } }
        let style =
            prices.lazy.compactMap { PriceText.evidence(in: $0.text) }.first ?? (separator == UInt8(ascii: ";") ? .comma : .point)
        if let unsure = prices.first(where: { PriceText.isAmbiguous($0.text) }),
            case .success(let value) = Column.canonical("price", unsure.text, price: style)
        {
            remark(
                "price", unsure.line,
                "the price '\(unsure.text)', and others like it, is taken as \(value), for a \(style == .comma ? "comma" : "point") separates decimals here"
            )
        }
        return style
    }

    // MARK: catalog.json

    mutating func readCatalogJSON(_ bytes: [UInt8]) throws(CatalogError) {
        var lineOfProduct: [String: Int] = [:]
        for piece in try JSONRecords.elements(bytes, path: source) {
            guard let product = object(piece) else { continue }
            appendProduct(product, line: piece.line, lineOfProduct: &lineOfProduct)
        }
    }

    private mutating func appendProduct(_ product: [String: JSONValue], line: Int, lineOfProduct: inout [String: Int]) {
        var product = product
        let images = product.removeValue(forKey: "images")
        guard case .success(let id?) = product.removeValue(forKey: "id")?.field else {
            return report(line, "the product has no 'id'")
        }
        // Dictionaries of texts tell no two spellings of one id apart.
        if let earlier = lineOfProduct[id] {
            return report(line, "the product id '\(id)' was already given in line \(earlier); every id stands once")
        }
        lineOfProduct[id] = line
        guard case .list(let images) = images, !images.isEmpty else {
            return report(line, "the product '\(id)' has no 'images'; give a list like [{\"file\": …}]")
        }
        // The first category is the product's own; all of them stay findable.
        if case .list(let categories) = product["categories"], let first = categories.first {
            if product["category"] == nil { product["category"] = first }
            if categories.count == 1 { product["categories"] = nil }
        }
        guard let shared = flatten(&product, line: line) else { return }
        for image in images {
            var image = image
            // A bare name is a picture without a view of its own.
            if case .text = image { image = .object(["file": image]) }
            guard case .object(var image) = image, case .success(let file?) = image.removeValue(forKey: "file")?.field else {
                report(line, "an image of the product '\(id)' has no 'file'; write \"a.jpg\" or {\"file\": \"a.jpg\"}")
                continue
            }
            guard let own = flatten(&image, line: line) else { continue }
            var fields = shared.merging(own) { _, own in own }
            fields["image"] = file
            fields["product_id"] = id
            append(line: line, fields)
        }
    }

    // MARK: One row

    /// - Parameter path: where the picture is known to lie; else it is looked for by the row's `image`.
    mutating func append(line: Int?, _ values: [String: String], path: String? = nil, price style: PriceText.Style = .point) {
        var values = values
        guard let image = values.removeValue(forKey: "image") else { return report(line, "the row has no 'image'") }
        let place: String
        if let path {
            place = path
        } else {
            switch finder.path(of: image) {
            case .success(let found): place = found
            case .failure(let reason): return report(line, reason.text)
            }
        }
        mention(place)
        guard let id = values.removeValue(forKey: "product_id") else {
            return report(line, "the row of \(image) has no 'product_id'")
        }
        var fields = values.mapValues(\.oneSpelling)
        for column in ["price", "in_stock", "split"] {
            guard let text = fields[column] else { continue }
            switch Column.canonical(column, text, price: style) {
            case .success(let value): fields[column] = value
            case .failure(let reason): return report(line, reason.text)
            }
        }
        if let url = fields["url"], let reason = Product.reasonAgainst(url: url) {
            // The row is not lost by it.
            fields["url"] = nil
            problems.append(
                ManifestProblem(source: source, line: line, message: "the url '\(url)' of product '\(id)' is left out: \(reason)")
            )
        }
        if format != .folder {
            for name in fields.keys where !Column.known.contains(name) && judged.insert(name).inserted {
                guard let column = Column.meant(by: name), !Column.required.contains(column), fields[column] == nil else {
                    continue
                }
                remark(
                    "column \(name)", line,
                    "the column '\(name)' became an attribute; if it is the \(column), call it '\(column)'")
            }
        }
        rows.append(ManifestRow(line: line, image: image, path: place, productID: spelt(id, line), fields: fields))
    }

    /// The one spelling of a product's id. Says where two spellings become one product.
    private mutating func spelt(_ id: String, _ line: Int?) -> String {
        if id.isASCII { return id }
        let one = id.oneSpelling
        let first = spellings[one] ?? ExactText(id)
        spellings[one] = first
        if first != ExactText(id) {
            remark(
                "id \(one)", line,
                "the product id '\(one)' is written in two ways that look the same (Unicode normalisation); both are one product")
        }
        return one
    }

    mutating func mention(_ path: String) { mentionedPaths.insert(ExactText(path)) }

    mutating func leaveOut(_ kind: String) { leftOut[kind, default: 0] += 1 }

    mutating func report(_ line: Int?, _ message: String) {
        unread += 1
        problems.append(ManifestProblem(source: source, line: line, message: message))
    }

    /// A problem of a file or folder in a plain folder.
    mutating func report(in path: String, _ message: String) {
        unread += 1
        problems.append(ManifestProblem(source: path, line: nil, message: message))
    }

    /// Once a subject.
    mutating func remark(_ subject: String, _ line: Int?, _ message: String) {
        guard said.insert(subject).inserted else { return }
        remarks.append(ManifestProblem(source: source, line: line, message: message))
    }
}
