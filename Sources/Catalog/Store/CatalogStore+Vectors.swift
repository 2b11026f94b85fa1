import Foundation
import GRDB

/// One vector on its way into the catalogue.
public struct NewVector: Sendable {
    public var image: ImageID
    /// Hash of the very bytes the vector was made from. If the catalogue knows other bytes under this id by now, the vector
    /// is stale and is not stored. `nil` trusts the caller: for vectors made elsewhere.
    public var contentHash: ContentHash?
    /// Unit length, as many components as the model's dimension.
    public var components: [Float]

    public init(image: ImageID, contentHash: ContentHash?, components: [Float]) {
        self.image = image
        self.contentHash = contentHash
        self.components = components
    }
}

/// Vectors of one model, row by row in the order of image ids.
public struct VectorTable: Sendable {
    public let model: ModelRecord
    /// [n]
    public let imageIDs: [ImageID]
    /// [n], indices into `productIDs`: rows with equal values show the same product.
    public let products: [Int32]
    /// Each product that has a row, once, in the order of its first row.
    public let productIDs: [String]
    /// [n, dimension], row-major, each row of unit length.
    public let values: [Float]

    public var count: Int { imageIDs.count }
}

extension CatalogStore {
    /// How far a stored vector's length may be from 1. Room for vectors that went through half precision, whose components
    /// are off by up to 2⁻¹¹ of their value; far from any vector that was not normalised.
    public static let lengthTolerance = 1e-3

    /// Writes vectors of one model, in one transaction. A vector that is already there is replaced.
    /// - Returns: the images whose bytes are others by now (or that were removed), whose vectors were therefore not stored.
    /// - Throws: `wrongDimension`, `notUnitLength` (also for a component that is not finite), `dimensionConflict`,
    ///   `invalidDimension`, `unknownImage` where a vector without content hash has no image; then nothing is stored.
    @discardableResult
    public func writeVectors(_ vectors: [NewVector], of model: ModelRecord) throws(CatalogError) -> [ImageID] {
        try Self.check(vectors, of: model)
        return try write { db in try Self.insert(vectors, of: model, db) }
    }

    /// Writes checked vectors. Returns those that are stale.
    static func insert(_ vectors: [NewVector], of model: ModelRecord, _ db: Database) throws -> [ImageID] {
        let modelID = try modelID(of: model, db)
        let insert = try db.cachedStatement(
            sql: """
                INSERT INTO vectors (image_id, model_id, components)
                SELECT id, ?, ? FROM images WHERE id = ? AND (? IS NULL OR sha256 = ?)
                ON CONFLICT (image_id, model_id) DO UPDATE SET components = excluded.components
                """)
        var stale: [ImageID] = []
        for vector in vectors {
            let hash = vector.contentHash?.hex
            try insert.execute(arguments: [modelID, blob(vector.components), vector.image, hash, hash])
            if db.changesCount > 0 { continue }
            guard hash != nil else { throw CatalogError.unknownImage(id: vector.image) }
            stale.append(vector.image)
        }
        return stale
    }

    /// All vectors of a model that belong to usable images, in one piece of memory.
    /// - Throws: `unknownModel` where no vector of this model was ever written.
    public func vectors(of fingerprint: String) throws(CatalogError) -> VectorTable {
        let path = path
        return try read { db in
            let (modelID, model) = try Self.model(fingerprint, db)
            let source = "FROM vectors JOIN images ON images.id = image_id WHERE model_id = ? AND state = 'ok'"
            // Counted in the same snapshot, so the array is allocated once at its final size.
            let count = try Int.fetchOne(db, sql: "SELECT count(*) \(source)", arguments: [modelID]) ?? 0
            var imageIDs: [ImageID] = []
            imageIDs.reserveCapacity(count)
            var products: [Int32] = []
            products.reserveCapacity(count)
            var productIDs: [String] = []
            var numbers: [String: Int32] = [:]
            let values = try [Float](unsafeUninitializedCapacity: count * model.dimension) { buffer, filled in
                let rows = try Row.fetchCursor(
                    db, sql: "SELECT image_id, product_id, components \(source) ORDER BY image_id", arguments: [modelID])
                while let row = try rows.next() {
                    let image: ImageID = row[0]
                    let product: String = row[1]
                    let whole = try row.withUnsafeData(atIndex: 2) { data in
                        Self.decode(data ?? Data(), into: buffer, at: filled, dimension: model.dimension)
                    }
                    guard whole else { throw Self.damagedVector(of: image, model, path: path) }
                    filled += model.dimension
                    imageIDs.append(image)
                    let number = numbers[product] ?? Int32(productIDs.count)
                    if Int(number) == productIDs.count {
                        numbers[product] = number
                        productIDs.append(product)
                    }
                    products.append(number)
                }
            }
            return VectorTable(model: model, imageIDs: imageIDs, products: products, productIDs: productIDs, values: values)
        }
    }

    /// Hands out the vectors of a model that belong to usable images, one by one in the order of image ids, all from one snapshot: for
    /// filling an index without a second copy.
    /// - Parameters:
    ///   - after: only images with a greater id.
    ///   - body: is given the image and its components, unit length, valid during the call only. What it throws ends the walk and is thrown.
    /// - Throws: `CatalogError`, `unknownModel` where no vector of this model was ever written, or what `body` throws.
    public func forEachVector(
        of fingerprint: String, after: ImageID = 0, _ body: (ImageID, UnsafeBufferPointer<Float>) throws -> Void
    ) throws {
        try forEachVector(of: fingerprint, where: "image_id > ?", [after], body)
    }

    /// The vectors of a model that belong to these images, as far as they are usable and have one, by image: for catching up with a few
    /// changes.
    /// - Throws: `CatalogError`, `unknownModel` where no vector of this model was ever written.
    public func vectors(of fingerprint: String, images: some Sequence<ImageID>) throws(CatalogError) -> [ImageID: [Float]] {
        var found: [ImageID: [Float]] = [:]
        do {
            try forEachVector(of: fingerprint, where: "image_id IN (SELECT value FROM json_each(?))", [JSONText.array(images)]) {
                found[$0] = Array($1)
            }
        } catch {
            throw CatalogError(error, path: path, busyTimeout: 0)
        }
        return found
    }

    private func forEachVector(
        of fingerprint: String, where condition: String, _ arguments: StatementArguments,
        _ body: (ImageID, UnsafeBufferPointer<Float>) throws -> Void
    ) throws {
        // What the caller throws comes back as it is, not as an error of the catalogue.
        var refusal: (any Error)?
        let path = path
        try read { db in
            let (modelID, model) = try Self.model(fingerprint, db)
            let rows = try Row.fetchCursor(
                db,
                sql: """
                    SELECT image_id, components FROM vectors JOIN images ON images.id = image_id
                    WHERE model_id = ? AND state = 'ok' AND \(condition) ORDER BY image_id
                    """, arguments: [modelID] + arguments)
            try withUnsafeTemporaryAllocation(of: Float.self, capacity: model.dimension) { components in
                while let row = try rows.next() {
                    let image: ImageID = row[0]
                    let whole = try row.withUnsafeData(atIndex: 1) { data in
                        Self.decode(data ?? Data(), into: components, at: 0, dimension: model.dimension)
                    }
                    guard whole else { throw Self.damagedVector(of: image, model, path: path) }
                    do {
                        try body(image, UnsafeBufferPointer(components))
                    } catch {
                        refusal = error
                        return
                    }
                }
            }
        }
        if let refusal { throw refusal }
    }

    private static func damagedVector(of image: ImageID, _ model: ModelRecord, path: String) -> CatalogError {
        .corrupt(path: path, reason: "the vector of image \(image) has not \(model.dimension) components")
    }

    /// The vector of one image; `nil` where there is none.
    public func vector(of image: ImageID, model fingerprint: String) throws(CatalogError) -> [Float]? {
        try read { db in
            guard
                let blob = try Data.fetchOne(
                    db,
                    sql: """
                        SELECT components FROM vectors JOIN models ON models.id = model_id WHERE image_id = ? AND fingerprint = ?
                        """, arguments: [image, fingerprint])
            else { return nil }
            return [Float](unsafeUninitializedCapacity: blob.count / 4) { buffer, filled in
                filled = Self.decode(blob, into: buffer, at: 0, dimension: blob.count / 4) ? blob.count / 4 : 0
            }
        }
    }

    static func check(_ vectors: [NewVector], of model: ModelRecord) throws(CatalogError) {
        guard (1...65_536).contains(model.dimension) else {
            throw .invalidDimension(fingerprint: model.fingerprint, got: model.dimension)
        }
        for vector in vectors { try check(vector, dimension: model.dimension) }
    }

    private static func check(_ vector: NewVector, dimension: Int) throws(CatalogError) {
        guard vector.components.count == dimension else {
            throw .wrongDimension(image: vector.image, got: vector.components.count, expected: dimension)
        }
        var squares = 0.0
        for component in vector.components { squares += Double(component) * Double(component) }
        let length = squares.squareRoot()
        // Also false for NaN and infinity.
        guard abs(length - 1) <= lengthTolerance else { throw .notUnitLength(image: vector.image, length: length) }
    }

    private static func model(_ fingerprint: String, _ db: Database) throws -> (id: Int64, record: ModelRecord) {
        guard
            let row = try Row.fetchOne(
                db, sql: "SELECT id, name, dimension FROM models WHERE fingerprint = ?", arguments: [fingerprint])
        else {
            let known = try String.fetchAll(db, sql: "SELECT name || ' (' || fingerprint || ')' FROM models ORDER BY name")
            throw CatalogError.unknownModel(fingerprint: fingerprint, known: known)
        }
        return (row["id"], ModelRecord(fingerprint: fingerprint, name: row["name"], dimension: row["dimension"]))
    }

    /// The row of a model, made at its first vector.
    private static func modelID(of model: ModelRecord, _ db: Database) throws -> Int64 {
        if let row = try Row.fetchOne(
            db, sql: "SELECT id, dimension FROM models WHERE fingerprint = ?", arguments: [model.fingerprint])
        {
            let dimension: Int = row["dimension"]
            guard dimension == model.dimension else {
                throw CatalogError.dimensionConflict(fingerprint: model.fingerprint, got: model.dimension, expected: dimension)
            }
            return row["id"]
        }
        try db.execute(
            sql: "INSERT INTO models (fingerprint, name, dimension) VALUES (?, ?, ?)",
            arguments: [model.fingerprint, model.name, model.dimension])
        return db.lastInsertedRowID
    }

    private static func blob(_ components: [Float]) -> Data {
        var data = Data(capacity: components.count * 4)
        for component in components { withUnsafeBytes(of: component.bitPattern.littleEndian) { data.append(contentsOf: $0) } }
        return data
    }

    /// Writes `dimension` floats into uninitialised memory; false where the blob has another size.
    private static func decode(_ blob: Data, into buffer: UnsafeMutableBufferPointer<Float>, at start: Int, dimension: Int)
        -> Bool
    {
        guard blob.count == dimension * 4 else { return false }
        blob.withUnsafeBytes { bytes in
            for index in 0..<dimension {
                let bits = UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: index * 4, as: UInt32.self))
                buffer.initializeElement(at: start + index, to: Float(bitPattern: bits))
            }
        }
        return true
    }
}
