import Catalog
import Foundation
import Testing

#if canImport(FoundationNetworking)
    import FoundationNetworking
#endif

/// A running `serve` or `demo`.
struct RunningServer {
    let command: Command
    let address: String

    /// Waits until it says where it answers.
    /// - Throws: where it ends instead.
    static func start(_ arguments: [String], environment: [String: String] = [:]) async throws -> RunningServer {
        let command = try Command.start(arguments, environment: environment)
        var address = ""
        let ready = try await command.reaches {
            guard let line = command.said.first(where: { $0.hasPrefix("Open http") }) else { return false }
            address = String(line.split(separator: " ")[1])
            return true
        }
        guard ready else {
            Issue.record("\(await command.end())")
            throw CocoaError(.featureUnsupported)
        }
        return RunningServer(command: command, address: address)
    }

    func get(_ path: String) async throws -> (status: Int, body: Data) {
        try await send(URLRequest(url: try #require(URL(string: address + path))))
    }

    /// Searches with a picture, as a form.
    func search(_ picture: String, _ fields: [String: String] = [:]) async throws -> [String: Any] {
        var body = Data()
        for (name, value) in fields {
            body.append(Data("--edge\r\nContent-Disposition: form-data; name=\"\(name)\"\r\n\r\n\(value)\r\n".utf8))
        }
        body.append(Data("--edge\r\nContent-Disposition: form-data; name=\"image\"; filename=\"q\"\r\n\r\n".utf8))
        body.append(try Data(contentsOf: URL(fileURLWithPath: picture)))
        body.append(Data("\r\n--edge--\r\n".utf8))
        var request = URLRequest(url: try #require(URL(string: address + "api/v1/search")))
        request.httpMethod = "POST"
        request.setValue("multipart/form-data; boundary=edge", forHTTPHeaderField: "Content-Type")
        request.httpBody = body
        let answer = try await send(request)
        #expect(answer.status == 200, "\(String(decoding: answer.body, as: UTF8.self))")
        return try #require(try JSONSerialization.jsonObject(with: answer.body) as? [String: Any])
    }

    private func send(_ request: URLRequest) async throws -> (status: Int, body: Data) {
        let (body, response) = try await URLSession.shared.data(for: request)
        return (try #require(response as? HTTPURLResponse).statusCode, body)
    }

    func stop(_ signal: Int32 = SIGTERM) async -> Outcome {
        command.send(signal)
        return await command.end()
    }
}

extension CommandSuites {
    @Suite("The server")
    struct ServerFlowTests {
        /// A catalogue of twelve pictures with the vectors of a reduced model.
        private func shop(_ place: Workplace) async throws -> [String] {
            let pictures = try place.boutique(12)
            let common = ["--catalog", place("x.db"), "--model", ReducedModel.path]
            _ = try await Command.run("import", pictures, "--catalog", place("x.db"), "--json").good()
            _ = try await Command.start(["embed", "--json"] + common).end().good()
            return common
        }

        private func hits(_ document: [String: Any]) throws -> [(id: String, score: Double)] {
            try #require(document["results"] as? [[String: Any]]).map { result in
                let product = try #require(result["product"] as? [String: Any])
                return (try #require(product["id"] as? String), try #require(result["score"] as? Double))
            }
        }

        @Test("a search over the socket has the results of the same search from the command line; SIGTERM ends it with 0")
        func search() async throws {
            let place = try Workplace()
            let common = try await shop(place)
            let server = try await RunningServer.start(["serve", "--port", "0"] + common)
            for number in [0, 3, 7] {
                let picture = place(Workplace.name(number))
                let here = try hits(await Command.start(["search", picture, "--json", "-k", "5"] + common).end().good())
                let there = try hits(await server.search(picture, ["top_k": "5"]))
                #expect(there.map(\.id) == here.map(\.id))
                #expect(zip(here, there).allSatisfy { abs($0.score - $1.score) < 1e-5 })
            }
            #expect(try await server.get("readyz").status == 200)
            // The connections above are kept alive; they must not hold up the end.
            let begin = ContinuousClock.now
            let end = await server.stop()
            #expect(end.code == 0 && end.said.last == "Stopped.", "\(end)")
            #expect(ContinuousClock.now - begin < .seconds(9))
        }

        @Test(
            "what is embedded with another shipped model while the server runs is searched with that model, without a new start")
        func newcomer() async throws {
            let place = try Workplace()
            let pictures = try place.boutique(6)
            _ = try await Command.run("import", pictures, "--catalog", place("x.db"), "--json").good()
            func embed(_ model: String) async throws {
                _ = try await Command.run("embed", "--catalog", place("x.db"), "--model", model, "--json").good()
            }
            try await embed("small-resnet")
            let server = try await RunningServer.start(["serve", "--port", "0", "--catalog", place("x.db")])
            let before = try await server.get("api/v1/models/small-vit")
            #expect(before.status == 404)
            try await embed("small-vit")
            #expect(
                try await server.command.reaches { server.command.said.contains("small-vit has vectors now and answers too.") })
            let found = try await server.search(place(Workplace.name(1)), ["model": "small-vit", "top_k": "1"])
            #expect(try hits(found).map(\.id) == ["shirts/001.png"] && found["model"] as? String == "small-vit")
            // The one that was there answers by default, as before.
            #expect(try await server.search(place(Workplace.name(1)))["model"] as? String == "small-resnet")
            #expect(await server.stop().code == 0)
        }

        @Test("Ctrl-C ends it with 130, and the port can be taken again at once")
        func interrupted() async throws {
            let place = try Workplace()
            let common = try await shop(place)
            let first = try await RunningServer.start(["serve", "--port", "0"] + common)
            let port = try #require(URL(string: first.address)?.port)
            let busy = try await Command.start(["serve", "--port", "\(port)"] + common).end()
            #expect(busy.code == 69, "\(busy)")
            #expect(busy.errors == ["error: Port \(port) of 127.0.0.1 is in use; name another one with --port."], "\(busy)")
            #expect(await first.stop(SIGINT).code == 130)
            let second = try await RunningServer.start(["serve", "--port", "\(port)"] + common)
            #expect(await second.stop().code == 0)
        }

        @Test("the demo draws, embeds and serves; a second start finds everything made; other options are refused")
        func demo() async throws {
            let place = try Workplace()
            let arguments = ["demo", "--port", "0", "--folder", place("demo")]
            let first = try await RunningServer.start(arguments + ["--garments", "12"])
            let samples = try await first.get("api/v1/samples")
            #expect(String(decoding: samples.body, as: UTF8.self).contains("/api/v1/samples/3"))
            let list = try await first.get("api/v1/products?limit=1")
            #expect(String(decoding: list.body, as: UTF8.self).contains("\"total\":12"))
            let drawn = await first.stop()
            #expect(drawn.code == 0 && drawn.said.contains { $0.hasPrefix("drawing") }, "\(drawn)")

            let second = await (try RunningServer.start(arguments + ["--garments", "12"])).stop()
            #expect(!second.said.contains { $0.hasPrefix("drawing") || $0.hasPrefix("embedding") }, "\(second)")

            // The folder is the user's, so nothing in it is thrown away for other options.
            let third = try await Command.start(arguments + ["--garments", "13"]).end()
            #expect(third.code == 64 && third.errors.count == 1, "\(third)")
        }

        @Test("the demo serves a folder of photos instead, beside the boutique")
        func photos() async throws {
            let place = try Workplace()
            let pictures = try place.boutique(5)
            let server = try await RunningServer.start(["demo", "--port", "0", "--folder", place("demo"), "--photos", pictures])
            let list = try await server.get("api/v1/products?limit=1")
            #expect(String(decoding: list.body, as: UTF8.self).contains("\"total\":5"))
            let end = await server.stop()
            #expect(end.code == 0 && !end.said.contains { $0.hasPrefix("drawing") })
        }

        @Test("a drawn catalogue is the same twice, and goes on where it was interrupted")
        func generate() async throws {
            let place = try Workplace()
            let options = ["--garments", "10", "--width", "96", "--seed", "5", "--json"]
            let first = try await Command.start(["generate", place("a")] + options).end().good()
            #expect(first["garments"] as? Int == 10)
            _ = try await Command.start(["generate", place("b")] + options).end().good()
            let manifests = try ["a", "b"].map { try Data(contentsOf: URL(fileURLWithPath: place($0 + "/manifest.jsonl"))) }
            #expect(manifests[0] == manifests[1] && !manifests[0].isEmpty)
            let again = try await Command.start(["generate", place("a")] + options).end().good()
            #expect(again["drawn"] as? Int == 0)

            let long = try Command.start(["generate", place("long"), "--garments", "300"])
            _ = try await long.reaches { long.said.contains { $0.hasPrefix("drawing") } }
            long.send(SIGINT)
            let stopped = await long.end()
            #expect(stopped.code == 130, "\(stopped)")
            #expect(!FileManager.default.fileExists(atPath: place("long/manifest.jsonl")))
            #expect(FileManager.default.fileExists(atPath: place("long/images")))
        }

        @Test("import takes only the splits it is asked for")
        func splits() async throws {
            let place = try Workplace()
            let data = try place.dataset(4)
            let report = try await Command.run("import", data, "--catalog", place("x.db"), "--split", "gallery", "--json").good()
            #expect(report["images_added"] as? Int == 4)
            #expect(try place.look("x.db") { try $0.images().allSatisfy { $0.split == "gallery" } })
        }
    }
}
