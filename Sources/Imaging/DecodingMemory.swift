import Dispatch
import Synchronization

/// The memory that decoders share. Each takes what its picture will need, as its header tells, before it takes any memory for pixels, and gives it back at
/// its end; large pictures wait for each other, in the order in which they came.
///
/// - Small pictures, up to 1/64 of the capacity, never wait and are not counted: together they stay below that times the number of threads.
/// - A picture that needs more than the whole capacity waits until no other large one is being decoded, then runs alone.
/// - What is counted is what a decode works in. The picture that it returns belongs to the caller.
///
/// A decode waits by blocking its thread: decode on threads that are there for it, never on those of Swift's concurrency or of an event loop. A waiter
/// whose control says so leaves the line.
public final class DecodingMemory: Sendable {
    /// What every decode of the process takes from where nothing else is said: 1 GiB.
    public static let forProcess = DecodingMemory(capacity: 1 << 30)

    private struct State {
        var capacity: Int
        var used = 0
        /// First come, first served.
        var line: [Waiter] = []
    }

    private struct Waiter {
        let need: Int
        let isAdmitted: DispatchSemaphore
    }

    private let state: Mutex<State>

    /// - Parameter capacity: bytes.
    public init(capacity: Int) {
        state = Mutex(State(capacity: max(capacity, 0)))
    }

    /// Bytes. Less than is in use makes the next ones wait.
    public var capacity: Int {
        get { state.withLock(\.capacity) }
        set {
            state.withLock { state in
                state.capacity = max(newValue, 0)
                Self.admit(&state)
            }
        }
    }

    /// How many decodes wait.
    var waiting: Int { state.withLock(\.line.count) }

    /// Runs `body` once there is room for `need` bytes.
    /// - Throws: what `body` throws, or why the control ended the wait.
    func with<Result>(
        _ need: Int, _ control: DecodingControl, _ body: () throws(ImageError) -> Result
    ) throws(ImageError) -> Result {
        let taken = try take(need, control)
        defer { giveBack(taken) }
        return try body()
    }

    private func take(_ need: Int, _ control: DecodingControl) throws(ImageError) -> Int {
        let isAdmitted = DispatchSemaphore(value: 0)
        let taken = state.withLock { state -> Int? in
            guard need > state.capacity / 64 else { return 0 }
            state.line.append(Waiter(need: need, isAdmitted: isAdmitted))
            Self.admit(&state)
            return nil
        }
        if let taken { return taken }
        // The wait is cut into pieces, since whether it is still wanted has to be asked for.
        while isAdmitted.wait(timeout: .now() + .milliseconds(20)) == .timedOut {
            guard let reason = control.reasonToStop else { continue }
            let left = state.withLock { state in
                guard let place = state.line.firstIndex(where: { $0.isAdmitted === isAdmitted }) else { return false }
                state.line.remove(at: place)
                Self.admit(&state)
                return true
            }
            // Admitted in this very moment: the decode finds the reason by itself.
            if !left { break }
            throw reason
        }
        return need
    }

    private func giveBack(_ taken: Int) {
        guard taken > 0 else { return }
        state.withLock { state in
            state.used -= taken
            Self.admit(&state)
        }
    }

    private static func admit(_ state: inout State) {
        while let first = state.line.first, state.used == 0 || first.need <= state.capacity - state.used {
            state.used += first.need
            state.line.removeFirst()
            first.isAdmitted.signal()
        }
    }
}
