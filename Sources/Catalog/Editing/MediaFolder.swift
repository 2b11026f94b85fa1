import Foundation
import GRDB

#if canImport(Darwin)
    import Darwin
#elseif canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// The folder beside a catalogue for pictures that were given to it as bytes: `<catalogue>.media/ab/<sha256>.<ending>`, where `ab` are the hash's
/// first digits. A file is named by its content, so the same picture twice is one file.
///
/// The table `images` holds `api:<product id>/<sha256>.<ending>` for the path of such a picture: it names image and file at once, and folder and
/// catalogue may be moved together. A file is made under a name of its own, written through to the disk, and renamed in the transaction that
/// mentions it; one that no row mentions is waste, never half a picture.
struct MediaFolder: Sendable {
    /// The `source` of a picture that came as bytes. No import's source is called so, and so none prunes it.
    static let source = "api:"

    let path: String

    /// The folder of the catalogue that a connection has open; `nil` for a catalogue in memory.
    init?(_ db: Database) throws {
        let file = try String.fetchOne(db, sql: "SELECT file FROM pragma_database_list WHERE name = 'main'") ?? ""
        if file.isEmpty { return nil }
        path = file + ".media"
    }

    // MARK: Names

    /// A picture's path as the table holds it.
    static func stored(product: String, hash: ContentHash, ending: String) -> String {
        "\(source)\(product)/\(hash.hex).\(ending)"
    }

    /// The file's name in a stored path.
    static func name(inStored stored: String) -> String? {
        guard stored.hasPrefix(source), let slash = stored.utf8.lastIndex(of: UInt8(ascii: "/")) else { return nil }
        let name = String(stored[stored.utf8.index(after: slash)...])
        return isName(name) ? name : nil
    }

    /// 64 hexadecimal digits and an ending: nothing else leads out of a row to a file.
    private static func isName(_ name: String) -> Bool {
        let parts = name.split(separator: ".", omittingEmptySubsequences: false)
        return parts.count == 2 && parts[0].utf8.count == 64 && parts[1].utf8.count <= 8
            && parts.allSatisfy { part in
                part.utf8.allSatisfy { (0x30...0x39).contains($0) || (0x61...0x7A).contains($0) }
            }
    }

    /// What a picture's file is called by its first bytes: for people who look into the folder, and servers that go by names.
    static func ending(of bytes: Data) -> String {
        let start = [UInt8](bytes.prefix(12))
        func begins(_ text: String, at offset: Int = 0) -> Bool { start.dropFirst(offset).starts(with: text.utf8) }
        if start.first == 0xFF { return "jpg" }
        if start.first == 0x89 { return "png" }
        if begins("RIFF"), begins("WEBP", at: 8) { return "webp" }
        if begins("GIF8") { return "gif" }
        if begins("II*\0") || begins("II+\0") || begins("MM\0*") || begins("MM\0+") { return "tif" }
        if begins("ftyp", at: 4) { return begins("avi", at: 8) ? "avif" : "heic" }
        return "bin"
    }

    func file(_ name: String) -> String { "\(path)/\(name.prefix(2))/\(name)" }

    // MARK: Writing

    /// Writes bytes under a name of their own, through to the disk. `place` or `discard` has to follow.
    func stage(_ bytes: Data, as name: String) throws(CatalogError) -> String {
        let folder = "\(path)/\(name.prefix(2))"
        try makeFolder(path)
        try makeFolder(folder)
        let staged = "\(folder)/.\(UUID().uuidString).part"
        let descriptor = open(staged, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else { throw failure(staged) }
        do throws(CatalogError) {
            defer { close(descriptor) }
            try fill(descriptor, bytes)
            guard fsync(descriptor) == 0 else { throw failure(staged) }
        } catch {
            discard(staged)
            throw error
        }
        return staged
    }

    /// Gives a staged file its name, through to the disk: within the transaction that mentions it, so that nobody sweeps it in between.
    func place(_ staged: String, as name: String) throws(CatalogError) {
        let file = file(name)
        guard rename(staged, file) == 0 else { throw failure(file) }
        try synchronize("\(path)/\(name.prefix(2))")
    }

    func discard(_ staged: String) { unlink(staged) }

    private func fill(_ descriptor: Int32, _ bytes: Data) throws(CatalogError) {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw failure(path) }
            rest = rest.dropFirst(count)
        }
    }

    private func makeFolder(_ folder: String) throws(CatalogError) {
        if mkdir(folder, 0o755) == 0 { return try synchronize(folder.folderOfPath) }
        guard errno == EEXIST else { throw failure(folder) }
    }

    /// A new name is on the disk once its folder is.
    private func synchronize(_ folder: String) throws(CatalogError) {
        let descriptor = open(folder, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw failure(folder) }
        defer { close(descriptor) }
        // Some file systems of networks have no such call for folders; they keep names without it.
        guard fsync(descriptor) == 0 || errno == EINVAL || errno == ENOTSUP else { throw failure(folder) }
    }

    private func failure(_ path: String) -> CatalogError {
        let code = errno
        switch code {
        case ENOSPC, EDQUOT, EFBIG: return .diskFull(path: path)
        case EROFS, EACCES, EPERM: return .readOnly(path: path)
        default: return .inputOutput(path: path, reason: String(cString: strerror(code)))
        }
    }

    // MARK: Sweeping

    /// Deletes files that no row mentions; within a transaction, so that none is mentioned meanwhile.
    /// - Returns: how many there were.
    func sweep(_ names: some Sequence<String>, _ db: Database) throws -> Int {
        var count = 0
        for name in names {
            let stored = try String.fetchAll(
                db.cachedStatement(sql: "SELECT path FROM images WHERE sha256 = ? AND source = ?"),
                arguments: [String(name.prefix(64)), Self.source])
            if stored.contains(where: { Self.name(inStored: $0) == name }) { continue }
            if unlink(file(name)) == 0 { count += 1 }
        }
        return count
    }

    /// Files at least so old, in seconds: pictures by their name, and what a process that was killed left half written, by its path.
    func files(olderThan age: TimeInterval) -> (names: [String], parts: [String]) {
        var found: (names: [String], parts: [String]) = ([], [])
        let latest = Int64((Date().timeIntervalSince1970 - age) * 1e9)
        for folder in (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? [] where folder.utf8.count == 2 {
            for name in (try? FileManager.default.contentsOfDirectory(atPath: "\(path)/\(folder)")) ?? [] {
                let file = "\(path)/\(folder)/\(name)"
                guard let status = try? FileStatus(ofPath: file), status.isRegular, status.changed <= latest else { continue }
                if Self.isName(name), name.hasPrefix(folder) {
                    found.names.append(name)
                } else if name.hasPrefix("."), name.hasSuffix(".part") {
                    found.parts.append(file)
                }
            }
        }
        return found
    }
}
