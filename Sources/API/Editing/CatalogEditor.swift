import Catalog
import Foundation
import Hummingbird
import Imaging
import NIOCore
import Search

/// Changes the catalogue for clients: pictures get the vectors of every model that answers before anything is written, file, rows and vectors are
/// written in one transaction, and what was written is found when the call returns.
final class CatalogEditor: Sendable {
    private let service: SearchService
    private let limits: ServerLimits
    /// Apart from the threads that decode queries: a shop that fills its catalogue does not stand before a search.
    private let decoders: WorkPool
    /// SQLite has one writer at a time, and a write waits for the disk: here it holds a thread of its own.
    private let writer: WorkPool

    init(service: SearchService, limits: ServerLimits) {
        self.service = service
        self.limits = limits
        decoders = WorkPool(threads: System.coreCount, waiting: limits.decodesWaiting, name: "decode_changes")
        writer = WorkPool(threads: 1, waiting: limits.writesWaiting, name: "write")
    }

    /// Decodes a picture and makes its vectors with every model that answers.
    /// - Throws: `APIError.loading` until there are models, `ImageError`, `TransientError` of a model whose queue is full.
    func image(_ bytes: Data, _ fields: ImageFields) async throws -> NewImage {
        let encoders = try service.served().map(\.engine.encoder)
        let (size, reduced) = try await decoders.run { [limits] ticket in
            let picture = try PictureDecoding.decode(bytes, limits: limits.pictures, ticket)
            return (PictureSize(width: picture.width, height: picture.height), encoders.map { $0.reduce(picture) })
        }
        var vectors: [CatalogStore.ImageVector] = []
        for (encoder, picture) in zip(encoders, reduced) {
            guard let vector = try await encoder.encode(images: [picture]).first else {
                throw APIError(.internalServerError, "internal", "The model \(encoder.model.name) made no vector.")
            }
            vectors.append((encoder.model, vector))
        }
        return NewImage(bytes: bytes, size: size, fields: fields, vectors: vectors)
    }

    /// Runs a write, which blocks, and takes over what it wrote.
    /// - Throws: `APIError.loadingCatalog` until the catalogue is in memory, `.overloaded` where too many writes wait, and what `body` throws.
    func write<Value: Sendable>(_ body: @escaping @Sendable (CatalogStore) throws -> Value) async throws -> Value {
        let live = try service.browsed()
        let value = try await writer.run { _ in try body(live.store) }
        try await live.refresh()
        return value
    }

    /// Runs a look-up beside the writes.
    func read<Value: Sendable>(_ body: @escaping @Sendable (CatalogStore) throws -> Value) async throws -> Value {
        let live = try service.browsed()
        return try await live.threads.run { try body(live.store) }
    }
}
