import Catalog
import Foundation
import HTTPTypes
import Hummingbird
import Imaging
import NIOCore
import NIOHTTP1
import NIOHTTPTypesHTTP1
import Search

/// What a client is told: a status, a code for programs and one sentence for people.
///
///     {"error": {"code": "image_too_large", "message": "The picture has …"}}
struct APIError: Error, Sendable {
    var status: HTTPResponse.Status
    var code: String
    var message: String
    /// Seconds after which the same request may succeed.
    var retryAfter: Int?
    /// Methods that the address can be asked by, where another one was used.
    var allow: String?
    /// How a client would have to say who it is, where it has not.
    var challenge: String?

    init(_ status: HTTPResponse.Status, _ code: String, _ message: String, retryAfter: Int? = nil) {
        self.status = status
        self.code = code
        self.message = message
        self.retryAfter = retryAfter
    }

    static func wrongParameter(_ message: String) -> APIError { APIError(.badRequest, "wrong_parameter", message) }

    static var loading: APIError {
        APIError(.serviceUnavailable, "loading", "The models are being loaded; try again in a moment.", retryAfter: 2)
    }

    static var loadingCatalog: APIError {
        APIError(.serviceUnavailable, "loading", "The catalogue is being loaded; try again in a moment.", retryAfter: 2)
    }

    static var overloaded: APIError {
        APIError(.serviceUnavailable, "overloaded", "Too many searches are waiting; try again in a moment.", retryAfter: 1)
    }

    static func unknownModel(_ id: String, known: [String]) -> APIError {
        APIError(.notFound, "unknown_model", "There is no model \(quoted(id)); there are \(known.joined(separator: ", ")).")
    }

    static func unknownProduct(_ id: String) -> APIError {
        APIError(.notFound, "unknown_product", "There is no product \(quoted(id)) in the catalogue.")
    }

    static func unknownImage(_ id: String) -> APIError {
        APIError(.notFound, "unknown_image", "There is no picture \(quoted(id)) in the catalogue.")
    }

    static func tooManyBytes(limit: Int) -> APIError {
        APIError(.contentTooLarge, "too_many_bytes", "The upload is larger than the \(limit >> 20) MB that are accepted.")
    }

    static func tooMuchJSON(limit: Int) -> APIError {
        APIError(
            .contentTooLarge, "too_many_bytes",
            "The JSON is larger than the \(limit >> 10) kB that are accepted; a picture is sent as multipart/form-data.")
    }

    static func tooSlow(_ deadline: Duration) -> APIError {
        APIError(
            .serviceUnavailable, "too_slow", "The request was given up after \(deadline.components.seconds) seconds.",
            retryAfter: 5)
    }

    /// A client's words in a sentence, as long as they help.
    static func quoted(_ text: String) -> String { "'\(text.count > 60 ? text.prefix(60) + "…" : text[...])'" }
}

extension APIError {
    /// The only place where errors are sorted into statuses. What is not the client's business, such as a path, stays out of the sentence.
    init(_ error: any Error) {
        switch error {
        case let error as APIError: self = error
        case let error as ImageError: self.init(error)
        case let error as CatalogError: self.init(error)
        case let error as SearchError: self.init(error)
        case let error as any TransientError where error.isTransient:
            self = .overloaded
            message = error.description
        case is CancellationError: self.init(.serviceUnavailable, "cancelled", "The request was given up.", retryAfter: 1)
        case let error as HTTPError:
            self.init(error.status, "bad_request", error.body ?? error.status.reasonPhrase)
        case is NIOTooManyBytesError: self.init(.contentTooLarge, "too_many_bytes", "The upload is larger than is accepted.")
        default: self.init(.internalServerError, "internal", "Something went wrong on the server; its log says what.")
        }
    }

    private init(_ error: ImageError) {
        var sentence = Self.sentence(error.withoutPath.description)
        // What the server's machine lacks is for its log; a client can only convert.
        if case .libraryMissing(let format, _, _) = error.withoutPath {
            sentence = Self.sentence(ImageError.unsupportedFormat(format.displayName).description)
        }
        switch error.category {
        case .unsupported: self.init(.unsupportedMediaType, "not_an_image", sentence)
        case .broken: self.init(.unprocessableContent, "broken_image", sentence)
        case .tooLarge: self.init(.contentTooLarge, "image_too_large", sentence)
        case .stopped: self.init(.serviceUnavailable, "overloaded", sentence, retryAfter: 2)
        case .unreadable, .failed, .misuse: self.init(.internalServerError, "internal", "The picture could not be worked on.")
        }
    }

    private init(_ error: CatalogError) {
        switch error {
        case .badFilter, .unknownKey, .emptyKey: self.init(.badRequest, "wrong_filter", error.description)
        case .locked:
            self.init(.serviceUnavailable, "busy", "The catalogue is being written; try again in a moment.", retryAfter: 2)
        case .badField: self.init(.badRequest, "wrong_parameter", error.description)
        case .notAPicture: self.init(.unprocessableContent, "broken_image", error.description)
        case .unknownProduct(let id): self = .unknownProduct(id)
        case .unknownImage(let id): self = .unknownImage(String(id))
        case .importedImage(let id, _):
            self.init(
                .conflict, "imported_image",
                "The picture \(id) is a file that was imported; change the file and import again, or delete the picture and add another."
            )
        case .sameImage: self.init(.conflict, "same_image", error.description)
        case .diskFull:
            self.init(
                .init(code: 507, reasonPhrase: "Insufficient Storage"), "disk_full",
                "The server's disk is full, and nothing of this was written; make room and send it again.")
        case .readOnly:
            self.init(
                .internalServerError, "not_writable",
                "The server may not write its catalogue, and nothing of this was written; its log says why.")
        default:
            self.init(.internalServerError, "internal", "The catalogue could not be read or written; the server's log says why.")
        }
    }

    private init(_ error: SearchError) {
        switch error {
        case .limit, .minimumScore, .emptyText, .takesNoText, .nothingWanted, .tooManyTerms, .weight, .diversity, .boost,
            .termsCancel:
            self.init(.badRequest, "wrong_parameter", error.description)
        case .unknownProduct: self.init(.notFound, "unknown_product", error.description)
        case .unknownImage: self.init(.notFound, "unknown_image", error.description)
        case .notEmbedded: self.init(.notFound, "not_embedded", error.description)
        case .overloaded:
            self = .overloaded
            message = error.description
        case .indexUnavailable:
            self.init(.serviceUnavailable, "index_unavailable", error.description, retryAfter: 2)
        case .noVectors, .dimension, .storedDimension, .unreadableRow:
            self.init(.internalServerError, "internal", "The model does not fit the catalogue's vectors.")
        }
    }

    /// A part of a sentence as a sentence.
    private static func sentence(_ text: String) -> String {
        let upper = text.prefix(1).uppercased() + text.dropFirst()
        return upper.hasSuffix(".") ? upper : upper + "."
    }

    /// What a connection is told that does not speak HTTP as the parser expects it; nil for what is no fault of the client's.
    init?(protocolError: any Error) {
        switch protocolError {
        case HTTPParserError.headerOverflow:
            self.init(.requestHeaderFieldsTooLarge, "header_too_large", "The request's header is too large.")
        case HTTPParserError.invalidVersion:
            self.init(.httpVersionNotSupported, "unknown_version", "HTTP/1.1 and HTTP/1.0 are spoken here.")
        case HTTPParserError.invalidMethod:
            self.init(.notImplemented, "unknown_method", "The method is not known here.")
        case HTTPParserError.invalidEOFState, HTTPParserError.closedConnection: return nil
        case is HTTPParserError, is HTTP1TypeConversionError:
            self.init(.badRequest, "malformed_request", "The request is not HTTP as RFC 9112 has it.")
        default: return nil
        }
    }

    private struct Document: Encodable {
        struct Content: Encodable {
            let code: String
            let message: String
        }
        let error: Content
    }

    func response() -> Response {
        var response = JSONAnswer.response(Document(error: .init(code: code, message: message)), status: status)
        // Whoever is turned away for now is always told when to come back.
        if let seconds = retryAfter ?? ([429, 503].contains(status.code) ? 1 : nil) {
            response.headers[.retryAfter] = String(seconds)
        }
        if let allow { response.headers[.allow] = allow }
        if let challenge { response.headers[.wwwAuthenticate] = challenge }
        return response
    }

    /// The body of `response()`.
    var jsonBytes: ByteBuffer {
        (try? JSONAnswer.bytes(Document(error: .init(code: code, message: message)))) ?? ByteBuffer()
    }
}
