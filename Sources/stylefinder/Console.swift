import Catalog
import Foundation
import Hub
import Synchronization

/// What the command says to people: on stderr, so that stdout holds results alone.
enum Console {
    static let isTerminal = isatty(2) == 1

    static func note(_ text: String) {
        write(text + "\n")
    }

    /// What can't be said is lost: a closed or full stderr is no reason to end the work.
    static func write(_ text: String) {
        try? FileHandle.standardError.write(contentsOf: Data(text.utf8))
    }

    static func warn(_ text: String) { note("warning: \(text)") }

    /// At most ten, and how many more there are.
    static func warn(all problems: [String]) {
        for problem in problems.prefix(10) { warn(problem) }
        if problems.count > 10 { warn("\(problems.count - 10) more like these") }
    }

    /// What a data set has wrong, and what was read otherwise than it may have been meant: at most ten of each.
    static func tell(problems: [ManifestProblem], remarks: [ManifestProblem]) {
        warn(all: problems.map(\.description))
        for remark in remarks.prefix(10) { note("note: \(remark.description)") }
        if remarks.count > 10 { note("note: \(remarks.count - 10) more like these") }
    }

    /// The one document on stdout.
    static func printJSON(_ value: some Encodable) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        encoder.keyEncodingStrategy = .convertToSnakeCase
        try print(String(decoding: encoder.encode(value), as: UTF8.self))
    }
}

/// A bar on a terminal, a line now and then otherwise.
final class ProgressBar {
    private let title: String
    private let begin = ContinuousClock.now
    private var shown = ContinuousClock.now - .seconds(60)
    /// Of a transfer, what was there when it was first shown, and when that was.
    private var start: (bytes: Int, time: ContinuousClock.Instant)?
    private var isLineOpen = false

    init(_ title: String) { self.title = title }

    func show(_ done: Int, of total: Int) {
        let now = ContinuousClock.now
        let isEnd = done >= total
        guard total > 0, isDue(now, isEnd) else { return }
        let elapsed = (now - begin) / .seconds(1)
        let rate = elapsed > 0 ? Double(done) / elapsed : 0
        let left = rate > 0 && !isEnd ? ", \(Int(Double(total - done) / rate)) s left" : ""
        put(String(format: "%@ %d/%d (%.0f/s%@)", title, done, total, rate, left), share: Double(done) / Double(total), isEnd)
    }

    /// The same for a transfer that may go on from where an earlier one ended: the rate is that of the new bytes.
    /// - Parameter total: nil where it is not known.
    func show(bytes done: Int, of total: Int?, doing what: String) {
        let now = ContinuousClock.now
        let start = start ?? (done, now)
        self.start = start
        let isEnd = done >= total ?? .max
        guard isDue(now, isEnd) else { return }
        let elapsed = (now - start.time) / .seconds(1)
        let rate = elapsed > 0 ? Double(done - start.bytes) / elapsed : 0
        let size = total.map { "\(Bytes.text(done)) of \(Bytes.text($0))" } ?? Bytes.text(done)
        let left = rate > 0 && !isEnd ? total.map { ", \(Int(Double($0 - done) / rate)) s left" } ?? "" : ""
        put(
            "\(title) \(what), \(size) (\(String(format: "%.1f", rate / 1e6)) MB/s\(left))",
            share: total.map { $0 > 0 ? Double(done) / Double($0) : 1 }, isEnd)
    }

    /// Before something else is said.
    func leaveLine() {
        if isLineOpen { Console.write("\n") }
        isLineOpen = false
    }

    private func isDue(_ now: ContinuousClock.Instant, _ isEnd: Bool) -> Bool {
        guard isEnd || now - shown > (Console.isTerminal ? .milliseconds(100) : .seconds(5)) else { return false }
        shown = now
        return true
    }

    /// - Parameter share: 0…1; without one there is no bar.
    private func put(_ text: String, share: Double?, _ isEnd: Bool) {
        guard Console.isTerminal else { return Console.note(text) }
        let bar = share.map { share in
            let filled = Int(24 * min(share, 1))
            return String(repeating: "█", count: filled) + String(repeating: "░", count: 24 - filled) + " "
        }
        Console.write("\r\u{1B}[K\(bar ?? "")\(text)\(isEnd ? "\n" : "")")
        isLineOpen = !isEnd
    }
}

/// Ctrl-C and SIGTERM as a wish that the work at hand can look at or wait for. A second Ctrl-C ends the process at once.
final class Interrupt: Sendable {
    private static let requests = Atomic<Int>(0)
    private static let last = Atomic<Int32>(0)
    /// A byte written by the handler wakes whoever waits: little else is allowed in a handler.
    private static let wake = Pipe()
    private static let wakeDescriptor = Atomic<Int32>(-1)

    init() {
        // Made here, since nothing may be made within a handler.
        _ = (Self.requests.load(ordering: .relaxed), Self.last.load(ordering: .relaxed))
        Self.wakeDescriptor.store(Self.wake.fileHandleForWriting.fileDescriptor, ordering: .relaxed)
        let handler: @convention(c) (Int32) -> Void = { signal in
            if Interrupt.requests.add(1, ordering: .relaxed).newValue > 1 { _exit(130) }
            Interrupt.last.store(signal, ordering: .relaxed)
            let code = errno
            defer { errno = code }
            var byte: UInt8 = 0
            _ = write(Interrupt.wakeDescriptor.load(ordering: .relaxed), &byte, 1)
        }
        signal(SIGINT, handler)
        signal(SIGTERM, handler)
    }

    var isRequested: Bool { Self.requests.load(ordering: .relaxed) > 0 }

    /// Whether it was Ctrl-C, and not a service manager's SIGTERM.
    var isFromKeyboard: Bool { Self.last.load(ordering: .relaxed) == SIGINT }

    /// Returns when the wish comes, or the task is cancelled.
    func wait() async {
        let (wishes, continuation) = AsyncStream.makeStream(of: Void.self)
        let source = DispatchSource.makeReadSource(fileDescriptor: Self.wake.fileHandleForReading.fileDescriptor)
        source.setEventHandler {
            // The byte stays where it is: whoever waits later learns of it too.
            continuation.finish()
            source.cancel()
        }
        source.activate()
        for await _ in wishes {}
        source.cancel()
    }
}
