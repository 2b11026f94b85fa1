import Catalog
import Foundation
import Imaging
import Testing

@testable import Atelier

@Suite("Drawn garments in In-shop's layout")
final class InShopLayoutTests {
    private let folder = FileManager.default.temporaryDirectory.appendingPathComponent("inshop-\(UUID().uuidString)")

    deinit { try? FileManager.default.removeItem(at: folder) }

    private func write(_ name: String, garments: Int = 10, views: Int = 5, shouldStop: () -> Bool = { false }) throws
        -> BoutiqueReport
    {
        try Boutique.write(
            BoutiqueOptions(garments: garments, views: views, width: 96, seed: 3, layout: .inshop),
            to: folder.appendingPathComponent(name),
            shouldStop: shouldStop)
    }

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

    @Test("the reader of the official files finds nothing wrong, half of the items to train on, the others in query and gallery")
    func read() throws {
        let report = try write("a")
        let (set, boxes) = try OfficialSet.inShop(root: folder.path + "/a")
        #expect(set.problems == [] && set.rows.count == report.pictures && boxes.rows.count == report.pictures)
        // Only the counts and the attributes differ from the real set's.
        #expect(
            set.remarks.allSatisfy { $0.message.contains("not the whole In-shop") || $0.message.contains("list_attr_cloth.txt") },
            "\(set.remarks)")
        var items: [String: Set<String>] = [:]
        for row in set.rows { items[row.fields["split"] ?? "", default: []].insert(row.productID) }
        #expect(items["train"]?.count == 5 && items["query"]?.count == 5 && items["query"] == items["gallery"])
        #expect(items["train"]?.isDisjoint(with: items["query"] ?? []) == true)
        let perItem = Dictionary(set.rows.map { ($0.productID, 1) }, uniquingKeysWith: +)
        #expect(perItem.values.allSatisfy { $0 >= 2 })
        for row in set.rows {
            for column in ["category", "gender", "view", "clothes_type", "color", "description", "caption"] {
                #expect(row.fields[column] != nil, "\(column) of \(row.name)")
            }
        }
        #expect(Set(set.rows.compactMap { $0.fields["view"] }).isSuperset(of: ["front", "side", "back", "detail"]))
        #expect(
            (report.train, report.query, report.gallery) == (
                set.rows.count { $0.fields["split"] == "train" }, set.rows.count { $0.fields["split"] == "query" },
                set.rows.count { $0.fields["split"] == "gallery" }
            ))
        // Two colours of a garment differ in captions as in the file of colours.
        let colors = Dictionary(grouping: set.rows, by: \.productID).mapValues { Set($0.compactMap { $0.fields["color"] }).count }
        #expect(colors.values.contains { $0 > 1 })
        #expect(
            set.rows.allSatisfy { row in
                row.fields["caption"]?.hasPrefix("A clothing item in \(row.fields["color"] ?? "?"). ") == true
            })
    }

    @Test("pictures are squares with white margins, and boxes lie around the garment")
    func squares() throws {
        _ = try write("a")
        var (set, boxes) = try OfficialSet.inShop(root: folder.path + "/a")
        set.placeBoxes(boxes) { _ in PictureSize(width: 128, height: 128) }
        #expect(set.problems == [])
        for row in set.rows {
            let image = try ImageDecoder.decode(contentsOfFile: row.path)
            #expect((image.width, image.height) == (128, 128))
            let box = try #require(row.fields["box"]).split(separator: ",").compactMap { Int($0) }
            // The portrait of 96 pixels stands in the middle: the box, rounded outwards, keeps to it.
            #expect(
                box.count == 4 && box[0] >= 15 && box[2] <= 113 && box[2] - box[0] >= 24 && box[3] - box[1] >= 24,
                "\(row.name) \(box)")
            for y in stride(from: 0, to: 128, by: 9) {
                for x in [0, 3, 124, 127] { #expect(image.pixels[(y * 128 + x) * 3] > 240) }
            }
        }
    }

    @Test(
        "the same options give the same files; an interrupted run has no list of splits, and resumed it ends with the same bytes")
    func same() throws {
        var asked = 0
        let stopped = try write("a") {
            asked += 1
            return asked > 1
        }
        #expect(stopped.stopped && !FileManager.default.fileExists(atPath: folder.path + "/a/Eval/list_eval_partition.txt"))
        let resumed = try write("a")
        #expect(resumed.drawn == stopped.pictures - stopped.drawn)
        _ = try write("b")
        let first = try files("a")
        #expect(try files("b") == first)
        #expect(first.count == resumed.pictures + 6 && first["manifest.jsonl"] == nil)
        #expect(try write("a").drawn == 0)
        // A folder of the one layout is not written over with the other.
        #expect(throws: AtelierError.self) {
            try Boutique.write(
                BoutiqueOptions(garments: 10, views: 5, width: 96, seed: 3), to: folder.appendingPathComponent("a"))
        }
    }

    @Test("a box is where the garment differs from the same picture without it")
    func bounds() throws {
        // Laid flat nothing hides the garment; drawn in two colours, the picture differs in the garment alone.
        let shots = Shot.all(of: Wardrobe(count: 60, seed: 3), views: 2)
        for shot in shots.prefix(60) where shot.view == .main {
            func draw(_ color: Swatch) throws -> RGBImage {
                var garment = shot.garment
                garment.colors = [color]
                return try Studio.draw(
                    Shot(garment: garment, colorIndex: 0, viewIndex: 0, presentation: .flat, split: "train"), seed: 9, width: 96)
            }
            let (one, other) = (try draw(.red), try draw(.blue))
            var (left, top, right, bottom) = (96, 128, 0, 0)
            for y in 0..<one.height {
                for x in 0..<96 {
                    let at = (y * 96 + x) * 3
                    guard (0..<3).contains(where: { abs(Int(one.pixels[at + $0]) - Int(other.pixels[at + $0])) > 60 }) else {
                        continue
                    }
                    (left, right, top, bottom) = (min(left, x), max(right, x + 1), min(top, y), max(bottom, y + 1))
                }
            }
            guard right > 0 else { continue }
            var garment = shot.garment
            garment.colors = [.red]
            let box = try #require(
                try Studio.garmentBounds(
                    Shot(garment: garment, colorIndex: 0, viewIndex: 0, presentation: .flat, split: "train"), seed: 9, width: 96))
            #expect(
                box.x <= left && box.y <= top && box.x + box.width >= right && box.y + box.height >= bottom,
                "\(box) \(left) \(top) \(right) \(bottom)")
            // Patterns keep their own colours, and trims: the box may be a little wider.
            guard shot.garment.design.pattern == .solid else { continue }
            #expect(left - box.x < 12 && box.x + box.width - right < 12, "\(box) \(left) \(right)")
        }
    }
}
