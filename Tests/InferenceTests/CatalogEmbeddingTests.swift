import Catalog
import CLIP
import Foundation
import Imaging
import Inference
import Search
import Testing

/// A catalogue of small generated pictures, one product each. It goes away with the object.
private final class Pictures {
    let folder: URL
    let store: CatalogStore
    let embedder: Embedder
    let fingerprint: String

    init(_ count: Int) throws {
        folder = FileManager.default.temporaryDirectory.resolvingSymlinksInPath().appending(
            path: "embedding-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder.appending(path: "pictures"), withIntermediateDirectories: true)
        store = try CatalogStore(path: folder.path + "/catalog.db", mode: .create)
        let model = try Checkpoint(path: ReducedModel.path)
        embedder = try Embedder(checkpoint: model)
        fingerprint = try model.fingerprint
        for number in 0..<count { try write(number, content: number) }
        try importAll()
    }

    deinit {
        try? store.close()
        try? FileManager.default.removeItem(at: folder)
    }

    func path(_ number: Int) -> String { folder.path + String(format: "/pictures/%03d.png", number) }

    /// Stripes whose width and colours depend on `content`.
    static func picture(_ content: Int) throws -> RGBImage {
        let (width, height) = (48 + content % 5, 56)
        var pixels: [UInt8] = []
        for y in 0..<height {
            for x in 0..<width {
                let stripe = x / (1 + content % 7) * 90
                pixels.append(UInt8((content * 37 + stripe) % 256))
                pixels.append(UInt8(y * 4))
                pixels.append(UInt8(content * 11 % 256))
            }
        }
        return try RGBImage(width: width, height: height, pixels: pixels)
    }

    func write(_ number: Int, content: Int) throws {
        try Data(ImageEncoder.png(Self.picture(content))).write(to: URL(fileURLWithPath: path(number)))
    }

    @discardableResult
    func importAll() throws -> ImportReport {
        try store.importCatalog(
            from: folder.appending(path: "pictures"),
            inspect: { bytes, _ in
                let image = try ImageDecoder.decode(bytes)
                return PictureSize(width: image.width, height: image.height)
            })
    }

    @discardableResult
    func embed(
        shard: Shard? = nil, batchSize: Int = 4, progress: (Int, Int) -> Void = { _, _ in }, shouldStop: () -> Bool = { false }
    ) throws -> CatalogEmbedding.Report {
        try CatalogEmbedding(store, shard: shard, batchSize: batchSize).run(
            embedder, fingerprint: fingerprint, name: "reduced", progress: progress, shouldStop: shouldStop)
    }

    /// Path and vector of every image that has one.
    func vectors() throws -> [String: [Float]] {
        let table = try store.vectors(of: fingerprint)
        let images = try store.images(table.imageIDs)
        let size = table.model.dimension
        return Dictionary(
            uniqueKeysWithValues: table.imageIDs.enumerated().map { row, id in
                (images[id]?.path ?? "", Array(table.values[row * size..<(row + 1) * size]))
            })
    }

    var vectorCount: Int {
        get throws { try store.counts().vectors[fingerprint] ?? 0 }
    }
}

@Suite("Embedding a catalogue")
struct CatalogEmbeddingTests {
    @Test("the vectors are bit for bit the embedder's")
    func equality() throws {
        let pictures = try Pictures(10)
        let report = try pictures.embed(batchSize: 4)
        #expect(report.embedded == 10 && report.changed == 0 && report.problems.isEmpty && !report.stopped)
        let vectors = try pictures.vectors()
        #expect(vectors.count == 10)
        for start in [0, 4, 8] {
            let numbers = Array(start..<min(start + 4, 10))
            let expected = try pictures.embedder.embed(images: numbers.map { try Pictures.picture($0) })
            #expect(numbers.flatMap { vectors[pictures.path($0)] ?? [] } == expected)
        }
    }

    @Test("progress tells the total and ends there")
    func progress() throws {
        let pictures = try Pictures(10)
        var told: [[Int]] = []
        try pictures.embed(batchSize: 4, progress: { told.append([$0, $1]) })
        #expect(told == [[0, 10], [4, 10], [8, 10], [10, 10]])
        told = []
        #expect(try pictures.embed(progress: { told.append([$0, $1]) }).embedded == 0)
        #expect(told == [[0, 0]])
    }

    @Test("stopped after any batch it keeps what was done, and the same call does the rest", arguments: 0...3)
    func stopped(batches: Int) throws {
        let pictures = try Pictures(14)
        let whole = try Pictures(14)
        try whole.embed()
        var asked = 0
        let report = try pictures.embed(shouldStop: {
            asked += 1
            return asked > batches
        })
        #expect(report.stopped && report.embedded == 4 * batches)
        #expect(try pictures.vectorCount == 4 * batches)
        let rest = try pictures.embed()
        #expect(!rest.stopped && rest.embedded == 14 - 4 * batches)
        // The folders differ, the names in them do not.
        func byName(_ vectors: [String: [Float]]) -> [String: [Float]] {
            Dictionary(uniqueKeysWithValues: vectors.map { (URL(fileURLWithPath: $0.key).lastPathComponent, $0.value) })
        }
        #expect(try byName(pictures.vectors()) == byName(whole.vectors()))
    }

    @Test("a file that has changed since its import is not stored under the old content")
    func changed() throws {
        let pictures = try Pictures(6)
        try pictures.write(2, content: 99)
        let report = try pictures.embed()
        #expect(report.embedded == 5 && report.changed == 1 && report.problems.isEmpty)
        #expect(try pictures.vectors()[pictures.path(2)] == nil)
        #expect(try pictures.importAll().imagesChanged == 1)
        #expect(try pictures.embed().embedded == 1)
        #expect(try pictures.vectors()[pictures.path(2)] == pictures.embedder.embed(images: [Pictures.picture(99)]))
    }

    @Test("a picture that is broken, cut off or gone is a problem that names it, and the others are embedded")
    func problems() throws {
        let pictures = try Pictures(8)
        try Data("no picture at all".utf8).write(to: URL(fileURLWithPath: pictures.path(1)))
        let bytes = try Data(contentsOf: URL(fileURLWithPath: pictures.path(3)))
        try bytes.prefix(bytes.count / 2).write(to: URL(fileURLWithPath: pictures.path(3)))
        try FileManager.default.removeItem(atPath: pictures.path(6))
        let report = try pictures.embed()
        #expect(report.embedded == 5 && report.changed == 0)
        try #require(report.problems.count == 3)
        for (problem, number) in zip(report.problems, [1, 3, 6]) { #expect(problem.hasPrefix(pictures.path(number))) }
        #expect(try Set(pictures.vectors().keys) == Set([0, 2, 4, 5, 7].map(pictures.path)))
    }

    @Test("a batch of which nothing can be read does not end the work")
    func badBatch() throws {
        let pictures = try Pictures(9)
        for number in 0..<4 { try Data("text".utf8).write(to: URL(fileURLWithPath: pictures.path(number))) }
        let report = try pictures.embed(batchSize: 4)
        #expect(report.embedded == 5 && report.problems.count == 4)
    }

    @Test("vectors made elsewhere are taken as they are, the images without one are counted, and embedding does the rest")
    func taken() throws {
        let pictures = try Pictures(11)
        let model = ModelRecord(fingerprint: pictures.fingerprint, name: "reduced", dimension: pictures.embedder.embeddingSize)
        func axis(_ number: Int) -> [Float] { (0..<model.dimension).map { $0 == number ? 1 : 0 } }
        let known = Dictionary(uniqueKeysWithValues: [0, 1, 3, 4, 5, 9].map { (pictures.path($0), axis($0)) })
        var told: [[Int]] = []
        func take(shard: Shard? = nil, shouldStop: () -> Bool = { false }) throws -> CatalogEmbedding.Report {
            try CatalogEmbedding(pictures.store, shard: shard, batchSize: 4).take(
                vectorsOf: model, progress: { told.append([$0, $1]) }, shouldStop: shouldStop, from: { known[$0.path] })
        }
        // Ids begin at 1: the pictures 3 and 9 alone of those that have a vector leave no remainder.
        let part = try take(shard: Shard(index: 0, count: 2))
        #expect(part.embedded == 4 && part.notInFile == 1)
        var asked = 0
        let stopped = try take(shouldStop: {
            asked += 1
            return asked > 1
        })
        #expect(stopped.stopped && stopped.embedded == 2 && stopped.notInFile == 2)
        told = []
        let rest = try take()
        #expect(rest.embedded == 0 && rest.notInFile == 5 && rest.changed == 0 && rest.problems.isEmpty && !rest.stopped)
        #expect(told == [[0, 5], [4, 5], [5, 5]])
        #expect(try pictures.vectors() == known)
        let made = try pictures.embed()
        #expect(made.embedded == 5 && made.notInFile == 0)
        let vectors = try pictures.vectors()
        #expect(vectors.count == 11 && known.allSatisfy { vectors[$0.key] == $0.value })
    }

    @Test("a model none of whose vectors is there is not in the catalogue afterwards")
    func nothingTaken() throws {
        let pictures = try Pictures(3)
        let model = ModelRecord(fingerprint: "other", name: "other", dimension: 4)
        let report = try CatalogEmbedding(pictures.store).take(
            vectorsOf: model, progress: { _, _ in }, shouldStop: { false }, from: { _ in nil })
        #expect(report.embedded == 0 && report.notInFile == 3)
        #expect(try pictures.store.models().isEmpty)
    }

    @Test("a picture that is imported with other content in between keeps no vector of the old one")
    func changedInBetween() throws {
        let pictures = try Pictures(3)
        let model = ModelRecord(fingerprint: "other", name: "other", dimension: 2)
        let report = try CatalogEmbedding(pictures.store).take(
            vectorsOf: model, progress: { _, _ in }, shouldStop: { false },
            from: { image in
                if image.path == pictures.path(1) {
                    try pictures.write(1, content: 50)
                    try pictures.importAll()
                }
                return [0, 1]
            })
        #expect(report.embedded == 2 && report.changed == 1)
        #expect(try pictures.store.countOfImages(withoutVectorOf: "other") == 1)
    }

    @Test("shards share no picture and leave none out", arguments: [1, 2, 3, 5])
    func shards(count: Int) throws {
        let pictures = try Pictures(13)
        var embedded = 0
        for index in 0..<count {
            embedded += try pictures.embed(shard: Shard(index: index, count: count)).embedded
            // No picture twice: each run adds exactly what it reports.
            #expect(try pictures.vectorCount == embedded)
        }
        #expect(embedded == 13)
        #expect(try pictures.embed().embedded == 0)
    }

    @Test("a catalogue of an earlier version knows its model again: nothing is embedded anew, written or only read")
    func formerFingerprint() throws {
        let pictures = try Pictures(3)
        let checkpoint = try Checkpoint(path: ReducedModel.path)
        let former = try checkpoint.formerFingerprints
        #expect(former.count == 2 && !former.contains(pictures.fingerprint))
        _ = try CatalogEmbedding(pictures.store).run(
            pictures.embedder, fingerprint: former[1], name: "reduced", progress: { _, _ in }, shouldStop: { false })
        let reader = try CatalogStore(path: pictures.store.path, mode: .readOnly)
        #expect(try reader.fingerprint(of: checkpoint) == former[1])
        let session = try EncoderSession(checkpoint: ReducedModel.path, name: "reduced", catalog: reader)
        #expect(session.model.fingerprint == former[1] && session.card.fingerprint == pictures.fingerprint)
        #expect(try pictures.store.fingerprint(of: checkpoint) == pictures.fingerprint)
        #expect(try pictures.vectorCount == 3)
        #expect(try pictures.embed().embedded == 0)
        #expect(try reader.fingerprint(of: checkpoint) == pictures.fingerprint)
    }
}
