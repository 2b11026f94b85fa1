public import Catalog
import Foundation
public import Retrieval

/// The search segments of a catalogue as files, in the folder `<catalogue>.index`: a start maps them and takes over what changed since, in place of
/// reading every vector. The catalogue stays the truth: files that do not belong to it, to what it was when they were written, or that are damaged
/// are not used.
public struct IndexFiles: Sendable {
    /// What is known of one model's files.
    public struct State: Codable, Sendable, Equatable {
        static let version = 1

        var version = Self.version
        public let fingerprint: String
        public let model: String
        public let dimension: Int
        /// The position in the log of changes up to which they hold all vectors.
        public let position: Int64
        /// What tells the catalogue and its history up to the position from others.
        let mark: String
        public let segments: [SegmentFile]

        public var count: Int { segments.reduce(0) { $0 + $1.count } }
    }

    /// Why files are not used.
    public enum Unfit: Error, Equatable, Sendable, CustomStringConvertible {
        case missing
        case unreadable(String)
        case otherVersion(Int)
        case otherDimension(Int)
        /// The catalogue is another one, or went another way since.
        case otherCatalog
        case damaged(file: String)

        public var description: String {
            switch self {
            case .missing: "there are none"
            case .unreadable(let reason): reason
            case .otherVersion(let version): "they are of version \(version), which this program does not read"
            case .otherDimension(let dimension): "their vectors have \(dimension) dimensions, the model's others"
            case .otherCatalog: "they are of another catalogue, or of one that has gone another way since"
            case .damaged(let file): "\(file) is not what was written"
            }
        }
    }

    public let folder: String
    private let store: CatalogStore

    public init(_ store: CatalogStore) {
        self.store = store
        folder = store.path + ".index"
    }

    private func folder(of fingerprint: String) -> String {
        "\(folder)/\(String(fingerprint.filter { $0.isLetter || $0.isNumber }.prefix(32)))"
    }

    private func statePath(_ fingerprint: String) -> String { folder(of: fingerprint) + "/state.json" }

    /// What is there for a model, whether it fits the catalogue or not.
    /// - Throws: `Unfit.missing`, `.unreadable`, `.otherVersion`.
    public func state(of fingerprint: String) throws(Unfit) -> State {
        let path = statePath(fingerprint)
        guard FileManager.default.fileExists(atPath: path) else { throw .missing }
        struct Version: Decodable { let version: Int }
        do {
            let data = try Data(contentsOf: URL(fileURLWithPath: path))
            let version = try JSONDecoder().decode(Version.self, from: data).version
            guard version == State.version else { throw Unfit.otherVersion(version) }
            return try JSONDecoder().decode(State.self, from: data)
        } catch let unfit as Unfit {
            throw unfit
        } catch {
            throw .unreadable("\(path) can't be read")
        }
    }

    /// Maps the files of a model.
    /// - Returns: the index, and the position up to which it has taken over changes.
    /// - Throws: `Unfit`.
    public func load(_ model: ModelRecord) throws(Unfit) -> (index: LiveIndex, position: Int64) {
        let state = try state(of: model.fingerprint)
        guard state.dimension == model.dimension else { throw .otherDimension(state.dimension) }
        guard state.fingerprint == model.fingerprint, let mark = try? store.mark(at: state.position), mark == state.mark else {
            throw .otherCatalog
        }
        do {
            return (
                try LiveIndex(dimension: model.dimension, files: state.segments, in: folder(of: model.fingerprint)),
                state.position
            )
        } catch {
            throw .unreadable("\(error)")
        }
    }

    /// Writes what an index holds, and removes what was written before and is not part of it.
    /// - Parameter position: changes up to here are in it.
    /// - Returns: false where the catalogue is of an older version and says nothing that would tell it from others.
    /// - Throws: `RetrievalError`, `CatalogError`, or the system's errors. Files that were there stay whole.
    @discardableResult
    public func save(_ snapshot: LiveIndex.Snapshot, of model: ModelRecord, position: Int64) throws -> Bool {
        guard let mark = try store.mark(at: position) else { return false }
        let place = folder(of: model.fingerprint)
        try FileManager.default.createDirectory(atPath: place, withIntermediateDirectories: true)
        let state = State(
            fingerprint: model.fingerprint, model: model.name, dimension: model.dimension, position: position, mark: mark,
            segments: try snapshot.write(to: place))
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .prettyPrinted]
        // Last: whoever reads it finds all that it names.
        try encoder.encode(state).write(to: URL(fileURLWithPath: statePath(model.fingerprint)), options: .atomic)
        let kept = Set(state.segments.flatMap(\.names))
        for name in try FileManager.default.contentsOfDirectory(atPath: place)
        where (name.hasPrefix("segment-") || name.hasPrefix("graph-")) && !kept.contains(name) || name.hasSuffix(".partial") {
            // A file that is still mapped stays readable to whoever mapped it.
            try? FileManager.default.removeItem(atPath: "\(place)/\(name)")
        }
        return true
    }

    /// Reads all files of a model.
    /// - Throws: `Unfit.damaged` for the first that is not what was written; as `state(of:)`.
    public func verify(_ fingerprint: String) throws(Unfit) {
        let state = try state(of: fingerprint)
        for segment in state.segments where (try? segment.verify(in: folder(of: fingerprint))) != true {
            throw .damaged(file: "\(folder(of: fingerprint))/\(segment.name)")
        }
    }

    /// Takes the files of a model away: the next start reads the catalogue.
    public func remove(_ fingerprint: String) throws {
        try FileManager.default.removeItem(atPath: folder(of: fingerprint))
    }
}
