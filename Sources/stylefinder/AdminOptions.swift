import API
import ArgumentParser
import CLIP
import Foundation

/// Who may change the catalogue over HTTP.
struct AdminOptions: ParsableArguments {
    @Option(
        help: """
            A file with the token that lets its bearer change the catalogue; where left out, the token is taken from STYLEFINDER_ADMIN_TOKEN, and \
            without one nobody may.
            """)
    var adminTokenFile: String?

    private static let variable = "STYLEFINDER_ADMIN_TOKEN"

    /// - Throws: `Failure` for a file that can't be read, and for a token that is none.
    func token() throws -> AdminToken? {
        if let adminTokenFile { return try Self.token(ofFile: adminTokenFile) }
        guard let text = ProcessInfo.processInfo.environment[Self.variable] else { return nil }
        do { return try AdminToken(text) } catch {
            throw Failure.usage("The token in \(Self.variable) can't be used: \(error); `openssl rand -hex 32` makes one.")
        }
    }

    private static func token(ofFile path: String) throws -> AdminToken {
        let bytes: Data
        do {
            let file = try FileHandle(forReadingFrom: URL(fileURLWithPath: path))
            defer { try? file.close() }
            var status = stat()
            if fstat(file.fileDescriptor, &status) == 0, status.st_mode & 0o077 != 0 {
                Console.warn("the token file \(path) can be read by others than its owner; `chmod 600 \(path)` keeps it secret")
            }
            bytes = try file.read(upToCount: 4096) ?? Data()
        } catch {
            let isThere = FileManager.default.fileExists(atPath: path)
            throw Failure(
                description: "The token file \(path) can't be read: \(error.phrase).", code: isThere ? .inputOutput : .noInput)
        }
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw Failure.data("The token file \(path) can't be used: it is no text; `openssl rand -hex 32` makes one.")
        }
        do { return try AdminToken(text) } catch {
            throw Failure.data("The token file \(path) can't be used: \(error); `openssl rand -hex 32` makes one.")
        }
    }
}
