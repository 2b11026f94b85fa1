public import Catalog
import CoreMetrics
import DequeModule
public import Imaging
public import Search

/// Why a picture or text was not encoded.
public enum BatcherError: TransientError, Equatable, Sendable {
    case overloaded(waiting: Int)
    case closed
    /// The encoder gave another number of vectors than it was given pictures.
    case vectorCount(found: Int, expected: Int)

    public var isTransient: Bool { if case .vectorCount = self { false } else { true } }

    public var description: String {
        switch self {
        case .overloaded(let waiting): "\(waiting) requests are waiting already; try again in a moment."
        case .closed: "The encoder is shutting down."
        case .vectorCount(let found, let expected): "The encoder made \(found) vectors of \(expected) pictures."
        }
    }
}

/// Collects the pictures of several callers into one forward pass: while one pass runs, the next batch gathers.
///
/// The queue is bounded. Each continuation is resumed exactly once: with a result, an error, its task's cancellation, or at `close`.
public actor MicroBatcher: EmbeddingModel {
    public nonisolated let model: ModelRecord
    private nonisolated let encoder: any EmbeddingModel
    private let batchLimit: Int
    private let queueLimit: Int
    private var waiting: Deque<Request> = []
    private var isRunning = false
    private var isClosed = false
    private var nextID = 0
    private let batchSizes: Recorder
    private let queueLength: Meter

    private struct Request {
        let id: Int
        let image: RGBImage
        let continuation: CheckedContinuation<[Float], any Error>
    }

    /// Pictures that wait for a pass.
    var waitingCount: Int { waiting.count }

    /// - Parameters: batchLimit: pictures in one pass, queueLimit: pictures that may wait.
    public init(_ encoder: any EmbeddingModel, batchLimit: Int = 16, queueLimit: Int = 256) {
        self.encoder = encoder
        model = encoder.model
        let label = [("model", encoder.model.name)]
        batchSizes = Recorder(label: "stylefinder_encoder_batch_size", dimensions: label)
        queueLength = Meter(label: "stylefinder_encoder_waiting", dimensions: label)
        self.batchLimit = batchLimit
        self.queueLimit = queueLimit
    }

    public nonisolated var takesText: Bool { encoder.takesText }

    public nonisolated func reduce(_ image: RGBImage) -> RGBImage { encoder.reduce(image) }

    /// - Throws: `BatcherError`, `CancellationError`, or what the encoder throws.
    public func encode(images: [RGBImage]) async throws -> [[Float]] {
        try await withThrowingTaskGroup(of: (Int, [Float]).self) { group in
            for (place, image) in images.enumerated() { group.addTask { (place, try await self.encode(image)) } }
            var vectors = [[Float]](repeating: [], count: images.count)
            for try await (place, vector) in group { vectors[place] = vector }
            return vectors
        }
    }

    /// Texts are short work and go straight to the encoder.
    public func encode(texts: [String]) async throws -> [[Float]] {
        if isClosed { throw BatcherError.closed }
        return try await encoder.encode(texts: texts)
    }

    public func encodeTexts(_ texts: [String]) async throws -> EncodedTexts {
        if isClosed { throw BatcherError.closed }
        return try await encoder.encodeTexts(texts)
    }

    private func encode(_ image: RGBImage) async throws -> [Float] {
        if isClosed { throw BatcherError.closed }
        guard waiting.count < queueLimit else { throw BatcherError.overloaded(waiting: waiting.count) }
        let id = nextID
        nextID += 1
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                if Task.isCancelled { return continuation.resume(throwing: CancellationError()) }
                waiting.append(Request(id: id, image: image, continuation: continuation))
                queueLength.set(waiting.count)
                if !isRunning {
                    isRunning = true
                    Task { await self.run() }
                }
            }
        } onCancel: {
            Task { await self.cancel(id) }
        }
    }

    /// A request whose pass has begun is no longer waiting and gets its result.
    private func cancel(_ id: Int) {
        guard let place = waiting.firstIndex(where: { $0.id == id }) else { return }
        waiting.remove(at: place).continuation.resume(throwing: CancellationError())
    }

    private func run() async {
        while !waiting.isEmpty {
            let batch = Array(waiting.prefix(batchLimit))
            waiting.removeFirst(batch.count)
            batchSizes.record(batch.count)
            queueLength.set(waiting.count)
            do {
                let vectors = try await encoder.encode(images: batch.map(\.image))
                // Nobody may be left waiting for a vector that was not made.
                guard vectors.count == batch.count else {
                    throw BatcherError.vectorCount(found: vectors.count, expected: batch.count)
                }
                for (request, vector) in zip(batch, vectors) { request.continuation.resume(returning: vector) }
            } catch {
                for request in batch { request.continuation.resume(throwing: error) }
            }
        }
        isRunning = false
    }

    /// Refuses what waits and what comes; a pass that runs is finished.
    public func close() {
        isClosed = true
        for request in waiting { request.continuation.resume(throwing: BatcherError.closed) }
        waiting = []
    }
}
