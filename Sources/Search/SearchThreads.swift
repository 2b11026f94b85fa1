import DequeModule
import Foundation
import Synchronization

/// The threads that filters, scans and look-ups run on, and a bound on how much of that may wait.
///
/// Such work blocks: a scan of a large catalogue takes a tenth of a second of a core. On Swift's own pool, which has a thread for each core,
/// two of them would stop everything else that the process does, such as saying that it is alive.
///
/// `@unchecked Sendable`: `jobs` and `isClosed` are touched under `condition`'s lock only.
public final class SearchThreads: TaskExecutor, @unchecked Sendable {
    /// As many threads as cores: all that searches of this process share. They last as long as the process.
    public static let standard = SearchThreads(count: ProcessInfo.processInfo.activeProcessorCount, limit: 256)

    private let condition = NSCondition()
    private var jobs: Deque<UnownedJob> = []
    private var isClosed = false
    private let limit: Int
    /// Pieces of work that run or wait.
    private let inside = Mutex(0)

    /// Pieces of work that run or wait now.
    public var inUse: Int { inside.withLock { $0 } }

    /// - Parameters:
    ///   - count: threads, at least 1.
    ///   - limit: pieces of work that may run and wait at a time; one more is refused.
    public init(count: Int, limit: Int) {
        self.limit = limit
        for number in 1...max(1, count) {
            // A thread holds the executor until it is closed: jobs name it without holding it.
            let thread = Thread { [self] in work() }
            thread.name = "search \(number)"
            thread.start()
        }
    }

    /// Runs a body on these threads.
    /// - Throws: `SearchError.overloaded` where too much waits already, `CancellationError` if the task is cancelled before a thread is free, and
    ///   what the body throws.
    public func run<Value: Sendable>(_ body: @Sendable () async throws -> Value) async throws -> Value {
        let waiting = inside.withLock { inside -> Int? in
            guard inside < limit else { return inside }
            inside += 1
            return nil
        }
        if let waiting { throw SearchError.overloaded(waiting: waiting) }
        defer { inside.withLock { $0 -= 1 } }
        return try await withTaskExecutorPreference(self) {
            try Task.checkCancellation()
            return try await body()
        }
    }

    public func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        condition.lock()
        jobs.append(job)
        condition.signal()
        condition.unlock()
    }

    private func work() {
        while true {
            condition.lock()
            while jobs.isEmpty && !isClosed { condition.wait() }
            guard let job = jobs.popFirst() else {
                condition.unlock()
                return
            }
            condition.unlock()
            job.runSynchronously(on: asUnownedTaskExecutor())
        }
    }

    /// Ends the threads once nothing waits for them. Nothing may be run afterwards.
    func close() {
        condition.lock()
        isClosed = true
        condition.broadcast()
        condition.unlock()
    }
}
