import Catalog
import Foundation
import HTTPTypes
import Hummingbird
import NIOCore
import Search

// The JSON that clients see. Its types are the API's own: what a domain type gains reaches no answer before it stands here, and no path or command
// line of the server's has a place in them. openapi.json describes them.

/// What a result or a page shows of a product.
struct ProductSummary: Encodable {
    var id: String
    var title: String?
    var category: String?
    var brand: String?
    var price: Double?
    var currency: String?
    var inStock: Bool?
    var url: String?
    /// The different colours of its pictures.
    var colors: [String]?
    /// In a page of products: the picture to show.
    var image: ImageSummary?
}

extension ProductSummary {
    init(_ product: Product, image: ImageSummary?) {
        self.init(
            id: product.id, title: product.title, category: product.category, brand: product.brand, price: product.price,
            currency: product.currency, inStock: product.inStock, url: WebAddress.safe(product.url), image: image)
    }

    init(_ product: SearchResult.ProductSummary) {
        self.init(
            id: product.id, title: product.title, category: product.category, brand: product.brand, price: product.price,
            currency: product.currency, inStock: product.inStock, url: WebAddress.safe(product.url), colors: product.colors)
    }
}

struct ProductDetail: Encodable {
    let id: String
    let title: String?
    let category: String?
    let brand: String?
    let price: Double?
    let currency: String?
    let inStock: Bool?
    let url: String?
    let description: String?
    let attributes: [String: String]
    let images: [ImageSummary]

    init(_ product: Product, images: [ImageSummary]) {
        id = product.id
        title = product.title
        category = product.category
        brand = product.brand
        price = product.price
        currency = product.currency
        inStock = product.inStock
        url = WebAddress.safe(product.url)
        description = product.description
        attributes = product.attributes
        self.images = images
    }
}

struct ImageSummary: Encodable {
    let id: ImageID
    /// The picture's address at this server.
    let path: String
    let view: String?
    let color: String?
    var caption: String?

    init(_ image: CatalogImage, _ base: BasePath) {
        id = image.id
        path = base.url(ImageRoutes.path(image.id))
        view = image.view
        color = image.color
        caption = image.caption
    }

    init(_ image: SearchResult.ImageSummary, _ base: BasePath) {
        id = image.id
        path = base.url(ImageRoutes.path(image.id))
        view = image.view
        color = image.color
    }
}

struct SearchAnswer: Encodable {
    struct Result: Encodable {
        let rank: Int
        let score: Double
        let product: ProductSummary
        let image: ImageSummary
        let words: WordRank?
        let vectorRank: Int?
    }

    struct WordRank: Encodable {
        let rank: Int
        let matched: [String]
    }

    /// A colour of the picture that was sent, by what shops call it.
    struct QueryColor: Encodable {
        let name: String
        let hex: String
        /// Of what is not background, 0…1.
        let share: Double
        /// What narrows the search to it, where the catalogue has the colour.
        let filter: String?
    }

    struct Fusion: Encodable {
        struct Weights: Encodable {
            let words: Double
            let vectors: Double
        }

        let method: String
        let k: Double
        let weights: Weights
    }

    let model: String
    let results: [Result]
    /// Absent where it is not known; a result below it is no close match.
    let closeMatchScore: Double?
    /// Only where it is so: the text was longer than the model reads, and its end was left out.
    let truncatedText: Bool?
    /// Beside it: how many tokens the text has, and how many were read.
    let textTokens: Int?
    let textTokensRead: Int?
    /// Where the query has a text: how ranks by words and by vectors were made one, and words that nothing in the catalogue has.
    let fusion: Fusion?
    let unknownWords: [String]?
    /// Where a picture was sent: the colours of the first one, the most frequent first.
    var queryColors: [QueryColor]?
    /// Milliseconds: `decode` where a picture was sent, `encode`, `search`, `total`.
    let timingMs: [String: Double]

    /// - Parameter decoded: milliseconds that the picture took to decode.
    init(_ response: SearchResponse, decoded: Double?, _ base: BasePath) {
        model = response.model
        results = response.results.map { result in
            Result(
                rank: result.rank, score: result.score, product: ProductSummary(result.product),
                image: ImageSummary(result.image, base),
                words: result.words.map { WordRank(rank: $0.rank, matched: $0.matched) }, vectorRank: result.vectorRank)
        }
        fusion = response.fusion.map {
            Fusion(method: RankFusion.method, k: $0.k, weights: .init(words: $0.words, vectors: $0.vectors))
        }
        unknownWords = response.unknownWords
        closeMatchScore = response.closeMatchScore
        truncatedText = response.truncatedText ? true : nil
        (textTokens, textTokensRead) = (response.textTokens, response.textTokensRead)
        var timing = response.timing
        if let decoded {
            func rounded(_ milliseconds: Double) -> Double { (milliseconds * 1000).rounded() / 1000 }
            timing["decode"] = rounded(decoded)
            timing["total"] = rounded(timing["total", default: 0] + decoded)
        }
        timingMs = timing
    }
}

struct SuggestionListing: Encodable {
    struct Entry: Encodable {
        let text: String
        let kind: String
        let count: Int
        let filter: String?
        let filters: [String]?
        let productId: String?
    }

    let suggestions: [Entry]

    init(_ found: [Suggestion]) {
        suggestions = found.map { suggestion in
            let filters = suggestion.filters.compactMap { clause -> String? in
                if case .equals(let value) = clause.anyOf.first { "\(clause.key):\(value)" } else { nil }
            }
            return Entry(
                text: suggestion.text, kind: suggestion.kind, count: suggestion.count,
                filter: filters.count == 1 ? filters[0] : nil, filters: filters.isEmpty ? nil : filters,
                productId: suggestion.productID)
        }
    }
}

struct ProductListing: Encodable {
    struct Facet: Encodable {
        let value: String
        let count: Int
    }

    let total: Int
    let products: [ProductSummary]
    let facets: [String: [Facet]]
}

/// What is known about a model, and how many pictures of the catalogue it can find.
struct ModelAnswer: Encodable {
    struct Preparation: Encodable {
        let side: Int
        let fitting: String
        let filter: String
        let mean: [Float]
        let std: [Float]
    }

    struct Term: Encodable {
        let name: String
        let weight: Double
    }

    struct Training: Encodable {
        let recipe: String?
        let epoch: Int?
        let epochs: Int?
        let step: Int?
        let steps: Int?
        let photos: Int?
        let seconds: Double?
        let optimizer: String?
        let learningRate: Double?
        let weightDecay: Double?
        let batch: String?
        let loss: [Term]?
        let temperature: Double?
        let captions: [String]?
        let validation: [String: Double]?
        let curve: [ModelCard.CurvePoint]?
    }

    let id: String
    let architecture: String
    let variant: String
    let stage: String?
    let embeddingSize: Int
    let parameters: Int
    let takesText: Bool
    let preprocessing: Preparation
    let fingerprint: String
    let training: Training?
    let images: Int

    init(_ model: ServedModel) {
        let card = model.card
        id = card.id
        architecture = card.architecture
        variant = card.variant
        stage = card.stage
        embeddingSize = card.embeddingSize
        parameters = card.parameters
        takesText = card.takesText
        let prepared = card.preprocessing
        preprocessing = Preparation(
            side: prepared.side, fitting: prepared.fitting, filter: prepared.filter, mean: prepared.mean, std: prepared.std)
        fingerprint = card.fingerprint
        // Everything but the command line: it names folders of whoever trained the model.
        training = card.training.map { run in
            Training(
                recipe: run.recipe, epoch: run.epoch, epochs: run.epochs, step: run.step, steps: run.steps, photos: run.photos,
                seconds: run.seconds, optimizer: run.optimizer, learningRate: run.learningRate, weightDecay: run.weightDecay,
                batch: run.batch, loss: run.loss?.map { Term(name: $0.name, weight: $0.weight) }, temperature: run.temperature,
                captions: run.captions, validation: run.validation, curve: run.curve)
        }
        images = model.engine.count
    }
}

struct ModelListing: Encodable {
    let models: [ModelAnswer]
    let `default`: String?
    /// A model that is being brought in.
    let coming: ModelIntake.Coming?
}

struct SampleListing: Encodable {
    struct Sample: Encodable {
        let title: String
        let path: String
    }
    let samples: [Sample]
    /// What the catalogue and its samples are, in a sentence.
    let about: String?
}

/// Addresses of products come from a catalogue that somebody else wrote: a page makes links of them.
enum WebAddress {
    /// An address that leads to a page and runs nothing: http, https, or relative to the shop. nil for every other.
    static func safe(_ text: String?) -> String? {
        guard let text else { return nil }
        // Browsers drop control characters and blanks at the front before they look for a scheme.
        let shown = text.unicodeScalars.filter { $0.value > 0x20 && $0.value != 0x7F }
        guard let colon = shown.firstIndex(of: ":") else { return text }
        let before = shown[..<colon]
        if before.contains(where: { "/?#".unicodeScalars.contains($0) }) { return text }
        return ["http", "https"].contains(String(String.UnicodeScalarView(before)).lowercased()) ? text : nil
    }
}

/// JSON as every route writes it: snake_case keys, sorted, slashes as they are.
enum JSONAnswer {
    static func bytes(_ value: some Encodable) throws -> ByteBuffer {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        encoder.keyEncodingStrategy = .convertToSnakeCase
        return ByteBuffer(bytes: try encoder.encode(value))
    }

    static func response(_ value: some Encodable, status: HTTPResponse.Status = .ok) -> Response {
        // Every type that is answered with has a JSON form: no number that is not finite comes out of a search.
        guard let bytes = try? bytes(value) else { return Response(status: .internalServerError) }
        return Response(
            status: status, headers: [.contentType: "application/json; charset=utf-8"], body: ResponseBody(byteBuffer: bytes))
    }
}
