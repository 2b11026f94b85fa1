import Foundation
import Testing

@testable import Catalog

@Suite("DeepFashion2's official files")
struct DeepFashion2Tests {
    private struct Garment {
        var style = 1
        var category = "skirt"
        var box: [Int] = [1, 2, 30, 40]
    }

    private static func annotation(_ source: String, _ pair: Int, _ garments: [Garment]) -> String {
        let items = garments.enumerated().map { index, garment in
            """
            "item\(index + 1)": {"segmentation": [[1.5, 2]], "scale": 2, "viewpoint": 2, "zoom_in": 1, "landmarks": [0, 0, 0], "style": \(garment.style), \
            "bounding_box": \(garment.box), "category_id": 9, "occlusion": 3, "category_name": "\(garment.category)"}
            """
        }
        return "{\((["\"source\": \"\(source)\"", "\"pair_id\": \(pair)"] + items).joined(separator: ", "))}"
    }

    private func read(_ files: [String: String], pictures: Bool = true) throws -> (set: OfficialSet, withoutStyle: Int) {
        let folder = try TestFolder()
        for (name, text) in files {
            try folder.write("root/\(name).json", text)
            if pictures { try folder.picture("root/\(name.replacing("annos", with: "image")).jpg") }
        }
        return try #require(try OfficialSet.deepFashion2(root: folder.file("root")))
    }

    @Test(
        "garments of the same pair and style are one product; consumers' ask, shops' hang, those without a counterpart hang or are left out"
    )
    func rows() throws {
        let (set, withoutStyle) = try read([
            "train/annos/000001": Self.annotation("user", 7, [Garment(), Garment(style: 0, category: "vest")]),
            "train/annos/000002": Self.annotation("shop", 7, [Garment(box: [0, 0, 5, 5]), Garment(style: 2)]),
            "validation/annos/000001": Self.annotation("user", 7, [Garment(), Garment(style: 0)]),
            "validation/annos/000002": Self.annotation("shop", 7, [Garment(), Garment(style: 0, category: "shorts")]),
        ])
        #expect(set.problems == [] && withoutStyle == 2)
        #expect(
            set.rows.map(\.productID) == [
                "train-7-1", "train-7-1", "train-7-2", "validation-7-1", "validation-7-1", "validation-7-0-000002-2",
            ])
        #expect(set.rows.map { $0.fields["split"] } == ["train", "train", "train", "query", "gallery", "gallery"])
        #expect(set.rows.map { $0.fields["source"] } == ["consumer", "shop", "shop", "consumer", "shop", "shop"])
        #expect(
            set.rows.map(\.name) == [
                "train/000001-1", "train/000002-1", "train/000002-2", "validation/000001-1", "validation/000002-1",
                "validation/000002-2",
            ])
        #expect(set.rows[1].crop == PixelBox(0, 0, 5, 5) && set.rows[1].path.hasSuffix("/train/image/000002.jpg"))
        #expect(set.rows[0].fields["caption"] == "A photo of skirt" && set.rows[0].fields["category"] == "skirt")
        #expect(
            set.rows[0].fields["view"] == "front" && set.rows[0].fields["occlusion"] == "heavy"
                && set.rows[0].fields["scale"] == "modest")
        #expect(set.deviations.map(\.found) == [2, 2])
    }

    @Test("where one photo gives a style to two categories, the category is part of the product")
    func mixedStyles() throws {
        let (set, _) = try read([
            "validation/annos/1": Self.annotation("user", 3, [Garment(category: "short sleeve top"), Garment()]),
            "validation/annos/2": Self.annotation("shop", 3, [Garment(category: "short sleeve top")]),
            // Annotators may differ over one garment in two photos: that is no contradiction.
            "validation/annos/3": Self.annotation("user", 4, [Garment(category: "vest")]),
            "validation/annos/4": Self.annotation("shop", 4, [Garment(category: "sling")]),
        ])
        #expect(
            set.rows.map(\.productID) == [
                "validation-3-1-short-sleeve-top", "validation-3-1-skirt", "validation-3-1-short-sleeve-top", "validation-4-1",
                "validation-4-1",
            ])
        #expect(set.remarks.contains { $0.message.hasPrefix("1 styles of a pair are given to garments of several categories") })
        #expect(
            set.remarks.contains {
                $0.message.contains("1 products are in a consumer's photo") && $0.message.contains("validation-3-1-skirt")
            })
        #expect(set.remarks.contains { $0.message.contains("there is no train/annos") })
    }

    @Test("broken annotations are told with file and line, and the others are used")
    func broken() throws {
        let good = Self.annotation("user", 1, [Garment()])
        let (set, _) = try read([
            "train/annos/a": good, "train/annos/b": "{\"source\": \"user\",\n\"pair_id\": }", "train/annos/c": "[1]",
            "train/annos/d": good.replacing("\"user\"", with: "\"seller\""),
            "train/annos/e": good.replacing("\"pair_id\": 1", with: "\"pair_id\": \"x\""),
            "train/annos/f": good.replacing("[1, 2, 30, 40]", with: "[1, 2, 30]"),
            "train/annos/g": good.replacing("[1, 2, 30, 40]", with: "[5, 5, 5, 9]"),
            "train/annos/h": good.replacing("\"style\": 1", with: "\"style\": -1"),
        ])
        #expect(set.rows.count == 1 && set.problems.count == 7 && set.unread == 7)
        func told(_ name: String) -> String { set.problems.first { $0.source.hasSuffix("/\(name).json") }?.description ?? "" }
        #expect(told("b").contains("/train/annos/b.json, line 2: this is not valid JSON"))
        #expect(told("c").contains("write {\"source\": …, \"pair_id\": …, \"item1\": …}"))
        #expect(told("d").contains("'source' is \"seller\", expected \"user\" or \"shop\""))
        #expect(told("e").contains("'pair_id' is \"x\", expected a whole number"))
        #expect(told("f").contains("'bounding_box' of 'item1' is [1, 2, 30], expected [x1, y1, x2, y2]"))
        #expect(told("g").contains("has no area"))
        #expect(told("h").contains("'style' of 'item1' is -1"))
    }

    @Test("a picture that is not there is told; a folder without image, and a root without annos, too")
    func missing() throws {
        let annotation = Self.annotation("shop", 1, [Garment()])
        let folder = try TestFolder()
        try folder.write("root/validation/annos/000001.json", annotation)
        try folder.write("root/validation/annos/000002.json", annotation)
        try folder.picture("root/validation/image/000002.jpg")
        try folder.write("root/train/annos/000001.json", annotation)
        let (set, _) = try #require(try OfficialSet.deepFashion2(root: folder.file("root")))
        #expect(set.rows.count == 1)
        #expect(set.problems.contains { $0.source.hasSuffix("train/annos") && $0.message.contains("no folder image beside it") })
        #expect(
            set.problems.contains { $0.message.contains("expected the file \(folder.realPath)/root/validation/image/000001.jpg") }
        )
        #expect {
            try OfficialSet.deepFashion2(root: folder.file("root/train/annos"))
        } throws: { error in "\(error)".contains("no train/annos or validation/annos") && "\(error)".contains("DeepFashion2") }
    }
}
