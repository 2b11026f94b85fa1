public import Foundation
import Hashing
import TensorFiles

/// Fingerprints that were taken before, in the user's cache folder: one small file each, named by a digest of what was hashed.
///
/// A file of weights counts as the one that was hashed while path, size, time of writing and time of change are the same. Each entry is
/// replaced whole, so any number of processes may use the cache at once; a cache that can't be read or written costs time alone.
public struct FingerprintCache: Sendable {
    private let folder: String
    private let now: @Sendable () -> Date

    /// - Parameters:
    ///   - folder: made when the first entry is written.
    ///   - now: the time at which files are looked at.
    public init(folder: String, now: @escaping @Sendable () -> Date = { Date() }) {
        self.folder = folder
        self.now = now
    }

    /// The one of this user; nil where it is not known who that is.
    public static let user: FingerprintCache? = CacheFolder.path("fingerprints").map { FingerprintCache(folder: $0) }

    /// What the cache has for `files` under `settings`, or what `body` finds, which is then kept.
    static func value(
        in cache: FingerprintCache?, of settings: String, files: [String], _ body: () throws -> [String]
    ) throws -> [String] {
        guard let cache, let state = State(files) else { return try body() }
        let path = "\(cache.folder)/\(SHA256.hexDigest(of: Data((settings + state.description).utf8)))"
        if let known = read(path) { return known }
        let found = try body()
        // A file that was changed while it was read, or a moment ago, may change again within one tick of the clock.
        guard let after = State(files), after == state, state.isSettled(at: cache.now()) else { return found }
        try? FileManager.default.createDirectory(
            atPath: cache.folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        try? ReplacingFile.put((found.joined(separator: "\n") + "\n").utf8, at: path)
        return found
    }

    private static func read(_ path: String) -> [String]? {
        guard let data = FileManager.default.contents(atPath: path) else { return nil }
        let lines = String(decoding: data, as: UTF8.self).split(separator: "\n").map(String.init)
        let isWhole = !lines.isEmpty && lines.allSatisfy { $0.count == 64 && $0.allSatisfy(\.isHexDigit) }
        return isWhole ? lines : nil
    }

    /// What tells a file's contents from others without reading them.
    private struct State: Equatable, CustomStringConvertible {
        let description: String
        private let newest: Int

        /// nil where a file is not there.
        init?(_ files: [String]) {
            var words: [String] = []
            var newest = 0
            for file in files {
                var status = stat()
                let path = URL(fileURLWithPath: file).standardizedFileURL.path
                guard stat(path, &status) == 0 else { return nil }
                #if canImport(Darwin)
                    let (written, changed) = (status.st_mtimespec, status.st_ctimespec)
                #else
                    let (written, changed) = (status.st_mtim, status.st_ctim)
                #endif
                words.append(
                    "\(path)\0\(status.st_size) \(written.tv_sec).\(written.tv_nsec) \(changed.tv_sec).\(changed.tv_nsec) \(status.st_ino)"
                )
                newest = max(newest, written.tv_sec, changed.tv_sec)
            }
            description = words.joined(separator: "\n")
            self.newest = newest
        }

        func isSettled(at now: Date) -> Bool { Int(now.timeIntervalSince1970) - newest > 2 }
    }
}
