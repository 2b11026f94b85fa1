import Foundation
import Testing

@testable import Catalog

/// The official files with bytes of them changed, taken out, doubled or cut off: whatever they say then, the readers answer with rows and problems
/// or with an error, and every row names a picture that is there.
@Suite("Official files of any kind")
struct BrokenFilesTests {
    private static func mutated(_ data: Data, _ random: inout SeededGenerator) -> Data {
        var bytes = [UInt8](data)
        for _ in 0..<Int.random(in: 1...6, using: &random) where !bytes.isEmpty {
            let place = Int.random(in: 0..<bytes.count, using: &random)
            switch Int.random(in: 0..<6, using: &random) {
            case 0: bytes[place] = UInt8.random(in: 0...255, using: &random)
            case 1: bytes.remove(at: place)
            case 2:
                bytes.insert(
                    [0x20, 0x09, 0x0A, 0x0D, 0x22, 0x2F, 0x00, 0xCC, 0xFF].randomElement(using: &random) ?? 0, at: place)
            case 3: bytes.removeSubrange(place..<min(bytes.count, place + 40))
            case 4: bytes.insert(contentsOf: bytes[place..<min(bytes.count, place + 60)], at: place)
            default: bytes.removeLast(bytes.count - place)
            }
        }
        return Data(bytes)
    }

    /// Writes the files anew, mutated, and reads them; many times.
    private func check(_ folder: TestFolder, _ names: [String], seed: UInt64, _ read: (String) throws -> OfficialSet) throws {
        let root = folder.file("root")
        let whole = try names.map { try Data(contentsOf: URL(fileURLWithPath: "\(root)/\($0)")) }
        #expect(try read(root).problems == [])
        var random = SeededGenerator(seed: seed)
        var withRows = 0
        for _ in 0..<250 {
            let victim = Int.random(in: names.indices, using: &random)
            try Self.mutated(whole[victim], &random).write(to: URL(fileURLWithPath: "\(root)/\(names[victim])"))
            defer { try? whole[victim].write(to: URL(fileURLWithPath: "\(root)/\(names[victim])")) }
            let set: OfficialSet
            do { set = try read(root) } catch is CatalogError { continue }
            if !set.rows.isEmpty { withRows += 1 }
            for row in set.rows {
                #expect((try? FileStatus(ofPath: row.path))?.isRegular == true && !row.productID.isEmpty)
                #expect(row.crop?.hasArea ?? true)
            }
            for problem in set.problems { #expect(!problem.message.isEmpty && problem.line ?? 1 > 0) }
        }
        // Most changes are small: a reader that gives up at the first would tell nothing.
        #expect(withRows > 150)
    }

    @Test("In-shop's")
    func inShop() throws {
        let folder = try TestFolder()
        try InShopFiles().write(to: folder)
        try folder.write("root/Anno/attributes/list_attr_cloth.txt", "2\nattribute_name\nlong sleeve\nlace\n")
        try folder.write(
            "root/Anno/attributes/list_attr_items.txt",
            "3\nitem_name attribute_labels\nid_00000001 1 -1\nid_00000002 0 0\nid_00000003 1 1\n")
        try folder.write("root/Anno/list_item_inshop.txt", "3\nid_00000001\nid_00000002\nid_00000003\n")
        try check(
            folder,
            [
                "Eval/list_eval_partition.txt", "Anno/list_bbox_inshop.txt", "Anno/attributes/list_color_cloth.txt",
                "Anno/list_description_inshop.json", "Anno/attributes/list_attr_cloth.txt", "Anno/attributes/list_attr_items.txt",
                "Anno/list_item_inshop.txt",
            ], seed: 1
        ) { root in
            var (set, boxes) = try OfficialSet.inShop(root: root)
            set.placeBoxes(boxes) { _ in PictureSize(width: 400, height: 400) }
            return set
        }
    }

    @Test("Consumer-to-shop's")
    func consumerToShop() throws {
        let folder = try TestFolder()
        var pairs = "", boxes = ""
        for item in 1...4 {
            let names = ["comsumer_01.jpg", "shop_01.jpg"].map { "img/TOPS/T_Shirt/id_\(item)/\($0)" }
            for name in names { try folder.picture("root/Img/\(name)") }
            pairs += "\(names.joined(separator: " ")) id_\(item) \(["train", "val", "test", "train"][item - 1])\n"
            boxes += "\(names[0]) 1 2 1 2 30 40\n\(names[1]) 1 1 1 2 30 40\n"
        }
        try folder.write(
            "root/list_eval_partition.txt", "4\nimage_pair_name_1 image_pair_name_2 item_id evaluation_status\n\(pairs)")
        try folder.write("root/list_bbox_consumer2shop.txt", "8\nimage_name clothes_type source_type x_1 y_1 x_2 y_2\n\(boxes)")
        try check(folder, ["list_eval_partition.txt", "list_bbox_consumer2shop.txt"], seed: 2) {
            try OfficialSet.consumerToShop(root: $0)
        }
    }

    @Test("DeepFashion2's")
    func deepFashion2() throws {
        let folder = try TestFolder()
        var names: [String] = []
        for number in 1...4 {
            names.append("validation/annos/\(number).json")
            try folder.picture("root/validation/image/\(number).jpg")
            try folder.write(
                "root/\(names[number - 1])",
                """
                {"source": "\(number % 2 == 0 ? "user" : "shop")", "pair_id": 1, "item1": {"style": 1, "bounding_box": [1, 2, 30, 40], \
                "category_name": "skirt", "category_id": 9, "viewpoint": 2}, "item2": {"style": 0, "bounding_box": [1, 2, 3, 4], "category_id": 1}}
                """)
        }
        try check(folder, names, seed: 3) { try #require(try OfficialSet.deepFashion2(root: $0)).set }
    }
}
