public import Foundation

#if canImport(Darwin)
    import Darwin
#elseif canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// A dataset folder that a `prepare` command makes, or brings up to date.
///
/// `prepared.json` says which command it belongs to, `prepared-files.txt` which pictures it wrote; every file appears whole or not at
/// all, and the manifest last. So a process that was killed leaves the manifest of before, or none, and the next one knows what to sweep
/// away.
public struct PreparedFolder: Sendable {
    static let marker = "prepared.json"
    private static let journal = "prepared-files.txt"
    private static let unfinished = ".unfinished"

    public let path: String
    private let command: String

    /// - Parameter command: who writes it, for instance `prepare-inshop`.
    /// - Throws: `outputTaken` where the folder holds something else; nothing is written yet.
    public init(path: String, by command: String) throws(CatalogError) {
        self.path = path
        self.command = command
        guard let status = try? FileStatus(ofPath: path) else { return }
        guard status.isDirectory else { throw .outputTaken(path: path, holds: "a file") }
        let names: [String]
        do throws(FileStatus.Failure) { names = try FileStatus.names(inFolder: path).names } catch {
            throw .sourceUnreadable(path: path, reason: error.reason)
        }
        guard names.contains(Self.marker) else {
            if names.contains(where: { !$0.hasSuffix(Self.unfinished) }) { throw .outputTaken(path: path, holds: "other files") }
            return
        }
        let text =
            (try? FileStatus.read(path + "/" + Self.marker, limit: 1 << 20).bytes).map { String(decoding: $0, as: UTF8.self) }
            ?? ""
        guard text.contains("\"by\": \(ManifestWriter.quoted(command))") else {
            throw .outputTaken(path: path, holds: "what another command prepared")
        }
    }

    // MARK: What is written

    /// Makes the folder.
    /// - Parameter details: keys and values for people, of `prepared.json`.
    public func begin(_ details: [(key: String, value: String)]) throws(CatalogError) {
        try makeFolder(path)
        let lines = [("by", command)] + details
        let text = lines.map { "  \(ManifestWriter.quoted($0.0)): \(ManifestWriter.quoted($0.1))" }.joined(separator: ",\n")
        try writeIfChanged("{\n\(text)\n}\n", to: Self.marker)
    }

    /// Notes which pictures are about to be written, relative to the folder, so that none is forgotten whatever happens.
    public func note(_ pictures: [String]) throws(CatalogError) {
        if !pictures.isEmpty { try writeNames(noted.union(pictures)) }
    }

    /// The files that this folder's pictures are in, of this run and of earlier ones.
    private var noted: Set<String> {
        guard let bytes = try? FileStatus.read(path + "/" + Self.journal, limit: .max).bytes else { return [] }
        return Set(String(decoding: bytes, as: UTF8.self).split(separator: "\n").map(String.init))
    }

    private func writeNames(_ names: Set<String>) throws(CatalogError) {
        try writeIfChanged(names.sorted().map { $0 + "\n" }.joined(), to: Self.journal)
    }

    /// Takes away the pictures of earlier runs that this one has not, and whatever of its other files is not wanted any more.
    public func sweep(keeping pictures: [String], without files: [String] = []) throws(CatalogError) {
        let kept = Set(pictures)
        let before = noted
        var folders: Set<String> = []
        for name in before where !kept.contains(name) {
            // A name leads nowhere but into this folder.
            guard !name.split(separator: "/").contains("..") else { continue }
            unlink(path + "/" + name)
            unlink(path + "/" + name + Self.unfinished)
            folders.insert(name.folderOfPath)
        }
        // Only a folder that is empty goes.
        for folder in folders {
            var folder = folder
            while !folder.isEmpty, folder != "/", rmdir(path + "/" + folder) == 0 { folder = folder.folderOfPath }
        }
        for file in files { unlink(path + "/" + file) }
        if !before.isEmpty || !kept.isEmpty { try writeNames(kept) }
    }

    public func contains(_ name: String) -> Bool { PictureFinder.isThere(path + "/" + name) }

    /// Whether a file is there that is no older than the one it is made of.
    public func isCurrent(_ name: String, madeOf source: String) -> Bool {
        guard let own = try? FileStatus(ofPath: path + "/" + name), let other = try? FileStatus(ofPath: source) else {
            return false
        }
        return own.changed >= other.changed
    }

    /// Brings all that was written to the disk, so that a manifest never names a picture that a power cut takes away.
    public func synchronize() {
        // Once for all, and not a call for each of some hundred thousand pictures.
        sync()
    }

    /// Leaves a file alone that says so already.
    public func writeIfChanged(_ text: String, to name: String) throws(CatalogError) {
        let bytes = Data(text.utf8)
        if let found = try? FileStatus.read(path + "/" + name, limit: Int64(bytes.count)).bytes, found == bytes { return }
        try write(bytes, to: name, isDurable: true)
    }

    /// Writes a picture; several threads may.
    public func write(_ bytes: Data, to name: String) throws(CatalogError) { try write(bytes, to: name, isDurable: false) }

    private func write(_ bytes: Data, to name: String, isDurable: Bool) throws(CatalogError) {
        let target = path + "/" + name
        let part = target + Self.unfinished
        var descriptor = open(part, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
        if descriptor < 0, errno == ENOENT {
            try makeFolder(target.folderOfPath)
            descriptor = open(part, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
        }
        guard descriptor >= 0 else { throw failure(target) }
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Foundation.write(descriptor, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else {
                let error = failure(target)
                close(descriptor)
                unlink(part)
                throw error
            }
            rest = rest.dropFirst(count)
        }
        let isWritten = !isDurable || fsync(descriptor) == 0
        guard isWritten, close(descriptor) == 0, rename(part, target) == 0 else {
            let error = failure(target)
            unlink(part)
            throw error
        }
    }

    // MARK: Pictures of others

    public enum Placed: Sendable, Hashable { case linked, copied, kept }

    /// Gives a picture a second name in this folder: a hard link, which takes no room, or a copy where the file system has none. The
    /// picture itself is read at most.
    public func place(_ source: String, as name: String) throws(CatalogError) -> Placed {
        let target = path + "/" + name
        let original: FileStatus
        do throws(FileStatus.Failure) { original = try FileStatus(ofPath: source) } catch {
            throw .sourceUnreadable(path: source, reason: error.reason)
        }
        if let found = try? FileStatus(ofPath: target) {
            if found.device == original.device, found.inode == original.inode { return .kept }
            if found.size == original.size, found.changed > original.changed { return .kept }
            // Written within one tick of the file system's clock: the times do not tell which was first.
            if found.size == original.size, found.changed == original.changed,
                let own = try? FileStatus.read(target, limit: .max).bytes,
                own == (try? FileStatus.read(source, limit: .max).bytes)
            {
                return .kept
            }
        }
        let part = target + Self.unfinished
        unlink(part)
        var isLinked = linkat(AT_FDCWD, source, AT_FDCWD, part, AT_SYMLINK_FOLLOW) == 0
        if !isLinked, errno == ENOENT {
            try makeFolder(target.folderOfPath)
            isLinked = linkat(AT_FDCWD, source, AT_FDCWD, part, AT_SYMLINK_FOLLOW) == 0
        }
        if isLinked {
            guard rename(part, target) == 0 else {
                let error = failure(target)
                unlink(part)
                throw error
            }
            return .linked
        }
        let bytes: Data
        do throws(FileStatus.Failure) { bytes = try FileStatus.read(source, limit: .max).bytes } catch {
            throw .sourceUnreadable(path: source, reason: error.reason)
        }
        try write(bytes, to: name)
        return .copied
    }

    // MARK: Folders and failures

    private func makeFolder(_ folder: String) throws(CatalogError) {
        if mkdir(folder, 0o755) == 0 || errno == EEXIST { return }
        guard errno == ENOENT, !folder.folderOfPath.isEmpty, folder.folderOfPath != folder else { throw failure(folder) }
        try makeFolder(folder.folderOfPath)
        guard mkdir(folder, 0o755) == 0 || errno == EEXIST else { throw failure(folder) }
    }

    private func failure(_ path: String) -> CatalogError {
        let code = errno
        return code == ENOSPC || code == EDQUOT
            ? .outputFull(path: path) : .outputUnwritable(path: path, reason: String(cString: strerror(code)))
    }
}
