package import Foundation

/// A model hub on this machine, `hub.py`, which says what it can do. It goes with this object.
///
/// Unchecked, since `Process` is nothing that threads may share: after `init` `deinit` alone touches it.
package final class LocalHub: @unchecked Sendable {
    /// What the servers read and write.
    package let root: String
    /// Of the server that lists and passes on: what HF_ENDPOINT is set to.
    package let endpoint: String
    /// Of the server that holds the files.
    package let storage: String
    private let process: Process
    private let input: Pipe

    package struct NotStarted: Error, CustomStringConvertible { package let description: String }

    /// One request that reached a server.
    package struct Request: Decodable, Sendable {
        package let server: String
        package let path: String
        /// Under names in small letters.
        package let headers: [String: String]
    }

    /// Of a server that speaks HTTPS, which no system trusts by itself.
    package let certificate: String?

    /// Where a certificate can be made.
    package static let canBeSecure = FileManager.default.isExecutableFile(atPath: openssl)
    private static let openssl = "/usr/bin/openssl"

    /// - Parameter secure: whether it speaks HTTPS.
    package init(secure: Bool = false) throws {
        root = FileManager.default.temporaryDirectory.resolvingSymlinksInPath().path + "/hub-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: root + "/repositories", withIntermediateDirectories: true)
        try FileManager.default.createDirectory(atPath: root + "/files", withIntermediateDirectories: true)
        let process = Process()
        let script = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appending(path: "hub.py").path
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = ["python3", script, root]
        if secure {
            try Self.makeCertificate(root)
            process.arguments? += [root + "/certificate.pem", root + "/key.pem"]
        }
        certificate = secure ? root + "/certificate.pem" : nil
        let (input, output) = (Pipe(), Pipe())
        process.standardInput = input
        process.standardOutput = output
        try process.run()
        var line = Data()
        while line.last != UInt8(ascii: "\n") {
            let piece = output.fileHandleForReading.availableData
            if piece.isEmpty { throw NotStarted(description: "python3 \(script) has ended before it said its ports") }
            line.append(piece)
        }
        let ports = try JSONDecoder().decode([String: Int].self, from: line)
        endpoint = "\(secure ? "https" : "http")://127.0.0.1:\(ports["hub"] ?? 0)"
        storage = "\(secure ? "https" : "http")://127.0.0.1:\(ports["storage"] ?? 0)"
        self.process = process
        self.input = input
    }

    private static func makeCertificate(_ root: String) throws {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: openssl)
        process.arguments = [
            "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj",
            "/CN=local",
            "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", root + "/key.pem", "-out", root + "/certificate.pem",
        ]
        process.standardError = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        if process.terminationStatus != 0 { throw NotStarted(description: "openssl has made no certificate") }
    }

    deinit {
        // The end of its input ends it where this process is killed; here others may hold a copy of it. It may have inherited a thread's mask
        // that holds back every signal but this.
        kill(process.processIdentifier, SIGKILL)
        process.waitUntilExit()
        try? FileManager.default.removeItem(atPath: root)
    }

    /// Puts copies of a folder's files into a repository; those that the tests keep beside a fixture stay out.
    package func publish(_ repository: String, filesOf folder: String, without names: Set<String> = []) throws {
        let left = names.union(["golden.json", "golden.safetensors"])
        let place = "\(root)/repositories/\(repository)"
        try FileManager.default.createDirectory(atPath: place, withIntermediateDirectories: true)
        for name in try FileManager.default.contentsOfDirectory(atPath: folder) where !left.contains(name) {
            try FileManager.default.copyItem(atPath: "\(folder)/\(name)", toPath: "\(place)/\(name)")
        }
    }

    /// Puts one file into a repository.
    package func publish(_ repository: String, _ name: String, _ content: Data) throws {
        let place = "\(root)/repositories/\(repository)"
        try FileManager.default.createDirectory(atPath: place, withIntermediateDirectories: true)
        try content.write(to: URL(fileURLWithPath: "\(place)/\(name)"))
    }

    /// Puts one file at an address of its own, which it returns.
    package func publish(file name: String, _ content: Data) throws -> String {
        let file = URL(fileURLWithPath: "\(root)/files/\(name)")
        try FileManager.default.createDirectory(at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
        try content.write(to: file)
        return "\(storage)/files/\(name)"
    }

    /// Sets what goes wrong from here on: JSON as `hub.py` describes it.
    package func set(_ rules: String) throws {
        // Whole at once: the servers read it with every request.
        try Data(rules.utf8).write(to: URL(fileURLWithPath: root + "/rules.json"), options: .atomic)
    }

    package var requests: [Request] {
        get throws {
            let text = String(decoding: FileManager.default.contents(atPath: root + "/requests.jsonl") ?? Data(), as: UTF8.self)
            return try text.split(separator: "\n").map { try JSONDecoder().decode(Request.self, from: Data($0.utf8)) }
        }
    }
}
