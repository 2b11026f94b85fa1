import Foundation
import GRDB
import Testing

@testable import Catalog

@Suite("Interrupted imports")
struct InterruptionTests {
    /// What an undisturbed import of the folder leaves.
    private func expected(_ folder: TestFolder) throws -> [String] {
        let path = folder.file("reference.db")
        let store = try CatalogStore(path: path, mode: .create)
        defer { try? store.close() }
        _ = try store.importCatalog(from: folder.url, inspect: TestPicture.inspect)
        return try store.content()
    }

    @Test("an import stopped at any row and run again ends as an undisturbed one", arguments: [0, 1, 2, 6, 7, 13, 22, 29, 30])
    func stopped(row: Int) throws {
        let folder = try TestFolder()
        try folder.boutique(products: 10, views: 3)
        let expected = try expected(folder)
        let store = try CatalogStore(path: folder.catalogPath, mode: .create)
        let asked = Counter()
        var last: ImportProgress?
        let report = try store.importCatalog(
            from: folder.url, options: ImportOptions(batchSize: 7), inspect: TestPicture.inspect, progress: { last = $0 },
            // Asked before each row, and again once its file was read.
            shouldStop: { asked.increment() > 2 * row })
        #expect(report.stopped == (row < 30))
        // Whole products only, all that were complete.
        #expect(try store.counts().images == row / 3 * 3)
        #expect(report.imagesAdded == row / 3 * 3)
        #expect(last?.committed == row / 3 * 3)
        try store.close()
        let reopened = try CatalogStore(path: folder.catalogPath, mode: .create)
        let rest = try reopened.importCatalog(from: folder.url, inspect: TestPicture.inspect)
        #expect(rest.imagesAdded == 30 - row / 3 * 3 && rest.imagesUnchanged == row / 3 * 3)
        #expect(try reopened.content() == expected)
    }

    @Test(
        "the files a killed process leaves open as the last transaction and are completed", arguments: [1, 5, 8, 14, 20, 27, 30])
    func killed(row: Int) throws {
        let folder = try TestFolder()
        try folder.boutique(products: 10, views: 3)
        let expected = try expected(folder)
        let left = folder.file("left.db")
        let store = try CatalogStore(path: folder.catalogPath, mode: .create)
        let catalogPath = folder.catalogPath
        let inspected = Counter()
        _ = try store.importCatalog(
            from: folder.url, options: ImportOptions(batchSize: 6),
            inspect: { bytes, file in
                if inspected.increment() == row {
                    // What stands on the disk at this moment; the -shm file is rebuilt from it.
                    for suffix in ["", "-wal"] {
                        try FileManager.default.copyItem(atPath: catalogPath + suffix, toPath: left + suffix)
                    }
                }
                return try TestPicture.inspect(bytes, file)
            })
        let reopened = try CatalogStore(path: left, mode: .create)
        #expect(try reopened.counts().images == (row - 1) / 6 * 6)
        _ = try reopened.importCatalog(from: folder.url, inspect: TestPicture.inspect)
        #expect(try reopened.content() == expected)
    }

    @Test("a disk that is full at any point ends in one sentence, keeps what was committed, and the import goes on later")
    func diskFull() throws {
        let folder = try TestFolder()
        try folder.boutique(products: 60, views: 3)
        let expected = try expected(folder)
        for room in [0, 1, 3, 8, 13] {
            let path = folder.file("full\(room).db")
            let store = try CatalogStore(path: path, mode: .create)
            try store.database.writeWithoutTransaction { db in
                let pages = try Int.fetchOne(db, sql: "PRAGMA page_count") ?? 0
                try db.execute(sql: "PRAGMA max_page_count = \(pages + room)")
            }
            var committed = 0
            #expect(throws: CatalogError.diskFull(path: path), "\(room)") {
                try store.importCatalog(
                    from: folder.url, options: ImportOptions(batchSize: 30), inspect: TestPicture.inspect,
                    progress: { committed = $0.committed })
            }
            #expect(try store.counts().images == committed)
            #expect(try store.counts().images % 30 == 0)
            try store.database.writeWithoutTransaction { try $0.execute(sql: "PRAGMA max_page_count = 1073741823") }
            _ = try store.importCatalog(from: folder.url, inspect: TestPicture.inspect)
            #expect(try store.content() == expected)
        }
    }

    @Test("a reader beside a running import sees whole products only, and never fewer than before")
    func readerBeside() async throws {
        let folder = try TestFolder()
        try folder.boutique(products: 60, views: 3)
        let store = try CatalogStore(path: folder.catalogPath, mode: .create)
        let reader = try CatalogStore(path: folder.catalogPath, mode: .readOnly)
        let seen = Counter()
        // Read from within the import, between its transactions and at every row.
        _ = try store.importCatalog(
            from: folder.url, options: ImportOptions(batchSize: 9), inspect: TestPicture.inspect,
            progress: { progress in
                guard let counts = try? reader.counts() else { return }
                if counts.images == progress.committed, counts.products * 3 == counts.images { seen.increment() }
            })
        // One call a row and one a transaction.
        #expect(seen.value == 180 + 20)
    }
}
