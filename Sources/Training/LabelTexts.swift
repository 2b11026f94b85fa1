import Catalog
import CLIP
import Foundation
import Tokenizers
import Torch

/// What the labels of the data are called: the texts that losses make vectors of, all labels at once.
struct LabelTexts {
    private let data: TrainingData
    /// Row by photo.
    private let rows: [ManifestRow]
    private let tokenizer: Tokenizer
    private let device: Device

    /// - Parameter datasets: those that `data` was made of.
    init(_ data: TrainingData, _ datasets: [Dataset], tokenizer: Tokenizer, device: Device) {
        self.data = data
        rows = datasets.flatMap(TrainingData.rows)
        self.tokenizer = tokenizer
        self.device = device
    }

    /// What each label is known by, so that it can be found again in another run: its columns' values, of its first photo.
    func names(by columns: [String]) -> [String] {
        firstPhotos(by: columns).map { photo in
            columns.map { rows[photo][$0] ?? "" }.joined(separator: "\u{1F}")
        }
    }

    /// The first photo of each label.
    private func firstPhotos(by columns: [String]) -> [Int] {
        var first: [Int] = []
        // Labels are numbered in the order in which the photos bring them.
        for (photo, label) in data.labels(by: columns).enumerated() where label == first.count { first.append(photo) }
        return first
    }

    /// The mean vectors of the labels' captions.
    /// - Returns: `[p, d]`, L2-normalised, one for each different set of captions; and each label's row.
    /// - Throws: `.nothingToTrainOn` where a label has no caption.
    func captionPrototypes(by columns: [String], _ model: CLIPModel) throws -> (vectors: Tensor, rows: [Int]) {
        var captions: [Set<Int>] = []
        for (photo, label) in data.labels(by: columns).enumerated() {
            if label == captions.count { captions.append([]) }
            captions[label].formUnion(data.captions(of: photo))
        }
        if let label = captions.firstIndex(where: \.isEmpty) {
            let row = rows[firstPhotos(by: columns)[label]]
            throw TrainingError.nothingToTrainOn(
                what: "every label needs a caption, and no template of the recipe fits \(row.image) of \(row.productID)")
        }
        let sets = captions.map { $0.sorted() }
        var places: [[Int]: Int] = [:]
        var different: [[Int]] = []
        let rowOfLabel = sets.map { set in
            if let place = places[set] { return place }
            places[set] = different.count
            different.append(set)
            return different.count - 1
        }
        let tokens = data.captions.map { tokenizer.encode($0).ids.map(Int64.init) }
        let vectors = try withoutGradients {
            let texts = try inParts(tokens) { part in
                try model.encodeTexts(Tensor(part.flatMap { $0 }, shape: [part.count, tokenizer.contextLength]).to(device))
                    .normalized()
            }
            return try Tensor.concatenated(
                different.map { try LossBatch.rows($0, of: texts).mean([0], keep: true).normalized() })
        }
        return (vectors, rowOfLabel)
    }

    /// Texts with room for learned tokens.
    struct Prompted {
        /// `[texts, context]`
        let ids: [[Int64]]
        /// The places of the learned tokens in each text.
        let places: [[Int]]
    }

    /// The place of learned tokens in a template.
    static let tokens = "{tokens}"

    /// A template filled in for every label, with `count` places to be learned where `{tokens}` stands. A template's columns are those of the
    /// label's first photo.
    func prompted(_ template: String, by columns: [String], count: Int) throws -> Prompted {
        // Any word of one token holds the places.
        let words = Array(repeating: "x", count: count).joined(separator: " ")
        let prefix = template.prefix(upTo: template.range(of: Self.tokens)?.lowerBound ?? template.endIndex)
        var ids: [[Int64]] = [], places: [[Int]] = []
        for photo in firstPhotos(by: columns) {
            let row = rows[photo]
            func filled(_ text: String) throws -> String {
                guard let filled = CaptionTemplate(text).filled({ $0 == "tokens" ? words : row[$0] }) else {
                    throw TrainingError.nothingToTrainOn(
                        what: "the prompt \"\(template)\" needs columns that \(row.image) of \(row.productID) does not have")
                }
                return filled
            }
            let text = tokenizer.encode(try filled(template))
            // Without its end token: that many stand before the first learned one.
            let start = tokenizer.encode(try filled(String(prefix))).wholeCount - 1
            guard start + count < text.count else {
                throw TrainingError.nothingToTrainOn(
                    what: "the prompt \"\(template)\" is longer than the \(tokenizer.contextLength) tokens that the model reads")
            }
            ids.append(text.ids.map(Int64.init))
            places.append(Array(start..<start + count))
        }
        return Prompted(ids: ids, places: places)
    }

    private func inParts(_ tokens: [[Int64]], _ body: ([[Int64]]) throws -> Tensor) throws -> Tensor {
        try .concatenated(
            stride(from: 0, to: tokens.count, by: 64).map { try body(Array(tokens[$0..<min($0 + 64, tokens.count)])) })
    }
}
