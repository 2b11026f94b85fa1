import Foundation
import HTTPTypes
import Hummingbird
import NIOCore
import NIOHTTP1

/// The parameters of a request, whatever they came in: a multipart form, a JSON object, or the address.
struct RequestFields {
    private(set) var texts: [(name: String, value: String)] = []
    /// Files by the name of their field.
    private(set) var files: [(name: String, bytes: ArraySlice<UInt8>)] = []

    /// No query of a person is longer, and the work for a text grows with its square.
    private static let textLimit = 2000
    /// A body has to come within this time, however steadily it trickles.
    private static let bodyDeadline = Duration.seconds(60)

    /// - Parameter files: names of the fields that hold a file.
    /// - Throws: `APIError`: 400 for an empty or malformed body, 408 for one that does not end, 413 above `limit` bytes, 415 for another kind.
    init(body request: Request, files fileNames: Set<String>, limit: Int) async throws {
        // Said before a byte is read, where the client says how much will come.
        if let length = request.headers[.contentLength].flatMap({ Int($0) }), length > limit {
            throw APIError.tooManyBytes(limit: limit)
        }
        let buffer = try await Self.collect(request.body, limit: limit)
        guard buffer.readableBytes > 0 else {
            throw APIError(.badRequest, "empty_body", "The body is empty; send a form with a picture, or a JSON object.")
        }
        let type = request.headers[.contentType] ?? ""
        let kind = type.prefix { $0 != ";" }.trimmingCharacters(in: .whitespaces).lowercased()
        if kind == "multipart/form-data" {
            guard let boundary = MultipartForm.boundary(in: type) else {
                throw APIError(.badRequest, "malformed_form", "The form's content type names no boundary.")
            }
            let form: MultipartForm
            do { form = try MultipartForm(Array(buffer.readableBytesView), boundary: boundary) } catch {
                throw APIError(.badRequest, "malformed_form", "The form can't be taken apart: \(error.reason).")
            }
            for part in form.parts {
                if fileNames.contains(part.name) {
                    files.append((part.name, part.bytes))
                } else if let text = part.text {
                    try add(part.name, text)
                } else {
                    throw APIError.wrongParameter("The value of \(APIError.quoted(part.name)) is not UTF-8 text.")
                }
            }
        } else if kind == "application/json" {
            try read(json: Data(buffer.readableBytesView))
        } else {
            throw APIError(
                .unsupportedMediaType, "wrong_content_type",
                "The body has the type \(APIError.quoted(type)); send multipart/form-data or application/json.")
        }
    }

    private static func collect(_ body: RequestBody, limit: Int) async throws -> ByteBuffer {
        try await withThrowingTaskGroup(of: ByteBuffer?.self) { tasks in
            tasks.addTask {
                do { return try await body.collect(upTo: limit) } catch is NIOTooManyBytesError {
                    throw APIError.tooManyBytes(limit: limit)
                } catch let error as HTTPParserError {
                    // The connection's own: Hummingbird answers it and closes.
                    throw error
                } catch {
                    throw APIError(.badRequest, "unreadable_body", "The body ended before its end.")
                }
            }
            tasks.addTask {
                try await Task.sleep(for: bodyDeadline)
                return nil
            }
            defer { tasks.cancelAll() }
            guard let first = try await tasks.next(), let buffer = first else {
                throw APIError(
                    .requestTimeout, "slow_body", "The body did not come within \(bodyDeadline.components.seconds) seconds.")
            }
            return buffer
        }
    }

    /// The files have been read and are let go: what waits for the encoder holds no upload.
    mutating func dropFiles() { files = [] }

    private mutating func add(_ name: String, _ value: String) throws(APIError) {
        guard value.utf8.count <= Self.textLimit else {
            throw .wrongParameter("\(name) has \(value.utf8.count) bytes, where \(Self.textLimit) are read.")
        }
        texts.append((name, value))
    }

    /// The parameters that stand in the address.
    init(query request: Request) {
        for pair in (request.uri.query ?? "").split(separator: "&") {
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            func decoded(_ text: Substring) -> String {
                let blanks = text.replacing("+", with: " ")
                return String(blanks).removingPercentEncoding ?? String(blanks)
            }
            texts.append((decoded(parts[0]), parts.count > 1 ? decoded(parts[1]) : ""))
        }
    }

    /// A JSON value that stands for one or several texts.
    private struct JSONField: Decodable {
        let texts: [String]

        init(from decoder: any Decoder) throws {
            let container = try decoder.singleValueContainer()
            if container.decodeNil() {
                texts = []
            } else if let text = try? container.decode(String.self) {
                texts = [text]
            } else if let number = try? container.decode(Int64.self) {
                texts = [String(number)]
            } else if let number = try? container.decode(Double.self) {
                texts = [String(number)]
            } else {
                texts = try container.decode([String].self)
            }
        }
    }

    private mutating func read(json data: Data) throws(APIError) {
        let object: [String: JSONField]
        do { object = try JSONDecoder().decode([String: JSONField].self, from: data) } catch {
            throw APIError(
                .badRequest, "malformed_json", "The body is no JSON object of texts, numbers and lists of texts.")
        }
        for (name, field) in object.sorted(by: { $0.key < $1.key }) {
            for value in field.texts { try add(name, value) }
        }
    }

    /// Refuses what nobody reads: a misspelt name would otherwise be silently without effect.
    func require(only known: [String]) throws(APIError) {
        for name in texts.map(\.name) + files.map(\.name) where !known.contains(name) {
            throw .wrongParameter("There is no parameter \(APIError.quoted(name)); there are \(known.joined(separator: ", ")).")
        }
    }

    func all(_ name: String) -> [String] { texts.filter { $0.name == name }.map(\.value) }

    /// - Throws: `APIError` if the parameter is there more than once.
    func one(_ name: String) throws(APIError) -> String? {
        let values = all(name)
        guard values.count <= 1 else { throw .wrongParameter("\(name) is given \(values.count) times, expected once.") }
        return values.first
    }

    func integer(_ name: String, in range: ClosedRange<Int>, default value: Int) throws(APIError) -> Int {
        guard let text = try one(name) else { return value }
        guard let number = Int(text), range.contains(number) else {
            throw .wrongParameter(
                "\(name) is \(APIError.quoted(text)), expected a whole number from \(range.lowerBound) to \(range.upperBound).")
        }
        return number
    }

    func number(_ name: String, in range: ClosedRange<Double>) throws(APIError) -> Double? {
        guard let text = try one(name) else { return nil }
        guard let number = Double(text), range.contains(number) else {
            throw .wrongParameter(
                "\(name) is \(APIError.quoted(text)), expected a number from \(range.lowerBound) to \(range.upperBound).")
        }
        return number
    }
}

extension APIContext {
    /// A part of the address, percent-decoded.
    func parameter(_ name: String) -> String {
        let text = parameters.get(name) ?? ""
        return text.removingPercentEncoding ?? text
    }
}
