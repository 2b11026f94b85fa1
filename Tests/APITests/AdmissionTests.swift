import Foundation
import Hummingbird
import NIOCore
import Synchronization
import Testing

@testable import API

@Suite("What each request may take")
struct AdmissionTests {
    private static let tooLarge = APIError.tooManyBytes(limit: 1 << 20)

    private func reader(_ change: (inout ServerLimits) -> Void = { _ in }) -> BodyReader {
        var limits = ServerLimits()
        limits.bodyStall = .milliseconds(400)
        change(&limits)
        return BodyReader(limits: limits)
    }

    @Test("a body counts as held until it is let go, and an announced one does not count")
    func held() async throws {
        let reader = reader()
        var body: BodyReader.Body? = try await reader.read(
            RequestBody(buffer: ByteBuffer(repeating: 1, count: 5000)), limit: 5000, tooLarge: Self.tooLarge)
        #expect(body?.bytes.readableBytes == 5000)
        #expect(reader.heldBytes == 5000)
        body = nil
        #expect(reader.heldBytes == 0)
        await #expect(throws: APIError.self) {
            _ = try await reader.read(
                RequestBody(buffer: ByteBuffer(repeating: 1, count: 5001)), limit: 5000, tooLarge: Self.tooLarge)
        }
        #expect(reader.heldBytes == 0)
    }

    @Test("a body that stands still ends with 408, one that trickles by bytes too, and both give back what they held")
    func stalls() async throws {
        let reader = reader()
        let (standing, source) = RequestBody.makeStream()
        await source.yield(ByteBuffer(repeating: 1, count: 3000))
        let error = await #expect(throws: APIError.self) {
            _ = try await reader.read(standing, limit: 1 << 20, tooLarge: Self.tooLarge)
        }
        #expect(error?.status == .requestTimeout)
        let (trickling, drops) = RequestBody.makeStream()
        let feeding = Task {
            while !Task.isCancelled {
                await drops.yield(ByteBuffer(repeating: 1, count: 1))
                try await Task.sleep(for: .milliseconds(20))
            }
        }
        defer { feeding.cancel() }
        let slow = await #expect(throws: APIError.self) {
            _ = try await reader.read(trickling, limit: 1 << 20, tooLarge: Self.tooLarge)
        }
        #expect(slow?.status == .requestTimeout)
        #expect(reader.heldBytes == 0)
    }

    @Test("where all bodies together are too much, the one that stands still goes, and the one that comes is read")
    func crowd() async throws {
        // Who sent a moment ago is not taken for standing still: whoever comes now is refused.
        for patience in [Duration.seconds(600), .zero] {
            let bodies = reader {
                $0.heldBytes = 10_000
                $0.bodyStall = .seconds(600)
                $0.crowdedStall = patience
            }
            let (standing, source) = RequestBody.makeStream()
            let stalled = Task { try await bodies.read(standing, limit: 1 << 20, tooLarge: Self.tooLarge).bytes.readableBytes }
            await source.yield(ByteBuffer(repeating: 1, count: 9000))
            while bodies.heldBytes < 9000 { await Task.yield() }
            let coming = Task {
                try await bodies.read(
                    RequestBody(buffer: ByteBuffer(repeating: 1, count: 8000)), limit: 1 << 20, tooLarge: Self.tooLarge
                ).bytes.readableBytes
            }
            if patience == .zero {
                #expect(try await coming.value == 8000)
                let error = await #expect(throws: APIError.self) { try await stalled.value }
                #expect(error?.code == "overloaded")
            } else {
                await #expect(throws: APIError.self) { try await coming.value }
                source.finish()
                #expect(try await stalled.value == 9000)
            }
        }
    }

    @Test("a pool runs so much at a time, lets so much wait, and tells the next one to come back")
    func pool() async throws {
        let pool = WorkPool(threads: 1, waiting: 1)
        let gate = DispatchSemaphore(value: 0)
        let begun = Mutex(0)
        let first = Task {
            try await pool.run { _ in
                begun.withLock { $0 += 1 }
                gate.wait()
                return 1
            }
        }
        while begun.withLock({ $0 }) == 0 { await Task.yield() }
        let second = Task { try await pool.run { _ in 2 } }
        var refused: APIError?
        // The second one may not have taken its place yet.
        while refused == nil {
            let third = Task { try await pool.run { _ in 3 } }
            await Task.yield()
            third.cancel()
            do { _ = try await third.value } catch let error as APIError { refused = error } catch is CancellationError {}
        }
        #expect(refused?.status == .serviceUnavailable && refused?.retryAfter == 1)
        gate.signal()
        #expect(try await first.value == 1)
        // Its place may have been the one that was refused.
        if let value = try? await second.value { #expect(value == 2) }
        #expect(try await pool.run { _ in 4 } == 4)
    }

    @Test("who is cancelled is let go at once, though the work has not ended, and the work is told")
    func cancelled() async throws {
        let pool = WorkPool(threads: 1, waiting: 1)
        let (begun, begin) = AsyncStream.makeStream(of: Void.self)
        let (ended, end) = AsyncStream.makeStream(of: Bool.self)
        let task = Task {
            try await pool.run { ticket in
                begin.yield()
                while !ticket.isCancelled { usleep(1000) }
                end.yield(true)
            }
        }
        for await _ in begun { break }
        task.cancel()
        await #expect(throws: CancellationError.self) { try await task.value }
        for await told in ended {
            #expect(told)
            break
        }
    }

    @Test("a request ends at its deadline, and when its client goes")
    func deadlines() async throws {
        let presence = ClientPresence()
        let late = await #expect(throws: APIError.self) {
            try await presence.run(deadline: .milliseconds(50)) { try await Task.sleep(for: .seconds(600)) }
        }
        #expect(late?.code == "too_slow" && late?.status == .serviceUnavailable)
        let (begun, begin) = AsyncStream.makeStream(of: Void.self)
        let waiting = Task {
            try await presence.run(deadline: .seconds(600)) {
                begin.yield()
                try await Task.sleep(for: .seconds(600))
            }
        }
        for await _ in begun { break }
        presence.leave()
        await #expect(throws: CancellationError.self) { try await waiting.value }
        await #expect(throws: CancellationError.self) {
            try await presence.run(deadline: .seconds(600)) { try await Task.sleep(for: .seconds(600)) }
        }
    }
}
