import Foundation

/// GETs that follow redirects as the hub needs it: to the hosts that hold the files, without the token.
final class Web {
    /// What the file's own hub says about it where it passes on to another host.
    struct Linked: Equatable {
        var size: Int?
        /// Without quotation marks: a large file's SHA-256.
        var tag: String?
    }

    /// Takes an answer of 200 or 206.
    protocol Receiver: AnyObject {
        func receive(_ head: HTTPHead, linked: Linked) throws
        func receive(_ bytes: UnsafeRawBufferPointer) throws
    }

    private let transport: any HTTPTransport
    private static let redirectLimit = 10

    init(_ transport: any HTTPTransport) { self.transport = transport }

    /// - Parameters:
    ///   - token: sent to the host of `url` alone: same scheme, name and port.
    ///   - headers: sent to every host.
    /// - Throws: ``Trouble``, ``HubError/stopped(kept:)``, what the receiver throws.
    func get(_ url: URL, token: String?, headers: [(name: String, value: String)] = [], into receiver: any Receiver) throws {
        var place = url
        var linked = Linked()
        for _ in 0...Self.redirectLimit {
            var request = HTTPRequest(url: place, headers: headers)
            if let token, Self.isSameOrigin(place, url) { request.headers.append(("Authorization", "Bearer \(token)")) }
            let answer = AnswerFilter(receiver, linked: linked)
            try transport.get(request, into: answer)
            guard let head = answer.head else { throw Trouble.connection("\(place.host ?? "the server") has answered nothing") }
            if [200, 206].contains(head.status) { return }
            guard [301, 302, 303, 307, 308].contains(head.status) else {
                throw Trouble.status(head, said: answer.said, url: place)
            }
            linked = answer.linked
            guard let next = head["location"].flatMap({ URL(string: $0, relativeTo: place)?.absoluteURL }),
                ["http", "https"].contains(next.scheme?.lowercased()), next.host?.isEmpty == false
            else { throw Trouble.permanent("\(place.absoluteString) passes on to no address") }
            if place.scheme?.lowercased() == "https", next.scheme?.lowercased() != "https" {
                throw Trouble.permanent("\(place.absoluteString) passes on to \(next.host ?? "a host") without encryption")
            }
            place = next
        }
        throw Trouble.permanent("\(url.absoluteString) passes on more than \(Self.redirectLimit) times")
    }

    static func isSameOrigin(_ one: URL, _ other: URL) -> Bool {
        func origin(_ url: URL) -> [String] {
            let scheme = url.scheme?.lowercased() ?? ""
            return [scheme, url.host?.lowercased() ?? "", "\(url.port ?? (scheme == "https" ? 443 : 80))"]
        }
        return origin(one) == origin(other)
    }

    /// Passes on what was asked for; of anything else it keeps the head and the beginning of what is said.
    private final class AnswerFilter: HTTPReceiver {
        private let receiver: any Receiver
        private(set) var linked: Linked
        private(set) var head: HTTPHead?
        private var body = Data()

        init(_ receiver: any Receiver, linked: Linked) {
            self.receiver = receiver
            self.linked = linked
        }

        /// One line of what an error's body says, without markup.
        var said: String {
            let text = head?["x-error-message"] ?? String(decoding: body.prefix(300), as: UTF8.self)
            guard !text.contains("<") else { return "" }
            return text.split(whereSeparator: \.isWhitespace).joined(separator: " ")
                .filter { ("\u{20}"..."\u{7E}").contains($0) }
        }

        private var isWanted: Bool { head.map { [200, 206].contains($0.status) } ?? false }

        func receive(_ head: HTTPHead) throws {
            self.head = head
            if let size = head["x-linked-size"].flatMap(HTTPHead.size) { linked.size = size }
            if let tag = head["x-linked-etag"] { linked.tag = tag.trimmingCharacters(in: CharacterSet(charactersIn: "\"")) }
            if isWanted { try receiver.receive(head, linked: linked) }
        }

        func receive(_ bytes: UnsafeRawBufferPointer) throws {
            if isWanted { return try receiver.receive(bytes) }
            // An error page says little, and a hostile one without end nothing.
            guard body.count < 1 << 20 else {
                throw Trouble.permanent("an answer of \(head?.status ?? 0) goes on and on")
            }
            body.append(contentsOf: bytes)
        }
    }
}

/// A body that belongs into memory.
final class TextReceiver: Web.Receiver {
    private let limit: Int
    private(set) var data = Data()

    init(limit: Int) { self.limit = limit }

    func receive(_ head: HTTPHead, linked: Web.Linked) throws { data = Data() }

    func receive(_ bytes: UnsafeRawBufferPointer) throws {
        guard data.count + bytes.count <= limit else { throw Trouble.permanent("the answer has more than \(Bytes.text(limit))") }
        data.append(contentsOf: bytes)
    }
}
