public import Foundation
import GRDB

/// What is said of a picture beside its bytes.
public struct ImageFields: Sendable, Hashable {
    public var view: String?
    public var color: String?
    public var caption: String?
    /// `train`, `val`, `query` or `gallery`.
    public var split: String?
    /// What holds for this picture and not for every picture of its product. Several values of one key are joined with `|`.
    public var attributes: [String: String]

    public init(
        view: String? = nil, color: String? = nil, caption: String? = nil, split: String? = nil,
        attributes: [String: String] = [:]
    ) {
        self.view = view
        self.color = color
        self.caption = caption
        self.split = split
        self.attributes = attributes
    }
}

/// Changing a catalogue piece by piece. Each call is one transaction: when it returns, everything is on the disk, file, rows and vectors; when it
/// throws, or the process is killed, nothing of it is there. No import prunes or changes pictures that came as bytes.
extension CatalogStore {
    /// A vector of a picture, made by a model from the same bytes.
    public typealias ImageVector = (model: ModelRecord, components: [Float])

    /// Writes a product, new or in place of the one with its id: all columns and attributes, not its pictures.
    /// - Returns: whether the product is new.
    /// - Throws: `badField`, and what any write throws.
    @discardableResult
    public func put(product: Product) throws(CatalogError) -> Bool {
        let product = try Self.checked(product)
        return try write { db in
            let known = try Bool.fetchOne(db, sql: "SELECT EXISTS (SELECT 1 FROM products WHERE id = ?)", arguments: [product.id])
            try product.save(db)
            return known != true
        }
    }

    /// Adds a picture to a product. The same bytes again are the same image: its fields and vectors become those given.
    /// - Parameters:
    ///   - bytes: a whole file that `inspect` takes, such as a JPEG, PNG or WebP. It is kept as it is, in the folder `<catalogue>.media`.
    ///   - product: the id of a product that is there.
    ///   - vectors: those of the models in use; other models find the picture with the next `embed`.
    ///   - inspect: judges the bytes, before anything is written.
    /// - Throws: `notAPicture`, `unknownProduct`, `badField`, those of `writeVectors`, and what any write throws.
    @discardableResult
    public func addImage(
        bytes: Data, to product: String, fields: ImageFields = ImageFields(), vectors: [ImageVector] = [],
        inspect: PictureInspector
    ) throws(CatalogError) -> ImageID {
        let product = product.oneSpelling
        let picture = try inspected(bytes, fields, vectors, inspect)
        return try withStaged(bytes, picture) { db, place in
            let id = try Self.insert(picture, byteCount: bytes.count, to: product, fields, vectors, db)
            try place()
            return id
        }
    }

    /// Puts other bytes in the place of a picture that came as bytes. Its id stays; vectors of its former bytes go.
    /// - Parameter fields: `nil` leaves them as they are.
    /// - Throws: as `addImage`; `unknownImage`, and `importedImage` for a picture of an import, whose file is its owner's.
    public func replaceImage(
        _ id: ImageID, bytes: Data, fields: ImageFields? = nil, vectors: [ImageVector] = [], inspect: PictureInspector
    ) throws(CatalogError) {
        let picture = try inspected(bytes, fields ?? ImageFields(), vectors, inspect)
        let former = try withStaged(bytes, picture) { db, place in
            guard let row = try Row.fetchOne(db, sql: "SELECT product_id, path, source FROM images WHERE id = ?", arguments: [id])
            else { throw CatalogError.unknownImage(id: id) }
            guard row["source"] == MediaFolder.source else { throw CatalogError.importedImage(id: id, source: row["source"]) }
            let path = MediaFolder.stored(product: row["product_id"], hash: picture.hash, ending: picture.ending)
            let twin = try ImageID.fetchOne(db, sql: "SELECT id FROM images WHERE path = ? AND id <> ?", arguments: [path, id])
            if let twin { throw CatalogError.sameImage(id: twin) }
            try db.execute(
                sql: """
                    UPDATE images SET path = ?, sha256 = ?, size = ?, changed = NULL, width = ?, height = ?, state = 'ok', reason = NULL
                    WHERE id = ?
                    """, arguments: [path, picture.hash.hex, bytes.count, picture.size.width, picture.size.height, id])
            let former: String = row["path"]
            if former != path { try db.execute(sql: "DELETE FROM vectors WHERE image_id = ?", arguments: [id]) }
            if let fields { try Self.save(fields, of: id, db) }
            try Self.write(vectors, of: id, picture, db)
            try place()
            return former
        }
        removeFiles([former])
    }

    /// Deletes a picture and its vectors, and its file if it came as bytes. A picture of an import comes back with the next one, and its file is
    /// not touched.
    /// - Returns: whether it was there.
    @discardableResult
    public func deleteImage(_ id: ImageID) throws(CatalogError) -> Bool {
        let former = try write { db in
            let path = try String.fetchOne(db, sql: "SELECT path FROM images WHERE id = ?", arguments: [id])
            try db.execute(sql: "DELETE FROM images WHERE id = ?", arguments: [id])
            return path
        }
        removeFiles(former.map { [$0] } ?? [])
        return former != nil
    }

    /// Deletes a product, its pictures and their vectors, as `deleteImage` does.
    /// - Returns: whether it was there.
    @discardableResult
    public func deleteProduct(_ id: String) throws(CatalogError) -> Bool {
        let (found, former) = try write { db in
            let paths = try String.fetchAll(db, sql: "SELECT path FROM images WHERE product_id = ?", arguments: [id.oneSpelling])
            try db.execute(sql: "DELETE FROM products WHERE id = ?", arguments: [id.oneSpelling])
            return (db.changesCount > 0, paths)
        }
        removeFiles(former)
        return found
    }

    /// So long a file of the media folder is left alone, in seconds. Between its making and its commit pass moments.
    static let strayAge: TimeInterval = 600

    /// Deletes files of the media folder that nothing mentions: what killed processes and failed writes left. An import that prunes does this at
    /// its end.
    ///
    /// No picture whose commit is under way loses its file: it gets its name within the transaction that mentions it, and here names are looked up
    /// and deleted within one too, so the one waits for the other. A write that stood still for so long that its half-written file is swept fails,
    /// and nothing of it is there.
    /// - Parameter age: younger files are left alone, in seconds; another process may be writing one.
    /// - Returns: how many files there were.
    @discardableResult
    func sweepMedia(olderThan age: TimeInterval = CatalogStore.strayAge) throws(CatalogError) -> Int {
        guard let media = try read({ db in try MediaFolder(db) }) else { return 0 }
        let (names, parts) = media.files(olderThan: age)
        for part in parts { media.discard(part) }
        var count = parts.count
        // Some at a time: other writers wait meanwhile.
        for first in stride(from: 0, to: names.count, by: 500) {
            let some = names[first..<min(first + 500, names.count)]
            count += try write { db in try media.sweep(some, db) }
        }
        return count
    }

    // MARK: Parts

    struct Picture {
        let hash: ContentHash
        let size: PictureSize
        let ending: String

        /// The name of its file.
        var name: String { "\(hash.hex).\(ending)" }
    }

    func inspected(
        _ bytes: Data, _ fields: ImageFields, _ vectors: [ImageVector], _ inspect: PictureInspector
    ) throws(CatalogError) -> Picture {
        if mode == .readOnly { throw .readOnly(path: path) }
        try Self.check(fields)
        for vector in vectors {
            try Self.check([NewVector(image: 0, contentHash: nil, components: vector.components)], of: vector.model)
        }
        let hash = ContentHash(of: bytes)
        let ending = MediaFolder.ending(of: bytes)
        let size: PictureSize
        do {
            size = try inspect(bytes, URL(fileURLWithPath: "\(hash.hex).\(ending)"))
        } catch {
            throw .notAPicture(reason: FileObserver.phrase(error))
        }
        guard size.width > 0, size.height > 0 else { throw .notAPicture(reason: "it has no pixels") }
        return Picture(hash: hash, size: size, ending: ending)
    }

    /// Writes the bytes beside the catalogue, then runs a transaction that has to call its second argument last.
    private func withStaged<Value>(
        _ bytes: Data, _ picture: Picture, _ body: (Database, _ place: () throws -> Void) throws -> Value
    ) throws(CatalogError) -> Value {
        guard let media = try read({ db in try MediaFolder(db) }) else { throw .readOnly(path: path) }
        let staged = try media.stage(bytes, as: picture.name)
        do throws(CatalogError) {
            return try write { db in try body(db) { try media.place(staged, as: picture.name) } }
        } catch {
            media.discard(staged)
            throw error
        }
    }

    /// Deletes the files of pictures that are gone. Where that fails they are waste, which the next sweep takes.
    func removeFiles(_ stored: [String]) {
        let names = stored.compactMap(MediaFolder.name(inStored:))
        guard !names.isEmpty else { return }
        _ = try? write { db in try MediaFolder(db)?.sweep(names, db) }
    }

    /// The rows of a picture that came as bytes, new or of the same bytes as before; its file is still to be placed.
    static func insert(
        _ picture: Picture, byteCount: Int, to product: String, _ fields: ImageFields, _ vectors: [ImageVector], _ db: Database
    ) throws -> ImageID {
        guard try Bool.fetchOne(db, sql: "SELECT EXISTS (SELECT 1 FROM products WHERE id = ?)", arguments: [product]) == true
        else { throw CatalogError.unknownProduct(id: product) }
        let path = MediaFolder.stored(product: product, hash: picture.hash, ending: picture.ending)
        try db.execute(
            sql: """
                INSERT INTO images (product_id, path, source, sha256, size, width, height, state)
                VALUES (?, ?, ?, ?, ?, ?, ?, 'ok')
                ON CONFLICT (path) DO UPDATE SET state = 'ok', reason = NULL, width = excluded.width, height = excluded.height
                """,
            arguments: [
                product, path, MediaFolder.source, picture.hash.hex, byteCount, picture.size.width, picture.size.height,
            ])
        let id = try ImageID.fetchOne(db, sql: "SELECT id FROM images WHERE path = ?", arguments: [path]) ?? 0
        try save(fields, of: id, db)
        try write(vectors, of: id, picture, db)
        return id
    }

    private static func save(_ fields: ImageFields, of id: ImageID, _ db: Database) throws {
        try db.execute(
            sql: "UPDATE images SET view = ?, color = ?, caption = ?, split = ? WHERE id = ?",
            arguments: [fields.view, fields.color, fields.caption, fields.split, id])
        try db.execute(sql: "DELETE FROM image_attributes WHERE image_id = ?", arguments: [id])
        for (key, value) in fields.attributes {
            try db.execute(
                sql: "INSERT INTO image_attributes (image_id, key, value) VALUES (?, ?, ?)",
                arguments: [id, key.oneSpelling, value.oneSpelling])
        }
    }

    /// Writes the vectors that are given, and of other models those that are kept of the same bytes since they were deleted or replaced.
    private static func write(_ vectors: [ImageVector], of id: ImageID, _ picture: Picture, _ db: Database) throws {
        try db.execute(
            sql: """
                INSERT OR IGNORE INTO vectors (image_id, model_id, components)
                SELECT ?, model_id, components FROM kept_vectors WHERE sha256 = ?
                """, arguments: [id, picture.hash.hex])
        for vector in vectors {
            _ = try insert([NewVector(image: id, contentHash: nil, components: vector.components)], of: vector.model, db)
        }
    }

    // MARK: What is taken

    /// The product with id, keys and values in one spelling.
    static func checked(_ product: Product) throws(CatalogError) -> Product {
        var product = product
        product.id = product.id.oneSpelling
        guard product.id.contains(where: { !$0.isWhitespace }) else {
            throw .badField(key: "id", reason: "is empty; a product needs one")
        }
        if let price = product.price, !(price.isFinite && price >= 0) {
            throw .badField(key: "price", reason: "is \(price); it has to be a number from 0 on")
        }
        if let reason = product.url.flatMap(Product.reasonAgainst(url:)) {
            throw .badField(key: "url", reason: "is refused: \(reason)")
        }
        try check(product.attributes)
        product.attributes = Dictionary(
            product.attributes.map { ($0.oneSpelling, $1.oneSpelling) }, uniquingKeysWith: { first, _ in first })
        return product
    }

    private static func check(_ fields: ImageFields) throws(CatalogError) {
        if let split = fields.split, case .failure(let reason) = Column.canonical("split", split) {
            throw .badField(key: "split", reason: "is refused: \(reason.text)")
        }
        try check(fields.attributes)
    }

    private static func check(_ attributes: [String: String]) throws(CatalogError) {
        for (key, value) in attributes {
            if key.isEmpty { throw .badField(key: key, reason: "is no name of an attribute; it has to have one") }
            if value.isEmpty { throw .badField(key: key, reason: "is empty; leave it out") }
            if CatalogColumns.fixed.contains(key) || key == "image" {
                throw .badField(key: key, reason: "is a column, no attribute; give it as such")
            }
        }
    }
}
