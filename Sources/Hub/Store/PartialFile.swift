import Foundation
import Hashing

/// A file on its way: its bytes, and beside them what they are, so that a later process can go on where this one ended.
///
/// Unlike `TensorFiles`' `ReplacingFile`, whose temporary file goes with the process, this one is there to be found again.
final class PartialFile {
    /// What is written down about the bytes that are there.
    struct State: Codable, Equatable {
        /// Of the content that is being fetched.
        var identity: String
        /// The strong entity tag of the answer that they came from.
        var tag: String?
        /// So many of them are on the disk for certain.
        var synced: Int
    }

    let path: String
    private let name: String
    private let stateFile: String
    private let descriptor: Int32
    private(set) var state: State
    /// Bytes that are there and that count.
    private(set) var position: Int
    private var hash = SHA256()

    /// How many bytes go between two visits to the disk.
    private static let stride = 32 << 20

    /// Opens what is there, or begins.
    /// - Parameters:
    ///   - size: of the whole; nil where it is not known.
    ///   - hasSum: whether the whole is proven in the end; if not, only what is on the disk for certain is gone on from.
    /// - Throws: ``HubError/noWrite(path:step:reason:)``.
    init(path: String, state stateFile: String, name: String, identity: String, size: Int?, hasSum: Bool) throws(HubError) {
        (self.path, self.stateFile, self.name) = (path, stateFile, name)
        descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o666)
        guard descriptor >= 0 else { throw .noWrite(path: path, step: "opening", reason: Self.systemMessage()) }
        var status = stat()
        let there = fstat(descriptor, &status) == 0 ? Int(status.st_size) : 0
        let known = FileManager.default.contents(atPath: stateFile).flatMap { try? JSONDecoder().decode(State.self, from: $0) }
        if let known, known.identity == identity, hasSum || known.tag != nil {
            state = known
            position = hasSum ? there : min(there, known.synced)
            if let size, position > size { position = 0 }
        } else {
            state = State(identity: identity, tag: nil, synced: 0)
            position = 0
        }
        try cut(to: position)
        try readBack()
    }

    deinit { close(descriptor) }

    /// Forgets what is there.
    func beginAnew() throws(HubError) {
        position = 0
        hash = SHA256()
        state.tag = nil
        state.synced = 0
        try cut(to: 0)
    }

    /// Notes where the bytes that follow come from.
    func follows(tag: String?) throws(HubError) {
        state.tag = tag
        state.synced = min(state.synced, position)
        try write(state)
    }

    /// - Throws: ``HubError/diskFull(file:missing:)``, whose `missing` the caller knows; ``HubError/noWrite(path:step:reason:)``.
    func append(_ bytes: UnsafeRawBufferPointer) throws(HubError) {
        guard let base = bytes.baseAddress else { return }
        var done = 0
        while done < bytes.count {
            let count = pwrite(descriptor, base + done, bytes.count - done, off_t(position))
            if count < 0 && errno == EINTR { continue }
            guard count > 0 else {
                // What was written of this piece counts: it is in the hash.
                if count == 0 || [ENOSPC, EDQUOT].contains(errno) { throw .diskFull(file: name, missing: nil) }
                throw .noWrite(path: path, step: "writing", reason: Self.systemMessage())
            }
            hash.update(UnsafeRawBufferPointer(start: base + done, count: count))
            done += count
            position += count
        }
        if position - state.synced >= Self.stride { try sync() }
    }

    /// Brings what is there to the disk and notes how much that is.
    func sync() throws(HubError) {
        guard fsync(descriptor) == 0 else { throw .noWrite(path: path, step: "fsync", reason: Self.systemMessage()) }
        state.synced = position
        // Where it can't be written the older note stays, which claims less.
        try? write(state)
    }

    /// The SHA-256 of all bytes; nothing can be added afterwards.
    func digest() -> String { hash.hexDigest() }

    /// In place, and always as whole blocks: so a note can be renewed on a disk that is full. One that is torn is no note.
    private func write(_ state: State) throws(HubError) {
        guard var note = try? JSONEncoder().encode(state) else {
            throw .noWrite(path: stateFile, step: "writing", reason: "its content is no text")
        }
        note.append(Data(repeating: UInt8(ascii: " "), count: 4096 - note.count % 4096))
        let file = open(stateFile, O_WRONLY | O_CREAT | O_CLOEXEC, 0o666)
        guard file >= 0 else { throw .noWrite(path: stateFile, step: "opening", reason: Self.systemMessage()) }
        defer { close(file) }
        let count = note.withUnsafeBytes { pwrite(file, $0.baseAddress, $0.count, 0) }
        guard count == note.count, ftruncate(file, off_t(note.count)) == 0 else {
            if [ENOSPC, EDQUOT].contains(errno) { throw .diskFull(file: name, missing: nil) }
            throw .noWrite(path: stateFile, step: "writing", reason: Self.systemMessage())
        }
    }

    private func cut(to size: Int) throws(HubError) {
        guard ftruncate(descriptor, off_t(size)) == 0 else {
            throw .noWrite(path: path, step: "shortening", reason: Self.systemMessage())
        }
    }

    /// Feeds the hash with what an earlier process left.
    private func readBack() throws(HubError) {
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 16)
        defer { buffer.deallocate() }
        var done = 0
        while done < position {
            let count = pread(descriptor, buffer.baseAddress, min(buffer.count, position - done), off_t(done))
            if count < 0 && errno == EINTR { continue }
            guard count > 0 else { throw .noWrite(path: path, step: "reading back", reason: Self.systemMessage()) }
            hash.update(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
            done += count
        }
    }

    /// Of a file in bytes; nil where there is none.
    static func size(_ path: String) -> Int? {
        var status = stat()
        return stat(path, &status) == 0 ? Int(status.st_size) : nil
    }

    static func systemMessage() -> String { String(cString: strerror(errno)) }
}
