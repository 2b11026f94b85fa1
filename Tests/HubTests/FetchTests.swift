import Foundation
import Hashing
import LocalHub
import Synchronization
import Testing

@testable import Hub

@Suite("Fetching a model")
struct FetchTests {
    private static let needed = ["config.json", "merges.txt", "model.safetensors", "preprocessor_config.json", "vocab.json"]

    @Test("what a model needs comes whole and nothing else; the token goes to the hub and to no other host")
    func whole() throws {
        let bench = try Bench.withModel()
        try bench.hub.publish(Bench.name, "README.md", Data("words".utf8))
        try bench.hub.publish(Bench.name, "pytorch_model.bin", Data(count: 20_000))
        let told = Told()
        let outcome = try bench.fetch(environment: ["HF_TOKEN": "secret"], told: told)
        #expect(!outcome.wasThere && outcome.model.folder == bench.place && outcome.model.path == bench.place)
        #expect(bench.folder.names("models/owner--some-model") == (Self.needed + ["fetched.json"]).sorted())
        for name in Self.needed { #expect(bench.isEqual(name, in: bench.place), "\(name)") }
        // Nothing of the work stays.
        #expect(bench.folder.names("models").filter { !$0.hasPrefix("owner--") } == [])
        for file in outcome.model.files {
            let data = try #require(FileManager.default.contents(atPath: "\(bench.place)/\(file.name)"))
            #expect(file.size == data.count && file.sha256 == SHA256.hexDigest(of: data))
        }
        let requests = try bench.hub.requests
        #expect(requests.contains { $0.server == "hub" } && requests.contains { $0.server == "storage" })
        for request in requests {
            #expect(request.headers["authorization"] == (request.server == "hub" ? "Bearer secret" : nil), "\(request)")
            #expect(request.headers["accept-encoding"] == "identity")
        }
        let plan = try #require(told.plan)
        #expect(
            plan.licence == Licence(name: "mit") && plan.kept == 0 && plan.size == outcome.model.files.reduce(0) { $0 + $1.size })
        #expect(Set(plan.files) == Set(Self.needed) && plan.page == "\(bench.hub.endpoint)/owner/some-model")
        #expect(told.progress == told.progress.sorted() && told.progress.last == plan.size && told.notes.isEmpty)
        // By each of its names.
        for name in ["owner/some-model", "owner/some-model@main", "some-model"] {
            #expect(bench.store.named(name) == [outcome.model], "\(name)")
        }
        #expect(bench.store.named("some") == [] && bench.store.all() == [outcome.model] && outcome.model.damage == nil)
    }

    @Test("a revision has a folder and a name of its own; one that is not there, and a model that is not there, say so")
    func revisions() throws {
        let bench = try Bench.withModel()
        let one = try bench.fetch(revision: "refs/pr/1").model
        #expect(one.folder == bench.folder("models/owner--some-model@refs--pr--1") && one.name == "some-model@refs-pr-1")
        #expect(try bench.fetch().model.folder == bench.place)
        #expect(bench.store.all().count == 2 && bench.store.named("owner/some-model@refs/pr/1") == [one])
        #expect(bench.failure(revision: "v9") == .noSuchRevision(name: Bench.name, revision: "v9"))
        for environment: [String: String] in [[:], ["HF_TOKEN": "secret"]] {
            let error = bench.failure("openai/clip-vit-base-patch3", environment: environment)
            guard case .noSuchModel(_, _, let hasToken, let near) = error else {
                Issue.record("\(error.map { "\($0)" } ?? "no error")")
                continue
            }
            #expect(hasToken == !environment.isEmpty && near.first == "openai/clip-vit-base-patch32")
        }
    }

    @Test("a connection that is cut again and again is gone on with where it ended")
    func cut() throws {
        let bench = try Bench.withModel()
        try bench.hub.set("[{\"match\": \"storage .*model.safetensors\", \"cut\": 150000, \"times\": 4}]")
        let told = Told()
        try bench.fetch(told: told)
        #expect(bench.isEqual(Bench.weights, in: bench.place))
        let requests = try bench.requests(for: Bench.weights)
        #expect(requests.map { $0.headers["range"] } == [nil] + [1, 2, 3, 4].map { "bytes=\($0 * 150_000)-" })
        #expect(requests.dropFirst().allSatisfy { $0.headers["if-range"]?.hasPrefix("\"") == true })
        #expect(told.pauses.count == 4 && told.notes.count == 4 && told.notes[0].contains("cut"))
        #expect(told.progress == told.progress.sorted())
    }

    @Test("what a fetch left that gave up is what the next one goes on from; until then there is no model")
    func resumed() throws {
        let bench = try Bench.withModel()
        try bench.hub.set("[{\"match\": \"storage .*model.safetensors\", \"cut\": 100000, \"times\": 6}]")
        guard case .gaveUp(let what, _, let tries, let kept) = bench.failure() else {
            Issue.record("it did not give up")
            return
        }
        #expect(what == Bench.weights && tries == 6 && kept == bench.partial)
        #expect(bench.store.all() == [] && !FileManager.default.fileExists(atPath: bench.place))
        let told = Told()
        try bench.fetch(told: told)
        #expect(bench.isEqual(Bench.weights, in: bench.place))
        #expect(try bench.requests(for: Bench.weights).last?.headers["range"] == "bytes=600000-")
        // The small files were there already.
        #expect(try bench.requests(for: "resolve/0123456789abcdef0123456789abcdef01234567/vocab.json", at: "hub").count == 1)
        #expect((told.plan?.kept ?? 0) > 600_000 && told.progress == told.progress.sorted())
    }

    @Test("a fetch that is stopped keeps what it has, and says where")
    func stopped() throws {
        let bench = try Bench.withModel()
        try bench.hub.set("[{\"match\": \"storage .*model.safetensors\", \"stall\": 300000, \"times\": 1}]")
        let part = "\(bench.partial)/parts/\(Bench.weights)"
        let error = bench.failure(shouldStop: { PartialFile.size(part) ?? 0 >= 300_000 })
        #expect(error == .stopped(kept: bench.partial))
        #expect(!FileManager.default.fileExists(atPath: bench.place))
        try bench.fetch()
        #expect(bench.isEqual(Bench.weights, in: bench.place))
        #expect(try bench.requests(for: Bench.weights).last?.headers["range"] == "bytes=300000-")
    }

    @Test("a server that says nothing more is left after the time that HF_HUB_DOWNLOAD_TIMEOUT gives it")
    func stalled() throws {
        let bench = try Bench.withModel()
        try bench.hub.set("[{\"match\": \"storage .*model.safetensors\", \"stall\": 300000, \"times\": 1}]")
        let told = Told()
        try bench.fetch(environment: ["HF_HUB_DOWNLOAD_TIMEOUT": "1"], told: told)
        #expect(bench.isEqual(Bench.weights, in: bench.place) && told.notes.count == 1)
        #expect(try bench.requests(for: Bench.weights).last?.headers["range"] == "bytes=300000-")
    }

    @Test("slow answers, answers without a length and servers without ranges give the same bytes")
    func unusual() throws {
        for rules in [
            "[{\"match\": \"storage\", \"slow\": 0.0005}]", "[{\"match\": \".\", \"no_length\": true}]",
            "[{\"match\": \"storage\", \"cut\": 200000, \"times\": 2}, {\"match\": \"storage\", \"no_ranges\": true}]",
            "[{\"match\": \"storage\", \"no_length\": true, \"short\": 1000, \"times\": 1}]",
            "[{\"match\": \"storage\", \"etag\": null, \"cut\": 200000, \"times\": 2}]",
        ] {
            let bench = try Bench.withModel()
            try bench.hub.set(rules)
            try bench.fetch()
            for name in Self.needed { #expect(bench.isEqual(name, in: bench.place), "\(rules): \(name)") }
        }
    }

    @Test("a server that asks for time gets it; one that asks for an hour, or never gets well, is left")
    func overloaded() throws {
        let bench = try Bench.withModel()
        try bench.hub.set("[{\"match\": \"storage\", \"status\": 429, \"headers\": {\"Retry-After\": \"77\"}, \"times\": 1}]")
        let told = Told()
        try bench.fetch(told: told)
        #expect(told.pauses == [.seconds(77)] && told.notes.first?.contains("429") == true)
        for (rule, says) in [
            ("\"status\": 429, \"headers\": {\"Retry-After\": \"3600\"}", "3600 s"),
            ("\"status\": 503, \"body\": \"full house\"", "full house"),
        ] {
            let bench = try Bench.withModel()
            try bench.hub.set("[{\"match\": \"storage\", \(rule)}]")
            let error = bench.failure()
            guard case .gaveUp = error else {
                Issue.record("\(error.map { "\($0)" } ?? "no error")")
                continue
            }
            #expect(error.map { "\($0)".contains(says) } == true)
        }
    }

    @Test("one wrong byte is found: the file is fetched again, and refused where it comes wrong twice")
    func sums() throws {
        let bench = try Bench.withModel()
        try bench.hub.set("[{\"match\": \"storage\", \"corrupt\": 500000, \"times\": 1}]")
        try bench.fetch()
        #expect(bench.isEqual(Bench.weights, in: bench.place))
        // Old bytes that are wrong are no reason to refuse the new ones.
        let other = try Bench.withModel()
        try other.hub.set("[{\"match\": \"storage\", \"corrupt\": 10, \"cut\": 100000, \"times\": 1}]")
        try other.fetch()
        #expect(other.isEqual(Bench.weights, in: other.place))
        let broken = try Bench.withModel()
        try broken.hub.set("[{\"match\": \"storage\", \"corrupt\": 500000}]")
        guard case .sum(Bench.weights, let expected, let found)? = broken.failure() else {
            Issue.record("the wrong sum was not found")
            return
        }
        #expect(try expected != found && broken.requests(for: Bench.weights).count == 2)
        #expect(!FileManager.default.fileExists(atPath: "\(broken.partial)/parts/\(Bench.weights)"))
    }

    @Test(
        "a hub whose sizes contradict each other is caught",
        arguments: [
            ("[{\"match\": \"storage\", \"short\": 10}]", "the server has"),
            ("[{\"match\": \"storage\", \"extra\": 10}]", "the server has"),
            ("[{\"match\": \"storage\", \"extra\": 10, \"no_length\": true}]", "sends more"),
            ("[{\"match\": \"hub .*resolve\", \"linked_size\": 5}]", "passes on to 5"),
            ("[{\"match\": \"api\", \"listing\": {\"siblings\": {\"vocab.json\": {\"size\": 5}}}}]", "the server has"),
        ])
    func sizes(rules: String, says: String) throws {
        let bench = try Bench.withModel()
        try bench.hub.set(rules)
        let error = bench.failure()
        guard case .size = error else {
            Issue.record("\(error.map { "\($0)" } ?? "no error")")
            return
        }
        #expect(error.map { "\($0)".contains(says) } == true, "\(error.map { "\($0)" } ?? "")")
        #expect(bench.store.all() == [])
    }

    @Test("an answer that goes on ending early, without a length, is given up in the end")
    func endsEarly() throws {
        let bench = try Bench.withModel()
        try bench.hub.set("[{\"match\": \"storage\", \"short\": 10, \"no_length\": true, \"no_ranges\": true}]")
        guard case .gaveUp(_, let reason, 6, _)? = bench.failure() else {
            Issue.record("it did not give up")
            return
        }
        #expect(reason.contains("ended after"))
    }

    @Test("models that want an agreement, and tokens that are refused, say what to do")
    func gates() throws {
        let bench = try Bench.withModel()
        let page = "\(bench.hub.endpoint)/owner/some-model"
        try bench.hub.set("[{\"match\": \"api\", \"listing\": {\"gated\": \"auto\"}}]")
        #expect(bench.failure() == .gated(name: Bench.name, page: page, hasToken: false))
        #expect("\(HubError.gated(name: Bench.name, page: page, hasToken: false))".contains("HF_TOKEN"))
        // Somebody who has agreed.
        try bench.fetch(environment: ["HF_TOKEN": "good"])
        let refusals: [(String, [String: String], HubError)] = [
            (
                "\"match\": \"resolve\", \"status\": 401, \"headers\": {\"X-Error-Code\": \"GatedRepo\"}", [:],
                .gated(name: Bench.name, page: page, hasToken: false)
            ),
            (
                "\"match\": \"resolve\", \"status\": 403, \"headers\": {\"X-Error-Code\": \"GatedRepo\"}", ["HF_TOKEN": "x"],
                .gated(name: Bench.name, page: page, hasToken: true)
            ),
            (
                "\"match\": \"api\", \"status\": 401", ["HF_TOKEN": "x"],
                .refusedToken(place: bench.hub.endpoint, origin: "HF_TOKEN")
            ),
        ]
        for (rule, environment, expected) in refusals {
            try bench.hub.set("[{\(rule)}]")
            #expect(bench.failure(to: bench.folder("elsewhere"), environment: environment) == expected, "\(rule)")
        }
    }

    @Test("a hub that names files elsewhere, passes on without end or elsewhere than to the web, or answers nonsense is refused")
    func hostile() throws {
        for (rule, says) in [
            ("\"match\": \"api\", \"listing\": {\"siblings\": {\"../../evil\": {\"size\": 1}}}", "could lead out"),
            ("\"match\": \"api\", \"status\": 200, \"body\": \"<html>\"", "does not answer as a model hub"),
            (
                "\"match\": \"api\", \"status\": 302, \"headers\": {\"Location\": \"/api/models/owner/some-model/revision/main\"}",
                "more than 10 times"
            ),
            (
                "\"match\": \"resolve\", \"status\": 302, \"headers\": {\"Location\": \"file:///etc/passwd\"}",
                "passes on to no address"
            ),
            ("\"match\": \"resolve\", \"status\": 302", "passes on to no address"),
            (
                "\"match\": \"resolve\", \"status\": 404, \"headers\": {\"X-Error-Code\": \"EntryNotFound\"}",
                "that it does not have"
            ),
            ("\"match\": \"storage\", \"status\": 403, \"body\": \"expired\"", "expired"),
        ] {
            let bench = try Bench.withModel()
            try bench.hub.set("[{\(rule)}]")
            let error = bench.failure()
            #expect(error.map { "\($0)".contains(says) } == true, "\(rule): \(error.map { "\($0)" } ?? "no error")")
            #expect(!FileManager.default.fileExists(atPath: bench.place))
        }
    }

    @Test("a repository without weights that are read says which files it has")
    func noWeights() throws {
        let bench = try Bench()
        try bench.hub.publish(Bench.name, filesOf: Bench.model, without: [Bench.weights])
        let error = bench.failure()
        #expect(error == .noWeights(name: Bench.name, files: Self.needed.filter { $0 != Bench.weights }))
        #expect(error.map { "\($0)".contains("merges.txt") } == true)
    }

    @Test("shards come with their index")
    func shards() throws {
        let folder = Bench.fixtures + "/formats/hf-shards-bf16"
        let bench = try Bench()
        try bench.hub.publish(Bench.name, filesOf: folder)
        let files = try bench.fetch().model.files.map(\.name)
        #expect(files.filter { $0.hasSuffix(".safetensors") }.count > 1 && files.contains("model.safetensors.index.json"))
        for name in files { #expect(bench.isEqual(name, in: bench.place, to: folder), "\(name)") }
    }

    @Test("of two fetches of one model at once the second waits, and finds it there")
    func twoAtOnce() async throws {
        let bench = try Bench.withModel()
        let told = Told()
        let isWaiting = DispatchSemaphore(value: 0)
        // Threads of their own: the second can only wait while the first is at work.
        func start(_ tell: @escaping @Sendable (ModelFetch.Event) -> Void) -> Task<Bool, any Error> {
            Task {
                try await withCheckedThrowingContinuation { continuation in
                    Thread.detachNewThread {
                        continuation.resume(
                            with: Result {
                                let settings = try bench.settings()
                                let fetch = ModelFetch(
                                    settings, store: bench.store, layouts: Bench.layouts,
                                    transport: try CurlTransport(settings, shouldStop: { false }),
                                    pause: { Thread.sleep(forTimeInterval: min(0.05, $0 / .seconds(1))) }, tell: tell)
                                return try fetch.run(ModelSource(Bench.name), checkConfiguration: { _ in }, check: { _ in })
                                    .wasThere
                            })
                    }
                }
            }
        }
        // Whichever comes first does not begin before the other one waits for it.
        let tell: @Sendable (ModelFetch.Event) -> Void = { event in
            told.take(event)
            switch event {
            case .plan: isWaiting.wait()
            case .note: isWaiting.signal()
            case .progress: break
            }
        }
        let (one, other) = (start(tell), start(tell))
        #expect(try await [one.value, other.value].sorted { !$0 && $1 } == [false, true])
        #expect(try bench.requests(for: Bench.weights).count == 1)
        #expect(told.notes.count == 1 && told.notes.first?.contains("waiting for it") == true)
        #expect(bench.isEqual(Bench.weights, in: bench.place))
    }

    @Test("a model that is there is not fetched again; a changed or damaged one is, and no moment is without a model")
    func again() throws {
        let bench = try Bench.withModel()
        try bench.fetch()
        #expect(try bench.fetch().wasThere && bench.requests(for: Bench.weights).count == 1)
        // A commit that changes what is not needed changes nothing.
        try bench.hub.set("[{\"match\": \"api\", \"listing\": {\"sha\": \"\(String(repeating: "b", count: 40))\"}}]")
        #expect(try bench.fetch().wasThere)
        try bench.hub.publish(Bench.name, "merges.txt", Data("#version: 0.2\n".utf8))
        let newer = try bench.fetch()
        #expect(!newer.wasThere && newer.model.commit == String(repeating: "b", count: 40))
        #expect(FileManager.default.contents(atPath: "\(bench.place)/merges.txt") == Data("#version: 0.2\n".utf8))
        #expect(bench.folder.names("models").filter { $0.hasPrefix(".") } == [])
        try Data("less".utf8).write(to: URL(fileURLWithPath: "\(bench.place)/\(Bench.weights)"))
        #expect(bench.store.all().first?.damage?.contains(Bench.weights) == true)
        let told = Told()
        #expect(try !bench.fetch(told: told).wasThere && told.notes.first?.contains("fetched again") == true)
        #expect(bench.isEqual(Bench.weights, in: bench.place))
    }

    @Test("a process that ended between moving the old model away and the new one in leaves a model")
    func betweenMoves() throws {
        let bench = try Bench.withModel()
        try bench.fetch()
        try FileManager.default.moveItem(atPath: bench.place, toPath: bench.folder("models/.owner--some-model.former"))
        try PartialModel(of: bench.place).prepare()
        #expect(bench.store.all().first?.damage == nil && bench.store.all().count == 1)
    }

    @Test("without a network, and where none is wanted, the model that is there stays in use")
    func offline() throws {
        let bench = try Bench.withModel()
        #expect(bench.failure(environment: ["HF_HUB_OFFLINE": "1"]) == .offline(Bench.name))
        #expect(try bench.hub.requests.isEmpty)
        try bench.fetch()
        #expect(try bench.fetch(environment: ["HF_HUB_OFFLINE": "1"]).wasThere)
        let told = Told()
        // A port that nobody listens on.
        #expect(try bench.fetch(environment: ["HF_ENDPOINT": "http://127.0.0.1:1"], told: told).wasThere)
        #expect(told.notes.last?.contains("stays in use") == true)
        #expect(
            bench.failure("owner/other", environment: ["HF_ENDPOINT": "http://127.0.0.1:1"]).map {
                if case .gaveUp = $0 { true } else { false }
            } == true)
    }

    @Test("behind a proxy the hub is asked through it, and a host of NO_PROXY is not")
    func proxy() throws {
        let bench = try Bench.withModel()
        // The local hub stands in for a proxy: it answers for a host that does not exist.
        try bench.fetch(environment: [
            "HF_ENDPOINT": "http://hub.invalid", "HTTP_PROXY": bench.hub.endpoint, "NO_PROXY": "127.0.0.1",
        ])
        #expect(bench.isEqual(Bench.weights, in: bench.place))
        #expect(try bench.hub.requests.filter { $0.server == "hub" }.allSatisfy { $0.headers["host"] == "hub.invalid" })
        #expect(try bench.requests(for: Bench.weights).first?.headers["host"]?.hasPrefix("127.0.0.1") == true)
    }

    @Test(
        "a certificate that nobody vouches for is refused at once, one of SSL_CERT_FILE is trusted, and encryption is not given up on the way",
        .enabled(if: LocalHub.canBeSecure, "needs the openssl command, to make a certificate"))
    func encryption() throws {
        let bench = try Bench.withModel(secure: true)
        let told = Told()
        guard case .refused(_, let reason)? = bench.failure(told: told) else {
            Issue.record("it was trusted")
            return
        }
        #expect(reason.contains("is not trusted") && told.pauses.isEmpty)
        let trusting = ["SSL_CERT_FILE": try #require(bench.hub.certificate)]
        try bench.fetch(environment: trusting)
        #expect(bench.isEqual(Bench.weights, in: bench.place))
        try bench.hub.set("[{\"match\": \"resolve\", \"status\": 302, \"headers\": {\"Location\": \"http://127.0.0.1:1/x\"}}]")
        let error = bench.failure(to: bench.folder("elsewhere"), environment: trusting)
        #expect(error.map { "\($0)".contains("without encryption") } == true)
    }

    @Test("a file at an address comes with its name; a SHA-256 in the address is its sum; what changes meanwhile begins anew")
    func addresses() throws {
        let bench = try Bench()
        let content = try #require(FileManager.default.contents(atPath: "\(Bench.model)/\(Bench.weights)"))
        let address = try bench.hub.publish(file: "\(SHA256.hexDigest(of: content))/RN50.safetensors", content)
        let model = try bench.fetch(address, environment: ["HF_TOKEN": "secret"]).model
        #expect(model.name == "RN50" && model.path == "\(model.folder)/RN50.safetensors" && model.source == address)
        #expect(bench.store.named("RN50") == [model] && bench.store.named(address) == [model])
        #expect(FileManager.default.contents(atPath: model.path) == content)
        // The token is the hub's.
        #expect(try bench.hub.requests.allSatisfy { $0.headers["authorization"] == nil })
        #expect(try bench.fetch(address).wasThere)
        let wrong = try bench.hub.publish(file: "\(SHA256.hexDigest(of: Data()))/RN50.safetensors", content)
        #expect(bench.failure(wrong).map { if case .sum = $0 { true } else { false } } == true)

        let changing = try bench.hub.publish(file: "weights.bin", content)
        // The first answers come from an older file.
        for condition in ["false", "true"] {
            try bench.hub.set(
                """
                [{"match": "weights", "etag": "\\"old\\"", "corrupt": 3, "times": 1, "of": \(condition)},
                 {"match": "weights", "etag": "\\"old\\"", "corrupt": 3, "times": 1, "of": \(condition), "cut": 200000},
                 {"match": "weights", "etag": "\\"new\\"", "no_condition": \(condition)}]
                """)
            let place = bench.folder("changing-\(condition)")
            let fetched = try bench.fetch(changing, to: place)
            #expect(
                FileManager.default.contents(atPath: "\(place)/weights.bin") == content, "If-Range is not looked at: \(condition)"
            )
            #expect(fetched.model.files.first?.sha256 == SHA256.hexDigest(of: content))
        }
        guard case .refused? = bench.failure("\(bench.hub.storage)/files/none.pt") else {
            Issue.record("an address with nothing behind it")
            return
        }
    }

    @Test("a place of one's own is used as it is named; one that holds something else is left alone")
    func places() throws {
        let bench = try Bench.withModel()
        let place = bench.folder("my models/clip")
        #expect(try bench.fetch(to: place).model.folder == place)
        #expect(bench.isEqual(Bench.weights, in: place) && bench.store.all() == [])
        #expect(try bench.fetch(to: place).wasThere)
        let empty = bench.folder("empty")
        try FileManager.default.createDirectory(atPath: empty, withIntermediateDirectories: true)
        try bench.fetch(to: empty)
        let full = bench.folder("full")
        try FileManager.default.createDirectory(atPath: full, withIntermediateDirectories: true)
        try Data("mine".utf8).write(to: URL(fileURLWithPath: full + "/notes.txt"))
        #expect(bench.failure(to: full) == .taken(path: full, by: "files that were not fetched"))
        #expect(bench.failure(to: full + "/notes.txt") == .taken(path: full + "/notes.txt", by: "a file"))
        #expect(bench.failure(revision: "v1", to: place) == .taken(path: place, by: "the model owner/some-model"))
        #expect(FileManager.default.contents(atPath: full + "/notes.txt") == Data("mine".utf8))
    }

    @Test("a model that the disk has no room for is known before it begins")
    func space() throws {
        let bench = try Bench.withModel()
        try bench.hub.set(
            "[{\"match\": \"api\", \"listing\": {\"siblings\": {\"model.safetensors\": {\"size\": 1, \"lfs\": {\"size\": 1000000000000000}}}}}]"
        )
        guard case .tooLittleSpace(_, let needed, _)? = bench.failure() else {
            Issue.record("it began")
            return
        }
        #expect(try needed > 100_000_000_000_000 && bench.requests(for: Bench.weights).isEmpty)
    }

    @Test("a configuration of another kind ends it before the weights come; a model that can't be read stays unfinished")
    func checks() throws {
        struct Refused: Error {}
        let bench = try Bench.withModel()
        #expect(throws: Refused.self) { try bench.fetch(checkConfiguration: { _ in throw Refused() }) }
        #expect(try bench.requests(for: Bench.weights).isEmpty && !FileManager.default.fileExists(atPath: bench.partial))
        #expect(throws: Refused.self) { try bench.fetch(check: { _ in throw Refused() }) }
        #expect(bench.store.all() == [] && FileManager.default.fileExists(atPath: bench.partial))
        var checked = ""
        try bench.fetch(check: { checked = $0 })
        #expect(checked == "\(bench.partial)/files" && bench.store.all().count == 1)
        #expect(try bench.requests(for: Bench.weights).count == 1)
    }

    @Test("the lock of a folder is held by one at a time, and goes on to who waits")
    func lock() throws {
        let folder = try TestFolder()
        var first: FolderLock? = try FolderLock(folder("lock"), waiting: { Issue.record("nobody has it") })
        var looks = 0
        let second = try FolderLock(
            folder("lock"),
            waiting: {
                looks += 1
                if looks == 2 { first = nil }
            })
        #expect(looks == 2 && first == nil)
        struct Enough: Error {}
        #expect(throws: Enough.self) { try FolderLock(folder("lock"), waiting: { throw Enough() }) }
        withExtendedLifetime(second) {}
    }
}
