import Hummingbird
import Search

/// `GET /models`: what is known about every loaded model.
struct ModelRoutes {
    let service: SearchService

    func add(to group: RouterGroup<APIContext>) {
        group.get("models", use: list)
        group.get("models/:id", use: model)
    }

    /// A card, and how many pictures of the catalogue it can find.
    struct Card: Encodable {
        let card: ModelCard
        let images: Int

        private enum CodingKeys: CodingKey { case images }

        func encode(to encoder: any Swift.Encoder) throws {
            try card.encode(to: encoder)
            var container = encoder.container(keyedBy: CodingKeys.self)
            try container.encode(images, forKey: .images)
        }

        init(_ model: ServedModel) {
            card = model.card
            images = model.engine.count
        }
    }

    private struct Listing: Encodable {
        let models: [Card]
        let `default`: String?
    }

    @Sendable func list(_ request: Request, _ context: APIContext) async throws -> Response {
        let models = try service.served()
        return JSONAnswer.response(Listing(models: models.map(Card.init), default: models.first?.card.id))
    }

    @Sendable func model(_ request: Request, _ context: APIContext) async throws -> Response {
        JSONAnswer.response(Card(try service.model(context.parameter("id"))))
    }
}
