/// Everything that can stop a report from being written.
public enum ReportError: Error, Sendable, Equatable {
    /// A file or folder can't be written.
    case noWrite(path: String, reason: String)
    /// cairo or an encoder could not do its work.
    case drawing(reason: String)
    /// A line of `metrics.jsonl` that is none.
    case metrics(path: String, line: Int, found: String)
    case noMetrics(path: String, reason: String)
}

extension ReportError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .noWrite(let path, let reason):
            "\(path) can't be written (\(reason)); name a folder that is writable."
        case .drawing(let reason):
            "A figure can't be drawn (\(reason)); free some memory and run the same command again."
        case .metrics(let path, let line, let found):
            "\(path), line \(line) is \(found), expected a JSON object with the figures of a step or an epoch."
        case .noMetrics(let path, let reason):
            "\(path) can't be read (\(reason)), expected the metrics.jsonl of a training run."
        }
    }
}
