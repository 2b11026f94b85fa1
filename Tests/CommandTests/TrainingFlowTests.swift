import Foundation
import TensorFiles
import Testing

extension CommandSuites {
    @Suite("Training, comparing, passing on")
    struct TrainingFlowTests {
        /// Drawn garments in In-shop's files, prepared as a dataset.
        private func garments(_ place: Workplace, _ count: Int) async throws -> String {
            _ = try await Command.run(
                "generate", place("official"), "--layout", "inshop", "--garments", String(count), "--width", "48", "--views", "3",
                "--json"
            ).good()
            _ = try await Command.run("prepare-inshop", place("official"), "--out", place("set"), "--json").good()
            return place("set")
        }

        @Test(
            "reproduce runs the paper's stages and variants and measures them in one report; the same call again trains nothing",
            arguments: [("vit", ReducedModel.path), ("rn50", ReducedModel.resNet)])
        func reproduce(backbone: String, start: String) async throws {
            let place = try Workplace()
            let arguments = [
                "reproduce", "--data", try await garments(place, 24), "--backbone", backbone, "--start", start, "--epochs", "1",
                "--rate-factor", "10", "--out", place("runs"), "--json",
            ]
            let first = try await Command.start(arguments).end()
            let document = try first.good()
            let names = [
                "baseline", "paper-stage2-supcon", "paper-stage2-triplet", "paper-stage2-ce", "stage2", "stage3-v1", "stage3-v2",
                "stage3-v3", "stage3-v4", "prompts", "margin",
            ]
            let variants = try #require(document["variants"] as? [[String: Any]])
            #expect(variants.compactMap { $0["variant"] as? String } == names && document["backbone"] as? String == backbone)
            for variant in variants {
                let report = try #require(variant["report"] as? [String: Any])
                let value = try #require(report["map"] as? Double)
                #expect((0...1).contains(value) && report["ci95"] != nil && report["text_to_image"] != nil)
            }
            let verdicts = try #require(document["verdicts"] as? [[String: Any]])
            #expect(verdicts.compactMap { $0["variant"] as? String } == Array(names.dropFirst()))
            #expect(verdicts.allSatisfy { ($0["sentence"] as? String)?.contains("R@1") == true })
            // v3 goes on from v2, and prompts from the tokens that were learned before.
            for (variant, from) in [("stage3-v3", "stage3-v2"), ("prompts", "prompts-tokens")] {
                let recipe = try #require(
                    try JSONSerialization.jsonObject(
                        with: Data(contentsOf: URL(fileURLWithPath: place("runs/\(variant)/recipe.json"))))
                        as? [String: Any])
                #expect("\(recipe["model"] ?? "")".contains("/\(from)/best"))
            }
            let page = try String(contentsOfFile: place("runs/report/index.html"), encoding: .utf8)
            for name in names { #expect(page.contains(name)) }

            // A run that is there is not made again, the figures are the same.
            func models() throws -> [String: Data] {
                try Dictionary(
                    uniqueKeysWithValues: names.map { name in
                        let folder = place("runs/\(name)/best")
                        let file = try #require(
                            try FileManager.default.contentsOfDirectory(atPath: folder).first {
                                $0.hasSuffix("model.safetensors")
                            })
                        return (name, try Data(contentsOf: URL(fileURLWithPath: "\(folder)/\(file)")))
                    })
            }
            let before = try models()
            let again = try await Command.start(arguments).end()
            let (old, new) = try (first.good(), again.good())
            #expect(try models() == before)
            #expect(again.said.allSatisfy { !$0.hasPrefix("step ") }, "\(again)")
            #expect((old["verdicts"] as? NSArray) == (new["verdicts"] as? NSArray))
        }

        @Test("reproduce refuses another kind of tower, a variant that there is not, and data without queries")
        func reproduceRefuses() async throws {
            let place = try Workplace()
            let set = try place.dataset(4)
            func refused(_ arguments: String..., word: String) async throws {
                let outcome = try await Command.start(["reproduce", "--out", place("runs")] + arguments).end()
                #expect(outcome.code != 0 && outcome.errors.count == 1 && outcome.errors[0].contains(word), "\(outcome)")
            }
            try await refused("--data", set, "--backbone", "rn50", "--start", ReducedModel.path, word: "ViT")
            try await refused("--data", set, "--backbone", "vit", "--only", "stage9", word: "stage3-v4")
            try await refused("--data", place("nowhere"), "--backbone", "vit", word: "nowhere")
            let trainOnly = try place.dataset(4, name: "train", splits: ["train", "train"])
            try await refused("--data", trainOnly, "--backbone", "vit", "--start", ReducedModel.path, word: "query")
            #expect(!FileManager.default.fileExists(atPath: place("runs")))
        }

        @Test("--explain says what a recipe will do and how long it takes, and makes nothing")
        func explain() async throws {
            let place = try Workplace()
            let set = try await garments(place, 16)
            let outcome = try await Command.run(
                "train", Command.package + "/Recipes/stage3-v4.json", "--data", set, "--start", ReducedModel.path, "--out",
                place("run"),
                "--explain")
            #expect(
                outcome.code == 0 && outcome.text.contains("parameters") && outcome.text.contains("A step takes"), "\(outcome)")
            #expect(!FileManager.default.fileExists(atPath: place("run")))
        }

        @Test(
            "a catalogue is trained on without a manifest or a recipe; the run tells what it changed, resumes, and can be embedded with"
        )
        func catalog() async throws {
            let place = try Workplace()
            let shop = try place.dataset(24, splits: ["gallery", "gallery", "gallery"])
            _ = try await Command.run("import", shop, "--catalog", place("shop.db"), "--json").good()
            let arguments = ["train", "--catalog", place("shop.db"), "--start", ReducedModel.path, "--out", place("run")]
            let outcome = try await Command.start(arguments).end()
            try #require(outcome.code == 0, "\(outcome)")
            let table = outcome.text.split(separator: "\n").filter { $0.hasPrefix("| ") }
            #expect(table.contains { $0.hasPrefix("| before |") } && table.contains { $0.hasPrefix("| after |") }, "\(outcome)")
            #expect(outcome.text.contains("mAP rose") || outcome.text.contains("made nothing better"))
            let resumed = try await Command.start(arguments + ["--resume"]).end()
            #expect(resumed.code == 0 && resumed.said.allSatisfy { !$0.hasPrefix("step ") }, "\(resumed)")
            let embedded = try await Command.run("embed", "--catalog", place("shop.db"), "--model", place("run"), "--json").good()
            #expect(embedded["embedded"] as? Int == 72)

            let single = try place.dataset(5, name: "singles", splits: ["gallery"])
            _ = try await Command.run("import", single, "--catalog", place("singles.db"), "--json").good()
            let refused = try await Command.run(
                "train", "--catalog", place("singles.db"), "--start", ReducedModel.path, "--out", place("no"))
            #expect(refused.code == 65 && refused.errors.first?.contains("several pictures") == true, "\(refused)")
        }

        @Test("hard negatives are mined into a file that a recipe trains on")
        func mine() async throws {
            let place = try Workplace()
            let set = try place.dataset(8, splits: ["train", "train"])
            let summary = try await Command.run(
                "mine", "--data", set, "--model", ReducedModel.path, "--out", place("hard.jsonl"), "--count", "3", "--duplicate",
                "1.01",
                "--json"
            ).good()
            // Of the four of its kind three are another's.
            #expect(summary["products"] as? Int == 8 && summary["negatives"] as? Int == 24)
            let recipe = """
                {"name": "mined", "model": {"start": "\(ReducedModel.path)"}, "seed": 1, "epochs": 1, "steps_per_epoch": 2,
                 "batch": {"sampler": "mined", "negatives": "\(place("hard.jsonl"))", "items": 4, "hard": 1, "views": 2},
                 "optimizer": {"rate": 0.0001}, "losses": [{"kind": "triplet"}]}
                """
            try place.write("mined.json", recipe)
            let outcome = try await Command.run("train", place("mined.json"), "--data", set, "--out", place("run"))
            #expect(outcome.code == 0 && outcome.said.contains { $0.hasPrefix("2 steps") }, "\(outcome)")
        }

        @Test("a run is passed on as what differs from its baseline: small, measured the same, refused without the baseline")
        func variant() async throws {
            let place = try Workplace()
            let set = try await garments(place, 16)
            _ = try await Command.run(
                "reproduce", "--data", set, "--backbone", "vit", "--start", ReducedModel.path, "--epochs", "1", "--out",
                place("runs"),
                "--only", "stage2", "--json"
            ).good()
            try FileManager.default.createDirectory(atPath: place("models"), withIntermediateDirectories: true)
            try FileManager.default.copyItem(atPath: ReducedModel.path, toPath: place("models/vit"))
            func convert(_ name: String, _ more: String...) async throws -> Outcome {
                try await Command.start(
                    [
                        "models", "convert", place("runs/stage2"), "--baseline", place("models/vit"), "--out",
                        place("models/\(name)"),
                    ] + more
                ).end()
            }
            let made = try await convert("vit-stage2", "--coarseness", "0.05")
            try #require(made.code == 0, "\(made)")
            let whole =
                try FileManager.default.attributesOfItem(atPath: place("runs/stage2/best/model.safetensors"))[.size] as? Int ?? 0
            let small =
                try FileManager.default.attributesOfItem(atPath: place("models/vit-stage2/variant.safetensors"))[.size] as? Int
                ?? 0
            #expect(small * 3 < whole, "\(small) of \(whole) bytes")
            let figures = try await [place("runs/stage2"), place("models/vit-stage2")].asyncMap { model in
                try await Command.run("evaluate", "--data", set, "--model", model, "--json").good()["map"] as? Double
            }
            #expect(abs((figures[0] ?? 0) - (figures[1] ?? 1)) < 0.02, "\(figures)")
            let inspected = try await Command.run("models", "inspect", place("models/vit-stage2"), "--json").good()
            #expect((inspected["recorded"] as? [String: String])?["name"] == "stage2")
            #expect(
                try await Command.run("models", "doctor", place("models/vit-stage2"), "--json").good()["healthy"] as? Bool == true
            )

            // A whole model again, of the same vectors, under another name.
            let back = try await Command.run(
                "models", "convert", place("models/vit-stage2"), "--out", place("models/whole"), "--name", "whole")
            #expect(back.code == 0 && FileManager.default.fileExists(atPath: place("models/whole/model.safetensors")), "\(back)")
            let named = try await Command.run("models", "inspect", place("models/whole"), "--json").good()
            #expect((named["recorded"] as? [String: String])?["name"] == "whole")

            for (arguments, word) in [
                (["--half"], "--half"), (["--coarseness", "0"], "--coarseness"), (["--coarseness", "9"], "--coarseness"),
                (["--name", ""], "--name"),
            ] {
                let refused = try await Command.start(
                    ["models", "convert", place("runs/stage2"), "--baseline", place("models/vit"), "--out", place("models/no")]
                        + arguments
                ).end()
                #expect(refused.code == 64 && refused.errors.first?.contains(word) == true, "\(refused)")
            }
            let twice = try await Command.run(
                "models", "convert", place("runs/stage2"), "--baseline", place("models/vit-stage2"), "--out", place("models/no"))
            #expect(twice.code != 0 && twice.errors.count == 1, "\(twice)")
            try FileManager.default.removeItem(atPath: place("models/vit"))
            let alone = try await Command.run("models", "inspect", place("models/vit-stage2"))
            #expect(alone.code == 65 && alone.errors.first?.contains("is not there") == true, "\(alone)")
            #expect(!FileManager.default.fileExists(atPath: place("models/no")))
        }
    }
}

extension Array {
    fileprivate func asyncMap<Value>(_ transform: (Element) async throws -> Value) async throws -> [Value] {
        var values: [Value] = []
        for element in self { values.append(try await transform(element)) }
        return values
    }
}
