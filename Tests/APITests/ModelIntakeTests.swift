import Catalog
import Foundation
import HTTPTypes
import NIOCore
import Search
import Synchronization
import Testing

@testable import API

/// Opens one model, whose vectors are made when a test says so.
private final class Opening: ModelOpening {
    let shop: Shop
    private let mayGo = AsyncStream.makeStream(of: Void.self)
    let completed = Flag()
    let noted = Flag()

    init(_ shop: Shop) { self.shop = shop }

    func go() { mayGo.continuation.finish() }

    func knows(_ source: String) -> Bool { ["better", "broken"].contains(source) }

    func open(_ source: String, as name: String, progress: @escaping @Sendable (Int, Int) -> Void) async throws -> ServedModel {
        progress(3, 12)
        for await _ in mayGo.stream {}
        if source == "broken" { throw CocoaError(.fileReadCorruptFile, userInfo: [NSLocalizedDescriptionKey: "no"]) }
        let encoder = ColorEncoder(model: ModelRecord(fingerprint: "better-colour", name: name, dimension: 4))
        try shop.catalog.writeVectors(
            shop.catalog.images().map {
                NewVector(image: $0.id, contentHash: nil, components: ColorEncoder.unit([1, 2, 3, Float($0.id)]))
            },
            of: encoder.model)
        return ServedModel(
            card: Shop.card(encoder.model),
            engine: try SearchEngine(try #require(shop.service.models.first).engine.catalog, encoder: encoder))
    }

    func complete(_ model: ServedModel) async throws { completed.set() }

    func note(_ error: any Error, of source: String) { noted.set() }
}

private final class Flag: Sendable {
    private let state = Mutex(false)
    var isSet: Bool { state.withLock { $0 } }
    func set() { state.withLock { $0 = true } }
}

@Suite("Models brought in over HTTP")
struct ModelIntakeTests {
    private func ask(_ client: TestClient, _ method: HTTPRequest.Method, _ id: String, _ json: String = "{}") async throws
        -> TestResponse
    {
        try await client.execute(
            uri: "/api/v1/models/\(id)", method: method,
            headers: [.authorization: "Bearer \(Shop.token)", .contentType: "application/json"],
            body: method == .put ? ByteBuffer(string: json) : nil)
    }

    private func reaches(_ isSo: () async throws -> Bool) async throws -> Bool {
        for _ in 0..<2000 {
            if try await isSo() { return true }
            try await Task.sleep(for: .milliseconds(5))
        }
        return false
    }

    @Test("a model answers once its vectors are there, not before; then others can go", arguments: ["colours", "second"])
    func swapped(id: String) async throws {
        let shop = try Shop()
        let opening = Opening(shop)
        try await shop.liveServer { $0.modelOpening = opening }.test(.router) { client in
            func fingerprints() async throws -> [String] {
                let models = try await client.get("/api/v1/models").json()["models"] as? [[String: Any]]
                return models?.compactMap { $0["fingerprint"] as? String } ?? []
            }
            let answer = try await ask(client, .put, id, #"{"source": "better"}"#)
            #expect(answer.status == .accepted, "\(answer.text)")
            #expect(
                try await reaches {
                    let coming = try await client.get("/api/v1/models").json()["coming"] as? [String: Any]
                    return coming?["done"] as? Int == 3 && coming?["total"] as? Int == 12 && coming?["id"] as? String == id
                })
            #expect(try await fingerprints() == ["mean-colour"])
            #expect(try await client.search(json: #"{"text": "red"}"#).status == .ok)
            // One at a time.
            #expect(try await ask(client, .put, "third", #"{"source": "better"}"#).status == .conflict)
            opening.go()
            let expected = id == "colours" ? ["better-colour"] : ["mean-colour", "better-colour"]
            #expect(try await reaches { try await fingerprints() == expected })
            #expect(try await reaches { try await client.get("/api/v1/models").json()["coming"] == nil })
            #expect(opening.completed.isSet)
            let found = try await client.search(json: #"{"text": "red", "model": "\#(id)"}"#)
            #expect(try found.json()["model"] as? String == id)
            // Down to the last one.
            #expect(try await ask(client, .delete, "nobody").status == .notFound)
            if id == "second" {
                #expect(try await ask(client, .delete, "colours").status == .noContent)
                #expect(try await client.search(json: #"{"text": "red", "model": "colours"}"#).status == .notFound)
            }
            #expect(try await ask(client, .delete, id).status == .conflict)
            #expect(try await client.search(json: #"{"text": "red"}"#).status == .ok)
        }
    }

    @Test("what is wrong is said, and a model that does not come leaves the others as they were")
    func refused() async throws {
        let shop = try Shop()
        let opening = Opening(shop)
        try await shop.liveServer { $0.modelOpening = opening }.test(.router) { client in
            #expect(try await client.execute(uri: "/api/v1/models/x", method: .delete).status == .unauthorized)
            for (id, json, status) in [
                ("x", #"{"source": "nobody"}"#, HTTPResponse.Status.notFound), ("x", #"{"source": "../../etc"}"#, .badRequest),
                ("x", #"{"source": "/etc/passwd"}"#, .badRequest), ("%2e%2e", #"{"source": "better"}"#, .badRequest),
                ("a%20b", #"{"source": "better"}"#, .badRequest), ("x", #"{"path": "better"}"#, .badRequest),
            ] {
                let answer = try await ask(client, .put, id, json)
                #expect(answer.status == status, "\(id) \(json): \(answer.text)")
            }
            opening.go()
            #expect(try await ask(client, .put, "broken").status == .accepted)
            #expect(
                try await reaches {
                    let coming = try await client.get("/api/v1/models").json()["coming"] as? [String: Any]
                    return coming?["error"] as? String == "It could not be brought in; the server's log says why."
                })
            #expect(opening.noted.isSet)
            #expect((try await client.get("/api/v1/models").json()["models"] as? [Any])?.count == 1)
            // After one that did not come the next may.
            #expect(try await ask(client, .put, "second", #"{"source": "better"}"#).status == .accepted)
            #expect(try await reaches { (try await client.get("/api/v1/models").json()["models"] as? [Any])?.count == 2 })
        }
        // A server that opens none.
        try await shop.liveServer().test(.router) { client in
            let answer = try await ask(client, .put, "x", #"{"source": "better"}"#)
            #expect(answer.status == .notFound)
        }
    }
}
