import Dispatch
import Synchronization
import Testing

@testable import Search

@Suite("Search threads", .timeLimit(.minutes(2)))
struct SearchThreadsTests {
    /// Threads that end with the test.
    private static func with<Value>(
        count: Int, limit: Int, _ body: (SearchThreads) async throws -> Value
    ) async throws -> Value {
        let threads = SearchThreads(count: count, limit: limit)
        defer { threads.close() }
        return try await body(threads)
    }

    /// A body that holds its thread until it is let go.
    private final class Gate: Sendable {
        let entered = Mutex(0)
        let semaphore = DispatchSemaphore(value: 0)

        func hold() {
            entered.withLock { $0 += 1 }
            semaphore.wait()
        }

        func waitUntilHeld(_ count: Int) async {
            while entered.withLock({ $0 }) < count { await Task.yield() }
        }
    }

    @Test("what runs on them gives its value or its error to the caller")
    func values() async throws {
        struct Refusal: Error {}
        try await Self.with(count: 2, limit: 4) { threads in
            let value = try await threads.run { 7 }
            #expect(value == 7)
            await #expect(throws: Refusal.self) { try await threads.run { throw Refusal() } }
        }
    }

    @Test("blocking work holds up nothing outside, though it waits on every thread")
    func blocking() async throws {
        try await Self.with(count: 3, limit: 50) { threads in
            let gate = Gate()
            let blocked = (0..<30).map { number in
                Task {
                    try await threads.run {
                        gate.hold()
                        return number
                    }
                }
            }
            await gate.waitUntilHeld(3)
            // Swift's own pool still runs tasks, and no more than three are inside.
            #expect(await Task { 1 }.value == 1)
            #expect(gate.entered.withLock { $0 } == 3)
            for _ in 0..<30 { gate.semaphore.signal() }
            for (number, task) in blocked.enumerated() {
                let value = try await task.value
                #expect(value == number)
            }
        }
    }

    @Test("a full queue refuses the next piece of work as a passing trouble, and takes one again when there is room")
    func overload() async throws {
        try await Self.with(count: 1, limit: 3) { threads in
            let gate = Gate()
            let blocked = (0..<3).map { _ in Task { try await threads.run { gate.hold() } } }
            await gate.waitUntilHeld(1)
            while threads.inUse < 3 { await Task.yield() }
            let refusal = SearchError.overloaded(waiting: 3)
            await #expect(throws: refusal) { try await threads.run {} }
            #expect(refusal.isTransient && !SearchError.emptyText.isTransient)
            for _ in 0..<3 { gate.semaphore.signal() }
            for task in blocked { try await task.value }
            let value = try await threads.run { 5 }
            #expect(value == 5)
        }
    }

    @Test("work whose task is cancelled while it waits is never begun")
    func cancelled() async throws {
        try await Self.with(count: 1, limit: 10) { threads in
            let gate = Gate()
            let first = Task { try await threads.run { gate.hold() } }
            await gate.waitUntilHeld(1)
            let hasRun = Mutex(false)
            let waiting = Task { try await threads.run { hasRun.withLock { $0 = true } } }
            waiting.cancel()
            gate.semaphore.signal()
            await #expect(throws: CancellationError.self) { try await waiting.value }
            try await first.value
            #expect(hasRun.withLock { $0 } == false)
        }
    }
}
