import Hummingbird
import Search

/// `GET /models`: what is known about every loaded model.
struct ModelRoutes {
    let service: SearchService
    let intake: ModelIntake

    func add(to group: RouterGroup<APIContext>) {
        group.get("models", use: list)
        group.get("models/:id", use: model)
    }

    @Sendable func list(_ request: Request, _ context: APIContext) async throws -> Response {
        let models = try service.served()
        return JSONAnswer.response(
            ModelListing(models: models.map(ModelAnswer.init), default: models.first?.card.id, coming: intake.coming))
    }

    @Sendable func model(_ request: Request, _ context: APIContext) async throws -> Response {
        JSONAnswer.response(ModelAnswer(try service.model(context.parameter("id"))))
    }
}
