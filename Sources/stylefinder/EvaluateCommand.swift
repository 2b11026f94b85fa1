import ArgumentParser
import Catalog
import CLIP
import Foundation
import Imaging
import Retrieval
import Training

struct EvaluateCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "evaluate", abstract: "Measure how well vectors find the right garments.",
        discussion: """
            Split test (the default) ranks the gallery rows for every query row; split val ranks the rest of val for every val row; rows \
            without any split all rank each other. Ties count against the query. Several methods are measured on the same rows in one run.
            """)

    enum Split: String, CaseIterable, ExpressibleByArgument { case test, val }

    @Option(help: "A data folder.")
    var data: String

    @Option(help: "A model; may be given several times.")
    var model: [String] = []

    @Option(help: "A file of vectors made elsewhere, .safetensors or .pt, with each picture's path; may be given several times.")
    var features: [String] = []

    @Flag(help: "Measure a colour histogram, the simplest baseline, too.")
    var colorHistogram = false

    @Option(help: "test or val.")
    var split: Split = .test

    @Option(help: "Only rows with column=value ask.")
    var query: String?

    @Option(help: "Only rows with column=value are ranked.")
    var gallery: String?

    @Flag(help: "Every chosen row asks all others.")
    var leaveOneOut = false

    @Option(help: "Rows with the same value in this column are relevant to each other.")
    var relevantBy = "product_id"

    @OptionGroup var embedding: EmbeddingOptions
    @OptionGroup var output: OutputOption

    func validate() throws {
        if model.isEmpty && features.isEmpty && !colorHistogram {
            throw ValidationError("Give --model, --features or --color-histogram, else there is nothing to measure.")
        }
        if leaveOneOut && (query != nil || gallery != nil) {
            throw ValidationError("--leave-one-out lets every row ask; it can't be joined with --query or --gallery.")
        }
    }

    func run() throws {
        let dataset = try Dataset(named: data)
        Console.tell(problems: dataset.problems, remarks: dataset.remarks)
        let plan = try Plan(self, dataset)
        var reports: [Measured] = []
        for name in model {
            let location = try ModelLocation(name)
            let checkpoint = try location.open()
            plan.warn(of: checkpoint, named: location.name, measuredOn: dataset)
            let embedder = try embedding.embedder(checkpoint)
            let vectors = try RowEmbedding.vectors(of: plan.rows, by: embedder)
            var report = try plan.report(vectors, dimension: embedder.embeddingSize)
            report.latencyMilliseconds = try plan.latency(of: embedder, vectors)
            reports.append(Measured(method: location.name, report: report))
        }
        for path in features {
            let file = try EmbeddingFile(path: path)
            let vectors = try Self.vectors(of: plan.rows, in: dataset, from: file, path: path)
            let name = URL(fileURLWithPath: path)
            reports.append(
                Measured(
                    method: file.model.map { String($0.prefix { $0 != " " }) } ?? name.deletingPathExtension().lastPathComponent,
                    report: try plan.report(vectors, dimension: file.dimension)))
        }
        if colorHistogram {
            let vectors = try plan.rows.flatMap { row in
                // The histogram's own preparation: a white square of 224.
                let image = try ImageDecoder.decode(contentsOfFile: row.path, limits: .ownFiles).paddedToSquare(
                    red: 255, green: 255, blue: 255
                )
                .squashed(224, filter: .bicubic)
                return try ColorHistogram.vector(rgb: image.pixels, width: image.width, height: image.height)
            }
            reports.append(
                Measured(method: "colour histogram", report: try plan.report(vectors, dimension: ColorHistogram.dimension)))
        }
        try show(reports)
    }

    /// The vectors of rows of a dataset.
    /// - Returns: `[rows, file.dimension]`.
    private static func vectors(
        of rows: [ManifestRow], in dataset: Dataset, from file: EmbeddingFile, path: String
    ) throws -> [Float] {
        // Against every row of the dataset: a vector of another split is no surplus.
        let pictures = dataset.rows.map { PictureMatch.Picture(path: $0.path, folder: dataset.folder) }
        let match = try PictureMatch(file, path: path, pictures: pictures)
        if let extra = match.extraRows(in: dataset.source) { Console.warn(extra) }
        let lacking = rows.filter { match[$0.path] == nil }
        if let first = lacking.first {
            let found = file.names.first.map { "its first row is of \($0)" } ?? "it has no rows"
            throw Failure.data(
                "\(path) has no vector for \(first.image): it lacks \(Set(lacking.map(\.path)).count) of \(Set(rows.map(\.path)).count) pictures, and \(found); expected paths, absolute or relative to the manifest."
            )
        }
        return rows.flatMap { match[$0.path] ?? [] }
    }

    private struct Measured: Encodable {
        let method: String
        let report: EvaluationReport
    }

    private func show(_ reports: [Measured]) throws {
        if output.json {
            if reports.count == 1 { return try Console.printJSON(reports[0].report) }
            return try Console.printJSON(["methods": reports])
        }
        let first = reports[0].report
        print("\(first.queries) queries, \(first.gallery) in the gallery, relevant by \(relevantBy); 95 % interval by product")
        print("| method | R@1 | interval | R@5 | R@10 | P@1 | P@10 | mAP |")
        print("|---|---|---|---|---|---|---|---|")
        for measured in reports {
            let report = measured.report
            func figure(_ value: Double?) -> String { value.map { String(format: "%.3f", $0) } ?? "" }
            let interval = report.intervals.recallAt[1].map { "\(figure($0.low))–\(figure($0.high))" } ?? ""
            print(
                "| \(measured.method) | \(figure(report.recallAt[1])) | \(interval) | \(figure(report.recallAt[5])) "
                    + "| \(figure(report.recallAt[10])) | \(figure(report.precisionAt[1])) | \(figure(report.precisionAt[10])) "
                    + "| \(figure(report.meanAveragePrecision)) |")
        }
    }

    /// Which rows ask and which are ranked.
    private struct Plan {
        let rows: [ManifestRow]
        let queries: [Int]
        let gallery: [Int]
        let labels: [String?]

        init(_ command: EvaluateCommand, _ dataset: Dataset) throws {
            let hasSplits = dataset.rows.contains { $0["split"] != nil }
            let splits: Set<String> = command.split == .val ? ["val"] : ["query", "gallery"]
            rows = hasSplits ? dataset.rows.filter { $0["split"].map(splits.contains) ?? false } : dataset.rows
            guard !rows.isEmpty else {
                throw Failure.data("\(dataset.source) has no row with split \(splits.sorted().joined(separator: " or ")).")
            }
            let all = Array(rows.indices)
            let rows = rows
            func picked(_ text: String) throws -> [Int] {
                let parts = text.split(separator: "=", maxSplits: 1).map(String.init)
                guard parts.count == 2 else { throw Failure.usage("The choice of rows \(text) is not column=value.") }
                let places = all.filter { rows[$0][parts[0]] == parts[1] }
                guard !places.isEmpty else { throw Failure.data("\(dataset.source): no chosen row has \(text).") }
                return places
            }
            if let choice = command.query {
                queries = try picked(choice)
            } else if command.leaveOneOut || command.split == .val || !hasSplits || command.gallery != nil {
                queries = all
            } else {
                queries = all.filter { rows[$0]["split"] == "query" }
            }
            if let choice = command.gallery {
                gallery = try picked(choice)
            } else if command.leaveOneOut || command.split == .val || !hasSplits || command.query != nil {
                gallery = all
            } else {
                gallery = all.filter { rows[$0]["split"] == "gallery" }
            }
            guard !queries.isEmpty, !gallery.isEmpty else {
                throw Failure.data(
                    "\(dataset.source) has \(queries.count) query rows and \(gallery.count) gallery rows; choose with --leave-one-out, --query or --gallery."
                )
            }
            labels = rows.map { $0[command.relevantBy] }
            guard labels.contains(where: { $0 != nil }) else {
                throw Failure.data(
                    "\(dataset.source) has no column \(command.relevantBy); its columns are \(dataset.columns.joined(separator: ", "))."
                )
            }
            let (labels, ranked) = (labels, Set(gallery))
            let counts = Dictionary(gallery.compactMap { place in labels[place].map { ($0, 1) } }, uniquingKeysWith: +)
            let hasRelevant = queries.contains { place in
                labels[place].map { counts[$0, default: 0] > (ranked.contains(place) ? 1 : 0) } ?? false
            }
            guard hasRelevant else {
                throw Failure.data(
                    "\(dataset.source): no query has another picture of its \(command.relevantBy) to find. Name a column whose equal values make pictures "
                        + "relevant to each other with --relevant-by, such as category; the columns are \(dataset.columns.joined(separator: ", "))."
                )
            }
        }

        /// Says so where a model is measured on what it was trained on: such figures tell nothing about new pictures.
        func warn(of checkpoint: Checkpoint, named name: String, measuredOn dataset: Dataset) {
            guard let seen = (try? checkpoint.recorded())?["data"] as? [String], seen.contains(TrainingData.digest(of: dataset))
            else { return }
            let trained = Set(TrainingData.rows(of: dataset).map(\.path))
            let count = rows.count { trained.contains($0.path) }
            if count > 0 {
                Console.warn(
                    "\(name) was trained on \(count) of the \(rows.count) rows that are measured here: the figures tell how well it remembers them, "
                        + "not how well it finds new products. Give other products split query and gallery.")
            } else if rows.contains(where: { $0["split"] == "val" }) {
                Console.warn("these val rows chose the best epoch of \(name): expect a little less of new products")
            }
        }

        func report(_ vectors: [Float], dimension: Int) throws -> EvaluationReport {
            let set = try LabelledVectors(vectors: vectors, dimension: dimension, products: rows.map(\.productID), labels: labels)
            return try Evaluator().report(on: set, queries: queries, gallery: gallery, findDuplicates: true)
        }

        /// One query after the other, as a user would ask: at most 50 of them, spread over all.
        func latency(of embedder: Embedder, _ vectors: [Float]) throws -> [String: [String: Double]] {
            let size = embedder.embeddingSize
            let ranked = gallery.flatMap { vectors[($0 * size)..<(($0 + 1) * size)] }
            let index = try ExactIndex(ids: gallery.map(Int64.init), vectors: ranked, dimension: size)
            var times: [String: [Double]] = [:]
            let clock = ContinuousClock()
            for place in stride(from: 0, to: queries.count, by: max(1, queries.count / 50)) {
                let begin = clock.now
                let image = try ImageDecoder.decode(contentsOfFile: rows[queries[place]].path, limits: .ownFiles)
                let decoded = clock.now
                let vector = try embedder.embed(images: [image])
                let encoded = clock.now
                _ = try index.search(VectorRequest(vectors: vector, k: min(10, gallery.count)))
                let end = clock.now
                for (name, span) in [
                    ("decode", decoded - begin), ("encode", encoded - decoded), ("search", end - encoded), ("total", end - begin),
                ] { times[name, default: []].append(span / .milliseconds(1)) }
            }
            return times.mapValues { values in
                let sorted = values.sorted()
                func percentile(_ share: Double) -> Double {
                    sorted[min(sorted.count - 1, Int((share * Double(sorted.count)).rounded(.up)) - 1)]
                }
                return ["p50": percentile(0.5), "p95": percentile(0.95), "p99": percentile(0.99)]
            }
        }
    }
}
