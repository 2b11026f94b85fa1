import Foundation
import HTTPTypes
import Hummingbird
import NIOCore
import Testing

@testable import API

extension TestClient {
    /// Sends lines to be searched and takes one answer a line.
    fileprivate func searches(_ lines: [String], type: String = "application/x-ndjson") async throws -> [[String: Any]] {
        let answer = try await execute(
            uri: "/api/v1/search/batch", method: .post, headers: [.contentType: type],
            body: ByteBuffer(string: lines.joined(separator: "\n")))
        try #require(answer.status == .ok, "\(answer.text)")
        let contract = try Contract.shared.get()
        return try answer.text.split(separator: "\n").map { line in
            let found = try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
            #expect(contract.problem(found, ["$ref": "#/components/schemas/SearchBatchAnswer"], at: "") == nil, "\(line)")
            return found
        }
    }
}

@Suite("Many searches in one call, and the paper's own calls")
struct BulkSearchTests {
    private func products(_ answer: [String: Any]) -> [String] {
        (answer["results"] as? [[String: Any]] ?? []).compactMap { ($0["product"] as? [String: Any])?["id"] as? String }
    }

    @Test("each line is answered as a search of its own would be, in their order, whatever is wrong with others")
    func lines() async throws {
        let shop = try Shop()
        try await shop.server().test(.router) { client in
            let lines = [
                #"{"id": "a", "text": "a green thing", "top_k": 2}"#, "", "{", #"{"text": "red", "by": "words"}"#,
                #"{"id": 7, "product_id": "nobody"}"#, #"{"image": "x"}"#, #"{"id": "b", "liked": ["P5"], "top_k": 1}"#,
                #"{"text": "blue", "filter": ["brand:None"]}"#, #"{"id": ["a", "b"], "text": "red"}"#, "[]",
            ]
            let answers = try await client.searches(lines)
            #expect(answers.map { $0["line"] as? Int } == [1, 3, 4, 5, 6, 7, 8, 9, 10])
            #expect(answers.map { $0["id"] as? String } == ["a", nil, nil, "7", nil, "b", nil, nil, nil])
            #expect(
                answers.map { ($0["error"] as? [String: String])?["code"] } == [
                    nil, "malformed_json", nil, "unknown_product", "wrong_parameter", nil, nil, "wrong_parameter",
                    "malformed_json",
                ])
            for (line, answer) in [(0, answers[0]), (3, answers[2]), (6, answers[5])] {
                var object = try #require(try JSONSerialization.jsonObject(with: Data(lines[line].utf8)) as? [String: Any])
                object["id"] = nil
                let json = String(decoding: try JSONSerialization.data(withJSONObject: object), as: UTF8.self)
                let alone = try await client.search(json: json).products()
                #expect(!alone.isEmpty && products(answer) == alone)
            }
            #expect(products(answers[6]).isEmpty && answers[6]["error"] == nil)
        }
    }

    @Test("more lines than a model takes at once keep their order")
    func order() async throws {
        let shop = try Shop()
        try await shop.server().test(.router) { client in
            let names = (0..<50).map { Shop.colors[$0 % Shop.colors.count].name }
            let answers = try await client.searches(names.map { #"{"text": "\#($0)", "by": "words", "top_k": 1}"# })
            #expect(answers.map { products($0).first } == (0..<50).map { "P\($0 % Shop.colors.count)" })
        }
    }

    @Test("what is too much of lines or answers is said on the line from which on nothing was answered")
    func limits() async throws {
        let shop = try Shop()
        try await shop.server { $0.limits.searchBatchLines = 3 }.test(.router) { client in
            let answers = try await client.searches((0..<6).map { _ in #"{"text": "red"}"# })
            #expect(answers.count == 4)
            #expect((answers[3]["error"] as? [String: String])?["code"] == "too_many_lines")
            for type in ["application/json", "text/plain"] {
                let answer = try await client.execute(
                    uri: "/api/v1/search/batch", method: .post, headers: [.contentType: type], body: ByteBuffer(string: "{}"))
                #expect(answer.status == .unsupportedMediaType)
            }
            let empty = try await client.execute(
                uri: "/api/v1/search/batch", method: .post, headers: [.contentType: "application/jsonl"],
                body: ByteBuffer(string: "\n\n"))
            #expect(empty.status == .badRequest)
        }
        try await shop.server { $0.limits.searchBatchBytes = 3000 }.test(.router) { client in
            let answers = try await client.searches((0..<40).map { _ in #"{"text": "red"}"# })
            let last = try #require(answers.last)
            #expect(answers.count < 40 && (last["error"] as? [String: String])?["message"]?.contains("larger than") == true)
        }
    }

    // MARK: The paper's calls

    @Test("the paper's search answers each similar picture with its address, score, rank and label")
    func paperSearch() async throws {
        let shop = try Shop()
        try await shop.server().test(.router) { client in
            for fields in [[], [("clip_arch", "mean/1"), ("model", "plain")], [("model", "colours")]] {
                var form = Form(image: try Shop.png([195, 25, 25]), [("top_k", "3")] + fields)
                form.add("model", "")
                let answer = try await client.execute(
                    uri: "/api/search", method: .post,
                    headers: [.contentType: "multipart/form-data; boundary=\(Form.boundary)"], body: form.body)
                #expect(answer.status == .ok, "\(answer.text)")
                let found = try #require(try answer.json()["similar_images"] as? [[String: Any]])
                #expect(found.map { $0["rank"] as? Int } == [1, 2, 3])
                // Both pictures of the red thing, each on its own.
                #expect(found.prefix(2).map { $0["label"] as? String } == ["A red thing", "A red thing"])
                #expect(found[0]["product_id"] as? String == "P0")
                let scores = found.compactMap { $0["score"] as? Double }
                #expect(scores == scores.sorted(by: >) && scores[0] > 0.99)
                let picture = try await client.get(try #require(found[0]["url"] as? String) + "?w=160")
                #expect(picture.status == .ok && picture.headers[.contentType] == "image/jpeg")
            }
            let wrong = Form(image: try Shop.png([1, 2, 3]), [("clip_arch", "RN50")])
            let answer = try await client.execute(
                uri: "/api/search", method: .post, headers: [.contentType: "multipart/form-data; boundary=\(Form.boundary)"],
                body: wrong.body)
            #expect(answer.status == .notFound && answer.text.contains("Mean/1 / plain"))
            let none = try await client.execute(
                uri: "/api/search", method: .post, headers: [.contentType: "multipart/form-data; boundary=\(Form.boundary)"],
                body: Form([("top_k", "3")]).body)
            #expect(none.status == .badRequest)
        }
    }

    @Test("the paper's models are variants by architecture, and each has its description")
    func paperModels() async throws {
        let shop = try Shop()
        try await shop.server().test(.router) { client in
            let models = try await client.get("/api/models").json()["models"] as? [String: [String]]
            #expect(models == ["Mean/1": ["plain"]])
            let answer = try await client.get("/api/model-description/Mean%2F1/plain")
            #expect(answer.status == .ok)
            let document = try answer.json()
            #expect(document["clip_arch"] as? String == "Mean/1" && document["model"] as? String == "plain")
            let words = try #require(document["description"] as? String)
            #expect(words.contains("8 × 8 pixels") && words.contains("3 epochs") && words.contains("learning rate 0.001"))
            #expect((document["card"] as? [String: Any])?["embedding_size"] as? Int == 4)
            #expect(try await client.get("/api/model-description/RN50/v1").status == .notFound)
        }
    }
}
