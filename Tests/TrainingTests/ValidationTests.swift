import Catalog
import CLIP
import Foundation
import Imaging
import Testing
import Torch

@testable import Training

@Suite("Validation")
struct ValidationTests {
    @Test("a figure of texts is the precision of each value's caption among its first rows, by a second derivation")
    func texts() throws {
        let tiny = try TinyRun(.vit)
        let figures: [Recipe.Figure] = [
            .init(relevantBy: "product_id"), .init(relevantBy: "label", texts: .init(template: "a photo of a {label}", at: 3)),
            .init(relevantBy: "label", folder: 2, texts: .init(template: "a photo of a {label}", at: 3)),
        ]
        let start = try TrainingStart(tiny.recipe)
        let embedder = Embedder(model: start.model, preprocessing: start.preprocessing, tokenizer: start.tokenizer)
        let validation = Validation(tiny.sources.datasets, figures: figures)
        let measured = try validation.measure(embedder)
        let rows = tiny.sources.datasets[0].rows(where: "split", is: "val")
        #expect(rows.count == 4 && validation.asksTexts)
        let vectors = try rows.map { row in
            try embedder.embed(images: [try ImageDecoder.decode(contentsOfFile: row.path, limits: .ownFiles)])
        }
        let labels = rows.compactMap { $0["label"] }
        var precisions: [Double] = []
        for label in Set(labels) {
            let text = try embedder.embed(texts: ["a photo of a \(label)"]).vectors
            let scores = vectors.map { zip($0, text).reduce(0) { $0 + $1.0 * $1.1 } }
            let first = scores.indices.sorted { scores[$0] > scores[$1] }.prefix(3)
            precisions.append(Double(first.count { labels[$0] == label }) / 3)
        }
        let expected = precisions.reduce(0, +) / Double(precisions.count)
        #expect(abs(try #require(measured["text_label_at_3"]) - expected) < 1e-9)
        #expect(measured["text_label_at_3_2"] == nil, "no row of a second folder asks")
        // A second folder whose rows have no label changes nothing: nobody knows whether they would be right.
        let unlabelled = try tiny.sources.datasets[0].rows(where: "split", is: "val").map { row in
            #"{"image": "\#(row.path)", "product_id": "x\#(row.productID)", "split": "val"}"#
        }
        let file = try tiny.folder.write(unlabelled.joined(separator: "\n"), to: "other/manifest.jsonl")
        let both = Validation(tiny.sources.datasets + [try Dataset(contentsOf: URL(filePath: file))], figures: [figures[1]])
        #expect(both.rows == 8)
        #expect(abs(try #require(try both.measure(embedder)["text_label_at_3"]) - expected) < 1e-9)
        // Both count here, as the recipe says.
        let mean = (try #require(measured["map_product_id"]) + expected) / 2
        #expect(abs(try #require(measured["score"]) - mean) < 1e-9)
    }
}
