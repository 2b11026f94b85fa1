import Catalog
import Foundation
import Testing

#if canImport(FoundationNetworking)
    import FoundationNetworking
#endif

extension RunningServer {
    /// Sends a request with the admin token.
    func change(_ method: String, _ path: String, token: String, type: String? = nil, body: Data? = nil) async throws -> (
        status: Int, body: [String: Any]
    ) {
        var request = URLRequest(url: try #require(URL(string: address + path)))
        request.httpMethod = method
        request.setValue("Bearer \(token)", forHTTPHeaderField: "Authorization")
        if let type { request.setValue(type, forHTTPHeaderField: "Content-Type") }
        request.httpBody = body
        let (data, response) = try await URLSession.shared.data(for: request)
        let status = try #require(response as? HTTPURLResponse).statusCode
        return (status, data.isEmpty ? [:] : (try JSONSerialization.jsonObject(with: data) as? [String: Any] ?? [:]))
    }

    func put(_ id: String, _ json: String, token: String) async throws -> Int {
        try await change("PUT", "api/v1/products/\(id)", token: token, type: "application/json", body: Data(json.utf8)).status
    }

    func add(_ picture: String, to id: String, token: String) async throws -> (status: Int, body: [String: Any]) {
        var body = Data("--edge\r\nContent-Disposition: form-data; name=\"image\"; filename=\"q\"\r\n\r\n".utf8)
        body.append(try Data(contentsOf: URL(fileURLWithPath: picture)))
        body.append(Data("\r\n--edge--\r\n".utf8))
        return try await change(
            "POST", "api/v1/products/\(id)/images", token: token, type: "multipart/form-data; boundary=edge", body: body)
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

        private func products(_ document: [String: Any]) throws -> [String] {
            try #require(document["results"] as? [[String: Any]]).compactMap {
                ($0["product"] as? [String: Any])?["id"] as? String
            }
        }

        @Test("a catalogue that is not there is made and filled over HTTP; what was acknowledged outlives a kill")
        func filled() async throws {
            let place = try Workplace()
            try place.boutique(4)
            let arguments = [
                "serve", "--port", "0", "--catalog", place("new.db"), "--model", ReducedModel.path, "--admin-token-file",
                try tokenFile(place), "--access-log",
            ]
            let server = try await RunningServer.start(arguments)
            #expect(try products(await server.search(place(Workplace.name(0)))) == [])
            for number in 0..<3 {
                #expect(try await server.put("G\(number)", #"{"title": "Garment \#(number)"}"#, token: Self.token) == 201)
                let added = try await server.add(place(Workplace.name(number)), to: "G\(number)", token: Self.token)
                #expect(added.status == 201)
                #expect(try products(await server.search(place(Workplace.name(number)), ["top_k": "1"])) == ["G\(number)"])
            }
            #expect(try await server.put("G0", "{}", token: "another-token-of-some-length") == 401)
            #expect(try await server.change("DELETE", "api/v1/products/G2", token: Self.token).status == 204)
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
            for number in 0..<2 {
                #expect(try products(await again.search(place(Workplace.name(number)), ["top_k": "1"])) == ["G\(number)"])
            }
            #expect(try await again.change("DELETE", "api/v1/products/G0", token: Self.token).status == 204)
            #expect(try await again.change("DELETE", "api/v1/products/G1", token: Self.token).status == 204)
            #expect(await again.stop().code == 0)
            // Emptied, it is served again.
            let last = try await RunningServer.start(arguments)
            #expect(try products(await last.search(place(Workplace.name(0)))) == [])
            #expect(await last.stop().code == 0)
        }

        @Test("without a token the catalogue is opened for reading only, and every change is refused")
        func readOnly() async throws {
            let place = try Workplace()
            _ = try await Command.run("import", try place.boutique(3), "--catalog", place("x.db"), "--json").good()
            let common = ["--catalog", place("x.db"), "--model", ReducedModel.path]
            _ = try await Command.start(["embed", "--json"] + common).end().good()
            let server = try await RunningServer.start(["serve", "--port", "0"] + common)
            #expect(try await server.put("G0", "{}", token: Self.token) == 401)
            #expect(await server.stop().code == 0)
            // The token may stand in the environment.
            let other = try await RunningServer.start(
                ["serve", "--port", "0"] + common, environment: ["STYLEFINDER_ADMIN_TOKEN": Self.token])
            #expect(try await other.put("G0", "{}", token: Self.token) == 201)
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
