import ArgumentParser
import CLIP
import Configuration
import Foundation

/// Settings of `serve` and `demo` that the command line leaves open: they come from the environment (`STYLEFINDER_PORT=9000`), and what that leaves open
/// from a JSON file (`--config FILE` or `STYLEFINDER_CONFIG`, with keys such as `allow_origin`).
///
/// What is found stands before the given arguments, as if it had been typed there: the parser checks it as it checks those.
struct SettingsLayers {
    private struct Setting {
        /// As the command line has it, without dashes.
        let name: String
        let type: ConfigType

        init(_ name: String, _ type: ConfigType) { (self.name, self.type) = (name, type) }

        var key: String { name.replacing("-", with: "_") }
        var variable: String { prefix.uppercased() + "_" + key.uppercased() }
    }

    private static let prefix = "stylefinder"
    private static let file = "config"
    private static let listening: [Setting] = [
        .init("host", .string), .init("port", .int), .init("base-path", .string), .init("allow-origin", .stringArray),
        .init("rate", .string), .init("trusted-proxy", .stringArray), .init("access-log", .bool), .init("max-upload", .int),
        .init("max-pixels", .int), .init("formats", .string), .init("decoding-memory", .int), .init("model-memory", .int),
        .init("exact", .bool), .init("graphs-from", .int),
        .init("model", .stringArray),
    ]
    private static let admin = Setting("admin-token-file", .string)
    private static let settings: [String: [Setting]] = [
        "serve": listening + [
            .init("catalog", .string), admin, .init("model-folder", .string), .init("watch", .string), .init("samples", .string),
            .init("language", .string), .init("milvus", .string), .init("milvus-token-file", .string),
            .init("images-url", .string),
        ],
        "demo": listening + [admin, .init("photos", .string), .init("folder", .string), .init("garments", .int)],
    ]

    /// All arguments.
    private(set) var arguments: [String]
    /// Where options come from that nobody typed.
    private var origins: [(option: String, origin: String)] = []

    /// - Parameter given: as they were typed, without the program's name.
    /// - Throws: `Failure` for a file that can't be read, has a key that is none of the command's, or a value of another type.
    init(_ given: [String], environment: [String: String]) throws {
        arguments = given
        guard let command = given.first, let settings = Self.settings[command], !given.contains("--help"), !given.contains("-h")
        else { return }
        let typed = given.dropFirst()
        func isTyped(_ name: String) -> Bool { typed.contains { $0 == "--\(name)" || $0.hasPrefix("--\(name)=") } }
        var layers: [(snapshot: any ConfigSnapshot, origin: (Setting) -> String, key: (Setting) -> [String])] = [
            (
                EnvironmentVariablesProvider(environmentVariables: environment).snapshot(), { $0.variable },
                { [Self.prefix, $0.key] }
            )
        ]
        let path = Self.value(of: Self.file, in: typed) ?? environment[Setting(Self.file, .string).variable]
        if let path { layers.append((try Self.snapshot(of: path, settings), { "\($0.key) in \(path)" }, { [$0.key] })) }
        var added: [String] = []
        for setting in settings where !isTyped(setting.name) {
            for layer in layers {
                let content: ConfigContent?
                do {
                    content = try layer.snapshot.value(forKey: AbsoluteConfigKey(layer.key(setting)), type: setting.type).value?
                        .content
                } catch {
                    throw Failure.usage("\(layer.origin(setting)) is no \(Self.word(for: setting.type)).")
                }
                guard let content else { continue }
                added += Self.arguments(setting.name, content)
                origins.append(("--" + setting.name, layer.origin(setting)))
                break
            }
        }
        arguments = [command] + added + typed
    }

    /// Where a setting came from that a sentence of the parser's complains of; nil where it was typed.
    func origin(of complaint: String) -> String? { origins.first { complaint.contains($0.option) }?.origin }

    private static func value(of name: String, in arguments: ArraySlice<String>) -> String? {
        if let place = arguments.lastIndex(of: "--\(name)"), place + 1 < arguments.endIndex { return arguments[place + 1] }
        return arguments.last { $0.hasPrefix("--\(name)=") }.map { String($0.dropFirst(name.count + 3)) }
    }

    private static func snapshot(of path: String, _ settings: [Setting]) throws -> any ConfigSnapshot {
        let bytes: Data
        do { bytes = try Data(contentsOf: URL(fileURLWithPath: path)) } catch {
            throw Failure.noInput("The settings file \(path) can't be read: \(error.phrase).")
        }
        guard let object = try? JSONSerialization.jsonObject(with: bytes) as? [String: Any] else {
            throw Failure.data("The settings file \(path) is no JSON object.")
        }
        let known = settings.map(\.key).sorted()
        if let wrong = object.keys.sorted().first(where: { !known.contains($0) }) {
            throw Failure.data("The settings file \(path) has the key \(wrong); there are \(known.joined(separator: ", ")).")
        }
        return try JSONSnapshot(data: bytes.bytes, providerName: path, parsingOptions: .default)
    }

    private static func arguments(_ name: String, _ content: ConfigContent) -> [String] {
        switch content {
        case .string(let text): ["--\(name)=\(text)"]
        case .int(let number): ["--\(name)=\(number)"]
        case .double(let number): ["--\(name)=\(number)"]
        case .bool(let isOn): isOn ? ["--\(name)"] : []
        case .stringArray(let texts): texts.map { "--\(name)=\($0)" }
        default: []
        }
    }

    private static func word(for type: ConfigType) -> String {
        switch type {
        case .int: "whole number"
        case .bool: "true or false"
        case .stringArray: "list of texts"
        default: "text"
        }
    }
}
