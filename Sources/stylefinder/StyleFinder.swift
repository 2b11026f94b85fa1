import ArgumentParser
import Foundation

@main
struct StyleFinder: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "stylefinder", abstract: "Finds the garments that look most like the one in a picture.",
        version: "0.1.0",
        subcommands: [
            GenerateCommand.self,
            PrepareInShopCommand.self, PrepareStreet2ShopCommand.self, PrepareDeepFashion2Command.self,
            ImportCommand.self, EmbedCommand.self, SearchCommand.self, EvaluateCommand.self, CompareCommand.self,
            FeaturesCommand.self,
            ModelsCommand.self, DuplicatesCommand.self, IndexCommand.self,
            TrainCommand.self, MineCommand.self, ReproduceCommand.self, ServeCommand.self, DemoCommand.self,
        ])

    static func main() async {
        var layers: SettingsLayers?
        do {
            let settings = try SettingsLayers(
                Array(CommandLine.arguments.dropFirst()), environment: ProcessInfo.processInfo.environment)
            layers = settings
            var command = try parseAsRoot(settings.arguments)
            if var command = command as? any AsyncParsableCommand {
                try await command.run()
            } else {
                try command.run()
            }
            // A result that did not reach its file, such as one on a full disk, is no result.
            guard fflush(nil) == 0 else {
                throw Failure(description: "The result can't be written to stdout.", code: .inputOutput)
            }
        } catch let code as ExitCode {
            Foundation.exit(code.rawValue)
        } catch let error where exitCode(for: error) == .success {
            // A request for help.
            exit(withError: error)
        } catch let error where error is ValidationError || isParserError(error) {
            fail(usageSentence(message(for: error), layers), .usage)
        } catch {
            fail(error is CocoaError ? error.localizedDescription : String(describing: error), ExitCode(for: error))
        }
    }

    private static func fail(_ text: String, _ code: ExitCode) -> Never {
        Console.note("error: \(text.hasSuffix(".") ? text : text + ".")")
        Foundation.exit(code.rawValue)
    }

    /// What the parser says, in one line, and where to read how it would be right.
    private static func usageSentence(_ message: String, _ layers: SettingsLayers?) -> String {
        var words = message.split(whereSeparator: \.isWhitespace).joined(separator: " ")
        if let origin = layers?.origin(of: words) {
            words = (words.hasSuffix(".") ? String(words.dropLast()) : words) + " (it is \(origin))"
        }
        let name = CommandLine.arguments.dropFirst().first { name in
            configuration.subcommands.contains { $0.configuration.commandName == name }
        }
        return
            "\(words.hasSuffix(".") ? String(words.dropLast()) : words); see `stylefinder \(name.map { $0 + " " } ?? "")--help`."
    }

    private static func isParserError(_ error: any Error) -> Bool {
        String(reflecting: type(of: error)).hasPrefix("ArgumentParser.")
    }
}
