/// Why a call has no answer.
public enum ClientError: Error, Equatable, CustomStringConvertible {
    /// What the server says: its status (0 for a line of a batch), a code for programs, a sentence for people, and after how many seconds the same may succeed.
    case refused(status: Int, code: String, message: String, retryAfter: Int?)
    case unreachable(String)
    case unreadableAnswer(String)
    case wrongQuery(String)

    public var description: String {
        switch self {
        case .refused(_, _, let message, _): message
        case .unreachable(let reason): "The server can't be reached: \(reason)"
        case .unreadableAnswer(let reason): "The server's answer can't be read: \(reason)"
        case .wrongQuery(let reason): "The query can't be sent: \(reason)."
        }
    }
}
