import Foundation

/// A model on its way: a hidden folder beside the place where the model is to be. `parts` has files that grow, `states` what is known of each,
/// `files` what has come whole. `files` becomes the model's folder in one step, so an unfinished model is never taken for a whole one.
struct PartialModel {
    let folder: String
    private let place: String

    /// - Parameter place: the folder that the model is to have.
    init(of place: String) {
        let url = URL(fileURLWithPath: place)
        self.place = url.path
        folder = "\(url.deletingLastPathComponent().path)/.\(url.lastPathComponent).partial"
    }

    var files: String { "\(folder)/files" }
    /// Of the lock that its writer holds.
    var lock: String { String(folder.dropLast(8)) + ".lock" }
    /// Where an older model waits for a moment while a newer one takes its place.
    private var former: String { String(folder.dropLast(8)) + ".former" }

    /// Makes the folders, and mends what a process left that was stopped between two steps of ``moveIntoPlace()``.
    func prepare() throws(HubError) {
        let manager = FileManager.default
        if !manager.fileExists(atPath: place), manager.fileExists(atPath: former) { try move(former, to: place) }
        for name in ["parts", "states", "files"] {
            do {
                try manager.createDirectory(atPath: "\(folder)/\(name)", withIntermediateDirectories: true)
            } catch {
                throw .noWrite(path: folder, step: "making the folder", reason: error.localizedDescription)
            }
        }
    }

    /// Leaves nothing that does not belong to these files: of another revision, or of an earlier try.
    func keep(only names: Set<String>) {
        for part in ["parts", "states", "files"] {
            for name in (try? FileManager.default.contentsOfDirectory(atPath: "\(folder)/\(part)")) ?? []
            where !names.contains(name) {
                try? FileManager.default.removeItem(atPath: "\(folder)/\(part)/\(name)")
            }
        }
    }

    /// What came whole of a content, in this process or an earlier one.
    func whole(_ name: String, identity: String) -> FetchedModel.File? {
        let note = FileManager.default.contents(atPath: "\(folder)/states/\(name)")
        guard let note, let file = try? JSONDecoder().decode(FetchedModel.File.self, from: note), file.identity == identity,
            PartialFile.size("\(files)/\(name)") == file.size
        else { return nil }
        return file
    }

    /// Bytes of a file that are there.
    func count(_ file: WantedFile) -> Int {
        if let whole = whole(file.name, identity: file.identity) { return whole.size }
        let note = FileManager.default.contents(atPath: "\(folder)/states/\(file.name)")
        let state = note.flatMap { try? JSONDecoder().decode(PartialFile.State.self, from: $0) }
        guard state?.identity == file.identity else { return 0 }
        return min(PartialFile.size("\(folder)/parts/\(file.name)") ?? 0, file.size ?? .max)
    }

    func part(_ file: WantedFile) throws(HubError) -> PartialFile {
        try PartialFile(
            path: "\(folder)/parts/\(file.name)", state: "\(folder)/states/\(file.name)", name: file.name,
            identity: file.identity,
            size: file.size, hasSum: file.sha256 != nil)
    }

    func remove(part name: String) {
        for part in ["parts", "states"] { try? FileManager.default.removeItem(atPath: "\(folder)/\(part)/\(name)") }
    }

    /// Takes a file as whole.
    func accept(_ part: PartialFile, as file: FetchedModel.File) throws(HubError) {
        try part.sync()
        try move(part.path, to: "\(files)/\(file.name)")
        do {
            // After the file has its place: without this note it would be fetched once more, and not taken for something else.
            try JSONEncoder().encode(file).write(to: URL(fileURLWithPath: "\(folder)/states/\(file.name)"), options: .atomic)
        } catch {
            throw .noWrite(path: "\(folder)/states/\(file.name)", step: "writing", reason: error.localizedDescription)
        }
    }

    /// Writes the record that makes the folder a model of ours.
    func write(_ record: FetchedModel.Record) throws(HubError) {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        let path = "\(files)/\(FetchedModel.record)"
        do { try encoder.encode(record).write(to: URL(fileURLWithPath: path), options: .atomic) } catch {
            throw .noWrite(path: path, step: "writing", reason: error.localizedDescription)
        }
        try Self.sync(path)
    }

    /// Puts the files where the model is to be, in the place of an older one.
    func moveIntoPlace() throws(HubError) {
        try Self.sync(files)
        let manager = FileManager.default
        try? manager.removeItem(atPath: former)
        // An empty folder of the user's gives way to the rename itself.
        if FetchedModel(folder: place) != nil { try move(place, to: former) }
        try move(files, to: place)
        try Self.sync(URL(fileURLWithPath: place).deletingLastPathComponent().path)
        try? manager.removeItem(atPath: former)
        try? manager.removeItem(atPath: folder)
    }

    private func move(_ old: String, to new: String) throws(HubError) {
        guard rename(old, new) == 0 else {
            throw .noWrite(path: new, step: "rename", reason: PartialFile.systemMessage())
        }
    }

    /// Brings a file, or the names in a folder, to the disk.
    private static func sync(_ path: String) throws(HubError) {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw .noWrite(path: path, step: "opening", reason: PartialFile.systemMessage()) }
        defer { close(descriptor) }
        // Some file systems have no fsync of a folder and say EINVAL.
        guard fsync(descriptor) == 0 || errno == EINVAL else {
            throw .noWrite(path: path, step: "fsync", reason: PartialFile.systemMessage())
        }
    }
}
