import ArgumentParser
import Foundation

@main
struct StyleFinder: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "stylefinder", abstract: "Finds the garments that look most like the one in a picture.",
        subcommands: [
            ImportCommand.self, EmbedCommand.self, SearchCommand.self, EvaluateCommand.self, FeaturesCommand.self,
            ModelsCommand.self,
            TrainCommand.self,
        ])

    static func main() async {
        waitPassively()
        do {
            var command = try parseAsRoot()
            if var command = command as? any AsyncParsableCommand {
                try await command.run()
            } else {
                try command.run()
            }
        } catch let code as ExitCode {
            Foundation.exit(code.rawValue)
        } catch  where exitCode(for: error) == .success || error is ValidationError || isParserError(error) {
            exit(withError: error)
        } catch {
            let text = error is CocoaError ? error.localizedDescription : String(describing: error)
            Console.note("error: \(text.hasSuffix(".") ? text : text + ".")")
            Foundation.exit(ExitCode(for: error).rawValue)
        }
    }

    /// The parser's own errors carry usage; everything else is ours.
    private static func isParserError(_ error: any Error) -> Bool {
        String(reflecting: type(of: error)).hasPrefix("ArgumentParser.")
    }

    /// libgomp's threads spin while they wait, which costs ten times the time on a machine with other work. It reads this variable when it
    /// is loaded, before `main`: so it is set, and the command starts itself once more.
    private static func waitPassively() {
        #if os(Linux)
            guard getenv("OMP_WAIT_POLICY") == nil else { return }
            setenv("OMP_WAIT_POLICY", "PASSIVE", 1)
            var arguments = CommandLine.unsafeArgv
            _ = withUnsafeMutablePointer(to: &arguments) { execv("/proc/self/exe", $0.pointee) }
        // Where it can't start itself it goes on as it is: slower under load, not wrong.
        #endif
    }
}
