import Foundation
import HTTPTypes
import NIOCore
import Testing

@testable import API

/// The API's description as a judge of answers: a status that it does not name, or a body that it does not describe, fails the test.
struct Contract: @unchecked Sendable {
    // Unchecked, since JSON out of JSONSerialization has no Sendable type; it is made once and never changed.
    private let document: [String: Any]

    static let shared: Result<Contract, any Error> = Result { try Contract() }

    init() throws {
        let bytes = try OpenAPIDocument.json(server: "/")
        document = try #require(try JSONSerialization.jsonObject(with: Data(bytes.readableBytesView)) as? [String: Any])
    }

    struct Broken: Error, CustomStringConvertible {
        let description: String

        init(_ description: String) { self.description = description }
    }

    /// Holds an answer against what the description says of its address.
    func check(_ method: HTTPRequest.Method, _ uri: String, _ answer: TestResponse) throws {
        let path = String(uri.prefix { $0 != "?" }).replacing("/finder/", with: "/")
        let paths = document["paths"] as? [String: [String: Any]] ?? [:]
        let asked = method == .head ? "get" : method.rawValue.lowercased()
        let isJSON = answer.headers[.contentType]?.hasPrefix("application/json") == true
        guard let operation = operation(paths, path)?[asked] as? [String: Any] else {
            // No address of the API: an error in its form, or a file of the page.
            guard answer.status.code >= 400, method != .head else { return }
            return try body(answer, ["$ref": "#/components/schemas/Error"], "an error")
        }
        let what = "\(method) \(uri) -> \(answer.status.code)"
        let responses = operation["responses"] as? [String: [String: Any]] ?? [:]
        // These come before any address is looked at, see the description's own words.
        let isGeneral = [204, 405, 417, 429, 431, 501, 505].contains(answer.status.code)
        guard let described = responses[String(answer.status.code)].map(resolved) else {
            guard isGeneral else { throw Broken("\(what): openapi.json names no such status") }
            if answer.status.code >= 400, method != .head { try body(answer, ["$ref": "#/components/schemas/Error"], what) }
            return
        }
        if method == .head { return }
        let content = described["content"] as? [String: [String: Any]] ?? [:]
        guard !content.isEmpty else {
            if answer.body.readableBytes > 0 { throw Broken("\(what): a body where none is described") }
            return
        }
        if let schema = content["application/json"]?["schema"] as? [String: Any] {
            guard isJSON else { throw Broken("\(what): no JSON") }
            try body(answer, schema, what)
        } else if let type = answer.headers[.contentType], content[type] == nil {
            throw Broken("\(what): \(type) is not described")
        }
    }

    private func body(_ answer: TestResponse, _ schema: [String: Any], _ what: String) throws {
        let value = try JSONSerialization.jsonObject(with: Data(answer.body.readableBytesView), options: .fragmentsAllowed)
        if let problem = problem(value, schema, at: "") { throw Broken("\(what): \(problem) in \(answer.text)") }
    }

    private func operation(_ paths: [String: [String: Any]], _ path: String) -> [String: Any]? {
        if let exact = paths[path] { return exact }
        let parts = path.split(separator: "/")
        return paths.first { pattern, _ in
            let wanted = pattern.split(separator: "/")
            return wanted.count == parts.count && zip(wanted, parts).allSatisfy { $0.hasPrefix("{") || $0 == $1 }
        }?.value
    }

    private func resolved(_ value: [String: Any]) -> [String: Any] {
        guard let reference = value["$ref"] as? String else { return value }
        var found: Any? = document
        for part in reference.dropFirst(2).split(separator: "/") { found = (found as? [String: Any])?[String(part)] }
        return found as? [String: Any] ?? ["type": "a reference that leads nowhere: \(reference)"]
    }

    /// What of a value does not fit a schema; nil where it does. As much of JSON Schema as the description uses, and an error for the rest.
    func problem(_ value: Any, _ schema: [String: Any], at place: String) -> String? {
        let schema = resolved(schema)
        for key in schema.keys where !Self.keywords.contains(key) { return "the keyword \(key) is not known to the test" }
        if let type = schema["type"] as? String, !Self.isOf(type, value) { return "\(place) is no \(type)" }
        if let constant = schema["const"] as? String, value as? String != constant { return "\(place) is not \(constant)" }
        if let allowed = schema["enum"] as? [String], !allowed.contains(value as? String ?? "") {
            return "\(place) is none of \(allowed)"
        }
        if let text = value as? String {
            if let least = schema["minLength"] as? Int, text.count < least { return "\(place) is too short" }
            if let pattern = schema["pattern"] as? String, (try? Regex(pattern).firstMatch(in: text)) == nil {
                return "\(place) does not match \(pattern)"
            }
        }
        if let number = value as? Double, !(value is Bool && Self.isTruth(value)) {
            if let least = schema["minimum"] as? Double, number < least { return "\(place) is below \(least)" }
            if let most = schema["maximum"] as? Double, number > most { return "\(place) is above \(most)" }
        }
        if let choices = schema["oneOf"] as? [[String: Any]] {
            let fitting = choices.filter { problem(value, $0, at: place) == nil }
            if fitting.count != 1 { return "\(place) fits \(fitting.count) of the forms that it may have" }
        }
        if let list = value as? [Any], let items = schema["items"] as? [String: Any] {
            for (number, item) in list.enumerated() {
                if let problem = problem(item, items, at: "\(place)[\(number)]") { return problem }
            }
        }
        if let object = value as? [String: Any] { return problem(object: object, schema, at: place) }
        return nil
    }

    private func problem(object: [String: Any], _ schema: [String: Any], at place: String) -> String? {
        let properties = schema["properties"] as? [String: [String: Any]] ?? [:]
        for key in schema["required"] as? [String] ?? [] where object[key] == nil { return "\(place) has no \(key)" }
        for (key, item) in object {
            if let known = properties[key] {
                if let problem = problem(item, known, at: "\(place).\(key)") { return problem }
            } else if schema["additionalProperties"] as? Bool == false {
                return "\(place) has a \(key), which is not described"
            } else if let others = schema["additionalProperties"] as? [String: Any] {
                if let problem = problem(item, others, at: "\(place).\(key)") { return problem }
            }
        }
        return nil
    }

    private static let keywords: Set<String> = [
        "type", "properties", "required", "additionalProperties", "items", "enum", "const", "minimum", "maximum", "minLength",
        "pattern", "oneOf", "description", "default", "format",
    ]

    private static func isOf(_ type: String, _ value: Any) -> Bool {
        switch type {
        case "object": value is [String: Any]
        case "array": value is [Any]
        case "string": value is String
        case "boolean": isTruth(value)
        case "number": value is NSNumber && !isTruth(value)
        case "integer": (value as? NSNumber).map { !isTruth(value) && $0.doubleValue == $0.doubleValue.rounded() } ?? false
        default: false
        }
    }

    /// JSONSerialization has one class for numbers and truths.
    private static func isTruth(_ value: Any) -> Bool {
        guard let number = value as? NSNumber else { return value is Bool }
        return String(cString: number.objCType) == "c"
    }
}

@Suite("The API's description")
struct ContractTests {
    private func contract() throws -> Contract { try Contract.shared.get() }

    private func answer(_ status: Int, _ text: String) -> TestResponse {
        TestResponse(
            status: .init(code: status), headers: [.contentType: "application/json; charset=utf-8"],
            body: ByteBuffer(string: text))
    }

    @Test("it accepts what it describes, and fails what it does not: a status, a key, a type, a missing part")
    func judges() throws {
        let contract = try contract()
        try contract.check(.get, "/healthz", answer(200, #"{"status":"ok"}"#))
        for (status, text) in [
            (418, #"{"status":"ok"}"#), (200, #"{"status":"bad"}"#), (200, "{}"), (200, #"{"status":"ok","path":"/home"}"#),
            (200, "[]"),
        ] {
            #expect(throws: Contract.Broken.self) { try contract.check(.get, "/healthz", answer(status, text)) }
        }
        let listing = #"{"facets":{},"products":[{"id":"a","price":PRICE,"in_stock":true}],"total":1}"#
        try contract.check(.get, "/api/v1/products", answer(200, listing.replacing("PRICE", with: "9.5")))
        for price in ["true", "\"9\"", "-1"] {
            #expect(throws: Contract.Broken.self) {
                try contract.check(.get, "/api/v1/products", answer(200, listing.replacing("PRICE", with: price)))
            }
        }
        #expect(throws: Contract.Broken.self) { try contract.check(.get, "/nowhere", answer(404, #"{"error":"text"}"#)) }
    }
}
