public import Foundation

/// The rows of a data set, read from a folder or a manifest without a database: what trainers and evaluators work on.
///
/// A folder is read by its `manifest.jsonl`, else its `manifest.csv`, else its `catalog.json`, else by the official files of DeepFashion's In-shop
/// benchmark up to three folders below, else as a plain folder of pictures, where a sub-folder's name is the category and a file is a product. A file
/// is read by its extension.
/// Pictures are not decoded, and not looked for as long as their names are plain: see ``missingFiles()``.
///
/// Product ids, keys and values are kept in one spelling (Unicode normalisation form C); paths keep the bytes that are on the disk.
public struct Dataset: Sendable {
    /// The manifest, or the folder where there is none, as an absolute path without symbolic links.
    public let source: String
    public let format: ManifestFormat
    /// The folder where relative paths of images begin.
    public let folder: String
    /// The good rows, in the manifest's order, duplicates kept.
    public let rows: [ManifestRow]
    /// What was wrong with the others, in the manifest's order.
    public let problems: [ManifestProblem]
    /// What was read otherwise than it may have been meant, and what looks like a slip; nothing was lost by it.
    public let remarks: [ManifestProblem]
    /// How many files of a plain folder are no pictures and were left out, by ending (`.txt`, `no ending`).
    public let leftOut: [String: Int]
    /// Absolute paths of the images of all rows, of the bad ones too as far as they name one.
    let mentionedPaths: Set<ExactText>
    /// How many rows, files or folders could not be read: what they name may still be there.
    let unread: Int

    /// Reads a data set.
    /// - Parameter isPicture: judges the files of a plain folder whose ending says nothing; without it such files are left out.
    /// - Throws: `CatalogError` where no row can be read at all: `sourceMissing`, `sourceUnreadable`, `unknownFormat`,
    ///   `notUTF8`, `missingColumn`, `malformed`, `emptySource`, `officialFileTwice`, `officialPicturesMissing`. A bad row is not an error but one
    ///   of `problems`.
    public init(contentsOf url: URL, isPicture: PictureTest? = nil) throws(CatalogError) {
        let (path, format) = try Self.detect(url.path)
        if format == .inShop {
            self.init(try OfficialSet.inShop(root: path).set)
        } else {
            try self.init(path, format, isPicture)
        }
    }

    /// Reads a manifest, or a plain folder.
    private init(_ path: String, _ format: ManifestFormat, _ isPicture: PictureTest?) throws(CatalogError) {
        var reader = ManifestReader(source: path, format: format, isPicture: isPicture)
        let bytes = format == .folder ? [] : try Self.bytes(of: path, &reader)
        switch format {
        case .folder, .inShop: try reader.readFolder()
        case .jsonLines: reader.readJSONLines(bytes)
        case .csv: try reader.readCSV(bytes)
        case .catalogJSON: try reader.readCatalogJSON(bytes)
        }
        if reader.rows.isEmpty, reader.problems.isEmpty { throw .emptySource(path: path, format: format) }
        remarks = reader.remarks
        leftOut = reader.leftOut
        unread = reader.unread
        source = path
        self.format = format
        folder = reader.folder
        rows = reader.rows
        problems = reader.problems
        mentionedPaths = reader.mentionedPaths
    }

    /// Rows that were read elsewhere.
    init(rows: [ManifestRow], source: String) {
        self.rows = rows
        self.source = source
        format = .folder
        folder = source.folderOfPath
        problems = []
        remarks = []
        leftOut = [:]
        unread = 0
        mentionedPaths = Set(rows.map { ExactText($0.path) })
    }

    private init(_ set: OfficialSet) {
        source = set.root
        format = .inShop
        folder = set.root
        rows = set.manifestRows
        problems = set.problems
        remarks = set.remarks
        leftOut = [:]
        mentionedPaths = Set(set.rows.map { ExactText($0.path) })
        unread = set.unread
    }

    /// The names of all columns that any row has a value in, sorted.
    public var columns: [String] {
        var names: Set<String> = rows.isEmpty ? [] : ["image", "product_id"]
        for row in rows { names.formUnion(row.fields.keys) }
        return names.sorted()
    }

    /// The rows with this value in this column, in order; for instance `rows(where: "split", is: "train")`.
    public func rows(where column: String, is value: String) -> [ManifestRow] {
        rows.filter { $0[column] == value }
    }

    /// One problem for each row whose picture is not there as a regular file.
    public func missingFiles() -> [ManifestProblem] {
        rows.compactMap { row in
            do throws(FileStatus.Failure) {
                if try FileStatus(ofPath: row.path).isRegular { return nil }
                return ManifestProblem(source: source, line: row.line, message: "the image \(row.image) is not a file")
            } catch {
                return ManifestProblem(
                    source: source, line: row.line, message: "the image \(row.image) cannot be found (\(error.reason))")
            }
        }
    }

    /// Finds out what kind of source a path is, and the file that is to be read.
    private static func detect(_ path: String) throws(CatalogError) -> (path: String, format: ManifestFormat) {
        let real: String
        let status: FileStatus
        do throws(FileStatus.Failure) {
            real = try FileStatus.realPath(path)
            status = try FileStatus(ofPath: real)
        } catch {
            throw error.isAbsent ? .sourceMissing(path: path) : .sourceUnreadable(path: path, reason: error.reason)
        }
        if status.isDirectory {
            for (name, format) in [
                ("manifest.jsonl", ManifestFormat.jsonLines), ("manifest.csv", .csv), ("catalog.json", .catalogJSON),
            ] {
                let candidate = real + "/" + name
                // A link that leads nowhere is still this folder's manifest: reading it says what is wrong.
                if (try? FileStatus(ofPath: candidate)) != nil || isLink(candidate) { return (candidate, format) }
            }
            return (real, OfficialSet.isInShop(real) ? .inShop : .folder)
        }
        guard let format = ManifestFormat(ofFile: real) else { throw .unknownFormat(path: path) }
        return (real, format)
    }

    /// The folder where relative paths of images begin, of a source that was read before and may be gone.
    static func folder(ofSource source: String) -> String {
        let isFolder = (try? FileStatus(ofPath: source))?.isDirectory ?? (ManifestFormat(ofFile: source) == nil)
        return isFolder ? source : source.folderOfPath
    }

    private static func isLink(_ path: String) -> Bool {
        (try? FileManager.default.destinationOfSymbolicLink(atPath: path)) != nil
    }

    private static func bytes(of path: String, _ reader: inout ManifestReader) throws(CatalogError) -> [UInt8] {
        let bytes: Data
        do throws(FileStatus.Failure) {
            bytes = try FileStatus.read(path, limit: .max).bytes
        } catch {
            throw .sourceUnreadable(path: path, reason: error.reason)
        }
        // Spreadsheets like to save UTF-16.
        guard let text = TextEncoding.utf8([UInt8](bytes)) else { throw .notUTF8(path: path, found: "UTF-16 that is broken") }
        if let encoding = text.encoding { reader.remark("encoding", nil, "the file is in \(encoding), and was read as such") }
        return text.bytes
    }
}
