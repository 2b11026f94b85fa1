import NIOCore
import Synchronization

/// Whether the client at the other end of a connection is still there.
final class ClientPresence: Sendable {
    private struct State {
        var isGone = false
        var next = 0
        var waiting: [Int: @Sendable () -> Void] = [:]
    }

    private let state = Mutex(State())

    /// Runs `body` in a task of its own, which is cancelled when the client goes away, when `deadline` has passed, or with the caller's.
    /// - Throws: `APIError.tooSlow` after the deadline, and what `body` throws.
    func run<Value: Sendable>(deadline: Duration, _ body: @escaping @Sendable () async throws -> Value) async throws -> Value {
        let task = Task { try await body() }
        let id = onGone { task.cancel() }
        let late = Mutex(false)
        let watch = Task {
            try await Task.sleep(for: deadline)
            late.withLock { $0 = true }
            task.cancel()
        }
        defer {
            watch.cancel()
            state.withLock { $0.waiting[id] = nil }
        }
        do {
            return try await withTaskCancellationHandler {
                try await task.value
            } onCancel: {
                task.cancel()
            }
        } catch is CancellationError where late.withLock({ $0 }) {
            throw APIError.tooSlow(deadline)
        }
    }

    private func onGone(_ action: @escaping @Sendable () -> Void) -> Int {
        let (id, isGone) = state.withLock { state in
            state.next += 1
            if !state.isGone { state.waiting[state.next] = action }
            return (state.next, state.isGone)
        }
        if isGone { action() }
        return id
    }

    func leave() {
        let actions = state.withLock { state in
            state.isGone = true
            defer { state.waiting = [:] }
            return state.waiting.values
        }
        for action in actions { action() }
    }
}

/// The connections of a server, and who is at their ends.
final class Connections: Sendable {
    private struct State {
        var presences: [ObjectIdentifier: ClientPresence] = [:]
        var saidFull = false
    }

    /// How many may be open at once.
    let limit: Int
    private let state = Mutex(State())
    private let onFull: @Sendable () -> Void

    /// - Parameter onFull: called when all places are taken, once until most are free again.
    init(limit: Int, onFull: @escaping @Sendable () -> Void) {
        self.limit = limit
        self.onFull = onFull
    }

    var isFull: Bool { state.withLock { $0.presences.count >= limit } }

    var count: Int { state.withLock { $0.presences.count } }

    func add(_ channel: ObjectIdentifier) -> ClientPresence {
        let presence = ClientPresence()
        let isNews = state.withLock { state in
            state.presences[channel] = presence
            guard state.presences.count >= limit, !state.saidFull else { return false }
            state.saidFull = true
            return true
        }
        if isNews { onFull() }
        return presence
    }

    func remove(_ channel: ObjectIdentifier) {
        state.withLock { state in
            state.presences[channel] = nil
            if state.presences.count < limit / 2 { state.saidFull = false }
        }
    }

    func presence(_ channel: ObjectIdentifier?) -> ClientPresence? {
        guard let channel else { return nil }
        return state.withLock { $0.presences[channel] }
    }
}
