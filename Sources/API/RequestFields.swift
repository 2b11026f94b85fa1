import Foundation
import HTTPTypes
import Hummingbird
import NIOCore

/// The parameters of a request, whatever they came in: a multipart form, a JSON object, or the address.
struct RequestFields {
    /// What a route reads.
    struct Names {
        /// Every parameter, in the order in which people are told of them.
        var all: [String]
        /// Those of them that are files, and come in forms alone.
        var files: Set<String> = []
        /// Those that are lists of JSON objects, and come in JSON alone.
        var objects: Set<String> = []
        /// Those that mean something where they are empty.
        var blank: Set<String> = []

        init(_ all: [String], files: Set<String> = [], objects: Set<String> = [], blank: Set<String> = []) {
            self.all = all
            self.files = files
            self.objects = objects
            self.blank = blank
        }

        /// Refuses what nobody reads: a misspelt name would otherwise be silently without effect.
        func check(_ name: String) throws(APIError) {
            guard !all.contains(name) else { return }
            throw .wrongParameter("There is no parameter \(APIError.quoted(name)); there are \(all.joined(separator: ", ")).")
        }
    }

    private(set) var texts: [(name: String, value: String)] = []
    /// Files by the name of their field.
    private(set) var files: [(name: String, bytes: ArraySlice<UInt8>)] = []
    /// Lists of JSON objects, with their numbers as texts.
    private(set) var objects: [String: [[String: String]]] = [:]
    /// The body counts as long as its files are here.
    private var body: BodyReader.Body?

    /// No query of a person is longer, and the work for a text grows with its square.
    private static let textLimit = 2000

    /// Reads a body.
    /// - Throws: `APIError`: 400 for an empty or malformed body or an unknown name, 408 for one that stands still, 413 above the limits, 415 for
    ///   another kind.
    init(body request: Request, _ names: Names, reader: BodyReader, limits: ServerLimits) async throws {
        let type = request.headers[.contentType] ?? ""
        let kind = type.prefix { $0 != ";" }.trimmingCharacters(in: .whitespaces).lowercased()
        let isJSON = kind == "application/json"
        let limit = isJSON ? limits.jsonBytes : limits.uploadBytes
        let tooLarge = isJSON ? APIError.tooMuchJSON(limit: limit) : .tooManyBytes(limit: limit)
        // Said before a byte is read, where the client says how much will come.
        if let length = request.headers[.contentLength].flatMap({ Int($0) }), length > limit { throw tooLarge }
        let body = try await reader.read(request.body, limit: limit, tooLarge: tooLarge)
        guard body.bytes.readableBytes > 0 else {
            throw APIError(.badRequest, "empty_body", "The body is empty; send a form with a picture, or a JSON object.")
        }
        if kind == "multipart/form-data" {
            guard let boundary = MultipartForm.boundary(in: type) else {
                throw APIError(.badRequest, "malformed_form", "The form's content type names no boundary.")
            }
            let form: MultipartForm
            do { form = try MultipartForm(Array(body.bytes.readableBytesView), boundary: boundary) } catch {
                throw APIError(.badRequest, "malformed_form", "The form can't be taken apart: \(error.reason).")
            }
            for part in form.parts { try add(part, names) }
            if !files.isEmpty { self.body = body }
        } else if isJSON {
            try read(json: Data(body.bytes.readableBytesView), names)
        } else {
            throw APIError(
                .unsupportedMediaType, "wrong_content_type",
                "The body has the type \(APIError.quoted(type)); send multipart/form-data or application/json.")
        }
    }

    /// A JSON object, as a body or a line of one has it.
    /// - Throws: `APIError` 400.
    init(json: Data, _ names: Names) throws(APIError) {
        try read(json: json, names)
    }

    /// The parameters of some names alone.
    func keeping(_ names: Set<String>) -> Self {
        var kept = self
        kept.texts = texts.filter { names.contains($0.name) }
        kept.files = files.filter { names.contains($0.name) }
        return kept
    }

    /// With texts that the server adds.
    func adding(_ more: [(name: String, value: String)]) -> Self {
        var fields = self
        fields.texts += more
        return fields
    }

    /// The files have been read and are let go: what waits for the encoder holds no upload.
    mutating func dropFiles() {
        files = []
        body = nil
    }

    /// A part of a form. Browsers send every field of a form, also the ones that nobody filled in: those are absent.
    private mutating func add(_ part: MultipartForm.Part, _ names: Names) throws(APIError) {
        // The name is judged before the bytes are looked at: of a misspelt file field nobody learns from what its bytes are not.
        try names.check(part.name)
        if names.files.contains(part.name) {
            if part.bytes.isEmpty, part.fileName ?? "" == "" { return }
            return files.append((part.name, part.bytes))
        }
        guard let text = part.text else {
            throw .wrongParameter(
                "The value of \(APIError.quoted(part.name)) is not UTF-8 text\(part.fileName == nil ? "" : ": it is a text, and no file")."
            )
        }
        if names.objects.contains(part.name) {
            throw .wrongParameter("\(part.name) is read in a JSON body, not in a form.")
        }
        if text.isEmpty, !names.blank.contains(part.name) { return }
        try add(part.name, text)
    }

    private mutating func add(_ name: String, _ value: String) throws(APIError) {
        guard value.utf8.count <= Self.textLimit else {
            throw .wrongParameter("\(name) has \(value.utf8.count) bytes, where \(Self.textLimit) are read.")
        }
        texts.append((name, value))
    }

    /// The parameters that stand in the address.
    /// - Throws: `APIError` 400 for an unknown name, or a value that is not percent-encoded UTF-8.
    init(query request: Request, _ names: Names) throws(APIError) {
        for pair in (request.uri.query ?? "").split(separator: "&") {
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            func decoded(_ text: Substring) throws(APIError) -> String {
                guard let decoded = text.replacing("+", with: " ").removingPercentEncoding else {
                    throw .wrongParameter("\(APIError.quoted(String(text))) in the address is not percent-encoded UTF-8.")
                }
                return decoded
            }
            let name = try decoded(parts[0])
            try names.check(name)
            try add(name, parts.count > 1 ? decoded(parts[1]) : "")
        }
    }

    /// A JSON value that stands for one or several texts. Read strictly: `true` is no number, and a number is no text in a list.
    private enum JSONField: Decodable {
        case texts([String])
        case objects([[String: JSONField]])
        case other

        /// A single value as a text.
        var text: String? { if case .texts(let texts) = self, texts.count == 1 { texts[0] } else { nil } }

        init(from decoder: any Decoder) throws {
            let container = try decoder.singleValueContainer()
            if container.decodeNil() {
                self = .texts([])
            } else if (try? container.decode(Bool.self)) != nil {
                self = .other
            } else if let text = try? container.decode(String.self) {
                self = .texts([text])
            } else if let number = try? container.decode(Int64.self) {
                self = .texts([String(number)])
            } else if let number = try? container.decode(Double.self) {
                self = .texts([String(number)])
            } else if let texts = try? container.decode([String].self) {
                self = .texts(texts)
            } else if let numbers = try? container.decode([Double].self) {
                // As they are written in a form: one after the other.
                self = .texts([numbers.map { String($0) }.joined(separator: ",")])
            } else if let objects = try? container.decode([[String: JSONField]].self) {
                self = .objects(objects)
            } else {
                self = .other
            }
        }
    }

    private mutating func read(json data: Data, _ names: Names) throws(APIError) {
        let object: [String: JSONField]
        do { object = try JSONDecoder().decode([String: JSONField].self, from: data) } catch {
            throw APIError(.badRequest, "malformed_json", "The body is no JSON object of texts, numbers and lists of texts.")
        }
        for (name, field) in object.sorted(by: { $0.key < $1.key }) {
            try names.check(name)
            if names.files.contains(name) {
                throw .wrongParameter("A picture can't be sent in JSON; send \(name) as a file of a multipart/form-data form.")
            }
            if names.objects.contains(name) {
                objects[name] = try Self.objects(field, name)
                continue
            }
            guard case .texts(let values) = field else {
                throw .wrongParameter("\(name) is neither a text, a number nor a list of texts.")
            }
            for value in values { try add(name, value) }
        }
    }

    private static func objects(_ field: JSONField, _ name: String) throws(APIError) -> [[String: String]] {
        if case .texts([]) = field { return [] }
        guard case .objects(let objects) = field else { throw .wrongParameter("\(name) is no list of JSON objects.") }
        var lists: [[String: String]] = []
        for object in objects {
            var texts: [String: String] = [:]
            for (key, value) in object {
                guard let text = value.text else {
                    throw .wrongParameter(
                        "\(APIError.quoted(key)) of \(name) is neither a text nor a number, nor a list of numbers.")
                }
                guard text.utf8.count <= textLimit else {
                    throw .wrongParameter(
                        "\(APIError.quoted(key)) of \(name) has \(text.utf8.count) bytes, where \(textLimit) are read.")
                }
                texts[key] = text
            }
            lists.append(texts)
        }
        return lists
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
        // Swift also reads hexadecimal numbers, which nobody means.
        guard !text.contains(where: { "xXpP".contains($0) }), let number = Double(text), range.contains(number) else {
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
