import Catalog
import CoreMetrics
import Foundation
import HTTPTypes
import Hummingbird
import Logging
import NIOCore
import Synchronization
import Testing

@testable import API

@Suite("What whoever runs the server sees")
struct OperationTests {
    private static let requestID = "X-Request-Id"

    private func header(_ name: String, _ value: String) throws -> HTTPFields {
        [try #require(HTTPField.Name(name)): value]
    }

    @Test("a request is called what its client calls it, and otherwise by a word of its own, in the answer and in the log")
    func requestIDs() async throws {
        let shop = try Shop()
        let lines = Mutex<[String]>([])
        var settings = ServerSettings(port: 0)
        settings.accessLog = .json { line in lines.withLock { $0.append(line) } }
        let name = try #require(HTTPField.Name(Self.requestID))
        try await shop.server { $0 = settings }.test(.router) { client in
            let mine = try await client.get("/api/v1/products?limit=1", headers: header(Self.requestID, "order-4711.b"))
            #expect(mine.headers[name] == "order-4711.b")
            var made: Set<String> = []
            for odd in [nil, "short", "with blank in it", "a\"b-quoted-id", String(repeating: "x", count: 65)] {
                let answer = try await client.get(
                    "/api/v1/products/nobody", headers: odd.map { try header(Self.requestID, $0) } ?? [:])
                let id = try #require(answer.headers[name])
                #expect(id != odd && id.count == 32 && id.allSatisfy(\.isHexDigit), "\(id)")
                made.insert(id)
            }
            #expect(made.count == 5)
        }
        let entries = try lines.withLock { $0 }.map { line in
            try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any], "\(line)")
        }
        #expect(entries.count == 6)
        let first = try #require(entries.first)
        #expect(first["request_id"] as? String == "order-4711.b" && first["client"] as? String == "test")
        #expect(first["method"] as? String == "GET" && first["path"] as? String == "/api/v1/products", "no query string")
        #expect(
            first["status"] as? Int == 200 && first["error"] == nil && first["bytes"] as? Int ?? 0 > 10 && first["ms"] is Double)
        let time = try #require(first["time"] as? String)
        #expect(
            try Date(time, strategy: Date.ISO8601FormatStyle(includingFractionalSeconds: true)).timeIntervalSinceNow
                < 60)
        #expect(entries[1]["error"] as? String == "unknown_product" && entries[1]["status"] as? Int == 404)
        #expect(
            entries[1]["route"] as? String == "/api/v1/products/{id}" || entries[1]["route"] as? String == "/api/v1/products/:id")
    }

    /// The value of a line of metrics.
    private func value(_ text: String, _ series: String) -> Double? {
        text.split(separator: "\n").first { $0.hasPrefix(series + " ") }.flatMap { Double($0.dropFirst(series.count + 1)) }
    }

    @Test("metrics count requests by route and status, errors by code, and parts of searches, and say what is served")
    func metrics() async throws {
        let shop = try Shop()
        let image = try Shop.png([190, 30, 30])
        let server = shop.server()
        try await server.test(.router) { client in
            for _ in 0..<3 { _ = try await client.search(Form(image: image)) }
            _ = try await client.search(Form(image: Array("words".utf8)))
            for place in 0..<4 { _ = try await client.get("/api/v1/products/P\(place)") }
            for place in 0..<200 { _ = try await client.get("/nothing/\(place)") }
            let answer = try await client.get("/metrics")
            #expect(answer.headers[.contentType] == "text/plain; version=0.0.4; charset=utf-8")
            let text = answer.text
            let search = #"method="POST",route="/api/v1/search""#
            #expect(value(text, "stylefinder_http_requests_total{\(search),status=\"200\"}") == 3, "\(text)")
            #expect(value(text, "stylefinder_http_requests_total{\(search),status=\"415\"}") == 1)
            #expect(value(text, #"stylefinder_http_request_seconds_count{route="/api/v1/search"}"#) == 4)
            #expect(value(text, #"stylefinder_errors_total{code="not_an_image"}"#) == 1)
            #expect(value(text, #"stylefinder_errors_total{code="not_found"}"#) == 200)
            for phase in ["decode", "encode", "search"] {
                let labels = "model=\"colours\",phase=\"\(phase)\""
                #expect(value(text, "stylefinder_search_phase_seconds_count{\(labels)}") == 3, "\(phase)")
                #expect(value(text, "stylefinder_search_phase_seconds_bucket{\(labels),le=\"+Inf\"}") == 3)
            }
            #expect(value(text, "stylefinder_models_loaded") == 1)
            #expect(value(text, "stylefinder_catalog_images") == 12)
            #expect(value(text, #"stylefinder_catalog_vectors{model="colours"}"#) == 12)
            #expect(value(text, "stylefinder_ready") == 1)
            #expect(value(text, #"stylefinder_queue_length{queue="decode"}"#) != nil)
            // Addresses that are none are one route, whatever they are called.
            #expect(!text.contains("/nothing"))
            try wellFormed(text)
        }
    }

    /// Prometheus' text format, as its documentation has it.
    private func wellFormed(_ text: String) throws {
        let line = try Regex(
            #"[a-zA-Z_][a-zA-Z0-9_]*(\{[a-z_]+="([^"\\\n]|\\["\\n])*"(,[a-z_]+="([^"\\\n]|\\["\\n])*")*\})? (-?[0-9.e+-]+|NaN|[+-]Inf)"#
        )
        var types: [String: String] = [:]
        var name = ""
        for text in text.split(separator: "\n") {
            let words = text.split(separator: " ")
            if text.hasPrefix("# TYPE ") {
                name = String(words[2])
                #expect(types[name] == nil, "\(name) stands twice")
                types[name] = String(words[3])
            } else if !text.hasPrefix("# HELP ") {
                #expect(try line.wholeMatch(in: String(text)) != nil, "\(text)")
                #expect(text.hasPrefix(name))
            }
        }
    }

    @Test("a histogram's buckets hold what lies at or below their bounds, and text in labels is escaped")
    func registry() {
        let registry = MetricsRegistry()
        registry.describe("sizes", "How many.")
        let sizes = Recorder(label: "sizes", dimensions: [("b", "x\"y\\z\n"), ("a", "1")], factory: registry)
        for value in [1, 2, 2, 3, 5000] { sizes.record(value) }
        Counter(label: "bad.name-1", factory: registry).increment(by: 2)
        Counter(label: "bad.name-1", factory: registry).increment(by: 3)
        Meter(label: "level", factory: registry).set(2.5)
        // Another kind under the same name would be no metric at all.
        Meter(label: "sizes", factory: registry).set(7)
        let text = registry.text()
        let labels = #"a="1",b="x\"y\\z\n""#
        for (bound, count) in [("1", 1), ("2", 3), ("4", 4), ("4096", 4), ("+Inf", 5)] {
            #expect(text.contains("sizes_bucket{\(labels),le=\"\(bound)\"} \(count)\n"), "\(text)")
        }
        #expect(text.contains("sizes_sum{\(labels)} 5008\n") && text.contains("sizes_count{\(labels)} 5\n"))
        #expect(text.contains("# HELP sizes How many.\n# TYPE sizes histogram\n"))
        #expect(text.contains("# TYPE bad_name_1_total counter\nbad_name_1_total 5\n") && text.contains("level 2.5\n"))
    }

    @Test("however many labels somebody makes up, so many are kept")
    func bounded() {
        let registry = MetricsRegistry()
        for place in 0..<5000 { Counter(label: "c", dimensions: [("v", "\(place)")], factory: registry).increment() }
        #expect(registry.text().split(separator: "\n").count < 2100)
    }

    @Test("who asks faster than the rate is told when to come back; others, pictures and the admin are not kept waiting")
    func rate() async throws {
        let shop = try Shop()
        let image = try #require(try shop.catalog.usableImageIDs().first)
        let server = try shop.liveServer {
            $0.rate = 0.0001
        }
        try await server.test(.router) { client in
            #expect(try await client.get("/api/v1/products").status == .ok)
            let refused = try await client.get("/api/v1/products")
            #expect(try refused.status == .tooManyRequests && refused.error().code == "too_many_requests")
            let wait = refused.headers[.retryAfter].flatMap { Int($0) } ?? 0
            #expect((5000...10_000).contains(wait), "\(refused.headers)")
            #expect(try await client.search(Form(image: Shop.png([1, 2, 3]))).status == .tooManyRequests)
            for uri in ["/healthz", "/readyz", "/metrics", "/api/v1/images/\(image)?w=160"] {
                for _ in 0..<3 { #expect(try await client.get(uri).status == .ok, "\(uri)") }
            }
            for _ in 0..<3 { #expect(try await client.put("/api/v1/products/N1", json: "{}").status.code < 300) }
            let guessed = try await client.put(
                "/api/v1/products/N1", json: "{}", headers: [.authorization: "Bearer 0123456789abcdef"])
            #expect(guessed.status == .tooManyRequests, "tokens can't be tried out faster")
        }
    }

    @Test("a bucket fills at its rate up to a burst, each client has one, and a crowd of clients is forgotten in order")
    func bucket() {
        let limit = RateLimit(rate: 2, clients: 100)
        let begin = ContinuousClock.now
        #expect((0..<4).allSatisfy { _ in limit.take("10.0.0.1", now: begin) == nil })
        #expect(limit.take("10.0.0.1", now: begin) == 1)
        #expect(limit.take("10.0.0.2", now: begin) == nil)
        #expect(limit.take("10.0.0.1", now: begin + .milliseconds(499)) == 1)
        #expect(limit.take("10.0.0.1", now: begin + .milliseconds(501)) == nil)
        #expect(limit.take("10.0.0.1", now: begin + .milliseconds(502)) == 1)
        #expect((0..<5).map { _ in limit.take("10.0.0.1", now: begin + .seconds(60)) } == [nil, nil, nil, nil, 1])
        // One client has a whole network of IPv6.
        #expect((0..<4).allSatisfy { limit.take("2001:db8::\($0)", now: begin) == nil })
        #expect(limit.take("2001:db8::ffff", now: begin) == 1 && limit.take("2001:db8:0:1::1", now: begin) == nil)
        for place in 0..<5000 { _ = limit.take("10.1.\(place / 250).\(place % 250)", now: begin + .milliseconds(place)) }
        #expect(limit.take("10.0.0.1", now: begin + .seconds(61)) == nil)
    }

    @Test(
        "the client is who a trusted proxy says it is, and nobody else is believed",
        arguments: [
            ("10.0.0.9", nil, "10.0.0.9"), ("10.0.0.9", "192.0.2.7", "192.0.2.7"), ("192.0.2.1", "192.0.2.7", "192.0.2.1"),
            ("10.0.0.9", "1.1.1.1, 192.0.2.7", "192.0.2.7"), ("10.0.0.9", "192.0.2.7, 10.0.0.8", "192.0.2.7"),
            ("10.0.0.9", "10.0.0.7, 10.0.0.8", "10.0.0.7"), ("10.0.0.9", "192.0.2.7, unknown", "10.0.0.9"),
            ("::ffff:10.0.0.9", "2001:db8::1", "2001:db8::1"), ("10.0.0.9", "[2001:db8::1]:443", "2001:db8::1"),
            ("10.0.0.9", "192.0.2.7:5123", "192.0.2.7"), ("fd00::1", "192.0.2.7", "192.0.2.7"),
            ("10.1.0.9", "192.0.2.7", "10.1.0.9"),
        ] as [(String, String?, String)])
    func forwarded(_ peer: String, _ field: String?, _ client: String) throws {
        let trusted = try ["10.0.0.0/16", "fd00::/8"].map { try #require(Network($0)) }
        let headers = try field.map { try header("X-Forwarded-For", $0) } ?? [:]
        #expect(ClientAddress.of(headers, peer: peer, trusted: trusted) == client)
        #expect(ClientAddress.of(headers, peer: peer, trusted: []) == peer)
    }

    @Test("a network is an address with a length that fits it")
    func networks() throws {
        for (text, inside, outside) in [
            ("10.0.0.0/8", "10.255.1.1", "11.0.0.1"), ("192.0.2.128/25", "192.0.2.200", "192.0.2.127"), ("::1", "::1", "::2"),
            ("2001:db8::/33", "2001:db8:7fff::1", "2001:db8:8000::1"), ("127.0.0.1", "127.0.0.1", "127.0.0.2"),
        ] {
            let network = try #require(Network(text))
            #expect(network.contains(inside) && !network.contains(outside) && !network.contains("-"), "\(text)")
        }
        #expect(try #require(Network("0.0.0.0/0")).contains("203.0.113.9"))
        for wrong in ["", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/08", "10.0.0/8", "::/129", "host", "10.0.0.0/8/8", "10.0.0.0/"]
        {
            #expect(Network(wrong) == nil, "\(wrong)")
        }
    }
}
