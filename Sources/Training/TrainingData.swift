public import Catalog
import CLIP
import Foundation
import Hashing
public import Retrieval

/// The photos a run trains on, with items, captions and the teacher's vectors as numbers.
public struct TrainingData: Sendable {
    public let paths: [String]
    /// The item of each photo, from 0.
    public let items: [Int]
    /// The caption of each photo as a row of `captions`; nil where no template fits.
    public let captionOfPhoto: [Int?]
    public let captions: [String]
    /// The data folder of each photo, from 0.
    public let folders: [Int]
    /// The teacher's vectors, one per photo, zeros for a photo that it never saw; empty without a teacher.
    public let teacher: [Float]
    /// Whether the teacher saw a photo.
    public let isTaught: [Bool]
    public let teacherSize: Int

    /// - Parameters:
    ///   - datasets: only rows with split `train` are used, or all rows of a dataset that has no splits.
    ///   - teachers: files of vectors whose names are the datasets' image names, one per dataset, nil for a dataset that the teacher never saw;
    ///     empty for no teacher.
    /// - Throws: `TrainingError.nothingToTrainOn`, `.teachers`, `.noTeacher`.
    public init(_ datasets: [Dataset], templates: [String], teachers: [EmbeddingFile?], teacherPaths: [String])
        throws(TrainingError)
    {
        var paths: [String] = [], items: [Int] = [], captionOfPhoto: [Int?] = [], captions: [String] = []
        var teacher: [Float] = [], folders: [Int] = [], isTaught: [Bool] = []
        var itemNumbers: [String: Int] = [:], captionNumbers: [String: Int] = [:]
        if !teachers.isEmpty && (teachers.count != datasets.count || teacherPaths.count != teachers.count) {
            throw .teachers(
                what:
                    "\(datasets.count) data folders need as many files, found \(teachers.count) with \(teacherPaths.count) paths")
        }
        let size = teachers.lazy.compactMap { $0?.dimension }.first ?? 0
        if let other = teachers.firstIndex(where: { $0.map { $0.dimension != size } ?? false }) {
            throw .teachers(
                what: "\(teacherPaths[other]) has vectors of \(teachers[other]?.dimension ?? 0) numbers, another file of \(size)")
        }
        for (index, dataset) in datasets.enumerated() {
            let rows = Self.rows(of: dataset)
            let file = teachers.isEmpty ? nil : teachers[index]
            let places = Dictionary((file?.names ?? []).enumerated().map { ($1, $0) }, uniquingKeysWith: { first, _ in first })
            for row in rows {
                paths.append(row.path)
                // Two datasets may use the same product id for different things.
                let item = "\(index)/\(row.productID)"
                items.append(itemNumbers[item, default: itemNumbers.count])
                itemNumbers[item] = items[items.count - 1]
                if let caption = Self.caption(of: row, templates: templates) {
                    let number = captionNumbers[caption, default: captions.count]
                    if number == captions.count { captions.append(caption) }
                    captionNumbers[caption] = number
                    captionOfPhoto.append(number)
                } else {
                    captionOfPhoto.append(nil)
                }
                folders.append(index)
                isTaught.append(file != nil)
                if let file {
                    guard let place = places[row.image] else { throw .noTeacher(path: teacherPaths[index], image: row.image) }
                    teacher.append(contentsOf: file.vector(place))
                } else {
                    teacher.append(contentsOf: repeatElement(0, count: size))
                }
            }
        }
        guard paths.count > 1 else { throw .nothingToTrainOn(what: "the data has \(paths.count) rows with split train") }
        self.paths = paths
        self.items = items
        self.captionOfPhoto = captionOfPhoto
        self.captions = captions
        self.folders = folders
        self.teacher = teacher
        self.isTaught = isTaught
        teacherSize = size
    }

    /// The rows of a dataset that a run trains on: those with split `train`, or all where no row has a split.
    public static func rows(of dataset: Dataset) -> [ManifestRow] {
        dataset.rows.contains { $0["split"] != nil } ? dataset.rows(where: "split", is: "train") : dataset.rows
    }

    /// What a model remembers of the rows that it was trained on, so that it can be told when it is measured on them: SHA-256 over their pictures
    /// and products, without a word that could be read back.
    public static func digest(of dataset: Dataset) -> String {
        SHA256.hexDigest(of: Data(rows(of: dataset).map { "\($0.image)\t\($0.productID)\n" }.sorted().joined().utf8))
    }

    /// The first template all of whose `{columns}` the row has, filled in and in lower case. Of a category path such as
    /// `Men/Tops/Hoodies` the last part counts; `_` and `|` become blanks.
    static func caption(of row: ManifestRow, templates: [String]) -> String? {
        for template in templates {
            var text = ""
            var rest = Substring(template)
            var complete = true
            while let open = rest.firstIndex(of: "{"), let close = rest[open...].firstIndex(of: "}") {
                text += rest[..<open]
                let column = String(rest[rest.index(after: open)..<close])
                guard let value = row[column], !value.isEmpty else {
                    complete = false
                    break
                }
                let last = value.split(separator: "/").last.map(String.init) ?? value
                text += last.replacing("_", with: " ").replacing("|", with: " ").lowercased()
                rest = rest[rest.index(after: close)...]
            }
            if complete { return text + rest }
        }
        return nil
    }
}
