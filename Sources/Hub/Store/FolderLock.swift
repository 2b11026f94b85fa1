import Foundation

/// The right to fetch into one folder, held by one process at a time: a lock of the system's on a file, which goes with the process that has it
/// however it ends.
final class FolderLock {
    private let path: String
    private let descriptor: Int32

    /// Takes the lock, waiting as long as another process has it.
    /// - Parameters:
    ///   - path: of the file, made where it is not there.
    ///   - waiting: called before each look at a lock that is taken; it lets some time pass, and throws to give up.
    /// - Throws: ``HubError/noWrite(path:step:reason:)``, what `waiting` throws.
    init(_ path: String, waiting: () throws -> Void) throws {
        while true {
            let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o666)
            guard descriptor >= 0 else {
                throw HubError.noWrite(path: path, step: "opening the lock", reason: PartialFile.systemMessage())
            }
            do {
                while flock(descriptor, LOCK_EX | LOCK_NB) != 0 {
                    if errno == EINTR { continue }
                    guard errno == EWOULDBLOCK else {
                        throw HubError.noWrite(path: path, step: "locking", reason: PartialFile.systemMessage())
                    }
                    try waiting()
                }
            } catch {
                close(descriptor)
                throw error
            }
            // Who had it before took the file away: then this is the lock of nothing.
            var (held, named) = (stat(), stat())
            if fstat(descriptor, &held) == 0, stat(path, &named) == 0, held.st_ino == named.st_ino, held.st_dev == named.st_dev {
                self.path = path
                self.descriptor = descriptor
                return
            }
            close(descriptor)
        }
    }

    deinit {
        unlink(path)
        close(descriptor)
    }
}
