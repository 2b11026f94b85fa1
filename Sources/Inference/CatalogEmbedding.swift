public import Catalog
public import CLIP
import Dispatch
import Foundation
public import Imaging
import Retrieval
public import Search
import Synchronization

/// Makes the vectors that a catalogue lacks, or takes those that were made elsewhere, in batches that are each written in one transaction:
/// wherever it ends, the same call goes on.
public struct CatalogEmbedding: Sendable {
    /// What came of it.
    public struct Report: Sendable, Equatable, Codable {
        public var embedded = 0
        /// Images whose file has other bytes than at import; import again, then embed.
        public var changed = 0
        /// Path and reason of every picture that could not be read.
        public var problems: [String] = []
        /// Images that vectors made elsewhere don't cover; they stay without one.
        public var notInFile = 0
        public var stopped = false
        public var seconds = 0.0

        public init() {}
    }

    private let catalog: CatalogStore
    private let shard: Shard?
    private let batchSize: Int
    private let limits: DecodingLimits

    /// - Parameters:
    ///   - batchSize: pictures in one pass; as many wait for the next. Decoded ones are reduced to the model's size at once.
    ///   - limits: of each picture that is read.
    public init(_ catalog: CatalogStore, shard: Shard? = nil, batchSize: Int = 32, limits: DecodingLimits = .ownFiles) {
        self.catalog = catalog
        self.shard = shard
        self.batchSize = batchSize
        self.limits = limits
    }

    /// Makes vectors with a model.
    /// - Parameters:
    ///   - name: what the catalogue will call the model.
    ///   - progress: done and total, after each batch.
    ///   - shouldStop: asked before each batch.
    /// - Throws: `CatalogError`, `TorchError`. A picture that can't be read is no error but a problem of the report.
    public func run(
        _ embedder: Embedder, fingerprint: String, name: String, progress: (Int, Int) -> Void, shouldStop: () -> Bool
    ) throws -> Report {
        let size = embedder.embeddingSize
        var walk = try Walk(self, of: ModelRecord(fingerprint: fingerprint, name: name, dimension: size))
        try embed(&walk, embedder, progress, shouldStop) { walk, read, vectors in
            try walk.write(
                read.enumerated().map { row, entry in
                    NewVector(
                        image: entry.image.id, contentHash: entry.hash,
                        components: Array(vectors[(row * size)..<((row + 1) * size)]))
                })
        }
        return walk.finished()
    }

    /// What was read of a picture, for its vector.
    private typealias Read = (image: CatalogImage, hash: ContentHash)

    /// Embeds batch by batch; the pictures of the next one are decoded while the model has those of this one.
    /// - Parameters:
    ///   - known: pictures that need no vector.
    ///   - take: gets a batch's pictures that could be read, and their vectors one after the other.
    private func embed(
        _ walk: inout Walk, _ embedder: Embedder, _ progress: (Int, Int) -> Void, _ shouldStop: () -> Bool,
        except known: Set<String> = [], take: (inout Walk, [Read], [Float]) throws -> Void
    ) throws {
        let preprocessing = embedder.preprocessing
        func begin(_ images: [CatalogImage]) -> PicturesUnderWay {
            PicturesUnderWay(images.filter { !known.contains($0.path) }) { images in
                prepare(images) { preprocessing.fit($0) }
            }
        }
        progress(walk.done, walk.total)
        var next = try walk.next(shouldStop).map { (begin($0), $0.count) }
        while let (pictures, size) = next {
            let (squares, read) = sorted(pictures.images, pictures.wait(), &walk.report)
            next = try walk.next(shouldStop).map { (begin($0), $0.count) }
            let vectors = squares.isEmpty ? [] : try embedder.embed(squares: SquarePictures(squares, preprocessing))
            try take(&walk, read, vectors)
            walk.pass(size)
            progress(walk.done, walk.total)
        }
    }

    /// Pictures that are being read, decoded and fitted.
    private final class PicturesUnderWay: Sendable {
        let images: [CatalogImage]
        private let results = Mutex<[Result<Picture, Problem>]>([])
        private let done = DispatchSemaphore(value: 0)

        init(_ images: [CatalogImage], _ prepare: @escaping @Sendable ([CatalogImage]) -> [Result<Picture, Problem>]) {
            self.images = images
            DispatchQueue.global().async { [self] in
                let made = prepare(images)
                results.withLock { $0 = made }
                done.signal()
            }
        }

        /// Once.
        func wait() -> [Result<Picture, Problem>] {
            done.wait()
            return results.withLock { $0 }
        }
    }

    /// Makes the vectors that a catalogue lacks for a file, and leaves the catalogue as it is: what is in the file already is not made again.
    /// - Parameters:
    ///   - path: a file of vectors as `EmbeddingFile` has it, named by the pictures' absolute paths; it is written every now and then, whole each time.
    ///   - progress: done and total, after each batch.
    ///   - shouldStop: asked before each batch.
    /// - Throws: `CatalogError`, `TorchError`; `RetrievalError` where the file can't be read or written, or is of another model.
    public func write(
        _ embedder: Embedder, fingerprint: String, name: String, to path: String, progress: (Int, Int) -> Void,
        shouldStop: () -> Bool
    ) throws -> Report {
        let size = embedder.embeddingSize
        var (names, vectors): ([String], [Float]) = ([], [])
        if FileManager.default.fileExists(atPath: path) {
            let before = try EmbeddingFile(path: path)
            guard before.fingerprint == fingerprint, before.dimension == size else {
                throw RetrievalError.embeddingFile(
                    path: path, key: "fingerprint", found: before.fingerprint ?? "none", expected: "\(fingerprint), or no file")
            }
            (names, vectors) = (before.names, before.vectors)
        }
        var saved = names.count
        func save() throws {
            try EmbeddingFile(names: names, vectors: vectors, dimension: size, model: name, fingerprint: fingerprint)
                .write(to: path)
            saved = names.count
        }
        var walk = try Walk(self, of: ModelRecord(fingerprint: fingerprint, name: name, dimension: size))
        try embed(&walk, embedder, progress, shouldStop, except: Set(names)) { walk, read, made in
            for (row, entry) in read.enumerated() {
                // Of a picture that is another one than was imported the catalogue would not take the vector.
                guard entry.hash == entry.image.contentHash else {
                    walk.report.changed += 1
                    continue
                }
                names.append(entry.image.path)
                vectors += made[row * size..<(row + 1) * size]
                walk.report.embedded += 1
            }
            // A file is written whole: the larger, the less often.
            if names.count - saved >= max(Self.rowsBetweenWrites, saved / 4) { try save() }
        }
        if names.count > saved { try save() }
        return walk.finished()
    }

    private static let rowsBetweenWrites = 2048

    /// Makes vectors with a model that answers searches meanwhile: what it takes between them waits its turn like any of theirs.
    /// - Throws: `CatalogError`, and what the model throws, `TransientError` apart, which is tried again.
    public func run(
        with encoder: any EmbeddingModel, progress: (Int, Int) -> Void = { _, _ in }, shouldStop: () -> Bool = { false }
    ) async throws -> Report {
        var walk = try Walk(self, of: encoder.model)
        progress(walk.done, walk.total)
        while let images = try walk.next(shouldStop) {
            let (pictures, read) = sorted(images, prepare(images) { encoder.reduce($0) }, &walk.report)
            let vectors = try await Self.patiently { try await encoder.encode(images: pictures) }
            try walk.write(zip(read, vectors).map { NewVector(image: $0.image.id, contentHash: $0.hash, components: $1) })
            walk.pass(images.count)
            progress(walk.done, walk.total)
        }
        return walk.finished()
    }

    /// Tries again while searches fill the model's queue.
    private static func patiently<Value>(_ body: () async throws -> Value) async throws -> Value {
        while true {
            do { return try await body() } catch let error as any TransientError where error.isTransient {
                try await Task.sleep(for: .milliseconds(100))
            }
        }
    }

    /// Takes vectors that `model` made elsewhere.
    /// - Parameters:
    ///   - progress: done and total, after each batch.
    ///   - shouldStop: asked before each batch.
    ///   - vector: an image's vector, of unit length; nil where there is none, which the report counts.
    /// - Throws: `CatalogError`, or what `vector` throws.
    public func take(
        vectorsOf model: ModelRecord, progress: (Int, Int) -> Void, shouldStop: () -> Bool,
        from vector: (CatalogImage) throws -> [Float]?
    ) throws -> Report {
        var walk = try Walk(self, of: model)
        progress(walk.done, walk.total)
        while let images = try walk.next(shouldStop) {
            var vectors: [NewVector] = []
            for image in images {
                guard let components = try vector(image) else {
                    walk.report.notInFile += 1
                    continue
                }
                // The content as it was when the image was looked up: an import beside this may have changed it.
                vectors.append(NewVector(image: image.id, contentHash: image.contentHash, components: components))
            }
            try walk.write(vectors)
            walk.pass(images.count)
            progress(walk.done, walk.total)
        }
        return walk.finished()
    }

    /// The images without a vector of a model, batch by batch, and what became of them.
    private struct Walk {
        private let catalog: CatalogStore
        private let shard: Shard?
        private let batchSize: Int
        private let model: ModelRecord
        private let begin = ContinuousClock.now
        /// The last image that was handed out.
        private var last: ImageID = 0
        let total: Int
        private(set) var done = 0
        var report = Report()

        init(_ embedding: CatalogEmbedding, of model: ModelRecord) throws {
            (catalog, shard, batchSize) = (embedding.catalog, embedding.shard, embedding.batchSize)
            self.model = model
            total = try catalog.countOfImages(withoutVectorOf: model.fingerprint, shard: shard)
        }

        /// - Returns: nil at the end, and where it was stopped.
        mutating func next(_ shouldStop: () -> Bool) throws -> [CatalogImage]? {
            let batch = try catalog.images(withoutVectorOf: model.fingerprint, after: last, limit: batchSize, shard: shard)
            guard let end = batch.last?.id else { return nil }
            last = end
            report.stopped = shouldStop()
            return report.stopped ? nil : batch
        }

        /// Writes what was made of a batch.
        mutating func write(_ vectors: [NewVector]) throws {
            // A model without any vector has no place in the catalogue.
            let stale = vectors.isEmpty ? [] : try catalog.writeVectors(vectors, of: model)
            report.embedded += vectors.count - stale.count
            report.changed += stale.count
        }

        /// So many images are done with.
        mutating func pass(_ count: Int) { done += count }

        func finished() -> Report {
            var report = report
            report.seconds = (ContinuousClock.now - begin) / .seconds(1)
            return report
        }
    }

    private struct Picture: Sendable {
        let fitted: RGBImage
        let hash: ContentHash
    }

    private struct Problem: Error { let text: String }

    /// What could be read; what could not is a problem of the report.
    private func sorted(
        _ images: [CatalogImage], _ results: [Result<Picture, Problem>], _ report: inout Report
    ) -> (pictures: [RGBImage], read: [Read]) {
        var pictures: [RGBImage] = []
        var read: [Read] = []
        for (image, result) in zip(images, results) {
            switch result {
            case .success(let picture):
                pictures.append(picture.fitted)
                read.append((image, picture.hash))
            case .failure(let problem): report.problems.append(problem.text)
            }
        }
        return (pictures, read)
    }

    /// Reads, decodes and fits on all cores.
    private func prepare(
        _ images: [CatalogImage], _ fit: @Sendable (RGBImage) -> RGBImage
    ) -> [Result<Picture, Problem>] {
        let results = Mutex([Int: Result<Picture, Problem>]())
        DispatchQueue.concurrentPerform(iterations: images.count) { place in
            let path = images[place].path
            let result: Result<Picture, Problem>
            do {
                let bytes = try Data(contentsOf: URL(fileURLWithPath: path))
                let fitted = fit(try ImageDecoder.decode(bytes, limits: limits))
                result = .success(Picture(fitted: fitted, hash: ContentHash(of: bytes)))
            } catch let error as ImageError {
                result = .failure(Problem(text: "\(path): \(error)"))
            } catch {
                result = .failure(Problem(text: "\(path) can't be read: \(error.phrase)"))
            }
            results.withLock { $0[place] = result }
        }
        return results.withLock { results in images.indices.map { results[$0] ?? .failure(Problem(text: images[$0].path)) } }
    }
}
