import Foundation
import Hashing

/// A model that was fetched, as the record in its folder says.
public struct FetchedModel: Sendable, Equatable {
    /// The record's name in the model's folder.
    public static let record = "fetched.json"

    public struct File: Sendable, Codable, Equatable {
        public let name: String
        public let size: Int
        public let sha256: String
        /// What its source calls this content.
        let identity: String
    }

    struct Record: Codable, Equatable {
        /// `owner/name`, `owner/name@revision`, or an address.
        let source: String
        let commit: String?
        let licence: String?
        let files: [File]
    }

    public let folder: String
    let content: Record

    /// What it was fetched by.
    public var source: String { content.source }
    public var commit: String? { content.commit }
    public var licence: Licence? { content.licence.map(Licence.init) }
    public var files: [File] { content.files }

    /// What a catalogue and a server call it: its repository's name, or the file's without its ending. It has no slash.
    public var name: String {
        guard let repository else { return URL(fileURLWithPath: files[0].name).deletingPathExtension().lastPathComponent }
        return repository.revision.map { "\(repository.name)@\($0.replacing("/", with: "-"))" } ?? repository.name
    }

    var repository: Repository? {
        if case .repository(let repository)? = try? ModelSource(source) { repository } else { nil }
    }

    /// What a command opens: the folder, or the one file in it.
    public var path: String { repository == nil ? "\(folder)/\(files[0].name)" : folder }

    /// The name in ``KnownModel/all``.
    public var shortName: String? { repository.flatMap { $0.revision == nil ? KnownModel.of($0)?.name : nil } }

    /// - Returns: nil if no model that was fetched lies there.
    init?(folder: String) {
        let path = "\(folder)/\(Self.record)"
        guard let data = FileManager.default.contents(atPath: path),
            let content = try? JSONDecoder().decode(Record.self, from: data), !content.files.isEmpty,
            content.files.allSatisfy({ FileName.isPlain($0.name) })
        else { return nil }
        self.folder = folder
        self.content = content
    }

    /// What is not as it was fetched, as a part of a sentence; nil if all files are there in their sizes.
    public var damage: String? {
        for file in files {
            guard let size = PartialFile.size("\(folder)/\(file.name)") else { return "\(file.name) is missing" }
            guard size == file.size else { return "\(file.name) has \(size) bytes, and had \(file.size)" }
        }
        return nil
    }
}

/// The folder in which models are kept that were fetched by name, one folder each.
public struct FetchedModels: Sendable {
    public let folder: String

    public init(folder: String) { self.folder = folder }

    /// `stylefinder/models` in `XDG_CACHE_HOME`, or in `.cache` of the user's home; nil where neither is known. A cache, since all of it can be
    /// fetched again.
    public init?(environment: [String: String]) {
        if let cache = environment["XDG_CACHE_HOME"], cache.hasPrefix("/") {
            folder = "\(cache)/stylefinder/models"
        } else if let home = environment["HOME"], home.hasPrefix("/") {
            folder = "\(home)/.cache/stylefinder/models"
        } else {
            return nil
        }
    }

    /// By name. An unfinished one is none.
    public func all() -> [FetchedModel] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        return names.filter { !$0.hasPrefix(".") }.sorted().compactMap { FetchedModel(folder: "\(folder)/\($0)") }
    }

    /// The models that a text names: by what they were fetched by, by their short name, or by what a catalogue calls them.
    public func named(_ text: String) -> [FetchedModel] {
        let all = all()
        let source = (try? ModelSource(text))?.description
        let exact = all.filter { $0.source == source || $0.source == text }
        return exact.isEmpty ? all.filter { $0.name == text } : exact
    }

    /// Where a model belongs.
    func place(for source: ModelSource) -> String {
        switch source {
        case .repository(let repository):
            let revision = repository.revision.map { "@" + $0.replacing("/", with: "--") } ?? ""
            return "\(folder)/\(repository.owner)--\(repository.name)\(revision)"
        case .address(let url):
            let stem = url.deletingPathExtension().lastPathComponent
            return "\(folder)/\(stem)--\(SHA256.hexDigest(of: Data(url.absoluteString.utf8)).prefix(12))"
        }
    }
}
