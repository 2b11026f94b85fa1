import Foundation
import HTTPTypes
import Hummingbird
import NIOCore

/// The parameters of a request, whatever they came in: a multipart form, a JSON object, or the address.
struct RequestFields {
    private(set) var texts: [(name: String, value: String)] = []
    /// Files by the name of their field.
    private(set) var files: [(name: String, bytes: ArraySlice<UInt8>)] = []

    /// - Parameter files: names of the fields that hold a file.
    /// - Throws: `APIError`: 400 for an empty or malformed body, 413 above `limit` bytes, 415 for another kind of body.
    init(body request: Request, files fileNames: Set<String>, limit: Int) async throws {
        // Said before a byte is read, where the client says how much will come.
        if let length = request.headers[.contentLength].flatMap({ Int($0) }), length > limit {
            throw APIError.tooManyBytes(limit: limit)
        }
        let buffer: ByteBuffer
        do { buffer = try await request.body.collect(upTo: limit) } catch is NIOTooManyBytesError {
            throw APIError.tooManyBytes(limit: limit)
        }
        guard buffer.readableBytes > 0 else {
            throw APIError(.badRequest, "empty_body", "The body is empty; send a form with a picture, or a JSON object.")
        }
        let type = request.headers[.contentType] ?? ""
        if let boundary = MultipartForm.boundary(in: type) {
            let form: MultipartForm
            do { form = try MultipartForm(Array(buffer.readableBytesView), boundary: boundary) } catch {
                throw APIError(.badRequest, "malformed_form", "The form can't be taken apart: \(error.reason).")
            }
            for part in form.parts {
                if fileNames.contains(part.name) {
                    files.append((part.name, part.bytes))
                } else if let text = part.text {
                    texts.append((part.name, text))
                } else {
                    throw APIError.wrongParameter("The value of \(APIError.quoted(part.name)) is not UTF-8 text.")
                }
            }
        } else if type.split(separator: ";").first?.lowercased() == "application/json" {
            try read(json: Data(buffer.readableBytesView))
        } else {
            throw APIError(
                .unsupportedMediaType, "wrong_content_type",
                "The body has the type \(APIError.quoted(type)); send multipart/form-data or application/json.")
        }
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
        for (name, field) in object.sorted(by: { $0.key < $1.key }) { texts += field.texts.map { (name, $0) } }
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

extension FinderContext {
    /// A part of the address, percent-decoded.
    func parameter(_ name: String) -> String {
        let text = parameters.get(name) ?? ""
        return text.removingPercentEncoding ?? text
    }
}
