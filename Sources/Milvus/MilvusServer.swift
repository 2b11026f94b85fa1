#if Milvus
    import Foundation

    /// Where a Milvus is, and how it is talked to.
    public struct MilvusServer: Sendable, Equatable {
        /// Which writes a search has to see.
        public enum Consistency: Sendable {
            /// What was written some seconds ago, or earlier: for shoppers.
            case bounded
            /// All that was acknowledged: for tests and for counting.
            case strong
        }

        public let host: String
        public let port: Int
        public let isEncrypted: Bool
        /// Empty for the one that is there by default.
        public let database: String
        /// `user:password`, or an API key. Sent with every call.
        public let token: String?
        public var consistency = Consistency.bounded
        /// How long one attempt at a call may take.
        public var deadline = Duration.seconds(10)
        /// How often a call is attempted while nobody answers, at least once.
        public var attempts = 5

        /// - Parameters:
        ///   - address: `http://host:port`, `https://…` for TLS with the certificates that the system trusts, with `/database` behind it where it is not the
        ///     default one. The port is 19530 where left out, 443 with TLS.
        ///   - token: as it is sent; without blanks around it.
        /// - Throws: `.address`, `.token`.
        public init(_ address: String, token: String? = nil) throws(MilvusError) {
            guard let parts = URLComponents(string: address), let scheme = parts.scheme?.lowercased() else {
                throw .address(address, reason: "it is no URL")
            }
            guard scheme == "http" || scheme == "https" else {
                throw .address(address, reason: "it begins with \(scheme):, and Milvus is talked to over http or https")
            }
            guard parts.user == nil, parts.password == nil else {
                throw .address(
                    "What was given",
                    reason: "it holds a user, which everybody on this machine could read; give the token in a file")
            }
            guard let host = parts.host, !host.isEmpty else { throw .address(address, reason: "it names no host") }
            guard parts.query == nil, parts.fragment == nil else {
                throw .address(address, reason: "it has something behind its path")
            }
            let path = parts.path.split(separator: "/", omittingEmptySubsequences: true)
            guard path.count <= 1, path.allSatisfy({ $0.utf8.allSatisfy(Self.isOfName) }) else {
                throw .address(address, reason: "its path is no database's name")
            }
            if let port = parts.port, !(1...65535).contains(port) { throw .address(address, reason: "its port is \(port)") }
            self.host = host.hasPrefix("[") && host.hasSuffix("]") ? String(host.dropFirst().dropLast()) : host
            isEncrypted = scheme == "https"
            port = parts.port ?? (isEncrypted ? 443 : 19530)
            database = path.first.map(String.init) ?? ""
            let token = token?.trimmingCharacters(in: .whitespacesAndNewlines)
            if let token {
                guard !token.isEmpty else { throw .token(reason: "it is empty") }
                guard !token.unicodeScalars.contains(where: { $0.value < 0x20 || $0.value == 0x7F }) else {
                    throw .token(reason: "it has several lines, expected one `user:password` or one API key")
                }
            }
            self.token = token
        }

        private static func isOfName(_ byte: UInt8) -> Bool {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"),
                UInt8(ascii: "_"):
                true
            default: false
            }
        }

        /// For people: without the token.
        public var name: String {
            "\(host.contains(":") ? "[\(host)]" : host):\(port)" + (database.isEmpty ? "" : "/\(database)")
        }
    }
#endif
