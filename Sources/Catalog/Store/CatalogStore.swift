public import Foundation
import GRDB

#if canImport(Darwin)
    import Darwin
#elseif canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// A catalogue file: the single truth about products, their pictures and the vectors of these, in one SQLite database.
///
/// Every write is one transaction and is on the disk when the call returns (write-ahead log, `synchronous = FULL`): neither
/// `kill -9` nor a power cut takes back what was acknowledged or leaves half of a call behind. One process writes at a
/// time, others wait; any number may read meanwhile and see the last finished transaction.
public final class CatalogStore: Sendable {
    public enum Mode: Sendable {
        /// Nothing is written; the file has to be there.
        case readOnly
        /// The file has to be there.
        case readWrite
        /// The file is made if nothing stands at the path.
        case create
    }

    /// The path the store was opened with.
    public let path: String
    let database: DatabasePool
    let mode: Mode
    private let busyTimeout: TimeInterval
    /// The file was opened as one that nobody changes, since its folder can't be written.
    private let isImmutable: Bool

    /// Opens a catalogue.
    ///
    /// Reading, too, needs a folder that can be written, for SQLite keeps its log there. Where it can't be, and no log lies beside the file, the file
    /// is read as one that nobody changes: as soon as somebody does, reading ends with `cannotOpen`.
    /// - Parameters:
    ///   - path: a path. What SQLite would take for something else (`file:…`, `:memory:`) is refused.
    ///   - busyTimeout: seconds to wait for another writer, before `CatalogError.locked`.
    /// - Throws: `notAPath`, `noCatalog`, `notACatalog`, `newerSchema`, `olderSchema`, `readOnly`, `cannotOpen`, `locked`, `diskFull`, `corrupt`,
    ///   `inputOutput`. A file that is no catalogue is not changed.
    public init(path: String, mode: Mode, busyTimeout: TimeInterval = 5) throws(CatalogError) {
        self.path = path
        self.mode = mode
        self.busyTimeout = busyTimeout
        guard !path.isEmpty, !path.lowercased().hasPrefix("file:"), path != ":memory:" else { throw .notAPath(path) }
        var configuration = Configuration()
        configuration.busyMode = .timeout(busyTimeout)
        configuration.foreignKeysEnabled = true
        configuration.readonly = mode == .readOnly
        configuration.label = "catalog"
        do {
            switch try Self.identify(path, mode: mode, busyTimeout: busyTimeout) {
            case .catalog:
                isImmutable = false
                database = try Self.open(path, mode, configuration, busyTimeout: busyTimeout)
            case .immutableCatalog:
                isImmutable = true
                database = try Self.open(Self.immutableAddress(of: path), mode, configuration, busyTimeout: busyTimeout)
            case .unmade:
                isImmutable = false
                try Self.alone(inFolderOf: path) {
                    // Another process may have made it while this one waited.
                    guard case .unmade = try Self.identify(path, mode: mode, busyTimeout: busyTimeout) else { return }
                    // The tables are made in one transaction of the rollback journal, before the file turns to the write-ahead
                    // log: whoever finds the file finds a whole catalogue or an empty file.
                    let queue = try DatabaseQueue(path: path, configuration: configuration)
                    try Schema.migrator.migrate(queue)
                    try queue.close()
                }
                database = try Self.open(path, mode, configuration, busyTimeout: busyTimeout)
            }
        } catch {
            throw CatalogError(error, path: path, busyTimeout: busyTimeout)
        }
    }

    private static func open(_ path: String, _ mode: Mode, _ configuration: Configuration, busyTimeout: TimeInterval) throws
        -> DatabasePool
    {
        guard mode != .readOnly else { return try DatabasePool(path: path, configuration: configuration) }
        return try alone(inFolderOf: path) {
            try turnToLog(path, configuration, busyTimeout: busyTimeout)
            let database = try DatabasePool(path: path, configuration: configuration)
            // GRDB lowers this to NORMAL when it turns on the log, under which a power cut may undo acknowledged writes.
            try database.writeWithoutTransaction { try $0.execute(sql: "PRAGMA synchronous = FULL") }
            if try !database.read(Schema.migrator.hasCompletedMigrations) { try Schema.migrator.migrate(database) }
            return database
        }
    }

    /// Turns a new file to the write-ahead log. SQLite refuses that at once while anybody else looks at the file, whatever time it was allowed to
    /// wait: here it is tried until that time is over.
    private static func turnToLog(_ path: String, _ configuration: Configuration, busyTimeout: TimeInterval) throws {
        let queue = try DatabaseQueue(path: path, configuration: configuration)
        let clock = ContinuousClock()
        let end = clock.now + .seconds(busyTimeout)
        while true {
            do {
                try queue.writeWithoutTransaction { database in
                    if try String.fetchOne(database, sql: "PRAGMA journal_mode") != "wal" {
                        try database.execute(sql: "PRAGMA journal_mode = WAL")
                    }
                }
                break
            } catch let error as DatabaseError where error.resultCode == .SQLITE_BUSY && clock.now < end {
                Thread.sleep(forTimeInterval: 0.002)
            }
        }
        try queue.close()
    }

    /// Runs a body while no other process makes a catalogue in the same folder, or brings one up to date; others wait. The lock is the folder's, so that nothing is left
    /// behind, also by a process that is killed. A file system without such locks goes without.
    private static func alone<Value>(inFolderOf path: String, _ body: () throws -> Value) throws -> Value {
        let folder = path.folderOfPath
        let descriptor = openFolder(folder.isEmpty ? "." : folder)
        defer { if descriptor >= 0 { _ = closeFolder(descriptor) } }
        if descriptor >= 0 { while flock(descriptor, LOCK_EX) != 0, errno == EINTR {} }
        return try body()
    }

    private static func openFolder(_ path: String) -> Int32 {
        #if canImport(Darwin)
            Darwin.open(path, O_RDONLY | O_CLOEXEC)
        #elseif canImport(Glibc)
            Glibc.open(path, O_RDONLY | O_CLOEXEC)
        #elseif canImport(Musl)
            Musl.open(path, O_RDONLY | O_CLOEXEC)
        #endif
    }

    private static func closeFolder(_ descriptor: Int32) -> Int32 {
        #if canImport(Darwin)
            Darwin.close(descriptor)
        #elseif canImport(Glibc)
            Glibc.close(descriptor)
        #elseif canImport(Musl)
            Musl.close(descriptor)
        #endif
    }

    /// What stands at a path.
    private enum Finding {
        case catalog
        /// A catalogue that can be read only as one that nobody changes.
        case immutableCatalog
        /// Nothing yet, or a catalogue whose making was interrupted.
        case unmade
    }

    /// Looks what stands at the path without changing it.
    private static func identify(_ path: String, mode: Mode, busyTimeout: TimeInterval) throws -> Finding {
        do throws(FileStatus.Failure) {
            let status = try FileStatus(ofPath: path)
            if status.isDirectory { throw FileStatus.Failure(reason: "folder") }
            if status.size == 0 {
                if mode == .create { return .unmade }
                throw FileStatus.Failure(reason: "empty")
            }
        } catch {
            switch error.reason {
            case "folder": throw CatalogError.notACatalog(path: path, reason: "it is a folder")
            case "empty": throw CatalogError.notACatalog(path: path, reason: "it is an empty file")
            default: break
            }
            if error.isAbsent {
                if mode == .create { return .unmade }
                throw CatalogError.noCatalog(path: path)
            }
            throw CatalogError.cannotOpen(path: path, reason: error.reason)
        }
        do {
            return try look(path, mode: mode, busyTimeout: busyTimeout, readOnly: true)
        } catch let error as DatabaseError where error.resultCode == .SQLITE_READONLY && mode != .readOnly {
            // A process was killed within a transaction: the journal that it left must be rolled back before anything can be read, and a
            // connection that may not write can't do that.
            return try look(path, mode: mode, busyTimeout: busyTimeout, readOnly: false)
        } catch let error as DatabaseError
            where mode == .readOnly && [.SQLITE_READONLY, .SQLITE_CANTOPEN].contains(error.resultCode) && !hasLog(path)
        {
            _ = try look(immutableAddress(of: path), mode: mode, busyTimeout: busyTimeout, readOnly: true, named: path)
            return .immutableCatalog
        }
    }

    /// Whether a write-ahead log or a rollback journal lies beside the file.
    private static func hasLog(_ path: String) -> Bool {
        ["-wal", "-journal"].contains { (try? FileStatus(ofPath: path + $0)) != nil }
    }

    /// SQLite's address of a file that nobody changes.
    private static func immutableAddress(of path: String) -> String {
        let real = (try? FileStatus.realPath(path)) ?? path
        return "file://\(real.addingPercentEncoding(withAllowedCharacters: .urlPathAllowed) ?? real)?immutable=1"
    }

    /// - Parameter named: what the file is called in errors, where `address` is not its path.
    private static func look(_ address: String, mode: Mode, busyTimeout: TimeInterval, readOnly: Bool, named: String? = nil)
        throws
        -> Finding
    {
        let path = named ?? address
        var configuration = Configuration()
        configuration.readonly = readOnly
        configuration.busyMode = .timeout(busyTimeout)
        let queue = try DatabaseQueue(path: address, configuration: configuration)
        defer { try? queue.close() }
        return try queue.read { db in
            let id = try Int32.fetchOne(db, sql: "PRAGMA application_id")
            if id != Schema.applicationID {
                // GRDB makes its own table in a transaction before the first migration's: a process killed between the two leaves just that.
                let tables =
                    try Int.fetchOne(db, sql: "SELECT count(*) FROM sqlite_master WHERE tbl_name <> 'grdb_migrations'") ?? 0
                if tables == 0, id == 0, mode == .create { return .unmade }
                throw CatalogError.notACatalog(path: path, reason: "it is an SQLite file of another program")
            }
            if try Schema.migrator.hasBeenSuperseded(db) {
                let unknown = try Schema.migrator.appliedIdentifiers(db).subtracting(Schema.migrator.migrations)
                throw CatalogError.newerSchema(path: path, unknown: unknown.sorted())
            }
            if mode == .readOnly, try !Schema.canBeRead(db) { throw CatalogError.olderSchema(path: path) }
            return .catalog
        }
    }

    deinit {
        try? close()
    }

    /// Closes the file: the log is folded into it, so that the catalogue is one file again if nobody else has it open.
    public func close() throws(CatalogError) {
        // Readers first: only if a connection that may write is the last one does SQLite fold the log in and delete it.
        database.releaseMemory()
        do { try database.close() } catch { throw CatalogError(error, path: path, busyTimeout: busyTimeout) }
    }

    /// Runs a body on one snapshot of the catalogue.
    func read<Value>(_ body: (Database) throws -> Value) throws(CatalogError) -> Value {
        if isImmutable, Self.hasLog(path) {
            throw .cannotOpen(path: path, reason: "another program writes to it, and its folder can't be written by this one")
        }
        do { return try database.read(body) } catch { throw CatalogError(error, path: path, busyTimeout: busyTimeout) }
    }

    /// Runs a body in one transaction: all of it is on the disk on return, or nothing of it ever is.
    func write<Value>(_ body: (Database) throws -> Value) throws(CatalogError) -> Value {
        // Said here, since SQLite refuses only once something would change.
        if mode == .readOnly { throw .readOnly(path: path) }
        do {
            return try database.write { db in
                let value = try body(db)
                try Self.settleWords(db)
                return value
            }
        } catch { throw CatalogError(error, path: path, busyTimeout: busyTimeout) }
    }
}

extension CatalogError {
    /// What SQLite's result codes mean to the owner of the file.
    init(_ error: any Error, path: String, busyTimeout: TimeInterval) {
        if let error = error as? CatalogError {
            self = error
            return
        }
        guard let error = error as? DatabaseError else {
            self = .database(path: path, reason: "\(error)")
            return
        }
        let reason = error.message ?? error.resultCode.description
        self =
            switch error.resultCode {
            case .SQLITE_FULL: .diskFull(path: path)
            case .SQLITE_READONLY, .SQLITE_PERM: .readOnly(path: path)
            case .SQLITE_CANTOPEN, .SQLITE_AUTH: .cannotOpen(path: path, reason: reason)
            case .SQLITE_BUSY, .SQLITE_LOCKED: .locked(path: path, seconds: busyTimeout)
            case .SQLITE_CORRUPT: .corrupt(path: path, reason: reason)
            case .SQLITE_NOTADB: .notACatalog(path: path, reason: "it is not an SQLite file")
            case .SQLITE_IOERR: .inputOutput(path: path, reason: reason)
            default: .database(path: path, reason: reason)
            }
    }
}
