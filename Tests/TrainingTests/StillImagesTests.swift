import CLIP
import Catalog
import Foundation
import Testing
import Torch

@testable import Training

@Suite("Locked images")
struct StillImagesTests {
    /// A run of texts alone, beside pictures that stay as they are.
    private static func tiny(_ tower: TinyRun.Tower) throws -> TinyRun {
        let tiny = try TinyRun(tower)
        tiny.recipe.trainable = [
            "token_embedding.", "positional_embedding", "transformer.", "ln_final.", "text_projection", "logit_scale",
        ]
        tiny.recipe.batchNormFrozen = true
        tiny.recipe.augmentation = .unchanging
        return tiny
    }

    @Test(
        "each picture is encoded once, and the losses are those of encoding it in every step", arguments: TinyRun.Tower.allCases)
    func sameLosses(_ tower: TinyRun.Tower) throws {
        let tiny = try Self.tiny(tower)
        var embedded: [Int] = []
        try tiny.train { if case .embedded(let done, of: 12) = $0 { embedded.append(done) } }
        #expect(embedded.last == 12)
        // A turn of no degrees to speak of is a view that is made anew, and the same.
        tiny.recipe.augmentation.rotate = 1e-9
        let other = RunFolder(path: "\(tiny.folder.path)/anew")
        try tiny.train(to: other) { event in
            if case .embedded = event { Issue.record("a view that changes was encoded once") }
        }
        let (once, anew) = (try TinyRun.metrics(tiny.run), try TinyRun.metrics(other))
        #expect(once.count == anew.count && once.count > 9)
        for (a, b) in zip(once, anew) {
            #expect(a.keys == b.keys)
            for (key, value) in a { #expect(abs(value - (b[key] ?? .nan)) < 2e-3 * max(1, abs(value)), "\(key)") }
        }
        let (before, after) = (
            try TinyRun.weights("\(tiny.folder.path)/start"), try TinyRun.weights("\(tiny.run.path)/last")
        )
        #expect(before.filter { $0.key.hasPrefix("visual.") } == after.filter { $0.key.hasPrefix("visual.") })
        #expect(before["text_projection"] != after["text_projection"])
    }

    @Test("a run that is stopped sees the losses that it would have seen, also where it was stopped before its first step")
    func resumes() throws {
        let tiny = try Self.tiny(.vit)
        try tiny.train()
        for stop in [0, 4] {
            let other = RunFolder(path: "\(tiny.folder.path)/stopped-\(stop)")
            #expect(try tiny.train(to: other, stop: stop) == false)
            #expect(try tiny.train(to: other, resume: true))
            #expect(try TinyRun.metrics(other) == TinyRun.metrics(tiny.run))
        }
    }

    @Test("what moves the image tower's vectors keeps nothing")
    func keepsNothing() throws {
        let tiny = try Self.tiny(.resnet)
        let model = try TrainingStart(tiny.recipe).model
        #expect(tiny.recipe.keepsImages(of: model))
        func keeps(_ change: (inout Recipe) -> Void) -> Bool {
            var recipe = tiny.recipe
            change(&recipe)
            return recipe.keepsImages(of: model)
        }
        #expect(!keeps { $0.trainable = [""] })
        #expect(!keeps { $0.trainable.append("visual.attnpool.") })
        #expect(!keeps { $0.batchNormFrozen = false })
        #expect(!keeps { $0.augmentation.flip = 0.5 })
        #expect(!keeps { $0.teacher = "small-vit" })
        #expect(keeps { $0.trainable = [] })
    }

    @Test("a photo that can't be read is told once and another stands for it; more than one in a hundred end the run")
    func brokenPhotos() throws {
        let tiny = try Self.tiny(.vit)
        let rows = tiny.sources.datasets[0].rows
        try Data("no picture".utf8).write(to: URL(filePath: rows[0].path))
        var told: [String] = []
        #expect(try tiny.train { if case .unreadable(let sentence) = $0 { told.append(sentence) } })
        #expect(told.count == 1 && told[0].contains("photo-0.png"))
        try Data("no picture".utf8).write(to: URL(filePath: rows[1].path))
        #expect(throws: TrainingError.self) { try tiny.train(to: RunFolder(path: "\(tiny.folder.path)/other")) }
    }

    @Test("the explanation says it, and what it takes")
    func explained() throws {
        let tiny = try Self.tiny(.vit)
        let text = try RecipeExplanation(tiny.recipe, sources: tiny.sources, device: .cpu).sentences.joined(separator: "\n")
        #expect(text.contains("each is encoded once, before the first step.\nThat takes about") && text.contains("A step takes"))
    }
}
