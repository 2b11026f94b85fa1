import NIOCore
import Synchronization

/// Scaled pictures in memory, up to a number of bytes; the ones that were not asked for the longest go first.
final class PictureCache: Sendable {
    struct Key: Hashable {
        let hash: String
        let width: Int
    }

    private struct State {
        var entries: [Key: (bytes: ByteBuffer, used: UInt64)] = [:]
        /// Pictures that are being scaled: a page of clients that come at once waits for one scaling.
        var running: [Key: Task<ByteBuffer, any Error>] = [:]
        var size = 0
        var clock: UInt64 = 0
    }

    private let byteLimit: Int
    private let state = Mutex(State())

    init(byteLimit: Int) { self.byteLimit = byteLimit }

    /// What is kept, what somebody else is waiting for already, or what `make` makes. A client that goes away does not end the work: others may
    /// wait for it, and it is kept.
    func bytes(of key: Key, make: @escaping @Sendable () async throws -> ByteBuffer) async throws -> ByteBuffer {
        let task = state.withLock { state -> Task<ByteBuffer, any Error> in
            state.clock += 1
            if let bytes = state.entries[key]?.bytes {
                state.entries[key]?.used = state.clock
                return Task { bytes }
            }
            if let task = state.running[key] { return task }
            let task = Task {
                defer { self.state.withLock { $0.running[key] = nil } }
                let bytes = try await make()
                self.keep(bytes, at: key)
                return bytes
            }
            state.running[key] = task
            return task
        }
        return try await task.value
    }

    private func keep(_ bytes: ByteBuffer, at key: Key) {
        guard bytes.readableBytes <= byteLimit / 4 else { return }
        state.withLock { state in
            state.entries[key] = (bytes, state.clock)
            state.size += bytes.readableBytes
            if state.size <= byteLimit { return }
            // A quarter goes at a time, so that the sorting is rare.
            for (old, entry) in state.entries.sorted(by: { $0.value.used < $1.value.used }) {
                if state.size <= byteLimit / 4 * 3 { break }
                state.entries.removeValue(forKey: old)
                state.size -= entry.bytes.readableBytes
            }
        }
    }
}
