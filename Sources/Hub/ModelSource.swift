public import Foundation

/// A model in the Hugging Face hub's layout: who owns it, what it is called, and at which revision.
public struct Repository: Hashable, Sendable {
    public let owner: String
    public let name: String
    /// A branch, a tag or a commit; nil for the main branch.
    public let revision: String?

    static let mainBranch = "main"

    /// - Throws: ``HubError/badRevision(_:)``; ``HubError/badName(_:near:)`` for a name that no repository can have.
    public init(owner: String, name: String, revision: String? = nil) throws(HubError) {
        guard Self.isName(owner), Self.isName(name) else { throw .badName("\(owner)/\(name)", near: []) }
        if let revision, !Self.isRevision(revision) { throw .badRevision(revision) }
        self.owner = owner
        self.name = name
        self.revision = revision == Self.mainBranch ? nil : revision
    }

    /// `owner/name`.
    public var path: String { "\(owner)/\(name)" }
    /// `owner/name`, with `@revision` where it is not the main branch.
    public var description: String { revision.map { "\(path)@\($0)" } ?? path }

    /// The hub's own rule, by which `--` can stand between owner and name in the name of a folder.
    private static func isName(_ text: String) -> Bool {
        (1...96).contains(text.utf8.count) && text.utf8.allSatisfy { isWordCharacter($0) || [0x2D, 0x2E].contains($0) }
            && !text.contains("..") && !text.contains("--") && !text.hasPrefix("-") && !text.hasPrefix(".")
            && !text.hasSuffix("-") && !text.hasSuffix(".")
    }

    private static func isRevision(_ text: String) -> Bool {
        (1...200).contains(text.utf8.count) && text.utf8.allSatisfy { isWordCharacter($0) || [0x2D, 0x2E, 0x2F].contains($0) }
            && text.split(separator: "/", omittingEmptySubsequences: false).allSatisfy {
                !$0.isEmpty && !$0.hasPrefix(".") && !$0.hasPrefix("-") && !$0.contains("..")
            }
    }

    private static func isWordCharacter(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x5F: true
        default: false
        }
    }
}

/// Where a model is to come from.
public enum ModelSource: Hashable, Sendable {
    case repository(Repository)
    /// One file of weights anywhere.
    case address(URL)

    /// Reads what a user writes: a name of ``KnownModel``'s list, `owner/name`, `owner/name@revision`, the address of a file of weights, or that
    /// of a model's page at the hub.
    /// - Throws: ``HubError/badName(_:near:)``, ``HubError/badRevision(_:)``.
    public init(_ text: String, revision: String? = nil, endpoint: URL? = nil) throws(HubError) {
        if let known = KnownModel.named(text) {
            self = .repository(
                try Repository(owner: known.repository.owner, name: known.repository.name, revision: revision))
            return
        }
        if text.contains("://") {
            if let endpoint, text.hasPrefix(endpoint.absoluteString + "/") {
                let parts = text.dropFirst(endpoint.absoluteString.count + 1).split(separator: "/")
                if parts.count == 2 || (parts.count >= 4 && parts[2] == "tree") {
                    let shown = parts.count > 2 ? parts[3...].joined(separator: "/") : nil
                    self = .repository(
                        try Repository(owner: String(parts[0]), name: String(parts[1]), revision: revision ?? shown))
                    return
                }
            }
            guard revision == nil, let url = Self.weights(text) else { throw .badName(text, near: []) }
            self = .address(url)
            return
        }
        let halves = text.split(separator: "@", maxSplits: 1, omittingEmptySubsequences: false)
        let parts = halves[0].split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 2, !parts[0].isEmpty, !parts[1].isEmpty else {
            throw .badName(text, near: KnownModel.near(text))
        }
        let named = halves.count == 2 ? String(halves[1]) : nil
        if let named, let revision, named != revision { throw .badRevision("both \(named) and \(revision)") }
        self = .repository(try Repository(owner: String(parts[0]), name: String(parts[1]), revision: revision ?? named))
    }

    /// An address whose last part is the name of a file of weights.
    private static func weights(_ text: String) -> URL? {
        guard let url = URL(string: text), ["http", "https"].contains(url.scheme?.lowercased()), url.host?.isEmpty == false,
            url.user == nil, url.password == nil
        else { return nil }
        let name = url.lastPathComponent
        let isWeights = [".safetensors", ".pt", ".pth", ".bin", ".ckpt"].contains(where: name.lowercased().hasSuffix)
        return isWeights && FileName.isPlain(name) && !name.hasPrefix(".") ? url : nil
    }

    /// What the model is asked for by.
    public var description: String {
        switch self {
        case .repository(let repository): repository.description
        case .address(let url): url.absoluteString
        }
    }
}

/// Names of files that come from elsewhere.
enum FileName {
    /// Whether a path stays below the folder that it counts from, on every system.
    static func staysBelow(_ path: String) -> Bool {
        path.utf8.count <= 1024
            && path.split(separator: "/", omittingEmptySubsequences: false).allSatisfy { isPlain(String($0)) }
    }

    /// Whether it is the name of one file.
    static func isPlain(_ name: String) -> Bool {
        !name.isEmpty && name.utf8.count <= 200 && name != "." && name != ".."
            && name.unicodeScalars.allSatisfy { $0.value >= 32 && $0.value != 127 && $0 != "/" && $0 != "\\" }
    }
}
