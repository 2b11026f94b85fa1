import Foundation
import Imaging
import TensorFiles
import Testing

extension CommandSuites {
    @Suite("Measuring")
    struct EvaluationFlowTests {
        /// Garments with two views each, colours and captions.
        private func garments(_ place: Workplace, _ count: Int = 8) throws -> String {
            var manifest = ""
            for garment in 0..<count {
                for view in 0..<3 {
                    try place.picture("data/\(garment)-\(view).png", garment, width: 44 + 4 * view, height: 52)
                    let color = view == 2 ? "blue" : "red"
                    let kind = garment % 2 == 0 ? "dress" : "shirt"
                    manifest += """
                        {"image": "\(garment)-\(view).png", "product_id": "G\(garment)", "title": "Garment <b>\(garment)</b>", "view": "\
                        \(view == 0 ? "front" : "back")", "split": "\(view == 0 ? "query" : "gallery")", "category": "\(kind)", "color": "\
                        \(color)", "caption": "a \(color) \(kind)"}\n
                        """
                }
            }
            try place.write("data/manifest.jsonl", manifest)
            return place("data")
        }

        @Test("evaluate tells slices, skew, both directions of texts, definitions and what it ran on, beside the contract's keys")
        func whole() async throws {
            let place = try Workplace()
            let data = try garments(place)
            let report = try await Command.run("evaluate", "--data", data, "--model", ReducedModel.path, "--json").good()
            #expect(report["queries"] as? Int == 8 && report["gallery"] as? Int == 16)
            let slices = try #require(report["slices"] as? [[String: Any]])
            #expect(slices.map { $0["slice"] as? String } == ["category", "color", "view-pair", "same-color", "positives"])
            let skew = try #require(report["skew"] as? [String: Any])
            #expect(skew["at"] as? Int == 10)
            let attributes = try #require(skew["attributes"] as? [[String: Any]])
            #expect(attributes.map { $0["attribute"] as? String } == ["category", "color"])
            for key in ["text_to_image", "image_to_text"] {
                let direction = try #require(report[key] as? [String: Any])
                #expect(direction["recall_at"] is [String: Double], "\(key)")
            }
            // The query rows, all red, have two different captions; the gallery's have four.
            #expect((report["text_to_image"] as? [String: Any])?["queries"] as? Int == 2)
            #expect((report["image_to_text"] as? [String: Any])?["gallery"] as? Int == 4)
            #expect(report["text_relevant_by"] as? String == "product_id")
            let hardware = try #require(report["hardware"] as? [String: Any])
            #expect(hardware["device"] as? String == "cpu" && !((hardware["processor"] as? String) ?? "").isEmpty)
            let definitions = try #require(report["definitions"] as? [String: String])
            #expect(definitions["map"] != nil && definitions["ndkl"] == nil && definitions["skew"]?.contains("Geyik") == true)
            #expect(report["level"] as? String == "image" && report["unreadable"] as? Int == 0)

            let table = try await Command.run(
                "evaluate", "--data", data, "--model", ReducedModel.path, "--caption", "a photo of a {color} {category}",
                "--text-relevant-by", "product_id", "--slice", "view-pair", "--skew", "color")
            #expect(table.code == 0, "\(table)")
            for part in ["front → back", "text→image", "image→text", "NDKL", "equal captions and equal product_id are relevant"] {
                #expect(table.text.contains(part), "\(part) in \(table)")
            }
            // Captions that no row of the gallery has, where equal ones alone count.
            let apart = try await Command.run(
                "evaluate", "--data", data, "--model", ReducedModel.path, "--caption", "{view} {product_id}",
                "--text-relevant-by",
                "caption", "--json")
            #expect(try apart.good()["text_to_image"] == nil)
            #expect(apart.said.contains { $0.contains("--text-relevant-by") }, "\(apart)")
            let images = try await Command.run(
                "evaluate", "--data", data, "--model", ReducedModel.path, "--images-only", "--slice", "none", "--skew", "none",
                "--json"
            ).good()
            for key in ["text_to_image", "slices", "skew"] { #expect(images[key] == nil) }
        }

        @Test("at the level of products, products are ranked")
        func levels() async throws {
            let place = try Workplace()
            let data = try garments(place)
            for level in ["product-best", "product-centroid"] {
                let report = try await Command.run(
                    "evaluate", "--data", data, "--color-histogram", "--level", level, "--json"
                ).good()
                #expect(report["gallery"] as? Int == 8 && report["level"] as? String == level)
                let table = try await Command.run("evaluate", "--data", data, "--color-histogram", "--level", level)
                #expect(table.text.contains("8 products in the gallery"), "\(table)")
            }
        }

        @Test("a picture that can't be read is left out of every method, named with its line, or ends the command with --strict")
        func broken() async throws {
            let place = try Workplace()
            let data = try garments(place)
            try place.write("data/3-0.png", "no picture")
            let outcome = try await Command.run(
                "evaluate", "--data", data, "--model", ReducedModel.path, "--color-histogram", "--json")
            let report = try outcome.good()
            #expect(report["unreadable"] as? Int == 1)
            let methods = try #require(report["methods"] as? [[String: Any]])
            #expect(methods.allSatisfy { ($0["report"] as? [String: Any])?["queries"] as? Int == 7 })
            #expect(outcome.said.contains { $0.contains("manifest.jsonl, line 10: ") && $0.contains("3-0.png") }, "\(outcome)")
            let strict = try await Command.run("evaluate", "--data", data, "--color-histogram", "--strict")
            #expect(strict.code == 65 && strict.errors.count == 1 && strict.errors[0].contains("--strict"), "\(strict)")
            for garment in 0..<8 { for view in 0..<3 { try place.write("data/\(garment)-\(view).png", "no picture") } }
            let none = try await Command.run("evaluate", "--data", data, "--color-histogram")
            #expect(none.code == 65 && none.errors.first?.contains("None of the 24 pictures") == true, "\(none)")
        }

        @Test("a report is a page and a PNG for each of its figures, of any number of methods")
        func report() async throws {
            let place = try Workplace()
            let data = try garments(place)
            // As a run leaves it.
            let run = try place.makeFolder("run")
            try FileManager.default.copyItem(atPath: ReducedModel.path, toPath: run + "/best")
            try place.write(
                "run/metrics.jsonl",
                "{\"step\": 1, \"loss\": 2, \"rate\": 0.1}\n{\"step\": 2, \"loss\": 1, \"rate\": 0.2}\n{\"epoch\": 1, \"step\": 2, \"best\": true, \"val_score\": 0.5}\n"
            )
            let outcome = try await Command.run(
                "evaluate", "--data", data, "--model", run, "--color-histogram", "--report", place("out"))
            try #require(outcome.code == 0, "\(outcome)")
            let names = Set(try FileManager.default.contentsOfDirectory(atPath: place("out")))
            #expect(
                names.isSuperset(of: [
                    "index.html", "results.png", "differences.png", "latency.png", "queries.png", "worst-queries.png",
                    "text-queries.png",
                    "slice-category.png", "table-slice-category.png", "skew-color.png", "training-1.png",
                ]), "\(names.sorted())")
            for name in names where name.hasSuffix(".png") {
                let image = try ImageDecoder.decode(contentsOfFile: place("out/\(name)"))
                #expect(image.width > 100 && image.height > 60, "\(name)")
            }
            let page = try String(contentsOfFile: place("out/index.html"), encoding: .utf8)
            #expect(page.contains("best: epoch 1") && page.contains("Garment &lt;b&gt;") && !page.contains("<b>0</b>"))
            #expect(page.contains(">run<") && page.contains("colour histogram"))
            // A file in the way is named, and nothing is lost.
            try place.write("file", "x")
            let refused = try await Command.run("evaluate", "--data", data, "--color-histogram", "--report", place("file"))
            #expect(refused.code == 74 && refused.errors.first?.contains(place("file")) == true, "\(refused)")
        }

        @Test("vectors that have collapsed are told")
        func collapsed() async throws {
            let place = try Workplace()
            let data = try place.dataset(4)
            let names = (0..<4).flatMap { ["images/\($0)-0.png", "images/\($0)-1.png"] }
            let floats = names.indices.flatMap { row in (0..<8).map { $0 == 0 ? Float(1) : $0 == row % 8 ? 0.001 : 0 } }
            let file = try place.vectors("same.safetensors", names, floats)
            let outcome = try await Command.run(
                "evaluate", "--data", data, "--features", file, "--report", place("out"), "--json")
            #expect(try #require(outcome.good()["mean_cosine"] as? Double) > 0.999)
            #expect(outcome.said.contains { $0.contains("have collapsed") }, "\(outcome)")
            let page = try String(contentsOfFile: place("out/index.html"), encoding: .utf8)
            #expect(page.contains("have collapsed"))
        }

        @Test("compare measures two methods on the same rows and says plainly whether they differ beyond chance")
        func compare() async throws {
            let place = try Workplace()
            let data = try place.dataset(40)
            let names = (0..<40).flatMap { ["images/\($0)-0.png", "images/\($0)-1.png"] }
            /// Vectors whose queries point to their product, but for the first `wrong` ones.
            func file(_ name: String, wrong: Int) throws -> String {
                let floats = (0..<40).flatMap { garment -> [Float] in
                    func axis(_ number: Int) -> [Float] { (0..<40).map { $0 == number ? 1 : 0 } }
                    return axis(garment < wrong ? (garment + 1) % 40 : garment) + axis(garment)
                }
                return try place.vectors(name, names, floats)
            }
            let (good, bad, same) = (
                try file("good.safetensors", wrong: 2), try file("bad.safetensors", wrong: 22),
                try file("same.safetensors", wrong: 3)
            )
            let report = try await Command.run("compare", "--data", data, "--features", bad, "--features", good, "--json").good()
            let differences = try #require(report["differences"] as? [String: [String: Any]])
            #expect(Set(differences.keys) == ["recall_at_1", "recall_at_5", "recall_at_10", "map"])
            let recall = try #require(differences["recall_at_1"])
            #expect(recall["value"] as? Double == 0.5 && recall["beyond_chance"] as? Bool == true)
            #expect(recall["share_of_other_sign"] as? Double == 0)
            let interval = try #require(recall["ci95"] as? [Double])
            #expect(interval[0] > 0.3 && interval[1] < 0.7)
            let found = try #require((report["found_at"] as? [String: [String: Int]])?["1"])
            #expect(found == ["both": 18, "only_a": 0, "only_b": 20, "neither": 2])
            let examples = try #require((report["examples"] as? [String: [[String: Any]]])?["only_b"])
            #expect(examples.count == 5 && examples.allSatisfy { $0["place_b"] as? Int == 1 && ($0["place_a"] as? Int ?? 0) > 1 })
            #expect(
                (report["verdict"] as? String)?.contains("good is better beyond chance in R@1") == true,
                "\(report["verdict"] ?? "")")
            #expect((report["a"] as? [String: Any])?["method"] as? String == "bad")

            let table = try await Command.run("compare", "--data", data, "--features", same, "--features", good)
            #expect(table.code == 0 && table.text.contains("No difference beyond chance"), "\(table)")
            #expect(table.text.contains("Among the first 1: both find 37, only A 0, only B 1, neither 2."), "\(table)")
            let mixed = try await Command.run(
                "compare", ReducedModel.path, "--data", data, "--color-histogram", "--leave-one-out")
            #expect(mixed.code == 0 && mixed.text.contains("A: vit-quickgelu-f16, B: colour histogram"), "\(mixed)")
        }
    }
}
