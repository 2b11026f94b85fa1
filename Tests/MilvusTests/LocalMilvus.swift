#if Milvus
    import Foundation
    import Milvus
    import Synchronization

    /// A milvus-lite of a test's own on this machine, with a folder of its own; both go with the object.
    ///
    /// Unchecked, since `Process` is nothing that threads may share: tests that stop and start one wait for each step.
    final class LocalMilvus: @unchecked Sendable {
        struct NotStarted: Error, CustomStringConvertible { let description: String }

        let port: Int
        private let folder: String
        private var process: Process?

        /// What runs, for the end of the process: nobody ends what a static property holds.
        private static let running = Mutex<Set<pid_t>>([])
        private static let ending: Void = {
            atexit {
                for process in LocalMilvus.running.withLock({ $0 }) { Foundation.kill(process, SIGKILL) }
            }
        }()

        var address: String { "http://127.0.0.1:\(port)" }

        init() async throws {
            folder = FileManager.default.temporaryDirectory.resolvingSymlinksInPath().path + "/milvus-\(UUID().uuidString)"
            port = try Self.freePort()
            try await start()
        }

        deinit {
            kill()
            try? FileManager.default.removeItem(atPath: folder)
        }

        /// Sees every write at once.
        func server() throws -> MilvusServer {
            var server = try MilvusServer(address)
            server.consistency = .strong
            return server
        }

        func start() async throws {
            guard let program = ProcessInfo.processInfo.environment["STYLEFINDER_MILVUS_LITE"] else {
                throw NotStarted(
                    description: "STYLEFINDER_MILVUS_LITE names no milvus-lite; run these tests with `make milvus-test`")
            }
            let process = Process()
            process.executableURL = URL(fileURLWithPath: program)
            process.arguments = ["server", "--data-dir", folder, "--host", "127.0.0.1", "--port", "\(port)"]
            process.standardOutput = FileHandle.nullDevice
            process.standardError = FileHandle.nullDevice
            try process.run()
            self.process = process
            Self.ending
            _ = Self.running.withLock { $0.insert(process.processIdentifier) }
            // Its Python takes seconds to start on a busy machine.
            for _ in 0..<300 {
                if isListening() { return }
                guard process.isRunning else { break }
                try await Task.sleep(for: .milliseconds(200))
            }
            throw NotStarted(description: "\(program) did not listen on port \(port) within a minute")
        }

        /// As a machine that loses power.
        func kill() {
            guard let process else { return }
            Foundation.kill(process.processIdentifier, SIGKILL)
            process.waitUntilExit()
            _ = Self.running.withLock { $0.remove(process.processIdentifier) }
            self.process = nil
        }

        /// Ends it and takes all that it had away.
        func lose() throws {
            kill()
            try FileManager.default.removeItem(atPath: folder)
        }

        private func isListening() -> Bool {
            let socket = Foundation.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
            defer { close(socket) }
            var address = Self.loopback(port)
            return withUnsafePointer(to: &address) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    connect(socket, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
                }
            }
        }

        private static func loopback(_ port: Int) -> sockaddr_in {
            var address = sockaddr_in()
            address.sin_family = sa_family_t(AF_INET)
            address.sin_port = in_port_t(port).bigEndian
            address.sin_addr.s_addr = inet_addr("127.0.0.1")
            return address
        }

        /// One that the system gives and that nobody listens on.
        static func freePort() throws -> Int {
            let socket = Foundation.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
            defer { close(socket) }
            var address = loopback(0)
            var length = socklen_t(MemoryLayout<sockaddr_in>.size)
            let result = withUnsafeMutablePointer(to: &address) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    bind(socket, $0, length) == 0 ? getsockname(socket, $0, &length) : -1
                }
            }
            guard result == 0 else { throw NotStarted(description: "there is no free port") }
            return Int(in_port_t(bigEndian: address.sin_port))
        }
    }
#endif
