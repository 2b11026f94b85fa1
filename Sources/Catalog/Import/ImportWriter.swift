import Foundation
import GRDB

/// Writes what was observed into the tables, inside one transaction, and counts it.
struct ImportWriter {
    private(set) var report: ImportReport
    private let db: Database
    private let source: String
    /// Paths the manifest lists: a file among them is not the old place of a renamed one.
    private let mentioned: Set<String>
    private let minImages: Int
    /// Products that lost an image to another one.
    private var bereft: Set<String> = []
    /// Contents known to have no former place, which no import gives them later: one placeholder picture under thousands of
    /// names is looked up once.
    private var placeless: Set<ContentHash> = []

    init(_ db: Database, report: ImportReport, source: String, mentioned: Set<String>, minImages: Int) throws {
        self.db = db
        self.report = report
        self.source = source
        self.mentioned = mentioned
        self.minImages = minImages
    }

    /// An image as the tables have it.
    private struct Stored {
        let id: Int64
        let product: String
        let path: String
        let hash: String?
    }

    mutating func apply(_ observed: ObservedProduct) throws {
        let product = observed.group.product
        let before = try Product.fetch(db, "WHERE id = ?", [product.id]).first
        for (picture, outcome) in zip(observed.group.pictures, observed.outcomes) { note(picture.row, outcome) }
        if before == nil, observed.readable < minImages {
            report.productsSkipped += 1
            // One picture that cannot be read was already reported, and the product with it.
            if minImages > 1 {
                report.problems.append(
                    ManifestProblem(
                        source: source, line: observed.group.pictures.first?.row.line,
                        message:
                            "the product '\(product.id)' has \(observed.readable) readable images, and \(minImages) are asked for"
                    ))
            }
            return
        }
        report.problems += observed.group.conflicts
        if before == nil {
            report.productsAdded += 1
        } else if before == product {
            report.productsUnchanged += 1
        } else {
            report.productsUpdated += 1
        }
        if before != product { try product.save(db) }
        for (picture, outcome) in zip(observed.group.pictures, observed.outcomes) {
            try apply(picture, outcome, product: product.id)
        }
    }

    /// Deletes products all of whose images went to other products.
    mutating func finish() throws {
        for id in bereft {
            try db.execute(
                sql: "DELETE FROM products WHERE id = ? AND NOT EXISTS (SELECT 1 FROM images WHERE product_id = products.id)",
                arguments: [id])
        }
        bereft = []
    }

    private mutating func note(_ row: ManifestRow, _ outcome: FileObserver.Outcome) {
        switch outcome {
        case .good: return
        case .missing(let reason):
            report.imagesMissing += 1
            report.problems.append(
                ManifestProblem(
                    source: source, line: row.line,
                    message: "the image \(row.image) cannot be opened (\(reason)); put a readable file there"))
        case .broken(_, let reason):
            report.imagesBroken += 1
            report.problems.append(
                ManifestProblem(
                    source: source, line: row.line, message: "the image \(row.image) cannot be read (\(reason)); replace the file"
                ))
        }
    }

    private mutating func apply(_ picture: ProductGroup.Picture, _ outcome: FileObserver.Outcome, product: String) throws {
        let path = picture.row.path
        var stored = try fetch("path = ?", [path]).first
        if stored == nil, case .good(let hash, _, _, _) = outcome {
            stored = try formerPlace(of: hash, product: product)
            if stored != nil { report.imagesRenamed += 1 } else { report.imagesAdded += 1 }
        } else if let stored, case .good(let hash, _, _, _) = outcome {
            if stored.hash == hash.hex {
                report.imagesUnchanged += 1
            } else if stored.hash == nil {
                report.imagesAdded += 1
            } else {
                report.imagesChanged += 1
            }
        }
        if let stored, stored.product != product { bereft.insert(stored.product) }

        var content: (hash: String?, size: Int64?, changed: Int64?, picture: PictureSize?)
        let state: String
        var reason: String?
        switch outcome {
        case .good(let hash, let size, let changed, let picture):
            state = "ok"
            content = (hash.hex, size, changed, picture)
        case .broken(let hash, let why):
            state = "broken"
            reason = why
            content = (hash?.hex, nil, nil, nil)
        case .missing(let why):
            state = "missing"
            reason = why
            content = (stored?.hash, nil, nil, nil)
        }
        if let stored, stored.hash != content.hash {
            try db.cachedStatement(sql: "DELETE FROM vectors WHERE image_id = ?").execute(arguments: [stored.id])
        }
        let row = picture.row
        let values: StatementArguments = [
            stored?.id, product, path, source, content.hash, content.size, content.changed, content.picture?.width,
            content.picture?.height, row["view"], row["color"], row["caption"], row["split"], state, reason,
        ]
        // Importing a large catalogue again mostly finds what is there: reading is cheaper than writing the same again.
        if let stored, try holds(stored.id, values, picture.attributes) { return }
        try db.cachedStatement(
            sql: """
                INSERT INTO images (id, product_id, path, source, sha256, size, changed, width, height, view, color, caption, split, state, reason)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                ON CONFLICT (id) DO UPDATE SET product_id = excluded.product_id, path = excluded.path, source = excluded.source,
                    sha256 = excluded.sha256, size = excluded.size, changed = excluded.changed,
                    width = iif(excluded.state = 'missing', width, excluded.width),
                    height = iif(excluded.state = 'missing', height, excluded.height), view = excluded.view,
                    color = excluded.color, caption = excluded.caption, split = excluded.split, state = excluded.state,
                    reason = excluded.reason
                """
        ).execute(arguments: values)
        let id = stored?.id ?? db.lastInsertedRowID
        if stored != nil {
            try db.cachedStatement(sql: "DELETE FROM image_attributes WHERE image_id = ?").execute(arguments: [id])
        }
        let insert = try db.cachedStatement(sql: "INSERT INTO image_attributes (image_id, key, value) VALUES (?, ?, ?)")
        for (key, value) in picture.attributes { try insert.execute(arguments: [id, key, value]) }
    }

    /// The image with these bytes whose file is gone: the one that was renamed. One of the same product goes first; in a
    /// plain folder the product's id is the path, so one of another product counts as well.
    private mutating func formerPlace(of hash: ContentHash, product: String) throws -> Stored? {
        guard !placeless.contains(hash) else { return nil }
        let gone = try fetch("sha256 = ? ORDER BY id", [hash.hex]).filter { image in
            guard !mentioned.contains(image.path), MediaFolder.name(inStored: image.path) == nil else { return false }
            do throws(FileStatus.Failure) {
                _ = try FileStatus(ofPath: image.path)
                return false
            } catch {
                return error.isAbsent
            }
        }
        if gone.isEmpty { placeless.insert(hash) }
        return gone.first { $0.product == product } ?? gone.first
    }

    /// Whether the tables already say all this of an image.
    private func holds(_ id: Int64, _ values: StatementArguments, _ attributes: [String: String]) throws -> Bool {
        let same = try db.cachedStatement(
            sql: """
                SELECT 1 FROM images WHERE id = ? AND product_id IS ? AND path IS ? AND source IS ? AND sha256 IS ? AND size IS ?
                    AND changed IS ? AND width IS ? AND height IS ? AND view IS ? AND color IS ? AND caption IS ? AND split IS ?
                    AND state IS ? AND reason IS ?
                """)
        guard try Row.fetchOne(same, arguments: values) != nil else { return false }
        let stored = try Row.fetchAll(
            db.cachedStatement(sql: "SELECT key, value FROM image_attributes WHERE image_id = ?"), arguments: [id])
        return stored.count == attributes.count && stored.allSatisfy { attributes[$0["key"]] == $0["value"] as String }
    }

    private func fetch(_ condition: String, _ arguments: StatementArguments) throws -> [Stored] {
        let statement = try db.cachedStatement(sql: "SELECT id, product_id, path, sha256 FROM images WHERE \(condition)")
        return try Row.fetchAll(statement, arguments: arguments).map {
            Stored(id: $0["id"], product: $0["product_id"], path: $0["path"], hash: $0["sha256"])
        }
    }
}
