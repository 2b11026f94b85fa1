import Catalog
import Foundation

#if canImport(Glibc)
    import Glibc
#endif

/// An import that kills itself, for the tests of what a killed import leaves behind: the importer alone, without anything that takes long to
/// load.
///
///     ImportVictim SOURCE CATALOGUE BATCH [ROW SHARE]
///
/// Imports in transactions of BATCH pictures. Where ROW is given, the process is killed (SIGKILL, by a thread of its own) once ROW rows were
/// looked at and SHARE of the time of a transaction has passed since: with a ROW at the end of a batch the transaction is under way then. It
/// ends by itself only without ROW, or with 3 if ROW was never reached.
@main
enum ImportVictim {
    static func main() throws {
        let arguments = CommandLine.arguments
        guard arguments.count == 4 || arguments.count == 6, let batch = Int(arguments[3]) else { exit(64) }
        let row = arguments.count == 6 ? Int(arguments[4]) : nil
        let share = arguments.count == 6 ? Double(arguments[5]) ?? 0 : 0
        if row == 0 { _ = kill(getpid(), SIGKILL) }

        let clock = ContinuousClock()
        // How long the last transaction took, from its last row to its commit.
        var transaction = Duration.milliseconds(1)
        var lastRow = clock.now
        var lastDone = 0
        var isDoomed = false
        let store = try CatalogStore(path: arguments[2], mode: .create, busyTimeout: 300)
        _ = try store.importCatalog(
            from: URL(fileURLWithPath: arguments[1]), options: ImportOptions(batchSize: batch),
            inspect: { _, _ in PictureSize(width: 4, height: 3) },
            progress: { progress in
                guard progress.done > lastDone else {
                    transaction = clock.now - lastRow
                    return
                }
                lastDone = progress.done
                lastRow = clock.now
                if progress.done == row {
                    isDoomed = true
                    die(after: transaction * share)
                }
            })
        // The thread strikes, however fast the rest was.
        while isDoomed { pause() }
        exit(row == nil ? 0 : 3)
    }

    /// Kills this process after a while, whatever its main thread does then.
    private static func die(after wait: Duration) {
        Thread.detachNewThread {
            let clock = ContinuousClock()
            let end = clock.now + wait
            while clock.now < end {}
            _ = kill(getpid(), SIGKILL)
        }
    }
}
