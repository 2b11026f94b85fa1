import HTTPTypes
import Hummingbird
import NIOCore
import NIOHTTP1
import Synchronization

/// Reads the bodies of requests: each with a bound on its bytes and on its standing still, all together with a bound on the memory that they hold.
///
/// Only bytes that have come count, so a client that announces much and sends nothing takes nothing away.
final class BodyReader: Sendable {
    /// Why a body that was on its way in was given up.
    private enum Ending {
        case stalled
        case crowdedOut
    }

    private struct Upload {
        var bytes = 0
        /// Since when fewer than `stallBytes` have come.
        var since = ContinuousClock.now
        var newBytes = 0
        var ending: Ending?
        var task: Task<ByteBuffer, any Error>?
    }

    private struct State {
        var held = 0
        var uploads: [Int: Upload] = [:]
        var next = 0
    }

    private let limits: ServerLimits
    private let state = Mutex(State())

    init(limits: ServerLimits) { self.limits = limits }

    /// A body in memory. Its bytes count until it is let go.
    final class Body: Sendable {
        let bytes: ByteBuffer
        private let reader: BodyReader

        fileprivate init(_ bytes: ByteBuffer, _ reader: BodyReader) {
            self.bytes = bytes
            self.reader = reader
        }

        deinit { reader.release(bytes.readableBytes) }
    }

    /// - Parameter tooLarge: what is said above `limit` bytes.
    /// - Throws: `tooLarge`; `APIError` 408 for a body that stands still, 503 where too much is held, 400 for one that breaks off.
    func read(_ body: RequestBody, limit: Int, tooLarge: APIError) async throws -> Body {
        let id = state.withLock { state in
            state.next += 1
            state.uploads[state.next] = Upload()
            return state.next
        }
        var kept = false
        defer {
            state.withLock { state in
                let upload = state.uploads.removeValue(forKey: id)
                if !kept { state.held -= upload?.bytes ?? 0 }
            }
        }
        let task = Task { [self] in
            var all = ByteBuffer()
            for try await chunk in body {
                guard all.readableBytes + chunk.readableBytes <= limit else { throw tooLarge }
                try take(chunk.readableBytes, id)
                all.writeImmutableBuffer(chunk)
            }
            try Task.checkCancellation()
            return all
        }
        state.withLock { $0.uploads[id]?.task = task }
        let watch = Task { [self] in
            while !Task.isCancelled {
                try await Task.sleep(for: limits.bodyStall / 4)
                end(where: { $0 == id && $1.since.duration(to: .now) >= self.limits.bodyStall }, as: .stalled)
            }
        }
        defer { watch.cancel() }
        do {
            let bytes = try await withTaskCancellationHandler {
                try await task.value
            } onCancel: {
                task.cancel()
            }
            kept = true
            return Body(bytes, self)
        } catch {
            switch state.withLock({ $0.uploads[id]?.ending }) {
            case .stalled:
                throw APIError(
                    .requestTimeout, "slow_body",
                    "The body stood still for \(limits.bodyStall.components.seconds) seconds; send it again.")
            case .crowdedOut: throw APIError.overloaded
            case nil: break
            }
            // A parser's error is the connection's own, see `ConnectionHandler`.
            if error is APIError || error is CancellationError || error is HTTPParserError { throw error }
            throw APIError(.badRequest, "unreadable_body", "The body ended before its end.")
        }
    }

    /// Counts bytes that have come.
    /// - Throws: `APIError.overloaded` where there is no room for them, also after stalled uploads have been ended.
    private func take(_ count: Int, _ id: Int) throws {
        let fits = state.withLock { state in
            state.held += count
            state.uploads[id]?.bytes += count
            state.uploads[id]?.newBytes += count
            if let upload = state.uploads[id], upload.newBytes >= limits.stallBytes {
                state.uploads[id]?.newBytes = 0
                state.uploads[id]?.since = .now
            }
            return state.held <= limits.heldBytes
        }
        if fits { return }
        end(where: { $0 != id && $1.since.duration(to: .now) >= self.limits.crowdedStall }, as: .crowdedOut)
        let stillHeld = state.withLock { state in
            state.held - state.uploads.values.reduce(0) { $0 + ($1.ending == nil ? 0 : $1.bytes) }
        }
        guard stillHeld <= limits.heldBytes else { throw APIError.overloaded }
    }

    private func end(where isMeant: (Int, Upload) -> Bool, as ending: Ending) {
        let tasks = state.withLock { state -> [Task<ByteBuffer, any Error>] in
            state.uploads.filter { $1.ending == nil && isMeant($0, $1) }.compactMap { id, upload in
                state.uploads[id]?.ending = ending
                return upload.task
            }
        }
        for task in tasks { task.cancel() }
    }

    private func release(_ bytes: Int) { state.withLock { $0.held -= bytes } }

    /// Bytes that are held now.
    var heldBytes: Int { state.withLock { $0.held } }
}
