import Catalog
import Foundation
import Imaging
import Testing

extension CommandSuites {
    @Suite("Official files to datasets")
    struct PreparationTests {
        // MARK: In-shop

        /// Files of In-shop's kind, of drawn garments.
        private func inShop(_ place: Workplace, garments: Int = 12) async throws -> String {
            let root = place("official")
            let report = try await Command.run(
                "generate", root, "--layout", "inshop", "--garments", String(garments), "--width", "48", "--views", "3", "--json"
            ).good()
            #expect((report["val"] as? Int, report["stopped"] as? Bool) == (0, false))
            return root
        }

        private func rows(_ folder: String) throws -> [ManifestRow] {
            let set = try Dataset(contentsOf: URL(fileURLWithPath: folder))
            #expect(set.problems == [] && set.missingFiles() == [])
            return set.rows
        }

        /// Names, contents and times of all files below a folder.
        private func snapshot(_ folder: String) throws -> [String: String] {
            var files: [String: String] = [:]
            for name in try FileManager.default.subpathsOfDirectory(atPath: folder) {
                let path = folder + "/" + name
                let attributes = try FileManager.default.attributesOfItem(atPath: path)
                guard attributes[.type] as? FileAttributeType == .typeRegular else { continue }
                let content = ContentHash(of: try Data(contentsOf: URL(fileURLWithPath: path))).hex
                files[name] =
                    "\(content) \(attributes[.modificationDate] as? Date ?? .distantPast) \(attributes[.posixPermissions] ?? 0)"
            }
            return files
        }

        @Test("drawn files of In-shop's kind become a dataset that is measured, trained on and imported; the source is only read")
        func endToEnd() async throws {
            let place = try Workplace()
            let root = try await inShop(place)
            let before = try snapshot(root)
            let report = try await Command.run("prepare-inshop", root, "--out", place("set"), "--json").good()
            #expect(try snapshot(root) == before)
            #expect((report["problems"] as? [Any])?.count == 0)
            let splits = try #require(report["splits"] as? [String: [String: Int]])
            #expect(Set(splits.keys) == ["train", "val", "query", "gallery"])
            #expect(splits["query"]?["products"] == 6 && splits["gallery"]?["products"] == 6)
            #expect(splits["train"]?["products"] == 5 && splits["val"]?["products"] == 1)
            let deviations = try #require(report["deviations"] as? [[String: Any]])
            #expect(
                deviations.contains {
                    $0["what"] as? String == "items" && $0["published"] as? Int == 7982 && $0["found"] as? Int == 12
                })

            let rows = try rows(place("set"))
            #expect(rows.count == report["pictures"] as? Int && rows.allSatisfy { $0["box"] != nil && $0["caption"] != nil })
            for row in rows {
                let gender = try #require(row["gender"])
                #expect(["Women", "Men"].contains(gender) && row.image.hasPrefix(root + "/Img/img/\(gender.uppercased())/"))
                let color = try #require(row["color"])
                #expect(row["caption"] == "A clothing item in \(color). \(row["description"] ?? "")")
            }
            let train = Set(rows.filter { $0["split"] == "train" }.map(\.productID))
            #expect(train.isDisjoint(with: rows.filter { $0["split"] != "train" }.map(\.productID)))

            let measured = try await Command.run(
                "evaluate", "--data", place("set"), "--color-histogram", "--split", "test", "--json"
            ).good()
            #expect(
                measured["queries"] as? Int == splits["query"]?["pictures"]
                    && measured["gallery"] as? Int == splits["gallery"]?["pictures"])
            #expect(try #require(measured["map"] as? Double) > 0)
            let validated = try await Command.run(
                "evaluate", "--data", place("set"), "--color-histogram", "--split", "val", "--json"
            ).good()
            #expect(validated["queries"] as? Int == splits["val"]?["pictures"])

            // The root itself is imported, and measured, without preparing.
            let imported = try await Command.run("import", root, "--catalog", place("x.db"), "--json").good()
            #expect(imported["images_added"] as? Int == rows.count && imported["products_added"] as? Int == 12)
            #expect(imported["format"] as? String == "In-shop")
            let direct = try await Command.run("evaluate", "--data", root, "--color-histogram", "--json").good()
            #expect(direct["map"] as? Double == measured["map"] as? Double)
        }

        @Test(
            "the paper's layout holds each picture under its split, follows another cut, and goes when it is not wanted any more")
        func paperLayout() async throws {
            let place = try Workplace()
            let root = try await inShop(place)
            let out = place("set")
            func pictures() throws -> Set<String> {
                Set(try FileManager.default.subpathsOfDirectory(atPath: out).filter { $0.hasSuffix(".jpg") })
            }
            func expected() throws -> Set<String> {
                Set(try rows(out).map { "\($0["split"] ?? "")/\($0.image.dropFirst((root + "/Img/").count))" })
            }
            let first = try await Command.run("prepare-inshop", root, "--out", out, "--layout", "paper", "--json").good()
            let count = try #require(first["pictures"] as? Int)
            #expect((first["layout"] as? [String: Int])?["kept"] == 0)
            #expect(try pictures() == expected())
            for file in ["image_paths.json", "image_texts.json"] {
                let object =
                    try JSONSerialization.jsonObject(with: Data(contentsOf: URL(fileURLWithPath: "\(out)/\(file)")))
                    as? [String: Any]
                #expect(object?.count == count, "\(file)")
            }
            let before = try snapshot(out)
            let second = try await Command.run("prepare-inshop", root, "--out", out, "--layout", "paper", "--json").good()
            #expect((second["layout"] as? [String: Int]) == ["linked": 0, "copied": 0, "kept": count])
            #expect(try snapshot(out) == before)

            let images = try await Command.run(
                "prepare-inshop", root, "--out", out, "--layout", "paper", "--val", "images", "--json"
            ).good()
            #expect(try pictures() == expected())
            let splits = try #require(images["splits"] as? [String: [String: Int]])
            let (train, val) = (splits["train"]?["pictures"] ?? 0, splits["val"]?["pictures"] ?? 0)
            #expect(val == Int((Double(train + val) * 0.2).rounded()) && splits["train"]?["products"] == 6)

            _ = try await Command.run("prepare-inshop", root, "--out", out, "--json").good()
            #expect(
                try Set(FileManager.default.contentsOfDirectory(atPath: out)) == [
                    "prepared.json", "prepared-files.txt", "manifest.jsonl",
                ])
        }

        @Test("a broken picture is told and left out, and its item's last picture is used for nothing; --strict ends with 65")
        func broken() async throws {
            let place = try Workplace()
            let root = place("root")
            var table = "", boxes = ""
            for (item, status) in [(1, "train"), (2, "train"), (3, "query"), (3, "gallery"), (4, "train"), (5, "train")] {
                for view in status == "train" ? [1, 2] : [status == "query" ? 1 : 2] {
                    let name = "img/MEN/Denim/id_\(item)/01_\(view)_\(view == 1 ? "front" : "side").jpg"
                    try place.picture("root/Img/\(name)", item * 2 + view)
                    table += "\(name) id_\(item) \(status)\n"
                    boxes += "\(name) 2 1 0 0 256 256\n"
                }
            }
            try place.write("root/Eval/list_eval_partition.txt", "10\nimage_name item_id evaluation_status\n\(table)")
            try place.write("root/Anno/list_bbox_inshop.txt", "10\nimage_name clothes_type pose_type x_1 y_1 x_2 y_2\n\(boxes)")
            try place.write("root/Img/img/MEN/Denim/id_1/01_2_side.jpg", "no picture")
            let outcome = try await Command.run("prepare-inshop", root, "--out", place("set"), "--json")
            let report = try outcome.good()
            #expect(report["without_split"] as? [String: Int] == ["pictures": 1, "products": 1])
            let problems = try #require(report["problems"] as? [[String: Any]])
            #expect(problems.count == 1 && problems[0]["line"] as? Int == 4)
            #expect((problems[0]["message"] as? String)?.contains("01_2_side.jpg can't be read") == true)
            let rows = try rows(place("set"))
            #expect(rows.count == 9 && rows.filter { $0["split"] == nil }.map(\.productID) == ["id_1"])
            // 44 × 52 pixels fill the frame's height; of its width they take 256 · 44 / 52.
            #expect(rows.allSatisfy { $0["box"] == "0,0,44,52" })
            let strict = try await Command.run("prepare-inshop", root, "--out", place("set"), "--strict")
            #expect(strict.code == 65 && strict.errors.count == 1, "\(strict)")
            let plain = try await Command.run("prepare-inshop", root, "--out", place("set"))
            #expect(
                plain.code == 0 && plain.text.contains("used for nothing: 1 products")
                    && plain.text.contains("query: 1 pictures of 1 products"), "\(plain)")
        }

        // MARK: Crops

        /// Four colours in the quarters of a picture: red, green, blue, grey.
        private func quarters(_ place: Workplace, _ name: String, width: Int = 80, height: Int = 60) throws {
            var pixels: [UInt8] = []
            for y in 0..<height {
                for x in 0..<width {
                    pixels +=
                        y < height / 2
                        ? (x < width / 2 ? [200, 0, 0] : [0, 200, 0]) : (x < width / 2 ? [0, 0, 200] : [128, 128, 128])
                }
            }
            try place.write(name, Data(ImageEncoder.png(RGBImage(width: width, height: height, pixels: pixels))))
        }

        private func isColor(_ image: RGBImage, _ red: Int, _ green: Int, _ blue: Int) -> Bool {
            stride(from: 0, to: image.pixels.count, by: 3).allSatisfy { at in
                zip(image.pixels[at..<(at + 3)], [red, green, blue]).allSatisfy { abs(Int($0) - $1) < 12 }
            }
        }

        @Test(
            "consumers' photos become crops of their boxes; one with a box outside is taken whole; the second run keeps the crops"
        )
        func street2shop() async throws {
            let place = try Workplace()
            var pairs: [String] = [], boxes: [String] = []
            for (item, status) in [(1, "train"), (2, "train"), (3, "test"), (4, "val")] {
                let folder = "img/TOPS/T_Shirt/id_\(item)"
                for file in ["comsumer_01.jpg", "shop_01.jpg"] { try quarters(place, "root/Img/\(folder)/\(file)") }
                pairs.append("\(folder)/comsumer_01.jpg \(folder)/shop_01.jpg id_\(item) \(status)")
                boxes += [
                    "\(folder)/comsumer_01.jpg 1 2 \(item == 2 ? "90 0 99 9" : "40 0 80 30")",
                    "\(folder)/shop_01.jpg 1 1 0 0 80 60",
                ]
            }
            try place.write(
                "root/Eval/list_eval_partition.txt",
                "4\nimage_pair_name_1 image_pair_name_2 item_id evaluation_status\n" + pairs.joined(separator: "\n"))
            try place.write(
                "root/Anno/list_bbox_consumer2shop.txt",
                "8\nimage_name clothes_type source_type x_1 y_1 x_2 y_2\n" + boxes.joined(separator: "\n"))
            let before = try snapshot(place("root"))
            let arguments = ["prepare-street2shop", place("root"), "--out", place("set"), "--json"]
            let report = try await Command.start(arguments).end().good()
            #expect(try snapshot(place("root")) == before)
            #expect(report["crops"] as? [String: Int] == ["written": 3, "kept": 0] && report["whole_pictures"] as? Int == 1)
            let problems = try #require(report["problems"] as? [[String: Any]])
            #expect(
                problems.count == 1
                    && (problems[0]["message"] as? String)?.contains("id_2/comsumer_01.jpg is taken whole") == true)
            let rows = try rows(place("set"))
            #expect(rows.map { $0["split"] } == ["train", "train", "train", "train", "query", "gallery", "val", "val"])
            let query = try #require(rows.first { $0["split"] == "query" })
            #expect(query.image == "crops/TOPS/T_Shirt/id_3/comsumer_01-40_0_80_30.jpg" && query["source"] == "consumer")
            let crop = try ImageDecoder.decode(contentsOfFile: query.path)
            #expect((crop.width, crop.height) == (40, 30) && isColor(crop, 0, 200, 0))
            #expect(rows[2].path == place("root/Img/img/TOPS/T_Shirt/id_2/comsumer_01.jpg"))

            let again = try await Command.start(arguments).end().good()
            #expect(again["crops"] as? [String: Int] == ["written": 0, "kept": 3])
            // Validation that is cut anew takes the official one in first.
            let cut = try await Command.start(arguments + ["--val", "identities", "--val-share", "0.34"]).end().good()
            #expect((cut["splits"] as? [String: [String: Int]])?["val"]?["products"] == 1)
            #expect((cut["splits"] as? [String: [String: Int]])?["train"]?["products"] == 2)
            let measured = try await Command.run("evaluate", "--data", place("set"), "--color-histogram", "--json").good()
            #expect(measured["queries"] as? Int == 1)

            // Another box is another crop, and the old one goes.
            try place.write(
                "root/Anno/list_bbox_consumer2shop.txt",
                "8\nimage_name clothes_type source_type x_1 y_1 x_2 y_2\n"
                    + boxes.joined(separator: "\n").replacing("40 0 80 30", with: "0 30 40 60"))
            let moved = try await Command.start(arguments).end().good()
            #expect(moved["crops"] as? [String: Int] == ["written": 3, "kept": 0])
            let crops = try FileManager.default.subpathsOfDirectory(atPath: place("set/crops")).filter { $0.hasSuffix(".jpg") }
            #expect(crops.count == 3 && crops.allSatisfy { $0.hasSuffix("-0_30_40_60.jpg") })
            let blue = try ImageDecoder.decode(contentsOfFile: place("set/crops/TOPS/T_Shirt/id_3/comsumer_01-0_30_40_60.jpg"))
            #expect(isColor(blue, 0, 0, 200))
        }

        @Test("every garment of a photo of DeepFashion2 becomes a crop, by pair and style")
        func deepFashion2() async throws {
            let place = try Workplace()
            func photo(_ part: String, _ number: Int, _ source: String, _ pair: Int, _ garments: [(style: Int, box: [Int])])
                throws
            {
                try quarters(place, "root/\(part)/image/\(number).jpg")
                let items = garments.enumerated().map {
                    "\"item\($0 + 1)\": {\"style\": \($1.style), \"bounding_box\": \($1.box), \"category_name\": \"skirt\", \"category_id\": 9}"
                }
                try place.write(
                    "root/\(part)/annos/\(number).json",
                    "{\"source\": \"\(source)\", \"pair_id\": \(pair), \(items.joined(separator: ", "))}")
            }
            for pair in 1...4 {
                try photo("train", 2 * pair, "user", pair, [(1, [0, 0, 40, 30])])
                try photo("train", 2 * pair + 1, "shop", pair, [(1, [40, 0, 80, 30]), (0, [0, 0, 9, 9])])
            }
            try photo("validation", 1, "user", 9, [(1, [0, 0, 40, 30]), (2, [40, 30, 200, 100])])
            try photo("validation", 2, "shop", 9, [(1, [0, 30, 40, 60]), (2, [0, 100, 9, 109]), (0, [40, 0, 80, 30])])
            let report = try await Command.run("prepare-deepfashion2", place("root"), "--out", place("set"), "--json").good()
            #expect(report["crops"] as? [String: Int] == ["written": 12, "kept": 0] && report["without_style"] as? Int == 4)
            let problems = try #require(report["problems"] as? [[String: Any]])
            #expect(
                problems.count == 1
                    && (problems[0]["message"] as? String)?.contains("its box 0,100,9,109 lies outside of its 80 × 60 pixels")
                        == true
            )
            #expect((problems[0]["source"] as? String)?.hasSuffix("/validation/image/2.jpg") == true)
            let rows = try rows(place("set"))
            #expect(rows.count == 12)
            let splits = Dictionary(grouping: rows, by: { $0["split"] ?? "" }).mapValues(\.count)
            #expect(splits == ["train": 6, "val": 2, "query": 2, "gallery": 2])
            let green = try #require(rows.first { $0["split"] == "train" && $0["source"] == "shop" })
            #expect(try isColor(ImageDecoder.decode(contentsOfFile: green.path), 0, 200, 0))
            // Cut off at the edge of its picture.
            let grey = try #require(rows.first { $0.productID == "validation-9-2" })
            let crop = try ImageDecoder.decode(contentsOfFile: grey.path)
            #expect((crop.width, crop.height) == (40, 30) && isColor(crop, 128, 128, 128))
        }

        @Test("Ctrl-C and kill -9 while crops are written leave no manifest, and the same command goes on")
        func interrupted() async throws {
            let place = try Workplace()
            for number in 0..<3 { try place.picture("root/validation/image/\(number).jpg", number, width: 1400, height: 1400) }
            for number in 0..<240 {
                if number > 2 {
                    try FileManager.default.linkItem(
                        atPath: place("root/validation/image/\(number % 3).jpg"),
                        toPath: place("root/validation/image/\(number).jpg"))
                }
                try place.write(
                    "root/validation/annos/\(number).json",
                    "{\"source\": \"\(number % 2 == 0 ? "user" : "shop")\", \"pair_id\": \(number / 2), "
                        + "\"item1\": {\"style\": 1, \"bounding_box\": [0, 0, 700, 700], \"category_name\": \"skirt\"}}")
            }
            let arguments = ["prepare-deepfashion2", place("root"), "--out", place("set"), "--json"]
            func crops() -> Int {
                (try? FileManager.default.subpathsOfDirectory(atPath: place("set/crops")))?.count { $0.hasSuffix(".jpg") } ?? 0
            }
            for (signal, code) in [(SIGKILL, -SIGKILL), (SIGINT, 130)] {
                let begun = crops()
                let command = try Command.start(arguments)
                if try await command.reaches({ crops() > begun }) { command.send(signal) }
                let outcome = await command.end()
                guard outcome.code != 0 else { continue }  // A machine under load woke this test too late.
                #expect(outcome.code == code, "\(outcome)")
                #expect(!FileManager.default.fileExists(atPath: place("set/manifest.jsonl")))
                try FileManager.default.contentsOfDirectory(atPath: place("set")).forEach {
                    #expect(["crops", "prepared.json", "prepared-files.txt"].contains($0))
                }
            }
            let kept = crops()
            let report = try await Command.start(arguments).end().good()
            #expect(report["crops"] as? [String: Int] == ["written": 240 - kept, "kept": kept])
            #expect(try rows(place("set")).count == 240)
        }

        // MARK: Refusals

        private static let refusals: [Refusal] = [
            .init("a root that is not there", 66, "nowhere") { ["prepare-inshop", $0("nowhere"), "--out", $0("out")] },
            .init("a root without In-shop's files", 66, "InShopRetrieval.html") {
                ["prepare-inshop", try $0.boutique(2), "--out", $0("out")]
            },
            .init("a root without Consumer-to-shop's files", 66, "Consumer2ShopRetrieval.html") {
                ["prepare-street2shop", try $0.boutique(2), "--out", $0("out")]
            },
            .init("a root without DeepFashion2's files", 66, "github.com/switchablenorms/DeepFashion2") {
                ["prepare-deepfashion2", try $0.boutique(2), "--out", $0("out")]
            },
            .init("pictures that are not unpacked", 66, "img.zip beside itself") {
                try $0.write("root/list_eval_partition.txt", "1\nimage_name item_id evaluation_status\nimg/a.jpg id_1 train\n")
                try $0.write("root/img.zip", "PK")
                return ["prepare-inshop", $0("root"), "--out", $0("out")]
            },
            .init("pictures that are none", 65, "no row that can be used") {
                try $0.write("root/list_eval_partition.txt", "1\nimage_name item_id evaluation_status\nimg/a.jpg id_1 train\n")
                try $0.write("root/img/a.jpg", "no picture")
                return ["prepare-inshop", $0("root"), "--out", $0("out")]
            },
            .init("a folder that holds something else", 64, "holds other files; give a new or empty folder") {
                ["prepare-inshop", $0("nowhere"), "--out", try $0.boutique(1)]
            },
            .init("a folder of another command", 64, "what another command prepared") {
                try $0.write("out/prepared.json", "{\"by\": \"prepare-deepfashion2\"}")
                return ["prepare-inshop", $0("nowhere"), "--out", $0("out")]
            },
            .init("a file as the folder", 64, "holds a file") {
                ["prepare-inshop", $0("nowhere"), "--out", try $0.write("out", "text")]
            },
            .init("a cut that is none", 64, "--val is pictures, expected one of identities, images") { _ in
                ["prepare-inshop", "root", "--out", "out", "--val", "pictures"]
            },
            .init("a share above all", 64, "--val-share is 1.0") { _ in
                ["prepare-inshop", "root", "--out", "out", "--val-share", "1"]
            },
            .init("no folder to write to", 64, "--out") { _ in ["prepare-inshop", "root"] },
            .init("a layout of one command at another", 64, "--layout") { _ in
                ["prepare-street2shop", "root", "--out", "out", "--layout", "paper"]
            },
            .init("an address as the root", 64, "addresses are not fetched") {
                ["prepare-inshop", "https://a.example/x", "--out", $0("out")]
            },
            .init("In-shop's layout without training garments", 64, "leave out --test-only") { _ in
                ["generate", "g", "--layout", "inshop", "--test-only"]
            },
        ]

        @Test("what can't be prepared is refused in one sentence, and nothing is left behind", arguments: refusals)
        func refused(refusal: Refusal) async throws {
            let place = try Workplace()
            let arguments = try refusal.arguments(place)
            let outcome = try await Command.start(arguments + ["--json"]).end()
            #expect(outcome.code == refusal.code, "\(outcome)")
            #expect(outcome.errors.count == 1 && outcome.errors[0].contains(refusal.fragment), "\(outcome)")
            #expect(outcome.output.isEmpty && !FileManager.default.fileExists(atPath: place("out/manifest.jsonl")))
        }
    }
}
