import Foundation

/// In-shop's official files as a test wants them: three items, all well, and what is changed about them.
struct InShopFiles {
    struct Picture {
        var name: String
        var item: String
        var status: String
        /// Clothes type, pose type and corners; `nil` for a picture without a row.
        var box: String? = "3 1 10 20 200 240"
        var color: String? = "Cream"
    }

    var pictures = [
        Picture(name: "img/WOMEN/Dresses/id_00000001/01_1_front.jpg", item: "id_00000001", status: "train"),
        Picture(
            name: "img/WOMEN/Dresses/id_00000001/01_3_back.jpg", item: "id_00000001", status: "train", box: "3 3 0 0 256 256"),
        Picture(
            name: "img/WOMEN/Dresses/id_00000001/02_1_front.jpg", item: "id_00000001", status: "train", color: "Dark denim"),
        Picture(
            name: "img/MEN/Jackets_Vests/id_00000002/01_2_side.jpg", item: "id_00000002", status: "query", box: "1 2 5 6 7 8",
            color: "Navy/white"),
        Picture(
            name: "img/MEN/Jackets_Vests/id_00000002/01_4_full.jpg", item: "id_00000002", status: "gallery",
            box: "1 4 50 60 100 130",
            color: "Navy/white"),
        Picture(
            name: "img/MEN/Jackets_Vests/id_00000002/01_6_flat.jpg", item: "id_00000002", status: "gallery",
            box: "1 6 50 60 100 130",
            color: "Navy/white"),
        Picture(
            name: "img/WOMEN/Tees_Tanks/id_00000003/01_7_additional.jpg", item: "id_00000003", status: "train",
            box: "1 5 1 2 3 4",
            color: nil),
        Picture(name: "img/WOMEN/Tees_Tanks/id_00000003/01_1_front.jpg", item: "id_00000003", status: "train", color: nil),
    ]
    /// By item; items without one are left out.
    var descriptions: [(item: String, color: String, lines: [String])] = [
        ("id_00000001", "Cream", ["A dress of lace. It has \"sleeves\".", " ", "100% cotton"]),
        ("id_00000002", "Navy", ["Warm"]),
    ]
    var lineEnd = "\n"
    var separator = " "
    /// Where each file lies; none for a file that is missing.
    var partitionFile = "Eval/list_eval_partition.txt"
    var boxFile: String? = "Anno/list_bbox_inshop.txt"
    var colorFile: String? = "Anno/attributes/list_color_cloth.txt"
    var descriptionFile: String? = "Anno/list_description_inshop.json"
    var pictureFolder = "Img"
    var partitionCount: Int?
    var partitionHeader = "image_name item_id evaluation_status"

    static let published = 52_712

    func table(_ header: String, _ rows: [[String]], count: Int? = nil) -> String {
        ([String(count ?? rows.count), header] + rows.map { $0.joined(separator: separator) }).map { $0 + lineEnd }.joined()
    }

    /// A picture's name within the folder of pictures.
    static func path(_ name: String) -> String { name.hasPrefix("img/") ? name : "img/" + name }

    func write(to folder: TestFolder, at root: String = "root", pictures hasPictures: Bool = true) throws {
        if hasPictures {
            for picture in pictures { try folder.picture("\(root)/\(pictureFolder)/\(Self.path(picture.name))", picture.name) }
        }
        try folder.write(
            "\(root)/\(partitionFile)",
            table(partitionHeader, pictures.map { [$0.name, $0.item, $0.status] }, count: partitionCount))
        if let boxFile {
            try folder.write(
                "\(root)/\(boxFile)",
                table(
                    "image_name clothes_type pose_type x_1 y_1 x_2 y_2",
                    pictures.compactMap { picture in
                        picture.box.map { [picture.name] + $0.split(separator: " ").map(String.init) }
                    }))
        }
        if let colorFile {
            try folder.write(
                "\(root)/\(colorFile)",
                table("image_name  color", pictures.compactMap { picture in picture.color.map { [picture.name, $0] } }))
        }
        if let descriptionFile {
            let entries = descriptions.map { ["item": $0.item, "color": $0.color, "description": $0.lines] as [String: Any] }
            try folder.write(
                "\(root)/\(descriptionFile)", JSONSerialization.data(withJSONObject: entries, options: .prettyPrinted))
        }
    }
}
