import Catalog
import Hummingbird
import Imaging
import NIOCore
import Search

/// Searches as every route has them: what a request asks for is decoded, cut out, searched, and written as the API writes it.
final class Searching: Sendable {
    let service: SearchService
    let limits: ServerLimits
    private let base: BasePath
    private let decoders: WorkPool
    private let searches: Places

    init(service: SearchService, limits: ServerLimits, base: BasePath) {
        self.service = service
        self.limits = limits
        self.base = base
        decoders = WorkPool(threads: System.coreCount, waiting: limits.decodesWaiting, name: "decode")
        searches = Places(limits.searches)
    }

    /// - Parameter fields: let go of once their pictures are decoded: what waits for the encoder holds no upload.
    func answer(_ fields: consuming RequestFields) async throws -> SearchAnswer {
        let model = try service.model(fields.one("model"))
        // What is wrong with the rest is said before a picture is worked on.
        let asked = try SearchRequest(copy fields)
        let begin = ContinuousClock.now
        var query = asked.query
        var colors: [[DominantColor]] = []
        for term in asked.terms { query.terms.append(try await self.term(term, model, &colors)) }
        fields.dropFiles()
        let decoded = asked.decodes ? (ContinuousClock.now - begin) / .milliseconds(1) : nil
        return try await answer(query, model, decoded: decoded, colors: colors.first)
    }

    /// A picture that was sent, decoded and cut out.
    func picture(_ bytes: some Collection<UInt8> & Sendable, _ region: PictureRegion?) async throws -> RGBImage {
        try await decoders.run { [limits] ticket in
            try PictureDecoding.decode(bytes, limits: limits.pictures, ticket).cropped(to: region ?? .whole)
        }
    }

    /// Parts of a picture that may each be a garment, cut out and reduced to what a model looks at.
    func parts(
        of bytes: some Collection<UInt8> & Sendable, for model: ServedModel
    ) async throws -> [(RegionProposal, RGBImage)] {
        let encoder = model.engine.encoder
        return try await decoders.run { [limits] ticket in
            let picture = try PictureDecoding.decode(bytes, limits: limits.pictures, ticket)
            return picture.garmentRegions().map { ($0, encoder.reduce(picture.cropped(to: $0.region))) }
        }
    }

    /// A picture of the catalogue.
    /// - Throws: `APIError.unknownImage`, `PictureFile.gone`.
    func picture(_ id: ImageID, _ region: PictureRegion?) async throws -> RGBImage {
        guard let image = try service.catalog.image(id), image.state == .ok else { throw APIError.unknownImage(String(id)) }
        return try await picture(PictureFile.bytes(ofFile: image.path), region)
    }

    /// A term with its picture decoded, cut out and reduced to what the model looks at.
    /// - Parameter colors: those of each picture that was decoded join it.
    private func term(
        _ term: SearchRequest.Term, _ model: ServedModel, _ colors: inout [[DominantColor]]
    ) async throws -> SearchQuery.Term {
        let (encoder, limits, region) = (model.engine.encoder, limits.pictures, term.region ?? .whole)
        func reduced(_ bytes: some Collection<UInt8> & Sendable) async throws -> RGBImage {
            let (picture, shown) = try await decoders.run { ticket in
                let part = try PictureDecoding.decode(bytes, limits: limits, ticket).cropped(to: region)
                return (encoder.reduce(part), part.dominantColors())
            }
            // What is not wanted is nobody's colour to search with.
            if term.weight > 0 { colors.append(shown) }
            return picture
        }
        switch term.subject {
        case .upload(let bytes): return .init(.image(try await reduced(bytes)), weight: term.weight)
        case .text(let text): return .init(.text(text), weight: term.weight)
        case .product(let id): return .init(.product(id), weight: term.weight)
        case .image(let id) where term.region == nil: return .init(.catalogImage(id), weight: term.weight)
        case .image(let id):
            guard let image = try service.catalog.image(id) else { throw APIError.unknownImage(String(id)) }
            return .init(.catalogPart(id, try await reduced(PictureFile.bytes(ofFile: image.path))), weight: term.weight)
        }
    }

    /// - Parameters:
    ///   - decoded: milliseconds that its pictures took to decode.
    ///   - colors: those of its first picture.
    func answer(
        _ query: SearchQuery, _ model: ServedModel, decoded: Double? = nil, colors: [DominantColor]? = nil
    ) async throws -> SearchAnswer {
        let response = try await searches.take { try await model.engine.search(query) }
        ServerMetrics.current?.note(searchBy: model.card.id, response.timing, decoded: decoded)
        var answer = SearchAnswer(response, decoded: decoded, base)
        let columns = model.engine.catalog.columns
        answer.queryColors = colors?.map { color in
            SearchAnswer.QueryColor(
                name: color.name, hex: color.color.hex, share: (color.share * 1000).rounded() / 1000,
                filter: columns.holds(color.name, under: "color") ? "color:\(color.name)" : nil)
        }
        return answer
    }
}

/// Decoding for a request: it stops when nobody waits for the picture any more.
enum PictureDecoding {
    static func decode(
        _ bytes: some Collection<UInt8>, limits: DecodingLimits = .standard, _ ticket: WorkTicket, minimumSide: Int? = nil
    ) throws -> RGBImage {
        try ImageDecoder.decode(
            bytes, limits: limits, control: DecodingControl(isCancelled: { ticket.isCancelled }), minimumSide: minimumSide)
    }
}
