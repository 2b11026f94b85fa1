import Foundation
import Testing

@testable import Catalog

@Suite("In-shop's official files")
struct InShopTests {
    private func read(_ files: InShopFiles, change: (TestFolder) throws -> Void = { _ in }) throws -> (
        set: OfficialSet, boxes: FrameBoxes
    ) {
        let folder = try TestFolder()
        try files.write(to: folder)
        try change(folder)
        return try OfficialSet.inShop(root: folder.file("root"))
    }

    /// The only problem, or remark, whose message holds some words.
    private func told(_ problems: [ManifestProblem], _ words: String, _ place: SourceLocation = #_sourceLocation) throws
        -> ManifestProblem
    {
        let found = problems.filter { $0.message.contains(words) }
        return try #require(found.count == 1 ? found[0] : nil, "\(problems.map(\.description))", sourceLocation: place)
    }

    /// What the files of a test say that is not the whole set.
    private func problems(_ files: InShopFiles, change: (TestFolder) throws -> Void = { _ in }) throws -> [ManifestProblem] {
        try read(files, change: change).set.problems
    }

    // MARK: Columns

    @Test("columns come from the list of splits, the names, the boxes, the colours and the descriptions")
    func columns() throws {
        let (set, _) = try read(InShopFiles())
        #expect(set.problems == [])
        #expect(set.rows.map(\.line) == Array(3...10))
        #expect(set.rows.map(\.productID) == [1, 1, 1, 2, 2, 2, 3, 3].map { "id_0000000\($0)" })
        func column(_ name: String) -> [String?] { set.rows.map { $0.fields[name] } }
        #expect(column("split") == ["train", "train", "train", "query", "gallery", "gallery", "train", "train"])
        #expect(
            column("category")
                == Array(repeating: "Women/Dresses", count: 3) + Array(repeating: "Men/Jackets_Vests", count: 3)
                + Array(repeating: "Women/Tees_Tanks", count: 2))
        #expect(column("gender") == ["Women", "Women", "Women", "Men", "Men", "Men", "Women", "Women"])
        #expect(column("view") == ["front", "back", "front", "side", "full", "flat", "detail", "front"])
        #expect(column("clothes_type") == ["full", "full", "full", "upper", "upper", "upper", "upper", "full"])
        // The picture's own colour, with blanks; none where no file and no description gives one.
        #expect(column("color") == ["Cream", "Cream", "Dark denim", "Navy/white", "Navy/white", "Navy/white", nil, nil])
        let lace = "A dress of lace. It has \"sleeves\". 100% cotton"
        #expect(column("description") == [lace, lace, lace, "Warm", "Warm", "Warm", nil, nil])
        #expect(
            column("trimmed_description") == Array(repeating: "It has \"sleeves\". 100% cotton", count: 3)
                + Array(repeating: nil, count: 5))
        #expect(
            column("caption") == [
                "A clothing item in Cream. \(lace)", "A clothing item in Cream. \(lace)",
                "A clothing item in Dark denim. \(lace)",
                "A clothing item in Navy/white. Warm", "A clothing item in Navy/white. Warm",
                "A clothing item in Navy/white. Warm",
                "A photo of tees tanks", "A photo of tees tanks",
            ])
    }

    @Test("CRLF, tabs, runs of blanks, a byte-order mark, backslashes and names with or without img/ change nothing")
    func spellings() throws {
        let plain = try read(InShopFiles()).set
        var windows = InShopFiles()
        windows.lineEnd = "\r\n"
        windows.separator = "\t"
        var wide = InShopFiles()
        wide.separator = "     "
        wide.partitionHeader = "image_name   item_id\tevaluation_status"
        var bare = InShopFiles()
        bare.pictures = bare.pictures.map { picture in
            var picture = picture
            picture.name = String(picture.name.dropFirst(4))
            return picture
        }
        for files in [windows, wide, bare] {
            let set = try read(files).set
            #expect(set.problems == [])
            #expect(set.rows.map(\.fields) == plain.rows.map(\.fields) && set.rows.map(\.name) == plain.rows.map(\.name))
        }
        let folder = try TestFolder()
        try InShopFiles().write(to: folder)
        let partition = folder.file("root/Eval/list_eval_partition.txt")
        let text = try String(contentsOfFile: partition, encoding: .utf8).replacing("img/MEN/", with: "img\\MEN\\")
        try Data("\u{FEFF}\(text)\n \n\n".utf8).write(to: URL(fileURLWithPath: partition))
        let set = try OfficialSet.inShop(root: folder.file("root")).set
        #expect(set.problems == [] && set.rows.map(\.fields) == plain.rows.map(\.fields))
    }

    @Test("files are found wherever they lie, and pictures in img, in img_highres or in any other folder")
    func layouts() throws {
        for (eval, anno, pictures) in [
            ("list_eval_partition.txt", "list_bbox_inshop.txt", ""),
            ("In-shop Benchmark/Eval/list_eval_partition.txt", "x/y/z/List_BBox_InShop.txt", "deep/down"),
        ] {
            var files = InShopFiles()
            files.partitionFile = eval
            files.boxFile = anno
            files.pictureFolder = pictures.isEmpty ? "." : pictures
            let set = try read(files).set
            #expect(set.rows.count == 8 && set.problems == [] && set.rows[1].fields["view"] == "back", "\(eval)")
        }
        // Unpacked without the folder img.
        let folder = try TestFolder()
        try InShopFiles().write(to: folder)
        try folder.move("root/Img/img", to: "root/pictures of all")
        #expect(try OfficialSet.inShop(root: folder.file("root")).set.rows.count == 8)
        // Elsewhere.
        try folder.move("root/pictures of all", to: "elsewhere/img")
        let error = #expect(throws: CatalogError.self) { try OfficialSet.inShop(root: folder.file("root")) }
        guard case .officialPicturesMissing(_, "WOMEN/Dresses/id_00000001/01_1_front.jpg", nil)? = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        let set = try OfficialSet.inShop(root: folder.file("root"), pictures: folder.file("elsewhere")).set
        #expect(set.rows.first?.path == folder.realPath + "/elsewhere/img/WOMEN/Dresses/id_00000001/01_1_front.jpg")
    }

    @Test("of two sizes of the pictures the published one of 256 pixels is taken, unless the other is named")
    func sizes() throws {
        let folder = try TestFolder()
        try InShopFiles().write(to: folder)
        for picture in InShopFiles().pictures { try folder.picture("root/Img/img_highres/\(picture.name.dropFirst(4))") }
        #expect(try OfficialSet.inShop(root: folder.file("root")).set.rows.allSatisfy { $0.path.contains("/Img/img/") })
        let large = try OfficialSet.inShop(root: folder.file("root"), pictures: folder.file("root/Img/img_highres")).set
        #expect(large.rows.count == 8 && large.rows.allSatisfy { $0.path.contains("/Img/img_highres/") })
    }

    @Test("an archive that is not unpacked is named")
    func archive() throws {
        let folder = try TestFolder()
        try InShopFiles().write(to: folder, pictures: false)
        try folder.write("root/Img/img.zip", "PK")
        #expect {
            try OfficialSet.inShop(root: folder.file("root"))
        } throws: { error in "\(error)".contains("unpack \(folder.realPath)/root/Img/img.zip beside itself") }
    }

    @Test("names with blanks and with other letters are read, in either spelling of an umlaut")
    func names() throws {
        var files = InShopFiles()
        files.pictures[0].name = "img/WOMEN/Night Dresses/id_00000001/navy blue_1_front.jpg"
        files.pictures[1].name = "img/WOMEN/Kleider für Übergang/id_00000001/grün_3_back.jpg"
        for index in 0...1 { files.pictures[index].color = nil }
        files.separator = "  "
        let set = try read(files) { folder in
            // The disk has u and two dots, the list one letter.
            let name = "root/Img/img/WOMEN/Kleider für Übergang"
            try folder.move(name, to: name.decomposedStringWithCanonicalMapping)
        }.set
        #expect(set.problems == [] && set.rows.count == 8)
        #expect(set.rows[0].fields["category"] == "Women/Night Dresses" && set.rows[0].fields["color"] == "navy blue")
        #expect(set.rows[0].fields["caption"]?.hasPrefix("A clothing item in navy blue. ") == true)
        #expect(set.rows[1].fields["category"] == "Women/Kleider für Übergang" && set.rows[1].fields["color"] == "grün")
        #expect(set.rows[1].fields["clothes_type"] == "full" && set.rows[1].path.unicodeScalars.contains("\u{308}"))
    }

    // MARK: Optional files

    @Test("without the optional files there are still rows, and each file that is missing is said")
    func optional() throws {
        var files = InShopFiles()
        (files.boxFile, files.colorFile, files.descriptionFile) = (nil, nil, nil)
        let (set, boxes) = try read(files)
        #expect(set.problems == [] && boxes.rows == [])
        for name in ["list_bbox_inshop.txt", "list_color_cloth.txt", "list_description_inshop.json", "list_attr_cloth.txt"] {
            _ = try told(set.remarks, "there is no \(name)")
        }
        #expect(set.rows.map { $0.fields["view"] } == ["front", "back", "front", "side", "full", "flat", "detail", "front"])
        #expect(set.rows.allSatisfy { $0.fields["color"] == nil && $0.fields["clothes_type"] == nil })
        #expect(set.rows[0].fields["caption"] == "A photo of dresses")
    }

    @Test("a description's colour is a picture's own only where its item has no other")
    func descriptionColor() throws {
        var files = InShopFiles()
        files.colorFile = nil
        let set = try read(files).set
        // Item 1 comes in the colours 01 and 02, item 2 in one.
        #expect(set.rows.map { $0.fields["color"] } == [nil, nil, nil, "Navy", "Navy", "Navy", nil, nil])
        #expect(set.rows[0].fields["caption"] == "A dress of lace. It has \"sleeves\". 100% cotton")
        #expect(try told(set.remarks, "no colour of their own").message.hasPrefix("5 pictures"))
    }

    @Test("attributes become details of their items; a row of another length is told")
    func details() throws {
        let (set, _) = try read(InShopFiles()) { folder in
            try folder.write("root/Anno/attributes/list_attr_cloth.txt", "3\nattribute_name\nlong sleeve\nlace\nv neck\n")
            try folder.write(
                "root/Anno/attributes/list_attr_items.txt",
                "3\nitem_name attribute_labels\nid_00000001  1 -1 1\nid_00000002 0 0\nid_00000003 -1 -1 -1\n")
        }
        #expect(set.rows[0].fields["details"] == "long sleeve|v neck" && set.rows[3].fields["details"] == nil)
        let problem = try told(set.problems, "2 labels")
        #expect(problem.line == 4 && problem.source.hasSuffix("list_attr_items.txt") && set.problems.count == 1)
    }

    @Test("boxes are brought into the pixels of a picture of any size, cut off at its edges, and told where they lie outside")
    func boxes() throws {
        var files = InShopFiles()
        files.pictures[0].box = "3 1 64 64 192 128"
        files.pictures[1].box = "3 3 -20 10 300 400"
        files.pictures[2].box = "3 1 2 10 20 30"
        var (set, boxes) = try read(files)
        let sizes = [
            PictureSize(width: 256, height: 256), PictureSize(width: 256, height: 256), PictureSize(width: 750, height: 1101),
        ]
        set.placeBoxes(boxes) { $0 < 3 ? sizes[$0] : nil }
        #expect(set.rows[0].fields["box"] == "64,64,192,128")
        #expect(set.rows[1].fields["box"] == "0,10,256,256")
        // 750 of 1101 pixels begin at 256 · (1 - 750/1101) / 2 = 40.8 of the square: the box ends left of the picture.
        #expect(set.rows[2].fields["box"] == nil)
        let problem = try told(set.problems, "lies outside of its picture (750 × 1101 pixels)")
        #expect(problem.line == 5 && problem.source.hasSuffix("list_bbox_inshop.txt"))
        // The middle of the square is the middle of the picture, whatever its size.
        (set, boxes) = try read(files)
        set.placeBoxes(boxes) { $0 == 0 ? sizes[2] : nil }
        // x: (64 - 40.806) · 1101/256 = 99.75, (192 - 40.806) · 4.3008 = 650.25; y: 64 · 4.3008 = 275.25, 550.5; whole pixels outwards.
        #expect(set.rows[0].fields["box"] == "99,275,651,551")
    }

    // MARK: What contradicts itself

    @Test("a count in the first line that does not fit is told, with the file")
    func count() throws {
        var files = InShopFiles()
        files.partitionCount = 52_712
        let problem = try #require(try problems(files).first)
        #expect(problem.line == 1 && problem.message.contains("52,712 rows, and 8 follow"))
        #expect(problem.source.hasSuffix("/root/Eval/list_eval_partition.txt"))
        let missing = try problems(InShopFiles()) { folder in
            try folder.write(
                "root/Anno/list_bbox_inshop.txt", "image_name clothes_type pose_type x_1 y_1 x_2 y_2\n")
        }
        #expect(missing.first?.message.contains("not the number of rows") == true && missing.first?.line == 1)
    }

    @Test("counts that are not the published ones are one remark that names both; the published ones are none")
    func published() throws {
        let set = try read(InShopFiles()).set
        let remark = try told(set.remarks, "not the whole In-shop")
        #expect(
            remark.message.contains("8 pictures where 52,712 are published")
                && remark.message.contains("3 items where 7,982 are published"))
        #expect(remark.message.contains("5 train pictures where 25,882 are published"))
        #expect(set.deviations.contains(.init(what: "query pictures", published: 14_218, found: 1)))

        var whole = OfficialSet(root: "/", source: "/")
        whole.expect("pictures", 52_712, found: 52_712)
        whole.remarkDeviations(of: "In-shop")
        #expect(whole.remarks == [] && whole.deviations == [])
    }

    @Test(
        "an item in train and in the test is told once, with both lines; one in query alone as well; one in the gallery alone is a remark"
    )
    func overlap() throws {
        var files = InShopFiles()
        files.pictures[4].item = "id_00000001"
        files.pictures[5].item = "id_00000001"
        let set = try read(files).set
        #expect(set.problems.count == 2)
        let overlap = try told(set.problems, "no item may be in both")
        #expect(overlap.line == 7 && overlap.message.contains("id_00000001 is in gallery here and in train in line 3"))
        let lost = try told(set.problems, "has no picture in the gallery")
        #expect(lost.line == 6 && lost.message.contains("id_00000002"))
        #expect(try told(set.remarks, "in no query").message.contains("id_00000001"))
    }

    @Test("a picture that is listed twice counts once: told with both lines, in two splits as such")
    func repeated() throws {
        var files = InShopFiles()
        files.pictures.append(files.pictures[0])
        var other = files.pictures[1]
        other.status = "query"
        files.pictures.append(other)
        files.pictures[8].box = nil
        files.pictures[9].box = nil
        files.pictures[8].color = nil
        files.pictures[9].color = nil
        let set = try read(files).set
        #expect(set.rows.count == 8 && set.unread == 2)
        #expect(try told(set.problems, "was already listed in line 3").line == 11)
        let both = try told(set.problems, "is in query here and in train in line 4")
        #expect(both.line == 12)
    }

    @Test("rows that name no file, unknown statuses and rows that are too short are told with their lines and left out")
    func badRows() throws {
        var files = InShopFiles()
        files.pictures[1].status = "test"
        let set = try read(files) { folder in
            try folder.remove("root/Img/img/WOMEN/Dresses/id_00000001/02_1_front.jpg")
            let path = folder.file("root/Eval/list_eval_partition.txt")
            let text = try String(contentsOfFile: path, encoding: .utf8)
            try Data((text.replacing("8\nimage", with: "9\nimage") + "img/alone.jpg\n").utf8).write(
                to: URL(fileURLWithPath: path))
        }.set
        #expect(set.rows.count == 6 && set.unread == 3 && set.problems.count == 3)
        #expect(try told(set.problems, "'test' is none of train, query, gallery").line == 4)
        #expect(try told(set.problems, "is not there; expected the file").line == 5)
        #expect(try told(set.problems, "too few fields").line == 11)
    }

    @Test("bad rows of boxes are told, and cost no more than the box")
    func badBoxes() throws {
        var files = InShopFiles()
        files.pictures[0].box = "3 1 10 20 10 240"
        files.pictures[1].box = "9 7 0 0 256 256"
        files.pictures[2].box = "3 1 ten 0 256 256"
        files.pictures[3].box = nil
        let (set, boxes) = try read(files)
        #expect(set.rows.count == 8 && boxes.rows == [1, 4, 5, 6, 7])
        #expect(try told(set.problems, "has no area").line == 3)
        #expect(try told(set.problems, "clothes type '9'").line == 4)
        #expect(try told(set.problems, "pose type '7'").line == 4)
        #expect(try told(set.problems, "is not image_name clothes_type").line == 5)
        // The name still tells the view.
        #expect(set.rows[1].fields["view"] == "back" && set.rows[2].fields["view"] == "front")
        #expect(try told(set.remarks, "have no row here and so no box").message.hasPrefix("2 pictures"))
    }

    @Test("boxes of unknown pictures and descriptions of unknown items are remarks with a count")
    func unknown() throws {
        var files = InShopFiles()
        files.descriptions.append(("id_00000099", "Red", ["Nothing"]))
        let set = try read(files) { folder in
            let path = folder.file("root/Anno/list_bbox_inshop.txt")
            let text = try String(contentsOfFile: path, encoding: .utf8).replacing("8\nimage", with: "9\nimage")
            try Data((text + "img/MEN/id_7/01_1_front.jpg 1 1 0 0 5 5\n").utf8).write(to: URL(fileURLWithPath: path))
        }.set
        #expect(set.problems == [])
        #expect(
            try told(set.remarks, "1 descriptions are of items that are not in the partition").message.contains("id_00000099"))
        #expect(try told(set.remarks, "1 boxes are of pictures that are not used").line == 11)
    }

    @Test("one broken description is told with its line and the others are used; a file that is no list costs the descriptions")
    func brokenDescriptions() throws {
        let good = #"{"item": "id_00000002", "color": "Navy", "description": "Warm"}"#
        func set(_ text: String) throws -> OfficialSet {
            try read(InShopFiles()) { try $0.write("root/Anno/list_description_inshop.json", text) }.set
        }
        var found = try set("[\n{\"item\": \"id_00000001\", \"color\": },\n\(good)\n]")
        #expect(found.rows[3].fields["description"] == "Warm" && found.rows[0].fields["description"] == nil)
        let problem = try told(found.problems, "not valid JSON")
        #expect(problem.line == 2 && problem.source.hasSuffix("list_description_inshop.json"))
        found = try set("[\n{\"id\": \"id_00000001\"},\n7,\n\(good)]")
        #expect(try told(found.problems, "has no 'item'").line == 2)
        #expect(try told(found.problems, "not a JSON object; write {\"item\"").line == 3)
        found = try set("[\n\(good),\n{\"item\": \"id_0000")
        #expect(try told(found.problems, "no description is used").line == 3)
        #expect(found.rows.allSatisfy { $0.fields["description"] == nil } && found.rows.count == 8)
    }

    // MARK: Roots

    @Test(
        "a root without the list of splits says what is missing and where it is signed for; one with another benchmark's list names it"
    )
    func missing() throws {
        let folder = try TestFolder()
        try folder.write("root/Anno/x.txt", "1")
        #expect {
            try OfficialSet.inShop(root: folder.file("root"))
        } throws: { error in
            "\(error)".contains("no Eval/list_eval_partition.txt of In-shop below \(folder.realPath)/root;")
                && "\(error)".contains("InShopRetrieval.html")
        }
        try folder.write(
            "root/Eval/list_eval_partition.txt",
            "1\nimage_pair_name_1 image_pair_name_2 item_id evaluation_status\nimg/a.jpg img/b.jpg id_1 train\n")
        #expect {
            try OfficialSet.inShop(root: folder.file("root"))
        } throws: { error in
            "\(error)".contains("only one of another benchmark (\(folder.realPath)/root/Eval/list_eval_partition.txt)")
        }
        #expect(throws: CatalogError.sourceMissing(path: folder.file("nothing"))) {
            try OfficialSet.inShop(root: folder.file("nothing"))
        }
    }

    @Test("two In-shop sets below one root are not guessed between; another benchmark beside one does not matter")
    func several() throws {
        let folder = try TestFolder()
        try InShopFiles().write(to: folder, at: "root/In-shop")
        try folder.write(
            "root/C2S/Eval/list_eval_partition.txt",
            "1\nimage_pair_name_1 image_pair_name_2 item_id evaluation_status\nimg/a.jpg img/b.jpg id_1 train\n")
        #expect(try OfficialSet.inShop(root: folder.file("root")).set.rows.count == 8)
        try InShopFiles().write(to: folder, at: "root/copy")
        let error = #expect(throws: CatalogError.self) { try OfficialSet.inShop(root: folder.file("root")) }
        guard case .officialFileTwice(_, let paths)? = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(paths.count == 2)
    }

    @Test("a data set is read from an In-shop root directly, and imported; a folder of pictures with some other list stays one")
    func dataset() throws {
        let folder = try TestFolder()
        try InShopFiles().write(to: folder, at: "root/In-shop Clothes Retrieval Benchmark")
        let set = try Dataset(contentsOf: URL(fileURLWithPath: folder.file("root")))
        #expect(set.format == .inShop && set.rows.count == 8 && set.problems == [])
        #expect(set.folder == folder.realPath + "/root" && set.source == set.folder)
        #expect(set.rows[3].image == "In-shop Clothes Retrieval Benchmark/Img/img/MEN/Jackets_Vests/id_00000002/01_2_side.jpg")
        #expect(set.rows[3].path == set.folder + "/" + set.rows[3].image && set.rows[3].line == 6)
        #expect(set.missingFiles() == [])
        #expect(set.rows(where: "split", is: "gallery").count == 2)

        let store = try CatalogStore(path: folder.catalogPath, mode: .create)
        let report = try store.importCatalog(from: set, inspect: TestPicture.inspect)
        #expect(report.imagesAdded == 8 && report.productsAdded == 3 && report.format == .inShop)
        let product = try #require(try store.products().first { $0.id == "id_00000002" })
        #expect(product.category == "Men/Jackets_Vests" && product.attributes["gender"] == "Men" && product.description == "Warm")
        #expect(product.attributes["trimmed_description"] == nil)
        let again = try store.importCatalog(from: set, inspect: TestPicture.inspect)
        #expect(again.imagesUnchanged == 8 && again.productsUnchanged == 3)

        try folder.picture("plain/coats/a.jpg")
        try folder.write("plain/coats/list_eval_partition.txt", "1\nimage_name evaluation_status\nimg/a.jpg train\n")
        #expect(try Dataset(contentsOf: URL(fileURLWithPath: folder.file("plain"))).format == .folder)
    }
}
