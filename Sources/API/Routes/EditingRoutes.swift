import Catalog
import Foundation
import HTTPTypes
import Hummingbird
import NIOCore
import Search

/// `PUT` and `DELETE` of products and pictures, `POST` of pictures: for whoever has the admin token.
struct EditingRoutes {
    let editor: CatalogEditor
    let limits: ServerLimits
    let base: BasePath
    private let bodies: BodyReader
    private let places: Places

    init(editor: CatalogEditor, limits: ServerLimits, base: BasePath) {
        self.editor = editor
        self.limits = limits
        self.base = base
        bodies = BodyReader(limits: limits)
        places = Places(limits.edits)
    }

    func add(to group: RouterGroup<APIContext>) {
        group.put("products/:id", use: putProduct)
        group.delete("products/:id", use: deleteProduct)
        group.post("products/:id/images", use: addImage)
        group.put("images/:id", use: replaceImage)
        group.delete("images/:id", use: deleteImage)
    }

    @Sendable func putProduct(_ request: Request, _ context: APIContext) async throws -> Response {
        _ = try RequestFields(query: request, .init([]))
        let id = try context.productID()
        let body = try await json(request)
        let product: Product
        do { product = try ProductDocument.product(json: body[...], id: id) } catch {
            throw APIError.wrongParameter(error.description)
        }
        return try await places.take { () -> Response in
            // Read on the writer's thread: a moment later another client may have deleted it.
            let (isNew, detail) = try await editor.write { [base] store in
                (try store.put(product: product), try Self.detail(of: id, in: store, base))
            }
            var answer = JSONAnswer.response(detail, status: isNew ? .created : .ok)
            if isNew { answer.headers[.location] = base.url("/api/v1/products/\(Self.encoded(id))") }
            return answer
        }
    }

    @Sendable func deleteProduct(_ request: Request, _ context: APIContext) async throws -> Response {
        _ = try RequestFields(query: request, .init([]))
        let id = try context.productID()
        guard try await editor.write({ try $0.deleteProduct(id) }) else { throw APIError.unknownProduct(id) }
        return Response(status: .noContent)
    }

    @Sendable func addImage(_ request: Request, _ context: APIContext) async throws -> Response {
        _ = try RequestFields(query: request, .init([]))
        let id = try context.productID()
        // Said before an upload is read.
        let before = try await editor.read { store in
            guard try store.product(id) != nil else { throw APIError.unknownProduct(id) }
            return try store.images(ofProduct: id).map(\.id)
        }
        return try await places.take { () -> Response in
            let (bytes, fields) = try await picture(request)
            let image = try await editor.image(bytes, fields ?? ImageFields())
            let added = try await editor.write { store in
                let number = try store.addImage(
                    bytes: image.bytes, to: id, fields: image.fields, vectors: image.vectors, inspect: { _, _ in image.size })
                return try store.image(number)
            }
            // Deleted by somebody in between.
            guard let added else { throw APIError.unknownProduct(id) }
            var answer = JSONAnswer.response(
                ImageSummary(added, base), status: before.contains(added.id) ? .ok : .created)
            answer.headers[.location] = base.url(ImageRoutes.path(added.id))
            return answer
        }
    }

    @Sendable func replaceImage(_ request: Request, _ context: APIContext) async throws -> Response {
        _ = try RequestFields(query: request, .init([]))
        let id = try context.imageID()
        _ = try await editor.read { store in
            guard try store.image(id) != nil else { throw APIError.unknownImage(String(id)) }
        }
        return try await places.take { () -> Response in
            let (bytes, fields) = try await picture(request)
            let image = try await editor.image(bytes, fields ?? ImageFields())
            let replaced = try await editor.write { store in
                try store.replaceImage(
                    id, bytes: image.bytes, fields: fields, vectors: image.vectors, inspect: { _, _ in image.size })
                return try store.image(id)
            }
            guard let replaced else { throw APIError.unknownImage(String(id)) }
            return JSONAnswer.response(ImageSummary(replaced, base))
        }
    }

    @Sendable func deleteImage(_ request: Request, _ context: APIContext) async throws -> Response {
        _ = try RequestFields(query: request, .init([]))
        let id = try context.imageID()
        guard try await editor.write({ try $0.deleteImage(id) }) else { throw APIError.unknownImage(String(id)) }
        return Response(status: .noContent)
    }

    // MARK: Parts

    private static func detail(of id: String, in store: CatalogStore, _ base: BasePath) throws -> ProductDetail {
        guard let product = try store.product(id) else { throw APIError.unknownProduct(id) }
        let images = try store.images(ofProduct: id).filter { $0.state == .ok }
        return ProductDetail(product, images: images.map { ImageSummary($0, base) })
    }

    private func json(_ request: Request) async throws -> [UInt8] {
        let type = request.headers[.contentType] ?? ""
        guard type.prefix(while: { $0 != ";" }).trimmingCharacters(in: .whitespaces).lowercased() == "application/json" else {
            throw APIError(
                .unsupportedMediaType, "wrong_content_type",
                "The body has the type \(APIError.quoted(type)); send application/json.")
        }
        let tooLarge = APIError.tooMuchJSON(limit: limits.jsonBytes)
        if let length = request.headers[.contentLength].flatMap({ Int($0) }), length > limits.jsonBytes { throw tooLarge }
        let body = try await bodies.read(request.body, limit: limits.jsonBytes, tooLarge: tooLarge)
        guard body.bytes.readableBytes > 0 else {
            throw APIError(.badRequest, "empty_body", "The body is empty; send a JSON object of the product's columns.")
        }
        return Array(body.bytes.readableBytesView)
    }

    private static let imageNames = RequestFields.Names(["image", "view", "color", "caption", "attribute"], files: ["image"])

    /// A form's picture and what it says of it; no fields where it says nothing.
    private func picture(_ request: Request) async throws -> (bytes: Data, fields: ImageFields?) {
        var form = try await RequestFields(body: request, Self.imageNames, reader: bodies, limits: limits)
        guard form.files.count == 1 else {
            throw APIError.wrongParameter("A picture is sent as one file, image, of a form; found \(form.files.count).")
        }
        let bytes = Data(form.files[0].bytes)
        form.dropFiles()
        guard !form.texts.isEmpty else { return (bytes, nil) }
        var fields = ImageFields(view: try form.one("view"), color: try form.one("color"), caption: try form.one("caption"))
        for text in form.all("attribute") {
            guard let colon = text.firstIndex(of: ":"), colon != text.startIndex, text.index(after: colon) != text.endIndex else {
                throw APIError.wrongParameter("attribute is \(APIError.quoted(text)), expected key:value.")
            }
            let (key, value) = (String(text[..<colon]), String(text[text.index(after: colon)...]))
            // Several values of one key are kept as one text, as those of a manifest are.
            fields.attributes[key] = fields.attributes[key].map { "\($0)|\(value)" } ?? value
        }
        return (bytes, fields)
    }

    private static func encoded(_ id: String) -> String {
        let safe = CharacterSet(charactersIn: "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~")
        return id.oneSpelling.addingPercentEncoding(withAllowedCharacters: safe) ?? ""
    }
}

extension APIContext {
    /// So many bytes an id may have that is written by a client.
    private static let idLimit = 512

    /// The product that the address names.
    /// - Throws: `APIError` 400 for what can't be an id.
    func productID() throws(APIError) -> String {
        let text = parameters.get("id") ?? ""
        guard let id = text.removingPercentEncoding else {
            throw .wrongParameter("The product's id in the address is not percent-encoded UTF-8.")
        }
        if let reason = Self.reasonAgainst(productID: id) { throw .wrongParameter("The product's id \(reason).") }
        return id
    }

    static func reasonAgainst(productID id: String) -> String? {
        if !id.contains(where: { !$0.isWhitespace }) { return "is empty" }
        if id.utf8.count > idLimit { return "has \(id.utf8.count) bytes, where \(idLimit) are taken" }
        if id.unicodeScalars.contains(where: { $0.value < 0x20 || $0.value == 0x7F }) { return "holds a control character" }
        return nil
    }

    /// The picture that the address names.
    func imageID() throws(APIError) -> ImageID {
        let text = parameter("id")
        guard let id = ImageID(text) else { throw .unknownImage(text) }
        return id
    }
}
