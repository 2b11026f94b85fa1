import CLIP
import Catalog
import Foundation
import Imaging
import Retrieval
import TensorFiles
import Testing
import Tokenizers
import Torch

@testable import Training

@Suite("Trainer", .serialized)
struct TrainerTests {
    @Test(
        "a run that is stopped and resumed has bitwise the losses and weights of one that is not",
        arguments: TinyRun.Tower.allCases, [[4], [3], [1, 2, 7]])
    func resume(_ tower: TinyRun.Tower, stops: [Int]) throws {
        let tiny = try TinyRun(tower)
        let straight = RunFolder(path: "\(tiny.folder.path)/straight")
        #expect(try tiny.train(to: straight))
        for (index, stop) in stops.enumerated() {
            #expect(try !tiny.train(resume: index > 0, stop: stop))
        }
        #expect(try tiny.train(resume: true))

        let expected = try TinyRun.metrics(straight)
        let found = try TinyRun.metrics(tiny.run)
        #expect(expected.count { $0["loss"] != nil } == 9 && expected.count { $0["epoch"] != nil } == 3)
        #expect(found == expected)
        #expect(Set(expected.compactMap { $0["loss"] }).count == 9)
        for place in ["last", "best", "epochs/02"] {
            #expect(try TinyRun.weights("\(tiny.run.path)/\(place)") == TinyRun.weights("\(straight.path)/\(place)"), "\(place)")
        }
        let optimizers = try ["\(straight.last)", "\(tiny.run.last)"].map {
            try SafetensorsFile(path: "\($0)/optimizer.safetensors")
        }
        #expect(optimizers[0].names == optimizers[1].names && optimizers[0].names.contains("teacher_head"))
        for name in optimizers[0].names { #expect(try optimizers[0].floats(name) == optimizers[1].floats(name), "\(name)") }
        #expect(try tiny.train(resume: true), "a complete run has nothing left to do")
        #expect(try TinyRun.metrics(tiny.run) == expected)
    }

    @Test("a run killed after its checkpoint takes the steps behind it again, and its metrics hold each step once")
    func killed() throws {
        let tiny = try TinyRun(.vit)
        let straight = RunFolder(path: "\(tiny.folder.path)/straight")
        try tiny.train(to: straight)
        try tiny.train(stop: 4)
        let metrics = "\(tiny.run.path)/metrics.jsonl"
        var text = try String(contentsOfFile: metrics, encoding: .utf8)
        // What it noted behind its checkpoint: a step, an epoch, half a line.
        text += "{\"step\":5,\"loss\":1}\n{\"epoch\":2,\"step\":6}\n{\"step\":7,\"lo"
        try Data(text.utf8).write(to: URL(filePath: metrics))
        try tiny.train(resume: true)
        #expect(try TinyRun.metrics(tiny.run) == TinyRun.metrics(straight))
    }

    @Test("a run killed before its first checkpoint begins again, and its metrics with it")
    func killedEarly() throws {
        let tiny = try TinyRun(.vit)
        try tiny.train(stop: 2)
        try FileManager.default.removeItem(atPath: tiny.run.last)
        var from: Int?
        try tiny.train(resume: true) { if case .began(_, _, _, _, let first, _) = $0 { from = first } }
        #expect(from == 0)
        #expect(try TinyRun.metrics(tiny.run).compactMap { $0["loss"] }.count == 9)
    }

    @Test("best and last are model folders that load, best remembers how it was made, and the events tell all of it")
    func artefacts() throws {
        let tiny = try TinyRun(.resnet, isNew: true)
        var events: [String] = []
        try tiny.train { event in
            switch event {
            case .began(let photos, let garments, let captions, _, 0, 9): events.append("began \(photos) \(garments) \(captions)")
            case .step(let step, _, _): events.append("\(step)")
            case .waited(let epoch, let share) where (0...1).contains(share): events.append("waited \(epoch)")
            case .validated(let epoch, let figures, _): events.append("epoch \(epoch) \(figures.keys.sorted())")
            case .saved(let step): events.append("saved \(step)")
            case .ended(let step, true): events.append("ended \(step)")
            default: events.append("\(event)")
            }
        }
        var expected = ["began 12 4 3"]
        for epoch in 1...3 {
            for step in (3 * epoch - 2)...(3 * epoch) { expected.append("\(step)") }
            expected += ["waited \(epoch)", "epoch \(epoch) [\"map_product_id\", \"score\"]", "saved \(3 * epoch)"]
        }
        expected.append("ended 9")
        #expect(events == expected)
        for place in [tiny.run.best, tiny.run.last] {
            let folder = try Checkpoint(path: place)
            #expect(folder.format == .openCLIP && folder.tokenizer != nil && folder.preprocessing.fitting == .squash)
            let vectors = try Embedder(checkpoint: folder).embed(texts: ["a photo of a dress"]).vectors
            #expect(vectors.count == 12)
        }
        let recorded = try #require(try Checkpoint(path: tiny.run.best).recorded())
        #expect(recorded["command"] as? String == "stylefinder train tiny.json")
        #expect((recorded["recipe"] as? [String: Any])?["name"] as? String == "tiny")
        #expect(FileManager.default.fileExists(atPath: "\(tiny.run.path)/epochs/02/stylefinder.json"))
        #expect(!FileManager.default.fileExists(atPath: "\(tiny.run.path)/epochs/01"))
        // The best of the metrics is the best of the folder.
        let scores = try TinyRun.metrics(tiny.run).filter { $0["epoch"] != nil }
        var best: (epoch: Double, score: Double) = (0, -1)
        for line in scores {
            let (epoch, score) = (try #require(line["epoch"]), try #require(line["val_score"]))
            if score > best.score { best = (epoch, score) }
        }
        #expect((recorded["epoch"] as? NSNumber)?.doubleValue == best.epoch)
    }

    @Test("a model remembers what its start was made by, and from what and under which licence")
    func origin() throws {
        let tiny = try TinyRun(.vit)
        let about = #"{"command": "made by hand", "start": {"name": "a published tower", "license": "Apache-2.0"}}"#
        try tiny.folder.write(about, to: "start/stylefinder.json")
        try tiny.train()
        for place in [tiny.run.best, tiny.run.last] {
            let recorded = try #require(try Checkpoint(path: place).recorded())
            #expect(recorded["command"] as? String == "made by hand && stylefinder train tiny.json")
            #expect(recorded["start"] as? [String: String] == ["name": "a published tower", "license": "Apache-2.0"])
        }
    }

    @Test("without validation rows the latest epoch is the best, and that is told")
    func noValidation() throws {
        let tiny = try TinyRun(.vit, validates: false)
        var isTold = false
        try tiny.train { if case .withoutValidation = $0 { isTold = true } }
        #expect(isTold)
        #expect(try TinyRun.weights(tiny.run.best) == TinyRun.weights(tiny.run.last))
    }

    @Test("a folder that holds a run is not begun again, and one that holds none is not resumed")
    func existing() throws {
        let tiny = try TinyRun(.vit)
        var error = #expect(throws: TrainingError.self) { try tiny.train(resume: true) }
        #expect(error == .nothingToResume(path: tiny.run.path))
        try tiny.train(stop: 1)
        let before = try TinyRun.metrics(tiny.run)
        error = #expect(throws: TrainingError.self) { try tiny.train() }
        #expect(error == .runExists(path: tiny.run.path))
        #expect(error?.description.contains("--resume") == true)
        #expect(try TinyRun.metrics(tiny.run) == before)
    }

    @Test("a run is not resumed with another recipe")
    func otherRecipe() throws {
        let tiny = try TinyRun(.vit)
        try tiny.train(stop: 2)
        tiny.recipe.optimizer.rate *= 2
        let error = #expect(throws: TrainingError.self) { try tiny.train(resume: true) }
        #expect(error == .otherRecipe(path: tiny.run.path, key: "optimizer.rate", begun: "0.002", given: "0.004"))
        #expect(error?.description.contains("optimizer.rate is 0.002, here 0.004") == true)
    }

    @Test("a checkpoint that was being replaced when the run was killed is recovered")
    func replaced() throws {
        let tiny = try TinyRun(.vit)
        let straight = RunFolder(path: "\(tiny.folder.path)/straight")
        try tiny.train(to: straight)
        try tiny.train(stop: 4)
        try FileManager.default.moveItem(atPath: tiny.run.last, toPath: tiny.run.last + ".old")
        try FileManager.default.createDirectory(atPath: tiny.run.last + ".new", withIntermediateDirectories: true)
        try tiny.train(resume: true)
        #expect(try TinyRun.metrics(tiny.run) == TinyRun.metrics(straight))
        let left = try FileManager.default.contentsOfDirectory(atPath: tiny.run.path).sorted()
        #expect(left == ["best", "epochs", "last", "metrics.jsonl", "recipe.json"])
    }

    @Test("a checkpoint without its progress or optimizer is refused, naming the file")
    func brokenCheckpoint() throws {
        let tiny = try TinyRun(.vit)
        try tiny.train(stop: 2)
        let optimizer = "\(tiny.run.last)/optimizer.safetensors"
        let bytes = try Data(contentsOf: URL(filePath: optimizer))
        try bytes.prefix(bytes.count / 2).write(to: URL(filePath: optimizer))
        let torn = #expect(throws: (any Error).self) { try tiny.train(resume: true) }
        #expect(String(describing: try #require(torn)).contains("optimizer.safetensors"))
        try Data("{".utf8).write(to: URL(filePath: "\(tiny.run.last)/progress.json"))
        var error = #expect(throws: TrainingError.self) { try tiny.train(resume: true) }
        #expect(error?.description.contains("progress.json") == true)
        try Data("{\"step\": 1000, \"seconds\": 1}".utf8).write(to: URL(filePath: "\(tiny.run.last)/progress.json"))
        error = #expect(throws: TrainingError.self) { try tiny.train(resume: true) }
        #expect(error?.description.contains("1000") == true)
    }

    @Test("a loss that is not finite ends the run in one sentence and leaves the last checkpoint whole")
    func notFinite() throws {
        let tiny = try TinyRun(.vit)
        try tiny.train(stop: 1)
        // Weights at the edge of single precision carry the first sums beyond it.
        let path = "\(tiny.run.last)/model.safetensors"
        let file = try SafetensorsFile(path: path)
        let tensors = try file.names.enumerated().map { place, name in
            var values = try file.floats(name)
            if place == 0 { values = values.map { _ in 3e38 } }
            return TensorToWrite(name: name, floats: values, shape: try #require(file.tensors[name]).shape)
        }
        try SafetensorsWriter.write(tensors, to: path)
        let saved = try Data(contentsOf: URL(filePath: path))
        let error = #expect(throws: TrainingError.self) { try tiny.train(resume: true) }
        guard case .notFinite(let step, _, _)? = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(step == 2)
        #expect(try Data(contentsOf: URL(filePath: "\(tiny.run.last)/model.safetensors")) == saved)
        #expect(try TinyRun.metrics(tiny.run).count == 1)
    }

    @Test(
        "an error between two checkpoints has the steps since the last one saved, and the epoch that it cut off measured at the resume"
    )
    func savedBeforeTheEnd() throws {
        let tiny = try TinyRun(.vit)
        let metrics = "\(tiny.run.path)/metrics.jsonl"
        // A folder stands where the third step, the epoch's last, is to be noted.
        let error = #expect(throws: TrainingError.self) {
            try tiny.train { event in
                guard case .step(3, _, _) = event else { return }
                try? FileManager.default.removeItem(atPath: metrics)
                try? FileManager.default.createDirectory(atPath: metrics, withIntermediateDirectories: true)
            }
        }
        guard case .noWrite? = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(try tiny.run.resume(tiny.recipe)?.step == 3)
        #expect(!FileManager.default.fileExists(atPath: tiny.run.best))
        try FileManager.default.removeItem(atPath: metrics)
        var epochs: [Int] = []
        let completed = try tiny.train(resume: true) { event in
            if case .validated(let epoch, _, _) = event { epochs.append(epoch) }
        }
        #expect(completed && epochs == [1, 2, 3])
        #expect(FileManager.default.fileExists(atPath: tiny.run.best))
    }

    @Test("a recipe may name a shipped model or a run; a folder of that name beside it comes first")
    func namedStart() throws {
        let tiny = try TinyRun(.vit)
        let start = "\(tiny.folder.path)/start"
        tiny.recipe.start = .model("small")
        #expect(throws: CLIPError.noModel(path: "\(tiny.folder.path)/small")) { try TrainingStart(tiny.recipe) }
        tiny.recipe.shippedModels = ["small": start]
        #expect(tiny.recipe.resolvedModel("small") == start)
        _ = try TrainingStart(tiny.recipe)
        try tiny.folder.write("{}", to: "small/config.json")
        #expect(tiny.recipe.resolvedModel("small") == "\(tiny.folder.path)/small")
        try tiny.folder.write("{}", to: "small/recipe.json")
        #expect(tiny.recipe.resolvedModel("small") == "\(tiny.folder.path)/small/best")
    }

    @Test("a folder that can't be made is refused in one sentence")
    func fileInPlaceOfFolder() throws {
        let tiny = try TinyRun(.vit)
        let file = try tiny.folder.write("not a folder", to: "occupied")
        for path in [file, "\(file)/run"] {
            let error = #expect(throws: TrainingError.self) { try tiny.train(to: RunFolder(path: path)) }
            guard case .noWrite(path, _)? = error else {
                Issue.record("\(String(describing: error))")
                continue
            }
            let text = try #require(error).description
            #expect(text.hasPrefix("\(path) can't be written: ") && text.hasSuffix(".") && !text.contains(".."))
            #expect(!text.contains("Error"), "\(text)")
        }
    }

    @Test(
        "a full disk ends the run in one sentence",
        .enabled(if: FileManager.default.fileExists(atPath: "/dev/full"), "needs /dev/full"))
    func fullDisk() throws {
        let tiny = try TinyRun(.vit)
        try tiny.train(stop: 2)
        let saved = try TinyRun.weights(tiny.run.last)
        // The resumed run rewrites its metrics, so the device stands in when the first step is about to be noted.
        let metrics = "\(tiny.run.path)/metrics.jsonl"
        let error = #expect(throws: TrainingError.self) {
            try tiny.train(resume: true) { event in
                guard case .began = event else { return }
                try? FileManager.default.removeItem(atPath: metrics)
                try? FileManager.default.createSymbolicLink(atPath: metrics, withDestinationPath: "/dev/full")
            }
        }
        guard case .noWrite(tiny.run.path, _)? = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        let text = try #require(error).description
        #expect(text.hasSuffix(".") && !text.contains("..") && text.contains("space"), "\(text)")
        // The step that could not be noted is not lost.
        #expect(try TinyRun.weights(tiny.run.last) != saved)
        #expect(try tiny.run.resume(tiny.recipe)?.step == 3)
    }

    @Test("a model as the teacher is asked about every view; its run can be stopped and resumed too")
    func teacherModel() throws {
        let tiny = try TinyRun(.vit)
        let resNet = try TinyRun(.resnet)
        guard case .model(let teacher) = resNet.recipe.start else { fatalError("a tiny run begins at a folder") }
        tiny.recipe.teacher = teacher
        var sources = tiny.sources
        (sources.teachers, sources.teacherPaths) = ([], [])
        func train(to folder: RunFolder, resume: Bool = false, stop: Int? = nil) throws -> [[String: Double]] {
            var taken = 0
            _ = try Trainer.run(
                tiny.recipe, sources: sources, to: folder, resume: resume, shouldStop: { taken == stop },
                report: { if case .step(let step, _, _) = $0 { taken = step } })
            return try TinyRun.metrics(folder)
        }
        let straight = RunFolder(path: "\(tiny.folder.path)/straight")
        let expected = try train(to: straight)
        #expect(expected.count { ($0["loss_teacher"] ?? 0) > 0 && ($0["loss_teacher_relations"] ?? 0) > 0 } == 9)
        _ = try train(to: tiny.run, stop: 4)
        #expect(try train(to: tiny.run, resume: true) == expected)
        #expect(try TinyRun.weights(tiny.run.last) == TinyRun.weights(straight.last))

        // What it says of a view is the embedding of that view, cut and coloured as the student sees it.
        let data = try TrainingData(tiny.sources.datasets, templates: tiny.recipe.captions, teachers: [], teacherPaths: [])
        let start = try TrainingStart(tiny.recipe)
        let embedder = try Embedder(checkpoint: Checkpoint(path: teacher))
        let loader = try BatchLoader(
            data, recipe: tiny.recipe, preprocessing: start.preprocessing, tokenizer: start.tokenizer,
            teacher: embedder.preprocessing)
        let batch = try loader.batch(step: 0)
        #expect(batch.taught == Array(batch.items.indices) && embedder.preprocessing.fitting == start.preprocessing.fitting)
        #expect(batch.teacherSquares == batch.squares && batch.squares?.count == batch.items.count)
    }

    @Test("bfloat16 moves the losses a little, and neither the weights' type nor the run's order")
    func bfloat16() throws {
        let tiny = try TinyRun(.vit)
        let exact = RunFolder(path: "\(tiny.folder.path)/exact")
        try tiny.train(to: exact)
        tiny.recipe.precision = .bfloat16
        try tiny.train(stop: 4)
        try tiny.train(resume: true)
        let losses = try [exact, tiny.run].map { try TinyRun.metrics($0).compactMap { $0["loss"] } }
        #expect(losses[0].count == 9 && losses[1].count == 9)
        #expect(losses[0] != losses[1], "the precision must do something")
        // The first step begins from the same weights. Later ones begin from what the steps before made of them, which differs, and more on
        // processors whose products of bfloat16 are made of others.
        let moved = zip(losses[0], losses[1]).map { abs($0 - $1) / $0 }
        #expect(moved[0] < 0.02 && moved.reduce(0, +) / 9 < 0.05 && moved.allSatisfy { $0 < 0.08 }, "\(moved)")
        let file = try SafetensorsFile(path: "\(tiny.run.last)/model.safetensors")
        #expect(file.tensors.values.allSatisfy { $0.type == .float32 })
    }

    @Test("an epoch's line says which share of its time was waited for photos")
    func waited() throws {
        let tiny = try TinyRun(.vit)
        var told: [Int: Double] = [:]
        try tiny.train { if case .waited(let epoch, let share) = $0 { told[epoch] = share } }
        let lines = try String(contentsOfFile: "\(tiny.run.path)/metrics.jsonl", encoding: .utf8).split(separator: "\n").map {
            try #require(try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any])
        }
        let epochs = lines.filter { $0["epoch"] != nil }
        #expect(epochs.count == 3 && told.count == 3)
        for line in epochs {
            let share = try #require(line["waited"] as? Double)
            let epoch = try #require(line["epoch"] as? Int)
            #expect((0...1).contains(share) && abs(share - (told[epoch] ?? .infinity)) < 1e-9)
        }
    }

    @Test("what a run lacks is said before its folder is made")
    func lacking() throws {
        let tiny = try TinyRun(.vit)
        func refused(_ change: (inout Recipe, inout TrainingSources) -> Void) throws -> String {
            var (recipe, sources) = (tiny.recipe, tiny.sources)
            change(&recipe, &sources)
            let error = #expect(throws: (any Error).self) {
                try Trainer.run(recipe, sources: sources, to: tiny.run, resume: false, shouldStop: { false }, report: { _ in })
            }
            #expect(!FileManager.default.fileExists(atPath: tiny.run.path))
            return String(describing: try #require(error))
        }
        #expect(try refused { recipe, sources in (sources.teachers, sources.teacherPaths) = ([], []) }.contains("teacher"))
        #expect(try refused { recipe, _ in recipe.teacher = "nobody" }.contains("files of vectors are given too"))
        #expect(
            try refused { recipe, sources in
                recipe.teacher = "nobody"
                (sources.teachers, sources.teacherPaths) = ([], [])
            }.contains("nobody"))
        #expect(try refused { recipe, _ in recipe.captions = ["{colour}"] }.contains("caption"))
        #expect(try refused { recipe, _ in recipe.start = .model("none") }.contains("none"))
        #expect(try refused { recipe, _ in recipe.trainable = ["vision"] }.contains("vision"))
    }

    @Test("a photo that can't be read is told once, another stands for it, and the run is the same whenever it is made")
    func brokenPhoto() throws {
        let tiny = try TinyRun(.vit)
        let path = try #require(tiny.sources.datasets[0].rows.first).path
        try Data("no picture".utf8).write(to: URL(filePath: path))
        var told: [String] = []
        let completed = try tiny.train { if case .unreadable(let sentence) = $0 { told.append(sentence) } }
        #expect(completed && told.count == 1 && told[0].contains("photo-0.png"))
        let other = RunFolder(path: "\(tiny.folder.path)/other")
        try tiny.train(to: other, stop: 4)
        try tiny.train(to: other, resume: true)
        #expect(try TinyRun.metrics(other) == TinyRun.metrics(tiny.run))
    }

    @Test("more than one photo in a hundred ends the run, with a sentence that names the last")
    func brokenPhotos() throws {
        let tiny = try TinyRun(.vit)
        for row in tiny.sources.datasets[0].rows[..<2] { try Data("no picture".utf8).write(to: URL(filePath: row.path)) }
        let error = #expect(throws: TrainingError.self) { try tiny.train() }
        guard case .unreadablePhotos(2, of: 12, _)? = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        let text = try #require(error).description
        #expect(text.contains("2 of 12 photos can't be read") && text.contains("photo-") && text.hasSuffix("."))
    }

    @Test("a validation photo that can't be read is left out and told")
    func brokenValidationPhoto() throws {
        let tiny = try TinyRun(.vit)
        let row = try #require(tiny.sources.datasets[0].rows(where: "split", is: "val").first)
        try Data("no picture".utf8).write(to: URL(filePath: row.path))
        var told: [String] = []
        let completed = try tiny.train { if case .unreadable(let sentence) = $0 { told.append(sentence) } }
        #expect(completed && told.count == 3 && told.allSatisfy { $0.contains("photo-12.png") })
    }
}
