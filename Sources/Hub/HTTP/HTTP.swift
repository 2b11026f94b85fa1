import Foundation

/// One GET.
struct HTTPRequest: Sendable {
    var url: URL
    var headers: [(name: String, value: String)] = []
}

/// What an answer begins with.
struct HTTPHead: Sendable, Equatable {
    let status: Int
    /// Under names in small letters; of several with one name the last.
    let headers: [String: String]

    subscript(_ name: String) -> String? { headers[name] }

    /// The bytes that follow, where it says so.
    var length: Int? { self["content-length"].flatMap(Self.size) }

    /// A size that a file can have.
    static func size(_ text: some StringProtocol) -> Int? {
        Int(text).flatMap { (0...Listing.largestFile).contains($0) ? $0 : nil }
    }

    /// `bytes 5-9/10` is (5, 10); the whole size may be unknown.
    var range: (start: Int, size: Int?)? {
        guard let text = self["content-range"], text.hasPrefix("bytes ") else { return nil }
        let halves = text.dropFirst(6).split(separator: "/", maxSplits: 1)
        guard halves.count == 2, let start = halves[0].split(separator: "-").first.flatMap(Self.size) else { return nil }
        return (start, Self.size(halves[1]))
    }

    /// An entity tag that stands for exactly these bytes; a weak one does not.
    var strongTag: String? { self["etag"].flatMap { $0.hasPrefix("\"") && $0.count > 2 ? $0 : nil } }

    /// How long to wait, where the server asks for it: in seconds, or until a date.
    func retryAfter(now: Date) -> Duration? {
        guard let text = self["retry-after"]?.trimmingCharacters(in: .whitespaces) else { return nil }
        if let seconds = Int(text), seconds >= 0 { return .seconds(seconds) }
        let format = DateFormatter()
        format.locale = Locale(identifier: "en_US_POSIX")
        format.timeZone = TimeZone(identifier: "GMT")
        format.dateFormat = "EEE, dd MMM yyyy HH:mm:ss zzz"
        return format.date(from: text).map { .seconds(max(0, $0.timeIntervalSince(now).rounded(.up))) }
    }
}

/// Who takes an answer: its head, then its body piece by piece. What is thrown ends the transfer and comes out of it.
protocol HTTPReceiver: AnyObject {
    func receive(_ head: HTTPHead) throws
    /// The bytes are there for the time of the call.
    func receive(_ bytes: UnsafeRawBufferPointer) throws
}

/// Does one GET, follows nothing, and calls the receiver on the caller's thread, which waits: nothing is read from the network while a piece is
/// written to the disk.
protocol HTTPTransport: AnyObject {
    /// - Throws: ``Trouble``, ``HubError/stopped(kept:)``, and what the receiver throws.
    func get(_ request: HTTPRequest, into receiver: any HTTPReceiver) throws
}

/// What went wrong with one try.
enum Trouble: Error {
    /// May pass: a cut or refused connection, a name that was not resolved, a server that says nothing.
    case connection(String)
    /// An answer that is not what was asked for.
    case status(HTTPHead, said: String, url: URL)
    /// Will be the same next time: a certificate that is not trusted, an address that is none.
    case permanent(String)

    /// Whether another try may help.
    var mayPass: Bool {
        switch self {
        case .connection: true
        case .status(let head, _, _): head.status == 408 || head.status == 429 || head.status >= 500
        case .permanent: false
        }
    }

    /// As a part of a sentence.
    var reason: String {
        switch self {
        case .connection(let reason), .permanent(let reason): reason
        case .status(let head, let said, let url):
            "\(url.host ?? "the server") answers \(head.status)\(said.isEmpty ? "" : " (\(said))")"
        }
    }
}
