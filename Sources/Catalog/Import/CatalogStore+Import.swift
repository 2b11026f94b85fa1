public import Foundation
import GRDB

extension CatalogStore {
    /// Brings products and pictures of a source into the catalogue.
    ///
    /// Works in transactions of about `batchSize` pictures, a product never split over two. Wherever it ends (a full disk, a
    /// stop, `kill -9`), what was committed stays, and the same call again does the rest: nothing comes in twice. Files are
    /// only read. Content decides what a picture is: the same bytes under another path are the same image, other bytes under
    /// the same path make its vectors void. Vectors of removed or changed pictures are kept for a while and taken again when
    /// the same content comes back.
    /// - Parameters:
    ///   - dataset: what is brought in.
    ///   - inspect: called once for each file that is new or has new content.
    ///   - progress: called after each row and after each transaction.
    ///   - shouldStop: asked before each row, and again once its file was read. True commits the products that are complete and ends the import.
    /// - Throws: `CatalogError`: `diskFull`, `readOnly`, `locked` and the like. Bad rows and pictures are no errors but `problems` of the report.
    public func importCatalog(
        from dataset: Dataset, options: ImportOptions = ImportOptions(), inspect: @escaping PictureInspector,
        progress: (ImportProgress) -> Void = { _ in }, shouldStop: @Sendable () -> Bool = { false }
    ) throws(CatalogError) -> ImportReport {
        var report = ImportReport(dataset)
        let rows = Self.withoutRepeats(dataset, &report.problems).filter(options.takes)
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
                    let outcome = observer.observe(picture.row.path)
                    // A picture that was given up in the middle says nothing about its file.
                    report.stopped = shouldStop()
                    if report.stopped { break }
                    outcomes.append(outcome)
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
        if !report.stopped {
            try reportRemoved(dataset, options: options, &report)
            // Here, and not where a catalogue is opened: this writes anyway, is asked for now and then, and nobody waits for it.
            if options.prune { report.strayFilesRemoved = try sweepMedia(olderThan: options.strayAge) }
        }
        return report
    }

    /// Reads a source and brings it in.
    /// - Throws: `CatalogError`: those of `Dataset.init(contentsOf:)`, then as above.
    public func importCatalog(
        from source: URL, options: ImportOptions = ImportOptions(), inspect: @escaping PictureInspector,
        progress: (ImportProgress) -> Void = { _ in }, shouldStop: @Sendable () -> Bool = { false }
    ) throws(CatalogError) -> ImportReport {
        try importCatalog(
            from: Dataset(contentsOf: source), options: options, inspect: inspect, progress: progress, shouldStop: shouldStop)
    }

    /// Whether a source would bring anything in: whether any picture of it can be read. Asked before a catalogue is made, so that a source of which
    /// nothing is good leaves none behind.
    public static func canImport(
        _ dataset: Dataset, options: ImportOptions = ImportOptions(), inspect: @escaping PictureInspector,
        shouldStop: @Sendable () -> Bool = { false }
    ) -> Bool {
        let observer = FileObserver(known: [:], options: options, inspect: inspect)
        for row in dataset.rows where options.takes(row) && !shouldStop() {
            if case .good = observer.observe(row.path) { return true }
        }
        return false
    }

    /// The rows without those whose image stands in an earlier row.
    private static func withoutRepeats(_ dataset: Dataset, _ problems: inout [ManifestProblem]) -> [ManifestRow] {
        var first: [ExactText: Int?] = [:]
        return dataset.rows.filter { row in
            let path = ExactText(row.path)
            guard let earlier = first[path] else {
                first[path] = .some(row.line)
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
    private func knownFiles(of batch: [ProductGroup]) throws(CatalogError) -> [ExactText: FileObserver.Known] {
        let paths = JSONText.array(batch.flatMap { $0.pictures.map(\.row.path) })
        return try read { db in
            var known: [ExactText: FileObserver.Known] = [:]
            for row in try Row.fetchAll(
                db,
                sql: """
                    SELECT path, sha256, size, changed, width, height FROM images
                    WHERE state = 'ok' AND path IN (SELECT value FROM json_each(?))
                    """, arguments: [paths])
            {
                known[ExactText(row["path"])] = FileObserver.Known(
                    hash: ContentHash(hex: row["sha256"]), size: row["size"], changed: row["changed"],
                    picture: PictureSize(width: row["width"], height: row["height"]))
            }
            return known
        }
    }
}
