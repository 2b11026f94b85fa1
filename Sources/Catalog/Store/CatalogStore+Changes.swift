import Foundation
import GRDB
import Hashing

/// What writers did to a catalogue between two positions of its log.
///
/// It names what was touched, not what became of it: look at the rows, of which a later transaction may know more than the set does. Applying
/// a set twice, or one that overlaps another, does no harm.
public struct ChangeSet: Sendable, Equatable {
    /// The position that the set leads to: ask for what comes after it next.
    public var position: Int64
    /// Images with a row whose columns, attributes or state were touched: added or changed.
    public var images: Set<ImageID> = []
    /// Touched images that have no row any more.
    public var removedImages: Set<ImageID> = []
    /// Products that were touched, with a row or without, each once.
    public var products: [String] = []
    /// By model fingerprint, the images whose vector was written or removed.
    public var vectors: [String: Set<ImageID>] = [:]

    public var isEmpty: Bool { images.isEmpty && removedImages.isEmpty && products.isEmpty && vectors.isEmpty }
}

extension CatalogStore {
    /// The position of the last change, at least 0; greater after every transaction that changed products, images, attributes or vectors, by
    /// whichever process. One look-up, cheap enough to be asked many times a second. 0 for ever in a catalogue that an older version
    /// wrote and that is opened for reading only.
    public func changePosition() throws(CatalogError) -> Int64 {
        try read { db in try Self.changePosition(db) }
    }

    static func changePosition(_ db: Database) throws -> Int64 {
        guard try db.tableExists("changes") else { return 0 }
        return try Int64.fetchOne(db, sql: "SELECT max(sequence) FROM changes") ?? 0
    }

    /// What tells this catalogue, as it was at a position of its log, from every other one and from one of the same beginning that went another way, such
    /// as a copy that was put back: a digest of its identity and of the last entries of the log up to there.
    /// - Returns: nil where the log does not reach back to the position, or an older version wrote the catalogue.
    public func mark(at position: Int64) throws(CatalogError) -> String? {
        try read { db in
            guard try db.tableExists("settings"), try db.tableExists("changes"),
                let identity = try String.fetchOne(db, sql: "SELECT value FROM settings WHERE key = 'identity'")
            else { return nil }
            let rows = try Row.fetchAll(
                db,
                sql:
                    "SELECT sequence, image_id, product_id, model_id FROM changes WHERE sequence <= ? ORDER BY sequence DESC LIMIT 8",
                arguments: [position])
            guard position == 0 || rows.first?["sequence"] == position else { return nil }
            let text = rows.map { row in
                row.databaseValues.map { String(describing: $0) }.joined(separator: ",")
            }
            return SHA256.hexDigest(of: Data(([identity, "\(position)"] + text).joined(separator: "\n").utf8))
        }
    }

    /// What happened after a position, or `nil` where the log can't tell: it does not reach back so far, the file is another one, or a model was
    /// renamed. Then whoever follows the catalogue reads it anew.
    public func changes(after position: Int64) throws(CatalogError) -> ChangeSet? {
        try read { db in try Self.changes(after: position, db) }
    }

    static func changes(after position: Int64, _ db: Database) throws -> ChangeSet? {
        let last = try changePosition(db)
        if last == position { return ChangeSet(position: position) }
        guard position >= 0, position < last else { return nil }
        // The log has no gaps, so its first entry says how far it reaches back.
        guard let first = try Int64.fetchOne(db, sql: "SELECT min(sequence) FROM changes"), first <= position + 1 else {
            return nil
        }

        var changes = ChangeSet(position: last)
        let images = try Row.fetchCursor(
            db,
            sql: """
                SELECT DISTINCT image_id, EXISTS (SELECT 1 FROM images WHERE id = image_id) FROM changes
                WHERE sequence > ? AND image_id IS NOT NULL AND model_id IS NULL
                """, arguments: [position])
        while let row = try images.next() {
            if row[1] { changes.images.insert(row[0]) } else { changes.removedImages.insert(row[0]) }
        }
        changes.products = try String.fetchAll(
            db, sql: "SELECT DISTINCT product_id FROM changes WHERE sequence > ? AND product_id IS NOT NULL ORDER BY product_id",
            arguments: [position])
        let vectors = try Row.fetchCursor(
            db,
            sql: """
                SELECT DISTINCT fingerprint, image_id FROM changes LEFT JOIN models ON models.id = model_id
                WHERE sequence > ? AND model_id IS NOT NULL
                """, arguments: [position])
        while let row = try vectors.next() {
            guard let fingerprint: String = row[0], let image: ImageID = row[1] else { return nil }
            changes.vectors[fingerprint, default: []].insert(image)
        }
        return changes
    }
}
