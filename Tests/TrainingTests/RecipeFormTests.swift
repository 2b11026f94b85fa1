import CLIP
import Foundation
import Testing

@testable import Training

@Suite("A recipe is written in the form that it is read in")
struct RecipeFormTests {
    private let folder: TestFolder

    init() throws { folder = try TestFolder() }

    /// A recipe with a value of its own at every key that has a default.
    private static let full = """
        {"name": "all", "description": "Everything.", "seed": 5,
         "model": {"tower": "resnet", "width": 8, "layers": [1, 2, 3, 4], "resolution": 64, "embedding": 16, "text_width": 128,
                   "text_layers": 2, "context_length": 9, "fitting": "squash", "vocabulary": "words"},
         "trainable": ["visual.", "text"], "batch_norm": "frozen", "precision": "bfloat16",
         "batch": {"views": 3, "from": [{"items": 4, "singles": 1}, {"items": 0, "singles": 2}]},
         "epochs": 7, "steps_per_epoch": 11,
         "optimizer": {"rate": 0.0007, "weight_decay": 0.1, "beta1": 0.8, "beta2": 0.9, "eps": 1e-05, "clip_norm": 2.5,
                       "schedule": SCHEDULE, "groups": [{"prefix": "visual.a", "rate": 0.1}, {"prefix": "visual", "rate": 0.5}],
                       "heads": 10, "ema": 0.999},
         "losses": [LOSS],
         "augmentation": {"area": [0.3, 0.9], "aspect": [0.8, 1.2], "flip": 0.5, "brightness": 0.1, "contrast": 0.2, "saturation": 0.3,
                          "hue": 0.15, "gray": 0.05, "color": 0.8},
         "captions": ["a {color} thing", "{caption}"], "captions_choice": "random",
         "validation": [{"relevant_by": "label", "folder": 2}, {"relevant_by": "product_id", "score": false},
                        {"relevant_by": "color", "text": "a photo in {color}", "at": 5, "score": true}],
         "keep": 3}
        """

    static let schedules = [
        #"{"kind": "constant", "warmup_steps": 3}"#, #"{"kind": "cosine", "warmup_steps": 4, "final_factor": 0.01}"#,
        #"{"kind": "step", "warmup_steps": 2, "at": [30, 60], "factor": 0.2}"#,
        #"{"kind": "one-cycle", "rise": 0.4, "first_factor": 0.05, "final_factor": 0.001}"#,
    ]

    static let losses = [
        #"{"kind": "info-nce", "weight": 0.3}"#,
        #"{"kind": "supcon", "by": ["product_id", "color"], "on": "image-text", "temperature": 0.07, "name": "same"}"#,
        #"{"kind": "supcon", "by": "color"}"#,
        #"{"kind": "teacher", "weight": 8, "rate": 3}"#,
        #"{"kind": "teacher-relations", "weight": 40}"#,
        #"{"kind": "cross-entropy", "label_smoothing": 0.2, "neck": true, "by": ["category"]}"#,
        #"{"kind": "arcface", "margin": 0.25, "scale": 32, "neck": true, "rate": 0.5}"#,
        #"{"kind": "normalized-softmax", "temperature": 0.04, "on": "image-text"}"#,
        #"{"kind": "triplet", "mining": "semi-hard", "margin": 0.35}"#,
        #"{"kind": "triplet", "soft_margin": true, "name": "soft"}"#,
        #"{"kind": "proxy-anchor", "margin": 0.2, "scale": 16}"#,
    ]

    private func recipe(
        schedule: String = RecipeFormTests.schedules[1], losses: String = RecipeFormTests.losses[1],
        _ name: String = "recipe.json"
    ) throws
        -> Recipe
    {
        let text = Self.full.replacing("SCHEDULE", with: schedule).replacing("LOSS", with: losses)
        return try Recipe(path: folder.write(text, to: name))
    }

    /// What stands in a JSON object, key by key, its numbers as texts.
    private static func leaves(_ value: Any) -> [String: String] {
        if let object = value as? [String: Any] {
            return object.reduce(into: [:]) { result, entry in
                for (key, value) in leaves(entry.value) { result["\(entry.key)/\(key)"] = value }
            }
        }
        if let list = value as? [Any] {
            return list.enumerated().reduce(into: [:]) { result, entry in
                for (key, value) in leaves(entry.element) { result["\(entry.offset)/\(key)"] = value }
            }
        }
        return ["": "\(value)"]
    }

    private func checkRoundTrip(_ recipe: Recipe, _ text: String) throws {
        let written = try recipe.json()
        let again = try Recipe(path: folder.write(String(decoding: written, as: UTF8.self), to: "recipe.json"))
        #expect(again == recipe)
        #expect(try again.json() == written)
        #expect(try recipe.difference(from: again) == nil)
        // Everything that was said is said again, and nothing of where the file lay.
        let said = try Self.leaves(JSONSerialization.jsonObject(with: Data(text.utf8)))
        let saidAgain = try Self.leaves(JSONSerialization.jsonObject(with: written))
        for (key, value) in said { #expect(saidAgain[key] == value, "\(key)") }
        #expect(!String(decoding: written, as: UTF8.self).contains(folder.path))
    }

    @Test("every key of a recipe comes back, with every schedule", arguments: schedules)
    func everySchedule(_ schedule: String) throws {
        let text = Self.full.replacing("SCHEDULE", with: schedule).replacing("LOSS", with: Self.losses[1])
        try checkRoundTrip(recipe(schedule: schedule), text)
    }

    @Test("and with every loss", arguments: losses)
    func everyLoss(_ loss: String) throws {
        let text = Self.full.replacing("SCHEDULE", with: Self.schedules[1]).replacing("LOSS", with: loss)
        let recipe = try recipe(losses: loss)
        // One column is written as a text, whichever way it was read.
        if !loss.contains("[\"category\"]") { try checkRoundTrip(recipe, text) }
        #expect(recipe.losses.count == 1)
    }

    @Test("the values of a loss arrive where they belong")
    func values() throws {
        let recipe = try recipe(losses: Self.losses.joined(separator: ", "))
        let kinds = recipe.losses.map(\.kind)
        #expect(kinds[0] == .infoNCE(InfoNCE()) && recipe.losses[0].weight == 0.3)
        #expect(kinds[1] == .supCon(SupCon(by: ["product_id", "color"], on: .imageText, temperature: 0.07)))
        #expect(kinds[5] == .crossEntropy(CrossEntropy(by: ["category"], on: .image, smoothing: 0.2, neck: true)))
        #expect(kinds[6] == .arcFace(ArcFace(by: ["product_id"], on: .image, margin: 0.25, scale: 32, neck: true)))
        #expect(kinds[8] == .triplet(Triplet(by: ["product_id"], on: .image, mining: .semiHard, margin: .hard(0.35))))
        #expect(kinds[9] == .triplet(Triplet(by: ["product_id"], on: .image, mining: .batchHard, margin: .soft)))
        #expect(recipe.losses[3].rate == 3 && recipe.losses[4].rate == nil)
        #expect(
            recipe.losses.map(\.name) == [
                "info_nce", "same", "supcon_color", "teacher", "teacher_relations", "cross_entropy_category", "arcface",
                "normalized_softmax", "triplet", "soft", "proxy_anchor",
            ])
    }

    private func error(losses: String) throws -> String {
        let error = #expect(throws: TrainingError.self) { try recipe(losses: losses) }
        return String(describing: try #require(error))
    }

    @Test(
        "what a loss does not know, or what does not apply to it, is named with its place",
        arguments: [
            (
                #"{"kind": "supcon", "margin": 1}"#,
                "unknown key losses[0].margin; known here: by, kind, memory, name, on, prefixes, temperature, weight."
            ),
            (#"{"kind": "supcon", "rate": 1}"#, "unknown key losses[0].rate;"),
            (#"{"kind": "teacher", "by": "color"}"#, "unknown key losses[0].by;"),
            (#"{"kind": "triplet", "mining": "semi-hard", "soft_margin": true}"#, "unknown key losses[0].soft_margin;"),
            (#"{"kind": "triplet", "soft_margin": true, "margin": 0.1}"#, "unknown key losses[0].margin;"),
            (#"{"kind": "info-nce", "on": "image"}"#, "losses[0].on is image, expected image-text."),
            (#"{"kind": "teacher", "on": "image-text"}"#, "losses[0].on is image-text, expected image."),
            (#"{"kind": "infonce"}"#, "losses[0].kind is infonce, expected info-nce or supcon or"),
            (#"{"weight": 1}"#, "lacks the key losses[0].kind."),
            (#"{"kind": "supcon", "weight": 0}"#, "losses[0].weight is 0, expected a number in"),
            (#"{"kind": "supcon", "by": []}"#, "losses[0].by is"),
            (#"{"kind": "supcon", "by": [""]}"#, "expected a text or a list of texts."),
            (#"{"kind": "supcon", "name": "a b"}"#, "losses[0].name is a b, expected letters, digits, _ and -."),
            (#"{"kind": "supcon"}, {"kind": "supcon", "weight": 2}"#, "losses[1].name is supcon, expected another name"),
            (#"{"kind": "arcface", "neck": 1}"#, "losses[0].neck is 1, expected true or false."),
        ])
    func wrongLoss(_ losses: String, _ message: String) throws {
        let found = try error(losses: losses)
        #expect(found.contains(message), "\(found)")
    }

    @Test(
        "so is what a schedule does not know",
        arguments: [
            (#"{"kind": "constant", "final_factor": 0.1}"#, "unknown key optimizer.schedule.final_factor;"),
            (#"{"kind": "step"}"#, "lacks the key optimizer.schedule.at."),
            (#"{"at": [3]}"#, "lacks the key optimizer.schedule.kind."),
            (#"{"kind": "cosine"}, "warmup_steps": 3"#, "unknown key optimizer.warmup_steps;"),
        ])
    func wrongSchedule(_ schedule: String, _ message: String) throws {
        let error = #expect(throws: TrainingError.self) { try recipe(schedule: schedule) }
        #expect(try #require(error).description.contains(message), "\(String(describing: error))")
    }

    @Test("a figure of texts asks by its own column, and at least one figure counts")
    func figures() throws {
        func validation(_ figures: String) throws -> String {
            let text = Self.full.replacing("SCHEDULE", with: Self.schedules[0]).replacing("LOSS", with: Self.losses[0])
            let begin = try #require(text.range(of: "\"validation\": [")), end = try #require(text.range(of: "\"keep\""))
            let changed = text[..<begin.upperBound] + figures + "], " + text[end.lowerBound...]
            let error = #expect(throws: TrainingError.self) {
                try Recipe(path: folder.write(String(changed), to: "figures.json"))
            }
            return try #require(error).description
        }
        #expect(
            try validation(#"{"relevant_by": "color", "text": "a {category}"}"#).contains("validation[0].text is a {category}"))
        #expect(try validation(#"{"relevant_by": "color", "at": 3}"#).contains("unknown key validation[0].at;"))
        #expect(try validation(#"{"relevant_by": "color", "text": "a {color}"}"#).contains("score true for at least one"))
        let recipe = try recipe()
        #expect(recipe.validation.map(\.name) == ["map_label_2", "map_product_id", "text_color_at_5"])
        #expect(recipe.validation.map(\.counts) == [true, false, true])
    }

    @Test("the object of four weights and the schedule's numbers beside the optimizer's mean what they meant")
    func earlierRecipe() throws {
        var text = Self.full.replacing("\"schedule\": SCHEDULE", with: "\"warmup_steps\": 20, \"final_factor\": 0.01")
        text = text.replacing(
            "[LOSS]",
            with: "{\"image_text\": 0.3, \"items\": 1, \"item_temperature\": 0.2, \"teacher\": 8, \"teacher_relations\": 0}")
        let recipe = try Recipe(path: folder.write(text, to: "earlier.json"))
        #expect(recipe.optimizer.schedule == .cosine(WarmupCosine(warmup: 20, final: 0.01)))
        #expect(
            recipe.losses == [
                .init(kind: .infoNCE(InfoNCE()), weight: 0.3, name: "image_text"),
                .init(kind: .supCon(SupCon(by: ["product_id"], on: .image, temperature: 0.2)), weight: 1, name: "items"),
                .init(kind: .teacher(TeacherRegression()), weight: 8, name: "teacher"),
            ])
        // Names of terms are no difference: the same recipe in today's form goes on with the same run.
        let today = try self.recipe(
            schedule: #"{"kind": "cosine", "warmup_steps": 20, "final_factor": 0.01}"#,
            losses:
                #"{"kind": "info-nce", "weight": 0.3}, {"kind": "supcon", "temperature": 0.2}, {"kind": "teacher", "weight": 8}"#)
        #expect(try today.difference(from: recipe) == nil)
        for (weights, message) in [
            ("{\"items\": 0}", "losses is without a term, expected at least one weight above 0."),
            ("{\"items\": 1, \"supcon\": 1}", "unknown key losses.supcon;"), ("{\"items\": -1}", "losses.items is -1"),
        ] {
            let wrong = Self.full.replacing("SCHEDULE", with: Self.schedules[0]).replacing("[LOSS]", with: weights)
            let error = #expect(throws: TrainingError.self) { try Recipe(path: folder.write(wrong, to: "wrong.json")) }
            #expect(try #require(error).description.contains(message), "\(String(describing: error))")
        }
    }

    /// What version 1 wrote into a run that began at a model.
    static let earlierRun = """
        {"augmentation": {"area": [0.35, 1], "aspect": [0.75, 1.33], "brightness": 0.3, "color": 0.8, "contrast": 0.3, "flip": 0.5, "gray": 0.1,
                          "hue": 0.15, "saturation": 0.4},
         "batch": {"shares": [{"items": 14, "singles": 0}, {"items": 0, "singles": 4}], "views": 2}, "batchNormFrozen": true,
         "captions": ["{caption}"], "epochs": 16, "keep": 0,
         "losses": {"imageText": 0.3, "itemTemperature": 0.1, "items": 1, "teacher": 0, "teacherRelations": 0}, "name": "earlier",
         "optimizer": {"beta1": 0.9, "beta2": 0.98, "clipNorm": 5, "decay": 0.05, "eps": 1e-06, "finalFactor": 0.01, "rate": 0.0007,
                       "warmupSteps": 20},
         "precision": "float32", "seed": 33, "start": {"model": {"_0": "../runs/a/best"}}, "stepsPerEpoch": 100, "trainable": [""],
         "validation": [{"folder": 1, "relevantBy": "product_id"}, {"relevantBy": "label"}]}
        """

    @Test("the recipe of a run of version 1 is read too")
    func earlierRun() throws {
        let recipe = try Recipe(path: folder.write(Self.earlierRun, to: "run/recipe.json"))
        #expect(recipe.start == .model("../runs/a/best") && recipe.batchNormFrozen && recipe.steps == 1600 && recipe.seed == 33)
        #expect(recipe.batch == .init(views: 2, shares: [.init(items: 14, singles: 0), .init(items: 0, singles: 4)]))
        #expect(recipe.optimizer.decay == 0.05 && recipe.optimizer.schedule == .cosine(WarmupCosine(warmup: 20, final: 0.01)))
        #expect(recipe.losses.map(\.name) == ["image_text", "items"] && recipe.optimizer.clipNorm == 5)
        #expect(recipe.validation == [.init(relevantBy: "product_id", folder: 1), .init(relevantBy: "label")])
        let vit = Self.earlierRun.replacing(
            #"{"model": {"_0": "../runs/a/best"}}"#,
            with: """
                {"new": {"_0": {"contextLength": 32, "embeddingSize": 256, "fitting": "squash", "resolution": 128, "textLayers": 3,
                "textWidth": 128, "tower": {"transformer": {"heads": 3, "layers": 6, "patch": 16, "width": 192}}}, "vocabulary": "words"}}
                """
        ).replacing(#"[{"items": 14, "singles": 0}, {"items": 0, "singles": 4}]"#, with: #"[{"items": 6, "singles": 2}]"#)
        let new = try Recipe(path: folder.write(vit, to: "run/recipe.json"))
        guard case .new(let architecture, vocabulary: "words") = new.start else {
            Issue.record("\(new.start)")
            return
        }
        #expect(
            architecture.tower == .transformer(width: 192, layers: 6, heads: 3, patch: 16) && architecture.embeddingSize == 256)
        #expect(
            architecture.resolution == 128 && architecture.fitting == .squash
                && new.batch == .init(items: 6, views: 2, singles: 2))
    }

    @Test("the first key that differs is named with both values; words make no difference")
    func difference() throws {
        let recipe = try recipe()
        func changed(_ change: (inout Recipe) -> Void) throws -> String? {
            var other = recipe
            change(&other)
            return try recipe.difference(from: other).map { "\($0.key) \($0.own) \($0.others)" }
        }
        #expect(try changed { $0.optimizer.rate = 0.5 } == "optimizer.rate 0.0007 0.5")
        #expect(try changed { $0.losses[0].weight = 2 } == "losses[0].weight 1 2")
        #expect(try changed { $0.optimizer.groups[1].prefix = "v" } == #"optimizer.groups[1].prefix "visual" "v""#)
        #expect(try changed { $0.captions = ["x"] } == #"captions ["a {color} thing","{caption}"] ["x"]"#)
        #expect(try changed { $0.validation.removeLast() }?.hasPrefix("validation[2].") == true)
        #expect(try changed { $0.description = "other" } == nil && changed { $0.losses[0].name = "other" } == nil)
    }

    @Test("a recipe in another folder leads to the same places, also through a link")
    func placed() throws {
        for name in ["recipes", "elsewhere/runs/first", "words"] {
            try FileManager.default.createDirectory(atPath: "\(folder.path)/\(name)", withIntermediateDirectories: true)
        }
        try FileManager.default.createSymbolicLink(
            atPath: "\(folder.path)/runs", withDestinationPath: "\(folder.path)/elsewhere/runs")
        var recipe = try recipe("recipes/recipe.json")
        guard case .new(let architecture, _) = recipe.start else {
            Issue.record("\(recipe.start)")
            return
        }
        recipe.start = .new(architecture, vocabulary: "../words")
        recipe.teacher = "shipped"
        recipe.shippedModels = ["shipped": "/models/shipped"]
        let placed = recipe.placed(in: "\(folder.path)/runs/first")
        #expect(placed.start == .new(architecture, vocabulary: "../../../words"))
        #expect(placed.teacher == "shipped")
        try folder.write("here", to: "words/vocab.json")
        #expect(FileManager.default.fileExists(atPath: placed.resolved("../../../words") + "/vocab.json"))
        #expect(placed.placed(in: "\(folder.path)/runs/first") == placed)
        recipe.start = .model("/an/absolute/path")
        #expect(recipe.placed(in: "\(folder.path)/runs/first").start == .model("/an/absolute/path"))
    }
}
