import Foundation

/// Tries again what may pass, ever later.
struct Persistence {
    /// So many tries in a row without a megabyte of progress are enough.
    static let limit = 6
    /// A server that wants to be left alone for longer than this is not waited for.
    private static let longest = Duration.seconds(300)
    private static let megabyte = 1_000_000

    /// Waits; throws where the user wants to stop.
    let pause: (Duration) throws -> Void
    /// Told why there is another try.
    let tell: (String) -> Void
    var now: () -> Date = { Date() }

    /// - Parameters:
    ///   - what: for messages.
    ///   - kept: where what is there lies, for the last message.
    ///   - progress: bytes that are there: whoever gets on may fail more often.
    /// - Throws: ``HubError/gaveUp(what:reason:tries:kept:)``, and whatever will not pass as it is.
    func run<Value>(
        _ what: String, limit: Int = Persistence.limit, kept: String? = nil, progress: () -> Int = { 0 },
        _ body: () throws -> Value
    ) throws -> Value {
        var (tries, failures, reached) = (0, 0, progress())
        while true {
            do {
                tries += 1
                return try body()
            } catch let trouble as Trouble where trouble.mayPass {
                let there = progress()
                failures = there - reached >= Self.megabyte ? 1 : failures + 1
                reached = max(reached, there)
                var asked: Duration?
                if case .status(let head, _, _) = trouble { asked = head.retryAfter(now: now()) }
                if let asked, asked > Self.longest {
                    let reason = "\(trouble.reason) and asks to come back in \(asked.components.seconds) s"
                    throw HubError.gaveUp(what: what, reason: reason, tries: tries, kept: kept)
                }
                guard failures < limit else {
                    throw HubError.gaveUp(what: what, reason: trouble.reason, tries: tries, kept: kept)
                }
                let wait = max(asked ?? .zero, Self.delay(after: failures))
                tell("\(what): \(trouble.reason); trying again in \(Int((wait / .seconds(1)).rounded(.up))) s")
                try pause(wait)
            }
        }
    }

    /// 1, 2, 4 … seconds, a quarter more or less, so that many who were cut off together do not come back together.
    static func delay(after failures: Int) -> Duration {
        .milliseconds(Int(1000 * Double(1 << min(failures - 1, 6)) * Double.random(in: 0.75...1.25)))
    }
}
