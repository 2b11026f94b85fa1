/// Everything that can stop work on a catalogue or a data set. A bad row does not: it is a `ManifestProblem`.
public enum CatalogError: Error, Sendable, Hashable {
    // What is read
    /// Nothing stands at the path.
    case sourceMissing(path: String)
    /// The file or folder is there and cannot be read.
    case sourceUnreadable(path: String, reason: String)
    /// The file's kind is not one that is imported.
    case unknownFormat(path: String)
    /// The source was read and lists no image.
    case emptySource(path: String, format: ManifestFormat)
    /// The whole file is in another encoding.
    case notUTF8(path: String, found: String)
    /// The header or the first row lacks a column without which no row has a meaning.
    case missingColumn(path: String, line: Int, column: String, found: [String])
    /// The file cannot be taken apart into rows.
    case malformed(path: String, line: Int, reason: String)

    // Official files of benchmarks
    /// A file without which nothing of a benchmark can be read is not below the root.
    /// - Parameter others: files of that name that are another benchmark's.
    case officialFileMissing(Benchmark, name: String, root: String, others: [String])
    /// Several files could be the one that is meant.
    case officialFileTwice(name: String, paths: [String])
    /// None of the pictures that are listed is below the root.
    case officialPicturesMissing(root: String, example: String, archive: String?)
    /// The folder that a dataset is to be written to holds something else.
    case outputTaken(path: String, holds: String)
    /// The disk of the folder that a dataset is written to is full.
    case outputFull(path: String)
    case outputUnwritable(path: String, reason: String)

    // The catalogue file
    /// What SQLite takes for something else than a path.
    case notAPath(String)
    /// No catalogue stands at the path, and the mode does not make one.
    case noCatalog(path: String)
    /// The file is something else: not SQLite, or another program's database.
    case notACatalog(path: String, reason: String)
    /// The file was written by a later version.
    case newerSchema(path: String, unknown: [String])
    /// The file is laid out as an older version did, and is opened for reading only.
    case olderSchema(path: String)
    /// The file or its folder cannot be written.
    case readOnly(path: String)
    /// SQLite cannot open the file or the log beside it.
    case cannotOpen(path: String, reason: String)
    /// The disk is full; the transaction under way was undone.
    case diskFull(path: String)
    /// Another process kept the file locked for longer than the time allowed.
    case locked(path: String, seconds: Double)
    /// The file's content contradicts itself.
    case corrupt(path: String, reason: String)
    /// The disk or file system failed.
    case inputOutput(path: String, reason: String)
    /// Anything else SQLite says.
    case database(path: String, reason: String)

    // Vectors
    case unknownImage(id: Int64)
    case unknownModel(fingerprint: String, known: [String])
    case invalidDimension(fingerprint: String, got: Int)
    case wrongDimension(image: Int64, got: Int, expected: Int)
    /// The fingerprint is known with another dimension.
    case dimensionConflict(fingerprint: String, got: Int, expected: Int)
    case notUnitLength(image: Int64, length: Double)

    // Editing
    case unknownProduct(id: String)
    /// Bytes that cannot be read as a picture.
    case notAPicture(reason: String)
    /// A value that is not taken, by the name of its field.
    case badField(key: String, reason: String)
    /// The picture is a file of the source that it was imported from.
    case importedImage(id: Int64, source: String)
    /// The product has a picture of these bytes already.
    case sameImage(id: Int64)

    // Filters
    case badFilter(text: String, reason: String)
    case unknownKey(key: String, known: [String])
    /// The key is a column that nothing in the catalogue has a value in.
    case emptyKey(key: String)
    /// A shard `index/count` that does not exist.
    case badShard(index: Int, count: Int)
}

extension CatalogError: CustomStringConvertible {
    /// One sentence: what was wrong, where, and what would be right.
    public var description: String {
        switch self {
        case .sourceMissing(let path):
            "There is no file or folder at \(path); give a folder, a .csv, a .jsonl or a catalog.json that exists."
        case .sourceUnreadable(let path, let reason):
            "\(path) cannot be read (\(reason)); make it readable for this user."
        case .unknownFormat(let path):
            "\(path) is none of the kinds that are read; give a folder, a .jsonl, a .csv or a catalog.json."
        case .emptySource(let path, .folder):
            "The folder \(path) holds no picture; put JPEG, PNG or WebP files in it, or a manifest.jsonl."
        case .emptySource(let path, _):
            "\(path) lists no image; give at least one row."
        case .notUTF8(let path, let found):
            "\(path) is written in \(found); save it as UTF-8."
        case .missingColumn(let path, let line, let column, let found):
            "\(path), line \(line) has no column '\(column)' among \(Self.list(found)); \(Self.remedy(column, found))."
        case .malformed(let path, let line, let reason):
            "\(path), line \(line): \(reason)."
        case .officialFileMissing(let benchmark, let name, let root, let others):
            "There is no \(name) of \(benchmark.rawValue) below \(root)\(others.isEmpty ? "" : ", only one of another benchmark (\(Self.list(others)))"); sign for the dataset at \(benchmark.address), download it and unpack it there."
        case .officialFileTwice(let name, let paths):
            "There are several \(name): \(Self.list(paths)); name the folder of one of them."
        case .officialPicturesMissing(let root, let example, let archive?):
            "The pictures are not unpacked below \(root), \(example) for one; unpack \(archive) beside itself."
        case .officialPicturesMissing(let root, let example, nil):
            "None of the listed pictures is below \(root), \(example) for one; put the pictures' folder there (the prepare commands also take it with --images)."
        case .outputTaken(let path, let holds):
            "\(path) exists and holds \(holds); give a new or empty folder, or one that the same command wrote."
        case .outputFull(let path):
            "The disk is full, so \(path) can't be written; make room and run the same command again, which goes on."
        case .outputUnwritable(let path, let reason):
            "\(path) can't be written (\(reason)); give a folder that is writable."
        case .notAPath(let text):
            "'\(text)' is no path of a catalogue; give a plain path, as /data/shop.db, or ./\(text) for a file of that very name."
        case .noCatalog(let path):
            "There is no catalogue at \(path); make one with the import command."
        case .notACatalog(let path, let reason):
            "\(path) is not a catalogue: \(reason); name a file that the import command wrote, or a new one."
        case .newerSchema(let path, let unknown):
            "The catalogue \(path) was written by a newer version (it knows \(Self.list(unknown))); open it with that version or later."
        case .olderSchema(let path):
            "The catalogue \(path) was written by an older version; open it once for writing, with the import command, to bring it up to date."
        case .readOnly(let path):
            "The catalogue \(path) cannot be written; make the file and its folder writable, or choose another place."
        case .cannotOpen(let path, let reason):
            "The catalogue \(path) cannot be opened (\(reason)); its folder must exist and be writable, also for reading, for SQLite keeps a log beside it."
        case .diskFull(let path):
            "The disk that holds \(path) is full; what was acknowledged before is kept, so free some space and run the command again."
        case .locked(let path, let seconds):
            "The catalogue \(path) was locked by another process for more than \(seconds) s; wait for that process to end."
        case .corrupt(let path, let reason):
            "The catalogue \(path) is damaged (\(reason)); restore it from a copy or import and embed again into a new file."
        case .inputOutput(let path, let reason):
            "Reading or writing the catalogue \(path) failed (\(reason)); check the disk."
        case .database(let path, let reason):
            "The catalogue \(path) refused a statement (\(reason)); report this as a defect."
        case .unknownImage(let id):
            "The catalogue has no image \(id); import or add it first."
        case .unknownProduct(let id):
            "The catalogue has no product '\(id)'; put the product first."
        case .notAPicture(let reason):
            "The bytes are no picture that can be read (\(reason)); give a whole JPEG, PNG or WebP file."
        case .badField(let key, let reason):
            "The value of '\(key)' \(reason)."
        case .importedImage(let id, let source):
            "The picture \(id) is a file of \(source); change the file and import again, or delete the picture and add another."
        case .sameImage(let id):
            "The product has these bytes already, as the picture \(id); delete one of the two."
        case .unknownModel(let fingerprint, let known):
            "The catalogue has no vectors of the model \(fingerprint), only of \(Self.list(known)); embed with that model first."
        case .invalidDimension(let fingerprint, let got):
            "The model \(fingerprint) is given the dimension \(got); a dimension lies in 1...65536."
        case .wrongDimension(let image, let got, let expected):
            "The vector of image \(image) has \(got) components; the model's vectors have \(expected)."
        case .dimensionConflict(let fingerprint, let got, let expected):
            "The model \(fingerprint) comes with dimension \(got), but its vectors in the catalogue have \(expected); a changed model needs another fingerprint."
        case .notUnitLength(let image, let length):
            "The vector of image \(image) has length \(length); a stored vector has length 1."
        case .badFilter(let text, let reason):
            "The filter '\(text)' \(reason); write key=value, or price=10..50."
        case .unknownKey(let key, let known):
            "The catalogue has no key '\(key)'; it has \(Self.list(known))."
        case .emptyKey(let key):
            Self.sentence(onEmpty: key)
        case .badShard(let index, let count):
            "There is no shard \(index) of \(count); the index lies in 0..<count, and count is at least 1."
        }
    }

    private static func remedy(_ column: String, _ found: [String]) -> String {
        if let meant = found.first(where: { Column.meant(by: $0) == column }) { return "call '\(meant)' '\(column)'" }
        return "every row needs 'image' and 'product_id'"
    }

    /// What is missing, and the three lines that would be right.
    private static func sentence(onEmpty key: String) -> String {
        let examples: (String, String) =
            switch key {
            case "price": ("49.90", "120")
            case "in_stock": ("true", "false")
            case "currency": ("EUR", "EUR")
            case "category": ("Women/Dresses", "Women/Coats")
            case "split": ("query", "gallery")
            case "view": ("front", "back")
            case "color": ("red", "blue")
            case "url": ("https://example.com/1", "https://example.com/2")
            default: ("first", "second")
            }
        return """
            No \(Column.image.contains(key) ? "picture" : "product") has a \(key == "in_stock" ? "value for in_stock" : key), so a filter on it \
            finds nothing; put a manifest.csv like this beside the pictures and import again:
            image,product_id,\(key)
            red-dress.jpg,P1,\(examples.0)
            blue-coat.jpg,P2,\(examples.1)
            """
    }

    /// At most twelve names: an error stays one readable sentence however many columns a file has.
    private static func list(_ names: [String]) -> String {
        if names.isEmpty { return "none" }
        let shown = names.prefix(12).joined(separator: ", ")
        return names.count > 12 ? shown + " and \(names.count - 12) more" : shown
    }
}
