import HTTPTypes
import Hummingbird
import Search

/// The three calls of the paper's own server, for programs that were written for it: a picture in, similar pictures out, and models by the name of
/// their architecture (`clip_arch`) and variant (`model`).
struct PaperRoutes {
    let searching: Searching
    private let bodies: BodyReader

    private static let names = RequestFields.Names(["image", "clip_arch", "model", "top_k"], files: ["image"])

    private struct SimilarImages: Encodable {
        struct Entry: Encodable {
            let url: String
            let score: Double
            let rank: Int
            /// The product's title, or its id where it has none.
            let label: String
            let productId: String
        }

        let similarImages: [Entry]
        let clipArch: String
        let model: String
    }

    private struct Models: Encodable {
        /// The variants of each architecture.
        let models: [String: [String]]
    }

    private struct Description: Encodable {
        let clipArch: String
        let model: String
        let description: String
        let card: ModelAnswer
    }

    init(_ searching: Searching) {
        self.searching = searching
        bodies = BodyReader(limits: searching.limits)
    }

    func add(to group: RouterGroup<APIContext>) {
        group.post("search", use: search)
        group.get("models", use: models)
        group.get("model-description/:arch/:variant", use: description)
    }

    @Sendable func search(_ request: Request, _ context: APIContext) async throws -> Response {
        let served = try searching.service.served()
        let fields = try await RequestFields(body: request, Self.names, reader: bodies, limits: searching.limits)
        let (architecture, variant) = (try fields.one("clip_arch"), try fields.one("model"))
        let model = try Self.model(architecture, variant, among: served)
        guard fields.files.count == 1 else {
            throw APIError.wrongParameter("A search takes one image, found \(fields.files.count).")
        }
        // As the paper's server does, each picture on its own.
        let answer = try await searching.answer(
            fields.keeping(["image", "top_k"]).adding([("model", model.card.id), ("group_by", "image")]))
        return JSONAnswer.response(
            SimilarImages(
                similarImages: answer.results.map { result in
                    .init(
                        url: result.image.path, score: result.score, rank: result.rank,
                        label: result.product.title ?? result.product.id, productId: result.product.id)
                }, clipArch: model.card.architecture, model: model.card.variant))
    }

    @Sendable func models(_ request: Request, _ context: APIContext) async throws -> Response {
        _ = try RequestFields(query: request, .init([]))
        let cards = try searching.service.served().map(\.card)
        return JSONAnswer.response(
            Models(
                models: cards.reduce(into: [:]) { models, card in
                    // Two models can be the same variant; the first answers to it.
                    if models[card.architecture]?.contains(card.variant) != true {
                        models[card.architecture, default: []].append(card.variant)
                    }
                }))
    }

    @Sendable func description(_ request: Request, _ context: APIContext) async throws -> Response {
        _ = try RequestFields(query: request, .init([]))
        let served = try searching.service.served()
        let model = try Self.model(context.parameter("arch"), context.parameter("variant"), among: served)
        return JSONAnswer.response(
            Description(
                clipArch: model.card.architecture, model: model.card.variant, description: Self.words(of: model.card),
                card: ModelAnswer(model)))
    }

    /// The first model that fits both names, each of which may be left out. A model's id is taken for either.
    private static func model(
        _ architecture: String?, _ variant: String?, among served: [ServedModel]
    ) throws(APIError) -> ServedModel {
        let found = served.first { model in
            let card = model.card
            func fits(_ name: String?, _ own: String) -> Bool {
                name.map { [own.lowercased(), card.id.lowercased()].contains($0.lowercased()) } ?? true
            }
            return fits(architecture, card.architecture) && fits(variant, card.variant)
        }
        guard let found else {
            let asked = [architecture, variant].compactMap(\.self).joined(separator: " / ")
            throw .unknownModel(asked, known: served.map { "\($0.card.architecture) / \($0.card.variant)" })
        }
        return found
    }

    /// What is known of a model, in sentences.
    private static func words(of card: ModelCard) -> String {
        var sentences = [
            "\(card.architecture), \(card.variant): \(card.parameters) parameters, \(card.preprocessing.side) × \(card.preprocessing.side) pixels, "
                + "vectors of \(card.embeddingSize) numbers."
        ]
        if let stage = card.stage { sentences.append("Training stage: \(stage).") }
        if let training = card.training {
            var parts: [String] = []
            if let recipe = training.recipe { parts.append("recipe \(recipe)") }
            if let epochs = training.epochs { parts.append("\(epochs) epochs") }
            if let optimizer = training.optimizer { parts.append(optimizer) }
            if let rate = training.learningRate { parts.append("learning rate \(rate)") }
            if let losses = training.loss {
                parts.append("loss of " + losses.map { "\($0.name) × \($0.weight)" }.joined(separator: ", "))
            }
            if !parts.isEmpty { sentences.append("Trained with " + parts.joined(separator: ", ") + ".") }
        }
        if !card.takesText { sentences.append("It takes pictures alone.") }
        return sentences.joined(separator: " ")
    }
}
