import Hummingbird
import NIOPosix
import Synchronization

/// Says to work that runs on a thread that nobody waits for it any more.
final class WorkTicket: Sendable {
    private let flag = Atomic<Bool>(false)

    var isCancelled: Bool { flag.load(ordering: .relaxed) }

    fileprivate func cancel() { flag.store(true, ordering: .relaxed) }
}

/// Blocking work on threads of its own, with a bounded number of jobs that wait for one.
///
/// Who waits is let go as soon as its task is cancelled. Work that has begun keeps its thread until it ends or looks at its ticket: a slow file
/// system holds a thread of this pool, and no request.
final class WorkPool: Sendable {
    private let pool: NIOThreadPool
    private let limit: Int
    private let inside = Atomic<Int>(0)
    private let name: String

    /// Jobs that run or wait, by the name of their pools: what somebody who watches the server wants to know.
    static var lengths: [String: Int] { jobs.withLock { $0 } }
    private static let jobs = Mutex<[String: Int]>([:])

    /// - Parameters:
    ///   - waiting: jobs that may wait for a thread.
    ///   - name: what the pool's queue is called; several of one name are counted together.
    init(threads: Int, waiting: Int, name: String = "other") {
        self.name = name
        Self.jobs.withLock { $0[name, default: 0] += 0 }
        pool = NIOThreadPool(numberOfThreads: threads)
        limit = threads + waiting
        pool.start()
    }

    deinit { pool.shutdownGracefully { _ in } }

    private enum State<Value: Sendable> {
        case waiting(CheckedContinuation<Value, any Error>)
        /// Resumed, or cancelled before it could wait.
        case over
        case new
    }

    /// - Throws: `APIError.overloaded` if too much waits, `CancellationError`, and what `body` throws.
    func run<Value: Sendable>(_ body: @escaping @Sendable (WorkTicket) throws -> Value) async throws -> Value {
        guard inside.add(1, ordering: .relaxed).newValue <= limit else {
            inside.subtract(1, ordering: .relaxed)
            throw APIError.overloaded
        }
        Self.jobs.withLock { $0[name, default: 0] += 1 }
        let ticket = WorkTicket()
        let state = Mutex(State<Value>.new)
        // Resumes exactly once: whoever finds the continuation takes it away.
        @Sendable func finish(_ result: Result<Value, any Error>) {
            let continuation = state.withLock { state -> CheckedContinuation<Value, any Error>? in
                defer { state = .over }
                if case .waiting(let continuation) = state { return continuation }
                return nil
            }
            continuation?.resume(with: result)
        }
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                let isOver = state.withLock { state in
                    if case .over = state { return true }
                    state = .waiting(continuation)
                    return false
                }
                if isOver {
                    leave()
                    return continuation.resume(throwing: CancellationError())
                }
                pool.submit { [self] poolState in
                    defer { leave() }
                    if ticket.isCancelled { return }
                    guard case .active = poolState else { return finish(.failure(CancellationError())) }
                    finish(Result { try body(ticket) })
                }
            }
        } onCancel: {
            ticket.cancel()
            finish(.failure(CancellationError()))
        }
    }

    private func leave() {
        inside.subtract(1, ordering: .relaxed)
        Self.jobs.withLock { $0[name, default: 0] -= 1 }
    }
}

/// A number of places, none of which is waited for.
final class Places: Sendable {
    private let limit: Int
    private let taken = Atomic<Int>(0)

    init(_ limit: Int) { self.limit = limit }

    /// - Throws: `APIError.overloaded` where all are taken, and what `body` throws.
    func take<Value>(_ body: () async throws -> Value) async throws -> Value {
        defer { taken.subtract(1, ordering: .relaxed) }
        guard taken.add(1, ordering: .relaxed).newValue <= limit else { throw APIError.overloaded }
        return try await body()
    }
}
