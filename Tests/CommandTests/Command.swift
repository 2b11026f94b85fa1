import Foundation
import Testing

/// The suites run one after the other: each starts whole programs, and some of them send signals.
@Suite("The command", .serialized)
enum CommandSuites {}

/// What a finished process left.
struct Outcome: Sendable, CustomStringConvertible {
    /// The exit code, or minus the number of the signal that ended it.
    let code: Int32
    let output: Data
    /// What it said on stderr, line by line.
    let said: [String]

    var text: String { String(decoding: output, as: UTF8.self) }
    /// The lines that begin with `error: `.
    var errors: [String] { said.filter { $0.hasPrefix("error: ") } }
    var description: String { "code \(code), stdout \(text.prefix(2000)), stderr \(said.suffix(20).joined(separator: "\n"))" }

    /// stdout as one JSON object.
    func json() throws -> [String: Any] {
        try #require(try JSONSerialization.jsonObject(with: output) as? [String: Any], "\(self)")
    }

    /// stdout as one JSON document, after a good end.
    func good() throws -> [String: Any] {
        try #require(code == 0, "\(self)")
        return try json()
    }
}

/// The built program, beside the test bundle.
struct Command: Sendable {
    static let package = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().path

    static let program: String = {
        let bundle = URL(fileURLWithPath: CommandLine.arguments[0]).resolvingSymlinksInPath().deletingLastPathComponent().path
        let candidates = [bundle, package + "/.build/release", package + "/.build/debug"].map { $0 + "/stylefinder" }
        return candidates.first { FileManager.default.isExecutableFile(atPath: $0) } ?? candidates[1]
    }()

    let pid: pid_t
    private let outputFile: String
    private let errorFile: String

    /// Starts the program.
    static func start(_ arguments: [String], environment: [String: String] = [:]) throws -> Command {
        try Command(program: program, arguments: arguments, environment: environment)
    }

    /// Runs the program to its end.
    static func run(_ arguments: String..., environment: [String: String] = [:]) async throws -> Outcome {
        try await start(arguments, environment: environment).end()
    }

    /// Runs a script of `/bin/sh` to its end; `$0` is the program, `$1`… are the arguments.
    static func shell(_ script: String, _ arguments: String...) async throws -> Outcome {
        try await Command(program: "/bin/sh", arguments: ["-c", script, program] + arguments, environment: [:]).end()
    }

    /// stdout and stderr go to files, so that no amount of output can stop the program.
    private init(program: String, arguments: [String], environment: [String: String]) throws {
        let place = FileManager.default.temporaryDirectory.path + "/command-\(UUID().uuidString)"
        outputFile = place + ".out"
        errorFile = place + ".err"
        #if canImport(Darwin)
            var actions: posix_spawn_file_actions_t?
            var attributes: posix_spawnattr_t?
        #else
            var actions = posix_spawn_file_actions_t()
            var attributes = posix_spawnattr_t()
        #endif
        posix_spawn_file_actions_init(&actions)
        posix_spawnattr_init(&attributes)
        defer {
            posix_spawn_file_actions_destroy(&actions)
            posix_spawnattr_destroy(&attributes)
        }
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        for (descriptor, path) in [(1, outputFile), (2, errorFile)] {
            posix_spawn_file_actions_addopen(&actions, Int32(descriptor), path, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
        }
        // Whatever the test runner does with these signals, the program starts with their default meaning.
        var signals = sigset_t()
        sigemptyset(&signals)
        posix_spawnattr_setsigmask(&attributes, &signals)
        for signal in [SIGINT, SIGTERM, SIGPIPE] { sigaddset(&signals, signal) }
        posix_spawnattr_setsigdefault(&attributes, &signals)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGDEF) | Int16(POSIX_SPAWN_SETSIGMASK))

        // Set by the program itself where it is missing, at the price of a second start.
        var all = ProcessInfo.processInfo.environment.merging(["OMP_WAIT_POLICY": "PASSIVE"]) { old, _ in old }
        all.merge(environment) { $1 }
        var arguments = ([program] + arguments).map { strdup($0) } + [nil]
        var settings = all.filter { !$0.value.isEmpty }.map { strdup("\($0.key)=\($0.value)") } + [nil]
        defer { for text in arguments + settings { free(text) } }
        var pid: pid_t = 0
        let failure = posix_spawn(&pid, program, &actions, &attributes, &arguments, &settings)
        try #require(failure == 0, "\(program) can't be started: \(String(cString: strerror(failure)))")
        self.pid = pid
    }

    func send(_ signal: Int32) { kill(pid, signal) }

    /// What it has said on stderr so far.
    var said: [String] { Self.lines(errorFile) }

    private static func lines(_ path: String) -> [String] {
        String(decoding: FileManager.default.contents(atPath: path) ?? Data(), as: UTF8.self).split(separator: "\n").map(
            String.init)
    }

    /// Waits on a thread of its own, for tests share few threads.
    func end() async -> Outcome {
        let status: Int32 = await withCheckedContinuation { continuation in
            Thread.detachNewThread {
                var status: Int32 = 0
                while waitpid(pid, &status, 0) < 0, errno == EINTR {}
                continuation.resume(returning: status)
            }
        }
        defer { for path in [outputFile, errorFile] { try? FileManager.default.removeItem(atPath: path) } }
        let signal = status & 0x7f
        return Outcome(
            code: signal == 0 ? (status >> 8) & 0xff : -signal,
            output: FileManager.default.contents(atPath: outputFile) ?? Data(),
            said: Self.lines(errorFile))
    }

    /// Whether the process has ended; it can still be waited for.
    var hasEnded: Bool {
        var info = siginfo_t()
        #if canImport(Darwin)
            let known = waitid(P_PID, id_t(pid), &info, WEXITED | WNOHANG | WNOWAIT)
        #else
            let known = waitid(P_PID, id_t(pid), &info, WEXITED | WNOHANG | WNOWAIT)
        #endif
        return known != 0 || info.si_signo != 0
    }

    /// Waits until a condition holds or the process has ended; returns whether the condition held first.
    func reaches(_ condition: () throws -> Bool) async throws -> Bool {
        while !hasEnded {
            if try condition() { return true }
            try await Task.sleep(for: .milliseconds(2))
        }
        return false
    }
}
