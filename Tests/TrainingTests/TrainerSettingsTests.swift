import Catalog
import CLIP
import Foundation
import Retrieval
import TensorFiles
import Testing
import Torch

@testable import Training

/// What a recipe may ask of the trainer beside its first four losses.
@Suite("Trainer: losses with tensors of their own, averages, groups, captions", .serialized)
struct TrainerSettingsTests {
    private static let product = ["product_id"]

    /// Losses that own tensors, of every kind, beside one that compares texts.
    private static func losses() -> [Recipe.Loss] {
        [
            .init(kind: .infoNCE(InfoNCE()), weight: 0.3, name: "info_nce"),
            .init(
                kind: .arcFace(ArcFace(by: product, on: .image, margin: 0.3, scale: 16, neck: true)), weight: 0.2, name: "arcface"
            ),
            .init(
                kind: .crossEntropy(CrossEntropy(by: ["label"], on: .imageText, smoothing: 0.1, neck: false)), weight: 0.5,
                name: "kind", rate: 2),
            .init(kind: .proxyAnchor(ProxyAnchor(by: product, on: .image, margin: 0.1, scale: 8)), weight: 0.1, name: "proxy"),
            .init(kind: .teacher(TeacherRegression()), weight: 1, name: "teacher"),
        ]
    }

    private static func everything(_ tower: TinyRun.Tower) throws -> TinyRun {
        let tiny = try TinyRun(tower)
        tiny.recipe.losses = losses()
        tiny.recipe.optimizer.ema = 0.9
        tiny.recipe.optimizer.heads = 5
        tiny.recipe.optimizer.groups = [.init(prefix: "visual.", rate: 0.5)]
        tiny.recipe.captions = ["a photo of a {label}", "{label}", "thing {product_id}"]
        tiny.recipe.captionChoice = .random
        tiny.recipe.validation = [
            .init(relevantBy: "product_id"),
            .init(relevantBy: "label", texts: .init(template: "a photo of a {label}", at: 2), counts: false),
        ]
        return tiny
    }

    private static func optimizer(_ folder: RunFolder) throws -> [String: [Float]] {
        let file = try SafetensorsFile(path: "\(folder.last)/optimizer.safetensors")
        return try Dictionary(uniqueKeysWithValues: file.names.map { ($0, try file.floats($0)) })
    }

    @Test(
        "stopped and resumed, heads, averages and drawn captions go on bit by bit", arguments: TinyRun.Tower.allCases,
        [[4], [1, 6]])
    func resume(_ tower: TinyRun.Tower, stops: [Int]) throws {
        let tiny = try Self.everything(tower)
        let straight = RunFolder(path: "\(tiny.folder.path)/straight")
        #expect(try tiny.train(to: straight))
        for (index, stop) in stops.enumerated() { #expect(try !tiny.train(resume: index > 0, stop: stop)) }
        #expect(try tiny.train(resume: true))
        #expect(try TinyRun.metrics(tiny.run) == TinyRun.metrics(straight))
        for place in ["last", "best", "epochs/02"] {
            #expect(try TinyRun.weights("\(tiny.run.path)/\(place)") == TinyRun.weights("\(straight.path)/\(place)"), "\(place)")
        }
        let (state, expected) = (try Self.optimizer(tiny.run), try Self.optimizer(straight))
        #expect(state == expected)
        for name in ["arcface_head", "arcface_neck", "kind_head", "proxy_proxies", "teacher_head"] {
            #expect(state[name] != nil && state["exp_avg.\(name)"] != nil, "\(name)")
            #expect(state["average.\(name)"] == nil, "heads are not shipped, and not averaged")
        }
        let terms = try TinyRun.metrics(straight).filter { $0["loss"] != nil }
        for term in ["info_nce", "arcface", "kind", "proxy", "teacher"] {
            #expect(terms.allSatisfy { ($0["loss_\(term)"] ?? 0) > 0 }, "\(term)")
        }
        #expect(Set(terms.compactMap { $0["loss_kind"] }).count == 9)
        let figures = try TinyRun.metrics(straight).filter { $0["epoch"] != nil }
        for line in figures {
            #expect((0...1).contains(try #require(line["val_text_label_at_2"])))
            #expect(line["val_score"] == line["val_map_product_id"], "texts do not count")
        }
    }

    @Test("what is kept as best and in epochs is the average, and last goes on from the weights themselves")
    func averages() throws {
        let tiny = try TinyRun(.resnet, validates: false)
        tiny.recipe.optimizer.ema = 0.5
        tiny.recipe.keep = 1
        try tiny.train()
        let (best, last) = (try TinyRun.weights(tiny.run.best), try TinyRun.weights(tiny.run.last))
        let state = try Self.optimizer(tiny.run)
        #expect(best != last && Set(best.keys) == Set(last.keys))
        #expect(try TinyRun.weights("\(tiny.run.path)/epochs/03") == best)
        for (name, values) in best { #expect(state["average.\(name)"] == values, "\(name)") }
        // The same training without an average ends at the same weights: averaging changes nothing that is trained.
        let plain = RunFolder(path: "\(tiny.folder.path)/plain")
        tiny.recipe.optimizer.ema = 0
        try tiny.train(to: plain)
        #expect(try TinyRun.weights(plain.last) == last)
        #expect(try TinyRun.weights(plain.best) == last)
    }

    @Test("the average follows its formula")
    func averageFormula() throws {
        let weight = try Tensor([1, -2] as [Float], shape: [2])
        let average = try WeightAverage([("w", weight)], decay: 0.3)
        var expected: [Double] = [1, -2]
        for (step, values) in [[3, 0], [5, 1], [-4, 8], [0, 0.5]].enumerated() {
            try weight.copyInPlace(from: Tensor(values.map(Float.init), shape: [2]))
            try average.update(step: step)
            let keep = [1.0 / 10, 2.0 / 11, 3.0 / 12, 0.3][step]
            expected = zip(expected, values).map { keep * $0 + (1 - keep) * $1 }
            let found = try average.applied { try weight.floats() }
            for (found, expected) in zip(found, expected) { #expect(abs(Double(found) - expected) < 1e-6) }
            #expect(try weight.floats() == values.map(Float.init), "the weights are back")
        }
        struct Stop: Error {}
        #expect(throws: Stop.self) { try average.applied { throw Stop() } }
        #expect(try weight.floats() == [0, 0.5], "also after an error")
    }

    @Test("a group's factor and the heads' reach the update: with factor 0 a tensor stays, and the first group counts")
    func groups() throws {
        let tiny = try TinyRun(.vit)
        tiny.recipe.losses = Self.losses()
        tiny.recipe.optimizer.groups = [.init(prefix: "visual.conv1", rate: 1), .init(prefix: "visual.", rate: 0)]
        tiny.recipe.optimizer.heads = 0
        tiny.recipe.losses[4].rate = 1
        let before = try TinyRun.weights("\(tiny.folder.path)/start")
        try tiny.train(stop: 1)
        let after = try TinyRun.weights(tiny.run.last)
        for (name, values) in after {
            let stays = name.hasPrefix("visual.") && !name.hasPrefix("visual.conv1")
            #expect((before[name] == values) == stays, "\(name)")
        }
        let heads = try Self.optimizer(tiny.run)
        let again = RunFolder(path: "\(tiny.folder.path)/again")
        tiny.recipe.optimizer.heads = 10
        try tiny.train(to: again, stop: 1)
        let moved = try Self.optimizer(again)
        // The first step of a warm-up of three, by Adam as long as the rate: what factor 0 left and factor 10 moved lie apart by it.
        #expect(heads["arcface_head"] != moved["arcface_head"] && heads["teacher_head"] == moved["teacher_head"])
        let distance = zip(try #require(heads["proxy_proxies"]), try #require(moved["proxy_proxies"])).map { abs($0 - $1) }.max()
        #expect(try abs(#require(distance) - 0.002 / 3 * 10) < 0.002)
        tiny.recipe.optimizer.groups = [.init(prefix: "vision", rate: 1)]
        let error = #expect(throws: TrainingError.self) { try tiny.train(to: RunFolder(path: "\(tiny.folder.path)/third")) }
        #expect(error?.description.contains("begins with vision, a group of the optimizer") == true)
    }

    @Test("the recipe in a run's folder makes the same run again, and goes on with it")
    func recipeOfRun() throws {
        let tiny = try Self.everything(.vit)
        try tiny.train(stop: 4)
        let written = "\(tiny.run.path)/recipe.json"
        tiny.recipe = try Recipe(path: written)
        #expect(try tiny.train(resume: true))
        let again = RunFolder(path: "\(tiny.folder.path)/further/down/again")
        try tiny.train(to: again)
        #expect(try TinyRun.metrics(again) == TinyRun.metrics(tiny.run))
        // What a model remembers is a recipe too, without a path of the machine that it was trained on.
        let recorded = try #require(try Checkpoint(path: again.best).recorded()?["recipe"])
        let text = String(decoding: try JSONSerialization.data(withJSONObject: recorded), as: UTF8.self)
        let recipe = try Recipe(path: tiny.folder.write(text, to: "recorded.json"))
        #expect(try recipe.difference(from: tiny.recipe.passedOn) == nil)
        #expect(!text.replacing("\\/", with: "/").contains(tiny.folder.path))
        var named = tiny.recipe
        named.shippedModels = ["small": "/opt/models/small"]
        for (path, name) in [
            ("/opt/models/small", "small"), ("small", "small"), ("/home/me/runs/v2/best", "v2"),
            ("/home/me/ViT-B-16.pt", "ViT-B-16.pt"),
        ] {
            named.start = .model(path)
            named.teacher = path
            #expect(named.passedOn.start == .model(name) && named.passedOn.teacher == name)
        }
    }

    @Test("a run of version 1, its recipe in that version's form and its optimizer's file, goes on")
    func earlierRun() throws {
        let tiny = try TinyRun(.vit)
        let straight = RunFolder(path: "\(tiny.folder.path)/straight")
        try tiny.train(to: straight)
        try tiny.train(stop: 4)
        guard case .model(let start) = tiny.recipe.start else {
            Issue.record("a tiny run begins at a folder")
            return
        }
        // What version 1 wrote for this recipe.
        try tiny.folder.write(
            """
            {"augmentation": {"area": [0.5, 1], "aspect": [1, 1], "brightness": 0.2, "color": 1, "contrast": 0, "flip": 0.5, "gray": 0,
                              "hue": 0.1, "saturation": 0},
             "batch": {"shares": [{"items": 2, "singles": 2}], "views": 2}, "batchNormFrozen": false, "captions": ["a photo of a {label}"],
             "epochs": 3, "keep": 2,
             "losses": {"imageText": 0.5, "itemTemperature": 0.1, "items": 1, "teacher": 1, "teacherRelations": 2}, "name": "tiny",
             "optimizer": {"beta1": 0.9, "beta2": 0.98, "clipNorm": 5, "decay": 0.05, "eps": 1e-06, "finalFactor": 0, "rate": 0.002,
                           "warmupSteps": 3},
             "precision": "float32", "seed": 9, "start": {"model": {"_0": "\(start)"}}, "stepsPerEpoch": 3, "trainable": [""],
             "validation": [{"relevantBy": "product_id"}]}
            """, to: "run/recipe.json")
        #expect(
            try Self.optimizer(tiny.run).keys.allSatisfy {
                $0.hasPrefix("step.") || $0.hasPrefix("exp_avg") || $0 == "teacher_head"
            })
        #expect(try tiny.train(resume: true))
        #expect(try TinyRun.metrics(tiny.run) == TinyRun.metrics(straight))
        #expect(try TinyRun.weights(tiny.run.last) == TinyRun.weights(straight.last))
        tiny.recipe.seed = 10
        let error = #expect(throws: TrainingError.self) { try tiny.train(resume: true) }
        #expect(error == .otherRecipe(path: tiny.run.path, key: "seed", begun: "9", given: "10"))
    }

    @Test("a run whose optimizer's file lacks a head or an average is refused, naming it")
    func lackingState() throws {
        let tiny = try TinyRun(.vit)
        try tiny.train(stop: 1)
        let file = "\(tiny.run.last)/optimizer.safetensors"
        let saved = try SafetensorsFile(path: file)
        let tensors = try saved.names.filter { $0 != "teacher_head" }.map {
            TensorToWrite(name: $0, floats: try saved.floats($0), shape: try #require(saved.tensors[$0]).shape)
        }
        try SafetensorsWriter.write(tensors, to: file)
        let error = #expect(throws: (any Error).self) { try tiny.train(resume: true) }
        let text = String(describing: try #require(error))
        #expect(text.contains("missing: teacher_head") && text.contains("optimizer.safetensors"), "\(text)")
    }

    @Test("labels that the data does not have, and texts that a model can't read, are refused before the run's folder is made")
    func lacking() throws {
        let tiny = try TinyRun(.vit, validates: true)
        func refused(_ change: (inout Recipe) -> Void) throws -> String {
            let kept = tiny.recipe
            defer { tiny.recipe = kept }
            change(&tiny.recipe)
            let error = #expect(throws: (any Error).self) { try tiny.train() }
            #expect(!tiny.run.holdsRun)
            return String(describing: try #require(error))
        }
        let vocabulary = ["vocab.json", "merges.txt"]
        for name in vocabulary { try FileManager.default.removeItem(atPath: "\(tiny.folder.path)/start/\(name)") }
        #expect(try refused { $0.losses = [.init(kind: .infoNCE(InfoNCE()), weight: 1, name: "x")] }.contains("no vocabulary"))
        #expect(
            try refused {
                $0.losses.removeFirst()
                $0.validation.append(.init(relevantBy: "label", texts: .init(template: "{label}", at: 1), counts: false))
            }.contains("a figure of the validation reads texts and the model has no vocabulary"))
        let one = ArcFace(by: ["split"], on: .image, margin: 0.5, scale: 64, neck: false)
        #expect(
            try refused { $0.losses = [.init(kind: .arcFace(one), weight: 1, name: "arcface")] }.contains(
                "the loss arcface tells labels apart, and the data has 1"))
    }
}

@Suite("Views of another side than the model's")
struct ViewSideTests {
    @Test("a timm tower learns from smaller views, in a part of itself, and answers at its own size")
    func smaller() throws {
        let tiny = try TinyRun(.resnet)
        tiny.recipe.start = .model("\(Fixtures.package)/Tests/CLIPTests/Fixtures/models/timm-tf-lite-f16")
        tiny.recipe.losses = [
            .init(kind: .supCon(SupCon(by: ["product_id"], on: .image, temperature: 0.1)), weight: 1, name: "supcon")
        ]
        tiny.recipe.trainable = ["visual.trunk.blocks.6", "visual.head"]
        tiny.recipe.batchNormFrozen = true
        tiny.recipe.augmentation.side = 32
        #expect(try tiny.train())
        let (start, end) = (try Checkpoint(path: tiny.recipe.resolvedModel(Self.name(tiny))), try Checkpoint(path: tiny.run.best))
        #expect(end.preprocessing == start.preprocessing && end.preprocessing.side == 72)
        let (before, after) = (try start.weights(), try TinyRun.weights(tiny.run.best))
        for (name, weights) in after where name.hasPrefix("visual.") {
            let moves =
                name.hasPrefix("visual.head") || name.hasPrefix("visual.trunk.blocks.6") && name.hasSuffix("conv_dw.weight")
            if moves { #expect(try before[name]?.floats() != weights, "\(name)") }
            if name.hasPrefix("visual.trunk.blocks.5") { #expect(try before[name]?.floats() == weights, "\(name)") }
        }
        // The same steps over views of the model's own side see other pixels.
        let own = RunFolder(path: "\(tiny.folder.path)/own")
        tiny.recipe.augmentation.side = nil
        #expect(try tiny.train(to: own))
        #expect(try TinyRun.metrics(own).first?["loss"] != TinyRun.metrics(tiny.run).first?["loss"])
    }

    private static func name(_ tiny: TinyRun) -> String {
        if case .model(let name) = tiny.recipe.start { name } else { "" }
    }

    @Test("a tower with a position for each place says what it takes", arguments: TinyRun.Tower.allCases)
    func refused(_ tower: TinyRun.Tower) throws {
        let tiny = try TinyRun(tower)
        tiny.recipe.augmentation.side = 64
        #expect(throws: TrainingError.unfitViews(side: 64, own: 32)) { try tiny.train() }
        #expect(!FileManager.default.fileExists(atPath: tiny.run.path))
    }
}
