import Foundation
import Testing

@testable import Training

@Suite("Recipes are read strictly")
struct RecipeTests {
    private static var base: [String: Any] {
        [
            "name": "test",
            "model": [
                "tower": "vit", "width": 32, "layers": 1, "heads": 2, "patch": 8, "resolution": 32, "embedding": 16,
                "text_width": 64,
                "text_layers": 1, "context_length": 8, "fitting": "squash", "vocabulary": "words",
            ] as [String: Any],
            "batch": ["items": 3, "views": 2, "singles": 1] as [String: Any],
            "epochs": 2, "steps_per_epoch": 5,
            "optimizer": ["rate": 0.001],
            "losses": [["kind": "supcon"]],
        ]
    }

    /// Sets `value` at a dotted key; nil takes the key away.
    private static func changed(_ object: [String: Any], _ key: Substring, _ value: Any?) -> [String: Any] {
        var object = object
        if let dot = key.firstIndex(of: ".") {
            let inner = object[String(key[..<dot])] as? [String: Any] ?? [:]
            object[String(key[..<dot])] = changed(inner, key[key.index(after: dot)...], value)
        } else {
            object[String(key)] = value
        }
        return object
    }

    private func recipe(_ changes: [(String, Any?)]) throws -> Recipe {
        let folder = try TestFolder()
        let object = changes.reduce(Self.base) { Self.changed($0, Substring($1.0), $1.1) }
        let text = String(decoding: try JSONSerialization.data(withJSONObject: object), as: UTF8.self)
        return try Recipe(path: folder.write(text, to: "recipe.json"))
    }

    private func error(_ changes: [(String, Any?)]) throws -> TrainingError? {
        do {
            _ = try recipe(changes)
            return nil
        } catch let error as TrainingError {
            return error
        }
    }

    @Test("the recipe that the others here spoil is a good one")
    func good() throws {
        let recipe = try recipe([])
        #expect(recipe.batch == .init(items: 3, views: 2, singles: 1))
        #expect(recipe.steps == 10)
        #expect(recipe.trainable == [""] && !recipe.batchNormFrozen && recipe.captions == ["{caption}"] && recipe.keep == 0)
        #expect(recipe.validation == [.init(relevantBy: "product_id")])
        #expect(recipe.augmentation.area == 1...1 && recipe.augmentation.color == 0)
        let supCon = SupCon(by: ["product_id"], on: .image, temperature: 0.1)
        #expect(recipe.losses == [.init(kind: .supCon(supCon), weight: 1, name: "supcon")])
        #expect(recipe.optimizer.schedule == .cosine(WarmupCosine(warmup: 0)) && recipe.captionChoice == .first)
        #expect(recipe.optimizer.groups.isEmpty && recipe.optimizer.heads == 1 && recipe.optimizer.ema == 0)
    }

    @Test(
        "an unknown key is named with its path, and what is known beside it",
        arguments: [
            ("epoch", "steps_per_epoch"), ("model.widht", "width"), ("batch.item", "items"), ("optimizer.lr", "rate"),
            ("augmentation.jitter", "color"), ("Name", "name"), ("optimizer.schedul", "schedule"),
        ])
    func unknown(_ key: String, _ known: String) throws {
        let error = try #require(try error([(key, 1)]))
        guard case .unknownKey(let path, key, let names) = error else {
            Issue.record("\(error)")
            return
        }
        #expect(path.hasSuffix("recipe.json") && names.contains(known))
        #expect(error.description.contains(" \(key);") && error.description.contains("recipe.json"))
    }

    @Test("a batch may draw so many from each data folder, and then says nothing of all together")
    func shares() throws {
        let folders: [[String: Any]] = [["items": 4], ["singles": 3], ["items": 1, "singles": 2]]
        let batch = try recipe([("batch", ["views": 2, "from": folders])]).batch
        #expect(batch.shares == [.init(items: 4, singles: 0), .init(items: 0, singles: 3), .init(items: 1, singles: 2)])
        #expect(batch.count == 10)
        guard case .unknownKey(_, "batch.items", _) = try error([("batch", ["views": 2, "items": 3, "from": folders])]) else {
            Issue.record("items beside from")
            return
        }
        guard case .unknownKey(_, "batch.from[1].single", _) = try error([("batch", ["from": [["items": 4], ["single": 3]]])])
        else {
            Issue.record("a misspelt key in from")
            return
        }
        guard case .wrongValue(_, "batch.from", _, _) = try error([("batch", ["from": [["items": 4]]])]) else {
            Issue.record("from one folder")
            return
        }
    }

    @Test("a share's own views are read, and out of range refused; the batch's number said again is the batch's")
    func viewsOfShares() throws {
        let folders: [[String: Any]] = [["items": 4, "views": 1], ["singles": 3], ["items": 1, "views": 2]]
        let batch = try recipe([("batch", ["views": 2, "from": folders])]).batch
        #expect(batch.shares.map(\.views) == [1, nil, nil] && batch.viewCount == 4 + 6 + 2)
        for wrong in [0, 17] {
            guard
                case .wrongValue(_, "batch.from[1].views", _, "a whole number in 1...16") = try error([
                    ("batch", ["from": [["items": 4], ["singles": 3, "views": wrong]]])
                ])
            else {
                Issue.record("\(wrong) views")
                return
            }
        }
    }

    @Test("every effect is off unless the recipe says so, and is read within its range")
    func effects() throws {
        let keys = ["rotate", "pad", "background", "blur", "erase"]
        func values(_ augmentation: Recipe.Augmentation) -> [Double] {
            [augmentation.rotate, augmentation.pad, augmentation.background, augmentation.blur, augmentation.erase]
        }
        #expect(try values(recipe([]).augmentation) == [0, 0, 0, 0, 0])
        #expect(try values(recipe([("augmentation", ["flip": 0.5])]).augmentation) == [0, 0, 0, 0, 0])
        for (index, key) in keys.enumerated() {
            let most = key == "rotate" ? 45.0 : 1
            let read = try values(recipe([("augmentation", [key: most])]).augmentation)
            #expect(read[index] == most && read.reduce(0, +) == most, "\(key)")
            for wrong in [-0.1, most + 0.1] {
                guard case .wrongValue(_, "augmentation.\(key)", _, _) = try error([("augmentation", [key: wrong])]) else {
                    Issue.record("\(key) \(wrong)")
                    return
                }
            }
        }
    }

    @Test("an unknown key in a list is named with its place")
    func unknownInList() throws {
        let figures: [[String: Any]] = [["relevant_by": "label"], ["relevant": "label"]]
        guard case .unknownKey(_, "validation[1].relevant", _) = try error([("validation", figures)]) else {
            Issue.record("no unknown key")
            return
        }
    }

    @Test("architecture beside a model to start from is a contradiction, not a choice")
    func startAndTower() throws {
        guard case .unknownKey(_, let key, _) = try error([("model.start", "other")]) else {
            Issue.record("no unknown key")
            return
        }
        #expect(key.hasPrefix("model."))
        #expect(try recipe([("model", ["start": "other"])]).start == .model("other"))
    }

    @Test(
        "a missing key is named with its path",
        arguments: [
            "name", "model", "batch", "epochs", "optimizer", "losses", "model.tower", "model.width",
            "model.patch",
            "model.vocabulary", "batch.items", "optimizer.rate",
        ])
    func missing(_ key: String) throws {
        guard case .missingKey(_, key) = try error([(key, nil)]) else {
            Issue.record("\(String(describing: try error([(key, nil)])))")
            return
        }
        #expect(try #require(try error([(key, nil)])).description.contains("lacks the key \(key)."))
    }

    struct Wrong: CustomTestStringConvertible, @unchecked Sendable {  // JSON literals that nobody changes
        let key: String
        let value: Any
        let expected: String

        init(_ key: String, _ value: Any, _ expected: String) { (self.key, self.value, self.expected) = (key, value, expected) }

        var testDescription: String { "\(key): \(value)" }
    }

    @Test(
        "a value of a wrong type or out of range is named with what was found and what would be right",
        arguments: [
            Wrong("name", 3, "a text"), Wrong("description", ["x"], "a text"),
            Wrong("epochs", "3", "a whole number in 0...100000"),
            Wrong("epochs", -1, "a whole number in 0...100000"), Wrong("epochs", 1.5, "a whole number in 0...100000"),
            Wrong("epochs", true, "a whole number in 0...100000"), Wrong("epochs", 1e300, "a whole number in 0...100000"),
            Wrong("seed", -1, "a whole number in 0...2147483647"), Wrong("model", "small-vit", "an object"),
            Wrong("model.tower", "cnn", "vit or resnet"), Wrong("model.fitting", "stretch", "shortest or squash"),
            Wrong("model.heads", 3, "a multiple of heads (3)"), Wrong("model.resolution", 36, "a multiple of patch (8)"),
            Wrong("model.text_width", 100, "a multiple of 64"), Wrong("batch", [3], "an object"),
            Wrong("batch.views", 17, "a whole number in 1...16"), Wrong("optimizer.rate", "fast", "a number in 0.0...10.0"),
            Wrong("optimizer.rate", -0.1, "a number in 0.0...10.0"), Wrong("optimizer.rate", false, "a number in 0.0...10.0"),
            Wrong("optimizer.beta1", 1, "a number in 0.0...0.9999"),
            Wrong("losses", [Any](), "at least one weight above 0"), Wrong("losses", "supcon", "a list of objects"),
            Wrong("batch_norm", "off", "train or frozen"), Wrong("captions_choice", "any", "first or random"),
            Wrong("optimizer.ema", 1, "a number in 0.0...0.999999"), Wrong("optimizer.heads", -1, "a number in 0.0...1000.0"),
            Wrong("teacher", "other", "a loss of kind teacher or teacher-relations, or no teacher"),
            Wrong("trainable", "visual", "a list of texts"), Wrong("captions", [1], "a list of texts"),
            Wrong("validation", ["label"], "a list of objects"),
            Wrong("augmentation.area", [1, 0.5], "two rising numbers within 0.01...1.0"),
            Wrong("augmentation.area", [0.5, 0.7, 1], "two rising numbers within 0.01...1.0"),
            Wrong("augmentation.area", [0.5, true], "two rising numbers within 0.01...1.0"),
            Wrong("augmentation.area", 0.5, "two rising numbers within 0.01...1.0"),
            Wrong("augmentation.hue", 0.6, "a number in 0.0...0.5"),
        ])
    func wrong(_ wrong: Wrong) throws {
        let error = try #require(try error([(wrong.key, wrong.value)]))
        guard case .wrongValue(_, let key, _, let expected) = error else {
            Issue.record("\(error)")
            return
        }
        // A rule between two keys names one of them.
        let named = ["model.heads": "model.width"][wrong.key] ?? wrong.key
        #expect(key == named && expected == wrong.expected)
        #expect(error.description.contains("expected \(expected)."))
    }

    @Test("a batch of one can't be compared with anything")
    func batchOfOne() throws {
        guard case .wrongValue(_, "batch", _, "at least two") = try error([("batch", ["items": 1])]) else {
            Issue.record("no wrong value")
            return
        }
    }

    @Test(
        "a ResNet's stages are four whole numbers from 1, its width even and its input a multiple of 32",
        arguments: [
            ("layers", [2, 2, 2] as [Double]), ("layers", [2, 2.5, 2, 2]), ("layers", [2, 0, 2, 2]), ("layers", [2, 2, 2, -1]),
            ("width", [9]), ("resolution", [48]),
        ])
    func resNet(_ key: String, _ values: [Double]) throws {
        var model: [String: Any] = [
            "tower": "resnet", "width": 8, "layers": [1, 1, 1, 1], "resolution": 64, "embedding": 16, "text_width": 64,
            "text_layers": 1, "context_length": 8, "vocabulary": "words",
        ]
        _ = try recipe([("model", model)])
        model[key] = values.count == 1 ? values[0] : values
        guard case .wrongValue(_, "model.\(key)", _, _) = try error([("model", model)]) else {
            Issue.record("\(String(describing: try error([("model", model)])))")
            return
        }
    }

    @Test("a file that is absent, no JSON or no object is refused in one sentence")
    func unreadable() throws {
        let folder = try TestFolder()
        let cases = [
            ("\(folder.path)/none.json", "there is no such file"),
            (try folder.write("{\"name\": ", to: "cut.json"), "not well-formed JSON"),
            (try folder.write("", to: "empty.json"), "not well-formed JSON"),
            (try folder.write("[1]", to: "list.json"), "not a JSON object"),
        ]
        for (path, reason) in cases {
            let error = #expect(throws: TrainingError.self) { try Recipe(path: path) }
            #expect(error?.description.contains(reason) == true && error?.description.contains(path) == true, "\(path)")
        }
    }

    @Test("every shipped recipe is read, and its vocabulary lies where it says")
    func shipped() throws {
        let folder = "\(Fixtures.package)/Recipes"
        let names = Set(try FileManager.default.contentsOfDirectory(atPath: folder).filter { $0.hasSuffix(".json") })
        #expect(names.isSuperset(of: ["small-efficientnet.json", "stage2.json", "prompts.json", "margin.json", "paper-v4.json"]))
        for name in names {
            let recipe = try Recipe(path: "\(folder)/\(name)")
            #expect("\(recipe.name).json" == name)
            // The paper's runs had no warm-up.
            if !name.hasPrefix("paper-") && recipe.epochs > 0 {
                let steps = recipe.stepsPerEpoch > 0 ? recipe.steps : 1000
                let rates = [0, steps - 1].map { recipe.optimizer.schedule.course.factor(step: $0, of: steps) }
                // The shortest warm-up has eight steps.
                #expect(rates[0] <= 0.125 && rates[1] < 0.1, "the run of \(name) begins and ends with a small rate: \(rates)")
            }
            if case .new(_, let vocabulary) = recipe.start {
                #expect(FileManager.default.fileExists(atPath: "\(recipe.resolved(vocabulary))/vocab.json"))
            }
        }
    }
}
