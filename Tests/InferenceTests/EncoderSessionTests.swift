import Catalog
import CLIP
import Dispatch
import Foundation
import Imaging
import Search
import Synchronization
import Testing

@testable import Inference

/// A model folder that the reference library wrote: small enough for every test run.
enum ReducedModel {
    private static let fixtures =
        URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().path
        + "/CLIPTests/Fixtures/models"
    static let path = fixtures + "/vit-quickgelu-f16"

    static func pictures() throws -> [RGBImage] {
        try ["enlarged", "flat", "landscape", "portrait", "weave"].map {
            try ImageDecoder.decode(contentsOfFile: "\(fixtures)/pictures/\($0).png")
        }
    }
}

@Suite("Thread executor", .timeLimit(.minutes(5)))
struct ThreadExecutorTests {
    /// Blocks the thread it runs on, as a forward pass does.
    private actor Blocker {
        private nonisolated let executor = ThreadExecutor(name: "blocker")
        nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

        deinit { executor.close() }

        func block(_ begun: Atomic<Int>.Holder, until gate: DispatchSemaphore) {
            begun.add()
            gate.wait()
        }

        func thread() -> ObjectIdentifier { ObjectIdentifier(Thread.current) }
    }

    @Test("actors that block, more of them than cores, keep no other task from running")
    func blocking() async {
        let count = ProcessInfo.processInfo.activeProcessorCount * 2 + 2
        let begun = Atomic<Int>.Holder()
        let gate = DispatchSemaphore(value: 0)
        let blockers = (0..<count).map { _ in Blocker() }
        let blocked = blockers.map { blocker in Task { await blocker.block(begun, until: gate) } }
        // On the shared pool the blockers would hold every thread, and this task would never see all of them begin.
        await until { begun.value == count }
        let trivial = await Task.detached { 6 * 7 }.value
        #expect(trivial == 42)
        for _ in blocked { gate.signal() }
        for task in blocked { await task.value }
    }

    @Test("all jobs of an actor run on one thread, which no other actor shares")
    func ownThread() async {
        let (one, other) = (Blocker(), Blocker())
        var threads: Set<ObjectIdentifier> = []
        for _ in 0..<50 {
            threads.insert(await one.thread())
            await Task.yield()
        }
        #expect(threads.count == 1)
        #expect(!threads.contains(await other.thread()))
    }

    @Test("a closed executor is let go by its thread")
    func close() async {
        weak var executor: ThreadExecutor?
        do {
            let made = ThreadExecutor(name: "short-lived")
            executor = made
            made.close()
        }
        await until { executor == nil }
        #expect(executor == nil)
    }
}

extension Atomic where Value == Int {
    /// A count that several tasks share.
    final class Holder: Sendable {
        private let count = Atomic<Int>(0)
        var value: Int { count.load(ordering: .sequentiallyConsistent) }
        func add() { count.add(1, ordering: .sequentiallyConsistent) }
    }
}

@Suite("Encoder session", .timeLimit(.minutes(5)))
struct EncoderSessionTests {
    @Test("its vectors are the embedder's, for pictures and for texts")
    func equality() async throws {
        let session = try EncoderSession(checkpoint: ReducedModel.path, name: "reduced")
        let embedder = try Embedder(checkpoint: Checkpoint(path: ReducedModel.path))
        let pictures = try ReducedModel.pictures()
        let texts = ["a photo of a red dress", "", "Wollpullover, grün"]
        #expect(try await session.encode(images: pictures).flatMap { $0 } == embedder.embed(images: pictures))
        #expect(try await session.encode(texts: texts).flatMap { $0 } == embedder.embed(texts: texts).vectors)
        #expect(session.model.dimension == 64 && session.model.name == "reduced" && session.takesText)
        #expect(try session.model.fingerprint == Checkpoint(path: ReducedModel.path).fingerprint)
        #expect(try await session.encode(images: []) == [])
    }

    @Test("a text that was cut is told, beside others and through the batcher")
    func cut() async throws {
        let session = try EncoderSession(checkpoint: ReducedModel.path, name: "reduced")
        let texts = ["red dress", Array(repeating: "red dress", count: 200).joined(separator: " "), ""]
        let encoders: [any EmbeddingModel] = [session, MicroBatcher(session)]
        for encoder in encoders {
            let encoded = try await encoder.encodeTexts(texts)
            // The small vocabulary spells "red" in two tokens and "dress" in four; a start and an end come to them.
            #expect(encoded.cut == [nil, TextCut(tokens: 200 * (2 + 4) + 2, read: 20), nil])
            #expect(try await encoded.vectors == encoder.encode(texts: texts))
        }
    }

    @Test("many callers at once each get the vectors of their own pictures, alone or batched")
    func concurrent() async throws {
        let session = try EncoderSession(checkpoint: ReducedModel.path, name: "reduced")
        let pictures = try ReducedModel.pictures()
        let expected = try await session.encode(images: pictures)
        let batcher = MicroBatcher(session, batchLimit: 4)
        let encoders: [any EmbeddingModel] = [session, batcher]
        for encoder in encoders {
            try await withThrowingTaskGroup(of: (Int, [[Float]]).self) { group in
                for place in 0..<40 {
                    let picture = pictures[place % pictures.count]
                    group.addTask { (place, try await encoder.encode(images: [picture])) }
                }
                for try await (place, vectors) in group {
                    try #require(vectors.count == 1)
                    // Another batch size adds the same numbers in another order.
                    let far = zip(vectors[0], expected[place % pictures.count]).map { abs($0 - $1) }.max()
                    #expect(try #require(far) < 1e-5)
                }
            }
        }
    }

    @Test("a model without vocabulary takes pictures only and says so")
    func noTokenizer() async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "session-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        for name in ["config.json", "preprocessor_config.json", "model.safetensors"] {
            try FileManager.default.copyItem(atPath: "\(ReducedModel.path)/\(name)", toPath: "\(folder.path)/\(name)")
        }
        let session = try EncoderSession(checkpoint: folder.path, name: "mute")
        #expect(!session.takesText)
        #expect(try await session.encode(images: ReducedModel.pictures()).count == 5)
        await #expect(throws: CLIPError.noTokenizer(path: folder.path)) { try await session.encode(texts: ["dress"]) }
    }

    @Test("a folder that is not there is refused")
    func missing() {
        #expect(throws: CLIPError.noModel(path: "/nowhere")) { try EncoderSession(checkpoint: "/nowhere", name: "none") }
    }
}

@Suite("Models on demand", .timeLimit(.minutes(5)))
struct OnDemandModelTests {
    @Test("a model on demand answers as one that is always there, with the same card")
    func same() async throws {
        let session = try EncoderSession(checkpoint: ReducedModel.path, name: "m")
        let model = try OnDemandModel(checkpoint: ReducedModel.path, name: "m", pool: ModelPool(room: .models(1)))
        #expect(model.model == session.model && model.card == session.card && model.takesText == session.takesText)
        let pictures = try ReducedModel.pictures()
        #expect(try await model.encode(images: pictures) == session.encode(images: pictures))
        #expect(model.reduce(pictures[0]) == session.reduce(pictures[0]))
    }

    @Test("a pool holds no more models than it may, those asked last; asked again, one answers the same")
    func eviction() async throws {
        let folders = try FileManager.default.contentsOfDirectory(
            atPath: URL(fileURLWithPath: ReducedModel.path).deletingLastPathComponent().path
        )
        .filter { $0.hasPrefix("vit-") || $0.hasPrefix("resnet-") }.sorted().prefix(3)
        try #require(folders.count == 3)
        let pool = ModelPool(room: .models(2))
        let models = try folders.map { name in
            try OnDemandModel(checkpoint: ReducedModel.path.replacing("vit-quickgelu-f16", with: name), name: name, pool: pool)
        }
        #expect(await pool.count == 0)
        let picture = try ReducedModel.pictures()[0]
        let first = try await models[0].encode(images: [picture])
        _ = try await models[1].encode(images: [picture])
        #expect(await pool.count == 2)
        _ = try await models[2].encode(images: [picture])
        #expect(await pool.count == 2)
        #expect(try await models[0].encode(images: [picture]) == first)
        #expect(await pool.count == 2)
        // Many at once load each model once, and each gets its own answer.
        try await withThrowingTaskGroup(of: Bool.self) { group in
            for _ in 0..<8 {
                for model in models {
                    group.addTask { try await model.encode(images: [picture])[0].count == model.model.dimension }
                }
            }
            for try await isRight in group { #expect(isRight) }
        }
    }

    @Test("weights of models take no more memory together than they may, and one alone is always there")
    func evictionByBytes() async throws {
        let pool = ModelPool(room: .bytes(1))
        let picture = try ReducedModel.pictures()[0]
        let models = try (0..<2).map { number in
            try OnDemandModel(
                checkpoint: ReducedModel.path.replacing("vit-quickgelu-f16", with: ["vit-quickgelu-f16", "resnet-f32"][number]),
                name: "m\(number)", pool: pool)
        }
        for model in models {
            _ = try await model.encode(images: [picture])
            #expect(await pool.count == 1)
        }
        let large = ModelPool(room: .bytes(1 << 30))
        for name in ["a", "b"] {
            _ = try await OnDemandModel(checkpoint: ReducedModel.path, name: name, pool: large).encode(images: [picture])
        }
        #expect(await large.count == 1, "the same files are one model")
    }

    @Test("a model whose files went away fails the question, and answers when they are back")
    func missing() async throws {
        let place = NSTemporaryDirectory() + "on-demand-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: place) }
        try FileManager.default.copyItem(atPath: ReducedModel.path, toPath: place)
        let pool = ModelPool(room: .models(2))
        let model = try OnDemandModel(checkpoint: place, name: "m", pool: pool)
        try FileManager.default.moveItem(atPath: place, toPath: place + "-away")
        let picture = try ReducedModel.pictures()[0]
        await #expect(throws: CLIPError.self) { try await model.encode(images: [picture]) }
        #expect(await pool.count == 0)
        try FileManager.default.moveItem(atPath: place + "-away", toPath: place)
        #expect(try await model.encode(images: [picture]).count == 1)
    }
}
