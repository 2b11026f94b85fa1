import Catalog
import CLIP
import Evaluation
import Foundation
import Retrieval
import Torch
import Training

/// What makes vectors that are measured.
enum MeasuredMethod {
    case model(String)
    /// A file of vectors made elsewhere.
    case features(String)
    case colorHistogram
}

/// One method's vectors of a plan's rows, and what is known of the method.
struct MethodVectors {
    var name: String
    let dimension: Int
    /// `[plan.rows.count, dimension]`; zeros for a row whose picture can't be read.
    let values: [Float]
    /// Rows whose pictures can't be read, with the reason.
    let unreadable: [Int: String]
    let texts: TextVectors?
    var latency: (milliseconds: [String: [String: Double]], hardware: Hardware)?
    /// The file of its training's figures.
    var metrics: String?
    /// What has to be known to read its figures, beside them and on stderr.
    var remarks: [String]

    init(
        name: String, dimension: Int, values: [Float], unreadable: [Int: String] = [:], texts: TextVectors? = nil,
        remarks: [String] = []
    ) {
        self.name = name
        self.dimension = dimension
        self.values = values
        self.unreadable = unreadable
        self.texts = texts
        self.remarks = remarks
    }
}

/// Makes the vectors of any number of methods for the same rows, and measures them.
struct MethodBench {
    private let rows: MeasuredRowsOptions
    private let embedding: EmbeddingOptions
    private let dataset: Dataset
    /// Of all rows that were chosen, also those whose pictures can't be read.
    private let chosen: EvaluationPlan
    private let captions: RowCaptions?
    /// Whether single queries are timed, too.
    private let timesQueries: Bool

    /// What was measured of one method.
    struct Result {
        let vectors: MethodVectors
        let measurement: MethodMeasurement
    }

    /// All methods on the rows that are left.
    struct Outcome {
        let plan: EvaluationPlan
        let results: [Result]
        /// Rows that were left out, since their pictures can't be read.
        let unreadable: Int
        /// What has to be known of several methods at once.
        let remarks: [String]
    }

    init(
        _ rows: MeasuredRowsOptions, _ embedding: EmbeddingOptions, dataset: Dataset, plan: EvaluationPlan,
        captions: RowCaptions?, timesQueries: Bool
    ) {
        self.rows = rows
        self.embedding = embedding
        self.dataset = dataset
        chosen = plan
        self.captions = captions
        self.timesQueries = timesQueries
    }

    /// - Parameter options: what is measured of each.
    func measure(_ methods: [MeasuredMethod], _ options: MethodMeasurement.Options) throws -> Outcome {
        var all = try methods.map(vectors)
        // Two methods of one name, such as a model and a file of its vectors, are told apart.
        for place in all.indices.dropFirst() where all[..<place].contains(where: { $0.name == all[place].name }) {
            all[place].name += " (\(place + 1))"
        }
        var unreadable: [Int: String] = [:]
        for method in all { unreadable.merge(method.unreadable) { first, _ in first } }
        let (plan, kept) = try remaining(unreadable)
        let shared = cutCaptions(of: all)
        for remark in shared { Console.warn(remark) }
        var options = options
        options.captions = captions?.keeping(kept)
        let results = try all.map { method in
            var method = method
            let values =
                unreadable.isEmpty
                ? method.values
                : kept.flatMap { method.values[$0 * method.dimension..<($0 + 1) * method.dimension] }
            var measurement = try MethodMeasurement(
                of: values, dimension: method.dimension, on: plan, options, textVectors: method.texts)
            measurement.report.latencyMilliseconds = method.latency?.milliseconds
            measurement.hardware = method.latency?.hardware
            if captions != nil, method.texts != nil, measurement.textToImage == nil, measurement.imageToText == nil {
                Console.note(
                    "note: no caption of a query is found again in the gallery, so texts are not measured; name what makes them relevant with --text-relevant-by."
                )
            }
            if measurement.hasCollapsed, let cosine = measurement.meanCosine {
                method.remarks.append(
                    String(
                        format:
                            "the vectors of \(method.name) have collapsed: two pictures have a cosine of %.4f on average, and little is "
                            + "left to rank by", cosine))
                Console.warn(method.remarks[method.remarks.count - 1])
            }
            return Result(vectors: method, measurement: measurement)
        }
        return Outcome(plan: plan, results: results, unreadable: unreadable.count, remarks: shared)
    }

    /// Captions that models do not read to their ends, a sentence for all models that cut as many.
    private func cutCaptions(of methods: [MethodVectors]) -> [String] {
        guard let captions else { return [] }
        let cutting = methods.filter { ($0.texts?.cutOff ?? 0) > 0 }
        let counts = Dictionary(grouping: cutting) { $0.texts?.cutOff ?? 0 }
        return counts.sorted { $0.key > $1.key }.map { count, methods in
            let names = methods.map(\.name)
            let who = names.count < 4 ? EvaluationPage.list(names) : "\(names.count) of the models"
            return
                "\(count) of the \(captions.texts.count) captions are longer than \(who) \(names.count == 1 ? "reads" : "read"): their ends "
                + "are not part of their vectors"
        }
    }

    /// The plan without the rows whose pictures can't be read, which are told.
    private func remaining(_ unreadable: [Int: String]) throws -> (plan: EvaluationPlan, kept: [Int]) {
        guard !unreadable.isEmpty else { return (chosen, Array(chosen.rows.indices)) }
        let sentences = unreadable.sorted { $0.key < $1.key }.map { place, reason in
            let line = chosen.rows[place].line.map { "\(dataset.source), line \($0): " } ?? ""
            return "\(line)\(reason)"
        }
        if rows.strict {
            Console.warn(all: sentences)
            throw Failure.data(
                "\(unreadable.count) pictures can't be read, and --strict admits none; the first: \(sentences[0]).")
        }
        if unreadable.count == chosen.rows.count {
            throw EvaluationError.nothingReadable(
                source: dataset.source, pictures: unreadable.count, reason: sentences[sentences.count - 1])
        }
        Console.warn(all: sentences.map { "\($0); it is left out" })
        return try chosen.without(Set(unreadable.keys))
    }

    private func vectors(_ method: MeasuredMethod) throws -> MethodVectors {
        switch method {
        case .model(let name): try vectors(ofModel: name)
        case .features(let path): try vectors(ofFile: path)
        case .colorHistogram:
            try filled(
                pictures.colorHistograms(progress: ProgressBar("colour histogram").show), name: "colour histogram")
        }
    }

    private var pictures: RowEmbedding { RowEmbedding(of: chosen.rows.map(\.path), broken: .leftOut, batch: embedding.batch) }

    private func filled(
        _ vectors: RowEmbedding.Vectors, name: String, texts: TextVectors? = nil, remarks: [String] = []
    ) -> MethodVectors {
        var values = vectors.values
        if !vectors.unreadable.isEmpty {
            values = [Float](repeating: 0, count: chosen.rows.count * vectors.dimension)
            for (row, place) in vectors.kept.enumerated() {
                values.replaceSubrange(
                    place * vectors.dimension..<(place + 1) * vectors.dimension,
                    with: vectors.values[row * vectors.dimension..<(row + 1) * vectors.dimension])
            }
        }
        return MethodVectors(
            name: name, dimension: vectors.dimension, values: values,
            unreadable: Dictionary(uniqueKeysWithValues: vectors.unreadable.map { ($0.place, "\($0.error)") }), texts: texts,
            remarks: remarks)
    }

    private func vectors(ofModel name: String) throws -> MethodVectors {
        let location = try ModelLocation(name)
        let checkpoint = try location.open()
        let remarks = trainedOnRemark(checkpoint, named: location.name).map { [$0] } ?? []
        let embedder = try embedding.embedder(checkpoint, name: location.name)
        let found = try pictures.vectors(by: embedder, progress: ProgressBar("embedding with \(location.name)").show)
        var texts: TextVectors?
        if let captions {
            if embedder.tokenizer == nil {
                Console.note("note: \(location.name) takes no texts, so its captions are not measured.")
            } else {
                texts = try TextVectors(
                    captions.texts, by: embedder, progress: ProgressBar("captions with \(location.name)").show)
            }
        }
        for remark in remarks { Console.warn(remark) }
        var method = filled(found, name: location.name, texts: texts, remarks: remarks)
        method.metrics = location.metrics
        if timesQueries, found.unreadable.count < chosen.rows.count {
            let plan = try chosen.without(Set(method.unreadable.keys)).plan
            method.latency = (
                try QueryLatency.measure(plan, by: embedder, vectors: found.values),
                Hardware.current(device: embedding.place.device.rawValue)
            )
        }
        return method
    }

    /// - Throws: `Failure` where a row has no vector.
    private func vectors(ofFile path: String) throws -> MethodVectors {
        let file = try EmbeddingFile(path: path)
        // Against every row of the dataset: a vector of another split is no surplus.
        let pictures = dataset.rows.map { PictureMatch.Picture(path: $0.path, folder: dataset.folder) }
        let match = try PictureMatch(file, path: path, pictures: pictures)
        if let extra = match.extraRows(in: dataset.source) { Console.warn(extra) }
        let lacking = chosen.rows.filter { match[$0.path] == nil }
        if let first = lacking.first {
            let found = file.names.first.map { "its first row is of \($0)" } ?? "it has no rows"
            throw Failure.data(
                "\(path) has no vector for \(first.image): it lacks \(Set(lacking.map(\.path)).count) of \(Set(chosen.rows.map(\.path)).count) pictures, and \(found); expected paths, absolute or relative to the manifest."
            )
        }
        let name = URL(fileURLWithPath: path).deletingPathExtension().lastPathComponent
        return MethodVectors(
            name: file.model.map { String($0.prefix { $0 != " " }) } ?? name, dimension: file.dimension,
            values: chosen.rows.flatMap { match[$0.path] ?? [] })
    }

    /// What to say where a model is measured on what it was trained on: such figures tell nothing about new pictures.
    private func trainedOnRemark(_ checkpoint: Checkpoint, named name: String) -> String? {
        guard let seen = (try? checkpoint.recorded())?["data"] as? [String], seen.contains(TrainingData.digest(of: dataset))
        else {
            return nil
        }
        let trained = Set(TrainingData.rows(of: dataset).map(\.path))
        let count = chosen.rows.count { trained.contains($0.path) }
        if count > 0 {
            return
                "\(name) was trained on \(count) of the \(chosen.rows.count) rows that are measured here: the figures tell how well it remembers "
                + "them, not how well it finds new products. Give other products split query and gallery."
        }
        guard chosen.rows.contains(where: { $0["split"] == "val" }) else { return nil }
        return "these val rows chose the best epoch of \(name): expect a little less of new products"
    }
}
