import Catalog
import Foundation
import Imaging
import Testing

@testable import Atelier

@Suite("A generated folder")
final class BoutiqueTests {
    private let folder = FileManager.default.temporaryDirectory.appendingPathComponent("boutique-\(UUID().uuidString)")

    deinit { try? FileManager.default.removeItem(at: folder) }

    private func files(_ name: String) throws -> [String: Data] {
        let root = folder.appendingPathComponent(name)
        var result: [String: Data] = [:]
        for path in try FileManager.default.subpathsOfDirectory(atPath: root.path) {
            let file = root.appendingPathComponent(path)
            if (try? file.resourceValues(forKeys: [.isDirectoryKey]).isDirectory) != true {
                result[path] = try Data(contentsOf: file)
            }
        }
        return result
    }

    private func write(
        _ name: String, garments: Int = 12, seed: UInt64 = 1, testOnly: Bool = false, shouldStop: () -> Bool = { false }
    ) throws -> BoutiqueReport {
        try Boutique.write(
            BoutiqueOptions(garments: garments, views: 3, seed: seed, testOnly: testOnly),
            to: folder.appendingPathComponent(name),
            shouldStop: shouldStop)
    }

    @Test("the same options give the same files, byte for byte; nothing is drawn twice")
    func same() throws {
        let first = try write("a")
        #expect(first.drawn == first.pictures)
        _ = try write("b")
        let files = try files("a")
        #expect(try self.files("b") == files)
        #expect(files.count == first.pictures + 3)
        let again = try write("a")
        #expect(again.drawn == 0)
        #expect(try self.files("a") == files)
    }

    @Test("an interrupted run has no manifest, and resumed it ends with the same bytes")
    func resumes() throws {
        var asked = 0
        let stopped = try write("a", garments: 20) {
            asked += 1
            return asked > 2
        }
        #expect(stopped.stopped)
        #expect((1..<stopped.pictures).contains(stopped.drawn))
        #expect(!FileManager.default.fileExists(atPath: folder.appendingPathComponent("a/manifest.jsonl").path))
        let resumed = try write("a", garments: 20)
        #expect(resumed.drawn == stopped.pictures - stopped.drawn)
        _ = try write("b", garments: 20)
        #expect(try files("a") == files("b"))
    }

    @Test("a data set reads it without a problem, every picture is there, and the columns are those of the contract")
    func dataset() throws {
        let report = try write("a")
        let dataset = try Dataset(contentsOf: folder.appendingPathComponent("a"))
        #expect(dataset.problems.isEmpty)
        #expect(dataset.missingFiles().isEmpty)
        #expect(dataset.rows.count == report.pictures)
        #expect(dataset.rows.count { $0["split"] == "query" } == report.query)
        let wanted = [
            "image", "product_id", "title", "caption", "category", "color", "brand", "price", "currency", "view", "split",
            "in_stock",
            "kind", "silhouette", "neckline", "sleeve", "length", "pattern", "presentation",
        ]
        for row in dataset.rows {
            for column in wanted { #expect(row[column] != nil, "\(column)") }
        }
        let image = try ImageDecoder.decode(contentsOfFile: dataset.rows[0].path)
        #expect((image.width, image.height) == (384, 512))
    }

    @Test("a folder of something else is not touched")
    func foreign() throws {
        let own = folder.appendingPathComponent("a")
        try FileManager.default.createDirectory(at: own, withIntermediateDirectories: true)
        try Data("mine".utf8).write(to: own.appendingPathComponent("notes.txt"))
        #expect(throws: AtelierError.notABoutique(path: own.path)) { try write("a") }
        #expect(try files("a") == ["notes.txt": Data("mine".utf8)])
    }

    @Test("other options for the same folder are refused, and the sentence names both")
    func options() throws {
        _ = try write("a", garments: 2)
        do {
            _ = try write("a", garments: 3)
            Issue.record("three garments in a folder of two")
        } catch let error as AtelierError {
            #expect(error.description.contains("2 garments, 3 views, width 384, seed 1"))
            #expect(error.description.contains("3 garments, 3 views, width 384, seed 1"))
        }
    }

    @Test("a folder that can't be made is named with the reason")
    func unwritable() throws {
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        try Data().write(to: folder.appendingPathComponent("file"))
        #expect {
            try write("file/inside")
        } throws: { error in
            guard case AtelierError.noWrite(let path, let reason)? = error as? AtelierError else { return false }
            return path.hasSuffix("file/inside") && !reason.isEmpty
        }
    }

    @Test("a contact sheet holds its pictures in rows, on white")
    func sheet() throws {
        let red = try RGBImage(width: 3, height: 4, pixels: Array(repeating: [200, 0, 0], count: 12).flatMap(\.self))
        let sheet = try ContactSheet.compose([red, red, red], columns: 2, cellWidth: 6, gap: 2)
        #expect((sheet.width, sheet.height) == (18, 22))
        func pixel(_ x: Int, _ y: Int) -> [UInt8] { Array(sheet.pixels[((y * 18 + x) * 3)..<((y * 18 + x) * 3 + 3)]) }
        #expect(pixel(0, 0) == [255, 255, 255])
        #expect(pixel(4, 15) == [200, 0, 0])
        #expect(pixel(12, 4) == [200, 0, 0])
        #expect(pixel(12, 15) == [255, 255, 255])
        #expect(throws: AtelierError.self) { try ContactSheet.compose([], columns: 2, cellWidth: 6) }
    }
}
