import Catalog
import Foundation
import Imaging
import TensorFiles
import Testing

extension CommandSuites {
    @Suite("From pictures to results")
    struct SearchFlowTests {
        /// The products of a search's results.
        private func products(_ document: [String: Any]) throws -> [String] {
            try #require(document["results"] as? [[String: Any]]).map {
                try #require(($0["product"] as? [String: Any])?["id"] as? String)
            }
        }

        @Test("a shop owner's way: a spreadsheet's CSV, photos with umlauts and one of a phone, from import to a filtered search")
        func spreadsheet() async throws {
            let place = try Workplace()
            try place.picture("Fotos/Röcke/Grüner Rock.png", 1)
            try place.picture("Fotos/Röcke/Weißer Rock.png", 2)
            try place.picture("Fotos/Kleid 3.png", 3)
            let heic = URL(filePath: #filePath).deletingLastPathComponent().appending(
                path: "../ImagingTests/Fixtures/formats/grid.heic")
            try FileManager.default.copyItem(atPath: heic.path, toPath: place("Fotos/IMG_0815.HEIC"))
            // As a spreadsheet in German saves it: a byte-order mark, semicolons, CRLF, commas in prices, quotes doubled.
            let lines = [
                "image;product_id;title;category;color;price;in_stock;Größe",
                "Röcke/Grüner Rock.png;R1;Grüner Rock;Röcke;grün;49,90;ja;38",
                #"Röcke/Weißer Rock.png;R2;"Weißer Rock ""Anna""; lang";Röcke;weiß;59,00;nein;40"#,
                "Kleid 3.png;K1;Sommerkleid;Kleider;rot;1.099,50;ja;36", "IMG_0815.HEIC;K2;Abendkleid;Kleider;blau;89,90;ja;42",
                "Fehlt.png;K3;Fehlt;Kleider;rot;10,00;ja;36",
            ]
            try place.write("Fotos/Katalog.csv", "\u{FEFF}" + lines.joined(separator: "\r\n") + "\r\n")
            let catalog = place("laden.db")
            let report = try await Command.run(
                "import", place("Fotos/Katalog.csv"), "--catalog", catalog, "--language", "de", "--json"
            ).good()
            #expect(report["images_added"] as? Int == 4 && report["images_missing"] as? Int == 1, "\(report)")
            let common = ["--catalog", catalog, "--model", ReducedModel.path]
            _ = try await Command.start(["embed", "--json"] + common).end().good()
            func search(_ arguments: String...) async throws -> [[String: Any]] {
                let found = try await Command.start(["search", "--json"] + arguments + common).end().good()
                return try #require(found["results"] as? [[String: Any]])
            }
            func ids(_ results: [[String: Any]]) -> [String] {
                results.compactMap { ($0["product"] as? [String: Any])?["id"] as? String }
            }
            // The phone's photo finds itself, through a filter that holds for it.
            #expect(ids(try await search(place("Fotos/IMG_0815.HEIC"), "-k", "1")) == ["K2"])
            let cheap = try await search(place("Fotos/Röcke/Weißer Rock.png"), "--filter", "price=50..100")
            #expect(Set(ids(cheap)) == ["R2", "K2"] && ids(cheap).first == "R2")
            let dear = try #require(try await search(place("Fotos/Kleid 3.png"), "--filter", "Größe=36").first)
            #expect((dear["product"] as? [String: Any])?["price"] as? Double == 1099.5)
            // Endings and umlauts as people type them.
            #expect(ids(try await search("--text", "weisse röcke", "--by", "words", "-k", "1")) == ["R2"])
            #expect(Set(ids(try await search("--text", "kleider", "--filter", "in_stock=true", "-k", "2"))) == ["K1", "K2"])
        }

        @Test("a folder of pictures is imported, embedded and searched by picture, text, filter and number")
        func folder() async throws {
            let place = try Workplace()
            let pictures = try place.boutique(24)
            let catalog = place("x.db")
            let imported = try await Command.run("import", pictures, "--catalog", catalog, "--json").good()
            #expect(imported["images_added"] as? Int == 24 && imported["products_added"] as? Int == 24)
            #expect((imported["problems"] as? [Any])?.isEmpty == true)
            let embedded = try await Command.run("embed", "--catalog", catalog, "--model", ReducedModel.path, "--json").good()
            #expect(embedded["embedded"] as? Int == 24 && embedded["changed"] as? Int == 0)
            let again = try await Command.run("embed", "--catalog", catalog, "--model", ReducedModel.path, "--json").good()
            #expect(again["embedded"] as? Int == 0)

            let place3 = place(Workplace.name(3))
            let common = ["--catalog", catalog, "--model", ReducedModel.path]
            func search(_ arguments: String...) async throws -> Outcome {
                try await Command.start(["search"] + arguments + common).end()
            }
            let found = try await search(place3, "--json").good()
            #expect(Set(found.keys) == ["model", "results", "close_match_score", "timing_ms", "truncated_text"])
            #expect(try (-1...1).contains(#require(found["close_match_score"] as? Double)))
            #expect(found["model"] as? String == "vit-quickgelu-f16")
            #expect(Set((found["timing_ms"] as? [String: Double] ?? [:]).keys) == ["encode", "search", "total"])
            #expect(try products(found).count == 10)
            #expect(try products(found).first == "shirts/003.png")
            let first = try #require((found["results"] as? [[String: Any]])?.first)
            #expect(Set(first.keys) == ["rank", "score", "product", "image"])
            #expect(first["rank"] as? Int == 1)
            #expect(try abs(#require(first["score"] as? Double) - 1) < 1e-4)
            #expect((first["image"] as? [String: Any])?["path"] as? String == place3)

            let dresses = try products(await search(place3, "--json", "--filter", "category=dresses", "-k", "7").good())
            #expect(dresses.count == 7 && dresses.allSatisfy { $0.hasPrefix("dresses/") })
            let worded = try await search("--text", "a red dress", "--json", "-k", "200").good()
            #expect(try products(worded).count == 24 && worded["close_match_score"] == nil)
            #expect(try products(await search(place3, "--json", "--min-score", "0.9999").good()).first == "shirts/003.png")
            #expect(try products(await search(place3, "--json", "--group-by", "image", "-k", "3").good()).count == 3)
            let plain = try await search(place3, "-k", "2")
            #expect(
                plain.code == 0 && plain.text.hasPrefix("1. 1.000  shirts/003.png") && plain.text.contains("\n2. "), "\(plain)")
            let all = try await search(place3, "-k", "24")
            #expect(all.text.components(separatedBy: "No close matches from here on").count == 2, "\(all)")
        }

        @Test(
            "the same pictures come in through JSON Lines, CSV and catalog.json",
            arguments: ["manifest.jsonl", "manifest.csv", "catalog.json"])
        func formats(name: String) async throws {
            let place = try Workplace()
            for number in 0..<6 { try place.picture("data/\(number).png", number) }
            switch name {
            case "manifest.jsonl":
                try place.write(
                    "data/\(name)",
                    (0..<6).map {
                        #"{"image": "\#($0).png", "product_id": "G\#($0)", "title": "Garment \#($0)", "price": \#($0)}"#
                    }
                    .joined(separator: "\n"))
            case "manifest.csv":
                try place.write(
                    "data/\(name)",
                    "product_id,image,title,price\n" + (0..<6).map { "G\($0),\($0).png,\"Garment \($0)\",\($0)\n" }.joined())
            default:
                let products = (0..<6).map {
                    #"{"id": "G\#($0)", "title": "Garment \#($0)", "price": \#($0), "images": [{"file": "\#($0).png", "view": "main"}]}"#
                }
                try place.write("data/\(name)", "[\(products.joined(separator: ",\n"))]")
            }
            // The folder and the file in it are the same source.
            let catalog = place("x.db")
            #expect(
                try await Command.run("import", place("data"), "--catalog", catalog, "--json").good()["images_added"] as? Int == 6
            )
            let again = try await Command.run("import", place("data/\(name)"), "--catalog", catalog, "--json").good()
            #expect(again["images_unchanged"] as? Int == 6 && again["products_unchanged"] as? Int == 6)
            _ = try await Command.run("embed", "--catalog", catalog, "--model", ReducedModel.resNet, "--json").good()
            let found = try await Command.run(
                "search", place("data/4.png"), "--catalog", catalog, "--model", ReducedModel.resNet, "--json", "--filter",
                "price=2..5"
            ).good()
            #expect(try products(found).first == "G4")
            #expect(try Set(products(found)) == ["G2", "G3", "G4", "G5"])
            let product = try #require((found["results"] as? [[String: Any]])?.first?["product"] as? [String: Any])
            #expect(product["title"] as? String == "Garment 4" && product["price"] as? Double == 4)
        }

        @Test("two shards together embed every picture once")
        func shards() async throws {
            let place = try Workplace()
            _ = try await Command.run("import", place.boutique(11), "--catalog", place("x.db"), "--json").good()
            var sum = 0
            for shard in ["0/2", "1/2"] {
                let report = try await Command.run(
                    "embed", "--catalog", place("x.db"), "--model", ReducedModel.path, "--shard", shard, "--json"
                ).good()
                sum += try #require(report["embedded"] as? Int)
            }
            #expect(sum == 11)
            #expect(try place.look("x.db") { try $0.counts().vectors.values.reduce(0, +) } == 11)
        }

        @Test("what a manifest was taken to mean is said where it is measured, as where it is imported")
        func remarks() async throws {
            let place = try Workplace()
            let data = try place.dataset(2)
            try FileManager.default.removeItem(atPath: data + "/manifest.jsonl")
            var table = Data("image;product_id;title;split\n".utf8)
            for garment in 0..<2 {
                for (view, split) in ["query", "gallery"].enumerated() {
                    table.append(Data("images/\(garment)-\(view).png;G\(garment);Kleid Gr".utf8))
                    table.append(Data([0xFC]) + Data("n;\(split)\n".utf8))
                }
            }
            try place.write("data/manifest.csv", table)
            for arguments in [
                ["evaluate", "--data", data, "--color-histogram"], ["import", data, "--catalog", place("x.db")],
            ] {
                let outcome = try await Command.start(arguments).end()
                #expect(outcome.code == 0, "\(outcome)")
                #expect(outcome.said.contains { $0.hasPrefix("note: ") && $0.contains("Windows-1252") }, "\(outcome)")
            }
        }

        @Test("evaluate gives the contract's figures, of one method or of several")
        func evaluate() async throws {
            let place = try Workplace()
            let data = try place.dataset(9)
            let report = try await Command.run("evaluate", "--data", data, "--model", ReducedModel.path, "--json").good()
            #expect(report["queries"] as? Int == 9 && report["gallery"] as? Int == 9)
            for key in ["recall_at", "precision_at"] {
                let figures = try #require(report[key] as? [String: Double], "\(report)")
                #expect(Set(figures.keys).isSuperset(of: ["1", "5", "10", "20"]))
                #expect(figures.values.allSatisfy { (0...1).contains($0) })
            }
            #expect(try (0...1).contains(#require(report["map"] as? Double)))
            #expect(report["ci95"] is [String: Any])
            let latency = try #require(report["latency_ms"] as? [String: [String: Double]])
            #expect(Set(latency.keys) == ["decode", "encode", "search", "total"])

            let file = place("features.safetensors")
            #expect(try await Command.run("features", "--data", data, "--model", ReducedModel.path, "--out", file).code == 0)
            let both = try await Command.run(
                "evaluate", "--data", data, "--model", ReducedModel.path, "--features", file, "--color-histogram",
                "--leave-one-out",
                "--json"
            ).good()
            let methods = try #require(both["methods"] as? [[String: Any]])
            #expect(methods.count == 3)
            let figures = methods.compactMap { ($0["report"] as? [String: Any])?["map"] as? Double }
            // The same model, directly and through a file.
            #expect(figures.count == 3 && abs(figures[0] - figures[1]) < 1e-9)
            #expect(methods.allSatisfy { ($0["report"] as? [String: Any])?["queries"] as? Int == 18 })

            let table = try await Command.run(
                "evaluate", "--data", data, "--color-histogram", "--query", "view=back", "--gallery", "view=front",
                "--relevant-by", "category")
            #expect(
                table.code == 0 && table.text.contains("| method | R@1 |") && table.text.contains("relevant by category"),
                "\(table)")
        }

        @Test(
            "pictures of phones and scanners are imported, embedded and asked with; --formats leaves them out",
            .enabled(
                if: ImageFormat.allCases.allSatisfy { $0.lack == nil }, "needs libheif and libtiff"))
        func furtherFormats() async throws {
            let place = try Workplace()
            let source = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../ImagingTests/Fixtures/formats")
            for name in ["grid.heic", "444.avif", "rgb-tiles.tif", "local.gif"] {
                try place.write("pictures/\(name)", Data(contentsOf: source.appending(path: name)))
            }
            try place.picture("pictures/plain.png", 3)
            let catalog = place("x.db")
            let some = try await Command.run(
                "import", place("pictures"), "--catalog", catalog, "--formats", "png,GIF", "--json"
            ).good()
            #expect(some["images_added"] as? Int == 2 && (some["problems"] as? [Any])?.count == 3, "\(some)")
            #expect("\(some)".contains("HEIC pictures are switched off here"))
            // What was left out is taken in by the next import that may read it.
            let all = try await Command.run("import", place("pictures"), "--catalog", catalog, "--json").good()
            #expect((all["problems"] as? [Any])?.isEmpty == true, "\(all)")
            let embedded = try await Command.run("embed", "--catalog", catalog, "--model", ReducedModel.path, "--json").good()
            #expect(embedded["embedded"] as? Int == 5)
            for name in ["grid.heic", "444.avif", "rgb-tiles.tif", "local.gif"] {
                let found = try await Command.run(
                    "search", place("pictures/\(name)"), "--catalog", catalog, "--model", ReducedModel.path, "--json"
                ).good()
                #expect(try products(found).first == name)
            }
            let off = try await Command.run(
                "search", place("pictures/grid.heic"), "--catalog", catalog, "--model", ReducedModel.path, "--formats", "jpeg")
            #expect(off.code == 65 && off.description.contains("switched off"), "\(off)")
            let wrong = try await Command.run("import", place("pictures"), "--catalog", catalog, "--formats", "jpeg,heif")
            #expect(wrong.code == 64 && wrong.description.contains("--formats has 'heif'"), "\(wrong)")
        }

        @Test("models are listed and inspected")
        func models() async throws {
            let list = try await Command.run("models", "list", "--json").good()
            let models = try #require(list["models"] as? [[String: Any]])
            #expect(models.allSatisfy { Set($0.keys).isSuperset(of: ["id", "architecture", "variant"]) })
            #expect(try await Command.run("models", "list").code == 0)
            let vit = try await Command.run("models", "inspect", ReducedModel.path, "--json").good()
            #expect(
                vit["id"] as? String == "vit-quickgelu-f16" && vit["embedding_size"] as? Int == 64
                    && vit["resolution"] as? Int == 40)
            #expect((vit["fingerprint"] as? String)?.count == 64)
            #expect((vit["preprocessing"] as? [String: Any])?["side"] as? Int == 40)
            #expect(try await Command.run("models", "inspect", ReducedModel.resNet).code == 0)
            // What training recorded is shown as the file has it.
            let recorded = try #require(
                try await Command.run("models", "inspect", "small-vit", "--json").good()["recorded"] as? [String: String])
            let validation = try #require(recorded["validation"])
            #expect(try JSONSerialization.jsonObject(with: Data(validation.utf8)) is [String: Any], "\(validation)")
        }

        @Test("a picture that can't be read is counted, named and passed over, and ends the import only when asked to")
        func badPictures() async throws {
            let place = try Workplace()
            let pictures = try place.boutique(4)
            try place.write("pictures/shirts/broken.png", Data([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0, 0]))
            try place.write("pictures/shirts/letter.jpg", "Dear customer,\n")
            let outcome = try await Command.run("import", pictures, "--catalog", place("x.db"), "--json")
            let report = try outcome.good()
            #expect(report["images_added"] as? Int == 4 && report["images_broken"] as? Int == 2)
            for name in ["broken.png", "letter.jpg"] {
                #expect(outcome.said.contains { $0.hasPrefix("warning: ") && $0.contains(name) })
            }
            let strict = try await Command.run("import", pictures, "--catalog", place("x.db"), "--strict", "--json")
            #expect(strict.code == 65 && strict.errors.count == 1, "\(strict)")
            #expect(try strict.json()["images_unchanged"] as? Int == 4)
        }

        @Test("bad rows are named with their line, and the good ones come in")
        func badRows() async throws {
            let place = try Workplace()
            for number in 0..<3 { try place.picture("data/\(number).png", number) }
            try place.write(
                "data/manifest.csv",
                "image,product_id,price\n0.png,A,10\n1.png,B,ten\n0.png,C,5\n2.png,D\ngone.png,E,5\n2.png,F,7\n")
            let outcome = try await Command.run("import", place("data"), "--catalog", place("x.db"), "--json")
            let report = try outcome.good()
            #expect(report["images_added"] as? Int == 2, "\(outcome)")
            let lines = try #require(report["problems"] as? [[String: Any]]).compactMap { $0["line"] as? Int }
            // A row may end before its last, empty fields: line 5 is a whole one, and line 7 gives its picture to another product.
            #expect(Set(lines) == [3, 4, 6, 7])
            let products = try place.look("x.db") { try $0.products().map(\.id) }
            #expect(products == ["A", "D"])

            try place.write(
                "twice/catalog.json",
                #"[{"id": "A", "images": [{"file": "../data/0.png"}]},"# + "\n"
                    + #"{"id": "A", "images": [{"file": "../data/1.png"}]}]"#)
            let twice = try await Command.run("import", place("twice"), "--catalog", place("y.db"), "--strict", "--json")
            #expect(
                twice.code == 65 && twice.said.contains { $0.contains("line 2") && $0.contains("already given in line 1") },
                "\(twice)")
        }

        @Test("studio photos are found by a back view", .enabled(if: RealPhotos.present, "needs ../shared/data"))
        func realPhotos() async throws {
            let place = try Workplace()
            let catalog = place("x.db")
            let studio = RealPhotos.folder + "/studio-catalog"
            let report = try await Command.run("import", studio, "--catalog", catalog, "--json").good()
            #expect(try #require(report["images_added"] as? Int) > 400)
            _ = try await Command.run("embed", "--catalog", catalog, "--model", ReducedModel.path, "--json").good()
            let back = try place.look("x.db") { try #require(try $0.images().first { $0.view == "back" }) }
            let found = try await Command.run("search", back.path, "--catalog", catalog, "--model", ReducedModel.path, "--json")
                .good()
            #expect(try products(found).count == 10 && products(found).first == back.productID)
            #expect(try Set(products(found)).count == 10)
        }
    }
}
