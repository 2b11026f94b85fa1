public import Foundation
import GRDB

/// A picture that comes as bytes, with all that is to be written of it.
public struct NewImage: Sendable {
    /// A whole JPEG, PNG or WebP file.
    public var bytes: Data
    /// Upright.
    public var size: PictureSize
    public var fields: ImageFields
    /// Those of the models in use, made from the same bytes.
    public var vectors: [CatalogStore.ImageVector]

    public init(bytes: Data, size: PictureSize, fields: ImageFields = ImageFields(), vectors: [CatalogStore.ImageVector] = []) {
        self.bytes = bytes
        self.size = size
        self.fields = fields
        self.vectors = vectors
    }
}

/// One change among many.
public enum CatalogEdit: Sendable {
    /// Writes the product as `put(product:)` does, and adds pictures to it as `addImage` does.
    case put(Product, images: [NewImage])
    case deleteProduct(String)
    case deleteImage(ImageID)
}

/// What became of a `CatalogEdit`.
public enum EditOutcome: Sendable, Equatable {
    case created
    case replaced
    case deleted
}

extension CatalogStore {
    /// Applies changes in their order, in one transaction. One that is refused leaves nothing of itself behind and does not keep the others from
    /// being written.
    /// - Returns: for each change what became of it, or why it was refused: `badField`, `notAPicture`, `unknownProduct`, `unknownImage`, or an error
    ///   of its vectors.
    /// - Throws: what keeps any change from being written: `diskFull`, `readOnly`, `locked`, `inputOutput` and the like. Then nothing was.
    public func apply(_ edits: [CatalogEdit]) throws(CatalogError) -> [Result<EditOutcome, CatalogError>] {
        guard let media = try read({ db in try MediaFolder(db) }) else { throw .readOnly(path: path) }
        var staged: [String] = []
        defer { for file in staged { media.discard(file) } }
        var prepared: [Result<PreparedEdit, CatalogError>] = []
        for edit in edits {
            do throws(CatalogError) {
                prepared.append(.success(try prepare(edit, media) { staged.append($0) }))
            } catch {
                guard error.isAboutAnEdit else { throw error }
                prepared.append(.failure(error))
            }
        }
        let (outcomes, former) = try write { db in
            var outcomes: [Result<EditOutcome, CatalogError>] = []
            var former: [String] = []
            for edit in prepared {
                switch edit {
                case .failure(let error): outcomes.append(.failure(error))
                case .success(let edit):
                    do {
                        try db.inSavepoint {
                            outcomes.append(.success(try Self.apply(edit, media, db, formerPath: { former.append($0) })))
                            return .commit
                        }
                    } catch let error as CatalogError where error.isAboutAnEdit {
                        outcomes.append(.failure(error))
                    }
                }
            }
            return (outcomes, former)
        }
        removeFiles(former)
        return outcomes
    }

    /// A change whose values are judged and whose files are on the disk, under names of their own.
    private enum PreparedEdit {
        case put(Product, images: [(image: NewImage, picture: Picture, staged: String)])
        case deleteProduct(String)
        case deleteImage(ImageID)
    }

    private func prepare(_ edit: CatalogEdit, _ media: MediaFolder, staged note: (String) -> Void) throws(CatalogError)
        -> PreparedEdit
    {
        switch edit {
        case .deleteProduct(let id): return .deleteProduct(id.oneSpelling)
        case .deleteImage(let id): return .deleteImage(id)
        case .put(let product, let images):
            let product = try Self.checked(product)
            var pictures: [(image: NewImage, picture: Picture)] = []
            for image in images {
                pictures.append((image, try inspected(image.bytes, image.fields, image.vectors) { _, _ in image.size }))
            }
            // No file is written for a product of which a later picture is refused.
            var prepared: [(image: NewImage, picture: Picture, staged: String)] = []
            for (image, picture) in pictures {
                let file = try media.stage(image.bytes, as: picture.name)
                note(file)
                prepared.append((image, picture, file))
            }
            return .put(product, images: prepared)
        }
    }

    private static func apply(
        _ edit: PreparedEdit, _ media: MediaFolder, _ db: Database, formerPath: (String) -> Void
    ) throws -> EditOutcome {
        switch edit {
        case .put(let product, let images):
            let known = try Bool.fetchOne(db, sql: "SELECT EXISTS (SELECT 1 FROM products WHERE id = ?)", arguments: [product.id])
            try product.save(db)
            for (image, picture, _) in images {
                _ = try insert(
                    picture, byteCount: image.bytes.count, to: product.id, image.fields, image.vectors, db)
            }
            for (_, picture, staged) in images { try media.place(staged, as: picture.name) }
            return known == true ? .replaced : .created
        case .deleteProduct(let id):
            let paths = try String.fetchAll(db, sql: "SELECT path FROM images WHERE product_id = ?", arguments: [id])
            try db.execute(sql: "DELETE FROM products WHERE id = ?", arguments: [id])
            guard db.changesCount > 0 else { throw CatalogError.unknownProduct(id: id) }
            for path in paths { formerPath(path) }
            return .deleted
        case .deleteImage(let id):
            guard let path = try String.fetchOne(db, sql: "SELECT path FROM images WHERE id = ?", arguments: [id]) else {
                throw CatalogError.unknownImage(id: id)
            }
            try db.execute(sql: "DELETE FROM images WHERE id = ?", arguments: [id])
            formerPath(path)
            return .deleted
        }
    }
}

extension CatalogError {
    /// Whether it says that one change can't be, and nothing about the catalogue as a whole.
    fileprivate var isAboutAnEdit: Bool {
        switch self {
        case .badField, .notAPicture, .unknownProduct, .unknownImage, .wrongDimension, .notUnitLength, .invalidDimension,
            .dimensionConflict:
            true
        default: false
        }
    }
}
