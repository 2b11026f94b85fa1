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
    /// Different captions of all photos.
    public let captions: [String]
    /// The captions of each photo as rows of `captions`, template by template, nil where one does not fit. Where the first that fits is the
    /// one, it stands alone.
    private let captionsOfPhoto: [[Int?]]
    private let seed: UInt64
    /// The labels of the photos by the columns that a loss compares them in, and how many different ones there are.
    private let labelSets: [[String]: (ofPhoto: [Int], count: Int)]
    /// The data folder of each photo, from 0.
    public let folders: [Int]
    /// The product id of each item, which is one of its data folder.
    public let productIDs: [String]
    /// The teacher's vectors, one per photo, zeros for a photo that it never saw; empty without a teacher.
    public let teacher: [Float]
    /// Whether the teacher saw a photo.
    public let isTaught: [Bool]
    public let teacherSize: Int

    /// - Parameters:
    ///   - datasets: only rows with split `train` are used, or all rows of a dataset that has no splits.
    ///   - templates, choice: what makes captions (see `Recipe.captions`); seed: draws the order of the templates.
    ///   - labelColumns: the lists of columns that losses compare photos in.
    ///   - teachers: files of vectors whose names are the datasets' image names, one per dataset, nil for a dataset that the teacher never saw;
    ///     empty for no teacher.
    /// - Throws: `TrainingError.nothingToTrainOn`, `.teachers`, `.noTeacher`.
    public init(
        _ datasets: [Dataset], templates: [String], choice: Recipe.CaptionChoice = .first, seed: UInt64 = 0,
        labelColumns: [[String]] = [], teachers: [EmbeddingFile?], teacherPaths: [String]
    ) throws(TrainingError) {
        var paths: [String] = [], items: [Int] = [], captionsOfPhoto: [[Int?]] = [], captions: [String] = []
        var teacher: [Float] = [], folders: [Int] = [], isTaught: [Bool] = []
        var itemNumbers: [String: Int] = [:], captionNumbers: [String: Int] = [:]
        var labels = labelColumns.map { (columns: $0, numbers: [String: Int](), ofPhoto: [Int]()) }
        var productIDs: [String] = []
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
                if items[items.count - 1] == productIDs.count { productIDs.append(row.productID) }
                itemNumbers[item] = items[items.count - 1]
                for place in labels.indices {
                    let label = Self.label(of: row, by: labels[place].columns, product: item)
                    labels[place].ofPhoto.append(labels[place].numbers[label, default: labels[place].numbers.count])
                    labels[place].numbers[label] = labels[place].ofPhoto.last
                }
                var texts = templates.map { CaptionTemplate($0).filled(for: row) }
                if choice == .first { texts = [texts.lazy.compactMap { $0 }.first] }
                captionsOfPhoto.append(
                    texts.map { text in
                        guard let text else { return nil }
                        let number = captionNumbers[text, default: captions.count]
                        if number == captions.count { captions.append(text) }
                        captionNumbers[text] = number
                        return number
                    })
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
        self.captionsOfPhoto = captionsOfPhoto
        self.captions = captions
        self.seed = seed
        labelSets = Dictionary(
            uniqueKeysWithValues: labels.map { ($0.columns, (ofPhoto: $0.ofPhoto, count: $0.numbers.count)) })
        self.folders = folders
        self.productIDs = productIDs
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

    /// The caption that a photo has at a step, as a row of `captions`; nil where no template fits. Where templates are drawn, all photos of a
    /// step try them in the same order.
    public func caption(of photo: Int, step: Int) -> Int? {
        let rows = captionsOfPhoto[photo]
        if rows.count < 2 { return rows.first ?? nil }
        var generator = SeededGenerator(seed: seed, 7, step)
        return rows.indices.shuffled(using: &generator).lazy.compactMap { rows[$0] }.first
    }

    /// All captions that a photo may have, as rows of `captions`.
    func captions(of photo: Int) -> [Int] { captionsOfPhoto[photo].compactMap { $0 } }

    /// The labels of a batch's photos, by the columns that losses compare them in.
    func labels(of photos: [Int]) -> [[String]: [Int]] { labelSets.mapValues { set in photos.map { set.ofPhoto[$0] } } }

    /// The label of every photo by columns that the data was made with.
    func labels(by columns: [String]) -> [Int] { labelSets[columns]?.ofPhoto ?? items }

    /// How many different labels there are, by the columns that make them.
    var labelCounts: [[String]: Int] { labelSets.mapValues { $0.count } }

    /// What rows have in common that agree in `columns`. A product is one of its own data folder; any other value means the same everywhere. A
    /// row that lacks a value is like the other rows of its product that lack it, and no others.
    private static func label(of row: ManifestRow, by columns: [String], product: String) -> String {
        let values = columns.map { $0 == "product_id" ? product : row[$0] ?? "" }
        let key = values.contains("") ? [product] + values : values
        return key.map { "\($0.utf8.count):\($0)" }.joined()
    }
}
