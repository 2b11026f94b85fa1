import Foundation
import LocalHub
import Synchronization

@testable import Hub

/// A folder of a test's own, gone with the object.
final class TestFolder: Sendable {
    let path: String

    init() throws {
        path = FileManager.default.temporaryDirectory.resolvingSymlinksInPath().path + "/fetch-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    func callAsFunction(_ name: String) -> String { "\(path)/\(name)" }

    /// Every path in a folder.
    func names(_ folder: String) -> [String] {
        ((try? FileManager.default.subpathsOfDirectory(atPath: "\(path)/\(folder)")) ?? []).sorted()
    }
}

/// What a fetch told, and how long it would have waited.
final class Told: Sendable {
    private let state = Mutex<(events: [ModelFetch.Event], pauses: [Duration])>(([], []))

    func take(_ event: ModelFetch.Event) { state.withLock { $0.events.append(event) } }
    func take(_ pause: Duration) { state.withLock { $0.pauses.append(pause) } }

    var pauses: [Duration] { state.withLock { $0.pauses } }
    var notes: [String] {
        state.withLock { $0.events }.compactMap { event -> String? in
            if case .note(let text) = event { return text }
            return nil
        }
    }
    var plan: ModelFetch.Plan? {
        state.withLock { $0.events }.compactMap { event -> ModelFetch.Plan? in
            if case .plan(let plan) = event { return plan }
            return nil
        }.first
    }
    var progress: [Int] {
        state.withLock { $0.events }.compactMap { event -> Int? in
            if case .progress(_, let done, _) = event { return done }
            return nil
        }
    }
}

/// A hub, a place to fetch to, and the fetching.
struct Bench {
    let hub: LocalHub
    let folder: TestFolder

    /// The kinds of folders that these tests know.
    static let layouts = [
        FolderLayout(
            configuration: "open_clip_config.json", weights: ["open_clip_model.safetensors", "open_clip_pytorch_model.bin"],
            preparation: [], vocabularies: [["vocab.json", "merges.txt"], ["tokenizer.json"]]),
        FolderLayout(
            configuration: "config.json",
            weights: ["model.safetensors", "model.safetensors.index.json", "pytorch_model.bin", "pytorch_model.bin.index.json"],
            preparation: ["preprocessor_config.json", "processor_config.json"],
            vocabularies: [["vocab.json", "merges.txt"], ["spiece.model"], ["tokenizer.json"]], additions: ["stylefinder.json"]),
    ]

    static let fixtures =
        URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().path
        + "/CLIPTests/Fixtures"
    static let model = fixtures + "/models/vit-quickgelu-f16"
    static let name = "owner/some-model"
    static let weights = "model.safetensors"

    init(secure: Bool = false) throws {
        hub = try LocalHub(secure: secure)
        folder = try TestFolder()
    }

    /// With the reduced model as `owner/some-model`.
    static func withModel(secure: Bool = false) throws -> Bench {
        let bench = try Bench(secure: secure)
        try bench.hub.publish(name, filesOf: model)
        return bench
    }

    var store: FetchedModels { FetchedModels(folder: folder("models")) }

    func settings(_ environment: [String: String] = [:]) throws -> HubSettings {
        try HubSettings(environment: ["HF_ENDPOINT": hub.endpoint].merging(environment) { $1 }, contents: { _ in nil })
    }

    /// Fetches in this process. Nothing is waited for: pauses are noted.
    @discardableResult
    func fetch(
        _ text: String = name, revision: String? = nil, to place: String? = nil, environment: [String: String] = [:],
        told: Told = Told(), shouldStop: @escaping () -> Bool = { false },
        checkConfiguration: (String) throws -> Void = { _ in }, check: (String) throws -> Void = { _ in }
    ) throws -> ModelFetch.Outcome {
        let settings = try settings(environment)
        let fetch = ModelFetch(
            settings, store: store, layouts: Self.layouts, transport: try CurlTransport(settings, shouldStop: shouldStop),
            pause: { told.take($0) }, tell: { told.take($0) })
        return try fetch.run(
            ModelSource(text, revision: revision, endpoint: settings.endpoint), to: place, checkConfiguration: checkConfiguration,
            check: check)
    }

    /// The error of a fetch that must not succeed.
    func failure(
        _ text: String = name, revision: String? = nil, to place: String? = nil, environment: [String: String] = [:],
        told: Told = Told(), shouldStop: @escaping () -> Bool = { false }
    ) -> HubError? {
        do {
            try fetch(text, revision: revision, to: place, environment: environment, told: told, shouldStop: shouldStop)
        } catch let error as HubError { return error } catch {}
        return nil
    }

    /// Whether a fetched file has the bytes of the reduced model's.
    func isEqual(_ file: String, in place: String, to other: String = model) -> Bool {
        let mine = FileManager.default.contents(atPath: "\(place)/\(file)")
        return mine != nil && mine == FileManager.default.contents(atPath: "\(other)/\(file)")
    }

    /// The requests for a file of the second server.
    func requests(for name: String, at server: String = "storage") throws -> [LocalHub.Request] {
        try hub.requests.filter { $0.server == server && $0.path.contains("/\(name)") }
    }

    /// Where the partial folder of the model lies.
    var partial: String { folder("models/.owner--some-model.partial") }
    var place: String { folder("models/owner--some-model") }
}
