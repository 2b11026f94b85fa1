import Dispatch
import Synchronization

/// A value that takes long, made once: when it is first asked for, or on another thread after `start`.
final class Deferred<Value: Sendable>: Sendable {
    private let body: @Sendable () throws -> Value
    private let group = DispatchGroup()
    private let state = Mutex<(isStarted: Bool, result: Result<Value, any Error>?)>((false, nil))

    init(_ body: @escaping @Sendable () throws -> Value) { self.body = body }

    func start() {
        let isFirst = state.withLock { state in
            if state.isStarted { return false }
            state.isStarted = true
            group.enter()
            return true
        }
        guard isFirst else { return }
        DispatchQueue.global(qos: .userInitiated).async { [self] in
            let found = Result { try body() }
            state.withLock { $0.result = found }
            group.leave()
        }
    }

    var value: Value {
        get throws {
            start()
            group.wait()
            guard let found = state.withLock({ $0.result }) else { preconditionFailure("a value was made without a result") }
            return try found.get()
        }
    }
}
