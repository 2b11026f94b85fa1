import Foundation
import Testing

@testable import Catalog

@Suite("Killed imports")
struct KillTests {
    /// The importer alone, built beside the tests.
    private static let victim = URL(fileURLWithPath: CommandLine.arguments[0]).resolvingSymlinksInPath()
        .deletingLastPathComponent()
        .appendingPathComponent("ImportVictim")

    /// Runs the victim to its end. Returns its exit code, or minus the number of the signal that ended it.
    private func run(_ arguments: String...) async throws -> Int32 {
        let process = Process()
        process.executableURL = Self.victim
        process.arguments = arguments
        return try await withCheckedThrowingContinuation { continuation in
            process.terminationHandler = { ended in
                continuation.resume(
                    returning: ended.terminationReason == .uncaughtSignal ? -ended.terminationStatus : ended.terminationStatus)
            }
            do { try process.run() } catch { continuation.resume(throwing: error) }
        }
    }

    @Test(
        "an import killed 20 times, before, between and within its transactions, loses nothing, takes nothing twice, and completes"
    )
    func killed() async throws {
        let (products, views, batch) = (60, 3, 18)
        let folder = try TestFolder()
        try folder.boutique(products: products, views: views)
        let expected = try {
            let store = try CatalogStore(path: folder.file("whole.db"), mode: .create)
            defer { try? store.close() }
            _ = try store.importCatalog(from: folder.url, inspect: { _, _ in PictureSize(width: 4, height: 3) })
            return try store.content()
        }()
        var kills = 0
        for point in 0..<20 {
            let path = folder.file("\(point).db")
            // Before the first row, in the middle of batches, and at the end of each batch with the kill spread over its transaction.
            let row = point == 0 ? 0 : point < 4 ? point * 41 : batch * (2 + point % 8)
            let share = Double(point) / 16
            if try await run(folder.path, path, "\(batch)", "\(row)", "\(share)") == -SIGKILL { kills += 1 }
            if point > 0 {
                let left = try CatalogStore(path: path, mode: .create)
                let counts = try left.counts()
                // Whole transactions only, and all that were finished before the one under way.
                #expect(counts.images % batch == 0 && counts.images == counts.products * views, "point \(point): \(counts)")
                #expect(counts.images >= (row - 1) / batch * batch, "point \(point): \(counts)")
                try left.close()
            }
            #expect(try await run(folder.path, path, "\(batch)") == 0)
            let whole = try CatalogStore(path: path, mode: .readOnly)
            #expect(try whole.content() == expected, "point \(point)")
            try whole.close()
        }
        #expect(kills == 20)
    }

    @Test("four first imports at once all succeed, and the catalogue holds everything once")
    func fourAtOnce() async throws {
        let folder = try TestFolder()
        try folder.boutique(products: 40, views: 2)
        let path = folder.file("x.db")
        try await withThrowingTaskGroup(of: Int32.self) { tasks in
            for _ in 0..<4 { tasks.addTask { try await run(folder.path, path, "10") } }
            for try await code in tasks { #expect(code == 0) }
        }
        let store = try CatalogStore(path: path, mode: .readOnly)
        #expect(try store.counts() == CatalogCounts(products: 40, images: 80, missing: 0, broken: 0, vectors: [:]))
    }
}
