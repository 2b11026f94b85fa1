import Catalog
import Imaging
import Search
import Testing

@testable import Inference

@Suite("Micro-batcher", .timeLimit(.minutes(5)))
struct MicroBatcherTests {
    /// A batcher whose first pass has begun and is held, and the caller of that pass.
    private func busy(
        _ encoder: GatedEncoder, batchLimit: Int = 16, queueLimit: Int = 256
    ) async throws -> (MicroBatcher, Task<[[Float]], any Error>) {
        let batcher = MicroBatcher(encoder, batchLimit: batchLimit, queueLimit: queueLimit)
        let first = Task { try await batcher.encode(images: [.dot(200)]) }
        await until { await encoder.passes == [1] }
        return (batcher, first)
    }

    private func callers(_ count: Int, of batcher: MicroBatcher) -> [Task<[[Float]], any Error>] {
        (0..<count).map { value in Task { try await batcher.encode(images: [.dot(value)]) } }
    }

    @Test("requests that come while a pass runs share the next ones, and each caller gets its own vector")
    func batches() async throws {
        let encoder = GatedEncoder(open: false)
        let (batcher, first) = try await busy(encoder)
        let callers = callers(20, of: batcher)
        await until { await batcher.waitingCount == 20 }
        await encoder.open()
        #expect(try await first.value == [[200]])
        for (value, caller) in callers.enumerated() { #expect(try await caller.value == [[Float(value)]]) }
        #expect(await encoder.passes == [1, 16, 4])
    }

    @Test("one caller's pictures come back in its order, whatever passes they went through")
    func order() async throws {
        let batcher = MicroBatcher(GatedEncoder(open: true), batchLimit: 7)
        let vectors = try await batcher.encode(images: (0..<40).map { try .dot($0) })
        #expect(vectors == (0..<40).map { [Float($0)] })
        #expect(try await batcher.encode(images: []) == [])
    }

    @Test("texts go straight to the encoder")
    func texts() async throws {
        let batcher = MicroBatcher(GatedEncoder(open: true))
        #expect(try await batcher.encode(texts: ["a", "abc"]) == [[1], [3]])
    }

    @Test("which texts the encoder cut comes through, and nothing once it is closed")
    func cutTexts() async throws {
        struct Cutting: EmbeddingModel {
            let model = ModelRecord(fingerprint: "cutting", name: "cutting", dimension: 1)
            func encode(images: [RGBImage]) -> [[Float]] { [] }
            func encode(texts: [String]) -> [[Float]] { texts.map { [Float($0.count)] } }
            func encodeTexts(_ texts: [String]) -> EncodedTexts {
                EncodedTexts(
                    vectors: encode(texts: texts), cut: texts.map { $0.count > 2 ? TextCut(tokens: $0.count, read: 2) : nil })
            }
        }
        let batcher = MicroBatcher(Cutting())
        let texts = try await batcher.encodeTexts(["a", "abc"])
        #expect(texts.vectors == [[1], [3]])
        #expect(texts.cut == [nil, TextCut(tokens: 3, read: 2)])
        await batcher.close()
        await #expect(throws: BatcherError.closed) { try await batcher.encodeTexts(["a"]) }
    }

    @Test("a failed pass fails each of its callers, and the next pass works")
    func failure() async throws {
        let encoder = GatedEncoder(open: false)
        let (batcher, first) = try await busy(encoder)
        let callers = callers(5, of: batcher)
        await until { await batcher.waitingCount == 5 }
        await encoder.fail(true)
        await encoder.open()
        await #expect(throws: GatedEncoder.Refusal()) { try await first.value }
        for caller in callers { await #expect(throws: GatedEncoder.Refusal()) { try await caller.value } }
        await encoder.fail(false)
        #expect(try await batcher.encode(images: [.dot(3)]) == [[3]])
    }

    @Test("an encoder that gives too few vectors leaves nobody waiting")
    func tooFewVectors() async throws {
        let encoder = GatedEncoder(open: false)
        let (batcher, first) = try await busy(encoder)
        let callers = callers(4, of: batcher)
        await until { await batcher.waitingCount == 4 }
        await encoder.leaveOut(1)
        await encoder.open()
        await #expect(throws: BatcherError.vectorCount(found: 0, expected: 1)) { try await first.value }
        for caller in callers {
            await #expect(throws: BatcherError.vectorCount(found: 3, expected: 4)) { try await caller.value }
        }
    }

    @Test("a waiting request that is cancelled ends at once and takes no place in a pass")
    func cancellation() async throws {
        let encoder = GatedEncoder(open: false)
        let (batcher, first) = try await busy(encoder)
        let callers = callers(6, of: batcher)
        await until { await batcher.waitingCount == 6 }
        callers[2].cancel()
        callers[5].cancel()
        // The pass before it is still held.
        await #expect(throws: CancellationError.self) { try await callers[2].value }
        await #expect(throws: CancellationError.self) { try await callers[5].value }
        #expect(await batcher.waitingCount == 4)
        await encoder.open()
        for value in [0, 1, 3, 4] { #expect(try await callers[value].value == [[Float(value)]]) }
        _ = try await first.value
        #expect(await encoder.passes == [1, 4])
    }

    @Test("a request whose task was cancelled before it began is never encoded")
    func cancelledBefore() async throws {
        let encoder = GatedEncoder(open: false)
        let (batcher, first) = try await busy(encoder)
        let late = Task {
            await until { Task.isCancelled }
            return try await batcher.encode(images: [.dot(1)])
        }
        late.cancel()
        await #expect(throws: CancellationError.self) { try await late.value }
        await encoder.open()
        _ = try await first.value
        #expect(await encoder.passes == [1])
    }

    @Test("a full queue refuses the next request and keeps the others")
    func overload() async throws {
        let encoder = GatedEncoder(open: false)
        let (batcher, first) = try await busy(encoder, queueLimit: 3)
        let callers = callers(3, of: batcher)
        await until { await batcher.waitingCount == 3 }
        await #expect(throws: BatcherError.overloaded(waiting: 3)) { try await batcher.encode(images: [.dot(9)]) }
        await encoder.open()
        _ = try await first.value
        for (value, caller) in callers.enumerated() { #expect(try await caller.value == [[Float(value)]]) }
        #expect(try await batcher.encode(images: [.dot(9)]) == [[9]])
    }

    @Test("closing refuses what waits and what comes, and lets the running pass end")
    func close() async throws {
        let encoder = GatedEncoder(open: false)
        let (batcher, first) = try await busy(encoder)
        let callers = callers(5, of: batcher)
        await until { await batcher.waitingCount == 5 }
        await batcher.close()
        for caller in callers { await #expect(throws: BatcherError.closed) { try await caller.value } }
        await #expect(throws: BatcherError.closed) { try await batcher.encode(images: [.dot(1)]) }
        await #expect(throws: BatcherError.closed) { try await batcher.encode(texts: ["a"]) }
        await encoder.open()
        #expect(try await first.value == [[200]])
        #expect(await encoder.passes == [1])
    }

    /// What became of one request.
    private enum Outcome: Hashable { case vector, refused, cancelled, closed, overloaded }

    @Test("every one of 400 requests ends exactly once amid cancellation, failures, overload and closing", arguments: [1, 7, 16])
    func stress(batchLimit: Int) async throws {
        // A continuation that is resumed twice ends the process, one that is never resumed the time limit.
        let encoder = GatedEncoder(open: true)
        await encoder.failEvery(5)
        let batcher = MicroBatcher(encoder, batchLimit: batchLimit, queueLimit: 64)
        let outcomes = await withTaskGroup(of: Outcome.self) { group in
            for number in 0..<400 {
                group.addTask {
                    let request = Task {
                        let value = number % 256
                        let vectors = try await batcher.encode(images: [.dot(value)])
                        return vectors == [[Float(value)]]
                    }
                    if number % 5 == 0 { request.cancel() }
                    do {
                        let isOwn = try await request.value
                        #expect(isOwn)
                        return .vector
                    } catch is CancellationError {
                        return .cancelled
                    } catch BatcherError.closed {
                        return .closed
                    } catch BatcherError.overloaded {
                        return .overloaded
                    } catch {
                        #expect(error is GatedEncoder.Refusal)
                        return .refused
                    }
                }
            }
            var outcomes: [Outcome] = []
            for await outcome in group {
                outcomes.append(outcome)
                if outcomes.count >= 350, outcomes.contains(.vector) { await batcher.close() }
            }
            return outcomes
        }
        #expect(outcomes.count == 400 && outcomes.contains(.vector))
        #expect(await encoder.passes.allSatisfy { $0 <= batchLimit })
        #expect(await batcher.waitingCount == 0)
    }
}
