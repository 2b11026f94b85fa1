import Catalog
import Foundation
import Retrieval
import Testing

@testable import Training

@Suite("TrainingData")
struct TrainingDataTests {
    private let folder: TestFolder

    init() throws { folder = try TestFolder() }

    private func dataset(_ rows: [[String: String]], _ name: String = "set") throws -> Dataset {
        let lines = try rows.map { String(decoding: try JSONEncoder().encode($0), as: UTF8.self) }
        return try Dataset(
            contentsOf: URL(filePath: folder.write(lines.joined(separator: "\n"), to: "\(name)/manifest.jsonl")))
    }

    private func data(_ datasets: [Dataset], templates: [String] = ["{caption}"], _ teachers: [EmbeddingFile] = []) throws
        -> TrainingData
    {
        try TrainingData(
            datasets, templates: templates, teachers: teachers, teacherPaths: teachers.indices.map { "teacher-\($0).safetensors" }
        )
    }

    @Test("of data with splits only the rows of train are used, of data without splits all")
    func splits() throws {
        let split = try dataset([
            ["image": "a.png", "product_id": "1", "split": "train"], ["image": "b.png", "product_id": "1", "split": "val"],
            ["image": "c.png", "product_id": "2", "split": "train"], ["image": "d.png", "product_id": "3", "split": "query"],
            ["image": "e.png", "product_id": "3"],
        ])
        #expect(try data([split]).paths.map { ($0 as NSString).lastPathComponent } == ["a.png", "c.png"])
        let plain = try dataset([["image": "f.png", "product_id": "1"], ["image": "g.png", "product_id": "2"]], "plain")
        #expect(
            try data([split, plain]).paths.map { ($0 as NSString).lastPathComponent } == ["a.png", "c.png", "f.png", "g.png"])
    }

    @Test("equal ids are one item within a data folder and two in two")
    func items() throws {
        let rows = [
            ["image": "a.png", "product_id": "1"], ["image": "b.png", "product_id": "2"], ["image": "c.png", "product_id": "1"],
        ]
        let both = try data([dataset(rows), dataset(rows, "other")])
        #expect(both.items == [0, 1, 0, 2, 3, 2])
    }

    @Test("the rows that were trained on are known again, whatever stands beside them")
    func digest() throws {
        let rows = [
            ["image": "a.png", "product_id": "1", "split": "train"], ["image": "b.png", "product_id": "1", "split": "train"],
        ]
        let set = try dataset(rows)
        let more = try dataset([["image": "c.png", "product_id": "2", "split": "val"]] + rows.reversed(), "more")
        #expect(TrainingData.digest(of: set) == TrainingData.digest(of: more))
        let other = try dataset([rows[0], ["image": "b.png", "product_id": "2", "split": "train"]], "other")
        #expect(TrainingData.digest(of: set) != TrainingData.digest(of: other))
    }

    @Test("no rows to train on is an error")
    func nothing() throws {
        let set = try dataset([
            ["image": "a.png", "product_id": "1", "split": "val"], ["image": "b.png", "product_id": "1", "split": "val"],
        ])
        let error = #expect(throws: TrainingError.self) { try data([set]) }
        #expect(error == .nothingToTrainOn(what: "the data has 0 rows with split train"))
    }

    @Test("the first template whose columns a row has makes its caption; equal captions are one")
    func captions() throws {
        let set = try dataset([
            ["image": "a.png", "product_id": "1", "category": "Men/Tops/Hoodies", "color": "Navy_Blue|White"],
            ["image": "b.png", "product_id": "2", "category": "Hoodies", "label": "Thing"],
            ["image": "c.png", "product_id": "3", "label": "Dress"], ["image": "d.png", "product_id": "4"],
            ["image": "e.png", "product_id": "5", "label": "DRESS"],
        ])
        let found = try data([set], templates: ["a photo of {category} in {color}", "a photo of a {label}"])
        #expect(found.captions == ["a photo of hoodies in navy blue white", "a photo of a thing", "a photo of a dress"])
        #expect((0..<5).map { found.caption(of: $0, step: 3) } == [0, 1, 2, nil, 2])
        #expect(try data([set], templates: []).captions == [])
    }

    @Test("of a category's path the last part counts; a colour and a description keep their slashes")
    func slashes() throws {
        let set = try dataset([
            [
                "image": "a.png", "product_id": "1", "category": "Men/Jackets_Vests", "color": "Navy/white",
                "caption": "Wash warm and/or cold",
            ],
            ["image": "b.png", "product_id": "1", "category": "Men/Jackets_Vests", "color": "Red", "caption": "w/o hood"],
        ])
        let found = try data([set], templates: ["{category} in {color}. {caption}"])
        #expect(found.captions == ["jackets vests in navy/white. wash warm and/or cold", "jackets vests in red. w/o hood"])
    }

    @Test("captions drawn for a step follow one order of the templates for all photos, and every template has its steps")
    func drawnCaptions() throws {
        let set = try dataset([
            ["image": "a.png", "product_id": "1", "category": "Dress", "color": "Red"],
            ["image": "b.png", "product_id": "2", "category": "Shirt", "color": "Red"],
            ["image": "c.png", "product_id": "3", "category": "Dress"], ["image": "d.png", "product_id": "4"],
        ])
        let templates = ["a {color} {category}", "a photo of a {category}", "something in {color}"]
        let found = try TrainingData(
            [set], templates: templates, choice: .random, seed: 4, teachers: [], teacherPaths: [])
        #expect(found.captions.count == 5)
        var kinds: [Set<String>] = [[], [], []]
        for step in 0..<60 {
            let captions = (0..<4).map { photo in found.caption(of: photo, step: step).map { found.captions[$0] } }
            #expect((0..<4).map { photo in found.caption(of: photo, step: step).map { found.captions[$0] } } == captions)
            // The two with a colour say the same kind of thing; the one without falls back on what it has.
            #expect(
                [
                    ["a red dress", "a red shirt"], ["a photo of a dress", "a photo of a shirt"],
                    ["something in red", "something in red"],
                ]
                .contains([captions[0], captions[1]]))
            #expect(captions[2] == "a photo of a dress" && captions[3] == nil)
            for photo in 0..<3 { kinds[photo].insert(captions[photo] ?? "") }
        }
        #expect(kinds.map(\.count) == [3, 3, 1])
        let other = try TrainingData(
            [set], templates: templates, choice: .random, seed: 5, teachers: [], teacherPaths: [])
        #expect((0..<60).contains { other.caption(of: 0, step: $0) != found.caption(of: 0, step: $0) })
    }

    @Test(
        "labels by columns: a product is one of its folder, a value the same everywhere, and a row without it like its product's alone"
    )
    func labels() throws {
        let rows = [
            ["image": "a.png", "product_id": "1", "color": "red"], ["image": "b.png", "product_id": "1", "color": "blue"],
            ["image": "c.png", "product_id": "1", "color": "red"], ["image": "d.png", "product_id": "1"],
            ["image": "e.png", "product_id": "1"], ["image": "f.png", "product_id": "2", "color": "red"],
        ]
        let columns = [["product_id", "color"], ["color"], ["product_id"]]
        let found = try TrainingData(
            [dataset(rows), dataset(rows, "other")], templates: [], labelColumns: columns, teachers: [], teacherPaths: [])
        let labels = found.labels(of: Array(0..<12))
        #expect(labels[["product_id", "color"]] == [0, 1, 0, 2, 2, 3, 4, 5, 4, 6, 6, 7])
        #expect(labels[["color"]] == [0, 1, 0, 2, 2, 0, 0, 1, 0, 3, 3, 0])
        #expect(labels[["product_id"]] == found.items)
        #expect(found.labelCounts == [["product_id", "color"]: 8, ["color"]: 4, ["product_id"]: 4])
        #expect(found.labels(of: [5, 1])[["color"]] == [0, 1])
    }

    @Test("a teacher's vectors stand with their photos, whatever the order of its file")
    func teacher() throws {
        let set = try dataset([["image": "a.png", "product_id": "1"], ["image": "b.png", "product_id": "2"]])
        let file = try EmbeddingFile(names: ["b.png", "x.png", "a.png"], vectors: [1, 0, 0.6, 0.8, 0, 1], dimension: 2)
        let found = try data([set], [file])
        #expect(found.teacher == [0, 1, 1, 0] && found.teacherSize == 2)
        #expect(try data([set]).teacherSize == 0)
    }

    @Test("a folder that the teacher never saw has photos without a teacher")
    func partialTeacher() throws {
        let rows = [["image": "a.png", "product_id": "1"], ["image": "b.png", "product_id": "2"]]
        let file = try EmbeddingFile(names: ["a.png", "b.png"], vectors: [1, 0, 0, 1], dimension: 2)
        let found = try TrainingData(
            [dataset(rows), dataset(rows, "other")], templates: [], teachers: [nil, file], teacherPaths: ["none", "t"])
        #expect(found.isTaught == [false, false, true, true])
        #expect(found.folders == [0, 0, 1, 1])
        #expect(found.teacherSize == 2 && found.teacher == [0, 0, 0, 0, 1, 0, 0, 1])
    }

    @Test("a missing teacher's vector is an error that names the image")
    func missingVector() throws {
        let set = try dataset([["image": "a.png", "product_id": "1"], ["image": "b.png", "product_id": "2"]])
        let file = try EmbeddingFile(names: ["a.png"], vectors: [1, 0], dimension: 2)
        let error = #expect(throws: TrainingError.self) { try data([set], [file]) }
        #expect(error == .noTeacher(path: "teacher-0.safetensors", image: "b.png"))
        #expect(error?.description.contains("b.png") == true)
    }

    @Test("teachers that do not fit the data or each other are refused")
    func wrongTeachers() throws {
        let rows = [["image": "a.png", "product_id": "1"], ["image": "b.png", "product_id": "2"]]
        let (first, second) = (try dataset(rows), try dataset(rows, "other"))
        let two = try EmbeddingFile(names: ["a.png", "b.png"], vectors: [1, 0, 0, 1], dimension: 2)
        let three = try EmbeddingFile(names: ["a.png", "b.png"], vectors: [1, 0, 0, 0, 1, 0], dimension: 3)
        for (sets, files) in [([first, second], [two]), ([first], [two, two]), ([first, second], [two, three])] {
            let error = #expect(throws: TrainingError.self) { try data(sets, files) }
            guard case .teachers? = error else {
                Issue.record("\(String(describing: error))")
                return
            }
        }
    }
}
