import Foundation

/// Turns the four kinds of source into rows and problems.
struct ManifestReader {
    let source: String
    let format: ManifestFormat
    let folder: String
    private(set) var rows: [ManifestRow] = []
    private(set) var problems: [ManifestProblem] = []
    private(set) var mentionedPaths: Set<String> = []

    init(source: String, format: ManifestFormat) {
        self.source = source
        self.format = format
        folder = format == .folder ? source : (source as NSString).deletingLastPathComponent
    }

    // MARK: JSON Lines

    mutating func readJSONLines(_ bytes: [UInt8]) throws(CatalogError) {
        let decoder = JSONDecoder()
        for piece in JSONRecords.lines(bytes) {
            switch JSONRecords.object(piece, with: decoder) {
            case .failure(let reason): report(piece.line, reason.text)
            case .success(let object):
                var object = object
                guard let fields = flatten(&object, line: piece.line) else { continue }
                append(line: piece.line, fields)
            }
        }
    }

    /// The fields of a JSON object; the keys of an object `attributes` become columns like any other. Reports and returns
    /// `nil` where a value is no field.
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
            case .failure(let reason):
                report(line, "the value of '\(key)' \(reason.text)")
                return nil
            }
        }
        return fields
    }

    // MARK: CSV

    mutating func readCSV(_ bytes: [UInt8]) throws(CatalogError) {
        var records = CSVRecords(bytes)
        guard let first = records.next() else { return }
        let header: [String]
        switch first.content {
        case .success(let names): header = names.map { $0.trimmingCharacters(in: .whitespaces) }
        case .failure(let malformed): throw .malformed(path: source, line: first.line, reason: malformed.reason)
        }
        for column in ["image", "product_id"] where !header.contains(column) {
            throw .missingColumn(path: source, line: first.line, column: column, found: header)
        }
        var seen: Set<String> = []
        for name in header where !seen.insert(name).inserted {
            throw .malformed(
                path: source, line: first.line, reason: "the column '\(name)' stands there twice; name each column once")
        }
        for record in records {
            switch record.content {
            case .failure(let malformed): report(record.line, malformed.reason)
            case .success(let values) where values.count != header.count:
                report(record.line, "the row has \(values.count) fields, the header has \(header.count)")
            case .success(let values):
                var fields: [String: String] = [:]
                for (name, value) in zip(header, values) where !value.isEmpty && !name.isEmpty { fields[name] = value }
                append(line: record.line, fields)
            }
        }
    }

    // MARK: catalog.json

    mutating func readCatalogJSON(_ bytes: [UInt8]) throws(CatalogError) {
        let decoder = JSONDecoder()
        var lineOfProduct: [String: Int] = [:]
        for piece in try JSONRecords.elements(bytes, path: source) {
            switch JSONRecords.object(piece, with: decoder) {
            case .failure(let reason): report(piece.line, reason.text)
            case .success(let product): appendProduct(product, line: piece.line, lineOfProduct: &lineOfProduct)
            }
        }
    }

    private mutating func appendProduct(_ product: [String: JSONValue], line: Int, lineOfProduct: inout [String: Int]) {
        var product = product
        let images = product.removeValue(forKey: "images")
        guard case .success(let id?) = product.removeValue(forKey: "id")?.field else {
            return report(line, "the product has no 'id'")
        }
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
            guard case .object(var image) = image, case .success(let file?) = image.removeValue(forKey: "file")?.field else {
                report(line, "an image of the product '\(id)' has no 'file'")
                continue
            }
            guard let own = flatten(&image, line: line) else { continue }
            var fields = shared.merging(own) { _, own in own }
            fields["image"] = file
            fields["product_id"] = id
            append(line: line, fields)
        }
    }

    // MARK: A plain folder

    /// The extensions of picture files. Those of kinds that no decoder here reads are listed too: such a file is a picture
    /// to its owner, who is told that it was left out.
    private static let pictures: Set<String> = [
        "jpg", "jpeg", "jpe", "jfif", "png", "webp", "gif", "bmp", "tif", "tiff", "avif", "heic", "heif", "ico", "psd", "mpo",
        "jp2", "jxl",
    ]

    mutating func readFolder() throws(CatalogError) {
        let names: [String]
        do throws(FileStatus.Failure) {
            names = try FileStatus.names(inFolder: folder)
        } catch {
            throw .sourceUnreadable(path: folder, reason: error.reason)
        }
        var visited: Set<[UInt64]> = []
        if let status = try? FileStatus(ofPath: folder) { visited.insert([status.device, status.inode]) }
        walk(names, in: "", visited: &visited)
    }

    private mutating func walk(_ names: [String], in category: String, visited: inout Set<[UInt64]>) {
        for name in names where !name.hasPrefix(".") && name != "__MACOSX" {
            let relative = category.isEmpty ? name : category + "/" + name
            let path = folder + "/" + relative
            let isPicture = Self.pictures.contains((name as NSString).pathExtension.lowercased())
            do throws(FileStatus.Failure) {
                let status = try FileStatus(ofPath: path)
                if status.isDirectory {
                    // A link to a folder above, or a second link to one already read, would come round for ever.
                    guard visited.insert([status.device, status.inode]).inserted else { continue }
                    walk(try FileStatus.names(inFolder: path), in: relative, visited: &visited)
                } else if isPicture {
                    var fields = ["image": relative, "product_id": relative, "title": (name as NSString).deletingPathExtension]
                    if !category.isEmpty { fields["category"] = category }
                    append(line: nil, fields)
                }
            } catch {
                mentionedPaths.insert(path)
                problems.append(ManifestProblem(source: path, line: nil, message: "it cannot be read (\(error.reason))"))
            }
        }
    }

    // MARK: One row

    private mutating func append(line: Int?, _ values: [String: String]) {
        var fields = values
        guard let image = fields.removeValue(forKey: "image") else { return report(line, "the row has no 'image'") }
        guard !image.utf8.contains(0) else { return report(line, "the image's path holds a zero byte") }
        let path = absolute(image)
        mentionedPaths.insert(path)
        guard let product = fields.removeValue(forKey: "product_id") else {
            return report(line, "the row of \(image) has no 'product_id'")
        }
        for column in ["price", "in_stock", "split"] {
            guard let text = fields[column] else { continue }
            switch Column.canonical(column, text) {
            case .success(let value): fields[column] = value
            case .failure(let reason): return report(line, reason.text)
            }
        }
        rows.append(ManifestRow(line: line, image: image, path: path, productID: product, fields: fields))
    }

    private mutating func report(_ line: Int?, _ message: String) {
        problems.append(ManifestProblem(source: source, line: line, message: message))
    }

    /// Joins a relative path to the manifest's folder and takes out `.` and `..`, so that one file has one name.
    private func absolute(_ image: String) -> String {
        let whole = image.hasPrefix("/") ? image : folder + "/" + image
        var parts: [Substring] = []
        for part in whole.split(separator: "/") where part != "." {
            if part == ".." { _ = parts.popLast() } else { parts.append(part) }
        }
        return "/" + parts.joined(separator: "/")
    }
}
