import Foundation
import GRDB

/// Writes what was observed into the tables, inside one transaction, and counts it.
struct ImportWriter {
    private(set) var report: ImportReport
    private let db: Database
    private let source: String
    /// Paths the manifest lists: a file among them is not the old place of a renamed one.
    private let mentioned: Set<ExactText>
    private let minImages: Int
    /// Products that lost an image to another one.
    private var bereft: Set<ExactText> = []
    /// Whether vectors of pictures that were removed or changed are kept at all.
    private let keepsVectors: Bool
    /// Contents known to have no former place, which no import gives them later: one placeholder picture under thousands of
    /// names is looked up once.
    private var placeless: Set<ContentHash> = []

    init(_ db: Database, report: ImportReport, source: String, mentioned: Set<ExactText>, minImages: Int) throws {
        self.db = db
        self.report = report
        self.source = source
        self.mentioned = mentioned
        self.minImages = minImages
        keepsVectors = try Bool.fetchOne(db, sql: "SELECT EXISTS (SELECT 1 FROM kept_vectors)") ?? false
    }

    /// An image as the tables have it.
    private struct Stored {
        let id: Int64
        let product: String
        let path: String
        let hash: String?
    }

    mutating func apply(_ observed: ObservedProduct) throws {
        var product = observed.group.product
        if report.format == .folder { product.id = try freeID(of: observed) }
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
            noteChangedID(of: observed.group.product, product.id)
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
                arguments: [id.text])
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
            stored = try formerPlace(of: hash, product: product, now: path)
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
        if let stored, ExactText(stored.product) != ExactText(product) { bereft.insert(ExactText(stored.product)) }

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
        if stored == nil || stored?.hash != content.hash { try replaceVectors(of: id, isNew: stored == nil, content.hash) }
    }

    /// Drops the vectors of an image's former content, which a trigger has kept by then, and takes those that are kept of its new content.
    private mutating func replaceVectors(of id: Int64, isNew: Bool, _ hash: String?) throws {
        if !isNew { try db.cachedStatement(sql: "DELETE FROM vectors WHERE image_id = ?").execute(arguments: [id]) }
        guard keepsVectors, let hash else { return }
        try db.cachedStatement(
            sql:
                "INSERT INTO vectors (image_id, model_id, components) SELECT ?, model_id, components FROM kept_vectors WHERE sha256 = ?"
        ).execute(arguments: [id, hash])
        report.vectorsRestored += db.changesCount
    }

    /// The image with these bytes whose file is gone: the one that was renamed. One of the same product goes first; in a
    /// plain folder the product's id is the path, so one of another product counts as well.
    private mutating func formerPlace(of hash: ContentHash, product: String, now path: String) throws -> Stored? {
        guard !placeless.contains(hash) else { return nil }
        let gone = try fetch("sha256 = ? ORDER BY id", [hash.hex]).filter {
            !mentioned.contains(ExactText($0.path)) && MediaFolder.name(inStored: $0.path) == nil && Self.isGone($0.path, to: path)
        }
        if gone.isEmpty { placeless.insert(hash) }
        return gone.first { ExactText($0.product) == ExactText(product) } ?? gone.first
    }

    /// Whether no file lies at a path any more. On a file system that takes both spellings of an umlaut for one name, a renamed file is
    /// still found by its former one. A picture that came as bytes has no file of its owner's that could be renamed.
    private static func isGone(_ former: String, to path: String) -> Bool {
        if MediaFolder.name(inStored: former) != nil { return false }
        do throws(FileStatus.Failure) {
            let status = try FileStatus(ofPath: former)
            guard former == path, let now = try? FileStatus(ofPath: path) else { return false }
            return status.device == now.device && status.inode == now.inode
        } catch {
            return error.isAbsent
        }
    }

    // MARK: Ids of plain folders

    /// The id of a product of a plain folder: its path below the folder, with the folder's name before it, and the name above that, as long as
    /// a product of another source is called so. Cameras give the same names over and over. A file that moved here from the other source is no
    /// other product.
    private func freeID(of observed: ObservedProduct) throws -> String {
        let id = observed.group.product.id
        guard let picture = observed.group.pictures.first, let outcome = observed.outcomes.first else { return id }
        let path = picture.row.path
        let mine = try fetch("path = ?", [path]).first
        var candidates = [id]
        for folder in source.split(separator: "/").reversed() {
            candidates.append("\(folder)/\(candidates[candidates.count - 1])".oneSpelling)
        }
        // What it is called already goes first.
        if let mine, let place = candidates.firstIndex(where: { ExactText($0) == ExactText(mine.product) }) {
            candidates.insert(candidates.remove(at: place), at: 0)
        }
        for candidate in candidates {
            let others = try fetch("product_id = ? AND source <> ? AND path <> ?", [candidate, source, path]).filter { other in
                guard case .good(let hash, _, _, _) = outcome, other.hash == hash.hex else { return true }
                return !Self.isGone(other.path, to: path)
            }
            guard let first = others.map(\.id).min() else { return candidate }
            if let mine, ExactText(mine.product) == ExactText(candidate), mine.id < first { return candidate }
        }
        return id
    }

    private mutating func noteChangedID(of product: Product, _ id: String) {
        guard ExactText(product.id) != ExactText(id), !report.remarks.contains(where: { $0.message.hasPrefix(Self.changedID) })
        else {
            return
        }
        report.remarks.append(
            ManifestProblem(source: source, line: nil, message: "\(Self.changedID); \(product.id) is the product \(id)"))
    }

    private static let changedID = "another source has products of the same names, so the folder's name stands before them here"

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
