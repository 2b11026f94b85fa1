public import Foundation

#if canImport(FoundationNetworking)
    public import FoundationNetworking
#endif

/// A StyleFinder server, as a Swift program talks to it.
///
///     let finder = StyleFinderClient(address: URL(string: "http://127.0.0.1:8080")!)
///     let answer = try await finder.search(SearchQuery(images: [photo], text: ["in red"], filters: ["price:..60"], count: 12))
///     for result in answer.results { print(result.rank, result.product.title ?? result.product.id, result.score) }
///
/// Every call throws a `ClientError`.
public struct StyleFinderClient: Sendable {
    /// Where the server stands, with its base path where it has one.
    public let address: URL
    private let token: String?
    private let session: URLSession

    /// - Parameters:
    ///   - token: the admin token; needed for changes of the catalogue alone.
    ///   - session: carries proxies, timeouts and the like.
    public init(address: URL, token: String? = nil, session: URLSession = .shared) {
        self.address = address
        self.token = token
        self.session = session
    }

    // MARK: Searching

    /// The garments that look most like a picture, fit a text, or resemble something of the catalogue.
    public func search(_ query: SearchQuery) async throws -> SearchAnswer {
        let form = query.form
        return try await answer("POST", "search", form.body, type: form.type)
    }

    /// Many searches in one call, without pictures of one's own; answers come in their order, each with its own result or error.
    public func search(_ queries: [SearchQuery]) async throws -> [Result<SearchAnswer, ClientError>] {
        let lines = try queries.map { query in
            guard query.images.isEmpty, query.notImages.isEmpty else {
                throw ClientError.wrongQuery("pictures can't be sent in a batch; search with them one by one")
            }
            return try query.json
        }
        let body = try await send("POST", "search/batch", Data(lines.joined(by: 0x0A)), type: "application/x-ndjson")
        return try body.split(separator: 0x0A).map { line in
            let line = Data(line)
            if let refused = try? Self.decoder.decode(Refusal.self, from: line) {
                return .failure(.refused(status: 0, code: refused.error.code, message: refused.error.message, retryAfter: nil))
            }
            return .success(try Self.decoded(line))
        }
    }

    /// Products that look like one of the catalogue.
    public func products(similarTo id: String, count: Int = 10) async throws -> SearchAnswer {
        try await answer("GET", "products/\(Self.encoded(id))/similar?top_k=\(count)")
    }

    /// What begins like the letters that were typed: values of the catalogue, and titles.
    public func suggestions(for typed: String, count: Int = 8) async throws -> [Suggestion] {
        let listing: SuggestionListing = try await answer("GET", "suggest?q=\(Self.encoded(typed))&limit=\(count)")
        return listing.suggestions
    }

    // MARK: Looking

    public func models() async throws -> ModelListing { try await answer("GET", "models") }

    /// A page of the catalogue.
    /// - Parameters:
    ///   - words: what the products are called, each word perhaps unfinished, or the beginning of an id; the best come first.
    ///   - withoutPictures: also those that have no usable picture, which can't be combined with filters.
    public func products(
        filters: [String] = [], words: String = "", withoutPictures: Bool = false, offset: Int = 0, count: Int = 24
    ) async throws -> ProductListing {
        let filter = filters.map { "&filter=\(Self.encoded($0))" }.joined()
        let rest = (words.isEmpty ? "" : "&q=\(Self.encoded(words))") + (withoutPictures ? "&pictures=any" : "")
        return try await answer("GET", "products?offset=\(offset)&limit=\(count)\(filter)\(rest)")
    }

    public func product(_ id: String) async throws -> ProductDetail { try await answer("GET", "products/\(Self.encoded(id))") }

    /// A picture of the catalogue as JPEG.
    /// - Parameter width: 160, 320, 640 or 1280 pixels.
    public func picture(_ id: Int64, width: Int = 640) async throws -> Data { try await send("GET", "images/\(id)?w=\(width)") }

    // MARK: Changing, with the admin token

    /// Adds a product or replaces one; it is found by its pictures when the call returns.
    /// - Returns: whether it is new.
    @discardableResult
    public func put(_ product: ProductColumns, id: String) async throws -> Bool {
        let body = try Self.encoder.encode(product)
        return try await response("PUT", "products/\(Self.encoded(id))", body, type: "application/json").status == 201
    }

    /// Adds a picture to a product; searches find it when the call returns.
    @discardableResult
    public func add(picture: Data, to id: String, view: String? = nil, color: String? = nil) async throws -> Picture {
        var form = MultipartBody()
        form.add(file: "image", picture)
        if let view { form.add("view", view) }
        if let color { form.add("color", color) }
        return try await answer("POST", "products/\(Self.encoded(id))/images", form.body, type: form.type)
    }

    public func delete(product id: String) async throws { _ = try await send("DELETE", "products/\(Self.encoded(id))") }

    public func delete(picture id: Int64) async throws { _ = try await send("DELETE", "images/\(id)") }

    // MARK: Parts

    private struct Refusal: Decodable {
        struct Problem: Decodable {
            let code: String
            let message: String
        }

        let error: Problem
    }

    private struct SuggestionListing: Decodable { let suggestions: [Suggestion] }

    static var decoder: JSONDecoder {
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        return decoder
    }

    static var encoder: JSONEncoder {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        encoder.keyEncodingStrategy = .convertToSnakeCase
        return encoder
    }

    private static func decoded<Value: Decodable>(_ data: Data) throws(ClientError) -> Value {
        do { return try decoder.decode(Value.self, from: data) } catch { throw .unreadableAnswer("\(error)") }
    }

    private static func encoded(_ text: String) -> String {
        let safe = CharacterSet(charactersIn: "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~")
        return text.addingPercentEncoding(withAllowedCharacters: safe) ?? ""
    }

    private func answer<Value: Decodable>(_ method: String, _ path: String, _ body: Data? = nil, type: String? = nil) async throws
        -> Value
    {
        try Self.decoded(try await send(method, path, body, type: type))
    }

    private func send(_ method: String, _ path: String, _ body: Data? = nil, type: String? = nil) async throws -> Data {
        try await response(method, path, body, type: type).body
    }

    private func response(_ method: String, _ path: String, _ body: Data?, type: String?) async throws -> (
        status: Int, body: Data
    ) {
        var root = address.absoluteString
        if !root.hasSuffix("/") { root += "/" }
        guard let url = URL(string: root + "api/v1/" + path) else { throw ClientError.wrongQuery("\(path) makes no address") }
        var request = URLRequest(url: url)
        request.httpMethod = method
        request.httpBody = body
        if let type { request.setValue(type, forHTTPHeaderField: "Content-Type") }
        if let token { request.setValue("Bearer \(token)", forHTTPHeaderField: "Authorization") }
        let (data, answer): (Data, URLResponse)
        do { (data, answer) = try await session.data(for: request) } catch {
            if error is CancellationError { throw error }
            throw ClientError.unreachable((error as NSError).localizedDescription)
        }
        guard let answer = answer as? HTTPURLResponse else { throw ClientError.unreadableAnswer("no answer of HTTP") }
        guard (200..<300).contains(answer.statusCode) else {
            let refusal = try? Self.decoder.decode(Refusal.self, from: data)
            throw ClientError.refused(
                status: answer.statusCode, code: refusal?.error.code ?? "unknown",
                message: refusal?.error.message ?? "The server answered \(answer.statusCode).",
                retryAfter: answer.value(forHTTPHeaderField: "Retry-After").flatMap { Int($0) })
        }
        return (answer.statusCode, data)
    }
}

extension Array<Data> {
    fileprivate func joined(by separator: UInt8) -> [UInt8] { Array<UInt8>(joined(separator: [separator])) }
}
