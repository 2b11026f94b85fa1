import Foundation
import LocalHub
import Testing

extension CommandSuites {
    @Suite("Fetching models")
    struct FetchFlowTests {
        private static let name = "owner/some-model"

        /// A hub with the reduced model, and the environment in which it is the hub. It ends with the object: a test holds on to it.
        private func start(_ place: Workplace, _ folder: String = ReducedModel.path) throws -> (
            hub: LocalHub, environment: [String: String]
        ) {
            let hub = try LocalHub()
            try hub.publish(Self.name, filesOf: folder)
            return (hub, ["XDG_CACHE_HOME": place("cache"), "HF_ENDPOINT": hub.endpoint, "HOME": place("home"), "HF_TOKEN": ""])
        }

        /// A fetch whose weights stop coming after 400,000 bytes, once these are there; the next one gets them all.
        private func stalled(_ hub: LocalHub, _ place: Workplace, _ environment: [String: String]) async throws -> Command {
            try hub.set("[{\"match\": \"storage .*model.safetensors\", \"stall\": 400000, \"times\": 1}]")
            let part = place("cache/stylefinder/models/.owner--some-model.partial/parts/model.safetensors")
            let command = try Command.start(["models", "fetch", Self.name], environment: environment)
            let arrived = try await command.reaches { FileManager.default.contents(atPath: part)?.count ?? 0 >= 400_000 }
            #expect(arrived)
            return command
        }

        private func run(_ environment: [String: String], _ arguments: String...) async throws -> Outcome {
            try await Command.start(arguments, environment: environment).end()
        }

        @Test("a model that was fetched is used by its name wherever a model is named")
        func use() async throws {
            let place = try Workplace()
            let (hub, environment) = try start(place)
            defer { withExtendedLifetime(hub) {} }
            let outcome = try await run(environment, "models", "fetch", Self.name, "--json")
            let fetched = try outcome.good()
            let folder = place("cache/stylefinder/models/owner--some-model")
            #expect(
                fetched["path"] as? String == folder && fetched["licence"] as? String == "mit"
                    && fetched["was_there"] as? Bool == false)
            #expect((fetched["files"] as? [[String: Any]])?.count == 5)
            for words in ["licence  mit", "to       \(folder)", "model.safetensors", "use it with --model owner/some-model"] {
                #expect(outcome.said.contains { $0.contains(words) }, "\(words): \(outcome)")
            }
            #expect(try await run(environment, "models", "fetch", Self.name, "--json").good()["was_there"] as? Bool == true)

            let listed = try await run(environment, "models", "list", "--json").good()
            let models = try #require(listed["models"] as? [[String: Any]])
            #expect(models.filter { $0["fetched"] as? Bool == true }.compactMap { $0["id"] as? String } == [Self.name])
            for name in [Self.name, "some-model"] {
                let described = try await run(environment, "models", "inspect", name, "--json").good()
                #expect(
                    described["fingerprint"] as? String == ReducedModel.fingerprint && described["id"] as? String == "some-model")
            }
            // Its vectors are found again without a word about the model.
            let pictures = try place.boutique(6)
            _ = try await run(environment, "import", pictures, "--catalog", place("x.db"), "--json").good()
            _ = try await run(environment, "embed", "--catalog", place("x.db"), "--model", Self.name, "--json").good()
            let found = try await run(
                environment, "search", place(Workplace.name(1)), "--catalog", place("x.db"), "-k", "1", "--json"
            ).good()
            #expect(found["model"] as? String == "some-model")

            try Data("x".utf8).write(to: URL(fileURLWithPath: "\(folder)/model.safetensors"))
            let damaged = try await run(environment, "models", "inspect", Self.name)
            #expect(damaged.code == 65 && damaged.errors.first?.contains("models fetch owner/some-model") == true, "\(damaged)")
        }

        @Test("a fetch that was killed goes on where it ended, and leaves no model until then")
        func killed() async throws {
            let place = try Workplace()
            let (hub, environment) = try start(place)
            defer { withExtendedLifetime(hub) {} }
            let command = try await stalled(hub, place, environment)
            command.send(SIGKILL)
            let end = await command.end()
            #expect(end.code == -SIGKILL, "\(end)")
            let between = try await run(environment, "models", "inspect", Self.name)
            #expect(
                between.code == 66 && between.errors.first?.contains("`stylefinder models fetch owner/some-model`") == true,
                "\(between)")
            _ = try await run(environment, "models", "fetch", Self.name, "--json").good()
            let weights = try hub.requests.filter { $0.server == "storage" }
            #expect(weights.map { $0.headers["range"] } == [nil, "bytes=400000-"])
            let described = try await run(environment, "models", "inspect", Self.name, "--json").good()
            #expect(described["fingerprint"] as? String == ReducedModel.fingerprint)
        }

        @Test("Ctrl-C ends a fetch with 130 and says that it can go on")
        func interrupted() async throws {
            let place = try Workplace()
            let (hub, environment) = try start(place)
            defer { withExtendedLifetime(hub) {} }
            let command = try await stalled(hub, place, environment)
            command.send(SIGINT)
            let end = await command.end()
            #expect(end.code == 130 && end.errors.first?.contains("the same command goes on from there") == true, "\(end)")
            _ = try await run(environment, "models", "fetch", Self.name, "--json").good()
        }

        @Test(
            "every container that is read is fetched as its reader wants it",
            arguments: [
                "formats/hf-bin-shards-f16", "formats/hf-tokenizer-json", "formats/open-clip-bin-f16", "models/resnet-f32",
                "formats/siglip-hf-f16",
                "formats/siglip-open-clip-f16",
            ])
        func containers(fixture: String) async throws {
            let place = try Workplace()
            let folder = Command.package + "/Tests/CLIPTests/Fixtures/" + fixture
            let (hub, environment) = try start(place, folder)
            defer { withExtendedLifetime(hub) {} }
            _ = try await run(environment, "models", "fetch", Self.name, "--json").good()
            let mine = try await run(environment, "models", "inspect", Self.name, "--json").good()
            let theirs = try await run(environment, "models", "inspect", folder, "--json").good()
            for key in ["fingerprint", "tokenizer_fingerprint", "architecture"] {
                #expect(mine[key] as? String == theirs[key] as? String, "\(key)")
            }
        }

        @Test("a model of another kind is refused before its weights come; a licence without commercial use is pointed out")
        func terms() async throws {
            let place = try Workplace()
            let (hub, environment) = try start(place)
            defer { withExtendedLifetime(hub) {} }
            try hub.publish("owner/bert", filesOf: ReducedModel.path)
            try hub.publish("owner/bert", "config.json", Data("{\"model_type\": \"bert\"}".utf8))
            let refused = try await run(environment, "models", "fetch", "owner/bert")
            #expect(refused.code == 65 && refused.errors.first?.contains("model_type is bert") == true, "\(refused)")
            #expect(try !hub.requests.contains { $0.server == "storage" })
            try hub.set("[{\"match\": \"api\", \"listing\": {\"cardData\": {\"license\": \"cc-by-nc-4.0\"}}}]")
            let outcome = try await run(environment, "models", "fetch", Self.name, "--to", place("clip"), "--json")
            #expect(try outcome.good()["forbids_commercial_use"] as? Bool == true)
            #expect(outcome.said.contains("warning: the licence cc-by-nc-4.0 forbids commercial use"), "\(outcome)")
            #expect(try await run(environment, "models", "inspect", place("clip")).code == 0)
        }

        @Test("a file at an address is fetched, and what it does not say is asked for")
        func address() async throws {
            let place = try Workplace()
            let (hub, environment) = try start(place)
            defer { withExtendedLifetime(hub) {} }
            let weights = try Data(contentsOf: URL(fileURLWithPath: ReducedModel.path + "/model.safetensors"))
            let address = try hub.publish(file: "some-weights.safetensors", weights)
            let outcome = try await run(environment, "models", "fetch", address, "--json")
            let path = try #require(try outcome.good()["path"] as? String)
            #expect(path.hasSuffix("/some-weights.safetensors"))
            #expect(outcome.said.contains { $0.contains("licence  none is told") })
            let described = try await run(
                environment, "models", "inspect", "some-weights", "--activation", "quick_gelu", "--json"
            ).good()
            #expect(described["id"] as? String == "some-weights")
        }

        @Test(
            "a disk that is full in the middle keeps what is there; with room the same command goes on from there",
            .enabled(if: FullDisk.isPossible, "needs a user namespace, to mount a small disk in"))
        func fullDisk() async throws {
            let place = try Workplace()
            let (hub, environment) = try start(place)
            defer { withExtendedLifetime(hub) {} }
            let weights = try Data(contentsOf: URL(fileURLWithPath: ReducedModel.path + "/model.safetensors"))
            let address = try hub.publish(file: "weights.safetensors", weights)
            // Without a length nobody can know before that it does not fit.
            try hub.set("[{\"match\": \"weights\", \"no_length\": true}]")
            _ = try place.makeFolder("cache")
            let script = """
                mount -t tmpfs -o size=500k none "$1" || exit 99
                export XDG_CACHE_HOME="$1" HF_ENDPOINT="$2"
                "$0" models fetch "$3"; echo "first: $?"
                mount -o remount,size=8m none "$1" || exit 99
                "$0" models fetch "$3" && cmp "$1"/stylefinder/models/weights--*/weights.safetensors "$4"
                """
            let program = try await Command.shell(
                "exec unshare -rm /bin/sh -c \"$1\" \"$0\" \"$2\" \"$3\" \"$4\" \"$5\"", script, place("cache"), hub.endpoint,
                address,
                ReducedModel.path + "/model.safetensors")
            #expect(environment["HF_ENDPOINT"] == hub.endpoint)
            #expect(program.code == 0 && program.text.contains("first: 74"), "\(program)")
            #expect(program.errors.first?.contains("The disk is full") == true, "\(program)")
            let ranges = try hub.requests.filter { $0.path.contains("weights") }.compactMap { $0.headers["range"] }
            #expect(ranges.count == 1, "\(ranges)")
        }

        @Test("a limit on the size of files ends it with 74; what is there is gone on from")
        func fileLimit() async throws {
            let place = try Workplace()
            let (hub, environment) = try start(place)
            defer { withExtendedLifetime(hub) {} }
            let script = """
                export XDG_CACHE_HOME="$1" HF_ENDPOINT="$2"
                (trap '' XFSZ; ulimit -f 800; exec "$0" models fetch "$3")
                echo "first: $?"
                exec "$0" models fetch "$3"
                """
            let outcome = try await Command.shell(script, place("cache"), hub.endpoint, Self.name)
            #expect(outcome.code == 0 && outcome.text.contains("first: 74"), "\(outcome)")
            #expect(try hub.requests.filter { $0.server == "storage" }.last?.headers["range"] == "bytes=409600-", "\(outcome)")
            #expect(try await run(environment, "models", "inspect", Self.name).code == 0)
        }

        @Test("what can't be fetched ends with a sentence and the right code")
        func refusals() async throws {
            let place = try Workplace()
            let (hub, environment) = try start(place)
            defer { withExtendedLifetime(hub) {} }
            let cases: [(arguments: [String], code: Int32, says: String)] = [
                (["models", "fetch", "fashon-clip"], 64, "did you mean fashion-clip"),
                (["models", "fetch", "../x"], 64, "names no model"),
                (["models", "fetch", Self.name, "--revision", "v1@x"], 64, "no revision"),
                (["models", "fetch", Self.name, "--revision", "v9"], 66, "has no revision v9"),
                (["models", "fetch", "--to", "x"], 64, "need the name"),
                (["models", "fetch", "owner/nothing"], 66, "HF_TOKEN"),
                (["models", "fetch", Self.name, "--to", place("home.txt")], 64, "holds a file"),
                (["demo", "--port", "0", "--model", "fashion-clip"], 66, "`stylefinder models fetch fashion-clip` fetches it"),
            ]
            try place.write("home.txt", "mine")
            for (arguments, code, says) in cases {
                let outcome = try await Command.start(arguments, environment: environment).end()
                #expect(
                    outcome.code == code && outcome.errors.count == 1 && outcome.errors[0].contains(says),
                    "\(arguments): \(outcome)")
            }
            let offline = try await run(environment.merging(["HF_HUB_OFFLINE": "1"]) { $1 }, "models", "fetch", Self.name)
            #expect(offline.code == 69 && offline.errors[0].contains("HF_HUB_OFFLINE"), "\(offline)")
            let endpoint = try await run(environment.merging(["HF_ENDPOINT": "hub"]) { $1 }, "models", "fetch", Self.name)
            #expect(endpoint.code == 64 && endpoint.errors[0].contains("HF_ENDPOINT"), "\(endpoint)")
            try hub.set("[{\"match\": \"api\", \"listing\": {\"gated\": \"manual\"}}]")
            let gated = try await run(environment, "models", "fetch", Self.name)
            #expect(gated.code == 69 && gated.errors[0].contains("\(hub.endpoint)/owner/some-model"), "\(gated)")
        }

        @Test("without a name the list is shown, with what was fetched of it")
        func list() async throws {
            let place = try Workplace()
            let (hub, environment) = try start(place)
            defer { withExtendedLifetime(hub) {} }
            try hub.publish("patrickjohncyh/fashion-clip", filesOf: ReducedModel.path)
            _ = try await run(environment, "models", "fetch", "fashion-clip", "--json").good()
            let known = try #require(try await run(environment, "models", "fetch", "--json").good()["known"] as? [[String: Any]])
            #expect(
                known.count == 10
                    && known.filter { $0["fetched"] as? Bool == true }.compactMap { $0["id"] as? String } == ["fashion-clip"])
            let shown = try await run(environment, "models", "fetch")
            #expect(shown.text.split(separator: "\n").count == 10 && shown.text.contains("605 MB, fetched"))
            #expect(try await run(environment, "models", "inspect", "fashion-clip").code == 0)
        }

        @Test("the demo serves its boutique with a fetched model alone")
        func demo() async throws {
            let place = try Workplace()
            let (hub, environment) = try start(place)
            defer { withExtendedLifetime(hub) {} }
            _ = try await run(environment, "models", "fetch", Self.name, "--json").good()
            let server = try await RunningServer.start(
                ["demo", "--port", "0", "--garments", "12", "--folder", place("demo"), "--model", Self.name],
                environment: environment)
            let models = try JSONSerialization.jsonObject(with: try await server.get("api/v1/models").body)
            #expect("\(models)".contains("some-model") && !"\(models)".contains("small-"), "\(models)")
            #expect(await server.stop().code == 0)
        }
    }

    /// Whether a test may mount a disk of its own.
    enum FullDisk {
        static let isPossible: Bool = {
            let process = Process()
            process.executableURL = URL(fileURLWithPath: "/bin/sh")
            process.arguments = ["-c", "unshare -rm mount -t tmpfs none /mnt 2>/dev/null"]
            guard (try? process.run()) != nil else { return false }
            process.waitUntilExit()
            return process.terminationStatus == 0
        }()
    }
}
