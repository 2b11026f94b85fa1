import Foundation
import HTTPTypes
import Hummingbird
import NIOCore
import NIOHTTP1
import Synchronization

/// A line of a body.
enum BodyLine: Sendable, Equatable {
    /// Without its end; never blank.
    case text([UInt8])
    /// More bytes than are taken, which were dropped.
    case tooLong
}

/// Cuts bytes into lines, and holds no more than one.
struct LineSplitter {
    private let limit: Int
    private var partial: [UInt8] = []
    private var isTooLong = false
    /// The number of the line that is being read, from 1.
    private(set) var number = 1

    init(limit: Int) { self.limit = limit }

    /// Hands out the lines that end in a piece, with their numbers. Blank lines count, and are not handed out.
    mutating func take(_ piece: ByteBuffer) -> [(number: Int, line: BodyLine)] {
        var lines: [(Int, BodyLine)] = []
        var rest = piece.readableBytesView[...]
        while let end = rest.firstIndex(of: UInt8(ascii: "\n")) {
            add(rest[..<end])
            if let line = endLine() { lines.append((number, line)) }
            number += 1
            rest = rest[rest.index(after: end)...]
        }
        add(rest)
        return lines
    }

    /// The last line, where nothing ends it.
    mutating func finish() -> (number: Int, line: BodyLine)? { endLine().map { (number, $0) } }

    private mutating func add(_ bytes: ByteBufferView) {
        guard !isTooLong else { return }
        guard partial.count + bytes.count <= limit else {
            isTooLong = true
            partial = []
            return
        }
        partial += bytes
    }

    private mutating func endLine() -> BodyLine? {
        defer {
            partial = []
            isTooLong = false
        }
        if isTooLong { return .tooLong }
        // A mark of the byte order stands before the first line alone.
        if number == 1, partial.starts(with: [0xEF, 0xBB, 0xBF]) { partial.removeFirst(3) }
        return partial.allSatisfy { $0 == 0x20 || $0 == 0x09 || $0 == 0x0D } ? nil : .text(partial)
    }
}

/// Bodies of JSON objects, one a line. They are read as they come: while a line is worked on, no more is read than the connection holds.
struct JSONLines {
    let limits: ServerLimits
    let lineLimit: Int

    static let mediaType = "application/x-ndjson"
    private static let mediaTypes: Set<String> = [
        mediaType, "application/ndjson", "application/jsonl", "application/x-jsonl", "application/jsonlines",
        "application/x-jsonlines",
    ]

    /// Thrown by who takes lines when no more of them are read.
    struct Enough: Error {}

    static func response(_ lines: ByteBuffer) -> Response {
        Response(status: .ok, headers: [.contentType: mediaType], body: ResponseBody(byteBuffer: lines))
    }

    /// What is known of a body's coming, to who reads it and who watches over that.
    private final class Watched: Sendable {
        private let coming = Mutex(Coming())

        func withLock<Value: Sendable>(_ body: (inout sending Coming) -> sending Value) -> Value { coming.withLock(body) }
    }

    private struct Coming {
        /// Since when the next piece is waited for; nil while a line is worked on.
        var since: ContinuousClock.Instant?
        /// How long was waited before, since `stallBytes` came.
        var waited = Duration.zero
        var bytes = 0
        var hasStalled = false
    }

    /// Tries again where single requests fill the queues just now: many lines have time.
    static func patiently<Value>(_ limits: ServerLimits, _ body: () async throws -> Value) async throws -> Value {
        let end = ContinuousClock.now + limits.request
        while true {
            do { return try await body() } catch {
                guard APIError(error).code == "overloaded", ContinuousClock.now < end else { throw error }
                try await Task.sleep(for: .milliseconds(20))
            }
        }
    }

    /// - Parameter take: given each line and its number; the next one is not read before it returns.
    /// - Throws: `APIError` 415 for another kind of body, 408 for one that stands still, 400 for one that is empty or breaks off, and what `take`
    ///   throws, but for `Enough`.
    func read(_ request: Request, _ take: @escaping @Sendable (_ number: Int, BodyLine) async throws -> Void) async throws {
        let type = request.headers[.contentType] ?? ""
        guard Self.mediaTypes.contains(type.prefix { $0 != ";" }.trimmingCharacters(in: .whitespaces).lowercased()) else {
            throw APIError(
                .unsupportedMediaType, "wrong_content_type",
                "The body has the type \(APIError.quoted(type)); send \(Self.mediaType), one JSON object a line.")
        }
        let isEmpty = Mutex(true)
        do {
            try await read(request.body) { number, line in
                isEmpty.withLock { $0 = false }
                try await take(number, line)
            }
        } catch is Enough {
            return
        }
        guard !isEmpty.withLock(\.self) else {
            throw APIError(.badRequest, "empty_body", "The body is empty; send one JSON object a line.")
        }
    }

    private func read(_ body: RequestBody, _ take: @escaping @Sendable (_ number: Int, BodyLine) async throws -> Void)
        async throws
    {
        let coming = Watched()
        let reading = Task { [lineLimit, limits] in
            var splitter = LineSplitter(limit: lineLimit)
            var pieces = body.makeAsyncIterator()
            while true {
                coming.withLock { $0.since = .now }
                let piece: ByteBuffer?
                do { piece = try await pieces.next() } catch {
                    // A parser's error is the connection's own.
                    if error is CancellationError || error is HTTPParserError { throw error }
                    throw APIError(.badRequest, "unreadable_body", "The body ended before its end.")
                }
                try Task.checkCancellation()
                coming.withLock { coming in
                    if let since = coming.since { coming.waited += since.duration(to: .now) }
                    coming.since = nil
                    coming.bytes += piece?.readableBytes ?? 0
                    if coming.bytes >= limits.stallBytes { (coming.waited, coming.bytes) = (.zero, 0) }
                }
                guard let piece else { break }
                for (number, line) in splitter.take(piece) { try await take(number, line) }
            }
            if let (number, line) = splitter.finish() { try await take(number, line) }
        }
        let watch = Task { [limits] in
            while !Task.isCancelled {
                try await Task.sleep(for: limits.bodyStall / 4)
                let stalls = coming.withLock { coming in
                    guard let since = coming.since, coming.waited + since.duration(to: .now) >= limits.bodyStall else {
                        return false
                    }
                    coming.hasStalled = true
                    return true
                }
                if stalls { reading.cancel() }
            }
        }
        defer { watch.cancel() }
        do {
            try await withTaskCancellationHandler {
                try await reading.value
            } onCancel: {
                reading.cancel()
            }
        } catch is CancellationError where coming.withLock({ $0.hasStalled }) {
            throw APIError(
                .requestTimeout, "slow_body",
                "The body stood still for \(limits.bodyStall.components.seconds) seconds; what came before is written, so send the rest."
            )
        }
    }
}
