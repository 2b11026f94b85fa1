import GRDB

/// What is left in a catalogue of pictures that their source has no more.
extension CatalogStore {
    /// How long the vectors of removed and changed pictures are kept, in seconds: 90 days.
    static let keepingTime: Int64 = 90 * 86_400

    /// A picture in the catalogue that its source does not mention any more.
    private struct Gone {
        let id: Int64
        let path: String
        let product: String
    }

    /// Finds pictures that this source once had, and deletes them if that is asked for and safe. Nothing of another source is touched.
    func reportRemoved(_ dataset: Dataset, options: ImportOptions, _ report: inout ImportReport) throws(CatalogError) {
        try write { db in
            try db.execute(
                sql: "DELETE FROM kept_vectors WHERE kept < CAST(strftime('%s', 'now') AS INTEGER) - ?",
                arguments: [Self.keepingTime])
        }
        let removed = try read { db in
            try Row.fetchAll(
                db, sql: "SELECT id, path, product_id FROM images WHERE source = ? ORDER BY id", arguments: [dataset.source]
            ).map { Gone(id: $0["id"], path: $0["path"], product: $0["product_id"]) }
        }.filter { !dataset.mentionedPaths.contains(ExactText($0.path)) }
        report.imagesRemoved = removed.map(\.path)
        guard !removed.isEmpty else { return }
        let emptied = Self.emptiedFolders(removed, dataset)
        var counts: [ExactText: Int] = [:]
        for folder in emptied.values { counts[folder, default: 0] += 1 }
        report.foldersEmptied = counts.keys.map(\.text).sorted()
        guard options.prune else { return }
        guard dataset.unread == 0 else {
            report.problems.append(
                ManifestProblem(
                    source: dataset.source, line: nil,
                    message: "nothing was pruned, since \(dataset.unread) rows or files could not be read; mend them first"))
            return
        }
        var doomed = removed
        if !options.pruneEmptied {
            doomed.removeAll { emptied[$0.id] != nil }
            for (folder, count) in counts.sorted(by: { $0.key.text < $1.key.text }) {
                report.problems.append(
                    ManifestProblem(
                        source: folder.text, line: nil,
                        message:
                            "the folder has no picture any more, and the \(count) that came from it stay in the catalogue: is a disk not mounted? If they are to go, prune with --prune-emptied"
                    ))
            }
        }
        let ids = JSONText.array(doomed.map(\.id))
        let products = JSONText.array(doomed.map(\.product))
        report.imagesPruned = try write { db in
            try db.execute(sql: "DELETE FROM images WHERE id IN (SELECT value FROM json_each(?))", arguments: [ids])
            let count = db.changesCount
            try db.execute(
                sql: """
                    DELETE FROM products WHERE id IN (SELECT value FROM json_each(?))
                        AND NOT EXISTS (SELECT 1 FROM images WHERE product_id = products.id)
                    """, arguments: [products])
            return count
        }
    }

    /// The topmost folder without a picture that each gone picture of a plain folder lay in, by the picture's id. A manifest says by itself which
    /// pictures there are.
    private static func emptiedFolders(_ removed: [Gone], _ dataset: Dataset) -> [Int64: ExactText] {
        guard dataset.format == .folder else { return [:] }
        func parent(_ path: String) -> String? {
            guard let slash = path.lastIndex(of: "/"), path.utf8.count > dataset.source.utf8.count else { return nil }
            return String(path[..<slash])
        }
        var filled: Set<ExactText> = [ExactText(dataset.source)]
        for path in dataset.mentionedPaths {
            var folder = parent(path.text)
            while let inner = folder, filled.insert(ExactText(inner)).inserted { folder = parent(inner) }
        }
        var emptied: [Int64: ExactText] = [:]
        for image in removed {
            var folder = parent(image.path)
            while let inner = folder, !filled.contains(ExactText(inner)) {
                emptied[image.id] = ExactText(inner)
                folder = parent(inner)
            }
        }
        return emptied
    }
}
