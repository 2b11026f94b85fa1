import Foundation
import Testing

@testable import Catalog

@Suite("Consumer-to-shop's official files")
struct ConsumerToShopTests {
    private static let skirt = "img/DRESSES/Skirt/id_00000001/"
    private static let shirt = "img/TOPS/T_Shirt/id_00000002/"
    private static let coat = "img/CLOTHING/Coat/id_00000003/"

    private static let pairs = [
        "\(skirt)comsumer_01.jpg \(skirt)shop_01.jpg id_00000001 train",
        "\(skirt)comsumer_01.jpg \(skirt)shop_02.jpg id_00000001 train",
        "\(shirt)comsumer_01.jpg \(shirt)shop_01.jpg id_00000002 test",
        "\(shirt)comsumer_02.jpg \(shirt)shop_01.jpg id_00000002 test",
        "\(coat)comsumer_01.jpg \(coat)shop_01.jpg id_00000003 val",
    ]
    private static let boxes = [
        "\(skirt)comsumer_01.jpg 2 2 10 20 110 220", "\(skirt)shop_01.jpg 2 1 1 2 3 4", "\(skirt)shop_02.jpg 2 1 1 2 3 4",
        "\(shirt)comsumer_01.jpg 1 2 5 5 50 60", "\(shirt)shop_01.jpg 1 1 0 0 300 200", "\(coat)comsumer_01.jpg 3 2 9 9 8 8",
        "\(coat)shop_01.jpg 3 1 0 0 9 9",
    ]
    private static let header = "image_pair_name_1 image_pair_name_2 item_id evaluation_status"

    private func read(
        pairs: [String] = pairs, boxes: [String]? = boxes, header: String = header, lineEnd: String = "\n",
        change: (TestFolder) throws -> Void = { _ in }
    ) throws -> OfficialSet {
        let folder = try TestFolder()
        for name in Set(pairs.flatMap { $0.split(separator: " ").filter { $0.hasPrefix("img/") } }) {
            try folder.picture("root/Img/\(name)")
        }
        let partition = ([String(pairs.count), header] + pairs).map { $0 + lineEnd }.joined()
        try folder.write("root/Eval/list_eval_partition.txt", partition)
        if let boxes {
            try folder.write(
                "root/Anno/list_bbox_consumer2shop.txt",
                ([String(boxes.count), "image_name clothes_type source_type x_1 y_1 x_2 y_2"] + boxes).map { $0 + lineEnd }
                    .joined())
        }
        try change(folder)
        return try OfficialSet.consumerToShop(root: folder.file("root"))
    }

    @Test("each photo is one row: consumers' are cropped and ask in the test, shops' hang in the gallery")
    func rows() throws {
        let set = try read()
        #expect(
            set.rows.map { $0.name.split(separator: "/").suffix(2).joined(separator: "/") } == [
                "id_00000001/comsumer_01.jpg", "id_00000001/shop_01.jpg", "id_00000001/shop_02.jpg",
                "id_00000002/comsumer_01.jpg",
                "id_00000002/shop_01.jpg", "id_00000002/comsumer_02.jpg", "id_00000003/comsumer_01.jpg",
                "id_00000003/shop_01.jpg",
            ])
        func column(_ name: String) -> [String?] { set.rows.map { $0.fields[name] } }
        #expect(column("split") == ["train", "train", "train", "query", "gallery", "query", "val", "val"])
        #expect(column("source") == ["consumer", "shop", "shop", "consumer", "shop", "consumer", "consumer", "shop"])
        #expect(column("category").prefix(4) == ["Dresses/Skirt", "Dresses/Skirt", "Dresses/Skirt", "Tops/T_Shirt"])
        #expect(column("caption")[3] == "A photo of t shirt" && column("clothes_type")[6] == "full")
        #expect(set.rows.map(\.crop) == [PixelBox(10, 20, 110, 220), nil, nil, PixelBox(5, 5, 50, 60), nil, nil, nil, nil])
        #expect(column("box") == [nil, "1,2,3,4", "1,2,3,4", nil, "0,0,300,200", nil, nil, "0,0,9,9"])
        // One box has no area, one photo has none.
        #expect(
            set.problems.count == 1 && set.problems[0].line == 8
                && set.problems[0].message.contains("has no area; the photo is taken whole"))
        #expect(set.deviations.map(\.found) == [5, 3])
    }

    @Test("CRLF and a missing file of boxes change no row; who took a photo is then told by its name, else by its place")
    func withoutBoxes() throws {
        let plain = try read()
        #expect(try read(lineEnd: "\r\n").rows.map(\.fields) == plain.rows.map(\.fields))
        let bare = try read(boxes: nil)
        #expect(bare.rows.map { $0.fields["source"] } == plain.rows.map { $0.fields["source"] })
        #expect(bare.rows.allSatisfy { $0.crop == nil } && bare.problems == [])
        #expect(bare.remarks.contains { $0.message.contains("no list_bbox_consumer2shop.txt") })
        let others = try read(pairs: ["img/a/1.jpg img/a/2.jpg id_1 test"], boxes: nil)
        #expect(others.rows.map { $0.fields["split"] } == ["query", "gallery"])
        // The type in the file of boxes goes before both.
        let turned = try read(
            pairs: ["img/a/1.jpg img/a/2.jpg id_1 test"], boxes: ["img/a/1.jpg 1 1 0 0 5 5", "img/a/2.jpg 1 2 0 0 5 5"])
        #expect(turned.rows.map { $0.fields["split"] } == ["gallery", "query"] && turned.problems == [])
    }

    @Test("names with blanks are told apart where the first picture's name ends")
    func blanks() throws {
        let folder = try TestFolder()
        for name in ["A b/id_1/my photo.jpg", "A b/id_1/the shop.jpg"] { try folder.picture("root/img/\(name)") }
        try folder.write(
            "root/list_eval_partition.txt",
            "1\n\(Self.header)\nimg/A b/id_1/my photo.jpg   img/A b/id_1/the shop.jpg  id_1   test\n")
        let set = try OfficialSet.consumerToShop(root: folder.file("root"))
        #expect(set.rows.map(\.name) == ["A b/id_1/my photo.jpg", "A b/id_1/the shop.jpg"] && set.problems == [])
    }

    @Test("what contradicts itself is told with its line")
    func contradictions() throws {
        let (skirt, shirt) = (Self.skirt, Self.shirt)
        let set = try read(
            pairs: Self.pairs + [
                "\(skirt)comsumer_01.jpg \(skirt)shop_01.jpg id_00000001 train",  // 8: the pair again
                "\(skirt)comsumer_09.jpg \(skirt)shop_09.jpg id_00000001 test",  // 9: the item in another split
                "\(shirt)comsumer_01.jpg \(shirt)shop_09.jpg id_00000009 test",  // 10: the photo is of another item
                "\(skirt)shop_01.jpg \(skirt)shop_02.jpg id_00000001 train",  // 11: two shops' photos
                "\(shirt)comsumer_03.jpg \(shirt)shop_03.jpg id_00000002 later",  // 12: no status
                "too short",  // 13
            ])
        let told = Dictionary(grouping: set.problems.filter { $0.source.hasSuffix("partition.txt") }, by: { $0.line ?? 0 })
            .mapValues { $0.map(\.message) }
        #expect(Set(told.keys) == [8, 9, 10, 11, 12, 13])
        #expect(told[8]?.first?.contains("was already listed") == true)
        #expect(told[9]?.first?.contains("id_00000001 is in test here and in train in line 3") == true)
        #expect(told[10]?.first?.contains("of the item id_00000009 here and of id_00000002 in line 5") == true)
        #expect(told[11]?.first?.contains("both pictures of the pair are a shop's") == true)
        #expect(told[12]?.first?.contains("'later' is none of train, val, test") == true)
    }

    @Test("a photo that is not there is told, and an item of the test that lost its shop's photo, too")
    func missing() throws {
        let set = try read { try $0.remove("root/Img/\(Self.shirt)shop_01.jpg") }
        #expect(set.rows.count == 7 && set.unread == 1)
        #expect(set.problems.contains { $0.line == 5 && $0.message.contains("is not there") })
        #expect(set.problems.contains { $0.message.contains("id_00000002 of the test has no shop's photo") })
    }

    @Test("In-shop's list is not taken for this one's")
    func others() throws {
        let folder = try TestFolder()
        try InShopFiles().write(to: folder)
        let error = #expect(throws: CatalogError.self) { try OfficialSet.consumerToShop(root: folder.file("root")) }
        guard case .officialFileMissing(.consumerToShop, _, _, let others)? = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(others.count == 1)
    }
}
