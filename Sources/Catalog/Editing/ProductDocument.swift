public import Foundation

/// What is wrong with a document that somebody sent, in one sentence.
public struct DocumentProblem: Error, Sendable, Equatable, CustomStringConvertible {
    public let description: String
}

/// What somebody sends of a product, in JSON: `title`, `category`, `brand`, `price` (a number), `currency`, `url`, `in_stock` (true or false),
/// `description`, and `attributes`, an object of texts, numbers, truths or lists of these. `null` and an empty text are no value. A key that is none
/// of these is refused, so that a misspelt one never loses its value silently.
public enum ProductDocument {
    /// The columns that a document may have.
    static let columns = Column.product + ["attributes"]

    /// Reads a product that is sent under its id.
    /// - Parameters:
    ///   - json: one JSON object. It may repeat the id.
    ///   - id: what the product is called.
    /// - Throws: `DocumentProblem`.
    public static func product(json: ArraySlice<UInt8>, id: String) throws(DocumentProblem) -> Product {
        var members = try object(json, "The body")
        if let repeated = members.removeValue(forKey: "id") {
            guard case .text(let text) = repeated, text.oneSpelling == id.oneSpelling else {
                throw DocumentProblem(description: "The body has another id than the address; leave id out, or repeat it.")
            }
        }
        return try product(members, id: id)
    }

    /// The only object of some bytes.
    static func object(_ json: ArraySlice<UInt8>, _ what: String) throws(DocumentProblem) -> [String: JSONValue] {
        var parser = JSONParser(json)
        let value: JSONValue
        do { value = try parser.wholeValue() } catch {
            throw DocumentProblem(
                description: "\(what) is no JSON: \(error.problem), at byte \(error.index - json.startIndex + 1).")
        }
        if let word = parser.notNumbers.sorted().first {
            throw DocumentProblem(description: "\(what) is no JSON: \(word) stands where a number should; write null.")
        }
        guard case .object(let members) = value else { throw DocumentProblem(description: "\(what) is no JSON object.") }
        return members
    }

    static func product(_ members: [String: JSONValue], id: String) throws(DocumentProblem) -> Product {
        try refuseOthers(members, than: columns, of: "a product")
        var product = Product(id: id)
        product.title = try text("title", members)
        product.category = try text("category", members)
        product.brand = try text("brand", members)
        product.currency = try text("currency", members)
        product.url = try text("url", members)
        product.description = try text("description", members)
        switch members["price"] ?? .null {
        case .null: break
        case .integer(let number): product.price = Double(number)
        case .number(let number): product.price = number
        default: throw DocumentProblem(description: "The value of 'price' is no number; write it as 49.9, without a currency.")
        }
        switch members["in_stock"] ?? .null {
        case .null: break
        case .truth(let truth): product.inStock = truth
        default: throw DocumentProblem(description: "The value of 'in_stock' is neither true nor false.")
        }
        product.attributes = try attributes(members)
        return product
    }

    static func text(_ key: String, _ members: [String: JSONValue]) throws(DocumentProblem) -> String? {
        switch members[key] ?? .null {
        case .null: return nil
        case .text(let text): return text.isEmpty ? nil : text
        default: throw DocumentProblem(description: "The value of '\(key)' is no text; write it in double quotes.")
        }
    }

    static func attributes(_ members: [String: JSONValue]) throws(DocumentProblem) -> [String: String] {
        let found: [String: JSONValue]
        switch members["attributes"] ?? .null {
        case .null: return [:]
        case .object(let object): found = object
        default: throw DocumentProblem(description: "The value of 'attributes' is no object; write {\"fit\": \"slim\"}.")
        }
        var attributes: [String: String] = [:]
        for (key, value) in found {
            switch value.field {
            case .success(let text): attributes[key] = text
            case .failure(let reason): throw DocumentProblem(description: "The attribute '\(key)' \(reason.text).")
            }
        }
        return attributes
    }

    static func refuseOthers(
        _ members: [String: JSONValue], than known: [String], of what: String
    ) throws(DocumentProblem) {
        guard let other = members.keys.filter({ !known.contains($0) }).min() else { return }
        let short = other.count > 60 ? other.prefix(60) + "…" : other[...]
        let meant = Column.meant(by: other).flatMap { known.contains($0) ? "; '\($0)' is probably meant" : nil } ?? ""
        throw DocumentProblem(
            description: "There is no '\(short)' of \(what)\(meant): there are \(known.joined(separator: ", ")).")
    }
}

/// One line of many changes: `{"put": {"id": …, columns…, "images": [{"base64": …, "view": …}]}}`, `{"delete": "product id"}` or
/// `{"delete_image": 7}`.
public struct EditLine: Sendable {
    /// A picture as it was sent.
    public struct Picture: Sendable {
        public var bytes: Data
        public var fields: ImageFields
    }

    public enum Change: Sendable {
        case put(Product, pictures: [Picture])
        case deleteProduct(String)
        case deleteImage(ImageID)
    }

    public let change: Change

    /// Pictures of one product that one line may bring.
    public static let pictureLimit = 64

    /// - Throws: `DocumentProblem`.
    public init(json: ArraySlice<UInt8>) throws(DocumentProblem) {
        let members = try ProductDocument.object(json, "The line")
        guard members.count == 1, let (key, value) = members.first else {
            throw DocumentProblem(
                description: "The line has \(members.count) keys, and one is expected: put, delete or delete_image.")
        }
        switch (key, value) {
        case ("put", .object(let product)): change = try Self.put(product)
        case ("delete", .text(let id)): change = .deleteProduct(id)
        case ("delete_image", .integer(let id)): change = .deleteImage(id)
        case ("put", _): throw DocumentProblem(description: "The value of 'put' is no object.")
        case ("delete", _): throw DocumentProblem(description: "The value of 'delete' is no text: it is a product's id.")
        case ("delete_image", _):
            throw DocumentProblem(description: "The value of 'delete_image' is no whole number: it is a picture's id.")
        default:
            try ProductDocument.refuseOthers(members, than: ["put", "delete", "delete_image"], of: "a line")
            throw DocumentProblem(description: "The line says nothing to do.")
        }
    }

    private static func put(_ product: [String: JSONValue]) throws(DocumentProblem) -> Change {
        var members = product
        guard case .text(let id) = members.removeValue(forKey: "id") ?? .null else {
            throw DocumentProblem(description: "The product has no 'id', or one that is no text.")
        }
        let images: [JSONValue]
        switch members.removeValue(forKey: "images") ?? .null {
        case .null: images = []
        case .list(let list): images = list
        default: throw DocumentProblem(description: "The value of 'images' is no list.")
        }
        guard images.count <= pictureLimit else {
            throw DocumentProblem(
                description: "The product brings \(images.count) pictures, and at most \(pictureLimit) are taken at once.")
        }
        var pictures: [Picture] = []
        for image in images { pictures.append(try picture(image)) }
        return .put(try ProductDocument.product(members, id: id), pictures: pictures)
    }

    private static func picture(_ value: JSONValue) throws(DocumentProblem) -> Picture {
        guard case .object(let members) = value else {
            throw DocumentProblem(description: "An entry of 'images' is no object; write {\"base64\": \"…\"}.")
        }
        for key in ["path", "url", "file"] where members[key] != nil {
            throw DocumentProblem(
                description: "A picture is sent as base64; a server opens no \(key) that it is told, so leave '\(key)' out.")
        }
        try ProductDocument.refuseOthers(members, than: ["base64"] + Column.image + ["attributes"], of: "a picture")
        guard let text = try ProductDocument.text("base64", members) else {
            throw DocumentProblem(description: "A picture has no 'base64'; write the bytes of its file there.")
        }
        guard let bytes = Data(base64Encoded: text), !bytes.isEmpty else {
            throw DocumentProblem(
                description:
                    "The 'base64' of a picture is not base64 (letters, digits, + and /, filled up with =, and nothing before it)."
            )
        }
        let fields = ImageFields(
            view: try ProductDocument.text("view", members), color: try ProductDocument.text("color", members),
            caption: try ProductDocument.text("caption", members), split: try ProductDocument.text("split", members),
            attributes: try ProductDocument.attributes(members))
        return Picture(bytes: bytes, fields: fields)
    }
}
