import Catalog
import Foundation
import Imaging
import Logging
import NIOCore
import Search
import Testing

@testable import API

/// A catalogue of one-coloured pictures, and a server over it with an encoder that sees nothing but the mean colour.
final class Shop: Sendable {
    static let colors: [(name: String, rgb: [UInt8])] = [
        ("red", [200, 20, 20]), ("green", [20, 180, 30]), ("blue", [20, 30, 190]), ("white", [240, 240, 240]),
        ("black", [12, 12, 12]), ("orange", [240, 150, 20]),
    ]

    let folder: URL
    let catalog: CatalogStore
    let service: SearchService

    /// Six garments `P0`… with two pictures each, the second a little darker.
    init(ready: Bool = true, encoder: (any EmbeddingModel)? = nil) throws {
        folder = FileManager.default.temporaryDirectory.resolvingSymlinksInPath().appending(path: "shop-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        var manifest = ""
        for (place, color) in Self.colors.enumerated() {
            for (view, shade) in [("main", 1.0), ("back", 0.8)] {
                let file = "\(color.name)-\(view).png"
                try Data(Self.png(color.rgb.map { UInt8(Double($0) * shade) })).write(to: folder.appending(path: file))
                manifest += """
                    {"image": "\(file)", "product_id": "P\(place)", "title": "A \(color.name) thing", "color": "\(color.name)", \
                    "category": "\(place < 4 ? "Women/Dresses" : "Men/Shirts")", "price": \(10 + place), "currency": "EUR", \
                    "brand": "Plain", "in_stock": \(place % 2 == 0), "view": "\(view)", "material": "wool"}\n
                    """
            }
        }
        try Data(manifest.utf8).write(to: folder.appending(path: "manifest.jsonl"))
        catalog = try CatalogStore(path: folder.path + "/shop.db", mode: .create)
        _ = try catalog.importCatalog(
            from: folder,
            inspect: { bytes, _ in
                let image = try ImageDecoder.decode(bytes)
                return PictureSize(width: image.width, height: image.height)
            })
        service = SearchService(catalog: catalog)
        let encoder = encoder ?? ColorEncoder()
        try catalog.writeVectors(
            catalog.images().map { image in
                let picture = try ImageDecoder.decode(contentsOfFile: image.path)
                return NewVector(image: image.id, contentHash: image.contentHash, components: ColorEncoder.vector(picture))
            }, of: encoder.model)
        if ready { try begin(encoder) }
    }

    deinit { try? FileManager.default.removeItem(at: folder) }

    func begin(_ encoder: any EmbeddingModel = ColorEncoder()) throws {
        let card = Self.card(encoder.model)
        service.begin(
            with: [ServedModel(card: card, engine: try SearchEngine(catalog: catalog, encoder: encoder))],
            samples: [SamplePicture(title: "Try red", path: folder.appending(path: "red-main.png").path)])
    }

    static func card(_ model: ModelRecord) -> ModelCard {
        var training = ModelCard.Training()
        training.epochs = 3
        training.learningRate = 0.001
        training.validation = ["map_product_id": 0.5]
        return ModelCard(
            id: model.name, architecture: "Mean/1", variant: "plain", embeddingSize: model.dimension, parameters: 0,
            takesText: true,
            preprocessing: .init(side: 8, fitting: "squash", filter: "box", mean: [0, 0, 0], std: [1, 1, 1]),
            fingerprint: model.fingerprint, training: training)
    }

    func server(_ change: (inout ServerSettings) -> Void = { _ in }, page: StaticPage? = nil) -> SearchServer {
        var settings = ServerSettings(port: 0)
        change(&settings)
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        return SearchServer(service, page: page, settings: settings, logger: logger)
    }

    static func png(_ rgb: [UInt8], side: Int = 24) throws -> [UInt8] {
        try ImageEncoder.png(
            RGBImage(width: side, height: side, pixels: (0..<side * side).flatMap { _ in rgb }))
    }
}

/// The direction of the mean colour, with a constant that keeps black from having none.
struct ColorEncoder: EmbeddingModel {
    var model = ModelRecord(fingerprint: "mean-colour", name: "colours", dimension: 4)
    var takesText = true

    static func vector(_ image: RGBImage) -> [Float] {
        var sums: [Float] = [0, 0, 0]
        for (place, value) in image.pixels.enumerated() { sums[place % 3] += Float(value) }
        return unit(sums.map { $0 / Float(image.width * image.height) - 100 } + [40])
    }

    static func unit(_ vector: [Float]) -> [Float] {
        let length = vector.reduce(0) { $0 + $1 * $1 }.squareRoot()
        return vector.map { $0 / length }
    }

    func encode(images: [RGBImage]) async throws -> [[Float]] { images.map(Self.vector) }

    /// The colour whose name the text holds.
    func encode(texts: [String]) async throws -> [[Float]] {
        texts.map { text in
            let rgb = Shop.colors.first { text.contains($0.name) }?.rgb ?? [100, 100, 100]
            return Self.unit(rgb.map { Float($0) - 100 } + [40])
        }
    }
}

/// A multipart body.
struct Form {
    static let boundary = "----form-boundary-7d81"
    private var bytes: [UInt8] = []

    mutating func add(_ name: String, _ value: [UInt8], file: String? = nil) {
        let fileName = file.map { "; filename=\"\($0)\"\r\nContent-Type: application/octet-stream" } ?? ""
        bytes += Array("--\(Self.boundary)\r\nContent-Disposition: form-data; name=\"\(name)\"\(fileName)\r\n\r\n".utf8)
        bytes += value + Array("\r\n".utf8)
    }

    mutating func add(_ name: String, _ value: String) { add(name, Array(value.utf8)) }

    var body: ByteBuffer { ByteBuffer(bytes: bytes + Array("--\(Self.boundary)--\r\n".utf8)) }

    /// A file under a name of one's own.
    init(file name: String, _ bytes: [UInt8]) { add(name, bytes, file: "query.png") }

    init(image: [UInt8]? = nil, _ fields: [(String, String)] = []) {
        if let image { add("image", image, file: "query.png") }
        for (name, value) in fields { add(name, value) }
    }
}
