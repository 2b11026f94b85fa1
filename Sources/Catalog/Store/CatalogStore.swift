public import Foundation
import GRDB

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

    /// Opens a catalogue.
    /// - Parameter busyTimeout: seconds to wait for another writer, before `CatalogError.locked`.
    /// - Throws: `noCatalog`, `notACatalog`, `newerSchema`, `olderSchema`, `readOnly`, `cannotOpen`, `locked`, `diskFull`, `corrupt`,
    ///   `inputOutput`. A file that is no catalogue is not changed.
    public init(path: String, mode: Mode, busyTimeout: TimeInterval = 5) throws(CatalogError) {
        self.path = path
        self.mode = mode
        self.busyTimeout = busyTimeout
        var configuration = Configuration()
        configuration.busyMode = .timeout(busyTimeout)
        configuration.foreignKeysEnabled = true
        configuration.readonly = mode == .readOnly
        configuration.label = "catalog"
        do {
            let isNew = try Self.identify(path, mode: mode, busyTimeout: busyTimeout)
            if isNew {
                // The tables are made in one transaction of the rollback journal, before the file turns to the write-ahead
                // log: whoever finds the file finds a whole catalogue or an empty file.
                let queue = try DatabaseQueue(path: path, configuration: configuration)
                try Schema.migrator.migrate(queue)
                try queue.close()
            }
            database = try DatabasePool(path: path, configuration: configuration)
            if mode != .readOnly {
                // GRDB lowers this to NORMAL when it turns on the log, under which a power cut may undo acknowledged writes.
                try database.writeWithoutTransaction { try $0.execute(sql: "PRAGMA synchronous = FULL") }
                try Schema.migrator.migrate(database)
            }
        } catch {
            throw CatalogError(error, path: path, busyTimeout: busyTimeout)
        }
    }

    /// Looks what stands at the path without changing it. Returns whether tables are still to be made.
    private static func identify(_ path: String, mode: Mode, busyTimeout: TimeInterval) throws -> Bool {
        do throws(FileStatus.Failure) {
            let status = try FileStatus(ofPath: path)
            if status.isDirectory { throw FileStatus.Failure(reason: "folder") }
            if status.size == 0 {
                if mode == .create { return true }
                throw FileStatus.Failure(reason: "empty")
            }
        } catch {
            switch error.reason {
            case "folder": throw CatalogError.notACatalog(path: path, reason: "it is a folder")
            case "empty": throw CatalogError.notACatalog(path: path, reason: "it is an empty file")
            default: break
            }
            if error.isAbsent {
                if mode == .create { return true }
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
        }
    }

    private static func look(_ path: String, mode: Mode, busyTimeout: TimeInterval, readOnly: Bool) throws -> Bool {
        var configuration = Configuration()
        configuration.readonly = readOnly
        configuration.busyMode = .timeout(busyTimeout)
        let queue = try DatabaseQueue(path: path, configuration: configuration)
        defer { try? queue.close() }
        return try queue.read { db in
            let id = try Int32.fetchOne(db, sql: "PRAGMA application_id")
            if id != Schema.applicationID {
                // GRDB makes its own table in a transaction before the first migration's: a process killed between the two leaves just that.
                let tables =
                    try Int.fetchOne(db, sql: "SELECT count(*) FROM sqlite_master WHERE tbl_name <> 'grdb_migrations'") ?? 0
                if tables == 0, id == 0, mode == .create { return true }
                throw CatalogError.notACatalog(path: path, reason: "it is an SQLite file of another program")
            }
            if try Schema.migrator.hasBeenSuperseded(db) {
                let unknown = try Schema.migrator.appliedIdentifiers(db).subtracting(Schema.migrator.migrations)
                throw CatalogError.newerSchema(path: path, unknown: unknown.sorted())
            }
            if mode == .readOnly, try !Schema.canBeRead(db) { throw CatalogError.olderSchema(path: path) }
            return false
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
        do { return try database.read(body) } catch { throw CatalogError(error, path: path, busyTimeout: busyTimeout) }
    }

    /// Runs a body in one transaction: all of it is on the disk on return, or nothing of it ever is.
    func write<Value>(_ body: (Database) throws -> Value) throws(CatalogError) -> Value {
        // Said here, since SQLite refuses only once something would change.
        if mode == .readOnly { throw .readOnly(path: path) }
        do { return try database.write(body) } catch { throw CatalogError(error, path: path, busyTimeout: busyTimeout) }
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
