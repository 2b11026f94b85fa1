public import Foundation

/// What the environment says about the hub and the way to it, under the names that the hub's own program has for it.
public struct HubSettings: Sendable {
    /// An access token and where it was found.
    public struct Token: Sendable, Equatable {
        let value: String
        public let origin: String
    }

    /// Without a slash at its end.
    public let endpoint: URL
    public let token: Token?
    /// Whether nothing may be asked of any network.
    public let isOffline: Bool
    /// How long a connection may bring nothing.
    public let patience: Duration
    /// A file of certificates to trust instead of the system's.
    let certificates: String?
    private let proxies: [String: String]
    /// Hosts that are reached without a proxy, as libcurl reads them: names, suffixes, `*`.
    let withoutProxy: String

    /// The Hugging Face hub.
    private static let publicEndpoint = "https://huggingface.co"

    /// - Parameters:
    ///   - environment: the process's own, as a rule.
    ///   - contents: what a file holds; for the token that the hub's own program keeps.
    /// - Throws: ``HubError/badEndpoint(_:)``, ``HubError/badToken(origin:)``.
    public init(
        environment: [String: String],
        contents: (String) -> Data? = { FileManager.default.contents(atPath: $0) }
    ) throws(HubError) {
        func value(_ name: String) -> String? {
            environment[name].map { $0.trimmingCharacters(in: .whitespacesAndNewlines) }.flatMap { $0.isEmpty ? nil : $0 }
        }
        let text = value("HF_ENDPOINT") ?? Self.publicEndpoint
        var trimmed = text
        while trimmed.hasSuffix("/") { trimmed.removeLast() }
        guard let endpoint = URL(string: trimmed), ["http", "https"].contains(endpoint.scheme?.lowercased()),
            endpoint.host?.isEmpty == false, endpoint.query == nil, endpoint.fragment == nil, endpoint.user == nil
        else { throw .badEndpoint(text) }
        self.endpoint = endpoint
        isOffline = ["1", "ON", "YES", "TRUE"].contains((value("HF_HUB_OFFLINE") ?? "").uppercased())
        patience = .seconds(value("HF_HUB_DOWNLOAD_TIMEOUT").flatMap { Int($0) }.map { min(max($0, 1), 3600) } ?? 30)
        certificates = ["SSL_CERT_FILE", "CURL_CA_BUNDLE", "REQUESTS_CA_BUNDLE"].compactMap(value).first
        // The small letters first, as every program does.
        var proxies: [String: String] = [:]
        for scheme in ["http", "https", "all"] {
            proxies[scheme] = value("\(scheme)_proxy") ?? value("\(scheme.uppercased())_PROXY")
        }
        self.proxies = proxies
        withoutProxy = value("no_proxy") ?? value("NO_PROXY") ?? ""

        let home = value("HOME")
        let folder = value("HF_HOME") ?? (value("XDG_CACHE_HOME") ?? home.map { "\($0)/.cache" }).map { "\($0)/huggingface" }
        let file = value("HF_TOKEN_PATH") ?? folder.map { "\($0)/token" }
        var found: Token?
        for name in ["HF_TOKEN", "HUGGING_FACE_HUB_TOKEN"] where found == nil {
            found = value(name).map { Token(value: $0, origin: name) }
        }
        if found == nil, let file, let data = contents(file) {
            let text = String(decoding: data, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
            if !text.isEmpty { found = Token(value: text, origin: file) }
        }
        // It becomes part of a line of a request.
        if let found, !found.value.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) { throw .badToken(origin: found.origin) }
        token = found
    }

    /// The proxy for an address; nil for none. Which hosts need none is ``withoutProxy``.
    func proxy(for url: URL) -> String? { proxies[url.scheme?.lowercased() ?? ""] ?? proxies["all"] }

    /// A model's page, for people.
    func page(_ repository: Repository) -> String { "\(endpoint.absoluteString)/\(repository.path)" }

    /// What describes a repository at a revision: its files with sizes and sums.
    func listing(_ repository: Repository) throws(HubError) -> URL {
        let revision = Self.escaped(repository.revision ?? Repository.mainBranch)
        return try url("api/models/\(repository.path)/revision/\(revision)?blobs=true")
    }

    /// One of its files at a commit.
    func file(_ name: String, of repository: Repository, at commit: String) throws(HubError) -> URL {
        try url(
            "\(repository.path)/resolve/\(commit)/\(name.split(separator: "/").map { Self.escaped(String($0)) }.joined(separator: "/"))"
        )
    }

    private func url(_ path: String) throws(HubError) -> URL {
        guard let url = URL(string: "\(endpoint.absoluteString)/\(path)") else { throw .badEndpoint(endpoint.absoluteString) }
        return url
    }

    /// One part of a path: a branch's name may hold a slash.
    private static func escaped(_ text: String) -> String {
        var allowed = CharacterSet.alphanumerics
        allowed.insert(charactersIn: "-._~")
        return text.addingPercentEncoding(withAllowedCharacters: allowed) ?? text
    }
}
