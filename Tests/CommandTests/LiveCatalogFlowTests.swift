import Catalog
import Foundation
import StyleFinderClient
import Testing

#if canImport(FoundationNetworking)
    import FoundationNetworking
#endif

extension RunningServer {
    /// A client with an admin token, or with none.
    func client(token: String? = nil) throws -> StyleFinderClient {
        StyleFinderClient(address: try #require(URL(string: address)), token: token)
    }
}

/// The status with which a server refuses what `body` asks; nil where it does not.
private func refusal(_ body: () async throws -> Void) async throws -> Int? {
    do {
        try await body()
        return nil
    } catch ClientError.refused(let status, _, let message, _) {
        #expect(message.hasSuffix("."))
        return status
    }
}

extension CommandSuites {
    @Suite("A live catalogue")
    struct LiveCatalogFlowTests {
        private static let token = "0123456789abcdef0123456789abcdef"

        /// A token's file that its owner alone can read.
        private func tokenFile(_ place: Workplace, _ text: String = token, mode: Int = 0o600) throws -> String {
            let file = try place.write("token-\(text.count)-\(mode)", text)
            try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: file)
            return file
        }

        @Test("a catalogue that is not there is made and filled over HTTP; what was acknowledged outlives a kill")
        func filled() async throws {
            let place = try Workplace()
            try place.boutique(4)
            let arguments = [
                "serve", "--port", "0", "--catalog", place("new.db"), "--model", ReducedModel.path, "--admin-token-file",
                try tokenFile(place), "--access-log", "--language", "fr",
            ]
            let server = try await RunningServer.start(arguments)
            let client = try server.client(token: Self.token)
            func photo(_ number: Int) throws -> Data { try Data(contentsOf: URL(fileURLWithPath: place(Workplace.name(number)))) }
            func found(_ client: StyleFinderClient, _ number: Int, count: Int = 1) async throws -> [String] {
                try await client.search(SearchQuery(images: [photo(number)], count: count)).results.map(\.product.id)
            }
            #expect(try await found(client, 0) == [])
            for number in 0..<3 {
                #expect(try await client.put(ProductColumns(title: "Garment \(number)"), id: "G\(number)"))
                let added = try await client.add(picture: photo(number), to: "G\(number)", view: "front")
                #expect(added.view == "front")
                #expect(try await found(client, number) == ["G\(number)"])
            }
            #expect(try CatalogStore(path: place("new.db"), mode: .readOnly).language().code == "fr")
            #expect(try await client.products(words: "gar 2", withoutPictures: true).products.map(\.id) == ["G2"])
            #expect(try await !client.put(ProductColumns(title: "Garment 0", price: 5, inStock: true), id: "G0"))
            let stranger = try server.client(token: "another-token-of-some-length")
            #expect(try await refusal { try await stranger.put(ProductColumns(), id: "G0") } == 401)
            #expect(try await refusal { try await client.delete(product: "G 7") } == 404)
            try await client.delete(product: "G2")

            // Everything else that a program asks.
            let detail = try await client.product("G0")
            #expect(detail.title == "Garment 0" && detail.price == 5 && detail.inStock == true && detail.images.count == 1)
            #expect(try await client.picture(detail.images[0].id, width: 160).starts(with: [0xFF, 0xD8]))
            #expect(try await client.products(filters: ["price:..9"]).products.map(\.id) == ["G0"])
            #expect(try await client.products(similarTo: "G0").results.map(\.product.id) == ["G1"])
            #expect(try await client.suggestions(for: "gar 1").first?.productId == "G1")
            let models = try await client.models()
            #expect(models.models.map(\.id) == [models.default] && models.models[0].images == 2)
            let words = try await client.search(SearchQuery(text: ["garment 1"], notText: ["0"], count: 1))
            #expect(words.results[0].product.id == "G1" && words.results[0].words?.rank == 1)
            let batch = try await client.search([SearchQuery(text: ["garment"]), SearchQuery(productIDs: ["nobody"])])
            #expect(try batch[0].get().results.count == 2)
            #expect(throws: ClientError.self) { try batch[1].get() }
            await #expect(throws: ClientError.self) { try await client.search([SearchQuery(images: [photo(0)])]) }
            let metrics = String(decoding: try await server.get("metrics").body, as: UTF8.self)
            #expect(metrics.contains("stylefinder_encoder_batch_size_count{model="), "\(metrics)")
            #expect(metrics.contains("stylefinder_catalog_images 2\n"))
            let line = try #require(server.command.said.first { $0.hasPrefix("{") })
            let entry = try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
            #expect(entry["path"] as? String == "/api/v1/search" && entry["status"] as? Int == 200)
            server.command.send(SIGKILL)
            let killed = await server.command.end()
            #expect(killed.code == -SIGKILL)
            #expect(!killed.said.contains { $0.contains(Self.token) })

            let again = try await RunningServer.start(arguments)
            let second = try again.client(token: Self.token)
            for number in 0..<2 { #expect(try await found(second, number) == ["G\(number)"]) }
            for number in 0..<2 { try await second.delete(product: "G\(number)") }
            #expect(await again.stop().code == 0)
            await #expect(throws: ClientError.self) { try await second.models() }
            // Emptied, it is served again.
            let last = try await RunningServer.start(arguments)
            #expect(try await found(last.client(), 0) == [])
            #expect(await last.stop().code == 0)
        }

        @Test("a watched folder is followed: what comes is found, what changes is found as it is, what goes is found no more")
        func watched() async throws {
            let place = try Workplace()
            let pictures = try place.boutique(5)
            let server = try await RunningServer.start([
                "serve", "--port", "0", "--catalog", place("new.db"), "--model", ReducedModel.path, "--watch", pictures,
            ])
            func titles(_ picture: String) async throws -> [String] {
                let results = try #require(try await server.search(picture)["results"] as? [[String: Any]])
                return results.compactMap { ($0["product"] as? [String: Any])?["id"] as? String }
            }
            func waits(_ isSo: () async throws -> Bool) async throws -> Bool {
                for _ in 0..<1200 {
                    if try await isSo() { return true }
                    try await Task.sleep(for: .milliseconds(50))
                }
                return false
            }
            let first = place(Workplace.name(0))
            #expect(try await waits { try await titles(first).count == 5 })
            let before = try await titles(first)
            // A new one, and one that goes; a file that is no picture is told once and stops nothing.
            try place.picture("pictures/dresses/new.png", 77)
            try place.write("pictures/dresses/broken.png", "no picture")
            try FileManager.default.removeItem(atPath: place(Workplace.name(1)))
            #expect(
                try await waits {
                    let found = try await titles(place("pictures/dresses/new.png"))
                    return found.count == 5 && !before.contains(found[0])
                })
            let after = try await titles(place("pictures/dresses/new.png"))
            #expect(!before.contains(after[0]) && Set(after).isSubset(of: Set(before).union([after[0]])))
            // Other content under a name that is known.
            try place.picture(Workplace.name(2), 501)
            let asked = try place.picture("asked.png", 501)
            #expect(
                try await waits {
                    let answer = try await server.search(asked)["results"] as? [[String: Any]]
                    return (answer?.first?["score"] as? Double ?? 0) > 0.9999
                })
            let end = await server.stop()
            #expect(end.code == 0)
            #expect(end.said.filter { $0.contains("broken.png") }.count == 1, "\(end)")
            #expect(
                end.said.contains { $0.contains("1 products and 1 pictures are new or changed, 1 pictures are gone") }, "\(end)")
            let absent = try await Command.run("serve", "--catalog", place("x.db"), "--watch", place("nowhere"))
            #expect(absent.code == 66 && absent.errors.count == 1)
        }

        @Test("a model is brought in beside the one that answers, takes its name, and outlives what it replaced")
        func swapped() async throws {
            let place = try Workplace()
            _ = try await Command.run("import", try place.boutique(4), "--catalog", place("x.db"), "--json").good()
            _ = try await Command.run("embed", "--catalog", place("x.db"), "--model", ReducedModel.path, "--json").good()
            let server = try await RunningServer.start([
                "serve", "--port", "0", "--catalog", place("x.db"), "--model", ReducedModel.path, "--admin-token-file",
                try tokenFile(place), "--model-folder", ReducedModel.folder,
            ])
            let client = try server.client(token: Self.token)
            let before = try await client.models().models
            let name = try #require(before.first).id
            func put(_ id: String, _ source: String) async throws -> Int {
                var request = URLRequest(url: try #require(URL(string: server.address + "api/v1/models/\(id)")))
                request.httpMethod = "PUT"
                request.setValue("Bearer \(Self.token)", forHTTPHeaderField: "Authorization")
                request.setValue("application/json", forHTTPHeaderField: "Content-Type")
                request.httpBody = Data(#"{"source": "\#(source)"}"#.utf8)
                return try #require(try await URLSession.shared.data(for: request).1 as? HTTPURLResponse).statusCode
            }
            func reaches(_ isSo: () async throws -> Bool) async throws -> Bool {
                for _ in 0..<1200 {
                    if try await isSo() { return true }
                    try await Task.sleep(for: .milliseconds(50))
                }
                return false
            }
            #expect(try await put(name, "no-such-model") == 404)
            #expect(try await put(name, "resnet-f32") == 202)
            #expect(try await reaches { try await client.models().models.first?.fingerprint != before[0].fingerprint })
            let after = try await client.models().models
            #expect(after.count == 1 && after[0].id == name && after[0].images == 4)
            let photo = try Data(contentsOf: URL(fileURLWithPath: place(Workplace.name(2))))
            #expect(try await client.search(SearchQuery(images: [photo])).results.first?.score ?? 0 > 0.9999)
            let end = await server.stop()
            #expect(end.code == 0 && end.said.contains { $0 == "\(name) answers from now on, by resnet-f32." }, "\(end)")
        }

        @Test("near-duplicates are listed, as text and as JSON")
        func duplicates() async throws {
            let place = try Workplace()
            let pictures = try place.boutique(5)
            // The first one again, a little larger.
            try place.picture("pictures/shirts/again.png", 0, width: 46, height: 54)
            _ = try await Command.run("import", pictures, "--catalog", place("x.db"), "--json").good()
            let none = try await Command.run("duplicates", "--catalog", place("x.db"))
            #expect(none.code == 65 && none.errors.count == 1 && none.errors[0].contains("has no vectors"))
            _ = try await Command.run("embed", "--catalog", place("x.db"), "--model", ReducedModel.path, "--json").good()
            let document = try await Command.run("duplicates", "--catalog", place("x.db"), "--json").good()
            let groups = try #require(document["duplicates"] as? [[String: Any]])
            let names = groups.map { group in
                (group["items"] as? [[String: Any]] ?? []).compactMap { ($0["path"] as? String)?.split(separator: "/").last }
            }
            #expect(names == [["000.png", "again.png"]], "\(document)")
            #expect(document["compared"] as? Int == 6)
            let text = try await Command.run("duplicates", "--catalog", place("x.db"))
            #expect(text.code == 0 && text.text.contains("6 pictures compared: 1 groups of near-duplicates, 1 pairs of products"))
            for (option, value) in [("--score", "2"), ("--difference", "-1"), ("--model", "nobody")] {
                let end = try await Command.run("duplicates", "--catalog", place("x.db"), option, value)
                #expect([64, 66].contains(end.code) && end.errors.count == 1, "\(end)")
            }
        }

        @Test("settings come from the command line, then the environment, then a file; what is wrong says where it stands")
        func settings() async throws {
            let place = try Workplace()
            _ = try await Command.run("import", try place.boutique(3), "--catalog", place("x.db"), "--json").good()
            _ = try await Command.run("embed", "--catalog", place("x.db"), "--model", ReducedModel.path, "--json").good()
            let file = try place.write(
                "settings.json",
                #"{"catalog": "\#(place("x.db"))", "model": ["\#(ReducedModel.path)"], "port": 1, "base_path": "/file", "access_log": true}"#
            )
            let server = try await RunningServer.start(
                ["serve", "--config", file, "--port", "0"],
                environment: ["STYLEFINDER_PORT": "2", "STYLEFINDER_BASE_PATH": "/from-environment"])
            #expect(server.address.hasSuffix("/from-environment/"))
            #expect(try await server.get("healthz").status == 200)
            let end = await server.stop()
            #expect(end.code == 0 && end.said.contains { $0.hasPrefix("{") && $0.contains("/healthz") })
            for (content, environment, code, says) in [
                (#"{"prot": 1}"#, [:], Int32(65), "has the key prot"), ("[]", [:], 65, "no JSON object"),
                (#"{"port": "many"}"#, [:], 64, "port in "), (#"{"port": 99999}"#, [:], 64, "it is port in "),
                ("{}", ["STYLEFINDER_PORT": "many"], 64, "STYLEFINDER_PORT is no whole number"),
                ("{}", ["STYLEFINDER_PORT": "99999"], 64, "it is STYLEFINDER_PORT"),
            ] as [(String, [String: String], Int32, String)] {
                let wrong = try place.write("wrong.json", content)
                let end = try await Command.run(
                    "serve", "--catalog", place("x.db"), "--config", wrong, environment: environment)
                #expect(
                    end.code == code && end.errors.count == 1 && end.errors[0].contains(says), "\(content) \(environment): \(end)"
                )
            }
            let absent = try await Command.run("serve", "--catalog", place("x.db"), "--config", place("none.json"))
            #expect(absent.code == 66 && absent.errors.count == 1)
        }

        @Test("without a token the catalogue is opened for reading only, and every change is refused")
        func readOnly() async throws {
            let place = try Workplace()
            _ = try await Command.run("import", try place.boutique(3), "--catalog", place("x.db"), "--json").good()
            let common = ["--catalog", place("x.db"), "--model", ReducedModel.path]
            _ = try await Command.start(["embed", "--json"] + common).end().good()
            let server = try await RunningServer.start(["serve", "--port", "0"] + common)
            let reader = try server.client(token: Self.token)
            #expect(try await refusal { try await reader.put(ProductColumns(), id: "G0") } == 401)
            #expect(await server.stop().code == 0)
            // The token may stand in the environment.
            let other = try await RunningServer.start(
                ["serve", "--port", "0"] + common, environment: ["STYLEFINDER_ADMIN_TOKEN": Self.token])
            #expect(try await other.client(token: Self.token).put(ProductColumns(), id: "G0"))
            #expect(await other.stop().code == 0)
        }

        @Test("a token's file that others can read is warned of; one without a token ends the command in a sentence")
        func tokenFiles() async throws {
            let place = try Workplace()
            let open = try await RunningServer.start([
                "serve", "--port", "0", "--catalog", place("x.db"), "--model", ReducedModel.path, "--admin-token-file",
                try tokenFile(place, mode: 0o644),
            ])
            #expect(open.command.said.contains { $0.hasPrefix("warning: the token file ") && $0.contains("chmod 600") })
            #expect(await open.stop().code == 0)
            for (file, code, says) in [
                (try tokenFile(place, ""), Int32(65), "it is empty"), (try tokenFile(place, "short"), 65, "at least 16"),
                (try tokenFile(place, "with blanks in the middle"), 65, "other characters"), (place("none"), 66, "can't be read"),
            ] {
                let end = try await Command.run(
                    "serve", "--catalog", place("y.db"), "--model", ReducedModel.path, "--admin-token-file", file)
                #expect(end.code == code && end.errors.count == 1 && end.errors[0].contains(says), "\(end)")
            }
            let short = try await Command.run(
                "serve", "--catalog", place("y.db"), environment: ["STYLEFINDER_ADMIN_TOKEN": "short"])
            #expect(short.code == 64 && short.errors.count == 1 && !short.errors[0].contains("'short'"), "\(short)")
            #expect(!FileManager.default.fileExists(atPath: place("y.db")))
            for (option, value) in [("--rate", "0/s"), ("--rate", "fast"), ("--trusted-proxy", "proxy")] {
                let end = try await Command.run("serve", "--catalog", place("y.db"), option, value)
                #expect(end.code == 64 && end.errors.count == 1 && end.errors[0].contains(value), "\(end)")
            }
        }
    }
}
