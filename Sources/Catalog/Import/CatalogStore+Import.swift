public import Foundation
import GRDB

extension CatalogStore {
    /// Brings products and pictures of a source into the catalogue.
    ///
    /// Works in transactions of about `batchSize` pictures, a product never split over two. Wherever it ends (a full disk, a
    /// stop, `kill -9`), what was committed stays, and the same call again does the rest: nothing comes in twice. Files are
    /// only read. Content decides what a picture is: the same bytes under another path are the same image, other bytes under
    /// the same path make its vectors void.
    /// - Parameters:
    ///   - source: see `Dataset` for what is read.
    ///   - inspect: called once for each file that is new or has new content.
    ///   - progress: called after each row and after each transaction.
    ///   - shouldStop: asked before each row. True commits the products that are complete and ends the import.
    /// - Throws: `CatalogError`: those of `Dataset.init(contentsOf:)`, then `diskFull`, `readOnly`, `locked` and the like. Bad rows
    ///   and pictures are no errors but `problems` of the report.
    public func importCatalog(
        from source: URL, options: ImportOptions = ImportOptions(), inspect: @escaping PictureInspector,
        progress: (ImportProgress) -> Void = { _ in }, shouldStop: @Sendable () -> Bool = { false }
    ) throws(CatalogError) -> ImportReport {
        let dataset = try Dataset(contentsOf: source)
        var report = ImportReport(source: dataset.source, format: dataset.format)
        report.problems = dataset.problems
        let rows = Self.withoutRepeats(dataset, &report.problems).filter { row in
            options.splits.isEmpty || row["split"].map(options.splits.contains) ?? false
        }
        let groups = ProductGroup.groups(of: rows, source: dataset.source)
        var done = dataset.rows.count - rows.count
        var committed = done

        var next = 0
        while next < groups.count, !report.stopped {
            var batch: [ProductGroup] = []
            var pictures = 0
            while next < groups.count, batch.isEmpty || pictures + groups[next].pictures.count <= options.batchSize {
                batch.append(groups[next])
                pictures += groups[next].pictures.count
                next += 1
            }
            // Files are read and decoded before the transaction begins, so that other writers wait only for the writing.
            let observer = try FileObserver(known: knownFiles(of: batch), options: options, inspect: inspect)
            var observed: [ObservedProduct] = []
            for group in batch where !report.stopped {
                var outcomes: [FileObserver.Outcome] = []
                for picture in group.pictures {
                    report.stopped = shouldStop()
                    if report.stopped { break }
                    outcomes.append(observer.observe(picture.row.path))
                    done += 1
                    progress(ImportProgress(done: done, committed: committed, total: dataset.rows.count))
                }
                if !report.stopped { observed.append(ObservedProduct(group: group, outcomes: outcomes)) }
            }
            let before = report
            report = try write { db in
                var writer = try ImportWriter(
                    db, report: before, source: dataset.source, mentioned: dataset.mentionedPaths,
                    minImages: max(1, options.minImages))
                for product in observed { try writer.apply(product) }
                try writer.finish()
                return writer.report
            }
            committed += observed.reduce(0) { $0 + $1.outcomes.count }
            progress(ImportProgress(done: done, committed: committed, total: dataset.rows.count))
        }
        if !report.stopped { try reportRemoved(dataset, options: options, &report) }
        return report
    }

    /// The rows without those whose image stands in an earlier row.
    private static func withoutRepeats(_ dataset: Dataset, _ problems: inout [ManifestProblem]) -> [ManifestRow] {
        var first: [String: Int?] = [:]
        return dataset.rows.filter { row in
            guard let earlier = first[row.path] else {
                first[row.path] = .some(row.line)
                return true
            }
            let place = earlier.map { " in line \($0)" } ?? ""
            problems.append(
                ManifestProblem(
                    source: dataset.source, line: row.line, message: "the image \(row.image) was already listed\(place)"))
            return false
        }
    }

    /// What the catalogue knows about the files of a batch.
    private func knownFiles(of batch: [ProductGroup]) throws(CatalogError) -> [String: FileObserver.Known] {
        let paths = JSONText.array(batch.flatMap { $0.pictures.map(\.row.path) })
        return try read { db in
            var known: [String: FileObserver.Known] = [:]
            for row in try Row.fetchAll(
                db,
                sql: """
                    SELECT path, sha256, size, changed, width, height FROM images
                    WHERE state = 'ok' AND path IN (SELECT value FROM json_each(?))
                    """, arguments: [paths])
            {
                known[row["path"]] = FileObserver.Known(
                    hash: ContentHash(hex: row["sha256"]), size: row["size"], changed: row["changed"],
                    picture: PictureSize(width: row["width"], height: row["height"]))
            }
            return known
        }
    }

    /// Finds pictures that this source once had, and deletes them if that is asked for and safe.
    private func reportRemoved(_ dataset: Dataset, options: ImportOptions, _ report: inout ImportReport) throws(CatalogError) {
        let removed = try read { db in
            try Row.fetchAll(
                db, sql: "SELECT id, path FROM images WHERE source = ? ORDER BY id", arguments: [dataset.source]
            ).filter { !dataset.mentionedPaths.contains($0["path"]) }.map { (id: $0["id"] as Int64, path: $0["path"] as String) }
        }
        report.imagesRemoved = removed.map(\.path)
        guard options.prune, !removed.isEmpty else { return }
        guard dataset.problems.isEmpty else {
            report.problems.append(
                ManifestProblem(
                    source: dataset.source, line: nil,
                    message: "nothing was pruned, since \(dataset.problems.count) rows could not be read; mend them first"))
            return
        }
        let ids = JSONText.array(removed.map(\.id))
        report.imagesPruned = try write { db in
            try db.execute(sql: "DELETE FROM images WHERE id IN (SELECT value FROM json_each(?))", arguments: [ids])
            let count = db.changesCount
            try db.execute(sql: "DELETE FROM products WHERE NOT EXISTS (SELECT 1 FROM images WHERE product_id = products.id)")
            return count
        }
    }
}
